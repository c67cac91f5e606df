/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network device: what its backends, one file each, have in common. The device knows rings,
 * headers and commands; a backend knows where frames go to and come from.
 *
 * All is done by the device's worker. Virtio 1.2, "Network Device".
 */
#ifndef HV_VIRTIO_NET_H
#define HV_VIRTIO_NET_H

#include <linux/virtio_net.h>

#include "net_mac.h"
#include "table.h"

#define HV_NET_F(name) (1ull << VIRTIO_NET_F_##name)

/* What the guest can be relieved of in frames that it gets; it may choose anew at any time. */
#define HV_NET_GUEST_OFFLOADS                                                         \
	(HV_NET_F(GUEST_CSUM) | HV_NET_F(GUEST_TSO4) | HV_NET_F(GUEST_TSO6) | \
	 HV_NET_F(GUEST_ECN) | HV_NET_F(GUEST_UFO))

#define HV_NET_HEADER sizeof(struct virtio_net_hdr_v1)
/* The longest frame, from its addresses on: one that is to be cut up, with a VLAN's tag. */
#define HV_NET_FRAME_MAX (65536 + 18)
#define HV_NET_PAIRS_MAX ((HV_VIRTIO_QUEUES - 1) / 2)

struct hv_net;

/**
 * struct hv_net_backend - where frames go to and come from
 * @start: frames may flow: features, net->pairs and net->offloads are settled. 0 or -errno
 * @stop: no frame is sent or received until start(); hv_net_receive() must not be called
 * @send: a frame of the guest's, net header first: @chain is at least that long. False: not now;
 *	hv_net_transmit() is called when it can be tried again
 * @room: hv_net_receive() has had no room, and now there is some
 * @configure: net->pairs or net->offloads have changed. 0 or -errno: it cannot be. NULL: nothing to
 *	be done
 * @rewired: as of struct hv_virtio_kind
 * @destroy: free all; ends with hv_net_exit()
 */
struct hv_net_backend {
	int (*start)(struct hv_net *net);
	void (*stop)(struct hv_net *net);
	bool (*send)(struct hv_net *net, unsigned int pair, const struct hv_vchain *chain);
	void (*room)(struct hv_net *net, unsigned int pair);
	int (*configure)(struct hv_net *net);
	void (*rewired)(struct hv_net *net);
	void (*destroy)(struct hv_net *net);
};

/**
 * struct hv_net - a network device
 * @dev: what all devices have
 * @backend: where frames go
 * @max_pairs: of queues, one to receive and one to transmit
 * @pairs: that the driver uses
 * @offloads: of HV_NET_GUEST_OFFLOADS, that the driver wants now
 * @control: number of the control queue; 0: there is none
 * @control_watch: of its kicks, where the others are served elsewhere
 * @starved: the driver's receive queue had no room, and kicks when there is some
 */
struct hv_net {
	struct hv_virtio dev;
	const struct hv_net_backend *backend;
	unsigned int max_pairs, pairs;
	uint64_t offloads;
	unsigned int control;
	struct hv_watch control_watch;
	bool starved[HV_NET_PAIRS_MAX];
};

/* What is to be made. */
struct hv_net_setup {
	const struct hv_net_backend *backend;
	bool elsewhere;			/* all but the control queue is served by others */
	uint64_t features;		/* that the backend can do, and those of rings */
	uint8_t mac[HV_MAC_LEN];
	uint16_t mtu;			/* what the driver is told */
	unsigned int pairs;
};

/**
 * hv_net_init() - the part of a device that all backends have in common
 * @net: filled in; the first member of the backend's struct, which is one allocation
 * @env: the machine
 * @setup: what it is to be
 * @err: filled in on failure
 *
 * Returns 0 or -errno; then nothing is left to be undone.
 */
int hv_net_init(struct hv_net *net, const struct hv_virtio_env *env,
		const struct hv_net_setup *setup, struct hv_error *err);
void hv_net_exit(struct hv_net *net);

/**
 * hv_net_receive() - a frame for the guest
 * @net: the device
 * @pair: whose receive queue; any
 * @header: what is to be said of it; num_buffers is filled in
 * @frame: from its addresses on
 * @len: bytes
 *
 * Returns false: there is no room now; room() tells when there is. A frame that no buffer of the
 * driver's could take, or nobody waits for, is dropped.
 */
bool hv_net_receive(struct hv_net *net, unsigned int pair, const struct virtio_net_hdr_v1 *header,
		    const void *frame, size_t len);

/* Tell the driver what it has received: once for all frames that came together. */
void hv_net_tell(struct hv_net *net, unsigned int pair);

/* Send what the driver has queued; a backend that was busy can take more. */
void hv_net_transmit(struct hv_net *net, unsigned int pair);

/* net_control.c: serve the control queue. */
void hv_net_control(struct hv_net *net);

/* Look into a queue once more, in the next round of the loop, as if the driver had kicked. */
void hv_net_look_again(struct hv_net *net, unsigned int n);

/* Queues of a pair. */
static inline unsigned int hv_net_rx(unsigned int pair)
{
	return 2 * pair;
}

static inline unsigned int hv_net_tx(unsigned int pair)
{
	return 2 * pair + 1;
}

#endif
