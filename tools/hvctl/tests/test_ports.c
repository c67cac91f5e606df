// SPDX-License-Identifier: GPL-2.0-only
/* The small ports, and what hvctl makes of how a machine ended. */
#include <errno.h>

#include "dev/debugport.h"
#include "dev/exitport.h"
#include "lib/status.h"
#include "machine_test.h"

static uint8_t said;
static uint32_t exited;
static unsigned int off, exits;

static void on_output(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	(void)len;
	said = *data;
}

static void on_exit_port(void *ctx, uint32_t value)
{
	(void)ctx;
	exited = value;
	exits++;
}

static void on_off(void *ctx)
{
	(void)ctx;
	off++;
}

static void out(struct hv_bus *bus, uint16_t port, unsigned int width, uint64_t value)
{
	hv_bus_access(bus, HV_PORT, port, width, true, &value);
}

static void test_debugport(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_debugport_config config = { .bus = &bus, .output = on_output };
	struct hv_debugport port, other;
	uint64_t value = 0;

	(void)state;
	assert_int_equal(hv_debugport_init(&port, &config), 0);
	assert_int_equal(hv_debugport_init(&other, &config), -EEXIST);
	out(&bus, 0xe9, 1, 'x');
	assert_int_equal(said, 'x');
	assert_true(hv_bus_access(&bus, HV_PORT, 0xe9, 1, false, &value));
	assert_int_equal(value, 0xe9);
	out(&bus, 0x402, 1, 'y');
	assert_int_equal(said, 'y');
	hv_debugport_exit(&port);
	assert_int_equal(bus.count[HV_PORT], 0);
	/* Half of the ports taken: none is left behind. */
	assert_int_equal(hv_bus_register(&bus, &port.region[1]), 0);
	assert_int_equal(hv_debugport_init(&other, &config), -EEXIST);
	assert_int_equal(bus.count[HV_PORT], 1);
	bus = (struct hv_bus){ 0 };
	config.firmware_only = true;
	assert_int_equal(hv_debugport_init(&port, &config), 0);
	assert_false(hv_bus_access(&bus, HV_PORT, 0xe9, 1, true, &(uint64_t){ 0 }));
	assert_true(hv_bus_access(&bus, HV_PORT, 0x402, 1, true, &(uint64_t){ 0 }));
	hv_debugport_exit(&port);
	config = (struct hv_debugport_config){
		.bus = &bus,
		.output = on_output,
		.firmware_quiet = true,
	};
	assert_int_equal(hv_debugport_init(&port, &config), 0);
	out(&bus, 0xe9, 1, 'x');
	out(&bus, 0x402, 1, 'y');
	assert_int_equal(said, 'x');
	assert_true(hv_bus_access(&bus, HV_PORT, 0x402, 1, false, &value));
	assert_int_equal(value, 0xe9);
}

static void test_exitport(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_exitport_config config = {
		.bus = &bus,
		.exited = on_exit_port,
		.powered_off = on_off,
	};
	struct hv_exitport port, other;

	(void)state;
	assert_int_equal(hv_exitport_init(&port, &config), 0);
	assert_int_equal(hv_exitport_init(&other, &config), -EEXIST);
	out(&bus, 0xf4, 4, 0x12345678);
	assert_int_equal(exited, 0x12345678);
	out(&bus, 0xf4, 1, 3);
	assert_int_equal(exited, 3);
	assert_int_equal(exits, 2);
	out(&bus, 0x604, 2, 0x2001);
	out(&bus, 0x604, 1, 0);
	out(&bus, 0x605, 1, 0x20);
	assert_int_equal(off, 0);
	out(&bus, 0x604, 2, 0x2000);
	assert_int_equal(off, 1);
	hv_exitport_exit(&port);
	assert_int_equal(bus.count[HV_PORT], 0);
	assert_int_equal(hv_bus_register(&bus, &port.power), 0);
	assert_int_equal(hv_exitport_init(&other, &config), -EEXIST);
	assert_int_equal(bus.count[HV_PORT], 1);
	/* A PC has that port itself. */
	config.powered_off = NULL;
	assert_int_equal(hv_exitport_init(&other, &config), 0);
	assert_int_equal(bus.count[HV_PORT], 2);
}

static int status_of(enum hv_end_kind kind, uint32_t detail)
{
	struct hv_end end = { .kind = kind, .detail = detail };

	return hv_end_status(&end);
}

static void test_statuses(void **state)
{
	(void)state;
	assert_int_equal(status_of(HV_END_POWEROFF, 0), 0);
	assert_int_equal(status_of(HV_END_EXITED, 0), 1);
	assert_int_equal(status_of(HV_END_EXITED, 0x10), 33);
	assert_int_equal(status_of(HV_END_EXITED, 0x7f), 255);
	assert_int_equal(status_of(HV_END_EXITED, 0xff), 255);
	assert_int_equal(status_of(HV_END_HALTED, 0), 4);
	assert_int_equal(status_of(HV_END_TRIPLE_FAULT, 0), 6);
	assert_int_equal(status_of(HV_END_RESETS, 0), 6);
	assert_int_equal(status_of(HV_END_ENTRY_FAILED, 0), 8);
	assert_int_equal(status_of(HV_END_UNSUPPORTED, 0), 10);
	assert_int_equal(status_of(HV_END_ERROR, 0), 12);
	assert_int_equal(status_of(HV_END_SIGNAL, 15), 143);
}

static void test_the_first_end_counts(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_BARE);
	struct hv_machine *machine;
	char text[200];

	(void)state;
	fake_reset(NULL);
	machine = test_machine(&config);
	assert_string_equal(hv_end_name(&machine->end), "running");
	hv_machine_end(machine, HV_END_UNSUPPORTED, 0, "something at 0x%x", 0x1234);
	hv_machine_end(machine, HV_END_HALTED, 0, "%s", "");
	assert_true(hv_machine_has_ended(machine));
	hv_end_describe(&machine->end, text, sizeof(text));
	assert_string_equal(text, "unsupported: something at 0x1234");
	hv_machine_destroy(machine);
}

static void test_every_end_has_its_words(void **state)
{
	(void)state;
	for (enum hv_end_kind kind = HV_END_NONE; kind < HV_NR_ENDS; kind++) {
		struct hv_end end = { .kind = kind, .detail = 9 };
		char text[200];

		hv_end_describe(&end, text, sizeof(text));
		assert_true(*text);
		assert_true(*hv_end_name(&end));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debugport),
		cmocka_unit_test(test_exitport),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_the_first_end_counts),
		cmocka_unit_test(test_every_end_has_its_words),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
