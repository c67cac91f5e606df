// SPDX-License-Identifier: GPL-2.0-only
/*
 * MOV to and from control and debug registers.
 *
 * The guest owns the CR0 and CR4 bits that hardware lets it own; these exits are
 * about the others: bits the module keeps (CR4.VMXE, CR4.MCE, CR0.NE), bits of
 * caching that must not reach the CPU (CR0.CD, CR0.NW), and bits that the
 * guest's CPUID does not offer.
 */
#include <linux/bits.h>
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "state_cr.h"
#include "event.h"
#include "exit_controls.h"
#include "exit_handlers.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"

/* Exit qualification (SDM, "Exit Qualification for Control-Register Accesses"). */
#define CR_NUMBER(qual)		((qual) & 0xf)
#define CR_ACCESS(qual)		(((qual) >> 4) & 3)
#define CR_GPR(qual)		(((qual) >> 8) & 0xf)
#define CR_LMSW(qual)		(((qual) >> 16) & 0xffff)
enum { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW_ACCESS };

static enum tvx_result done(struct tvx_vcpu *vcpu)
{
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}

static enum tvx_result refuse(struct tvx_vcpu *vcpu)
{
	tvx_event_gp(vcpu);
	return TVX_RESUME;
}

static enum tvx_result needs_pdptes(struct tvx_vcpu *vcpu, unsigned int cr, u64 value)
{
	vcpu->run->cr.cr = cr;
	vcpu->run->cr.pad = 0;
	vcpu->run->cr.value = value;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_CR);
}

static bool is_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LME);
}

/* SDM volume 2, "MOV - Move to/from Control Registers": what gives #GP. */
static enum tvx_result mov_to_cr0(struct tvx_vcpu *vcpu, u64 value)
{
	u64 efer = vmcs_read64(GUEST_IA32_EFER);
	u64 cr4 = tvx_cr4_read();
	u64 old = tvx_cr0_read();
	bool paging_changes = (old ^ value) & X86_CR0_PG;

	if (value >> 32)
		return refuse(vcpu);
	value = (value & vmx_caps.cr0_mask) | X86_CR0_ET;
	if (!tvx_cr0_valid(value))
		return refuse(vcpu);
	if (paging_changes && (value & X86_CR0_PG) && (efer & EFER_LME) &&
	    (!(cr4 & X86_CR4_PAE) || (vmcs_read32(GUEST_CS_AR_BYTES) & TINYVMX_AR_L)))
		return refuse(vcpu);
	if (paging_changes && !(value & X86_CR0_PG) && (efer & EFER_LMA) &&
	    ((vmcs_read32(GUEST_CS_AR_BYTES) & TINYVMX_AR_L) || (cr4 & X86_CR4_PCIDE)))
		return refuse(vcpu);
	/* MOV to CR0 loads the PDPTEs when it changes CD, NW or PG. */
	if (is_pae_paging(value, cr4, efer) &&
	    ((old ^ value) & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)))
		return needs_pdptes(vcpu, 0, value);

	if (paging_changes)
		tvx_efer_write(vcpu, value & X86_CR0_PG && efer & EFER_LME ?
			       efer | EFER_LMA : efer & ~EFER_LMA);
	tvx_cr0_write(vcpu, value);
	return done(vcpu);
}

#define CR4_LOADS_PDPTES	(X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP)

static enum tvx_result mov_to_cr4(struct tvx_vcpu *vcpu, u64 value)
{
	u64 efer = vmcs_read64(GUEST_IA32_EFER);
	u64 old = tvx_cr4_read();
	u64 cr0 = vmcs_readn(GUEST_CR0);

	if (value & ~vcpu->policy.cr4)
		return refuse(vcpu);
	if ((efer & EFER_LMA) && (!(value & X86_CR4_PAE) || ((old ^ value) & X86_CR4_LA57)))
		return refuse(vcpu);
	if (!(old & X86_CR4_PCIDE) && (value & X86_CR4_PCIDE) &&
	    (!(efer & EFER_LMA) || (vmcs_readn(GUEST_CR3) & 0xfff)))
		return refuse(vcpu);
	if (is_pae_paging(cr0, value, efer) && ((old ^ value) & CR4_LOADS_PDPTES))
		return needs_pdptes(vcpu, 4, value);

	tvx_cr4_write(vcpu, value);
	return done(vcpu);
}

static enum tvx_result mov_to_cr(struct tvx_vcpu *vcpu, unsigned int cr, u64 value)
{
	/* Outside 64-bit mode the upper half of the register does not count. */
	if (!tvx_in_64bit_mode())
		value = (u32)value;
	switch (cr) {
	case 0:
		return mov_to_cr0(vcpu, value);
	case 4:
		return mov_to_cr4(vcpu, value);
	}
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
}

enum tvx_result tvx_exit_cr_access(struct tvx_vcpu *vcpu)
{
	unsigned long qual = tvx_exit_qualification(vcpu);

	/* CR3-store exiting is off, CR0 and CR4 are read from the VMCS, CR8 is the TPR shadow. */
	switch (CR_ACCESS(qual)) {
	case CR_MOV_TO:
		return mov_to_cr(vcpu, CR_NUMBER(qual), tvx_gpr_read(vcpu, CR_GPR(qual)));
	case CR_CLTS:
		return mov_to_cr0(vcpu, tvx_cr0_read() & ~(u64)X86_CR0_TS);
	case CR_LMSW_ACCESS:
		/* LMSW changes the four low bits and cannot clear PE. */
		return mov_to_cr0(vcpu, (tvx_cr0_read() & ~0xeULL) | (CR_LMSW(qual) & 0xf));
	}
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
}

/* Exit qualification (SDM, "Exit Qualification for MOV DR"). */
#define DR_NUMBER(qual)		((qual) & 7)
#define DR_FROM			BIT(4)
#define DR_GPR(qual)		(((qual) >> 8) & 0xf)

static u64 read_dr(const struct tvx_debug *debug, unsigned int dr)
{
	if (dr < 4)
		return debug->dr[array_index_nospec(dr, 4)];
	return dr == 6 ? debug->dr6 : debug->dr7;
}

static void write_dr(struct tvx_vcpu *vcpu, unsigned int dr, u64 value)
{
	if (dr < 4)
		vcpu->debug.dr[array_index_nospec(dr, 4)] = value;
	else if (dr == 6)
		vcpu->debug.dr6 = (value & TVX_DR6_WRITABLE) | TVX_DR6_FIXED;
	else
		tvx_dr7_write(vcpu, value);
}

/*
 * The first access since the debug registers were the host's; who makes one makes several. It is
 * done here: to do the instruction again would meet a breakpoint on it again, since the exit has
 * cleared RFLAGS.RF. For those behind it the CPU is the guest's, unless a debugger needs it.
 */
enum tvx_result tvx_exit_dr_access(struct tvx_vcpu *vcpu)
{
	unsigned long qual = tvx_exit_qualification(vcpu);
	unsigned int dr = DR_NUMBER(qual), gpr = DR_GPR(qual);
	u64 value;

	/* The CPU checks the privilege level first, but not every emulator of one does. */
	if (tvx_cpl())
		return refuse(vcpu);
	if (vcpu->debug.dr7 & TVX_DR7_GD) {
		tvx_event_debug(vcpu, TVX_DR6_BD);
		return TVX_RESUME;
	}
	if (dr == 4 || dr == 5) {
		if (tvx_cr4_read() & X86_CR4_DE) {
			tvx_event_ud(vcpu);
			return TVX_RESUME;
		}
		dr += 2;
	}
	if (qual & DR_FROM) {
		tvx_gpr_write(vcpu, gpr, read_dr(&vcpu->debug, dr));
	} else {
		value = tvx_gpr_read(vcpu, gpr);
		if (!tvx_in_64bit_mode())
			value = (u32)value;
		if (dr >= 6 && value >> 32)
			return refuse(vcpu);
		write_dr(vcpu, dr, value);
	}
	if (!tvx_debugger_has_breakpoints(vcpu)) {
		tvx_vcpu_own_debug(vcpu);
		tvx_controls_update(vcpu);
	} else if (!(qual & DR_FROM)) {
		tvx_vcpu_put_breakpoints(vcpu);
		tvx_vcpu_load_breakpoints(vcpu);
	}
	return done(vcpu);
}
