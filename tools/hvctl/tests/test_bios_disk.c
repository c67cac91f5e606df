// SPDX-License-Identifier: GPL-2.0-only
/* The BIOS' disk: which kind an image is, what is read of it and what is refused. */
#include "bios_test.h"
#include "lib/util.h"

#define SECTOR 512
#define MAX (6 * HV_MIB)

static struct bios_bench b;
static uint8_t image[MAX];

/* Each sector begins with its number. */
static void begin_disk(uint64_t size)
{
	memset(image, 0, sizeof(image));
	for (uint32_t i = 0; i < MAX / SECTOR; i++)
		memcpy(image + i * SECTOR, &i, 4);
	memcpy(image + 510, "\x55\xaa", 2);
	bios_begin(&b, image, size);
}

static int end(void **state)
{
	(void)state;
	bios_end(&b);
	return 0;
}

static void int13(uint16_t ax, uint16_t cx, uint16_t dx)
{
	bios_set(&b, TINYVMX_RBX, 0);
	bios_set(&b, TINYVMX_RCX, cx);
	bios_set(&b, TINYVMX_RDX, dx);
	bios_int(&b, 0x13, ax);
}

static const struct {
	uint32_t kib;
	uint8_t drive, type, last_cylinder, sectors, last_head;
} kinds[] = {
	{ 160, 0, 1, 39, 8, 0 },   { 180, 0, 1, 39, 9, 0 },      { 320, 0, 1, 39, 8, 1 },
	{ 360, 0, 1, 39, 9, 1 },   { 720, 0, 3, 79, 9, 1 },      { 1200, 0, 2, 79, 15, 1 },
	{ 1440, 0, 4, 79, 18, 1 }, { 2880, 0, 5, 79, 36, 1 },    { 100, 0, 4, 79, 18, 1 },
	{ 1441, 0, 5, 79, 36, 1 }, { 5000, 0x80, 0, 8, 63, 15 },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		begin_disk(kinds[i].kib * HV_KIB);
		assert_int_equal(b.bios.drive, kinds[i].drive);
		assert_int_equal(bios_word(&b, TINYVMX_RDX), kinds[i].drive);
		bios_set(&b, TINYVMX_RDI, 0);
		int13(0x0800, 0, kinds[i].drive);
		assert_false(bios_failed(&b));
		assert_int_equal(bios_word(&b, TINYVMX_RBX) & 0xff, kinds[i].type);
		assert_int_equal(bios_word(&b, TINYVMX_RCX),
				 kinds[i].last_cylinder << 8 | kinds[i].sectors);
		assert_int_equal(bios_word(&b, TINYVMX_RDX), kinds[i].last_head << 8 | 1);
		/* A floppy's table is in the ROM. */
		assert_int_equal(!bios_word(&b, TINYVMX_RDI), !!kinds[i].drive);
		assert_int_equal(test_get(&b.memory, 0x475, 1), 1);
		assert_int_equal(test_get(&b.memory, 0x410, 1) & 1, !kinds[i].drive);
		bios_end(&b);
	}
	begin_disk(512);
}

static void put_partition(unsigned int index, uint8_t active, uint8_t kind, uint32_t first,
			  uint32_t sectors, uint8_t head)
{
	uint8_t *entry = image + 0x1be + 16 * index;
	const uint8_t bytes[8] = { active, 0, 1, 0, kind, head, 0xc0 | 32, 0 };

	memcpy(entry, bytes, sizeof(bytes));
	memcpy(entry + 8, &first, 4);
	memcpy(entry + 12, &sectors, 4);
}

static void test_partitions(void **state)
{
	(void)state;
	begin_disk(64 * HV_KIB);
	assert_int_equal(b.bios.drive, 0);
	bios_end(&b);
	/* A table makes a hard disk of it, as large and as it says. */
	put_partition(1, 0x80, 0x83, 1, 8191, 7);
	bios_begin(&b, image, 64 * HV_KIB);
	assert_int_equal(b.bios.drive, 0x80);
	assert_int_equal(b.bios.disk.sectors, 8192);
	assert_int_equal(b.bios.disk.heads, 8);
	assert_int_equal(b.bios.disk.sectors_a_track, 32);
	assert_int_equal(b.bios.disk.cylinders, 32);
	bios_end(&b);
	/* Code there makes none, nor does a partition behind the end. */
	put_partition(2, 0x90, 0x90, 1, 1, 0);
	bios_begin(&b, image, 64 * HV_KIB);
	assert_int_equal(b.bios.drive, 0);
	bios_end(&b);
	put_partition(2, 0, 0x83, 128, 1, 0);
	bios_begin(&b, image, 64 * HV_KIB);
	assert_int_equal(b.bios.drive, 0);
	bios_end(&b);
	/* Nor anything where the signature is missing. */
	put_partition(2, 0, 0, 0, 0, 0);
	image[510] = 0;
	bios_begin(&b, image, 64 * HV_KIB);
	assert_int_equal(b.bios.drive, 0);
}

static void test_read(void **state)
{
	(void)state;
	begin_disk(1440 * HV_KIB);
	/* Cylinder 2, head 1, sector 17: two of them, over the end of the track. */
	int13(0x0202, 2 << 8 | 18, 1 << 8);
	assert_false(bios_failed(&b));
	assert_int_equal(bios_ax(&b), 2);
	assert_int_equal(test_get(&b.memory, BUFFER, 4), (2 * 2 + 1) * 18 + 17);
	assert_int_equal(test_get(&b.memory, BUFFER + SECTOR, 4), (2 * 2 + 1) * 18 + 18);
	/* To the end of the segment, and on at its beginning. */
	bios_set(&b, TINYVMX_RBX, 0xff00);
	bios_set(&b, TINYVMX_RCX, 2);
	bios_set(&b, TINYVMX_RDX, 0);
	bios_int(&b, 0x13, 0x0201);
	assert_int_equal(test_get(&b.memory, BUFFER + 0xff00, 4), 1);
	assert_int_equal(test_get(&b.memory, BUFFER, 4), 0);
	assert_int_equal(test_get(&b.memory, BUFFER + 0x10000, 4), 0);
	/* Verified is not read. */
	test_put32(&b.memory, BUFFER, 0x12345678);
	int13(0x0401, 1, 0);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, BUFFER, 4), 0x12345678);
}

/* Behind the image, but on the floppy. */
static void test_short_image(void **state)
{
	(void)state;
	begin_disk(SECTOR + 2);
	int13(0x0203, 1, 0);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, BUFFER + 510, 2), 0xaa55);
	assert_int_equal(test_get(&b.memory, BUFFER + SECTOR, 4), 1);
	assert_int_equal(test_get(&b.memory, BUFFER + 2 * SECTOR, 4), 0);
}

static const struct {
	uint16_t ax, cx, dx;
	uint8_t status;
} refused[] = {
	{ 0x0200, 1, 0, 0x01 }, /* no sector */
	{ 0x0201, 0, 0, 0x04 }, /* sector 0, 19, head 2, cylinder 80 */
	{ 0x0201, 19, 0, 0x04 },          { 0x0201, 1, 0x200, 0x04 },
	{ 0x0201, 80 << 8 | 1, 0, 0x04 }, { 0x0202, 79 << 8 | 18, 0x100, 0x04 }, /* the end */
	{ 0x0301, 1, 0, 0x03 }, /* writing, formatting */
	{ 0x0501, 1, 0, 0x03 },           { 0x4300, 1, 0, 0x03 },
	{ 0x0201, 1, 1, 0x01 },                                   /* B, the second hard disk */
	{ 0x0201, 1, 0x81, 0x01 },        { 0x4100, 1, 0, 0x01 }, /* no packets on floppies */
	{ 0x4800, 1, 0, 0x01 },                                   /* room for 0 bytes */
	{ 0x4200, 1, 0, 0x01 },           { 0x7700, 1, 0, 0x01 },
};

static void test_refused(void **state)
{
	(void)state;
	begin_disk(1440 * HV_KIB);
	bios_set(&b, TINYVMX_RSI, 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int13(refused[i].ax, refused[i].cx, refused[i].dx);
		assert_true(bios_failed(&b));
		if (bios_ah(&b) != refused[i].status)
			fail_msg("%04x %04x %04x: %02x", refused[i].ax, refused[i].cx,
				 refused[i].dx, bios_ah(&b));
	}
	assert_string_equal(b.said, "there is no INT 13H with AX=7700H here (at 1234:5678)\n");
	b.disk_is_bad = true;
	int13(0x0201, 1, 0);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x10);
	assert_int_equal(bios_ax(&b) & 0xff, 0);
	b.disk_is_bad = false;
	int13(0x0201, 0, 0);
	int13(0x0100, 0, 0);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x04);
	int13(0x0000, 0, 0);
	int13(0x0100, 0, 0);
	assert_false(bios_failed(&b));
	int13(0x1500, 0, 0);
	assert_int_equal(bios_ah(&b), 1);
}

/* The other number: for programs that go by no DL. A large image is no floppy. */
static void test_both_drives(void **state)
{
	(void)state;
	begin_disk(20 * HV_KIB);
	int13(0x0201, 3, 0x80);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, BUFFER, 4), 2);
	int13(0x0800, 0, 0x80);
	assert_int_equal(bios_word(&b, TINYVMX_RCX), 1 << 8 | 63);
	int13(0x0201, 41, 0x80);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, BUFFER, 4), 0);
	bios_end(&b);
	begin_disk(5000 * HV_KIB);
	int13(0x0201, 1, 0);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x01);
}

static void packet(uint8_t size, uint16_t count, uint64_t lba)
{
	const uint16_t words[4] = { size, count, 0x10, 0x4100 };

	test_put(&b.memory, BUFFER, words, sizeof(words));
	test_put64(&b.memory, BUFFER + 8, lba);
	bios_set(&b, TINYVMX_RSI, 0);
	int13(0x4200, 0, 0x80);
}

static void test_packets(void **state)
{
	(void)state;
	begin_disk(5000 * HV_KIB);
	packet(16, 2, 9998);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, 0x41010, 4), 9998);
	assert_int_equal(test_get(&b.memory, 0x41010 + SECTOR, 4), 9999);
	packet(16, 2, 9999);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x04);
	assert_int_equal(test_get(&b.memory, BUFFER + 2, 2), 0);
	packet(16, 1, UINT64_MAX);
	assert_true(bios_failed(&b));
	packet(15, 1, 0);
	assert_int_equal(bios_ah(&b), 0x01);
	/* A segment is full. */
	packet(16, 128, 0);
	assert_false(bios_failed(&b));
	packet(16, 129, 0);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x01);
	bios_set(&b, TINYVMX_RBX, 0x55aa);
	bios_set(&b, TINYVMX_RDX, 0x80);
	bios_int(&b, 0x13, 0x4100);
	assert_false(bios_failed(&b));
	assert_int_equal(bios_word(&b, TINYVMX_RBX), 0xaa55);
	test_put(&b.memory, BUFFER, "\x1a", 2);
	int13(0x4800, 0, 0x80);
	assert_false(bios_failed(&b));
	assert_int_equal(test_get(&b.memory, BUFFER + 16, 8), 10000);
	assert_int_equal(test_get(&b.memory, BUFFER + 24, 2), SECTOR);
	int13(0x1500, 0, 0x80);
	assert_int_equal(bios_ah(&b), 3);
	assert_int_equal(bios_word(&b, TINYVMX_RDX), 10000);
}

static void test_boot_again(void **state)
{
	(void)state;
	begin_disk(1440 * HV_KIB);
	bios_set(&b, TINYVMX_RDX, 0x1234);
	bios_int(&b, 0x19, 0);
	assert_int_equal(test_get(&b.memory, 0x7c00 + 510, 2), 0xaa55);
	assert_int_equal(test_get(&b.memory, STACK + STACK_SP + 2, 4), 0x7c00);
	assert_int_equal(bios_word(&b, TINYVMX_RDX), 0x1200);
	b.disk_is_bad = true;
	bios_int(&b, 0x19, 0);
	assert_non_null(strstr(b.said, "boot sector cannot be read"));
}

#define T(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kinds),   T(test_partitions),  T(test_read),    T(test_short_image),
		T(test_refused), T(test_both_drives), T(test_packets), T(test_boot_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
