// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio console. Virtio 1.2, "Console Device".
 *
 * With one port there is no control queue: the size of the terminal is in the configuration space,
 * where all drivers look for it. (In the control message older kernels take rows for columns.)
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>

#include "console_ports.h"
#include "lib/lock.h"

#define QUEUE_SIZE 128
#define REMIND_NS  250000000

/* -------------------------------------------------------------------- size */

void hv_vport_size(struct hv_vport *port, uint16_t size[2])
{
	pthread_mutex_lock(&port->lock);
	size[0] = port->columns;
	size[1] = port->rows;
	pthread_mutex_unlock(&port->lock);
}

/* The driver is told, and reads it. */
static void show_size(struct hv_vport *port)
{
	uint16_t size[2];

	hv_vport_size(port, size);
	hv_virtio_set_config(port->dev, offsetof(struct virtio_console_config, cols), size,
			     sizeof(size));
}

void hv_vport_resize(struct hv_vport *port, unsigned int columns, unsigned int rows)
{
	bool resized;

	pthread_mutex_lock(&port->lock);
	resized = port->columns != columns || port->rows != rows;
	port->columns = columns;
	port->rows = rows;
	port->resized |= resized;
	pthread_mutex_unlock(&port->lock);
	if (resized)
		hv_worker_post(&port->dev->worker, &port->job);
}

static void look_at_size(struct hv_vport *port)
{
	bool resized;

	pthread_mutex_lock(&port->lock);
	resized = port->resized;
	port->resized = false;
	pthread_mutex_unlock(&port->lock);
	if (!resized)
		return;
	show_size(port);
	hv_vport_tell_size(port);
}

static void on_remind(void *ctx)
{
	struct hv_virtio_console *console = ctx;

	show_size(&console->port[0]);
}

/* ------------------------------------------------------------------ device */

void hv_virtio_console_come_again(struct hv_virtio *dev)
{
	struct hv_clock *clock = &dev->worker.loop.clock;

	hv_timer_arm(clock, &hv_virtio_console_of(dev)->again, hv_now_ns(clock));
}

static void serve_port(struct hv_vport *port)
{
	hv_vport_give_input(port);
	hv_vport_take_output(port);
}

static void on_job(void *ctx)
{
	struct hv_vport *port = ctx;

	look_at_size(port);
	if (!port->dev->running)
		return;
	serve_port(port);
	hv_virtio_console_serve_control(hv_virtio_console_of(port->dev));
}

static void on_again(void *ctx)
{
	struct hv_virtio_console *console = ctx;

	for (unsigned int i = 0; i < console->nr_ports; i++)
		serve_port(&console->port[i]);
	hv_virtio_console_serve_control(console);
}

/*
 * Linux looks at the size only when it is told of a change, and that is lost until it has added the
 * port, a moment after it has started the device.
 */
static int console_start(struct hv_virtio *dev)
{
	struct hv_clock *clock = &dev->worker.loop.clock;

	if (hv_virtio_has(dev, HV_CONSOLE_F_SIZE))
		hv_timer_arm(clock, &hv_virtio_console_of(dev)->remind,
			     hv_now_ns(clock) + REMIND_NS);
	return 0;
}

static void console_kick(struct hv_virtio *dev, unsigned int n)
{
	struct hv_virtio_console *console = hv_virtio_console_of(dev);
	struct hv_vport *port = &console->port[n < 2 ? 0 : n / 2 - 1];

	if (n == HV_CONSOLE_CONTROL_IN || n == HV_CONSOLE_CONTROL_OUT)
		hv_virtio_console_serve_control(console);
	else if (n & 1)
		hv_vport_take_output(port);
	else
		hv_vport_give_input(port);
}

static void console_stop_queue(struct hv_virtio *dev, unsigned int n)
{
	struct hv_virtio_console *console = hv_virtio_console_of(dev);

	for (unsigned int i = 0; i < console->nr_ports; i++)
		if (hv_vport_output_queue(&console->port[i]) == n)
			hv_vport_stop(&console->port[i]);
}

/* The next one begins anew; what was typed and not taken is for that. */
static void forget_driver(struct hv_vport *port)
{
	port->ready = port->open = false;
	port->to_tell = 0;
	if (port->end.reset)
		port->end.reset(port->end.ctx);
}

static void console_stop(struct hv_virtio *dev, bool reset)
{
	struct hv_virtio_console *console = hv_virtio_console_of(dev);

	hv_timer_cancel(&dev->worker.loop.clock, &console->again);
	hv_timer_cancel(&dev->worker.loop.clock, &console->remind);
	for (unsigned int i = 0; i < console->nr_ports; i++) {
		struct hv_vport *port = &console->port[i];

		hv_vport_stop(port);
		if (reset)
			forget_driver(port);
	}
}

static void console_destroy(struct hv_virtio *dev)
{
	struct hv_virtio_console *console = hv_virtio_console_of(dev);

	hv_virtio_exit(dev);
	for (unsigned int i = 0; i < HV_VPORTS; i++)
		pthread_mutex_destroy(&console->port[i].lock);
	free(console);
}

static const struct hv_virtio_kind console_kind = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.class_code = 0x078000,
	.start = console_start,
	.stop = console_stop,
	.stop_queue = console_stop_queue,
	.kick = console_kick,
	.destroy = console_destroy,
};

/* ------------------------------------------------------------------ making */

static void init_ports(struct hv_virtio_console *console)
{
	for (unsigned int i = 0; i < HV_VPORTS; i++) {
		struct hv_vport *port = &console->port[i];

		port->index = i;
		port->dev = &console->dev;
		port->job = (struct hv_job){ .fn = on_job, .ctx = port };
		hv_lock_init(&port->lock);
	}
}

static uint64_t features_of(const struct hv_virtio_console *console)
{
	uint64_t features = HV_VIRTIO_F_RINGS;

	if (console->port[0].sized)
		features |= HV_CONSOLE_F_SIZE;
	if (console->nr_ports > 1)
		features |= HV_CONSOLE_F_MULTIPORT;
	return features;
}

static int add_queues(struct hv_virtio_console *console, struct hv_error *err)
{
	unsigned int count = console->nr_ports > 1 ? 2 + 2 * console->nr_ports : 2;
	int error = 0;

	for (unsigned int i = 0; i < count && !error; i++)
		error = hv_virtio_add_queue(&console->dev, QUEUE_SIZE, err);
	return error;
}

struct hv_virtio *hv_virtio_console_create(const struct hv_virtio_env *env, const char *options,
					   struct hv_error *err)
{
	struct hv_virtio_console *console = calloc(1, sizeof(*console));
	struct virtio_console_config config = { 0 };
	struct hv_virtio *dev;

	if (!console) {
		hv_fail(err, ENOMEM, "no memory; close something");
		return NULL;
	}
	dev = &console->dev;
	if (hv_virtio_init(dev, &console_kind, env->memory, HV_VIRTIO_F_RINGS, err)) {
		free(console);
		return NULL;
	}
	console->again = (struct hv_timer){ .fn = on_again, .dev = console };
	console->remind = (struct hv_timer){ .fn = on_remind, .dev = console };
	init_ports(console);
	if (hv_virtio_console_read_options(console, env, options, err) ||
	    add_queues(console, err)) {
		console_destroy(dev);
		return NULL;
	}
	dev->offered = features_of(console);
	config.max_nr_ports = console->nr_ports;
	hv_virtio_set_config(dev, 0, &config, sizeof(config));
	show_size(&console->port[0]);
	return dev;
}
