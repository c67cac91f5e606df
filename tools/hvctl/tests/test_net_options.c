// SPDX-License-Identifier: GPL-2.0-only
/* What users say of a network, and what is refused. */
#include <arpa/inet.h>
#include <errno.h>

#include "hv_test.h"
#include "lib/util.h"
#include "virtio/net_options.h"
#include "virtio/net_row.h"

static void test_user(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	char all[256] = "user,mac=52:54:00:12:34:56,mtu=1500,restrict";
	struct hv_net_options options;
	struct hv_error err;

	(void)state;
	assert_int_equal(hv_net_options_parse(&options, "user", &err), 0);
	assert_null(options.tap);
	assert_false(options.has_mac);
	assert_false(options.isolated);
	assert_int_equal(options.mtu, 0);
	assert_int_equal(options.nr_forwards, 0);
	hv_net_options_end(&options);

	strcat(all, ",hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::53-10.0.2.20:5353");
	assert_int_equal(hv_net_options_parse(&options, all, &err), 0);
	assert_true(options.has_mac);
	assert_memory_equal(options.mac, mac, sizeof(mac));
	assert_int_equal(options.mtu, 1500);
	assert_true(options.isolated);
	assert_int_equal(options.nr_forwards, 2);
	assert_false(options.forward[0].udp);
	assert_int_equal(options.forward[0].host.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(options.forward[0].host_port, 2222);
	assert_int_equal(options.forward[0].guest.s_addr, 0);
	assert_int_equal(options.forward[0].guest_port, 22);
	assert_true(options.forward[1].udp);
	assert_int_equal(options.forward[1].host.s_addr, 0);
	assert_int_equal(options.forward[1].guest.s_addr, htonl(0x0a000214));
	assert_int_equal(options.forward[1].guest_port, 5353);
	hv_net_options_end(&options);
}

static void test_tap(void **state)
{
	struct hv_net_options options;
	struct hv_error err;

	(void)state;
	assert_int_equal(hv_net_options_parse(&options, "tap:tap0", &err), 0);
	assert_string_equal(options.tap, "tap0");
	assert_int_equal(options.queues, 1);
	assert_int_equal(options.vhost, HV_NET_VHOST_AUTO);
	hv_net_options_end(&options);
	assert_int_equal(hv_net_options_parse(&options, "tap:vm-3,queues=4,vhost=on", &err), 0);
	assert_int_equal(options.queues, 4);
	assert_int_equal(options.vhost, HV_NET_VHOST_ON);
	hv_net_options_end(&options);
	assert_int_equal(hv_net_options_parse(&options, "tap:vm-3,vhost=off", &err), 0);
	assert_int_equal(options.vhost, HV_NET_VHOST_OFF);
	hv_net_options_end(&options);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "user or tap:NAME is missing" },
		{ "bridge", "no network \"bridge\"; there is: user, tap:NAME" },
		{ "tap", "no network \"tap\"" },
		{ "tap:", "no name of a network interface" },
		{ "tap:a-name-that-is-too-long", "no name of a network interface" },
		{ "tap:../up", "no name of a network interface" },
		{ "tap:tap0,hostfwd=tcp::1-:1", "no option \"hostfwd\"; there is: " },
		{ "tap:tap0,queues=16", "it must be a number from 1 to 15" },
		{ "tap:tap0,vhost=perhaps", "say vhost, vhost=on or vhost=off" },
		{ "user,queues=2", "no option \"queues\"; there is: " },
		{ "user,mtu=67", "it must be a number from 68 to 65520" },
		{ "user,mtu=65521", "it must be a number from 68 to 65520" },
		{ "user,mac=1", "no MAC address" },
		{ "user,mac=52:54:00:12:34:56,mac=52:54:00:12:34:57", "once is enough" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hv_error err = { .text = "" };

		assert_int_equal(hv_net_check(rows[i].text, &err), -EINVAL);
		if (!strstr(err.text, rows[i].error))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void test_forwards_refused(void **state)
{
	static const char *const texts[] = {
		"tcp",
		"tcp:",
		"tcp::2222",
		"tcp::2222-",
		"tcp::2222-22",
		"tcp::-:22",
		"tcp::0-:22",
		"tcp::65536-:22",
		"tcp::2222-:0",
		"tcp::2222-:22x",
		"tcp::2222-:+22",
		"tcp::123456-:22",
		"sctp::2222-:22",
		"tcp:localhost:2222-:22",
		"tcp:127.0.0.256:2222-:22",
		"tcp:[::1]:2222-:22",
		"tcp::2222-10.0.2:22",
		"tcp::2222-:22,",
	};
	struct hv_net_forward forward;
	struct hv_error err;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		err.text[0] = '\0';
		if (hv_net_parse_forward(texts[i], &forward, &err) != -EINVAL)
			fail_msg("%s", texts[i]);
		assert_non_null(strstr(err.text, "it looks like tcp:127.0.0.1:2222-:22"));
	}
	assert_int_equal(hv_net_parse_forward("::65535-:65535", &forward, &err), 0);
	assert_false(forward.udp);
}

static void test_too_many_forwards(void **state)
{
	char text[4096] = "user";
	struct hv_error err;

	(void)state;
	for (unsigned int i = 0; i < HV_NET_FORWARDS_MAX; i++)
		strcat(text, ",hostfwd=tcp::1-:1");
	assert_int_equal(hv_net_check(text, &err), 0);
	strcat(text, ",hostfwd=tcp::1-:1");
	assert_int_equal(hv_net_check(text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 64 times"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_forwards_refused),
		cmocka_unit_test(test_too_many_forwards),
	};

	return cmocka_run_group_tests_name("net_options", tests, NULL, NULL);
}
