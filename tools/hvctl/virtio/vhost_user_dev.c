// SPDX-License-Identifier: GPL-2.0-only
/* Devices that a vhost-user daemon serves: their life, and that of the daemon. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/util.h"
#include "vhost_user_dev.h"

/* A guest that makes its daemon end over and over has to wait ever longer for the next one. */
#define FIRST_PAUSE_NS	1000000000ull
#define LONGEST_PAUSE_NS (64 * FIRST_PAUSE_NS)

#define CHANNEL (HV_VHOST_USER_CONFIG | HV_VHOST_USER_CHANNEL)

/* Of any virtio device: what a daemon may know that serves split rings. */
#define RINGS (HV_VIRTIO_F_INDIRECT_DESC | HV_VIRTIO_F_EVENT_IDX | HV_VIRTIO_F_VERSION_1)

static struct hv_vhost_user_dev *dev_of(struct hv_virtio *virtio)
{
	return (struct hv_vhost_user_dev *)virtio;
}

/* -------------------------------------------------------------- connection */

static void watch_peer(struct hv_vhost_user_dev *dev)
{
	dev->watch.fd = dev->peer.fd;
	dev->channel.fd = dev->peer.channel;
}

/* What ends with a daemon that is lost; -1: it has ended, or has nothing of the guest's. */
static int end_of_daemon(struct hv_vhost_user_dev *dev, char *why, size_t room)
{
	bool may_write = dev->peer.left >= 0;
	int fd = dev->peer.left;

	dev->peer.left = -1;
	if (dev->source.lost) {
		hv_close(fd);
		fd = dev->source.lost(dev->source.ctx, why, room);
	}
	if (may_write)
		return fd;
	hv_close(fd);
	return -1;
}

/* The connection is closed: nobody serves the rings any more. */
static void lost(struct hv_vhost_user_dev *dev, const struct hv_error *err)
{
	char why[sizeof(err->text)], line[sizeof(why) + 200];

	watch_peer(dev);
	snprintf(why, sizeof(why), "%s", err->text);
	dev->stray.fd = end_of_daemon(dev, why, sizeof(why));
	if (dev->stray.fd >= 0)
		hv_virtio_stray(&dev->virtio);
	snprintf(line, sizeof(line), "%s: %s; %s", dev->label, why,
		 dev->virtio.astray ?
			 "end the daemon, if it does not end: the guest's reset waits for that" :
			 "the guest must reset the device to go on");
	dev->note(dev->note_ctx, line);
}

/* Whatever it still says. */
static void on_stray(void *ctx, short revents)
{
	struct hv_vhost_user_dev *dev = ctx;
	char rest[512];
	ssize_t got = read(dev->stray.fd, rest, sizeof(rest));

	(void)revents;
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	hv_close(dev->stray.fd);
	dev->stray.fd = -1;
	hv_virtio_left(&dev->virtio);
}

static void lost_while_running(struct hv_vhost_user_dev *dev, const struct hv_error *err)
{
	lost(dev, err);
	if (dev->virtio.running)
		hv_virtio_break(&dev->virtio);
}

static uint64_t offered(const struct hv_vhost_user_dev *dev)
{
	return (dev->peer.features & (dev->role.features | RINGS)) | dev->role.own;
}

/* What the driver sees follows what the daemon has; it is told if that is news. */
static int read_config(struct hv_vhost_user_dev *dev, struct hv_error *err)
{
	struct hv_virtio *virtio = &dev->virtio;
	uint8_t config[HV_VIRTIO_CONFIG];
	bool news;
	int error;

	if (!dev->role.config_len)
		return 0;
	error = hv_vhost_user_get_config(&dev->peer, config, dev->role.config_len, err);
	if (error)
		return error;
	pthread_mutex_lock(&virtio->lock);
	if (dev->role.adjust)
		dev->role.adjust(virtio, config);
	news = virtio->config_len != dev->role.config_len ||
	       memcmp(virtio->config, config, dev->role.config_len);
	pthread_mutex_unlock(&virtio->lock);
	if (news)
		hv_virtio_set_config(virtio, 0, config, dev->role.config_len);
	return 0;
}

static int check_peer(const struct hv_vhost_user_dev *dev, struct hv_error *err)
{
	if (!(dev->peer.features & HV_VIRTIO_F_VERSION_1))
		return hv_fail(err, EPROTO,
			       "the daemon knows no virtio 1; take a newer one, or another");
	if (dev->role.config_len && !(dev->peer.protocol & HV_VHOST_USER_CONFIG))
		return hv_fail(err, EPROTO,
			       "the daemon tells no configuration; is it one for another device?");
	return 0;
}

static int open_peer(struct hv_vhost_user_dev *dev, struct hv_error *err)
{
	uint64_t wanted = HV_VHOST_USER_MQ | HV_VHOST_USER_REPLY_ACK;
	int fd = dev->source.connect(dev->source.ctx, err), error;

	if (fd < 0)
		return fd;
	error = hv_vhost_user_open(&dev->peer, fd, dev->role.config_len ? wanted | CHANNEL : wanted,
				   err);
	if (error)
		return error;
	error = check_peer(dev, err);
	if (error)
		hv_vhost_user_close(&dev->peer);
	return error;
}

/* Who comes too soon is turned away, and has been told why before. */
static bool is_too_soon(const struct hv_vhost_user_dev *dev)
{
	return dev->peer.fd < 0 && hv_monotonic_ns() < dev->retry_ns;
}

static int connect_again(struct hv_vhost_user_dev *dev, struct hv_error *err)
{
	uint64_t now = hv_monotonic_ns();
	int error;

	dev->retry_ns = now + dev->pause_ns;
	if (dev->pause_ns < LONGEST_PAUSE_NS)
		dev->pause_ns *= 2;
	error = open_peer(dev, err);
	if (error)
		return error;
	if (dev->virtio.features & ~offered(dev)) {
		hv_vhost_user_close(&dev->peer);
		return hv_fail(
			err, EPROTO,
			"the new daemon lacks features that the guest uses (%#llx); start it as the first",
			(unsigned long long)(dev->virtio.features & ~offered(dev)));
	}
	return read_config(dev, err);
}

/* ------------------------------------------------------------------- rings */

static int start_ring(struct hv_vhost_user_dev *dev, unsigned int n, struct hv_error *err)
{
	const struct hv_vqueue *ring = hv_virtio_ring(&dev->virtio, n);
	int error;

	if (!ring->up || dev->peer.rings & 1u << n)
		return 0;
	error = hv_vhost_user_start_ring(&dev->peer, n, ring, err);
	if (error)
		return error;
	/* It starts with a kick, and there may be chains already. */
	hv_signal_shared_event(ring->kick_fd);
	return 0;
}

/* What it takes to connect to a new daemon has a deadline of its own. */
static int start(struct hv_vhost_user_dev *dev, struct hv_error *err)
{
	struct hv_virtio *virtio = &dev->virtio;
	int error = 0;

	if (dev->peer.fd < 0)
		error = connect_again(dev, err);
	else
		hv_vhost_user_begin(&dev->peer);
	error = error ?: hv_vhost_user_set_features(&dev->peer, virtio->features, err);
	error = error ?: hv_vhost_user_set_memory(&dev->peer, dev->memory, err);
	for (unsigned int n = 0; n < virtio->nr_queues; n++)
		error = error ?: start_ring(dev, n, err);
	return error;
}

int hv_vhost_user_dev_start(struct hv_virtio *virtio)
{
	struct hv_vhost_user_dev *dev = dev_of(virtio);
	struct hv_error err = { 0 };
	int error;

	/* It has broken, was held, and is to go on. */
	if (atomic_load(&virtio->status) & HV_VIRTIO_NEEDS_RESET)
		return -EIO;
	if (is_too_soon(dev))
		return -EAGAIN;
	error = start(dev, &err);
	if (error)
		lost(dev, &err);
	watch_peer(dev);
	return error;
}

/* A driver that adds a queue to a device that runs. */
void hv_vhost_user_dev_kick(struct hv_virtio *virtio, unsigned int n)
{
	struct hv_vhost_user_dev *dev = dev_of(virtio);
	struct hv_error err;

	hv_vhost_user_begin(&dev->peer);
	if (dev->peer.fd >= 0 && start_ring(dev, n, &err))
		lost_while_running(dev, &err);
}

/* All that it has taken it has given back: the ring stands at one place. */
static void stop_ring(struct hv_virtio *virtio, unsigned int n)
{
	struct hv_vhost_user_dev *dev = dev_of(virtio);
	struct hv_vqueue *ring = hv_virtio_ring(virtio, n);
	struct hv_vqueue_position position = hv_vqueue_position(ring);
	struct hv_error err;

	if (!(dev->peer.rings & 1u << n))
		return;
	if (hv_vhost_user_stop_ring(&dev->peer, n, &position.avail, &err)) {
		lost_while_running(dev, &err);
		return;
	}
	position.used = position.avail;
	if (hv_vqueue_set_position(ring, &position))
		hv_virtio_break(virtio);
}

void hv_vhost_user_dev_stop_queue(struct hv_virtio *virtio, unsigned int n)
{
	hv_vhost_user_begin(&dev_of(virtio)->peer);
	stop_ring(virtio, n);
}

void hv_vhost_user_dev_stop(struct hv_virtio *virtio, bool reset)
{
	(void)reset;
	hv_vhost_user_begin(&dev_of(virtio)->peer);
	for (unsigned int n = 0; n < virtio->nr_queues; n++)
		stop_ring(virtio, n);
}

/* What was to be told by the old one while the daemon had not yet the new one is told now. */
static void rewire_ring(struct hv_vhost_user_dev *dev, unsigned int n)
{
	int fd = atomic_load(&hv_virtio_ring(&dev->virtio, n)->call_fd);
	struct hv_error err;

	if (!(dev->peer.rings & 1u << n))
		return;
	if (hv_vhost_user_set_call(&dev->peer, n, fd, &err))
		lost_while_running(dev, &err);
	else if (fd >= 0)
		hv_signal_shared_event(fd);
}

void hv_vhost_user_dev_rewired(struct hv_virtio *virtio)
{
	hv_vhost_user_begin(&dev_of(virtio)->peer);
	for (unsigned int n = 0; n < virtio->nr_queues; n++)
		rewire_ring(dev_of(virtio), n);
}

/* ----------------------------------------------------- configuration space */

static void tell_config(void *ctx)
{
	struct hv_vhost_user_dev *dev = ctx;
	unsigned int at = dev->role.writable;
	struct hv_error err;
	uint8_t byte;

	if (dev->peer.fd < 0 || hv_virtio_is_resetting(&dev->virtio))
		return;
	hv_vhost_user_begin(&dev->peer);
	pthread_mutex_lock(&dev->virtio.lock);
	byte = dev->virtio.config[at];
	pthread_mutex_unlock(&dev->virtio.lock);
	if (hv_vhost_user_set_config(&dev->peer, at, &byte, 1, &err))
		lost_while_running(dev, &err);
}

void hv_vhost_user_dev_write_config(struct hv_virtio *virtio, unsigned int offset,
				    unsigned int width, uint32_t value)
{
	struct hv_vhost_user_dev *dev = dev_of(virtio);

	if (!dev->role.writable || offset != dev->role.writable || width != 1)
		return;
	virtio->config[offset] = (uint8_t)value;
	hv_worker_post(&virtio->worker, &dev->write_job);
}

/* ----------------------------------------------------------------- watches */

static void on_peer(void *ctx, short revents)
{
	struct hv_vhost_user_dev *dev = ctx;
	struct hv_error err;

	(void)revents;
	hv_vhost_user_look(&dev->peer, &err);
	lost_while_running(dev, &err);
}

static void on_channel(void *ctx, short revents)
{
	struct hv_vhost_user_dev *dev = ctx;
	struct hv_error err;
	int result;

	(void)revents;
	hv_vhost_user_begin(&dev->peer);
	result = hv_vhost_user_serve(&dev->peer, &err);
	if (result > 0)
		result = read_config(dev, &err);
	if (result)
		lost_while_running(dev, &err);
}

/* ---------------------------------------------------------------- together */

static void set_up_watches(struct hv_vhost_user_dev *dev)
{
	dev->watch = (struct hv_watch){ .ready = on_peer, .ctx = dev };
	dev->channel = (struct hv_watch){ .ready = on_channel, .ctx = dev };
	dev->stray = (struct hv_watch){ .fd = -1, .ready = on_stray, .ctx = dev };
	watch_peer(dev);
	hv_loop_add(&dev->virtio.worker.loop, &dev->watch);
	hv_loop_add(&dev->virtio.worker.loop, &dev->stray);
	hv_loop_add(&dev->virtio.worker.loop, &dev->channel);
	dev->write_job = (struct hv_job){ .fn = tell_config, .ctx = dev };
}

int hv_vhost_user_dev_init(struct hv_vhost_user_dev *dev, const struct hv_virtio_kind *kind,
			   const struct hv_virtio_env *env, const struct hv_vhost_user_role *role,
			   const struct hv_vhost_user_source *source, const char *label,
			   struct hv_error *err)
{
	int error;

	*dev = (struct hv_vhost_user_dev){
		.peer = HV_VHOST_USER_NONE,
		.stray.fd = -1,
		.role = *role,
		.source = *source,
		.memory = env->memory,
		.note = env->note,
		.note_ctx = env->ctx,
		.label = strdup(label),
		.pause_ns = FIRST_PAUSE_NS,
	};
	if (!dev->label)
		return hv_fail(err, ENOMEM, "no memory for a device; close something");
	if (env->memory->fd < 0)
		return hv_fail(
			err, EINVAL,
			"guest RAM is private: daemons cannot see it; use shared_memory = true");
	hv_share_events();
	error = open_peer(dev, err);
	if (error)
		return error;
	error = hv_virtio_init(&dev->virtio, kind, env->memory, offered(dev), err);
	if (error)
		return error;
	dev->made = true;
	dev->virtio.worker.sandbox = HV_SANDBOX_DAEMON;
	set_up_watches(dev);
	return read_config(dev, err);
}

int hv_vhost_user_dev_add_queues(struct hv_vhost_user_dev *dev, unsigned int count, uint16_t size,
				 struct hv_error *err)
{
	int error = 0;

	if (dev->peer.queues < count)
		return hv_fail(err, EPROTO, "the daemon has %u queues; the device needs %u",
			       dev->peer.queues, count);
	for (; count && !error; count--)
		error = hv_virtio_add_queue(&dev->virtio, size, err);
	return error;
}

void hv_vhost_user_dev_exit(struct hv_vhost_user_dev *dev)
{
	if (dev->made)
		hv_virtio_exit(&dev->virtio);
	hv_vhost_user_close(&dev->peer);
	hv_close(dev->stray.fd);
	free(dev->label);
}
