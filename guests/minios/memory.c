// SPDX-License-Identifier: GPL-2.0-only
/* Memory: free pages, the kernel's map, and the address spaces of programs. */
#include "kernel.h"

#define PTE_P		(1ULL << 0)
#define PTE_W		(1ULL << 1)
#define PTE_U		(1ULL << 2)
#define PTE_PCD		(1ULL << 4)
#define PTE_PS		(1ULL << 7)
#define PTE_G		(1ULL << 8)
#define PTE_NX		(1ULL << 63)
#define PTE_ADDRESS	0x000ffffffffff000ULL
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U)

#define CPUID_GIB_PAGES	(1U << 26)	/* 0x80000001 EDX */
#define MEMORY_DEFAULT	(16 * MIB)	/* nobody told us */
#define MEMORY_MAX	GIB
#define KERNEL_GIBS	4
#define USER_SLOT	(USER_BASE >> 39 & 511)

extern char bss_end[];

struct free_page {
	struct free_page *next;
};

static struct free_page *free_list;
static u64 free_count;
static u64 *kernel_space;

void *page_alloc(void)
{
	struct free_page *page = free_list;

	if (!page)
		return NULL;
	free_list = page->next;
	free_count--;
	return memset(page, 0, PAGE);
}

void page_free(void *address)
{
	struct free_page *page = address;

	page->next = free_list;
	free_list = page;
	free_count++;
}

u64 pages_free(void)
{
	return free_count;
}

static u64 memory_end(const struct multiboot_info *info)
{
	u64 end = MEMORY_DEFAULT;

	if (info && info->flags & 1)
		end = MIB + info->mem_upper * KIB;
	return end > MEMORY_MAX ? MEMORY_MAX : end;
}

/* What a table entry points to; the map is one to one. */
static u64 *entry_table(u64 entry)
{
	return (u64 *)(entry & PTE_ADDRESS);
}

static u64 *must_alloc(void)
{
	u64 *page = page_alloc();

	if (!page)
		panic("out of memory at start");
	return page;
}

/* One GiB by 2 MiB pages, for a CPU that has no larger ones. */
static u64 split_gib(u64 entry)
{
	u64 *table = must_alloc();
	u64 i;

	for (i = 0; i < 512; i++)
		table[i] = entry + i * 2 * MIB;
	return (u64)table | PTE_P | PTE_W;
}

/* Only the first GiB holds code; only the last one holds chips. */
static void map_kernel(void)
{
	bool gib_pages = cpuid(0x80000000, 0).eax >= 0x80000001 &&
			 cpuid(0x80000001, 0).edx & CPUID_GIB_PAGES;
	u64 *pdpt = must_alloc();
	u64 i, entry;

	kernel_space = must_alloc();
	kernel_space[0] = (u64)pdpt | PTE_P | PTE_W;
	for (i = 0; i < KERNEL_GIBS; i++) {
		entry = i * GIB | PTE_P | PTE_W | PTE_PS | PTE_G;
		if (i > 0)
			entry |= PTE_NX;
		if (i == KERNEL_GIBS - 1)
			entry |= PTE_PCD;
		pdpt[i] = gib_pages ? entry : split_gib(entry);
	}
	space_load(NULL);
	print("memory: %llu KiB free, kernel in pages of %s\n", free_count * PAGE / KIB,
	      gib_pages ? "1 GiB" : "2 MiB");
}

void memory_init(const struct multiboot_info *info)
{
	u64 page = ((u64)bss_end + PAGE - 1) & ~(PAGE - 1);
	u64 end = memory_end(info);

	for (; page + PAGE <= end; page += PAGE)
		page_free((void *)page);
	map_kernel();
}

void space_load(const u64 *space)
{
	this_cpu()->space = space;
	write_cr3(space ? (u64)space : (u64)kernel_space);
}

u64 *space_create(void)
{
	u64 *space = page_alloc();

	if (space)
		space[0] = kernel_space[0];
	return space;
}

/* The entry for @va in the last table, NULL if there is none and @make is not set. */
static u64 *find_entry(u64 *space, u64 va, bool make)
{
	u64 *table = space, *entry;
	int level;

	for (level = 4; level > 1; level--) {
		entry = &table[va >> (3 + 9 * level) & 511];
		if (!*entry && make) {
			u64 *next = page_alloc();

			*entry = next ? (u64)next | PTE_TABLE : 0;
		}
		if (!*entry)
			return NULL;
		table = entry_table(*entry);
	}
	return &table[va >> 12 & 511];
}

void *space_map(u64 *space, u64 va, int how)
{
	u64 *entry = find_entry(space, va, true);
	void *page = entry ? page_alloc() : NULL;

	if (!page)
		return NULL;
	*entry = (u64)page | PTE_P | PTE_U;
	if (how & MAP_WRITE)
		*entry |= PTE_W;
	if (!(how & MAP_EXECUTE))
		*entry |= PTE_NX;
	return page;
}

static bool page_allows(u64 *space, u64 va, bool write)
{
	u64 *entry = find_entry(space, va, false);
	u64 need = PTE_P | PTE_U | (write ? PTE_W : 0);

	return entry && (*entry & need) == need;
}

bool space_allows(const u64 *space, u64 va, u64 bytes, bool write)
{
	u64 page;

	if (va < USER_BASE || va >= USER_END || bytes > USER_END - va)
		return false;
	for (page = va & ~(PAGE - 1); page < va + bytes; page += PAGE) {
		if (!page_allows((u64 *)space, page, write))
			return false;
	}
	return true;
}

/* A table of @level with all it leads to; level 0 is a page of the program. */
static void destroy_table(u64 *table, int level)
{
	int i;

	for (i = 0; level && i < 512; i++) {
		if (table[i])
			destroy_table(entry_table(table[i]), level - 1);
	}
	page_free(table);
}

void space_destroy(u64 *space)
{
	smp_forget_space(space);
	if (space[USER_SLOT])
		destroy_table(entry_table(space[USER_SLOT]), 3);
	page_free(space);
}

/* A copy of what @entry points to, and its entry; 0 if memory is short, with nothing lost. */
static u64 copy_entry(u64 entry, int level)
{
	u64 *from = entry_table(entry), *to = page_alloc();
	int i;

	if (!to)
		return 0;
	if (!level)
		memcpy(to, from, PAGE);
	for (i = 0; level && i < 512; i++) {
		if (!from[i])
			continue;
		to[i] = copy_entry(from[i], level - 1);
		if (!to[i]) {
			destroy_table(to, level);
			return 0;
		}
	}
	return (u64)to | (entry & ~PTE_ADDRESS);
}

u64 *space_copy(const u64 *space)
{
	u64 *copy = space_create();

	if (!copy)
		return NULL;
	copy[USER_SLOT] = copy_entry(space[USER_SLOT], 3);
	if (!copy[USER_SLOT]) {
		space_destroy(copy);
		return NULL;
	}
	return copy;
}
