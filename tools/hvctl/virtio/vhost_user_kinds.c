// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that a daemon of the user's serves: a disk by qemu-storage-daemon, a network by passt, a
 * folder by virtiofsd.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "fs.h"
#include "lib/options.h"
#include "lib/util.h"
#include "net_mac.h"
#include "vhost_user_dev.h"
#include "vhost_user_kinds.h"

#define BIT(n) (1ull << (n))

struct settings;

/* A kind of device: what its daemon may know, and its queues. */
struct role {
	const char *name;
	const struct hv_virtio_kind *kind;
	struct hv_vhost_user_role role;
	/* After the connection: queues, and the configuration space where it is ours. */
	int (*finish)(struct hv_vhost_user_dev *dev, const struct hv_virtio_env *env,
		      const struct settings *settings, struct hv_error *err);
};

/* What the user has said; texts are those of the options. */
struct settings {
	const struct role *role;
	const char *socket;
	const char *tag;
	bool has_mac;
	uint8_t mac[HV_MAC_LEN];
};

struct user_dev {
	struct hv_vhost_user_dev dev;
	char *socket;
	struct hv_broker broker;
};

static void destroy(struct hv_virtio *virtio)
{
	struct user_dev *user = (struct user_dev *)virtio;

	hv_vhost_user_dev_exit(&user->dev);
	hv_broker_exit(&user->broker);
	free(user->socket);
	free(user);
}

#define BY_DAEMON                                                                         \
	.start = hv_vhost_user_dev_start, .stop = hv_vhost_user_dev_stop,                   \
	.stop_queue = hv_vhost_user_dev_stop_queue, .kick = hv_vhost_user_dev_kick,         \
	.rewired = hv_vhost_user_dev_rewired, .write_config = hv_vhost_user_dev_write_config, \
	.destroy = destroy, .elsewhere = true

/* -------------------------------------------------------------------- disk */

/* Daemons have different ends of it; none needs what is behind WRITE_ZEROES. */
#define BLK_CONFIG offsetof(struct virtio_blk_config, max_secure_erase_sectors)
#define BLK_QUEUES offsetof(struct virtio_blk_config, num_queues)
#define BLK_QUEUE_SIZE 256

static const struct hv_virtio_kind blk_kind = {
	.name = "vhost-user-blk",
	.id = VIRTIO_ID_BLOCK,
	.class_code = 0x010000,
	BY_DAEMON,
};

static void put_blk_queues(uint8_t *config, unsigned int count)
{
	config[BLK_QUEUES] = (uint8_t)count;
	config[BLK_QUEUES + 1] = (uint8_t)(count >> 8);
}

static void adjust_blk(const struct hv_virtio *virtio, uint8_t *config)
{
	if (virtio->offered & BIT(VIRTIO_BLK_F_MQ) && virtio->nr_queues)
		put_blk_queues(config, virtio->nr_queues);
}

/* As many queues as the daemon has, but no more than there are vCPUs to use them. */
static unsigned int blk_queues(const struct hv_vhost_user_dev *dev, unsigned int cpus)
{
	const uint8_t *config = dev->virtio.config;
	unsigned int count = config[BLK_QUEUES] | config[BLK_QUEUES + 1] << 8;

	if (!(dev->virtio.offered & BIT(VIRTIO_BLK_F_MQ)) || !count)
		return 1;
	if (count > dev->peer.queues)
		count = dev->peer.queues;
	if (count > cpus)
		count = cpus;
	if (count > HV_VIRTIO_QUEUES)
		count = HV_VIRTIO_QUEUES;
	return count ?: 1;
}

static int finish_blk(struct hv_vhost_user_dev *dev, const struct hv_virtio_env *env,
		      const struct settings *settings, struct hv_error *err)
{
	unsigned int count = blk_queues(dev, env->cpus);
	uint8_t bytes[BLK_QUEUES + 2];

	(void)settings;
	put_blk_queues(bytes, count);
	if (dev->virtio.offered & BIT(VIRTIO_BLK_F_MQ))
		hv_virtio_set_config(&dev->virtio, BLK_QUEUES, bytes + BLK_QUEUES, 2);
	return hv_vhost_user_dev_add_queues(dev, count, BLK_QUEUE_SIZE, err);
}

/* ----------------------------------------------------------------- network */

#define NET_QUEUE_SIZE 256

static const struct hv_virtio_kind net_kind = {
	.name = "vhost-user-net",
	.id = VIRTIO_ID_NET,
	.class_code = 0x020000,
	BY_DAEMON,
};

static int finish_net(struct hv_vhost_user_dev *dev, const struct hv_virtio_env *env,
		      const struct settings *settings, struct hv_error *err)
{
	uint8_t mac[HV_MAC_LEN];

	if (settings->has_mac)
		memcpy(mac, settings->mac, sizeof(mac));
	else
		hv_net_mac(env->name, "vhost-user", env->index, mac);
	hv_virtio_set_config(&dev->virtio, offsetof(struct virtio_net_config, mac), mac,
			     sizeof(mac));
	return hv_vhost_user_dev_add_queues(dev, 2, NET_QUEUE_SIZE, err);
}

/* ------------------------------------------------------------------ folder */

static const struct hv_virtio_kind fs_kind = {
	.name = "vhost-user-fs",
	.id = VIRTIO_ID_FS,
	.class_code = 0x018000,
	BY_DAEMON,
};

static int finish_fs(struct hv_vhost_user_dev *dev, const struct hv_virtio_env *env,
		     const struct settings *settings, struct hv_error *err)
{
	(void)env;
	return hv_virtio_fs_finish(dev, settings->tag, err);
}

/* ----------------------------------------------------------------- options */

static const struct role roles[] = {
	{
		.name = "blk",
		.kind = &blk_kind,
		.role = {
			.features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
				    BIT(VIRTIO_BLK_F_GEOMETRY) | BIT(VIRTIO_BLK_F_RO) |
				    BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
				    BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE) |
				    BIT(VIRTIO_BLK_F_MQ) | BIT(VIRTIO_BLK_F_DISCARD) |
				    BIT(VIRTIO_BLK_F_WRITE_ZEROES),
			.config_len = BLK_CONFIG,
			.writable = offsetof(struct virtio_blk_config, wce),
			.adjust = adjust_blk,
		},
		.finish = finish_blk,
	},
	{
		.name = "net",
		.kind = &net_kind,
		.role = {
			/* All that needs no control queue, and no word of the daemon's. */
			.features = BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |
				    BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |
				    BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_GUEST_UFO) |
				    BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |
				    BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_HOST_UFO) |
				    BIT(VIRTIO_NET_F_MRG_RXBUF),
			.own = BIT(VIRTIO_NET_F_MAC),
		},
		.finish = finish_net,
	},
	{
		.name = "fs",
		.kind = &fs_kind,
		.finish = finish_fs,
	},
};

enum { KEY_TAG, KEY_MAC };

static const struct hv_option keys[] = {
	[KEY_TAG] = HV_TEXT("tag", "TAG"),
	[KEY_MAC] = HV_TEXT("mac", "MAC"),
	HV_OPTIONS_END,
};

/* "KIND:SOCKET" */
static int take_first(struct settings *settings, const char *first, struct hv_error *err)
{
	const char *colon = strchr(first, ':');
	size_t len = colon ? (size_t)(colon - first) : strlen(first);

	for (unsigned int i = 0; i < ARRAY_SIZE(roles); i++)
		if (strlen(roles[i].name) == len && !memcmp(roles[i].name, first, len))
			settings->role = &roles[i];
	if (!settings->role)
		return hv_fail(err, EINVAL, "%s: there is blk:SOCKET, net:SOCKET and fs:SOCKET",
			       first);
	if (!colon || !colon[1])
		return hv_fail(err, EINVAL, "%s wants the socket of its daemon: %.*s:SOCKET", first,
			       (int)len, first);
	settings->socket = colon + 1;
	return 0;
}

static int check_settings(struct settings *settings, struct hv_error *err)
{
	const char *name = settings->role->name;

	if (settings->tag && strcmp(name, "fs"))
		return hv_fail(err, EINVAL, "tag is for fs:SOCKET; %s:SOCKET has none", name);
	if (settings->has_mac && strcmp(name, "net"))
		return hv_fail(err, EINVAL, "mac is for net:SOCKET; %s:SOCKET has none", name);
	if (strcmp(name, "fs"))
		return 0;
	if (!settings->tag)
		return hv_fail(err, EINVAL, "fs:SOCKET wants the name to mount it by: tag=TAG");
	return hv_virtio_fs_check_tag(settings->tag, err);
}

static int take_mac(struct settings *settings, const char *text, struct hv_error *err)
{
	settings->has_mac = true;
	return hv_net_parse_mac(text, settings->mac, err);
}

/* The texts are there until hv_options_end(). */
static int parse(struct hv_options *options, const char *text, struct settings *settings,
		 struct hv_error *err)
{
	int result = hv_options_begin(options, text, "KIND:SOCKET", keys, err);

	*settings = (struct settings){ 0 };
	result = result ?: take_first(settings, options->first, err);
	if (result)
		return result;
	while ((result = hv_options_next(options, err)) > 0) {
		if (options->key == KEY_TAG)
			settings->tag = options->text;
		else if (take_mac(settings, options->text, err))
			return -EINVAL;
	}
	return result ?: check_settings(settings, err);
}

int hv_virtio_vhost_user_check(const char *text, struct hv_error *err)
{
	struct hv_options options;
	struct settings settings;
	int error = parse(&options, text, &settings, err);

	hv_options_end(&options);
	return error;
}

/* By the broker. */
static int connect_socket(void *ctx, struct hv_error *err)
{
	const struct user_dev *user = ctx;

	return hv_vhost_user_connect(user->socket, HV_VHOST_USER_TIMEOUT_MS, err);
}

static struct hv_virtio *create(const struct hv_virtio_env *env, const struct settings *settings,
				struct hv_error *err)
{
	struct user_dev *user = calloc(1, sizeof(*user));
	const struct hv_vhost_user_source source = {
		.connect = hv_broker_connect,
		.ctx = user ? &user->broker : NULL,
	};
	const struct role *role = settings->role;
	char label[200];
	int error;

	snprintf(label, sizeof(label), "vhost-user %s:%s", role->name, settings->socket);
	if (user)
		user->socket = strdup(settings->socket);
	if (!user || !user->socket) {
		hv_fail(err, ENOMEM, "no memory for a device; close something");
		free(user);
		return NULL;
	}
	user->dev.peer = (struct hv_vhost_user)HV_VHOST_USER_NONE;
	user->dev.stray.fd = -1;
	user->broker = (struct hv_broker){
		.source = { .connect = connect_socket, .ctx = user },
		.pid = -1,
		.fd = -1,
	};
	error = hv_broker_start(&user->broker, err);
	if (!error)
		error = hv_vhost_user_dev_init(&user->dev, role->kind, env, &role->role, &source,
					       label, err);
	error = error ?: role->finish(&user->dev, env, settings, err);
	if (!error)
		return &user->dev.virtio;
	destroy(&user->dev.virtio);
	return NULL;
}

struct hv_virtio *hv_virtio_vhost_user_create(const struct hv_virtio_env *env, const char *text,
					      struct hv_error *err)
{
	struct hv_virtio *virtio = NULL;
	struct hv_options options;
	struct settings settings;

	if (!parse(&options, text, &settings, err))
		virtio = create(env, &settings, err);
	hv_options_end(&options);
	return virtio;
}
