// SPDX-License-Identifier: GPL-2.0-only
/* A VM belongs to the mm that made it: from any other one, all is EIO. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib.h"

static int dev, vm_fd, vcpu_fd;

static int fails_with(long ret, int want)
{
	if (ret >= 0)
		return 1;
	return errno != want;
}

/* How many calls did not fail with EIO. */
static int try_all(int vm, int vcpu)
{
	struct tinyvmx_get_vmcs vmcs = { .size = sizeof(vmcs) };
	struct tinyvmx_set_debug debug = { .size = sizeof(debug) };
	struct tinyvmx_ioeventfd ioeventfd = { .size = sizeof(ioeventfd), .width = 1 };
	struct tinyvmx_irqfd irqfd = { .size = sizeof(irqfd) };
	struct tinyvmx_set_record record = { .size = sizeof(record) };
	struct tinyvmx_get_use use = { .size = sizeof(use), .len = PAGE };
	struct tinyvmx_get_ept ept = { .size = sizeof(ept) };
	struct tinyvmx_regs regs = { .rflags = 2 };
	int bad = 0;

	bad += fails_with(set_memory(vm, 5, 0, 0x10000, PAGE, (void *)PAGE), EIO);
	bad += fails_with(set_memory(vm, 0, 0, 0, 0, NULL), EIO);
	bad += fails_with(ioctl(vm, TINYVMX_GET_USE, &use), EIO);
	bad += fails_with(ioctl(vm, TINYVMX_GET_EPT, &ept), EIO);
	bad += fails_with(create_vcpu_fd(vm, 1), EIO);
	bad += fails_with(ioctl(vm, TINYVMX_IOEVENTFD, &ioeventfd), EIO);
	bad += fails_with(ioctl(vm, TINYVMX_IRQFD, &irqfd), EIO);
	bad += fails_with(ioctl(vcpu, TINYVMX_RUN, 0), EIO);
	bad += fails_with(get_state(vcpu, TINYVMX_STATE_REGS, &regs,
				    sizeof(regs)), EIO);
	bad += fails_with(set_state(vcpu, TINYVMX_STATE_REGS, &regs,
				    sizeof(regs)), EIO);
	bad += fails_with(set_cpuid(vcpu, NULL, 0), EIO);
	bad += fails_with(inject(vcpu, TINYVMX_INJECT_NMI, 2), EIO);
	bad += fails_with(ioctl(vcpu, TINYVMX_GET_VMCS, &vmcs), EIO);
	bad += fails_with(ioctl(vcpu, TINYVMX_SET_DEBUG, &debug), EIO);
	bad += fails_with(ioctl(vcpu, TINYVMX_SET_RECORD, &record), EIO);
	return bad;
}

static int in_fork(void *arg)
{
	(void)arg;
	return try_all(vm_fd, vcpu_fd);
}

static int in_receiver(void *arg)
{
	int sock = *(int *)arg;
	int vm = recv_fd(sock), vcpu = recv_fd(sock);

	return try_all(vm, vcpu);
}

/* The device itself is anyone's: a VM made there belongs to the child. */
static int makes_its_own(void *arg)
{
	struct tinyvmx_create_vm create = create_vm_arg(0);
	int fd = ioctl(dev, TINYVMX_CREATE_VM, &create);

	(void)arg;
	if (fd < 0)
		return 1;
	return set_memory(fd, 0, 0, 0, PAGE, (void *)PAGE) ? 2 : 0;
}

/* An inherited run page still is memory, and nothing more. */
static int writes_run_page(void *arg)
{
	struct tinyvmx_run *run = arg;

	run->want_intr_window = 5;
	return 0;
}

static void nothing(void)
{
}

/* A process that shares the memory is no other one. */
static void test_vfork(struct vcpu *vcpu)
{
	int status = -1;
	pid_t pid = vfork();

	if (!pid)
		_exit(ioctl(vcpu->fd, TINYVMX_RUN, 0) ? errno : 0);
	must(pid);
	must(waitpid(pid, &status, 0));
	is(WEXITSTATUS(status), 0, "a child of vfork() has the same memory: RUN");
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "it ran the guest");
	vcpu_call(vcpu, nothing, 0);
}

static void test_owner_goes_on(struct vcpu *vcpu)
{
	ok_done(vcpu, "the owner's guest runs all the same");
	is(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2), 0,
	   "no INJECT of theirs is pending");
}

int main(void)
{
	struct vcpu *vcpu;
	int sock[2];
	pid_t pid;

	tap_init();
	dev = dev_open();
	vcpu = vcpu_simple(nothing);
	vm_fd = vcpu->vm->fd;
	vcpu_fd = vcpu->fd;

	is(reap(spawn(in_fork, NULL)), 0, "after fork(): all calls are EIO");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = spawn(in_receiver, &sock[1]);
	send_fd(sock[0], vm_fd);
	send_fd(sock[0], vcpu_fd);
	is(reap(pid), 0, "after fd passing: all calls are EIO");
	is(reap(spawn(makes_its_own, NULL)), 0,
	   "an inherited device makes VMs of one's own");
	is(reap(spawn(writes_run_page, vcpu->run)), 0, "a child has the run page");
	vcpu->run->want_intr_window = 0;
	test_vfork(vcpu);
	test_owner_goes_on(vcpu);
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
