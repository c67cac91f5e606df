// SPDX-License-Identifier: GPL-2.0-only
/* A guest with a disk: requests of any shape, on an image whose size changes. */
#include <linux/virtio_blk.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_virtio.h"
#include "virtio/blk.h"

#define IMAGE_SIZE (256u << 10)

static int image_fd = -1;

/* In memory, and of the same contents for each guest. */
static void make_image(char *options, size_t room)
{
	if (image_fd < 0)
		image_fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (image_fd < 0 || ftruncate(image_fd, 0) || ftruncate(image_fd, IMAGE_SIZE))
		abort();
	snprintf(options, room, "/proc/self/fd/%d", image_fd);
}

/* What the loop would do: whoever is ready has a turn, and so what the host has done comes in. */
static void take_turns(struct hv_virtio *dev)
{
	struct hv_watch *next;

	for (struct hv_watch *watch = dev->worker.loop.watches; watch; watch = next) {
		short events = watch->wants ? watch->wants(watch->ctx) : POLLIN;
		struct pollfd fd = { .fd = watch->fd, .events = events };

		next = watch->next;
		if (events && poll(&fd, 1, 0) == 1)
			watch->ready(watch->ctx, fd.revents);
	}
}

/* Header, data and status, as drivers make them; what is in them is the guest's. */
static void add_request(struct hv_virtio *dev, struct fuzz_input *input)
{
	static const uint8_t types[] = { VIRTIO_BLK_T_IN,      VIRTIO_BLK_T_OUT,
					 VIRTIO_BLK_T_FLUSH,   VIRTIO_BLK_T_GET_ID,
					 VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	const struct hv_memory *memory = dev->queue[0].ring.memory;
	unsigned int n = fuzz_byte(input) % dev->nr_queues, how = fuzz_byte(input);
	struct vring_desc *desc = hv_memory_at(memory, fuzz_ring(n), 16 * FUZZ_SIZE);
	uint16_t *avail = hv_memory_at(memory, fuzz_ring(n) + 0x1000, 4 + 2 * FUZZ_SIZE);
	struct virtio_blk_outhdr *header = hv_memory_at(memory, FUZZ_BUFFERS, sizeof(*header));
	uint32_t len = how & 0x10 ? 512 * (fuzz_byte(input) & 31) : fuzz_byte(input) & 0xf0;

	header->type = types[(how & 7) % 6];
	header->sector = how & 8 ? fuzz_word(input) : fuzz_half(input) % 512;
	desc[0] = (struct vring_desc){ FUZZ_BUFFERS, sizeof(*header), VRING_DESC_F_NEXT, 1 };
	desc[1] = (struct vring_desc){
		.addr = FUZZ_BUFFERS + 0x1000,
		.len = len,
		.flags = VRING_DESC_F_NEXT | (how & 0x20 ? VRING_DESC_F_WRITE : 0),
		.next = 2,
	};
	desc[2] = (struct vring_desc){ FUZZ_BUFFERS + 64, 1, VRING_DESC_F_WRITE, 0 };
	for (unsigned int i = 0; how & 0x40 && i < 64; i += 4) {
		uint32_t word = fuzz_byte(input);

		(void)hv_memory_write(memory, FUZZ_BUFFERS + 0x1000 + i, &word, sizeof(word));
	}
	avail[2 + avail[1] % FUZZ_SIZE] = 0;
	avail[1]++;
	fuzz_kick(&dev->queue[n]);
}

static void outside(struct hv_virtio *dev, struct fuzz_input *input)
{
	switch (fuzz_byte(input) & 7) {
	case 0:
		if (ftruncate(image_fd, fuzz_word(input) % (2 * IMAGE_SIZE)))
			abort();
		break;
	case 1:
	case 2:
		take_turns(dev);
		break;
	default:
		add_request(dev, input);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const more[] = { "", ",ro", ",cache=writethrough", "" };
	struct hv_memory *memory = fuzz_memory();
	const struct hv_virtio_env env = { .memory = memory, .cpus = 2 };
	struct hv_error err;
	struct hv_virtio *dev;
	char options[64];

	make_image(options, sizeof(options));
	if (size)
		strcat(options, more[data[0] & 3]);
	dev = hv_virtio_blk_create(&env, options, &err);
	if (!dev)
		abort();
	fuzz_drive(dev, memory, size ? data + 1 : data, size ? size - 1 : 0, outside);
	return 0;
}
