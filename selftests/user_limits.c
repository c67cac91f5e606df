// SPDX-License-Identifier: GPL-2.0-only
/* The module's parameters bound what each user has of VMs. */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "lib.h"

#define OTHER_UID	12345
#define GPA		0x80000000UL
#define STEP		(2 * MIB)	/* each asks for a page table */
#define STEPS		64UL

enum { VMS, VCPUS, TABLES };

static const char * const parameters[] = {
	"/sys/module/tinyvmx/parameters/user_vms",
	"/sys/module/tinyvmx/parameters/user_vcpus",
	"/sys/module/tinyvmx/parameters/user_tables_kib",
};

static void set_bound(u32 n, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	if (!write_text(parameters[n], text))
		bail("%s: %m", parameters[n]);
}

static long before[ARRAY_SIZE(parameters)];

static void restore(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(parameters); i++)
		set_bound(i, before[i]);
}

static void test_vms(void)
{
	int fd[3];

	set_bound(VMS, 3);
	for (u32 i = 0; i < 3; i++)
		fd[i] = must(create_vm_fd());
	err_is(create_vm_fd(), ENOSPC, "user_vms VMs, and one more");
	close(fd[1]);
	fd[1] = create_vm_fd();
	ok(fd[1] >= 0, "one is closed: there may be another");
	set_bound(VMS, 2);
	err_is(create_vm_fd(), ENOSPC, "the bound is lowered under what there is");
	close(fd[0]);
	close(fd[1]);
	fd[0] = create_vm_fd();
	ok(fd[0] >= 0, "it holds when enough are closed");
	set_bound(VMS, 0);
	err_is(create_vm_fd(), ENOSPC, "0: none");
	close(fd[0]);
	close(fd[2]);
}

static void test_vcpus(void)
{
	int one, two, vcpu, other;

	set_bound(VCPUS, 2);
	one = must(create_vm_fd());
	two = must(create_vm_fd());
	other = must(create_vcpu_fd(one, 0));
	vcpu = must(create_vcpu_fd(two, 0));
	err_is(create_vcpu_fd(two, 1), ENOSPC, "user_vcpus vCPUs in two VMs, and one more");
	err_is(create_vcpu_fd(two, 0), EEXIST, "an id that is taken is told first");
	close(vcpu);
	vcpu = create_vcpu_fd(two, 1);
	ok(vcpu >= 0, "one is closed: its place, and that id, are free");
	close(vcpu);
	close(other);
	close(one);
	close(two);
}

static int makes_one(void *arg)
{
	(void)arg;
	return setuid(OTHER_UID) || create_vm_fd() < 0 ? 1 : 0;
}

static int makes_two(void *arg)
{
	if (makes_one(arg))
		return 1;
	return create_vm_fd() < 0 && errno == ENOSPC ? 0 : 2;
}

static void test_users(void)
{
	int fd;

	set_bound(VMS, 1);
	fd = must(create_vm_fd());
	is(reap(spawn(makes_two, NULL)), 0, "another user has the same bound, for himself");
	is(reap(spawn(makes_one, NULL)), 0, "his VMs went with his process");
	close(fd);
}

/* The users of a user namespace of OTHER_UID's: subordinate uids, as /etc/subuid gives them. */
#define SUBORDINATE	"0 2000000 10\n"

static int in_namespace(void *arg)
{
	const int *ready = arg;
	char byte;
	int fd;

	if (setuid(OTHER_UID) || unshare(CLONE_NEWUSER))
		return 4;
	/* Who dropped his uid belongs to root in /proc, until he says otherwise. */
	prctl(PR_SET_DUMPABLE, 1);
	if (write(ready[1], "x", 1) != 1 || read(ready[2], &byte, 1) != 1 || setresuid(0, 0, 0))
		return 3;
	fd = create_vm_fd();
	if (fd < 0 || setresuid(1, 1, 1))
		return 2;
	return create_vm_fd() < 0 && errno == ENOSPC ? 0 : 1;
}

static void test_subordinates(void)
{
	int out[2], in[2], status;
	char path[40], byte;
	pid_t child;

	set_bound(VMS, 1);
	must(pipe(out) | pipe(in));
	child = spawn(in_namespace, (int[]){ out[0], out[1], in[0], in[1] });
	close(out[1]);
	if (read(out[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
		if (!write_text(path, SUBORDINATE))
			bail("%s: %m", path);
		must(write(in[1], "x", 1));
	}
	status = reap(child);
	if (status == 4)
		skip("no user namespaces here", "subordinate uids");
	else
		is(status, 0, "the uids of a user namespace have one bound, that of its owner");
	close(out[0]);
	close(in[0]);
	close(in[1]);
}

static void reads_sparse(void)
{
	for (u64 i = 0; i < STEPS; i++)
		guest_is(*(volatile u8 *)(GPA + i * STEP), 0);
}

static void test_tables(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_sparse);
	u8 *p = map_anon(STEPS * STEP);

	use_small_pages(p, STEPS * STEP);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, STEPS * STEP, p));
	set_bound(TABLES, STEPS / 2 * 4);
	err_is(vcpu_run(vcpu), ENOSPC, "a guest that needs more EPT than user_tables_kib");
	err_is(vcpu_run(vcpu), ENOSPC, "again");
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, STEPS * STEP, p));
	err_is(vcpu_run(vcpu), ENOSPC, "what a slot has taken comes back with it, and goes again");
	set_bound(TABLES, STEPS * 2 * 4);
	ok_done(vcpu, "the bound is raised: the guest goes on where it was");
	vcpu_simple_destroy(vcpu);
	munmap(p, STEPS * STEP);
}

int main(void)
{
	tap_init();
	info();
	for (u32 i = 0; i < ARRAY_SIZE(parameters); i++) {
		before[i] = read_long(parameters[i]);
		if (before[i] < 0 || access(parameters[i], W_OK))
			skip_all("%s cannot be written", parameters[i]);
	}
	/* However this ends. */
	atexit(restore);
	ok(before[VMS] > 0 && before[VCPUS] > 0 && before[TABLES] > 0,
	   "there are bounds: %ld VMs, %ld vCPUs, %ld KiB", before[VMS], before[VCPUS],
	   before[TABLES]);
	test_vms();
	set_bound(VMS, before[VMS]);
	test_vcpus();
	test_users();
	test_subordinates();
	set_bound(VMS, before[VMS]);
	set_bound(VCPUS, before[VCPUS]);
	test_tables();
	return tap_exit();
}
