// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers of the guest, split between what it owns and what we keep.
 */
#include "msr_bitmap.h"
#include "state_cr.h"
#include "vmx_caps.h"

/* Bits that change what cached translations mean, when software writes them. */
#define CR4_FLUSHES \
	((unsigned long)(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | \
			 X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_LA57))

static void flush_vpid(struct tvx_vcpu *vcpu)
{
	vcpu->flush_vpid = true;
	vcpu->recheck = true;
}

void tvx_cr0_write(struct tvx_vcpu *vcpu, u64 value)
{
	u64 hardware = (value & TVX_CR0_GUEST_OWNED) | X86_CR0_ET | vmx_caps.cr0_fixed;
	bool ferr = vcpu->has_ferr && !(value & X86_CR0_NE);

	if ((tvx_cr0_read() ^ value) & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
		flush_vpid(vcpu);
	if (ferr != vcpu->ferr) {
		vcpu->ferr = ferr;
		vcpu->ignne = false;
		vcpu->controls_stale = true;
		vcpu->recheck = true;
	}
	vmcs_writen(GUEST_CR0, hardware);
	vmcs_writen(CR0_READ_SHADOW, value);
}

void tvx_cr4_write(struct tvx_vcpu *vcpu, u64 value)
{
	u64 hardware = (value & ~tvx_cr4_host_owned()) | vmx_caps.cr4_fixed |
		       (tvx_host_cr4() & X86_CR4_MCE);
	bool umip = value & vmx_caps.cr4_emulated & X86_CR4_UMIP;

	if ((tvx_cr4_read() ^ value) & CR4_FLUSHES)
		flush_vpid(vcpu);
	if (umip != vcpu->umip) {
		vcpu->umip = umip;
		vcpu->controls_stale = true;
		vcpu->recheck = true;
	}
	vmcs_writen(GUEST_CR4, hardware);
	vmcs_writen(CR4_READ_SHADOW, value);
}

void tvx_efer_write(struct tvx_vcpu *vcpu, u64 value)
{
	u32 entry = vmcs_read32(VM_ENTRY_CONTROLS);
	u32 want = value & EFER_LMA ? entry | VM_ENTRY_IA32E_MODE : entry & ~VM_ENTRY_IA32E_MODE;

	if ((vmcs_read64(GUEST_IA32_EFER) ^ value) & (EFER_NX | EFER_LMA))
		flush_vpid(vcpu);
	vmcs_write64(GUEST_IA32_EFER, value);
	if (want != entry)
		vmcs_write32(VM_ENTRY_CONTROLS, want);
	tvx_msr_update_wanted(vcpu);
}

void tvx_cr4_update_owner(struct tvx_vcpu *vcpu)
{
	u64 shadow = tvx_cr4_read();
	u64 owned = vcpu->policy.cr4 & ~tvx_cr4_host_owned();

	vmcs_writen(CR4_READ_SHADOW, shadow);
	vmcs_writen(CR4_GUEST_HOST_MASK, ~owned);
}
