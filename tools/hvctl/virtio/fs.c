// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folder of the host for the guest: virtiofsd serves it, which is started here. Virtio 1.2, "File
 * System Device", without a DAX window.
 */
#include <errno.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "fs.h"
#include "lib/options.h"
#include "lib/util.h"
#include "virtiofsd.h"

/* "hiprio", for requests that must not wait, and one for all others: no daemon has more. */
#define QUEUES	   2
#define QUEUE_SIZE 1024

#define TAG_MAX sizeof(((struct virtio_fs_config *)0)->tag)

struct share {
	struct hv_vhost_user_dev dev;	/* first */
	struct hv_virtiofsd daemon;	/* what is known of it; the broker's is the one that runs */
	struct hv_broker broker;
};

/* --------------------------------------------------------------- the device */

int hv_virtio_fs_check_tag(const char *tag, struct hv_error *err)
{
	size_t len = strlen(tag);

	if (!len || len > TAG_MAX)
		return hv_fail(err, EINVAL,
			       "the name \"%s\" to mount it by has %zu bytes; 1 to %zu can be", tag,
			       len, TAG_MAX);
	return 0;
}

int hv_virtio_fs_finish(struct hv_vhost_user_dev *dev, const char *tag, struct hv_error *err)
{
	struct virtio_fs_config config = { .num_request_queues = QUEUES - 1 };

	memcpy(config.tag, tag, strlen(tag));
	hv_virtio_set_config(&dev->virtio, 0, &config, sizeof(config));
	return hv_vhost_user_dev_add_queues(dev, QUEUES, QUEUE_SIZE, err);
}

static void share_destroy(struct hv_virtio *virtio)
{
	struct share *share = (struct share *)virtio;

	hv_vhost_user_dev_exit(&share->dev);
	hv_broker_exit(&share->broker);
	hv_virtiofsd_exit(&share->daemon);
	free(share);
}

static const struct hv_virtio_kind share_kind = {
	.name = "fs",
	.id = VIRTIO_ID_FS,
	.class_code = 0x018000,
	.start = hv_vhost_user_dev_start,
	.stop = hv_vhost_user_dev_stop,
	.kick = hv_vhost_user_dev_kick,
	.stop_queue = hv_vhost_user_dev_stop_queue,
	.rewired = hv_vhost_user_dev_rewired,
	.destroy = share_destroy,
	.elsewhere = true,
};

/* ---------------------------------------------- the daemon, by the broker */

/* One at a time, however often who asks has been taken over. */
static int start_daemon(void *ctx, struct hv_error *err)
{
	hv_close(hv_virtiofsd_kill(ctx, NULL, 0));
	return hv_virtiofsd_start(ctx, err);
}

static int lost_daemon(void *ctx, char *why, size_t room)
{
	return hv_virtiofsd_kill(ctx, why, room);
}

/* ----------------------------------------------------------------- options */

struct settings {
	char *dir;
	char tag[TAG_MAX + 1];
	bool read_only;
};

enum { KEY_RO };

static const struct hv_option keys[] = {
	[KEY_RO] = HV_FLAG("ro"),
	HV_OPTIONS_END,
};

/* A folder's own name: of "/" there is none. */
static const char *default_tag(char *path)
{
	char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : "root";
}

/* "DIR[:TAG]": a colon with a slash behind it belongs to DIR. */
static int take_first(struct settings *settings, const char *first, struct hv_error *err)
{
	const char *colon = strrchr(first, ':');
	char *real = NULL;
	const char *tag;
	int error;

	if (colon && strchr(colon, '/'))
		colon = NULL;
	settings->dir = colon ? strndup(first, colon - first) : strdup(first);
	if (!settings->dir)
		return hv_fail(err, ENOMEM, "no memory for an option; close something");
	if (!*settings->dir)
		return hv_fail(err, EINVAL, "%s: DIR is missing before the colon", first);
	if (!colon)
		real = realpath(settings->dir, NULL);
	tag = colon ? colon + 1 : default_tag(real);
	error = hv_virtio_fs_check_tag(tag, err);
	if (error && !colon)
		hv_fail(err, EINVAL, "%s is too long a name to mount it by; give one: DIR:TAG",
			tag);
	if (!error)
		strcpy(settings->tag, tag);
	free(real);
	return error;
}

static int parse(const char *text, struct settings *settings, struct hv_error *err)
{
	struct hv_options options;
	int result = hv_options_begin(&options, text, "DIR", keys, err);

	*settings = (struct settings){ 0 };
	result = result ?: take_first(settings, options.first, err);
	while (!result && (result = hv_options_next(&options, err)) > 0) {
		settings->read_only = options.number;
		result = 0;
	}
	hv_options_end(&options);
	return result;
}

int hv_virtio_fs_check(const char *text, struct hv_error *err)
{
	struct settings settings;
	int error = parse(text, &settings, err);

	free(settings.dir);
	return error;
}

static int init(struct share *share, const struct hv_virtio_env *env,
		const struct settings *settings, struct hv_error *err)
{
	const struct hv_vhost_user_source source = {
		.connect = hv_broker_connect,
		.lost = hv_broker_lost,
		.ctx = &share->broker,
	};
	static const struct hv_vhost_user_role role;
	char label[200];
	int error = hv_virtiofsd_init(&share->daemon, settings->dir, settings->read_only, err);

	if (error)
		return error;
	share->broker.source = (struct hv_vhost_user_source){
		.connect = start_daemon,
		.lost = lost_daemon,
		.ctx = &share->daemon,
	};
	share->broker.log = &share->daemon.log;
	error = hv_broker_start(&share->broker, err);
	if (error)
		return error;
	snprintf(label, sizeof(label), "share %s", settings->dir);
	error = hv_vhost_user_dev_init(&share->dev, &share_kind, env, &role, &source, label, err);
	if (error) {
		hv_close(hv_broker_lost(&share->broker, err->text, sizeof(err->text)));
		return error;
	}
	return hv_virtio_fs_finish(&share->dev, settings->tag, err);
}

struct hv_virtio *hv_virtio_fs_create(const struct hv_virtio_env *env, const char *text,
				      struct hv_error *err)
{
	struct share *share = calloc(1, sizeof(*share));
	struct settings settings;
	int error;

	if (!share) {
		hv_fail(err, ENOMEM, "no memory for a device; close something");
		return NULL;
	}
	share->dev.peer = (struct hv_vhost_user)HV_VHOST_USER_NONE;
	share->dev.stray.fd = -1;
	share->daemon.pid = share->daemon.dir_fd = share->daemon.log.fd = -1;
	share->broker = (struct hv_broker)HV_BROKER_NONE;
	error = parse(text, &settings, err);
	error = error ?: init(share, env, &settings, err);
	free(settings.dir);
	if (!error)
		return &share->dev.virtio;
	share_destroy(&share->dev.virtio);
	return NULL;
}
