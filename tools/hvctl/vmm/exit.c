// SPDX-License-Identifier: GPL-2.0-only
/* What userspace does about a VM exit: one row an exit. */
#include <errno.h>
#include <string.h>

#include "debugger.h"
#include "emul/mmio.h"
#include "emul/strio.h"
#include "emul/task.h"
#include "exit.h"
#include "halt.h"
#include "lib/lock.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "machine_pc.h"
#include "vmx/names.h"

/* Load the registers; an instruction, or one element of a string, is behind them. */
#define INSTRUCTION_DONE (TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE)

static void end(struct hv_vcpu *vcpu, enum hv_end_kind kind)
{
	hv_machine_end(vcpu->machine, kind, 0, "%s", "");
}

static void fail(struct hv_vcpu *vcpu, const char *what, int error)
{
	hv_machine_end(vcpu->machine, HV_END_ERROR, 0, "%s: %s", what, strerror(-error));
}

/* Let the guest take an exception at the instruction that we could not finish. */
static void inject_fault(struct hv_vcpu *vcpu, const struct hv_fault *fault)
{
	struct tinyvmx_inject inject = {
		.type = TINYVMX_INJECT_EXCEPTION,
		.flags = X86_VECTORS_WITH_CODE >> fault->vector & 1 ? TINYVMX_INJECT_ERROR_CODE : 0,
		.vector = fault->vector,
		.error_code = fault->error_code,
	};
	struct tinyvmx_sregs sregs;
	int error = 0;

	if (fault->vector == X86_VECTOR_PF) {
		error = tvx_get_sregs(vcpu->fd, &sregs);
		sregs.cr2 = fault->cr2;
		if (!error)
			error = tvx_set_sregs(vcpu->fd, &sregs);
	}
	if (!error)
		error = tvx_inject(vcpu->fd, &inject);
	if (error)
		fail(vcpu, "cannot give the guest its exception", error);
}

/* SDM, "Pending Debug Exceptions": B3:B0, and that one of them is enabled. */
#define ENABLED_BREAKPOINT (1ULL << 12)

/* The instruction that is done has met breakpoints: the guest takes them behind it. */
static void meet_breakpoints(struct hv_vcpu *vcpu)
{
	struct tinyvmx_events events;
	int error = tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));

	events.pending_dbg |= vcpu->mmio.guest.dr6 | ENABLED_BREAKPOINT;
	if (!error)
		error = tvx_set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));
	if (error)
		fail(vcpu, "cannot give the guest its breakpoint", error);
}

static void instruction_done(struct hv_vcpu *vcpu)
{
	if (vcpu->mmio.guest.dr6)
		meet_breakpoints(vcpu);
	vcpu->run->request |= INSTRUCTION_DONE;
}

/* What emul/ asks for, and leaves. */
static int get_state(void *ctx, uint32_t type, void *blob, size_t len)
{
	struct hv_vcpu *vcpu = ctx;
	int error = tvx_get_state(vcpu->fd, type, blob, len);

	if (error)
		fail(vcpu, "cannot read the vCPU's state", error);
	return error;
}

static int set_state(void *ctx, uint32_t type, const void *blob, size_t len)
{
	struct hv_vcpu *vcpu = ctx;
	int error = tvx_set_state(vcpu->fd, type, blob, len);

	if (error)
		fail(vcpu, "cannot write the vCPU's state", error);
	return error;
}

/* Where the vCPU sees its local APIC now: run->apic_page. */
static void place_lapic(struct hv_vcpu *vcpu)
{
	struct hv_guest *guest = &vcpu->mmio.guest;

	guest->cpu_bus = vcpu->machine->pc ? &vcpu->machine->pc->cpu_bus : NULL;
	guest->cpu_page = vcpu->run->apic_page;
}

static void prepare(struct hv_vcpu *vcpu)
{
	struct hv_mmio *mmio = &vcpu->mmio;

	place_lapic(vcpu);
	mmio->guest.veil = hv_debugger_veil_of(vcpu->machine);
	mmio->get_state = get_state;
	mmio->set_state = set_state;
	mmio->ctx = vcpu;
	mmio->gpa_bits = vcpu->machine->vm.info.gpa_bits;
	mmio->xsave_bytes = vcpu->machine->vm.info.xsave_bytes;
	mmio->xcr0_mask = vcpu->machine->vm.info.xcr0_mask;
}

/* ---------------------------------------------------------------------- IO */

static void string_io(struct hv_vcpu *vcpu)
{
	prepare(vcpu);
	if (hv_strio_exit(&vcpu->mmio, vcpu->run)) {
		instruction_done(vcpu);
		return;
	}
	inject_fault(vcpu, &vcpu->mmio.guest.fault);
	vcpu->run->request |= TINYVMX_REQ_SET_REGS;
}

static void exit_io(struct hv_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	struct tinyvmx_exit_io *io = &run->io;
	bool write = !(io->flags & TINYVMX_IO_IN);
	uint64_t value = io->data;

	if (io->flags & TINYVMX_IO_STRING) {
		string_io(vcpu);
		return;
	}
	hv_bus_access(&vcpu->machine->bus, HV_PORT, io->port, io->width, write, &value);
	if (!write)
		io->data = value;
}

/* -------------------------------------------------------------------- MMIO */

#define EXIT_EPT_VIOLATION 48
/* Its qualification: the access was to what the linear address stands for, not on the way. */
#define QUALIFICATION_NOT_WALK (1ULL << 8)

static bool lies_in(uint64_t address, uint64_t base, uint64_t limit)
{
	return address - base <= limit;
}

/* Which of its structures, and a verb, the guest's CPU was at when it delivered an event. */
static const char *event_structure(const struct tinyvmx_exit_mmio *exit,
				   const struct tinyvmx_sregs *sregs)
{
	const struct tinyvmx_segment *tss = &sregs->seg[TINYVMX_TR];

	if (lies_in(exit->gla, sregs->idt_base, sregs->idt_limit))
		return "IDT lies";
	if (lies_in(exit->gla, sregs->gdt_base, sregs->gdt_limit))
		return "GDT lies";
	if (lies_in(exit->gla, tss->base, tss->limit))
		return "TSS lies";
	return "stack lies";
}

/* ... at an access that no operand of an instruction has made. */
static const char *structure(struct hv_vcpu *vcpu)
{
	const struct tinyvmx_run *run = vcpu->run;
	struct tinyvmx_sregs sregs;

	if ((run->exit_reason & 0xffff) == EXIT_EPT_VIOLATION &&
	    !(run->exit_qualification & QUALIFICATION_NOT_WALK))
		return "page tables lie";
	if (!(run->mmio.flags & TINYVMX_MMIO_GLA_VALID) || tvx_get_sregs(vcpu->fd, &sregs))
		return "stack, IDT, GDT or TSS lies";
	return event_structure(&run->mmio, &sregs);
}

static bool can_be_emulated(struct hv_vcpu *vcpu, const struct tinyvmx_exit_mmio *exit)
{
	if (exit->flags & TINYVMX_MMIO_FETCH)
		hv_machine_end(
			vcpu->machine, HV_END_UNSUPPORTED, 0,
			"the guest executes where there is no memory: guest-physical 0x%llx, RIP 0x%llx",
			exit->gpa, vcpu->run->rip);
	else if (exit->flags & TINYVMX_MMIO_WALK)
		hv_machine_end(
			vcpu->machine, HV_END_UNSUPPORTED, 0,
			"the guest's %s where there is no memory: guest-physical 0x%llx, RIP 0x%llx",
			structure(vcpu), exit->gpa, vcpu->run->rip);
	else
		return true;
	return false;
}

/* False: what is to be done about it was done, and the guest tries it again if it goes on. */
static bool can_go_on(struct hv_vcpu *vcpu, bool hidden)
{
	const struct tinyvmx_run *run = vcpu->run;

	if (!hidden)
		return !hv_mmio_mark_descriptor(&vcpu->mmio, run) &&
		       can_be_emulated(vcpu, &run->mmio);
	if (run->mmio.flags & TINYVMX_MMIO_WALK)
		hv_debugger_show(vcpu->machine, run->mmio.gpa);
	return !(run->mmio.flags & TINYVMX_MMIO_WALK);
}

static void exit_mmio(struct hv_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	struct hv_mmio *mmio = &vcpu->mmio;
	bool hidden = hv_debugger_hides(vcpu->machine, run->mmio.gpa);

	prepare(vcpu);
	if (!can_go_on(vcpu, hidden))
		return;
	switch (hv_mmio_exit(mmio, run)) {
	case HV_MMIO_FAULT:
		inject_fault(vcpu, &mmio->guest.fault);
		run->request = TINYVMX_REQ_SET_REGS;
		return;
	case HV_MMIO_DONE:
		instruction_done(vcpu);
		return;
	case HV_MMIO_UNSUPPORTED:
		if (hidden) {
			hv_debugger_show(vcpu->machine, run->mmio.gpa);
			return;
		}
		hv_machine_end(vcpu->machine, HV_END_UNSUPPORTED, 0,
			       "%s at guest-physical 0x%llx, RIP 0x%llx", mmio->why, run->mmio.gpa,
			       run->rip);
	}
}

static void exit_memory_fault(struct hv_vcpu *vcpu)
{
	struct tinyvmx_exit_mmio *exit = &vcpu->run->mmio;

	hv_machine_end(vcpu->machine, HV_END_ERROR, 0,
		       "the host cannot give the guest its RAM at 0x%llx: %s%s", exit->gpa,
		       strerror(exit->error), exit->error == EHWPOISON ? "" : "; free some memory");
}

/* ------------------------------------------------------------------ others */

/*
 * The kernel waits where an interrupt can come. Without, the halt is for ever, unless another vCPU
 * wakes this one, or somebody may send an NMI and the kernel has not been told yet.
 */
static void exit_hlt(struct hv_vcpu *vcpu)
{
	if (vcpu->machine->nr_vcpus > 1)
		hv_halt_alone(vcpu);
	else if (!vcpu->run->wait_for_nmi && hv_machine_pc_has_nmi(vcpu))
		vcpu->nmi_may_come = true;
	else
		end(vcpu, HV_END_HALTED);
}

static void exit_shutdown(struct hv_vcpu *vcpu)
{
	if (!hv_machine_pc_shutdown(vcpu))
		end(vcpu, HV_END_TRIPLE_FAULT);
}

static void exit_entry_failed(struct hv_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	uint32_t error = run->entry_failed.instruction_error;

	if (error)
		hv_machine_end(vcpu->machine, HV_END_ENTRY_FAILED, 0, "VM-instruction error %u: %s",
			       error, vmx_instruction_error(error));
	else
		hv_machine_end(vcpu->machine, HV_END_ENTRY_FAILED, 0, "%s, qualification 0x%llx",
			       vmx_exit_name(run->exit_reason), run->exit_qualification);
}

/* PAE paging turned on together with a bit that is ours: load the PDPTEs, as MOV to CR does. */
static int finish_cr(struct hv_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	struct hv_machine *machine = vcpu->machine;
	struct tinyvmx_sregs sregs;
	int error = tvx_get_sregs(vcpu->fd, &sregs);

	if (error)
		return error;
	if (!hv_walk_read_pdptes(&machine->memory, sregs.cr3, machine->vm.info.gpa_bits,
				 sregs.pdpte)) {
		inject_fault(vcpu, &(struct hv_fault){ .vector = X86_VECTOR_GP });
		return 0;
	}
	if (run->cr.cr == 0)
		sregs.cr0 = run->cr.value;
	else
		sregs.cr4 = run->cr.value;
	error = tvx_set_sregs(vcpu->fd, &sregs);
	if (error)
		return error;
	run->regs.rip += run->instruction_len;
	run->request = INSTRUCTION_DONE;
	return 0;
}

static void exit_cr(struct hv_vcpu *vcpu)
{
	int error = finish_cr(vcpu);

	if (error)
		hv_machine_end(vcpu->machine, HV_END_UNSUPPORTED, 0, "MOV to CR%u of 0x%llx: %s",
			       vcpu->run->cr.cr, vcpu->run->cr.value, strerror(-error));
}

static void exit_unknown(struct hv_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;

	hv_machine_end(vcpu->machine, HV_END_UNSUPPORTED, 0,
		       "VM exit %u (%s), qualification 0x%llx, RIP 0x%llx",
		       run->exit_reason & 0xffff, vmx_exit_name(run->exit_reason),
		       run->exit_qualification, run->rip);
}

/* Nothing to do: it came out because it was asked to. */
static void exit_intr(struct hv_vcpu *vcpu)
{
	(void)vcpu;
}

static void exit_eoi(struct hv_vcpu *vcpu)
{
	hv_machine_pc_eoi(vcpu->machine, vcpu->run->eoi.vector);
}

static void exit_ferr(struct hv_vcpu *vcpu)
{
	if (vcpu->machine->pc)
		hv_ferr_assert(&vcpu->machine->pc->board.ferr);
}

/* Whom it concerns has been told if it fails. */
static void exit_task_switch(struct hv_vcpu *vcpu)
{
	prepare(vcpu);
	(void)hv_task_exit(&vcpu->mmio, vcpu->run);
}

static void exit_debug(struct hv_vcpu *vcpu)
{
	int error = hv_debugger_exit(vcpu);

	if (error)
		fail(vcpu, "cannot give the guest its INT3", error);
}

struct exit_row {
	const char *name;
	void (*handle)(struct hv_vcpu *vcpu);
};

static const struct exit_row exit_rows[HV_NR_EXITS] = {
	[TINYVMX_EXIT_UNKNOWN] = { "unknown", exit_unknown },
	[TINYVMX_EXIT_IO] = { "io", exit_io },
	[TINYVMX_EXIT_MMIO] = { "mmio", exit_mmio },
	[TINYVMX_EXIT_HLT] = { "hlt", exit_hlt },
	[TINYVMX_EXIT_SHUTDOWN] = { "shutdown", exit_shutdown },
	[TINYVMX_EXIT_INTR] = { "intr", exit_intr },
	[TINYVMX_EXIT_INTR_WINDOW] = { "intr-window", hv_machine_pc_take_intr },
	[TINYVMX_EXIT_ENTRY_FAILED] = { "entry-failed", exit_entry_failed },
	[TINYVMX_EXIT_MEMORY_FAULT] = { "memory-fault", exit_memory_fault },
	[TINYVMX_EXIT_CR] = { "cr", exit_cr },
	[TINYVMX_EXIT_EOI] = { "eoi", exit_eoi },
	[TINYVMX_EXIT_FERR] = { "ferr", exit_ferr },
	[TINYVMX_EXIT_TASK_SWITCH] = { "task-switch", exit_task_switch },
	[TINYVMX_EXIT_DEBUG] = { "debug", exit_debug },
};

void hv_exit_handle(struct hv_vcpu *vcpu)
{
	uint32_t reason = vcpu->run->reason;

	hv_lock_assert_held(&vcpu->machine->lock);
	exit_rows[reason < HV_NR_EXITS ? reason : TINYVMX_EXIT_UNKNOWN].handle(vcpu);
}

const char *hv_exit_reason_name(uint32_t reason)
{
	return exit_rows[reason < HV_NR_EXITS ? reason : TINYVMX_EXIT_UNKNOWN].name;
}
