// SPDX-License-Identifier: GPL-2.0-only
/* A vhost-user daemon for tests: the other end of virtio/vhost_user.c. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_vhost_user.h"
#include "hv_test.h"
#include "lib/util.h"

#define MAX_FDS 2

struct request {
	struct hv_vhost_user_header header;
	union hv_vhost_user_body body;
	int fd[MAX_FDS];
	unsigned int fds;
};

/* ------------------------------------------------------------------- rings */

static uint64_t gpa_of(const struct fake *fake, uint64_t user)
{
	for (unsigned int i = 0; i < fake->table.count; i++) {
		const struct hv_vhost_user_region *region = &fake->table.region[i];

		if (user - region->user < region->len)
			return region->gpa + (user - region->user);
	}
	return UINT64_MAX;
}

static void start_ring(struct fake *fake, struct fake_ring *ring)
{
	struct hv_vqueue_position position;

	if (ring->queue.up || ring->kick_fd < 0 || !ring->enabled)
		return;
	ring->setup.desc = gpa_of(fake, ring->addr.desc_user_addr);
	ring->setup.driver = gpa_of(fake, ring->addr.avail_user_addr);
	ring->setup.device = gpa_of(fake, ring->addr.used_user_addr);
	ring->setup.indirect = fake->chosen & HV_VIRTIO_F_INDIRECT_DESC;
	ring->setup.event_idx = fake->chosen & HV_VIRTIO_F_EVENT_IDX;
	assert_int_equal(hv_vqueue_up(&ring->queue, &ring->setup), 0);
	position = hv_vqueue_position(&ring->queue);
	position.avail = position.used = ring->base;
	assert_int_equal(hv_vqueue_set_position(&ring->queue, &position), 0);
	atomic_store(&ring->queue.call_fd, ring->call_fd);
}

static void stop_ring(struct fake_ring *ring)
{
	if (ring->queue.up)
		ring->base = hv_vqueue_position(&ring->queue).avail;
	hv_vqueue_down(&ring->queue);
	hv_close(ring->kick_fd);
	hv_close(ring->call_fd);
	ring->kick_fd = ring->call_fd = -1;
}

static void serve_chain(struct fake_ring *ring, struct hv_vchain *chain)
{
	char text[256];
	size_t len = hv_vchain_read(chain, 0, text, sizeof(text));

	for (size_t i = 0; i < len; i++)
		text[i] = (char)toupper(text[i]);
	len = hv_vchain_write(chain, 0, text, len);
	hv_vqueue_push(&ring->queue, chain, (uint32_t)len);
}

static void serve_ring(struct fake *fake, struct fake_ring *ring)
{
	struct hv_vchain *chain;
	uint64_t count;

	(void)!read(ring->kick_fd, &count, sizeof(count));
	do {
		hv_vqueue_hush(&ring->queue);
		while (hv_vqueue_pop(&ring->queue, &chain) > 0) {
			serve_chain(ring, chain);
			atomic_fetch_add(&fake->chains, 1);
		}
	} while (hv_vqueue_listen(&ring->queue));
	hv_vqueue_tell(&ring->queue);
}

/* ---------------------------------------------------------------- requests */

static void forget_memory(struct fake *fake)
{
	for (unsigned int n = 0; n < FAKE_QUEUES; n++)
		hv_vqueue_down(&fake->ring[n].queue);
	hv_memory_exit(&fake->memory);
}

static void take_memory(struct fake *fake, const struct request *request)
{
	uint64_t size = 0;
	struct hv_error err;

	forget_memory(fake);
	fake->table = request->body.memory;
	assert_int_equal(request->fds, fake->table.count);
	for (unsigned int i = 0; i < fake->table.count; i++) {
		assert_int_equal(fake->table.region[i].offset, size);
		size += fake->table.region[i].len;
	}
	assert_int_equal(hv_memory_init_fd(&fake->memory, request->fd[0], size, &err), 0);
}

static struct fake_ring *ring_of(struct fake *fake, const struct request *request)
{
	unsigned int n = request->body.state.index & 0xff;

	assert_true(n < FAKE_QUEUES);
	return &fake->ring[n];
}

/* -1: there is none. The caller of take() closes what is left. */
static int take_fd(struct request *request)
{
	int fd = request->fds ? request->fd[0] : -1;

	assert_int_equal(!request->fds, !!(request->body.u64 & HV_VHOST_USER_NO_FD));
	request->fd[0] = -1;
	return fd;
}

static void take_ring_request(struct fake *fake, struct request *request)
{
	struct fake_ring *ring = ring_of(fake, request);

	switch (request->header.request) {
	case HV_VHOST_USER_SET_VRING_NUM:
		ring->setup.size = (uint16_t)request->body.state.num;
		break;
	case HV_VHOST_USER_SET_VRING_ADDR:
		ring->addr = request->body.addr;
		break;
	case HV_VHOST_USER_SET_VRING_BASE:
		ring->base = (uint16_t)request->body.state.num;
		fake->last_base = ring->base;
		break;
	case HV_VHOST_USER_SET_VRING_KICK:
		hv_close(ring->kick_fd);
		ring->kick_fd = take_fd(request);
		break;
	case HV_VHOST_USER_SET_VRING_CALL:
		atomic_store(&ring->queue.call_fd, -1);
		hv_close(ring->call_fd);
		ring->call_fd = take_fd(request);
		atomic_store(&ring->queue.call_fd, ring->call_fd);
		return;
	case HV_VHOST_USER_SET_VRING_ENABLE:
		ring->enabled = request->body.state.num;
		break;
	default:
		return;
	}
	start_ring(fake, ring);
}

static void take(struct fake *fake, struct request *request)
{
	switch (request->header.request) {
	case HV_VHOST_USER_SET_FEATURES:
		atomic_store(&fake->chosen, request->body.u64);
		/* Before it is agreed upon that they are disabled at first. */
		for (unsigned int n = 0; n < FAKE_QUEUES; n++)
			fake->ring[n].enabled = !(request->body.u64 & HV_VHOST_USER_F_PROTOCOL);
		break;
	case HV_VHOST_USER_SET_MEM_TABLE:
		take_memory(fake, request);
		break;
	case HV_VHOST_USER_SET_BACKEND_REQ_FD:
		fake->channel = request->fd[0];
		request->fd[0] = -1;
		break;
	case HV_VHOST_USER_SET_CONFIG:
		atomic_store(&fake->written, request->body.config.data[0]);
		fake->config[request->body.config.offset] = request->body.config.data[0];
		break;
	case HV_VHOST_USER_SET_VRING_NUM:
	case HV_VHOST_USER_SET_VRING_ADDR:
	case HV_VHOST_USER_SET_VRING_BASE:
	case HV_VHOST_USER_SET_VRING_KICK:
	case HV_VHOST_USER_SET_VRING_CALL:
	case HV_VHOST_USER_SET_VRING_ENABLE:
		take_ring_request(fake, request);
		break;
	}
}

/* ----------------------------------------------------------------- answers */

struct answer {
	struct hv_vhost_user_header header;
	union hv_vhost_user_body body;
	char more[64];
} __attribute__((packed));

/* The bytes of the answer; 0: none is wanted. */
static uint32_t make_answer(struct fake *fake, const struct request *request, struct answer *answer)
{
	switch (request->header.request) {
	case HV_VHOST_USER_GET_FEATURES:
		answer->body.u64 = fake->features;
		return sizeof(uint64_t);
	case HV_VHOST_USER_GET_PROTOCOL_FEATURES:
		answer->body.u64 = fake->protocol;
		return sizeof(uint64_t);
	case HV_VHOST_USER_GET_QUEUE_NUM:
		answer->body.u64 = fake->queues;
		return sizeof(uint64_t);
	case HV_VHOST_USER_GET_VRING_BASE:
		stop_ring(ring_of(fake, request));
		answer->body.state.index = request->body.state.index;
		answer->body.state.num = ring_of(fake, request)->base;
		return sizeof(answer->body.state);
	case HV_VHOST_USER_GET_CONFIG:
		answer->body.config = request->body.config;
		assert_true(request->body.config.size <= FAKE_CONFIG);
		memcpy(answer->body.config.data, fake->config, FAKE_CONFIG);
		return request->header.size;
	default:
		if (!(request->header.flags & HV_VHOST_USER_NEED_REPLY))
			return 0;
		answer->body.u64 = 0;
		return sizeof(uint64_t);
	}
}

static void send_answer(struct fake *fake, struct answer *answer, enum fake_fault fault)
{
	size_t len = sizeof(answer->header) + answer->header.size;

	switch (fault) {
	case FAKE_REFUSES:
		answer->body.u64 = 1;
		break;
	case FAKE_ANSWERS_OTHER:
		answer->header.request++;
		break;
	case FAKE_ANSWERS_LONG:
		answer->header.size += 8;
		len += 8;
		break;
	case FAKE_ANSWERS_SHORT:
		answer->header.size -= 4;
		len -= 4;
		break;
	case FAKE_ANSWERS_HALF:
	case FAKE_ANSWERS_HALF_AND_HANGS:
		len -= 4;
		break;
	case FAKE_FORGETS_FLAG:
		answer->header.flags = HV_VHOST_USER_VERSION;
		break;
	default:
		break;
	}
	/* The front-end may have given it up. */
	if (send(fake->fd, answer, len, MSG_NOSIGNAL) < 0)
		assert_int_equal(errno, EPIPE);
}

/* Returns whether it goes on. */
static bool answer(struct fake *fake, const struct request *request)
{
	enum fake_fault fault = request->header.request == fake->fault_at ? fake->fault : FAKE_FINE;
	struct answer answer = {
		.header.request = request->header.request,
		.header.flags = HV_VHOST_USER_VERSION | HV_VHOST_USER_REPLY,
	};

	if (fault == FAKE_DIES)
		return false;
	poll(&(struct pollfd){ .fd = fake->stop_fd, .events = POLLIN }, 1,
	     atomic_load(&fake->delay_ms));
	answer.header.size = make_answer(fake, request, &answer);
	if (fault != FAKE_HANGS && answer.header.size)
		send_answer(fake, &answer, fault);
	/* It waits to be stopped. */
	if (fault == FAKE_HANGS || fault == FAKE_ANSWERS_HALF_AND_HANGS)
		poll(&(struct pollfd){ .fd = fake->stop_fd, .events = POLLIN }, 1, -1);
	return fault == FAKE_FINE;
}

/* Returns the number of bytes; fds come with the first. */
static ssize_t receive(int fd, struct request *request)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { &request->header, sizeof(request->header) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(fd, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	request->fds = 0;
	if (got > 0 && cmsg) {
		request->fds = (unsigned int)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(request->fd, CMSG_DATA(cmsg), request->fds * sizeof(int));
	}
	if (got <= 0 || !request->header.size)
		return got;
	assert_int_equal(got, sizeof(request->header));
	assert_true(request->header.size <= sizeof(request->body));
	return recv(fd, &request->body, request->header.size, MSG_WAITALL);
}

/* Returns whether it goes on. */
static bool serve_request(struct fake *fake)
{
	struct request request;
	bool goes_on;

	if (receive(fake->fd, &request) <= 0)
		return false;
	assert_int_equal(request.header.flags & ~(uint32_t)HV_VHOST_USER_NEED_REPLY,
			 HV_VHOST_USER_VERSION);
	assert_true(request.header.request < HV_VHOST_USER_REQUESTS);
	atomic_fetch_add(&fake->seen[request.header.request], 1);
	take(fake, &request);
	goes_on = answer(fake, &request);
	for (unsigned int i = 0; i < request.fds; i++)
		hv_close(request.fd[i]);
	return goes_on;
}

/* ------------------------------------------------------------------ thread */

/* Until the front-end has gone, it dies, or it is stopped; true: not the last. */
static bool serve_connection(struct fake *fake)
{
	struct pollfd fds[2 + FAKE_QUEUES];

	for (;;) {
		fds[0] = (struct pollfd){ .fd = fake->fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = fake->stop_fd, .events = POLLIN };
		for (unsigned int n = 0; n < FAKE_QUEUES; n++) {
			bool up = fake->ring[n].queue.up;

			fds[2 + n] = (struct pollfd){ .events = POLLIN };
			fds[2 + n].fd = up ? fake->ring[n].kick_fd : -1;
		}
		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[1].revents)
			return false;
		for (unsigned int n = 0; n < FAKE_QUEUES; n++)
			if (fds[2 + n].revents)
				serve_ring(fake, &fake->ring[n]);
		if (fds[0].revents && !serve_request(fake))
			return true;
	}
}

static void forget_connection(struct fake *fake)
{
	for (unsigned int n = 0; n < FAKE_QUEUES; n++)
		stop_ring(&fake->ring[n]);
	forget_memory(fake);
	hv_close(fake->fd);
	hv_close(fake->channel);
	fake->fd = fake->channel = -1;
}

static void *fake_thread(void *ctx)
{
	struct fake *fake = ctx;
	bool goes_on = true;

	while (goes_on) {
		struct pollfd fds[2] = {
			{ .fd = fake->listener, .events = POLLIN },
			{ .fd = fake->stop_fd, .events = POLLIN },
		};

		poll(fds, 2, -1);
		if (fds[1].revents)
			break;
		fake->fd = accept(fake->listener, NULL, NULL);
		goes_on = serve_connection(fake);
		forget_connection(fake);
	}
	return NULL;
}

void fake_init(struct fake *fake)
{
	static unsigned int number;

	*fake = (struct fake){
		.features = HV_VIRTIO_F_VERSION_1 | HV_VIRTIO_F_INDIRECT_DESC |
			    HV_VIRTIO_F_EVENT_IDX | HV_VHOST_USER_F_PROTOCOL,
		.protocol = ~0ull,
		.queues = FAKE_QUEUES,
		.listener = -1,
		.fd = -1,
		.channel = -1,
		.stop_fd = -1,
		.memory.fd = -1,
	};
	atomic_store(&fake->written, -1);
	snprintf(fake->path, sizeof(fake->path), "/tmp/fake-vhost-user-%d-%u", getpid(), number++);
}

void fake_start(struct fake *fake)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	fake->stop_fd = eventfd(0, EFD_CLOEXEC);
	for (unsigned int n = 0; n < FAKE_QUEUES; n++) {
		struct fake_ring *ring = &fake->ring[n];

		*ring = (struct fake_ring){ .kick_fd = -1, .call_fd = -1 };
		assert_int_equal(hv_vqueue_init(&ring->queue, &fake->memory, HV_VQUEUE_MAX), 0);
	}
	strcpy(address.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fake->listener, 1), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, fake_thread, fake), 0);
}

void fake_stop(struct fake *fake)
{
	const uint64_t one = 1;

	assert_int_equal(write(fake->stop_fd, &one, sizeof(one)), sizeof(one));
	pthread_join(fake->thread, NULL);
	for (unsigned int n = 0; n < FAKE_QUEUES; n++)
		hv_vqueue_exit(&fake->ring[n].queue);
	close(fake->listener);
	close(fake->stop_fd);
	unlink(fake->path);
}

void fake_change_config(struct fake *fake, unsigned int offset, uint8_t value, bool need_reply)
{
	struct hv_vhost_user_header header = { HV_VHOST_USER_CONFIG_CHANGE, HV_VHOST_USER_VERSION,
					       0 };
	struct {
		struct hv_vhost_user_header header;
		uint64_t result;
	} __attribute__((packed)) reply;

	fake->config[offset] = value;
	if (need_reply)
		header.flags |= HV_VHOST_USER_NEED_REPLY;
	assert_int_equal(send(fake->channel, &header, sizeof(header), 0), sizeof(header));
	if (!need_reply)
		return;
	assert_int_equal(recv(fake->channel, &reply, sizeof(reply), MSG_WAITALL), sizeof(reply));
	assert_int_equal(reply.header.flags, HV_VHOST_USER_VERSION | HV_VHOST_USER_REPLY);
	assert_int_equal(reply.result, 0);
}

void fake_talk(struct fake *fake)
{
	assert_int_equal(send(fake->fd, "x", 1, 0), 1);
}
