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

/* A flat image, gone at exit. */
static inline const char *test_image(void)
{
	static char path[] = "/tmp/hv-image-XXXXXX";
	static int fd = -1;

	if (fd < 0) {
		fd = mkstemp(path);
		assert_int_equal(write(fd, "\xf4", 1), 1);
	}
	return path;
}

static inline void test_remove_image(void)
{
	unlink(test_image());
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

#endif
