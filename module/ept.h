/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EPT paging structures: map a page, take a range away.
 */
#ifndef TVX_EPT_H
#define TVX_EPT_H

#include <linux/bitmap.h>
#include <linux/types.h>
#include <asm/vmx.h>

struct page;
struct tvx_user;

#define EPT_LEVELS	4	/* 48-bit guest-physical addresses */

/**
 * struct ept - one set of EPT paging structures
 * @root: the PML4 table
 * @eptp: the EPT pointer for the VMCS
 * @user: whom its pages are counted to
 *
 * The owner serializes all changes.
 */
struct ept {
	u64 *root;
	u64 eptp;
	struct tvx_user *user;
};

/* A zeroed page for the next paging structure, allocated where one may fail. */
struct ept_cache {
	u64 *page;
};

/* Entries that may be looked at, or pages that are freed, in one go: some 15,000 instructions. */
#define EPT_PIECE	1024

/**
 * struct ept_removal - mappings being taken away, a piece at a time
 * @gpa: where to go on
 * @end: where to end
 * @budget: of entries and pages for this piece, EPT_PIECE
 * @any: something was mapped
 * @freed: pages that left the structures, linked through page->private
 */
struct ept_removal {
	u64 gpa;
	u64 end;
	int budget;
	bool any;
	struct page *freed;
};

/* @user outlives it. Return: 0, -ENOMEM or -ENOSPC, the user's bound. May sleep. */
int ept_init(struct ept *ept, struct tvx_user *user);
/* Nothing may use the structures any more. */
void ept_destroy(struct ept *ept);

/* Fill @cache for @ept. Return: 0, -ENOMEM or -ENOSPC, the user's bound. */
int ept_cache_fill(const struct ept *ept, struct ept_cache *cache, gfp_t gfp);
void ept_cache_destroy(const struct ept *ept, struct ept_cache *cache);

/* The largest page (log2 of bytes, at most @max) this CPU can map by EPT. */
unsigned int ept_page_shift(unsigned int max);

/*
 * ept_find - find the entry for a page of 1 << @shift bytes at @gpa
 *
 * Missing paging structures come from @cache. Where smaller pages are mapped already,
 * or a larger one, @shift becomes their size. Return: NULL: @cache is empty, fill it
 * and come again.
 */
u64 *ept_find(struct ept *ept, struct ept_cache *cache, u64 gpa, unsigned int *shift);

/*
 * ept_run - guess how many pages are mapped right before the one of @entry, at @gpa
 *
 * Return: a power of two, at least 1 and at most @max. It looks 1, 2, 4 ... pages back.
 */
unsigned int ept_run(const struct ept *ept, const u64 *entry, u64 gpa, unsigned int shift,
		     unsigned int max);

#define EPT_RWX	(VMX_EPT_READABLE_MASK | VMX_EPT_WRITABLE_MASK | VMX_EPT_EXECUTABLE_MASK)

/*
 * ept_map - map a page of 1 << @shift bytes at @hpa by @entry, which is of that size
 * @rights: VMX_EPT_*_MASK, of EPT_RWX
 *
 * A page that is mapped already must be the same; it can gain rights. Smaller pages are left
 * alone. With vmx_caps.small_code large pages are not executable.
 */
void ept_map(u64 *entry, u64 hpa, unsigned int shift, u64 rights);

/* Whether the guest may execute from what @entry maps. */
bool ept_executable(const u64 *entry);

/*
 * ept_split - map what @entry maps, a page of 2 MiB, by small pages with the same rights
 *
 * No flush is needed. Return: false: @cache is empty.
 */
bool ept_split(u64 *entry, struct ept_cache *cache);

/*
 * ept_unmap - take away every mapping that touches [@removal->gpa, @removal->end)
 *
 * ... as far as the budget goes, and a little beyond: up to a table of 1 GiB. @removal->gpa
 * says how far that was. If there was any the caller flushes the TLBs of all users, and
 * then calls ept_free().
 */
void ept_unmap(struct ept *ept, struct ept_removal *removal);
void ept_free(const struct ept *ept, struct ept_removal *removal);

/* Whether CPUs set accessed bits; have them stop, once they have loaded @ept->eptp again. */
bool ept_has_ad(const struct ept *ept);
void ept_stop_ad(struct ept *ept);

/*
 * ept_accessed - whether a CPU has used one of the mappings that touch [@gpa, @end) since
 * the bits that say so were cleared, or they were made
 *
 * @clear: clear the bits. A CPU that has the translation in its TLB does not set them again.
 */
bool ept_accessed(struct ept *ept, u64 gpa, u64 end, bool clear);

/* How many pages of 4 KiB ept_use() looks at. */
#define EPT_USE_PAGES	256

/**
 * struct ept_use - what ept_use() has found, piece by piece of a range
 * @used: pages of 4 KiB that were used
 * @written: ... and written
 * @page: the page that was looked at last
 * @large: the same, when the page up to @large_end was first looked at: the flags of a large one,
 *	which can reach into the next piece, are cleared as a whole
 * @large_end: 0 before the first
 */
struct ept_use {
	DECLARE_BITMAP(used, EPT_USE_PAGES);
	DECLARE_BITMAP(written, EPT_USE_PAGES);
	struct ept_page_use {
		bool used;
		bool written;
	} page, large;
	u64 large_end;
};

/*
 * ept_use - which pages of [@gpa, @end), of EPT_USE_PAGES at most, CPUs have used, and written
 * @forget: ... since the last call with this set, which CPUs have to drop their translations for
 *
 * Pieces of a range are looked at from the lowest on, with the same @use. Under the lock.
 *
 * It and ept_accessed() do not take from each other what they have not been told yet.
 */
void ept_use(struct ept *ept, u64 gpa, u64 end, bool forget, struct ept_use *use);

/*
 * ept_walk - the entries that translate @gpa, from the root's on, without what they point to
 *
 * Bits 10:0 as the CPU has them, all others 0. Return: how many; the last is a leaf or 0.
 */
unsigned int ept_walk(const struct ept *ept, u64 gpa, u64 entries[EPT_LEVELS]);

/* Whether @gpa is mapped. */
bool ept_mapped(const struct ept *ept, u64 gpa);

#endif
