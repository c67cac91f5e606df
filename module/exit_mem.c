// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT violations: RAM to be mapped, or facts for userspace to emulate from.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/errno.h>
#include <linux/printk.h>

#include "state_cr.h"
#include "event.h"
#include "exit_handlers.h"

/* Exit qualification (SDM, "Exit Qualification for EPT Violations"). */
#define EPT_QUAL_GLA_VALID	BIT(7)
#define EPT_QUAL_NOT_WALK	BIT(8)
#define EPT_QUAL_UNBLOCK_NMI	BIT(12)

#define EPT_QUAL_ACCESS		(EPT_VIOLATION_ACC_READ | EPT_VIOLATION_ACC_WRITE | \
				 EPT_VIOLATION_ACC_INSTR)
/* The ABI has the same bits. */
static_assert(!(TINYVMX_MMIO_READ ^ EPT_VIOLATION_ACC_READ) &&
	      !(TINYVMX_MMIO_WRITE ^ EPT_VIOLATION_ACC_WRITE) &&
	      !(TINYVMX_MMIO_FETCH ^ EPT_VIOLATION_ACC_INSTR));

static bool is_walk(unsigned long qual)
{
	return (qual & EPT_QUAL_GLA_VALID) && !(qual & EPT_QUAL_NOT_WALK);
}

static u32 mmio_flags(unsigned long qual)
{
	u32 flags = qual & EPT_QUAL_ACCESS;

	if (qual & EPT_QUAL_GLA_VALID)
		flags |= TINYVMX_MMIO_GLA_VALID;
	/* Without a linear address: PDPTEs, as MOV to CR loads them. */
	if (!(qual & EPT_QUAL_GLA_VALID) || is_walk(qual))
		flags |= TINYVMX_MMIO_WALK;
	return flags;
}

static enum tvx_result tell_user(struct tvx_vcpu *vcpu, u32 reason, u64 gpa, u32 flags, int err)
{
	struct tinyvmx_exit_mmio *mmio = &vcpu->run->mmio;

	/* What has been taken back has been cut short by this access. */
	if (vcpu->pending & TINYVMX_PENDING_EVENT)
		flags |= TINYVMX_MMIO_WALK;
	if (tvx_guest_has_breakpoints(vcpu))
		flags |= TINYVMX_MMIO_BREAKPOINTS;
	mmio->gpa = gpa;
	mmio->flags = flags;
	mmio->gla = mmio->flags & TINYVMX_MMIO_GLA_VALID ? vmcs_readn(GUEST_LINEAR_ADDRESS) : 0;
	mmio->error = -err;
	tvx_paging_get(&mmio->paging);
	mmio->cs_base = vmcs_readn(GUEST_CS_BASE);
	mmio->cs_ar = vmcs_read32(GUEST_CS_AR_BYTES);
	mmio->pad = 0;
	return tvx_exit_to_user_regs(vcpu, reason);
}

enum tvx_result tvx_exit_memory_fault(struct tvx_vcpu *vcpu, int err)
{
	u32 flags = mmio_flags(tvx_exit_qualification(vcpu));

	if (err == -ENOENT || err == -EACCES)
		return tvx_exit_mmio(vcpu, vcpu->fault.gpa, flags);
	return tell_user(vcpu, TINYVMX_EXIT_MEMORY_FAULT, vcpu->fault.gpa, flags, err);
}

enum tvx_result tvx_exit_mmio(struct tvx_vcpu *vcpu, u64 gpa, u32 flags)
{
	return tell_user(vcpu, TINYVMX_EXIT_MMIO, gpa, flags, 0);
}

/* Mapping a page may have to wait: the loop does it after this. */
enum tvx_result tvx_exit_ept_violation(struct tvx_vcpu *vcpu)
{
	unsigned long qual = tvx_exit_qualification(vcpu);

	vcpu->fault.gpa = vmcs_read64(GUEST_PHYSICAL_ADDRESS);
	vcpu->fault.write = qual & EPT_VIOLATION_ACC_WRITE;
	vcpu->fault.fetch = qual & EPT_VIOLATION_ACC_INSTR;
	vcpu->fault.walk = vcpu->fault.write && is_walk(qual) &&
			   (vmcs_read64(EPT_POINTER) & VMX_EPTP_AD_ENABLE_BIT);
	if (qual & EPT_QUAL_UNBLOCK_NMI)
		tvx_event_block_nmi_again(vcpu);
	if (tvx_memory_is_mmio(vcpu->memory, &vcpu->fault))
		return tvx_exit_mmio(vcpu, vcpu->fault.gpa, mmio_flags(qual));
	vcpu->faulted = true;
	vcpu->recheck = true;
	return TVX_RESUME;
}

enum tvx_result tvx_exit_ept_misconfig(struct tvx_vcpu *vcpu)
{
	pr_err_ratelimited("EPT misconfiguration at GPA 0x%llx: VM killed\n",
			   vmcs_read64(GUEST_PHYSICAL_ADDRESS));
	vcpu->error = -EIO;
	return TVX_FAIL;
}
