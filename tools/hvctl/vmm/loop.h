/* SPDX-License-Identifier: GPL-2.0-only */
/* The event loop: signals, the terminal and the chips' timers, until the machine ends. */
#ifndef HV_LOOP_H
#define HV_LOOP_H

#include "machine.h"

/*
 * Block the signals that the loop reads, so that no thread started later dies of
 * one. Those that we were told to ignore stay ignored. Returns the descriptor
 * that the loop reads them from, or -errno.
 */
int hv_loop_catch_signals(void);

/* Run until the machine has ended. */
void hv_loop_run(struct hv_machine *machine, int signal_fd);

/* Die of @sig, as if we had never caught it. */
void hv_loop_die(int sig);

#endif
