// SPDX-License-Identifier: GPL-2.0-only
/* vsock: its options, and what is said where the host lacks something. */
#include <errno.h>

#include "virtio/vsock.h"
#include "virtio_test.h"

static struct driver driver;
static struct hv_error err;

static void check_refused(const char *options, const char *why)
{
	assert_int_equal(hv_virtio_vsock_check(options, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("%s: %s", options, err.text);
}

static void test_options(void **state)
{
	(void)state;
	check_refused("", "CID is missing");
	check_refused("0", "from 3 to 4294967294");
	check_refused("2", "2 is the host");
	check_refused("4294967295", "from 3 to 4294967294");
	check_refused("99999999999999999999999", "from 3");
	check_refused("-3", "from 3");
	check_refused("3K", "from 3");
	check_refused("3,ro", "ro");
	assert_int_equal(hv_virtio_vsock_check("3", &err), 0);
	assert_int_equal(hv_virtio_vsock_check("4294967294", &err), 0);
}

/* Two devices with one CID; where the host has no vhost_vsock the line says how to get it. */
static void test_device(void **state)
{
	struct hv_virtio_env env = { .memory = &driver.memory, .name = "test" };
	struct hv_virtio *dev;

	(void)state;
	driver_init(&driver, false);
	dev = hv_virtio_vsock_create(&env, "123456", &err);
	if (!dev) {
		print_message("%s\n", err.text);
		driver_exit(&driver);
		assert_non_null(strstr(err.text, "/dev/vhost-vsock"));
		skip();
	}
	assert_int_equal(dev->kind->id, 19);
	assert_int_equal(dev->nr_queues, 3);
	assert_int_equal(*(uint64_t *)dev->config, 123456);
	assert_null(hv_virtio_vsock_create(&env, "123456", &err));
	assert_non_null(strstr(err.text, "CID 123456 is another VM's"));
	driver_start(&driver, dev, 0);
	hv_virtio_hold(dev);
	hv_virtio_go_on(dev);
	assert_int_equal(hv_virtio_status(dev) & HV_VIRTIO_NEEDS_RESET, 0);
	driver_exit(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
