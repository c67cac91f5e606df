/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vhost-user daemon for tests, in a thread: it serves rings by virtio/queue.c, and does at a
 * chosen request what no daemon should.
 *
 * What it does with a chain: the bytes that the driver has written come back in capitals.
 */
#ifndef HV_TESTS_FAKE_VHOST_USER_H
#define HV_TESTS_FAKE_VHOST_USER_H

#include <pthread.h>
#include <stdatomic.h>

#include "virtio/vhost_user.h"
#include "virtio/vhost_user_msg.h"

enum fake_fault {
	FAKE_FINE,
	FAKE_DIES,		/* closes the connection in place of an answer */
	FAKE_HANGS,		/* does nothing more */
	FAKE_REFUSES,		/* says that it has not gone well */
	FAKE_ANSWERS_OTHER,	/* as if to another request */
	FAKE_ANSWERS_LONG,	/* in too many bytes ... */
	FAKE_ANSWERS_SHORT,	/* ... in too few */
	FAKE_ANSWERS_HALF,	/* dies in the middle of its answer */
	FAKE_ANSWERS_HALF_AND_HANGS,
	FAKE_FORGETS_FLAG,	/* does not mark it as an answer */
	FAKE_FAULTS
};

#define FAKE_QUEUES 4
#define FAKE_CONFIG 60

struct fake {
	/* What it is, to be set before fake_start() */
	uint64_t features, protocol;
	uint64_t queues;
	uint8_t config[FAKE_CONFIG];
	enum fake_fault fault;		/* what it does ... */
	unsigned int fault_at;		/* ... at this request: HV_VHOST_USER_... */
	atomic_int delay_ms;		/* before each answer */

	/* What it has seen */
	atomic_uint seen[HV_VHOST_USER_REQUESTS];	/* requests of each kind */
	atomic_ullong chosen;				/* features */
	atomic_uint chains;				/* served */
	atomic_int written;				/* the byte of SET_CONFIG, -1: none */
	unsigned int last_base;

	int listener, fd, channel, stop_fd;
	char path[64];
	pthread_t thread;
	struct hv_memory memory;	/* the guest's, as it has mapped it */
	struct hv_vhost_user_memory table;
	struct fake_ring {
		struct hv_vqueue queue;
		struct hv_vqueue_setup setup;
		struct vhost_vring_addr addr;
		uint16_t base;
		int kick_fd, call_fd;
		bool enabled;
	} ring[FAKE_QUEUES];
};

/* One that knows all; NULL: of @path nothing, the test has its connection from fake_connect(). */
void fake_init(struct fake *fake);
/* Begin to listen, at fake->path, and to serve whoever comes, one after the other. */
void fake_start(struct fake *fake);
/* It ends, as if it were killed; fake_start() may follow. */
void fake_stop(struct fake *fake);

/* Its configuration space is another now. By any thread. */
void fake_change_config(struct fake *fake, unsigned int offset, uint8_t value, bool need_reply);
/* Say something that nobody has asked for. */
void fake_talk(struct fake *fake);

#endif
