// SPDX-License-Identifier: GPL-2.0-only
/* As many of everything as there may be, one more, and all of it given back. */
#include <sys/mman.h>
#include <sys/resource.h>

#include "cgroup.h"

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

/* -------------------------------------------------------- whose memory */

#define VMS	100

struct use {
	long charged_kib;	/* to the group that makes VMs */
	long taken_kib;		/* from the machine */
};

static void start_use(struct use *use)
{
	use->charged_kib = -cgroup_read("memory.current") / 1024;
	use->taken_kib = host_use().free_pages * 4;
}

static void end_use(struct use *use)
{
	use->charged_kib += cgroup_read("memory.current") / 1024;
	use->taken_kib -= host_use().free_pages * 4;
}

/* In a group of its own: VMs whose vCPU has run, on one RAM, and what they cost whom. */
static int makes_vms(void *arg)
{
	struct use *use = arg;
	struct vcpu *first;
	struct vm vm;

	if (!cgroup_enter())
		return 1;
	first = vcpu_simple(nothing);
	must_done(first);
	vm.ram = first->vm->ram;
	start_use(use);
	for (u32 i = 0; i < VMS; i++) {
		vm.fd = create_vm_fd_with(TINYVMX_VM_LAPIC);
		if (vm.fd < 0 || set_memory(vm.fd, 0, 0, 0, GUEST_RAM_BYTES, vm.ram))
			return 2;
		must_done(vcpu_create(&vm, 0, nothing, 0));
	}
	end_use(use);
	return 0;
}

/* A byte every 2 MiB: each asks for a page table, of the process and of EPT. */
#define SPARSE_GPA	0x80000000UL
#define SPARSE		512UL

static void reads_sparse(void)
{
	for (u64 i = 0; i < SPARSE; i++)
		guest_is(*(volatile u8 *)(SPARSE_GPA + i * 2 * MIB), 0);
}

static int maps_much(void *arg)
{
	struct use *use = arg;
	struct vcpu *vcpu;
	u8 *p;

	if (!cgroup_enter())
		return 1;
	vcpu = vcpu_simple(reads_sparse);
	p = map_anon(SPARSE * 2 * MIB);
	use_small_pages(p, SPARSE * 2 * MIB);
	must(set_memory(vcpu->vm->fd, 1, 0, SPARSE_GPA, SPARSE * 2 * MIB, p));
	start_use(use);
	if (!run_until_port(vcpu, GUEST_DONE))
		return 2;
	end_use(use);
	return 0;
}

/* A group's memory.max is what bounds the VMs of those in it. */
static void test_memory_is_charged(void)
{
	struct use *use = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);

	if (!cgroup_create()) {
		skip("no memory cgroups here", "memory of VMs is charged");
		return;
	}
	is(reap(spawn(makes_vms, use)), 0, "%u VMs run in a memory cgroup", VMS);
	ok(use->charged_kib >= 24 * VMS && use->charged_kib >= use->taken_kib * 3 / 4,
	   "it is charged %ld KiB of the %ld KiB that they take", use->charged_kib,
	   use->taken_kib);
	ok(use->taken_kib <= 64 * VMS, "a VM with a vCPU takes %ld KiB of kernel memory",
	   use->taken_kib / VMS);
	/* What those VMs had is taken off their group's bill for a while yet. */
	cgroup_destroy();
	must(cgroup_create() ? 0 : -1);
	is(reap(spawn(maps_much, use)), 0, "a guest reads %lu sparse pages", SPARSE);
	/* What CPUs have charged ahead makes half a MiB of difference. */
	ok(use->charged_kib >= (long)SPARSE * 6,
	   "and is charged for two page tables for each: %ld KiB of %ld KiB", use->charged_kib,
	   use->taken_kib);
	cgroup_destroy();
	munmap(use, PAGE);
}

int main(void)
{
	struct rlimit limit = { 600, 600 };

	tap_init();
	test_memory_is_charged();
	setrlimit(RLIMIT_NOFILE, &limit);
	test_vcpus();
	test_vms();
	test_turns();
	return tap_exit();
}
