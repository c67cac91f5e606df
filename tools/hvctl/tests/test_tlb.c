// SPDX-License-Identifier: GPL-2.0-only
/* Page walks remembered: known as long as they would go the same way, and no longer. */
#include "emul/tlb.h"
#include "walk_test.h"

#define A X86_PTE_A
#define D X86_PTE_D

static struct hv_tlb tlb;

/* PML4 at 0x1000, PDPT 0x2000, PD 0x3000, PT 0x4000. */
static int setup(void **state)
{
	new_memory(state);
	memset(&tlb, 0, sizeof(tlb));
	test_put64(&memory, 0x1000, 0x2000 | P | W | U);
	test_put64(&memory, 0x2000, 0x3000 | P | W | U);
	test_put64(&memory, 0x3000, 0x4000 | P | W | U);
	test_put64(&memory, 0x3008, 0x600000 | P | W | U | PS);
	test_put64(&memory, 0x4008, 0x5000 | P | W | U);
	return 0;
}

static bool known(const struct hv_paging *paging, uint64_t gla, unsigned int access, uint64_t want)
{
	uint64_t gpa = ~0ULL;

	if (!hv_tlb_find(&tlb, paging, gla, access, &gpa))
		return false;
	assert_int_equal(gpa, want);
	return true;
}

static void walk(const struct hv_paging *paging, uint64_t gla, unsigned int access, uint64_t want)
{
	struct hv_fault fault;
	uint64_t gpa;

	assert_true(hv_tlb_walk(&tlb, &memory, paging, gla, access, &gpa, &fault));
	assert_int_equal(gpa, want);
}

static void test_known_afterwards(void **state)
{
	(void)state;
	assert_false(known(&long_mode, 0, 0, 0));
	assert_false(known(&long_mode, 0x1abc, 0, 0));
	walk(&long_mode, 0x1abc, 0, 0x5abc);
	assert_true(known(&long_mode, 0x1abc, 0, 0x5abc));
	assert_true(known(&long_mode, 0x1000, 0, 0x5000));
	/* Of a large page only the 4 KiB that were asked for. */
	walk(&long_mode, 0x212345, HV_WALK_WRITE, 0x612345);
	assert_true(known(&long_mode, 0x212fff, HV_WALK_WRITE, 0x612fff));
	assert_false(known(&long_mode, 0x213000, HV_WALK_WRITE, 0));
}

static void test_other_pages_and_accesses(void **state)
{
	(void)state;
	walk(&long_mode, 0x1abc, 0, 0x5abc);
	assert_false(known(&long_mode, 0x2abc, 0, 0));
	assert_false(known(&long_mode, 0x1abc + HV_TLB_ENTRIES * 4096, 0, 0));
	assert_false(known(&long_mode, 0x1abc + (1ULL << 48), 0, 0));
	for (unsigned int access = 1; access < 8; access++)
		assert_false(known(&long_mode, 0x1abc, access, 0));
	/* Reading, writing and fetching are known side by side. */
	walk(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	walk(&long_mode, 0x1abc, HV_WALK_FETCH, 0x5abc);
	walk(&long_mode, 0x1abc, 0, 0x5abc);
	assert_true(known(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc));
	assert_true(known(&long_mode, 0x1abc, HV_WALK_FETCH, 0x5abc));
}

static void test_other_paging(void **state)
{
	struct hv_paging paging = long_mode;

	(void)state;
	walk(&long_mode, 0x1abc, 0, 0x5abc);
	paging.cr0 &= ~X86_CR0_WP;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.cr0 &= ~X86_CR0_PG;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.cr3 = 0x7000;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.cr4 |= X86_CR4_SMAP;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.efer &= ~X86_EFER_LMA;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.user = true;
	assert_false(known(&paging, 0x1abc, 0, 0));
	paging = long_mode;
	paging.rflags = X86_RFLAGS_AC;
	assert_false(known(&paging, 0x1abc, 0, 0));
	/* Other flags mean nothing to a walk. */
	paging.rflags = X86_RFLAGS_IF | X86_RFLAGS_CF;
	assert_true(known(&paging, 0x1abc, 0, 0x5abc));
}

/* Any change of an entry that the walk went through, down to each bit of it. */
static void test_changed_entries(void **state)
{
	static const uint64_t entries[] = { 0x1000, 0x2000, 0x3000, 0x4008 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int bit = 0; bit < 64; bit++) {
			uint64_t old;

			walk(&long_mode, 0x1abc, 0, 0x5abc);
			old = test_get(&memory, entries[i], 8);
			test_put64(&memory, entries[i], old ^ 1ULL << bit);
			assert_false(known(&long_mode, 0x1abc, 0, 0));
			test_put64(&memory, entries[i], old);
			assert_true(known(&long_mode, 0x1abc, 0, 0x5abc));
		}
	}
	/* Its neighbours may do what they like. */
	test_put64(&memory, 0x4010, 0x7000 | P);
	test_put64(&memory, 0x4000, 0x7000 | P);
	assert_true(known(&long_mode, 0x1abc, 0, 0x5abc));
}

/*
 * The bits that a walk sets do not make itself unknown; a guest that takes them back gets them
 * again.
 */
static void test_accessed_and_dirty(void **state)
{
	(void)state;
	walk(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	assert_true(known(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc));
	test_put64(&memory, 0x4008, 0x5000 | P | W | U | A);
	assert_false(known(&long_mode, 0x1abc, HV_WALK_WRITE, 0));
	walk(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	assert_int_equal(test_get(&memory, 0x4008, 8), 0x5000 | P | W | U | A | D);
	/* Looking leaves no trace. */
	test_put64(&memory, 0x4008, 0x5000 | P | W | U);
	walk(&long_mode, 0x1abc, HV_WALK_PEEK, 0x5abc);
	assert_true(known(&long_mode, 0x1abc, HV_WALK_PEEK, 0x5abc));
	assert_int_equal(test_get(&memory, 0x4008, 8), 0x5000 | P | W | U);
}

static void test_faults_are_not_known(void **state)
{
	struct hv_fault fault;
	uint64_t gpa;

	(void)state;
	walk(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	test_put64(&memory, 0x4008, 0x5000 | P | U);
	assert_false(hv_tlb_walk(&tlb, &memory, &long_mode, 0x1abc, HV_WALK_WRITE, &gpa, &fault));
	assert_int_equal(fault.cr2, 0x1abc);
	test_put64(&memory, 0x4008, 0x5000 | P | W | U | A | D);
	assert_false(known(&long_mode, 0x1abc, HV_WALK_WRITE, 0));
	walk(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc);
	assert_true(known(&long_mode, 0x1abc, HV_WALK_WRITE, 0x5abc));
}

static void test_without_paging(void **state)
{
	struct hv_paging off = { 0 };

	(void)state;
	walk(&off, 0x1abc, 0, 0x1abc);
	assert_false(known(&off, 0x1abc, 0, 0));
	assert_false(known(&long_mode, 0x1abc, 0, 0));
}

static void test_other_formats(void **state)
{
	struct hv_paging legacy = { .cr0 = X86_CR0_PE | X86_CR0_PG,
				    .cr3 = 0x8000,
				    .cr4 = X86_CR4_PSE };
	struct hv_paging pae = { .cr0 = X86_CR0_PE | X86_CR0_PG,
				 .cr3 = 0xa020,
				 .cr4 = X86_CR4_PAE };
	struct hv_paging five = long_mode;

	(void)state;
	test_put32(&memory, 0x8000, 0x9000 | P | W);
	test_put32(&memory, 0x9004, 0x5000 | P | W);
	walk(&legacy, 0x1abc, 0, 0x5abc);
	assert_true(known(&legacy, 0x1abc, 0, 0x5abc));
	/* The other half of eight bytes is another entry. */
	test_put32(&memory, 0x9008, 0x7000 | P);
	assert_true(known(&legacy, 0x1abc, 0, 0x5abc));
	test_put32(&memory, 0x9004, 0x7000 | P | W | A);
	assert_false(known(&legacy, 0x1abc, 0, 0));
	/* The same word is PAE's to read as well. */
	test_put64(&memory, 0xa020, 0x3000 | P);
	walk(&pae, 0x1abc, 0, 0x5abc);
	assert_true(known(&pae, 0x1abc, 0, 0x5abc));
	test_put64(&memory, 0xa020, 0x7000 | P);
	assert_false(known(&pae, 0x1abc, 0, 0));
	five.cr3 = 0xb000;
	five.cr4 |= X86_CR4_LA57;
	test_put64(&memory, 0xb000, 0x1000 | P | W);
	walk(&five, 0x1abc, 0, 0x5abc);
	assert_true(known(&five, 0x1abc, 0, 0x5abc));
	test_put64(&memory, 0xb000, 0);
	assert_false(known(&five, 0x1abc, 0, 0));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_known_afterwards),   T(test_other_pages_and_accesses),
		T(test_other_paging),       T(test_changed_entries),
		T(test_accessed_and_dirty), T(test_faults_are_not_known),
		T(test_without_paging),     T(test_other_formats),
	};

	return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}
