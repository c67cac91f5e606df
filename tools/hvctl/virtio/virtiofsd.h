/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtiofsd, which serves a folder of the host by vhost-user: found, confined, started and ended.
 *
 * There are two programs of that name: the older one in C, which came with QEMU up to 7.2, and its
 * successor in Rust. Both go into namespaces of their own and make the folder their root; both must
 * be root for that. An ordinary user's is that in a user namespace, with his rights and no more.
 */
#ifndef HV_VIRTIO_VIRTIOFSD_H
#define HV_VIRTIO_VIRTIOFSD_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/loop.h"

/**
 * struct hv_virtiofsd - the daemon of one folder
 * @dir: the folder; absolute
 * @dir_fd: the same, from the first start on; -1: before
 * @read_only: mounted so for the daemon: it cannot write, whatever becomes of it
 * @program: which virtiofsd
 * @is_rust: its options are those of the newer one
 * @pid: -1: it does not run; else the leader of a group of its own
 * @log: what it says: to be added to the loop of the thread that uses it
 * @line: the last line of that, as far as it has come, @len bytes
 * @last: the last one that is complete
 */
struct hv_virtiofsd {
	char *dir;
	int dir_fd;
	bool read_only;
	const char *program;
	bool is_rust;
	pid_t pid;
	struct hv_watch log;
	char line[160], last[160];
	size_t len;
};

/**
 * hv_virtiofsd_init() - find what is needed to share a folder
 * @daemon: filled in; hv_virtiofsd_exit() may be called in any case
 * @dir: the folder
 * @read_only: see above
 * @err: filled in on failure: no such folder, no virtiofsd
 *
 * Returns 0 or -errno.
 */
int hv_virtiofsd_init(struct hv_virtiofsd *daemon, const char *dir, bool read_only,
		      struct hv_error *err);
void hv_virtiofsd_exit(struct hv_virtiofsd *daemon);

/* Start it. Returns a connection to it or -errno. It ends with that, and with this thread. */
int hv_virtiofsd_start(struct hv_virtiofsd *daemon, struct hv_error *err);

/*
 * Kill it; what it has said last is added to @why, a string with @room in all; NULL: to nothing.
 *
 * It waits a second for its end, but whoever is in a call of the kernel's, for a network file
 * system that does not answer, say, goes on with that, and has its memory. Returns a file that ends
 * with the last of its processes, the caller's to close; -1: they have ended.
 */
int hv_virtiofsd_kill(struct hv_virtiofsd *daemon, char *why, size_t room);

/* It runs and speaks by @fd, which is taken over. */
void hv_virtiofsd_listen(struct hv_virtiofsd *daemon, int fd);

#endif
