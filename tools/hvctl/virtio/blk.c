// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk: virtio 1.2, "Block Device". All its queues are served by one thread and one queue of
 * disk/, which has many requests under way at once.
 *
 * How a request lies in its buffers is the driver's choice ("Message Framing"): the header is the
 * first 16 bytes that we read, the status the last byte that we write, the data what is between.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blk.h"
#include "disk/complaint.h"
#include "disk/disk.h"

#define QUEUE_SIZE  256
#define QUEUES_MAX  8
#define UNDER_WAY   256			/* requests of all queues that the host has at once */
#define KICK_BUDGET QUEUE_SIZE		/* chains that one kick takes before others have a turn */

/* Of one discard or write-zeroes request. Zeroes may have to be written, which takes its time. */
#define SEGMENTS	16
#define DISCARD_SECTORS (1u << 22)	/* 2 GiB */
#define ZEROES_SECTORS	(1u << 17)	/* 64 MiB */

#define LOOK_NS	   2000000000ull	/* from one look at the image's size to the next */

#define BIT(n) (1ull << (n))

struct blk {
	struct hv_virtio dev;
	struct hv_disk disk;
	struct hv_disk_queue *io;
	struct blk_request *free;
	uint32_t pushed;		/* queues whose driver is to be told: one bit each */
	atomic_bool write_cache;	/* config.wce: the driver wants one */
	bool write_cache_first;		/* ... what it is after a reset */
	struct hv_timer look;		/* at the size */
	struct hv_disk_complaint complaint;
	void (*note)(void *ctx, const char *text);
	void *note_ctx;
};

/* A chain of the driver's, from pop to push. */
struct blk_request {
	struct hv_disk_request io;
	struct blk *blk;
	struct hv_vchain *chain;
	unsigned int queue;
	struct virtio_blk_discard_write_zeroes segment[SEGMENTS];
	unsigned int nr_segments, at;
	struct iovec *iov;		/* the data */
	unsigned int room;		/* of @iov */
	struct blk_request *next;	/* while it is free */
};

#define PENDING (-1)			/* no status yet */

static struct blk *to_blk(struct hv_virtio *dev)
{
	return (struct blk *)((char *)dev - offsetof(struct blk, dev));
}

/* ---------------------------------------------------------------- requests */

static struct blk_request *get_request(struct blk *blk, unsigned int queue, struct hv_vchain *chain)
{
	struct blk_request *request = blk->free;

	if (request)
		blk->free = request->next;
	else
		request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	request->blk = blk;
	request->queue = queue;
	request->chain = chain;
	request->nr_segments = request->at = 0;
	return request;
}

static void put_request(struct blk_request *request)
{
	request->next = request->blk->free;
	request->blk->free = request;
}

static void complete(struct blk_request *request, uint8_t status)
{
	struct hv_vchain *chain = request->chain;
	struct blk *blk = request->blk;

	hv_vchain_write(chain, chain->in_len - 1, &status, sizeof(status));
	hv_vqueue_push(hv_virtio_ring(&blk->dev, request->queue), chain, (uint32_t)chain->in_len);
	blk->pushed |= 1u << request->queue;
	put_request(request);
}

/* One interrupt for all that were done at once. */
static void tell(void *ctx)
{
	struct blk *blk = ctx;

	for (unsigned int n = 0; n < blk->dev.nr_queues; n++)
		if (blk->pushed & 1u << n)
			hv_vqueue_tell(hv_virtio_ring(&blk->dev, n));
	blk->pushed = 0;
}

static uint8_t status_of(struct blk *blk, int result)
{
	char text[256];

	if (blk->note && hv_disk_complain(&blk->complaint, result, text, sizeof(text)))
		blk->note(blk->note_ctx, text);
	return result ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

/* ------------------------------------------------------------ kinds of them */

/*
 * Without a cache, by agreement or by the driver's wish, a write that is done is durable:
 * "Device Operation", of VIRTIO_BLK_F_FLUSH and VIRTIO_BLK_F_CONFIG_WCE.
 */
static bool has_write_cache(const struct blk *blk)
{
	return hv_virtio_has(&blk->dev, BIT(VIRTIO_BLK_F_FLUSH)) &&
	       (!hv_virtio_has(&blk->dev, BIT(VIRTIO_BLK_F_CONFIG_WCE)) ||
		atomic_load(&blk->write_cache));
}

static void submit_segment(struct blk_request *request);

static void on_done(struct hv_disk_request *io, int result)
{
	struct blk_request *request = io->ctx;

	if (!result && request->at < request->nr_segments)
		submit_segment(request);
	else
		complete(request, status_of(request->blk, result));
}

static int submit(struct blk_request *request, const struct hv_disk_request *io)
{
	request->io = *io;
	request->io.done = on_done;
	request->io.ctx = request;
	request->io.durable = !has_write_cache(request->blk);
	hv_disk_submit(request->blk->io, &request->io);
	return PENDING;
}

static bool make_room(struct blk_request *request, unsigned int count)
{
	struct iovec *larger;

	if (count <= request->room)
		return true;
	larger = reallocarray(request->iov, count, sizeof(*larger));
	if (!larger)
		return false;
	request->iov = larger;
	request->room = count;
	return true;
}

static int begin_transfer(struct blk_request *request, enum hv_disk_op op, uint64_t sector)
{
	const struct hv_vchain *chain = request->chain;
	bool reads = op == HV_DISK_READ;
	const struct iovec *from = reads ? hv_vchain_in(chain) : hv_vchain_out(chain);
	unsigned int count = reads ? chain->nr_in : chain->nr_out;
	uint64_t skip = reads ? 0 : sizeof(struct virtio_blk_outhdr);
	uint64_t len = reads ? chain->in_len - 1 : chain->out_len - skip;

	/* What is too large for a product is beyond the end of any disk. */
	if (sector > UINT64_MAX / HV_DISK_SECTOR || !make_room(request, count))
		return VIRTIO_BLK_S_IOERR;
	return submit(request, &(struct hv_disk_request){
				       .op = op,
				       .offset = sector * HV_DISK_SECTOR,
				       .len = len,
				       .iov = request->iov,
				       .nr_iov = hv_iov_cut(from, count, skip, len, request->iov),
			       });
}

static int begin_flush(struct blk_request *request)
{
	return submit(request, &(struct hv_disk_request){ .op = HV_DISK_FLUSH });
}

/* The serial, with zeroes behind it; without one at the end if it is as long as can be. */
static int begin_get_id(struct blk_request *request)
{
	const struct hv_vchain *chain = request->chain;
	char id[VIRTIO_BLK_ID_BYTES] = "";
	uint64_t room = chain->in_len - 1;

	memcpy(id, request->blk->disk.serial, strlen(request->blk->disk.serial));
	hv_vchain_write(chain, 0, id, room < sizeof(id) ? room : sizeof(id));
	return VIRTIO_BLK_S_OK;
}

/* One after the other. */
static void submit_segment(struct blk_request *request)
{
	const struct virtio_blk_discard_write_zeroes *segment = &request->segment[request->at++];

	submit(request,
	       &(struct hv_disk_request){
		       .op = request->io.op,
		       .unmap = segment->flags & htole32(VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP),
		       .offset = le64toh(segment->sector) * HV_DISK_SECTOR,
		       .len = (uint64_t)le32toh(segment->num_sectors) * HV_DISK_SECTOR,
	       });
}

/* What is wrong with a segment as it stands there: a status; S_OK: nothing. */
static uint8_t check_segment(const struct blk *blk, enum hv_disk_op op,
			     const struct virtio_blk_discard_write_zeroes *segment)
{
	uint32_t count = le32toh(segment->num_sectors), flags = le32toh(segment->flags);
	uint64_t sector = le64toh(segment->sector), end = blk->disk.size / HV_DISK_SECTOR;
	bool zeroes = op == HV_DISK_ZEROES;

	if (flags & ~(zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u))
		return VIRTIO_BLK_S_UNSUPP;
	if (count > (zeroes ? ZEROES_SECTORS : DISCARD_SECTORS) || sector > end ||
	    count > end - sector)
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* All are looked at, in our copy, before the first is done. */
static int begin_segments(struct blk_request *request, enum hv_disk_op op)
{
	const uint64_t skip = sizeof(struct virtio_blk_outhdr);
	uint64_t len = request->chain->out_len - skip;
	uint8_t status = VIRTIO_BLK_S_OK;

	if (request->blk->disk.read_only || !len || len % sizeof(request->segment[0]) ||
	    len > sizeof(request->segment))
		return VIRTIO_BLK_S_IOERR;
	hv_vchain_read(request->chain, skip, request->segment, len);
	request->nr_segments = (unsigned int)(len / sizeof(request->segment[0]));
	for (unsigned int i = 0; i < request->nr_segments && status == VIRTIO_BLK_S_OK; i++)
		status = check_segment(request->blk, op, &request->segment[i]);
	if (status != VIRTIO_BLK_S_OK)
		return status;
	request->io.op = op;
	submit_segment(request);
	return PENDING;
}

/* A status, or PENDING. */
static int begin(struct blk_request *request, const struct virtio_blk_outhdr *header)
{
	switch (le32toh(header->type)) {
	case VIRTIO_BLK_T_IN:
		return begin_transfer(request, HV_DISK_READ, le64toh(header->sector));
	case VIRTIO_BLK_T_OUT:
		return begin_transfer(request, HV_DISK_WRITE, le64toh(header->sector));
	case VIRTIO_BLK_T_FLUSH:
		return begin_flush(request);
	case VIRTIO_BLK_T_GET_ID:
		return begin_get_id(request);
	case VIRTIO_BLK_T_DISCARD:
		return begin_segments(request, HV_DISK_DISCARD);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return begin_segments(request, HV_DISK_ZEROES);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* ------------------------------------------------------------------ queues */

/* Nothing to say what to do, or nowhere to say how it went: the driver does not know its trade. */
static int refuse(struct blk *blk, unsigned int n, struct hv_vchain *chain)
{
	hv_vqueue_push(hv_virtio_ring(&blk->dev, n), chain, 0);
	hv_virtio_break(&blk->dev);
	return -EINVAL;
}

/* 1: one was taken; 0: there was none; or -errno: the device is broken. */
static int take_one(struct blk *blk, unsigned int n)
{
	struct virtio_blk_outhdr header;
	struct blk_request *request;
	struct hv_vchain *chain;
	int result = hv_virtio_pop(&blk->dev, n, &chain);

	if (result == -ENOMEM)
		hv_virtio_break(&blk->dev);
	if (result <= 0)
		return result;
	if (!chain->in_len || hv_vchain_read(chain, 0, &header, sizeof(header)) < sizeof(header))
		return refuse(blk, n, chain);
	request = get_request(blk, n, chain);
	if (!request)
		return refuse(blk, n, chain);
	result = begin(request, &header);
	if (result != PENDING)
		complete(request, (uint8_t)result);
	return 1;
}

static void blk_kick(struct hv_virtio *dev, unsigned int n)
{
	struct hv_vqueue *ring = hv_virtio_ring(dev, n);
	struct blk *blk = to_blk(dev);
	unsigned int left = KICK_BUDGET;

	do {
		hv_vqueue_hush(ring);
		while (left && take_one(blk, n) > 0)
			left--;
	} while (left && hv_vqueue_listen(ring));
	if (!left)
		hv_vqueue_kick(ring);
	tell(blk);
	hv_disk_kick(blk->io);
}

/* ------------------------------------------------------ configuration, life */

static void tell_capacity(struct blk *blk)
{
	const uint64_t sectors = htole64(blk->disk.size / HV_DISK_SECTOR);

	hv_virtio_set_config(&blk->dev, offsetof(struct virtio_blk_config, capacity), &sectors,
			     sizeof(sectors));
}

static void arm_look(struct blk *blk)
{
	hv_timer_arm(&blk->dev.worker.loop.clock, &blk->look, hv_monotonic_ns() + LOOK_NS);
}

/* inotify tells of our own writes, too, and not of block devices. */
static void look(void *ctx)
{
	struct blk *blk = ctx;

	if (hv_disk_look_at_size(&blk->disk))
		tell_capacity(blk);
	arm_look(blk);
}

static void set_write_cache(struct blk *blk, bool on)
{
	struct hv_virtio *dev = &blk->dev;

	pthread_mutex_lock(&dev->lock);
	dev->config[offsetof(struct virtio_blk_config, wce)] = on;
	atomic_store(&blk->write_cache, on);
	pthread_mutex_unlock(&dev->lock);
}

/* Who may turn a cache on and off, and cannot flush it, begins without one. */
static int blk_start(struct hv_virtio *dev)
{
	if (hv_virtio_has(dev, BIT(VIRTIO_BLK_F_CONFIG_WCE)) &&
	    !hv_virtio_has(dev, BIT(VIRTIO_BLK_F_FLUSH)))
		set_write_cache(to_blk(dev), false);
	arm_look(to_blk(dev));
	return 0;
}

/* After a reset the cache is as the user wants it. */
static void blk_stop(struct hv_virtio *dev, bool reset)
{
	struct blk *blk = to_blk(dev);

	hv_timer_cancel(&dev->worker.loop.clock, &blk->look);
	if (!reset) {
		hv_disk_drain(blk->io);
		return;
	}
	hv_disk_cancel(blk->io);
	set_write_cache(blk, blk->write_cache_first);
}

static void blk_write_config(struct hv_virtio *dev, unsigned int offset, unsigned int width,
			     uint32_t value)
{
	if (offset != offsetof(struct virtio_blk_config, wce) || width != 1 ||
	    !(dev->chosen & BIT(VIRTIO_BLK_F_CONFIG_WCE)))
		return;
	dev->config[offset] = value & 1;
	atomic_store(&to_blk(dev)->write_cache, value & 1);
}

static void blk_destroy(struct hv_virtio *dev)
{
	struct blk *blk = to_blk(dev);
	struct blk_request *request;

	hv_virtio_exit(dev);
	hv_disk_queue_destroy(blk->io);
	hv_disk_close(&blk->disk);
	while ((request = blk->free)) {
		blk->free = request->next;
		free(request->iov);
		free(request);
	}
	free(blk);
}

static const struct hv_virtio_kind blk_kind = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.class_code = 0x010000,		/* mass storage, SCSI: what drivers of old knew it by */
	.start = blk_start,
	.stop = blk_stop,
	.kick = blk_kick,
	.write_config = blk_write_config,
	.destroy = blk_destroy,
};

/* ---------------------------------------------------------------- creation */

static uint64_t features_of(const struct hv_disk *disk)
{
	const uint64_t all = HV_VIRTIO_F_RINGS | BIT(VIRTIO_BLK_F_SEG_MAX) |
			     BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
			     BIT(VIRTIO_BLK_F_MQ) | BIT(VIRTIO_BLK_F_FLUSH);

	if (disk->read_only)
		return all | BIT(VIRTIO_BLK_F_RO);
	return all | BIT(VIRTIO_BLK_F_CONFIG_WCE) | BIT(VIRTIO_BLK_F_DISCARD) |
	       BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

/*
 * Sectors of 512 bytes whatever the host has: firmware and old images know no others. What is
 * written at once there is in the topology.
 */
static void set_config(struct blk *blk)
{
	unsigned int sectors = blk->disk.block / HV_DISK_SECTOR;
	const struct virtio_blk_config config = {
		.capacity = htole64(blk->disk.size / HV_DISK_SECTOR),
		.seg_max = htole32(QUEUE_SIZE - 2),
		.blk_size = htole32(HV_DISK_SECTOR),
		.physical_block_exp = (uint8_t)__builtin_ctz(sectors),
		.min_io_size = htole16((uint16_t)sectors),
		.wce = blk->write_cache_first,
		.num_queues = htole16((uint16_t)blk->dev.nr_queues),
		.max_discard_sectors = htole32(DISCARD_SECTORS),
		.max_discard_seg = htole32(SEGMENTS),
		.discard_sector_alignment = htole32(sectors),
		.max_write_zeroes_sectors = htole32(ZEROES_SECTORS),
		.max_write_zeroes_seg = htole32(SEGMENTS),
		.write_zeroes_may_unmap = 1,
	};

	hv_virtio_set_config(&blk->dev, 0, &config,
			     offsetof(struct virtio_blk_config, max_secure_erase_sectors));
}

static int add_queues(struct blk *blk, unsigned int count, struct hv_error *err)
{
	int error = 0;

	while (!error && count--)
		error = hv_virtio_add_queue(&blk->dev, QUEUE_SIZE, err);
	if (error)
		return error;
	blk->io = hv_disk_queue_create(&blk->disk, &blk->dev.worker.loop, UNDER_WAY, err);
	if (!blk->io)
		return -EMFILE;
	hv_disk_queue_on_batch(blk->io, tell, blk);
	return 0;
}

static void note_odd_size(const struct blk *blk)
{
	char text[256];

	if (!blk->disk.odd || !blk->note)
		return;
	snprintf(
		text, sizeof(text),
		"%s: its last %u bytes are no whole sector, and not seen; truncate -s %%512 FILE makes one",
		blk->complaint.path, blk->disk.odd);
	blk->note(blk->note_ctx, text);
}

static struct hv_virtio *create(const struct hv_virtio_env *env,
				const struct hv_disk_config *config, struct hv_error *err)
{
	unsigned int queues = env->cpus < QUEUES_MAX ? env->cpus : QUEUES_MAX;
	struct blk *blk = calloc(1, sizeof(*blk));

	if (!blk) {
		hv_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (hv_disk_open(&blk->disk, config, err) ||
	    hv_virtio_init(&blk->dev, &blk_kind, env->memory, features_of(&blk->disk), err)) {
		hv_disk_close(&blk->disk);
		free(blk);
		return NULL;
	}
	blk->dev.worker.sandbox = HV_SANDBOX_DISK;
	blk->note = env->note;
	blk->note_ctx = env->ctx;
	snprintf(blk->complaint.path, sizeof(blk->complaint.path), "%s", config->path);
	blk->look = (struct hv_timer){ .fn = look, .dev = blk };
	blk->write_cache_first = config->cache != HV_DISK_WRITETHROUGH;
	atomic_init(&blk->write_cache, blk->write_cache_first);
	if (add_queues(blk, queues ?: 1, err)) {
		blk_destroy(&blk->dev);
		return NULL;
	}
	set_config(blk);
	note_odd_size(blk);
	return &blk->dev;
}

int hv_virtio_blk_check(const char *text, struct hv_error *err)
{
	struct hv_disk_options options;
	int error = hv_disk_options_parse(&options, text, err);

	/* Who makes ATA disks has taken those before. */
	if (!error && options.interface != HV_DISK_VIRTIO)
		error = hv_fail(err, EINVAL, "if=ide: no ATA disks here; leave it out");
	hv_disk_options_end(&options);
	return error;
}

struct hv_virtio *hv_virtio_blk_create(const struct hv_virtio_env *env, const char *text,
				       struct hv_error *err)
{
	struct hv_disk_options options;
	struct hv_virtio *dev = NULL;

	if (!hv_disk_options_parse(&options, text, err))
		dev = create(env, &options.config, err);
	hv_disk_options_end(&options);
	return dev;
}
