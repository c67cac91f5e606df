// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of the driver of a network device. Virtio 1.2, "Control Virtqueue".
 *
 * Frames are not filtered: all that come are received, which the standard allows, and so commands
 * about that are looked at and forgotten.
 */
#include "lib/util.h"
#include "net.h"

/* Commands in a round of the loop. */
#define BUDGET 64

/* A command, and what it says. */
struct command {
	struct virtio_net_ctrl_hdr header;
	const struct hv_vchain *chain;
};

/* All that it says, which must be as long. */
static bool says(const struct command *command, void *data, size_t len)
{
	return command->chain->out_len == sizeof(command->header) + len &&
	       hv_vchain_read(command->chain, sizeof(command->header), data, len) == len;
}

static bool set_receive_mode(struct hv_net *net, const struct command *command)
{
	uint8_t on;

	(void)net;
	return says(command, &on, sizeof(on));
}

/* Two tables, of single addresses and of groups. */
static bool set_addresses(struct hv_net *net, const struct command *command)
{
	uint64_t offset = sizeof(command->header);
	uint32_t entries;

	(void)net;
	for (unsigned int i = 0; i < 2; i++) {
		if (hv_vchain_read(command->chain, offset, &entries, sizeof(entries)) !=
		    sizeof(entries))
			return false;
		offset += sizeof(entries) + (uint64_t)entries * HV_MAC_LEN;
	}
	return offset == command->chain->out_len;
}

static bool configure(struct hv_net *net, unsigned int pairs, uint64_t offloads)
{
	unsigned int old_pairs = net->pairs;
	uint64_t old_offloads = net->offloads;

	net->pairs = pairs;
	net->offloads = offloads;
	if (!net->backend->configure || !net->backend->configure(net))
		return true;
	net->pairs = old_pairs;
	net->offloads = old_offloads;
	return false;
}

/* What lay in queues that were not used yet is looked at now. */
static void serve_new_pairs(struct hv_net *net, unsigned int from)
{
	for (unsigned int n = hv_net_rx(from); n < hv_net_rx(net->pairs); n++)
		hv_net_look_again(net, n);
}

static bool set_pairs(struct hv_net *net, const struct command *command)
{
	unsigned int before = net->pairs;
	uint16_t pairs;

	if (!says(command, &pairs, sizeof(pairs)) || !pairs || pairs > net->max_pairs)
		return false;
	if (!configure(net, pairs, net->offloads))
		return false;
	serve_new_pairs(net, before);
	return true;
}

static bool set_offloads(struct hv_net *net, const struct command *command)
{
	uint64_t offloads;

	if (!says(command, &offloads, sizeof(offloads)) ||
	    offloads & ~(net->dev.features & HV_NET_GUEST_OFFLOADS))
		return false;
	return configure(net, net->pairs, offloads);
}

static const struct row {
	uint8_t class, first, last;	/* commands */
	uint64_t feature;
	bool (*fn)(struct hv_net *net, const struct command *command);
} rows[] = {
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_CTRL_RX_ALLMULTI,
	  HV_NET_F(CTRL_RX), set_receive_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, VIRTIO_NET_CTRL_RX_NOBCAST,
	  HV_NET_F(CTRL_RX_EXTRA), set_receive_mode },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_CTRL_MAC_TABLE_SET,
	  HV_NET_F(CTRL_RX), set_addresses },
	{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
	  HV_NET_F(MQ), set_pairs },
	{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
	  VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, HV_NET_F(CTRL_GUEST_OFFLOADS), set_offloads },
};

static bool obey(struct hv_net *net, const struct hv_vchain *chain)
{
	struct command command = { .chain = chain };

	if (hv_vchain_read(chain, 0, &command.header, sizeof(command.header)) !=
	    sizeof(command.header))
		return false;
	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
		if (row->class == command.header.class && command.header.cmd >= row->first &&
		    command.header.cmd <= row->last && hv_virtio_has(&net->dev, row->feature))
			return row->fn(net, &command);
	return false;
}

static void answer(struct hv_net *net, struct hv_vchain *chain)
{
	virtio_net_ctrl_ack ack = VIRTIO_NET_ERR;

	/* There must be room for the answer. */
	if (!chain->in_len)
		hv_virtio_break(&net->dev);
	else if (obey(net, chain))
		ack = VIRTIO_NET_OK;
	hv_vqueue_push(hv_virtio_ring(&net->dev, net->control), chain,
		       (uint32_t)hv_vchain_write(chain, 0, &ack, sizeof(ack)));
}

/* Until there are no more, or it is time for others. */
static bool obey_some(struct hv_net *net, unsigned int *budget)
{
	struct hv_vchain *chain;
	int result;

	while ((result = hv_virtio_pop(&net->dev, net->control, &chain)) > 0) {
		answer(net, chain);
		if (!--*budget) {
			hv_net_look_again(net, net->control);
			return false;
		}
	}
	return !result;
}

void hv_net_control(struct hv_net *net)
{
	struct hv_vqueue *queue = hv_virtio_ring(&net->dev, net->control);
	unsigned int budget = BUDGET;

	do {
		hv_vqueue_hush(queue);
	} while (obey_some(net, &budget) && hv_vqueue_listen(queue));
	hv_vqueue_tell(queue);
}
