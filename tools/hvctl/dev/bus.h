/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buses of the PC: who answers at which port and at which guest-physical
 * address, and the lines and timers that chips hang on.
 *
 * Locking: a chip is never entered by two threads at once. Whoever calls into
 * one (a vCPU thread with an access, the event thread with a timer or input)
 * holds the machine's lock, so chips need none of their own.
 */
#ifndef HV_DEV_BUS_H
#define HV_DEV_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"

enum hv_space {
	HV_PORT,		/* I/O ports, 16-bit addresses */
	HV_MMIO,		/* guest-physical memory that is not RAM */
	HV_NR_SPACES
};

/*
 * Answer one access. @offset is relative to the region's base, @width is 1, 2,
 * 4 or 8 bytes (8: MMIO only) and the access lies inside the region. On a read
 * store the result in *value (bits above the width are ignored by the caller).
 */
typedef void (*hv_access_fn)(void *dev, uint64_t offset, unsigned int width,
			     bool write, uint64_t *value);

/* A range of one space and the chip behind it; owned by the chip. */
struct hv_region {
	const char *name;
	enum hv_space space;
	uint64_t base;
	uint64_t len;
	hv_access_fn access;
	void *dev;
};

/* Of a space: the board's, and six BARs for each of 31 PCI devices. */
#define HV_BUS_MAX_REGIONS 256

struct hv_bus {
	struct hv_region *regions[HV_NR_SPACES][HV_BUS_MAX_REGIONS];	/* by address */
	size_t count[HV_NR_SPACES];
	struct hv_region *last[HV_NR_SPACES];	/* that answered, or NULL */
};

/*
 * Returns 0, -EEXIST for a range that overlaps another, -ENOSPC when full. A region stays as it
 * is while it is registered.
 */
int hv_bus_register(struct hv_bus *bus, struct hv_region *region);
/* Nothing happens to one that is not registered. */
void hv_bus_unregister(struct hv_bus *bus, struct hv_region *region);

/*
 * Do one access. Returns false when nobody answers: reads then give all ones,
 * writes are lost, as on a PC. An access that only begins in a region, is wider than
 * it, or has a width that chips do not know (up to 8 all the same) is split into bytes.
 */
bool hv_bus_access(struct hv_bus *bus, enum hv_space space, uint64_t addr, unsigned int width,
		   bool write, uint64_t *value);

/* An interrupt line from a chip's output pin to a controller's input pin. */
struct hv_irq {
	void (*set)(void *controller, unsigned int line, bool level);
	void *controller;
	unsigned int line;
};

static inline void hv_irq_set(const struct hv_irq *irq, bool level)
{
	if (irq->set)
		irq->set(irq->controller, irq->line, level);
}

#endif
