// SPDX-License-Identifier: GPL-2.0-only
/* The bus master: transfers of whole tables, and of tables that a hostile guest would make. */
#include "ata_test.h"

#define TABLE 0x8000
#define BUFFER 0x20000
#define ROM_GPA 0xfffff000u

static const uint8_t *ram(struct ide *f, uint64_t gpa)
{
	return hv_memory_at(&f->memory, gpa, 1);
}

static void fill_ram(struct ide *f, uint32_t gpa, uint32_t len)
{
	uint8_t *at = hv_memory_at(&f->memory, gpa, len);

	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 5 + 1);
}

static void expect_failure(struct ide *f, uint8_t master)
{
	assert_int_equal(inb(&f->bench, PRIMARY + 7), FAILED);
	assert_int_equal(inb(&f->bench, PRIMARY + 1), 0x04);
	assert_int_equal(ide_end_dma(f, PRIMARY), master);
}

static void test_read(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 512, false);
	ide_put_region(f, TABLE, 1, BUFFER + 0x1000, 1536, true);
	ide_command(f, 0, 0xc8, 9, 4);
	assert_int_equal(ide_status(f, PRIMARY), DATA);
	assert_null(f->disk.io);
	ide_start_dma(f, PRIMARY, TABLE, true);
	assert_int_equal(inb(&f->bench, BUS_MASTER + 2) & 7, 1);
	ide_serve(f);
	assert_true(f->bench.level[14]);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	/* Interrupt, and no longer active. */
	assert_int_equal(ide_end_dma(f, PRIMARY), 4);
	assert_int_equal(inb(&f->bench, BUS_MASTER + 2), 0);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes + 9 * 512, 512);
	assert_memory_equal(ram(f, BUFFER + 0x1000), f->disk.bytes + 10 * 512, 1536);
	assert_int_equal(ram(f, BUFFER)[512], 0);
}

/* 400 sectors are more than goes through the buffer at once; 0 in a table is 64 KiB. */
static void test_large(void **state)
{
	struct ide *f = *state;
	static uint8_t data[400 * 512];

	for (unsigned int i = 0; i < 4; i++)
		ide_put_region(f, TABLE, i, BUFFER + i * 0x10000, i < 3 ? 0 : 0x2000, i == 3);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_command_ext(f, 0x25, 100, 400);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_int_equal(ide_interrupts(f, PRIMARY), 1);
	assert_int_equal(ide_end_dma(f, PRIMARY), 4);
	assert_int_equal(f->disk.reads, 2);
	assert_int_equal(hv_memory_read(&f->memory, BUFFER, data, sizeof(data)), 0);
	assert_memory_equal(data, f->disk.bytes + 100 * 512, sizeof(data));
}

static void test_write(void **state)
{
	static const uint8_t commands[] = { 0x35, 0x3d };
	struct ide *f = *state;

	fill_ram(f, BUFFER, 300 * 512);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = 0; n < 3; n++)
			ide_put_region(f, TABLE, n, BUFFER + n * 0x10000, n < 2 ? 0 : 0x5800,
				       n == 2);
		memset(f->disk.bytes, 0, SECTORS * 512);
		ide_command_ext(f, commands[i], 50, 300);
		ide_start_dma(f, PRIMARY, TABLE, false);
		ide_serve(f);
		assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
		assert_int_equal(ide_end_dma(f, PRIMARY), 4);
		assert_memory_equal(f->disk.bytes + 50 * 512, ram(f, BUFFER), 300 * 512);
		assert_int_equal(f->disk.flushes, i);
	}
	assert_int_equal(f->disk.bytes[350 * 512], 0);
}

/* A table with more in it than the command: active, until it is stopped. */
static void test_long_table(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 4096, true);
	ide_command(f, 0, 0xc8, 0, 1);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	assert_int_equal(ide_end_dma(f, PRIMARY), 5);
	assert_int_equal(inb(&f->bench, BUS_MASTER + 2), 0);
	assert_int_equal(ram(f, BUFFER)[512], 0);
}

/* ... and with less: an error at once, instead of a drive that waits for ever. */
static void test_short_table(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 1024, true);
	ide_command(f, 0, 0xc8, 0, 4);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	expect_failure(f, 4);
	/* At the border of what goes through at once, too. */
	for (unsigned int i = 0; i < 2; i++)
		ide_put_region(f, TABLE, i, BUFFER, 0, i == 1);
	ide_command_ext(f, 0x25, 0, 300);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	expect_failure(f, 4);
	ide_command_ext(f, 0x35, 0, 300);
	ide_start_dma(f, PRIMARY, TABLE, false);
	ide_serve(f);
	expect_failure(f, 4);
	assert_int_equal(f->disk.writes, 1);
}

/* Regions and tables where there is no RAM: nothing is moved there. */
static void test_no_ram(void **state)
{
	static const uint32_t nowhere[] = { 2 * HV_MIB, 2 * HV_MIB - 512, 0xfee00000, 0xfffffffe,
					    ROM_GPA };
	struct ide *f = *state;
	struct hv_error err;

	assert_int_equal(hv_memory_add_rom(&f->memory, 4096, &err), 0);
	for (unsigned int i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		ide_put_region(f, TABLE, 0, nowhere[i], 1024, true);
		ide_command(f, 0, 0xc8, 0, 2);
		ide_start_dma(f, PRIMARY, TABLE, true);
		ide_serve(f);
		expect_failure(f, 6);
		ide_command(f, 0, 0xca, 0, 2);
		ide_start_dma(f, PRIMARY, TABLE, false);
		assert_null(f->disk.io);
		expect_failure(f, 6);
		/* The table itself; the second one would be in RAM. */
		if (i == 1)
			continue;
		ide_command(f, 0, 0xc8, 0, 2);
		ide_start_dma(f, PRIMARY, nowhere[i], true);
		ide_serve(f);
		expect_failure(f, nowhere[i] % 0x10000 > 0xfff8 ? 4 : 6);
	}
	assert_int_equal(*ram(f, ROM_GPA), 0);
	assert_int_equal(f->disk.writes, 0);
}

/* A table does not go on behind 64 KiB: 2 bytes an entry, and no last one. */
static void test_endless_table(void **state)
{
	struct ide *f = *state;

	for (unsigned int i = 0; i < 0x10000 / 8; i++)
		ide_put_region(f, 0x30000, i, BUFFER, 2, false);
	ide_command(f, 0, 0xc8, 0, 40);
	ide_start_dma(f, PRIMARY, 0x30000, true);
	ide_serve(f);
	expect_failure(f, 4);
	ide_command(f, 0, 0xc8, 0, 1);
	ide_start_dma(f, PRIMARY, 0x3fff8, true);
	ide_serve(f);
	expect_failure(f, 4);
	/* 8192 entries of 2 bytes are 32 sectors. */
	ide_command(f, 0, 0xc8, 0, 32);
	ide_start_dma(f, PRIMARY, 0x30000, true);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
}

/* Odd addresses and lengths are even ones: bit 0 is not there. */
static void test_odd(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER + 1, 513, true);
	ide_command(f, 0, 0xc8, 2, 1);
	ide_start_dma(f, PRIMARY, TABLE | 3, true);
	assert_int_equal(inl(&f->bench, BUS_MASTER + 4), TABLE);
	ide_serve(f);
	assert_int_equal(ide_end_dma(f, PRIMARY), 4);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes + 1024, 512);
}

/* The table is read once: what becomes of it meanwhile changes nothing. */
static void test_table_changes(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 0, false);
	ide_put_region(f, TABLE, 1, BUFFER + 0x10000, 0, false);
	ide_put_region(f, TABLE, 2, BUFFER + 0x20000, 0, true);
	ide_command_ext(f, 0x25, 0, 300);
	ide_start_dma(f, PRIMARY, TABLE, true);
	assert_true(medium_answer(&f->disk));
	ide_put_region(f, TABLE, 0, 0xfee00000, 2, true);
	ide_put_region(f, TABLE, 1, 0xfee00000, 2, true);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), READY);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes, 300 * 512);
}

static void test_bad_sector(void **state)
{
	struct ide *f = *state;

	f->disk.bad = 7;
	ide_put_region(f, TABLE, 0, BUFFER, 0x2000, true);
	ide_command(f, 0, 0xc8, 0, 16);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), FAILED);
	assert_int_equal(inb(&f->bench, PRIMARY + 1), 0x40);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 7);
	assert_int_equal(ide_end_dma(f, PRIMARY), 5);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes, 7 * 512);
	assert_int_equal(ram(f, BUFFER)[7 * 512], 0);
	/* Written, it is the same. */
	fill_ram(f, BUFFER, 0x2000);
	ide_command(f, 0, 0xca, 0, 16);
	ide_start_dma(f, PRIMARY, TABLE, false);
	ide_serve(f);
	assert_int_equal(inb(&f->bench, PRIMARY + 7), FAILED);
	assert_int_equal(inb(&f->bench, PRIMARY + 3), 7);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes, 7 * 512);
}

/* Stopped while the disk reads: nothing comes to RAM until it is started again. */
static void test_stop_in_flight(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 512, true);
	ide_command(f, 0, 0xc8, 3, 1);
	ide_start_dma(f, PRIMARY, TABLE, true);
	outb(&f->bench, BUS_MASTER, 8);
	ide_serve(f);
	assert_int_equal(ide_status(f, PRIMARY), DATA);
	assert_int_equal(ram(f, BUFFER)[1], 0);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes + 3 * 512, 512);
}

/* What a reset has given up does not come to RAM. */
static void test_reset_in_flight(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 512, true);
	ide_command(f, 0, 0xc8, 3, 1);
	ide_start_dma(f, PRIMARY, TABLE, true);
	hv_piix_ide_reset(&f->ide);
	ide_serve(f);
	assert_int_equal(ram(f, BUFFER)[1], 0);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	assert_false(f->bench.level[14]);
	/* By the channel's reset, with the bus master still on. */
	ide_command(f, 0, 0xc8, 3, 1);
	ide_start_dma(f, PRIMARY, TABLE, true);
	outb(&f->bench, PRIMARY + CONTROL, 4);
	outb(&f->bench, PRIMARY + CONTROL, 0);
	ide_serve(f);
	assert_int_equal(ram(f, BUFFER)[1], 0);
}

static void test_registers(void **state)
{
	struct bench *b = &((struct ide *)*state)->bench;

	/* Of the second channel, in one access; bits that are not there stay 0. */
	outl(b, BUS_MASTER + 12, 0xffffffff);
	assert_int_equal(inl(b, BUS_MASTER + 12), 0xfffffffc);
	outb(b, BUS_MASTER + 8, 0xfe);
	assert_int_equal(inb(b, BUS_MASTER + 8), 8);
	outb(b, BUS_MASTER + 10, 0xff);
	assert_int_equal(inb(b, BUS_MASTER + 10), 0x60);
	outb(b, BUS_MASTER + 9, 0xff);
	outb(b, BUS_MASTER + 11, 0xff);
	assert_int_equal(inb(b, BUS_MASTER + 9) | inb(b, BUS_MASTER + 11), 0);
	assert_int_equal(inl(b, BUS_MASTER + 4), 0);
	/* From one half into the other. */
	assert_int_equal(inl(b, BUS_MASTER + 6), 0x00080000);
}

/* Started with nobody there who would take it. */
static void test_start_without_command(void **state)
{
	struct ide *f = *state;

	ide_put_region(f, TABLE, 0, BUFFER, 512, true);
	ide_start_dma(f, PRIMARY, TABLE, true);
	assert_null(f->disk.io);
	/* The command comes second, and finds it running. */
	ide_command(f, 1, 0xc8, 3, 1);
	ide_serve(f);
	assert_memory_equal(ram(f, BUFFER), f->second.bytes + 3 * 512, 512);
	assert_int_equal(ide_end_dma(f, PRIMARY), 4);
}

static void test_state(void **state)
{
	struct ide *f = *state;
	static struct hv_piix_ide_state saved;

	ide_put_region(f, TABLE, 0, BUFFER, 1024, true);
	ide_command(f, 0, 0xc8, 3, 2);
	hv_piix_ide_save(&f->ide, &saved);
	hv_piix_ide_reset(&f->ide);
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), 0);
	ide_start_dma(f, PRIMARY, TABLE, true);
	ide_serve(f);
	assert_int_equal(ide_status(f, PRIMARY), READY);
	assert_memory_equal(ram(f, BUFFER), f->disk.bytes + 3 * 512, 1024);
	saved.channel[0].dma.status = 1;
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), -EINVAL);
	saved.channel[0].dma.status = 0;
	saved.channel[0].dma.left = 0x10001;
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), -EINVAL);
	saved.channel[0].dma.left = 0;
	saved.channel[0].dma.next = 4;
	assert_int_equal(hv_piix_ide_load(&f->ide, &saved), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_sector, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_without_command, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
