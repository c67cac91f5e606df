// SPDX-License-Identifier: GPL-2.0-only
/* kill -9 at random instants, ROUNDS times (40): nothing is left of the VMs of the dead. */
#include <signal.h>

#include "lib.h"

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

static u32 kill_at_random(u32 rounds)
{
	u32 seed = 12345, killed = 0;

	for (u32 i = 0; i < rounds; i++) {
		pid_t pid = spawn(victim, NULL);

		seed = seed * 1103515245 + 12345;
		sleep_us((seed >> 16) % 20000);
		kill(pid, SIGKILL);
		killed += reap(pid) == -SIGKILL;
		alarm(TAP_WATCHDOG_S);
	}
	return killed;
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 40;
	struct host_use before;

	tap_init();
	info();
	kill_at_random(3);	/* what is made once, and stays */
	before = host_use();
	is(kill_at_random(rounds), rounds, "%u processes killed", rounds);
	nothing_is_left_since(&before);
	must_done(vcpu_simple((void *)(uintptr_t)guest_return));
	ok(true, "a new VM runs");
	return tap_exit();
}
