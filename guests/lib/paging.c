// SPDX-License-Identifier: GPL-2.0-only
/* Page tables of a 64-bit guest. */
#include "paging.h"

#define TABLES	32

static u64 tables[TABLES][512] __aligned(4096);
static int tables_used;

static u64 *table_alloc(void)
{
	require(tables_used < TABLES);
	return tables[tables_used++];
}

static volatile u64 *table_below(volatile u64 *entry)
{
	if (!(*entry & PTE_P))
		*entry = (ulong)table_alloc() | PTE_P | PTE_W | PTE_U;
	require(!(*entry & PTE_PS));
	return (u64 *)(ulong)(*entry & PTE_ADDRESS);
}

volatile u64 *paging_entry(u64 va, int level)
{
	volatile u64 *table = tables[0];
	int depth;

	for (depth = 4; depth > level; depth--)
		table = table_below(&table[va >> (3 + 9 * depth) & 511]);
	return &table[va >> (3 + 9 * level) & 511];
}

void paging_map(u64 va, u64 pa, int level, u64 flags)
{
	*paging_entry(va, level) = pa | flags | PTE_P |
				   (level > LEVEL_4K ? PTE_PS : 0);
	invlpg(va);
}

void paging_unmap(u64 va, int level)
{
	*paging_entry(va, level) = 0;
	invlpg(va);
}

void paging_init(void)
{
	u64 at;

	table_alloc();
	for (at = 0; at < 4 * GIB; at += 2 * MIB)
		*paging_entry(at, LEVEL_2M) = at | PTE_P | PTE_W | PTE_U | PTE_PS;
	write_cr3((ulong)tables[0]);
}
