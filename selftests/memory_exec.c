// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code in large pages. On a CPU with iTLB multihit, unless mitigations=off, the guest must
 * execute from small ones: seen by the exits that they cost.
 */
#include <sys/mman.h>

#include "lib.h"

#define GPA	0x80000000UL
#define PAGES	512UL
#define STRAY	7UL	/* exits for the host's own interrupts */

static volatile u64 called, sum;

/* A word in each page, then what is at its start, then the word again. */
static void calls(void)
{
	for (u64 i = 0; i < PAGES; i++)
		*(volatile u64 *)(GPA + i * PAGE + 64) = i;
	guest_sync(1);
	for (u64 i = 0; i < PAGES; i++) {
		((void (*)(void))(GPA + i * PAGE))();
		called++;
	}
	guest_sync(2);
	for (u64 i = 0; i < PAGES; i++)
		sum += *(volatile u64 *)(GPA + i * PAGE + 64);
	guest_sync(3);
}

/* Whether the kernel says that this CPU must not run code from large pages. */
static bool is_affected(void)
{
	const char *path = "/sys/devices/system/cpu/vulnerabilities/itlb_multihit";

	return !line_contains("/proc/cmdline", "mitigations=off") && line_contains(path, "KVM");
}

static void fill(u8 *code)
{
	for (u64 i = 0; i < PAGES; i++)
		code[i * PAGE] = 0xc3;	/* RET */
}

static u64 run_calls(struct vcpu *vcpu)
{
	u64 before;

	G(vcpu->vm, called) = 0;
	vcpu_call(vcpu, calls, 0);
	ok_sync(vcpu, 1, "the guest has written to each page");
	before = vcpu->run->exits;
	ok_sync(vcpu, 2, "it has called what is there");
	is(G(vcpu->vm, called), PAGES, "all of it");
	return vcpu->run->exits - before - 1;
}

int main(void)
{
	u8 *ram, *code;
	struct vcpu *vcpu;
	u64 exits;

	tap_init();
	vcpu = vcpu_simple(calls);
	ram = map_anon(2 * PAGES * PAGE);
	code = (u8 *)(((uintptr_t)ram + PAGES * PAGE - 1) & -(PAGES * PAGE));
	madvise(code, PAGES * PAGE, MADV_HUGEPAGE);
	fill(code);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, code));

	exits = run_calls(vcpu);
	diag("%llu exits", (unsigned long long)exits);
	if (is_affected())
		ok(exits >= PAGES / 64 && exits <= PAGES / 64 + 2 * STRAY, "from small pages, 64 at a time");
	else
		ok(exits <= STRAY, "from a large page");
	ok_sync(vcpu, 3, "the words are still there");
	is(G(vcpu->vm, sum), PAGES * (PAGES - 1) / 2, "as they were");

	must(madvise(code + 7 * PAGE, PAGE, MADV_DONTNEED));
	fill(code);
	run_calls(vcpu);
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
