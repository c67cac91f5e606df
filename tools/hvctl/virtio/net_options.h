/* SPDX-License-Identifier: GPL-2.0-only */
/* What users say of a network: "--net user[,...]", "--net tap:NAME[,...]". */
#ifndef HV_VIRTIO_NET_OPTIONS_H
#define HV_VIRTIO_NET_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "lib/options.h"
#include "net_mac.h"

#define HV_NET_FORWARDS_MAX 64

/* A port of the host that leads to one of the guest; addresses that are 0: any, the guest's. */
struct hv_net_forward {
	const char *text;
	bool udp;
	struct in_addr host, guest;
	uint16_t host_port, guest_port;
};

enum hv_net_vhost { HV_NET_VHOST_AUTO, HV_NET_VHOST_OFF, HV_NET_VHOST_ON };

/**
 * struct hv_net_options - what is wanted
 * @tap: name of the host's interface; NULL: user networking
 * @has_mac: @mac was said
 * @mac: of the guest's interface
 * @mtu: of the guest's interface; 0: was not said
 * @queues: pairs of them
 * @vhost: whether the host's kernel is to serve the rings
 * @isolated: the guest reaches nobody; it can be reached by forwarded ports
 * @forward: forwarded ports, @nr_forwards of them
 * @parsed: where the texts are
 */
struct hv_net_options {
	const char *tap;
	bool has_mac;
	uint8_t mac[HV_MAC_LEN];
	unsigned int mtu, queues;
	enum hv_net_vhost vhost;
	bool isolated;
	struct hv_net_forward forward[HV_NET_FORWARDS_MAX];
	unsigned int nr_forwards;
	struct hv_options parsed;
};

/* Returns 0 or -errno; to be given to hv_net_options_end() in any case. */
int hv_net_options_parse(struct hv_net_options *options, const char *text, struct hv_error *err);
void hv_net_options_end(struct hv_net_options *options);

/* "tcp:127.0.0.1:2222-:22", as QEMU has it. @text stays the caller's. 0 or -EINVAL. */
int hv_net_parse_forward(const char *text, struct hv_net_forward *forward, struct hv_error *err);

#endif
