// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots, EPT population and the MMU notifier.
 *
 * A fault looks the slot up under the lock, takes the page from the process
 * without it, and maps the page under the lock if nothing has changed since.
 * Pages are not pinned: a mapping lives until the notifier takes it away.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <asm/io.h>
#include <asm/processor.h>

#include "host.h"
#include "memory.h"

/* Neighbours mapped along with a 4 KiB page, if the process has them mapped. */
#define FAULT_AROUND	16

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

void tvx_memory_load(struct tvx_memory *memory)
{
	cpumask_set_cpu(smp_processor_id(), &memory->loaded);
	/* Pairs with flush_locked(): be seen as loaded before looking at the generation. */
	smp_mb__after_atomic();
}

void tvx_memory_put(struct tvx_memory *memory)
{
	cpumask_clear_cpu(smp_processor_id(), &memory->loaded);
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

	spin_lock(&memory->lock);
	memory->invalidations += begin;
	unmap_hva_range_locked(memory, start, end, &freed);
	spin_unlock(&memory->lock);
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

	spin_lock(&memory->lock);
	memory->invalidations--;
	memory->seq++;
	spin_unlock(&memory->lock);
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

int tvx_memory_init(struct tvx_memory *memory)
{
	int err;

	spin_lock_init(&memory->lock);
	memory->mm = current->mm;
	memory->notifier.ops = &memory_notifier_ops;
	err = ept_init(&memory->ept);
	if (err)
		return err;
	err = register_notifier(memory);
	if (err)
		ept_destroy(&memory->ept);
	return err;
}

void tvx_memory_destroy(struct tvx_memory *memory)
{
	mmu_notifier_unregister(&memory->notifier, memory->mm);
	ept_destroy(&memory->ept);
}

/* ----------------------------------------------------------------- slots */

static int check_range(const struct tinyvmx_memory *arg)
{
	u64 gpa_end, hva_end;

	if ((arg->gpa | arg->len | arg->hva) & ~PAGE_MASK)
		return -EINVAL;
	if (check_add_overflow(arg->gpa, arg->len, &gpa_end) ||
	    gpa_end > BIT_ULL(tvx_memory_gpa_bits()))
		return -EINVAL;
	if (check_add_overflow(arg->hva, arg->len, &hva_end) ||
	    !access_ok((void __user *)arg->hva, arg->len))
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
	int err = 0;

	spin_lock(&memory->lock);
	if (slot->len || overlaps(memory, arg->gpa, arg->len)) {
		err = -EEXIST;
		goto unlock;
	}
	slot->gpa = arg->gpa;
	slot->len = arg->len;
	slot->hva = arg->hva;
	slot->readonly = arg->flags & TINYVMX_MEMORY_READONLY;
	memory->nr_slots = max(memory->nr_slots, arg->slot + 1);
unlock:
	spin_unlock(&memory->lock);
	return err;
}

static int delete_slot(struct tvx_memory *memory, unsigned int n)
{
	struct tvx_slot *slot = &memory->slots[n];
	struct ept_freed freed = {};

	spin_lock(&memory->lock);
	if (!slot->len) {
		spin_unlock(&memory->lock);
		return -ENOENT;
	}
	if (ept_unmap(&memory->ept, slot->gpa, slot->len, &freed))
		flush_locked(memory);
	slot->len = 0;
	memory->seq++;
	spin_unlock(&memory->lock);
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

/* ---------------------------------------------------------------- faults */

/* What a fault works on: the slot and where in it, as of @seq. */
struct lookup {
	struct tvx_slot slot;
	u64 gpa;		/* page aligned */
	unsigned long hva;
	unsigned long seq;
};

static int look_up(struct tvx_memory *memory, const struct tvx_fault *fault,
		   struct lookup *lookup)
{
	int err = -ENOENT;
	unsigned int i;

	spin_lock(&memory->lock);
	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];

		if (fault->gpa - slot->gpa >= slot->len)
			continue;
		if (slot->readonly && fault->write)
			break;
		lookup->slot = *slot;
		lookup->gpa = fault->gpa & PAGE_MASK;
		lookup->hva = slot->hva + (lookup->gpa - slot->gpa);
		lookup->seq = memory->seq;
		err = 0;
		break;
	}
	spin_unlock(&memory->lock);
	return err;
}

static int take(unsigned long hva, unsigned int flags, bool atomic, struct page **page)
{
	int n;

	n = atomic ? get_user_pages_fast_only(hva, 1, flags, page) :
		     get_user_pages_fast(hva, 1, flags, page);
	if (n == 1)
		return 0;
	if (atomic)
		return -EAGAIN;
	return n < 0 ? n : -EFAULT;
}

/*
 * Take the page at @hva. A read must not break copy-on-write, but where the
 * process can write to the page already, one fault serves both. Return: 0, and
 * the page's reference is held; -EAGAIN: @atomic, and it is not there; -errno.
 */
static int take_page(const struct lookup *lookup, bool write, bool atomic,
		     struct page **page, bool *writable)
{
	struct page *same;
	int err;

	*writable = write;
	if (write)
		return take(lookup->hva, FOLL_WRITE, atomic, page);
	err = take(lookup->hva, 0, atomic, page);
	if (err || lookup->slot.readonly)
		return err;
	if (take(lookup->hva, FOLL_WRITE, true, &same))
		return 0;
	put_page(*page);
	*page = same;
	*writable = true;
	return 0;
}

/* The largest page that the slot's alignment and both mappings allow. */
static unsigned int mapping_shift(struct tvx_memory *memory, const struct lookup *lookup)
{
	const struct tvx_slot *slot = &lookup->slot;
	unsigned int shift;

	shift = ept_page_shift(tvx_host_mapping_shift(memory->mm, lookup->hva));
	for (; shift > PAGE_SHIFT; shift = ept_page_shift(shift - 1)) {
		u64 gpa = lookup->gpa & ~(BIT_ULL(shift) - 1);

		if (!((slot->gpa ^ slot->hva) & (BIT_ULL(shift) - 1)) &&
		    gpa >= slot->gpa && gpa + BIT_ULL(shift) <= slot->gpa + slot->len)
			break;
	}
	return shift;
}

static void map_page(struct tvx_memory *memory, struct ept_cache *cache, u64 gpa,
		     struct page *page, unsigned int shift, bool writable)
{
	u64 mask = ~(BIT_ULL(shift) - 1);

	/* Where smaller pages are mapped already, this one joins them. */
	while (!ept_map(&memory->ept, cache, gpa & mask, page_to_phys(page) & mask, shift,
			writable) && shift > PAGE_SHIFT) {
		shift = ept_page_shift(shift - 1);
		mask = ~(BIT_ULL(shift) - 1);
	}
	/*
	 * The guest's writes leave no trace in the process's page table, whose
	 * entry may be clean; the notifier comes before the page is cleaned again.
	 */
	if (writable && !PageReserved(page))
		SetPageDirty(page);
}

/* Map the pages behind @lookup's that the process has mapped, too. */
static void fault_around(struct tvx_memory *memory, struct ept_cache *cache,
			 const struct lookup *lookup, struct page **pages, int count,
			 bool writable)
{
	int i;

	for (i = 0; i < count; i++)
		map_page(memory, cache, lookup->gpa + (i + 1) * PAGE_SIZE, pages[i],
			 PAGE_SHIFT, writable);
}

/* The pages behind @lookup's, as far as they lie in its slot and its EPT table. */
static int take_neighbours(const struct lookup *lookup, struct page **pages, bool writable)
{
	u64 stop = ALIGN_DOWN(lookup->gpa, FAULT_AROUND * PAGE_SIZE) + FAULT_AROUND * PAGE_SIZE;
	int n;

	stop = min(stop, lookup->slot.gpa + lookup->slot.len);
	n = (int)((stop - lookup->gpa) >> PAGE_SHIFT) - 1;
	if (n <= 0)
		return 0;
	n = get_user_pages_fast_only(lookup->hva + PAGE_SIZE, n,
				     writable ? FOLL_WRITE : 0, pages);
	return max(n, 0);
}

/* One try. -EBUSY: the process's memory changed meanwhile. */
static int try_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault, bool atomic)
{
	struct page *pages[FAULT_AROUND];
	struct lookup lookup;
	int err, i, around;
	bool writable;

	err = look_up(memory, fault, &lookup);
	if (err)
		return err;
	err = take_page(&lookup, fault->write, atomic, &pages[0], &writable);
	if (err)
		return err;
	around = take_neighbours(&lookup, pages + 1, writable);

	spin_lock(&memory->lock);
	if (memory->invalidations || memory->seq != lookup.seq) {
		err = -EBUSY;
	} else {
		unsigned int shift = mapping_shift(memory, &lookup);

		map_page(memory, cache, lookup.gpa, pages[0], shift, writable);
		if (shift == PAGE_SHIFT)
			fault_around(memory, cache, &lookup, pages + 1, around, writable);
	}
	spin_unlock(&memory->lock);
	for (i = 0; i <= around; i++)
		put_page(pages[i]);
	return err;
}

int tvx_memory_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault, bool atomic)
{
	int err;

	if (atomic) {
		if (cache->count < EPT_LEVELS - 1)
			return -EAGAIN;
		err = try_fault(memory, cache, fault, true);
		return err == -EBUSY ? -EAGAIN : err;
	}

	for (;;) {
		err = ept_cache_fill(cache);
		if (err)
			return err;
		err = try_fault(memory, cache, fault, false);
		if (err != -EBUSY)
			return err;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}
