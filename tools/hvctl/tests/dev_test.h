/* SPDX-License-Identifier: GPL-2.0-only */
/* A bench for one chip: a bus, a clock turned by hand, and recorded interrupt lines. */
#ifndef HV_DEV_TEST_H
#define HV_DEV_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/bus.h"

#define BENCH_LINES 32

struct bench {
	struct hv_bus bus;
	struct hv_clock clock;
	uint64_t now_ns;
	bool level[BENCH_LINES];
	unsigned int rises[BENCH_LINES];
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

#endif
