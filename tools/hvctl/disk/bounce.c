// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the page cache is passed by, offsets, lengths and addresses must be aligned. What is not
 * goes by way of a buffer, a piece at a time. Who writes a part of a block reads the block first,
 * and nobody may write there meanwhile: such a request is under way alone, and so one buffer does
 * for all. With HV_DISK_NONE a disk has one queue only.
 *
 * Not by way of the page cache: what that has, or reads ahead, of a block device may be old. But
 * behind the last whole block of a file there is no other way, as a block that is written there
 * would make the file longer; nobody goes there past the page cache, so what that has is right.
 */
#include <errno.h>
#include <string.h>

#include "bounce.h"
#include "lib/iov.h"

bool hv_disk_bounces(const struct hv_disk *disk, const struct hv_disk_request *request)
{
	uint64_t all = request->offset | request->len;

	if (disk->cached_fd < 0 || request->op == HV_DISK_FLUSH || request->op == HV_DISK_DISCARD)
		return false;
	/* Those are written from a page. */
	if (request->op == HV_DISK_ZEROES)
		all |= 4096;
	for (unsigned int i = 0; i < request->nr_iov; i++)
		all |= (uintptr_t)request->iov[i].iov_base | request->iov[i].iov_len;
	return all & (disk->alignment - 1);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The blocks that it has come to, or what is behind the last whole one; to be read, for now. */
static void plan_piece(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	const struct hv_disk *disk = queue->disk;
	const uint64_t mask = disk->alignment - 1, whole = disk->size & ~mask;
	uint64_t at = request->offset + request->moved, end = request->offset + request->len;
	bool rest = at >= whole;

	if (!rest) {
		at &= ~mask;
		end = least((end + mask) & ~mask, whole);
	}
	request->piece = (struct iovec){ queue->bounce, least(end - at, HV_DISK_BOUNCE) };
	request->step = (struct hv_disk_step){
		.call = HV_DISK_PREADV,
		.fd = rest ? disk->cached_fd : disk->fd,
		.offset = at,
		.iov = &request->piece,
		.nr_iov = 1,
	};
}

/* Where in the piece it goes on ... */
static uint64_t place(const struct hv_disk_request *request)
{
	return request->offset + request->moved - request->step.offset;
}

/* ... and how many of the piece's first @bytes are its own from there. */
static uint64_t its_own(const struct hv_disk_request *request, uint64_t bytes)
{
	uint64_t begin = place(request);

	return bytes > begin ? least(bytes - begin, request->len - request->moved) : 0;
}

static void plan_write(struct hv_disk_request *request)
{
	char *to = (char *)request->piece.iov_base + place(request);
	uint64_t len = its_own(request, request->piece.iov_len);

	if (request->op == HV_DISK_ZEROES)
		memset(to, 0, len);
	else
		hv_iov_copy(request->iov, request->nr_iov, request->moved, to, len, false);
	request->step.call = HV_DISK_PWRITEV;
}

void hv_disk_plan_bounce(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	plan_piece(queue, request);
	if (request->op != HV_DISK_READ &&
	    its_own(request, request->piece.iov_len) == request->piece.iov_len)
		plan_write(request);
}

/* Of blocks that were read only in part none is written. */
static int read_for_write(struct hv_disk_queue *queue, struct hv_disk_request *request,
			  uint64_t bytes)
{
	request->piece.iov_len = bytes & ~(queue->disk->alignment - 1ull);
	if (!its_own(request, request->piece.iov_len))
		return -EIO;
	plan_write(request);
	return 1;
}

int hv_disk_bounced(struct hv_disk_queue *queue, struct hv_disk_request *request, int64_t result)
{
	bool was_read = request->step.call == HV_DISK_PREADV;
	uint64_t len;

	if (result < 0)
		return (int)result;
	if (was_read && request->op != HV_DISK_READ)
		return read_for_write(queue, request, (uint64_t)result);
	len = its_own(request, (uint64_t)result);
	if (!len)
		return -EIO;
	if (was_read)
		hv_iov_copy(request->iov, request->nr_iov, request->moved,
			    (char *)request->piece.iov_base + place(request), len, true);
	request->moved += len;
	if (request->moved == request->len)
		return 0;
	hv_disk_plan_bounce(queue, request);
	return 1;
}
