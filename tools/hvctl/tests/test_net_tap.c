// SPDX-License-Identifier: GPL-2.0-only
/* A guest at a tap. In a network namespace of the test's, which takes root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "net_test.h"

#define FEATURES (HV_NET_F(MRG_RXBUF) | HV_NET_F(CTRL_VQ) | HV_NET_F(MQ))
#define OFFLOADS (HV_NET_F(CSUM) | HV_NET_F(HOST_TSO4) | HV_NET_F(GUEST_CSUM) | \
		  HV_NET_F(GUEST_TSO4) | HV_NET_F(CTRL_GUEST_OFFLOADS))

static const char *why_not;	/* taps cannot be tried here */
static struct guest guest;

static int tun(const char *name, short flags)
{
	struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	strcpy(request.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void set_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/* It stays until remove_tap(), and is ours: one of nobody's everybody has, on some kernels. */
static void make_tap(const char *name, short flags)
{
	int fd = tun(name, flags);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETOWNER, geteuid()), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
}

static void remove_tap(const char *name, short flags)
{
	int fd = tun(name, flags);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 0), 0);
	close(fd);
}

/* All that comes and goes at the host's end. */
static int host_end(const char *name)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET)) {
		why_not = "no network namespace can be made: needs root";
		return 0;
	}
	fd = tun("probe", 0);
	if (fd < 0)
		why_not = "no tap can be made: needs /dev/net/tun";
	else
		close(fd);
	return 0;
}

#define NEEDS_TAPS()                                             \
	do {                                                     \
		if (why_not) {                                   \
			print_message("# skip: %s\n", why_not);  \
			skip();                                  \
		}                                                \
	} while (0)

static void start(const char *options, uint64_t features)
{
	guest_init(&guest, false);
	guest_start(&guest, options, features);
	guest_offer_some(&guest, 32);
}

/* A frame of a kind that the host's stack says nothing about: 88b5h is for experiments. */
static void make_frame(uint8_t *frame, size_t len, uint8_t seed)
{
	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x02\0\0\0\0\1\x88\xb5", 8);
	for (size_t i = 14; i < len; i++)
		frame[i] = (uint8_t)(seed + i);
}

/* Frames of others may be between: the host's IPv6 says hello. */
static void expect_at_host(int fd, const uint8_t *frame, size_t len)
{
	uint8_t in[70000];
	ssize_t got;

	do {
		got = recv(fd, in, sizeof(in), 0);
		if (got < 0)
			fail_msg("nothing came: %s", strerror(errno));
	} while (in[12] != 0x88 || in[13] != 0xb5);
	assert_int_equal(got, len);
	assert_memory_equal(in, frame, len);
}

static void expect_at_guest(const uint8_t *frame, size_t len)
{
	size_t got;

	do {
		got = guest_receive_any(&guest);
	} while (guest.frame[12] != 0x88 || guest.frame[13] != 0xb5);
	assert_int_equal(got, len);
	assert_memory_equal(guest.frame, frame, len);
}

static void test_frames(void **state)
{
	const struct virtio_net_hdr_v1 header = { 0 };
	static uint8_t frame[1514];
	int host;

	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", 0);
	set_up("tap0");
	host = host_end("tap0");
	start("tap:tap0,vhost=off", FEATURES);
	assert_int_equal(((const struct virtio_net_config *)guest.driver.dev->config)->mtu, 1500);
	for (size_t len = 60; len <= sizeof(frame); len += 97) {
		make_frame(frame, len, (uint8_t)len);
		guest_send(&guest, &header, frame, len, len % 2);
		expect_at_host(host, frame, len);
		assert_int_equal(send(host, frame, len, 0), len);
		expect_at_guest(frame, len);
	}
	guest_exit(&guest);
	close(host);
	remove_tap("tap0", 0);
}

/* One frame of the guest's that is to be cut up goes through whole. */
static void test_segmentation(void **state)
{
	static uint8_t frame[14 + 20 + 20 + 30000];
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = 1460,
		.csum_start = 34,
		.csum_offset = 16,
	};
	uint8_t in[65536];
	int host;

	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", 0);
	set_up("tap0");
	host = host_end("tap0");
	start("tap:tap0,vhost=off", FEATURES | OFFLOADS);
	make_frame(frame, sizeof(frame), 0);
	memcpy(frame + 12, "\x08\x00\x45\x00", 4);
	frame[16] = (sizeof(frame) - 14) >> 8;
	frame[17] = (sizeof(frame) - 14) & 0xff;
	memcpy(frame + 18, "\0\0\0\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0\2", 16);
	frame[46] = 0x50;
	guest_send(&guest, &header, frame, sizeof(frame), true);
	do {
		assert_true(recv(host, in, sizeof(in), 0) > 0);
	} while (in[12] != 0x08 || in[13] != 0x00);
	assert_memory_equal(in + 54, frame + 54, 1000);
	/* With nonsense in the header it is lost, and the next one is not. */
	header.hdr_len = header.csum_start = 0xffff;
	guest_send(&guest, &header, frame, sizeof(frame), true);
	header = (struct virtio_net_hdr_v1){ 0 };
	make_frame(frame, 100, 9);
	guest_send(&guest, &header, frame, 100, true);
	expect_at_host(host, frame, 100);
	guest_exit(&guest);
	close(host);
	remove_tap("tap0", 0);
}

static int set_offloads(uint64_t offloads)
{
	uint8_t command[10] = { VIRTIO_NET_CTRL_GUEST_OFFLOADS };

	memcpy(command + 2, &offloads, sizeof(offloads));
	return guest_command(&guest, 2, command, sizeof(command));
}

static void test_offloads(void **state)
{
	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", 0);
	start("tap:tap0,vhost=off", FEATURES | OFFLOADS);
	assert_non_null(strstr(guest.note, "tap0 is down; 'ip link set tap0 up' as root"));
	assert_int_equal(set_offloads(0), VIRTIO_NET_OK);
	assert_int_equal(set_offloads(HV_NET_F(GUEST_CSUM) | HV_NET_F(GUEST_TSO4)), VIRTIO_NET_OK);
	/* Not negotiated. */
	assert_int_equal(set_offloads(HV_NET_F(GUEST_TSO6)), VIRTIO_NET_ERR);
	assert_int_equal(set_offloads(HV_NET_F(CSUM)), VIRTIO_NET_ERR);
	guest_exit(&guest);
	remove_tap("tap0", 0);
}

/* ----------------------------------------------------------------- queues */

static int set_pairs(uint16_t pairs)
{
	const uint8_t command[] = { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
				    (uint8_t)pairs, (uint8_t)(pairs >> 8) };

	return guest_command(&guest, 6, command, sizeof(command));
}

static void send_by(unsigned int pair, const uint8_t *frame, size_t len)
{
	const struct buffer buffer = { guest.tx, (uint32_t)(12 + len), false };
	uint8_t *at = driver_at(&guest.driver, guest.tx, 12 + len);

	memset(at, 0, 12);
	memcpy(at + 12, frame, len);
	driver_add(&guest.driver, 2 * pair + 1, &buffer, 1);
	driver_kick(&guest.driver, 2 * pair + 1);
}

static void test_queues(void **state)
{
	uint8_t frame[100];
	int host;

	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", IFF_MULTI_QUEUE);
	set_up("tap0");
	host = host_end("tap0");
	start("tap:tap0,queues=3,vhost=off", FEATURES);
	assert_int_equal(guest.driver.dev->nr_queues, 7);
	/* The second pair is not in use before the driver says so. */
	make_frame(frame, sizeof(frame), 2);
	send_by(1, frame, sizeof(frame));
	assert_false(driver_interrupted(&guest.driver, 3, 50));
	assert_int_equal(set_pairs(0), VIRTIO_NET_ERR);
	assert_int_equal(set_pairs(4), VIRTIO_NET_ERR);
	assert_int_equal(set_pairs(2), VIRTIO_NET_OK);
	expect_at_host(host, frame, sizeof(frame));
	driver_wait(&guest.driver, 3);
	assert_int_equal(set_pairs(3), VIRTIO_NET_OK);
	send_by(2, frame, sizeof(frame));
	expect_at_host(host, frame, sizeof(frame));
	assert_int_equal(set_pairs(1), VIRTIO_NET_OK);
	assert_int_equal(send(host, frame, sizeof(frame), 0), sizeof(frame));
	expect_at_guest(frame, sizeof(frame));
	/* After a reset it is one again, and the control queue is where the driver expects it. */
	assert_int_equal(set_pairs(3), VIRTIO_NET_OK);
	driver_stop(&guest.driver);
	guest_start(&guest, NULL, HV_NET_F(CTRL_VQ) | HV_NET_F(CTRL_RX));
	assert_int_equal(guest_command(&guest, 2, "\0\0\1", 3), VIRTIO_NET_OK);
	guest_exit(&guest);
	close(host);
	remove_tap("tap0", IFF_MULTI_QUEUE);
}

/* One queue of a tap that could have several. */
static void test_one_of_several(void **state)
{
	uint8_t frame[100];
	int host;

	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", IFF_MULTI_QUEUE);
	set_up("tap0");
	host = host_end("tap0");
	start("tap:tap0,vhost=off", FEATURES);
	make_frame(frame, sizeof(frame), 5);
	send_by(0, frame, sizeof(frame));
	expect_at_host(host, frame, sizeof(frame));
	guest_exit(&guest);
	close(host);
	remove_tap("tap0", IFF_MULTI_QUEUE);
}

/* ------------------------------------------------------------------ errors */

static void refuse(const char *options, const char *text)
{
	struct hv_error err = { .text = "" };
	struct guest other = { 0 };

	guest_init(&other, false);
	assert_null(guest_try(&other, options, &err));
	if (!strstr(err.text, text))
		fail_msg("%s: %s", options, err.text);
	guest_exit(&other);
}

static void test_errors(void **state)
{
	(void)state;
	NEEDS_TAPS();
	refuse("tap:tap7",
	       "no interface tap7; as root 'ip tuntap add dev tap7 mode tap user USER'");
	refuse("tap:lo,vhost=off", "lo is no tap; 'ip tuntap' lists those there are");
	make_tap("tap0", 0);
	refuse("tap:tap0,queues=2", "tap0 is no tap with several queues");
	start("tap:tap0,vhost=off", FEATURES);
	refuse("tap:tap0", "tap0 is in use by another program");
	guest_exit(&guest);
	if (access("/dev/vhost-net", F_OK)) {
		refuse("tap:tap0,vhost",
		       "no /dev/vhost-net on this host; try 'modprobe vhost_net'");
		start("tap:tap0", FEATURES);
		guest_exit(&guest);
		/* What is said of the interface comes last. */
		assert_non_null(strstr(guest.note, "tap0"));
	}
	remove_tap("tap0", 0);
}

/* The leak sanitizer looks into the process, which the kernel forbids after a change of users. */
static void be_root_again(void)
{
	assert_int_equal(seteuid(0), 0);
	prctl(PR_SET_DUMPABLE, 1);
}

static void test_no_permission(void **state)
{
	(void)state;
	NEEDS_TAPS();
	make_tap("tap0", 0);
	assert_int_equal(seteuid(65534), 0);
	/* The device node, or the interface, is root's. */
	refuse("tap:tap0", eaccess("/dev/net/tun", R_OK | W_OK) ?
				   "no permission to open /dev/net/tun; try " :
				   "tap0 is not yours; as root ");
	be_root_again();
	remove_tap("tap0", 0);
}

/* Somebody takes the interface away: the link is down, the guest lives, nobody spins. */
static void test_gone(void **state)
{
	const struct virtio_net_config *config;
	uint64_t count;

	(void)state;
	NEEDS_TAPS();
	if (system("command -v ip >/dev/null")) {
		print_message("# skip: no program 'ip'\n");
		skip();
	}
	make_tap("tap0", 0);
	set_up("tap0");
	start("tap:tap0,vhost=off", FEATURES);
	assert_int_equal(system("ip link del tap0"), 0);
	for (unsigned int ms = 0; !*guest.note && ms < DRIVER_WAIT_MS; ms++)
		usleep(1000);
	assert_non_null(strstr(guest.note, "tap0 has gone; the guest's link is down"));
	config = (const void *)guest.driver.dev->config;
	assert_int_equal(config->status, 0);
	assert_int_equal(read(guest.driver.config_fd, &count, sizeof(count)), sizeof(count));
	/* What it sends now is lost. */
	guest_send(&guest, &(struct virtio_net_hdr_v1){ 0 }, "0123456789012345", 16, true);
	assert_false(hv_virtio_status(guest.driver.dev) & HV_VIRTIO_NEEDS_RESET);
	guest_exit(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),         cmocka_unit_test(test_segmentation),
		cmocka_unit_test(test_offloads),       cmocka_unit_test(test_queues),
		cmocka_unit_test(test_one_of_several), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_no_permission),  cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests_name("net_tap", tests, setup, NULL);
}
