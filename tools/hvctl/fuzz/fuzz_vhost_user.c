// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile vhost-user daemon: what it says in the life of a device. The bytes change right answers
 * here and there, or are all that it says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util.h"
#include "virtio/vhost_user_dev.h"
#include "virtio/vhost_user_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIG 60
#define ALL                                                                   \
	(HV_VHOST_USER_MQ | HV_VHOST_USER_REPLY_ACK | HV_VHOST_USER_CHANNEL | \
	 HV_VHOST_USER_CONFIG)

static struct hv_memory memory;
static uint8_t script[4096];	/* what it says */
static size_t script_len;
static int other_end;

static const struct hv_virtio_kind kind = {
	.name = "fuzz",
	.id = 2,
	.start = hv_vhost_user_dev_start,
	.stop = hv_vhost_user_dev_stop,
	.stop_queue = hv_vhost_user_dev_stop_queue,
	.kick = hv_vhost_user_dev_kick,
	.rewired = hv_vhost_user_dev_rewired,
	.write_config = hv_vhost_user_dev_write_config,
	.elsewhere = true,
};

/* ------------------------------------------------------------- the answers */

static void say(unsigned int request, const void *body, uint32_t size)
{
	const struct hv_vhost_user_header header = { request,
						     HV_VHOST_USER_VERSION | HV_VHOST_USER_REPLY,
						     size };

	memcpy(script + script_len, &header, sizeof(header));
	memcpy(script + script_len + sizeof(header), body, size);
	script_len += sizeof(header) + size;
}

static void say_u64(unsigned int request, uint64_t value)
{
	say(request, &value, sizeof(value));
}

static void say_config(void)
{
	const struct hv_vhost_user_config config = { .size = CONFIG };

	say(HV_VHOST_USER_GET_CONFIG, &config,
	    (uint32_t)offsetof(struct hv_vhost_user_config, data) + CONFIG);
}

/* As live() asks. */
static void write_script(void)
{
	static const unsigned int acked[] = {
		HV_VHOST_USER_SET_FEATURES,   HV_VHOST_USER_SET_MEM_TABLE,
		HV_VHOST_USER_SET_VRING_NUM,  HV_VHOST_USER_SET_VRING_BASE,
		HV_VHOST_USER_SET_VRING_ADDR, HV_VHOST_USER_SET_VRING_CALL,
		HV_VHOST_USER_SET_VRING_KICK, HV_VHOST_USER_SET_VRING_ENABLE,
		HV_VHOST_USER_SET_VRING_CALL,
	};
	const struct vhost_vring_state base = { .index = 0, .num = 77 };

	script_len = 0;
	say_u64(HV_VHOST_USER_GET_FEATURES, HV_VIRTIO_F_VERSION_1 | HV_VHOST_USER_F_PROTOCOL);
	say_u64(HV_VHOST_USER_GET_PROTOCOL_FEATURES, ALL);
	say_u64(HV_VHOST_USER_GET_QUEUE_NUM, 1);
	say_u64(HV_VHOST_USER_SET_BACKEND_REQ_FD, 0);
	say_config();
	for (unsigned int i = 0; i < ARRAY_SIZE(acked); i++)
		say_u64(acked[i], 0);
	say_config();
	say(HV_VHOST_USER_GET_VRING_BASE, &base, sizeof(base));
}

/* Three bytes each change one of them; or they replace all. */
static void change_script(const uint8_t *data, size_t size)
{
	if (data[0] & 1) {
		script_len = size - 1 < sizeof(script) ? size - 1 : sizeof(script);
		memcpy(script, data + 1, script_len);
		return;
	}
	write_script();
	if (data[0] & 2)
		script_len -= data[0] >> 2;
	for (size_t i = 1; i + 3 <= size; i += 3)
		script[(data[i] | data[i + 1] << 8) % script_len] = data[i + 2];
}

/* ---------------------------------------------------------------- the life */

static int speak(const void *bytes, size_t len, int *other)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ||
	    send(ends[1], bytes, len, 0) != (ssize_t)len)
		abort();
	shutdown(ends[1], SHUT_WR);
	*other = ends[1];
	return ends[0];
}

static int connect_daemon(void *ctx, struct hv_error *err)
{
	(void)ctx;
	(void)err;
	return speak(script, script_len, &other_end);
}

static void note(void *ctx, const char *text)
{
	(void)ctx;
	if (!strlen(text))
		abort();
}

static void call_ready(const struct hv_watch *watch)
{
	if (watch->fd >= 0)
		watch->ready(watch->ctx, 0);
}

/* The request that comes by the channel. */
static void feed_channel(struct hv_vhost_user_dev *dev, const uint8_t *data, size_t size)
{
	struct hv_vhost_user_header header = { HV_VHOST_USER_CONFIG_CHANGE, HV_VHOST_USER_VERSION,
					       0 };
	int other;

	if (dev->peer.channel < 0)
		return;
	if (data[0] & 4 && size > sizeof(header))
		memcpy(&header, data + 1, sizeof(header));
	close(dev->peer.channel);
	dev->peer.channel = dev->channel.fd = speak(&header, sizeof(header), &other);
	call_ready(&dev->channel);
	close(other);
}

static void live(struct hv_vhost_user_dev *dev, const uint8_t *data, size_t size)
{
	const struct hv_vqueue_setup setup = { 8, 0x1000, 0x2000, 0x3000, .packed = false };
	struct hv_virtio *virtio = &dev->virtio;
	struct hv_error err;

	if (hv_virtio_add_queue(virtio, 8, &err) || hv_vqueue_up(hv_virtio_ring(virtio, 0), &setup))
		abort();
	if (!kind.start(virtio)) {
		virtio->running = true;
		kind.rewired(virtio);
		feed_channel(dev, data, size);
		kind.stop(virtio, true);
		call_ready(&dev->watch);
		virtio->running = false;
	}
	if (dev->peer.rings)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hv_vhost_user_role role = { .config_len = CONFIG, .writable = 32 };
	static const struct hv_vhost_user_source source = { .connect = connect_daemon };
	const struct hv_virtio_env env = { .memory = &memory, .name = "fuzz", .note = note };
	struct hv_vhost_user_dev dev;
	struct hv_error err;

	if (!memory.size && hv_memory_init_shared(&memory, HV_MIB, &err))
		abort();
	if (!size)
		return 0;
	change_script(data, size);
	if (!hv_vhost_user_dev_init(&dev, &kind, &env, &role, &source, "fuzz", &err))
		live(&dev, data, size);
	hv_vhost_user_dev_exit(&dev);
	close(other_end);
	return 0;
}
