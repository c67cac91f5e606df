/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-physical memory: slots of the process's memory, mapped by EPT on demand.
 */
#ifndef TVX_MEMORY_H
#define TVX_MEMORY_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/mmu_notifier.h>
#include <linux/seqlock.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "ept.h"
#include "../uapi/tinyvmx.h"

#define TVX_MAX_SLOTS	64

struct tvx_slot {
	u64 gpa;
	u64 len;		/* bytes, 0: the slot is free */
	unsigned long hva;
	bool readonly;
};

/**
 * struct tvx_memory - the memory of one VM
 * @mm: of the process that owns the VM
 * @notifier: tells when @mm changes
 * @lock: protects slots, ept and invalidations. Never waited for with interrupts
 *	disabled: its holders wait for other CPUs. Raw: a fault takes it, if it is free, with
 *	interrupts disabled, also with PREEMPT_RT.
 * @slots_seq: counts changes of @slots, for those who look without @lock
 * @slots: indexed by the ABI's slot number
 * @nr_slots: one more than the highest slot in use
 * @ept: the paging structures
 * @invalidations: notifier ranges under way, during which nothing is mapped
 * @generation: counts removals of mappings, each of which asks for an INVEPT
 * @loaded: CPUs on which a vCPU of this VM is loaded
 * @apic_page: with APIC virtualization: the APIC-access page, which stands in the EPT
 *	for the local APICs' registers and is never read or written
 * @apic_hidden: how many vCPUs must not find it there
 */
struct tvx_memory {
	struct mm_struct *mm;
	struct mmu_notifier notifier;
	raw_spinlock_t lock;	/* slots, ept, invalidations; waited for with interrupts enabled */
	seqcount_raw_spinlock_t slots_seq;
	struct tvx_slot slots[TVX_MAX_SLOTS];
	unsigned int nr_slots;
	struct ept ept;
	unsigned long invalidations;
	atomic64_t generation;
	struct cpumask loaded;
	void *apic_page;
	unsigned int apic_hidden;
};

/* Bind @memory to current->mm. Return 0 or -errno. May sleep. */
int tvx_memory_init(struct tvx_memory *memory, bool apic_page);
/* No vCPU exists any more. May sleep. */
void tvx_memory_destroy(struct tvx_memory *memory);

/* TINYVMX_SET_MEMORY on a copied-in argument. May sleep. */
int tvx_memory_set(struct tvx_memory *memory, const struct tinyvmx_memory *arg);

/* How wide a guest-physical address is. */
unsigned int tvx_memory_gpa_bits(void);

/* What a guest access wants of its page. */
struct tvx_fault {
	u64 gpa;
	bool write;
	bool fetch;
};

/*
 * Whether @fault is surely not for RAM: what tvx_memory_fault() answers by -ENOENT.
 * Looks only, without a lock. Any context.
 */
bool tvx_memory_is_mmio(const struct tvx_memory *memory, const struct tvx_fault *fault);

/*
 * tvx_memory_fault - map the page of @fault
 *
 * May sleep; current->mm is the VM's.
 *
 * Return: 0: mapped, repeat the access; -ENOENT: no RAM there (or a write to
 * read-only RAM): MMIO; -EINTR: a signal; -ENOMEM; other: the process has no such
 * memory behind the slot.
 */
int tvx_memory_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault);

/*
 * tvx_memory_fault_quick - the same, if it can be done at once
 *
 * Interrupts disabled. Return: -EAGAIN: tvx_memory_fault() has to do it.
 */
int tvx_memory_fault_quick(struct tvx_memory *memory, struct ept_cache *cache,
			   const struct tvx_fault *fault);

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
	/* Pairs with flush_locked(): be seen as loaded before looking at the generation. */
	smp_mb__after_atomic();
}

static inline void tvx_memory_put(struct tvx_memory *memory)
{
	cpumask_clear_cpu(smp_processor_id(), &memory->loaded);
}

static inline u64 tvx_memory_generation(struct tvx_memory *memory)
{
	return atomic64_read(&memory->generation);
}

#endif
