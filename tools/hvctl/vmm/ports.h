/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports of virtio consoles: what is at the host's side of them.
 *
 * One of them, hvc0, may be on the machine's console, which the serial port is on, too: what both
 * say is seen there. What is typed goes to the serial port until hvc0 has said something: firmware
 * and boot loaders know the former alone, and a kernel that has the latter uses it from its start.
 */
#ifndef HV_VMM_PORTS_H
#define HV_VMM_PORTS_H

#include <stdatomic.h>

#include "backend.h"
#include "console.h"

struct hv_machine;
struct hv_vport;

struct hv_port {
	struct hv_machine *machine;
	struct hv_vport *vport;
	char *text;			/* that @end was made of */
	struct hv_backend end;
	struct hv_console *console;	/* @own, or that of the machine; NULL: unplugged */
	atomic_bool spoke;		/* the guest has, since its driver started */
	struct hv_port *next;
	struct hv_console own;
};

/* hv_virtio_env.connect(): @ctx is the machine. */
int hv_port_connect(void *ctx, struct hv_vport *vport, const char *backend, struct hv_error *err);
/* The devices are gone, and the consoles closed. */
void hv_ports_destroy(struct hv_machine *machine);

/* For a machine that starts: files have nothing in them. */
void hv_ports_empty_files(const struct hv_machine *machine);
/* The vCPUs have ended: what they have said is in the consoles, and no more comes. No locks. */
void hv_ports_stop(struct hv_machine *machine);

/* Does hvc0 get what is typed at the console? */
bool hv_ports_take_input(const struct hv_machine *machine);
/* machine->lock is held: returns how much it has taken. */
size_t hv_ports_input(struct hv_machine *machine, const uint8_t *data, size_t len);
/* The machine's console has room again. */
void hv_ports_room(struct hv_machine *machine);
/* Our terminal has another size, if we have one; by the loop's thread. */
void hv_ports_resize(struct hv_machine *machine);
/* The terminal where the console is has that size. False: nobody wants to know. */
bool hv_ports_set_size(struct hv_machine *machine, unsigned int columns, unsigned int rows);

#endif
