// SPDX-License-Identifier: GPL-2.0-only
/* Host side: state accessors and run helpers. */
#include "lib.h"

void vcpu_get_regs(struct vcpu *vcpu)
{
	must(get_state(vcpu->fd, TINYVMX_STATE_REGS, &vcpu->regs,
		       sizeof(vcpu->regs)));
}

void vcpu_set_regs(struct vcpu *vcpu)
{
	must(set_state(vcpu->fd, TINYVMX_STATE_REGS, &vcpu->regs,
		       sizeof(vcpu->regs)));
}

struct tinyvmx_sregs vcpu_sregs(struct vcpu *vcpu)
{
	struct tinyvmx_sregs sregs;

	must(get_state(vcpu->fd, TINYVMX_STATE_SREGS, &sregs, sizeof(sregs)));
	return sregs;
}

void vcpu_set_sregs(struct vcpu *vcpu, const struct tinyvmx_sregs *sregs)
{
	must(set_state(vcpu->fd, TINYVMX_STATE_SREGS, sregs, sizeof(*sregs)));
}

void paging_is(const struct tinyvmx_paging *paging,
	       const struct tinyvmx_sregs *sregs, u32 cpl, const char *what)
{
	const u64 cr0_left_out = 1 << 4 | 1 << 5 | 3 << 29; /* ET, NE, NW, CD */
	const u64 cr4_left_out = 1 << 6 | 1 << 13; /* MCE, VMXE */

	is(paging->cr0, sregs->cr0 & ~cr0_left_out, "%s: CR0", what);
	is(paging->cr3, sregs->cr3, "%s: CR3", what);
	is(paging->cr4, sregs->cr4 & ~cr4_left_out, "%s: CR4", what);
	is(paging->efer, sregs->efer, "%s: EFER", what);
	is(paging->cpl, cpl, "%s: CPL", what);
	is(paging->pad, 0, "%s: padding", what);
}

struct tinyvmx_events vcpu_events(struct vcpu *vcpu)
{
	struct tinyvmx_events events;

	must(get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	return events;
}

u64 vcpu_msr(struct vcpu *vcpu, u32 index)
{
	struct tinyvmx_msr msr = { .index = index };

	must(get_state(vcpu->fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr)));
	return msr.value;
}

void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	struct tinyvmx_msr msr = { .index = index, .value = value };

	must(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr)));
}

u64 vcpu_enable_xsave(struct vcpu *vcpu, u64 xcr0)
{
	u64 len = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	struct tinyvmx_sregs sregs = vcpu_sregs(vcpu);
	struct tinyvmx_xsave *xsave = calloc(1, len);

	xcr0 &= info()->xcr0_mask;
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, xsave, len));
	xsave->xcr0 = xcr0;
	must(set_state(vcpu->fd, TINYVMX_STATE_XSAVE, xsave, len));
	free(xsave);
	sregs.cr4 |= 1UL << 18;
	vcpu_set_sregs(vcpu, &sregs);
	return xcr0;
}

int vcpu_run(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, TINYVMX_RUN, 0);
}

const char *exit_name(u32 reason)
{
	static const char * const name[] = {
		"UNKNOWN", "IO", "MMIO", "HLT", "SHUTDOWN", "INTR",
		"INTR_WINDOW", "ENTRY_FAILED", "MEMORY_FAULT", "CR", "EOI", "FERR",
		"TASK_SWITCH", "DEBUG",
	};

	return reason < ARRAY_SIZE(name) ? name[reason] : "?";
}

static void explain(struct vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	volatile struct guest_trap *trap = &G(vcpu->vm, guest_trap);
	volatile struct guest_failure *fail = &G(vcpu->vm, guest_failure);

	diag("exit %s: reason %#x qualification %#llx rip %#llx intr_info %#x",
	     exit_name(run->reason), run->exit_reason, run->exit_qualification,
	     run->rip, run->intr_info);
	if (run->reason == TINYVMX_EXIT_MMIO ||
	    run->reason == TINYVMX_EXIT_MEMORY_FAULT)
		diag("gpa %#llx gla %#llx flags %#x error %u", run->mmio.gpa,
		     run->mmio.gla, run->mmio.flags, run->mmio.error);
	if (run->reason == TINYVMX_EXIT_ENTRY_FAILED)
		diag("instruction error %u", run->entry_failed.instruction_error);
	if (run->reason != TINYVMX_EXIT_IO)
		return;
	diag("port %#x width %u flags %#x data %#x", run->io.port, run->io.width,
	     run->io.flags, run->io.data);
	if (run->io.data == GUEST_FAIL)
		diag("guest, line %lu: got %#lx, want %#lx", fail->line,
		     fail->got, fail->want);
	if (run->io.data == GUEST_TRAP)
		diag("guest exception %lu error %#lx rip %#lx cr2 %#lx rsp %#lx",
		     trap->vector, trap->error, trap->rip, trap->cr2, trap->rsp);
}

static int run_quietly(struct vcpu *vcpu)
{
	int ret;

	do {
		ret = vcpu_run(vcpu);
	} while (ret && errno == EINTR && !vcpu->run->immediate_exit);
	return ret;
}

bool run_until(struct vcpu *vcpu, u32 reason)
{
	if (run_quietly(vcpu)) {
		diag("RUN: %s", strerror(errno));
		return false;
	}
	if (vcpu->run->reason == reason)
		return true;
	explain(vcpu);
	return false;
}

bool run_until_port(struct vcpu *vcpu, u32 value)
{
	struct tinyvmx_exit_io *io = &vcpu->run->io;

	if (!run_until(vcpu, TINYVMX_EXIT_IO))
		return false;
	if (io->port == GUEST_PORT && io->width == 4 && io->data == value &&
	    !(io->flags & TINYVMX_IO_IN))
		return true;
	explain(vcpu);
	return false;
}

void must_done(struct vcpu *vcpu)
{
	if (!run_until_port(vcpu, GUEST_DONE))
		bail("the guest did not get to its end");
}
