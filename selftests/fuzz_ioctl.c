// SPDX-License-Identifier: GPL-2.0-only
/* Random ioctls on all kinds of fds from several threads, fds closed under them. */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lib.h"

#define THREADS	4
#define ROUNDS	1500
#define FDS	12

static volatile int fds[FDS];
static u8 *memory;
static int events[2];

struct worker {
	pthread_t thread;
	u64 seed;
	u32 succeeded;
};

static u64 noise(struct worker *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed;
}

static const unsigned long cmds[] = {
	TINYVMX_GET_INFO, TINYVMX_CREATE_VM, TINYVMX_SET_MEMORY,
	TINYVMX_CREATE_VCPU, TINYVMX_RUN, TINYVMX_GET_STATE,
	TINYVMX_SET_STATE, TINYVMX_SET_CPUID, TINYVMX_INJECT, TINYVMX_GET_VMCS,
	TINYVMX_SET_MEMORY, TINYVMX_CREATE_VCPU, TINYVMX_RUN, TINYVMX_RUN,
	TINYVMX_IOEVENTFD, TINYVMX_IOEVENTFD,
};

/* Mostly well-formed: what is malformed never gets far. */
static void fill(struct worker *w, unsigned long cmd, u64 *arg)
{
	static const u32 bytes[] = {
		[0x00] = 264, [0x01] = 8, [0x10] = 40, [0x11] = 16, [0x13] = 24,
		[0x21] = 32, [0x22] = 32, [0x23] = 24, [0x24] = 24, [0x25] = 24,
	};
	static const u32 blob_bytes[] = { 0, 144, 296, 16, 640, 40, 48 };
	u32 *word = (u32 *)arg;

	memset(arg, 0, 512);
	word[0] = cmd == TINYVMX_RUN ? 0 : bytes[cmd & 0xff];
	switch (cmd) {
	case TINYVMX_IOEVENTFD:
		word[1] = noise(w) % 4;
		word[2] = events[noise(w) % 2];
		word[3] = noise(w) % 4 | 1U << (16 + noise(w) % 3);
		word[4] = word[1] & TINYVMX_IOEVENTFD_DATAMATCH ? noise(w) % 2 : 0;
		break;
	case TINYVMX_SET_MEMORY:
		word[2] = noise(w) % 4;
		arg[2] = noise(w) % 64 * PAGE;
		arg[3] = noise(w) % 32 * PAGE;
		arg[4] = (uintptr_t)memory + noise(w) % 64 * PAGE;
		break;
	case TINYVMX_GET_STATE:
	case TINYVMX_SET_STATE:
		word[2] = noise(w) % 7;
		word[3] = 1;
		arg[2] = (uintptr_t)memory + noise(w) % 64 * PAGE;
		arg[3] = blob_bytes[word[2]];
		break;
	case TINYVMX_SET_CPUID:
		word[2] = noise(w) % 3;
		arg[2] = (uintptr_t)memory;
		break;
	case TINYVMX_GET_VMCS:
		word[2] = noise(w) % 300;
		arg[2] = (uintptr_t)memory;
		break;
	default:
		word[2] = noise(w) % 4;
		word[3] = noise(w) % 64;
	}
	if (noise(w) % 8 == 0)
		word[noise(w) % 10] ^= 1u << noise(w) % 32;
}

static void replace(u32 slot, int fd)
{
	int old = __atomic_exchange_n(&fds[slot], fd, __ATOMIC_SEQ_CST);

	if (old > 2)
		close(old);
}

static void one(struct worker *w)
{
	u64 arg[64];
	unsigned long cmd = cmds[noise(w) % ARRAY_SIZE(cmds)];
	int fd = fds[noise(w) % FDS];
	int ret;

	fill(w, cmd, arg);
	ret = ioctl(fd, cmd, cmd == TINYVMX_RUN ? NULL : arg);
	if (ret < 0)
		return;
	w->succeeded++;
	if (ret > 2)
		replace(2 + noise(w) % (FDS - 2), ret);
	else if (noise(w) % 64 == 0)
		madvise(memory + noise(w) % 64 * PAGE, PAGE, MADV_DONTNEED);
}

static void *works(void *arg)
{
	struct worker *w = arg;

	for (u32 i = 0; i < ROUNDS; i++)
		one(w);
	return NULL;
}

static volatile bool stop;

/* RUNs of garbage may last: kick all threads now and then. */
static void *kicks(void *arg)
{
	struct worker *workers = arg;

	while (!stop) {
		sleep_us(2000);
		for (u32 i = 0; i < THREADS; i++)
			pthread_kill(workers[i].thread, SIGUSR1);
	}
	return NULL;
}

static void nothing(void)
{
}

int main(void)
{
	struct worker workers[THREADS];
	struct vcpu *vcpu;
	pthread_t kicker;
	u32 succeeded = 0;

	tap_init();
	ignore_signal(SIGUSR1);
	memory = map_anon(128 * PAGE);
	for (u32 i = 0; i < ARRAY_SIZE(events); i++)
		events[i] = must(eventfd(0, EFD_NONBLOCK));
	fds[0] = fds[1] = dev_open();
	for (u32 i = 2; i < FDS; i++)
		fds[i] = create_vm_fd();
	for (u32 i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .seed = 0x9e3779b97f4a7c15 * (i + 1) };
		pthread_create(&workers[i].thread, NULL, works, &workers[i]);
	}
	pthread_create(&kicker, NULL, kicks, workers);
	/* A thread that was joined must not be kicked any more: kick this one. */
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		workers[i].thread = pthread_self();
		succeeded += workers[i].succeeded;
	}
	stop = true;
	pthread_join(kicker, NULL);
	ok(succeeded > 100, "%u of %u random ioctls succeeded", succeeded,
	   THREADS * ROUNDS);
	for (u32 i = 1; i < FDS; i++)
		close(fds[i]);
	vcpu = vcpu_simple(nothing);
	ok_done(vcpu, "a sane guest runs afterwards");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
