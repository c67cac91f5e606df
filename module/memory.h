/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-physical memory: slots of the process's memory, mapped by EPT on demand.
 */
#ifndef TVX_MEMORY_H
#define TVX_MEMORY_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "ept.h"
#include "../uapi/tinyvmx.h"

#define TVX_MAX_SLOTS	64

struct tvx_slot {
	u64 gpa;
	u64 len;		/* bytes, 0: the slot is free */
	unsigned long hva;
	u32 flags;		/* TINYVMX_MEMORY_* */
};

/**
 * struct tvx_memory - the memory of one VM
 * @mm: of the process that owns the VM
 * @notifier: tells when @mm changes
 * @lock: protects slots, ept and changes. Never waited for with interrupts
 *	disabled: its holders wait for other CPUs. Raw: a fault takes it, if it is free, with
 *	interrupts disabled, also with PREEMPT_RT. Held no longer than a piece of a removal takes
 * @slots_lock: held, besides, by who changes slots
 * @use_lock: held, besides, by who asks what the guest uses, or how it is mapped
 * @slots_seq: counts changes of @slots, for those who look without @lock
 * @slots: indexed by the ABI's slot number
 * @nr_slots: one more than the highest slot in use
 * @ept: the paging structures
 * @changes: ranges of the process's addresses under way: notifiers', slots that are deleted
 * @change_start: with some, nothing is mapped from here ...
 * @change_end: ... to here
 * @change_ended: who waits for the end of one
 * @generation: counts removals of mappings, each of which asks for an INVEPT
 * @loaded: CPUs on which a vCPU of this VM is loaded
 * @apic_page: with APIC virtualization: the APIC-access page, which stands in the EPT
 *	for the local APICs' registers and is never read or written
 * @apic_hidden: how many vCPUs must not find it there
 */
struct tvx_memory {
	struct mm_struct *mm;
	struct mmu_notifier notifier;
	raw_spinlock_t lock;	/* slots, ept, changes; waited for with interrupts enabled */
	struct mutex slots_lock;	/* to change slots */
	struct mutex use_lock;		/* to ask what is used, and how */
	seqcount_raw_spinlock_t slots_seq;
	struct tvx_slot slots[TVX_MAX_SLOTS];
	unsigned int nr_slots;
	struct ept ept;
	unsigned long changes;
	unsigned long change_start;
	unsigned long change_end;
	wait_queue_head_t change_ended;
	atomic64_t generation;
	struct cpumask loaded;
	void *apic_page;
	unsigned int apic_hidden;
};

/* Bind @memory to current->mm, its tables to @user. Return 0 or -errno. May sleep. */
int tvx_memory_init(struct tvx_memory *memory, struct tvx_user *user, bool apic_page);
/* No vCPU exists any more. May sleep. */
void tvx_memory_destroy(struct tvx_memory *memory);

/* TINYVMX_SET_MEMORY on a copied-in argument. May sleep. */
int tvx_memory_set(struct tvx_memory *memory, const struct tinyvmx_memory *arg);

/* TINYVMX_GET_USE on a copied-in argument. May sleep. */
int tvx_memory_get_use(struct tvx_memory *memory, const struct tinyvmx_get_use *arg);

/* TINYVMX_GET_EPT on a copied-in argument, which it fills. May sleep. */
int tvx_memory_get_ept(struct tvx_memory *memory, struct tinyvmx_get_ept *arg);

/* How wide a guest-physical address is. */
unsigned int tvx_memory_gpa_bits(void);

/* Whether a slot has part of the range. Under a lock. */
bool tvx_memory_overlaps(const struct tvx_memory *memory, u64 gpa, u64 len);

/* Have CPUs set no accessed bits from the next entry on: what a guest uses is told by faults. */
void tvx_memory_stop_ad(struct tvx_memory *memory);

/*
 * tvx_memory_hide_apic_page - one more vCPU, or one less, accesses to the APIC-access
 * page are not virtualized for
 *
 * While there is one, the page is mapped nowhere. May sleep.
 */
void tvx_memory_hide_apic_page(struct tvx_memory *memory, bool hide);

/*
 * A vCPU of this VM is about to enter the guest on this CPU, and no longer.
 * Preemption disabled. After tvx_memory_load(), and whenever interrupts have
 * been enabled since, compare tvx_memory_generation() with that of the last
 * INVEPT: removals wait until every loaded CPU has had interrupts enabled.
 */
static inline void tvx_memory_load(struct tvx_memory *memory)
{
	cpumask_set_cpu(smp_processor_id(), &memory->loaded);
	/*
	 * Pairs with tvx_memory_interrupt_loaded(): be seen as loaded before looking at the
	 * generation, or at ports that signal an eventfd.
	 */
	smp_mb__after_atomic();
}

/*
 * tvx_memory_interrupt_loaded - interrupt every CPU on which a vCPU of this VM is loaded
 *
 * When it returns the handlers of exits that were under way are through, or have enabled
 * interrupts, and those that come see what was written before. Interrupts enabled; sleeps not,
 * but waits for those CPUs.
 */
void tvx_memory_interrupt_loaded(struct tvx_memory *memory);

static inline void tvx_memory_put(struct tvx_memory *memory)
{
	cpumask_clear_cpu(smp_processor_id(), &memory->loaded);
}

static inline u64 tvx_memory_generation(struct tvx_memory *memory)
{
	return atomic64_read(&memory->generation);
}

#endif
