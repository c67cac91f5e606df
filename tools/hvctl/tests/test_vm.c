// SPDX-License-Identifier: GPL-2.0-only
/* RAM in slots, and in pieces of them where pages are hidden. */
#include "fake_tvx.h"
#include "lib/util.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 4096ULL

static struct hv_vm vm;
static struct hv_memory memory;

static int setup(void **state, uint64_t size)
{
	struct hv_error err = { .text = "" };

	(void)state;
	fake_reset(NULL);
	vm = (struct hv_vm){ .device = -1, .fd = 3 };
	if (hv_memory_init(&memory, size, &err) || hv_memory_add_rom(&memory, 64 * HV_KIB, &err) ||
	    hv_vm_map(&vm, &memory, &err))
		fail_msg("%s", err.text);
	return 0;
}

static int setup_small(void **state)
{
	return setup(state, 8 * HV_MIB);
}

static int setup_two_ranges(void **state)
{
	return setup(state, 4 * HV_GIB);
}

static int teardown(void **state)
{
	(void)state;
	hv_memory_exit(&memory);
	return 0;
}

static const struct fake_slot *slot_at(uint64_t gpa)
{
	for (unsigned int i = 0; i < FAKE_SLOTS; i++)
		if (gpa - fake.slots[i].gpa < fake.slots[i].len)
			return &fake.slots[i];
	return NULL;
}

/* All of RAM is there, in as many slots, and the hidden pages are what is executed only. */
static void is_hidden(const uint64_t *page, unsigned int count, unsigned int slots)
{
	unsigned int pieces = 0, hidden = 0;

	for (unsigned int n = 0; n < memory.count; n++) {
		const struct hv_ram_range *range = &memory.range[n];
		const struct fake_slot *slot;

		for (uint64_t at = range->gpa; at < range->gpa + range->len; at += slot->len) {
			slot = slot_at(at);
			assert_non_null(slot);
			assert_int_equal(slot->gpa, at);
			assert_ptr_equal(slot->hva, range->hva + (at - range->gpa));
			pieces++;
			if (!slot->flags)
				continue;
			assert_int_equal(slot->flags, TINYVMX_MEMORY_EXECUTE_ONLY);
			assert_int_equal(slot->len, PAGE);
			assert_int_equal(slot->gpa, page[hidden++]);
		}
	}
	assert_int_equal(hidden, count);
	assert_int_equal(pieces, slots);
	assert_int_equal(slot_at(HV_GAP_END - 1)->flags, TINYVMX_MEMORY_READONLY);
}

static void hide(const uint64_t *page, unsigned int count, unsigned int slots)
{
	assert_int_equal(hv_vm_hide(&vm, &memory, page, count), 0);
	is_hidden(page, count, slots);
}

#define HIDE(slots, ...)                                          \
	do {                                                      \
		static const uint64_t set[] = { __VA_ARGS__ };    \
		hide(set, ARRAY_SIZE(set), slots);                \
	} while (0)

static void test_pieces(void **state)
{
	(void)state;
	is_hidden(NULL, 0, 1);
	HIDE(3, 0x101000);
	HIDE(5, 0x101000, 0x200000);
	HIDE(4, 0x101000, 0x102000);
	HIDE(2, 0);
	HIDE(2, 8 * HV_MIB - PAGE);
	HIDE(3, 0, 8 * HV_MIB - PAGE);
	hide(NULL, 0, 1);
	hide(NULL, 0, 1);
	HIDE(3, 0x300000);
}

static void test_two_ranges(void **state)
{
	(void)state;
	HIDE(4, 0x101000);
	HIDE(6, 0x101000, HV_GAP_END + 0x5000);
	HIDE(3, HV_GAP_END);
	hide(NULL, 0, 2);
}

static void test_most(void **state)
{
	uint64_t page[HV_VM_HIDDEN_MAX];

	(void)state;
	for (unsigned int i = 0; i < HV_VM_HIDDEN_MAX; i++)
		page[i] = 0x1000 + i * 2 * PAGE + (i < 12 ? 0 : HV_GAP_END);
	hide(page, HV_VM_HIDDEN_MAX, 2 * HV_VM_HIDDEN_MAX + 2);
	hide(NULL, 0, 2);
}

static void test_error(void **state)
{
	(void)state;
	fake.set_memory_error = -ENOMEM;
	assert_int_equal(hv_vm_hide(&vm, &memory, &(uint64_t){ 0x1000 }, 1), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, setup_small, teardown),
		cmocka_unit_test_setup_teardown(test_two_ranges, setup_two_ranges, teardown),
		cmocka_unit_test_setup_teardown(test_most, setup_two_ranges, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup_small, teardown),
	};

	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
