// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots, EPT population and the MMU notifier.
 *
 * A fault maps, under the lock, what the process's page tables say. No page is pinned,
 * no reference taken: before the process's page tables lose a page, the notifier waits
 * for the lock and takes the mapping away.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <asm/apicdef.h>
#include <asm/io.h>
#include <asm/processor.h>

#include "host.h"
#include "memory.h"
#include "vmx_caps.h"

/* Pages that one fault maps at most, of any size. */
#define MAX_WINDOW	64

unsigned int tvx_memory_gpa_bits(void)
{
	return min_t(unsigned int, boot_cpu_data.x86_phys_bits, PAGE_SHIFT + 9 * EPT_LEVELS);
}

/* -------------------------------------------------------------- removals */

static void flush_ack(void *unused)
{
}

/*
 * Make sure that no CPU uses a translation that has been removed. A CPU in the
 * guest leaves it for the IPI and compares generations before it goes back; one
 * that has not yet disabled interrupts to enter sees the new generation.
 *
 * Under the lock: who finds a mapping gone already must not hand the page back to
 * the host before the one who took it away has flushed.
 */
static void flush_locked(struct tvx_memory *memory)
{
	lockdep_assert_held(&memory->lock);
	atomic64_inc(&memory->generation);
	/* Orders the new generation before the look at who is loaded. */
	smp_mb__after_atomic();
	on_each_cpu_mask(&memory->loaded, flush_ack, NULL, true);
}

/* Unmap what [start, end) of the process backs, and flush. */
static void unmap_hva_range_locked(struct tvx_memory *memory, unsigned long start,
				   unsigned long end, struct ept_freed *freed)
{
	bool any = false;
	unsigned int i;

	lockdep_assert_held(&memory->lock);
	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];
		unsigned long from = max(start, slot->hva);
		unsigned long to = min(end, slot->hva + (unsigned long)slot->len);

		if (from < to)
			any |= ept_unmap(&memory->ept, slot->gpa + (from - slot->hva),
					 to - from, freed);
	}
	if (any)
		flush_locked(memory);
}

static void unmap_hva_range(struct tvx_memory *memory, unsigned long start,
			    unsigned long end, unsigned int begin)
{
	struct ept_freed freed = {};

	raw_spin_lock(&memory->lock);
	memory->invalidations += begin;
	unmap_hva_range_locked(memory, start, end, &freed);
	raw_spin_unlock(&memory->lock);
	ept_free(&freed);
}

static struct tvx_memory *notifier_memory(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct tvx_memory, notifier);
}

static int memory_invalidate_start(struct mmu_notifier *notifier,
				   const struct mmu_notifier_range *range)
{
	unmap_hva_range(notifier_memory(notifier), range->start, range->end, 1);
	return 0;
}

static void memory_invalidate_end(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	struct tvx_memory *memory = notifier_memory(notifier);

	raw_spin_lock(&memory->lock);
	memory->invalidations--;
	raw_spin_unlock(&memory->lock);
}

/* The process is gone; fds that others hold may still keep the VM. */
static void memory_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	unmap_hva_range(notifier_memory(notifier), 0, ULONG_MAX, 0);
}

static const struct mmu_notifier_ops memory_notifier_ops = {
	.invalidate_range_start = memory_invalidate_start,
	.invalidate_range_end = memory_invalidate_end,
	.release = memory_release,
};

/* -------------------------------------------------------------- lifetime */

/*
 * Registering gives up when a signal is pending, and takes long enough for a
 * process with a busy timer never to get through: signals wait until it is done.
 */
static int register_notifier(struct tvx_memory *memory)
{
	sigset_t all_but_kill, old;
	int err;

	siginitsetinv(&all_but_kill, sigmask(SIGKILL));
	sigprocmask(SIG_SETMASK, &all_but_kill, &old);
	err = mmu_notifier_register(&memory->notifier, memory->mm);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return err;
}

int tvx_memory_init(struct tvx_memory *memory, bool apic_page)
{
	int err = -ENOMEM;

	raw_spin_lock_init(&memory->lock);
	seqcount_raw_spinlock_init(&memory->slots_seq, &memory->lock);
	memory->mm = current->mm;
	memory->notifier.ops = &memory_notifier_ops;
	if (apic_page) {
		memory->apic_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!memory->apic_page)
			return err;
	}
	err = ept_init(&memory->ept);
	if (err)
		goto free;
	err = register_notifier(memory);
	if (err)
		goto destroy;
	return 0;

destroy:
	ept_destroy(&memory->ept);
free:
	free_page((unsigned long)memory->apic_page);
	return err;
}

void tvx_memory_destroy(struct tvx_memory *memory)
{
	mmu_notifier_unregister(&memory->notifier, memory->mm);
	ept_destroy(&memory->ept);
	free_page((unsigned long)memory->apic_page);
}

/* ----------------------------------------------------------------- slots */

/*
 * The process's addresses must be what its page tables translate, with nothing above that
 * a walk would drop: bits there, such as LAM's tags, would make a slot of a page that the
 * notifier does not find in it. access_ok() lets them pass on some kernels.
 */
static int check_range(const struct tinyvmx_memory *arg)
{
	u64 gpa_end, hva_end;

	if ((arg->gpa | arg->len | arg->hva) & ~PAGE_MASK)
		return -EINVAL;
	if (check_add_overflow(arg->gpa, arg->len, &gpa_end) ||
	    gpa_end > BIT_ULL(tvx_memory_gpa_bits()))
		return -EINVAL;
	if (check_add_overflow(arg->hva, arg->len, &hva_end) || hva_end > TASK_SIZE_MAX)
		return -EINVAL;
	return 0;
}

static bool overlaps(const struct tvx_memory *memory, u64 gpa, u64 len)
{
	unsigned int i;

	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];

		if (slot->len && gpa < slot->gpa + slot->len && slot->gpa < gpa + len)
			return true;
	}
	return false;
}

static int add_slot(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	struct tvx_slot *slot = &memory->slots[arg->slot];
	struct ept_freed freed = {};
	int err = 0;

	raw_spin_lock(&memory->lock);
	if (slot->len || overlaps(memory, arg->gpa, arg->len)) {
		err = -EEXIST;
		goto unlock;
	}
	write_seqcount_begin(&memory->slots_seq);
	slot->gpa = arg->gpa;
	slot->len = arg->len;
	slot->hva = arg->hva;
	slot->readonly = arg->flags & TINYVMX_MEMORY_READONLY;
	memory->nr_slots = max(memory->nr_slots, arg->slot + 1);
	write_seqcount_end(&memory->slots_seq);
	/* What is mapped where no RAM was is the APIC-access page. */
	if (ept_unmap(&memory->ept, slot->gpa, slot->len, &freed))
		flush_locked(memory);
unlock:
	raw_spin_unlock(&memory->lock);
	ept_free(&freed);
	return err;
}

static int delete_slot(struct tvx_memory *memory, unsigned int n)
{
	struct tvx_slot *slot = &memory->slots[n];
	struct ept_freed freed = {};

	raw_spin_lock(&memory->lock);
	if (!slot->len) {
		raw_spin_unlock(&memory->lock);
		return -ENOENT;
	}
	if (ept_unmap(&memory->ept, slot->gpa, slot->len, &freed))
		flush_locked(memory);
	write_seqcount_begin(&memory->slots_seq);
	slot->len = 0;
	write_seqcount_end(&memory->slots_seq);
	raw_spin_unlock(&memory->lock);
	ept_free(&freed);
	return 0;
}

int tvx_memory_set(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	int err;

	if (arg->pad || arg->slot >= TVX_MAX_SLOTS)
		return -EINVAL;
	if (!arg->len)
		return delete_slot(memory, array_index_nospec(arg->slot, TVX_MAX_SLOTS));
	err = check_range(arg);
	if (err)
		return err;
	return add_slot(memory, arg);
}

/* -------------------------------------------------- the APIC-access page */

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
	    overlaps(memory, APIC_DEFAULT_PHYS_BASE, PAGE_SIZE))
		return -ENOENT;
	entry = ept_find(&memory->ept, cache, APIC_DEFAULT_PHYS_BASE, &shift);
	if (!entry)
		return -ENOBUFS;
	ept_map(entry, __pa(memory->apic_page), shift, true);
	return 0;
}

void tvx_memory_hide_apic_page(struct tvx_memory *memory, bool hide)
{
	struct ept_freed freed = {};

	raw_spin_lock(&memory->lock);
	memory->apic_hidden += hide ? 1 : -1;
	if (hide && ept_unmap(&memory->ept, APIC_DEFAULT_PHYS_BASE, PAGE_SIZE, &freed))
		flush_locked(memory);
	raw_spin_unlock(&memory->lock);
	ept_free(&freed);
}

/* ---------------------------------------------------------------- faults */

/* What a fault works on. */
struct lookup {
	const struct tvx_slot *slot;
	u64 gpa;
	unsigned long hva;
	struct tvx_host_table table;
	unsigned int shift;	/* of the pages to be mapped */
	u64 *entry;
};

static const struct tvx_slot *find_slot(const struct tvx_memory *memory,
					const struct tvx_fault *fault)
{
	unsigned int i;

	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];

		if (fault->gpa - slot->gpa < slot->len)
			return slot->readonly && fault->write ? NULL : slot;
	}
	return NULL;
}

bool tvx_memory_is_mmio(const struct tvx_memory *memory, const struct tvx_fault *fault)
{
	/* Does not wait for a change under way: the retry fails then. */
	unsigned int seq = raw_seqcount_begin(&memory->slots_seq);

	if (memory->apic_page && is_apic_page(fault->gpa))
		return false;
	return !find_slot(memory, fault) && !read_seqcount_retry(&memory->slots_seq, seq);
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
		bool writable = page->writable && !lookup->slot->readonly;

		ept_map(lookup->entry + i, page->hpa, lookup->shift, writable);
		if (writable && !page->dirty)
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

/*
 * One try. -ENOBUFS: @cache is empty; -EBUSY: the process's memory is changing;
 * -EAGAIN: what the fault wants is not at *hva, though it may come. Interrupts disabled.
 */
static int try_fault_locked(struct tvx_memory *memory, struct ept_cache *cache,
			    const struct tvx_fault *fault, unsigned long *hva)
{
	struct lookup lookup = { .slot = find_slot(memory, fault) };

	lockdep_assert_held(&memory->lock);
	if (!lookup.slot)
		return map_apic_page_locked(memory, cache, fault->gpa);
	if (memory->invalidations)
		return -EBUSY;
	lookup.gpa = fault->gpa & PAGE_MASK;
	lookup.hva = lookup.slot->hva + (lookup.gpa - lookup.slot->gpa);
	*hva = lookup.hva;
	return map_locked(memory, cache, fault, &lookup);
}

/* Get what a try was missing, or return what is wrong with it. */
static int provide(struct ept_cache *cache, int missing, unsigned long hva, bool write)
{
	switch (missing) {
	case -ENOBUFS:
		return ept_cache_fill(cache, GFP_KERNEL_ACCOUNT);
	case -EAGAIN:
		return tvx_host_fault_in(hva, write);
	case -ENODATA:
		return tvx_host_fault_in(hva, true);
	case -EBUSY:
		cond_resched();
		return signal_pending(current) ? -EINTR : 0;
	}
	return missing;
}

int tvx_memory_fault(struct tvx_memory *memory, struct ept_cache *cache,
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
		err = provide(cache, err, hva, fault->write);
		if (err)
			return err;
	}
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
		 !ept_cache_fill(cache, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT));
	raw_spin_unlock(&memory->lock);
	return err == -ENOBUFS || err == -EBUSY || err == -ENODATA ? -EAGAIN : err;
}
