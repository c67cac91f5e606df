// SPDX-License-Identifier: GPL-2.0-only
/* The guest's page tables, entry by entry: SDM, "Paging". */
#include "emul/walk.h"
#include "lib/x86.h"
#include "page_walk.h"

#define ADDRESS 0x000ffffffffff000ULL

/* Of one paging mode. */
struct mode {
	unsigned int levels;
	unsigned int index_bits;
	unsigned int entry_bytes;
	unsigned int page_levels;	/* bit n: an entry of level n may map a page */
};

static const struct mode two_levels = { 2, 10, 4, 1 << 1 | 1 << 2 };
static const struct mode two_levels_small = { 2, 10, 4, 1 << 1 };
static const struct mode pae = { 3, 9, 8, 1 << 1 | 1 << 2 };
static const struct mode four_levels = { 4, 9, 8, 1 << 1 | 1 << 2 | 1 << 3 };
static const struct mode five_levels = { 5, 9, 8, 1 << 1 | 1 << 2 | 1 << 3 };

/* NULL: no paging. */
static const struct mode *mode_of(const struct tinyvmx_sregs *sregs)
{
	if (!(sregs->cr0 & X86_CR0_PG))
		return NULL;
	if (sregs->efer & X86_EFER_LMA)
		return sregs->cr4 & X86_CR4_LA57 ? &five_levels : &four_levels;
	if (sregs->cr4 & X86_CR4_PAE)
		return &pae;
	return sregs->cr4 & X86_CR4_PSE ? &two_levels : &two_levels_small;
}

static unsigned int shift_of(const struct mode *mode, unsigned int level)
{
	return 12 + (level - 1) * mode->index_bits;
}

static bool is_pdpte_register(const struct mode *mode, unsigned int level)
{
	return mode == &pae && level == 3;
}

/* PSE-36: bits 20:13 are address bits 39:32, as far as addresses go. */
static uint64_t large_reserved(unsigned int gpa_bits)
{
	unsigned int upper = gpa_bits < 32 ? 0 : gpa_bits > 40 ? 8 : gpa_bits - 32;

	return (1ULL << 22) - (1ULL << (13 + upper));
}

/* Bits that give a page fault where they are set. */
static uint64_t reserved_bits(const struct mode *mode, const struct tinyvmx_sregs *sregs,
			      const struct hv_page_step *step, unsigned int gpa_bits)
{
	uint64_t bits = 0, offset = (1ULL << shift_of(mode, step->level)) - 1;

	if (is_pdpte_register(mode, step->level))
		return 0;
	if (mode->entry_bytes == 4)
		return step->maps && step->level == 2 ? large_reserved(gpa_bits) : 0;
	if (gpa_bits < 52)
		bits = ADDRESS & ~0ULL << gpa_bits;
	if (!(sregs->efer & X86_EFER_NXE))
		bits |= X86_PTE_NX;
	if (mode == &pae)
		bits |= 0x7ffULL << 52;
	if (step->maps && step->level > 1)
		return bits | (offset & ~0x1fffULL);
	return step->level > 3 ? bits | X86_PTE_PS : bits;
}

static void read_entry(struct hv_page_step *step, const struct mode *mode,
		       const struct hv_memory *memory, const struct tinyvmx_sregs *sregs)
{
	const void *at;

	if (is_pdpte_register(mode, step->level)) {
		step->is_register = step->is_ram = true;
		step->value = sregs->pdpte[step->index];
		return;
	}
	at = hv_memory_at(memory, step->gpa, mode->entry_bytes);
	step->is_ram = at;
	step->value = at ? hv_walk_read_entry(at, mode->entry_bytes) : 0;
}

static void collect_rights(struct hv_page_walk *walk, const struct mode *mode,
			   const struct hv_page_step *step)
{
	if (step->is_register)
		return;
	walk->writable &= !!(step->value & X86_PTE_W);
	walk->user &= !!(step->value & X86_PTE_U);
	walk->no_execute |= mode->entry_bytes == 8 && step->value & X86_PTE_NX;
}

static void finish(struct hv_page_walk *walk, const struct mode *mode,
		   const struct hv_page_step *last, uint64_t gla)
{
	uint64_t offset = (1ULL << shift_of(mode, last->level)) - 1;
	uint64_t base = last->value & ADDRESS & ~offset;

	/* PSE-36: a 4 MiB page has its address bits 39:32 in bits 20:13. */
	if (mode->entry_bytes == 4 && last->level == 2)
		base = (last->value & 0xffc00000) | (last->value >> 13 & 0xff) << 32;
	walk->mapped = true;
	walk->page_bytes = offset + 1;
	walk->gpa = base | (gla & offset);
}

static void go_through(struct hv_page_walk *walk, const struct mode *mode,
		       const struct hv_memory *memory, const struct tinyvmx_sregs *sregs,
		       unsigned int gpa_bits, uint64_t gla)
{
	static const char *const names[] = { NULL, "PT", "PD", "PDPT", "PML4", "PML5" };
	uint64_t table = sregs->cr3 & (mode->entry_bytes == 4 ? 0xfffff000 : ADDRESS);

	for (unsigned int level = mode->levels; level; level--) {
		struct hv_page_step *step = &walk->step[walk->count++];
		uint64_t index = gla >> shift_of(mode, level);

		*step = (struct hv_page_step){ .table = names[level], .level = level };
		step->index = index & ((1ULL << mode->index_bits) - 1);
		if (is_pdpte_register(mode, level))
			step->index &= 3;
		step->gpa = table + (uint64_t)step->index * mode->entry_bytes;
		read_entry(step, mode, memory, sregs);
		if (!(step->value & X86_PTE_P))
			return;
		step->maps = level == 1 ||
			     (mode->page_levels >> level & 1 && step->value & X86_PTE_PS);
		step->reserved = step->value & reserved_bits(mode, sregs, step, gpa_bits);
		if (step->reserved)
			return;
		collect_rights(walk, mode, step);
		if (step->maps) {
			finish(walk, mode, step, gla);
			return;
		}
		table = step->value & (mode->entry_bytes == 4 ? 0xfffff000 : ADDRESS);
	}
}

static bool is_canonical(const struct tinyvmx_sregs *sregs, uint64_t gla)
{
	const struct hv_paging paging = { .cr4 = sregs->cr4, .efer = sregs->efer };

	return hv_is_canonical(&paging, gla);
}

void hv_page_walk(struct hv_page_walk *walk, const struct hv_memory *memory,
		  const struct tinyvmx_sregs *sregs, unsigned int gpa_bits, uint64_t gla)
{
	const struct mode *mode = mode_of(sregs);

	*walk = (struct hv_page_walk){ .canonical = is_canonical(sregs, gla),
				       .writable = true,
				       .user = true };
	if (!walk->canonical)
		return;
	if (!(sregs->efer & X86_EFER_LMA))
		gla = (uint32_t)gla;
	if (mode) {
		go_through(walk, mode, memory, sregs, gpa_bits, gla);
		return;
	}
	walk->mapped = true;
	walk->gpa = gla;
	walk->page_bytes = 4096;
}
