// SPDX-License-Identifier: GPL-2.0-only
/* vhost devices that are not there, or are none. (What they do: tools/testbed/tests/net.sh.) */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv_test.h"
#include "virtio/vhost.h"

static int open_path(const char *path, struct hv_error *err)
{
	struct hv_vhost vhost;
	int error = hv_vhost_open(&vhost, path, err);

	hv_vhost_close(&vhost);
	assert_int_equal(vhost.fd, -1);
	return error;
}

static void test_none(void **state)
{
	struct hv_error err;

	(void)state;
	assert_int_equal(open_path("/nowhere/vhost-nothing", &err), -ENODEV);
	assert_string_equal(err.text,
			    "no /nowhere/vhost-nothing on this host; try 'modprobe vhost_nothing'");
}

static void test_is_something_else(void **state)
{
	struct hv_error err;

	(void)state;
	assert_int_equal(open_path("/dev/null", &err), -ENOTTY);
	assert_non_null(strstr(err.text, "/dev/null does not work as vhost: "));
}

static void test_no_permission(void **state)
{
	char path[] = "/tmp/hvctl-test-vhost-XXXXXX";
	struct hv_error err;
	int fd = mkstemp(path), error;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, 0), 0);
	if (!geteuid())
		assert_int_equal(seteuid(65534), 0);
	error = open_path(path, &err);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	unlink(path);
	assert_int_equal(error, -EACCES);
	assert_non_null(strstr(err.text, "no permission to open /tmp/hvctl-test-vhost-"));
	assert_non_null(strstr(err.text, "setfacl"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_is_something_else),
		cmocka_unit_test(test_no_permission),
	};

	return cmocka_run_group_tests_name("vhost", tests, NULL, NULL);
}
