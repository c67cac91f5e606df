// SPDX-License-Identifier: GPL-2.0-only
/* Pin every size, offset and number of the ABI: none may ever change. */
#include "lib.h"

struct pin {
	const char *what;
	unsigned long got;
	unsigned long want;
};

/* @want, where the compiler agrees; a negative array size where it does not. */
#define PIN(got, want) \
	((want) + 0 * sizeof(char[(unsigned long)(got) == (want) ? 1 : -1]))
#define NUMBER(name, value) \
	{ #name, (unsigned long)(name), PIN(name, value) }
#define SIZE(type, bytes)	\
	{ "sizeof " #type, sizeof(struct type), PIN(sizeof(struct type), bytes) }
#define FIELD(type, field, where)					\
	{ #type "." #field, offsetof(struct type, field),		\
	  PIN(offsetof(struct type, field), where) }

static const struct pin numbers[] = {
	NUMBER(TINYVMX_ABI_VERSION, 1),
	NUMBER(TINYVMX_IOC, 0xBE),
	NUMBER(TINYVMX_GET_INFO, 0xBE00), NUMBER(TINYVMX_CREATE_VM, 0xBE01),
	NUMBER(TINYVMX_SET_MEMORY, 0xBE10), NUMBER(TINYVMX_CREATE_VCPU, 0xBE11),
	NUMBER(TINYVMX_MSI, 0xBE12), NUMBER(TINYVMX_IOEVENTFD, 0xBE13),
	NUMBER(TINYVMX_IRQFD, 0xBE14), NUMBER(TINYVMX_GET_USE, 0xBE15),
	NUMBER(TINYVMX_GET_EPT, 0xBE16), NUMBER(TINYVMX_EPT_LEVELS, 4),
	NUMBER(TINYVMX_USE_FORGET, 1), NUMBER(TINYVMX_MAX_USE_BYTES, 0x40000000),
	NUMBER(TINYVMX_RUN, 0xBE20),
	NUMBER(TINYVMX_GET_STATE, 0xBE21), NUMBER(TINYVMX_SET_STATE, 0xBE22),
	NUMBER(TINYVMX_SET_CPUID, 0xBE23), NUMBER(TINYVMX_INJECT, 0xBE24),
	NUMBER(TINYVMX_GET_VMCS, 0xBE25), NUMBER(TINYVMX_SET_DEBUG, 0xBE26),
	NUMBER(TINYVMX_LAB, 0xBE27),
	NUMBER(TINYVMX_SET_RECORD, 0xBE28), NUMBER(TINYVMX_RECORD_OFFSET, 0x100000),
	NUMBER(TINYVMX_MIN_RECORDS, 64), NUMBER(TINYVMX_MAX_RECORDS, 4096),
	NUMBER(TINYVMX_HANDLED_OUTSIDE, 1), NUMBER(TINYVMX_HANDLED_WAITED, 2),
	NUMBER(TINYVMX_HANDLED_USER, 4), NUMBER(TINYVMX_HANDLED_NO_ENTRY, 8),

	NUMBER(TINYVMX_CAP_VPID, 0x1), NUMBER(TINYVMX_CAP_EPT_2M, 0x2),
	NUMBER(TINYVMX_CAP_EPT_1G, 0x4), NUMBER(TINYVMX_CAP_EPT_AD, 0x8),
	NUMBER(TINYVMX_CAP_PREEMPTION_TIMER, 0x10),
	NUMBER(TINYVMX_CAP_TPR_SHADOW, 0x20), NUMBER(TINYVMX_CAP_APICV, 0x40),
	NUMBER(TINYVMX_CAP_POSTED_INTERRUPTS, 0x80),
	NUMBER(TINYVMX_CAP_XSAVE, 0x100), NUMBER(TINYVMX_CAP_RDTSCP, 0x200),
	NUMBER(TINYVMX_CAP_INVPCID, 0x400),
	NUMBER(TINYVMX_CAP_SPEC_CTRL, 0x800),
	NUMBER(TINYVMX_VMX_MSR_BASE, 0x480), NUMBER(TINYVMX_VMX_MSR_COUNT, 20),
	NUMBER(TINYVMX_MEMORY_READONLY, 1), NUMBER(TINYVMX_MEMORY_EXECUTE_ONLY, 2),
	NUMBER(TINYVMX_VM_LAPIC, 1),
	NUMBER(TINYVMX_VM_KVM, 2), NUMBER(TINYVMX_VM_FERR, 4), NUMBER(TINYVMX_CAP_FERR, 0x8000),
	NUMBER(TINYVMX_CAP_LAB, 0x20000), NUMBER(TINYVMX_CAP_EXECUTE_ONLY, 0x40000),
	NUMBER(TINYVMX_LAB_ENTERED, 0), NUMBER(TINYVMX_LAB_REFUSED, 1),
	NUMBER(TINYVMX_LAB_CHECKED, 2), NUMBER(TINYVMX_LAB_UNSAFE, 3),
	NUMBER(TINYVMX_IOEVENTFD_DATAMATCH, 1), NUMBER(TINYVMX_IOEVENTFD_DEASSIGN, 2),
	NUMBER(TINYVMX_IRQFD_DEASSIGN, 1),

	NUMBER(TINYVMX_RAX, 0), NUMBER(TINYVMX_RCX, 1), NUMBER(TINYVMX_RDX, 2),
	NUMBER(TINYVMX_RBX, 3), NUMBER(TINYVMX_RSP, 4), NUMBER(TINYVMX_RBP, 5),
	NUMBER(TINYVMX_RSI, 6), NUMBER(TINYVMX_RDI, 7), NUMBER(TINYVMX_R8, 8),
	NUMBER(TINYVMX_R9, 9), NUMBER(TINYVMX_R10, 10), NUMBER(TINYVMX_R11, 11),
	NUMBER(TINYVMX_R12, 12), NUMBER(TINYVMX_R13, 13),
	NUMBER(TINYVMX_R14, 14), NUMBER(TINYVMX_R15, 15),
	NUMBER(TINYVMX_NR_GPR, 16),
	NUMBER(TINYVMX_AR_TYPE_MASK, 0xf), NUMBER(TINYVMX_AR_S, 0x10),
	NUMBER(TINYVMX_AR_DPL_SHIFT, 5), NUMBER(TINYVMX_AR_P, 0x80),
	NUMBER(TINYVMX_AR_L, 0x2000), NUMBER(TINYVMX_AR_DB, 0x4000),
	NUMBER(TINYVMX_AR_G, 0x8000), NUMBER(TINYVMX_AR_UNUSABLE, 0x10000),
	NUMBER(TINYVMX_ES, 0), NUMBER(TINYVMX_CS, 1), NUMBER(TINYVMX_SS, 2),
	NUMBER(TINYVMX_DS, 3), NUMBER(TINYVMX_FS, 4), NUMBER(TINYVMX_GS, 5),
	NUMBER(TINYVMX_LDTR, 6), NUMBER(TINYVMX_TR, 7),
	NUMBER(TINYVMX_NR_SEG, 8),

	NUMBER(TINYVMX_ACTIVITY_ACTIVE, 0), NUMBER(TINYVMX_ACTIVITY_HLT, 1),
	NUMBER(TINYVMX_ACTIVITY_SHUTDOWN, 2),
	NUMBER(TINYVMX_BLOCKING_BY_STI, 1), NUMBER(TINYVMX_BLOCKING_BY_MOV_SS, 2),
	NUMBER(TINYVMX_BLOCKING_BY_NMI, 8),
	NUMBER(TINYVMX_PENDING_NMI, 1), NUMBER(TINYVMX_PENDING_EXTINT, 2),
	NUMBER(TINYVMX_PENDING_EVENT, 4), NUMBER(TINYVMX_PENDING_IGNNE, 8),
	NUMBER(TINYVMX_STATE_REGS, 1), NUMBER(TINYVMX_STATE_SREGS, 2),
	NUMBER(TINYVMX_STATE_MSRS, 3), NUMBER(TINYVMX_STATE_XSAVE, 4),
	NUMBER(TINYVMX_STATE_EVENTS, 5), NUMBER(TINYVMX_STATE_DEBUG, 6),
	NUMBER(TINYVMX_STATE_LAPIC, 7), NUMBER(TINYVMX_STATE_EXITS, 8),
	NUMBER(TINYVMX_STATE_TSC, 9),
	NUMBER(TINYVMX_NR_EXIT_COUNTS, 256), NUMBER(TINYVMX_SHORTCUT_BYTES, 256),
	NUMBER(TINYVMX_CPUID_INDEXED, 1),
	NUMBER(TINYVMX_INJECT_EXTINT, 0), NUMBER(TINYVMX_INJECT_NMI, 2),
	NUMBER(TINYVMX_INJECT_EXCEPTION, 3), NUMBER(TINYVMX_INJECT_ERROR_CODE, 1),

	NUMBER(TINYVMX_EXIT_UNKNOWN, 0), NUMBER(TINYVMX_EXIT_IO, 1),
	NUMBER(TINYVMX_EXIT_MMIO, 2), NUMBER(TINYVMX_EXIT_HLT, 3),
	NUMBER(TINYVMX_EXIT_SHUTDOWN, 4), NUMBER(TINYVMX_EXIT_INTR, 5),
	NUMBER(TINYVMX_EXIT_INTR_WINDOW, 6), NUMBER(TINYVMX_EXIT_ENTRY_FAILED, 7),
	NUMBER(TINYVMX_EXIT_MEMORY_FAULT, 8), NUMBER(TINYVMX_EXIT_CR, 9),
	NUMBER(TINYVMX_EXIT_EOI, 10), NUMBER(TINYVMX_EXIT_FERR, 11),
	NUMBER(TINYVMX_EXIT_TASK_SWITCH, 12), NUMBER(TINYVMX_EXIT_DEBUG, 13),
	NUMBER(TINYVMX_CAP_DEBUG_STEP, 0x10000),
	NUMBER(TINYVMX_DEBUG_INT3, 1), NUMBER(TINYVMX_DEBUG_STEP, 2),
	NUMBER(TINYVMX_DEBUG_BREAKPOINTS, 4), NUMBER(TINYVMX_DEBUG_NO_INTERRUPTS, 8),
	NUMBER(TINYVMX_TASK_SWITCH_CALL, 0), NUMBER(TINYVMX_TASK_SWITCH_IRET, 1),
	NUMBER(TINYVMX_TASK_SWITCH_JMP, 2), NUMBER(TINYVMX_TASK_SWITCH_GATE, 3),
	NUMBER(TINYVMX_RUN_REGS, 1), NUMBER(TINYVMX_RUN_INTR_READY, 2),
	NUMBER(TINYVMX_REQ_SET_REGS, 1), NUMBER(TINYVMX_REQ_COMPLETE, 2),
	NUMBER(TINYVMX_REQ_IGNNE, 4),
	NUMBER(TINYVMX_IO_IN, 1), NUMBER(TINYVMX_IO_STRING, 2),
	NUMBER(TINYVMX_IO_REP, 4), NUMBER(TINYVMX_IO_BREAKPOINTS, 8),
	NUMBER(TINYVMX_MMIO_READ, 1), NUMBER(TINYVMX_MMIO_WRITE, 2),
	NUMBER(TINYVMX_MMIO_FETCH, 4), NUMBER(TINYVMX_MMIO_GLA_VALID, 8),
	NUMBER(TINYVMX_MMIO_WALK, 16), NUMBER(TINYVMX_MMIO_BREAKPOINTS, 32),
};

static const struct pin sizes[] = {
	SIZE(tinyvmx_info, 264), SIZE(tinyvmx_create_vm, 16),
	SIZE(tinyvmx_memory, 40), SIZE(tinyvmx_get_use, 40), SIZE(tinyvmx_get_ept, 56),
	SIZE(tinyvmx_create_vcpu, 16),
	SIZE(tinyvmx_regs, 144), SIZE(tinyvmx_segment, 24),
	SIZE(tinyvmx_sregs, 296), SIZE(tinyvmx_msr, 16),
	SIZE(tinyvmx_xsave, 64), SIZE(tinyvmx_events, 40),
	SIZE(tinyvmx_debug, 48), SIZE(tinyvmx_state, 32),
	SIZE(tinyvmx_cpuid, 32), SIZE(tinyvmx_set_cpuid, 24),
	SIZE(tinyvmx_inject, 24), SIZE(tinyvmx_vmcs_field, 16),
	SIZE(tinyvmx_get_vmcs, 24), SIZE(tinyvmx_lab, 56), SIZE(tinyvmx_exit_io, 64),
	SIZE(tinyvmx_set_record, 16), SIZE(tinyvmx_record, 64),
	SIZE(tinyvmx_exit_mmio, 80), SIZE(tinyvmx_paging, 40), SIZE(tinyvmx_exit_entry_failed, 8),
	SIZE(tinyvmx_set_debug, 48), SIZE(tinyvmx_exit_debug, 24),
	SIZE(tinyvmx_exit_cr, 16), SIZE(tinyvmx_exit_eoi, 8), SIZE(tinyvmx_exit_task_switch, 16),
	SIZE(tinyvmx_msi, 24), SIZE(tinyvmx_ioeventfd, 24), SIZE(tinyvmx_irqfd, 24),
	SIZE(tinyvmx_lapic, 288), SIZE(tinyvmx_exits, 2048), SIZE(tinyvmx_tsc, 16),
	SIZE(tinyvmx_shortcut, 272),
	SIZE(tinyvmx_run, 912),
};

static const struct pin control_fields[] = {
	FIELD(tinyvmx_info, size, 0), FIELD(tinyvmx_info, flags, 4),
	FIELD(tinyvmx_info, abi_version, 8),
	FIELD(tinyvmx_info, vmcs_revision, 12),
	FIELD(tinyvmx_info, capabilities, 16), FIELD(tinyvmx_info, max_vcpus, 24),
	FIELD(tinyvmx_info, max_slots, 28),
	FIELD(tinyvmx_info, max_cpuid_entries, 32),
	FIELD(tinyvmx_info, max_msr_entries, 36),
	FIELD(tinyvmx_info, run_bytes, 40), FIELD(tinyvmx_info, gpa_bits, 44),
	FIELD(tinyvmx_info, xsave_bytes, 48), FIELD(tinyvmx_info, tsc_khz, 52),
	FIELD(tinyvmx_info, xcr0_mask, 56), FIELD(tinyvmx_info, cr0_mask, 64),
	FIELD(tinyvmx_info, cr4_mask, 72), FIELD(tinyvmx_info, efer_mask, 80),
	FIELD(tinyvmx_info, vmx_msr_valid, 88), FIELD(tinyvmx_info, max_eventfds, 92),
	FIELD(tinyvmx_info, feature_control, 96),
	FIELD(tinyvmx_info, vmx_msrs, 104),
	FIELD(tinyvmx_set_cpuid, size, 0), FIELD(tinyvmx_set_cpuid, flags, 4),
	FIELD(tinyvmx_set_cpuid, count, 8), FIELD(tinyvmx_set_cpuid, pad, 12),
	FIELD(tinyvmx_set_cpuid, entries, 16),
	FIELD(tinyvmx_inject, size, 0), FIELD(tinyvmx_inject, flags, 4),
	FIELD(tinyvmx_inject, type, 8), FIELD(tinyvmx_inject, vector, 12),
	FIELD(tinyvmx_inject, error_code, 16), FIELD(tinyvmx_inject, pad, 20),
	FIELD(tinyvmx_get_vmcs, size, 0), FIELD(tinyvmx_get_vmcs, flags, 4),
	FIELD(tinyvmx_get_vmcs, count, 8), FIELD(tinyvmx_get_vmcs, pad, 12),
	FIELD(tinyvmx_get_vmcs, fields, 16),
	FIELD(tinyvmx_set_debug, dr, 8), FIELD(tinyvmx_set_debug, dr7, 40),
	FIELD(tinyvmx_exit_debug, cause, 0), FIELD(tinyvmx_exit_debug, dr6, 8),
	FIELD(tinyvmx_exit_debug, address, 16),
	FIELD(tinyvmx_lab, size, 0), FIELD(tinyvmx_lab, flags, 4), FIELD(tinyvmx_lab, count, 8),
	FIELD(tinyvmx_lab, dump_count, 12), FIELD(tinyvmx_lab, fields, 16),
	FIELD(tinyvmx_lab, dump, 24), FIELD(tinyvmx_lab, verdict, 32),
	FIELD(tinyvmx_lab, field, 36), FIELD(tinyvmx_lab, instruction_error, 40),
	FIELD(tinyvmx_lab, exit_reason, 44), FIELD(tinyvmx_lab, exit_qualification, 48),
	FIELD(tinyvmx_set_record, size, 0), FIELD(tinyvmx_set_record, flags, 4),
	FIELD(tinyvmx_set_record, records, 8), FIELD(tinyvmx_set_record, pad, 12),
	FIELD(tinyvmx_record, sequence, 0), FIELD(tinyvmx_record, entered, 8),
	FIELD(tinyvmx_record, exited, 16), FIELD(tinyvmx_record, rip, 24),
	FIELD(tinyvmx_record, qualification, 32), FIELD(tinyvmx_record, detail, 40),
	FIELD(tinyvmx_record, reason, 48), FIELD(tinyvmx_record, injected, 52),
	FIELD(tinyvmx_record, handled, 56), FIELD(tinyvmx_record, user_ticks, 60),
	FIELD(tinyvmx_vmcs_field, encoding, 0), FIELD(tinyvmx_vmcs_field, pad, 4),
	FIELD(tinyvmx_vmcs_field, value, 8),
	FIELD(tinyvmx_create_vm, size, 0), FIELD(tinyvmx_create_vm, flags, 4),
	FIELD(tinyvmx_create_vm, kvm_fd, 8), FIELD(tinyvmx_create_vm, pad, 12),
	FIELD(tinyvmx_msi, size, 0), FIELD(tinyvmx_msi, flags, 4),
	FIELD(tinyvmx_msi, address, 8), FIELD(tinyvmx_msi, data, 16),
	FIELD(tinyvmx_msi, pad, 20),
	FIELD(tinyvmx_ioeventfd, size, 0), FIELD(tinyvmx_ioeventfd, flags, 4),
	FIELD(tinyvmx_ioeventfd, fd, 8), FIELD(tinyvmx_ioeventfd, port, 12),
	FIELD(tinyvmx_ioeventfd, width, 14), FIELD(tinyvmx_ioeventfd, data, 16),
	FIELD(tinyvmx_ioeventfd, pad, 20),
	FIELD(tinyvmx_irqfd, size, 0), FIELD(tinyvmx_irqfd, flags, 4),
	FIELD(tinyvmx_irqfd, fd, 8), FIELD(tinyvmx_irqfd, data, 12),
	FIELD(tinyvmx_irqfd, address, 16),
	FIELD(tinyvmx_create_vcpu, size, 0), FIELD(tinyvmx_create_vcpu, flags, 4),
	FIELD(tinyvmx_create_vcpu, id, 8), FIELD(tinyvmx_create_vcpu, pad, 12),
	FIELD(tinyvmx_memory, size, 0), FIELD(tinyvmx_memory, flags, 4),
	FIELD(tinyvmx_memory, slot, 8), FIELD(tinyvmx_memory, pad, 12),
	FIELD(tinyvmx_memory, gpa, 16), FIELD(tinyvmx_memory, len, 24),
	FIELD(tinyvmx_memory, hva, 32),
	FIELD(tinyvmx_get_use, size, 0), FIELD(tinyvmx_get_use, flags, 4),
	FIELD(tinyvmx_get_use, gpa, 8), FIELD(tinyvmx_get_use, len, 16),
	FIELD(tinyvmx_get_use, used, 24), FIELD(tinyvmx_get_use, written, 32),
	FIELD(tinyvmx_get_ept, size, 0), FIELD(tinyvmx_get_ept, flags, 4),
	FIELD(tinyvmx_get_ept, gpa, 8), FIELD(tinyvmx_get_ept, count, 16),
	FIELD(tinyvmx_get_ept, pad, 20), FIELD(tinyvmx_get_ept, entries, 24),
	FIELD(tinyvmx_state, size, 0), FIELD(tinyvmx_state, flags, 4),
	FIELD(tinyvmx_state, type, 8), FIELD(tinyvmx_state, version, 12),
	FIELD(tinyvmx_state, data, 16), FIELD(tinyvmx_state, len, 24),
};

static const struct pin state_fields[] = {
	FIELD(tinyvmx_regs, gpr, 0), FIELD(tinyvmx_regs, rip, 128),
	FIELD(tinyvmx_regs, rflags, 136),
	FIELD(tinyvmx_segment, base, 0), FIELD(tinyvmx_segment, limit, 8),
	FIELD(tinyvmx_segment, ar, 12), FIELD(tinyvmx_segment, selector, 16),
	FIELD(tinyvmx_segment, pad, 18),
	FIELD(tinyvmx_sregs, seg, 0), FIELD(tinyvmx_sregs, gdt_base, 192),
	FIELD(tinyvmx_sregs, idt_base, 200), FIELD(tinyvmx_sregs, gdt_limit, 208),
	FIELD(tinyvmx_sregs, idt_limit, 212), FIELD(tinyvmx_sregs, cr0, 216),
	FIELD(tinyvmx_sregs, cr2, 224), FIELD(tinyvmx_sregs, cr3, 232),
	FIELD(tinyvmx_sregs, cr4, 240), FIELD(tinyvmx_sregs, cr8, 248),
	FIELD(tinyvmx_sregs, efer, 256), FIELD(tinyvmx_sregs, pdpte, 264),
	FIELD(tinyvmx_msr, index, 0), FIELD(tinyvmx_msr, pad, 4),
	FIELD(tinyvmx_msr, value, 8),
	FIELD(tinyvmx_xsave, xcr0, 0), FIELD(tinyvmx_xsave, pad, 8),
	FIELD(tinyvmx_xsave, image, 64),
	FIELD(tinyvmx_events, pending, 0),
	FIELD(tinyvmx_events, interruptibility, 4),
	FIELD(tinyvmx_events, activity, 8),
	FIELD(tinyvmx_events, extint_vector, 12),
	FIELD(tinyvmx_events, event_info, 16),
	FIELD(tinyvmx_events, event_error_code, 20),
	FIELD(tinyvmx_events, event_instruction_len, 24),
	FIELD(tinyvmx_events, pad, 28), FIELD(tinyvmx_events, pending_dbg, 32),
	FIELD(tinyvmx_lapic, base, 0), FIELD(tinyvmx_lapic, deadline, 8),
	FIELD(tinyvmx_lapic, timer_left, 16), FIELD(tinyvmx_lapic, pad, 24),
	FIELD(tinyvmx_lapic, regs, 32),
	FIELD(tinyvmx_exits, count, 0),
	FIELD(tinyvmx_tsc, guest, 0), FIELD(tinyvmx_tsc, host, 8),
	FIELD(tinyvmx_shortcut, out_port, 0), FIELD(tinyvmx_shortcut, in_port, 2),
	FIELD(tinyvmx_shortcut, in_value, 4), FIELD(tinyvmx_shortcut, pad, 5),
	FIELD(tinyvmx_shortcut, queued, 8), FIELD(tinyvmx_shortcut, pad2, 12),
	FIELD(tinyvmx_shortcut, queue, 16), FIELD(tinyvmx_run, shortcut, 640),
	FIELD(tinyvmx_debug, dr, 0), FIELD(tinyvmx_debug, dr6, 32),
	FIELD(tinyvmx_debug, dr7, 40),
	FIELD(tinyvmx_cpuid, function, 0), FIELD(tinyvmx_cpuid, index, 4),
	FIELD(tinyvmx_cpuid, flags, 8), FIELD(tinyvmx_cpuid, eax, 12),
	FIELD(tinyvmx_cpuid, ebx, 16), FIELD(tinyvmx_cpuid, ecx, 20),
	FIELD(tinyvmx_cpuid, edx, 24), FIELD(tinyvmx_cpuid, pad, 28),
};

static const struct pin run_fields[] = {
	FIELD(tinyvmx_exit_io, port, 0), FIELD(tinyvmx_exit_io, width, 2),
	FIELD(tinyvmx_exit_io, flags, 4), FIELD(tinyvmx_exit_io, data, 8),
	FIELD(tinyvmx_exit_io, address_size, 12), FIELD(tinyvmx_exit_io, gla, 16),
	FIELD(tinyvmx_exit_io, paging, 24),
	FIELD(tinyvmx_exit_mmio, gpa, 0), FIELD(tinyvmx_exit_mmio, gla, 8),
	FIELD(tinyvmx_exit_mmio, flags, 16), FIELD(tinyvmx_exit_mmio, error, 20),
	FIELD(tinyvmx_exit_mmio, paging, 24), FIELD(tinyvmx_exit_mmio, cs_base, 64),
	FIELD(tinyvmx_exit_mmio, cs_ar, 72), FIELD(tinyvmx_exit_mmio, pad, 76),
	FIELD(tinyvmx_paging, cr0, 0), FIELD(tinyvmx_paging, cr3, 8),
	FIELD(tinyvmx_paging, cr4, 16), FIELD(tinyvmx_paging, efer, 24),
	FIELD(tinyvmx_paging, cpl, 32), FIELD(tinyvmx_paging, pad, 36),
	FIELD(tinyvmx_exit_entry_failed, instruction_error, 0),
	FIELD(tinyvmx_exit_entry_failed, pad, 4),
	FIELD(tinyvmx_exit_cr, cr, 0), FIELD(tinyvmx_exit_cr, pad, 4),
	FIELD(tinyvmx_exit_cr, value, 8),
	FIELD(tinyvmx_exit_eoi, vector, 0), FIELD(tinyvmx_exit_eoi, pad, 4),
	FIELD(tinyvmx_exit_task_switch, selector, 0), FIELD(tinyvmx_exit_task_switch, source, 2),
	FIELD(tinyvmx_exit_task_switch, event_info, 4),
	FIELD(tinyvmx_exit_task_switch, event_error_code, 8),
	FIELD(tinyvmx_exit_task_switch, pad, 12),
	FIELD(tinyvmx_run, immediate_exit, 0),
	FIELD(tinyvmx_run, want_intr_window, 4), FIELD(tinyvmx_run, request, 8),
	FIELD(tinyvmx_run, wait_for_nmi, 12),
	FIELD(tinyvmx_run, wait_for_peers, 16), FIELD(tinyvmx_run, pad, 20),
	FIELD(tinyvmx_run, reason, 64),
	FIELD(tinyvmx_run, flags, 68), FIELD(tinyvmx_run, exit_reason, 72),
	FIELD(tinyvmx_run, instruction_len, 76),
	FIELD(tinyvmx_run, exit_qualification, 80), FIELD(tinyvmx_run, rip, 88),
	FIELD(tinyvmx_run, exits, 96), FIELD(tinyvmx_run, intr_info, 104),
	FIELD(tinyvmx_run, intr_error_code, 108), FIELD(tinyvmx_run, unknown_msrs, 112),
	FIELD(tinyvmx_run, apic_page, 120),
	FIELD(tinyvmx_run, regs, 128), FIELD(tinyvmx_run, pad3, 272),
	FIELD(tinyvmx_run, io, 384), FIELD(tinyvmx_run, mmio, 384),
	FIELD(tinyvmx_run, entry_failed, 384), FIELD(tinyvmx_run, cr, 384),
	FIELD(tinyvmx_run, eoi, 384), FIELD(tinyvmx_run, task_switch, 384),
	FIELD(tinyvmx_run, payload, 384),
};

static void check(const char *name, const struct pin *pin, size_t count)
{
	size_t moved = 0;

	for (size_t i = 0; i < count; i++) {
		if (pin[i].got == pin[i].want)
			continue;
		moved++;
		diag("%s: got %#lx, want %#lx", pin[i].what, pin[i].got,
		     pin[i].want);
	}
	is(moved, 0, "%zu %s are where they were", count, name);
}

int main(void)
{
	tap_init();
	check("numbers", numbers, ARRAY_SIZE(numbers));
	check("sizes", sizes, ARRAY_SIZE(sizes));
	check("fields of ioctl arguments", control_fields,
	      ARRAY_SIZE(control_fields));
	check("fields of state blobs", state_fields, ARRAY_SIZE(state_fields));
	check("fields of the run page", run_fields, ARRAY_SIZE(run_fields));
	ok(!strcmp(TINYVMX_DEVICE, "/dev/tinyvmx"), "the device's name");
	return tap_exit();
}
