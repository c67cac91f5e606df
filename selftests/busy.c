// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU that runs in another thread is EBUSY for everything but kicks. */
#include "lib.h"

/* At the edge of userspace the vCPU is nobody's for a moment: one call may come through. */
#define ok_busy(call, name) \
	ok(((call) == -1 && errno == EBUSY) || ((call) == -1 && errno == EBUSY), name ": EBUSY")

static void test_calls(struct vcpu *vcpu)
{
	struct tinyvmx_get_vmcs vmcs = { .size = sizeof(vmcs) };
	struct tinyvmx_set_debug debug = { .size = sizeof(debug) };
	struct tinyvmx_set_record record = { .size = sizeof(record) };
	struct tinyvmx_regs regs = { .rflags = 2 };

	vcpu->run->immediate_exit = 1;	/* if it does come through */
	ok_busy(vcpu_run(vcpu), "RUN");
	vcpu->run->immediate_exit = 0;
	ok_busy(get_state(vcpu->fd, TINYVMX_STATE_REGS, &regs, sizeof(regs)), "GET_STATE");
	ok_busy(set_state(vcpu->fd, TINYVMX_STATE_REGS, &regs, sizeof(regs)), "SET_STATE");
	ok_busy(set_cpuid(vcpu->fd, NULL, 0), "SET_CPUID");
	ok_busy(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 32), "INJECT");
	ok_busy(ioctl(vcpu->fd, TINYVMX_GET_VMCS, &vmcs), "GET_VMCS");
	ok_busy(ioctl(vcpu->fd, TINYVMX_SET_DEBUG, &debug), "SET_DEBUG");
	ok_busy(ioctl(vcpu->fd, TINYVMX_SET_RECORD, &record), "SET_RECORD");
}

int main(void)
{
	struct runner *runner;
	struct vcpu *vcpu, *other;

	tap_init();
	vcpu = vcpu_simple(guest_spin);
	runner = runner_start(vcpu);
	ok(wait_alive(vcpu->vm), "the guest spins in another thread");
	test_calls(vcpu);
	ok(wait_alive(vcpu->vm), "it still does");
	other = vcpu_create(vcpu->vm, 1, guest_spin, 0);
	ok(true, "another vCPU of the VM is made meanwhile");
	err_is(create_vcpu_fd(vcpu->vm->fd, 0), EEXIST, "the same id: EEXIST");
	vcpu_destroy(other);
	runner_stop(runner);
	is(runner->ret, -1, "the runner ends ...");
	is(runner->err, EINTR, "... with EINTR");
	vcpu_get_regs(vcpu);
	ok(vcpu->regs.rip >= (uintptr_t)guest_spin, "GET_STATE works again");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
