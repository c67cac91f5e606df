// SPDX-License-Identifier: GPL-2.0-only
/* SET_MEMORY: slots, ranges and every error it documents. */
#include "lib.h"

static int vm;
static u8 *ram;

#define slot_is(want, slot, gpa, len, hva, ...) \
	err_is(set_memory(vm, slot, 0, gpa, len, (void *)(hva)), want, __VA_ARGS__)

static void test_malformed(void)
{
	u64 top = 1ULL << info()->gpa_bits;
	u64 user_top = 1ULL << 47;
	u32 slots = info()->max_slots;

	slot_is(EINVAL, slots, 0, PAGE, ram, "slot max_slots");
	slot_is(EINVAL, ~0U, 0, PAGE, ram, "slot 2^32 - 1");
	slot_is(EINVAL, slots, 0, 0, ram, "deleting slot max_slots");
	slot_is(EINVAL, 0, 1, PAGE, ram, "gpa + 1");
	slot_is(EINVAL, 0, 0x800, PAGE, ram, "gpa + 0x800");
	slot_is(EINVAL, 0, 0, PAGE + 1, ram, "length + 1");
	slot_is(EINVAL, 0, 0, 1, ram, "length 1");
	slot_is(EINVAL, 0, 0, PAGE, ram + 8, "hva + 8");
	slot_is(EINVAL, 0, top, PAGE, ram, "the page behind the GPA space");
	slot_is(EINVAL, 0, top - PAGE, 2 * PAGE, ram, "across its end");
	slot_is(EINVAL, 0, -PAGE, PAGE, ram, "the last page of 64 bits");
	slot_is(EINVAL, 0, -PAGE, 2 * PAGE, ram, "gpa wraps around");
	slot_is(EINVAL, 0, PAGE, -PAGE, ram, "length wraps around to 0");
	slot_is(EINVAL, 0, 0, -PAGE, ram, "length of nearly 2^64");
	slot_is(EINVAL, 0, 0, PAGE, user_top, "hva behind user space");
	slot_is(EINVAL, 0, 0, 2 * PAGE, user_top - 2 * PAGE,
		"hva that ends behind user space");
	slot_is(EINVAL, 0, 0, PAGE, 0xffff888000000000, "a kernel address");
	slot_is(EINVAL, 0, 0, 2 * PAGE, -PAGE, "hva wraps around");
	slot_is(EINVAL, 0, 0, PAGE, -PAGE, "hva ends at 2^64");
	/* No tags: neither LAM's bits (62:57, or 48) nor what is no address at all. */
	for (u32 bit = 47; bit < 64; bit++)
		slot_is(EINVAL, 0, 0, PAGE, (uintptr_t)ram | 1ULL << bit, "hva bit %u", bit);
	slot_is(ENOENT, 0, 0, 0, NULL, "no failed call made a slot");
}

static void test_exists(void)
{
	slot_is(0, 0, 0x100000, 16 * PAGE, ram, "a slot");
	slot_is(EEXIST, 0, 0x200000, PAGE, ram, "the same slot elsewhere");
	slot_is(EEXIST, 0, 0x100000, 16 * PAGE, ram, "the same slot again");
	slot_is(EEXIST, 1, 0x100000, 16 * PAGE, ram, "the same range");
	slot_is(EEXIST, 1, 0x100000, PAGE, ram, "its first page");
	slot_is(EEXIST, 1, 0x10f000, PAGE, ram, "its last page");
	slot_is(EEXIST, 1, 0x108000, PAGE, ram, "within it");
	slot_is(EEXIST, 1, 0xff000, 32 * PAGE, ram, "around it");
	slot_is(EEXIST, 1, 0xff000, 2 * PAGE, ram, "over its start");
	slot_is(EEXIST, 1, 0x10f000, 2 * PAGE, ram, "over its end");
	slot_is(0, 1, 0xff000, PAGE, ram, "the page in front of it");
	slot_is(0, 2, 0x110000, PAGE, ram, "the page behind it, the same hva");
	slot_is(0, 0, 0, 0, NULL, "delete by slot number alone");
	slot_is(ENOENT, 0, 0, 0, NULL, "delete it again");
	slot_is(0, 0, 0x100000, 16 * PAGE, ram, "its place is free again");
	for (u32 slot = 0; slot < 3; slot++)
		must(set_memory(vm, slot, 0, 0, 0, NULL));
}

static void test_edges(void)
{
	u64 top = 1ULL << info()->gpa_bits;
	u32 last = info()->max_slots - 1;

	slot_is(0, last, top - PAGE, PAGE, ram, "last slot, last page");
	slot_is(EEXIST, 0, top - PAGE, PAGE, ram, "... which is taken then");
	slot_is(0, last, 0, 0, NULL, "and free again");
	slot_is(0, 0, 0, PAGE, 0x1000, "memory that is not there yet");
	slot_is(0, 0, 0, 0, NULL, "and gone");
	err_is(set_memory(vm, 0, TINYVMX_MEMORY_READONLY, 0, PAGE, ram), 0,
	       "a read-only slot");
	slot_is(0, 0, 0, 0, NULL, "and gone");
}

static void test_all_slots(void)
{
	u32 slots = info()->max_slots, made = 0, gone = 0;

	/* From high to low, so that insertion order differs from address order. */
	for (u32 i = slots; i-- > 0;)
		made += !set_memory(vm, i, 0, i * 2 * PAGE, PAGE, ram);
	is(made, slots, "all slots at once");
	for (u32 i = 0; i < slots; i += 2)
		gone += !set_memory(vm, i, 0, 0, 0, NULL);
	slot_is(EEXIST, 0, 0, 4 * PAGE, ram, "over the hole: EEXIST");
	slot_is(0, 0, 0, 2 * PAGE, ram, "a longer one in the hole");
	slot_is(0, 0, 0, 0, NULL, "delete it");
	for (u32 i = 1; i < slots; i += 2)
		gone += !set_memory(vm, i, 0, 0, 0, NULL);
	is(gone, slots, "all deleted");
}

int main(void)
{
	tap_init();
	vm = must(create_vm_fd());
	ram = map_anon(64 * PAGE);
	test_malformed();
	test_exists();
	test_edges();
	test_all_slots();
	return tap_exit();
}
