/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine on the fake module: what its tests share. */
#ifndef HV_TESTS_MACHINE_TEST_H
#define HV_TESTS_MACHINE_TEST_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_tvx.h"
#include "hv_test.h"
#include "vmm/machine_pc.h"
#include "vmm/serial.h"

static char test_image_path[] = "/tmp/hv-image-XXXXXX";
static pid_t test_image_maker;	/* 0: there is none yet */

/* A child that exits by itself leaves the image to others. */
static inline void test_remove_image(void)
{
	if (test_image_maker == getpid())
		unlink(test_image_path);
}

/* A flat image, gone at exit. */
static inline const char *test_image(void)
{
	int fd;

	if (test_image_maker)
		return test_image_path;
	fd = mkstemp(test_image_path);
	assert_int_equal(write(fd, "\xf4", 1), 1);
	close(fd);
	test_image_maker = getpid();
	assert_int_equal(atexit(test_remove_image), 0);
	return test_image_path;
}

/* Small, with nothing on our own standard streams but what a test wants there. */
static inline struct hv_config test_config(enum hv_machine_kind kind)
{
	struct hv_config config = HV_CONFIG_DEFAULT;

	config.memory = 4 * HV_MIB;
	config.machine = kind;
	config.load.path = test_image();
	return config;
}

static inline struct hv_machine *test_machine(const struct hv_config *config)
{
	struct hv_error err = { .text = "" };
	struct hv_machine *machine = hv_machine_create(config, &err);

	if (!machine)
		fail_msg("%s: %s", err.subject, err.text);
	return machine;
}

/* On the module as if just loaded, with this guest; of so many CPUs. */
static inline struct hv_machine *test_machine_of(enum hv_machine_kind kind, unsigned int cpus,
						 fake_guest_fn guest)
{
	struct hv_config config = test_config(kind);

	config.cpus = cpus;
	fake_reset(guest);
	return test_machine(&config);
}

/* As who enters a chip does it, and has not got the lock. */
#define test_with_lock(machine, statement)                                          \
	do {                                                                        \
		assert_int_equal(pthread_mutex_lock(&(machine)->lock), 0);          \
		statement;                                                          \
		assert_int_equal(pthread_mutex_unlock(&(machine)->lock), 0);        \
	} while (0)

/* What a guest does: whether somebody is there. */
static inline bool test_access(struct hv_machine *machine, enum hv_space space, uint64_t address,
			       unsigned int width, bool write, uint64_t *value)
{
	bool there;

	test_with_lock(machine,
		       there = hv_bus_access(&machine->bus, space, address, width, write, value));
	return there;
}

static inline void test_out(struct hv_machine *machine, uint16_t port, unsigned int width,
			    uint64_t value)
{
	assert_true(test_access(machine, HV_PORT, port, width, true, &value));
}

/* The master 8259 gives vectors from 20H on, and takes input 0 only. */
static inline void test_program_pic(struct hv_machine *machine)
{
	test_out(machine, 0x20, 1, 0x11);
	test_out(machine, 0x21, 1, 0x20);
	test_out(machine, 0x21, 1, 0x04);
	test_out(machine, 0x21, 1, 0x01);
	test_out(machine, 0x21, 1, 0xfe);
}

/* By index and window. */
static inline void test_write_ioapic(struct hv_machine *machine, uint32_t reg, uint64_t value)
{
	uint64_t select = reg;

	test_access(machine, HV_MMIO, HV_IOAPIC_BASE, 4, true, &select);
	test_access(machine, HV_MMIO, HV_IOAPIC_BASE + 0x10, 4, true, &value);
}

#endif
