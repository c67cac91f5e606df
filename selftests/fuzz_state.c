// SPDX-License-Identifier: GPL-2.0-only
/* Random state, legal or not, then RUN: the host must not mind any of it. */
#include <signal.h>
#include <time.h>

#include "chance.h"
#include "lib.h"

#define ROUNDS 150

/* Numbers that are likely to mean something, and others. */
static u64 value(void)
{
	static const u64 special[] = {
		0, 1, 2, 0x10, 0xff, 0x1000, 0xffff, 0x80000000, 0xffffffff,
		1UL << 47, ~0UL << 47, ~0UL, 0x00007fffffffffff, 0xd0000000,
	};
	u64 n = chance();

	if (n & 1)
		return special[(n >> 8) % ARRAY_SIZE(special)];
	return chance() >> (n >> 8) % 64;
}

static void flip(void *blob, size_t len)
{
	u64 times = chance() % 4;

	for (u64 i = 0; i <= times; i++) {
		u64 v = value();
		size_t at = chance() % (len / 4) * 4;

		if (chance() & 3)
			((u8 *)blob)[at + chance() % 4] ^= 1 << chance() % 8;
		else
			memcpy((u8 *)blob + at, &v, at + 8 <= len ? 8 : 4);
	}
}

static const struct {
	u32 type;
	size_t len;
} types[] = {
	{ TINYVMX_STATE_SREGS, sizeof(struct tinyvmx_sregs) },
	{ TINYVMX_STATE_REGS, sizeof(struct tinyvmx_regs) },
	{ TINYVMX_STATE_EVENTS, sizeof(struct tinyvmx_events) },
	{ TINYVMX_STATE_DEBUG, sizeof(struct tinyvmx_debug) },
};

static void start_timer(u32 us)
{
	static timer_t timer;
	static bool made;
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};
	struct itimerspec when = {
		.it_value.tv_nsec = us * 1000L, .it_interval.tv_nsec = us * 1000L,
	};

	if (!made)
		must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	made = true;
	must(timer_settime(timer, 0, &when, NULL));
}

static void work(void)
{
	for (;;) {
		u32 reg[4];

		guest_alive++;
		cpuid(guest_alive, 0, reg);
		__asm__ volatile("movups (%0), %%xmm3; sti; nop; cli"
				 : : "r"(GUEST_FREE_GPA) : "xmm3");
		if (guest_alive % 32 == 0)
			outl(0x80, 1);
	}
}

static u32 count[16];

static void one_round(void)
{
	struct vcpu *vcpu = vcpu_simple(work);
	u8 blob[512];

	for (u64 flips = chance() % 3; flips < 4; flips++) {
		u32 n = chance() % ARRAY_SIZE(types);

		must(get_state(vcpu->fd, types[n].type, blob, types[n].len));
		flip(blob, types[n].len);
		set_state(vcpu->fd, types[n].type, blob, types[n].len);
	}
	G(vcpu->vm, guest_expected[0]) = ~0UL;
	/* Around RUN alone: CREATE_VM under a fast timer may never get done. */
	start_timer(1000);
	for (u32 i = 0; i < 6; i++) {
		if (chance() % 4 == 0)
			inject(vcpu->fd, chance() % 4, chance() % 256);
		vcpu->run->want_intr_window = chance() & 1;
		if (!vcpu_run(vcpu))
			count[vcpu->run->reason & 15]++;
		else if (errno == EINTR)
			count[TINYVMX_EXIT_INTR]++;
		else
			break;
	}
	start_timer(0);
	vcpu_simple_destroy(vcpu);
}

static void nothing(void)
{
}

int main(void)
{
	struct vcpu *vcpu;

	tap_init();
	ignore_signal(SIGUSR1);
	for (u32 i = 0; i < ROUNDS; i++)
		one_round();
	for (u32 i = 0; i < 10; i++)
		diag("%u times %s", count[i], exit_name(i));
	ok(count[TINYVMX_EXIT_ENTRY_FAILED] > 10, "some entries were refused");
	ok(count[TINYVMX_EXIT_IO] > 10, "some guests did their work");
	vcpu = vcpu_simple(nothing);
	ok_done(vcpu, "a sane guest runs after %u mad ones", ROUNDS);
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
