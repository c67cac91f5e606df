// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speculation control for guests: IA32_SPEC_CTRL, IA32_PRED_CMD and
 * IA32_ARCH_CAPABILITIES, where the host's CPU has them.
 *
 * The CPU itself switches IA32_SPEC_CTRL, by the MSR-load areas of VM entry and VM
 * exit: no instruction of the host runs with what the guest has chosen. Where both
 * want the same the areas are empty.
 */
#include <asm/io.h>
#include <asm/msr-index.h>

#include "msr_spec_ctrl.h"
#include "vmcs.h"
#include "vmx_caps.h"

static void update_areas(struct tvx_vcpu *vcpu)
{
	u32 count = vcpu->spec_ctrl.guest.value != vcpu->spec_ctrl.host.value;

	if (count == vcpu->spec_ctrl.count)
		return;
	vmcs_write32(VM_ENTRY_MSR_LOAD_COUNT, count);
	vmcs_write32(VM_EXIT_MSR_LOAD_COUNT, count);
	vcpu->spec_ctrl.count = count;
}

void tvx_spec_ctrl_init(struct tvx_vcpu *vcpu)
{
	vcpu->spec_ctrl.guest.index = MSR_IA32_SPEC_CTRL;
	vcpu->spec_ctrl.host.index = MSR_IA32_SPEC_CTRL;
	vmcs_write64(VM_ENTRY_MSR_LOAD_ADDR, __pa(&vcpu->spec_ctrl.guest));
	vmcs_write64(VM_EXIT_MSR_LOAD_ADDR, __pa(&vcpu->spec_ctrl.host));
	vmcs_write32(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write32(VM_EXIT_MSR_LOAD_COUNT, 0);
	vcpu->spec_ctrl.count = 0;
}

void tvx_spec_ctrl_take_host(struct tvx_vcpu *vcpu)
{
	/* It belongs to the task (STIBP, SSBD) and to the kernel it is in (IBRS). */
	vcpu->spec_ctrl.host.value = tvx_host_spec_ctrl();
	update_areas(vcpu);
}

bool tvx_spec_ctrl_read(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vcpu->spec_ctrl.guest.value;
	return vcpu->policy.spec_ctrl;
}

/* What the CPU would refuse must not come into the area: it would refuse the VM entry. */
bool tvx_spec_ctrl_write(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if (!vcpu->policy.spec_ctrl || (value & ~vcpu->policy.spec_ctrl))
		return false;
	vcpu->spec_ctrl.guest.value = value;
	update_areas(vcpu);
	return true;
}

/* IBPB: what the guest has trained is forgotten, and what the host has, too. */
bool tvx_pred_cmd_write(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if (!vcpu->policy.spec_ctrl || (value & ~(u64)PRED_CMD_IBPB))
		return false;
	if (value)
		tvx_wrmsr(MSR_IA32_PRED_CMD, value);
	return true;
}

bool tvx_arch_capabilities_read(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vmx_caps.arch_capabilities;
	return vcpu->policy.arch_capabilities;
}
