/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors, and the tables they are in: SDM, "Segment Descriptors". */
#ifndef HV_EMUL_DESCRIPTOR_H
#define HV_EMUL_DESCRIPTOR_H

#include "guest.h"

#define HV_SELECTOR_TABLE	4U	/* the LDT, not the GDT */
#define HV_SELECTOR_RPL		3U

#define HV_TYPE_ACCESSED	1U
#define HV_TYPE_RW		2U	/* code: readable, data: writable */
#define HV_TYPE_CONFORMING	4U
#define HV_TYPE_CODE		8U

#define HV_TYPE_OFFSET		5U	/* of the byte with the type, in a descriptor */

/* System descriptors */
#define HV_TYPE_TSS		1U
#define HV_TYPE_TSS_BUSY	2U
#define HV_TYPE_LDT		2U
#define HV_TYPE_TSS_32		8U	/* or of 64 bits */

/* A descriptor, and where it is. */
struct hv_descriptor {
	uint64_t value;
	uint64_t gla;
	struct tinyvmx_segment segment;
};

static inline unsigned int hv_descriptor_dpl(const struct hv_descriptor *d)
{
	return d->segment.ar >> TINYVMX_AR_DPL_SHIFT & 3;
}

/* The CPU's own accesses have its rights, and SMAP forbids them user pages in any case. */
bool hv_table_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value);

/*
 * What @selector stands for. All below return false with guest->fault filled; @vector is the
 * exception that a selector gives which is good for nothing: #GP, in a task switch #TS.
 */
bool hv_descriptor_read(struct hv_guest *guest, const struct tinyvmx_sregs *sregs,
			uint16_t selector, unsigned int vector, struct hv_descriptor *d);
bool hv_descriptor_mark_accessed(struct hv_guest *guest, struct hv_descriptor *d);

/* Load DS, ES, FS or GS: segment register @n of @sregs. */
bool hv_descriptor_load_data(struct hv_guest *guest, struct tinyvmx_sregs *sregs, unsigned int n,
			     uint16_t selector, unsigned int cpl, unsigned int vector);

#endif
