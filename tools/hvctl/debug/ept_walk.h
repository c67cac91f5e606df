/* SPDX-License-Identifier: GPL-2.0-only */
/* The second dimension of a page walk: EPT's entries for a guest-physical address. */
#ifndef HV_DEBUG_EPT_WALK_H
#define HV_DEBUG_EPT_WALK_H

#include <jansson.h>
#include <stdio.h>

#include "tinyvmx.h"

/*
 * What TINYVMX_GET_EPT has told: "entries", each with "table", "index" and "flags" by name;
 * "mapped", and if it is, "page_bytes", "memory_type", "ignore_pat". NULL: no memory.
 */
json_t *hv_ept_walk_json(const struct tinyvmx_get_ept *ept);

/* That in words, on one line behind @indent; of NULL nothing, of null that nobody tells. */
void hv_ept_walk_print(const json_t *walk, const char *indent, FILE *out);

#endif
