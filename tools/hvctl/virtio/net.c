// SPDX-License-Identifier: GPL-2.0-only
/* The network device: rings and headers. Where frames go is its backend's business. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/util.h"
#include "net.h"

#define CLASS_ETHERNET 0x020000
#define RING_SIZE      256
/* Frames that are sent before others of the loop have their turns. */
#define BUDGET 256

static struct hv_net *net_of(struct hv_virtio *dev)
{
	return (struct hv_net *)dev;
}

void hv_net_look_again(struct hv_net *net, unsigned int n)
{
	hv_vqueue_kick(hv_virtio_ring(&net->dev, n));
}

/* ----------------------------------------------------------------- receive */

/* Buffers that a frame is put into; without MRG_RXBUF it is one. */
struct parcel {
	struct hv_vchain *chain[RING_SIZE];
	uint32_t written[RING_SIZE];
	unsigned int count;
	uint64_t room;
};

static void put_back(struct hv_vqueue *queue, struct parcel *parcel)
{
	while (parcel->count)
		hv_vqueue_unpop(queue, parcel->chain[--parcel->count]);
}

enum found { ENOUGH, NO_ROOM, NEVER };

/*
 * Take buffers for @len bytes. What is there but is not enough is held while the driver is asked
 * for a kick: so it is one for a buffer behind those.
 */
static enum found gather(struct hv_net *net, unsigned int n, struct parcel *parcel, size_t len)
{
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, n);
	unsigned int most = hv_virtio_has(&net->dev, HV_NET_F(MRG_RXBUF)) ? queue->setup.size : 1;

	while (parcel->room < len && parcel->count < most) {
		struct hv_vchain *chain;
		int result = hv_virtio_pop(&net->dev, n, &chain);

		if (!result && hv_vqueue_listen(queue))
			continue;
		if (result <= 0)
			return result == -EINVAL ? NEVER : NO_ROOM;
		parcel->chain[parcel->count++] = chain;
		parcel->room += chain->in_len;
		if (chain->in_len < HV_NET_HEADER) {
			hv_virtio_break(&net->dev);
			return NEVER;
		}
	}
	return parcel->room < len ? NEVER : ENOUGH;
}

static void fill(struct parcel *parcel, const struct virtio_net_hdr_v1 *from, const uint8_t *frame,
		 size_t len)
{
	struct virtio_net_hdr_v1 header = *from;
	size_t offset = sizeof(header), done = 0;

	header.num_buffers = (uint16_t)parcel->count;
	hv_vchain_write(parcel->chain[0], 0, &header, sizeof(header));
	for (unsigned int i = 0; i < parcel->count; i++, offset = 0) {
		size_t part = hv_vchain_write(parcel->chain[i], offset, frame + done, len - done);

		parcel->written[i] = (uint32_t)(offset + part);
		done += part;
	}
}

bool hv_net_receive(struct hv_net *net, unsigned int pair, const struct virtio_net_hdr_v1 *header,
		    const void *frame, size_t len)
{
	unsigned int n = hv_net_rx(pair);
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, n);
	struct parcel parcel;
	enum found found;

	if (pair >= net->pairs || !queue->up || queue->broken)
		return true;
	parcel.count = 0;
	parcel.room = 0;
	found = gather(net, n, &parcel, sizeof(*header) + len);
	if (found == ENOUGH) {
		fill(&parcel, header, frame, len);
		hv_vqueue_push_all(queue, parcel.chain, parcel.written, parcel.count);
		return true;
	}
	put_back(queue, &parcel);
	net->starved[pair] = found == NO_ROOM;
	return found == NEVER;
}

void hv_net_tell(struct hv_net *net, unsigned int pair)
{
	hv_vqueue_tell(hv_virtio_ring(&net->dev, hv_net_rx(pair)));
}

/* The driver has given buffers: of interest only to who waits for them. */
static void on_room(struct hv_net *net, unsigned int pair)
{
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, hv_net_rx(pair));

	hv_vqueue_hush(queue);
	if (!net->starved[pair])
		return;
	net->starved[pair] = false;
	if (net->backend->room)
		net->backend->room(net, pair);
	hv_net_tell(net, pair);
}

/* ---------------------------------------------------------------- transmit */

static bool is_frame(const struct hv_vchain *chain)
{
	return chain->out_len >= HV_NET_HEADER + ETH_HLEN &&
	       chain->out_len <= HV_NET_HEADER + HV_NET_FRAME_MAX;
}

/* Returns whether it is done with, sent or not. */
static bool transmit_one(struct hv_net *net, unsigned int pair, struct hv_vchain *chain)
{
	if (chain->out_len < HV_NET_HEADER)
		hv_virtio_break(&net->dev);
	return !is_frame(chain) || net->backend->send(net, pair, chain);
}

/* Until there are no more, the backend is busy, or it is time for others. */
static bool transmit_some(struct hv_net *net, unsigned int pair, unsigned int *budget)
{
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, hv_net_tx(pair));
	struct hv_vchain *chain;
	int result;

	while ((result = hv_virtio_pop(&net->dev, hv_net_tx(pair), &chain)) > 0) {
		if (!transmit_one(net, pair, chain)) {
			hv_vqueue_unpop(queue, chain);
			return false;
		}
		hv_vqueue_push(queue, chain, 0);
		if (!--*budget) {
			hv_net_look_again(net, hv_net_tx(pair));
			return false;
		}
	}
	return !result;
}

void hv_net_transmit(struct hv_net *net, unsigned int pair)
{
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, hv_net_tx(pair));
	unsigned int budget = BUDGET;

	/* A backend may have been busy with a pair that the driver does not use any more. */
	if (pair >= net->pairs)
		return;
	do {
		hv_vqueue_hush(queue);
	} while (transmit_some(net, pair, &budget) && hv_vqueue_listen(queue));
	hv_vqueue_tell(queue);
}

/* ------------------------------------------------------- commands, elsewhere */

/* Where the others are served elsewhere the control queue is still ours. */
static short wants_control(void *ctx)
{
	const struct hv_net *net = ctx;

	return net->dev.running && net->control ? POLLIN : 0;
}

static void on_control(void *ctx, short revents)
{
	struct hv_net *net = ctx;

	(void)revents;
	(void)hv_take_event(net->control_watch.fd);
	hv_net_control(net);
}

static void watch_control(struct hv_net *net)
{
	if (!net->control)
		return;
	net->control_watch.fd = hv_virtio_ring(&net->dev, net->control)->kick_fd;
	hv_net_look_again(net, net->control);
}

/* --------------------------------------------------------------- its life */

/* "Device Operation": the control queue follows the pairs that the driver knows of. */
static unsigned int control_queue(const struct hv_net *net)
{
	if (!hv_virtio_has(&net->dev, HV_NET_F(CTRL_VQ)))
		return 0;
	return 2 * (hv_virtio_has(&net->dev, HV_NET_F(MQ)) ? net->max_pairs : 1);
}

/* What the driver has commanded since its reset stays when the device was only held. */
static int net_start(struct hv_virtio *dev)
{
	struct hv_net *net = net_of(dev);
	int error;

	net->control = control_queue(net);
	if (!net->pairs) {
		net->pairs = 1;
		net->offloads = dev->features & HV_NET_GUEST_OFFLOADS;
	}
	for (unsigned int pair = 0; pair < net->max_pairs; pair++)
		net->starved[pair] = true;
	if (dev->kind->elsewhere)
		watch_control(net);
	error = net->backend->start(net);
	/* Then nobody stops it, and the next driver has commanded nothing yet. */
	if (error)
		net->pairs = 0;
	return error;
}

static void net_stop(struct hv_virtio *dev, bool reset)
{
	struct hv_net *net = net_of(dev);

	net->backend->stop(net);
	if (reset)
		net->pairs = 0;
}

/* Nothing is in flight between two calls. */
static void net_stop_queue(struct hv_virtio *dev, unsigned int n)
{
	(void)dev;
	(void)n;
}

static void net_kick(struct hv_virtio *dev, unsigned int n)
{
	struct hv_net *net = net_of(dev);

	if (net->control && n == net->control)
		hv_net_control(net);
	else if (n / 2 >= net->pairs)
		return;
	else if (n % 2)
		hv_net_transmit(net, n / 2);
	else
		on_room(net, n / 2);
}

static void net_rewired(struct hv_virtio *dev)
{
	net_of(dev)->backend->rewired(net_of(dev));
}

static void net_destroy(struct hv_virtio *dev)
{
	net_of(dev)->backend->destroy(net_of(dev));
}

static const struct hv_virtio_kind net_kind = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.class_code = CLASS_ETHERNET,
	.start = net_start,
	.stop = net_stop,
	.kick = net_kick,
	.stop_queue = net_stop_queue,
	.destroy = net_destroy,
};

static const struct hv_virtio_kind net_elsewhere_kind = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.class_code = CLASS_ETHERNET,
	.start = net_start,
	.stop = net_stop,
	.rewired = net_rewired,
	.destroy = net_destroy,
	.elsewhere = true,
};

/* ----------------------------------------------------------------- together */

static uint64_t offered(const struct hv_net_setup *setup)
{
	uint64_t features = setup->features | HV_NET_F(MAC) | HV_NET_F(STATUS) |
			    HV_NET_F(MRG_RXBUF) | HV_NET_F(CTRL_VQ) | HV_NET_F(CTRL_RX) |
			    HV_NET_F(CTRL_RX_EXTRA);

	if (setup->features & HV_NET_GUEST_OFFLOADS)
		features |= HV_NET_F(CTRL_GUEST_OFFLOADS);
	if (setup->mtu)
		features |= HV_NET_F(MTU);
	if (setup->pairs > 1)
		features |= HV_NET_F(MQ);
	return features;
}

static void set_config(struct hv_net *net, const struct hv_net_setup *setup)
{
	struct virtio_net_config config = {
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = (uint16_t)setup->pairs,
		.mtu = setup->mtu,
	};

	for (unsigned int i = 0; i < HV_MAC_LEN; i++)
		config.mac[i] = setup->mac[i];
	hv_virtio_set_config(&net->dev, 0, &config, offsetof(struct virtio_net_config, speed));
}

/* A pair to receive and to transmit each, and the control queue behind them. */
static int add_queues(struct hv_net *net, struct hv_error *err)
{
	int error = 0;

	for (unsigned int n = 0; n < 2 * net->max_pairs + 1 && !error; n++)
		error = hv_virtio_add_queue(&net->dev, RING_SIZE, err);
	return error;
}

int hv_net_init(struct hv_net *net, const struct hv_virtio_env *env,
		const struct hv_net_setup *setup, struct hv_error *err)
{
	int error = hv_virtio_init(&net->dev, setup->elsewhere ? &net_elsewhere_kind : &net_kind,
				   env->memory, offered(setup), err);

	if (error)
		return error;
	net->backend = setup->backend;
	net->max_pairs = setup->pairs;
	net->pairs = 0;
	error = add_queues(net, err);
	if (error) {
		hv_virtio_exit(&net->dev);
		return error;
	}
	set_config(net, setup);
	net->control_watch = (struct hv_watch){
		.fd = -1,
		.wants = wants_control,
		.ready = on_control,
		.ctx = net,
	};
	if (setup->elsewhere)
		hv_loop_add(&net->dev.worker.loop, &net->control_watch);
	return 0;
}

void hv_net_exit(struct hv_net *net)
{
	hv_virtio_exit(&net->dev);
}
