/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disk images: raw files and block devices of the host, opened, locked, and read and written
 * without waiting. Who shows one to a guest (virtio/blk.c, dev/ata.c) knows nothing of the host.
 */
#ifndef HV_DISK_DISK_H
#define HV_DISK_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/error.h"
#include "lib/loop.h"
#include "lib/options.h"

#define HV_DISK_SECTOR	   512
#define HV_DISK_DISC_BLOCK 2048	/* of a CD */
#define HV_DISK_SERIAL_MAX 20	/* bytes; the longest that virtio and ATA can tell */

enum hv_disk_cache {
	HV_DISK_WRITEBACK,	/* the host's page cache; FLUSH makes it durable. The default */
	HV_DISK_WRITETHROUGH,	/* each write is durable when it is done */
	HV_DISK_NONE,		/* past the page cache (O_DIRECT) */
	HV_NR_DISK_CACHES
};

struct hv_disk_config {
	const char *path;
	bool read_only;
	enum hv_disk_cache cache;
	const char *serial;	/* NULL: made of the path: the same for the same path */
	bool raw;		/* take it for raw, whatever it looks like */
	bool disc;		/* a CD's image, which somebody else has made */
};

enum hv_disk_interface {
	HV_DISK_VIRTIO,
	HV_DISK_IDE,
};

/* What a user has said of a disk; its texts are there until hv_disk_options_end(). */
struct hv_disk_options {
	struct hv_disk_config config;
	enum hv_disk_interface interface;
	struct hv_options parsed;
};

/* "FILE[,ro][,cache=writeback|writethrough|none][,serial=TEXT][,if=virtio|ide][,format=raw]" */
#define HV_DISK_ARGUMENT "FILE[,ro][,cache=MODE][,serial=TEXT][,if=virtio|ide]"

/* Nothing is opened. Returns 0 or -errno; hv_disk_options_end() also after a failure. */
int hv_disk_options_parse(struct hv_disk_options *options, const char *text, struct hv_error *err);
void hv_disk_options_end(struct hv_disk_options *options);

struct hv_disk {
	int fd;
	int cached_fd;		/* the same by the page cache, where @fd goes past it; else -1 */
	bool read_only, is_block_device;
	enum hv_disk_cache cache;
	uint64_t size;		/* bytes, whole sectors; an odd rest is not seen */
	unsigned int odd;	/* ... and how many bytes that is */
	unsigned int alignment;	/* of offsets, lengths and addresses that @fd takes; bytes */
	unsigned int block;	/* bytes that the host writes at once; 512 or more */
	char serial[HV_DISK_SERIAL_MAX + 1];
	atomic_int flush_error;	/* of a flush: there is no way back, see disk/queue.c */
};

/**
 * hv_disk_open() - open an image
 * @disk: filled in; to be given to hv_disk_close()
 * @config: which, and how
 * @err: filled in on failure: one line with the remedy
 *
 * Checks that it is a raw image (one that looks like qcow2, VMDK, VDI, VHDX ... is refused with the
 * command that converts it, or serves it), and locks it (F_OFD_SETLK: one writer, or any number of
 * readers). Returns 0 or -errno; hv_disk_close() may be called either way.
 */
int hv_disk_open(struct hv_disk *disk, const struct hv_disk_config *config, struct hv_error *err);
void hv_disk_close(struct hv_disk *disk);

/* The image's size may have changed. True if it has: disk->size is new. */
bool hv_disk_look_at_size(struct hv_disk *disk);

enum hv_disk_op {
	HV_DISK_READ,
	HV_DISK_WRITE,
	HV_DISK_FLUSH,		/* what was done before is durable, whatever happens to us */
	HV_DISK_DISCARD,	/* what is there is undefined now, and free on the host */
	HV_DISK_ZEROES,		/* reads zero afterwards; @unmap: and may be free on the host */
};

/* What the host does at once, or a part of that: disk/method.h. */
struct hv_disk_step {
	enum hv_disk_call {
		HV_DISK_PREADV,
		HV_DISK_PWRITEV,
		HV_DISK_FDATASYNC,
		HV_DISK_FALLOCATE,
	} call;
	int fd, flags;
	uint64_t offset, len;
	const struct iovec *iov;
	unsigned int nr_iov;
	int64_t result;			/* of threads: what became of it */
};

/**
 * struct hv_disk_request - one thing to be done
 * @op: what
 * @unmap: of HV_DISK_ZEROES
 * @durable: of writes and zeroes: a flush for these is included, as all have it with
 *	HV_DISK_WRITETHROUGH
 * @offset: bytes, whole sectors
 * @len: bytes, whole sectors; the sum of @iov for reads and writes
 * @iov: the buffers, @nr_iov of them; they stay there until it is done
 * @done: called by the thread of the queue's loop: @result is 0 or -errno. May submit others
 * @ctx: the caller's
 *
 * Beyond the end of the disk: -EINVAL by done(), and nothing is transferred; -EROFS for a disk that
 * is read-only. Short reads and writes of the host are continued inside.
 */
struct hv_disk_request {
	enum hv_disk_op op;
	bool unmap, durable;
	uint64_t offset, len;
	const struct iovec *iov;
	unsigned int nr_iov;
	void (*done)(struct hv_disk_request *request, int result);
	void *ctx;

	/* the queue's */
	struct hv_disk_request *next;
	struct hv_disk_step step;	/* that the host does now */
	uint64_t moved;			/* bytes, so far */
	struct iovec *rest;		/* what is left of @iov, after a short one */
	struct iovec piece;		/* of zeroes, of what is large or goes by a buffer */
	bool alone;			/* by a buffer: no other may be under way */
	int result;
};

struct hv_disk_queue;

/**
 * hv_disk_queue_create() - a place to put requests, of one thread
 * @disk: any number of queues may work on it; with HV_DISK_NONE one (disk/bounce.c)
 * @loop: of the thread that submits, and is called back; not yet running, or in that thread
 * @depth: requests that are under way at once at the most, a power of two; more wait
 * @err: filled in on failure
 *
 * By io_uring; where that is forbidden or not there by a pool of threads. NULL on failure.
 */
struct hv_disk_queue *hv_disk_queue_create(struct hv_disk *disk, struct hv_loop *loop,
					   unsigned int depth, struct hv_error *err);
/* Nothing is under way. The loop may be gone. */
void hv_disk_queue_destroy(struct hv_disk_queue *queue);

/* Call @fn after some were done, however many: what costs something is told once for them. */
void hv_disk_queue_on_batch(struct hv_disk_queue *queue, void (*fn)(void *ctx), void *ctx);

/* Take a request; done() comes later, never from here. */
void hv_disk_submit(struct hv_disk_queue *queue, struct hv_disk_request *request);
/* Hand to the host what was submitted; several at once cost one system call. */
void hv_disk_kick(struct hv_disk_queue *queue);
/* Wait until all are done, and call their done()s. */
void hv_disk_drain(struct hv_disk_queue *queue);

/* The same, but what has not begun is not done, and what has is not continued: -ECANCELED. */
void hv_disk_cancel(struct hv_disk_queue *queue);

/* "io_uring" or "threads" */
const char *hv_disk_queue_method(const struct hv_disk_queue *queue);

#endif
