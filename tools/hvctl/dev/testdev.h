/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device that test suites for VMMs drive a PC by (QEMU's pc-testdev, which kvm-unit-tests
 * want): a value and memory to read back, interrupt lines to raise, a page to take away.
 */
#ifndef HV_DEV_TESTDEV_H
#define HV_DEV_TESTDEV_H

#include "dev.h"

#define HV_TESTDEV_PORT 0xe0
#define HV_TESTDEV_IRQ_PORT 0x2000
#define HV_TESTDEV_MMIO 0xff000000ull
#define HV_TESTDEV_MMIO_LEN 0x10000u
#define HV_TESTDEV_LINES 24

struct hv_testdev_config {
	struct hv_bus *bus;
	struct hv_irq irq;		/* .line is the first of HV_TESTDEV_LINES */
	/* The host is to take the page of guest RAM at @gpa from under the guest. May be NULL. */
	void (*flush)(void *ctx, uint64_t gpa);
	void *ctx;
};

struct hv_testdev_state {
	uint8_t value[4];
	uint32_t pad;
	uint8_t memory[HV_TESTDEV_MMIO_LEN];
};

struct hv_testdev {
	struct hv_testdev_config config;
	struct hv_region ports, irqs, mmio;
	struct hv_testdev_state s;
};

/* Returns 0 or -EEXIST; then nothing is registered. */
int hv_testdev_init(struct hv_testdev *dev, const struct hv_testdev_config *config);
void hv_testdev_exit(struct hv_testdev *dev);
void hv_testdev_reset(struct hv_testdev *dev);

void hv_testdev_save(const struct hv_testdev *dev, struct hv_testdev_state *state);
int hv_testdev_check(const struct hv_testdev *dev, const struct hv_testdev_state *state);
int hv_testdev_load(struct hv_testdev *dev, const struct hv_testdev_state *state);
extern const struct hv_state_kind hv_testdev_kind;

#endif
