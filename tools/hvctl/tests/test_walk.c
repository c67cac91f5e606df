// SPDX-License-Identifier: GPL-2.0-only
/* Page walks: every format, every page size, rights, accessed and dirty bits. */
#include "walk_test.h"

static void maps(const struct hv_paging *paging, uint64_t gla, unsigned int access, uint64_t want)
{
	struct hv_fault fault;
	uint64_t gpa = 0;

	if (!hv_walk(&memory, paging, gla, access, &gpa, &fault, NULL))
		fail_msg("%llx: fault %u code %x", (unsigned long long)gla, fault.vector,
			 fault.error_code);
	if (gpa != want)
		fail_msg("%llx maps to %llx, not %llx", (unsigned long long)gla,
			 (unsigned long long)gpa, (unsigned long long)want);
}

static void faults(const struct hv_paging *paging, uint64_t gla, unsigned int access, uint32_t code)
{
	struct hv_fault fault = { 0 };
	uint64_t gpa;

	assert_false(hv_walk(&memory, paging, gla, access, &gpa, &fault, NULL));
	assert_int_equal(fault.vector, X86_VECTOR_PF);
	assert_int_equal(fault.error_code, code);
	assert_int_equal(fault.cr2, gla);
}

static void test_no_paging(void **state)
{
	struct hv_paging paging = { 0 };

	(void)state;
	maps(&paging, 0x12345678, HV_WALK_WRITE, 0x12345678);
	maps(&paging, 0x112345678, 0, 0x12345678);
}

/* PML4 at 0x1000, PDPT 0x2000, PD 0x3000, PT 0x4000. */
static void build_long(uint64_t rights)
{
	test_put64(&memory, 0x1000, 0x2000 | rights);
	test_put64(&memory, 0x2000, 0x3000 | rights);
	test_put64(&memory, 0x2008, 0x40000000 | rights | PS);
	test_put64(&memory, 0x3000, 0x4000 | rights);
	test_put64(&memory, 0x3008, 0x600000 | rights | PS);
	test_put64(&memory, 0x4008, 0x5000 | rights);
	test_put64(&memory, 0x1ff8, 0x2000 | rights);
}

static void test_4_levels(void **state)
{
	(void)state;
	build_long(P | W);
	maps(&long_mode, 0x1abc, 0, 0x5abc);
	maps(&long_mode, 0x212345, 0, 0x612345);
	maps(&long_mode, 0x40000000 + 0x1234567, 0, 0x40000000 + 0x1234567);
	maps(&long_mode, 0xffffff8000001abc, 0, 0x5abc);
	faults(&long_mode, 0x2000, 0, 0);
	faults(&long_mode, 0x2000, HV_WALK_WRITE, X86_PF_W);
	faults(&long_mode, 0x2000, HV_WALK_FETCH, X86_PF_I);
	faults(&long_mode, 0x80000000, 0, 0);
}

static void test_not_canonical(void **state)
{
	struct hv_paging la57 = long_mode;
	struct hv_fault fault;
	uint64_t gpa;

	(void)state;
	build_long(P | W);
	assert_false(hv_walk(&memory, &long_mode, 0x800000000000, 0, &gpa, &fault, NULL));
	assert_int_equal(fault.vector, X86_VECTOR_GP);
	la57.cr4 |= X86_CR4_LA57;
	assert_false(hv_walk(&memory, &la57, 0x100000000000000, 0, &gpa, &fault, NULL));
	assert_int_equal(fault.vector, X86_VECTOR_GP);
	assert_false(hv_walk(&memory, &la57, 0x800000000000, 0, &gpa, &fault, NULL));
	assert_int_equal(fault.vector, X86_VECTOR_PF);
}

static void test_5_levels(void **state)
{
	struct hv_paging paging = long_mode;

	(void)state;
	build_long(P | W);
	test_put64(&memory, 0x8000, 0x1000 | P | W);
	paging.cr3 = 0x8000;
	paging.cr4 |= X86_CR4_LA57;
	maps(&paging, 0x1abc, 0, 0x5abc);
}

static void test_accessed_and_dirty(void **state)
{
	(void)state;
	build_long(P | W);
	maps(&long_mode, 0x1000, HV_WALK_PEEK | HV_WALK_WRITE, 0x5000);
	assert_int_equal(test_get(&memory, 0x4008, 8), 0x5000 | P | W);
	maps(&long_mode, 0x1000, 0, 0x5000);
	assert_int_equal(test_get(&memory, 0x1000, 8), 0x2000 | P | W | X86_PTE_A);
	assert_int_equal(test_get(&memory, 0x4008, 8), 0x5000 | P | W | X86_PTE_A);
	maps(&long_mode, 0x1000, HV_WALK_WRITE, 0x5000);
	assert_int_equal(test_get(&memory, 0x4008, 8), 0x5000 | P | W | X86_PTE_A | X86_PTE_D);
	assert_int_equal(test_get(&memory, 0x3000, 8), 0x4000 | P | W | X86_PTE_A);
}

static void test_rights(void **state)
{
	struct hv_paging user = long_mode, no_wp = long_mode, smap = long_mode;

	(void)state;
	user.user = true;
	no_wp.cr0 &= ~X86_CR0_WP;
	smap.cr4 |= X86_CR4_SMAP;

	build_long(P | W);
	faults(&user, 0x1000, 0, X86_PF_P | X86_PF_U);
	build_long(P | W | U);
	maps(&user, 0x1000, HV_WALK_WRITE, 0x5000);
	faults(&smap, 0x1000, 0, X86_PF_P);
	smap.rflags = X86_RFLAGS_AC;
	maps(&smap, 0x1000, 0, 0x5000);
	/* Read-only in one level is read-only. */
	test_put64(&memory, 0x3000, 0x4000 | P | U);
	faults(&user, 0x1000, HV_WALK_WRITE, X86_PF_P | X86_PF_W | X86_PF_U);
	faults(&long_mode, 0x1000, HV_WALK_WRITE, X86_PF_P | X86_PF_W);
	maps(&no_wp, 0x1000, HV_WALK_WRITE, 0x5000);
	maps(&user, 0x1000, 0, 0x5000);
	test_put64(&memory, 0x4008, 0x5000 | P | W | U | X86_PTE_NX);
	faults(&user, 0x1000, HV_WALK_FETCH, X86_PF_P | X86_PF_I | X86_PF_U);
}

static void test_pae(void **state)
{
	struct hv_paging paging = {
		.cr0 = X86_CR0_PE | X86_CR0_PG,
		.cr3 = 0x1020,
		.cr4 = X86_CR4_PAE,
	};

	(void)state;
	test_put64(&memory, 0x1020 + 3 * 8, 0x2000 | P);
	test_put64(&memory, 0x2000, 0x3000 | P | W);
	test_put64(&memory, 0x2008, 0x10000600000 | P | W | PS);
	test_put64(&memory, 0x3008, 0x5000 | P | W);
	maps(&paging, 0xc0001abc, HV_WALK_WRITE, 0x5abc);
	maps(&paging, 0xc0212345, 0, 0x10000612345);
	faults(&paging, 0x1000, 0, 0);
}

static void test_2_levels(void **state)
{
	struct hv_paging paging = {
		.cr0 = X86_CR0_PE | X86_CR0_PG,
		.cr3 = 0x1fff, /* the low bits do not count */
		.cr4 = X86_CR4_PSE,
	};

	(void)state;
	test_put32(&memory, 0x1000 + 4 * 0x300, 0x2000 | P | W);
	test_put32(&memory, 0x1000 + 4 * 0x301, 0x00800000 | 1 << 13 | P | W | PS);
	test_put32(&memory, 0x2004, 0x5000 | P | W);
	maps(&paging, 0xc0001abc, HV_WALK_WRITE, 0x5abc);
	maps(&paging, 0xc0412345, 0, 0x100812345); /* PSE-36 */
	paging.cr4 = 0;
	faults(&paging, 0xc0412345, 0, 0); /* then bit 7 means nothing, and the table is not RAM */
	assert_int_equal(test_get(&memory, 0x2004, 4), 0x5000 | P | W | X86_PTE_A | X86_PTE_D);
}

static void test_tables_outside_ram(void **state)
{
	struct hv_paging paging = long_mode;

	(void)state;
	paging.cr3 = 1ULL << 40;
	faults(&paging, 0x1000, 0, 0);
	paging.cr3 = ~0xfffULL;
	faults(&paging, 0x1000, 0, 0);
}

static void test_peek(void **state)
{
	uint8_t buf[16];

	(void)state;
	build_long(P);
	test_put64(&memory, 0x5ff8, 0x1122334455667788);
	assert_int_equal(hv_peek(&memory, &long_mode, 0x1ffe, buf, sizeof(buf)), 2);
	assert_int_equal(buf[0], 0x22);
	assert_int_equal(buf[1], 0x11);
	assert_int_equal(hv_peek(&memory, &long_mode, 0x80000000, buf, sizeof(buf)), 0);
}

/* ---------------------------------------------------- accesses by linear address */

struct chip {
	struct hv_region region;
	uint8_t bytes[0x1000];
};

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct chip *chip = dev;

	*value = write ? *value : 0;
	if (write)
		memcpy(chip->bytes + offset, value, width);
	else
		memcpy(value, chip->bytes + offset, width);
}

static void test_guest_access_across_pages(void **state)
{
	static struct chip chip;
	struct hv_bus bus = { 0 };
	struct hv_guest guest = { .memory = &memory, .bus = &bus, .paging = long_mode };
	uint64_t value = 0x1122334455667788;

	(void)state;
	chip.region = (struct hv_region){ "chip", HV_MMIO, 0x10000000, 0x1000, chip_access, &chip };
	hv_bus_register(&bus, &chip.region);
	build_long(P | W);
	test_put64(&memory, 0x4010, 0x10000000 | P | W);
	/* 3 bytes of RAM, then 5 of the chip. */
	assert_true(hv_guest_access(&guest, 0x1ffd, 8, true, &value));
	assert_int_equal(test_get(&memory, 0x5ffd, 3), 0x667788);
	assert_memory_equal(chip.bytes, "\x55\x44\x33\x22\x11\0", 6);
	value = UINT64_MAX;
	assert_true(hv_guest_access(&guest, 0x1ffd, 8, false, &value));
	assert_int_equal(value, 0x1122334455667788);
	assert_true(hv_guest_access(&guest, 0x1ffe, 4, false, &value));
	assert_int_equal(value, 0x44556677);
}

static void test_guest_access_all_or_nothing(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_guest guest = { .memory = &memory, .bus = &bus, .paging = long_mode };
	uint64_t value = 0x1122334455667788;

	(void)state;
	build_long(P | W);
	assert_false(hv_guest_access(&guest, 0x1ffd, 8, true, &value));
	assert_int_equal(guest.fault.cr2, 0x2000);
	assert_int_equal(test_get(&memory, 0x5ffd, 3), 0);
	assert_false(hv_guest_check(&guest, 0x1ffd, 8, true));
	assert_true(hv_guest_check(&guest, 0x1ff8, 8, true));
}

static void test_known_translation(void **state)
{
	static struct chip chip;
	struct hv_bus bus = { 0 };
	struct hv_guest guest = {
		.memory = &memory,
		.bus = &bus,
		.paging = long_mode,
		.known = HV_KNOWN_READ | HV_KNOWN_WRITE,
		.known_gla = 0x7123,
		.known_gpa = 0x10000123,
	};
	uint64_t value = 0x42;

	(void)state;
	chip.region = (struct hv_region){ "chip", HV_MMIO, 0x10000000, 0x1000, chip_access, &chip };
	hv_bus_register(&bus, &chip.region);
	/* No page tables at all: what the CPU has found is taken. */
	assert_true(hv_guest_access(&guest, 0x7010, 1, true, &value));
	assert_int_equal(chip.bytes[0x10], 0x42);
	assert_false(hv_guest_access(&guest, 0x8010, 1, true, &value));
	guest.known = HV_KNOWN_READ;
	assert_true(hv_guest_access(&guest, 0x7010, 1, false, &value));
	assert_int_equal(value, 0x42);
	assert_false(hv_guest_access(&guest, 0x7010, 1, true, &value));
}

/* The exit for a write to a ROM; the instruction may read it as well. */
static void test_known_rom(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_guest guest = {
		.memory = &memory,
		.bus = &bus,
		.paging = long_mode,
		.known = HV_KNOWN_READ | HV_KNOWN_WRITE,
		.known_gla = 0x7123,
		.known_gpa = 0xfffff123,
	};
	struct hv_error err;
	uint64_t value = 0x42;

	(void)state;
	assert_int_equal(hv_memory_add_rom(&memory, 0x1000, &err), 0);
	memory.rom[0].hva[0x10] = 0x55;
	assert_true(hv_guest_access(&guest, 0x7010, 1, true, &value));
	assert_true(hv_guest_access(&guest, 0x7010, 1, false, &value));
	assert_int_equal(value, 0x55);
}

/* A page table that a BIOS has in its ROM: the CPU goes through it and leaves it as it is. */
static void test_tables_in_rom(void **state)
{
	const uint64_t entry = 0x5000 | P | W;
	struct hv_error err;

	(void)state;
	build_long(P | W);
	assert_int_equal(hv_memory_add_rom(&memory, 0x1000, &err), 0);
	test_put64(&memory, 0xfffff008, entry);
	test_put64(&memory, 0x3000, 0xfffff000 | P | W);
	maps(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	assert_int_equal(test_get(&memory, 0xfffff008, 8), entry);
	assert_int_equal(test_get(&memory, 0x3000, 8), 0xfffff000 | P | W | X86_PTE_A);
}

static unsigned int dirtied;
static uint64_t dirtied_gpa;

static void note_dirtied(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	(void)len;
	dirtied++;
	dirtied_gpa = gpa;
}

/* Who keeps track of RAM hears of what is written here: accessed bits, and data. */
static void test_writes_are_told(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_guest guest = { .memory = &memory, .bus = &bus, .paging = long_mode };
	uint64_t value = 0x42;

	(void)state;
	build_long(P | W);
	memory.dirtied = note_dirtied;
	dirtied = 0;
	maps(&long_mode, 0x1abc, 0, 0x5abc);
	assert_int_equal(dirtied, 4);
	assert_int_equal(dirtied_gpa, 0x4008);
	maps(&long_mode, 0x1abc, 0, 0x5abc);
	assert_int_equal(dirtied, 4);
	assert_true(hv_guest_access(&guest, 0x1abc, 4, false, &value));
	assert_int_equal(dirtied, 4);
	assert_true(hv_guest_access(&guest, 0x1abc, 4, true, &value));
	assert_int_equal(dirtied, 6);
	assert_int_equal(dirtied_gpa, 0x5abc);
}

#define T(name) cmocka_unit_test_setup_teardown(name, new_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_paging),
		T(test_4_levels),
		T(test_not_canonical),
		T(test_5_levels),
		T(test_accessed_and_dirty),
		T(test_rights),
		T(test_pae),
		T(test_2_levels),
		T(test_tables_outside_ram),
		T(test_peek),
		T(test_guest_access_across_pages),
		T(test_guest_access_all_or_nothing),
		T(test_known_translation),
		T(test_known_rom),
		T(test_tables_in_rom),
		T(test_writes_are_told),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
