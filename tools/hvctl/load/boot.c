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

#define AREAS_BEGIN PAGE		/* behind the BIOS data area */
#define AREAS_END 0x9f000		/* before the extended one */

/* Where it usually lies, for guests that were written for that. */
static const struct usual {
	uint64_t gpa;
	const char *what;
} usual[HV_BOOT_THINGS] = {
	[HV_BOOT_THE_GDT] = { HV_BOOT_GDT, "a GDT" },
	[HV_BOOT_THE_CMDLINE] = { HV_BOOT_CMDLINE, "the command line" },
	[HV_BOOT_THE_PAGE_TABLES] = { HV_BOOT_PAGE_TABLES, "page tables" },
	[HV_BOOT_THE_STACK] = { HV_BOOT_STACK - HV_BOOT_STACK_MIN, "a stack" },
	[HV_BOOT_THE_INFO] = { HV_BOOT_INFO, "what the boot protocol tells" },
};

static bool is_free(const struct hv_boot_areas *areas, const struct hv_image *image, uint64_t gpa,
		    uint64_t len)
{
	for (size_t i = 0; i < HV_BOOT_THINGS; i++) {
		const struct hv_boot_area *area = &areas->area[i];

		if (gpa < area->gpa + area->len && area->gpa < gpa + len)
			return false;
	}
	return !hv_image_uses(image, gpa, len);
}

int hv_boot_take(struct hv_boot_areas *areas, enum hv_boot_thing thing, uint64_t len,
		 const struct hv_image *image, struct hv_error *err)
{
	uint64_t gpa = usual[thing].gpa;

	len = hv_align_up(len, PAGE);
	if (!is_free(areas, image, gpa, len) || gpa + len > AREAS_END)
		gpa = len < AREAS_END ? (AREAS_END - len) & ~(PAGE - 1ULL) : 0;
	while (gpa >= AREAS_BEGIN && !is_free(areas, image, gpa, len))
		gpa -= PAGE;
	if (gpa < AREAS_BEGIN)
		return hv_fail(
			err, ENOSPC,
			"leaves no room for %s (%llu KiB between 0x%x and 0x%x); link or --load it elsewhere, e.g. at 0x100000",
			usual[thing].what, (unsigned long long)len / 1024, AREAS_BEGIN, AREAS_END);
	areas->area[thing] = (struct hv_boot_area){ gpa, len };
	return 0;
}

static const struct need {
	enum hv_boot_thing thing;
	uint64_t len;
	bool by_mode[HV_MODE_LONG + 1];
} needs[] = {
	{ HV_BOOT_THE_GDT, PAGE, { [HV_MODE_PROTECTED] = true, [HV_MODE_LONG] = true } },
	{ HV_BOOT_THE_PAGE_TABLES, HV_BOOT_PAGE_TABLES_END - HV_BOOT_PAGE_TABLES,
	  { [HV_MODE_LONG] = true } },
	{ HV_BOOT_THE_STACK, HV_BOOT_STACK_MIN,
	  { [HV_MODE_PROTECTED] = true, [HV_MODE_LONG] = true } },
};

static int check_entry(const struct hv_image *image, struct hv_error *err)
{
	if (image->mode == HV_MODE_LONG || image->entry <= UINT32_MAX)
		return 0;
	return hv_fail(
		err, EINVAL,
		"entry 0x%llx is above 4 GiB, which %s mode cannot reach; mend --load or --entry",
		(unsigned long long)image->entry, hv_mode_name(image->mode));
}

int hv_boot_plan(struct hv_boot_areas *areas, const struct hv_image *image, const char *cmdline,
		 struct hv_error *err)
{
	int error = check_entry(image, err);

	*areas = (struct hv_boot_areas){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(needs) && !error; i++)
		if (needs[i].by_mode[image->mode])
			error = hv_boot_take(areas, needs[i].thing, needs[i].len, image, err);
	/* Where there is none, RSI points to zeroes all the same. */
	if (!error && (*cmdline || image->mode != HV_MODE_REAL))
		error = hv_boot_take(areas, HV_BOOT_THE_CMDLINE, HV_BOOT_CMDLINE_MAX, image, err);
	return error;
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

static void set_flat(struct hv_boot *boot, const struct hv_boot_areas *areas,
		     const struct hv_image *image, const struct hv_memory *memory,
		     uint32_t code_size)
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
	sregs->gdt_base = areas->area[HV_BOOT_THE_GDT].gpa;
	hv_image_put(memory, sregs->gdt_base, gdt, data + SELECTOR);
	sregs->gdt_limit = data + SELECTOR - 1;
	boot->regs.rip = image->entry;
	boot->regs.gpr[TINYVMX_RSP] = hv_boot_stack(areas);
}

static void start_protected(struct hv_boot *boot, const struct hv_boot_areas *areas,
			    const struct hv_image *image, const struct hv_memory *memory)
{
	set_flat(boot, areas, image, memory, TINYVMX_AR_DB);
	boot->sregs.cr0 = CR0_BASE | X86_CR0_PE | X86_CR0_MP;
	boot->sregs.cr4 = CR4_SSE;
}

#define ENTRIES 512

struct page_tables {
	uint64_t pml4[ENTRIES];
	uint64_t pdpt[ENTRIES];
	uint64_t pd[4][ENTRIES];
};

_Static_assert(HV_BOOT_PAGE_TABLES + sizeof(struct page_tables) == HV_BOOT_PAGE_TABLES_END,
	       "page tables");

/*
 * The identity map: the first 4 GiB, RAM and chips alike, by 2 MiB pages; RAM
 * above, up to 512 GiB, by 1 GiB pages where the CPU has them.
 */
static void build_page_tables(const struct hv_memory *memory, uint64_t gpa, bool huge_1g)
{
	const struct hv_ram_range *last = &memory->range[memory->count - 1];
	uint64_t flags = X86_PTE_P | X86_PTE_W;
	struct page_tables tables = {
		.pml4[0] = (gpa + offsetof(struct page_tables, pdpt)) | flags,
	};

	for (uint64_t i = 0; i < 4; i++)
		tables.pdpt[i] = (gpa + offsetof(struct page_tables, pd[i])) | flags;
	for (uint64_t i = 0; i < 4 * ENTRIES; i++)
		tables.pd[i / ENTRIES][i % ENTRIES] = i * 2 * HV_MIB | flags | X86_PTE_PS;
	for (uint64_t i = 4; huge_1g && i < ENTRIES && i * HV_GIB < last->gpa + last->len; i++)
		tables.pdpt[i] = i * HV_GIB | flags | X86_PTE_PS;
	hv_image_put(memory, gpa, &tables, sizeof(tables));
}

static void start_long(struct hv_boot *boot, const struct hv_boot_areas *areas,
		       const struct hv_image *image, const struct hv_memory *memory, bool huge_1g)
{
	uint64_t tables = areas->area[HV_BOOT_THE_PAGE_TABLES].gpa;

	set_flat(boot, areas, image, memory, TINYVMX_AR_L);
	build_page_tables(memory, tables, huge_1g);
	boot->sregs.cr0 = CR0_BASE | X86_CR0_PE | X86_CR0_MP | X86_CR0_WP | X86_CR0_PG;
	boot->sregs.cr3 = tables;
	boot->sregs.cr4 = CR4_SSE | X86_CR4_PAE;
	boot->sregs.efer = X86_EFER_LME | X86_EFER_LMA;
}

void hv_boot_prepare(struct hv_boot *boot, const struct hv_boot_areas *areas,
		     const struct hv_image *image, const struct hv_memory *memory,
		     const char *cmdline, const struct hv_boot_env *env)
{
	uint64_t words = areas->area[HV_BOOT_THE_CMDLINE].gpa;

	*boot = (struct hv_boot){ .regs.rflags = X86_RFLAGS_FIXED };
	set_system_segments(&boot->sregs);
	if (image->mode == HV_MODE_REAL)
		start_real(boot, image);
	else if (image->mode == HV_MODE_PROTECTED)
		start_protected(boot, areas, image, memory);
	else
		start_long(boot, areas, image, memory, env->huge_1g);
	boot->regs.gpr[TINYVMX_RSI] = words ? words : HV_BOOT_CMDLINE;
	boot->regs.gpr[TINYVMX_RDI] = hv_memory_low_end(memory);
	if (*cmdline)
		hv_image_put(memory, words, cmdline, strlen(cmdline) + 1);
}
