// SPDX-License-Identifier: GPL-2.0-only
/* Debug registers: the guest has its own, a host breakpoint stays the host's. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "lib.h"

static volatile u64 watched, seen[6];

static void reads(void)
{
	seen[0] = READ_REG("db0");
	seen[1] = READ_REG("db1");
	seen[2] = READ_REG("db2");
	seen[3] = READ_REG("db3");
	seen[4] = READ_REG("db6");
	seen[5] = READ_REG("db7");
	guest_sync(1);
	WRITE_REG("db0", 0x1000UL);
	WRITE_REG("db1", 0x2000UL);
	WRITE_REG("db2", 0x3000UL);
	WRITE_REG("db3", 0x4000UL);
	WRITE_REG("db6", 0xffff0ff4UL);
	WRITE_REG("db7", 0x600UL);
	guest_sync(2);
	guest_is(READ_REG("db0"), 0x1000);
	guest_is(READ_REG("db6"), 0xffff0ff4);
	guest_is(READ_REG("db7"), 0x600);
}

static void test_values(void)
{
	struct vcpu *vcpu = vcpu_simple(reads);
	struct tinyvmx_debug d = {
		.dr = { 0x11, 0x22, 0x33, 0x44 }, .dr6 = 0xffff0ff2, .dr7 = 0x400,
	};

	must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &d, sizeof(d)));
	ok_sync(vcpu, 1, "the guest has read DR0-3, DR6, DR7");
	for (u32 i = 0; i < 4; i++)
		is(G(vcpu->vm, seen[i]), 0x11 * (i + 1), "DR%u", i);
	is(G(vcpu->vm, seen[4]), 0xffff0ff2, "DR6");
	is(G(vcpu->vm, seen[5]), 0x400, "DR7");
	ok_sync(vcpu, 2, "the guest has written them");
	must(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &d, sizeof(d)));
	for (u32 i = 0; i < 4; i++)
		is(d.dr[i], 0x1000 * (i + 1), "GET_STATE: DR%u", i);
	is(d.dr6, 0xffff0ff4, "GET_STATE: DR6");
	is(d.dr7, 0x600, "GET_STATE: DR7");
	ok_done(vcpu, "they stay across the exit");
	vcpu_simple_destroy(vcpu);
}

/* A guest breakpoint on a write fires in the guest, after the instruction. */
static void breaks(void)
{
	guest_expect(1);
	WRITE_REG("db0", (uintptr_t)&watched);
	WRITE_REG("db7", 0xd0402UL);
	watched = 5;
	guest_is(guest_taken[1], 1);
	guest_is(READ_REG("db6") & 0xf, 1);
	guest_sync(1);
	watched = 6;
	guest_is(guest_taken[1], 2);
	WRITE_REG("db7", 0x400UL);
	watched = 7;
	guest_is(guest_taken[1], 2);
}

static void test_guest_breakpoint(void)
{
	struct vcpu *vcpu = vcpu_simple(breaks);

	ok_sync(vcpu, 1, "a breakpoint of the guest fires in the guest");
	watched = 1;
	ok(true, "the host's write to the same address does not trap");
	ok_done(vcpu, "the breakpoint is still there after an exit");
	vcpu_simple_destroy(vcpu);
}

/* No access of the guest may hit the host's breakpoint at the same address. */
static void touches(void)
{
	for (u32 i = 0; i < 10; i++) {
		watched = i;
		guest_is(READ_REG("db7"), 0x400);
		guest_is(READ_REG("db0"), 0);
		guest_sync(1);
	}
	guest_is(guest_trap.count, 0);
}

static int traced(void *arg)
{
	struct vcpu *vcpu;

	(void)arg;
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	vcpu = vcpu_simple(touches);
	raise(SIGSTOP);
	for (u32 i = 0; i < 10; i++) {
		if (vcpu_run(vcpu) || vcpu->run->io.data != GUEST_SYNC + 1)
			return 1;
	}
	watched = 99;	/* SIGTRAP here, and only here */
	if (vcpu_run(vcpu) || vcpu->run->io.data != GUEST_DONE)
		return 2;
	return 0;
}

#define DR_OFFSET(n) (offsetof(struct user, u_debugreg) + (n) * 8)

static void test_host_breakpoint(void)
{
	pid_t pid = spawn(traced, NULL);
	int status, traps = 0;

	waitpid(pid, &status, 0);
	if (!ok(WIFSTOPPED(status), "a traced VMM stops"))
		return;
	ptrace(PTRACE_POKEUSER, pid, DR_OFFSET(0), &watched);
	if (ptrace(PTRACE_POKEUSER, pid, DR_OFFSET(7), 0xd0001L))
		bail("PTRACE_POKEUSER: %m");
	for (;;) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) == SIGTRAP)
			traps++;
	}
	is(traps, 1, "its hardware breakpoint hits once, in the host's code");
	ok(WIFEXITED(status) && !WEXITSTATUS(status),
	   "the guest has no part of it (status %#x)", status);
}

int main(void)
{
	tap_init();
	test_values();
	test_guest_breakpoint();
	test_host_breakpoint();
	return tap_exit();
}
