// SPDX-License-Identifier: GPL-2.0-only
/* Attacks on a network, random numbers and a balloon by what is in their buffers. */
#include "virtio.h"

/* Frames and commands lie here. */
#define FRAME(dev)	BUFFER(dev, 0)
#define RECEIVE(dev)	BUFFER(dev, 40)

static u32 random_state = 1;

static u32 random(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* ----------------------------------------------------------------- network */

static void no_header(struct device *dev)
{
	net_send(dev, FRAME(dev), NET_HEADER - 1);
}

static void frames_of_no_length(struct device *dev)
{
	u32 len;

	memset(at(FRAME(dev)), 0, 64);
	for (len = NET_HEADER; len < NET_HEADER + 14; len++)
		net_send(dev, FRAME(dev), len);
	net_send(dev, FRAME(dev), NET_HEADER + 65556);
	net_send(dev, FRAME(dev), 0x60000);
}

/* Checksums outside of the frame, segments of nothing, kinds that there are not. */
static void odd_headers(struct device *dev)
{
	u64 frame = FRAME(dev);
	u32 len = net_ask(dev, frame), i;
	u8 *header = at(frame);

	for (i = 0; i < 500; i++) {
		u32 k;

		for (k = 0; k < NET_HEADER; k++)
			header[k] = i & 1 ? random() : (i >> k & 1) * 0xff;
		header[0] |= i % 3 == 0;
		net_send(dev, frame, len);
	}
}

/* Headers of IPv4 and IPv6 that lie about lengths, in frames that are too short for them. */
static void odd_packets(struct device *dev)
{
	static const u16 types[] = { 0x0800, 0x86dd, 0x0806, 0x8100 };
	u8 *frame = at(FRAME(dev));
	u32 i, k;

	for (i = 0; i < 600; i++) {
		u16 type = types[i % ARRAY_SIZE(types)];

		memset(frame, 0, NET_HEADER);
		net_ask(dev, FRAME(dev));
		frame[NET_HEADER + 12] = type >> 8;
		frame[NET_HEADER + 13] = type;
		for (k = NET_HEADER + 14; k < 400; k++)
			frame[k] = random();
		frame[NET_HEADER + 14] = i & 4 ? 0x45 : 0x60 | (random() & 15);
		frame[NET_HEADER + 23] = i & 8 ? 17 : i & 16 ? 6 : 1;
		net_send(dev, FRAME(dev), NET_HEADER + 14 + random() % 380);
	}
}

static void frame_in_rom(struct device *dev)
{
	net_send(dev, ROM, 100);
}

static void frame_in_a_hundred_pieces(struct device *dev)
{
	struct piece pieces[NET_HEADER + 60];
	u32 len = net_ask(dev, FRAME(dev)), i, used;

	for (i = 0; i < len; i++)
		pieces[i] = (struct piece){ FRAME(dev) + i, 1, 0 };
	queue_add(&dev->queue[NET_TX], pieces, len);
	queue_kick(&dev->queue[NET_TX]);
	expect(queue_wait(&dev->queue[NET_TX], &used), true);
}

/* Who asks is answered; where shall the answer go? */
static void answer_to(struct device *dev, u64 address, u32 len)
{
	net_offer(dev, address, len);
	net_send(dev, FRAME(dev), net_ask(dev, FRAME(dev)));
}

static void buffers_too_short(struct device *dev)
{
	answer_to(dev, RECEIVE(dev), 1);
}

static void answer_to_nobody(struct device *dev)
{
	answer_to(dev, NOBODY, 2048);
}

/* Of a single byte behind the header each: a frame needs all of them. */
static void many_small_buffers(struct device *dev)
{
	u32 i;

	for (i = 0; i < 100; i++)
		net_offer(dev, RECEIVE(dev) + 16 * i, NET_HEADER + 1);
	net_send(dev, FRAME(dev), net_ask(dev, FRAME(dev)));
}

static void answers_over_rings(struct device *dev)
{
	answer_to(dev, dev->queue[NET_RX].desc, 2048);
	answer_to(dev, dev->queue[NET_RX].device, 2048);
}

/* More questions than hvctl keeps answers for, then the room for them. */
static void no_room(struct device *dev)
{
	u32 len = net_ask(dev, FRAME(dev)), i;

	for (i = 0; i < 2000; i++)
		net_send(dev, FRAME(dev), len);
}

/* A command of @len bytes, with @room for the answer, which it returns. */
static u8 command(struct device *dev, const void *what, u32 len, u32 room)
{
	volatile u8 *answer = at(BUFFER(dev, 2));
	const struct piece pieces[] = {
		{ BUFFER(dev, 1), len, 0 },
		{ (ulong)answer, room, WRITE },
	};
	u32 used;

	memcpy(at(BUFFER(dev, 1)), what, len);
	*answer = BLK_SILENCE;
	queue_add(&dev->queue[NET_CONTROL], pieces, ARRAY_SIZE(pieces));
	queue_kick(&dev->queue[NET_CONTROL]);
	return queue_wait(&dev->queue[NET_CONTROL], &used) ? *answer : BLK_SILENCE;
}

#define NET_ERR 1

static void odd_commands(struct device *dev)
{
	/* Tables of 2^32 - 1 addresses; 0 and 32768 pairs; all offloads; a MAC; a VLAN. */
	static const u8 all[] = { 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0 };
	static const u8 none[] = { 4, 0, 0, 0 }, most[] = { 4, 0, 0, 0x80 };
	static const u8 offloads[] = { 5, 0, 255, 255, 255, 255, 255, 255, 255, 255 };
	static const u8 mac[] = { 1, 1, 1, 2, 3, 4, 5, 6 }, vlan[] = { 2, 0, 255, 255 };
	u32 i;

	expect(command(dev, all, sizeof(all), 1), NET_ERR);
	expect(command(dev, none, sizeof(none), 1), NET_ERR);
	expect(command(dev, most, sizeof(most), 1), NET_ERR);
	expect(command(dev, offloads, sizeof(offloads), 1), NET_ERR);
	expect(command(dev, mac, sizeof(mac), 1), NET_ERR);
	expect(command(dev, vlan, sizeof(vlan), 1), NET_ERR);
	for (i = 0; i < sizeof(all); i++)
		expect(command(dev, all, i, 1), NET_ERR);
	for (i = 0; i < 200; i++) {
		const u32 words[2] = { random(), random() };

		expect(command(dev, words, random() % 9, 1 + random() % 9) <= NET_ERR, true);
	}
}

static void command_without_answer(struct device *dev)
{
	static const u8 promiscuous[] = { 0, 0, 1 };

	command(dev, promiscuous, sizeof(promiscuous), 0);
}

/* --------------------------------------------------------------- numbers */

static void numbers_for_nobody(struct device *dev)
{
	const struct piece piece = { BUFFER(dev, 0), 64, 0 };
	u32 used, i;

	for (i = 0; i < 100; i++) {
		queue_add(&dev->queue[0], &piece, 1);
		queue_kick(&dev->queue[0]);
		expect(queue_wait(&dev->queue[0], &used), true);
		expect(used, 0);
	}
}

static void numbers_by_the_megabyte(struct device *dev)
{
	const struct piece piece = { 32 * MIB, 16 * MIB, WRITE };
	u32 i;

	for (i = 0; i < 40; i++)
		queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
}

static void numbers_in_the_ring(struct device *dev)
{
	const struct piece piece = { dev->queue[0].desc, RING_BYTES, WRITE };
	u32 i;

	for (i = 0; i < 8; i++)
		queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
	nap(MOMENT);
	queue_kick(&dev->queue[0]);
}

/* ---------------------------------------------------------------- balloon */

/* @count page numbers from @first on, @step apart, into queue @n. */
static void pages(struct device *dev, u32 n, u32 first, u32 step, u32 count)
{
	const struct piece piece = { BUFFER(dev, 0), count * 4, 0 };
	u32 *numbers = at(piece.address), i, used;

	for (i = 0; i < count; i++)
		numbers[i] = first + i * step;
	queue_add(&dev->queue[n], &piece, 1);
	queue_kick(&dev->queue[n]);
	expect(queue_wait(&dev->queue[n], &used), true);
}

static void pages_that_are_not_there(struct device *dev)
{
	pages(dev, 0, RAM_END >> 12, 1, 1000);
	pages(dev, 0, 0xffffffff, 0xfffffff1, 1000);
	pages(dev, 0, APIC_PAGE >> 12, 0, 16);
	pages(dev, 0, ROM >> 12, 0, 16);
	pages(dev, 1, 0xfffff000, 1, 1000);
}

static void page_again(struct device *dev)
{
	pages(dev, 0, BUFFER(dev, 60) >> 12, 0, 4000);
	pages(dev, 1, BUFFER(dev, 60) >> 12, 0, 4000);
}

static void pages_of_its_rings(struct device *dev)
{
	const struct piece piece = { BUFFER(dev, 0), 8 * 4, 0 };
	u32 *numbers = at(piece.address), i;

	for (i = 0; i < 8; i++)
		numbers[i] = (dev->queue[0].desc >> 12) + i;
	queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
	nap(MOMENT);
	queue_kick(&dev->queue[0]);
}

static void lengths_that_are_no_numbers(struct device *dev)
{
	u32 len, used;

	for (len = 1; len < 40; len++) {
		const struct piece piece = { BUFFER(dev, 60), len, len & 1 ? WRITE : 0 };

		memset(at(piece.address), 0xff, 64);
		queue_add(&dev->queue[len % 2], &piece, 1);
		queue_kick(&dev->queue[len % 2]);
		expect(queue_wait(&dev->queue[len % 2], &used), true);
	}
}

/* As free memory: its rings, buffers that are no pages, all of RAM that we do not use. */
static void free_pages(struct device *dev)
{
	u32 n;

	for (n = 3; n < dev->queues; n++) {
		const struct piece pieces[] = {
			{ BUFFER(dev, 60) + 1, 0x1fff, WRITE },
			{ 32 * MIB, 16 * MIB, WRITE },
			{ BUFFER(dev, 70), 1, WRITE },
		};

		queue_add(&dev->queue[n], pieces, ARRAY_SIZE(pieces));
		queue_kick(&dev->queue[n]);
	}
	nap(MOMENT);
}

static void odd_statistics(struct device *dev)
{
	const struct piece piece = { BUFFER(dev, 60), 0x1000, 0 };
	u32 i;

	memset(at(piece.address), 0xff, 0x1000);
	for (i = 0; i < 10; i++) {
		queue_add(&dev->queue[2], &piece, 1);
		queue_kick(&dev->queue[2]);
	}
	outl(dev->config + 4, 0xffffffff);
	outl(dev->config, 0xffffffff);
	nap(MOMENT);
}

const struct attack attacks_others[] = {
	{ "a frame shorter than its header", NET, BOTH, BROKEN, no_header },
	{ "frames too short and too long", NET, BOTH, GOOD, frames_of_no_length },
	{ "headers of nonsense", NET, SPLIT, ANY, odd_headers },
	{ "packets that lie", NET, SPLIT, ANY, odd_packets },
	{ "a frame in ROM", NET, BOTH, BROKEN, frame_in_rom },
	{ "a frame in 72 pieces", NET, BOTH, GOOD, frame_in_a_hundred_pieces },
	{ "a buffer without room for a header", NET, BOTH, BROKEN, buffers_too_short },
	{ "a buffer to receive that is nowhere", NET, BOTH, BROKEN, answer_to_nobody },
	{ "100 buffers of a byte", NET, BOTH, ANY, many_small_buffers },
	{ "answers over the rings", NET, BOTH, ANY, answers_over_rings },
	{ "2,000 questions, no room for answers", NET, SPLIT, ANY, no_room },
	{ "commands of nonsense", NET, BOTH, GOOD, odd_commands },
	{ "a command without room for an answer", NET, BOTH, BROKEN, command_without_answer },
	{ "no room for numbers", RNG, BOTH, GOOD, numbers_for_nobody },
	{ "numbers by the megabyte", RNG, BOTH, ANY, numbers_by_the_megabyte },
	{ "numbers over the ring", RNG, BOTH, ANY, numbers_in_the_ring },
	{ "pages that are not there", BALLOON, BOTH, GOOD, pages_that_are_not_there },
	{ "a page 4,000 times", BALLOON, BOTH, GOOD, page_again },
	{ "pages of its rings", BALLOON, BOTH, ANY, pages_of_its_rings },
	{ "lengths that are no page numbers", BALLOON, BOTH, GOOD, lengths_that_are_no_numbers },
	{ "free pages that are none", BALLOON, BOTH, ANY, free_pages },
	{ "statistics of nonsense", BALLOON, BOTH, ANY, odd_statistics },
	{ }
};
