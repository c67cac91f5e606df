/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio console: port 0 is the guest's hvc0, others are streams of bytes that have a name there
 * (/dev/virtio-ports/NAME). What is at the host's side of a port, whoever makes the machine knows:
 * hv_virtio_env.connect().
 *
 * Nobody waits for the other side here. Each takes what it has room for, and tells when there is
 * room again.
 */
#ifndef HV_VIRTIO_CONSOLE_H
#define HV_VIRTIO_CONSOLE_H

#include "table.h"

#define HV_VPORTS	   8	/* of one console, the first included */
#define HV_VPORT_NAME_MAX 64
#define HV_VPORT_IN	   4096

/**
 * struct hv_vport_end - the host's side of a port
 * @output: the guest says this: returns how much there is room for. After less than @len
 *	hv_vport_drained() is to be called. @force: the guest will not say it again: take all, if
 *	that is possible
 * @hungry: there is room for input again, after some was refused
 * @reset: the driver has gone; another may come. May be NULL
 * @ctx: theirs
 *
 * All are called by the worker, without locks, and may not wait.
 */
struct hv_vport_end {
	size_t (*output)(void *ctx, const uint8_t *data, size_t len, bool force);
	void (*hungry)(void *ctx);
	void (*reset)(void *ctx);
	void *ctx;
};

struct hv_vport {
	struct hv_vport_end end;	/* connect() fills it in; no output(): nobody is there */
	char name[HV_VPORT_NAME_MAX];	/* empty: it is the first, the console */
	bool sized;			/* connect(): a terminal is there, or may come */
	unsigned int index;
	struct hv_virtio *dev;
	struct hv_job job;

	pthread_mutex_t lock;		/* innermost; the following */
	uint16_t columns, rows;		/* of the terminal there; 0: it is none, or not yet */
	bool resized;
	bool refused;			/* some input: there was no room */
	size_t in_head, in_len;
	uint8_t in[HV_VPORT_IN];	/* a ring: @in_len bytes from @in_head on */

	/* The worker's. */
	bool ready, open;		/* the guest has it; and has opened it */
	unsigned int to_tell;		/* control messages, as bits */
	struct hv_vchain *out;		/* half said; NULL: none */
	uint64_t said;			/* of it, in bytes */
};

/*
 * The following are for the host's side: any thread, whatever locks it has.
 */

/* Input for the guest: returns how much there is room for. */
size_t hv_vport_input(struct hv_vport *port, const uint8_t *data, size_t len);
/* There is room for output again. */
void hv_vport_drained(struct hv_vport *port);
/* The terminal there has this size now. */
void hv_vport_resize(struct hv_vport *port, unsigned int columns, unsigned int rows);

int hv_virtio_console_check(const char *options, struct hv_error *err);
struct hv_virtio *hv_virtio_console_create(const struct hv_virtio_env *env, const char *options,
					   struct hv_error *err);

#endif
