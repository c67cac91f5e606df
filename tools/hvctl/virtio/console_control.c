// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control messages of a virtio console, which has them with several ports. Those for the driver are
 * bits, so that there is always room for them: a guest that does not fetch them, or asks over and
 * over, costs nothing.
 */
#include <string.h>

#include "console_ports.h"

/* hv_vport.to_tell: in the order in which they are told. */
enum message {
	TELL_ADD,
	TELL_CONSOLE,
	TELL_NAME,
	TELL_SIZE,
	TELL_OPEN,
	NR_MESSAGES
};

static size_t with_size(struct hv_vport *port, uint8_t *data)
{
	uint16_t size[2];

	hv_vport_size(port, size);
	memcpy(data, size, sizeof(size));
	return sizeof(size);
}

/* Fills @data, which has room for the longest: returns the length. */
static size_t make_message(struct hv_vport *port, enum message what, uint8_t *data)
{
	static const uint16_t events[NR_MESSAGES] = {
		[TELL_ADD] = VIRTIO_CONSOLE_PORT_ADD,
		[TELL_CONSOLE] = VIRTIO_CONSOLE_CONSOLE_PORT,
		[TELL_NAME] = VIRTIO_CONSOLE_PORT_NAME,
		[TELL_SIZE] = VIRTIO_CONSOLE_RESIZE,
		[TELL_OPEN] = VIRTIO_CONSOLE_PORT_OPEN,
	};
	const struct virtio_console_control control = {
		.id = port->index,
		.event = events[what],
		.value = 1,
	};
	size_t len = sizeof(control);

	memcpy(data, &control, len);
	if (what == TELL_SIZE)
		return len + with_size(port, data + len);
	if (what != TELL_NAME)
		return len;
	memcpy(data + len, port->name, strlen(port->name));
	return len + strlen(port->name);
}

static struct hv_vport *port_to_tell(struct hv_virtio_console *console)
{
	for (unsigned int i = 0; i < console->nr_ports; i++)
		if (console->port[i].to_tell)
			return &console->port[i];
	return NULL;
}

static void tell(struct hv_vport *port, struct hv_vchain *chain)
{
	uint8_t data[sizeof(struct virtio_console_control) + HV_VPORT_NAME_MAX];
	struct hv_vqueue *ring = hv_virtio_ring(port->dev, HV_CONSOLE_CONTROL_IN);
	enum message what = __builtin_ctz(port->to_tell);
	size_t len = make_message(port, what, data);

	port->to_tell &= ~(1u << what);
	hv_vqueue_push(ring, chain, hv_vchain_write(chain, 0, data, len));
}

static void tell_all(struct hv_virtio_console *console)
{
	struct hv_vqueue *ring = hv_virtio_ring(&console->dev, HV_CONSOLE_CONTROL_IN);
	struct hv_vchain *chain;
	struct hv_vport *port;

	hv_vqueue_hush(ring);
	while ((port = port_to_tell(console))) {
		if (hv_virtio_console_pop(&console->dev, HV_CONSOLE_CONTROL_IN, &chain) <= 0)
			break;
		tell(port, chain);
	}
	hv_vqueue_tell(ring);
}

static void add_ports(struct hv_virtio_console *console)
{
	for (unsigned int i = 0; i < console->nr_ports; i++) {
		struct hv_vport *port = &console->port[i];

		port->ready = port->open = false;
		port->to_tell = 1u << TELL_ADD;
	}
}

/* Once the port is there it is told anyway. */
void hv_vport_tell_size(struct hv_vport *port)
{
	if (port->ready && !port->index && hv_virtio_has(port->dev, HV_CONSOLE_F_SIZE))
		port->to_tell |= 1u << TELL_SIZE;
}

static void begin_port(struct hv_vport *port)
{
	port->ready = true;
	port->to_tell |= port->index ? 1u << TELL_NAME : 1u << TELL_CONSOLE;
	port->to_tell |= 1u << TELL_OPEN;
	hv_vport_tell_size(port);
}

/* What makes no sense is passed over: it concerns the guest alone. */
static void obey(struct hv_virtio_console *console, const struct virtio_console_control *control)
{
	struct hv_vport *port = control->id < console->nr_ports ? &console->port[control->id] :
								  NULL;

	if (control->event == VIRTIO_CONSOLE_DEVICE_READY && control->value == 1) {
		add_ports(console);
	} else if (port && control->event == VIRTIO_CONSOLE_PORT_READY && control->value == 1) {
		begin_port(port);
	} else if (port && control->event == VIRTIO_CONSOLE_PORT_OPEN) {
		port->open = control->value == 1;
		hv_vport_give_input(port);
	}
}

static bool obey_some(struct hv_virtio_console *console, unsigned int *chains)
{
	struct hv_vqueue *ring = hv_virtio_ring(&console->dev, HV_CONSOLE_CONTROL_OUT);
	struct virtio_console_control control;
	struct hv_vchain *chain;

	for (; *chains; --*chains) {
		size_t len;

		if (hv_virtio_pop(&console->dev, HV_CONSOLE_CONTROL_OUT, &chain) <= 0)
			return true;
		len = hv_vchain_read(chain, 0, &control, sizeof(control));
		hv_vqueue_push(ring, chain, 0);
		if (len == sizeof(control))
			obey(console, &control);
	}
	hv_virtio_console_come_again(&console->dev);
	return false;
}

void hv_virtio_console_serve_control(struct hv_virtio_console *console)
{
	struct hv_vqueue *ring = hv_virtio_ring(&console->dev, HV_CONSOLE_CONTROL_OUT);
	unsigned int chains = HV_CONSOLE_TURN;
	bool all;

	if (!hv_virtio_has(&console->dev, HV_CONSOLE_F_MULTIPORT))
		return;
	do {
		hv_vqueue_hush(ring);
		all = obey_some(console, &chains);
	} while (all && hv_vqueue_listen(ring));
	hv_vqueue_tell(ring);
	tell_all(console);
}
