// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random numbers of the host's kernel for the guest. Virtio 1.2, "Entropy Device".
 *
 * They cost CPU time of the host, which nobody accounts to a vCPU: so a guest gets so many bytes a
 * while, and no more: more than a hardware generator has, and more than an honest kernel asks.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rng.h"
#include "virtio.h"

#define QUEUE_SIZE 64
/* What a chain gets at the most: the driver asks again for more. */
#define CHAIN_MAX  (64 * HV_KIB)
#define PERIOD_NS  10000000
#define PER_PERIOD (64 * HV_KIB)
/* A chain costs as much as so many bytes, however few it wants. */
#define CHAIN_COST 256
#define PIECE	   4096

struct rng {
	struct hv_virtio dev;
	struct hv_timer timer;		/* the next period, if somebody waits for it */
	uint64_t begin_ns;		/* of this period */
	uint64_t left;			/* of it, in bytes */
};

static struct rng *rng_of(struct hv_virtio *dev)
{
	return (void *)((char *)dev - offsetof(struct rng, dev));
}

static struct hv_clock *clock_of(struct rng *rng)
{
	return &rng->dev.worker.loop.clock;
}

/* Returns the bytes written: fewer than there is room for if the host has none yet. */
static uint32_t fill(const struct hv_vchain *chain)
{
	uint64_t len = chain->in_len < CHAIN_MAX ? chain->in_len : CHAIN_MAX, done = 0;
	uint8_t piece[PIECE];

	while (done < len) {
		size_t want = len - done < PIECE ? len - done : PIECE;
		/* Early in the host's boot it would wait, and who resets the machine with it. */
		ssize_t got = getrandom(piece, want, GRND_NONBLOCK);

		if (got <= 0)
			break;
		done += hv_vchain_write(chain, done, piece, got);
	}
	return done;
}

static void charge(struct rng *rng, uint32_t bytes)
{
	uint64_t cost = bytes > CHAIN_COST ? bytes : CHAIN_COST;

	rng->left -= cost < rng->left ? cost : rng->left;
}

static void begin_period(struct rng *rng)
{
	uint64_t now = hv_now_ns(clock_of(rng));

	if (rng->begin_ns && now - rng->begin_ns < PERIOD_NS)
		return;
	rng->begin_ns = now;
	rng->left = PER_PERIOD;
}

/* Returns whether there is more to do, which has to wait. */
static bool serve_some(struct rng *rng)
{
	struct hv_vqueue *ring = hv_virtio_ring(&rng->dev, 0);
	struct hv_vchain *chain;
	uint32_t written;

	while (rng->left) {
		if (hv_virtio_pop(&rng->dev, 0, &chain) <= 0)
			return false;
		written = fill(chain);
		charge(rng, written);
		if (!written && chain->in_len) {
			hv_vqueue_unpop(ring, chain);
			return true;
		}
		hv_vqueue_push(ring, chain, written);
	}
	return true;
}

static void serve(struct rng *rng)
{
	struct hv_vqueue *ring = hv_virtio_ring(&rng->dev, 0);
	bool waits;

	begin_period(rng);
	do {
		hv_vqueue_hush(ring);
		waits = serve_some(rng);
	} while (!waits && hv_vqueue_listen(ring));
	hv_vqueue_tell(ring);
	if (waits)
		hv_timer_arm(clock_of(rng), &rng->timer, rng->begin_ns + PERIOD_NS);
}

static void on_period(void *dev)
{
	serve(dev);
}

/* While it waits for the next period no kick is wanted, but one may be on its way. */
static void rng_kick(struct hv_virtio *dev, unsigned int n)
{
	struct rng *rng = rng_of(dev);

	(void)n;
	if (!rng->timer.armed)
		serve(rng);
}

static void rng_stop(struct hv_virtio *dev, bool reset)
{
	struct rng *rng = rng_of(dev);

	(void)reset;
	hv_timer_cancel(clock_of(rng), &rng->timer);
}

static void rng_destroy(struct hv_virtio *dev)
{
	hv_virtio_exit(dev);
	free(rng_of(dev));
}

static const struct hv_virtio_kind rng_kind = {
	.name = "rng",
	.id = VIRTIO_ID_RNG,
	.class_code = 0x00ff00,
	.stop = rng_stop,
	.kick = rng_kick,
	.destroy = rng_destroy,
};

struct hv_virtio *hv_virtio_rng_create(const struct hv_virtio_env *env, const char *options,
				       struct hv_error *err)
{
	struct rng *rng = calloc(1, sizeof(*rng));

	(void)options;
	if (!rng) {
		hv_fail(err, ENOMEM, "no memory; close something");
		return NULL;
	}
	if (hv_virtio_init(&rng->dev, &rng_kind, env->memory, HV_VIRTIO_F_RINGS, err)) {
		free(rng);
		return NULL;
	}
	rng->timer = (struct hv_timer){ .fn = on_period, .dev = rng };
	if (!hv_virtio_add_queue(&rng->dev, QUEUE_SIZE, err))
		return &rng->dev;
	rng_destroy(&rng->dev);
	return NULL;
}
