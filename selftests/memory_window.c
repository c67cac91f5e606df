// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much one fault maps: a lone one a page, sequential ones more and more. Seen by
 * the exits that touching memory costs; and the edges that a window must not cross.
 */
#include <sys/mman.h>

#include "lib.h"

#define GPA	0x80000000UL
#define PAGES	2048UL
#define WINDOW	64UL		/* pages that one fault maps at most */
#define STRAY	16UL		/* exits for the host's own interrupts */

static volatile u64 first, count, stride;	/* in bytes */
static volatile u64 two_streams;

static volatile u64 *word(u64 i)
{
	return (volatile u64 *)(GPA + first + i * stride);
}

/* Between two syncs that the host counts the exits of. */
static void touches(void)
{
	guest_sync(1);
	for (u64 i = 0; i < count; i++) {
		(*word(i))++;
		if (two_streams)
			(*word(i + count))++;
	}
	guest_sync(2);
}

static struct vcpu *vcpu;
static u8 *memory;

/* Slot 1: @pages from @hva on. */
static void give(u8 *hva, u64 pages)
{
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, pages * PAGE, hva));
}

static void take_back(void)
{
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
}

/* The guest is about to touch @n places from @from on. */
static void start(u64 from, u64 n, u64 step)
{
	G(vcpu->vm, first) = from;
	G(vcpu->vm, count) = n;
	G(vcpu->vm, stride) = step;
	vcpu_call(vcpu, touches, 0);
	if (!run_until_port(vcpu, GUEST_SYNC + 1))
		bail("the guest does not start");
}

/* Exits that it costs. */
static u64 exits_of(u64 from, u64 n, u64 step)
{
	u64 before;

	start(from, n, step);
	before = vcpu->run->exits;
	if (!run_until_port(vcpu, GUEST_SYNC + 2))
		bail("the guest does not get through");
	return vcpu->run->exits - before - 1;
}

static void fill(u8 *p, u64 pages)
{
	for (u64 i = 0; i < pages; i++)
		*(u64 *)(p + i * PAGE) = i;
}

/* Pages whose word is not its number plus @plus. */
static u64 wrong(const u8 *p, u64 pages, u64 plus)
{
	u64 bad = 0;

	for (u64 i = 0; i < pages; i++)
		bad += *(u64 *)(p + i * PAGE) != i + plus;
	return bad;
}

static void at_most(u64 exits, u64 limit, const char *what)
{
	diag("%llu exits: %s", (unsigned long long)exits, what);
	ok(exits <= limit + STRAY, "%s: at most %llu exits", what,
	   (unsigned long long)limit);
}

static void test_lone(void)
{
	u64 n = PAGES / 16;
	u64 exits;

	fill(memory, PAGES);
	give(memory, PAGES);
	exits = exits_of(0, n, 16 * PAGE);
	ok(exits >= n, "scattered touches fault one by one");
	at_most(exits, n, "scattered touches");
	ok(exits_of(8 * PAGE, n, 16 * PAGE) >= n,
	   "they mapped nothing in the middle between them");
	at_most(exits_of(0, n, 16 * PAGE), 0, "the same again");
	take_back();
}

static void test_sequential(void)
{
	/* 1, 1, 2, 4 ... pages, then whole windows. */
	u64 limit = 7 + PAGES / WINDOW;

	fill(memory, PAGES);
	give(memory, PAGES);
	at_most(exits_of(0, PAGES, PAGE), limit, "sequential touches");
	is(wrong(memory, PAGES, 1), 0, "each hit its own page");
	take_back();
	give(memory, PAGES);
	G(vcpu->vm, two_streams) = 1;
	at_most(exits_of(0, PAGES / 2, PAGE), 2 * limit, "two streams by turns");
	G(vcpu->vm, two_streams) = 0;
	is(wrong(memory, PAGES, 2), 0, "each hit its own page");
	take_back();
}

/* Guest-physical neighbours with other memory, and other rights, behind them. */
static void test_slot_end(void)
{
	u64 half = PAGES / 2 + 3;
	u8 *other = map_anon(PAGES * PAGE);

	fill(memory, PAGES);
	fill(other, PAGES);
	give(memory, half);
	must(set_memory(vcpu->vm->fd, 2, TINYVMX_MEMORY_READONLY,
			GPA + half * PAGE, PAGES * PAGE, other));
	exits_of(0, half, PAGE);
	is(wrong(memory, half, 1), 0, "up to the slot's end");
	is(wrong(memory + half * PAGE, 1, half), 0, "nothing behind it");
	start(0, half + 1, PAGE);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "behind it lies a slot for reading");
	is(vcpu->run->mmio.gpa, GPA + half * PAGE, "at its first page");
	is(wrong(other, PAGES, 0), 0, "which nothing was written to");
	must(set_memory(vcpu->vm->fd, 2, 0, 0, 0, NULL));
	take_back();
	munmap(other, PAGES * PAGE);
}

/* The guest goes on from a MEMORY_FAULT at page @n as if nothing had been. */
static void test_hole(void)
{
	u64 n = PAGES / 2 + 5;
	u8 *at = memory + n * PAGE;

	fill(memory, PAGES);
	give(memory, PAGES);
	must(munmap(at, PAGE));
	start(0, PAGES, PAGE);
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "a hole in the process's memory");
	is(vcpu->run->mmio.gpa, GPA + n * PAGE, "just there");
	is(vcpu->run->mmio.error, EFAULT, "with EFAULT");
	if (mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED, -1, 0) != at)
		bail("mmap: %m");
	*(u64 *)at = n;
	ok_sync(vcpu, 2, "mended: the guest goes on");
	is(wrong(memory, PAGES, 1), 0, "each touch hit its own page");
	take_back();
}

static void test_protected(void)
{
	u64 n = PAGES / 4 + 1;
	u8 *at = memory + n * PAGE;

	fill(memory, PAGES);
	give(memory, PAGES);
	must(mprotect(at, PAGE, PROT_READ));
	start(0, PAGES, PAGE);
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "a page that is only readable");
	is(vcpu->run->mmio.gpa, GPA + n * PAGE, "just there");
	is(*(u64 *)at, n, "it keeps its value");
	must(mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	ok_sync(vcpu, 2, "mended: the guest goes on");
	is(wrong(memory, PAGES, 1), 0, "each touch hit its own page");
	take_back();
}

/* What windows have mapped goes away like everything else. */
static void test_reclaim(void)
{
	u64 from = PAGES / 8 + 7, n = 100, bad = 0;

	fill(memory, PAGES);
	give(memory, PAGES);
	exits_of(0, PAGES, PAGE);
	must(madvise(memory + from * PAGE, n * PAGE, MADV_DONTNEED));
	exits_of(0, PAGES, PAGE);
	for (u64 i = 0; i < PAGES; i++) {
		bool dropped = i >= from && i < from + n;

		bad += *(u64 *)(memory + i * PAGE) != (dropped ? 1 : i + 2);
	}
	is(bad, 0, "pages dropped within a window are new, the others kept");
	take_back();
}

static void test_large(void)
{
	u64 n = 16, bytes = (n + 1) * 2 * MIB;
	u8 *p = map_anon(bytes);
	u8 *at = (u8 *)(((uintptr_t)p + 2 * MIB - 1) & -(2 * MIB));

	if (madvise(p, bytes, MADV_HUGEPAGE)) {
		skip("no transparent huge pages here", "large pages");
		munmap(p, bytes);
		return;
	}
	memset(at, 0, n * 2 * MIB);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, n * 2 * MIB, at));
	/* One touch more in each page: it is there as a whole, or there are no large pages. */
	if (exits_of(0, 2 * MIB / PAGE, PAGE) > WINDOW / 2) {
		skip("no transparent huge pages here", "large pages");
	} else {
		/* One there is, then 1, 2, 4, 8. */
		is(exits_of(0, n, 2 * MIB) < 8, 1, "large pages, too, come several at once");
		at_most(exits_of(0, n * 8, 2 * MIB / 8), 0, "whole ones");
	}
	take_back();
	munmap(p, bytes);
}

/* ------------------------------------------------------------ several vCPUs */

#define VCPUS 4

/* All go over the same pages, each from another place on. */
static void adds(u64 id)
{
	for (u64 i = 0; i < PAGES; i++) {
		u64 at = (i + id * PAGES / VCPUS) % PAGES;

		__atomic_fetch_add((u64 *)(GPA + at * PAGE), 1, __ATOMIC_RELAXED);
	}
}

/* Each has come to its end, in 5 s. */
static bool ends(struct runner *runner)
{
	bool good;

	for (u32 ms = 0; ms < 5000 && !runner->ended; ms++)
		sleep_us(1000);
	good = runner->ended;
	runner_stop(runner);
	return good && !runner->ret && runner->vcpu->run->reason == TINYVMX_EXIT_IO;
}

static void test_vcpus(void)
{
	struct vcpu *all[VCPUS] = { vcpu };
	struct runner *runner[VCPUS];
	u32 done = 0;

	fill(memory, PAGES);
	give(memory, PAGES);
	for (u32 i = 1; i < VCPUS; i++)
		all[i] = vcpu_create(vcpu->vm, i, adds, i);
	vcpu_call(vcpu, adds, 0);
	for (u32 i = 0; i < VCPUS; i++)
		runner[i] = runner_start(all[i]);
	for (u32 i = 0; i < VCPUS; i++)
		done += ends(runner[i]);
	is(done, VCPUS, "%d vCPUs fault in the same pages at once", VCPUS);
	is(wrong(memory, PAGES, VCPUS), 0, "no addition was lost");
	for (u32 i = 1; i < VCPUS; i++)
		vcpu_destroy(all[i]);
	take_back();
}

/* Half of the memory is taken away again and again meanwhile. */
static void test_vcpus_reclaim(void)
{
	struct vcpu *all[2] = { vcpu, vcpu_create(vcpu->vm, 1, adds, 1) };
	static u64 before[PAGES];
	struct runner *runner[2];
	u64 bad = 0, stale = 0;
	u32 done = 0;

	memset(memory, 0, PAGES * PAGE);
	give(memory, PAGES);
	for (u64 i = 0; i < 2; i++) {
		vcpu_call(all[i], adds, i);
		runner[i] = runner_start(all[i]);
	}
	for (u64 i = 0; i < 64; i++)
		must(madvise(memory + (i * 37 % (PAGES / 2 - 16)) * PAGE, 16 * PAGE,
			     MADV_DONTNEED));
	for (u64 i = 0; i < 2; i++)
		done += ends(runner[i]);
	is(done, 2, "two vCPUs fault while the host drops pages");
	for (u64 i = 0; i < PAGES; i++) {
		before[i] = *(volatile u64 *)(memory + i * PAGE);
		bad += i < PAGES / 2 ? before[i] > 2 : before[i] != 2;
	}
	is(bad, 0, "what was not dropped got both additions");
	vcpu_call(vcpu, adds, 0);
	must_done(vcpu);
	for (u64 i = 0; i < PAGES; i++)
		stale += *(volatile u64 *)(memory + i * PAGE) != before[i] + 1;
	is(stale, 0, "guest and host are left with the same pages");
	vcpu_destroy(all[1]);
	take_back();
}

int main(void)
{
	tap_init();
	vcpu = vcpu_simple(touches);
	memory = map_anon(PAGES * PAGE);
	use_small_pages(memory, PAGES * PAGE);
	test_lone();
	test_sequential();
	test_slot_end();
	test_hole();
	test_protected();
	test_reclaim();
	test_large();
	test_vcpus();
	test_vcpus_reclaim();
	return tap_exit();
}
