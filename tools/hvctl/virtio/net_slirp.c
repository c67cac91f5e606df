// SPDX-License-Identifier: GPL-2.0-only
/*
 * User networking: the guest is behind a router that lives in this process and speaks to the
 * world by sockets, so no right of root's is needed (libslirp).
 *
 * The guest's interface has an MTU as large as libslirp can take: one frame of the guest's is then
 * as much as segmentation would have given it, and goes through without being cut up.
 */
#include <errno.h>

#include "net_backends.h"

#ifdef HV_HAVE_SLIRP
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "net_checksum.h"
#include "net_room.h"
#include "net_slirp_lib.h"

#define MS 1000000ull

#define MTU 65520

/* Frames for the guest that have no buffer yet; TCP sends again what is more. */
#define BACKLOG_MAX HV_MIB

/* How often libslirp looks around when it waits for nothing that takes time. */
#define IDLE_MS 1000

struct frame {
	struct frame *next;
	size_t len;
	uint8_t data[];
};

struct user {
	struct hv_net net;		/* first */
	const struct hv_slirp *lib;
	Slirp *slirp;
	struct hv_poller poller;
	struct hv_pollset *asked;	/* during ask() */
	const struct hv_pollset *answered;	/* during answer() */
	struct hv_timer due;		/* when libslirp wants to look around */
	bool running;			/* the guest takes frames */
	bool received;			/* one that the driver is not told of */
	unsigned int descriptors;	/* that may be taken */
	bool forwards;			/* connections come from outside, too */
	bool room;			/* ... and there are descriptors for them */
	struct frame *backlog, **backlog_end;
	size_t backlog_len;		/* bytes in it */
	uint8_t frame[HV_NET_FRAME_MAX];
};

/* What libslirp wants to be called for: one of its timers. */
struct timer {
	struct hv_timer timer;
	SlirpTimerCb fn;
	void *ctx;
	struct user *user;
};

/*
 * libslirp has static variables (the time, the resolver's address): one thread at a time may be in
 * it, of all devices. Innermost: what it calls back takes no lock.
 */
static pthread_mutex_t slirp_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
	pthread_mutex_lock(&slirp_lock);
}

/* The driver is told once of all that it got meanwhile. */
static void leave(struct user *user)
{
	pthread_mutex_unlock(&slirp_lock);
	if (user->received)
		hv_net_tell(&user->net, 0);
	user->received = false;
}

/* ------------------------------------------------------------- to the guest */

/* libslirp has summed up what is in there. */
static bool deliver(struct user *user, const void *data, size_t len)
{
	struct virtio_net_hdr_v1 header = { 0 };

	if (user->net.offloads & HV_NET_F(GUEST_CSUM))
		header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	if (!hv_net_receive(&user->net, 0, &header, data, len))
		return false;
	user->received = true;
	return true;
}

static void keep(struct user *user, const void *data, size_t len)
{
	struct frame *frame;

	if (user->backlog_len + len > BACKLOG_MAX)
		return;
	frame = malloc(sizeof(*frame) + len);
	if (!frame)
		return;
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->data, data, len);
	*user->backlog_end = frame;
	user->backlog_end = &frame->next;
	user->backlog_len += len;
}

static void drop_first(struct user *user)
{
	struct frame *frame = user->backlog;

	user->backlog = frame->next;
	if (!user->backlog)
		user->backlog_end = &user->backlog;
	user->backlog_len -= frame->len;
	free(frame);
}

static ssize_t send_packet(const void *data, size_t len, void *ctx)
{
	struct user *user = ctx;

	if (user->running && (user->backlog || !deliver(user, data, len)))
		keep(user, data, len);
	return (ssize_t)len;
}

static void user_room(struct hv_net *net, unsigned int pair)
{
	struct user *user = (struct user *)net;

	(void)pair;
	while (user->backlog && deliver(user, user->backlog->data, user->backlog->len))
		drop_first(user);
}

/* ----------------------------------------------------------- from the guest */

/* Linear, and with its checksum: libslirp looks at both. What is to be cut up we do not offer. */
static bool user_send(struct hv_net *net, unsigned int pair, const struct hv_vchain *chain)
{
	struct user *user = (struct user *)net;
	struct virtio_net_hdr_v1 header;
	size_t len;

	(void)pair;
	hv_vchain_read(chain, 0, &header, sizeof(header));
	len = hv_vchain_read(chain, sizeof(header), user->frame, sizeof(user->frame));
	if (header.gso_type != VIRTIO_NET_HDR_GSO_NONE ||
	    !hv_net_finish_checksum(&header, user->frame, len))
		return true;
	/* It is lost, as in a router that is full. */
	if (hv_net_may_open(user->frame, len) && !hv_net_has_room(user->descriptors))
		return true;
	enter();
	user->lib->input(user->slirp, user->frame, (int)len);
	leave(user);
	return true;
}

/* ----------------------------------------------------- sockets, in the loop */

static const struct {
	int slirp;
	short poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

/* Nothing is read that the guest cannot take: then its sender waits. */
static int add_poll(int fd, int wanted, void *ctx)
{
	const struct user *user = ctx;
	short poll_events = 0;

	if (user->backlog)
		wanted &= SLIRP_POLL_OUT | SLIRP_POLL_ERR;
	if (!user->room && hv_net_is_listening(fd))
		return -1;
	if (!(wanted & ~SLIRP_POLL_ERR))
		return -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++)
		if (wanted & events[i].slirp)
			poll_events |= events[i].poll;
	return hv_pollset_add(user->asked, fd, poll_events);
}

static int get_revents(int place, void *ctx)
{
	const struct user *user = ctx;
	short revents = hv_pollset_revents(user->answered, place);
	int found = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++)
		if (revents & events[i].poll)
			found |= events[i].slirp;
	return found;
}

static void ask(void *ctx, struct hv_pollset *set)
{
	struct user *user = ctx;
	struct hv_clock *clock = &user->net.dev.worker.loop.clock;
	uint32_t timeout_ms = UINT32_MAX;

	user->asked = set;
	user->room = !user->forwards || hv_net_has_room(user->descriptors);
	enter();
	user->lib->pollfds_fill(user->slirp, &timeout_ms, add_poll, user);
	leave(user);
	if (timeout_ms < IDLE_MS)
		hv_timer_arm(clock, &user->due, hv_now_ns(clock) + timeout_ms * MS);
	else
		hv_timer_cancel(clock, &user->due);
}

static void answer(void *ctx, const struct hv_pollset *set)
{
	struct user *user = ctx;

	user->answered = set;
	enter();
	user->lib->pollfds_poll(user->slirp, 0, get_revents, user);
	leave(user);
}

/* answer() comes after each poll(): it is enough that there was one. */
static void look_around(void *ctx)
{
	(void)ctx;
}

/* ------------------------------------------------------ what libslirp calls */

static void guest_error(const char *text, void *ctx)
{
	/* The guest could fill the terminal with it. */
	(void)text;
	(void)ctx;
}

static int64_t clock_get_ns(void *ctx)
{
	struct user *user = ctx;

	return (int64_t)hv_now_ns(&user->net.dev.worker.loop.clock);
}

static void fire(void *ctx)
{
	struct timer *timer = ctx;
	struct user *user = timer->user;

	enter();
	timer->fn(timer->ctx);
	leave(user);
}

static void *timer_new(SlirpTimerCb fn, void *fn_ctx, void *ctx)
{
	struct timer *timer = malloc(sizeof(*timer));

	if (!timer)
		abort();
	*timer = (struct timer){ .fn = fn, .ctx = fn_ctx, .user = ctx };
	timer->timer = (struct hv_timer){ .fn = fire, .dev = timer };
	return timer;
}

static void timer_free(void *ctx, void *user)
{
	struct timer *timer = ctx;

	(void)user;
	hv_timer_cancel(&timer->user->net.dev.worker.loop.clock, &timer->timer);
	free(timer);
}

static void timer_mod(void *ctx, int64_t expire_ms, void *user)
{
	struct timer *timer = ctx;

	(void)user;
	hv_timer_arm(&timer->user->net.dev.worker.loop.clock, &timer->timer,
		     (uint64_t)expire_ms * MS);
}

/* The loop asks it before each poll() which there are. */
static void poll_fd(int fd, void *ctx)
{
	(void)fd;
	(void)ctx;
}

/* It is our own thread that is in there, and the loop will ask. */
static void notify(void *ctx)
{
	(void)ctx;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd,
	.unregister_poll_fd = poll_fd,
	.notify = notify,
};

/* ---------------------------------------------------------------- together */

static int user_start(struct hv_net *net)
{
	((struct user *)net)->running = true;
	return 0;
}

static void user_stop(struct hv_net *net)
{
	struct user *user = (struct user *)net;

	user->running = false;
	while (user->backlog)
		drop_first(user);
}

static void user_destroy(struct hv_net *net)
{
	struct user *user = (struct user *)net;

	/* Before the worker's loop goes: there are timers. */
	hv_worker_stop(&net->dev.worker);
	user_stop(net);
	if (user->slirp) {
		hv_loop_remove_poller(&net->dev.worker.loop, &user->poller);
		enter();
		user->lib->cleanup(user->slirp);
		leave(user);
	}
	hv_net_exit(net);
	free(user);
}

static const struct hv_net_backend backend = {
	.start = user_start,
	.stop = user_stop,
	.send = user_send,
	.room = user_room,
	.destroy = user_destroy,
};

/* The addresses that QEMU has, which people know: 10.0.2.2 is the host, 10.0.2.15 the guest. */
static Slirp *make_slirp(struct user *user, const struct hv_net_options *options, unsigned int mtu)
{
	SlirpConfig config = {
		.version = SLIRP_CONFIG_VERSION_MIN,
		.restricted = options->isolated,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vnameserver.s_addr = htonl(0x0a000203),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.in6_enabled = true,
		.vprefix_len = 64,
		.if_mtu = mtu,
		.if_mru = mtu,
	};

	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	return user->lib->create(&config, &callbacks, user);
}

static int forward_failed(const struct hv_net_forward *forward, int error, struct hv_error *err)
{
	const char *remedy = strerror(error);

	if (error == EADDRINUSE)
		remedy = "somebody has this port; choose another, or see who: ss -lnp";
	else if (error == EACCES || error == EPERM)
		remedy = "this port is root's; choose one from 1024 on";
	else if (error == EADDRNOTAVAIL)
		remedy = "this host has no such address; see 'ip address'";
	return hv_fail(err, error, "hostfwd=%s: %s", forward->text, remedy);
}

static int add_forwards(struct user *user, const struct hv_net_options *options,
			struct hv_error *err)
{
	for (unsigned int i = 0; i < options->nr_forwards; i++) {
		const struct hv_net_forward *forward = &options->forward[i];

		if (user->lib->add_hostfwd(user->slirp, forward->udp, forward->host,
					   forward->host_port, forward->guest, forward->guest_port))
			return forward_failed(forward, errno, err);
	}
	return 0;
}

static int open_slirp(struct user *user, const struct hv_net_options *options, unsigned int mtu,
		      struct hv_error *err)
{
	int error = 0;

	user->lib = hv_slirp_load(err);
	if (!user->lib)
		return -ENOENT;
	enter();
	user->slirp = make_slirp(user, options, mtu);
	if (user->slirp)
		error = add_forwards(user, options, err);
	leave(user);
	if (!user->slirp)
		return hv_fail(err, ENOMEM, "libslirp does not start");
	user->poller = (struct hv_poller){ .ask = ask, .answer = answer, .ctx = user };
	hv_loop_add_poller(&user->net.dev.worker.loop, &user->poller);
	return error;
}

struct hv_virtio *hv_net_user_create(const struct hv_virtio_env *env,
				     const struct hv_net_options *options, struct hv_error *err)
{
	struct user *user = calloc(1, sizeof(*user));
	struct hv_net_setup setup = {
		.backend = &backend,
		.features = HV_VIRTIO_F_RINGS | HV_NET_F(CSUM) | HV_NET_F(GUEST_CSUM),
		.mtu = options->mtu ?: MTU,
		.pairs = 1,
	};

	if (!user) {
		hv_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	user->due = (struct hv_timer){ .fn = look_around, .dev = user };
	user->descriptors = hv_net_descriptors();
	user->forwards = options->nr_forwards;
	user->backlog_end = &user->backlog;
	memcpy(setup.mac, options->mac, sizeof(setup.mac));
	if (hv_net_init(&user->net, env, &setup, err)) {
		free(user);
		return NULL;
	}
	user->net.dev.worker.sandbox = HV_SANDBOX_USER_NET;
	if (open_slirp(user, options, setup.mtu, err)) {
		user_destroy(&user->net);
		return NULL;
	}
	return &user->net.dev;
}

#else

struct hv_virtio *hv_net_user_create(const struct hv_virtio_env *env,
				     const struct hv_net_options *options, struct hv_error *err)
{
	(void)env;
	(void)options;
	hv_fail(err, ENOTSUP,
		"this hvctl is built without libslirp; install libslirp-dev and build it again, or use tap:NAME");
	return NULL;
}

#endif
