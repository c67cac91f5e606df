// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of single instructions: CPUID, HLT, PAUSE, MSRs, XSETBV and those that a guest
 * does not have.
 */
#include <linux/sched/stat.h>

#include "cpuid.h"
#include "state_cr.h"
#include "event.h"
#include "exit_controls.h"
#include "exit_debug.h"
#include "exit_handlers.h"
#include "msr.h"
#include "vcpu_switch.h"

enum tvx_result tvx_exit_cpuid(struct tvx_vcpu *vcpu)
{
	tvx_cpuid_execute(vcpu);
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_hlt(struct tvx_vcpu *vcpu)
{
	tvx_skip_instruction(vcpu);
	vcpu->activity = TINYVMX_ACTIVITY_HLT;
	/* The loop finds out whether something wakes it at once. */
	vcpu->recheck = true;
	return TVX_RESUME;
}

/* INVD and WBINVD: guest memory is coherent, there is nothing to write back. */
enum tvx_result tvx_exit_nop(struct tvx_vcpu *vcpu)
{
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_ud(struct tvx_vcpu *vcpu)
{
	tvx_event_ud(vcpu);
	return TVX_RESUME;
}

/*
 * The guest spins: whoever it waits for may wait for this CPU (SDM, "PAUSE-loop exiting"). Go on
 * if nobody does.
 */
enum tvx_result tvx_exit_pause(struct tvx_vcpu *vcpu)
{
	tvx_skip_instruction(vcpu);
	if (!single_task_running()) {
		vcpu->yield = true;
		vcpu->recheck = true;
	}
	return TVX_RESUME;
}

/*
 * An access to GDTR, IDTR, LDTR or TR while CR4.UMIP is set, on a CPU without. Outside of ring 0
 * it is SGDT, SIDT, SLDT or STR: of the others #GP comes before the exit. In ring 0 the CPU does
 * it itself: once more, without that exit, but with one behind the instruction, or before the
 * first of what delivers an event instead. A breakpoint on it has been met already, and the exit
 * has cleared RF (SDM, "Saving RIP, RSP, RFLAGS, and SSP").
 */
enum tvx_result tvx_exit_descriptor_table(struct tvx_vcpu *vcpu)
{
	if (tvx_cpl()) {
		tvx_event_gp(vcpu);
		return TVX_RESUME;
	}
	tvx_set_rflags(vcpu, tvx_rflags(vcpu) | X86_EFLAGS_RF);
	vcpu->stepping = true;
	tvx_controls_update(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_monitor_trap(struct tvx_vcpu *vcpu)
{
	vcpu->stepping = false;
	if (vcpu->ignne)
		tvx_x87_stepped(vcpu);
	tvx_controls_update(vcpu);
	return tvx_debugger_steps(vcpu) ? tvx_debug_exit_step(vcpu) : TVX_RESUME;
}

/* The guest has no performance counters: every index is out of range. */
enum tvx_result tvx_exit_rdpmc(struct tvx_vcpu *vcpu)
{
	tvx_event_gp(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_rdmsr(struct tvx_vcpu *vcpu)
{
	unsigned long *gpr = vcpu->world.gpr;
	u64 value;

	if (!tvx_msr_read(vcpu, (u32)gpr[TINYVMX_RCX], &value)) {
		tvx_msr_refused(vcpu, (u32)gpr[TINYVMX_RCX], false);
		tvx_event_gp(vcpu);
		return TVX_RESUME;
	}
	gpr[TINYVMX_RAX] = (u32)value;
	gpr[TINYVMX_RDX] = value >> 32;
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_wrmsr(struct tvx_vcpu *vcpu)
{
	unsigned long *gpr = vcpu->world.gpr;
	u64 value = (u32)gpr[TINYVMX_RAX] | ((u64)gpr[TINYVMX_RDX] << 32);

	if (!tvx_msr_write(vcpu, (u32)gpr[TINYVMX_RCX], value)) {
		tvx_msr_refused(vcpu, (u32)gpr[TINYVMX_RCX], true);
		tvx_event_gp(vcpu);
		return TVX_RESUME;
	}
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_xsetbv(struct tvx_vcpu *vcpu)
{
	unsigned long *gpr = vcpu->world.gpr;
	u64 value = (u32)gpr[TINYVMX_RAX] | ((u64)gpr[TINYVMX_RDX] << 32);

	/* The CPU checks the privilege level first, but not every emulator of one does. */
	if (tvx_cpl() || (u32)gpr[TINYVMX_RCX] || !tvx_xcr0_valid(vcpu, value)) {
		tvx_event_gp(vcpu);
		return TVX_RESUME;
	}
	tvx_vcpu_update_xcr0(vcpu, value);
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}
