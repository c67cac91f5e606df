// SPDX-License-Identifier: GPL-2.0-only
/* A CD-ROM drive, as firmware and Linux' sr use it: by the data port and by the bus master. */
#include "ata_test.h"

#define TABLE 0x8000
#define BUFFER 0x20000
#define LIMIT 0xfffe

static uint8_t answer[BLOCKS * 2048];

static void send_packet(struct ide *f, const uint8_t *packet, unsigned int limit, bool by_dma)
{
	struct bench *b = &f->bench;

	outb(b, SECONDARY + 6, 0xa0);
	outb(b, SECONDARY + 1, by_dma);
	outb(b, SECONDARY + 4, (uint8_t)limit);
	outb(b, SECONDARY + 5, (uint8_t)(limit >> 8));
	outb(b, SECONDARY + 7, 0xa0);
	assert_int_equal(inb(b, SECONDARY + 7), DATA);
	assert_int_equal(inb(b, SECONDARY + 2), 1);
	ide_give(f, SECONDARY, packet, 12);
}

/* All of the answer, in blocks; returns how many bytes. */
static unsigned int take_answer(struct ide *f, unsigned int limit)
{
	struct bench *b = &f->bench;
	unsigned int len = 0;

	for (ide_serve(f); ide_status(f, SECONDARY) == DATA; ide_serve(f)) {
		unsigned int block = inw(b, SECONDARY + 4);

		assert_true(b->level[15]);
		assert_int_equal(inb(b, SECONDARY + 2), 2);
		assert_true(block && (block <= limit || block == 2));
		(void)inb(b, SECONDARY + 7);
		ide_take(f, SECONDARY, answer + len, block);
		len += block;
	}
	assert_int_equal(inb(b, SECONDARY + 2), 3);
	assert_true(b->level[15]);
	return len;
}

static unsigned int packet_in(struct ide *f, const uint8_t *packet)
{
	unsigned int len;

	memset(answer, 0xcc, sizeof(answer));
	send_packet(f, packet, LIMIT, false);
	len = take_answer(f, LIMIT);
	assert_int_equal(inb(&f->bench, SECONDARY + 7), READY);
	return len;
}

struct packet {
	uint8_t bytes[12];
};

#define PACKET(...) (((const struct packet){ { __VA_ARGS__ } }).bytes)

static void expect_sense(struct ide *f, uint8_t key, uint8_t asc, uint8_t ascq)
{
	assert_int_equal(packet_in(f, PACKET(0x03, 0, 0, 0, 18)), 18);
	assert_int_equal(answer[0], 0x70);
	assert_int_equal(answer[2], key);
	assert_int_equal(answer[12], asc);
	assert_int_equal(answer[13], ascq);
}

static void refused(struct ide *f, const uint8_t *packet, uint8_t key, uint8_t asc, uint8_t ascq)
{
	send_packet(f, packet, LIMIT, false);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, SECONDARY + 7), FAILED);
	assert_int_equal(inb(&f->bench, SECONDARY + 1), key << 4 | 4);
	expect_sense(f, key, asc, ascq);
	/* And that was that. */
	expect_sense(f, 0, 0, 0);
}

static void good(struct ide *f, const uint8_t *packet)
{
	assert_int_equal(packet_in(f, packet), 0);
}

/* -------------------------------------------------------------- what it is */

/* Who takes it for a disk is told what it is. */
static void test_identify(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;
	uint8_t data[512];

	outb(b, SECONDARY + 4, 0);
	outb(b, SECONDARY + 7, 0xec);
	assert_int_equal(inb(b, SECONDARY + 7), FAILED);
	assert_int_equal(inw(b, SECONDARY + 4), 0xeb14);
	outb(b, SECONDARY + 7, 0xa1);
	assert_int_equal(inb(b, SECONDARY + 7), DATA);
	ide_take(f, SECONDARY, data, 512);
	assert_int_equal(inb(b, SECONDARY + 7), READY);
	assert_int_equal(hv_get_le(data, 2), 0x85c0);
	assert_memory_equal(data + 54, "ITYNMV XDCR-MO", 14);
}

static void test_ata_commands(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	outb(b, SECONDARY + 1, 3);
	outb(b, SECONDARY + 2, 0x22);
	outb(b, SECONDARY + 7, 0xef);
	assert_int_equal(inb(b, SECONDARY + 7), READY);
	outb(b, SECONDARY + 1, 5);
	outb(b, SECONDARY + 7, 0xef);
	assert_int_equal(inb(b, SECONDARY + 7), FAILED);
	outb(b, SECONDARY + 7, 0xe5);
	assert_int_equal(inb(b, SECONDARY + 2), 0xff);
	outb(b, SECONDARY + 7, 0xe0);
	assert_int_equal(inb(b, SECONDARY + 7), READY);
	outb(b, SECONDARY + 7, 0x20);
	assert_int_equal(inb(b, SECONDARY + 7), FAILED);
	assert_int_equal(inb(b, SECONDARY + 1), 4);
}

/* Also while it waits for the rest of a packet. */
static void test_device_reset(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	outb(b, SECONDARY + 7, 0xa0);
	ide_give(f, SECONDARY, PACKET(0x25), 4);
	outb(b, SECONDARY + 7, 0xa1);
	assert_int_equal(inb(b, SECONDARY + 2), 1);
	outb(b, SECONDARY + 7, 0x08);
	assert_int_equal(inb(b, SECONDARY + 7), 0);
	assert_int_equal(inw(b, SECONDARY + 4), 0xeb14);
	assert_false(b->level[15]);
	good(f, PACKET(0x00));
}

static void test_inquiry(void **state)
{
	struct ide *f = *state;

	assert_int_equal(packet_in(f, PACKET(0x12, 0, 0, 0, 96)), 36);
	assert_int_equal(answer[0], 5);
	assert_int_equal(answer[1], 0x80);
	assert_memory_equal(answer + 8, "TINYVMX CD-ROM          1   ", 28);
	assert_int_equal(packet_in(f, PACKET(0x12, 0, 0, 0, 5)), 5);
	assert_int_equal(answer[6], 0xcc);
	refused(f, PACKET(0x12, 1, 0x80, 0, 96), 5, 0x24, 0);
}

static void test_configuration(void **state)
{
	struct ide *f = *state;

	assert_int_equal(packet_in(f, PACKET(0x46, 0, 0, 0, 0, 0, 0, 1, 0)), 40);
	assert_int_equal(answer[3], 36);
	assert_int_equal(answer[7], 8);
	assert_int_equal(packet_in(f, PACKET(0x46, 2, 0, 0x1e, 0, 0, 0, 1, 0)), 16);
	assert_int_equal(answer[9], 0x1e);
	assert_int_equal(packet_in(f, PACKET(0x46, 0, 0, 3, 0, 0, 0, 1, 0)), 24);
	assert_int_equal(packet_in(f, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8)), 8);
	refused(f, PACKET(0x46, 3), 5, 0x24, 0);
}

static void test_mode_sense(void **state)
{
	struct ide *f = *state;

	assert_int_equal(packet_in(f, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128)), 28);
	assert_int_equal(answer[1], 26);
	assert_int_equal(answer[8], 0x2a);
	assert_int_equal(packet_in(f, PACKET(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 128)), 36);
	refused(f, PACKET(0x5a, 0, 0x0e, 0, 0, 0, 0, 0, 128), 5, 0x24, 0);
	refused(f, PACKET(0x5a, 0, 0xea, 0, 0, 0, 0, 0, 128), 5, 0x39, 0);
}

static void test_unknown(void **state)
{
	struct ide *f = *state;

	refused(f, PACKET(0x2a, 0, 0, 0, 0, 0, 0, 0, 1), 5, 0x20, 0);
	refused(f, PACKET(0xff), 5, 0x20, 0);
	refused(f, PACKET(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8), 5, 0x24, 0);
	good(f, PACKET(0xbb, 0, 0xff, 0xff));
	assert_int_equal(packet_in(f, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8)), 8);
}

/* --------------------------------------------------------------------- disc */

static void test_capacity(void **state)
{
	struct ide *f = *state;

	assert_int_equal(packet_in(f, PACKET(0x25)), 8);
	assert_int_equal(answer[3], BLOCKS - 1);
	assert_int_equal(answer[6], 8);
	/* A rest of a block is not seen. */
	f->disc.m.size -= 512;
	assert_int_equal(packet_in(f, PACKET(0x25)), 8);
	assert_int_equal(answer[3], BLOCKS - 2);
	f->disc.m.size = 512;
	assert_int_equal(packet_in(f, PACKET(0x25)), 8);
	assert_int_equal(answer[3], 0);
	refused(f, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 1), 5, 0x21, 0);
}

static void test_read(void **state)
{
	static const unsigned int limits[] = { LIMIT, 2048, 512, 0x0777, 0, 0xffff };
	struct ide *f = *state;

	for (unsigned int i = 0; i < 6; i++) {
		send_packet(f, PACKET(0x28, 0, 0, 0, 0, 11, 0, 0, 20), limits[i], false);
		assert_int_equal(take_answer(f, limits[i] ? limits[i] : LIMIT), 20 * 2048);
		assert_memory_equal(answer, f->disc.bytes + 11 * 2048, 20 * 2048);
	}
	assert_int_equal(packet_in(f, PACKET(0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 2)), 2 * 2048);
	assert_memory_equal(answer, f->disc.bytes + 2048, 2 * 2048);
	assert_int_equal(packet_in(f, PACKET(0xbe, 0, 0, 0, 0, 3, 0, 0, 1, 0x10)), 2048);
	assert_memory_equal(answer, f->disc.bytes + 3 * 2048, 2048);
	good(f, PACKET(0xbe, 0, 0, 0, 0, 3, 0, 0, 1, 0));
	good(f, PACKET(0x28, 0, 0, 0, 0, 3, 0, 0, 0));
	good(f, PACKET(0x2b, 0, 0, 0, 0, 3));
	refused(f, PACKET(0xbe, 0, 0, 0, 0, 3, 0, 0, 1, 0xf8), 5, 0x24, 0);
	refused(f, PACKET(0xbe, 4, 0, 0, 0, 3, 0, 0, 1, 0x10), 5, 0x24, 0);
	refused(f, PACKET(0x28, 0, 0, 0, 0, BLOCKS, 0, 0, 1), 5, 0x21, 0);
	refused(f, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, BLOCKS + 1), 5, 0x21, 0);
	refused(f, PACKET(0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 5, 0x21, 0);
	refused(f, PACKET(0x2b, 0, 0, 0, 1, 3), 5, 0x21, 0);
}

static void test_tiny_limit(void **state)
{
	struct ide *f = *state;

	send_packet(f, PACKET(0x12, 0, 0, 0, 5), 1, false);
	assert_int_equal(take_answer(f, 1), 5);
}

static void test_bad_block(void **state)
{
	struct ide *f = *state;

	f->disc.bad = 5 * 4 + 2;
	send_packet(f, PACKET(0x28, 0, 0, 0, 0, 2, 0, 0, 6), LIMIT, false);
	for (unsigned int i = 0; i < 3; i++) {
		ide_serve(f);
		assert_int_equal(inb(&f->bench, SECONDARY + 7), DATA);
		ide_take(f, SECONDARY, answer + i * 2048, 2048);
	}
	ide_serve(f);
	assert_int_equal(inb(&f->bench, SECONDARY + 7), FAILED);
	assert_memory_equal(answer, f->disc.bytes + 2 * 2048, 3 * 2048);
	expect_sense(f, 3, 0x11, 0);
}

static void test_toc(void **state)
{
	struct ide *f = *state;

	assert_int_equal(packet_in(f, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 100)), 20);
	assert_int_equal(answer[1], 18);
	assert_int_equal(answer[6], 1);
	assert_int_equal(answer[14], 0xaa);
	assert_int_equal(answer[19], BLOCKS);
	assert_int_equal(packet_in(f, PACKET(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100)), 12);
	/* 40 blocks behind two seconds: 00:02:40 */
	assert_memory_equal(answer + 8, PACKET(0, 0, 2, 40), 4);
	assert_int_equal(packet_in(f, PACKET(0x43, 0, 1, 0, 0, 0, 0, 0, 100)), 12);
	assert_int_equal(packet_in(f, PACKET(0x43, 0, 2, 0, 0, 0, 0, 0, 100)), 48);
	assert_int_equal(answer[4 + 3], 0xa0);
	assert_int_equal(answer[4 + 8], 1);
	assert_memory_equal(answer + 4 + 22 + 8, PACKET(0, 2, 40), 3);
	/* The format where older hosts put it */
	assert_int_equal(packet_in(f, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 100, 0x40)), 12);
	refused(f, PACKET(0x43, 0, 0, 0, 0, 0, 2, 0, 100), 5, 0x24, 0);
	refused(f, PACKET(0x43, 0, 4, 0, 0, 0, 0, 0, 100), 5, 0x24, 0);
	assert_int_equal(packet_in(f, PACKET(0x51, 0, 0, 0, 0, 0, 0, 0, 100)), 34);
	assert_int_equal(answer[2], 0x0e);
}

/* --------------------------------------------------------------------- tray */

static unsigned int event(struct ide *f)
{
	assert_int_equal(packet_in(f, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)), 8);
	assert_int_equal(answer[2], 4);
	return answer[4] << 8 | answer[5];
}

static void test_tray(void **state)
{
	struct ide *f = *state;

	assert_int_equal(event(f), 0x0002);
	assert_int_equal(packet_in(f, PACKET(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8)), 4);
	assert_int_equal(answer[2], 0x80);
	good(f, PACKET(0x1e, 0, 0, 0, 1));
	refused(f, PACKET(0x1b, 0, 0, 0, 2), 5, 0x53, 2);
	good(f, PACKET(0x1e));
	good(f, PACKET(0x1b, 0, 0, 0, 1));
	good(f, PACKET(0x1b, 0, 0, 0, 2));
	refused(f, PACKET(0x00), 2, 0x3a, 2);
	refused(f, PACKET(0x28, 0, 0, 0, 0, 3, 0, 0, 1), 2, 0x3a, 2);
	assert_int_equal(event(f), 0x0301);
	assert_int_equal(event(f), 0x0001);
	assert_int_equal(packet_in(f, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128)), 28);
	assert_int_equal(answer[2], 0x71);
	/* Back in: whoever comes next is told that it is another one. */
	good(f, PACKET(0x1b, 0, 0, 0, 3));
	good(f, PACKET(0x1b, 0, 0, 0, 3));
	assert_int_equal(packet_in(f, PACKET(0x12, 0, 0, 0, 36)), 36);
	refused(f, PACKET(0x00), 6, 0x28, 0);
	good(f, PACKET(0x00));
	assert_int_equal(event(f), 0x0202);
	/* A reset closes it. */
	good(f, PACKET(0x1b, 0, 0, 0, 2));
	hv_piix_ide_reset(&f->ide);
	good(f, PACKET(0x00));
}

/* ---------------------------------------------------------------------- DMA */

static void test_read_by_dma(void **state)
{
	struct ide *f = *state;

	for (unsigned int i = 0; i < 2; i++)
		ide_put_region(f, TABLE, i, BUFFER + i * 0x10000, i ? 0x4000 : 0, i == 1);
	send_packet(f, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, BLOCKS), 0, true);
	assert_null(f->disc.io);
	ide_start_dma(f, SECONDARY, TABLE, true);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, SECONDARY + 7), READY);
	assert_int_equal(inb(&f->bench, SECONDARY + 2), 3);
	assert_int_equal(ide_end_dma(f, SECONDARY), 4);
	assert_int_equal(ide_interrupts(f, SECONDARY), 1);
	assert_memory_equal(hv_memory_at(&f->memory, BUFFER, 1), f->disc.bytes, BLOCKS * 2048);
}

/* What is no block of the disc; also when the bus master was there first. */
static void test_answer_by_dma(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 36, true);
	send_packet(f, PACKET(0x12, 0, 0, 0, 36), 0, true);
	assert_int_equal(ide_status(f, SECONDARY), DATA);
	ide_start_dma(f, SECONDARY, TABLE, true);
	assert_int_equal(inb(&f->bench, SECONDARY + 7), READY);
	assert_int_equal(ide_end_dma(f, SECONDARY), 4);
	assert_memory_equal(hv_memory_at(&f->memory, BUFFER + 8, 1), "TINYVMX", 7);
	good(f, PACKET(0x1b, 0, 0, 0, 2));
	ide_put_region(f, TABLE, 0, BUFFER, 8, true);
	ide_start_dma(f, SECONDARY, TABLE, true);
	send_packet(f, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0, true);
	assert_int_equal(ide_end_dma(f, SECONDARY), 4);
	assert_int_equal(*(uint8_t *)hv_memory_at(&f->memory, BUFFER + 4, 1), 3);
	assert_int_equal(event(f), 0x0001);
}

static void test_dma_nowhere(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, 0xfee00000, 2048, true);
	for (unsigned int i = 0; i < 2; i++) {
		send_packet(f, i ? PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 1) : PACKET(0x25), 0, true);
		ide_start_dma(f, SECONDARY, TABLE, true);
		ide_serve(f);
		assert_int_equal(inb(&f->bench, SECONDARY + 7), FAILED);
		assert_int_equal(ide_end_dma(f, SECONDARY), 6);
		expect_sense(f, 0xb, 0x4b, 0);
	}
}

/* -------------------------------------------------------------------- state */

static void test_state(void **state)
{
	struct ide *f = *state;
	static struct hv_piix_ide_state saved, again;

	for (unsigned int i = 0; i < 3; i++) {
		/* In a packet, in an answer, before the bus master comes */
		send_packet(f, PACKET(0x28, 0, 0, 0, 0, 2, 0, 0, 12), 4096, i == 2);
		ide_serve(f);
		if (i == 0) {
			outb(&f->bench, SECONDARY + 7, 0x08);
			outb(&f->bench, SECONDARY + 7, 0xa0);
			ide_give(f, SECONDARY, PACKET(0x12, 0, 0, 0, 36), 6);
		} else if (i == 1) {
			ide_take(f, SECONDARY, answer, 3000);
		}
		hv_piix_ide_save(&f->ide, &saved);
		hv_piix_ide_reset(&f->ide);
		assert_int_equal(hv_piix_ide_load(&f->ide, &saved), 0);
		hv_piix_ide_save(&f->ide, &again);
		assert_memory_equal(&saved, &again, sizeof(saved));
		if (i == 0) {
			ide_give(f, SECONDARY, PACKET(0, 0, 0, 0, 0, 0), 6);
			assert_int_equal(take_answer(f, LIMIT), 36);
		} else if (i == 1) {
			ide_take(f, SECONDARY, answer + 3000, 1096);
			take_answer(f, 4096);
			assert_memory_equal(answer, f->disc.bytes + 4 * 2048, 16 * 1024);
		} else {
			ide_put_region(f, TABLE, 0, BUFFER, 12 * 2048, true);
			ide_start_dma(f, SECONDARY, TABLE, true);
			ide_serve(f);
			assert_memory_equal(hv_memory_at(&f->memory, BUFFER, 1),
					    f->disc.bytes + 2 * 2048, 12 * 2048);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ata_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inquiry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mode_sense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capacity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tiny_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_block, setup, teardown),
		cmocka_unit_test_setup_teardown(test_toc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tray, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_by_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_by_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
