/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables of a 64-bit guest: an identity map, and what a test puts into it. */
#ifndef GUEST_PAGING_H
#define GUEST_PAGING_H

#include "guest.h"

#define PTE_P	(1ULL << 0)
#define PTE_W	(1ULL << 1)
#define PTE_U	(1ULL << 2)
#define PTE_PCD	(1ULL << 4)
#define PTE_A	(1ULL << 5)
#define PTE_D	(1ULL << 6)
#define PTE_PS	(1ULL << 7)
#define PTE_G	(1ULL << 8)
#define PTE_NX	(1ULL << 63)
#define PTE_ADDRESS	0x000ffffffffff000ULL

#define PF_P	(1 << 0)
#define PF_W	(1 << 1)
#define PF_U	(1 << 2)
#define PF_RSVD	(1 << 3)
#define PF_I	(1 << 4)

/* Levels of a mapping: the size of its page. */
enum { LEVEL_4K = 1, LEVEL_2M, LEVEL_1G };

/* The first 4 GiB one to one, in 2 MiB pages that ring 3 may use as well. */
void paging_init(void);
/* The entry that maps @va at @level; tables on the way are made if missing. */
volatile u64 *paging_entry(u64 va, int level);
void paging_map(u64 va, u64 pa, int level, u64 flags);
void paging_unmap(u64 va, int level);

#endif
