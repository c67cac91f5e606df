// SPDX-License-Identifier: GPL-2.0-only
/* The first state of the vCPU, by mode, and the tables in RAM that it needs. */
#include <errno.h>
#include <string.h>

#include "boot.h"
#include "lib/util.h"
#include "lib/x86.h"

#define PAGE 0x1000
#define CODE_SELECTOR 0x08
#define SELECTOR 8			/* from one to the next */

#define AR_CODE (0xb | TINYVMX_AR_S | TINYVMX_AR_P)
#define AR_DATA (0x3 | TINYVMX_AR_S | TINYVMX_AR_P)
#define AR_TSS (0xb | TINYVMX_AR_P)

#define CR0_BASE (X86_CR0_ET | X86_CR0_NE)
/* Compilers use SSE without being asked: let it work from the first instruction. */
#define CR4_SSE (X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

struct area {
	uint64_t begin;
	uint64_t end;
	const char *what;
};

static const struct area flat_areas[] = {
	{ HV_BOOT_GDT, HV_BOOT_GDT + PAGE, "the GDT" },
	{ HV_BOOT_CMDLINE, HV_BOOT_CMDLINE + HV_BOOT_CMDLINE_MAX, "the command line" },
	{ HV_BOOT_PAGE_TABLES, HV_BOOT_PAGE_TABLES_END, "page tables" },
	{ HV_BOOT_STACK - HV_BOOT_STACK_MIN, HV_BOOT_STACK, "the stack" },
};

static int check_flat_areas(const struct hv_image *image, struct hv_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(flat_areas); i++) {
		const struct area *area = &flat_areas[i];

		if (hv_image_uses(image, area->begin, area->end - area->begin))
			return hv_fail(
				err, EINVAL,
				"covers 0x%llx-0x%llx, where hvctl puts %s; link or --load it elsewhere, e.g. at 0x100000",
				(unsigned long long)area->begin, (unsigned long long)area->end - 1,
				area->what);
	}
	return 0;
}

static int check_real(const struct hv_image *image, const char *cmdline, struct hv_error *err)
{
	if (image->entry > UINT32_MAX)
		return hv_fail(
			err, EINVAL,
			"entry 0x%llx is above 4 GiB, which real mode cannot reach; mend --load or --entry",
			(unsigned long long)image->entry);
	if (*cmdline && hv_image_uses(image, HV_BOOT_CMDLINE, HV_BOOT_CMDLINE_MAX))
		return hv_fail(
			err, EINVAL,
			"covers 0x%x, where hvctl puts the command line; leave out --cmdline or --load it elsewhere",
			HV_BOOT_CMDLINE);
	return 0;
}

int hv_boot_check(const struct hv_image *image, const char *cmdline, struct hv_error *err)
{
	if (image->mode == HV_MODE_REAL)
		return check_real(image, cmdline, err);
	if (image->mode == HV_MODE_PROTECTED && image->entry > UINT32_MAX)
		return hv_fail(
			err, EINVAL,
			"entry 0x%llx is above 4 GiB, which protected mode cannot reach; mend --load or --entry",
			(unsigned long long)image->entry);
	return check_flat_areas(image, err);
}

static void set_all_data(struct tinyvmx_sregs *sregs, struct tinyvmx_segment segment)
{
	sregs->seg[TINYVMX_ES] = segment;
	sregs->seg[TINYVMX_SS] = segment;
	sregs->seg[TINYVMX_DS] = segment;
	sregs->seg[TINYVMX_FS] = segment;
	sregs->seg[TINYVMX_GS] = segment;
}

/* VM entry wants a usable TR in every mode; LDTR may be without. */
static void set_system_segments(struct tinyvmx_sregs *sregs)
{
	sregs->seg[TINYVMX_TR] = (struct tinyvmx_segment){ .limit = 0x67, .ar = AR_TSS };
	sregs->seg[TINYVMX_LDTR] = (struct tinyvmx_segment){ .ar = TINYVMX_AR_UNUSABLE };
}

/*
 * Below 64 KiB: CS 0 and IP the address. Above: CS begins at the image, so that
 * code linked at 0 runs where it is; the selector is base >> 4, which above 1 MiB
 * is only its low half, as after RESET ("unreal" until the guest loads CS).
 */
static void start_real(struct hv_boot *boot, const struct hv_image *image)
{
	uint64_t base = image->entry < 0x10000 ? 0 : hv_image_begin(image) & ~0xfULL;

	if (base && (image->entry < base || image->entry - base > 0xffff))
		base = image->entry & ~0xfULL;
	set_all_data(&boot->sregs, (struct tinyvmx_segment){ .limit = 0xffff, .ar = AR_DATA });
	boot->sregs.seg[TINYVMX_CS] = (struct tinyvmx_segment){
		.base = base,
		.limit = 0xffff,
		.ar = AR_CODE,
		.selector = base >> 4 & 0xffff,
	};
	boot->sregs.idt_limit = 0x3ff;
	boot->sregs.cr0 = CR0_BASE;
	boot->regs.rip = image->entry - base;
	boot->regs.gpr[TINYVMX_RSP] = HV_BOOT_STACK_REAL;
}

static void set_flat(struct hv_boot *boot, const struct hv_image *image,
		     const struct hv_memory *memory, uint32_t code_size)
{
	struct tinyvmx_sregs *sregs = &boot->sregs;
	uint16_t code = image->code_selector ? image->code_selector : CODE_SELECTOR;
	uint16_t data = code + SELECTOR;
	uint64_t gdt[PAGE / SELECTOR] = { 0 };

	set_all_data(sregs, (struct tinyvmx_segment){
				    .limit = UINT32_MAX,
				    .ar = AR_DATA | TINYVMX_AR_G | TINYVMX_AR_DB,
				    .selector = data,
			    });
	sregs->seg[TINYVMX_CS] = (struct tinyvmx_segment){
		.limit = UINT32_MAX,
		.ar = AR_CODE | TINYVMX_AR_G | code_size,
		.selector = code,
	};
	gdt[code / SELECTOR] = code_size == TINYVMX_AR_L ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	gdt[data / SELECTOR] = 0x00cf93000000ffff;
	hv_image_put(memory, HV_BOOT_GDT, gdt, data + SELECTOR);
	sregs->gdt_base = HV_BOOT_GDT;
	sregs->gdt_limit = data + SELECTOR - 1;
	boot->regs.rip = image->entry;
	boot->regs.gpr[TINYVMX_RSP] = HV_BOOT_STACK;
}

static void start_protected(struct hv_boot *boot, const struct hv_image *image,
			    const struct hv_memory *memory)
{
	set_flat(boot, image, memory, TINYVMX_AR_DB);
	boot->sregs.cr0 = CR0_BASE | X86_CR0_PE | X86_CR0_MP;
	boot->sregs.cr4 = CR4_SSE;
}

#define ENTRIES 512

/* All that lies at HV_BOOT_PAGE_TABLES */
struct page_tables {
	uint64_t pml4[ENTRIES];
	uint64_t pdpt[ENTRIES];
	uint64_t pd[4][ENTRIES];
};

#define TABLE(member) (HV_BOOT_PAGE_TABLES + offsetof(struct page_tables, member))
_Static_assert(HV_BOOT_PAGE_TABLES + sizeof(struct page_tables) == HV_BOOT_PAGE_TABLES_END,
	       "page tables");

/*
 * The identity map: the first 4 GiB, RAM and chips alike, by 2 MiB pages; RAM
 * above, up to 512 GiB, by 1 GiB pages where the CPU has them.
 */
static void build_page_tables(const struct hv_memory *memory, bool huge_1g)
{
	const struct hv_ram_range *last = &memory->range[memory->count - 1];
	uint64_t flags = X86_PTE_P | X86_PTE_W;
	struct page_tables tables = { .pml4[0] = TABLE(pdpt) | flags };

	for (uint64_t i = 0; i < 4; i++)
		tables.pdpt[i] = TABLE(pd[i]) | flags;
	for (uint64_t i = 0; i < 4 * ENTRIES; i++)
		tables.pd[i / ENTRIES][i % ENTRIES] = i * 2 * HV_MIB | flags | X86_PTE_PS;
	for (uint64_t i = 4; huge_1g && i < ENTRIES && i * HV_GIB < last->gpa + last->len; i++)
		tables.pdpt[i] = i * HV_GIB | flags | X86_PTE_PS;
	hv_image_put(memory, HV_BOOT_PAGE_TABLES, &tables, sizeof(tables));
}

static void start_long(struct hv_boot *boot, const struct hv_image *image,
		       const struct hv_memory *memory, bool huge_1g)
{
	set_flat(boot, image, memory, TINYVMX_AR_L);
	build_page_tables(memory, huge_1g);
	boot->sregs.cr0 = CR0_BASE | X86_CR0_PE | X86_CR0_MP | X86_CR0_WP | X86_CR0_PG;
	boot->sregs.cr3 = HV_BOOT_PAGE_TABLES;
	boot->sregs.cr4 = CR4_SSE | X86_CR4_PAE;
	boot->sregs.efer = X86_EFER_LME | X86_EFER_LMA;
}

void hv_boot_prepare(struct hv_boot *boot, const struct hv_image *image,
		     const struct hv_memory *memory, const char *cmdline,
		     const struct hv_boot_env *env)
{
	*boot = (struct hv_boot){ .regs.rflags = X86_RFLAGS_FIXED };
	set_system_segments(&boot->sregs);
	if (image->mode == HV_MODE_REAL)
		start_real(boot, image);
	else if (image->mode == HV_MODE_PROTECTED)
		start_protected(boot, image, memory);
	else
		start_long(boot, image, memory, env->huge_1g);
	boot->regs.gpr[TINYVMX_RSI] = HV_BOOT_CMDLINE;
	boot->regs.gpr[TINYVMX_RDI] = hv_memory_low_end(memory);
	if (*cmdline)
		hv_image_put(memory, HV_BOOT_CMDLINE, cmdline, strlen(cmdline) + 1);
}
