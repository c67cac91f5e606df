// SPDX-License-Identifier: GPL-2.0-only
/* The serial ports: UARTs, their interrupt lines, and what is at the other end of the cable. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lock.h"
#include "machine_pc.h"
#include "serial.h"
#include "shortcut.h"

unsigned int hv_serial_present(const struct hv_machine *machine)
{
	unsigned int present = 0;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		present |= (machine->config.serial[i].kind != HV_SERIAL_NONE) << i;
	return present;
}

/* ---------------------------------------------------------------- the UART */

/* Two ports have one line: it is up as long as one of them wants it up. */
static void set_irq(void *controller, unsigned int index, bool level)
{
	struct hv_machine *machine = controller;
	unsigned int line = hv_pc_com[index].irq;
	struct hv_irq irq = hv_pc_irq(&machine->pc->board, line);
	bool any = false;

	hv_lock_assert_held(&machine->lock);
	machine->serial[index].level = level;
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		any |= hv_pc_com[i].irq == line && machine->serial[i].level;
	hv_irq_set(&irq, any);
}

static void output(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_serial *port = ctx;

	hv_shortcut_hurry(port->machine);
	hv_panic_watch(&port->panic, data, len);
	if (port->console)
		hv_console_output(port->console, data, len);
}

static void room(void *ctx)
{
	struct hv_serial *port = ctx;

	if (port->console)
		hv_console_feed(port->console);
}

static int add_uart(struct hv_serial *port, unsigned int index)
{
	struct hv_machine *machine = port->machine;
	const struct hv_uart16550_config config = {
		.bus = &machine->bus,
		.clock = &machine->clock,
		.base = hv_pc_com[index].base,
		.irq = {
				.set = machine->pc ? set_irq : NULL,
			.controller = machine,
			.line = index,
		},
		.output = output,
		.room = room,
		.ctx = port,
	};

	return hv_uart16550_init(&port->uart, &config);
}

/* ----------------------------------------------------------- the other end */

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_serial *port = ctx;

	hv_shortcut_no_input(port->machine);
	return hv_uart16550_input(&port->uart, data, len);
}

static void on_output_failed(void *ctx, int errnum)
{
	struct hv_serial *port = ctx;

	if (port->end.choice.kind == HV_SERIAL_FILE)
		hv_machine_end(port->machine, HV_END_ERROR, 0,
			       "cannot write %s: %s; mend the file of --serial",
			       port->end.choice.path, strerror(errnum));
}

static void open_own_console(struct hv_serial *port)
{
	port->console = &port->own;
	hv_machine_add_console(port->machine, &port->own,
			       (struct hv_console_config){
				       .in_fd = port->end.in_fd,
				       .out_fd = port->end.out_fd,
				       .lossy = hv_backend_is_lossy(&port->end),
				       .input = give_input,
				       .failed = on_output_failed,
				       .ctx = port,
			       });
}

static int connect_port(struct hv_serial *port, unsigned int index, struct hv_error *err)
{
	struct hv_machine *machine = port->machine;
	int error = hv_backend_open(&port->end, &machine->config.serial[index],
				    hv_pc_com[index].name, err);

	if (port->end.choice.kind == HV_SERIAL_STDIO)
		port->console = &machine->console;
	else if (!error && port->end.out_fd >= 0)
		open_own_console(port);
	return error;
}

/* ---------------------------------------------------------------- together */

static int init_port(struct hv_serial *port, unsigned int index, struct hv_error *err)
{
	int error = add_uart(port, index);

	if (error)
		return hv_fail(err, -error, "two devices want the same ports; please report it");
	return connect_port(port, index, err);
}

int hv_serial_create(struct hv_machine *machine, struct hv_error *err)
{
	int error = 0;

	machine->serial = calloc(HV_PC_COM_PORTS, sizeof(*machine->serial));
	if (!machine->serial)
		return hv_fail(err, ENOMEM, "no memory for serial ports; close something");
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++) {
		struct hv_serial *port = &machine->serial[i];

		port->machine = machine;
		port->end = (struct hv_backend)HV_BACKEND_NONE;
	}
	for (unsigned int i = 0; i < HV_PC_COM_PORTS && !error; i++)
		if (machine->config.serial[i].kind != HV_SERIAL_NONE)
			error = init_port(&machine->serial[i], i, err);
	return error;
}

void hv_serial_destroy(struct hv_machine *machine)
{
	for (unsigned int i = 0; machine->serial && i < HV_PC_COM_PORTS; i++) {
		struct hv_serial *port = &machine->serial[i];

		port->console = NULL;
		if (port->end.choice.kind != HV_SERIAL_NONE)
			hv_uart16550_exit(&port->uart);
		hv_backend_close(&port->end);
	}
	free(machine->serial);
	machine->serial = NULL;
}

void hv_serial_empty_files(const struct hv_machine *machine)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		hv_backend_empty(&machine->serial[i].end);
}

/* The ports that there are, in turn: NULL behind the last. */
static struct hv_serial *next_port(struct hv_machine *machine, struct hv_serial *port)
{
	for (port = port ? port + 1 : machine->serial; port < machine->serial + HV_PC_COM_PORTS;
	     port++)
		if (port->end.choice.kind != HV_SERIAL_NONE)
			return port;
	return NULL;
}

void hv_serial_reset(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	for (struct hv_serial *port = NULL; (port = next_port(machine, port));) {
		hv_uart16550_reset(&port->uart);
		port->panic = (struct hv_panic){ .len = 0 };
	}
}

void hv_serial_flush(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	for (struct hv_serial *port = NULL; (port = next_port(machine, port));)
		hv_uart16550_flush(&port->uart);
}

const char *hv_serial_panic(const struct hv_machine *machine)
{
	const char *text = NULL;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS && !text; i++)
		text = hv_panic_text(&machine->serial[i].panic);
	return text;
}

size_t hv_serial_input(struct hv_machine *machine, const uint8_t *data, size_t len)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (machine->serial[i].end.choice.kind == HV_SERIAL_STDIO)
			return give_input(&machine->serial[i], data, len);
	return len; /* nobody's: gone */
}

void hv_serial_output_beside(const struct hv_machine *machine, const uint8_t *data, size_t len)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (*machine->serial[i].end.pty) {
			hv_console_output(machine->serial[i].console, data, len);
			return;
		}
}
