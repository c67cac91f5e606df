// SPDX-License-Identifier: GPL-2.0-only
/* The PC in a machine that has no VM: what reaches the vCPU, what is noted, what lies in RAM. */
#include "firmware/acpi.h"
#include "hv_test.h"
#include "vmm/machine_pc.h"

static struct hv_machine machine;
static uint64_t now_ns;

static uint64_t now(struct hv_clock *clock)
{
	(void)clock;
	return now_ns;
}

static int setup(void **state)
{
	struct hv_error err;

	(void)state;
	memset(&machine, 0, sizeof(machine));
	if (hv_machine_init(&machine, &err))
		return -1;
	now_ns = 1000000;
	machine.clock.now_ns = now;
	machine.clock.rearm = NULL;
	machine.is_pc = true;
	return hv_memory_init(&machine.memory, 4 * HV_MIB, &err) ||
	       hv_machine_add_devices(&machine, false, &err);
}

static int teardown(void **state)
{
	(void)state;
	hv_pc_exit(&machine.pc);
	hv_machine_exit(&machine);
	return 0;
}

static void out(uint16_t port, unsigned int width, uint64_t value)
{
	assert_true(hv_bus_access(&machine.bus, HV_PORT, port, width, true, &value));
}

static void write_ioapic(uint32_t reg, uint64_t value)
{
	uint64_t select = reg;

	hv_bus_access(&machine.bus, HV_MMIO, HV_IOAPIC_BASE, 4, true, &select);
	hv_bus_access(&machine.bus, HV_MMIO, HV_IOAPIC_BASE + 0x10, 4, true, &value);
}

static void run_clock(uint64_t ns)
{
	now_ns += ns;
	hv_clock_run(&machine.clock);
}

static void program_pic(void)
{
	out(0x20, 1, 0x11);
	out(0x21, 1, 0x20);
	out(0x21, 1, 0x04);
	out(0x21, 1, 0x01);
	out(0x21, 1, 0xfe);
}

static void test_timer_wants_the_vcpu(void **state)
{
	(void)state;
	program_pic();
	out(0x43, 1, 0x34);
	out(0x40, 1, 0xa9);
	out(0x40, 1, 0x04);
	/* OUT rises when the mode is set: an interrupt already. */
	assert_true(atomic_load(&machine.intr));
	hv_i8259_ack(&machine.pc.pic);
	assert_false(atomic_load(&machine.intr));
	out(0x20, 1, 0x20);
	run_clock(1001000);
	assert_true(atomic_load(&machine.intr));
	assert_int_equal(hv_i8259_ack(&machine.pc.pic), 0x20);
	assert_false(atomic_load(&machine.intr));
}

static void test_resets_are_noted(void **state)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} ways[] = {
		{ 0xcf9, 0x06 },
		{ 0x92, 0x01 },
		{ 0x64, 0xfe },
		{ HV_PC_PM_BASE + HV_ACPI_PM_RESET, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		atomic_store(&machine.reset_wanted, false);
		out(ways[i].port, 1, ways[i].value);
		assert_true(atomic_load(&machine.reset_wanted));
	}
	assert_false(atomic_load(&machine.ended));
}

static void test_power_off(void **state)
{
	(void)state;
	out(HV_PC_PM_BASE + HV_ACPI_PM_CONTROL, 2, 0x2000 | HV_ACPI_PM_S5 << 10);
	assert_true(atomic_load(&machine.ended));
	assert_int_equal(machine.end.kind, HV_END_POWEROFF);
	assert_int_equal(hv_end_status(&machine.end), 0);
}

/* What a guest's reset becomes, without going so far as to do it. */
static void test_no_reboot(void **state)
{
	struct hv_vcpu vcpu = { .machine = &machine };

	(void)state;
	machine.no_reboot = true;
	hv_machine_pc_reset(&vcpu);
	assert_int_equal(machine.end.kind, HV_END_REBOOT);
	assert_int_equal(hv_end_status(&machine.end), 0);
}

static void test_panic(void **state)
{
	static const char text[] = "[ 1.0] Kernel panic - not syncing: no init\r\n";
	struct hv_vcpu vcpu = { .machine = &machine };

	(void)state;
	hv_panic_watch(&machine.serial[0].panic, (const uint8_t *)text, sizeof(text) - 1);
	hv_machine_pc_reset(&vcpu);
	assert_int_equal(machine.end.kind, HV_END_PANIC);
	assert_int_equal(hv_end_status(&machine.end), 14);
	assert_string_equal(machine.end.text, "Kernel panic - not syncing: no init");
}

static void test_triple_fault(void **state)
{
	(void)state;
	assert_true(hv_machine_pc_shutdown(&machine));
	assert_true(atomic_load(&machine.reset_wanted));
	run_clock(9999999999);
	assert_false(hv_machine_pc_shutdown(&machine));
	run_clock(10000000000);
	assert_true(hv_machine_pc_shutdown(&machine));
	machine.is_pc = false;
	run_clock(10000000000);
	assert_false(hv_machine_pc_shutdown(&machine));
	machine.is_pc = true;
	machine.no_reboot = true;
	assert_false(hv_machine_pc_shutdown(&machine));
	/* Also then a panic is one: reboot=t */
	hv_panic_watch(&machine.serial[0].panic, (const uint8_t *)"Kernel panic - not syncing: x\n",
		       30);
	assert_true(hv_machine_pc_shutdown(&machine));
}

/* A line that stays up: 100 messages at once, then one each 100 us. */
static void test_storm(void **state)
{
	unsigned int sent = 0;

	(void)state;
	write_ioapic(0x10 + 2 * 5, 0x8040);
	hv_ioapic_set_irq(&machine.pc.ioapic, 5, true);
	assert_true(machine.delivered);
	do {
		machine.delivered = false;
		hv_machine_pc_eoi(&machine, 0x40);
		sent += machine.delivered;
	} while (machine.delivered && sent < 1000);
	assert_int_equal(sent, 100);
	run_clock(99999);
	assert_false(machine.delivered);
	run_clock(1);
	assert_true(machine.delivered);
	hv_ioapic_set_irq(&machine.pc.ioapic, 5, false);
	machine.delivered = false;
	hv_machine_pc_eoi(&machine, 0x40);
	assert_false(machine.delivered);
	assert_int_equal(machine.redelivered, 0);
}

static void test_tables(void **state)
{
	uint16_t word;

	(void)state;
	hv_machine_pc_write_tables(&machine);
	assert_memory_equal(hv_memory_at(&machine.memory, HV_ACPI_GPA, 8), "RSD PTR ", 8);
	assert_memory_equal(hv_memory_at(&machine.memory, HV_MPTABLE_GPA, 4), "_MP_", 4);
	memcpy(&word, hv_memory_at(&machine.memory, 0x413, 2), 2);
	assert_int_equal(word, 639);
	memcpy(&word, hv_memory_at(&machine.memory, 0x40e, 2), 2);
	assert_int_equal(word, 0x9fc0);
}

#define PC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PC_TEST(test_timer_wants_the_vcpu),
		PC_TEST(test_resets_are_noted),
		PC_TEST(test_power_off),
		PC_TEST(test_no_reboot),
		PC_TEST(test_panic),
		PC_TEST(test_triple_fault),
		PC_TEST(test_storm),
		PC_TEST(test_tables),
	};

	return cmocka_run_group_tests_name("machine_pc", tests, NULL, NULL);
}
