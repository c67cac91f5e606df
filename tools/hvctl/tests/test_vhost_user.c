// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user: what is said to a daemon, daemons that are wrong, and devices that they serve. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fake_vhost_user.h"
#include "lib/util.h"
#include "virtio/vhost_user_dev.h"
#include "virtio/vhost_user_kinds.h"
#include "virtio_test.h"

#define SHORT_MS 100
#define ALL                                                                   \
	(HV_VHOST_USER_MQ | HV_VHOST_USER_REPLY_ACK | HV_VHOST_USER_CHANNEL | \
	 HV_VHOST_USER_CONFIG)

static struct fake fake;
static struct driver driver;
static struct hv_error err;
static char notes[4096];
static atomic_uint noted;

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* ---------------------------------------------------------------- protocol */

/* All but those that cannot be acknowledged yet. */
static const unsigned int requests[] = {
	HV_VHOST_USER_GET_FEATURES,	     HV_VHOST_USER_GET_PROTOCOL_FEATURES,
	HV_VHOST_USER_GET_QUEUE_NUM,	     HV_VHOST_USER_SET_BACKEND_REQ_FD,
	HV_VHOST_USER_GET_CONFIG,	     HV_VHOST_USER_SET_CONFIG,
	HV_VHOST_USER_SET_FEATURES,	     HV_VHOST_USER_SET_MEM_TABLE,
	HV_VHOST_USER_SET_VRING_NUM,	     HV_VHOST_USER_SET_VRING_ADDR,
	HV_VHOST_USER_SET_VRING_BASE,	     HV_VHOST_USER_SET_VRING_KICK,
	HV_VHOST_USER_SET_VRING_CALL,	     HV_VHOST_USER_SET_VRING_ENABLE,
	HV_VHOST_USER_GET_VRING_BASE,
};

/* A guest with RAM on both sides of the gap, and a ring in it. */
static void make_guest(struct hv_memory *memory, struct hv_vqueue *ring)
{
	const struct hv_vqueue_setup setup = { 8, 0x1000, 0x2000, 0x3000, .packed = false };

	assert_int_equal(hv_memory_init_shared(memory, 4 * HV_GIB, &err), 0);
	assert_int_equal(hv_vqueue_init(ring, memory, 8), 0);
	assert_int_equal(hv_vqueue_up(ring, &setup), 0);
	atomic_store(&ring->call_fd, eventfd(0, EFD_CLOEXEC));
}

static void free_guest(struct hv_memory *memory, struct hv_vqueue *ring)
{
	close(ring->call_fd);
	hv_vqueue_exit(ring);
	hv_memory_exit(memory);
}

/* All that is said in the life of a device. Returns the first error. */
static int talk(struct hv_vhost_user *peer, const struct hv_memory *memory,
		const struct hv_vqueue *ring)
{
	int fd = hv_vhost_user_connect(fake.path, SHORT_MS, &err), error;
	uint8_t config[FAKE_CONFIG];
	uint16_t avail;

	assert_true(fd >= 0);
	error = hv_vhost_user_open(peer, fd, ALL, &err);
	error = error ?: hv_vhost_user_get_config(peer, config, sizeof(config), &err);
	error = error ?: hv_vhost_user_set_config(peer, 32, "\1", 1, &err);
	hv_vhost_user_begin(peer);
	error = error ?: hv_vhost_user_set_features(peer, HV_VIRTIO_F_VERSION_1, &err);
	error = error ?: hv_vhost_user_set_memory(peer, memory, &err);
	error = error ?: hv_vhost_user_start_ring(peer, 1, ring, &err);
	hv_vhost_user_begin(peer);
	error = error ?: hv_vhost_user_set_call(peer, 1, -1, &err);
	error = error ?: hv_vhost_user_stop_ring(peer, 1, &avail, &err);
	return error;
}

static void test_messages(void **state)
{
	struct hv_vhost_user peer = HV_VHOST_USER_NONE;
	struct hv_memory memory;
	struct hv_vqueue ring;

	(void)state;
	make_guest(&memory, &ring);
	fake_init(&fake);
	fake_start(&fake);
	assert_int_equal(talk(&peer, &memory, &ring), 0);
	assert_int_equal(peer.protocol, ALL);
	assert_int_equal(peer.queues, FAKE_QUEUES);
	assert_int_equal(atomic_load(&fake.chosen),
			 HV_VIRTIO_F_VERSION_1 | HV_VHOST_USER_F_PROTOCOL);
	assert_int_equal(fake.table.count, 2);
	assert_int_equal(fake.table.region[1].gpa, HV_GAP_END);
	assert_int_equal(fake.table.region[1].len, HV_GIB);
	assert_int_equal(atomic_load(&fake.written), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(requests); i++)
		assert_int_equal(atomic_load(&fake.seen[requests[i]]),
				 requests[i] == HV_VHOST_USER_SET_VRING_CALL ? 2 : 1);
	hv_vhost_user_close(&peer);
	fake_stop(&fake);
	free_guest(&memory, &ring);
}

/* One that knows no protocol features: nothing is acknowledged, no ring is enabled. */
static void test_old_daemon(void **state)
{
	struct hv_vhost_user peer = HV_VHOST_USER_NONE;
	struct hv_memory memory;
	struct hv_vqueue ring;
	uint16_t avail;

	(void)state;
	make_guest(&memory, &ring);
	fake_init(&fake);
	fake.features = HV_VIRTIO_F_VERSION_1;
	fake_start(&fake);
	assert_int_equal(
		hv_vhost_user_open(&peer, hv_vhost_user_connect(fake.path, 1000, &err), ALL, &err),
		0);
	assert_int_equal(peer.protocol, 0);
	assert_int_equal(peer.queues, UINT_MAX);
	assert_int_equal(hv_vhost_user_set_features(&peer, ~0ull, &err), 0);
	assert_int_equal(hv_vhost_user_set_memory(&peer, &memory, &err), 0);
	assert_int_equal(hv_vhost_user_start_ring(&peer, 0, &ring, &err), 0);
	assert_int_equal(hv_vhost_user_stop_ring(&peer, 0, &avail, &err), 0);
	assert_int_equal(atomic_load(&fake.chosen), HV_VIRTIO_F_VERSION_1);
	assert_int_equal(atomic_load(&fake.seen[HV_VHOST_USER_SET_VRING_ENABLE]), 0);
	assert_int_equal(atomic_load(&fake.seen[HV_VHOST_USER_GET_PROTOCOL_FEATURES]), 0);
	hv_vhost_user_close(&peer);
	fake_stop(&fake);
	free_guest(&memory, &ring);
}

/* ------------------------------------------------------------------ faults */

static bool is_question(unsigned int request)
{
	return request == HV_VHOST_USER_GET_FEATURES || request == HV_VHOST_USER_GET_QUEUE_NUM ||
	       request == HV_VHOST_USER_GET_PROTOCOL_FEATURES ||
	       request == HV_VHOST_USER_GET_CONFIG || request == HV_VHOST_USER_GET_VRING_BASE;
}

static int expected(enum fake_fault fault)
{
	switch (fault) {
	case FAKE_DIES:
	case FAKE_ANSWERS_HALF:
		return -EPIPE;
	case FAKE_HANGS:
	case FAKE_ANSWERS_HALF_AND_HANGS:
		return -ETIMEDOUT;
	default:
		return -EPROTO;
	}
}

/* Each wrong answer to each request: told for what it is, in time, and nothing stays open. */
static void test_faults(void **state)
{
	struct hv_memory memory;
	struct hv_vqueue ring;
	unsigned int before;

	(void)state;
	make_guest(&memory, &ring);
	before = open_fds();
	for (unsigned int i = 0; i < ARRAY_SIZE(requests) * FAKE_FAULTS; i++) {
		struct hv_vhost_user peer = HV_VHOST_USER_NONE;

		fake_init(&fake);
		fake.fault_at = requests[i / FAKE_FAULTS];
		fake.fault = i % FAKE_FAULTS;
		if (fake.fault == FAKE_FINE ||
		    (fake.fault == FAKE_REFUSES && is_question(fake.fault_at)))
			continue;
		if (expected(fake.fault) == -ETIMEDOUT)
			peer.timeout_ms = SHORT_MS;
		fake_start(&fake);
		assert_int_equal(talk(&peer, &memory, &ring), expected(fake.fault));
		assert_int_equal(peer.fd, -1);
		assert_int_equal(peer.channel, -1);
		assert_non_null(strstr(err.text, "daemon"));
		hv_vhost_user_close(&peer);
		fake_stop(&fake);
	}
	assert_int_equal(open_fds(), before);
	free_guest(&memory, &ring);
}

/* A daemon that reads nothing: what does not fit into the socket is given up in time. */
static void test_full_socket(void **state)
{
	struct hv_vhost_user peer = HV_VHOST_USER_NONE;
	int ends[2], error = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	peer.fd = ends[0];
	peer.timeout_ms = SHORT_MS;
	hv_vhost_user_begin(&peer);
	for (unsigned int i = 0; i < 100000 && !error; i++)
		error = hv_vhost_user_set_features(&peer, 0, &err);
	assert_int_equal(error, -ETIMEDOUT);
	close(ends[1]);
}

static void test_connect(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(hv_vhost_user_connect(path, SHORT_MS, &err), -ENAMETOOLONG);
	assert_int_equal(hv_vhost_user_connect("/tmp/there-is-none", SHORT_MS, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/tmp/there-is-none"));
	fake_init(&fake);
	fake_start(&fake);
	/* It is left behind by a daemon that was killed. */
	assert_int_equal(link(fake.path, "/tmp/fake-vhost-user-stale"), 0);
	fake_stop(&fake);
	assert_int_equal(hv_vhost_user_connect("/tmp/fake-vhost-user-stale", SHORT_MS, &err),
			 -ECONNREFUSED);
	unlink("/tmp/fake-vhost-user-stale");
}

/* A daemon that is busy with another VM takes no connection: two wait for it, the third is told. */
static void test_busy(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/fake-vhost-busy" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), last = 0, others[4];
	unsigned int count = 0;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	while (count < ARRAY_SIZE(others) && last >= 0) {
		last = hv_vhost_user_connect(address.sun_path, SHORT_MS, &err);
		if (last >= 0)
			others[count++] = last;
	}
	assert_int_equal(last, -ETIMEDOUT);
	while (count)
		close(others[--count]);
	close(fd);
	unlink(address.sun_path);
}

/* ----------------------------------------------------------------- devices */

static void note(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(notes, sizeof(notes), "%s", text);
	atomic_fetch_add(&noted, 1);
}

static struct hv_virtio *create(const char *kind)
{
	const struct hv_virtio_env env = {
		.memory = &driver.memory,
		.name = "test",
		.cpus = 2,
		.note = note,
	};
	struct hv_virtio *dev;
	char options[100];

	atomic_store(&noted, 0);
	notes[0] = '\0';
	snprintf(options, sizeof(options), "%s:%s%s", kind, fake.path,
		 !strcmp(kind, "fs") ? ",tag=data" : "");
	dev = hv_virtio_vhost_user_create(&env, options, &err);
	if (dev)
		((struct hv_vhost_user_dev *)dev)->pause_ns = 1000;
	return dev;
}

static void set_u16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

/* A daemon for @kind, a machine, and a device that is not started. */
static struct hv_virtio *make(const char *kind, uint64_t features)
{
	struct hv_virtio *dev;

	fake_init(&fake);
	fake.features |= features;
	fake.config[0] = 77;
	set_u16(fake.config + offsetof(struct virtio_blk_config, num_queues), 3);
	fake_start(&fake);
	driver_init(&driver, false);
	dev = create(kind);
	if (!dev)
		fail_msg("%s", err.text);
	((struct hv_vhost_user_dev *)dev)->peer.timeout_ms = 1000;
	return dev;
}

static void unmake(void)
{
	driver_exit(&driver);
	fake_stop(&fake);
}

/* Something goes there and back by queue @n. */
static void echo(unsigned int n)
{
	uint64_t gpa = driver_alloc(&driver, 4096);
	char *text = driver_at(&driver, gpa, 4096);

	strcpy(text, "hello");
	driver_add(&driver, n, (struct buffer[]){ { gpa, 5, false }, { gpa + 100, 9, true } }, 2);
	driver_kick(&driver, n);
	assert_int_equal(driver_wait(&driver, n), 5);
	assert_memory_equal(text + 100, "HELLO", 5);
}

static void hold_and_go_on(void)
{
	hv_virtio_hold(driver.dev);
	assert_int_equal(atomic_load(&fake.seen[HV_VHOST_USER_GET_VRING_BASE]),
			 driver.dev->nr_queues);
	hv_virtio_go_on(driver.dev);
}

/* I/O on each queue; a pause, after which the rings go on where they were. */
static void test_device(void **state)
{
	struct hv_virtio *dev = make("blk", 1ull << VIRTIO_BLK_F_MQ | 1ull << VIRTIO_BLK_F_FLUSH);

	(void)state;
	assert_int_equal(dev->kind->id, 2);
	assert_true(dev->offered & 1ull << VIRTIO_BLK_F_FLUSH);
	assert_false(dev->offered & HV_VHOST_USER_F_PROTOCOL);
	assert_false(dev->offered & HV_VIRTIO_F_RING_PACKED);
	/* The daemon has 3 in its configuration space, serves 4, and there are 2 vCPUs. */
	assert_int_equal(dev->nr_queues, 2);
	assert_int_equal(dev->config[offsetof(struct virtio_blk_config, num_queues)], 2);
	assert_int_equal(dev->config_len, FAKE_CONFIG);
	assert_int_equal(dev->config[0], 77);

	driver_start(&driver, dev, 1ull << VIRTIO_BLK_F_FLUSH);
	for (unsigned int i = 0; i < 200; i++)
		echo(i & 1);
	assert_int_equal(atomic_load(&fake.chosen),
			 HV_VIRTIO_F_VERSION_1 | HV_VIRTIO_F_INDIRECT_DESC |
				 1ull << VIRTIO_BLK_F_FLUSH | HV_VHOST_USER_F_PROTOCOL);
	hold_and_go_on();
	echo(1);
	assert_int_equal(fake.last_base, 100);
	driver_stop(&driver);
	driver_start(&driver, dev, 0);
	echo(0);
	assert_int_equal(fake.last_base, 0);
	assert_int_equal(atomic_load(&fake.seen[HV_VHOST_USER_SET_OWNER]), 1);
	assert_int_equal(atomic_load(&noted), 0);
	unmake();
}

/* What is made available before the driver is ready is served without a kick. */
static void test_early_chain(void **state)
{
	struct hv_virtio *dev = make("fs", 0);
	uint64_t gpa;

	(void)state;
	assert_int_equal(dev->nr_queues, 2);
	assert_string_equal((char *)dev->config, "data");
	assert_int_equal(((struct virtio_fs_config *)dev->config)->num_request_queues, 1);
	driver_start(&driver, dev, 0);
	echo(0);
	hv_virtio_hold(dev);
	gpa = driver_alloc(&driver, 4096);
	driver_add(&driver, 1, (struct buffer[]){ { gpa, 5, false }, { gpa + 100, 9, true } }, 2);
	hv_virtio_go_on(dev);
	assert_int_equal(driver_wait(&driver, 1), 5);
	unmake();
}

/* Interrupts go elsewhere, nowhere, and back: none is lost. */
static void test_rewired(void **state)
{
	struct hv_virtio *dev = make("net", 1ull << VIRTIO_NET_F_MRG_RXBUF);
	int first, second = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct hv_vqueue *ring = hv_virtio_ring(dev, 0);

	(void)state;
	assert_int_equal(dev->nr_queues, 2);
	assert_true(dev->offered & 1ull << VIRTIO_NET_F_MAC);
	assert_true(dev->offered & 1ull << VIRTIO_NET_F_MRG_RXBUF);
	/* Locally administered: ours, not the daemon's. */
	assert_true(dev->config[0] & 2);
	driver_start(&driver, dev, 1ull << VIRTIO_NET_F_MAC);
	echo(0);
	assert_false(atomic_load(&fake.chosen) & 1ull << VIRTIO_NET_F_MAC);
	first = driver.ring[0].call_fd;
	for (unsigned int i = 0; i < 20; i++) {
		driver.ring[0].call_fd = i & 1 ? first : second;
		atomic_store(&ring->call_fd, driver.ring[0].call_fd);
		hv_virtio_rewire(dev);
		echo(0);
	}
	driver.ring[0].call_fd = first;
	atomic_store(&ring->call_fd, -1);
	hv_virtio_rewire(dev);
	unmake();
	close(second);
}

/* ------------------------------------------------------------------- death */

static void wait_for_note(unsigned int count)
{
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS && atomic_load(&noted) < count; ms++)
		test_sleep_ms(1);
	assert_int_equal(atomic_load(&noted), count);
}

/* The daemon is killed: told once; the next one is found after a reset, and not before. */
static void test_death(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	driver_start(&driver, dev, 0);
	echo(0);
	fake_stop(&fake);
	assert_true(driver_is_broken(&driver));
	wait_for_note(1);
	assert_non_null(strstr(notes, "vhost-user blk:/tmp/fake-vhost-user"));
	assert_non_null(strstr(notes, "has ended"));

	/* No daemon: broken again. */
	driver_stop(&driver);
	driver_start(&driver, dev, 0);
	assert_true(driver_is_broken(&driver));
	wait_for_note(2);

	/* A pause does not bring it back by itself. */
	fake_start(&fake);
	hv_virtio_hold(dev);
	hv_virtio_go_on(dev);
	assert_true(driver_is_broken(&driver));

	driver_stop(&driver);
	driver_start(&driver, dev, 0);
	echo(0);
	assert_int_equal(hv_virtio_status(dev) & HV_VIRTIO_NEEDS_RESET, 0);
	assert_int_equal(atomic_load(&noted), 2);
	unmake();
}

/* A guest that resets over and over neither floods the user nor the daemon. */
static void test_death_again_and_again(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	((struct hv_vhost_user_dev *)dev)->pause_ns = 3600 * 1000000000ull;
	driver_start(&driver, dev, 0);
	echo(0);
	fake_stop(&fake);
	assert_true(driver_is_broken(&driver));
	for (unsigned int i = 0; i < 5; i++) {
		driver_stop(&driver);
		driver_start(&driver, dev, 0);
		assert_true(driver_is_broken(&driver));
	}
	assert_int_equal(atomic_load(&noted), 2);
	driver_exit(&driver);
}

/* One that ends while nobody uses it is looked for when it is needed. */
static void test_death_while_stopped(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	driver_start(&driver, dev, 0);
	echo(0);
	driver_stop(&driver);
	fake_stop(&fake);
	wait_for_note(1);
	assert_int_equal(hv_virtio_status(dev), 0);
	fake_start(&fake);
	driver_start(&driver, dev, 0);
	echo(0);
	unmake();
}

/* The new one can do less than the driver relies upon. */
static void test_lesser_daemon(void **state)
{
	struct hv_virtio *dev = make("blk", 1ull << VIRTIO_BLK_F_FLUSH);

	(void)state;
	driver_start(&driver, dev, 1ull << VIRTIO_BLK_F_FLUSH);
	echo(0);
	fake_stop(&fake);
	assert_true(driver_is_broken(&driver));
	driver_stop(&driver);
	fake.features &= ~(1ull << VIRTIO_BLK_F_FLUSH);
	fake_start(&fake);
	driver_start(&driver, dev, 1ull << VIRTIO_BLK_F_FLUSH);
	assert_true(driver_is_broken(&driver));
	assert_non_null(strstr(notes, "lacks features"));
	unmake();
}

/* Each fault in the life of a device that runs: it is broken, the driver can reset it, all ends. */
static void test_faulty_device(void **state)
{
	static const unsigned int at[] = {
		HV_VHOST_USER_SET_FEATURES,
		HV_VHOST_USER_SET_MEM_TABLE,
		HV_VHOST_USER_SET_VRING_CALL,
		HV_VHOST_USER_SET_VRING_ENABLE,
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(at) * FAKE_FAULTS; i++) {
		struct hv_virtio *dev = make("blk", 0);

		((struct hv_vhost_user_dev *)dev)->peer.timeout_ms = SHORT_MS;
		fake.fault_at = at[i / FAKE_FAULTS];
		fake.fault = i % FAKE_FAULTS;
		driver_start(&driver, dev, 0);
		if (fake.fault != FAKE_FINE) {
			assert_true(driver_is_broken(&driver));
			wait_for_note(1);
			/* One that hangs ends no reset. */
			fake_stop(&fake);
			driver_stop(&driver);
			fake_start(&fake);
		}
		unmake();
	}
}

/* It does not give the rings back, and may write to RAM: the reset is over when it is gone. */
static void test_hangs_at_stop(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	((struct hv_vhost_user_dev *)dev)->peer.timeout_ms = SHORT_MS;
	fake.fault_at = HV_VHOST_USER_GET_VRING_BASE;
	fake.fault = FAKE_HANGS;
	driver_start(&driver, dev, 0);
	echo(0);
	hv_virtio_set_status(dev, 0);
	wait_for_note(1);
	assert_non_null(strstr(notes, "has not answered GET_VRING_BASE within 100 ms"));
	assert_non_null(strstr(notes, "the guest's reset waits"));
	assert_false(hv_virtio_wait_reset(dev, 3 * SHORT_MS));
	assert_int_not_equal(hv_virtio_status(dev), 0);
	fake_stop(&fake);
	driver_stop(&driver);

	/* The next one is as good as any. */
	fake.fault = FAKE_FINE;
	fake_start(&fake);
	driver_start(&driver, dev, 0);
	echo(0);
	unmake();
}

/* ... nor is the machine's, which others can wait for and give up; its end needs not wait. */
static void test_hangs_at_machine_reset(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	((struct hv_vhost_user_dev *)dev)->peer.timeout_ms = SHORT_MS;
	fake.fault_at = HV_VHOST_USER_GET_VRING_BASE;
	fake.fault = FAKE_HANGS;
	driver_start(&driver, dev, 0);
	echo(0);
	hv_virtio_begin_reset(dev);
	assert_false(hv_virtio_wait_reset(dev, 3 * SHORT_MS));
	unmake();
}

/* It answers each message in time, but not all of them: that is too late, too. */
static void test_slow(void **state)
{
	struct hv_virtio *dev = make("blk", 1ull << VIRTIO_BLK_F_MQ);

	(void)state;
	assert_int_equal(dev->nr_queues, 2);
	driver_start(&driver, dev, 0);
	echo(1);
	/* make() has given it a second. */
	atomic_store(&fake.delay_ms, 700);
	driver_stop(&driver);
	wait_for_note(1);
	assert_non_null(strstr(notes, "has not answered GET_VRING_BASE within 1000 ms"));
	atomic_store(&fake.delay_ms, 0);
	unmake();
}

static void fill_event(int fd)
{
	const uint64_t most = UINT64_MAX - 1;

	(void)hv_take_event(fd);
	assert_int_equal(write(fd, &most, sizeof(most)), sizeof(most));
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* It fills what it shares with us, and has writes to it wait: we do not. */
static void test_full_eventfds(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	driver_start(&driver, dev, 0);
	echo(0);
	hv_virtio_hold(dev);
	fill_event(hv_virtio_ring(dev, 0)->kick_fd);
	alarm(DRIVER_WAIT_MS / 1000);
	hv_virtio_go_on(dev);
	echo(0);
	fill_event(driver.ring[0].call_fd);
	hv_virtio_rewire(dev);
	hv_worker_run(&dev->worker, driver_nothing, NULL);
	alarm(0);
	(void)hv_take_event(driver.ring[0].call_fd);
	unmake();
}

/* What there is not is not closed: nor what has the number 0. */
static void test_no_descriptors(void **state)
{
	const struct hv_virtio_env env = { .memory = &driver.memory, .name = "t" };
	struct rlimit before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, before.rlim_max }), 0);
	assert_null(hv_virtio_vhost_user_create(&env, "blk:/nowhere", &err));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(err.text, "no sockets"));
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

/* Each time that there is nothing in it: at once after we have looked, with some luck. */
static void *keep_full(void *ctx)
{
	const uint64_t most = UINT64_MAX - 1;
	const int *fd = ctx;

	while (write(*fd, &most, sizeof(most)) == sizeof(most))
		pthread_testcancel();
	return NULL;
}

static void test_filled_in_between(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	pthread_t filler;

	(void)state;
	hv_share_events();
	assert_int_equal(pthread_create(&filler, NULL, keep_full, &fd), 0);
	alarm(DRIVER_WAIT_MS / 1000);
	for (unsigned int i = 0; i < 100000; i++) {
		hv_signal_shared_event(fd);
		(void)hv_take_event(fd);
	}
	alarm(0);
	pthread_cancel(filler);
	pthread_join(filler, NULL);
	close(fd);
}

static void test_talks_unasked(void **state)
{
	struct hv_virtio *dev = make("blk", 0);

	(void)state;
	driver_start(&driver, dev, 0);
	echo(0);
	fake_talk(&fake);
	assert_true(driver_is_broken(&driver));
	unmake();
}

/* ----------------------------------------------------- configuration space */

static void wait_for_config(const struct hv_virtio *dev, unsigned int at, uint8_t value)
{
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS && dev->config[at] != value; ms++)
		test_sleep_ms(1);
	assert_int_equal(dev->config[at], value);
}

static void test_config(void **state)
{
	struct hv_virtio *dev =
		make("blk", 1ull << VIRTIO_BLK_F_MQ | 1ull << VIRTIO_BLK_F_CONFIG_WCE);
	const unsigned int wce = offsetof(struct virtio_blk_config, wce);
	uint64_t count;

	(void)state;
	driver_start(&driver, dev, 1ull << VIRTIO_BLK_F_CONFIG_WCE);
	echo(0);
	fake_change_config(&fake, 0, 99, false);
	wait_for_config(dev, 0, 99);
	fake_change_config(&fake, 0, 100, true);
	wait_for_config(dev, 0, 100);
	assert_int_equal(dev->config[offsetof(struct virtio_blk_config, num_queues)], 2);
	assert_int_equal(read(driver.config_fd, &count, sizeof(count)), sizeof(count));

	pthread_mutex_lock(&dev->lock);
	dev->kind->write_config(dev, 0, 1, 5);
	dev->kind->write_config(dev, wce, 4, 5);
	dev->kind->write_config(dev, wce, 1, 1);
	pthread_mutex_unlock(&dev->lock);
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS && atomic_load(&fake.written) < 0; ms++)
		test_sleep_ms(1);
	assert_int_equal(atomic_load(&fake.written), 1);
	assert_int_equal(dev->config[0], 100);
	assert_int_equal(dev->config[wce], 1);
	echo(0);
	assert_int_equal(atomic_load(&noted), 0);
	unmake();
}

/* A request that there is not. */
static void test_wrong_channel(void **state)
{
	struct hv_virtio *dev = make("blk", 0);
	const struct hv_vhost_user_header header = { 77, HV_VHOST_USER_VERSION, 0 };

	(void)state;
	driver_start(&driver, dev, 0);
	echo(0);
	assert_int_equal(send(fake.channel, &header, sizeof(header), 0), sizeof(header));
	assert_true(driver_is_broken(&driver));
	unmake();
}

/* ----------------------------------------------------------------- options */

static void check_refused(const char *options, const char *why)
{
	assert_int_equal(hv_virtio_vhost_user_check(options, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("%s: %s", options, err.text);
}

static void test_options(void **state)
{
	(void)state;
	check_refused("", "KIND:SOCKET");
	check_refused("gpu:/tmp/s", "there is blk:SOCKET");
	check_refused("bl:/tmp/s", "there is blk:SOCKET");
	check_refused("blk", "blk:SOCKET");
	check_refused("blk:", "blk:SOCKET");
	check_refused("blk:/tmp/s,tag=x", "tag is for fs");
	check_refused("fs:/tmp/s,tag=x,mac=52:54:00:00:00:01", "mac is for net");
	check_refused("net:/tmp/s,mac=52:54:00:00:00", "mac=52:54:00:00:00");
	check_refused("fs:/tmp/s", "tag=TAG");
	check_refused("fs:/tmp/s,tag=", "tag");
	check_refused("fs:/tmp/s,tag=0123456789012345678901234567890123456", "36");
	check_refused("blk:/tmp/s,ro", "ro");
	assert_int_equal(hv_virtio_vhost_user_check("blk:/tmp/s", &err), 0);
	assert_int_equal(hv_virtio_vhost_user_check("net:/tmp/s", &err), 0);
	assert_int_equal(hv_virtio_vhost_user_check("net:/tmp/s,mac=52:54:00:00:00:01", &err), 0);
	assert_int_equal(hv_virtio_vhost_user_check("fs:/tmp/s,tag=data", &err), 0);
}

/* Daemons that do not fit the device, and none. */
static void test_misfits(void **state)
{
	unsigned int before;

	(void)state;
	driver_init(&driver, false);
	before = open_fds();
	fake_init(&fake);
	assert_null(create("blk"));
	assert_non_null(strstr(err.text, fake.path));

	fake.features &= ~HV_VIRTIO_F_VERSION_1;
	fake_start(&fake);
	assert_null(create("blk"));
	assert_non_null(strstr(err.text, "virtio 1"));
	fake_stop(&fake);

	fake_init(&fake);
	fake.protocol = HV_VHOST_USER_REPLY_ACK;
	fake_start(&fake);
	assert_null(create("blk"));
	assert_non_null(strstr(err.text, "configuration"));
	fake_stop(&fake);

	fake_init(&fake);
	fake.queues = 1;
	fake_start(&fake);
	assert_null(create("fs"));
	assert_non_null(strstr(err.text, "1 queues"));
	fake_stop(&fake);
	assert_int_equal(open_fds(), before);
	driver_exit(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_old_daemon),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_early_chain),
		cmocka_unit_test(test_rewired),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_death_again_and_again),
		cmocka_unit_test(test_death_while_stopped),
		cmocka_unit_test(test_lesser_daemon),
		cmocka_unit_test(test_faulty_device),
		cmocka_unit_test(test_hangs_at_stop),
		cmocka_unit_test(test_hangs_at_machine_reset),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_full_eventfds),
		cmocka_unit_test(test_filled_in_between),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_talks_unasked),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_wrong_channel),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_misfits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
