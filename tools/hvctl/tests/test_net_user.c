// SPDX-License-Identifier: GPL-2.0-only
/* A guest on the network that lives in hvctl: to sockets of the host's, and from them. */
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_test.h"
#include "virtio/net_room.h"

#define HOST  0x0a000202	/* as the guest sees it */
#define GUEST 0x0a00020f
#define PORT  7			/* of the guest */

#define FEATURES (HV_NET_F(MRG_RXBUF) | HV_NET_F(CSUM) | HV_NET_F(GUEST_CSUM) | HV_NET_F(MTU) | \
		  HV_NET_F(CTRL_VQ) | HV_NET_F(CTRL_RX))

struct arp {
	uint16_t hardware, protocol;
	uint8_t hardware_len, protocol_len;
	uint16_t op;
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct udphdr udp;
		struct tcphdr tcp;
		uint8_t payload[60000];
	};
} __attribute__((packed));

static struct guest guest;
static struct packet sent;

/* Bytes as 16-bit numbers of the network's, summed. */
static uint32_t add_up(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

/* The pseudo header's. */
static uint32_t addresses(uint8_t protocol, size_t len)
{
	return add_up(protocol + (uint32_t)len,
		      (uint8_t *)&sent + offsetof(struct packet, ip.saddr), 8);
}

/* -------------------------------------------------------------- the guest's */

static void answer_arp(void)
{
	struct {
		struct ethhdr eth;
		struct arp arp;
	} __attribute__((packed)) reply;
	const struct virtio_net_hdr_v1 header = { 0 };
	uint8_t ip[4];

	memcpy(&reply, guest.frame, sizeof(reply));
	if (reply.arp.op != htons(1))
		return;
	memcpy(reply.eth.h_dest, reply.eth.h_source, 6);
	memcpy(reply.eth.h_source, guest.mac, 6);
	reply.arp.op = htons(2);
	memcpy(ip, reply.arp.target_ip, 4);
	memcpy(reply.arp.target_mac, reply.arp.sender_mac, 6);
	memcpy(reply.arp.target_ip, reply.arp.sender_ip, 4);
	memcpy(reply.arp.sender_mac, guest.mac, 6);
	memcpy(reply.arp.sender_ip, ip, 4);
	guest_send(&guest, &header, &reply, sizeof(reply), true);
}

/* The next packet of IPv4, whatever else comes. */
static const struct packet *receive(void)
{
	const struct packet *packet = (struct packet *)guest.frame;

	for (;;) {
		size_t len = guest_receive_any(&guest);

		if (packet->eth.h_proto == htons(ETH_P_ARP))
			answer_arp();
		if (packet->eth.h_proto != htons(ETH_P_IP))
			continue;
		assert_in_range(ntohs(packet->ip.tot_len) + sizeof(packet->eth), 1, len);
		assert_int_equal(guest.header.flags, VIRTIO_NET_HDR_F_DATA_VALID);
		return packet;
	}
}

static size_t payload_len(const struct packet *packet)
{
	return ntohs(packet->ip.tot_len) - sizeof(packet->ip);
}

static void address(uint8_t protocol, size_t payload)
{
	memcpy(sent.eth.h_dest, "\x52\x55\x0a\x00\x02\x02", 6);
	memcpy(sent.eth.h_source, guest.mac, 6);
	sent.eth.h_proto = htons(ETH_P_IP);
	sent.ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(sent.ip) + payload)),
		.ttl = 64,
		.protocol = protocol,
		.saddr = htonl(GUEST),
		.daddr = htonl(HOST),
	};
	sent.ip.check = (uint16_t)~fold(
		add_up(0, (uint8_t *)&sent + offsetof(struct packet, ip), sizeof(sent.ip)));
}

/* The checksum is left to the device, or not. */
static void send_packet(uint8_t protocol, size_t check, size_t payload, bool open)
{
	struct virtio_net_hdr_v1 header = { 0 };
	uint16_t sum;

	address(protocol, payload);
	memset(sent.payload + check, 0, sizeof(sum));
	if (open) {
		sum = fold(addresses(protocol, payload));
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = sizeof(sent.eth) + sizeof(sent.ip);
		header.csum_offset = (uint16_t)check;
	} else {
		sum = ~fold(add_up(addresses(protocol, payload), sent.payload, payload));
	}
	memcpy(sent.payload + check, &sum, sizeof(sum));
	guest_send(&guest, &header, &sent, sizeof(sent.eth) + sizeof(sent.ip) + payload, open);
}

static void send_udp(uint16_t from, uint16_t to, const void *data, size_t len, bool open)
{
	sent.udp = (struct udphdr){
		.source = htons(from),
		.dest = htons(to),
		.len = htons((uint16_t)(sizeof(sent.udp) + len)),
	};
	memcpy(sent.payload + sizeof(sent.udp), data, len);
	send_packet(IPPROTO_UDP, offsetof(struct udphdr, check), sizeof(sent.udp) + len, open);
}

static void send_tcp(const struct tcphdr *tcp, const void *data, size_t len)
{
	sent.tcp = *tcp;
	sent.tcp.doff = 5;
	sent.tcp.window = htons(60000);
	memcpy(sent.payload + sizeof(sent.tcp), data, len);
	send_packet(IPPROTO_TCP, offsetof(struct tcphdr, check), sizeof(sent.tcp) + len, true);
}

/* --------------------------------------------------------------- the host's */

/* A socket at 127.0.0.1, its port. */
static int host_socket(int type, uint16_t *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = { .tv_sec = 10 };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void connect_to(int fd, uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
}

/* One that nobody has, just now. */
static uint16_t free_port(int type)
{
	uint16_t port;

	close(host_socket(type, &port));
	return port;
}

static void start(bool packed, const char *format, unsigned int port)
{
	char options[128];

	snprintf(options, sizeof(options), format, port, PORT);
	guest_init(&guest, packed);
	guest_start(&guest, options, FEATURES);
}

/* -------------------------------------------------------------------- tests */

static void test_config(void **state)
{
	const struct virtio_net_config *config;
	uint8_t mac[6];

	(void)state;
	start(false, "user", 0);
	config = (const void *)guest.driver.dev->config;
	hv_net_mac("test", "net", 0, mac);
	assert_memory_equal(config->mac, mac, sizeof(mac));
	assert_int_equal(config->status, VIRTIO_NET_S_LINK_UP);
	assert_int_equal(config->max_virtqueue_pairs, 1);
	assert_int_equal(config->mtu, 65520);
	guest_exit(&guest);
	start(false, "user,mac=52:54:00:12:34:56,mtu=1500", 0);
	config = (const void *)guest.driver.dev->config;
	assert_memory_equal(config->mac, "\x52\x54\x00\x12\x34\x56", 6);
	assert_int_equal(config->mtu, 1500);
	guest_exit(&guest);
}

/* A datagram from the host by a forwarded port, and the answer to it. */
static void udp_round(int fd, size_t len, bool open)
{
	static uint8_t out[20000], in[20000];
	const struct packet *packet;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * 7 + len);
	assert_int_equal(send(fd, out, len, 0), len);
	packet = receive();
	assert_int_equal(packet->ip.protocol, IPPROTO_UDP);
	assert_int_equal(packet->udp.dest, htons(PORT));
	assert_int_equal(payload_len(packet), sizeof(packet->udp) + len);
	assert_memory_equal(packet->payload + sizeof(packet->udp), out, len);
	/* It is in as many buffers as it takes. */
	assert_int_equal(guest.header.num_buffers, (12 + 14 + 20 + 8 + len + 2047) / 2048);
	send_udp(PORT, ntohs(packet->udp.source), out, len, open);
	assert_int_equal(recv(fd, in, sizeof(in), 0), len);
	assert_memory_equal(in, out, len);
}

static void test_udp(void **state)
{
	(void)state;
	for (unsigned int packed = 0; packed < 2; packed++) {
		uint16_t port = free_port(SOCK_DGRAM), mine;
		int fd = host_socket(SOCK_DGRAM, &mine);

		start(packed, "user,hostfwd=udp:127.0.0.1:%u-:%u", port);
		guest_offer_some(&guest, 40);
		connect_to(fd, port);
		for (size_t len = 1; len < 20000; len = len * 3 + 1) {
			udp_round(fd, len, true);
			udp_round(fd, len, false);
		}
		guest_exit(&guest);
		close(fd);
	}
}

/* Nothing is lost while the guest has no buffers: it gets all when it gives some. */
static void test_no_room(void **state)
{
	uint16_t port = free_port(SOCK_DGRAM), mine;
	int fd = host_socket(SOCK_DGRAM, &mine);

	(void)state;
	start(false, "user,hostfwd=udp:127.0.0.1:%u-:%u", port);
	guest_offer_some(&guest, 1);
	connect_to(fd, port);
	udp_round(fd, 10, true);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(send(fd, &i, sizeof(i), 0), sizeof(i));
	usleep(50000);
	for (unsigned int i = 0; i < 20; i++) {
		const struct packet *packet = receive();

		assert_memory_equal(packet->payload + sizeof(packet->udp), &i, sizeof(i));
	}
	guest_exit(&guest);
	close(fd);
}

/* Byte for byte: SYN, SYN with ACK, ACK, data, from who connects. */
static void tcp_round(int fd)
{
	const struct packet *packet = receive();
	struct tcphdr reply = { .syn = 1, .ack = 1, .seq = htonl(1000) };
	char in[16];
	uint32_t seq;

	assert_int_equal(packet->ip.protocol, IPPROTO_TCP);
	assert_true(packet->tcp.syn && !packet->tcp.ack);
	assert_int_equal(packet->tcp.dest, htons(PORT));
	seq = ntohl(packet->tcp.seq) + 1;
	reply.source = packet->tcp.dest;
	reply.dest = packet->tcp.source;
	reply.ack_seq = htonl(seq);
	send_tcp(&reply, "", 0);
	assert_true(receive()->tcp.ack);
	reply.syn = 0;
	reply.seq = htonl(1001);
	send_tcp(&reply, "hello", 5);
	assert_int_equal(recv(fd, in, sizeof(in), 0), 5);
	assert_memory_equal(in, "hello", 5);
	assert_int_equal(send(fd, "there", 5, 0), 5);
	do {
		packet = receive();
	} while (payload_len(packet) == 4u * packet->tcp.doff);
	assert_memory_equal(packet->payload + 4 * packet->tcp.doff, "there", 5);
}

static void test_tcp(void **state)
{
	uint16_t port = free_port(SOCK_STREAM), mine;
	int fd = host_socket(SOCK_STREAM, &mine);

	(void)state;
	start(false, "user,hostfwd=tcp:127.0.0.1:%u-:%u", port);
	guest_offer_some(&guest, 40);
	connect_to(fd, port);
	tcp_round(fd);
	guest_exit(&guest);
	close(fd);
}

/* The guest speaks first, to a socket of the host's at 10.0.2.2. */
static void test_out(void **state)
{
	uint16_t port;
	int fd = host_socket(SOCK_DGRAM, &port);
	char in[16];

	(void)state;
	start(true, "user", 0);
	guest_offer_some(&guest, 40);
	send_udp(1234, port, "ping", 4, true);
	assert_int_equal(recv(fd, in, sizeof(in), 0), 4);
	assert_memory_equal(in, "ping", 4);
	guest_exit(&guest);
	close(fd);
}

/* A guest that starts anew, and one that is not there yet: forwarded ports stay. */
static void test_reset(void **state)
{
	uint16_t port = free_port(SOCK_DGRAM), mine;
	int fd = host_socket(SOCK_DGRAM, &mine);

	(void)state;
	start(false, "user,hostfwd=udp:127.0.0.1:%u-:%u", port);
	connect_to(fd, port);
	for (unsigned int i = 0; i < 3; i++) {
		guest_offer_some(&guest, 20);
		udp_round(fd, 100, true);
		driver_stop(&guest.driver);
		assert_int_equal(send(fd, "nobody", 6, 0), 6);
		usleep(20000);
		guest_start(&guest, NULL, FEATURES);
	}
	guest_exit(&guest);
	close(fd);
}

/* ------------------------------------------------------------------- errors */

static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* A socket for each port that it sends from: then all but what is kept are taken. */
static void test_guest_takes_descriptors(void **state)
{
	struct rlimit before, few;
	uint16_t port;
	int fd = host_socket(SOCK_DGRAM, &port), first;
	char in[4];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ 160, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(false, "user", 0);
	first = next_descriptor();
	assert_in_range(first, 0, 160 - HV_NET_DESCRIPTORS_KEPT - 20);
	for (uint16_t from = 2000; from < 2200; from++)
		send_udp(from, port, "abc", 3, true);
	assert_in_range(next_descriptor(), first + 20, 160 - HV_NET_DESCRIPTORS_KEPT);
	/* Those that it has go on. */
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(recv(fd, in, sizeof(in), 0), 3);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	guest_exit(&guest);
	close(fd);
}

static void refuse(const char *format, unsigned int port, const char *text)
{
	struct hv_error err = { .text = "" };
	char options[128];

	snprintf(options, sizeof(options), format, port, PORT);
	guest_init(&guest, false);
	assert_null(guest_try(&guest, options, &err));
	if (!strstr(err.text, text))
		fail_msg("%s: %s", options, err.text);
	guest_exit(&guest);
}

static void test_port_in_use(void **state)
{
	uint16_t port;
	int fd = host_socket(SOCK_STREAM, &port), udp;

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	refuse("user,hostfwd=tcp:127.0.0.1:%u-:%u", port, "somebody has this port");
	close(fd);
	udp = host_socket(SOCK_DGRAM, &port);
	refuse("user,hostfwd=udp:127.0.0.1:%u-:%u", port, "somebody has this port");
	close(udp);
}

static void test_foreign_address(void **state)
{
	(void)state;
	refuse("user,hostfwd=tcp:192.0.2.1:%u-:%u", 2222, "this host has no such address");
}

static void test_privileged_port(void **state)
{
	(void)state;
	/* Root may. */
	if (geteuid() || seteuid(65534)) {
		skip();
		return;
	}
	refuse("user,hostfwd=tcp:127.0.0.1:%u-:%u", 1, "choose one from 1024 on");
	assert_int_equal(seteuid(0), 0);
	/* The leak sanitizer looks into the process, which the kernel forbids otherwise. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* ------------------------------------------------------------------ hostile */

static void test_commands(void **state)
{
	static const struct {
		uint8_t bytes[24];
		size_t len;
		int ack;
	} rows[] = {
		{ { 0, 0, 1 }, 3, VIRTIO_NET_OK }, /* promiscuous */
		{ { 0, 1, 0 }, 3, VIRTIO_NET_OK },
		{ { 0, 0 }, 2, VIRTIO_NET_ERR },       /* says nothing */
		{ { 0, 0, 1, 1 }, 4, VIRTIO_NET_ERR }, /* too much */
		{ { 0, 2, 1 }, 3, VIRTIO_NET_ERR },    /* not negotiated */
		{ { 0 }, 1, VIRTIO_NET_ERR },
		{ { 9, 9, 1 }, 3, VIRTIO_NET_ERR },                      /* no such thing */
		{ { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 10, VIRTIO_NET_OK }, /* two empty tables */
		{ { 1, 0, 1, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0 }, 16, VIRTIO_NET_OK },
		{ { 1, 0, 2, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0 }, 16, VIRTIO_NET_ERR },
		{ { 1, 0, 255, 255, 255, 255, 0, 0, 0, 0 }, 10, VIRTIO_NET_ERR },
		{ { 4, 0, 1, 0 }, 4, VIRTIO_NET_ERR }, /* there is one pair */
	};

	(void)state;
	start(false, "user", 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (guest_command(&guest, 2, rows[i].bytes, rows[i].len) != rows[i].ack)
			fail_msg("command %u", i);
	guest_exit(&guest);
}

/* Frames that are none are lost; the next one is not. */
static void test_odd_frames(void **state)
{
	struct virtio_net_hdr_v1 header = { 0 };
	static uint8_t frame[2000];
	uint16_t port;
	int fd = host_socket(SOCK_DGRAM, &port);
	char in[16];

	(void)state;
	start(false, "user", 0);
	guest_send(&guest, &header, frame, 1, true);
	guest_send(&guest, &header, frame, 13, false);
	guest_send(&guest, &header, frame, sizeof(frame), false);
	header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header.csum_start = 1999;
	guest_send(&guest, &header, frame, sizeof(frame), true);
	header.csum_start = header.csum_offset = 0xffff;
	guest_send(&guest, &header, frame, sizeof(frame), true);
	header = (struct virtio_net_hdr_v1){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 };
	guest_send(&guest, &header, frame, sizeof(frame), true);
	send_udp(1234, port, "ping", 4, true);
	assert_int_equal(recv(fd, in, sizeof(in), 0), 4);
	guest_exit(&guest);
	close(fd);
}

static void one_breaks(unsigned int queue, const struct buffer *buffers, unsigned int count)
{
	uint16_t port = free_port(SOCK_DGRAM), mine;
	int fd = host_socket(SOCK_DGRAM, &mine);

	start(false, "user,hostfwd=udp:127.0.0.1:%u-:%u", port);
	driver_add(&guest.driver, queue, buffers, count);
	driver_kick(&guest.driver, queue);
	/* Something that would be received. */
	connect_to(fd, port);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_true(driver_is_broken(&guest.driver));
	/* A reset mends it. */
	driver_stop(&guest.driver);
	guest_start(&guest, NULL, FEATURES);
	guest_offer_some(&guest, 20);
	udp_round(fd, 5, true);
	guest_exit(&guest);
	close(fd);
}

static void test_broken(void **state)
{
	const struct buffer short_in = { 8 * HV_MIB, 11, true };
	const struct buffer short_out = { 8 * HV_MIB, 11, false };
	const struct buffer no_answer = { 8 * HV_MIB, 3, false };

	(void)state;
	one_breaks(0, &short_in, 1);
	one_breaks(1, &short_out, 1);
	one_breaks(2, &no_answer, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_guest_takes_descriptors),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_foreign_address),
		cmocka_unit_test(test_privileged_port),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_odd_frames),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("net_user", tests, NULL, NULL);
}
