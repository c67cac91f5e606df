/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A standard stream that is read and written without waiting.
 *
 * That poll() finds a terminal writable does not promise room for more than a byte, and
 * what it finds readable another process may have read first: so each transfer must be
 * one that cannot wait. O_NONBLOCK belongs to the open file description, which we share
 * with the shell and all others that it gave the stream to. Hence, in this order:
 *
 *   what we have opened           has O_NONBLOCK: as it is
 *   regular file, /dev/null ...   waits for nobody: as it is
 *   socket                        MSG_DONTWAIT with each transfer
 *   terminal, pipe, FIFO          opened again, O_NONBLOCK: a description of our own
 *   ... where that is refused     O_NONBLOCK on the shared one, taken back at the end
 */
#ifndef HV_VMM_STREAM_H
#define HV_VMM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hv_stream {
	int fd;				/* to poll for, and to transfer through; -1: none */
	bool socket;
	bool own;			/* @fd is ours to close */
};

/**
 * hv_stream_open() - read or write @fd without waiting from now on
 * @stream: filled in
 * @fd: a standard stream or what we have opened, which the caller keeps open; -1: none
 * @write: the direction
 */
void hv_stream_open(struct hv_stream *stream, int fd, bool write);
void hv_stream_close(struct hv_stream *stream);

/* As read() and write(): -1 with EAGAIN in errno instead of waiting. */
ssize_t hv_stream_read(const struct hv_stream *stream, void *buf, size_t len);
ssize_t hv_stream_write(const struct hv_stream *stream, const void *buf, size_t len);

/*
 * O_NONBLOCK on descriptions that others share: off, for whose turn it is now, or on
 * again. Async-signal-safe.
 */
void hv_stream_lend_shared(bool to_others);

#endif
