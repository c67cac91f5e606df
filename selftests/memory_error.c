// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of guest RAM that hardware cannot hold any more, as madvise() plays it: the guest's
 * next access comes out with EHWPOISON, and nobody else is hurt.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON		100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define GPA	GUEST_MMIO_GPA
#define BAD	3UL	/* the page that goes bad */

static volatile u64 values[2];

/* Reads the page and its neighbour twice; the second time it has gone bad. */
static void reads(void)
{
	volatile u64 *page = (volatile u64 *)(GPA + BAD * PAGE);

	*page = 0x1234;
	page[512] = 0x5678;
	guest_sync(1);
	values[1] = page[512];
	values[0] = *page;
	guest_sync(2);
}

static struct vcpu *guest_of(u8 *ram, u64 bytes)
{
	struct vcpu *vcpu = vcpu_simple(reads);

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, bytes, ram));
	ok_sync(vcpu, 1, "the guest has written");
	return vcpu;
}

static void test_poison(u64 bytes, const char *kind)
{
	u8 *ram = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *aligned = (u8 *)(((uintptr_t)ram + bytes - 1) & -bytes);
	const struct tinyvmx_exit_mmio *mmio;
	struct vcpu *vcpu;

	madvise(aligned, bytes, MADV_HUGEPAGE);
	vcpu = guest_of(aligned, bytes);
	err_is(madvise(aligned + BAD * PAGE, PAGE, MADV_HWPOISON), 0, "%s: a page goes bad", kind);
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "%s: the guest's touch of it comes out", kind);
	mmio = &vcpu->run->mmio;
	is(mmio->gpa, GPA + BAD * PAGE, "%s: its address", kind);
	is(mmio->error, EHWPOISON, "%s: EHWPOISON", kind);
	is(G(vcpu->vm, values[1]), 0x5678, "%s: the page behind it is as it was", kind);
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "%s: another try is no better", kind);

	must(mmap(aligned + BAD * PAGE, PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
	*(u64 *)(aligned + BAD * PAGE) = 0x9abc;
	ok_sync(vcpu, 2, "%s: with a new page in its place the guest goes on", kind);
	is(G(vcpu->vm, values[0]), 0x9abc, "%s: and reads that", kind);
	vcpu_simple_destroy(vcpu);
	munmap(ram, 2 * bytes);
}

/* The kernel moves what a page holds before it goes bad. */
static void test_soft_offline(void)
{
	u8 *ram = map_anon(16 * PAGE);
	struct vcpu *vcpu = guest_of(ram, 16 * PAGE);

	err_is(madvise(ram + BAD * PAGE, PAGE, MADV_SOFT_OFFLINE), 0, "a page is moved away");
	ok_sync(vcpu, 2, "the guest does not notice");
	is(G(vcpu->vm, values[0]), 0x1234, "and reads what it has written");
	vcpu_simple_destroy(vcpu);
}

static bool has_memory_failure(void)
{
	u8 *page = map_anon(PAGE);
	bool has;

	*page = 1;
	has = !madvise(page, PAGE, MADV_HWPOISON);
	munmap(page, PAGE);
	return has;
}

/* From Linux 6.10 on who plays the error gets the signal at once. */
static void ignore(int sig)
{
	(void)sig;
}

int main(void)
{
	tap_init();
	dev_open();
	signal(SIGBUS, ignore);
	if (!has_memory_failure())
		skip_all("this kernel is without CONFIG_MEMORY_FAILURE, or we are not root");
	test_poison(16 * PAGE, "small pages");
	test_poison(2 * MIB, "a huge page");
	test_soft_offline();
	return tap_exit();
}
