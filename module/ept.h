/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EPT paging structures: map a page, take a range away.
 */
#ifndef TVX_EPT_H
#define TVX_EPT_H

#include <linux/types.h>

struct page;

#define EPT_LEVELS	4	/* 48-bit guest-physical addresses */

/**
 * struct ept - one set of EPT paging structures
 * @root: the PML4 table
 * @eptp: the EPT pointer for the VMCS
 *
 * The owner serializes all changes.
 */
struct ept {
	u64 *root;
	u64 eptp;
};

/**
 * struct ept_cache - pages for paging structures, allocated where one may sleep
 * @pages: zeroed pages
 * @count: of them
 */
struct ept_cache {
	void *pages[EPT_LEVELS];
	unsigned int count;
};

/* A list of pages that left the structures, linked through page->private. */
struct ept_freed {
	struct page *head;
};

/* Return 0 or -ENOMEM. May sleep. */
int ept_init(struct ept *ept);
/* Nothing may use the structures any more. */
void ept_destroy(struct ept *ept);

/* Fill @cache so that one ept_map() cannot run out. Return 0 or -ENOMEM. May sleep. */
int ept_cache_fill(struct ept_cache *cache);
void ept_cache_destroy(struct ept_cache *cache);

/* The largest page (log2 of bytes, at most @max) this CPU can map by EPT. */
unsigned int ept_page_shift(unsigned int max);

/*
 * ept_map - map the page of 1 << @shift bytes at @gpa to @hpa
 *
 * Both are aligned to the page size. An existing mapping is left alone but for
 * gaining the write right. Where smaller pages are mapped already, or where the
 * cache is empty, nothing is done. Return: whether the page is mapped.
 */
bool ept_map(struct ept *ept, struct ept_cache *cache, u64 gpa, u64 hpa,
	     unsigned int shift, bool writable);

/*
 * ept_unmap - take away every mapping that touches [@gpa, @gpa + @len)
 *
 * Paging structures that fall out are added to @freed: the caller flushes the
 * TLBs of all users, then calls ept_free(). Return: whether anything was mapped.
 */
bool ept_unmap(struct ept *ept, u64 gpa, u64 len, struct ept_freed *freed);
void ept_free(struct ept_freed *freed);

#endif
