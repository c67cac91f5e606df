// SPDX-License-Identifier: GPL-2.0-only
/* The virtio disk as a driver finds it, over split and packed rings: requests of all kinds, in
 * buffers of all shapes, what must not be, errors, resets in the middle, and sizes that change.
 */
#include <errno.h>

#include "blk_test.h"
#include "lib/util.h"

#define SECTORS 2048
#define SIZE	(SECTORS * 512)
#define BIT(n)	(1ull << (n))
#define ALL                                                                                   \
	(BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE) | BIT(VIRTIO_BLK_F_DISCARD) | \
	 BIT(VIRTIO_BLK_F_WRITE_ZEROES) | BIT(VIRTIO_BLK_F_MQ) | BIT(VIRTIO_BLK_F_RO))

static struct driver driver;
static struct blk_place place;
static bool packed;		/* of this turn */
static char noted[512];
static unsigned int notes;

static void note(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(noted, sizeof(noted), "%s", text);
	notes++;
}

static struct hv_virtio *try(const char *options, unsigned int cpus, struct hv_error *err)
{
	const struct hv_virtio_env env = {
		.memory = &driver.memory,
		.cpus = cpus,
		.note = note,
	};
	const struct hv_virtio_row *row = hv_virtio_find("disk");
	char text[200];

	snprintf(text, sizeof(text), "%s%s", test_image, options);
	assert_int_equal(row->check(text, err), 0);
	return row->create(&env, text, err);
}

static void start(const char *options, unsigned int cpus, uint64_t features)
{
	struct hv_error err = { .text = "" };
	struct hv_virtio *dev = try(options, cpus, &err);

	if (!dev)
		fail_msg("%s", err.text);
	driver_start(&driver, dev, features);
}

static int setup(void **state)
{
	test_image_begin(state);
	test_image_make(SIZE);
	notes = 0;
	driver_init(&driver, packed);
	place = blk_place(&driver, 64 * 1024);
	return 0;
}

static int teardown(void **state)
{
	driver_exit(&driver);
	return test_image_end(state);
}

static uint8_t do_it(uint32_t type, uint64_t sector, uint32_t len)
{
	return blk_do(&driver, &place, type, sector, len);
}

static unsigned char *data_of(const struct blk_place *at, size_t len)
{
	return driver_at(&driver, at->data, len);
}

static void fill(void *buf, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)buf)[i] = (unsigned char)(i * 13 + i / 512 + seed);
}

static void expect_image(uint64_t offset, const void *data, size_t len)
{
	unsigned char *image = malloc(len);

	test_image_read(image, len, (off_t)offset);
	assert_memory_equal(image, data, len);
	free(image);
}

/* ------------------------------------------------------------ configuration */

static struct virtio_blk_config config_of(struct hv_virtio *dev)
{
	struct virtio_blk_config config = { 0 };

	pthread_mutex_lock(&dev->lock);
	memcpy(&config, dev->config, dev->config_len);
	pthread_mutex_unlock(&dev->lock);
	return config;
}

static void test_config(void **state)
{
	struct virtio_blk_config config;

	(void)state;
	start("", 4, ALL);
	config = config_of(driver.dev);
	assert_int_equal(config.capacity, SECTORS);
	assert_int_equal(config.blk_size, 512);
	assert_int_equal(config.seg_max, 254);
	assert_int_equal(config.num_queues, 4);
	assert_int_equal(driver.dev->nr_queues, 4);
	assert_int_equal(config.wce, 1);
	assert_int_equal(512u << config.physical_block_exp, config.min_io_size * 512u);
	assert_int_equal(config.max_discard_seg, 16);
	assert_int_equal(driver.dev->kind->id, VIRTIO_ID_BLOCK);
	assert_int_equal(driver.dev->offered & ALL, ALL & ~BIT(VIRTIO_BLK_F_RO));
}

static void test_config_of_others(void **state)
{
	struct hv_error err;

	(void)state;
	start(",ro", 1, ALL);
	assert_int_equal(driver.dev->offered & ALL,
			 BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_MQ));
	driver_exit(&driver);
	driver_init(&driver, packed);
	start(",cache=writethrough", 100, ALL);
	assert_int_equal(config_of(driver.dev).wce, 0);
	assert_int_equal(driver.dev->nr_queues, 8);
	/* It is ours already. */
	assert_null(try("", 1, &err));
	assert_non_null(strstr(err.text, "is in use by process"));
}

static void test_create_fails(void **state)
{
	struct hv_error err;

	(void)state;
	assert_int_equal(unlink(test_image), 0);
	assert_null(try("", 1, &err));
	assert_non_null(strstr(err.text, "no such file"));
	assert_int_equal(hv_virtio_find("disk")->check("", &err), -EINVAL);
	assert_int_equal(hv_virtio_find("disk")->check("a,cach=none", &err), -EINVAL);
}

static void test_odd_size_is_noted(void **state)
{
	(void)state;
	assert_int_equal(truncate(test_image, 1000), 0);
	start("", 1, ALL);
	assert_int_equal(config_of(driver.dev).capacity, 1);
	assert_int_equal(notes, 1);
	assert_non_null(strstr(noted, "its last 488 bytes are no whole sector"));
}

/* ---------------------------------------------------------- read and write */

static void test_write_and_read(void **state)
{
	static const char *const options[] = { "", ",cache=writethrough", ",cache=none" };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		unsigned char copy[8192];

		start(options[i], 2, ALL);
		fill(data_of(&place, 8192), 8192, i);
		memcpy(copy, data_of(&place, 8192), 8192);
		assert_int_equal(do_it(VIRTIO_BLK_T_OUT, 100, 8192), VIRTIO_BLK_S_OK);
		expect_image(100 * 512, copy, 8192);
		memset(data_of(&place, 8192), 0, 8192);
		assert_int_equal(do_it(VIRTIO_BLK_T_IN, 100, 8192), VIRTIO_BLK_S_OK);
		assert_memory_equal(data_of(&place, 8192), copy, 8192);
		assert_int_equal(do_it(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
		driver_exit(&driver);
		driver_init(&driver, packed);
		place = blk_place(&driver, 64 * 1024);
	}
}

/* "The driver is not allowed to assume", nor is the device: buffers begin and end anywhere. */
static void test_framing(void **state)
{
	const struct buffer write[] = {
		{ place.header, 1, false },      { place.header + 1, 10, false },
		{ place.header + 11, 5, false }, { place.data, 3, false },
		{ place.data + 3, 509, false },  { place.status, 1, true },
	};
	/* Header and data in one; data and status in one. */
	const struct buffer joined[] = {
		{ place.data, 16 + 512, false },
		{ place.status, 1, true },
	};
	const struct buffer read[] = {
		{ place.header, 16, false },
		{ place.data, 512 + 1, true },
	};
	unsigned char copy[528];

	(void)state;
	start("", 1, ALL);
	fill(data_of(&place, 528), 528, 7);
	memcpy(copy, data_of(&place, 528), 528);
	blk_header(&driver, &place, VIRTIO_BLK_T_OUT, 5);
	driver_add(&driver, 0, write, ARRAY_SIZE(write));
	driver_kick(&driver, 0);
	driver_wait(&driver, 0);
	assert_int_equal(blk_status(&driver, &place), VIRTIO_BLK_S_OK);
	expect_image(5 * 512, copy, 512);

	memset(data_of(&place, 16), 0, 16);
	test_put32(&driver.memory, place.data, VIRTIO_BLK_T_OUT);
	test_put64(&driver.memory, place.data + 8, 6);
	driver_add(&driver, 0, joined, ARRAY_SIZE(joined));
	driver_kick(&driver, 0);
	driver_wait(&driver, 0);
	assert_int_equal(blk_status(&driver, &place), VIRTIO_BLK_S_OK);
	expect_image(6 * 512, copy + 16, 512);

	blk_header(&driver, &place, VIRTIO_BLK_T_IN, 5);
	data_of(&place, 513)[512] = NOT_WRITTEN;
	driver_add(&driver, 0, read, ARRAY_SIZE(read));
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 513);
	assert_memory_equal(data_of(&place, 512), copy, 512);
	assert_int_equal(data_of(&place, 513)[512], VIRTIO_BLK_S_OK);
}

/* On all queues at once, more than once around their rings. */
static void test_many(void **state)
{
	enum { PER_QUEUE = 16, ROUNDS = 12 };
	struct blk_place places[4 * PER_QUEUE];

	(void)state;
	start("", 4, ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		places[i] = blk_place(&driver, 512);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			fill(data_of(&places[i], 512), 512, i + round);
			blk_add(&driver, i % 4, &places[i], VIRTIO_BLK_T_OUT, i, 512);
		}
		for (unsigned int n = 0; n < 4; n++)
			driver_kick(&driver, n);
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
			driver_wait(&driver, i % 4);
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			assert_int_equal(blk_status(&driver, &places[i]), VIRTIO_BLK_S_OK);
			expect_image(i * 512, data_of(&places[i], 512), 512);
		}
	}
}

static void test_bounds(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
		uint8_t status;
	} rows[] = {
		{ SECTORS - 1, 512, VIRTIO_BLK_S_OK },
		{ SECTORS, 0, VIRTIO_BLK_S_OK },
		{ SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 512, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX / 512, 512, VIRTIO_BLK_S_IOERR },
		/* Times 512 it is 0. */
		{ 1ull << 55, 512, VIRTIO_BLK_S_IOERR },
		{ 0, 511, VIRTIO_BLK_S_IOERR },
		{ 0, 1, VIRTIO_BLK_S_IOERR },
	};

	(void)state;
	start("", 1, ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(do_it(VIRTIO_BLK_T_IN, rows[i].sector, rows[i].len),
				 rows[i].status);
		assert_int_equal(do_it(VIRTIO_BLK_T_OUT, rows[i].sector, rows[i].len),
				 rows[i].status);
	}
	/* That was the guest's fault: the user hears nothing of it. */
	assert_int_equal(notes, 0);
}

/* ------------------------------------------------------------------- others */

static void test_get_id(void **state)
{
	(void)state;
	start(",serial=01234567890123456789", 1, ALL);
	memset(data_of(&place, 64), 'x', 64);
	assert_int_equal(do_it(VIRTIO_BLK_T_GET_ID, 0, 64), VIRTIO_BLK_S_OK);
	assert_memory_equal(data_of(&place, 64), "01234567890123456789xxxx", 24);
	memset(data_of(&place, 64), 'x', 64);
	assert_int_equal(do_it(VIRTIO_BLK_T_GET_ID, 0, 3), VIRTIO_BLK_S_OK);
	assert_memory_equal(data_of(&place, 64), "012xxxx", 7);
	assert_int_equal(do_it(VIRTIO_BLK_T_GET_ID, 0, 0), VIRTIO_BLK_S_OK);
}

static void test_short_id(void **state)
{
	(void)state;
	start(",serial=abc", 1, ALL);
	memset(data_of(&place, 64), 'x', 64);
	assert_int_equal(do_it(VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_memory_equal(data_of(&place, 64), "abc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x", 21);
}

static void test_unsupported(void **state)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_SCSI_CMD, 3,         5, VIRTIO_BLK_T_SECURE_ERASE,
		VIRTIO_BLK_T_BARRIER,  UINT32_MAX
	};

	(void)state;
	start("", 1, ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(do_it(types[i], 0, 512), VIRTIO_BLK_S_UNSUPP);
}

static void put_segment(unsigned int n, uint64_t sector, uint32_t count, uint32_t flags)
{
	const struct virtio_blk_discard_write_zeroes segment = { sector, count, flags };

	test_put(&driver.memory, place.data + n * sizeof(segment), &segment, sizeof(segment));
}

static bool image_is(uint64_t sector, unsigned int count, unsigned char value)
{
	unsigned char *image = malloc(count * 512);
	bool all = true;

	test_image_read(image, count * 512, (off_t)sector * 512);
	for (unsigned int i = 0; i < count * 512; i++)
		all &= image[i] == value;
	free(image);
	return all;
}

static void fill_image(void)
{
	unsigned char *image = malloc(SIZE);

	memset(image, 0xaa, SIZE);
	test_image_write(image, SIZE, 0);
	free(image);
}

static void test_zeroes(void **state)
{
	(void)state;
	fill_image();
	start("", 1, ALL);
	put_segment(0, 1, 3, 0);
	put_segment(1, 100, 16, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	put_segment(2, 50, 0, 0);
	put_segment(3, SECTORS - 1, 1, 0);
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 4 * 16), VIRTIO_BLK_S_OK);
	assert_true(image_is(0, 1, 0xaa));
	assert_true(image_is(1, 3, 0));
	assert_true(image_is(4, 96, 0xaa));
	assert_true(image_is(100, 16, 0));
	assert_true(image_is(116, SECTORS - 117, 0xaa));
	assert_true(image_is(SECTORS - 1, 1, 0));
}

static void test_discard(void **state)
{
	struct stat before, after;

	(void)state;
	fill_image();
	assert_int_equal(stat(test_image, &before), 0);
	start("", 1, ALL);
	put_segment(0, 8, 1024, 0);
	assert_int_equal(do_it(VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_OK);
	assert_int_equal(stat(test_image, &after), 0);
	assert_true(after.st_blocks <= before.st_blocks - 1000);
	assert_true(image_is(0, 8, 0xaa));
	assert_true(image_is(8 + 1024, SECTORS - 8 - 1024, 0xaa));
}

/* Nothing is done, not even what came before what is wrong. */
static void test_wrong_segments(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t count, flags;
		uint8_t discard, zeroes;
	} rows[] = {
		{ SECTORS, 1, 0, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR },
		{ SECTORS - 1, 2, 0, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 1, 0, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR },
		{ 1ull << 55, 1, 0, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR },
		{ 0, UINT32_MAX, 0, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR },
		{ 0, 1, 2, VIRTIO_BLK_S_UNSUPP, VIRTIO_BLK_S_UNSUPP },
		{ 0, 1, 1u << 31, VIRTIO_BLK_S_UNSUPP, VIRTIO_BLK_S_UNSUPP },
	};

	(void)state;
	fill_image();
	start("", 1, ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		put_segment(0, 0, 8, 0);
		put_segment(1, rows[i].sector, rows[i].count, rows[i].flags);
		assert_int_equal(do_it(VIRTIO_BLK_T_DISCARD, 0, 32), rows[i].discard);
		assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 32), rows[i].zeroes);
	}
	/* To unmap is what a discard is for. */
	put_segment(0, 0, 8, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	assert_int_equal(do_it(VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_UNSUPP);
	/* None, a part of one, too many. */
	put_segment(0, 0, 8, 0);
	for (unsigned int i = 1; i < 17; i++)
		put_segment(i, 0, 8, 0);
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 24), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 17 * 16), VIRTIO_BLK_S_IOERR);
	assert_true(image_is(0, SECTORS, 0xaa));
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16 * 16), VIRTIO_BLK_S_OK);
	assert_true(image_is(0, 8, 0));
}

static void test_read_only(void **state)
{
	(void)state;
	fill_image();
	start(",ro", 1, ALL);
	put_segment(0, 0, 8, 0);
	assert_int_equal(do_it(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_it(VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_it(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_it(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(do_it(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(data_of(&place, 512)[0], 0xaa);
	assert_true(image_is(0, SECTORS, 0xaa));
}

/* --------------------------------------------------- what drivers must not do */

/* Without a whole header, or a place for the status: the device asks for a reset; it helps. */
static void test_malformed(void **state)
{
	const struct buffer no_status[] = { { place.header, 16, false } };
	const struct buffer no_header[] = { { place.status, 1, true } };
	const struct buffer half[] = { { place.header, 15, false }, { place.status, 1, true } };
	const struct {
		const struct buffer *buffers;
		unsigned int count;
	} rows[] = { { no_status, 1 }, { no_header, 1 }, { half, 2 } };

	(void)state;
	start("", 1, ALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		blk_header(&driver, &place, VIRTIO_BLK_T_OUT, 0);
		driver_add(&driver, 0, rows[i].buffers, rows[i].count);
		driver_kick(&driver, 0);
		assert_true(driver_is_broken(&driver));
		driver_stop(&driver);
		driver_start(&driver, driver.dev, ALL);
		assert_int_equal(do_it(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	}
}

/* ---------------------------------------------------------------- the cache */

static void set_wce(unsigned int width, uint32_t value)
{
	struct hv_virtio *dev = driver.dev;

	pthread_mutex_lock(&dev->lock);
	dev->kind->write_config(dev, offsetof(struct virtio_blk_config, wce), width, value);
	pthread_mutex_unlock(&dev->lock);
}

static void test_write_cache(void **state)
{
	(void)state;
	start("", 1, ALL);
	set_wce(1, 0);
	assert_int_equal(config_of(driver.dev).wce, 0);
	assert_int_equal(do_it(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	set_wce(1, 0xfe);
	assert_int_equal(config_of(driver.dev).wce, 0);
	set_wce(4, 1);
	assert_int_equal(config_of(driver.dev).wce, 0);
	/* A reset takes it back, and without the feature it is not the driver's to say. */
	driver_stop(&driver);
	assert_int_equal(config_of(driver.dev).wce, 1);
	driver_start(&driver, driver.dev, ALL & ~BIT(VIRTIO_BLK_F_CONFIG_WCE));
	set_wce(1, 0);
	assert_int_equal(config_of(driver.dev).wce, 1);
	/* Who has a cache but no flush begins without it. */
	driver_stop(&driver);
	driver_start(&driver, driver.dev, ALL & ~BIT(VIRTIO_BLK_F_FLUSH));
	assert_int_equal(config_of(driver.dev).wce, 0);
	/* The rest is not to be written. */
	pthread_mutex_lock(&driver.dev->lock);
	driver.dev->kind->write_config(driver.dev, 0, 4, 0);
	pthread_mutex_unlock(&driver.dev->lock);
	assert_int_equal(config_of(driver.dev).capacity, SECTORS);
}

/* ------------------------------------------------------------ resets, sizes */

/* In the middle of much I/O: when the status reads 0 nothing is written to memory any more. */
static void test_reset_in_the_middle(void **state)
{
	(void)state;
	fill_image();
	start("", 1, ALL);
	for (unsigned int round = 0; round < 30; round++) {
		struct blk_place places[20];

		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			places[i] = (struct blk_place){
				.header = place.header + i * 32,
				.status = place.header + 2048 + i,
				.data = place.data + (i % 8) * 8192,
			};
			blk_add(&driver, 0, &places[i], VIRTIO_BLK_T_IN, i * 16, 8192);
		}
		driver_kick(&driver, 0);
		driver_stop(&driver);
		memset(data_of(&place, 65536), 0x55, 65536);
		usleep(500);
		for (unsigned int i = 0; i < 65536; i++)
			assert_int_equal(data_of(&place, 65536)[i], 0x55);
		driver.free = 8 * HV_MIB;
		driver_start(&driver, driver.dev, ALL);
	}
	assert_int_equal(do_it(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
}

static bool config_interrupt(void)
{
	struct pollfd fd = { .fd = driver.config_fd, .events = POLLIN };
	uint64_t count;

	return poll(&fd, 1, DRIVER_WAIT_MS) == 1 &&
	       read(fd.fd, &count, sizeof(count)) == sizeof(count);
}

static void test_size_changes(void **state)
{
	uint8_t generation;

	(void)state;
	start("", 1, ALL);
	assert_int_equal(do_it(VIRTIO_BLK_T_IN, SECTORS, 512), VIRTIO_BLK_S_IOERR);
	generation = driver.dev->generation;
	assert_int_equal(truncate(test_image, 2 * SIZE), 0);
	assert_true(config_interrupt());
	assert_int_equal(config_of(driver.dev).capacity, 2 * SECTORS);
	assert_int_not_equal(driver.dev->generation, generation);
	assert_int_equal(do_it(VIRTIO_BLK_T_IN, SECTORS, 512), VIRTIO_BLK_S_OK);
}

/* Of the host: the guest has an I/O error and goes on, the user a line, but one. */
static void test_host_errors(void **state)
{
	(void)state;
	start("", 1, ALL);
	assert_int_equal(truncate(test_image, 512), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(do_it(VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(notes, 1);
	assert_non_null(strstr(noted, "Input/output error; the guest was told of an I/O error"));
	assert_int_equal(do_it(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_false(hv_virtio_status(driver.dev) & HV_VIRTIO_NEEDS_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config),         TEST(test_config_of_others),
		TEST(test_create_fails),   TEST(test_odd_size_is_noted),
		TEST(test_write_and_read), TEST(test_framing),
		TEST(test_many),           TEST(test_bounds),
		TEST(test_get_id),         TEST(test_short_id),
		TEST(test_unsupported),    TEST(test_zeroes),
		TEST(test_discard),        TEST(test_wrong_segments),
		TEST(test_read_only),      TEST(test_malformed),
		TEST(test_write_cache),    TEST(test_reset_in_the_middle),
		TEST(test_size_changes),   TEST(test_host_errors),
	};
	int failed = cmocka_run_group_tests_name("virtio_blk, split rings", tests, NULL, NULL);

	packed = true;
	return failed + cmocka_run_group_tests_name("virtio_blk, packed rings", tests, NULL, NULL);
}
