/* SPDX-License-Identifier: GPL-2.0-only */
/* A bench for one chip: a bus, a clock turned by hand, and recorded interrupt lines. */
#ifndef HV_TESTS_DEV_TEST_H
#define HV_TESTS_DEV_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/bus.h"
#include "dev/state.h"

#define BENCH_LINES 32

struct bench {
	struct hv_bus bus;
	struct hv_clock clock;
	uint64_t now_ns;
	bool level[BENCH_LINES];
	unsigned int rises[BENCH_LINES];
	uint64_t heard;			/* digest of all that came out of the chip but lines */
	bool deaf;			/* what comes now is nobody's business */
	uint64_t random;
	void *chip;
};

static inline uint64_t bench_now(struct hv_clock *clock)
{
	return ((struct bench *)((char *)clock - offsetof(struct bench, clock)))->now_ns;
}

static inline void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->clock.now_ns = bench_now;
	bench->now_ns = 1000000;
}

static inline void bench_hear(struct bench *bench, uint64_t value)
{
	if (!bench->deaf)
		bench->heard = (bench->heard ^ value) * 0x100000001b3ull + 1;
}

/* A number below @limit; the same seed gives the same numbers. */
static inline uint64_t bench_random(struct bench *bench, uint64_t limit)
{
	bench->random = bench->random * 6364136223846793005ull + 1442695040888963407ull;
	return (bench->random >> 16) % limit;
}

static inline void bench_set_irq(void *controller, unsigned int line, bool level)
{
	struct bench *bench = controller;

	assert_true(line < BENCH_LINES);
	if (level && !bench->level[line])
		bench->rises[line]++;
	bench->level[line] = level;
}

static inline struct hv_irq bench_irq(struct bench *bench, unsigned int line)
{
	return (struct hv_irq){ .set = bench_set_irq, .controller = bench, .line = line };
}

/* Let time pass, stopping at each deadline as the event loop does. */
static inline void bench_run_until(struct bench *bench, uint64_t end_ns)
{
	while (hv_clock_next(&bench->clock) <= end_ns) {
		if (hv_clock_next(&bench->clock) > bench->now_ns)
			bench->now_ns = hv_clock_next(&bench->clock);
		hv_clock_run(&bench->clock);
	}
	bench->now_ns = end_ns;
}

static inline void bench_run_ns(struct bench *bench, uint64_t ns)
{
	bench_run_until(bench, bench->now_ns + ns);
}

static inline uint64_t bench_read(struct bench *bench, enum hv_space space, uint64_t addr,
				  unsigned int width)
{
	uint64_t value = 0;

	hv_bus_access(&bench->bus, space, addr, width, false, &value);
	bench_hear(bench, value);
	return width >= 8 ? value : value & ((1ull << (width * 8)) - 1);
}

static inline void bench_write(struct bench *bench, enum hv_space space, uint64_t addr,
			       unsigned int width, uint64_t value)
{
	hv_bus_access(&bench->bus, space, addr, width, true, &value);
}

static inline uint8_t inb(struct bench *bench, uint16_t port)
{
	return (uint8_t)bench_read(bench, HV_PORT, port, 1);
}

static inline uint16_t inw(struct bench *bench, uint16_t port)
{
	return (uint16_t)bench_read(bench, HV_PORT, port, 2);
}

static inline uint32_t inl(struct bench *bench, uint16_t port)
{
	return (uint32_t)bench_read(bench, HV_PORT, port, 4);
}

static inline void outb(struct bench *bench, uint16_t port, uint8_t value)
{
	bench_write(bench, HV_PORT, port, 1, value);
}

static inline void outw(struct bench *bench, uint16_t port, uint16_t value)
{
	bench_write(bench, HV_PORT, port, 2, value);
}

static inline void outl(struct bench *bench, uint16_t port, uint32_t value)
{
	bench_write(bench, HV_PORT, port, 4, value);
}

/* A random access to one of @len bytes, at most @max_width wide. */
static inline void bench_poke(struct bench *bench, enum hv_space space, uint64_t base, uint64_t len,
			      unsigned int max_width)
{
	uint64_t addr = base + bench_random(bench, len);
	unsigned int width = 1u << bench_random(bench, 4);
	uint64_t value = bench_random(bench, 1ull << (8 << bench_random(bench, 3)));

	if (width > max_width)
		width = max_width;
	if (bench_random(bench, 2))
		bench_write(bench, space, addr, width, value);
	else
		bench_read(bench, space, addr, width);
}

/* -------------------------------------------------------------------- twins */

/* A chip for twins(): made and unmade at bench->chip, and a guest's next random deed. */
struct twin {
	const struct hv_state_kind *kind;
	size_t size;
	void (*init)(struct bench *bench);
	void (*exit)(struct bench *bench);
	void (*step)(struct bench *bench);
	uint64_t longest_ns;		/* between two steps */
};

static inline void twin_make(const struct twin *twin, struct bench *bench)
{
	bench->chip = malloc(twin->size);
	assert_non_null(bench->chip);
	memset(bench->chip, 0xa5, twin->size);
	twin->init(bench);
}

/* What the chip says while it goes is not for the wire: the other one is still at work. */
static inline void twin_unmake(const struct twin *twin, struct bench *bench)
{
	bench->deaf = true;
	twin->exit(bench);
	bench->deaf = false;
	free(bench->chip);
}

/* Another chip goes on where this one is. */
static inline void twin_replace(const struct twin *twin, struct bench *bench)
{
	uint64_t *record = malloc(twin->kind->size), *again = malloc(twin->kind->size);

	assert_true(record && again);
	memset(record, 0x5a, twin->kind->size);
	twin->kind->save(bench->chip, record);
	twin_unmake(twin, bench);
	twin_make(twin, bench);
	assert_int_equal(twin->kind->check(bench->chip, record), 0);
	assert_int_equal(twin->kind->load(bench->chip, record), 0);
	memset(again, 0, twin->kind->size);
	twin->kind->save(bench->chip, again);
	assert_memory_equal(record, again, twin->kind->size);
	free(record);
	free(again);
}

static inline void twins_compare(const struct bench *one, const struct bench *other)
{
	assert_memory_equal(one->level, other->level, sizeof(one->level));
	assert_memory_equal(one->rises, other->rises, sizeof(one->rises));
	assert_true(one->heard == other->heard);
}

/* A step of both, in time or with the event loop late; @replace one of them in the middle. */
static inline void twins_step(const struct twin *twin, struct bench bench[2], bool replace)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t ns = bench_random(&bench[i], twin->longest_ns);
		bool late = bench_random(&bench[i], 2);

		if (!bench_random(&bench[i], 4))
			ns %= 10000;
		twin->step(&bench[i]);
		if (!late)
			bench_run_ns(&bench[i], ns);
		else
			bench[i].now_ns += ns;
		if (replace && i)
			twin_replace(twin, &bench[i]);
		if (late && bench_random(&bench[i], 2))
			twin->step(&bench[i]);
		hv_clock_run(&bench[i].clock);
	}
	twins_compare(&bench[0], &bench[1]);
}

/*
 * Two chips lead the same life, but one of them is saved, thrown away and loaded into a new
 * one again and again: nobody may be able to tell them apart.
 */
static inline void twins(const struct twin *twin)
{
	static struct bench bench[2];

	for (unsigned int seed = 1; seed <= 200; seed++) {
		for (unsigned int i = 0; i < 2; i++) {
			bench_init(&bench[i]);
			bench[i].random = seed * 1000003ull;
			twin_make(twin, &bench[i]);
		}
		for (unsigned int step = 0; step < 200; step++)
			twins_step(twin, bench, (seed + step) % 3 == 0);
		for (unsigned int i = 0; i < 2; i++) {
			twin_unmake(twin, &bench[i]);
			assert_int_equal(hv_clock_next(&bench[i].clock), UINT64_MAX);
		}
	}
}

#endif
