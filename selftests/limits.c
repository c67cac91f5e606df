// SPDX-License-Identifier: GPL-2.0-only
/* As many of everything as there may be, one more, and all of it given back. */
#include <sys/resource.h>

#include "lib.h"

static void nothing(void)
{
}

static void test_vcpus(void)
{
	u32 most = info()->max_vcpus, made = 0, ran = 0;
	struct vcpu **vcpu = calloc(most, sizeof(*vcpu));
	struct vm *vm = vm_create();

	for (u32 i = 0; i < most; i++) {
		vcpu[i] = vcpu_create(vm, i, nothing, 0);
		made += vcpu[i]->fd >= 0;
	}
	is(made, most, "max_vcpus vCPUs");
	err_is(create_vcpu_fd(vm->fd, most), EINVAL, "id max_vcpus");
	err_is(create_vcpu_fd(vm->fd, ~0U), EINVAL, "id 2^32 - 1");
	err_is(create_vcpu_fd(vm->fd, 0), EEXIST, "an id that is taken");
	for (u32 i = 0; i < most; i++) {
		ran += run_until_port(vcpu[i], GUEST_DONE);
		vcpu_destroy(vcpu[i]);
	}
	is(ran, most, "all of them run");
	vm_destroy(vm);
	free(vcpu);
}

/* Until the kernel says no, then all are closed and one works again. */
static void test_vms(void)
{
	static int fd[1024];
	u32 n = 0;
	int err;

	while (n < ARRAY_SIZE(fd)) {
		fd[n] = create_vm_fd();
		if (fd[n] < 0)
			break;
		n++;
	}
	err = errno;
	ok(n == ARRAY_SIZE(fd) || err == EMFILE || err == ENOMEM || err == ENOSPC,
	   "%u VMs, then %s", n, n == ARRAY_SIZE(fd) ? "enough" : strerror(err));
	ok(n > 100, "more than a hundred");
	for (u32 i = 0; i < n; i++)
		close(fd[i]);
	must_done(vcpu_simple(nothing));
	ok(true, "all are closed: a new one runs");
}

/* Many VMs that all run in turn: more VMCSs and VPIDs than CPUs. */
static void test_turns(void)
{
	static struct vcpu *vcpu[40];
	u32 ran = 0;

	for (u32 i = 0; i < ARRAY_SIZE(vcpu); i++)
		vcpu[i] = vcpu_simple(nothing);
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < ARRAY_SIZE(vcpu); i++) {
			vcpu_call(vcpu[i], nothing, 0);
			ran += run_until_port(vcpu[i], GUEST_DONE);
		}
	}
	is(ran, 3 * ARRAY_SIZE(vcpu), "40 VMs run in turn, three times");
	for (u32 i = 0; i < ARRAY_SIZE(vcpu); i++)
		vcpu_simple_destroy(vcpu[i]);
}

int main(void)
{
	struct rlimit limit = { 600, 600 };

	tap_init();
	setrlimit(RLIMIT_NOFILE, &limit);
	test_vcpus();
	test_vms();
	test_turns();
	return tap_exit();
}
