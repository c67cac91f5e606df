/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handlers of VM exits, by file. VMCS current, interrupts disabled.
 */
#ifndef TVX_EXIT_HANDLERS_H
#define TVX_EXIT_HANDLERS_H

#include "exit_common.h"

/* exit_insn.c */
enum tvx_result tvx_exit_cpuid(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_hlt(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_nop(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_ud(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_pause(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_descriptor_table(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_monitor_trap(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_rdpmc(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_rdmsr(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_wrmsr(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_xsetbv(struct tvx_vcpu *vcpu);

/* exit_vmcall.c */
enum tvx_result tvx_exit_vmcall(struct tvx_vcpu *vcpu);

/* exit_cr.c */
enum tvx_result tvx_exit_cr_access(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_dr_access(struct tvx_vcpu *vcpu);

/* exit_io.c */
enum tvx_result tvx_exit_io(struct tvx_vcpu *vcpu);
/* Move run->io.data to RAX, if the last exit was an IN. */
void tvx_io_complete(struct tvx_vcpu *vcpu);

/* exit_apic.c */
enum tvx_result tvx_exit_apic_access(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_apic_write(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_eoi_induced(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_tpr_below_threshold(struct tvx_vcpu *vcpu);

/* exit_x87.c */
enum tvx_result tvx_exit_x87_error(struct tvx_vcpu *vcpu);
/* An exit behind an instruction, with IGNNE# asserted. */
void tvx_x87_stepped(struct tvx_vcpu *vcpu);
/* The guest's registers are in vcpu->xsave: give them the control word that is the guest's. */
void tvx_x87_unmask(struct tvx_vcpu *vcpu);
/* Assert IGNNE#, if there is an error to ignore. */
void tvx_x87_ignore(struct tvx_vcpu *vcpu);

/* exit_task.c */
enum tvx_result tvx_exit_task_switch(struct tvx_vcpu *vcpu);

/* exit_mem.c */
enum tvx_result tvx_exit_ept_violation(struct tvx_vcpu *vcpu);
enum tvx_result tvx_exit_ept_misconfig(struct tvx_vcpu *vcpu);
/* Tell userspace of an EPT violation that tvx_memory_fault() answered with @err. */
enum tvx_result tvx_exit_memory_fault(struct tvx_vcpu *vcpu, int err);
/* An access at @gpa is userspace's to finish; @flags: TINYVMX_MMIO_*. */
enum tvx_result tvx_exit_mmio(struct tvx_vcpu *vcpu, u64 gpa, u32 flags);

#endif
