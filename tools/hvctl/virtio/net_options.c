// SPDX-License-Identifier: GPL-2.0-only
/* What users say of a network. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "net.h"
#include "net_options.h"

/* The least that IPv4 asks for, and the most that libslirp knows of, in whole IPv6 words. */
#define MTU_MIN 68
#define MTU_MAX 65520

enum { MAC, MTU, HOSTFWD, RESTRICT };
enum { QUEUES = HOSTFWD, VHOST };

static const struct hv_option user_keys[] = {
	[MAC] = HV_TEXT("mac", "ADDRESS"),
	[MTU] = HV_NUMBER("mtu", MTU_MIN, MTU_MAX),
	[HOSTFWD] = HV_TEXTS("hostfwd", "tcp|udp:[ADDRESS]:PORT-[GUEST]:PORT"),
	[RESTRICT] = HV_FLAG("restrict"),
	HV_OPTIONS_END,
};

static const struct hv_option tap_keys[] = {
	[MAC] = HV_TEXT("mac", "ADDRESS"),
	[MTU] = HV_NUMBER("mtu", MTU_MIN, MTU_MAX),
	[QUEUES] = HV_NUMBER("queues", 1, HV_NET_PAIRS_MAX),
	[VHOST] = HV_FLAG("vhost"),
	HV_OPTIONS_END,
};

static int take_forward(struct hv_net_options *options, struct hv_error *err)
{
	if (options->nr_forwards == HV_NET_FORWARDS_MAX)
		return hv_fail(err, EINVAL, "hostfwd is there more than %d times; give fewer",
			       HV_NET_FORWARDS_MAX);
	return hv_net_parse_forward(options->parsed.text, &options->forward[options->nr_forwards++],
				    err);
}

static int take_mac(struct hv_net_options *options, struct hv_error *err)
{
	options->has_mac = true;
	return hv_net_parse_mac(options->parsed.text, options->mac, err);
}

static int take_user(struct hv_net_options *options, struct hv_error *err)
{
	switch (options->parsed.key) {
	case MAC:
		return take_mac(options, err);
	case MTU:
		options->mtu = options->parsed.number;
		return 0;
	case HOSTFWD:
		return take_forward(options, err);
	default:
		options->isolated = options->parsed.number;
		return 0;
	}
}

static int take_tap(struct hv_net_options *options, struct hv_error *err)
{
	switch (options->parsed.key) {
	case MAC:
		return take_mac(options, err);
	case MTU:
		options->mtu = options->parsed.number;
		return 0;
	case QUEUES:
		options->queues = options->parsed.number;
		return 0;
	default:
		options->vhost = options->parsed.number ? HV_NET_VHOST_ON : HV_NET_VHOST_OFF;
		return 0;
	}
}

/* The kind of network comes first, and says what there is behind it. */
static int take_kind(struct hv_net_options *options, struct hv_error *err)
{
	const char *first = options->parsed.first;

	if (!strcmp(first, "user"))
		return 0;
	if (strncmp(first, "tap:", 4))
		return hv_fail(err, EINVAL, "no network \"%s\"; there is: user, tap:NAME", first);
	options->tap = first + 4;
	if (!*options->tap || strlen(options->tap) >= IFNAMSIZ || strpbrk(options->tap, "/ :"))
		return hv_fail(err, EINVAL,
			       "\"%s\" is no name of a network interface; it looks like tap:tap0",
			       options->tap);
	return 0;
}

int hv_net_options_parse(struct hv_net_options *options, const char *text, struct hv_error *err)
{
	bool is_tap = text && !strncmp(text, "tap:", 4);
	int error;

	*options = (struct hv_net_options){ .queues = 1 };
	error = hv_options_begin(&options->parsed, text, "user or tap:NAME",
				 is_tap ? tap_keys : user_keys, err);
	if (!error)
		error = take_kind(options, err);
	while (!error && (error = hv_options_next(&options->parsed, err)) > 0)
		error = is_tap ? take_tap(options, err) : take_user(options, err);
	return error;
}

void hv_net_options_end(struct hv_net_options *options)
{
	hv_options_end(&options->parsed);
	*options = (struct hv_net_options){ 0 };
}
