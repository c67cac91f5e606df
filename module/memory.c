// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots and the MMU notifier: how mappings go. memory_fault.c is how they come.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/apicdef.h>
#include <asm/processor.h>
#include <asm/vmx.h>

#include "host.h"
#include "memory.h"
#include "vmx_caps.h"

unsigned int tvx_memory_gpa_bits(void)
{
	return min_t(unsigned int, boot_cpu_data.x86_phys_bits, PAGE_SHIFT + 9 * EPT_LEVELS);
}

/* -------------------------------------------------------------- removals */

static void answer(void *unused)
{
}

void tvx_memory_interrupt_loaded(struct tvx_memory *memory)
{
	/* What this is about is to be seen before the look at who is loaded. */
	smp_mb();
	on_each_cpu_mask(&memory->loaded, answer, NULL, true);
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
	tvx_memory_interrupt_loaded(memory);
}

/* The caller flushes if anything was mapped, which is returned, before it drops the lock. */
static bool clear_piece_locked(struct tvx_memory *memory, struct ept_removal *piece)
{
	lockdep_assert_held(&memory->lock);
	piece->budget = EPT_PIECE;
	piece->any = false;
	ept_unmap(&memory->ept, piece);
	return piece->any;
}

/* Unmap and flush one piece. The caller frees what fell out, without the lock. */
static void unmap_piece_locked(struct tvx_memory *memory, struct ept_removal *piece)
{
	if (clear_piece_locked(memory, piece))
		flush_locked(memory);
}

static void unmap_apic_page_locked(struct tvx_memory *memory, struct ept_removal *removal)
{
	removal->gpa = APIC_DEFAULT_PHYS_BASE;
	removal->end = removal->gpa + PAGE_SIZE;
	unmap_piece_locked(memory, removal);
}

/**
 * struct removal - of the mappings of a range of the process's addresses
 * @start: where the range starts
 * @end: where it ends
 * @slot: the next slot to look at
 * @part: of the range, in the slot before
 */
struct removal {
	unsigned long start;
	unsigned long end;
	unsigned int slot;
	struct ept_removal part;
};

/* Go on to the next slot with a part of the range. Return: false: there is none. */
static bool next_part_locked(const struct tvx_memory *memory, struct removal *removal)
{
	lockdep_assert_held(&memory->lock);
	while (removal->slot < memory->nr_slots) {
		const struct tvx_slot *slot = &memory->slots[removal->slot++];
		unsigned long from = max(removal->start, slot->hva);
		unsigned long to = min(removal->end, slot->hva + (unsigned long)slot->len);

		if (from < to) {
			removal->part.gpa = slot->gpa + (from - slot->hva);
			removal->part.end = removal->part.gpa + (to - from);
			return true;
		}
	}
	return false;
}

/*
 * Unmap a piece. What changed since the last one does not matter: who deletes a slot
 * unmaps it, and nothing is mapped in a range that is under way. Return: whether there is more.
 */
static bool unmap_some_locked(struct tvx_memory *memory, struct removal *removal)
{
	struct ept_removal *part = &removal->part;

	lockdep_assert_held(&memory->lock);
	if (part->gpa == part->end && !next_part_locked(memory, removal))
		return false;
	unmap_piece_locked(memory, part);
	return true;
}

/*
 * The lock is held for as long as a piece takes: vCPUs whose faults have nothing to do with
 * the range, and other ranges, do not wait for a large one.
 */
static void unmap_range(struct tvx_memory *memory, struct removal *removal, bool may_sleep)
{
	bool more;

	do {
		raw_spin_lock(&memory->lock);
		more = unmap_some_locked(memory, removal);
		raw_spin_unlock(&memory->lock);
		ept_free(&memory->ept, &removal->part);
		if (may_sleep)
			cond_resched();
	} while (more);
}

/*
 * From now on nothing is mapped in the range. Several are one, with what is between them, until
 * the last one ends. What a fault maps may begin before its address, by a large page at most,
 * and those that the kernel splits are of 2 MiB. All of a process may end at ~0 (clear_refs).
 */
static void begin_change(struct tvx_memory *memory, unsigned long start, unsigned long end)
{
	start = ALIGN_DOWN(start, PMD_SIZE);
	end = ALIGN(min(end, TASK_SIZE_MAX), PMD_SIZE);
	raw_spin_lock(&memory->lock);
	if (!memory->changes) {
		memory->change_start = start;
		memory->change_end = end;
	}
	memory->change_start = min(memory->change_start, start);
	memory->change_end = max(memory->change_end, end);
	WRITE_ONCE(memory->changes, memory->changes + 1);
	raw_spin_unlock(&memory->lock);
}

static void end_change(struct tvx_memory *memory)
{
	raw_spin_lock(&memory->lock);
	WRITE_ONCE(memory->changes, memory->changes - 1);
	raw_spin_unlock(&memory->lock);
	if (wq_has_sleeper(&memory->change_ended))
		wake_up_all(&memory->change_ended);
}

/* -------------------------------------------------------------- notifier */

static struct tvx_memory *notifier_memory(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct tvx_memory, notifier);
}

static int memory_invalidate_start(struct mmu_notifier *notifier,
				   const struct mmu_notifier_range *range)
{
	struct removal removal = { .start = range->start, .end = range->end };
	struct tvx_memory *memory = notifier_memory(notifier);

	begin_change(memory, range->start, range->end);
	unmap_range(memory, &removal, mmu_notifier_range_blockable(range));
	return 0;
}

static void memory_invalidate_end(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	end_change(notifier_memory(notifier));
}

/* The process is gone; fds that others hold may still keep the VM. */
static void memory_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct removal removal = { .end = ULONG_MAX };

	unmap_range(notifier_memory(notifier), &removal, true);
}

/*
 * Whether the guest has used a part of a range. That is forgotten then.
 *
 * CPUs go on without setting accessed bits as long as they have translations in their TLBs: these
 * go before the next entry that follows an interrupt. Nobody waits for that: what is looked for
 * is what the guest uses from now on, within ticks of the timer.
 *
 * A CPU without accessed bits shows by an EPT violation that a page is used again, so what was
 * mapped was used. That goes at once, of all slots that have the page: whoever takes it away
 * flushes only what is mapped.
 */
static bool forget_part_locked(struct tvx_memory *memory, struct ept_removal *part)
{
	lockdep_assert_held(&memory->lock);
	if (ept_has_ad(&memory->ept))
		return ept_accessed(&memory->ept, part->gpa, part->end, true);
	return clear_piece_locked(memory, part);
}

/* The caller holds a lock of the process's page tables. */
static bool forget_use(struct tvx_memory *memory, unsigned long start, unsigned long end)
{
	struct removal removal = { .start = start, .end = end };
	bool used = false;

	raw_spin_lock(&memory->lock);
	while (next_part_locked(memory, &removal))
		used |= forget_part_locked(memory, &removal.part);
	if (used && ept_has_ad(&memory->ept))
		atomic64_inc(&memory->generation);
	else if (used)
		flush_locked(memory);
	raw_spin_unlock(&memory->lock);
	ept_free(&memory->ept, &removal.part);
	return used;
}

/* Reclaim and others ask for the age of pages. A large page is as young as its youngest part. */
static tvx_young_t memory_clear_young(struct mmu_notifier *notifier, struct mm_struct *mm,
				      unsigned long start, unsigned long end)
{
	return forget_use(notifier_memory(notifier), start, end);
}

static tvx_young_t memory_test_young(struct mmu_notifier *notifier, struct mm_struct *mm,
				     unsigned long address)
{
	struct removal removal = { .start = address, .end = address + 1 };
	struct tvx_memory *memory = notifier_memory(notifier);
	struct ept *ept = &memory->ept;
	bool used = false;

	raw_spin_lock(&memory->lock);
	while (!used && next_part_locked(memory, &removal))
		used = ept_has_ad(ept) ?
		       ept_accessed(ept, removal.part.gpa, removal.part.end, false) :
		       ept_mapped(ept, removal.part.gpa);
	raw_spin_unlock(&memory->lock);
	return used;
}

static const struct mmu_notifier_ops memory_notifier_ops = {
	.invalidate_range_start = memory_invalidate_start,
	.invalidate_range_end = memory_invalidate_end,
	.clear_flush_young = memory_clear_young,
	.clear_young = memory_clear_young,
	.test_young = memory_test_young,
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

int tvx_memory_init(struct tvx_memory *memory, struct tvx_user *user, bool apic_page)
{
	int err = -ENOMEM;

	raw_spin_lock_init(&memory->lock);
	seqcount_raw_spinlock_init(&memory->slots_seq, &memory->lock);
	mutex_init(&memory->slots_lock);
	mutex_init(&memory->use_lock);
	init_waitqueue_head(&memory->change_ended);
	memory->mm = current->mm;
	memory->notifier.ops = &memory_notifier_ops;
	if (apic_page) {
		memory->apic_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!memory->apic_page)
			return err;
	}
	err = ept_init(&memory->ept, user);
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

bool tvx_memory_overlaps(const struct tvx_memory *memory, u64 gpa, u64 len)
{
	unsigned int i;

	for (i = 0; i < memory->nr_slots; i++) {
		const struct tvx_slot *slot = &memory->slots[i];

		if (slot->len && gpa < slot->gpa + slot->len && slot->gpa < gpa + len)
			return true;
	}
	return false;
}

static void set_slot_locked(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	struct tvx_slot *slot = &memory->slots[arg->slot];

	lockdep_assert_held(&memory->lock);
	write_seqcount_begin(&memory->slots_seq);
	slot->gpa = arg->gpa;
	slot->len = arg->len;
	slot->hva = arg->hva;
	slot->flags = arg->flags;
	memory->nr_slots = max(memory->nr_slots, arg->slot + 1);
	write_seqcount_end(&memory->slots_seq);
}

static int add_slot(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	struct ept_removal removal = {};

	lockdep_assert_held(&memory->slots_lock);
	if (memory->slots[arg->slot].len || tvx_memory_overlaps(memory, arg->gpa, arg->len))
		return -EEXIST;
	raw_spin_lock(&memory->lock);
	set_slot_locked(memory, arg);
	/* All that can be mapped where no RAM was. */
	if (tvx_memory_overlaps(memory, APIC_DEFAULT_PHYS_BASE, PAGE_SIZE))
		unmap_apic_page_locked(memory, &removal);
	raw_spin_unlock(&memory->lock);
	ept_free(&memory->ept, &removal);
	return 0;
}

/* The slot goes last: notifiers must find it as long as anything of it is mapped. */
static int delete_slot(struct tvx_memory *memory, unsigned int n)
{
	struct tvx_slot *slot = &memory->slots[n];
	struct removal removal = {
		.slot = TVX_MAX_SLOTS,	/* no other */
		.part = { .gpa = slot->gpa, .end = slot->gpa + slot->len },
	};

	lockdep_assert_held(&memory->slots_lock);
	if (!slot->len)
		return -ENOENT;
	begin_change(memory, slot->hva, slot->hva + slot->len);
	unmap_range(memory, &removal, true);
	raw_spin_lock(&memory->lock);
	write_seqcount_begin(&memory->slots_seq);
	slot->len = 0;
	write_seqcount_end(&memory->slots_seq);
	raw_spin_unlock(&memory->lock);
	end_change(memory);
	return 0;
}

static int set_slot(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	int err;

	if (!arg->len)
		return delete_slot(memory, array_index_nospec(arg->slot, TVX_MAX_SLOTS));
	err = check_range(arg);
	return err ? err : add_slot(memory, arg);
}

int tvx_memory_set(struct tvx_memory *memory, const struct tinyvmx_memory *arg)
{
	int err;

	if (arg->pad || arg->slot >= TVX_MAX_SLOTS)
		return -EINVAL;
	if ((arg->flags & TINYVMX_MEMORY_EXECUTE_ONLY) &&
	    !(vmx_caps.ept_vpid & VMX_EPT_EXECUTE_ONLY_BIT))
		return -EOPNOTSUPP;
	mutex_lock(&memory->slots_lock);
	err = set_slot(memory, arg);
	mutex_unlock(&memory->slots_lock);
	return err;
}

/* -------------------------------------------------- the APIC-access page */

void tvx_memory_hide_apic_page(struct tvx_memory *memory, bool hide)
{
	struct ept_removal removal = {};

	raw_spin_lock(&memory->lock);
	memory->apic_hidden += hide ? 1 : -1;
	if (hide)
		unmap_apic_page_locked(memory, &removal);
	raw_spin_unlock(&memory->lock);
	ept_free(&memory->ept, &removal);
}

/* ---------------------------------------------------------- accessed bits */

void tvx_memory_stop_ad(struct tvx_memory *memory)
{
	raw_spin_lock(&memory->lock);
	if (ept_has_ad(&memory->ept)) {
		ept_stop_ad(&memory->ept);
		flush_locked(memory);
	}
	raw_spin_unlock(&memory->lock);
}

/* ------------------------------------------ what the guest uses, and how */

static int check_use(const struct tinyvmx_get_use *arg)
{
	u64 end;

	if (!arg->len || arg->len > TINYVMX_MAX_USE_BYTES ||
	    !IS_ALIGNED(arg->gpa | arg->len, PAGE_SIZE) ||
	    check_add_overflow(arg->gpa, arg->len, &end) ||
	    end > BIT_ULL(tvx_memory_gpa_bits()))
		return -EINVAL;
	return 0;
}

/* A whole number of bytes, also at the end: the bits beyond it are 0. */
static int copy_bits(u64 to, const unsigned long *bits, unsigned int pages)
{
	if (to && copy_to_user(u64_to_user_ptr(to), bits, DIV_ROUND_UP(pages, BITS_PER_BYTE)))
		return -EFAULT;
	return 0;
}

/*
 * Look at a piece, or flush behind the last. One at a time, so that of the many who may ask at once
 * one at the most is in the way of those who need the lock: reclaim, for one.
 */
static int look_at_use(struct tvx_memory *memory, u64 gpa, u64 end, bool forget,
		       struct ept_use *use)
{
	bool has_ad;

	mutex_lock(&memory->use_lock);
	raw_spin_lock(&memory->lock);
	has_ad = ept_has_ad(&memory->ept);
	if (has_ad && use)
		ept_use(&memory->ept, gpa, end, forget, use);
	if (has_ad && !use)
		flush_locked(memory);
	raw_spin_unlock(&memory->lock);
	mutex_unlock(&memory->use_lock);
	return has_ad ? 0 : -EOPNOTSUPP;
}

/* Pages from @page of @arg's range on, as many as are looked at under one hold of the lock. */
static int get_some_use(struct tvx_memory *memory, const struct tinyvmx_get_use *arg, u64 page,
			struct ept_use *use)
{
	unsigned int pages = min_t(u64, (arg->len >> PAGE_SHIFT) - page, EPT_USE_PAGES);
	u64 gpa = arg->gpa + (page << PAGE_SHIFT);
	u64 byte = page / BITS_PER_BYTE;
	int err = look_at_use(memory, gpa, gpa + ((u64)pages << PAGE_SHIFT),
			      arg->flags & TINYVMX_USE_FORGET, use);

	if (!err)
		err = copy_bits(arg->used ? arg->used + byte : 0, use->used, pages);
	if (!err)
		err = copy_bits(arg->written ? arg->written + byte : 0, use->written, pages);
	return err;
}

/*
 * What a CPU goes on to use by a translation that it still has was noted before, so it is in what
 * is told now. From the end on each has lost them.
 */
int tvx_memory_get_use(struct tvx_memory *memory, const struct tinyvmx_get_use *arg)
{
	int flushed = 0, err = check_use(arg);
	struct ept_use use = {};
	u64 page;

	if (err)
		return err;
	for (page = 0; !err && page < arg->len >> PAGE_SHIFT; page += EPT_USE_PAGES) {
		err = get_some_use(memory, arg, page, &use);
		cond_resched();
	}
	if (arg->flags & TINYVMX_USE_FORGET)
		flushed = look_at_use(memory, 0, 0, true, NULL);
	return err ?: flushed;
}

int tvx_memory_get_ept(struct tvx_memory *memory, struct tinyvmx_get_ept *arg)
{
	if (arg->pad || arg->gpa >= BIT_ULL(tvx_memory_gpa_bits()))
		return -EINVAL;
	memset(arg->entries, 0, sizeof(arg->entries));
	mutex_lock(&memory->use_lock);
	raw_spin_lock(&memory->lock);
	arg->count = ept_walk(&memory->ept, arg->gpa, arg->entries);
	raw_spin_unlock(&memory->lock);
	mutex_unlock(&memory->use_lock);
	return 0;
}
