/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM exits: the dispatcher, and the handlers that its table names.
 */
#ifndef TVX_EXIT_H
#define TVX_EXIT_H

#include "exit_info.h"
#include "vcpu.h"

/*
 * tvx_exit_dispatch - handle the VM exit that has just happened
 *
 * VMCS current, interrupts disabled, as for every handler.
 */
enum tvx_result tvx_exit_dispatch(struct tvx_vcpu *vcpu);

/* The tracepoint in front of a VM entry. */
void tvx_exit_trace_entry(struct tvx_vcpu *vcpu);

/* Fill the response header of the run page and return TVX_USER. */
enum tvx_result tvx_exit_to_user(struct tvx_vcpu *vcpu, u32 reason);

/* The same with registers. */
enum tvx_result tvx_exit_to_user_regs(struct tvx_vcpu *vcpu, u32 reason);

/* VMLAUNCH or VMRESUME failed without trying to enter. */
enum tvx_result tvx_exit_vmfail(struct tvx_vcpu *vcpu);

/*
 * Copy the registers out of, and into, the vCPU. @regs may be the run page. Set:
 * -EINVAL for reserved RFLAGS bits.
 */
void tvx_regs_get(struct tvx_vcpu *vcpu, struct tinyvmx_regs *regs);
int tvx_regs_set(struct tvx_vcpu *vcpu, const struct tinyvmx_regs *regs);

/*
 * tvx_complete_instruction - an instruction has been executed for the guest
 *
 * Ends blocking by STI and MOV SS and raises the single-step trap, as the CPU
 * would have.
 */
void tvx_complete_instruction(struct tvx_vcpu *vcpu);

/* The exiting instruction is done: go behind it, and complete it. */
void tvx_skip_instruction(struct tvx_vcpu *vcpu);

/* exit_insn.c */
enum tvx_result tvx_exit_cpuid(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_hlt(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_nop(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_ud(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_rdpmc(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_rdmsr(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_wrmsr(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_xsetbv(struct tvx_vcpu *vcpu);

/* exit_cr.c */
enum tvx_result tvx_exit_cr_access(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_dr_access(struct tvx_vcpu *vcpu);

/* exit_io.c */
enum tvx_result tvx_exit_io(struct tvx_vcpu *vcpu);
/* Move run->io.data to RAX, if the last exit was an IN. */
void tvx_io_complete(struct tvx_vcpu *vcpu);

/* Tell userspace of the EOI of a level-triggered interrupt. */
enum tvx_result tvx_exit_eoi(struct tvx_vcpu *vcpu);

/* exit_apic.c */
enum tvx_result tvx_exit_apic_access(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_apic_write(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_eoi_induced(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_tpr_below_threshold(struct tvx_vcpu *vcpu);

/* exit_mem.c */
enum tvx_result tvx_exit_ept_violation(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_ept_misconfig(struct tvx_vcpu *vcpu);
/* Tell userspace of an EPT violation that tvx_memory_fault() answered with @err. */
enum tvx_result tvx_exit_memory_fault(struct tvx_vcpu *vcpu, int err);
/* An access at @gpa is userspace's to finish; @flags: TINYVMX_MMIO_*. */
enum tvx_result tvx_exit_mmio(struct tvx_vcpu *vcpu, u64 gpa, u32 flags);

#endif
