/* SPDX-License-Identifier: GPL-2.0-only */
/* What a drive reads and writes: bytes that are somewhere else, and come later. */
#ifndef HV_DEV_MEDIUM_H
#define HV_DEV_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>

enum hv_medium_op { HV_MEDIUM_READ, HV_MEDIUM_WRITE, HV_MEDIUM_FLUSH };

/**
 * struct hv_medium_io - something to be done
 * @op: what
 * @offset: bytes, whole sectors of 512
 * @data: where it goes to or comes from; its own until it is done
 * @len: bytes of it
 * @done: it is: @result is 0 or -errno. With the machine's lock held
 */
struct hv_medium_io {
	enum hv_medium_op op;
	uint64_t offset;
	uint8_t *data;
	uint32_t len;
	void (*done)(struct hv_medium_io *io, int result);
};

/**
 * struct hv_medium - a disk, as a drive sees it
 * @size: bytes, whole sectors of 512
 * @block: bytes that the host writes at once
 * @read_only: it cannot be written to
 * @serial: up to 20 bytes
 * @submit: begin; with the machine's lock held, so wait for nothing. One at a time: the next one
 *	comes from done() or later. done() is never called from here
 * @refused: the guest has wanted to write to one that is read-only; may be NULL
 */
struct hv_medium {
	uint64_t size;
	unsigned int block;
	bool read_only;
	const char *serial;
	void (*submit)(struct hv_medium *medium, struct hv_medium_io *io);
	void (*refused)(struct hv_medium *medium);
};

#endif
