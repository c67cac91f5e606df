// SPDX-License-Identifier: GPL-2.0-only
/* The front-end of vhost-user: what is said to a daemon, and what it answers. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fds.h"
#include "lib/loop.h"
#include "lib/util.h"
#include "vhost_user.h"
#include "vhost_user_msg.h"
#include "vhost_user_socket.h"

#define HEADER	sizeof(struct hv_vhost_user_header)
/* Of struct hv_vhost_user_config, before the bytes. */
#define CONFIG	offsetof(struct hv_vhost_user_config, data)

static const char *const names[HV_VHOST_USER_REQUESTS] = {
	[HV_VHOST_USER_GET_FEATURES] = "GET_FEATURES",
	[HV_VHOST_USER_SET_FEATURES] = "SET_FEATURES",
	[HV_VHOST_USER_SET_OWNER] = "SET_OWNER",
	[HV_VHOST_USER_SET_MEM_TABLE] = "SET_MEM_TABLE",
	[HV_VHOST_USER_SET_VRING_NUM] = "SET_VRING_NUM",
	[HV_VHOST_USER_SET_VRING_ADDR] = "SET_VRING_ADDR",
	[HV_VHOST_USER_SET_VRING_BASE] = "SET_VRING_BASE",
	[HV_VHOST_USER_GET_VRING_BASE] = "GET_VRING_BASE",
	[HV_VHOST_USER_SET_VRING_KICK] = "SET_VRING_KICK",
	[HV_VHOST_USER_SET_VRING_CALL] = "SET_VRING_CALL",
	[HV_VHOST_USER_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[HV_VHOST_USER_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[HV_VHOST_USER_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
	[HV_VHOST_USER_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
	[HV_VHOST_USER_SET_BACKEND_REQ_FD] = "SET_BACKEND_REQ_FD",
	[HV_VHOST_USER_GET_CONFIG] = "GET_CONFIG",
	[HV_VHOST_USER_SET_CONFIG] = "SET_CONFIG",
};

void hv_vhost_user_begin(struct hv_vhost_user *peer)
{
	peer->deadline_ns = hv_monotonic_ns() + peer->timeout_ms * 1000000ull;
}

/* ---------------------------------------------------------------- messages */

void hv_vhost_user_close(struct hv_vhost_user *peer)
{
	hv_close(peer->fd);
	hv_close(peer->left);
	hv_close(peer->channel);
	peer->fd = peer->left = peer->channel = -1;
	peer->rings = 0;
}

static bool has_ended(const struct hv_vhost_user *peer)
{
	char byte;
	ssize_t got = recv(peer->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	return !got || (got < 0 && errno != EAGAIN);
}

/*
 * It is asked nothing any more. RAM cannot be taken from it: it may be in the middle of a request,
 * and write what it has read, until it sees the end of the connection and closes it, too.
 */
static void hang_up(struct hv_vhost_user *peer)
{
	int left = -1;

	if (peer->rings && !has_ended(peer)) {
		shutdown(peer->fd, SHUT_WR);
		left = peer->fd;
		peer->fd = -1;
	}
	hv_vhost_user_close(peer);
	peer->left = left;
}

/* The socket has failed, while @request was under way. */
static int fail_socket(struct hv_vhost_user *peer, int error, unsigned int request,
		       struct hv_error *err)
{
	hang_up(peer);
	switch (-error) {
	case ETIMEDOUT:
		return hv_fail(err, ETIMEDOUT,
			       "the daemon has not answered %s within %d ms; look what it does",
			       names[request], peer->timeout_ms);
	case EPIPE:
	case ECONNRESET:
		return hv_fail(err, EPIPE, "the daemon has ended, or closed its socket, at %s",
			       names[request]);
	default:
		return hv_fail(err, -error, "%s: %s; start the daemon again", names[request],
			       strerror(-error));
	}
}

/* What it has answered is none. */
static int fail_reply(struct hv_vhost_user *peer, unsigned int request, struct hv_error *err)
{
	hang_up(peer);
	return hv_fail(err, EPROTO, "the daemon's answer to %s is wrong; is it for vhost-user?",
		       names[request]);
}

/* The answer, whose size is known. */
static int receive_reply(struct hv_vhost_user *peer, unsigned int request, void *reply,
			 uint32_t size, struct hv_error *err)
{
	struct hv_vhost_user_header header;
	int error = hv_vhost_user_receive(peer->fd, &header, sizeof(header), peer->deadline_ns);

	if (error)
		return fail_socket(peer, error, request, err);
	if (header.request != request || header.size != size ||
	    (header.flags & ~(uint32_t)HV_VHOST_USER_NEED_REPLY) !=
		    (HV_VHOST_USER_VERSION | HV_VHOST_USER_REPLY))
		return fail_reply(peer, request, err);
	error = hv_vhost_user_receive(peer->fd, reply, size, peer->deadline_ns);
	return error ? fail_socket(peer, error, request, err) : 0;
}

/**
 * struct call - something that the daemon is asked
 * @request: what
 * @body: that goes with it, @size bytes
 * @fds: that go with it, @nr_fds of them
 * @reply: where the answer goes, @reply_size bytes; none: whether it went well, if it tells that
 */
struct call {
	unsigned int request;
	const void *body;
	uint32_t size;
	const int *fds;
	unsigned int nr_fds;
	void *reply;
	uint32_t reply_size;
};

static int do_call(struct hv_vhost_user *peer, const struct call *call, struct hv_error *err)
{
	bool ack = !call->reply && peer->protocol & HV_VHOST_USER_REPLY_ACK;
	struct {
		struct hv_vhost_user_header header;
		union hv_vhost_user_body body;
	} __attribute__((packed)) message = {
		.header = { call->request, HV_VHOST_USER_VERSION, call->size },
	};
	uint64_t result = 0;
	int error;

	if (ack)
		message.header.flags |= HV_VHOST_USER_NEED_REPLY;
	if (call->size)
		memcpy(&message.body, call->body, call->size);
	error = hv_vhost_user_send(peer->fd, &message, HEADER + call->size, call->fds, call->nr_fds,
				   peer->deadline_ns);
	if (error)
		return fail_socket(peer, error, call->request, err);
	if (call->reply)
		return receive_reply(peer, call->request, call->reply, call->reply_size, err);
	if (!ack)
		return 0;
	error = receive_reply(peer, call->request, &result, sizeof(result), err);
	if (error || !result)
		return error;
	hang_up(peer);
	return hv_fail(err, EPROTO, "the daemon refuses %s; see what it says itself",
		       names[call->request]);
}

static int get_u64(struct hv_vhost_user *peer, unsigned int request, uint64_t *value,
		   struct hv_error *err)
{
	return do_call(peer,
		       &(struct call){
			       .request = request,
			       .reply = value,
			       .reply_size = sizeof(*value),
		       },
		       err);
}

static int set_u64(struct hv_vhost_user *peer, unsigned int request, uint64_t value,
		   struct hv_error *err)
{
	return do_call(peer,
		       &(struct call){
			       .request = request,
			       .body = &value,
			       .size = sizeof(value),
		       },
		       err);
}

static int set_state(struct hv_vhost_user *peer, unsigned int request, unsigned int n,
		     unsigned int value, struct hv_error *err)
{
	struct vhost_vring_state state = { n, value };

	return do_call(peer,
		       &(struct call){
			       .request = request,
			       .body = &state,
			       .size = sizeof(state),
		       },
		       err);
}

/* An eventfd for queue @n; -1: there is none. */
static int set_fd(struct hv_vhost_user *peer, unsigned int request, unsigned int n, int fd,
		  struct hv_error *err)
{
	uint64_t value = fd < 0 ? n | HV_VHOST_USER_NO_FD : n;

	return do_call(peer,
		       &(struct call){
			       .request = request,
			       .body = &value,
			       .size = sizeof(value),
			       .fds = &fd,
			       .nr_fds = fd >= 0,
		       },
		       err);
}

/* -------------------------------------------------------------- connection */

/* A way for it to have requests for us. */
static int open_channel(struct hv_vhost_user *peer, struct hv_error *err)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		error = -errno;
		hv_vhost_user_close(peer);
		return hv_fail(err, -error, "no sockets: %s; close something, or raise ulimit -n",
			       strerror(-error));
	}
	peer->channel = ends[0];
	error = do_call(peer,
			&(struct call){
				.request = HV_VHOST_USER_SET_BACKEND_REQ_FD,
				.fds = &ends[1],
				.nr_fds = 1,
			},
			err);
	close(ends[1]);
	return error;
}

static int agree_on_protocol(struct hv_vhost_user *peer, uint64_t wanted, struct hv_error *err)
{
	uint64_t has, queues;
	int error = get_u64(peer, HV_VHOST_USER_GET_PROTOCOL_FEATURES, &has, err);

	if (error)
		return error;
	error = set_u64(peer, HV_VHOST_USER_SET_PROTOCOL_FEATURES, has & wanted, err);
	if (error)
		return error;
	peer->protocol = has & wanted;
	if (peer->protocol & HV_VHOST_USER_MQ) {
		error = get_u64(peer, HV_VHOST_USER_GET_QUEUE_NUM, &queues, err);
		if (error)
			return error;
		peer->queues = queues < UINT_MAX ? (unsigned int)queues : UINT_MAX;
	}
	return peer->protocol & HV_VHOST_USER_CHANNEL ? open_channel(peer, err) : 0;
}

int hv_vhost_user_open(struct hv_vhost_user *peer, int fd, uint64_t wanted, struct hv_error *err)
{
	int error;

	peer->fd = fd;
	peer->protocol = 0;
	peer->queues = UINT_MAX;
	hv_vhost_user_begin(peer);
	error = do_call(peer, &(struct call){ .request = HV_VHOST_USER_SET_OWNER }, err);
	if (!error)
		error = get_u64(peer, HV_VHOST_USER_GET_FEATURES, &peer->features, err);
	if (error || !(peer->features & HV_VHOST_USER_F_PROTOCOL))
		return error;
	return agree_on_protocol(peer, wanted, err);
}

int hv_vhost_user_look(struct hv_vhost_user *peer, struct hv_error *err)
{
	bool ended = has_ended(peer);

	hang_up(peer);
	if (ended)
		return hv_fail(err, EPIPE, "the daemon has ended");
	return hv_fail(err, EPROTO, "the daemon says what nobody asked; is it for vhost-user?");
}

/* ----------------------------------------------------------------- a device */

int hv_vhost_user_set_features(struct hv_vhost_user *peer, uint64_t features, struct hv_error *err)
{
	features &= peer->features;
	features |= peer->features & HV_VHOST_USER_F_PROTOCOL;
	return set_u64(peer, HV_VHOST_USER_SET_FEATURES, features, err);
}

int hv_vhost_user_set_memory(struct hv_vhost_user *peer, const struct hv_memory *memory,
			     struct hv_error *err)
{
	struct hv_vhost_user_memory table = { .count = memory->count };
	int fds[HV_MEMORY_MAX_RANGES];

	_Static_assert(HV_MEMORY_MAX_RANGES <= HV_FDS_MAX, "RAM is the most that goes along");
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct hv_ram_range *range = &memory->range[i];

		fds[i] = memory->fd;
		table.region[i] = (struct hv_vhost_user_region){
			.gpa = range->gpa,
			.len = range->len,
			.user = (uintptr_t)range->hva,
			.offset = range->hva - memory->range[0].hva,
		};
	}
	return do_call(peer,
		       &(struct call){
			       .request = HV_VHOST_USER_SET_MEM_TABLE,
			       .body = &table,
			       .size = offsetof(struct hv_vhost_user_memory, region) +
				       memory->count * sizeof(table.region[0]),
			       .fds = fds,
			       .nr_fds = memory->count,
		       },
		       err);
}

static int set_addresses(struct hv_vhost_user *peer, unsigned int n, const struct hv_vqueue *ring,
			 struct hv_error *err)
{
	struct vhost_vring_addr addr = {
		.index = n,
		.desc_user_addr = (uintptr_t)ring->desc,
		.avail_user_addr = (uintptr_t)ring->driver,
		.used_user_addr = (uintptr_t)ring->device,
	};

	return do_call(peer,
		       &(struct call){
			       .request = HV_VHOST_USER_SET_VRING_ADDR,
			       .body = &addr,
			       .size = sizeof(addr),
		       },
		       err);
}

int hv_vhost_user_set_call(struct hv_vhost_user *peer, unsigned int n, int fd, struct hv_error *err)
{
	return set_fd(peer, HV_VHOST_USER_SET_VRING_CALL, n, fd, err);
}

/* The kick comes last: with it the ring starts. */
int hv_vhost_user_start_ring(struct hv_vhost_user *peer, unsigned int n,
			     const struct hv_vqueue *ring, struct hv_error *err)
{
	int error;

	peer->rings |= 1u << n;
	error = set_state(peer, HV_VHOST_USER_SET_VRING_NUM, n, ring->setup.size, err);
	error = error ?:
			set_state(peer, HV_VHOST_USER_SET_VRING_BASE, n,
				  hv_vqueue_position(ring).avail, err);
	error = error ?: set_addresses(peer, n, ring, err);
	error = error ?: hv_vhost_user_set_call(peer, n, ring->call_fd, err);
	error = error ?: set_fd(peer, HV_VHOST_USER_SET_VRING_KICK, n, ring->kick_fd, err);
	/* Without protocol features a ring is enabled from the start. */
	if (error || !(peer->features & HV_VHOST_USER_F_PROTOCOL))
		return error;
	return set_state(peer, HV_VHOST_USER_SET_VRING_ENABLE, n, 1, err);
}

int hv_vhost_user_stop_ring(struct hv_vhost_user *peer, unsigned int n, uint16_t *avail,
			    struct hv_error *err)
{
	struct vhost_vring_state state = { .index = n };
	int error = do_call(peer,
			    &(struct call){
				    .request = HV_VHOST_USER_GET_VRING_BASE,
				    .body = &state,
				    .size = sizeof(state),
				    .reply = &state,
				    .reply_size = sizeof(state),
			    },
			    err);

	if (error)
		return error;
	if (state.index != n || state.num > UINT16_MAX)
		return fail_reply(peer, HV_VHOST_USER_GET_VRING_BASE, err);
	peer->rings &= ~(1u << n);
	*avail = (uint16_t)state.num;
	return 0;
}

/* ----------------------------------------------------- configuration space */

int hv_vhost_user_get_config(struct hv_vhost_user *peer, void *config, uint32_t len,
			     struct hv_error *err)
{
	struct hv_vhost_user_config body = { .size = len };
	int error = do_call(peer,
			    &(struct call){
				    .request = HV_VHOST_USER_GET_CONFIG,
				    .body = &body,
				    .size = (uint32_t)(CONFIG + len),
				    .reply = &body,
				    .reply_size = (uint32_t)(CONFIG + len),
			    },
			    err);

	if (error)
		return error;
	if (body.offset || body.size != len)
		return fail_reply(peer, HV_VHOST_USER_GET_CONFIG, err);
	memcpy(config, body.data, len);
	return 0;
}

int hv_vhost_user_set_config(struct hv_vhost_user *peer, uint32_t offset, const void *data,
			     uint32_t len, struct hv_error *err)
{
	struct hv_vhost_user_config body = { .offset = offset, .size = len };

	memcpy(body.data, data, len);
	return do_call(peer,
		       &(struct call){
			       .request = HV_VHOST_USER_SET_CONFIG,
			       .body = &body,
			       .size = (uint32_t)(CONFIG + len),
		       },
		       err);
}

/* ----------------------------------------------------------------- channel */

/* From the end of the channel to that of the connection, if the daemon has ended. */
#define LAST_MOMENT_NS 100000000ull

static int fail_channel(struct hv_vhost_user *peer, int error, struct hv_error *err)
{
	if (error == -EPIPE)
		(void)hv_vhost_user_wait(peer->fd, POLLIN, hv_monotonic_ns() + LAST_MOMENT_NS);
	hang_up(peer);
	if (error == -EPIPE)
		return hv_fail(err, EPIPE, "the daemon has ended, or closed its channel");
	return hv_fail(err, EPROTO, "the daemon asks what there is not; is it for vhost-user?");
}

int hv_vhost_user_serve(struct hv_vhost_user *peer, struct hv_error *err)
{
	struct hv_vhost_user_header header;
	struct {
		struct hv_vhost_user_header header;
		uint64_t result;
	} __attribute__((packed)) reply;
	int error =
		hv_vhost_user_receive(peer->channel, &header, sizeof(header), peer->deadline_ns);

	if (error)
		return fail_channel(peer, error, err);
	if (header.request != HV_VHOST_USER_CONFIG_CHANGE || header.size ||
	    !(peer->protocol & HV_VHOST_USER_CONFIG))
		return fail_channel(peer, -EPROTO, err);
	if (header.flags & HV_VHOST_USER_NEED_REPLY) {
		reply.header = header;
		reply.header.flags = HV_VHOST_USER_VERSION | HV_VHOST_USER_REPLY;
		reply.header.size = sizeof(reply.result);
		reply.result = 0;
		error = hv_vhost_user_send(peer->channel, &reply, sizeof(reply), NULL, 0,
					   peer->deadline_ns);
		if (error)
			return fail_channel(peer, error, err);
	}
	return 1;
}
