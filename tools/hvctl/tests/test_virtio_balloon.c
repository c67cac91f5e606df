// SPDX-License-Identifier: GPL-2.0-only
/* The balloon: whose memory goes, and whose does not. */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <sys/mman.h>

#include "virtio/balloon.h"
#include "virtio_test.h"

#define INFLATE	  0
#define DEFLATE	  1
#define STATS	  2
#define COUNTED	  3		/* free pages, by drivers that count queues */
#define REPORTING 4

#define F_STATS	    (1ull << VIRTIO_BALLOON_F_STATS_VQ)
#define F_REPORTING (1ull << VIRTIO_BALLOON_F_REPORTING)

static struct driver driver;
static uint64_t pages;			/* RAM that all of this is about */
static unsigned int dirtied;

static void note(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	if (gpa >= pages && gpa < pages + HV_MIB)
		dirtied += len / 4096;
}

static void make(bool packed)
{
	const struct hv_virtio_env env = { .memory = &driver.memory };
	struct hv_error err = { .text = "" };

	driver_init(&driver, packed);
	(void)madvise(driver.memory.range[0].hva, DRIVER_MEMORY, MADV_NOHUGEPAGE);
	driver.dev = hv_virtio_balloon_create(&env, NULL, &err);
	assert_non_null(driver.dev);
	assert_true(hv_is_balloon(driver.dev));
	pages = driver_alloc(&driver, HV_MIB);
	memset(driver_at(&driver, pages, HV_MIB), 0x5a, HV_MIB);
	dirtied = 0;
}

static int begin_split(void **state)
{
	(void)state;
	make(false);
	driver_start(&driver, driver.dev, F_STATS | F_REPORTING);
	return 0;
}

static int begin_packed(void **state)
{
	(void)state;
	make(true);
	driver_start(&driver, driver.dev, F_STATS | F_REPORTING);
	return 0;
}

/* For what a test starts by itself. */
static int begin_off(void **state)
{
	(void)state;
	make(false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	driver_exit(&driver);
	return 0;
}

static bool is_there(unsigned int page)
{
	return *(uint8_t *)driver_at(&driver, pages + page * 4096ull, 4096) == 0x5a;
}

static void put_pfns(unsigned int queue, const uint32_t *pfns, unsigned int count)
{
	uint64_t gpa = driver_alloc(&driver, 4ull * count);

	memcpy(driver_at(&driver, gpa, 4ull * count), pfns, 4ull * count);
	driver_add(&driver, queue, &(struct buffer){ gpa, 4 * count, false }, 1);
	driver_kick(&driver, queue);
	assert_int_equal(driver_wait(&driver, queue), 0);
}

static void test_inflate(void **state)
{
	const uint32_t first = (uint32_t)(pages >> 12);
	/* Upwards, downwards, alone, and twice. */
	const uint32_t pfns[] = { first + 1, first + 2,  first + 3,  first + 9,
				  first + 8, first + 20, first + 20, first + 2 };
	uint64_t before = hv_memory_resident(&driver.memory);

	(void)state;
	put_pfns(INFLATE, pfns, 8);
	/* The page with the numbers has come. */
	assert_int_equal(hv_memory_resident(&driver.memory), before + 4096 - 6 * 4096);
	for (unsigned int page = 0; page < 32; page++)
		assert_int_equal(is_there(page),
				 !(page >= 1 && page <= 3) && page != 8 && page != 9 && page != 20);
	put_pfns(DEFLATE, pfns, 8);
	assert_false(is_there(1));
	assert_true(is_there(0));
}

static void test_whoever_asks_is_told(void **state)
{
	const uint32_t pfns[] = { (uint32_t)(pages >> 12), (uint32_t)(pages >> 12) + 1 };

	(void)state;
	driver.memory.dirtied = note;
	put_pfns(INFLATE, pfns, 2);
	driver.memory.dirtied = NULL;
	assert_int_equal(dirtied, 2);
}

/* Pages that there are not, a ROM, half a number: nothing happens, and the device goes on. */
static void test_nonsense(void **state)
{
	const uint32_t pfns[] = { 0xffffffff, DRIVER_MEMORY >> 12, 0xfffff,
				  (uint32_t)(pages >> 12) };
	struct hv_error err;

	(void)state;
	assert_int_equal(hv_memory_add_rom(&driver.memory, 4096, &err), 0);
	assert_int_equal(hv_memory_write(&driver.memory, 0xfffff000, "rom", 4), 0);
	put_pfns(INFLATE, pfns, 4);
	assert_string_equal(hv_memory_at(&driver.memory, 0xfffff000, 4), "rom");
	assert_false(is_there(0));
	driver_add(&driver, INFLATE, &(struct buffer){ pages + 4096, 3, false }, 1);
	driver_kick(&driver, INFLATE);
	assert_int_equal(driver_wait(&driver, INFLATE), 0);
	driver_add(&driver, INFLATE, &(struct buffer){ pages + 4096, 64, true }, 1);
	driver_kick(&driver, INFLATE);
	assert_int_equal(driver_wait(&driver, INFLATE), 0);
	for (unsigned int page = 1; page < 256; page++)
		assert_true(is_there(page));
}

/* So many numbers in one chain that others would wait: the rest is passed over. */
static void test_many(void **state)
{
	const unsigned int count = 4096;
	uint64_t gpa = driver_alloc(&driver, 4ull * (count + 2));
	uint32_t *pfns = driver_at(&driver, gpa, 4ull * (count + 2));

	(void)state;
	for (unsigned int i = 0; i < count - 1; i++)
		pfns[i] = 0x100000;
	pfns[count - 1] = (uint32_t)(pages >> 12);
	pfns[count] = (uint32_t)(pages >> 12) + 1;
	driver_add(&driver, INFLATE, &(struct buffer){ gpa, 4 * (count + 1), false }, 1);
	driver_kick(&driver, INFLATE);
	assert_int_equal(driver_wait(&driver, INFLATE), 0);
	assert_false(is_there(0));
	assert_true(is_there(1));
}

/* More chains than are done in a turn. */
static void test_turns(void **state)
{
	uint32_t *pfns = driver_at(&driver, driver_alloc(&driver, 4096), 4096);
	uint64_t gpa = driver.free - 4096;

	(void)state;
	for (unsigned int i = 0; i < DRIVER_SIZE; i++) {
		pfns[i] = (uint32_t)(pages >> 12) + i;
		driver_add(&driver, INFLATE, &(struct buffer){ gpa + 4ull * i, 4, false }, 1);
	}
	driver_kick(&driver, INFLATE);
	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		assert_int_equal(driver_wait(&driver, INFLATE), 0);
	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		assert_false(is_there(i));
	assert_true(is_there(DRIVER_SIZE));
}

static void report(unsigned int queue, const struct buffer *buffers, unsigned int count)
{
	driver_add(&driver, queue, buffers, count);
	driver_kick(&driver, queue);
	assert_int_equal(driver_wait(&driver, queue), 0);
}

static void test_report(void **state)
{
	const struct buffer buffers[] = {
		{ pages, 8192, true },
		/* Of pages that are not whole nothing is taken but those that are. */
		{ pages + 0x4800, 0x1900, true },
		{ pages + 0x8100, 0x800, true },
	};

	(void)state;
	report(REPORTING, buffers, 3);
	for (unsigned int page = 0; page < 16; page++)
		assert_int_equal(is_there(page), page > 1 && page != 5);
	report(COUNTED, &(struct buffer){ pages + 0x8000, 4096, true }, 1);
	assert_false(is_there(8));
	/* What the device is only to read is none. */
	report(REPORTING, &(struct buffer){ pages + 0x9000, 4096, false }, 1);
	assert_true(is_there(9));
}

/* Drivers that count queues have it in the place of the statistics that they do not want. */
static void test_report_without_stats(void **state)
{
	(void)state;
	driver_start(&driver, driver.dev, F_REPORTING);
	report(STATS, &(struct buffer){ pages, 4096, true }, 1);
	assert_false(is_there(0));
}

static void test_no_reports(void **state)
{
	(void)state;
	driver_start(&driver, driver.dev, F_STATS);
	report(REPORTING, &(struct buffer){ pages, 4096, true }, 1);
	assert_true(is_there(0));
}

/* ------------------------------------------------------------- statistics */

static uint64_t put_stats(uint64_t free_bytes)
{
	const struct virtio_balloon_stat stats[] = {
		{ VIRTIO_BALLOON_S_MEMFREE, free_bytes },
		{ VIRTIO_BALLOON_S_MAJFLT, 7 },
		{ 0xffff, 1 },
	};
	uint64_t gpa = driver_alloc(&driver, sizeof(stats));

	memcpy(driver_at(&driver, gpa, sizeof(stats)), stats, sizeof(stats));
	driver_add(&driver, STATS, &(struct buffer){ gpa, sizeof(stats), false }, 1);
	driver_kick(&driver, STATS);
	return gpa;
}

static bool has_told(uint64_t free_bytes)
{
	struct hv_balloon_facts facts;

	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS; ms++) {
		hv_balloon_look(driver.dev, &facts);
		if (facts.told_ns && facts.count[VIRTIO_BALLOON_S_MEMFREE] == free_bytes)
			return facts.known ==
			       (1u << VIRTIO_BALLOON_S_MEMFREE | 1u << VIRTIO_BALLOON_S_MAJFLT);
		usleep(1000);
	}
	return false;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* ... and the worker has heard it. */
static void ask(void)
{
	hv_balloon_ask(driver.dev);
	hv_worker_run(&driver.dev->worker, nothing, NULL);
}

static void test_stats(void **state)
{
	struct hv_balloon_facts facts;
	uint32_t len;

	(void)state;
	hv_balloon_look(driver.dev, &facts);
	assert_int_equal(facts.told_ns, 0);
	ask(); /* nobody has come yet */
	put_stats(1000);
	assert_true(has_told(1000));
	assert_false(driver_take(&driver, STATS, &len));
	hv_balloon_ask(driver.dev);
	assert_int_equal(driver_wait(&driver, STATS), 0);
	ask(); /* once more before it has answered */
	put_stats(2000);
	assert_true(has_told(2000));
}

/* Two chains at once, and a reset while the device has one. */
static void test_stats_of_a_stranger(void **state)
{
	(void)state;
	put_stats(1000);
	put_stats(2000);
	assert_true(has_told(1000));
	hv_virtio_hold(driver.dev);
	assert_int_equal(driver.dev->queue[STATS].ring.in_flight, 0);
	hv_virtio_go_on(driver.dev);
	hv_balloon_ask(driver.dev);
	assert_int_equal(driver_wait(&driver, STATS), 0);
	driver_stop(&driver);
	assert_int_equal(driver.dev->queue[STATS].ring.in_flight, 0);
	hv_balloon_ask(driver.dev);
	driver_start(&driver, driver.dev, F_STATS);
	put_stats(3000);
	assert_true(has_told(3000));
}

static void test_stats_queue_reset(void **state)
{
	struct hv_virtio *dev = driver.dev;

	(void)state;
	put_stats(1000);
	assert_true(has_told(1000));
	hv_virtio_reset_queue(dev, STATS);
	hv_worker_run(&dev->worker, nothing, NULL);
	assert_false(dev->queue[STATS].ring.up);
	hv_balloon_ask(dev);
	driver_enable(&driver, STATS);
	put_stats(2000);
	assert_true(has_told(2000));
}

/* ---------------------------------------------------------------- the target */

static uint32_t config32(unsigned int offset)
{
	uint32_t value;

	memcpy(&value, driver.dev->config + offset, sizeof(value));
	return value;
}

static void write_config(unsigned int offset, unsigned int width, uint32_t value)
{
	pthread_mutex_lock(&driver.dev->lock);
	driver.dev->kind->write_config(driver.dev, offset, width, value);
	pthread_mutex_unlock(&driver.dev->lock);
}

static void test_target(void **state)
{
	struct hv_balloon_facts facts;

	(void)state;
	assert_int_equal(driver.dev->config_len, 8);
	hv_balloon_set(driver.dev, 8 * HV_MIB + 1);
	assert_int_equal(config32(0), 2048);
	assert_true(poll(&(struct pollfd){ driver.config_fd, POLLIN, 0 }, 1, DRIVER_WAIT_MS) == 1);
	write_config(4, 4, 256);
	write_config(0, 4, 1);
	write_config(4, 2, 1);
	hv_balloon_look(driver.dev, &facts);
	assert_int_equal(facts.target, 8 * HV_MIB);
	assert_int_equal(facts.actual, HV_MIB);
	assert_int_equal(config32(0), 2048);
}

#define BOTH(test)                                              \
	cmocka_unit_test_setup_teardown(test, begin_split, end), \
	cmocka_unit_test_setup_teardown(test, begin_packed, end)
#define OFF(test) cmocka_unit_test_setup_teardown(test, begin_off, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_inflate),
		BOTH(test_whoever_asks_is_told),
		BOTH(test_nonsense),
		BOTH(test_many),
		BOTH(test_turns),
		BOTH(test_report),
		OFF(test_report_without_stats),
		OFF(test_no_reports),
		BOTH(test_stats),
		BOTH(test_stats_of_a_stranger),
		BOTH(test_stats_queue_reset),
		BOTH(test_target),
	};

	return cmocka_run_group_tests_name("virtio_balloon", tests, NULL, NULL);
}
