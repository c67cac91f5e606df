// SPDX-License-Identifier: GPL-2.0-only
/* Virtqueues of both formats: what a driver may do, and what it must not. */
#include "virtio_echo.h"

struct bench {
	struct driver driver;
	struct echo echo;
};

static struct bench *start_with(bool packed, uint64_t features)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct hv_error err;

	assert_non_null(bench);
	driver_init(&bench->driver, packed);
	assert_int_equal(hv_virtio_init(&bench->echo.dev, &echo_kind, &bench->driver.memory,
					HV_VIRTIO_F_RINGS, &err),
			 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(hv_virtio_add_queue(&bench->echo.dev, 256, &err), 0);
	driver_start(&bench->driver, &bench->echo.dev, features);
	return bench;
}

static struct bench *start(bool packed)
{
	return start_with(packed, 0);
}

static void finish(struct bench *bench)
{
	driver_exit(&bench->driver);
	free(bench);
}

/* ---------------------------------------------------------------- all is well */

static void echo_one(struct bench *bench, unsigned int i)
{
	struct driver *driver = &bench->driver;
	uint64_t gpa = 8 * HV_MIB;
	uint32_t *out = driver_at(driver, gpa, 8192), *in = out + 1024;
	const struct buffer buffers[] = {
		{ gpa, 3, false },
		{ gpa + 3, 5, false },
		{ gpa + 4096, 1, true },
		{ gpa + 4097, 100, true },
	};
	uint16_t id;

	out[0] = i;
	out[1] = ~i;
	in[0] = in[1] = 0;
	id = driver_add(driver, 1, buffers, 1 + i % 4);
	driver_kick(driver, 1);
	assert_int_equal(driver_wait(driver, 1), i % 4 < 2 ? 0 : i % 4 == 2 ? 1 : 8);
	assert_int_equal(driver->used_id, id);
	if (i % 4 == 3)
		assert_memory_equal(in, out, 8);
}

/* Over the end of the ring, many times. */
static void test_chains(void **state)
{
	(void)state;
	for (unsigned int packed = 0; packed < 2; packed++) {
		struct bench *bench = start(packed);

		for (unsigned int i = 0; i < 500; i++)
			echo_one(bench, i);
		assert_int_equal(bench->echo.chains, 500);
		finish(bench);
	}
}

/* Takes three, puts them back, takes them again, and gives all back at once. */
static void hoard_kick(struct hv_virtio *dev, unsigned int n)
{
	struct hv_vqueue *queue = hv_virtio_ring(dev, n);
	const uint32_t written[] = { 1, 2, 3 };
	struct hv_vchain *chain[3];

	for (unsigned int round = 0; round < 2; round++) {
		unsigned int count = 0;

		while (count < 3 && hv_virtio_pop(dev, n, &chain[count]) > 0)
			count++;
		if (count == 3 && round)
			hv_vqueue_push_all(queue, chain, written, count);
		else
			while (count)
				hv_vqueue_unpop(queue, chain[--count]);
	}
	hv_vqueue_tell(queue);
}

static const struct hv_virtio_kind hoard_kind = {
	.name = "hoard",
	.id = 63,
	.kick = hoard_kick,
	.destroy = echo_destroy,
};

static void hoard_three(struct driver *driver, unsigned int i)
{
	const struct buffer buffers[] = { { 8 * HV_MIB, 8, true }, { 9 * HV_MIB, 8, true } };
	uint16_t id[3];

	for (unsigned int chain = 0; chain < 3; chain++)
		id[chain] = driver_add(driver, 0, buffers, 1 + (i + chain) % 2);
	driver_kick(driver, 0);
	for (unsigned int chain = 0; chain < 3; chain++) {
		assert_int_equal(driver_wait(driver, 0), chain + 1);
		assert_int_equal(driver->used_id, id[chain]);
	}
}

/* Several at a time, over the end of the ring in each way. */
static void test_several(void **state)
{
	(void)state;
	for (unsigned int packed = 0; packed < 2; packed++) {
		struct driver driver;
		struct hv_virtio dev = { .worker.job_fd = -1 };
		struct hv_error err;

		driver_init(&driver, packed);
		assert_int_equal(
			hv_virtio_init(&dev, &hoard_kind, &driver.memory, HV_VIRTIO_F_RINGS, &err),
			0);
		assert_int_equal(hv_virtio_add_queue(&dev, 64, &err), 0);
		driver_start(&driver, &dev, 0);
		for (unsigned int i = 0; i < 100; i++)
			hoard_three(&driver, i);
		driver_exit(&driver);
	}
}

static void use(struct driver *driver, struct hv_vqueue *queue, unsigned int count)
{
	struct hv_vchain *chain;
	uint32_t len;

	while (count--) {
		driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 4, true } }, 1);
		assert_int_equal(hv_vqueue_pop(queue, &chain), 1);
		hv_vqueue_push(queue, chain, 4);
		assert_true(driver_take(driver, 0, &len));
	}
}

/* The driver wants to hear of the descriptor at @place, in this round or the next. */
static void want_event(const struct driver *driver, uint16_t place, bool wrap)
{
	struct vring_packed_desc_event *event =
		driver_at(driver, driver->ring[0].setup.driver, sizeof(*event));

	event->off_wrap = place | wrap << VRING_PACKED_EVENT_F_WRAP_CTR;
	event->flags = VRING_PACKED_EVENT_FLAG_DESC;
}

/* Between two times that the driver is told, a packed ring may go around more than once. */
static void test_rounds(void **state)
{
	struct driver driver;
	struct hv_virtio dev = { .worker.job_fd = -1 };
	struct hv_vqueue *queue = hv_virtio_ring(&dev, 0);
	struct hv_error err;

	(void)state;
	driver_init(&driver, true);
	assert_int_equal(hv_virtio_init(&dev, &hoard_kind, &driver.memory, HV_VIRTIO_F_RINGS, &err),
			 0);
	assert_int_equal(hv_virtio_add_queue(&dev, DRIVER_SIZE, &err), 0);
	driver.dev = &dev;
	driver_setup_ring(&driver, 0);
	driver.ring[0].setup.packed = driver.ring[0].setup.event_idx = true;
	assert_int_equal(hv_vqueue_up(queue, &driver.ring[0].setup), 0);
	want_event(&driver, 1, true);
	use(&driver, queue, 1);
	hv_vqueue_tell(queue);
	assert_false(driver_interrupted(&driver, 0, 0));
	use(&driver, queue, 1);
	hv_vqueue_tell(queue);
	assert_true(driver_interrupted(&driver, 0, 0));
	/* Two rounds, and two with some more: places are as if nothing, or little, had been. */
	use(&driver, queue, 2 * DRIVER_SIZE);
	hv_vqueue_tell(queue);
	assert_true(driver_interrupted(&driver, 0, 0));
	use(&driver, queue, 2 * DRIVER_SIZE + 5);
	hv_vqueue_tell(queue);
	assert_true(driver_interrupted(&driver, 0, 0));
	hv_vqueue_tell(queue);
	assert_false(driver_interrupted(&driver, 0, 0));
	close(driver.ring[0].call_fd);
	hv_virtio_exit(&dev);
	hv_memory_exit(&driver.memory);
}

/* A table of three, linked back and forth where links count. */
static void test_indirect(void **state)
{
	(void)state;
	for (unsigned int packed = 0; packed < 2; packed++) {
		struct bench *bench = start(packed);
		struct driver *driver = &bench->driver;
		uint64_t table = driver_alloc(driver, 4096), data = driver_alloc(driver, 4096);
		struct vring_desc *desc = driver_at(driver, table, 48);
		struct vring_packed_desc *packed_desc = (void *)desc;
		const uint64_t at[] = { data, data + 8, data + 16 };
		uint16_t id;

		memcpy(driver_at(driver, data, 8), "tinyvmx", 8);
		if (packed) {
			for (unsigned int i = 0; i < 3; i++)
				packed_desc[i] = (struct vring_packed_desc){
					.addr = at[i],
					.len = i ? 4 : 8,
					.flags = i ? VRING_DESC_F_WRITE : 0,
				};
		} else {
			desc[0] = (struct vring_desc){ at[0], 8, VRING_DESC_F_NEXT, 2 };
			desc[2] = (struct vring_desc){ at[1], 4,
						       VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1 };
			desc[1] = (struct vring_desc){ at[2], 4, VRING_DESC_F_WRITE, 0 };
		}
		id = driver_add(driver, 0, (struct buffer[]){ { table, 48, false } }, 1);
		driver_mark_indirect(driver, 0, id);
		driver_kick(driver, 0);
		assert_int_equal(driver_wait(driver, 0), 8);
		assert_memory_equal(driver_at(driver, data + 8, 4), "tiny", 4);
		assert_memory_equal(driver_at(driver, data + 16, 4), "vmx", 4);
		finish(bench);
	}
}

/* What was made available before the driver was ready is served without a kick. */
static void test_early(void **state)
{
	struct bench *bench = start(false);
	struct driver *driver = &bench->driver;

	(void)state;
	driver_stop(driver);
	assert_true(driver_negotiate(driver, HV_VIRTIO_F_VERSION_1));
	driver_enable(driver, 0);
	driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 4, true } }, 1);
	driver_ready(driver);
	assert_int_equal(driver_wait(driver, 0), 0);
	finish(bench);
}

/* ------------------------------------------------------------------- status */

static void test_features(void **state)
{
	struct bench *bench = start(false);
	struct driver *driver = &bench->driver;

	(void)state;
	driver_stop(driver);
	assert_false(driver_negotiate(driver, 0));
	driver_stop(driver);
	assert_false(driver_negotiate(driver, HV_VIRTIO_F_VERSION_1 | HV_VIRTIO_F_ACCESS_PLATFORM));
	/* Then it is not to go on, and does not. */
	hv_virtio_set_status(driver->dev, 0xf);
	assert_false(hv_virtio_status(driver->dev) & HV_VIRTIO_DRIVER_OK);
	driver_stop(driver);
	assert_true(driver_negotiate(driver, HV_VIRTIO_F_VERSION_1));
	/* They are settled. */
	hv_virtio_choose(driver->dev, 32, 0);
	assert_int_equal(driver->dev->chosen, HV_VIRTIO_F_VERSION_1);
	finish(bench);
}

static void test_reset(void **state)
{
	struct bench *bench = start(true);
	struct driver *driver = &bench->driver;

	(void)state;
	echo_one(bench, 3);
	driver_stop(driver);
	assert_int_equal(bench->echo.stops, 1);
	assert_int_equal(driver->dev->chosen, 0);
	for (unsigned int n = 0; n < 2; n++)
		assert_false(driver->dev->queue[n].enabled);
	driver->free = HV_MIB;
	driver_start(driver, driver->dev, 0);
	echo_one(bench, 3);
	finish(bench);
}

static void wait_for_queue(const struct driver *driver, unsigned int n)
{
	bool resetting = true;

	for (unsigned int ms = 0; resetting && ms < DRIVER_WAIT_MS; ms++) {
		pthread_mutex_lock(&driver->dev->lock);
		resetting = driver->dev->queue[n].resetting;
		pthread_mutex_unlock(&driver->dev->lock);
		usleep(1000);
	}
	assert_false(resetting);
}

/* One queue alone; the other goes on. */
static void test_queue_reset(void **state)
{
	(void)state;
	for (unsigned int packed = 0; packed < 2; packed++) {
		struct bench *bench = start(packed);
		struct driver *driver = &bench->driver;
		uint32_t len;

		echo_one(bench, 3);
		hv_virtio_reset_queue(driver->dev, 0);
		wait_for_queue(driver, 0);
		assert_false(driver->dev->queue[0].enabled);
		driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 4, true } }, 1);
		driver_kick(driver, 0);
		echo_one(bench, 3);
		assert_false(driver_take(driver, 0, &len));
		driver_enable(driver, 0);
		driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 4, true } }, 1);
		driver_kick(driver, 0);
		assert_int_equal(driver_wait(driver, 0), 0);
		finish(bench);
	}
}

/* ------------------------------------------------------------ rings elsewhere */

/* As the kernel's (vhost): who serves them hears of rings when the device starts, then alone. */
struct elsewhere {
	struct hv_virtio dev;
	atomic_uint rings;		/* a bit each */
};

static int elsewhere_start(struct hv_virtio *dev)
{
	unsigned int rings = 0;

	for (unsigned int n = 0; n < dev->nr_queues; n++)
		rings |= (unsigned int)hv_virtio_ring(dev, n)->up << n;
	atomic_store(&((struct elsewhere *)dev)->rings, rings);
	return 0;
}

static void elsewhere_stop(struct hv_virtio *dev, bool reset)
{
	(void)reset;
	atomic_store(&((struct elsewhere *)dev)->rings, 0);
}

static const struct hv_virtio_kind elsewhere_kind = {
	.name = "elsewhere",
	.id = ECHO_ID,
	.start = elsewhere_start,
	.stop = elsewhere_stop,
	.destroy = echo_destroy,
	.elsewhere = true,
};

static unsigned int rings_of(const struct driver *driver)
{
	hv_worker_run(&driver->dev->worker, driver_nothing, NULL);
	return atomic_load(&((struct elsewhere *)driver->dev)->rings);
}

static void test_late_queue(void **state)
{
	struct elsewhere elsewhere = { .rings = 0 };
	struct driver driver;
	struct hv_error err;

	(void)state;
	driver_init(&driver, false);
	assert_int_equal(hv_virtio_init(&elsewhere.dev, &elsewhere_kind, &driver.memory,
					HV_VIRTIO_F_VERSION_1, &err),
			 0);
	for (unsigned int n = 0; n < 3; n++)
		assert_int_equal(hv_virtio_add_queue(&elsewhere.dev, DRIVER_SIZE, &err), 0);
	driver_start(&driver, &elsewhere.dev, 0);
	assert_int_equal(rings_of(&driver), 7);
	driver_stop(&driver);
	assert_true(driver_negotiate(&driver, HV_VIRTIO_F_VERSION_1));
	driver_enable(&driver, 0);
	driver_ready(&driver);
	assert_int_equal(rings_of(&driver), 1);
	driver_enable(&driver, 2);
	assert_int_equal(rings_of(&driver), 5);
	driver_exit(&driver);
}

/* ------------------------------------------------------------ what must not be */

typedef void (*wrong_fn)(struct driver *driver, struct driver_ring *ring);

/* @wrong makes a chain that the device must refuse; then it is reset, and all is well again. */
static void refused(bool packed, wrong_fn wrong)
{
	struct bench *bench = start(packed);
	struct driver *driver = &bench->driver;
	uint32_t len;

	wrong(driver, &driver->ring[0]);
	driver_kick(driver, 0);
	assert_true(driver_is_broken(driver));
	assert_false(driver_take(driver, 0, &len));
	assert_int_equal(bench->echo.chains, 0);
	driver_stop(driver);
	driver_start(driver, driver->dev, 0);
	echo_one(bench, 3);
	finish(bench);
}

static void refused_by_both(wrong_fn wrong)
{
	refused(false, wrong);
	refused(true, wrong);
}

static void add_one(struct driver *driver, uint64_t gpa, uint32_t len)
{
	driver_add(driver, 0, (struct buffer[]){ { gpa, len, true } }, 1);
}

static void beyond_ram(struct driver *driver, struct driver_ring *ring)
{
	(void)ring;
	add_one(driver, DRIVER_MEMORY - 1, 2);
}

static void wraps_around(struct driver *driver, struct driver_ring *ring)
{
	(void)ring;
	add_one(driver, -8ull, 16);
}

static void out_behind_in(struct driver *driver, struct driver_ring *ring)
{
	(void)ring;
	driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 4, true }, { HV_MIB, 4, false } }, 2);
}

/* Buffers of all of RAM, more than 4 GiB together. */
static void too_long(struct driver *driver, struct driver_ring *ring)
{
	uint64_t table = driver_alloc(driver, 16 * 512);
	struct vring_packed_desc *packed = driver_at(driver, table, 16 * 512);
	struct vring_desc *desc = (void *)packed;
	uint16_t id;

	(void)ring;
	for (unsigned int i = 0; i < 512; i++) {
		if (driver->packed)
			packed[i] = (struct vring_packed_desc){ 0, DRIVER_MEMORY, 0, 0 };
		else
			desc[i] = (struct vring_desc){ 0, DRIVER_MEMORY, VRING_DESC_F_NEXT,
						       (uint16_t)(i + 1) };
	}
	id = driver_add(driver, 0, (struct buffer[]){ { table, 16 * 512, false } }, 1);
	driver_mark_indirect(driver, 0, id);
}

static void table_of_odd_length(struct driver *driver, struct driver_ring *ring)
{
	uint16_t id;

	(void)ring;
	id = driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 24, false } }, 1);
	driver_mark_indirect(driver, 0, id);
}

static void table_of_nothing(struct driver *driver, struct driver_ring *ring)
{
	uint16_t id;

	(void)ring;
	id = driver_add(driver, 0, (struct buffer[]){ { HV_MIB, 0, false } }, 1);
	driver_mark_indirect(driver, 0, id);
}

static void table_in_table(struct driver *driver, struct driver_ring *ring)
{
	uint64_t table = driver_alloc(driver, 4096);
	struct vring_packed_desc *packed = driver_at(driver, table, 16);
	struct vring_desc *desc = (void *)packed;
	uint16_t id;

	(void)ring;
	if (driver->packed)
		*packed = (struct vring_packed_desc){ table, 16, 0, VRING_DESC_F_INDIRECT };
	else
		*desc = (struct vring_desc){ table, 16, VRING_DESC_F_INDIRECT, 0 };
	id = driver_add(driver, 0, (struct buffer[]){ { table, 16, false } }, 1);
	driver_mark_indirect(driver, 0, id);
}

static void test_buffers(void **state)
{
	(void)state;
	refused_by_both(beyond_ram);
	refused_by_both(wraps_around);
	refused_by_both(out_behind_in);
	refused_by_both(too_long);
	refused_by_both(table_of_odd_length);
	refused_by_both(table_of_nothing);
	refused_by_both(table_in_table);
}

static struct vring_desc *desc_of(struct driver *driver, const struct driver_ring *ring)
{
	return driver_at(driver, ring->setup.desc, 16 * DRIVER_SIZE);
}

static void circle(struct driver *driver, struct driver_ring *ring)
{
	add_one(driver, HV_MIB, 4);
	desc_of(driver, ring)[0].flags |= VRING_DESC_F_NEXT;
	desc_of(driver, ring)[0].next = 0;
}

static void link_beyond(struct driver *driver, struct driver_ring *ring)
{
	add_one(driver, HV_MIB, 4);
	desc_of(driver, ring)[0].flags |= VRING_DESC_F_NEXT;
	desc_of(driver, ring)[0].next = DRIVER_SIZE;
}

static void head_beyond(struct driver *driver, struct driver_ring *ring)
{
	struct vring_avail *avail = driver_at(driver, ring->setup.driver, 4096);

	avail->ring[0] = DRIVER_SIZE;
	avail->idx = 1;
}

static void too_many(struct driver *driver, struct driver_ring *ring)
{
	struct vring_avail *avail = driver_at(driver, ring->setup.driver, 4096);

	avail->idx = DRIVER_SIZE + 1;
}

static void table_in_circle(struct driver *driver, struct driver_ring *ring)
{
	uint64_t table = driver_alloc(driver, 4096);
	struct vring_desc *desc = driver_at(driver, table, 32);

	(void)ring;
	desc[0] = (struct vring_desc){ HV_MIB, 4, VRING_DESC_F_NEXT, 1 };
	desc[1] = (struct vring_desc){ HV_MIB, 4, VRING_DESC_F_NEXT, 0 };
	driver_mark_indirect(driver, 0,
			     driver_add(driver, 0, (struct buffer[]){ { table, 32, false } }, 1));
}

static void test_split_rings(void **state)
{
	(void)state;
	refused(false, circle);
	refused(false, link_beyond);
	refused(false, head_beyond);
	refused(false, too_many);
	refused(false, table_in_circle);
}

/* A chain that has no end: all of the ring goes on. */
static void endless(struct driver *driver, struct driver_ring *ring)
{
	struct vring_packed_desc *desc = driver_at(driver, ring->setup.desc, 16 * DRIVER_SIZE);

	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		desc[i] = (struct vring_packed_desc){
			.addr = HV_MIB,
			.len = 4,
			.flags = VRING_DESC_F_NEXT | 1u << VRING_PACKED_DESC_F_AVAIL,
		};
}

static void test_packed_rings(void **state)
{
	(void)state;
	refused(true, endless);
}

/* Rings that are not in RAM, not aligned, or of a size that there is not. */
static void bad_setup(bool packed, void (*wrong)(struct hv_vqueue_setup *setup))
{
	struct bench *bench = start(packed);
	struct driver *driver = &bench->driver;
	struct hv_virtio *dev = driver->dev;

	driver_stop(driver);
	assert_true(driver_negotiate(driver, HV_VIRTIO_F_VERSION_1 |
						     (packed ? HV_VIRTIO_F_RING_PACKED : 0)));
	driver_setup_ring(driver, 0);
	wrong(&driver->ring[0].setup);
	pthread_mutex_lock(&dev->lock);
	dev->queue[0].setup = driver->ring[0].setup;
	pthread_mutex_unlock(&dev->lock);
	hv_virtio_enable_queue(dev, 0);
	driver_ready(driver);
	assert_true(driver_is_broken(driver));
	driver_stop(driver);
	finish(bench);
}

static void no_size(struct hv_vqueue_setup *setup)
{
	setup->size = 0;
}

static void large_size(struct hv_vqueue_setup *setup)
{
	setup->size = 512;
}

static void odd_size(struct hv_vqueue_setup *setup)
{
	setup->size = 48;
}

static void desc_beyond(struct hv_vqueue_setup *setup)
{
	setup->desc = DRIVER_MEMORY - 16 * DRIVER_SIZE + 16;
}

static void driver_beyond(struct hv_vqueue_setup *setup)
{
	setup->driver = DRIVER_MEMORY;
}

static void device_wraps(struct hv_vqueue_setup *setup)
{
	setup->device = -4ull;
}

static void desc_unaligned(struct hv_vqueue_setup *setup)
{
	setup->desc += 8;
}

static void driver_unaligned(struct hv_vqueue_setup *setup)
{
	setup->driver += 1;
}

static void device_unaligned(struct hv_vqueue_setup *setup)
{
	setup->device += 2;
}

static void test_setup(void **state)
{
	static void (*const wrong[])(struct hv_vqueue_setup *) = {
		no_size,      large_size,     desc_beyond,      driver_beyond,
		device_wraps, desc_unaligned, driver_unaligned, device_unaligned,
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bad_setup(false, wrong[i]);
		bad_setup(true, wrong[i]);
	}
	/* A packed ring may have it. */
	bad_setup(false, odd_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),       cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_several),      cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_early),        cmocka_unit_test(test_features),
		cmocka_unit_test(test_reset),        cmocka_unit_test(test_queue_reset),
		cmocka_unit_test(test_buffers),      cmocka_unit_test(test_split_rings),
		cmocka_unit_test(test_packed_rings), cmocka_unit_test(test_setup),
		cmocka_unit_test(test_late_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
