// SPDX-License-Identifier: GPL-2.0-only
/* A qcow2 image by --vhost-user blk and the qemu-storage-daemon here: I/O, kills, sizes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "lib/util.h"
#include "virtio/vhost_user_dev.h"
#include "virtio/vhost_user_kinds.h"
#include "virtio_test.h"

#define SECTORS 8192
#define QUEUES	2

static struct driver driver;
static struct hv_error err;
static char folder[] = "/tmp/test-storage-XXXXXX";
static char image[100], sock[100];
static pid_t daemon_pid = -1;
static int monitor_fd = -1;
static atomic_uint noted;

static void note(void *ctx, const char *text)
{
	(void)ctx;
	print_message("%s\n", text);
	atomic_fetch_add(&noted, 1);
}

/* Its QMP is at our end of a pipe; commands are not waited for. */
static void start_daemon(void)
{
	char file[200], export[300];
	char *argv[] = { "qemu-storage-daemon",
			 "--blockdev",
			 file,
			 "--blockdev",
			 "driver=qcow2,file=f,node-name=disk",
			 "--export",
			 export,
			 "--chardev",
			 "stdio,id=m",
			 "--monitor",
			 "m",
			 NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];

	snprintf(file, sizeof(file), "driver=file,node-name=f,filename=%s", image);
	snprintf(
		export, sizeof(export),
		"type=vhost-user-blk,id=e,node-name=disk,addr.type=unix,addr.path=%s,writable=on,num-queues=%d",
		sock, QUEUES + 1);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	unlink(sock);
	assert_int_equal(posix_spawnp(&daemon_pid, argv[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	monitor_fd = ends[1];
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS && access(sock, F_OK); ms++)
		test_sleep_ms(1);
}

static void kill_daemon(void)
{
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	close(monitor_fd);
}

static void command(const char *text)
{
	assert_int_equal(write(monitor_fd, text, strlen(text)), strlen(text));
}

/* Skip where there is no qemu-storage-daemon or qemu-img. */
static struct hv_virtio *make(void)
{
	const struct hv_virtio_env env = {
		.memory = &driver.memory,
		.name = "t",
		.cpus = QUEUES,
		.note = note,
	};
	struct hv_virtio *dev;
	char text[200];

	if (system("qemu-storage-daemon --version >/dev/null && qemu-img --version >/dev/null"))
		skip();
	snprintf(text, sizeof(text), "qemu-img create -q -f qcow2 %s %d", image, SECTORS * 512);
	assert_int_equal(system(text), 0);
	start_daemon();
	driver_init(&driver, false);
	snprintf(text, sizeof(text), "blk:%s", sock);
	dev = hv_virtio_vhost_user_create(&env, text, &err);
	if (!dev)
		fail_msg("%s", err.text);
	((struct hv_vhost_user_dev *)dev)->pause_ns = 1000;
	atomic_store(&noted, 0);
	return dev;
}

static void unmake(void)
{
	driver_exit(&driver);
	kill_daemon();
}

/* A request by queue @n; returns its status. */
static uint8_t request(unsigned int n, uint32_t type, uint64_t sector, uint64_t gpa, uint32_t len)
{
	uint64_t at = driver_alloc(&driver, 4096);
	struct virtio_blk_outhdr *header = driver_at(&driver, at, 4096);
	struct buffer buffers[3] = { { at, sizeof(*header), false } };
	unsigned int count = 1;

	*header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	if (len)
		buffers[count++] = (struct buffer){ gpa, len, type == VIRTIO_BLK_T_IN };
	buffers[count++] = (struct buffer){ at + 100, 1, true };
	((uint8_t *)header)[100] = 0xff;
	driver_add(&driver, n, buffers, count);
	driver_kick(&driver, n);
	driver_wait(&driver, n);
	return ((uint8_t *)header)[100];
}

static void write_and_read(unsigned int n, uint64_t sector, uint8_t byte)
{
	uint64_t out = driver_alloc(&driver, 4096), in = driver_alloc(&driver, 4096);

	memset(driver_at(&driver, out, 4096), byte, 4096);
	assert_int_equal(request(n, VIRTIO_BLK_T_OUT, sector, out, 4096), VIRTIO_BLK_S_OK);
	assert_int_equal(request(n, VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(request(n, VIRTIO_BLK_T_IN, sector, in, 4096), VIRTIO_BLK_S_OK);
	assert_memory_equal(driver_at(&driver, out, 4096), driver_at(&driver, in, 4096), 4096);
}

static void start(struct hv_virtio *dev)
{
	driver_start(&driver, dev, 1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_MQ);
}

static void test_io(void **state)
{
	struct hv_virtio *dev = make();

	(void)state;
	assert_int_equal(dev->nr_queues, QUEUES);
	assert_int_equal(((struct virtio_blk_config *)dev->config)->capacity, SECTORS);
	start(dev);
	for (unsigned int i = 0; i < 50; i++)
		write_and_read(i % QUEUES, i * 8, (uint8_t)i);
	hv_virtio_hold(dev);
	hv_virtio_go_on(dev);
	write_and_read(0, 800, 1);
	assert_int_equal(request(1, VIRTIO_BLK_T_OUT, SECTORS, driver_alloc(&driver, 512), 512),
			 VIRTIO_BLK_S_IOERR);
	driver_stop(&driver);
	start(dev);
	write_and_read(1, 1600, 2);
	unmake();
	assert_int_equal(atomic_load(&noted), 0);
}

/* What was flushed is there after kill -9, by another daemon. */
static void test_kill(void **state)
{
	struct hv_virtio *dev = make();
	uint64_t in = driver_alloc(&driver, 512);

	(void)state;
	start(dev);
	for (uint8_t i = 1; i < 4; i++) {
		write_and_read(0, 8 * i, i);
		kill_daemon();
		assert_true(driver_is_broken(&driver));
		driver_stop(&driver);
		start_daemon();
		start(dev);
		assert_int_equal(request(1, VIRTIO_BLK_T_IN, 8 * i, in, 512), VIRTIO_BLK_S_OK);
		assert_int_equal(*(uint8_t *)driver_at(&driver, in, 512), i);
	}
	assert_int_equal(atomic_load(&noted), 3);
	unmake();
}

/* The image grows: told to the guest, and it can use what is new. */
static void test_size(void **state)
{
	struct hv_virtio *dev = make();
	const struct virtio_blk_config *config = (struct virtio_blk_config *)dev->config;
	char text[200];
	bool told;

	(void)state;
	start(dev);
	write_and_read(0, 0, 1);
	command("{\"execute\":\"qmp_capabilities\"}");
	snprintf(
		text, sizeof(text),
		"{\"execute\":\"block_resize\",\"arguments\":{\"node-name\":\"disk\",\"size\":%d}}",
		2 * SECTORS * 512);
	command(text);
	for (unsigned int ms = 0; ms < 1000 && config->capacity == SECTORS; ms++)
		test_sleep_ms(1);
	told = config->capacity == 2 * SECTORS;
	/* The queues know, whoever else does. */
	write_and_read(1, SECTORS + 8, 3);
	unmake();
	if (!told) {
		print_message("this qemu-storage-daemon does not tell that a size has changed\n");
		skip();
	}
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(image, sizeof(image), "%s/disk.qcow2", folder);
	snprintf(sock, sizeof(sock), "%s/disk.sock", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char text[100];

	(void)state;
	snprintf(text, sizeof(text), "rm -rf %s", folder);
	return system(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
