// SPDX-License-Identifier: GPL-2.0-only
/* What a segment forbids: SDM, "Limit Checking" and "Type Checking". */
#include "lib/x86.h"
#include "segment.h"

/* The type of a segment; bits 1 and 2 mean one thing in code, another in data. */
#define TYPE_CODE		8U
#define TYPE_DATA_DOWN		4U
#define TYPE_CODE_READABLE	2U
#define TYPE_DATA_WRITABLE	2U

static bool grows_down(const struct tinyvmx_segment *segment)
{
	return (segment->ar & (TYPE_CODE | TYPE_DATA_DOWN)) == TYPE_DATA_DOWN;
}

/* A limit of 4 GiB forbids nothing: what goes beyond it begins at 0 again. */
static bool is_within_limit(const struct tinyvmx_segment *segment, uint64_t first, uint64_t last)
{
	uint64_t top = segment->ar & TINYVMX_AR_DB ? UINT32_MAX : UINT16_MAX;

	if (grows_down(segment))
		return first > segment->limit && last <= top;
	return segment->limit == UINT32_MAX || last <= segment->limit;
}

static bool has_type_for(const struct tinyvmx_segment *segment, bool write)
{
	if (segment->ar & TINYVMX_AR_UNUSABLE)
		return false;
	if (segment->ar & TYPE_CODE)
		return !write && segment->ar & TYPE_CODE_READABLE;
	return !write || segment->ar & TYPE_DATA_WRITABLE;
}

bool hv_segment_allows(const struct tinyvmx_segment *segment, uint64_t cr0, uint64_t offset,
		       unsigned int width, bool write)
{
	if (cr0 & X86_CR0_PE && !has_type_for(segment, write))
		return false;
	return is_within_limit(segment, offset, offset + width - 1);
}
