/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control and debug registers of the guest: what it reads, what the VMCS holds.
 */
#ifndef TVX_STATE_CR_H
#define TVX_STATE_CR_H

#include <linux/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "exit_info.h"
#include "vcpu.h"
#include "vmcs.h"
#include "vmx_caps.h"

/* CR0 bits that the guest owns: it changes them without a VM exit. */
#define TVX_CR0_GUEST_OWNED \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM | \
	 X86_CR0_PG)

/*
 * CR4 bits that are never the guest's: machine checks are the host's affair, and
 * VMX root needs VMXE. All others are the guest's as far as its CPUID has them.
 */
#define TVX_CR4_HOST_OWNED	((unsigned long)(X86_CR4_MCE | X86_CR4_VMXE))

/* They, and those that the CPU does not have. */
static inline u64 tvx_cr4_host_owned(void)
{
	return TVX_CR4_HOST_OWNED | vmx_caps.cr4_emulated;
}

/* All of these: VMCS current, interrupts disabled. */

static inline u64 tvx_merge(u64 owned_mask, u64 owned, u64 shadow)
{
	return (owned & ~owned_mask) | (shadow & owned_mask);
}

/* What MOV from CR0 or CR4 gives the guest. */
static inline u64 tvx_cr0_read(void)
{
	return tvx_merge(vmcs_readn(CR0_GUEST_HOST_MASK), vmcs_readn(GUEST_CR0),
			 vmcs_readn(CR0_READ_SHADOW));
}

static inline u64 tvx_cr4_read(void)
{
	return tvx_merge(vmcs_readn(CR4_GUEST_HOST_MASK), vmcs_readn(GUEST_CR4),
			 vmcs_readn(CR4_READ_SHADOW));
}

static inline bool tvx_in_64bit_mode(void)
{
	return tvx_in_long_mode() && (vmcs_read32(GUEST_CS_AR_BYTES) & TINYVMX_AR_L);
}

/* The current privilege level (SDM: it is SS's DPL). */
static inline unsigned int tvx_cpl(void)
{
	return (vmcs_read32(GUEST_SS_AR_BYTES) >> TINYVMX_AR_DPL_SHIFT) & 3;
}

/*
 * What the CPU itself translates with. Bits that only mean something to the host, or
 * that hardware wants set, are left out, which spares the reads of the shadows.
 */
static inline void tvx_paging_get(struct tinyvmx_paging *paging)
{
	paging->cr0 = vmcs_readn(GUEST_CR0) & TVX_CR0_GUEST_OWNED;
	paging->cr3 = vmcs_readn(GUEST_CR3);
	paging->cr4 = vmcs_readn(GUEST_CR4) & ~TVX_CR4_HOST_OWNED;
	paging->efer = vmcs_read64(GUEST_IA32_EFER);
	paging->cpl = tvx_cpl();
	paging->pad = 0;
}

/* Whether CR0 can have these bits together, of those that exist. */
static inline bool tvx_cr0_valid(u64 cr0)
{
	if ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE))
		return false;
	return !(cr0 & X86_CR0_NW) || (cr0 & X86_CR0_CD);
}

/* Set what the guest reads, and what the CPU runs with accordingly. */
void tvx_cr0_write(struct tvx_vcpu *vcpu, u64 value);
void tvx_cr4_write(struct tvx_vcpu *vcpu, u64 value);
/* @value includes LMA. */
void tvx_efer_write(struct tvx_vcpu *vcpu, u64 value);

/* Set the guest's DR7, less the bits that do not exist. */
static inline void tvx_dr7_write(struct tvx_vcpu *vcpu, u64 value)
{
	vcpu->debug.dr7 = (value & TVX_DR7_WRITABLE) | TVX_DR7_FIXED;
	vmcs_writen(GUEST_DR7, tvx_dr7_in_force(vcpu));
}

/* The CPUID policy has changed: recompute who owns CR4 bits. */
void tvx_cr4_update_owner(struct tvx_vcpu *vcpu);

#endif
