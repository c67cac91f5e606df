/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The serial ports, COM1 to COM4: each a UART, and what the user has connected it to.
 *
 *   stdio	standard input and output, with the debug port's output among it
 *   pty	a new pseudo-terminal; what nobody reads there is dropped in the end
 *   file	output only, into a file
 *   null	there, and unplugged
 */
#ifndef HV_SERIAL_H
#define HV_SERIAL_H

#include "console.h"
#include "dev/pc.h"
#include "dev/uart16550.h"
#include "lib/error.h"
#include "panic.h"

enum hv_serial_kind {
	HV_SERIAL_NONE,			/* the machine has no such port */
	HV_SERIAL_NULL,
	HV_SERIAL_STDIO,
	HV_SERIAL_PTY,
	HV_SERIAL_FILE,
};

struct hv_machine;

struct hv_serial_choice {
	enum hv_serial_kind kind;
	const char *path;		/* of a file */
};

struct hv_serial {
	struct hv_machine *machine;
	struct hv_serial_choice choice;
	struct hv_uart16550 uart;
	struct hv_console *console;	/* @own, or that of the machine; NULL: unplugged */
	struct hv_console own;
	int fd, slave_fd;		/* of @own */
	bool level;			/* of its interrupt */
	struct hv_panic panic;
};

/* One --serial PORT:BACKEND into @choices, one for each port; stdio moves to whom it is given last. */
int hv_serial_parse(struct hv_serial_choice *choices, const char *text, struct hv_error *err);

/* Which are there: bit n for COM(n + 1). */
unsigned int hv_serial_present(const struct hv_machine *machine);

/* Open what they are connected to, and put them on the bus; the chips are there. */
int hv_serial_init(struct hv_machine *machine, struct hv_error *err);
void hv_serial_exit(struct hv_machine *machine);

void hv_serial_reset(struct hv_machine *machine);
/* Hand out what their UARTs still hold. */
void hv_serial_flush(struct hv_machine *machine);
/* What a kernel has said on one of them before it died, or NULL. */
const char *hv_serial_panic(const struct hv_machine *machine);

/* What was typed is for the port on stdio: how much it has taken. */
size_t hv_serial_input(struct hv_machine *machine, const uint8_t *data, size_t len);

#endif
