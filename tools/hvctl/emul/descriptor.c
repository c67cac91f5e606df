// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors: read, checked and marked, as a CPU does when it loads a segment register. */
#include "descriptor.h"

bool hv_table_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value)
{
	struct hv_paging paging = guest->paging;
	bool aligned = guest->aligned, ok;

	guest->paging.user = false;
	guest->paging.rflags &= ~X86_RFLAGS_AC;
	guest->aligned = false;
	ok = hv_guest_access(guest, gla, width, write, value);
	guest->paging = paging;
	guest->aligned = aligned;
	return ok;
}

static void unpack(struct hv_descriptor *d, uint16_t selector)
{
	uint64_t v = d->value;
	uint32_t limit = (v & 0xffff) | (v >> 32 & 0xf0000);

	d->segment = (struct tinyvmx_segment){
		.selector = selector,
		.base = (v >> 16 & 0xffffff) | (v >> 56) << 24,
		.ar = (v >> 40 & 0xff) | (v >> 52 & 0xf) << 12,
		.limit = limit,
	};
	if (d->segment.ar & TINYVMX_AR_G)
		d->segment.limit = limit << 12 | 0xfff;
}

bool hv_descriptor_read(struct hv_guest *guest, const struct tinyvmx_sregs *sregs,
			uint16_t selector, unsigned int vector, struct hv_descriptor *d)
{
	uint32_t offset = selector & ~7U;
	bool local = selector & HV_SELECTOR_TABLE;
	uint32_t limit = local ? sregs->seg[TINYVMX_LDTR].limit : sregs->gdt_limit;

	if (offset + 7 > limit || (local && sregs->seg[TINYVMX_LDTR].ar & TINYVMX_AR_UNUSABLE))
		return hv_guest_fault(guest, vector, selector & ~HV_SELECTOR_RPL);
	d->gla = (local ? sregs->seg[TINYVMX_LDTR].base : sregs->gdt_base) + offset;
	if (!hv_table_access(guest, d->gla, 8, false, &d->value))
		return false;
	unpack(d, selector);
	return true;
}

bool hv_descriptor_mark_accessed(struct hv_guest *guest, struct hv_descriptor *d)
{
	uint64_t byte = (d->value >> 40 & 0xff) | HV_TYPE_ACCESSED;

	if (d->segment.ar & HV_TYPE_ACCESSED)
		return true;
	d->segment.ar |= HV_TYPE_ACCESSED;
	return hv_table_access(guest, d->gla + HV_TYPE_OFFSET, 1, true, &byte);
}

/* As data: readable, and its privilege level allows it. Conforming code asks for none. */
static bool is_loadable(const struct hv_descriptor *d, unsigned int rpl, unsigned int cpl)
{
	const uint32_t conforming = HV_TYPE_CODE | HV_TYPE_CONFORMING;
	uint32_t ar = d->segment.ar;

	if (!(ar & TINYVMX_AR_S) || (ar & (HV_TYPE_CODE | HV_TYPE_RW)) == HV_TYPE_CODE)
		return false;
	return (ar & conforming) == conforming ||
	       (rpl <= hv_descriptor_dpl(d) && cpl <= hv_descriptor_dpl(d));
}

bool hv_descriptor_load_data(struct hv_guest *guest, struct tinyvmx_sregs *sregs, unsigned int n,
			     uint16_t selector, unsigned int cpl, unsigned int vector)
{
	struct hv_descriptor d;

	if (!(selector & ~HV_SELECTOR_RPL)) {
		sregs->seg[n] =
			(struct tinyvmx_segment){ .selector = selector, .ar = TINYVMX_AR_UNUSABLE };
		return true;
	}
	if (!hv_descriptor_read(guest, sregs, selector, vector, &d))
		return false;
	if (!is_loadable(&d, selector & HV_SELECTOR_RPL, cpl))
		return hv_guest_fault(guest, vector, selector & ~HV_SELECTOR_RPL);
	if (!(d.segment.ar & TINYVMX_AR_P))
		return hv_guest_fault(guest, X86_VECTOR_NP, selector & ~HV_SELECTOR_RPL);
	if (!hv_descriptor_mark_accessed(guest, &d))
		return false;
	sregs->seg[n] = d.segment;
	return true;
}
