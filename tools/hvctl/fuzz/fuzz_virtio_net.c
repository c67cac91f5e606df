// SPDX-License-Identifier: GPL-2.0-only
/* A guest on a network: rings and commands; frames that go out are looked at, others come in. */
#include "fuzz_virtio.h"
#include "virtio/net_checksum.h"
#include "virtio/net.h"

struct lan {
	struct hv_net net;		/* first */
	bool busy;
	uint8_t frame[HV_NET_FRAME_MAX];
};

static int start(struct hv_net *net)
{
	if (!net->pairs || net->pairs > net->max_pairs)
		abort();
	return 0;
}

static void stop(struct hv_net *net)
{
	((struct lan *)net)->busy = false;
}

static bool send_frame(struct hv_net *net, unsigned int pair, const struct hv_vchain *chain)
{
	struct lan *lan = (struct lan *)net;
	struct virtio_net_hdr_v1 header;
	size_t len;

	if (pair >= net->pairs ||
	    hv_vchain_read(chain, 0, &header, sizeof(header)) != sizeof(header))
		abort();
	len = hv_vchain_read(chain, sizeof(header), lan->frame, sizeof(lan->frame));
	(void)hv_net_finish_checksum(&header, lan->frame, len);
	return !lan->busy;
}

static void room(struct hv_net *net, unsigned int pair)
{
	const struct virtio_net_hdr_v1 header = { 0 };

	(void)hv_net_receive(net, pair, &header, ((struct lan *)net)->frame, 60);
}

/* Odd numbers of pairs cannot be had. */
static int configure(struct hv_net *net)
{
	if (!net->pairs || net->pairs > net->max_pairs ||
	    net->offloads & ~(net->dev.features & HV_NET_GUEST_OFFLOADS))
		abort();
	return net->pairs % 2 && net->pairs > 1 ? -1 : 0;
}

static void destroy(struct hv_net *net)
{
	hv_net_exit(net);
	free(net);
}

static const struct hv_net_backend backend = {
	.start = start,
	.stop = stop,
	.send = send_frame,
	.room = room,
	.configure = configure,
	.destroy = destroy,
};

/* What comes from outside: a frame, or that there is room for what goes out. */
static void outside(struct hv_virtio *dev, struct fuzz_input *input)
{
	struct lan *lan = (struct lan *)dev;
	const struct virtio_net_hdr_v1 header = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	uint8_t what = fuzz_byte(input);
	unsigned int pair = (what >> 1) % lan->net.max_pairs;

	if (!dev->running)
		return;
	if (what & 1) {
		lan->busy = what & 0x80;
		hv_net_transmit(&lan->net, pair);
	} else {
		size_t len = fuzz_word(input) % HV_NET_FRAME_MAX;

		(void)hv_net_receive(&lan->net, pair, &header, lan->frame, len);
		hv_net_tell(&lan->net, pair);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_memory *memory = fuzz_memory();
	const struct hv_virtio_env env = { .memory = memory };
	const struct hv_net_setup setup = {
		.backend = &backend,
		.features = HV_VIRTIO_F_RINGS | HV_NET_GUEST_OFFLOADS | HV_NET_F(CSUM),
		.mtu = 1500,
		.pairs = 3,
	};
	struct lan *lan = calloc(1, sizeof(*lan));
	struct hv_error err;

	if (!lan || hv_net_init(&lan->net, &env, &setup, &err))
		abort();
	fuzz_drive(&lan->net.dev, memory, data, size, outside);
	return 0;
}
