// SPDX-License-Identifier: GPL-2.0-only
/*
 * kill -9, hundreds of times at random: what a virtio disk has acknowledged is in the image. A
 * child is the machine, driver and device; it tells us by shared memory what was acknowledged, and
 * we look into the image when it is dead.
 *
 * The page cache outlives the child. So what is shown here is that nothing is acknowledged before
 * the kernel has it; that a flush is an fdatasync() to the kernel is shown in test_disk.c.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "blk_test.h"
#include "lib/util.h"

#define SLOTS	  16		/* requests under way; each has sectors of its own */
#define SLOT_SIZE 8192
#define KILLS	  150		/* of each way */

/* What the child has been told, of each slot: the last number that it has written there. */
struct acknowledged {
	_Atomic uint64_t number[SLOTS];
	atomic_uint total;
};

static struct acknowledged *told;

/* --------------------------------------------------------- the child: a guest */

static struct driver driver;
static struct blk_place places[SLOTS];
static uint64_t numbers[SLOTS];

static void write_slot(unsigned int slot)
{
	uint64_t *data = driver_at(&driver, places[slot].data, SLOT_SIZE);

	numbers[slot]++;
	for (unsigned int i = 0; i < SLOT_SIZE / sizeof(*data); i++)
		data[i] = numbers[slot] << 8 | slot;
	blk_add(&driver, 0, &places[slot], VIRTIO_BLK_T_OUT, slot * (SLOT_SIZE / 512), SLOT_SIZE);
}

/* A round: all slots; with @flush they count when that is done, not before. */
static void round_of_writes(bool flush, const struct blk_place *flush_place)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		write_slot(slot);
	driver_kick(&driver, 0);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		driver_wait(&driver, 0);
		/* They come in any order. */
		for (unsigned int i = 0; i < SLOTS && !flush; i++)
			if (blk_status(&driver, &places[i]) == VIRTIO_BLK_S_OK)
				atomic_store(&told->number[i], numbers[i]);
	}
	if (flush && blk_do(&driver, flush_place, VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK)
		for (unsigned int i = 0; i < SLOTS; i++)
			atomic_store(&told->number[i], numbers[i]);
	atomic_fetch_add(&told->total, 1);
}

/* What guests before it have written has other numbers. */
static void be_a_guest(bool flush, unsigned int generation)
{
	const struct hv_virtio_env env = { .memory = &driver.memory, .cpus = 1 };
	struct blk_place flush_place;
	struct hv_virtio *dev;
	struct hv_error err;

	driver_init(&driver, false);
	dev = hv_virtio_find("disk")->create(&env, test_image, &err);
	if (!dev)
		fail_msg("%s", err.text);
	driver_start(&driver, dev, flush ? 1ull << VIRTIO_BLK_F_FLUSH : 0);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		places[slot] = blk_place(&driver, SLOT_SIZE);
		numbers[slot] = (uint64_t)generation << 32;
	}
	flush_place = blk_place(&driver, 512);
	for (;;)
		round_of_writes(flush, &flush_place);
}

/* ------------------------------------------------------------------ the judge */

/* Each word is at least as new as what was acknowledged; a later write may be half there. */
static void expect_slots(void)
{
	static uint64_t image[SLOT_SIZE / sizeof(uint64_t)];

	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		uint64_t least = atomic_load(&told->number[slot]);

		if (!least)
			continue;
		test_image_read(image, SLOT_SIZE, slot * SLOT_SIZE);
		for (unsigned int i = 0; i < ARRAY_SIZE(image); i++) {
			assert_int_equal(image[i] & 0xff, slot);
			assert_in_range(image[i] >> 8, least, least + 1);
		}
	}
}

static void kill_many(bool flush)
{
	unsigned int seed = 1, rounds = 0;

	test_image_make(SLOTS * SLOT_SIZE);
	for (unsigned int i = 0; i < KILLS; i++) {
		unsigned int before;
		int status;
		pid_t child;

		memset(told, 0, sizeof(*told));
		child = fork();
		if (!child) {
			/* Not for ever, if it is we who are killed. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_a_guest(flush, i + 1);
			_exit(1);
		}
		/* It has begun; then at any moment of it. */
		while (!(before = atomic_load(&told->total)) &&
		       waitpid(child, &status, WNOHANG) == 0)
			usleep(100);
		usleep((useconds_t)(rand_r(&seed) % 3000));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		expect_slots();
		rounds += atomic_load(&told->total);
	}
	printf("# %u kills in %u rounds of %u writes\n", KILLS, rounds, SLOTS);
}

static void test_flushed(void **state)
{
	(void)state;
	kill_many(true);
}

/* A driver that takes no flushes: each write is durable. */
static void test_written_through(void **state)
{
	(void)state;
	kill_many(false);
}

static int setup(void **state)
{
	(void)state;
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Where a flush takes no time, more happens in that time. */
	test_image_begin_in(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return told == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	munmap(told, sizeof(*told));
	return test_image_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_through, setup, teardown),
	};

	return cmocka_run_group_tests_name("disk_kill", tests, NULL, NULL);
}
