/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EPT violations on RAM: the page is mapped, or it is MMIO.
 */
#ifndef TVX_MEMORY_FAULT_H
#define TVX_MEMORY_FAULT_H

#include <linux/types.h>

#include "memory.h"

/* What a guest access wants of its page. */
struct tvx_fault {
	u64 gpa;
	bool write;
	bool fetch;
	bool walk;	/* @write is said of a read of page tables, for accessed bits */
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
 * Return: 0: mapped, repeat the access; -ENOENT: no RAM there (or a write to read-only RAM):
 * MMIO; -EACCES: the same, RAM that is to be executed only; -EINTR: a signal; -ENOMEM; -ENOSPC:
 * the user's bound; other: the process has no such memory behind the slot.
 */
int tvx_memory_fault(struct tvx_memory *memory, struct ept_cache *cache,
		     const struct tvx_fault *fault);

/* Whether what tvx_memory_fault() has returned is for the guest, or its VMM, to see to. */
static inline bool tvx_memory_is_guests(int err)
{
	return err != -EINTR && err != -ENOMEM && err != -ENOSPC;
}

/*
 * tvx_memory_fault_quick - the same, if it can be done at once
 *
 * Interrupts disabled. Return: -EAGAIN: tvx_memory_fault() has to do it.
 */
int tvx_memory_fault_quick(struct tvx_memory *memory, struct ept_cache *cache,
			   const struct tvx_fault *fault);

#endif
