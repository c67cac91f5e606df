// SPDX-License-Identifier: GPL-2.0-only
/* The PC in a machine that has no VM: what reaches the vCPU, what is noted, what lies in RAM. */
#include "firmware/acpi.h"
#include "lib/util.h"
#include "machine_test.h"

static struct hv_machine *machine;
static uint64_t now_ns;

static uint64_t now(struct hv_clock *clock)
{
	(void)clock;
	return now_ns;
}

static int setup(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	(void)state;
	fake_reset(NULL);
	machine = test_machine(&config);
	now_ns = 1000000;
	machine->clock.now_ns = now;
	machine->clock.rearm = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	return 0;
}

static bool reset_is_wanted(void)
{
	return atomic_load(&machine->attention) & HV_ATTENTION_RESET;
}

static void run_clock(uint64_t ns)
{
	now_ns += ns;
	test_with_lock(machine, hv_clock_run(&machine->clock));
}

static void test_timer_wants_the_vcpu(void **state)
{
	(void)state;
	test_program_pic(machine);
	test_out(machine, 0x43, 1, 0x34);
	test_out(machine, 0x40, 1, 0xa9);
	test_out(machine, 0x40, 1, 0x04);
	/* OUT is high as the BIOS has left it, and stays so: the first rise is a period away. */
	assert_false(atomic_load(&machine->pc->intr));
	run_clock(1001000);
	assert_true(atomic_load(&machine->pc->intr));
	assert_int_equal(hv_i8259_ack(&machine->pc->board.pic), 0x20);
	assert_false(atomic_load(&machine->pc->intr));
}

static uint8_t pic_mask(void)
{
	uint64_t value = 0;

	assert_true(test_access(machine, HV_PORT, 0x21, 1, false, &value));
	return value;
}

/* A flat image counts on what a BIOS leaves running, and after a reset again. */
static void test_after_bios(void **state)
{
	(void)state;
	assert_int_equal(pic_mask(), 0xf8);
	hv_machine_want_attention(machine, HV_ATTENTION_RESET);
	hv_machine_pc_reset(machine);
	assert_int_equal(pic_mask(), 0xf8);
	test_program_pic(machine);
	run_clock(54920000);
	assert_false(atomic_load(&machine->pc->intr));
	run_clock(10000);
	assert_true(atomic_load(&machine->pc->intr));
	assert_int_equal(hv_i8259_ack(&machine->pc->board.pic), 0x20);
}

static uint32_t x87_request;
static uint8_t x87_lines;

/* An x87 error, port F0h as in the handler of IRQ 13, power-off. */
static int fails_in_x87(struct fake_vcpu *vcpu)
{
	const struct hv_i8259_chip *slave = &machine->pc->board.pic.chip[1];

	if (vcpu->runs == 1) {
		vcpu->run->reason = TINYVMX_EXIT_FERR;
		return 0;
	}
	if (vcpu->runs == 2) {
		x87_lines = slave->s.lines;
		return fake_out(vcpu, 0xf0, 1, 0);
	}
	x87_request = vcpu->request;
	assert_int_equal(slave->s.lines & 1 << 5, 0);
	return fake_out(vcpu, 0x604, 2, 0x2000);
}

static void run_x87(uint64_t capabilities)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_error err = { .text = "" };

	hv_machine_destroy(machine);
	fake_reset(fails_in_x87);
	machine = test_machine(&config);
	machine->vm.info.capabilities = capabilities;
	if (hv_machine_start(machine, &err))
		fail_msg("%s", err.text);
	hv_machine_serve(machine);
	hv_machine_join(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(x87_lines & 1 << 5, 1 << 5);
}

/* IRQ 13, and IGNNE#; an older module knows nothing of either. */
static void test_x87_errors(void **state)
{
	(void)state;
	run_x87(TINYVMX_CAP_FERR);
	assert_int_equal(x87_request, TINYVMX_REQ_IGNNE);
	run_x87(0);
	assert_int_equal(x87_request, 0);
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
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		hv_machine_drop_attention(machine, HV_ATTENTION_RESET);
		test_out(machine, ways[i].port, 1, ways[i].value);
		assert_true(reset_is_wanted());
	}
	assert_false(hv_machine_has_ended(machine));
}

/* What PCs of others do, and what the tables say, are the same here. */
static void test_power_off(void **state)
{
	(void)state;
	assert_int_equal(HV_PC_PM_BASE + HV_ACPI_PM_CONTROL, 0x604);
	test_out(machine, 0x604, 2, 0x2000 | HV_ACPI_PM_S5 << 10);
	assert_true(hv_machine_has_ended(machine));
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(hv_end_status(&machine->end), 0);
}

/* What a guest's reset becomes, without going so far as to do it. */
static void test_no_reboot(void **state)
{
	(void)state;
	machine->config.no_reboot = true;
	hv_machine_want_attention(machine, HV_ATTENTION_RESET);
	hv_machine_pc_reset(machine);
	assert_int_equal(machine->end.kind, HV_END_REBOOT);
	assert_int_equal(hv_end_status(&machine->end), 0);
}

static void reset_once(void)
{
	hv_machine_want_attention(machine, HV_ATTENTION_RESET);
	hv_machine_pc_reset(machine);
}

/* The last of many in a row is the end; a pause, and they begin anew. */
static void test_resets_for_ever(void **state)
{
	struct hv_machine_pc_state saved;

	(void)state;
	for (unsigned int i = 0; i < 31; i++) {
		reset_once();
		run_clock(i ? 999999999 : 0);
	}
	hv_machine_pc_save(machine->pc, &saved);
	assert_int_equal(hv_machine_pc_check(machine->pc, &saved), 0);
	run_clock(1);
	reset_once();
	assert_false(hv_machine_has_ended(machine));
	assert_int_equal(hv_machine_pc_load(machine->pc, &saved), 0);
	reset_once();
	assert_int_equal(machine->end.kind, HV_END_RESETS);
	saved.resets++;
	assert_int_equal(hv_machine_pc_check(machine->pc, &saved), -EINVAL);
}

static void test_panic(void **state)
{
	static const char text[] = "[ 1.0] Kernel panic - not syncing: no init\r\n";

	(void)state;
	hv_panic_watch(&machine->serial[0].panic, (const uint8_t *)text, sizeof(text) - 1);
	hv_machine_want_attention(machine, HV_ATTENTION_RESET);
	hv_machine_pc_reset(machine);
	assert_int_equal(machine->end.kind, HV_END_PANIC);
	assert_int_equal(hv_end_status(&machine->end), 14);
	assert_string_equal(machine->end.text, "Kernel panic - not syncing: no init");
}

/* Returns whether a triple fault makes the board reset. */
static bool shuts_down(void)
{
	bool resets;

	test_with_lock(machine, resets = hv_machine_pc_shutdown(machine->vcpus));
	return resets;
}

static void test_triple_fault(void **state)
{
	(void)state;
	assert_true(shuts_down());
	assert_true(reset_is_wanted());
	run_clock(9999999999);
	assert_false(shuts_down());
	run_clock(10000000000);
	assert_true(shuts_down());
	machine->config.no_reboot = true;
	assert_false(shuts_down());
	/* Also then a panic is one: reboot=t */
	hv_panic_watch(&machine->serial[0].panic,
		       (const uint8_t *)"Kernel panic - not syncing: x\n", 30);
	assert_true(shuts_down());
}

/* The first one begins, the others wait for it: when they are made and after each reset. */
static void test_others_wait(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	machine = test_machine_of(HV_MACHINE_PC, 3, NULL);
	for (unsigned int resets = 0; resets < 2; resets++) {
		for (unsigned int i = 0; i < 3; i++) {
			assert_int_equal(fake.vcpu[i].made, 1 + resets);
			assert_int_equal(fake.vcpu[i].events.activity,
					 i ? TINYVMX_ACTIVITY_WAIT_FOR_SIPI :
					     TINYVMX_ACTIVITY_ACTIVE);
		}
		machine->vcpus[1].waits_for_peers = machine->vcpus[2].nmi_may_come = true;
		hv_machine_want_attention(machine, HV_ATTENTION_RESET);
		hv_machine_pc_reset(machine);
		assert_false(machine->vcpus[1].waits_for_peers || machine->vcpus[2].nmi_may_come);
	}
}

static void test_too_many(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_error err;

	(void)state;
	config.cpus = FAKE_MAX_VCPUS + 1;
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.subject, "--cpus");
	assert_string_equal(err.text, "the module gives a VM 8 at the most; ask for fewer");
}

/* A line that stays up: 100 messages at once, then one each 100 us. */
static void test_storm(void **state)
{
	unsigned int sent = 0;

	(void)state;
	test_write_ioapic(machine, 0x10 + 2 * 5, 0x8040);
	test_with_lock(machine, hv_ioapic_set_irq(&machine->pc->board.ioapic, 5, true));
	assert_true(machine->pc->delivered);
	do {
		machine->pc->delivered = false;
		test_with_lock(machine, hv_machine_pc_eoi(machine, 0x40));
		sent += machine->pc->delivered;
	} while (machine->pc->delivered && sent < 1000);
	assert_int_equal(sent, 100);
	run_clock(99999);
	assert_false(machine->pc->delivered);
	run_clock(1);
	assert_true(machine->pc->delivered);
	test_with_lock(machine, hv_ioapic_set_irq(&machine->pc->board.ioapic, 5, false));
	machine->pc->delivered = false;
	test_with_lock(machine, hv_machine_pc_eoi(machine, 0x40));
	assert_false(machine->pc->delivered);
	assert_int_equal(machine->pc->redelivered, 0);
}

static void test_tables(void **state)
{
	uint16_t word;

	(void)state;
	hv_machine_pc_write_tables(machine);
	assert_memory_equal(hv_memory_at(&machine->memory, HV_ACPI_GPA, 8), "RSD PTR ", 8);
	assert_memory_equal(hv_memory_at(&machine->memory, HV_MPTABLE_GPA, 4), "_MP_", 4);
	memcpy(&word, hv_memory_at(&machine->memory, 0x413, 2), 2);
	assert_int_equal(word, 639);
	memcpy(&word, hv_memory_at(&machine->memory, 0x40e, 2), 2);
	assert_int_equal(word, 0x9fc0);
}

/* Who calls a BIOS that is not there comes back. */
static void test_vectors(void **state)
{
	uint16_t vector[2];

	(void)state;
	hv_machine_pc_write_tables(machine);
	for (unsigned int i = 0; i < 256; i++) {
		memcpy(vector, hv_memory_at(&machine->memory, 4 * i, 4), 4);
		assert_int_equal(
			*(uint8_t *)hv_memory_at(&machine->memory, (vector[1] << 4) + vector[0], 1),
			0xcf);
	}
}

/* What a guest reads of an item of fw_cfg. */
static uint64_t fw_item(uint16_t key, unsigned int skip, unsigned int len)
{
	uint64_t value = 0, byte = 0;

	test_out(machine, 0x510, 2, key);
	for (unsigned int i = 0; i < skip + len; i++) {
		assert_true(test_access(machine, HV_PORT, 0x511, 1, false, &byte));
		if (i >= skip)
			value |= byte << 8 * (i - skip);
	}
	return value;
}

static void put_pm_base(uint16_t base)
{
	test_out(machine, 0xcf8, 4, 0x80000b40);
	test_out(machine, 0xcfc, 2, base);
}

/* The second file has the ACPI tables; behind the place of the RSDP and the FACS is the DSDT. */
static void test_fw_cfg(void **state)
{
	const struct hv_acpi_files *files = &machine->pc->fw_files.acpi_files;
	uint64_t fadt = fw_item(0x22, 2 * 128 + 0x74, 4) - 36;

	(void)state;
	assert_int_equal(fw_item(HV_FW_CFG_CPUS, 0, 2), 1);
	assert_int_equal(fw_item(HV_FW_CFG_RAM_SIZE, 0, 8), 4 * HV_MIB);
	assert_int_equal(fw_item(0x21, fadt, 4), 0x50434146); /* FACP */
	assert_int_equal(fw_item(0x21, fadt + 64, 4), 0x604);
	put_pm_base(0xb000);
	assert_int_equal(fw_item(0x21, fadt + 64, 4), 0xb004);
	/* Turned off: where it is after a reset. */
	test_out(machine, 0xcf8, 4, 0x80000b80);
	test_out(machine, 0xcfc, 1, 0);
	assert_int_equal(fw_item(0x21, fadt + 64, 4), 0x604);
	assert_int_not_equal(files->tables_size, 0);
}

static void put_be32(uint64_t gpa, uint32_t value)
{
	value = __builtin_bswap32(value);
	assert_int_equal(hv_memory_write(&machine->memory, gpa, &value, 4), 0);
}

/* RAM is what DMA writes to; ROM, chips and nothing are not. */
static void test_fw_cfg_dma(void **state)
{
	static const struct {
		uint64_t to;
		uint32_t result;
	} cases[] = {
		{ 0x2000, 0 },
		{ 4 * HV_MIB - 2, 1 },
		{ 4 * HV_GIB - 0x1000, 1 },
		{ HV_IOAPIC_BASE, 1 },
	};
	struct hv_error err;

	(void)state;
	assert_int_equal(hv_memory_add_rom(&machine->memory, 0x1000, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_be32(0x1000, HV_FW_CFG_SIGNATURE << 16 | 0x0a);
		put_be32(0x1004, 4);
		put_be32(0x1008, cases[i].to >> 32);
		put_be32(0x100c, (uint32_t)cases[i].to);
		test_out(machine, 0x518, 4, __builtin_bswap32(0x1000));
		assert_int_equal(test_get(&machine->memory, 0x1000, 4),
				 __builtin_bswap32(cases[i].result));
	}
	assert_int_equal(test_get(&machine->memory, 0x2000, 4), 0x554d4551);
	assert_int_equal(test_get(&machine->memory, 4 * HV_GIB - 0x1000, 4), 0);
}

static void refused(const struct hv_config *config, const char *subject, const char *with)
{
	struct hv_error err = { .text = "" };

	assert_null(hv_machine_create(config, &err));
	assert_string_equal(err.subject, subject);
	if (!strstr(err.text, with) || !strchr(err.text, ';'))
		fail_msg("%s: %s", err.subject, err.text);
}

static void test_users_files(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	(void)state;
	config.load.fw_files = 1;
	config.load.fw_file[0] = (struct hv_fw_file_config){ "opt/f", test_image() };
	hv_machine_destroy(machine);
	machine = test_machine(&config);
	assert_int_equal(fw_item(HV_FW_CFG_DIRECTORY, 4 + 6 * 64 + 8, 6), 0x662f74706f);
	assert_int_equal(fw_item(0x26, 0, 2), 0xf4);
	config.load.fw_file[0].name = "etc/e820";
	refused(&config, "--fw-cfg", "etc/e820: there is such a file already");
	config.load.fw_file[0].name =
		"opt/a-name-that-has-so-many-letters-that-it-does-not-fit-into-it";
	refused(&config, "--fw-cfg", "1 to 55 bytes");
	config.load.fw_file[0].name = "opt/f";
	config.machine = HV_MACHINE_BARE;
	refused(&config, "--fw-cfg", "--machine pc");
}

/* Firmware makes the tables itself: nothing of ours is in its RAM. */
static void test_no_tables_with_firmware(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_DEFAULT);
	char path[] = "/tmp/hv-rom-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(ftruncate(fd, 0x10000), 0);
	close(fd);
	config.load.path = path;
	config.load.boot = "firmware";
	hv_machine_destroy(machine);
	machine = test_machine(&config);
	unlink(path);
	assert_non_null(machine->pc);
	assert_int_equal(test_get(&machine->memory, HV_ACPI_GPA, 8), 0);
	assert_int_equal(test_get(&machine->memory, 0x413, 2), 0);
	assert_int_equal(fw_item(HV_FW_CFG_SIGNATURE, 0, 4), 0x554d4551);
	/* Nothing runs that it has not started. */
	assert_int_equal(pic_mask(), 0xff);
	assert_int_equal(hv_clock_next(&machine->clock), UINT64_MAX);
}

/* Its lines reach both kinds of controllers, its flush leaves RAM as it was. */
static void test_testdev(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	uint64_t value = 0;

	(void)state;
	assert_null(machine->pc->testdev);
	config.testdev = true;
	hv_machine_destroy(machine);
	machine = test_machine(&config);
	/* What it flushes is in a memfd, or would be lost. */
	assert_true(machine->memory.fd >= 0);
	test_out(machine, 0xe0, 4, 0x12345678);
	test_out(machine, 0xe9, 1, 0x56);
	test_program_pic(machine);
	test_out(machine, 0x21, 1, 0xdf);
	test_out(machine, 0x2005, 1, 1);
	assert_true(atomic_load(&machine->pc->intr));
	test_write_ioapic(machine, 0x10 + 2 * 20, 0x8041);
	machine->pc->delivered = false;
	test_out(machine, 0x2014, 1, 1);
	assert_true(machine->pc->delivered);
	test_put32(&machine->memory, 0x5000, 77);
	test_out(machine, 0xe4, 4, 0x5004);
	assert_int_equal(test_get(&machine->memory, 0x5000, 4), 77);
	test_put32(&machine->memory, 0x5000, 78);
	/* Nothing is there to be flushed. */
	test_out(machine, 0xe4, 4, 4 * HV_MIB);
	test_out(machine, 0xe4, 4, 0xfffff000);
	assert_true(test_access(machine, HV_PORT, 0xe0, 4, false, &value));
	assert_int_equal(value, 0x12345678);
	config.machine = HV_MACHINE_BARE;
	refused(&config, "--device testdev", "--machine pc");
}

#define PC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PC_TEST(test_timer_wants_the_vcpu),
		PC_TEST(test_after_bios),
		PC_TEST(test_x87_errors),
		PC_TEST(test_resets_are_noted),
		PC_TEST(test_power_off),
		PC_TEST(test_no_reboot),
		PC_TEST(test_resets_for_ever),
		PC_TEST(test_panic),
		PC_TEST(test_triple_fault),
		PC_TEST(test_others_wait),
		PC_TEST(test_too_many),
		PC_TEST(test_storm),
		PC_TEST(test_tables),
		PC_TEST(test_vectors),
		PC_TEST(test_fw_cfg),
		PC_TEST(test_fw_cfg_dma),
		PC_TEST(test_users_files),
		PC_TEST(test_testdev),
		PC_TEST(test_no_tables_with_firmware),
	};

	return cmocka_run_group_tests_name("machine_pc", tests, NULL, NULL);
}
