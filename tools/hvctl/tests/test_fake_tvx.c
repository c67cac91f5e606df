// SPDX-License-Identifier: GPL-2.0-only
/* The module's stand-in does with eventfds what the module does. */
#include <sys/eventfd.h>

#include "fake_tvx.h"
#include "hv_test.h"

#define PORT    0x6000
#define MSI     0xfee00000
#define MATCH   TINYVMX_IOEVENTFD_DATAMATCH
#define UNMATCH (MATCH | TINYVMX_IOEVENTFD_DEASSIGN)

static int make_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static eventfd_t count(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) ? 0 : n;
}

static void test_kicks(void **state)
{
	int fd = make_eventfd();
	struct fake_ioeventfd event;

	(void)state;
	fake_reset(NULL);
	assert_false(fake_kick(PORT, 2, 7));
	assert_int_equal(tvx_ioeventfd(0, MATCH, fd, PORT, 2, 7), 0);
	assert_int_equal(tvx_ioeventfd(0, 0, fd, PORT, 2, 0), -EEXIST);
	assert_int_equal(tvx_ioeventfd(0, MATCH, fd, PORT, 2, 8), 0);
	assert_true(fake_kick(PORT, 2, 7));
	assert_true(fake_kick(PORT, 2, 8));
	assert_false(fake_kick(PORT, 4, 7));
	assert_false(fake_kick(PORT, 2, 9));
	assert_int_equal(count(fd), 2);
	assert_true(fake_ioeventfd(PORT, &event));
	assert_int_equal(event.fd, fd);
	assert_int_equal(tvx_ioeventfd(0, TINYVMX_IOEVENTFD_DEASSIGN, fd, PORT, 2, 0), -ENOENT);
	assert_int_equal(tvx_ioeventfd(0, UNMATCH, fd, PORT, 2, 7), 0);
	assert_int_equal(tvx_ioeventfd(0, UNMATCH, fd, PORT, 2, 7), -ENOENT);
	assert_false(fake_kick(PORT, 2, 7));
	assert_true(fake_kick(PORT, 2, 8));
	close(fd);
}

static void test_messages(void **state)
{
	int fd = make_eventfd();
	struct fake_irqfd irqfd;

	(void)state;
	fake_reset(NULL);
	eventfd_write(fd, 3);
	assert_int_equal(fake_take_signals(), 0);
	assert_int_equal(tvx_irqfd(0, 0, fd, MSI, 0x41), 0);
	assert_int_equal(fake.msis_of[0x41], 1);
	assert_int_equal(tvx_irqfd(0, 0, fd, MSI, 0x42), -EEXIST);
	assert_int_equal(fake_take_signals(), 0);
	eventfd_write(fd, 1);
	assert_int_equal(fake_take_signals(), 1);
	assert_true(fake_irqfd(fd, &irqfd));
	assert_int_equal(irqfd.data, 0x41);
	assert_int_equal(tvx_irqfd(0, TINYVMX_IRQFD_DEASSIGN, fd, 0, 0), 0);
	assert_int_equal(tvx_irqfd(0, TINYVMX_IRQFD_DEASSIGN, fd, 0, 0), -ENOENT);
	eventfd_write(fd, 1);
	assert_int_equal(tvx_irqfd(0, 0, fd, MSI, 0x42), 0);
	assert_int_equal(fake.msis_of[0x42], 1);
	assert_int_equal(fake.msis, 3);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kicks),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("the module's stand-in", tests, NULL, NULL);
}
