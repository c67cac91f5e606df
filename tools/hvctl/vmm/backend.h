/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a cable: what the console, or a serial port, is connected to.
 *
 *   stdio	a port: to the console. The console: to standard input and output
 *   pty	a new pseudo-terminal; what nobody reads there is dropped in the end
 *   file	output only, into a file
 *   unix	the console only: clients of the control channel that come to a socket (control.h)
 *   null	nothing
 */
#ifndef HV_VMM_BACKEND_H
#define HV_VMM_BACKEND_H

#include "config.h"
#include "lib/error.h"

struct hv_backend {
	struct hv_serial_choice choice;
	int in_fd, out_fd;		/* -1: there is none */
	int slave_fd;
	char pty[64];			/* its name; empty: it is none */
};

/* Not open: closing does nothing. */
#define HV_BACKEND_NONE { .in_fd = -1, .out_fd = -1, .slave_fd = -1 }

/**
 * hv_backend_open() - open what @choice says
 * @backend: filled in; hv_backend_close() it, also on failure
 * @choice: a pseudo-terminal, a file, or what needs no opening
 * @who: is connected to it: whose pseudo-terminal it is, is told on standard error
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_backend_open(struct hv_backend *backend, const struct hv_serial_choice *choice,
		    const char *who, struct hv_error *err);
void hv_backend_close(struct hv_backend *backend);

/* For a machine that starts: a file has nothing in it. One that was saved goes on there. */
void hv_backend_empty(const struct hv_backend *backend);

/* May nobody be reading? Then what does not fit is dropped. */
bool hv_backend_is_lossy(const struct hv_backend *backend);

#endif
