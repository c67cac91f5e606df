// SPDX-License-Identifier: GPL-2.0-only
/* The guest's page tables: 4 and 5 levels, PAE, 2 levels, none. */
#include <string.h>

#include "lib/x86.h"
#include "walk.h"

#define ADDR_MASK 0x000ffffffffff000ULL

/* How the tables of one paging mode look; walked from the top level down. */
struct format {
	unsigned int levels;
	unsigned int index_bits;	/* of a full table */
	unsigned int entry_size;
	unsigned int page_levels;	/* bit n: an entry of level n may map a page */
	bool pae_top;			/* the top level is PAE's four entries, without rights */
};

static const struct format format_2level = { 2, 10, 4, 1 << 1 | 1 << 2, false };
static const struct format format_2level_nopse = { 2, 10, 4, 1 << 1, false };
static const struct format format_pae = { 3, 9, 8, 1 << 1 | 1 << 2, true };
static const struct format format_4level = { 4, 9, 8, 1 << 1 | 1 << 2 | 1 << 3, false };
static const struct format format_5level = { 5, 9, 8, 1 << 1 | 1 << 2 | 1 << 3, false };

/* NULL: no paging. */
static const struct format *format_of(const struct hv_paging *paging)
{
	if (!(paging->cr0 & X86_CR0_PG))
		return NULL;
	if (paging->efer & X86_EFER_LMA)
		return paging->cr4 & X86_CR4_LA57 ? &format_5level : &format_4level;
	if (paging->cr4 & X86_CR4_PAE)
		return &format_pae;
	return paging->cr4 & X86_CR4_PSE ? &format_2level : &format_2level_nopse;
}

struct walk {
	const struct hv_memory *memory;
	const struct hv_paging *paging;
	const struct format *format;
	uint64_t gla;
	unsigned int access;
	struct hv_fault *fault;
	struct hv_walk_path *path;
	uint64_t rights;		/* what all entries so far allow: X86_PTE_W, X86_PTE_U */
	bool nx;
};

static bool page_fault(const struct walk *walk, uint32_t code)
{
	bool nx_on = walk->paging->efer & X86_EFER_NXE && walk->paging->cr4 & X86_CR4_PAE;

	if (walk->access & HV_WALK_WRITE)
		code |= X86_PF_W;
	if (walk->access & HV_WALK_FETCH && nx_on)
		code |= X86_PF_I;
	if (walk->paging->user)
		code |= X86_PF_U;
	*walk->fault = (struct hv_fault){ X86_VECTOR_PF, code, walk->gla };
	return false;
}

static unsigned int level_shift(const struct format *format, unsigned int level)
{
	return 12 + (level - 1) * format->index_bits;
}

bool hv_is_canonical(const struct hv_paging *paging, uint64_t gla)
{
	unsigned int unused = paging->cr4 & X86_CR4_LA57 ? 64 - 57 : 64 - 48;

	return !(paging->efer & X86_EFER_LMA) ||
	       (uint64_t)((int64_t)(gla << unused) >> unused) == gla;
}

static uint64_t entry_gpa(const struct walk *walk, uint64_t table, unsigned int level)
{
	const struct format *format = walk->format;
	uint64_t index = walk->gla >> level_shift(format, level);

	if (level == format->levels && format->pae_top)
		index &= 3;
	else
		index &= (1ULL << format->index_bits) - 1;
	return table + index * format->entry_size;
}

/* Set @bits of an entry; returns those that are set then: none in a ROM, which nobody writes to. */
static uint32_t set_bits(const struct walk *walk, void *entry, uint64_t gpa, uint32_t bits)
{
	if (hv_memory_is_rom(walk->memory, gpa))
		return 0;
	/* The low half is enough, in both formats. */
	__atomic_fetch_or((uint32_t *)entry, bits, __ATOMIC_RELAXED);
	hv_memory_mark_dirty(walk->memory, gpa, walk->format->entry_size);
	return bits;
}

/* Leave @bits set in an entry that held @old, and the entry on the path. */
static void finish_entry(struct walk *walk, void *entry, uint64_t gpa, uint64_t old, uint32_t bits)
{
	struct hv_walk_path *path = walk->path;

	if (walk->access & HV_WALK_PEEK)
		bits = 0;
	if ((old & bits) != bits)
		bits = set_bits(walk, entry, gpa, bits);
	path->entry[path->levels].at = entry;
	path->entry[path->levels].value = old | bits;
	path->levels++;
}

static void collect_rights(struct walk *walk, uint64_t entry)
{
	walk->rights &= entry;
	if (walk->format->entry_size == 8 && walk->paging->efer & X86_EFER_NXE)
		walk->nx |= entry >> 63;
}

static bool allowed(const struct walk *walk)
{
	const struct hv_paging *paging = walk->paging;
	bool user_page = walk->rights & X86_PTE_U;

	if (walk->access & HV_WALK_PEEK)
		return true;
	if (paging->user && !user_page)
		return false;
	if (walk->access & HV_WALK_FETCH)
		return !walk->nx;
	if (!paging->user && user_page && paging->cr4 & X86_CR4_SMAP &&
	    !(paging->rflags & X86_RFLAGS_AC))
		return false;
	if (!(walk->access & HV_WALK_WRITE) || walk->rights & X86_PTE_W)
		return true;
	return !paging->user && !(paging->cr0 & X86_CR0_WP);
}

/* The physical address in an entry of @level that maps a page. */
static uint64_t page_address(const struct walk *walk, uint64_t entry, unsigned int level)
{
	uint64_t offset_mask = (1ULL << level_shift(walk->format, level)) - 1;
	uint64_t base = entry & ADDR_MASK & ~offset_mask;

	/* PSE-36: a 4 MiB page has its address bits 39:32 in bits 20:13. */
	if (walk->format->entry_size == 4 && level == 2)
		base |= (entry >> 13 & 0xff) << 32;
	return base | (walk->gla & offset_mask);
}

static bool is_page(const struct walk *walk, uint64_t entry, unsigned int level)
{
	return level == 1 || (walk->format->page_levels >> level & 1 && entry & X86_PTE_PS);
}

static bool walk_tables(struct walk *walk, uint64_t *gpa)
{
	uint64_t table = walk->paging->cr3 & (walk->format->pae_top ? 0xffffffe0 : ADDR_MASK);

	for (unsigned int level = walk->format->levels; level; level--) {
		bool top_of_pae = walk->format->pae_top && level == walk->format->levels;
		uint64_t at = entry_gpa(walk, table, level);
		void *entry = hv_memory_at(walk->memory, at, walk->format->entry_size);
		uint64_t value = entry ? hv_walk_read_entry(entry, walk->format->entry_size) : 0;

		if (!(value & X86_PTE_P))
			return page_fault(walk, 0);
		if (!top_of_pae)
			collect_rights(walk, value);
		if (is_page(walk, value, level)) {
			if (!allowed(walk))
				return page_fault(walk, X86_PF_P);
			finish_entry(walk, entry, at, value,
				     X86_PTE_A | (walk->access & HV_WALK_WRITE ? X86_PTE_D : 0));
			*gpa = page_address(walk, value, level);
			return true;
		}
		finish_entry(walk, entry, at, value, top_of_pae ? 0 : X86_PTE_A);
		table = value & ADDR_MASK;
	}
	return false;
}

bool hv_walk(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	     unsigned int access, uint64_t *gpa, struct hv_fault *fault, struct hv_walk_path *path)
{
	struct hv_walk_path unwanted;
	struct walk walk = {
		.memory = memory,
		.paging = paging,
		.format = format_of(paging),
		.gla = gla,
		.access = access,
		.fault = fault,
		.path = path ? path : &unwanted,
		.rights = X86_PTE_W | X86_PTE_U,
	};

	if (!(paging->efer & X86_EFER_LMA))
		walk.gla = gla & UINT32_MAX;
	walk.path->levels = 0;
	if (!walk.format) {
		*gpa = walk.gla;
		return true;
	}
	if (!hv_is_canonical(paging, gla)) {
		*fault = (struct hv_fault){ X86_VECTOR_GP, 0, 0 };
		return false;
	}
	walk.path->entry_size = walk.format->entry_size;
	return walk_tables(&walk, gpa);
}

size_t hv_peek(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	       void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t piece = 4096 - ((gla + done) & 4095);
		struct hv_fault fault;
		uint64_t gpa;
		void *ram;

		if (piece > len - done)
			piece = len - done;
		if (!hv_walk(memory, paging, gla + done, HV_WALK_PEEK, &gpa, &fault, NULL))
			break;
		ram = hv_memory_at(memory, gpa, piece);
		if (!ram)
			break;
		memcpy((uint8_t *)buf + done, ram, piece);
		done += piece;
	}
	return done;
}

/* SDM, "PDPTE Registers": bits that are not loaded. */
static bool pdpte_is_bad(uint64_t pdpte, unsigned int gpa_bits)
{
	uint64_t reserved = ~0ULL << gpa_bits | 0x1e6;

	return pdpte & X86_PTE_P && pdpte & reserved;
}

bool hv_walk_read_pdptes(const struct hv_memory *memory, uint64_t cr3, unsigned int gpa_bits,
			 __u64 pdpte[4])
{
	__u64 read[4];

	if (hv_memory_read(memory, cr3 & 0xffffffe0, read, sizeof(read)))
		return false;
	for (unsigned int i = 0; i < 4; i++)
		if (pdpte_is_bad(read[i], gpa_bits))
			return false;
	memcpy(pdpte, read, sizeof(read));
	return true;
}
