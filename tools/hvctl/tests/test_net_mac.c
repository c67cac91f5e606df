// SPDX-License-Identifier: GPL-2.0-only
/* MAC addresses: the same for the same name, and no other's; and those that are none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv_test.h"
#include "lib/util.h"
#include "virtio/net_mac.h"

#define COUNT 3000

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, HV_MAC_LEN);
}

static void make(unsigned int i, uint8_t mac[HV_MAC_LEN])
{
	char name[16];

	snprintf(name, sizeof(name), "vm%u", i / 3);
	hv_net_mac(name, "net", i % 3, mac);
}

/* A thousand VMs with three devices each. */
static void test_all_differ(void **state)
{
	static uint8_t macs[COUNT][HV_MAC_LEN];
	uint8_t again[HV_MAC_LEN];

	(void)state;
	for (unsigned int i = 0; i < COUNT; i++) {
		make(i, macs[i]);
		make(i, again);
		assert_memory_equal(macs[i], again, HV_MAC_LEN);
		assert_int_equal(macs[i][0] & 3, 2);
	}
	qsort(macs, COUNT, HV_MAC_LEN, compare);
	for (unsigned int i = 1; i < COUNT; i++)
		assert_memory_not_equal(macs[i - 1], macs[i], HV_MAC_LEN);
}

/* What is written in files of users' must not change from one version to the next. */
static void test_stays(void **state)
{
	static const uint8_t want[] = { 0x6a, 0xd3, 0x86, 0x00, 0xf8, 0x3e };
	uint8_t mac[HV_MAC_LEN], other[HV_MAC_LEN];

	(void)state;
	hv_net_mac("debian", "net", 0, mac);
	assert_memory_equal(mac, want, HV_MAC_LEN);
	hv_net_mac("debian", "vhost-user", 0, other);
	assert_memory_not_equal(mac, other, HV_MAC_LEN);
	hv_net_mac(NULL, "net", 0, other);
	assert_memory_not_equal(mac, other, HV_MAC_LEN);
}

static void test_parse(void **state)
{
	static const uint8_t want[] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };
	uint8_t mac[HV_MAC_LEN];
	struct hv_error err;

	(void)state;
	assert_int_equal(hv_net_parse_mac("52:54:00:ab:CD:Ef", mac, &err), 0);
	assert_memory_equal(mac, want, HV_MAC_LEN);
}

static void test_no_mac(void **state)
{
	static const char *const texts[] = {
		"",
		"52:54:00:12:34",
		"52:54:00:12:34:5",
		"52:54:00:12:34:567",
		"52-54-00-12-34-56",
		"52:54:00:12:34:5g",
		"525400123456",
		"52:54:00:12:34:56 ",
	};
	uint8_t mac[HV_MAC_LEN];
	struct hv_error err;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(hv_net_parse_mac(texts[i], mac, &err), -EINVAL);
		assert_non_null(strstr(err.text, "no MAC address; it looks like"));
	}
	assert_int_equal(hv_net_parse_mac("01:00:5e:00:00:01", mac, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no device can have it"));
	assert_int_equal(hv_net_parse_mac("00:00:00:00:00:00", mac, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no device can have it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_differ),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_no_mac),
	};

	return cmocka_run_group_tests_name("net_mac", tests, NULL, NULL);
}
