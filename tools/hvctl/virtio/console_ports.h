/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the virtio console share: the device, its ports and its turns. */
#ifndef HV_VIRTIO_CONSOLE_PORTS_H
#define HV_VIRTIO_CONSOLE_PORTS_H

#include <linux/virtio_console.h>

#include "console.h"
#include "virtio.h"

#define HV_CONSOLE_F_SIZE      (1ull << VIRTIO_CONSOLE_F_SIZE)
#define HV_CONSOLE_F_MULTIPORT (1ull << VIRTIO_CONSOLE_F_MULTIPORT)

/* Queues by which the driver receives control messages, and sends them. */
#define HV_CONSOLE_CONTROL_IN  2
#define HV_CONSOLE_CONTROL_OUT 3

/* Chains that are served before others that wait for the loop come first. */
#define HV_CONSOLE_TURN 128

struct hv_virtio_console {
	struct hv_virtio dev;
	struct hv_timer again;		/* there is more to do, after a turn */
	struct hv_timer remind;		/* the driver of the size */
	unsigned int nr_ports;
	struct hv_vport port[HV_VPORTS];
};

static inline struct hv_virtio_console *hv_virtio_console_of(struct hv_virtio *dev)
{
	return (void *)((char *)dev - offsetof(struct hv_virtio_console, dev));
}

static inline unsigned int hv_vport_input_queue(const struct hv_vport *port)
{
	return port->index ? 2 + 2 * port->index : 0;
}

static inline unsigned int hv_vport_output_queue(const struct hv_vport *port)
{
	return hv_vport_input_queue(port) + 1;
}

/*
 * The following: by the worker.
 */

/* Serve all once more, in the loop's next turn. */
void hv_virtio_console_come_again(struct hv_virtio *dev);

/* 1; 0: there is no chain, but a kick will come; or -EINVAL. The queue is hushed. */
int hv_virtio_console_pop(struct hv_virtio *dev, unsigned int queue, struct hv_vchain **chain);

/* What the guest says there, and what it is given. */
void hv_vport_take_output(struct hv_vport *port);
void hv_vport_give_input(struct hv_vport *port);
/* No chain is in flight any more. */
void hv_vport_stop(struct hv_vport *port);

/* Of its terminal: columns, then rows. */
void hv_vport_size(struct hv_vport *port, uint16_t size[2]);

/* What the driver says about ports, and is told; nothing without the feature. */
void hv_vport_tell_size(struct hv_vport *port);
void hv_virtio_console_serve_control(struct hv_virtio_console *console);

/* What the user has said: ports, and their ends. @env NULL: it is only looked at. 0 or -errno. */
int hv_virtio_console_read_options(struct hv_virtio_console *console,
				   const struct hv_virtio_env *env, const char *text,
				   struct hv_error *err);

#endif
