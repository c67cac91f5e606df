// SPDX-License-Identifier: GPL-2.0-only
/* Which recorded exits somebody wants to see. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "flight_filter.h"
#include "vmx/names.h"

/* ------------------------------------------------------------------ reasons */

/* Does @name begin so, its letters and digits alone, in any case? */
static bool begins(const char *name, const char *word, size_t len)
{
	while (len) {
		if (!isalnum((unsigned char)*name)) {
			if (!*name++)
				return false;
			continue;
		}
		if (tolower((unsigned char)*name++) != tolower((unsigned char)*word++))
			return false;
		len--;
	}
	return true;
}

static bool add_number(struct hv_flight_filter *filter, const char *word, size_t len)
{
	char *end;
	unsigned long number = strtoul(word, &end, 0);

	if (!isdigit((unsigned char)*word) || end != word + len || number >= HV_FLIGHT_REASONS)
		return false;
	filter->reason[number] = true;
	return true;
}

static bool add_name(struct hv_flight_filter *filter, const char *word, size_t len)
{
	const char *unknown = vmx_exit_name(0xffff);
	bool found = false;

	for (uint32_t i = 0; len && i < HV_FLIGHT_REASONS; i++) {
		const char *name = vmx_exit_name(i);

		if (name == unknown || !begins(name, word, len))
			continue;
		filter->reason[i] = true;
		found = true;
	}
	return found;
}

int hv_flight_filter_add_reasons(struct hv_flight_filter *filter, const char *text,
				 struct hv_error *err)
{
	size_t len;

	filter->by_reason = true;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (!add_number(filter, text, len) && !add_name(filter, text, len))
			return hv_fail(
				err, EINVAL,
				"\"%.*s\" begins the name of no exit reason; give cpuid, io, ept, wrmsr and the like, or a number below %d",
				(int)(len < 100 ? len : 100), text, HV_FLIGHT_REASONS);
		if (!text[len])
			return 0;
	}
}

/* ------------------------------------------------------------------- ranges */

/* The number that @text begins with; NULL: it does not. */
static const char *read_number(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno ? NULL : end;
}

int hv_range_parse(struct hv_range *range, const char *text, uint64_t max, struct hv_error *err)
{
	const char *end = read_number(text, &range->first);

	range->last = range->first;
	if (end && *end == '-')
		end = read_number(end + 1, &range->last);
	range->wanted = true;
	if (end && !*end && range->first <= range->last && range->last <= max)
		return 0;
	return hv_fail(err, EINVAL,
		       "no number and no range; give one up to 0x%llx, like 0x%x or 0x%x-0x%x",
		       (unsigned long long)max, 0x20, 0x20, 0x2f);
}

static bool overlaps(const struct hv_range *range, uint64_t first, uint64_t last)
{
	return first <= range->last && last >= range->first;
}

/* ------------------------------------------------------------------- filter */

static bool takes_port(const struct hv_range *range, const struct tinyvmx_record *record)
{
	unsigned int bytes;
	uint16_t port;

	return hv_flight_port(record, &port, &bytes) && overlaps(range, port, port + bytes - 1);
}

static bool takes_msr(const struct hv_range *range, const struct tinyvmx_record *record)
{
	uint32_t msr;

	return hv_flight_msr(record, &msr) && overlaps(range, msr, msr);
}

static bool takes_gpa(const struct hv_range *range, const struct tinyvmx_record *record)
{
	uint64_t gpa;

	return hv_flight_gpa(record, &gpa) && overlaps(range, gpa, gpa);
}

static bool takes_reason(const struct hv_flight_filter *filter, uint32_t reason)
{
	uint32_t basic = reason & 0xffff;

	return basic < HV_FLIGHT_REASONS && filter->reason[basic];
}

bool hv_flight_filter_takes(const struct hv_flight_filter *filter, unsigned int vcpu,
			    const struct tinyvmx_record *record)
{
	if (filter->by_reason && !takes_reason(filter, record->reason))
		return false;
	if (filter->vcpu.wanted && !overlaps(&filter->vcpu, vcpu, vcpu))
		return false;
	if (filter->rip.wanted && !overlaps(&filter->rip, record->rip, record->rip))
		return false;
	return (!filter->port.wanted || takes_port(&filter->port, record)) &&
	       (!filter->msr.wanted || takes_msr(&filter->msr, record)) &&
	       (!filter->gpa.wanted || takes_gpa(&filter->gpa, record));
}
