// SPDX-License-Identifier: GPL-2.0-only
/* Pages that the kernel merges, moves or takes away under a guest. */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib.h"

#define GPA	0x80000000UL
#define PAGES	256UL

/* Page i holds i / 2: pairs are alike. Checked for ever, word by word. */
static void checks(void)
{
	for (;;) {
		for (u64 i = 0; i < PAGES; i++)
			guest_is(*(volatile u64 *)(GPA + i * PAGE), i / 2);
		guest_alive++;
	}
}

static void writes_odd(void)
{
	for (u64 i = 1; i < PAGES; i += 2)
		*(volatile u64 *)(GPA + i * PAGE) = i + 1000;
}

static u8 *fill(void)
{
	u8 *p = map_anon(PAGES * PAGE);

	use_small_pages(p, PAGES * PAGE);
	for (u64 i = 0; i < PAGES; i++)
		*(u64 *)(p + i * PAGE) = i / 2;
	return p;
}

/* Lets the guest go twice through its pages; true if all are right. */
static bool still_right(struct runner *runner, struct vm *vm)
{
	bool good = wait_alive(vm) && wait_alive(vm);

	return good && !runner->ended;
}

static void test_ksm(void)
{
	static const char * const knob = "/sys/kernel/mm/ksm/run";
	struct vcpu *vcpu = vcpu_simple(checks);
	u8 *p = fill();
	struct runner *runner;
	u64 bad = 0;
	long shared = 0;

	if (madvise(p, PAGES * PAGE, MADV_MERGEABLE) || !write_text(knob, "1")) {
		skip("no KSM here", "merged pages");
		return;
	}
	write_text("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	write_text("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	runner = runner_start(vcpu);
	for (u32 i = 0; i < 300 && shared <= 0; i++) {
		sleep_us(10000);
		shared = read_long("/sys/kernel/mm/ksm/pages_sharing");
	}
	if (shared > 0)
		ok(still_right(runner, vcpu->vm),
		   "KSM: %ld pages shared under a running guest", shared);
	else
		skip("KSM merged nothing in 3 s", "merged pages");
	/* Merging is over; now all is read again, by a guest that must look. */
	write_text(knob, "0");
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	shared = read_long("/sys/kernel/mm/ksm/pages_sharing");
	runner_stop(runner);
	runner = runner_start(vcpu);
	ok(still_right(runner, vcpu->vm), "KSM: the guest reads all pages again");
	is(read_long("/sys/kernel/mm/ksm/pages_sharing"), shared,
	   "KSM: reading leaves them merged");
	runner_stop(runner);
	vcpu_call(vcpu, writes_odd, 0);
	ok_done(vcpu, "KSM: the guest writes to merged pages");
	for (u64 i = 0; i < PAGES; i++)
		bad += *(u64 *)(p + i * PAGE) != (i % 2 ? i + 1000 : i / 2);
	is(bad, 0, "KSM: each write hit its own page alone");
	write_text(knob, "2");
	vcpu_simple_destroy(vcpu);
	munmap(p, PAGES * PAGE);
}

static void test_compaction(void)
{
	struct vcpu *vcpu = vcpu_simple(checks);
	u8 *p = fill();
	struct runner *runner;
	bool good = true;

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	runner = runner_start(vcpu);
	good &= still_right(runner, vcpu->vm);
	for (u32 i = 0; i < 5; i++) {
		if (!write_text("/proc/sys/vm/compact_memory", "1")) {
			skip("no compaction here", "pages that move");
			runner_stop(runner);
			return;
		}
		good &= still_right(runner, vcpu->vm);
	}
	ok(good, "compaction moves pages under a running guest");
	runner_stop(runner);
	is(runner->err, EINTR, "the guest never saw it");
	vcpu_simple_destroy(vcpu);
	munmap(p, PAGES * PAGE);
}

static void writes(void)
{
	for (;;) {
		for (u64 i = 0; i < PAGES; i++)
			(*(volatile u64 *)(GPA + i * PAGE))++;
		guest_alive++;
	}
}

#define SOFT_DIRTY	(1UL << 55)	/* Documentation/admin-guide/mm/soft-dirty.rst */

/* How many pages are not told as written; all are, by now. */
static long missed(int pagemap, const u8 *p)
{
	static u64 entry[PAGES];
	long n = 0;

	must(pread(pagemap, entry, sizeof(entry), (u64)p / PAGE * sizeof(*entry)));
	for (u64 i = 0; i < PAGES; i++)
		n += !(entry[i] & SOFT_DIRTY);
	return n;
}

/* What is written from now on, as CRIU asks. A notifier is told of all addresses at once. */
static bool forget_written(void)
{
	return write_text("/proc/self/clear_refs", "4");
}

static long missed_of_guest(struct vcpu *vcpu, int pagemap, const u8 *p)
{
	struct runner *runner = runner_start(vcpu);
	long n = 0;

	for (u32 i = 0; i < 30 && !n; i++)
		n = forget_written() && still_right(runner, vcpu->vm) ? missed(pagemap, p) : -1;
	runner_stop(runner);
	return n;
}

static void test_soft_dirty(void)
{
	struct vcpu *vcpu = vcpu_simple(writes);
	int pagemap = must(open("/proc/self/pagemap", O_RDONLY));
	bool known = forget_written();
	u8 *p = fill();

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	if (known && !missed(pagemap, p))
		is(missed_of_guest(vcpu, pagemap, p), 0,
		   "soft-dirty bits tell all that a running guest writes");
	else
		skip("this kernel has no soft-dirty bits", "what a guest writes");
	close(pagemap);
	vcpu_simple_destroy(vcpu);
	munmap(p, PAGES * PAGE);
}

static void test_pageout(void)
{
	struct vcpu *vcpu = vcpu_simple(checks);
	u8 *p = fill();
	struct runner *runner;
	bool good = true;

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	runner = runner_start(vcpu);
	for (u32 i = 0; i < 5; i++) {
		/* Without swap the pages stay, but are unmapped and aged. */
		madvise(p, PAGES * PAGE, i % 2 ? MADV_COLD : MADV_PAGEOUT);
		good &= still_right(runner, vcpu->vm);
	}
	ok(good, "MADV_PAGEOUT and MADV_COLD under a running guest");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
	munmap(p, PAGES * PAGE);
}

int main(void)
{
	tap_init();
	test_ksm();
	test_compaction();
	test_soft_dirty();
	test_pageout();
	return tap_exit();
}
