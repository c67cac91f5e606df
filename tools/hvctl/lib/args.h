/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers on the command line. */
#ifndef HV_LIB_ARGS_H
#define HV_LIB_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A number, decimal, 0x or 0 octal, with an optional suffix K, M, G or T (powers of
 * 1024; "MiB" and "MB" too). Without a suffix it counts in @unit bytes. False for
 * anything else, negative numbers and what does not fit into 64 bits included; @value
 * is then as it was.
 */
bool hv_parse_size(const char *text, uint64_t unit, uint64_t *value);

#endif
