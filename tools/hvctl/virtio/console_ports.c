// SPDX-License-Identifier: GPL-2.0-only
/* Ports of a virtio console: bytes that the guest says, and is given. */
#include "console_ports.h"

#define TURN_BYTES (256 * HV_KIB)
#define PIECE	   4096

/* What may be done before others come first. */
struct turn {
	unsigned int chains;
	uint64_t bytes;
};

/* ------------------------------------------------------------------ output */

static size_t output(struct hv_vport *port, const uint8_t *data, size_t len, bool force)
{
	return port->end.output ? port->end.output(port->end.ctx, data, len, force) : len;
}

/* Returns whether all of port->out is said. */
static bool say(struct hv_vport *port, uint64_t *bytes, bool force)
{
	uint8_t piece[PIECE];
	size_t len, taken;

	while ((len = hv_vchain_read(port->out, port->said, piece, sizeof(piece)))) {
		if (*bytes < len)
			return false;
		taken = output(port, piece, len, force);
		port->said += taken;
		*bytes -= taken;
		if (taken < len)
			return false;
	}
	return true;
}

static void give_back(struct hv_vport *port)
{
	hv_vqueue_push(hv_virtio_ring(port->dev, hv_vport_output_queue(port)), port->out, 0);
	port->out = NULL;
	port->said = 0;
}

/* Returns whether nothing is left; else the other side, or the next turn, goes on with it. */
static bool say_some(struct hv_vport *port, struct turn *turn)
{
	while (turn->chains && turn->bytes >= PIECE) {
		if (!port->out &&
		    hv_virtio_pop(port->dev, hv_vport_output_queue(port), &port->out) <= 0)
			return true;
		turn->chains--;
		if (!say(port, &turn->bytes, false))
			break;
		give_back(port);
	}
	if (!turn->chains || turn->bytes < PIECE)
		hv_virtio_console_come_again(port->dev);
	return false;
}

void hv_vport_take_output(struct hv_vport *port)
{
	struct hv_vqueue *ring = hv_virtio_ring(port->dev, hv_vport_output_queue(port));
	struct turn turn = { HV_CONSOLE_TURN, TURN_BYTES };
	bool all;

	do {
		hv_vqueue_hush(ring);
		all = say_some(port, &turn);
	} while (all && hv_vqueue_listen(ring));
	hv_vqueue_tell(ring);
}

/* No chain is in flight any more; half of one cannot be put back. */
void hv_vport_stop(struct hv_vport *port)
{
	struct hv_vqueue *ring = hv_virtio_ring(port->dev, hv_vport_output_queue(port));
	uint64_t bytes = TURN_BYTES;

	if (!port->out)
		return;
	if (!port->said) {
		hv_vqueue_unpop(ring, port->out);
		port->out = NULL;
		return;
	}
	(void)say(port, &bytes, true);
	give_back(port);
	hv_vqueue_tell(ring);
}

void hv_vport_drained(struct hv_vport *port)
{
	hv_worker_post(&port->dev->worker, &port->job);
}

/* ------------------------------------------------------------------- input */

static bool is_open(const struct hv_vport *port)
{
	return port->open || !hv_virtio_has(port->dev, HV_CONSOLE_F_MULTIPORT);
}

size_t hv_vport_input(struct hv_vport *port, const uint8_t *data, size_t len)
{
	size_t room;

	pthread_mutex_lock(&port->lock);
	room = sizeof(port->in) - port->in_len;
	port->refused = len > room;
	if (len > room)
		len = room;
	for (size_t i = 0; i < len; i++)
		port->in[(port->in_head + port->in_len++) % sizeof(port->in)] = data[i];
	pthread_mutex_unlock(&port->lock);
	if (len)
		hv_worker_post(&port->dev->worker, &port->job);
	return len;
}

/* A copy: the guest's memory may be long in coming, and the lock is one that vCPUs wait for. */
static size_t look_at_input(struct hv_vport *port, uint8_t *data)
{
	size_t len;

	pthread_mutex_lock(&port->lock);
	len = port->in_len;
	for (size_t i = 0; i < len; i++)
		data[i] = port->in[(port->in_head + i) % sizeof(port->in)];
	pthread_mutex_unlock(&port->lock);
	return len;
}

static void drop_input(struct hv_vport *port, size_t len)
{
	bool tell;

	pthread_mutex_lock(&port->lock);
	port->in_head = (port->in_head + len) % sizeof(port->in);
	port->in_len -= len;
	tell = len && port->refused;
	port->refused &= !tell;
	pthread_mutex_unlock(&port->lock);
	if (tell && port->end.hungry)
		port->end.hungry(port->end.ctx);
}

/* 1; 0: there is no chain, but a kick will come; or -EINVAL. */
int hv_virtio_console_pop(struct hv_virtio *dev, unsigned int queue, struct hv_vchain **chain)
{
	struct hv_vqueue *ring = hv_virtio_ring(dev, queue);
	int result = hv_virtio_pop(dev, queue, chain);

	if (result || !hv_vqueue_listen(ring))
		return result;
	hv_vqueue_hush(ring);
	return hv_virtio_pop(dev, queue, chain);
}

void hv_vport_give_input(struct hv_vport *port)
{
	unsigned int queue = hv_vport_input_queue(port), chains = HV_CONSOLE_TURN;
	struct hv_vqueue *ring = hv_virtio_ring(port->dev, queue);
	uint8_t data[HV_VPORT_IN];
	struct hv_vchain *chain;
	size_t len;

	if (!is_open(port))
		return;
	hv_vqueue_hush(ring);
	while (chains && (len = look_at_input(port, data))) {
		if (hv_virtio_console_pop(port->dev, queue, &chain) <= 0)
			break;
		chains--;
		len = hv_vchain_write(chain, 0, data, len);
		hv_vqueue_push(ring, chain, len);
		drop_input(port, len);
	}
	if (!chains)
		hv_virtio_console_come_again(port->dev);
	hv_vqueue_tell(ring);
}
