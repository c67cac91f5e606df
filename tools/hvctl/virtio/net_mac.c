// SPDX-License-Identifier: GPL-2.0-only
/* MAC addresses: made of names, or read. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "net_mac.h"

/* Bits of the first byte: "Guidelines for Use of EUI" of the IEEE. */
#define MAC_GROUP 0x01
#define MAC_LOCAL 0x02

/* FNV-1a; the last byte, which is 0, keeps ("a", "bc") and ("ab", "c") apart. */
static uint64_t hash(uint64_t value, const char *text)
{
	do {
		value ^= (uint8_t)*text;
		value *= 0x100000001b3ull;
	} while (*text++);
	return value;
}

void hv_net_mac(const char *vm, const char *kind, unsigned int index, uint8_t mac[HV_MAC_LEN])
{
	uint64_t value = hash(hash(0xcbf29ce484222325ull, vm ?: ""), kind);

	value = (value ^ index) * 0x100000001b3ull;
	/* Its low bits depend on few of the last bytes' bits. */
	value ^= value >> 32;
	for (unsigned int i = 0; i < HV_MAC_LEN; i++)
		mac[i] = (uint8_t)(value >> 8 * i);
	mac[0] = (mac[0] & ~MAC_GROUP) | MAC_LOCAL;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static bool is_mac(const char *text)
{
	unsigned int i;

	for (i = 0; i < 3 * HV_MAC_LEN - 1; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return !text[i];
}

int hv_net_parse_mac(const char *text, uint8_t mac[HV_MAC_LEN], struct hv_error *err)
{
	static const uint8_t none[HV_MAC_LEN];

	if (!is_mac(text))
		return hv_fail(err, EINVAL,
			       "mac=%s: no MAC address; it looks like 52:54:00:12:34:56", text);
	for (unsigned int i = 0; i < HV_MAC_LEN; i++)
		mac[i] = (uint8_t)(hex(text[3 * i]) << 4 | hex(text[3 * i + 1]));
	if (mac[0] & MAC_GROUP || !memcmp(mac, none, HV_MAC_LEN))
		return hv_fail(
			err, EINVAL,
			"mac=%s: no device can have it; the first byte must be even, and not all are zero",
			text);
	return 0;
}
