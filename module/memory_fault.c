// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT violations on RAM: how mappings come.
 *
 * A fault maps, under the lock, what the process's page tables say. No page is pinned,
 * no reference taken: before the process's page tables lose a page, the notifier waits
 * for the lock and takes the mapping away.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/wait.h>
#include <asm/apicdef.h>
#include <asm/io.h>
#include <asm/vmx.h>

#include "host.h"
#include "memory.h"
#include "memory_fault.h"
#include "vmx_caps.h"

/* Pages that one fault maps at most, of any size. */
#define MAX_WINDOW	64

static bool is_apic_page(u64 gpa)
{
	return gpa >> PAGE_SHIFT == APIC_DEFAULT_PHYS_BASE >> PAGE_SHIFT;
}

/* The guest has found no RAM at @gpa. Return: 0: the page is there now; -ENOENT; -ENOBUFS. */
static int map_apic_page_locked(struct tvx_memory *memory, struct ept_cache *cache, u64 gpa)
{
	unsigned int shift = PAGE_SHIFT;
	u64 *entry;

	lockdep_assert_held(&memory->lock);
	if (!memory->apic_page || !is_apic_page(gpa) || memory->apic_hidden ||
	    tvx_memory_overlaps(memory, APIC_DEFAULT_PHYS_BASE, PAGE_SIZE))
		return -ENOENT;
	entry = ept_find(&memory->ept, cache, APIC_DEFAULT_PHYS_BASE, &shift);
	if (!entry)
		return -ENOBUFS;
	ept_map(entry, __pa(memory->apic_page), shift, EPT_RWX);
	return 0;
}

/* What a fault works on. */
struct lookup {
	const struct tvx_slot *slot;
	u64 gpa;
	unsigned long hva;
	struct tvx_host_table table;
	unsigned int shift;	/* of the pages to be mapped */
	u64 *entry;
};

static const struct tvx_slot *find_slot(const struct tvx_memory *memory, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];

		if (gpa - slot->gpa < slot->len)
			return slot;
	}
	return NULL;
}

static bool allows(const struct tvx_slot *slot, const struct tvx_fault *fault)
{
	if (slot->flags & TINYVMX_MEMORY_EXECUTE_ONLY)
		return fault->fetch;
	return !(slot->flags & TINYVMX_MEMORY_READONLY) || !fault->write;
}

bool tvx_memory_is_mmio(const struct tvx_memory *memory, const struct tvx_fault *fault)
{
	/* Does not wait for a change under way: the retry fails then. */
	unsigned int seq = raw_seqcount_begin(&memory->slots_seq);
	const struct tvx_slot *slot;

	if ((memory->apic_page && is_apic_page(fault->gpa)) || fault->walk)
		return false;
	slot = find_slot(memory, fault->gpa);
	return !(slot && allows(slot, fault)) && !read_seqcount_retry(&memory->slots_seq, seq);
}

/* The largest page that the slot's alignment and both mappings allow. */
static unsigned int mapping_shift(const struct lookup *lookup)
{
	const struct tvx_slot *slot = lookup->slot;
	unsigned int shift = ept_page_shift(lookup->table.shift);

	for (; shift > PAGE_SHIFT; shift = ept_page_shift(shift - 1)) {
		u64 gpa = lookup->gpa & ~(BIT_ULL(shift) - 1);

		if (!((slot->gpa ^ slot->hva) & (BIT_ULL(shift) - 1)) &&
		    gpa >= slot->gpa && gpa + BIT_ULL(shift) <= slot->gpa + slot->len)
			break;
	}
	return shift;
}

/* Bytes from @address to the end of what a table of pages of that size maps. */
static u64 left_in_table(u64 address, unsigned int shift)
{
	u64 span = BIT_ULL(shift + 9);

	return span - (address & (span - 1));
}

/*
 * How many pages to map: twice as many as last time, if the guest goes on where that
 * ended. Its mappings remember that: a lone fault has none before it.
 */
static unsigned int window(const struct tvx_memory *memory, const struct lookup *lookup)
{
	const struct tvx_slot *slot = lookup->slot;
	u64 bytes = slot->gpa + slot->len - lookup->gpa;

	bytes = min(bytes, left_in_table(lookup->gpa, lookup->shift));
	bytes = min(bytes, left_in_table(lookup->hva, lookup->table.shift));
	if (memory->changes && lookup->hva < memory->change_start)
		bytes = min(bytes, memory->change_start - lookup->hva);
	return min_t(u64, bytes >> lookup->shift,
		     ept_run(&memory->ept, lookup->entry, lookup->gpa, lookup->shift, MAX_WINDOW));
}

/*
 * The guest's writes leave no trace in the process's page table. Where its entry
 * is clean, say it now; the notifier comes before the page is cleaned again.
 */
static void mark_dirty(u64 hpa)
{
	struct page *page = pfn_to_page(PHYS_PFN(hpa));

	if (!PageReserved(page))
		SetPageDirty(page);
}

static u64 slot_rights(const struct tvx_slot *slot, bool writable)
{
	if (slot->flags & TINYVMX_MEMORY_EXECUTE_ONLY)
		return VMX_EPT_EXECUTABLE_MASK;
	if (slot->flags & TINYVMX_MEMORY_READONLY || !writable)
		return VMX_EPT_READABLE_MASK | VMX_EPT_EXECUTABLE_MASK;
	return EPT_RWX;
}

static void map_window(const struct tvx_memory *memory, struct lookup *lookup,
		       struct tvx_host_page *page)
{
	unsigned int i = 0, count;
	u64 mask = ~(BIT_ULL(lookup->shift) - 1);

	lookup->gpa &= mask;
	lookup->hva &= mask;
	page->hpa &= mask;
	count = window(memory, lookup);
	do {
		u64 rights = slot_rights(lookup->slot, page->writable);

		ept_map(lookup->entry + i, page->hpa, lookup->shift, rights);
		if ((rights & VMX_EPT_WRITABLE_MASK) && !page->dirty)
			mark_dirty(page->hpa);
		i++;
	} while (i < count && !tvx_host_page(&lookup->table,
					     lookup->hva + ((u64)i << lookup->shift), page));
}

/*
 * Find the entry to be filled. Where the guest must not execute from a large page, what it
 * fetches from one of them comes into a small one. Return: false: @cache is empty.
 */
static bool find_entry_locked(struct tvx_memory *memory, struct ept_cache *cache, bool fetch,
			      struct lookup *lookup)
{
	unsigned int shift = lookup->shift;

	lockdep_assert_held(&memory->lock);
	lookup->entry = ept_find(&memory->ept, cache, lookup->gpa, &lookup->shift);
	if (!lookup->entry || lookup->shift <= shift || !fetch || ept_executable(lookup->entry))
		return lookup->entry;
	if (!ept_split(lookup->entry, cache))
		return false;
	lookup->shift = shift;
	lookup->entry = ept_find(&memory->ept, cache, lookup->gpa, &lookup->shift);
	return true;
}

/* Interrupts disabled, for the sake of the process's page tables. */
static int map_locked(struct tvx_memory *memory, struct ept_cache *cache,
		      const struct tvx_fault *fault, struct lookup *lookup)
{
	bool small = fault->fetch && vmx_caps.small_code;
	struct tvx_host_page page;
	unsigned int shift;
	int err;

	lockdep_assert_held(&memory->lock);
	if (!tvx_host_find_table(memory->mm, lookup->hva, &lookup->table))
		return -EAGAIN;
	err = tvx_host_page(&lookup->table, lookup->hva, &page);
	if (err)
		return err;
	if (fault->write && !page.writable)
		return -EAGAIN;
	shift = small ? PAGE_SHIFT : mapping_shift(lookup);
	lookup->shift = shift;
	if (!find_entry_locked(memory, cache, small, lookup))
		return -ENOBUFS;
	/* Unless a larger page is there already. */
	if (lookup->shift <= shift)
		map_window(memory, lookup, &page);
	return 0;
}

/* Without the lock it is a guess. */
static bool is_changing(const struct tvx_memory *memory, unsigned long hva)
{
	return READ_ONCE(memory->changes) && hva >= READ_ONCE(memory->change_start) &&
	       hva < READ_ONCE(memory->change_end);
}

/*
 * One try. -ENOBUFS: @cache is empty; -EBUSY: the process's memory is changing;
 * -EAGAIN: what the fault wants is not at *hva, though it may come. Interrupts disabled.
 */
static int try_fault_locked(struct tvx_memory *memory, struct ept_cache *cache,
			    const struct tvx_fault *fault, unsigned long *hva)
{
	struct lookup lookup = { .slot = find_slot(memory, fault->gpa) };

	lockdep_assert_held(&memory->lock);
	if (!lookup.slot)
		return map_apic_page_locked(memory, cache, fault->gpa);
	if (!allows(lookup.slot, fault))
		return lookup.slot->flags & TINYVMX_MEMORY_EXECUTE_ONLY ? -EACCES : -ENOENT;
	lookup.gpa = fault->gpa & PAGE_MASK;
	lookup.hva = lookup.slot->hva + (lookup.gpa - lookup.slot->gpa);
	*hva = lookup.hva;
	if (is_changing(memory, lookup.hva))
		return -EBUSY;
	return map_locked(memory, cache, fault, &lookup);
}

/* Get what a try was missing, or return what is wrong with it. */
static int provide(struct tvx_memory *memory, struct ept_cache *cache, int missing,
		   unsigned long hva, bool write)
{
	switch (missing) {
	case -ENOBUFS:
		return ept_cache_fill(&memory->ept, cache, GFP_KERNEL_ACCOUNT);
	case -EAGAIN:
		return tvx_host_fault_in(hva, write);
	case -ENODATA:
		return tvx_host_fault_in(hva, true);
	case -EBUSY:
		return wait_event_interruptible(memory->change_ended, !is_changing(memory, hva)) ?
		       -EINTR : 0;
	}
	return missing;
}

static int map_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault)
{
	unsigned long hva;
	int err;

	for (;;) {
		raw_spin_lock(&memory->lock);
		local_irq_disable();
		err = try_fault_locked(memory, cache, fault, &hva);
		local_irq_enable();
		raw_spin_unlock(&memory->lock);
		if (!err)
			return 0;
		err = provide(memory, cache, err, hva, fault->write);
		if (err)
			return err;
	}
}

int tvx_memory_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault)
{
	int err = map_fault(memory, cache, fault);

	if (!err || !tvx_memory_is_guests(err) || !fault->walk || err == -EACCES)
		return err;
	/* Page tables in ROM, or where the process must not write: try it without accessed bits. */
	tvx_memory_stop_ad(memory);
	return 0;
}

int tvx_memory_fault_quick(struct tvx_memory *memory, struct ept_cache *cache,
			   const struct tvx_fault *fault)
{
	unsigned long hva;
	int err;

	/* Its holder may be waiting for an interrupt to reach this CPU. */
	if (!raw_spin_trylock(&memory->lock))
		return -EAGAIN;
	/* With PREEMPT_RT no page can be had here. */
	do {
		err = try_fault_locked(memory, cache, fault, &hva);
	} while (err == -ENOBUFS && !IS_ENABLED(CONFIG_PREEMPT_RT) &&
		 !ept_cache_fill(&memory->ept, cache, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT));
	raw_spin_unlock(&memory->lock);
	if (err == -ENOBUFS || err == -EBUSY || err == -ENODATA || (err && fault->walk))
		return -EAGAIN;
	return err;
}
