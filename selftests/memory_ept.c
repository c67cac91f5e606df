// SPDX-License-Identifier: GPL-2.0-only
/* GET_EPT: the entries that translate a guest-physical address, and what they must not tell. */
#include <sys/mman.h>

#include "lib.h"

#define GPA	0x80000000UL
#define BYTES	(4 * MIB)

/* SDM, "EPT Translation Mechanism". */
#define R	(1UL << 0)
#define W	(1UL << 1)
#define X	(1UL << 2)
#define WB	(6UL << 3)
#define IPAT	(1UL << 6)
#define LARGE	(1UL << 7)
#define A	(1UL << 8)
#define D	(1UL << 9)
#define TOLD	0x7ffUL

static struct vcpu *vcpu;
static struct tinyvmx_get_ept ept;

static int get_ept(u64 gpa)
{
	ept = (struct tinyvmx_get_ept){ .size = sizeof(ept), .gpa = gpa };
	/* What is not written is seen. */
	memset(ept.entries, 0xaa, sizeof(ept.entries));
	return ioctl(vcpu->vm->fd, TINYVMX_GET_EPT, &ept);
}

/* The entry that maps @gpa, or 0. */
static u64 leaf(u64 gpa)
{
	must(get_ept(gpa));
	return ept.entries[ept.count - 1];
}

static volatile u64 *word(void)
{
	return (volatile u64 *)(GPA + 3 * PAGE);
}

static void reads(void)
{
	(void)*word();
}

static void writes(void)
{
	*word() = 1;
}

static void does(void (*what)(void))
{
	vcpu_call(vcpu, what, 0);
	must_done(vcpu);
}

static u8 *begin(u32 flags, bool small)
{
	u8 *ram = map_anon(BYTES + 2 * MIB);

	ram += -(uintptr_t)ram % (2 * MIB);
	if (small)
		use_small_pages(ram, BYTES);
	else
		madvise(ram, BYTES, MADV_HUGEPAGE);
	memset(ram, 1, BYTES);
	vcpu = vcpu_simple(reads);
	must(set_memory(vcpu->vm->fd, 1, flags, GPA, BYTES, ram));
	return ram;
}

static void end(u8 *ram)
{
	vcpu_simple_destroy(vcpu);
	munmap(ram, BYTES);
}

/* Bits that a CPU without accessed and dirty flags does not set. */
static u64 noted(u64 bits)
{
	return info()->capabilities & TINYVMX_CAP_EPT_AD ? bits : 0;
}

static void test_small(void)
{
	u8 *ram = begin(0, true);
	u64 before = GPA + 3 * PAGE, all = 0;

	is(leaf(before), 0, "nothing is mapped before the guest runs");
	does(reads);
	is(leaf(before), R | W | X | WB | IPAT | noted(A), "a page that it has read");
	is(ept.count, TINYVMX_EPT_LEVELS, "there are four entries");
	for (u32 i = 0; i < 3; i++) {
		is(ept.entries[i] & (R | W | X | LARGE), R | W | X, "entry %u is a table's", i);
		all |= ept.entries[i];
	}
	is(all & ~TOLD, 0, "they tell no address");
	is(leaf(before + PAGE - 1), R | W | X | WB | IPAT | noted(A), "its last byte, too");
	is(leaf(before + PAGE), 0, "not the page behind it");
	does(writes);
	is(leaf(before), R | W | X | WB | IPAT | noted(A | D), "a page that it has written");
	must(madvise(ram, BYTES, MADV_DONTNEED));
	is(leaf(before), 0, "a page that is given back");
	does(writes);
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	is(leaf(before), 0, "the slot is deleted");
	end(ram);
}

static void test_read_only(void)
{
	u8 *ram = begin(TINYVMX_MEMORY_READONLY, true);

	does(reads);
	is(leaf(GPA + 3 * PAGE), R | X | WB | IPAT | noted(A), "ROM cannot be written");
	end(ram);
}

static void test_large(void)
{
	u8 *ram = begin(0, false);
	u64 entry;

	does(writes);
	entry = leaf(GPA);
	if (!(info()->capabilities & TINYVMX_CAP_EPT_2M) || !entry) {
		skip("no large pages here", "a large page");
	} else {
		/* With module parameter nx_huge_pages' like it is not executable. */
		is(entry & ~X, R | W | WB | IPAT | LARGE | noted(A | D), "a large page");
		is(ept.count, TINYVMX_EPT_LEVELS - 1, "by three entries");
		is(ept.entries[TINYVMX_EPT_LEVELS - 1], 0, "nothing behind them");
		is(leaf(GPA + 2 * MIB - 1), entry, "to its end");
	}
	end(ram);
}

static void test_errors(void)
{
	u64 last = 1UL << info()->gpa_bits;
	u8 *ram = begin(0, true);
	struct tinyvmx_get_ept *nowhere = (void *)8;

	is(get_ept(last - 1), 0, "the last address");
	err_is(get_ept(last), EINVAL, "beyond gpa_bits");
	err_is(get_ept(~0UL), EINVAL, "far beyond");
	is(get_ept(64 * GIB), 0, "where no slot is");
	ok(ept.count && !ept.entries[ept.count - 1], "nothing is mapped there");
	ept.pad = 1;
	err_is(ioctl(vcpu->vm->fd, TINYVMX_GET_EPT, &ept), EINVAL, "pad is not 0");
	err_is(ioctl(vcpu->vm->fd, TINYVMX_GET_EPT, nowhere), EFAULT, "no argument there");
	end(ram);
}

int main(void)
{
	tap_init();
	test_small();
	test_read_only();
	test_large();
	test_errors();
	return tap_exit();
}
