// SPDX-License-Identifier: GPL-2.0-only
/* The run page is hostile: noise in every word of it harms nobody else. */
#include <signal.h>
#include <sys/mman.h>

#include <sched.h>

#include "lib.h"

static volatile bool stop;

static void *scribbles(void *arg)
{
	volatile u32 *word = arg;
	u32 seed = 7;

	while (!stop) {
		seed = seed * 1664525 + 1013904223;
		word[(seed >> 8) % (sizeof(struct tinyvmx_run) / 4)] = seed;
	}
	return NULL;
}

static void io_for_ever(void)
{
	for (;;) {
		(void)inl(0x60);
		outl(0x61, 5);
	}
}

/* Whatever comes out of it: the VM is used up, the host is well. */
static void test_scribble(void)
{
	struct vcpu *vcpu = vcpu_simple(io_for_ever);
	u32 count[3] = { 0 };
	pthread_t thread;

	ignore_signal(SIGUSR1);
	pthread_create(&thread, NULL, scribbles, vcpu->run);
	for (u32 i = 0; i < 3000; i++) {
		int ret = vcpu_run(vcpu);

		count[!ret ? 0 : errno == EINTR ? 1 : 2]++;
		/* Where it was scheduled out it may have left a refused request. */
		if (ret && errno != EINTR) {
			vcpu->run->request = 0;
			sched_yield();
		}
		if (i % 16 == 0)
			vcpu_call(vcpu, io_for_ever, 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	ok(count[0] + count[1] > 0, "3000 RUNs: %u exits, %u EINTR, %u errors",
	   count[0], count[1], count[2]);
	vcpu_simple_destroy(vcpu);
}

static void in_once(void)
{
	guest_is(inl(0x60), 0x1234);
}

/* What the kernel told is not what it relies on. */
static void test_response_changed(void)
{
	struct vcpu *vcpu = vcpu_simple(in_once);
	struct tinyvmx_run *run = vcpu->run;

	ok_exit(vcpu, TINYVMX_EXIT_IO, "an IN of 4 bytes");
	memset((u8 *)run + 64, 0xff, sizeof(*run) - 64);
	run->io.data = 0x1234;
	ok_done(vcpu, "width, port, reason overwritten: data alone counts");
	vcpu_simple_destroy(vcpu);
}

static void nothing(void)
{
}

/* REQ_SET_REGS goes through the same checks as SET_STATE. */
static void test_bad_regs(void)
{
	struct vcpu *vcpu = vcpu_simple(nothing);
	struct tinyvmx_run *run = vcpu->run;
	u64 rip = vcpu->regs.rip;

	run->regs = vcpu->regs;
	run->regs.rflags = 1UL << 40;
	run->regs.rip = 0x123;
	run->request = TINYVMX_REQ_SET_REGS;
	err_is(vcpu_run(vcpu), EINVAL, "SET_REGS with reserved RFLAGS bits");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, rip, "nothing of it was taken");
	run->request = 0x80000000;
	err_is(vcpu_run(vcpu), EOPNOTSUPP, "an unknown request bit");
	run->request = 0;
	ok_done(vcpu, "the vCPU still runs");
	vcpu_simple_destroy(vcpu);
}

static void test_remapped(void)
{
	struct vcpu *vcpu = vcpu_simple(nothing);

	must(munmap(vcpu->run, info()->run_bytes));
	is(vcpu_run(vcpu), 0, "RUN without a mapping of the run page");
	vcpu->run = map_run(vcpu->fd);
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "its response is there");
	is(vcpu->run->io.data, GUEST_DONE, "in full");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_scribble();
	test_response_changed();
	test_bad_regs();
	test_remapped();
	return tap_exit();
}
