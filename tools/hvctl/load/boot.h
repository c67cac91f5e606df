/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest starts: the vCPU's first state and what it needs in RAM.
 *
 * hvctl's own things lie in the first MiB; a guest may use the room again as soon
 * as it has its own. Real mode needs none of them but the command line. What would be
 * where the image is goes elsewhere, below 0x9f000.
 *
 *   0x1000			GDT: 0x08 code, 0x10 data	(protected, long)
 *   0x2000 - 0x2fff		command line, NUL-terminated
 *   0x3000 - 0x5fff		what a boot protocol tells its guest
 *   0x10000 - 0x15fff		page tables			(long)
 *   ... - 0x7ffff		stack, growing down		(protected, long)
 *   ... - 0x6fff		stack, growing down		(real)
 *
 * Registers, where no boot protocol says otherwise: RSI is the address of the command
 * line, RDI the end of the RAM that begins at 0 (at most 3 GiB), RSP the stack's; all
 * others are 0. Interrupts are off.
 */
#ifndef HV_LOAD_BOOT_H
#define HV_LOAD_BOOT_H

#include "image.h"
#include "tinyvmx.h"

#define HV_BOOT_GDT 0x1000
#define HV_BOOT_CMDLINE 0x2000
#define HV_BOOT_CMDLINE_MAX 0x1000	/* with its NUL */
#define HV_BOOT_INFO 0x3000
#define HV_BOOT_INFO_SIZE 0x3000
#define HV_BOOT_PAGE_TABLES 0x10000
#define HV_BOOT_PAGE_TABLES_END 0x16000
#define HV_BOOT_STACK 0x80000
#define HV_BOOT_STACK_MIN 0x1000	/* bytes that we promise */
#define HV_BOOT_STACK_REAL 0x7000

struct hv_boot {
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	bool firmware;			/* it is firmware: nobody else has set the CPU up */
};

/* What the machine is like; known only when it has been made. */
struct hv_boot_env {
	bool huge_1g;			/* the CPU has 1 GiB pages, to map RAM above 4 GiB with */
	uint32_t signature;		/* the CPU's family, model, stepping: EAX of CPUID leaf 1 */
	uint64_t rsdp;			/* where ACPI's RSDP lies; 0: there are no tables */
	bool screen;			/* there is a VGA, in text mode 3 */
};

enum hv_boot_thing {
	HV_BOOT_THE_GDT,
	HV_BOOT_THE_CMDLINE,
	HV_BOOT_THE_PAGE_TABLES,
	HV_BOOT_THE_STACK,
	HV_BOOT_THE_INFO,
	HV_BOOT_THINGS
};

/* Where hvctl's own things lie; those that are not needed have no length. */
struct hv_boot_area {
	uint64_t gpa;
	uint64_t len;
};

struct hv_boot_areas {
	struct hv_boot_area area[HV_BOOT_THINGS];
};

/**
 * hv_boot_take() - find a place for one of hvctl's own things
 * @areas: what is taken already; the place is added
 * @thing: where it usually lies is tried first, then from 0x9f000 down
 * @len: bytes
 * @image: kept clear of
 * @err: filled in on failure
 *
 * Returns 0 or -ENOSPC.
 */
int hv_boot_take(struct hv_boot_areas *areas, enum hv_boot_thing thing, uint64_t len,
		 const struct hv_image *image, struct hv_error *err);

/*
 * Can its mode reach the entry? Take places for what the mode needs. @cmdline: shorter than
 * HV_BOOT_CMDLINE_MAX.
 */
int hv_boot_plan(struct hv_boot_areas *areas, const struct hv_image *image, const char *cmdline,
		 struct hv_error *err);

/* The first state of the image's mode; write to RAM what belongs to it. */
void hv_boot_prepare(struct hv_boot *boot, const struct hv_boot_areas *areas,
		     const struct hv_image *image, const struct hv_memory *memory,
		     const char *cmdline, const struct hv_boot_env *env);

/* The stack pointer of a guest that is given a stack. */
static inline uint64_t hv_boot_stack(const struct hv_boot_areas *areas)
{
	return areas->area[HV_BOOT_THE_STACK].gpa + areas->area[HV_BOOT_THE_STACK].len;
}

#endif
