// SPDX-License-Identifier: GPL-2.0-only
/* kill -9 at random instants: nothing is left of the VMs of the dead. */
#include <signal.h>

#include "lib.h"

#define ROUNDS 40

static volatile u64 sink;

static void busy(void)
{
	for (;;) {
		for (u64 i = 0; i < 64; i++)
			sink += ((volatile u64 *)GUEST_FREE_GPA)[i * 512];
		outl(0x80, 1);
	}
}

static void *runs_for_ever(void *arg)
{
	for (;;)
		vcpu_run(arg);
	return NULL;
}

/* Creates, runs, changes and destroys, so that the kill may hit any of it. */
static int victim(void *arg)
{
	(void)arg;
	for (;;) {
		struct vm *vm = vm_create();
		struct vcpu *vcpu = vcpu_create(vm, 0, busy, 0);
		struct vcpu *other = vcpu_create(vm, 1, guest_spin, 0);
		pthread_t thread;

		pthread_create(&thread, NULL, runs_for_ever, other);
		for (u32 i = 0; i < 50; i++) {
			vcpu_run(vcpu);
			set_memory(vm->fd, 1, 0, GIB, PAGE, vm->ram);
			set_memory(vm->fd, 1, 0, 0, 0, NULL);
		}
		vcpu_destroy(vcpu);
	}
	return 0;
}

/* The module is free of users again: its memory and fds are gone. */
static long users(void)
{
	return read_long("/sys/module/tinyvmx/refcnt");
}

int main(void)
{
	long before;
	u32 seed = 12345, killed = 0;

	tap_init();
	info();
	before = users();
	for (u32 i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(victim, NULL);

		seed = seed * 1103515245 + 12345;
		sleep_us((seed >> 16) % 20000);
		kill(pid, SIGKILL);
		killed += reap(pid) == -SIGKILL;
	}
	is(killed, ROUNDS, "%u processes killed", ROUNDS);
	if (before < 0) {
		skip("the module shows no refcnt", "the module is unused again");
	} else {
		for (u32 i = 0; i < 2000 && users() != before; i++)
			sleep_us(1000);
		is(users(), before, "the module has as many users as before");
	}
	must_done(vcpu_simple((void *)(uintptr_t)guest_return));
	ok(true, "a new VM runs");
	return tap_exit();
}
