// SPDX-License-Identifier: GPL-2.0-only
/* The buses: who answers, what an empty address gives, accesses across an edge. */
#include <errno.h>

#include "dev/bus.h"
#include "hv_test.h"

struct probe {
	struct hv_region region;
	unsigned int calls;
	uint64_t offset;
	unsigned int width;
	uint64_t written;
	uint64_t answer;
};

static void probe_access(void *dev, uint64_t offset, unsigned int width, bool write,
			 uint64_t *value)
{
	struct probe *probe = dev;

	probe->calls++;
	probe->offset = offset;
	probe->width = width;
	if (write)
		probe->written = *value;
	else
		*value = probe->answer;
}

static int add(struct hv_bus *bus, struct probe *probe, enum hv_space space, uint64_t base,
	       uint64_t len)
{
	*probe = (struct probe){
		.region = { "probe", space, base, len, probe_access, probe },
		.answer = UINT64_MAX,
	};
	return hv_bus_register(bus, &probe->region);
}

static void test_finds_the_region(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a, b;
	uint64_t value = 0x1234;

	(void)state;
	assert_int_equal(add(&bus, &a, HV_PORT, 0x10, 4), 0);
	assert_int_equal(add(&bus, &b, HV_MMIO, 0x10, 0x1000), 0);
	assert_true(hv_bus_access(&bus, HV_PORT, 0x12, 2, true, &value));
	assert_int_equal(a.offset, 2);
	assert_int_equal(a.width, 2);
	assert_int_equal(a.written, 0x1234);
	assert_int_equal(b.calls, 0);
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x12, 8, false, &value));
	assert_int_equal(b.calls, 1);
	assert_int_equal(value, UINT64_MAX);
}

static void test_reads_are_cut_to_their_width(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a;
	uint64_t value = 0;

	(void)state;
	add(&bus, &a, HV_PORT, 0x10, 4);
	hv_bus_access(&bus, HV_PORT, 0x10, 1, false, &value);
	assert_int_equal(value, 0xff);
}

static void test_nobody_answers(void **state)
{
	struct hv_bus bus = { 0 };
	uint64_t value = 0;

	(void)state;
	assert_false(hv_bus_access(&bus, HV_PORT, 0x80, 2, false, &value));
	assert_int_equal(value, 0xffff);
	assert_false(hv_bus_access(&bus, HV_MMIO, UINT64_MAX - 3, 8, false, &value));
	assert_int_equal(value, UINT64_MAX);
	assert_false(hv_bus_access(&bus, HV_MMIO, 0x1000, 4, true, &value));
}

static void test_access_across_an_edge(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a;
	uint64_t value = 0;

	(void)state;
	add(&bus, &a, HV_MMIO, 0x1002, 2);
	a.answer = 0x55;
	/* Two bytes of nobody's below, two of the region's. */
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x1000, 4, false, &value));
	assert_int_equal(value, 0x5555ffff);
	assert_int_equal(a.calls, 2);
	/* Begins inside, ends outside. */
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x1003, 2, false, &value));
	assert_int_equal(value, 0xff55);
	value = 0xaabbccdd;
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x1000, 4, true, &value));
	assert_int_equal(a.written, 0xaa);
	assert_int_equal(value, 0xaabbccdd);
}

/* Pieces of what crossed a page: chips know 1, 2, 4 and 8. */
static void test_odd_widths(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a;
	uint64_t value = 0xaabbccddee;

	(void)state;
	add(&bus, &a, HV_MMIO, 0x1000, 0x10);
	a.answer = 0x55;
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x1003, 5, true, &value));
	assert_int_equal(a.calls, 5);
	assert_int_equal(a.written, 0xaa);
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x1003, 3, false, &value));
	assert_int_equal(value, 0x555555);
	assert_int_equal(a.calls, 8);
}

/* Whoever answered last is asked first, which must not show. */
static void test_moved_region(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a, b;
	uint64_t value = 0;

	(void)state;
	add(&bus, &a, HV_PORT, 0x10, 4);
	add(&bus, &b, HV_MMIO, 0x10, 4);
	a.answer = 1, b.answer = 2;
	assert_true(hv_bus_access(&bus, HV_PORT, 0x10, 1, false, &value));
	assert_true(hv_bus_access(&bus, HV_MMIO, 0x10, 1, false, &value));
	assert_int_equal(value, 2);
	assert_false(hv_bus_access(&bus, HV_PORT, 0x14, 1, false, &value));
	hv_bus_unregister(&bus, &a.region);
	assert_false(hv_bus_access(&bus, HV_PORT, 0x10, 1, false, &value));
	a.region.base = 0x20;
	hv_bus_register(&bus, &a.region);
	assert_false(hv_bus_access(&bus, HV_PORT, 0x10, 1, false, &value));
	assert_true(hv_bus_access(&bus, HV_PORT, 0x23, 1, false, &value));
	assert_int_equal(value, 1);
}

static void test_ports_wrap(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a;
	uint64_t value = 0;

	(void)state;
	add(&bus, &a, HV_PORT, 0, 1);
	a.answer = 0x11;
	assert_true(hv_bus_access(&bus, HV_PORT, 0xffff, 2, false, &value));
	assert_int_equal(value, 0x11ff);
}

static void test_overlap_is_refused(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a, b;

	(void)state;
	assert_int_equal(add(&bus, &a, HV_PORT, 0x10, 4), 0);
	assert_int_equal(add(&bus, &b, HV_PORT, 0x13, 1), -EEXIST);
	assert_int_equal(add(&bus, &b, HV_PORT, 0xf, 2), -EEXIST);
	assert_int_equal(add(&bus, &b, HV_PORT, 0xe, 2), 0);
	assert_int_equal(add(&bus, &b, HV_MMIO, UINT64_MAX, 1), 0);
	assert_int_equal(add(&bus, &a, HV_MMIO, UINT64_MAX - 4, 5), -EEXIST);
}

static void test_full_and_unregister(void **state)
{
	struct hv_bus bus = { 0 };
	static struct probe probes[HV_BUS_MAX_REGIONS + 1];
	uint64_t value = 0;

	(void)state;
	for (unsigned int i = 0; i < HV_BUS_MAX_REGIONS; i++)
		assert_int_equal(add(&bus, &probes[i], HV_PORT, i, 1), 0);
	assert_int_equal(add(&bus, &probes[HV_BUS_MAX_REGIONS], HV_PORT, 0x1000, 1), -ENOSPC);
	hv_bus_unregister(&bus, &probes[3].region);
	assert_false(hv_bus_access(&bus, HV_PORT, 3, 1, false, &value));
	assert_true(hv_bus_access(&bus, HV_PORT, HV_BUS_MAX_REGIONS - 1, 1, false, &value));
	assert_int_equal(hv_bus_register(&bus, &probes[HV_BUS_MAX_REGIONS].region), 0);
}

/* One that is not there, or another at its address, takes nobody away. */
static void test_unregister_a_stranger(void **state)
{
	struct hv_bus bus = { 0 };
	struct probe a, b;
	uint64_t value = 0;

	(void)state;
	add(&bus, &a, HV_PORT, 0x10, 4);
	assert_int_equal(add(&bus, &b, HV_PORT, 0x10, 4), -EEXIST);
	hv_bus_unregister(&bus, &b.region);
	b.region.base = 0;
	hv_bus_unregister(&bus, &b.region);
	assert_int_equal(bus.count[HV_PORT], 1);
	assert_true(hv_bus_access(&bus, HV_PORT, 0x10, 1, false, &value));
}

#define PLACES 97

/* Regions come and go in any order: at each address whoever is there answers, and nobody else. */
static void test_coming_and_going(void **state)
{
	static struct probe probes[PLACES];
	bool there[PLACES] = { false };
	struct hv_bus bus = { 0 };
	uint32_t random = 1;

	(void)state;
	for (unsigned int step = 0; step < 2000; step++) {
		unsigned int which = (random = random * 1664525 + 1013904223) % PLACES;
		uint64_t value = 0;

		if (there[which])
			hv_bus_unregister(&bus, &probes[which].region);
		else
			assert_int_equal(add(&bus, &probes[which], HV_MMIO, which * 16, 8), 0);
		there[which] = !there[which];
		for (unsigned int i = 0; i < PLACES; i++) {
			unsigned int calls = probes[i].calls;

			assert_int_equal(hv_bus_access(&bus, HV_MMIO, i * 16 + 7, 1, false, &value),
					 there[i]);
			assert_int_equal(probes[i].calls, calls + there[i]);
			assert_false(hv_bus_access(&bus, HV_MMIO, i * 16 + 8, 1, false, &value));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_region),
		cmocka_unit_test(test_reads_are_cut_to_their_width),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_access_across_an_edge),
		cmocka_unit_test(test_odd_widths),
		cmocka_unit_test(test_moved_region),
		cmocka_unit_test(test_ports_wrap),
		cmocka_unit_test(test_overlap_is_refused),
		cmocka_unit_test(test_full_and_unregister),
		cmocka_unit_test(test_unregister_a_stranger),
		cmocka_unit_test(test_coming_and_going),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
