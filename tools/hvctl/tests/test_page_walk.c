// SPDX-License-Identifier: GPL-2.0-only
/* Page walks for people: each mode, each way to end. */
#include "debug/ept_walk.h"
#include "debug/page_walk.h"
#include "lib/util.h"
#include "walk_test.h"

#define GPA_BITS 39

static struct tinyvmx_sregs sregs;
static struct hv_page_walk walk;

static void put(uint64_t gpa, uint64_t value, unsigned int bytes)
{
	test_put(&memory, gpa, &value, bytes);
}

static void walk_to(uint64_t gla)
{
	hv_page_walk(&walk, &memory, &sregs, GPA_BITS, gla);
}

static int setup(void **state)
{
	new_memory(state);
	sregs = (struct tinyvmx_sregs){
		.cr0 = long_mode.cr0, .cr3 = 0x1000, .cr4 = long_mode.cr4, .efer = long_mode.efer
	};
	return 0;
}

static void test_four_levels(void **state)
{
	(void)state;
	put(0x1000 + 3 * 8, 0x2000 | P | W | U, 8);
	put(0x2000, 0x3000 | P | W, 8);
	put(0x3000 + 8, 0x4000 | P | U, 8);
	put(0x4000 + 5 * 8, 0x9000 | P | W | U | X86_PTE_NX | X86_PTE_A | X86_PTE_D, 8);
	walk_to(3ULL << 39 | 1 << 21 | 5 << 12 | 0x123);
	assert_true(walk.mapped);
	assert_int_equal(walk.count, 4);
	assert_int_equal(walk.gpa, 0x9123);
	assert_int_equal(walk.page_bytes, 4096);
	assert_string_equal(walk.step[0].table, "PML4");
	assert_int_equal(walk.step[0].index, 3);
	assert_int_equal(walk.step[3].gpa, 0x4028);
	/* What all allow. */
	assert_false(walk.writable);
	assert_false(walk.user);
	assert_true(walk.no_execute);
	walk_to(3ULL << 39 | 2 << 21);
	assert_false(walk.mapped);
	assert_int_equal(walk.count, 3);
	assert_int_equal(walk.step[2].index, 2);
	walk_to(1ULL << 47);
	assert_false(walk.canonical);
	assert_int_equal(walk.count, 0);
}

static void test_large_pages(void **state)
{
	(void)state;
	put(0x1000, 0x2000 | P | W, 8);
	put(0x2000, 0x40000000 | P | W | PS, 8);
	walk_to(0x1234567);
	assert_int_equal(walk.gpa, 0x41234567);
	assert_int_equal(walk.page_bytes, 1 << 30);
	/* Bits that must be clear there, beyond the width, and in a table that maps none. */
	put(0x2000, 0x40002000 | P | W | PS, 8);
	walk_to(0);
	assert_false(walk.mapped);
	assert_int_equal(walk.step[1].reserved, 0x2000);
	put(0x2000, 1ULL << GPA_BITS | P | W, 8);
	walk_to(0);
	assert_int_equal(walk.step[1].reserved, 1ULL << GPA_BITS);
	put(0x1000, 0x2000 | P | W | PS, 8);
	walk_to(0);
	assert_int_equal(walk.step[0].reserved, PS);
	/* A table where there is no memory. */
	put(0x1000, 0x10000000 | P | W, 8);
	walk_to(0);
	assert_int_equal(walk.count, 2);
	assert_false(walk.step[1].is_ram);
	assert_false(walk.mapped);
}

static void test_legacy(void **state)
{
	(void)state;
	sregs.efer = 0;
	sregs.cr4 = 0;
	put(0x1000 + 4, 0x2000 | P | W, 4);
	put(0x2000, 0x7000 | P | W, 4);
	walk_to(0x400010);
	assert_int_equal(walk.count, 2);
	assert_int_equal(walk.gpa, 0x7010);
	/* A page of 4 MiB above 4 GiB, by PSE-36. */
	sregs.cr4 = X86_CR4_PSE;
	put(0x1000 + 4, 0x00c00000 | 1 << 13 | P | W | PS, 4);
	walk_to(0x400010);
	assert_int_equal(walk.gpa, 0x100c00010);
	assert_int_equal(walk.page_bytes, 4 << 20);
	/* Addresses have 39 bits: bit 20 would be the 40th. */
	put(0x1000 + 4, 0x00c00000 | 3 << 20 | P | W | PS, 4);
	walk_to(0x400010);
	assert_int_equal(walk.step[0].reserved, 3 << 20);
	/* PAE's four are registers. */
	sregs.cr4 = X86_CR4_PAE;
	sregs.pdpte[1] = 0x3000 | P;
	put(0x3000, 0x200000 | P | W | PS, 8);
	walk_to(0x40000042);
	assert_true(walk.step[0].is_register);
	assert_int_equal(walk.step[0].index, 1);
	assert_int_equal(walk.gpa, 0x200042);
	assert_true(walk.writable);
	sregs.cr0 = X86_CR0_PE;
	walk_to(0x1ffffffff);
	assert_int_equal(walk.count, 0);
	assert_int_equal(walk.gpa, 0xffffffff);
}

static void test_words(void **state)
{
	json_t *object;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	put(0x1000, 0x2000 | P | W | U, 8);
	put(0x2000, 0x40000000 | P | W | PS | 1 << 4 | X86_PTE_NX, 8);
	walk_to(0x10);
	object = hv_page_walk_json(&walk, 0x10, 0x0007040600070406);
	json_object_set_new(object, "backing", json_string("RAM"));
	json_object_set_new(object, "vcpu", json_integer(1));
	hv_page_walk_print(object, out);
	fclose(out);
	assert_string_equal(
		text,
		"linear address 0x10, vCPU 1:\n"
		"  PML4[0] at 0x1000: 0x2007 [P W U]\n"
		"  PDPT[0] at 0x2000: 0x8000000040000093 [P W PCD PS NX]\n"
		"  guest-physical 0x40000010, a page of 1024 MiB: writable, supervisor, not executable; memory type UC- (PAT entry 2)\n"
		"  backed by RAM\n");
	json_decref(object);
	free(text);
}

/* Of @gpa, with @count entries (0: nobody tells), all @table but for the last, @leaf. */
static void ept_says(uint64_t gpa, unsigned int count, uint64_t table, uint64_t leaf,
		     const char *words)
{
	struct tinyvmx_get_ept ept = { .gpa = gpa, .count = count };
	json_t *object;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (unsigned int i = 0; i < count; i++)
		ept.entries[i] = i + 1 < count ? table : leaf;
	object = count ? hv_ept_walk_json(&ept) : json_null();
	hv_ept_walk_print(object, "> ", out);
	fclose(out);
	assert_string_equal(text, words);
	json_decref(object);
	free(text);
}

static void test_ept(void **state)
{
	(void)state;
	ept_says(
		0x123456789abc, 4, 0x107, 0x377,
		"> EPT: PML4[36] [R W X A], PDPT[209] [R W X A], PD[179] [R W X A], PT[393] [R W X A D]: 4 KiB, WB, PAT ignored\n");
	/* Of a table, D and PS have no meaning. */
	ept_says(0x200000, 3, 0x387, 0x4b5,
		 "> EPT: PML4[0] [R W X A], PDPT[0] [R W X A], PD[1] [R X XU PS]: 2 MiB, WB\n");
	ept_says(0x40000000, 2, 7, 0x83,
		 "> EPT: PML4[0] [R W X], PDPT[1] [R W PS]: 1024 MiB, UC\n");
	ept_says(
		0, 4, 7, 0x13,
		"> EPT: PML4[0] [R W X], PDPT[0] [R W X], PD[0] [R W X], PT[0] [R W]: 4 KiB, reserved\n");
	ept_says(0, 1, 0, 0, "> EPT: PML4[0] []: not mapped\n");
	ept_says(0, 0, 0, 0, "> EPT: the module does not tell\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_four_levels), T(test_large_pages), T(test_legacy),
		T(test_words),       T(test_ept),
	};

	return cmocka_run_group_tests_name("page_walk", tests, NULL, NULL);
}
