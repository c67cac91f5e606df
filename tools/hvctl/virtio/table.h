/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtio devices that there are: one row each. */
#ifndef HV_VIRTIO_TABLE_H
#define HV_VIRTIO_TABLE_H

#include "virtio.h"

struct hv_vport;

/**
 * struct hv_virtio_env - what a machine has for its devices
 * @memory: guest RAM
 * @loop: the machine's event loop; its thread holds none of the machine's locks
 * @name: of the VM: what is to stay the same for it, such as a MAC, is made of this
 * @cpus: vCPUs: devices with a queue for each
 * @index: of the device among those of its kind, from 0 on
 * @connect: connect a port of a console (console.h), before the guest starts, to "pty",
 *	"file:NAME" ...; NULL: where a console goes that nobody has said anything about. 0 or -errno
 * @note: tell the user a line, while the guest runs; any thread
 * @ctx: for connect() and note()
 */
struct hv_virtio_env {
	const struct hv_memory *memory;
	struct hv_loop *loop;
	const char *name;
	unsigned int cpus;
	unsigned int index;
	int (*connect)(void *ctx, struct hv_vport *port, const char *backend, struct hv_error *err);
	void (*note)(void *ctx, const char *text);
	void *ctx;
};

/**
 * struct hv_virtio_row - a kind of device on the command line and in files
 * @option: "disk": --disk, and the key in a file; devices without options of their own: NULL, and
 *	then --device @name
 * @name: "blk"
 * @argument: "FILE[,ro][,cache=...]", for the help
 * @help: a line
 * @path: where in its options a path begins: at the first character, or behind the first ':' if
 *	this is ":"; NULL: there is none. In a file it is relative to that
 * @shared_memory: RAM must be in a memfd: somebody else maps it
 * @check: are these options right? Nothing is opened yet. 0 or -EINVAL
 * @create: make one of them; NULL on failure
 */
struct hv_virtio_row {
	const char *option, *name, *argument, *help;
	const char *path;
	bool shared_memory;
	int (*check)(const char *options, struct hv_error *err);
	struct hv_virtio *(*create)(const struct hv_virtio_env *env, const char *options,
				    struct hv_error *err);
};

/* All, a row without a name behind the last. */
extern const struct hv_virtio_row hv_virtio_rows[];

/* What it is called in a configuration. */
static inline const char *hv_virtio_word(const struct hv_virtio_row *row)
{
	return row->option ? row->option : row->name;
}

/* A check() of devices without options. */
int hv_virtio_no_options(const char *options, struct hv_error *err);

/* By that word; NULL: there is none. */
const struct hv_virtio_row *hv_virtio_find(const char *option);

#endif
