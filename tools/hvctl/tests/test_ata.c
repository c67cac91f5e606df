// SPDX-License-Identifier: GPL-2.0-only
/* Disks on an ATA channel, as drivers use them: registers, PIO, resets, errors, a snapshot. */
#include "ata_test.h"

static void expect_error(struct ide *f, uint8_t error)
{
	assert_int_equal(ide_status(f, PRIMARY), FAILED);
	assert_int_equal(inb(&f->bench, PRIMARY + 1), error);
}

/* ------------------------------------------------------------------ who is there */

static void test_signatures(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	for (unsigned int slave = 0; slave < 2; slave++) {
		outb(b, PRIMARY + 6, (uint8_t)(0xa0 | slave << 4));
		assert_int_equal(inb(b, PRIMARY + 7), READY);
		assert_int_equal(inb(b, PRIMARY + 1), 1);
		assert_int_equal(inb(b, PRIMARY + 2), 1);
		assert_int_equal(inb(b, PRIMARY + 3), 1);
		assert_int_equal(inw(b, PRIMARY + 4), 0);
	}
	assert_int_equal(inb(b, SECONDARY + 7), 0);
	assert_int_equal(inw(b, SECONDARY + 4), 0xeb14);
}

/* A place without a drive: zeroes, whatever is written. */
static void test_absent(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	outb(b, SECONDARY + 6, 0xb0);
	for (uint16_t reg = 1; reg < 8; reg++) {
		outb(b, SECONDARY + reg, 0x55);
		if (reg == 6)
			outb(b, SECONDARY + 6, 0xb0);
		assert_int_equal(inb(b, SECONDARY + reg), 0);
	}
	assert_int_equal(ide_status(f, SECONDARY), 0);
	assert_int_equal(inw(b, SECONDARY), 0);
	outw(b, SECONDARY, 0x1234);
	outb(b, SECONDARY + 6, 0xa0);
	/* What was meant for it has gone to the other one's registers, too. */
	assert_int_equal(inb(b, SECONDARY + 2), 0x55);
	assert_int_equal(ide_interrupts(f, SECONDARY), 0);
}

static void test_registers_keep_two_values(void **state)
{
	struct bench *b = &((struct ide *)*state)->bench;

	outb(b, PRIMARY + 4, 0x12);
	outb(b, PRIMARY + 4, 0x34);
	assert_int_equal(inb(b, PRIMARY + 4), 0x34);
	outb(b, PRIMARY + CONTROL, 0x80);
	assert_int_equal(inb(b, PRIMARY + 4), 0x12);
	assert_int_equal(inb(b, PRIMARY + 4), 0x12);
	/* Any write there shows the last ones again. */
	outb(b, PRIMARY + 3, 0);
	assert_int_equal(inb(b, PRIMARY + 4), 0x34);
}

static void get_identify(struct ide *f, unsigned int slave, uint8_t data[512])
{
	ide_command(f, slave, 0xec, 0, 0);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
	ide_take(f, PRIMARY, data, 512);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
}

static unsigned int word(const uint8_t *data, unsigned int n)
{
	return (unsigned int)hv_get_le(data + 2 * n, 2);
}

static void test_identify(void **state)
{
	struct ide *f = *state;
	uint8_t data[512], sum = 0;

	f->disk.m.block = 4096;
	get_identify(f, 0, data);
	assert_int_equal(ide_interrupts(f, PRIMARY), 1);
	for (unsigned int i = 0; i < 512; i++)
		sum += data[i];
	assert_int_equal(sum, 0);
	assert_memory_equal(data + 20, "1S", 2);
	assert_memory_equal(data + 54, "ITYNMV", 6);
	assert_int_equal(hv_get_le(data + 120, 4), SECTORS);
	assert_int_equal(hv_get_le(data + 200, 8), SECTORS);
	assert_int_equal(word(data, 83) & 0xc400, 0x4400);
	assert_int_equal(word(data, 106), 0x6003);
	/* Smaller than a cylinder: there is one all the same. */
	assert_int_equal(word(data, 1), 1);
	assert_int_equal(word(data, 3) * word(data, 6), 16 * 63);
	assert_int_equal(word(data, 59), 0);
}

/* What is more than 28 or 48 bits can say is not there. */
static void test_identify_large(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	f->disk.m.size = (1ull << 28) * 512;
	get_identify(f, 0, data);
	assert_int_equal(hv_get_le(data + 120, 4), 0x0fffffff);
	assert_int_equal(hv_get_le(data + 200, 8), 1 << 28);
	assert_int_equal(word(data, 1), 16383);
	f->disk.m.size = UINT64_MAX & ~511ull;
	get_identify(f, 0, data);
	assert_true(hv_get_le(data + 200, 8) == (1ull << 48) - 1);
	f->disk.m.size = SECTORS * 512;
}

/* --------------------------------------------------------------------- PIO */

/* Media past the page cache take it as it is. */
static void test_buffer_is_aligned(void **state)
{
	struct ide *f = *state;

	ide_command(f, 0, 0x20, 0, 1);
	assert_non_null(f->disk.io);
	assert_int_equal((uintptr_t)f->disk.io->data % 4096, 0);
	ide_serve(f);
}

static void test_read_a_sector(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	ide_command(f, 0, 0x20, 5, 1);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	/* Its registers are its own now, and who selects the other one has to wait. */
	outb(&f->bench, PRIMARY + 3, 9);
	outb(&f->bench, PRIMARY + 6, 0xf0);
	outb(&f->bench, PRIMARY + 7, 0xec);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	assert_false(f->bench.level[14]);
	ide_serve(f);
	assert_true(f->bench.level[14]);
	/* The other status leaves the interrupt alone. */
	assert_int_equal(ide_status(f, PRIMARY), DATA);
	assert_true(f->bench.level[14]);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
	assert_false(f->bench.level[14]);
	ide_take(f, PRIMARY, data, 512);
	assert_memory_equal(data, f->disk.bytes + 5 * 512, 512);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 1);
	/* There is nothing more. */
	assert_int_equal(inw(&f->bench, PRIMARY), 0);
}

/* 100 sectors: in pieces from the disk, one by one to the host, of the second disk. */
static void test_read_many(void **state)
{
	struct ide *f = *state;
	static uint8_t data[100 * 512];

	ide_command(f, 1, 0x20, 33, 100);
	for (unsigned int i = 0; i < 100; i++) {
		ide_serve(f);
		assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
		assert_false(f->bench.level[14]);
		ide_take(f, PRIMARY, data + i * 512, 512);
	}
	assert_memory_equal(data, f->second.bytes + 33 * 512, sizeof(data));
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 100);
	assert_int_equal(f->second.reads, 4);
	assert_int_equal(f->disk.reads, 0);
}

/* A count of 0 is 256, or 65,536 in the extended form, which is too much here. */
static void test_count_zero(void **state)
{
	struct ide *f = *state;
	static uint8_t data[256 * 512];

	ide_command(f, 0, 0x20, 0, 0);
	for (unsigned int i = 0; i < 256; i++) {
		ide_serve(f);
		ide_take(f, PRIMARY, data + i * 512, 512);
	}
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_memory_equal(data, f->disk.bytes, sizeof(data));
	ide_command_ext(f, 0x24, 0, 0);
	expect_error(f, 0x10);
}

static void test_wide_and_narrow_data(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;
	uint8_t data[512];

	ide_command(f, 0, 0x20, 1, 1);
	ide_serve(f);
	for (unsigned int i = 0; i < 508; i += 4)
		hv_put_le(data + i, inl(b, PRIMARY), 4);
	data[508] = inb(b, PRIMARY);
	data[509] = inb(b, PRIMARY);
	data[510] = inb(b, PRIMARY);
	/* The last one: what is more is zero. */
	assert_int_equal(inl(b, PRIMARY), f->disk.bytes[1023]);
	assert_memory_equal(data, f->disk.bytes + 512, 511);
	assert_int_equal(ide_status(f, PRIMARY), READY);
}

static void test_write(void **state)
{
	struct ide *f = *state;
	static uint8_t data[70 * 512];

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 3);
	ide_command(f, 0, 0x30, 7, 70);
	for (unsigned int i = 0; i < 70; i++) {
		assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
		/* The first one is asked for without an interrupt. */
		assert_int_equal(ide_interrupts(f, PRIMARY), i);
		ide_give(f, PRIMARY, data + i * 512, 512);
		ide_serve(f);
	}
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 70);
	assert_memory_equal(f->disk.bytes + 7 * 512, data, sizeof(data));
	assert_int_equal(f->disk.writes, 3);
	assert_int_equal(f->disk.flushes, 0);
}

static void test_multiple(void **state)
{
	struct ide *f = *state;
	static uint8_t data[20 * 512];

	/* Not before it was set, and to nothing but a power of two up to 16. */
	ide_command(f, 0, 0xc4, 0, 20);
	expect_error(f, 0x04);
	ide_command(f, 0, 0xc6, 0, 3);
	expect_error(f, 0x04);
	ide_command(f, 0, 0xc6, 0, 32);
	expect_error(f, 0x04);
	ide_command(f, 0, 0xc6, 0, 8);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	f->bench.rises[14] = 0;
	ide_command(f, 0, 0xc4, 100, 20);
	for (unsigned int at = 0; at < 20; at += 8) {
		ide_serve(f);
		assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
		ide_take(f, PRIMARY, data + at * 512, (at < 16 ? 8 : 4) * 512);
	}
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 3);
	assert_memory_equal(data, f->disk.bytes + 100 * 512, sizeof(data));
	ide_command(f, 0, 0xc5, 200, 20);
	ide_give(f, PRIMARY, data, sizeof(data));
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_memory_equal(f->disk.bytes + 200 * 512, data, sizeof(data));
}

static void test_lba48(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	ide_command_ext(f, 0x24, 0x123, 1);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 512);
	assert_memory_equal(data, f->disk.bytes + 0x123 * 512, 512);
	/* The upper half of the address counts. */
	ide_command_ext(f, 0x24, 0x123000123, 1);
	expect_error(f, 0x10);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 0x23);
	outb(&f->bench, PRIMARY + CONTROL, 0x80);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 0x23);
	assert_int_equal(inb(&f->bench, PRIMARY + 4), 0x01);
}

static void chs_command(struct ide *f, uint8_t command, unsigned int cylinder, unsigned int head,
			unsigned int sector)
{
	outb(&f->bench, PRIMARY + 6, (uint8_t)(0xa0 | head));
	outb(&f->bench, PRIMARY + 2, 1);
	outb(&f->bench, PRIMARY + 3, (uint8_t)sector);
	outb(&f->bench, PRIMARY + 4, (uint8_t)cylinder);
	outb(&f->bench, PRIMARY + 5, (uint8_t)(cylinder >> 8));
	outb(&f->bench, PRIMARY + 7, command);
}

static void test_chs(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	chs_command(f, 0x20, 0, 3, 17);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 512);
	assert_memory_equal(data, f->disk.bytes + (3 * 63 + 16) * 512, 512);
	/* In a geometry of the host's: 5 heads, 10 sectors. */
	outb(&f->bench, PRIMARY + 6, 0xa4);
	outb(&f->bench, PRIMARY + 2, 10);
	outb(&f->bench, PRIMARY + 7, 0x91);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	chs_command(f, 0x20, 3, 2, 10);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 512);
	assert_memory_equal(data, f->disk.bytes + ((3 * 5 + 2) * 10 + 9) * 512, 512);
	get_identify(f, 0, data);
	assert_int_equal(word(data, 54), SECTORS / 50);
	assert_int_equal(word(data, 55), 5);
	assert_int_equal(word(data, 56), 10);
	/* No such sector, head, cylinder; no geometry. */
	chs_command(f, 0x20, 0, 0, 0);
	expect_error(f, 0x10);
	chs_command(f, 0x20, 0, 0, 11);
	expect_error(f, 0x10);
	chs_command(f, 0x20, 0, 5, 1);
	expect_error(f, 0x10);
	chs_command(f, 0x20, 12, 0, 1);
	expect_error(f, 0x10);
	assert_int_equal(inb(&f->bench, PRIMARY + 4), 12);
	outb(&f->bench, PRIMARY + 2, 0);
	outb(&f->bench, PRIMARY + 7, 0x91);
	expect_error(f, 0x04);
	/* SEEK and RECALIBRATE are of that kind, too. */
	chs_command(f, 0x70, 11, 4, 10);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	chs_command(f, 0x70, 12, 0, 1);
	expect_error(f, 0x10);
	chs_command(f, 0x10, 0, 0, 0);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
}

/* ------------------------------------------------------------------ errors */

static void test_end_of_disk(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	ide_command(f, 0, 0x20, SECTORS - 1, 1);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 512);
	assert_memory_equal(data, f->disk.bytes + (SECTORS - 1) * 512, 512);
	ide_command(f, 0, 0x20, SECTORS, 1);
	expect_error(f, 0x10);
	/* Beyond it by one: that one is told, and nothing was moved. */
	ide_command(f, 0, 0x30, SECTORS - 4, 5);
	expect_error(f, 0x10);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), SECTORS & 0xff);
	assert_int_equal(inb(&f->bench, PRIMARY + 4), SECTORS >> 8);
	ide_command(f, 0, 0x40, 0x0fffffff, 1);
	expect_error(f, 0x10);
	assert_null(f->disk.io);
}

/* A bad sector in the middle: those before are read, and it is told which it is. */
static void test_bad_sector_read(void **state)
{
	struct ide *f = *state;
	static uint8_t data[6 * 512];

	f->disk.bad = 16;
	ide_command(f, 0, 0x20, 10, 20);
	for (unsigned int i = 0; i < 6; i++) {
		ide_serve(f);
		assert_int_equal(inb(&f->bench, PRIMARY + 7), DATA);
		ide_take(f, PRIMARY, data + i * 512, 512);
	}
	ide_serve(f);
	expect_error(f, 0x40);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 16);
	assert_int_equal(inb(&f->bench, PRIMARY + 2), 14);
	assert_memory_equal(data, f->disk.bytes + 10 * 512, sizeof(data));
	/* The next command is none the worse for it. */
	ide_command(f, 0, 0x20, 40, 4);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 4 * 512);
	assert_memory_equal(data, f->disk.bytes + 40 * 512, 4 * 512);
	assert_int_equal(ide_status(f, PRIMARY), READY);
}

static void test_bad_sector_write(void **state)
{
	struct ide *f = *state;
	static uint8_t data[8 * 512];

	memset(data, 0xee, sizeof(data));
	f->disk.bad = 105;
	ide_command(f, 0, 0x30, 100, 8);
	ide_give(f, PRIMARY, data, sizeof(data));
	ide_serve(f);
	expect_error(f, 0x40);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 105);
	assert_int_equal(inb(&f->bench, PRIMARY + 2), 3);
	assert_memory_equal(f->disk.bytes + 100 * 512, data, 5 * 512);
	assert_int_not_equal(f->disk.bytes[106 * 512], 0xee);
}

static void test_verify(void **state)
{
	struct ide *f = *state;

	ide_command(f, 0, 0x40, 0, 0);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 1);
	f->disk.bad = 300;
	ide_command_ext(f, 0x42, 290, 100);
	ide_serve(f);
	expect_error(f, 0x40);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 300 & 0xff);
}

static void test_read_only(void **state)
{
	static const uint8_t commands[] = { 0x30, 0x31, 0xc5, 0xca, 0xcb };
	struct ide *f = *state;

	ide_command(f, 0, 0xc6, 0, 8);
	f->disk.m.read_only = true;
	for (unsigned int i = 0; i < sizeof(commands); i++) {
		ide_command(f, 0, commands[i], 3, 1);
		expect_error(f, 0x04);
	}
	ide_command_ext(f, 0x35, 3, 1);
	expect_error(f, 0x04);
	assert_null(f->disk.io);
}

static void test_unknown_commands(void **state)
{
	static const uint8_t commands[] = { 0x00, 0x08, 0x22, 0x50, 0x60, 0xa0, 0xa1, 0xb0, 0xff };
	struct ide *f = *state;

	for (unsigned int i = 0; i < sizeof(commands); i++) {
		ide_command(f, 0, commands[i], 0, 1);
		expect_error(f, 0x04);
	}
}

/* ----------------------------------------------------------- caches, features */

static void test_flush(void **state)
{
	struct ide *f = *state;

	ide_command(f, 0, 0xe7, 0, 0);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	ide_command_ext(f, 0xea, 0, 0);
	ide_serve(f);
	assert_int_equal(f->disk.flushes, 2);
	f->disk.bad = 0;
	ide_command(f, 0, 0xe7, 0, 0);
	ide_serve(f);
	expect_error(f, 0x04);
}

/* Without a write cache, or by its name, a write is done when it is on the disk. */
static void test_durable_writes(void **state)
{
	struct ide *f = *state;
	uint8_t data[512] = { 0 };

	outb(&f->bench, PRIMARY + 1, 0x82);
	ide_command(f, 0, 0xef, 0, 0);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	ide_command(f, 0, 0x30, 3, 1);
	ide_give(f, PRIMARY, data, 512);
	assert_true(medium_answer(&f->disk));
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	assert_true(medium_answer(&f->disk));
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(f->disk.flushes, 1);
	get_identify(f, 0, data);
	assert_int_equal(word(data, 85) & 1 << 5, 0);
	outb(&f->bench, PRIMARY + 1, 0x02);
	ide_command(f, 0, 0xef, 0, 0);
	ide_command(f, 0, 0xc6, 0, 1);
	ide_command_ext(f, 0xce, 3, 1);
	ide_give(f, PRIMARY, data, 512);
	ide_serve(f);
	assert_int_equal(f->disk.flushes, 2);
}

static void set_mode(struct ide *f, uint8_t mode)
{
	outb(&f->bench, PRIMARY + 1, 0x03);
	ide_command(f, 0, 0xef, 0, mode);
}

static void test_modes(void **state)
{
	static const uint8_t bad[] = { 0x02, 0x0d, 0x10, 0x23, 0x46, 0x80 };
	struct ide *f = *state;
	uint8_t data[512];

	for (unsigned int i = 0; i < sizeof(bad); i++) {
		set_mode(f, bad[i]);
		expect_error(f, 0x04);
	}
	set_mode(f, 0x0c);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	set_mode(f, 0x22);
	get_identify(f, 0, data);
	assert_int_equal(word(data, 63), 0x0407);
	assert_int_equal(word(data, 88), 0x003f);
	set_mode(f, 0x45);
	get_identify(f, 0, data);
	assert_int_equal(word(data, 63), 0x0007);
	assert_int_equal(word(data, 88), 0x203f);
	outb(&f->bench, PRIMARY + 1, 0xaa);
	ide_command(f, 0, 0xef, 0, 0);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	outb(&f->bench, PRIMARY + 1, 0x99);
	ide_command(f, 0, 0xef, 0, 0);
	expect_error(f, 0x04);
}

static void test_power(void **state)
{
	struct ide *f = *state;

	ide_command(f, 0, 0xe0, 0, 0);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	ide_command(f, 0, 0xe5, 0, 0);
	assert_int_equal(inb(&f->bench, PRIMARY + 2), 0xff);
}

/* -------------------------------------------------------- interrupts, resets */

static void test_interrupts_off(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	outb(b, PRIMARY + CONTROL, 0x02);
	ide_command(f, 0, 0xe7, 0, 0);
	ide_serve(f);
	assert_false(b->level[14]);
	/* It waits, and comes when they are on, and if that drive is the selected one. */
	outb(b, PRIMARY + CONTROL, 0);
	assert_true(b->level[14]);
	outb(b, PRIMARY + 6, 0xb0);
	assert_false(b->level[14]);
	assert_int_equal(inb(b, PRIMARY + 7), READY);
	outb(b, PRIMARY + 6, 0xa0);
	assert_true(b->level[14]);
	assert_int_equal(inb(b, PRIMARY + 7), READY);
	assert_false(b->level[14]);
}

static void test_soft_reset(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;
	uint8_t data[512];

	ide_command(f, 1, 0x20, 1, 1);
	ide_serve(f);
	assert_true(b->level[14]);
	outb(b, PRIMARY + CONTROL, 0x04);
	assert_false(b->level[14]);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	outb(b, PRIMARY + 7, 0xec);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	outb(b, PRIMARY + CONTROL, 0);
	assert_int_equal(inb(b, PRIMARY + 6), 0xa0);
	test_signatures(state);
	outb(b, PRIMARY + 6, 0xa0);
	get_identify(f, 0, data);
	assert_int_equal(hv_get_le(data + 120, 4), SECTORS);
}

static void test_diagnostic(void **state)
{
	struct ide *f = *state;

	outb(&f->bench, PRIMARY + 6, 0xb0);
	outb(&f->bench, PRIMARY + 7, 0x90);
	assert_true(f->bench.level[14]);
	assert_int_equal(inb(&f->bench, PRIMARY + 6), 0xa0);
	test_signatures(state);
}

/* A read that nobody waits for any more goes nowhere; the next command waits for its end. */
static void test_reset_in_flight(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	ide_command(f, 0, 0x20, 1, 1);
	hv_piix_ide_reset(&f->ide);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	assert_true(hv_piix_ide_is_busy(&f->ide));
	ide_command(f, 0, 0xec, 0, 0);
	assert_int_equal(ide_status(f, PRIMARY), 0x80);
	assert_true(medium_answer(&f->disk));
	assert_int_equal(ide_status(f, PRIMARY), DATA);
	ide_take(f, PRIMARY, data, 512);
	assert_int_equal(word(data, 0), 0x0040);
	/* The same, and a soft reset before it has ended: that command is gone, too. */
	ide_command(f, 0, 0x20, 1, 1);
	outb(&f->bench, PRIMARY + CONTROL, 0x04);
	outb(&f->bench, PRIMARY + CONTROL, 0);
	ide_command(f, 0, 0x20, 2, 1);
	outb(&f->bench, PRIMARY + CONTROL, 0x04);
	outb(&f->bench, PRIMARY + CONTROL, 0);
	assert_true(medium_answer(&f->disk));
	assert_int_equal(ide_status(f, PRIMARY), READY);
	assert_false(hv_piix_ide_is_busy(&f->ide));
	assert_false(f->bench.level[14]);
}

/* A write that was given up writes what it was given, not what the next one brings. */
static void test_write_in_flight(void **state)
{
	struct ide *f = *state;
	uint8_t first[512], next[512];

	memset(first, 1, sizeof(first));
	memset(next, 2, sizeof(next));
	ide_command(f, 0, 0x30, 1, 1);
	ide_give(f, PRIMARY, first, 512);
	outb(&f->bench, PRIMARY + CONTROL, 0x04);
	outb(&f->bench, PRIMARY + CONTROL, 0);
	ide_command(f, 0, 0x30, 2, 1);
	ide_give(f, PRIMARY, next, 512);
	assert_true(medium_answer(&f->disk));
	assert_memory_equal(f->disk.bytes + 512, first, 512);
	/* It was busy, and heard nothing of it. */
	ide_give(f, PRIMARY, next, 512);
	assert_true(medium_answer(&f->disk));
	assert_memory_equal(f->disk.bytes + 1024, next, 512);
}

static void test_reset_brings_defaults(void **state)
{
	struct ide *f = *state;
	uint8_t data[512];

	ide_command(f, 0, 0xc6, 0, 8);
	set_mode(f, 0x45);
	outb(&f->bench, PRIMARY + CONTROL, 0x02);
	hv_piix_ide_reset(&f->ide);
	get_identify(f, 0, data);
	assert_int_equal(ide_interrupts(f, PRIMARY) > 0, true);
	assert_int_equal(word(data, 59), 0);
	assert_int_equal(word(data, 88), 0x003f);
}

/* ------------------------------------------------------------- the PCI function */

static void config_write(struct bench *b, unsigned int reg, unsigned int width, uint32_t value)
{
	outl(b, 0xcf8, 0x80000000u | HV_PIIX_IDE << 8 | (reg & ~3u));
	bench_write(b, HV_PORT, 0xcfc + (reg & 3), width, value);
}

static uint32_t config_read(struct bench *b, unsigned int reg)
{
	outl(b, 0xcf8, 0x80000000u | HV_PIIX_IDE << 8 | reg);
	return inl(b, 0xcfc);
}

static void test_function(void **state)
{
	struct ide *f = *state;
	struct bench *b = &f->bench;

	assert_int_equal(config_read(b, 0), 0x70108086);
	assert_int_equal(config_read(b, 8), 0x01018000);
	assert_int_equal(config_read(b, 0x20), BUS_MASTER | 1);
	assert_int_equal(config_read(b, 0x40), 0x80008000);
	/* Timings read back. */
	config_write(b, 0x40, 4, 0xa307a344);
	assert_int_equal(config_read(b, 0x40), 0xa307a344);
	config_write(b, 0x44, 1, 0x5a);
	assert_int_equal(config_read(b, 0x44), 0x5a);
	/* Not decoded: nobody answers. */
	config_write(b, 0x40, 2, 0);
	assert_int_equal(inb(b, PRIMARY + 7), 0xff);
	assert_int_equal(ide_status(f, PRIMARY), 0xff);
	outb(b, PRIMARY + 6, 0xb0);
	assert_int_equal(inb(b, SECONDARY + 6), 0xa0);
	config_write(b, 4, 2, 0);
	assert_int_equal(inb(b, SECONDARY + 6), 0xff);
	assert_int_equal(inb(b, BUS_MASTER + 2), 0xff);
	/* The bus master moves; a reset brings all back. */
	config_write(b, 0x20, 4, 0xc100);
	config_write(b, 4, 2, 5);
	outb(b, 0xc10a, 0x60);
	assert_int_equal(inb(b, 0xc10a), 0x60);
	hv_piix_ide_reset(&f->ide);
	assert_int_equal(inb(b, PRIMARY + 6), 0xa0);
	assert_int_equal(inb(b, BUS_MASTER + 10), 0);
}

/* What was caught up with, by the status that the guest had not seen yet. */
static unsigned int caught_busy, caught_ready;

static void catch_up(void *ctx)
{
	struct ide *f = ctx;

	if (f->ide.channel[0].drive[0].s.status & 0x80)
		caught_busy++;
	else
		caught_ready++;
}

/* Whoever sees that a drive is no longer busy sees its interrupt, too, however that comes. */
static void test_catches_up(void **state)
{
	struct ide *f = *state;
	static const uint16_t ports[] = { PRIMARY + 7, PRIMARY + CONTROL, BUS_MASTER + 2 };

	f->ide.config.catch_up = catch_up;
	f->ide.config.ctx = f;
	for (unsigned int i = 0; i < 3; i++) {
		ide_command(f, 0, 0xe7, 0, 0);
		caught_busy = 0;
		caught_ready = 0;
		(void)inb(&f->bench, ports[i]);
		assert_int_equal(caught_busy, 1);
		ide_serve(f);
		(void)inb(&f->bench, ports[i]);
		assert_int_equal(caught_ready, 1);
		(void)inb(&f->bench, PRIMARY + 7);
	}
}

/* Each place taken by somebody else: nothing is left on the bus. */
static void test_places_taken(void **state)
{
	static const uint16_t taken[] = { 0x1f4, 0x3f6, 0x177, 0x376 };
	struct ide *f = *state;
	static struct bench bench;
	static struct hv_pci pci;
	static struct hv_piix_ide ide;
	const struct hv_pci_config pci_config = { .bus = &bench.bus };
	struct hv_piix_ide_config config = ide_config(f);

	config.bus = &bench.bus;
	config.pci = &pci;
	for (unsigned int i = 0; i < 4; i++) {
		struct hv_region other = { "other", HV_PORT, taken[i], 1, NULL, NULL };

		bench_init(&bench);
		assert_int_equal(hv_pci_init(&pci, &pci_config), 0);
		assert_int_equal(hv_bus_register(&bench.bus, &other), 0);
		assert_int_equal(hv_piix_ide_init(&ide, &config), -EEXIST);
		hv_bus_unregister(&bench.bus, &other);
		hv_pci_exit(&pci);
		assert_int_equal(bench.bus.count[HV_PORT], 0);
	}
	assert_int_equal(hv_piix_ide_add(&f->ide, 0, &hv_ata_disk, &f->disk.m), -EEXIST);
}

/* -------------------------------------------------------------------- state */

static struct hv_piix_ide_state saved, again;

/* The drives go on where others were, in the middle of a sector. */
static void test_state_in_pio(void **state)
{
	struct ide *f = *state;
	uint8_t data[3 * 512];

	ide_command(f, 0, 0x20, 4, 3);
	ide_serve(f);
	ide_take(f, PRIMARY, data, 700);
	hv_piix_ide_save(&f->ide, &saved);
	hv_piix_ide_reset(&f->ide);
	memset(f->ide.channel[0].drive[0].buffer, 0, HV_ATA_DMA_MAX);
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), 0);
	hv_piix_ide_save(&f->ide, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_int_equal(ide_status(f, PRIMARY), DATA);
	assert_true(f->bench.level[14]);
	ide_take(f, PRIMARY, data + 700, sizeof(data) - 700);
	assert_memory_equal(data, f->disk.bytes + 4 * 512, sizeof(data));
	assert_int_equal(ide_status(f, PRIMARY), READY);
}

static void refuse(struct ide *f)
{
	hv_piix_ide_save(&f->ide, &again);
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), -EINVAL);
	hv_piix_ide_save(&f->ide, &saved);
	assert_memory_equal(&saved, &again, sizeof(saved));
}

#define REFUSED(f, field, value)                                                                   \
	do {                                                                                       \
		hv_piix_ide_save(&(f)->ide, &saved);                                               \
		saved.channel[0].field = (value);                                                  \
		refuse(f);                                                                         \
	} while (0)

static void test_bad_states(void **state)
{
	struct ide *f = *state;

	ide_command(f, 0, 0x30, 4, 40);
	REFUSED(f, control, 1);
	REFUSED(f, dma.table, 2);
	REFUSED(f, drive[0].s.phase, HV_ATA_BUSY);
	REFUSED(f, drive[0].s.phase, HV_ATA_IN);
	REFUSED(f, drive[0].s.at, 512);
	REFUSED(f, drive[0].s.end, HV_ATA_PIO_MAX + 2);
	REFUSED(f, drive[0].s.filled, HV_ATA_PIO_MAX + 512);
	REFUSED(f, drive[0].s.left, SECTORS);
	REFUSED(f, drive[0].s.left, 1);
	REFUSED(f, drive[0].s.lba, UINT64_MAX);
	REFUSED(f, drive[0].s.heads, 0);
	REFUSED(f, drive[0].s.heads, 17);
	REFUSED(f, drive[0].s.sectors_a_track, 0);
	REFUSED(f, drive[0].s.multiple, 5);
	REFUSED(f, drive[0].s.command, 0xc5);
	REFUSED(f, drive[0].s.intrq, 2);
	hv_piix_ide_save(&f->ide, &saved);
	saved.channel[1].drive[1].s.status = 0x50;
	refuse(f);
	hv_piix_ide_save(&f->ide, &saved);
	saved.channel[1].drive[0].s.open = 2;
	refuse(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signatures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers_keep_two_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identify_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buffer_is_aligned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_a_sector, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_count_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wide_and_narrow_data, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multiple, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lba48, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_sector_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_sector_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(test_durable_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_power, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_soft_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diagnostic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_brings_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_function, setup, teardown),
		cmocka_unit_test_setup_teardown(test_catches_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state_in_pio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_states, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
