// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network by a tap: an interface of the host's, which stands in a bridge, say, has the guest at
 * its other end. Its frames are moved here, or by the kernel (vhost-net).
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net_backends.h"
#include "net_tap_file.h"
#include "net_vhost.h"

/* Frames that are read before others of the loop have their turns. */
#define BUDGET 64

#define FEATURES                                                                              \
	(HV_NET_GUEST_OFFLOADS | HV_NET_F(CSUM) | HV_NET_F(HOST_TSO4) | HV_NET_F(HOST_TSO6) | \
	 HV_NET_F(HOST_ECN))

struct tap;

struct queue {
	struct tap *tap;
	unsigned int pair;
	struct hv_watch watch;
	bool attached;
	bool busy;			/* the tap takes no frames now */
	size_t held;			/* bytes of a frame for which the guest has no room yet */
	struct {
		struct virtio_net_hdr_v1 header;
		uint8_t frame[HV_NET_FRAME_MAX];
	} in;
};

struct tap {
	struct hv_net net;		/* first */
	char name[IFNAMSIZ];
	void (*note)(void *ctx, const char *text);
	void *note_ctx;
	bool running;
	bool gone;			/* somebody has removed it */
	bool by_vhost;
	struct hv_vhost vhost[HV_NET_PAIRS_MAX];
	int fd[HV_NET_PAIRS_MAX];
	struct queue queue[];		/* max_pairs */
};

static void note(const struct tap *tap, const char *format, const char *what)
	__attribute__((format(printf, 2, 0)));
static void note(const struct tap *tap, const char *format, const char *what)
{
	char text[512];

	if (!tap->note)
		return;
	snprintf(text, sizeof(text), format, tap->name, what);
	tap->note(tap->note_ctx, text);
}

/* ------------------------------------------------------------- to the guest */

/* Somebody has removed it: for the guest the cable is out. */
static void gone(struct tap *tap)
{
	static const uint16_t status;

	tap->gone = true;
	/* Who waits for room there would wait for ever: frames are dropped from now on. */
	for (unsigned int pair = 0; pair < tap->net.max_pairs; pair++) {
		tap->queue[pair].watch.fd = -1;
		tap->queue[pair].busy = false;
		tap->queue[pair].held = 0;
		hv_net_look_again(&tap->net, hv_net_tx(pair));
	}
	hv_virtio_set_config(&tap->net.dev, offsetof(struct virtio_net_config, status), &status,
			     sizeof(status));
	note(tap, "%s has gone; the guest's link is down%s", "");
}

/* False: the guest has no room; the frame is held. */
static bool pass_on(struct queue *queue)
{
	size_t len = queue->held - sizeof(queue->in.header);

	if (!hv_net_receive(&queue->tap->net, queue->pair, &queue->in.header, queue->in.frame, len))
		return false;
	queue->held = 0;
	return true;
}

/* False: there is none. */
static bool read_one(struct queue *queue)
{
	ssize_t len = read(queue->watch.fd, &queue->in, sizeof(queue->in));

	if (len < (ssize_t)sizeof(queue->in.header)) {
		if (len < 0 && errno == EBADFD)
			gone(queue->tap);
		return false;
	}
	queue->held = (size_t)len;
	return true;
}

static void receive(struct queue *queue)
{
	for (unsigned int left = BUDGET; left && read_one(queue); left--)
		if (!pass_on(queue))
			break;
	hv_net_tell(&queue->tap->net, queue->pair);
}

static void tap_room(struct hv_net *net, unsigned int pair)
{
	struct queue *queue = &((struct tap *)net)->queue[pair];

	if (queue->held)
		pass_on(queue);
}

/* ----------------------------------------------------------- from the guest */

/* The kernel copies header and frame, and looks at its copy alone. */
static bool tap_send(struct hv_net *net, unsigned int pair, const struct hv_vchain *chain)
{
	struct queue *queue = &((struct tap *)net)->queue[pair];
	ssize_t sent = writev(queue->watch.fd, hv_vchain_out(chain), (int)chain->nr_out);

	/* What the kernel does not like, or cannot send now, is lost, as on a wire. */
	queue->busy = sent < 0 && errno == EAGAIN;
	return !queue->busy;
}

/* ------------------------------------------------------------- in the loop */

static short wants(void *ctx)
{
	const struct queue *queue = ctx;

	if (!queue->tap->running || queue->tap->by_vhost)
		return 0;
	return (queue->held ? 0 : POLLIN) | (queue->busy ? POLLOUT : 0);
}

static void ready(void *ctx, short revents)
{
	struct queue *queue = ctx;

	if (revents & POLLERR) {
		gone(queue->tap);
		return;
	}
	if (revents & POLLIN)
		receive(queue);
	if (revents & POLLOUT) {
		queue->busy = false;
		hv_net_transmit(&queue->tap->net, queue->pair);
	}
}

/* ---------------------------------------------------------------- together */

/* Frames come by the queues alone that the driver uses. */
static int attach(struct tap *tap)
{
	int error = 0;

	for (unsigned int pair = 1; pair < tap->net.max_pairs && !error; pair++) {
		struct queue *queue = &tap->queue[pair];
		bool attached = pair < tap->net.pairs;

		if (attached != queue->attached)
			error = hv_tap_attach(tap->fd[pair], attached);
		if (!error)
			queue->attached = attached;
	}
	return error;
}

static int tap_configure(struct hv_net *net)
{
	struct tap *tap = (struct tap *)net;
	int error;

	/* An interface whose cable is out takes commands, too. */
	if (tap->gone)
		return 0;
	error = hv_tap_set_offloads(tap->fd[0], net->offloads);
	return error ?: attach(tap);
}

/* A driver that knows of one pair has its control queue behind that. */
static unsigned int pairs_in_use(const struct hv_net *net)
{
	return hv_virtio_has(&net->dev, HV_NET_F(MQ)) ? net->max_pairs : 1;
}

static int tap_start(struct hv_net *net)
{
	struct tap *tap = (struct tap *)net;
	int error = tap_configure(net);

	if (!error && tap->by_vhost && !tap->gone)
		error = hv_net_vhost_start(tap->vhost, pairs_in_use(net), tap->fd);
	tap->running = !error;
	return error;
}

static void tap_stop(struct hv_net *net)
{
	struct tap *tap = (struct tap *)net;

	tap->running = false;
	if (tap->by_vhost)
		hv_net_vhost_stop(tap->vhost, pairs_in_use(net));
	for (unsigned int pair = 0; pair < net->max_pairs; pair++) {
		tap->queue[pair].held = 0;
		tap->queue[pair].busy = false;
	}
}

static void tap_rewired(struct hv_net *net)
{
	hv_net_vhost_rewired(((struct tap *)net)->vhost, pairs_in_use(net));
}

static void free_tap(struct tap *tap, unsigned int queues)
{
	hv_net_vhost_close(tap->vhost, queues);
	hv_tap_close(tap->fd, queues);
	free(tap);
}

static void tap_destroy(struct hv_net *net)
{
	hv_net_exit(net);
	free_tap((struct tap *)net, net->max_pairs);
}

static const struct hv_net_backend backend = {
	.start = tap_start,
	.stop = tap_stop,
	.send = tap_send,
	.room = tap_room,
	.configure = tap_configure,
	.rewired = tap_rewired,
	.destroy = tap_destroy,
};

static struct tap *new_tap(const struct hv_virtio_env *env, const struct hv_net_options *options,
			   struct hv_error *err)
{
	unsigned int queues = options->queues;
	struct tap *tap = calloc(1, sizeof(*tap) + queues * sizeof(tap->queue[0]));

	if (!tap) {
		hv_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	snprintf(tap->name, sizeof(tap->name), "%s", options->tap);
	tap->note = env->note;
	tap->note_ctx = env->ctx;
	for (unsigned int pair = 0; pair < HV_NET_PAIRS_MAX; pair++) {
		tap->vhost[pair].fd = tap->vhost[pair].err_fd = -1;
		tap->fd[pair] = -1;
	}
	if (!hv_tap_open(tap->name, tap->fd, queues, err))
		return tap;
	free_tap(tap, queues);
	return NULL;
}

/* Whether the kernel is to do it: said by the user, or as it can. 0 or -errno. */
static int choose_vhost(struct tap *tap, const struct hv_net_options *options, struct hv_error *err)
{
	int error;

	if (options->vhost == HV_NET_VHOST_OFF)
		return 0;
	error = hv_net_vhost_open(tap->vhost, options->queues, err);
	tap->by_vhost = !error;
	if (!error)
		return 0;
	hv_net_vhost_close(tap->vhost, options->queues);
	if (options->vhost == HV_NET_VHOST_ON)
		return error;
	note(tap, "frames of %s are moved by hvctl: %s", err->text);
	return 0;
}

static void add_watches(struct tap *tap)
{
	for (unsigned int pair = 0; pair < tap->net.max_pairs; pair++) {
		struct queue *queue = &tap->queue[pair];

		queue->tap = tap;
		queue->pair = pair;
		queue->attached = true;
		queue->watch = (struct hv_watch){
			.fd = tap->fd[pair],
			.wants = wants,
			.ready = ready,
			.ctx = queue,
		};
		hv_loop_add(&tap->net.dev.worker.loop, &queue->watch);
	}
}

static int finish(struct tap *tap, const struct hv_virtio_env *env,
		  const struct hv_net_options *options, struct hv_error *err)
{
	struct hv_tap_state state = { .mtu = 0, .is_up = true };
	struct hv_net_setup setup = { .backend = &backend, .pairs = options->queues };
	int error = choose_vhost(tap, options, err);

	if (error)
		return error;
	(void)hv_tap_state(tap->name, &state);
	setup.elsewhere = tap->by_vhost;
	setup.features = FEATURES | (tap->by_vhost ? hv_vhost_ring_features(&tap->vhost[0]) :
						     HV_VIRTIO_F_RINGS);
	setup.mtu = (uint16_t)(options->mtu ?: state.mtu);
	memcpy(setup.mac, options->mac, sizeof(setup.mac));
	error = hv_net_init(&tap->net, env, &setup, err);
	if (error)
		return error;
	tap->net.dev.worker.sandbox = HV_SANDBOX_TAP;
	add_watches(tap);
	if (tap->by_vhost)
		hv_net_vhost_bind(tap->vhost, options->queues, &tap->net.dev);
	if (!state.is_up)
		note(tap, "%s is down; 'ip link set %s up' as root", tap->name);
	return 0;
}

struct hv_virtio *hv_net_tap_create(const struct hv_virtio_env *env,
				    const struct hv_net_options *options, struct hv_error *err)
{
	struct tap *tap = new_tap(env, options, err);

	if (!tap)
		return NULL;
	if (!finish(tap, env, options, err))
		return &tap->net.dev;
	free_tap(tap, options->queues);
	return NULL;
}
