// SPDX-License-Identifier: GPL-2.0-only
/* What the process does to the memory behind a slot is what the guest sees. */
#include <signal.h>
#include <sys/mman.h>

#include "lib.h"

#define GPA GUEST_MMIO_GPA
#define WORD (*(volatile u64 *)GPA)

static volatile u64 seen;

static void reads(void)
{
	seen = WORD;
}

static void writes(void)
{
	WORD = 0x1111;
}

static struct vcpu *vcpu;
static u64 *page;

static void fresh(void)
{
	vcpu = vcpu_simple(reads);
	page = map_anon(16 * PAGE);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, 16 * PAGE, page));
}

static void gone(void)
{
	vcpu_simple_destroy(vcpu);
	munmap(page, 16 * PAGE);
}

static void guest_reads(u64 want, const char *what)
{
	vcpu_call(vcpu, reads, 0);
	G(vcpu->vm, seen) = ~0UL;
	if (!run_until_port(vcpu, GUEST_DONE))
		ok(false, "%s", what);
	else
		is(G(vcpu->vm, seen), want, "%s", what);
}

static void guest_faults(void *fn, u32 flag, int err, const char *what)
{
	vcpu_call(vcpu, fn, 0);
	if (!ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "%s", what))
		return;
	is(vcpu->run->mmio.gpa, GPA, "%s: gpa", what);
	is(vcpu->run->mmio.gla, GPA, "%s: gla", what);
	is(vcpu->run->mmio.flags & flag, flag, "%s: kind of access", what);
	is(vcpu->run->mmio.error, err, "%s: errno", what);
}

static void test_values(void)
{
	fresh();
	guest_reads(0, "untouched memory reads as zero");
	page[0] = 5;
	guest_reads(5, "the host writes, the guest reads");
	vcpu_call(vcpu, writes, 0);
	ok_done(vcpu, "the guest writes");
	is(page[0], 0x1111, "the host reads it");
	must(madvise(page, 16 * PAGE, MADV_DONTNEED));
	guest_reads(0, "MADV_DONTNEED gives zero, no stale data");
	is(page[0], 0, "to both");
	page[0] = 6;
	guest_reads(6, "both share the new page");
	gone();
}

static void test_protection(void)
{
	fresh();
	page[0] = 7;
	guest_reads(7, "a page that is there");
	must(mprotect(page, 16 * PAGE, PROT_READ));
	guest_reads(7, "PROT_READ: reads go on");
	guest_faults(writes, TINYVMX_MMIO_WRITE, EFAULT,
		     "PROT_READ: a write is a MEMORY_FAULT");
	must(mprotect(page, 16 * PAGE, PROT_NONE));
	guest_faults(reads, TINYVMX_MMIO_READ, EFAULT,
		     "PROT_NONE: a read is a MEMORY_FAULT");
	must(mprotect(page, 16 * PAGE, PROT_READ | PROT_WRITE));
	ok_done(vcpu, "mended: RUN repeats the access");
	is(G(vcpu->vm, seen), 7, "the page was kept");
	gone();
}

static void test_unmap(void)
{
	u64 *other;

	fresh();
	page[0] = 8;
	guest_reads(8, "a page that is there");
	must(munmap(page, 16 * PAGE));
	guest_faults(reads, TINYVMX_MMIO_READ, EFAULT,
		     "munmap(): a read is a MEMORY_FAULT");
	other = mmap(page, 16 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	is((uintptr_t)other, (uintptr_t)page, "other memory at the same address");
	other[0] = 9;
	ok_done(vcpu, "RUN repeats the access");
	is(G(vcpu->vm, seen), 9, "and sees the other memory");
	gone();
}

static void test_remap(void)
{
	u64 *other = map_anon(16 * PAGE);

	fresh();
	page[0] = 10;
	other[0] = 11;
	guest_reads(10, "a page that is there");
	ok(mremap(other, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		  page) == page, "mremap() of other memory over it");
	guest_reads(11, "the guest sees it");
	gone();
}

/* Copy on write after fork(): parent and guest stay on one page. */
static int writes_copy(void *arg)
{
	*(volatile u64 *)arg = 666;
	return 0;
}

static int holds_copy(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static void test_fork(void)
{
	pid_t pid;

	fresh();
	page[0] = 12;
	guest_reads(12, "a page that is there");
	pid = spawn(holds_copy, NULL);
	vcpu_call(vcpu, writes, 0);
	ok_done(vcpu, "after fork() the guest writes");
	is(page[0], 0x1111, "the parent sees it");
	page[0] = 13;
	guest_reads(13, "the parent writes, the guest sees it");
	kill(pid, 9);
	is(reap(pid), -9, "the child is gone");
	is(reap(spawn(writes_copy, page)), 0, "a child writes to its copy");
	guest_reads(13, "the guest does not see that");
	gone();
}

static volatile u64 stop_at, mixed;

/* The word may go from a value to 0, never to one that was before. */
static void watches(void)
{
	u64 last = 0;

	while (last < stop_at) {
		u64 now = WORD;

		if (now && now < last)
			mixed++;
		if (now)
			last = now;
		guest_alive++;
	}
}

static void test_while_running(void)
{
	struct runner *runner;

	fresh();
	G(vcpu->vm, stop_at) = 200;
	vcpu_call(vcpu, watches, 0);
	runner = runner_start(vcpu);
	ok(wait_alive(vcpu->vm), "the guest reads all the time");
	for (u64 i = 1; i <= 200; i++) {
		must(madvise(page, 16 * PAGE, MADV_DONTNEED));
		*(volatile u64 *)page = i;
		if (i % 8 == 0)
			sleep_us(200);
	}
	for (u32 i = 0; i < 5000 && !runner->ended; i++)
		sleep_us(1000);
	ok(runner->ended, "the guest has seen the last value");
	runner_stop(runner);
	is(runner->ret, 0, "it ended by itself");
	is(G(vcpu->vm, mixed), 0, "and never read a value from before");
	gone();
}

int main(void)
{
	tap_init();
	test_values();
	test_protection();
	test_unmap();
	test_remap();
	test_fork();
	test_while_running();
	return tap_exit();
}
