// SPDX-License-Identifier: GPL-2.0-only
/* File descriptors closed in every order; what still is open still works. */
#include <signal.h>
#include <sys/mman.h>

#include "lib.h"

static void two_steps(void)
{
	guest_sync(1);
}

static void test_vm_first(void)
{
	struct vcpu *vcpu = vcpu_simple(two_steps);

	close(vcpu->vm->fd);
	ok_sync(vcpu, 1, "the VM fd is closed: the vCPU runs");
	ok_done(vcpu, "to its end");
	vcpu_simple_destroy(vcpu);
}

static void test_dev_first(void)
{
	int dev = dev_open();
	struct tinyvmx_create_vm arg = create_vm_arg(0);
	int vm = must(ioctl(dev, TINYVMX_CREATE_VM, &arg));

	close(dev);
	err_is(set_memory(vm, 0, 0, 0, PAGE, (void *)PAGE), 0,
	       "the device is closed: the VM works");
	close(vm);
}

static void test_vcpu_first(void)
{
	struct vm *vm = vm_create();
	struct vcpu *one = vcpu_create(vm, 0, two_steps, 0);
	struct vcpu *two = vcpu_create(vm, 1, two_steps, 0);

	vcpu_destroy(one);
	ok_sync(two, 1, "one vCPU is closed: the other runs");
	vcpu_destroy(two);
	two = vcpu_create(vm, 2, two_steps, 0);
	ok_sync(two, 1, "both are closed: a third one runs");
	vcpu_destroy(two);
	vm_destroy(vm);
}

static void test_run_page_last(void)
{
	struct vcpu *vcpu = vcpu_simple(two_steps);
	struct tinyvmx_run *run = vcpu->run;

	ok_sync(vcpu, 1, "a vCPU runs");
	close(vcpu->fd);
	close(vcpu->vm->fd);
	is(run->reason, TINYVMX_EXIT_IO, "all fds closed: the run page is there");
	run->request = 1;
	munmap(run, info()->run_bytes);
	ok(true, "and can be unmapped");
}

/* close() of a vCPU that another thread is running. */
static void test_close_while_running(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct runner *runner = runner_start(vcpu);

	ok(wait_alive(vcpu->vm), "a guest spins in another thread");
	close(vcpu->fd);
	close(vcpu->vm->fd);
	ok(wait_alive(vcpu->vm), "its fds are closed: RUN goes on");
	runner_stop(runner);
	is(runner->ret, -1, "and ends by a signal");
	munmap(vcpu->run, info()->run_bytes);
}

/* Memory gone before the VM is. */
static void test_memory_first(void)
{
	struct vcpu *vcpu = vcpu_simple(two_steps);

	ok_sync(vcpu, 1, "a vCPU has run");
	munmap(vcpu->vm->ram, GUEST_RAM_BYTES);
	is(vcpu_run(vcpu), 0, "all its RAM is unmapped: RUN returns");
	is(vcpu->run->reason, TINYVMX_EXIT_MEMORY_FAULT, "with MEMORY_FAULT");
	close(vcpu->fd);
	close(vcpu->vm->fd);
}

static int exits_with_all_open(void *arg)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);

	runner_start(vcpu);
	wait_alive(vcpu->vm);
	return *(int *)arg;
}

int main(void)
{
	int status = 7;

	tap_init();
	test_vm_first();
	test_dev_first();
	test_vcpu_first();
	test_run_page_last();
	test_close_while_running();
	test_memory_first();
	is(reap(spawn(exits_with_all_open, &status)), 7,
	   "a process exits while its guest runs");
	return tap_exit();
}
