// SPDX-License-Identifier: GPL-2.0-only
/* Slots that come, go and move while vCPUs run on them in other threads. */
#include <sys/mman.h>

#include "lib.h"

#define GPA GUEST_MMIO_GPA

static volatile u64 seen;

static void reads_for_ever(void)
{
	for (;;) {
		seen = *(volatile u64 *)GPA;
		guest_alive++;
	}
}

static void writes_for_ever(void)
{
	for (;;) {
		*(volatile u64 *)GPA = 0x77;
		guest_alive++;
	}
}

/* Until the runner has come to its end, at most 5 s. */
static bool ends(struct runner *runner)
{
	for (u32 i = 0; i < 5000 && !runner->ended; i++)
		sleep_us(1000);
	return runner->ended;
}

static void test_delete(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_for_ever);
	u64 *page = map_anon(PAGE);
	struct runner *runner;

	page[0] = 1;
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, page));
	runner = runner_start(vcpu);
	ok(wait_alive(vcpu->vm), "the guest reads all the time");
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	ok(ends(runner), "the slot is deleted: the guest comes out");
	is(vcpu->run->reason, TINYVMX_EXIT_MMIO, "with MMIO");
	is(vcpu->run->mmio.gpa, GPA, "at the slot's address");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

/* After the call returns no vCPU writes to the old memory. */
static void test_no_late_writes(void)
{
	struct vcpu *vcpu = vcpu_simple(writes_for_ever);
	u64 *page = map_anon(PAGE);
	u32 late = 0;

	for (u32 i = 0; i < 10; i++) {
		struct runner *runner;

		must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, page));
		vcpu_call(vcpu, writes_for_ever, 0);
		runner = runner_start(vcpu);
		if (!wait_alive(vcpu->vm))
			bail("the guest does not write");
		must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
		*(volatile u64 *)page = 0;
		late += !ends(runner);
		sleep_us(1000);
		late += *(volatile u64 *)page != 0;
		runner_stop(runner);
	}
	is(late, 0, "no write gets to the memory after its slot is deleted");
	vcpu_simple_destroy(vcpu);
}

static void test_move(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_for_ever);
	volatile u64 *seen_by = &G(vcpu->vm, seen);
	u64 *one = map_anon(PAGE), *two = map_anon(PAGE);
	struct runner *runner;

	one[0] = 1;
	two[0] = 2;
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, one));
	runner = runner_start(vcpu);
	ok(wait_alive(vcpu->vm) && *seen_by == 1, "the guest reads one page");
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, two));
	sleep_us(2000);
	if (runner->ended) {
		is(vcpu->run->reason, TINYVMX_EXIT_MMIO, "it saw the gap");
		runner_stop(runner);
		runner = runner_start(vcpu);
	}
	ok(wait_alive(vcpu->vm) && wait_alive(vcpu->vm), "it goes on");
	is(*seen_by, 2, "with the other page");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

/* Slots that the running guest does not use come and go at full speed. */
static void test_others(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct runner *runner = runner_start(vcpu);
	u64 *page = map_anon(16 * PAGE);
	u32 bad = 0;

	ok(wait_alive(vcpu->vm), "the guest spins");
	for (u32 i = 0; i < 200; i++) {
		u32 slot = 1 + i % 4;

		bad += !!set_memory(vcpu->vm->fd, slot, 0, GPA + i * PAGE,
				    16 * PAGE, page);
		bad += !!set_memory(vcpu->vm->fd, slot, 0, 0, 0, NULL);
	}
	is(bad, 0, "200 slots come and go");
	ok(wait_alive(vcpu->vm), "the guest still spins");
	runner_stop(runner);
	is(runner->err, EINTR, "and was never disturbed");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_delete();
	test_no_late_writes();
	test_move();
	test_others();
	return tap_exit();
}
