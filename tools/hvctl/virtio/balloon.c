// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio balloon. Virtio 1.2, "Traditional Memory Balloon Device".
 *
 * A page that the guest puts into the balloon, or reports as free, is taken from its RAM: it reads
 * zero when it is touched again, and costs the host nothing until then. Nothing is remembered about
 * it: so the same page twice, or one that comes back untold, is as good as any other.
 */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "balloon.h"
#include "lib/lock.h"
#include "lib/util.h"
#include "virtio.h"

#define F_STATS	     (1ull << VIRTIO_BALLOON_F_STATS_VQ)
#define F_OOM	     (1ull << VIRTIO_BALLOON_F_DEFLATE_ON_OOM)
#define F_REPORTING  (1ull << VIRTIO_BALLOON_F_REPORTING)
#define FEATURES     (HV_VIRTIO_F_RINGS | F_STATS | F_OOM | F_REPORTING)

#define QUEUE_SIZE   128
#define PAGE	     (1ull << VIRTIO_BALLOON_PFN_SHIFT)
/* A turn: then others that wait for the loop come first. */
#define TURN_CHAINS  16
#define TURN_PAGES   4096
/* Of a chain; numbers of more pages than that are passed over: the guest has those for naught. */
#define CHAIN_PAGES  4096
#define PFNS	     256	/* that are copied at once */
#define STATS_MAX    32		/* that a driver may tell; 10 are known */

enum {
	INFLATE,
	DEFLATE,
	STATS,
	/*
	 * Of free pages. The specification has number 4, behind that of a feature which we do not
	 * offer; kernels before 6.11 count what there is.
	 */
	REPORTING_COUNTED,
	REPORTING,
	NR_QUEUES
};

struct balloon {
	struct hv_virtio dev;
	struct hv_timer again;		/* there is more to do, after a turn */
	struct hv_job ask_job;
	/* What the guest has counted comes in a chain that we keep until we want to know again. */
	struct hv_vchain *stats;

	pthread_mutex_t lock;		/* innermost; the following */
	uint64_t target;
	uint32_t known;
	uint64_t count[HV_BALLOON_COUNTS];
	uint64_t told_ns;
};

const struct hv_balloon_count hv_balloon_counts[HV_BALLOON_COUNTS] = {
	[VIRTIO_BALLOON_S_SWAP_IN] = { "swap_in", 1 },
	[VIRTIO_BALLOON_S_SWAP_OUT] = { "swap_out", 1 },
	[VIRTIO_BALLOON_S_MAJFLT] = { "major_faults", 0 },
	[VIRTIO_BALLOON_S_MINFLT] = { "minor_faults", 0 },
	[VIRTIO_BALLOON_S_MEMFREE] = { "free", 1 },
	[VIRTIO_BALLOON_S_MEMTOT] = { "total", 1 },
	[VIRTIO_BALLOON_S_AVAIL] = { "available", 1 },
	[VIRTIO_BALLOON_S_CACHES] = { "caches", 1 },
	[VIRTIO_BALLOON_S_HTLB_PGALLOC] = { "hugetlb_allocations", 0 },
	[VIRTIO_BALLOON_S_HTLB_PGFAIL] = { "hugetlb_failures", 0 },
};

static struct balloon *balloon_of(struct hv_virtio *dev)
{
	return (void *)((char *)dev - offsetof(struct balloon, dev));
}

static void come_again(struct balloon *balloon)
{
	struct hv_clock *clock = &balloon->dev.worker.loop.clock;

	hv_timer_arm(clock, &balloon->again, hv_now_ns(clock));
}

/* What may be done before others come first. */
struct turn {
	int chains, pages;
};

/* ------------------------------------------------------------------- pages */

/* Pages that lie side by side, in whatever order they come: one system call for all. */
struct run {
	uint64_t gpa, len;
};

static void discard(const struct balloon *balloon, const struct run *run)
{
	/* What is no RAM is not taken: the guest has lied to itself. */
	if (run->len)
		(void)hv_memory_discard(balloon->dev.memory, run->gpa, run->len);
}

static void add_page(const struct balloon *balloon, struct run *run, uint32_t pfn)
{
	uint64_t gpa = (uint64_t)pfn << VIRTIO_BALLOON_PFN_SHIFT;

	if (run->len && gpa == run->gpa + run->len) {
		run->len += PAGE;
	} else if (run->len && gpa + PAGE == run->gpa) {
		run->gpa = gpa;
		run->len += PAGE;
	} else {
		discard(balloon, run);
		*run = (struct run){ gpa, PAGE };
	}
}

static void inflate(struct balloon *balloon, const struct hv_vchain *chain, struct turn *turn)
{
	uint32_t pfns[PFNS];
	struct run run = { 0 };
	uint64_t offset = 0;
	size_t count;

	do {
		count = hv_vchain_read(chain, offset, pfns, sizeof(pfns)) / sizeof(pfns[0]);
		for (size_t i = 0; i < count; i++)
			add_page(balloon, &run, pfns[i]);
		offset += sizeof(pfns);
		turn->pages -= count;
	} while (count == PFNS && offset < CHAIN_PAGES * sizeof(pfns[0]));
	discard(balloon, &run);
}

/* Whole pages of a buffer, which the guest wants to find there or zeroed, as it comes. */
static void discard_buffer(const struct balloon *balloon, const struct iovec *buffer)
{
	uint64_t gpa, end;

	if (!hv_memory_find(balloon->dev.memory, buffer->iov_base, &gpa))
		return;
	end = (gpa + buffer->iov_len) & ~(PAGE - 1);
	gpa = hv_align_up(gpa, PAGE);
	if (gpa < end)
		(void)hv_memory_discard(balloon->dev.memory, gpa, end - gpa);
}

static void discard_buffers(struct balloon *balloon, const struct hv_vchain *chain)
{
	const struct iovec *buffer = hv_vchain_in(chain);

	for (unsigned int i = 0; i < chain->nr_in; i++)
		discard_buffer(balloon, &buffer[i]);
}

/* -------------------------------------------------------------- statistics */

static void take_stat(struct balloon *balloon, const struct virtio_balloon_stat *stat)
{
	if (stat->tag >= HV_BALLOON_COUNTS)
		return;
	balloon->count[stat->tag] = stat->val;
	balloon->known |= 1u << stat->tag;
}

/* The driver puts them there when it starts, and again each time the chain comes back. */
static void take_stats(struct balloon *balloon)
{
	struct virtio_balloon_stat stats[STATS_MAX];
	size_t count;

	if (balloon->stats || hv_virtio_pop(&balloon->dev, STATS, &balloon->stats) <= 0)
		return;
	count = hv_vchain_read(balloon->stats, 0, stats, sizeof(stats)) / sizeof(stats[0]);
	pthread_mutex_lock(&balloon->lock);
	for (size_t i = 0; i < count; i++)
		take_stat(balloon, &stats[i]);
	balloon->told_ns = hv_monotonic_ns();
	pthread_mutex_unlock(&balloon->lock);
}

static void ask(void *ctx)
{
	struct balloon *balloon = ctx;
	struct hv_vqueue *ring = hv_virtio_ring(&balloon->dev, STATS);

	if (!balloon->stats)
		return;
	hv_vqueue_push(ring, balloon->stats, 0);
	balloon->stats = NULL;
	hv_vqueue_tell(ring);
}

static void stop_stats(struct balloon *balloon)
{
	if (balloon->stats)
		hv_vqueue_unpop(hv_virtio_ring(&balloon->dev, STATS), balloon->stats);
	balloon->stats = NULL;
}

/* ------------------------------------------------------------------ queues */

static bool is_of_stats(const struct balloon *balloon, unsigned int n)
{
	return n == STATS && hv_virtio_has(&balloon->dev, F_STATS);
}

/* One chain of queue @n. */
static void serve(struct balloon *balloon, unsigned int n, const struct hv_vchain *chain,
		  struct turn *turn)
{
	turn->chains--;
	if (n == INFLATE)
		inflate(balloon, chain, turn);
	/* Without statistics, drivers that count have it in their place. */
	else if (n != DEFLATE && hv_virtio_has(&balloon->dev, F_REPORTING))
		discard_buffers(balloon, chain);
}

/* Returns whether nothing is left. */
static bool serve_some(struct balloon *balloon, unsigned int n, struct turn *turn)
{
	struct hv_vqueue *ring = hv_virtio_ring(&balloon->dev, n);
	struct hv_vchain *chain;

	while (turn->chains > 0 && turn->pages > 0) {
		if (hv_virtio_pop(&balloon->dev, n, &chain) <= 0)
			return true;
		serve(balloon, n, chain, turn);
		hv_vqueue_push(ring, chain, 0);
	}
	come_again(balloon);
	return false;
}

static void serve_queue(struct balloon *balloon, unsigned int n)
{
	struct hv_vqueue *ring = hv_virtio_ring(&balloon->dev, n);
	struct turn turn = { TURN_CHAINS, TURN_PAGES };
	bool all;

	if (is_of_stats(balloon, n)) {
		/* Asked for a kick, or with EVENT_IDX the driver gives none for the next ones. */
		do
			take_stats(balloon);
		while (!balloon->stats && hv_vqueue_listen(ring));
		if (balloon->stats)
			(void)hv_vqueue_listen(ring);
		return;
	}
	do {
		hv_vqueue_hush(ring);
		all = serve_some(balloon, n, &turn);
	} while (all && hv_vqueue_listen(ring));
	hv_vqueue_tell(ring);
}

static void on_again(void *ctx)
{
	struct balloon *balloon = ctx;

	for (unsigned int n = 0; n < NR_QUEUES; n++)
		serve_queue(balloon, n);
}

/* ------------------------------------------------------------------ device */

static void balloon_kick(struct hv_virtio *dev, unsigned int n)
{
	serve_queue(balloon_of(dev), n);
}

static void balloon_stop_queue(struct hv_virtio *dev, unsigned int n)
{
	if (n == STATS)
		stop_stats(balloon_of(dev));
}

static void balloon_stop(struct hv_virtio *dev, bool reset)
{
	struct balloon *balloon = balloon_of(dev);

	(void)reset;
	hv_timer_cancel(&dev->worker.loop.clock, &balloon->again);
	stop_stats(balloon);
}

/* The driver says how much is in it. */
static void balloon_write_config(struct hv_virtio *dev, unsigned int offset, unsigned int width,
				 uint32_t value)
{
	if (offset == offsetof(struct virtio_balloon_config, actual) && width == sizeof(value))
		memcpy(dev->config + offset, &value, sizeof(value));
}

static void balloon_destroy(struct hv_virtio *dev)
{
	struct balloon *balloon = balloon_of(dev);

	hv_virtio_exit(dev);
	pthread_mutex_destroy(&balloon->lock);
	free(balloon);
}

static const struct hv_virtio_kind balloon_kind = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.class_code = 0x00ff00,
	.stop = balloon_stop,
	.stop_queue = balloon_stop_queue,
	.kick = balloon_kick,
	.write_config = balloon_write_config,
	.destroy = balloon_destroy,
};

/* -------------------------------------------------------------- for others */

bool hv_is_balloon(const struct hv_virtio *dev)
{
	return dev->kind == &balloon_kind;
}

void hv_balloon_set(struct hv_virtio *dev, uint64_t bytes)
{
	struct balloon *balloon = balloon_of(dev);
	const uint32_t pages = bytes / PAGE;

	pthread_mutex_lock(&balloon->lock);
	balloon->target = pages * PAGE;
	pthread_mutex_unlock(&balloon->lock);
	hv_virtio_set_config(dev, offsetof(struct virtio_balloon_config, num_pages), &pages,
			     sizeof(pages));
}

static uint64_t actual(struct hv_virtio *dev)
{
	uint32_t pages;

	pthread_mutex_lock(&dev->lock);
	memcpy(&pages, dev->config + offsetof(struct virtio_balloon_config, actual), sizeof(pages));
	pthread_mutex_unlock(&dev->lock);
	return pages * PAGE;
}

void hv_balloon_look(struct hv_virtio *dev, struct hv_balloon_facts *facts)
{
	struct balloon *balloon = balloon_of(dev);

	facts->actual = actual(dev);
	pthread_mutex_lock(&balloon->lock);
	facts->target = balloon->target;
	facts->known = balloon->known;
	memcpy(facts->count, balloon->count, sizeof(facts->count));
	facts->told_ns = balloon->told_ns;
	pthread_mutex_unlock(&balloon->lock);
}

void hv_balloon_ask(struct hv_virtio *dev)
{
	hv_worker_post(&dev->worker, &balloon_of(dev)->ask_job);
}

/* ------------------------------------------------------------------ making */

static int add_queues(struct hv_virtio *dev, struct hv_error *err)
{
	int error = 0;

	for (unsigned int i = 0; i < NR_QUEUES && !error; i++)
		error = hv_virtio_add_queue(dev, QUEUE_SIZE, err);
	return error;
}

struct hv_virtio *hv_virtio_balloon_create(const struct hv_virtio_env *env, const char *options,
					   struct hv_error *err)
{
	struct balloon *balloon = calloc(1, sizeof(*balloon));
	const struct virtio_balloon_config config = { 0 };

	(void)options;
	if (!balloon) {
		hv_fail(err, ENOMEM, "no memory; close something");
		return NULL;
	}
	if (hv_virtio_init(&balloon->dev, &balloon_kind, env->memory, FEATURES, err)) {
		free(balloon);
		return NULL;
	}
	hv_lock_init(&balloon->lock);
	balloon->again = (struct hv_timer){ .fn = on_again, .dev = balloon };
	balloon->ask_job = (struct hv_job){ .fn = ask, .ctx = balloon };
	hv_virtio_set_config(&balloon->dev, 0, &config,
			     offsetof(struct virtio_balloon_config, free_page_hint_cmd_id));
	if (!add_queues(&balloon->dev, err))
		return &balloon->dev;
	balloon_destroy(&balloon->dev);
	return NULL;
}
