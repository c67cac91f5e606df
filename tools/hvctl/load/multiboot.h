/* SPDX-License-Identifier: GPL-2.0-only */
/* Multiboot kernels; what version 1 tells its guest, for protocols that tell the same. */
#ifndef HV_LOAD_MULTIBOOT_H
#define HV_LOAD_MULTIBOOT_H

#include "multiboot_header.h"
#include "payload.h"

#define HV_MULTIBOOT_EAX 0x2badb002	/* what a multiboot kernel finds in EAX */

extern const struct hv_multiboot_kind hv_multiboot_1, hv_multiboot_2;

/* Find room for the multiboot information, and for the modules it tells of. */
int hv_multiboot_place(struct hv_payload *payload, const struct hv_memory *memory,
		       struct hv_error *err);

/* What has helped those whose kernel has died early. */
#define HV_MULTIBOOT_ADVICE                                                                       \
	"multiboot gives it no stack, IDT or GDT: until it has its own, an exception is a triple fault; try --mem, or -v for how it was loaded"

/* Set the registers that kernels of both versions begin with; @eax: what tells of the version. */
void hv_multiboot_set_regs(const struct hv_payload *payload, uint32_t eax, struct hv_boot *boot);

/* Write the multiboot information to its HV_BOOT_THE_INFO. */
void hv_multiboot_write_info(const struct hv_payload *payload, const struct hv_memory *memory);

#endif
