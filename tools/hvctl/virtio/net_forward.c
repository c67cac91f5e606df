// SPDX-License-Identifier: GPL-2.0-only
/* Ports of the host that lead to the guest: "[tcp|udp]:[ADDRESS]:PORT-[GUEST]:PORT". */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/util.h"
#include "net_options.h"

/* Where the next @end is; what is before it is of interest. */
static bool cut(const char **text, char end, char *part, size_t room)
{
	const char *to = strchr(*text, end);
	size_t len = to ? (size_t)(to - *text) : strlen(*text);

	if (len >= room || (!to && end))
		return false;
	memcpy(part, *text, len);
	part[len] = '\0';
	*text += len + !!end;
	return true;
}

static bool take_protocol(const char **text, bool *udp)
{
	char name[4];

	if (!cut(text, ':', name, sizeof(name)))
		return false;
	*udp = !strcmp(name, "udp");
	return *udp || !*name || !strcmp(name, "tcp");
}

static bool take_address(const char **text, struct in_addr *address)
{
	char name[INET_ADDRSTRLEN];

	address->s_addr = 0;
	if (!cut(text, ':', name, sizeof(name)))
		return false;
	return !*name || inet_pton(AF_INET, name, address) == 1;
}

static bool take_port(const char **text, char end, uint16_t *port)
{
	unsigned int value = 0;
	char digits[6];

	if (!cut(text, end, digits, sizeof(digits)))
		return false;
	for (const char *c = digits; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		value = 10 * value + (*c - '0');
	}
	*port = (uint16_t)value;
	return value && value <= UINT16_MAX;
}

int hv_net_parse_forward(const char *text, struct hv_net_forward *forward, struct hv_error *err)
{
	const char *rest = text;

	*forward = (struct hv_net_forward){ .text = text };
	if (take_protocol(&rest, &forward->udp) && take_address(&rest, &forward->host) &&
	    take_port(&rest, '-', &forward->host_port) && take_address(&rest, &forward->guest) &&
	    take_port(&rest, '\0', &forward->guest_port))
		return 0;
	return hv_fail(err, EINVAL,
		       "hostfwd=%s: no such ports; it looks like tcp:127.0.0.1:2222-:22 (IPv4)",
		       text);
}
