// SPDX-License-Identifier: GPL-2.0-only
/* What ports of virtio consoles are connected to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "ports.h"
#include "term.h"
#include "virtio/console.h"
#include "virtio/virtio.h"

/* ------------------------------------------------------------------- bytes */

static void hungry(void *ctx)
{
	struct hv_port *port = ctx;

	if (port->console)
		hv_console_ask(port->console);
}

/* What waits to be typed may have another place to go to. */
static void set_spoke(struct hv_port *port, bool spoke)
{
	if (atomic_exchange(&port->spoke, spoke) != spoke)
		hungry(port);
}

static size_t output(void *ctx, const uint8_t *data, size_t len, bool force)
{
	struct hv_port *port = ctx;

	set_spoke(port, true);
	if (!port->console)
		return len;
	if (!force)
		return hv_console_offer(port->console, data, len);
	hv_console_output(port->console, data, len);
	return len;
}

static void reset(void *ctx)
{
	set_spoke(ctx, false);
}

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_port *port = ctx;

	return hv_vport_input(port->vport, data, len);
}

static void on_room(void *ctx)
{
	struct hv_port *port = ctx;

	hv_vport_drained(port->vport);
}

static void on_output_failed(void *ctx, int errnum)
{
	struct hv_port *port = ctx;

	if (port->end.choice.kind == HV_SERIAL_FILE)
		hv_machine_end(port->machine, HV_END_ERROR, 0,
			       "cannot write %s: %s; mend the file of --device console",
			       port->end.choice.path, strerror(errnum));
}

/* ------------------------------------------------------- the machine's console */

static bool has_serial_stdio(const struct hv_machine *machine)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (machine->config.serial[i].kind == HV_SERIAL_STDIO)
			return true;
	return false;
}

bool hv_ports_take_input(const struct hv_machine *machine)
{
	const struct hv_port *hvc = machine->hvc;

	return hvc && (!has_serial_stdio(machine) || atomic_load(&hvc->spoke));
}

size_t hv_ports_input(struct hv_machine *machine, const uint8_t *data, size_t len)
{
	return give_input(machine->hvc, data, len);
}

void hv_ports_room(struct hv_machine *machine)
{
	if (machine->hvc)
		on_room(machine->hvc);
}

bool hv_ports_set_size(struct hv_machine *machine, unsigned int columns, unsigned int rows)
{
	if (machine->hvc)
		hv_vport_resize(machine->hvc->vport, columns, rows);
	return machine->hvc;
}

void hv_ports_resize(struct hv_machine *machine)
{
	unsigned int rows, columns;

	if (!hv_machine_has_stdio(machine) || !isatty(STDOUT_FILENO))
		return;
	hv_term_size(&rows, &columns);
	hv_ports_set_size(machine, columns, rows);
}

/* The last kick may still be on its way to the worker: have it look first. */
void hv_ports_stop(struct hv_machine *machine)
{
	for (struct hv_port *port = machine->ports; port; port = port->next) {
		hv_vport_drained(port->vport);
		hv_virtio_hold(port->vport->dev);
	}
}

/* ----------------------------------------------------------------- together */

static const char *name_of(const struct hv_vport *vport)
{
	return *vport->name ? vport->name : "hvc0";
}

static void open_own_console(struct hv_port *port)
{
	port->console = &port->own;
	hv_machine_add_console(port->machine, &port->own,
			       (struct hv_console_config){
				       .in_fd = port->end.in_fd,
				       .out_fd = port->end.out_fd,
				       .lossy = hv_backend_is_lossy(&port->end),
				       .input = give_input,
				       .failed = on_output_failed,
				       .room = on_room,
				       .ctx = port,
			       });
}

static int join_console(struct hv_port *port, struct hv_error *err)
{
	struct hv_machine *machine = port->machine;

	if (machine->hvc)
		return hv_fail(
			err, EINVAL,
			"%s: another one is on the console already; use pty, file:NAME or null",
			name_of(port->vport));
	if (machine->config.display != HV_DISPLAY_NONE)
		return hv_fail(err, EINVAL,
			       "%s: the screen is on the terminal; use pty, file:NAME or null",
			       name_of(port->vport));
	machine->hvc = port;
	port->vport->sized = true;
	port->console = &machine->console;
	hv_ports_resize(machine);
	return 0;
}

static int plug(struct hv_port *port, struct hv_error *err)
{
	struct hv_serial_choice choice;
	int error;

	if (!hv_serial_choice_parse(&choice, port->text) || choice.kind == HV_SERIAL_UNIX)
		return hv_fail(
			err, EINVAL,
			"no such thing to connect %s to: \"%s\"; use stdio, pty, file:NAME or null",
			name_of(port->vport), port->text);
	error = hv_backend_open(&port->end, &choice, name_of(port->vport), err);
	if (!error && choice.kind == HV_SERIAL_STDIO)
		error = join_console(port, err);
	else if (!error && port->end.out_fd >= 0)
		open_own_console(port);
	return error;
}

int hv_port_connect(void *ctx, struct hv_vport *vport, const char *backend, struct hv_error *err)
{
	struct hv_machine *machine = ctx;
	bool has_screen = machine->config.display != HV_DISPLAY_NONE;
	struct hv_port *port = calloc(1, sizeof(*port));

	if (!port)
		return hv_fail(err, ENOMEM, "no memory; close something");
	port->machine = machine;
	port->vport = vport;
	port->end = (struct hv_backend)HV_BACKEND_NONE;
	port->text = strdup(backend ? backend : has_screen ? "pty" : "stdio");
	port->next = machine->ports;
	machine->ports = port;
	if (!port->text)
		return hv_fail(err, ENOMEM, "no memory; close something");
	vport->end = (struct hv_vport_end){
		.output = output,
		.hungry = hungry,
		.reset = reset,
		.ctx = port,
	};
	return plug(port, err);
}

void hv_ports_empty_files(const struct hv_machine *machine)
{
	for (const struct hv_port *port = machine->ports; port; port = port->next)
		hv_backend_empty(&port->end);
}

void hv_ports_destroy(struct hv_machine *machine)
{
	struct hv_port *port;

	while ((port = machine->ports)) {
		machine->ports = port->next;
		hv_backend_close(&port->end);
		free(port->text);
		free(port);
	}
	machine->hvc = NULL;
}
