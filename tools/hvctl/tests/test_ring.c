// SPDX-License-Identifier: GPL-2.0-only
/* The ring of a console's last words: what is there, what is lost, where to begin. */
#include <stdlib.h>
#include <unistd.h>

#include "hv_test.h"
#include "vmm/ring.h"

static struct hv_ring *ring;
static struct hv_loop loop;

static int begin(void **state)
{
	struct hv_error err;

	(void)state;
	ring = calloc(1, sizeof(*ring));
	hv_ring_init(ring);
	hv_ring_set_loop(ring, &loop);
	return hv_loop_init(&loop, &err);
}

static int end(void **state)
{
	(void)state;
	hv_loop_exit(&loop);
	hv_ring_exit(ring);
	free(ring);
	return 0;
}

static void put(const char *text)
{
	hv_ring_put(ring, (const uint8_t *)text, strlen(text));
}

/* @len bytes, each the low byte of its position. */
static void put_pattern(size_t len)
{
	while (len--) {
		uint8_t byte = (uint8_t)ring->total;

		hv_ring_put(ring, &byte, 1);
	}
}

static void test_in_pieces(void **state)
{
	uint64_t pos = 0, lost;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(hv_ring_get(ring, &pos, buf, sizeof(buf), &lost), 0);
	put("hello, world");
	assert_int_equal(hv_ring_get(ring, &pos, buf, sizeof(buf), &lost), 8);
	assert_memory_equal(buf, "hello, w", 8);
	assert_int_equal(hv_ring_get(ring, &pos, buf, sizeof(buf), &lost), 4);
	assert_memory_equal(buf, "orld", 4);
	assert_int_equal(lost, 0);
	assert_int_equal(pos, 12);
}

/* Around the end, several times; more at once than there is room for. */
static void test_oldest_is_lost(void **state)
{
	uint64_t pos = 10, lost;
	uint8_t buf[256], *much = malloc(2 * HV_RING_SIZE);
	size_t n;

	(void)state;
	put_pattern(3 * HV_RING_SIZE + 77);
	n = hv_ring_get(ring, &pos, buf, sizeof(buf), &lost);
	assert_int_equal(n, sizeof(buf));
	assert_int_equal(lost, 2 * HV_RING_SIZE + 77 - 10);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf[i], (uint8_t)(2 * HV_RING_SIZE + 77 + i));
	for (size_t i = 0; i < 2 * HV_RING_SIZE; i++)
		much[i] = (uint8_t)(ring->total + i);
	hv_ring_put(ring, much, 2 * HV_RING_SIZE);
	pos = 0;
	hv_ring_get(ring, &pos, buf, 1, &lost);
	assert_int_equal(lost, 4 * HV_RING_SIZE + 77);
	assert_int_equal(buf[0], (uint8_t)lost);
	free(much);
}

static bool is_woken(void)
{
	uint64_t count;

	return read(loop.wake_fd, &count, sizeof(count)) == sizeof(count);
}

/* Only who waits is woken, and once. */
static void test_wakes(void **state)
{
	(void)state;
	put("a");
	assert_false(is_woken());
	assert_true(hv_ring_has(ring, 0));
	put("b");
	assert_false(is_woken());
	assert_false(hv_ring_has(ring, 2));
	put("c");
	put("d");
	assert_true(is_woken());
	assert_false(is_woken());
	assert_false(hv_ring_has(ring, 4));
	hv_ring_set_loop(ring, NULL);
	put("e");
	assert_true(hv_ring_has(ring, 4));
}

static void test_where_to_begin(void **state)
{
	(void)state;
	put("one\ntwo\n");
	assert_int_equal(hv_ring_begin(ring, 0), 0);
	/* All of it was seen: a screenful is shown again. */
	assert_int_equal(hv_ring_begin(ring, 8), 0);
	for (unsigned int i = 0; i < 1000; i++)
		put("0123456\n");
	/* ... that begins with a line. */
	assert_int_equal(hv_ring_begin(ring, ring->total) % 8, 0);
	assert_in_range(ring->total - hv_ring_begin(ring, ring->total), 2000, 2008);
	/* What was missed is more than that. */
	assert_int_equal(hv_ring_begin(ring, 16), 16);
	for (unsigned int i = 0; i < HV_RING_SIZE; i++)
		put("x");
	assert_int_equal(hv_ring_begin(ring, 16), ring->total - HV_RING_SIZE);
	assert_int_equal(hv_ring_begin(ring, ring->total), ring->total - HV_RING_SIZE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_in_pieces),
		T(test_oldest_is_lost),
		T(test_wakes),
		T(test_where_to_begin),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
