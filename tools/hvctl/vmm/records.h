/* SPDX-License-Identifier: GPL-2.0-only */
/* Records in memory: how they lie there, written one by one and found again. */
#ifndef HV_VMM_RECORDS_H
#define HV_VMM_RECORDS_H

#include <stdbool.h>

#include "state.h"

struct hv_record {
	uint32_t type;
	uint32_t instance;
	uint32_t version;
	uint32_t pad;			/* 0 */
	uint64_t len;			/* of what follows, in bytes; the next is aligned to 8 */
};

static inline const void *hv_record_data(const struct hv_record *record)
{
	return record + 1;
}

/* Room for one more, all zeroes, to be filled before the next is made. NULL: no memory. */
void *hv_records_add(struct hv_state *state, uint32_t type, uint32_t instance, uint32_t version,
		     size_t len);

/* The first, and the one behind @record; NULL: there is none. Only what hv_records_check() took. */
const struct hv_record *hv_records_next(const struct hv_state *state,
					const struct hv_record *record);

/* Is it records from its beginning to its end? 0 or -EINVAL. */
int hv_records_check(const struct hv_state *state, struct hv_error *err);

/*
 * The data of the one record of this name, @len bytes (0: any number, told in *@found).
 * NULL, with @err filled: there is none, there are several, or it is of another version.
 */
const void *hv_records_find(const struct hv_state *state, uint32_t type, uint32_t instance,
			    uint32_t version, size_t len, size_t *found, struct hv_error *err);

#endif
