// SPDX-License-Identifier: GPL-2.0-only
/* touch: 64 MiB of memory, each page written, read as zero first, and read back. */
#include "lib/guest.h"

#define BEGIN	(16 * MIB)
#define LENGTH	(64 * MIB)
#define PAGE	4096UL

static u64 pattern(ulong address)
{
	return address * 0x9e3779b97f4a7c15ULL;
}

/* Backwards, so that no fault comes where the last fault-around ended. */
static u32 fill_pages(void)
{
	u32 dirty = 0;
	ulong at;

	for (at = BEGIN + LENGTH; at > BEGIN; at -= PAGE) {
		volatile u64 *first = (u64 *)(at - PAGE), *last = (u64 *)(at - 8);

		dirty += *first || *last;
		*first = pattern((ulong)first);
		*last = pattern((ulong)last);
	}
	return dirty;
}

static u32 count_wrong(void)
{
	u32 wrong = 0;
	ulong at;

	for (at = BEGIN; at < BEGIN + LENGTH; at += PAGE) {
		volatile u64 *first = (u64 *)at, *last = (u64 *)(at + PAGE - 8);

		wrong += *first != pattern((ulong)first);
		wrong += *last != pattern((ulong)last);
	}
	return wrong;
}

/* One MiB word by word: no page shows through another. */
static u32 count_wrong_words(void)
{
	volatile u64 *words = (u64 *)(BEGIN + LENGTH / 2);
	u32 wrong = 0, i;

	for (i = 0; i < MIB / 8; i++)
		words[i] = pattern(i);
	for (i = 0; i < MIB / 8; i++)
		wrong += words[i] != pattern(i);
	return wrong;
}

GUEST("touch")
{
	u64 start = rdtsc();

	step("fresh memory is zero");
	check_eq(fill_pages(), 0);
	step("every page keeps its own pattern");
	check_eq(count_wrong(), 0);
	step("every word of one MiB");
	check_eq(count_wrong_words(), 0);
	print("%llu ticks for 64 MiB\n", rdtsc() - start);
}
