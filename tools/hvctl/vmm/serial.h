/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The serial ports, COM1 to COM4: a UART each, its interrupt line, and what the user has
 * connected it to; with the console's output goes the debug port's.
 */
#ifndef HV_VMM_SERIAL_H
#define HV_VMM_SERIAL_H

#include "backend.h"
#include "console.h"
#include "dev/uart16550.h"
#include "lib/error.h"
#include "panic.h"

struct hv_machine;

struct hv_serial {
	struct hv_machine *machine;
	struct hv_backend end;		/* of the cable */
	struct hv_uart16550 uart;
	struct hv_console *console;	/* @own, or that of the machine; NULL: unplugged */
	bool level;			/* of its interrupt */
	struct hv_panic panic;
	struct hv_console own;
};

/*
 * Make machine->serial: open what they are connected to, put them on the bus; the chips are
 * there.
 */
int hv_serial_create(struct hv_machine *machine, struct hv_error *err);
/* The consoles are closed. Nothing if there are none. */
void hv_serial_destroy(struct hv_machine *machine);

/* For a machine that starts; one that was saved goes on in its files. */
void hv_serial_empty_files(const struct hv_machine *machine);

/* Which are there: bit n for COM(n + 1). */
unsigned int hv_serial_present(const struct hv_machine *machine);

/*
 * The following: machine->lock is held.
 */

void hv_serial_reset(struct hv_machine *machine);
/* Hand out what their UARTs still hold. */
void hv_serial_flush(struct hv_machine *machine);
/* What a kernel has said on one of them before it died, or NULL. */
const char *hv_serial_panic(const struct hv_machine *machine);

/* What was typed is for the port on stdio: how much it has taken. */
size_t hv_serial_input(struct hv_machine *machine, const uint8_t *data, size_t len);

/* Output that is no port's, among that of the first one on a pseudo-terminal. */
void hv_serial_output_beside(const struct hv_machine *machine, const uint8_t *data, size_t len);

#endif
