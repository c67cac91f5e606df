/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal: raw while a guest runs, as it was on every way out. */
#ifndef HV_TERM_H
#define HV_TERM_H

#include <stdbool.h>

/*
 * Make standard input raw if it is a terminal and we are in its foreground
 * (a background job would be stopped). Returns whether it is raw now. Safe to
 * call again. What exit() and deadly signals leave behind is put right too.
 */
bool hv_term_raw(void);
void hv_term_restore(void);

#endif
