// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT paging structures (SDM, "The Extended Page Table Mechanism").
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/io.h>
#include <asm/vmx.h>

#include "ept.h"
#include "host_user.h"
#include "vmx_caps.h"

#define EPT_ENTRIES	512
#define EPT_LARGE	BIT_ULL(7)
#define EPT_MT_WB	6ULL
#define EPT_ADDR	GENMASK_ULL(51, 12)
/* Numbers of bits. */
#define EPT_ACCESSED	8
#define EPT_DIRTY	9
/*
 * Ignored by the CPU. The accessed flag has two who ask, ept_accessed() and ept_use(): who clears
 * it sets the other's.
 */
#define EPT_OWED_ACCESSED	52
#define EPT_OWED_USE		53
/* What one may know who must not know host-physical addresses: the rest is ignored or ours. */
#define EPT_TOLD	GENMASK_ULL(10, 0)
/* What stays when a mapping gains rights. */
#define EPT_NOTED	(BIT_ULL(EPT_ACCESSED) | BIT_ULL(EPT_DIRTY) | \
			 BIT_ULL(EPT_OWED_ACCESSED) | BIT_ULL(EPT_OWED_USE))

/* Up to here, 1 GiB, a table is dropped with all that are below it: 513 pages at most. */
#define MAX_DROP_LEVEL	3

/* Level 1 maps 4 KiB, 2: 2 MiB, 3: 1 GiB, 4: the root. */
static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static unsigned int entry_index(u64 gpa, unsigned int level)
{
	return (gpa >> level_shift(level)) & (EPT_ENTRIES - 1);
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (entry & EPT_LARGE);
}

static u64 *entry_table(u64 entry)
{
	return __va(entry & EPT_ADDR);
}

/* A zeroed page for a paging structure. */
static int alloc_table(const struct ept *ept, gfp_t gfp, u64 **table)
{
	int err = tvx_user_charge(ept->user, TVX_USER_TABLES);

	if (err)
		return err;
	*table = (u64 *)get_zeroed_page(gfp);
	if (*table)
		return 0;
	tvx_user_uncharge(ept->user, TVX_USER_TABLES);
	return -ENOMEM;
}

static void free_table(const struct ept *ept, u64 *table)
{
	free_page((unsigned long)table);
	tvx_user_uncharge(ept->user, TVX_USER_TABLES);
}

int ept_init(struct ept *ept, struct tvx_user *user)
{
	int err;

	ept->user = user;
	err = alloc_table(ept, GFP_KERNEL_ACCOUNT, &ept->root);
	if (err)
		return err;
	ept->eptp = __pa(ept->root) | VMX_EPTP_PWL_4 | VMX_EPTP_MT_WB;
	if (vmx_caps.ept_vpid & VMX_EPT_AD_BIT)
		ept->eptp |= VMX_EPTP_AD_ENABLE_BIT;
	return 0;
}

void ept_destroy(struct ept *ept)
{
	struct ept_removal removal = { .end = BIT_ULL(level_shift(EPT_LEVELS + 1)) };

	do {
		removal.budget = EPT_PIECE;
		ept_unmap(ept, &removal);
		ept_free(ept, &removal);
		cond_resched();
	} while (removal.gpa < removal.end);
	free_table(ept, ept->root);
}

int ept_cache_fill(const struct ept *ept, struct ept_cache *cache, gfp_t gfp)
{
	return cache->page ? 0 : alloc_table(ept, gfp, &cache->page);
}

void ept_cache_destroy(const struct ept *ept, struct ept_cache *cache)
{
	if (cache->page)
		free_table(ept, cache->page);
}

unsigned int ept_page_shift(unsigned int max)
{
	/* Splitting a large page for code, ept_split(), takes one step. */
	if (max >= level_shift(3) && (vmx_caps.ept_vpid & VMX_EPT_1GB_PAGE_BIT) &&
	    !vmx_caps.small_code)
		return level_shift(3);
	if (max >= level_shift(2) && (vmx_caps.ept_vpid & VMX_EPT_2MB_PAGE_BIT))
		return level_shift(2);
	return PAGE_SHIFT;
}

u64 *ept_find(struct ept *ept, struct ept_cache *cache, u64 gpa, unsigned int *shift)
{
	unsigned int level = EPT_LEVELS;
	u64 *entry = &ept->root[entry_index(gpa, level)];

	while (*entry ? !is_leaf(*entry, level) : level_shift(level) > *shift) {
		if (!*entry) {
			if (!cache->page)
				return NULL;
			WRITE_ONCE(*entry, __pa(cache->page) | EPT_RWX);
			cache->page = NULL;
		}
		level--;
		entry = &entry_table(*entry)[entry_index(gpa, level)];
	}
	*shift = level_shift(level);
	return entry;
}

/* The entry for @gpa: of a page of 1 << *shift bytes, or a leaf or an empty one above that. */
static u64 *find_entry(const struct ept *ept, u64 gpa, unsigned int *shift)
{
	unsigned int level = EPT_LEVELS;
	u64 *entry = &ept->root[entry_index(gpa, level)];

	while (level_shift(level) > *shift && *entry && !is_leaf(*entry, level)) {
		level--;
		entry = &entry_table(*entry)[entry_index(gpa, level)];
	}
	*shift = level_shift(level);
	return entry;
}

/* The entry for the page before @gpa's, if there is a table for it. */
static const u64 *entry_before(const struct ept *ept, const u64 *entry, u64 gpa,
			       unsigned int shift)
{
	unsigned int found = shift;

	if (!IS_ALIGNED((unsigned long)entry, PAGE_SIZE))
		return entry - 1;
	entry = find_entry(ept, gpa - BIT_ULL(shift), &found);
	return found == shift ? entry : NULL;
}

unsigned int ept_run(const struct ept *ept, const u64 *entry, u64 gpa, unsigned int shift,
		     unsigned int max)
{
	const u64 *last = entry_before(ept, entry, gpa, shift);
	unsigned int run, room;

	if (!last)
		return 1;
	room = offset_in_page(last) / sizeof(*last) + 1;
	for (run = 1; run < max && run <= room && last[1 - (int)run]; run *= 2)
		;
	return run;
}

bool ept_executable(const u64 *entry)
{
	return *entry & VMX_EPT_EXECUTABLE_MASK;
}

/*
 * The same translations as before stand in the new table: what CPUs have of the large page in
 * their TLBs stays right, and goes when one of the small pages is unmapped.
 */
bool ept_split(u64 *entry, struct ept_cache *cache)
{
	u64 leaf = READ_ONCE(*entry) & ~EPT_LARGE;
	u64 *table = cache->page;
	unsigned int i;
	u64 late;

	if (!table)
		return false;
	cache->page = NULL;
	for (i = 0; i < EPT_ENTRIES; i++)
		table[i] = leaf + i * PAGE_SIZE;
	/*
	 * What CPUs have noted meanwhile they go on doing without a word: they have the large page.
	 */
	late = xchg(entry, __pa(table) | EPT_RWX) & EPT_NOTED & ~leaf;
	for (i = 0; late && i < EPT_ENTRIES; i++)
		atomic64_or(late, (atomic64_t *)&table[i]);
	return true;
}

/* What CPUs note there meanwhile, by locked accesses, stays. */
static void set_leaf(u64 *entry, u64 leaf)
{
	u64 old = READ_ONCE(*entry);

	if (!old) {
		WRITE_ONCE(*entry, leaf);
		return;
	}
	while ((old & ~EPT_NOTED) != leaf &&
	       !try_cmpxchg64(entry, &old, leaf | (old & EPT_NOTED)))
		;
}

void ept_map(u64 *entry, u64 hpa, unsigned int shift, u64 rights)
{
	u64 leaf = hpa | rights | VMX_EPT_IPAT_BIT | (EPT_MT_WB << VMX_EPT_MT_EPTE_SHIFT);

	if (shift > PAGE_SHIFT) {
		if (vmx_caps.small_code)
			leaf &= ~VMX_EPT_EXECUTABLE_MASK;
		if (*entry && !(*entry & EPT_LARGE))
			return;
		leaf |= EPT_LARGE;
	}
	set_leaf(entry, leaf);
}

bool ept_has_ad(const struct ept *ept)
{
	return ept->eptp & VMX_EPTP_AD_ENABLE_BIT;
}

void ept_stop_ad(struct ept *ept)
{
	WRITE_ONCE(ept->eptp, ept->eptp & ~(u64)VMX_EPTP_AD_ENABLE_BIT);
}

/*
 * Whether @entry has been used since the one to whom bit @mine belongs has cleared that; bit
 * @others tells the other. The CPU sets the flag at the same time, by a locked access.
 */
static bool is_accessed(u64 *entry, bool clear, unsigned int mine, unsigned int others)
{
	unsigned long *word = (unsigned long *)entry;
	bool accessed = test_bit(EPT_ACCESSED, word) || test_bit(mine, word);

	if (accessed && clear) {
		if (test_and_clear_bit(EPT_ACCESSED, word))
			set_bit(others, word);
		clear_bit(mine, word);
	}
	return accessed;
}

bool ept_accessed(struct ept *ept, u64 gpa, u64 end, bool clear)
{
	bool accessed = false;

	while (gpa < end) {
		unsigned int shift = PAGE_SHIFT;
		u64 *entry = find_entry(ept, gpa, &shift);

		accessed |= *entry &&
			    is_accessed(entry, clear, EPT_OWED_ACCESSED, EPT_OWED_USE);
		gpa = ALIGN_DOWN(gpa, BIT_ULL(shift)) + BIT_ULL(shift);
	}
	return accessed;
}

static bool is_written(u64 *entry, bool clear)
{
	unsigned long *word = (unsigned long *)entry;

	return clear ? test_and_clear_bit(EPT_DIRTY, word) : test_bit(EPT_DIRTY, word);
}

/* The page at @gpa, or what is left of a large one, in @use->page. Return: where that ends. */
static u64 look_at_page(struct ept *ept, u64 gpa, bool forget, struct ept_use *use)
{
	unsigned int shift = PAGE_SHIFT;
	u64 *entry = find_entry(ept, gpa, &shift);
	u64 end = ALIGN_DOWN(gpa, BIT_ULL(shift)) + BIT_ULL(shift);

	/* Written first: a CPU that comes in between makes it used, which is right. */
	use->page.written = *entry && is_written(entry, forget);
	use->page.used = *entry &&
			 is_accessed(entry, forget, EPT_OWED_USE, EPT_OWED_ACCESSED);
	if (gpa < use->large_end) {
		use->page.written |= use->large.written;
		use->page.used |= use->large.used;
	} else {
		use->large = use->page;
		use->large_end = end;
	}
	return end;
}

void ept_use(struct ept *ept, u64 gpa, u64 end, bool forget, struct ept_use *use)
{
	u64 start = gpa;

	bitmap_zero(use->used, EPT_USE_PAGES);
	bitmap_zero(use->written, EPT_USE_PAGES);
	while (gpa < end) {
		u64 next = min(look_at_page(ept, gpa, forget, use), end);
		unsigned int first = (gpa - start) >> PAGE_SHIFT;
		unsigned int pages = (next - gpa) >> PAGE_SHIFT;

		if (use->page.used)
			bitmap_set(use->used, first, pages);
		if (use->page.written)
			bitmap_set(use->written, first, pages);
		gpa = next;
	}
}

unsigned int ept_walk(const struct ept *ept, u64 gpa, u64 entries[EPT_LEVELS])
{
	const u64 *table = ept->root;
	unsigned int level, count = 0;

	for (level = EPT_LEVELS; table; level--) {
		u64 entry = READ_ONCE(table[entry_index(gpa, level)]);

		entries[count++] = entry & EPT_TOLD;
		table = entry && !is_leaf(entry, level) ? entry_table(entry) : NULL;
	}
	return count;
}

bool ept_mapped(const struct ept *ept, u64 gpa)
{
	unsigned int shift = PAGE_SHIFT;

	return *find_entry(ept, gpa, &shift);
}

static void free_later(u64 *table, struct ept_removal *removal)
{
	struct page *page = virt_to_page(table);

	set_page_private(page, (unsigned long)removal->freed);
	removal->freed = page;
	removal->budget--;
}

/* Free @table and all below it later. */
static void drop_table(u64 *table, unsigned int level, struct ept_removal *removal)
{
	unsigned int i;

	for (i = 0; level > 1 && i < EPT_ENTRIES; i++)
		if (table[i] && !is_leaf(table[i], level))
			drop_table(entry_table(table[i]), level - 1, removal);
	free_later(table, removal);
}

static void drop_entry(u64 *entry, unsigned int level, struct ept_removal *removal)
{
	u64 old = *entry;

	if (!old)
		return;
	WRITE_ONCE(*entry, 0);
	removal->any = true;
	if (!is_leaf(old, level))
		drop_table(entry_table(old), level - 1, removal);
}

static bool is_empty(const u64 *table)
{
	unsigned int i;

	for (i = 0; i < EPT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* A table whose every entry goes is dropped as a whole, if what is below it is a bounded piece. */
static bool is_dropped_whole(u64 entry, unsigned int level, u64 len)
{
	return !entry || is_leaf(entry, level) ||
	       (level <= MAX_DROP_LEVEL && len == BIT_ULL(level_shift(level)));
}

static void unmap_table(u64 *table, unsigned int level, struct ept_removal *removal)
{
	u64 span = BIT_ULL(level_shift(level));
	u64 end = min(ALIGN_DOWN(removal->gpa, span * EPT_ENTRIES) + span * EPT_ENTRIES,
		      removal->end);

	while (removal->gpa < end && removal->budget > 0) {
		u64 *entry = &table[entry_index(removal->gpa, level)];
		u64 next = min(ALIGN_DOWN(removal->gpa, span) + span, end);

		removal->budget--;
		if (is_dropped_whole(*entry, level, next - removal->gpa)) {
			removal->gpa = next;
		} else {
			unmap_table(entry_table(*entry), level - 1, removal);
			/* An empty table would be in the way of a large page. */
			if (!is_empty(entry_table(*entry)))
				continue;
		}
		drop_entry(entry, level, removal);
	}
}

void ept_unmap(struct ept *ept, struct ept_removal *removal)
{
	unmap_table(ept->root, EPT_LEVELS, removal);
}

void ept_free(const struct ept *ept, struct ept_removal *removal)
{
	while (removal->freed) {
		struct page *page = removal->freed;

		removal->freed = (struct page *)page_private(page);
		set_page_private(page, 0);
		free_table(ept, page_address(page));
	}
}
