// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory: what a process has mapped, read from its page tables.
 */
#include <linux/kernel.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/version.h>

#include "host.h"

static u64 host_entry(const struct tvx_host_table *table, unsigned long hva)
{
	return READ_ONCE(table->entries[(hva >> table->shift) % PTRS_PER_PTE]);
}

bool tvx_host_find_table(struct mm_struct *mm, unsigned long hva,
			 struct tvx_host_table *table)
{
	table->entries = (const u64 *)mm->pgd;
	for (table->shift = PGDIR_SHIFT; table->shift > PAGE_SHIFT; table->shift -= 9) {
		u64 entry = host_entry(table, hva);

		if (!(entry & _PAGE_PRESENT))
			return false;
		if (entry & _PAGE_PSE)
			break;
		table->entries = __va(entry & PTE_PFN_MASK);
	}
	return true;
}

/*
 * What entries of a user's pages of RAM have in common. Special pages have no owner;
 * bit 7 is PSE in a large page and otherwise, like PCD and PWT, 0 for write-back.
 */
#define ENTRY_RAM	(_PAGE_PRESENT | _PAGE_USER)
#define ENTRY_MASK	(ENTRY_RAM | _PAGE_SPECIAL | _PAGE_PCD | _PAGE_PWT | _PAGE_PSE)

/*
 * Memory of a device that looks like RAM, and must not be mapped write-back: what peers may
 * access (P2PDMA), and before Linux 6.12 what a large entry maps, which could not be special.
 */
static bool is_device(const struct tvx_host_table *table, u64 hpa)
{
	unsigned long pfn = PHYS_PFN(hpa);

	if (LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0) && table->shift > PAGE_SHIFT &&
	    !pfn_valid(pfn))
		return true;
	return is_pci_p2pdma_page(pfn_to_page(pfn));
}

int tvx_host_page(const struct tvx_host_table *table, unsigned long hva,
		  struct tvx_host_page *page)
{
	u64 entry = host_entry(table, hva), offset = BIT_ULL(table->shift) - 1;
	u64 large = table->shift > PAGE_SHIFT ? _PAGE_PSE : 0;

	page->hpa = (entry & PTE_PFN_MASK & ~offset) | (hva & offset & PAGE_MASK);
	page->writable = entry & _PAGE_RW;
	page->dirty = entry & _PAGE_DIRTY;
	if (likely((entry & ENTRY_MASK) == (ENTRY_RAM | large)))
		return is_device(table, page->hpa) ? -EFAULT : 0;
	if (!(entry & _PAGE_PRESENT))
		return -EAGAIN;
	/* The huge page of zeros, since Linux 6.18, or a device's: a write tells them apart. */
	if (large && (entry & ENTRY_MASK) == (ENTRY_RAM | large | _PAGE_SPECIAL) &&
	    !page->writable)
		return -ENODATA;
	/* The page of zeros is special, but no danger. */
	if ((entry & ENTRY_MASK) == (ENTRY_RAM | _PAGE_SPECIAL) &&
	    is_zero_pfn(PHYS_PFN(page->hpa)))
		return 0;
	return -EFAULT;
}

int tvx_host_fault_in(unsigned long hva, bool write)
{
	unsigned int flags = FOLL_HWPOISON | (write ? FOLL_WRITE : 0);
	struct page *page;
	long n;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	flags |= FOLL_INTERRUPTIBLE;	/* userfaultfd may let it wait for long */
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	flags |= FOLL_HONOR_NUMA_FAULT;	/* the page table must have the page, too */
#endif
	n = get_user_pages_unlocked(hva, 1, &page, flags);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	put_page(page);
	return 0;
}

void tvx_host_vma_restrict(struct vm_area_struct *vma, vm_flags_t never)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, VM_DONTEXPAND, never);
#else
	vma->vm_flags = (vma->vm_flags | VM_DONTEXPAND) & ~never;
#endif
}
