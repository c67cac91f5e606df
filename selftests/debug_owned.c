// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers that the guest has for itself after its first MOV DR: all that interrupts
 * it, moves it or looks at them finds the right values, and leaves them.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/syscall.h>

#include "lib.h"

#define MOV_DR		29	/* exit reason */
#define DR6_FIXED	0xffff0ff0UL
#define DR7_FIXED	0x400UL

static volatile u64 watched;

/* ------------------------------------------------------------------ exits */

static u64 mov_dr_exits(const struct vcpu *vcpu)
{
	struct tinyvmx_exits exits;

	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	return exits.count[MOV_DR];
}

static void uses_often(void)
{
	for (u64 n = 0; n < 1000; n++) {
		WRITE_REG("db0", n);
		WRITE_REG("db7", DR7_FIXED | (n & 3) << 8);
		guest_is(READ_REG("db0"), n);
		guest_is(READ_REG("db7"), DR7_FIXED | (n & 3) << 8);
	}
}

static void test_exits(void)
{
	struct vcpu *vcpu = vcpu_simple(uses_often);
	u64 count;

	ok_done(vcpu, "a guest reads and writes debug registers 4,000 times");
	count = mov_dr_exits(vcpu);
	ok(count >= 1 && count < 100, "few of these exit (%llu)", (unsigned long long)count);
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------------ state */

static void hands_over(void)
{
	for (u64 n = 1; n <= 3; n++) {
		WRITE_REG("db0", n << 40);
		WRITE_REG("db1", n << 41);
		WRITE_REG("db2", n << 42);
		WRITE_REG("db3", n << 43);
		WRITE_REG("db6", DR6_FIXED | n);
		WRITE_REG("db7", DR7_FIXED | n << 8);
		guest_sync(1);
		guest_is(READ_REG("db0"), n << 20);
		guest_is(READ_REG("db3"), n << 23);
		guest_is(READ_REG("db6"), DR6_FIXED | n << 2);
		guest_is(READ_REG("db7"), DR7_FIXED);
	}
}

static void test_state(void)
{
	struct vcpu *vcpu = vcpu_simple(hands_over);
	struct tinyvmx_debug d;

	for (u64 n = 1; n <= 3; n++) {
		ok_sync(vcpu, 1, "the guest has its own");
		must(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &d, sizeof(d)));
		for (u32 i = 0; i < 4; i++)
			is(d.dr[i], n << (40 + i), "GET_STATE: DR%u", i);
		is(d.dr6, DR6_FIXED | n, "GET_STATE: DR6");
		is(d.dr7, DR7_FIXED | n << 8, "GET_STATE: DR7");
		for (u32 i = 0; i < 4; i++)
			d.dr[i] = n << (20 + i);
		d.dr6 = DR6_FIXED | n << 2;
		d.dr7 = DR7_FIXED;
		must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &d, sizeof(d)));
	}
	ok_done(vcpu, "the guest reads what SET_STATE wrote");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------- what CPUs check */

#define DB	1
#define UD	6
#define CR4_DE	8UL

static int try_write_dr7(u64 value)
{
	return GUEST_TRY("mov %0, %%db7", : : "r"(value) : "memory");
}

static void rules(void)
{
	u64 cr4 = READ_REG("cr4");

	WRITE_REG("db7", DR7_FIXED);
	guest_is(try_write_dr7(1UL << 32), GP);
	guest_is(GUEST_TRY("mov %0, %%db6", : : "r"(1UL << 63)), GP);
	WRITE_REG("cr4", cr4 | CR4_DE);
	guest_is(GUEST_TRY("mov %%db4, %%rax", : : : "rax"), UD);
	guest_is(GUEST_TRY("mov %%rax, %%db5", :), UD);
	WRITE_REG("cr4", cr4 & ~CR4_DE);
	guest_is(READ_REG("db4"), READ_REG("db6"));
	guest_is(READ_REG("db5"), READ_REG("db7"));
	/* GD: #DB before the access, and GD is off again. */
	WRITE_REG("db6", DR6_FIXED);
	WRITE_REG("db7", DR7_FIXED | 1 << 13);
	guest_is(GUEST_TRY("mov %%db0, %%rax", : : : "rax"), DB);
	guest_is(READ_REG("db7"), DR7_FIXED);
	guest_is(READ_REG("db6"), DR6_FIXED | 1 << 13);
	/* A breakpoint right behind. */
	guest_expect(DB);
	WRITE_REG("db6", DR6_FIXED);
	WRITE_REG("db2", (uintptr_t)&watched);
	WRITE_REG("db7", DR7_FIXED | 0x20 | 0xdUL << 24);
	watched = 1;
	guest_is(guest_taken[DB], 2);
	guest_is(READ_REG("db6"), DR6_FIXED | 4);
	WRITE_REG("db7", DR7_FIXED);
	watched = 2;
	guest_is(guest_taken[DB], 2);
}

static void test_rules(void)
{
	struct vcpu *vcpu = vcpu_simple(rules);

	ok_done(vcpu, "#GP, #UD, DR4 and DR5, DR7.GD and breakpoints are the CPU's");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------- interruptions */

static void checks_all(u64 n)
{
	guest_is(READ_REG("db0"), n << 12);
	guest_is(READ_REG("db1"), n << 13);
	guest_is(READ_REG("db2"), n << 14);
	guest_is(READ_REG("db3"), n << 15);
	guest_is(READ_REG("db6"), DR6_FIXED | (n & 15));
	guest_is(READ_REG("db7"), DR7_FIXED | (n & 3) << 8);
}

static void keeps(void)
{
	for (u64 n = 1;; n++) {
		WRITE_REG("db0", n << 12);
		WRITE_REG("db1", n << 13);
		WRITE_REG("db2", n << 14);
		WRITE_REG("db3", n << 15);
		WRITE_REG("db6", DR6_FIXED | (n & 15));
		WRITE_REG("db7", DR7_FIXED | (n & 3) << 8);
		for (u32 i = 0; i < 50; i++)
			checks_all(n);
		guest_alive = n;
	}
}

/* A breakpoint on all that runs on @cpu. Linux sets it there by an interrupt. */
static int breakpoint_open(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W, .bp_addr = (uintptr_t)&watched, .bp_len = 8,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
}

static void move_to(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static u64 hits(int fd)
{
	u64 count = 0;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		bail("read of a perf event: %m");
	return count;
}

static void test_interruptions(void)
{
	struct vcpu *vcpu = vcpu_simple(keeps);
	struct runner *runner = runner_start(vcpu);
	int cpus = online_cpus(), fd = -1, good = 0;
	u64 hit = 0;

	if (!wait_alive(vcpu->vm))
		bail("the guest does not run");
	for (int i = 0; i < 40 && !runner->ended; i++) {
		int cpu = i % cpus;

		move_to(runner->thread, cpu);
		fd = breakpoint_open(cpu);
		/* NMIs, which show what each CPU does. */
		if (i % 10 == 9)
			write_text("/proc/sysrq-trigger", "l");
		if (!wait_alive(vcpu->vm))
			break;
		run_on_cpu(cpu);
		watched = i;
		if (fd >= 0) {
			hit += hits(fd);
			close(fd);
		}
		good++;
	}
	ok(!runner->ended && good == 40,
	   "a guest's stay through host breakpoints, NMIs and other CPUs (%d rounds of 40)", good);
	if (fd >= 0)
		is(hit, 40, "each of the host's breakpoints hits, once");
	else
		skip("no hardware breakpoints through perf here", "the host's breakpoints");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	dev_open();
	test_exits();
	test_state();
	test_rules();
	test_interruptions();
	return tap_exit();
}
