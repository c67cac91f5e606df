// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU that runs in another thread is EBUSY for everything but kicks. */
#include "lib.h"

static void test_calls(struct vcpu *vcpu)
{
	struct tinyvmx_get_vmcs vmcs = { .size = sizeof(vmcs) };
	struct tinyvmx_regs regs;

	err_is(vcpu_run(vcpu), EBUSY, "RUN");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_REGS, &regs, sizeof(regs)),
	       EBUSY, "GET_STATE");
	memset(&regs, 0, sizeof(regs));
	regs.rflags = 2;
	err_is(set_state(vcpu->fd, TINYVMX_STATE_REGS, &regs, sizeof(regs)),
	       EBUSY, "SET_STATE");
	err_is(set_cpuid(vcpu->fd, NULL, 0), EBUSY, "SET_CPUID");
	err_is(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 32), EBUSY, "INJECT");
	err_is(ioctl(vcpu->fd, TINYVMX_GET_VMCS, &vmcs), EBUSY, "GET_VMCS");
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
