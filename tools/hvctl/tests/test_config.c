// SPDX-License-Identifier: GPL-2.0-only
/* Configurations: written as JSON and read again, and what is refused there. */
#include <errno.h>
#include <stdlib.h>

#include "hv_test.h"
#include "lib/util.h"
#include "vmm/config.h"

static void round_trip(const struct hv_config *config, const char *wanted)
{
	char *text = hv_config_to_json(config), *again;
	struct hv_error err = { .text = "" };
	struct hv_config *read;

	assert_non_null(text);
	if (wanted)
		assert_string_equal(text, wanted);
	read = hv_config_from_json(text, &err);
	if (!read)
		fail_msg("%s: %s", text, err.text);
	again = hv_config_to_json(read);
	assert_string_equal(text, again);
	assert_int_equal(read->memory, config->memory);
	assert_int_equal(read->load.options.entry, config->load.options.entry);
	assert_int_equal(read->cpus, config->cpus);
	hv_config_free(read);
	free(again);
	free(text);
}

static void test_default(void **state)
{
	const struct hv_config config = HV_CONFIG_DEFAULT;

	(void)state;
	round_trip(
		&config,
		"{\"cpus\":1,\"display\":\"none\",\"machine\":\"default\",\"memory\":134217728,\"mode\":\"default\",\"no_reboot\":false,\"pvpanic\":false,\"record\":0,\"sandbox\":true,\"serial\":{\"COM1\":\"stdio\"},\"shared_memory\":false,\"testdev\":false,\"version\":1,\"vmgenid\":false}");
}

static void test_everything(void **state)
{
	struct hv_config config = {
		.name = "web-1",
		.console = { HV_SERIAL_FILE, "log" },
		.memory = 1ULL << 40,
		.cpus = 64,
		.machine = HV_MACHINE_BARE,
		.display = HV_DISPLAY_TEXT,
		.cpu = "-avx,+smep",
		.serial = { { HV_SERIAL_NULL, NULL }, { HV_SERIAL_PTY, NULL },
			    { HV_SERIAL_FILE, "a \"b\"" }, { HV_SERIAL_STDIO, NULL } },
		.no_reboot = true,
		.testdev = true,
		.shared_memory = true,
		.records = 256,
		.load = {
			.path = "/images/caf\xc3\xa9", .boot = "linux", .cmdline = "quiet",
			.append = "x", .bios = "b", .bios_gpa = 0x9000, .system_map = "m",
			.initrd = { "1", "2" },
			.initrds = 2,
			.kernel = "k",
			.fw_file = { { "opt/a", "a" }, { "opt/b", "b" } },
			.fw_files = 2,
			.options = { .load = 0x100000, .entry = 0x100010, .mode = HV_MODE_LONG },
		},
	};
	struct hv_config *read;
	struct hv_error err;
	char *text;

	(void)state;
	round_trip(&config, NULL);
	text = hv_config_to_json(&config);
	read = hv_config_from_json(text, &err);
	assert_string_equal(read->cpu, config.cpu);
	assert_string_equal(read->serial[2].path, config.serial[2].path);
	assert_int_equal(read->serial[3].kind, HV_SERIAL_STDIO);
	assert_string_equal(read->name, "web-1");
	assert_int_equal(read->console.kind, HV_SERIAL_FILE);
	assert_string_equal(read->console.path, "log");
	assert_string_equal(read->load.path, config.load.path);
	assert_string_equal(read->load.initrd[1], "2");
	assert_string_equal(read->load.kernel, "k");
	assert_string_equal(read->load.fw_file[1].name, "opt/b");
	assert_string_equal(read->load.fw_file[1].path, "b");
	assert_int_equal(read->load.options.mode, HV_MODE_LONG);
	assert_int_equal(read->load.bios_gpa, 0x9000);
	assert_true(read->no_reboot && read->shared_memory && read->testdev);
	assert_int_equal(read->records, 256);
	hv_config_free(read);
	free(text);
}

static void test_no_utf8(void **state)
{
	struct hv_config config = HV_CONFIG_DEFAULT;

	(void)state;
	config.load.path = "\xff";
	assert_null(hv_config_to_json(&config));
	config.load.path = NULL;
	config.load.initrd[config.load.initrds++] = "\xff";
	assert_null(hv_config_to_json(&config));
	config.load.initrds = 0;
	hv_payload_config_add_fw_file(&config.load, "opt/a", "\xff");
	assert_null(hv_config_to_json(&config));
	config.load.fw_files = 0;
	config.serial[1] = (struct hv_serial_choice){ HV_SERIAL_FILE, "\xff" };
	assert_null(hv_config_to_json(&config));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *with;
	} cases[] = {
		{ "", "JSON" },
		{ "[]", "no object" },
		{ "{}", "version" },
		{ "{\"version\":2}", "version" },
		{ "{\"version\":1,\"memorie\":1}", "memorie" },
		{ "{\"version\":1,\"name\":\"-x\"}", "letters" },
		{ "{\"version\":1,\"name\":1}", "name" },
		{ "{\"version\":1,\"console\":\"none\"}", "console" },
		{ "{\"version\":1,\"console\":\"file\"}", "console" },
		{ "{\"version\":1,\"console\":{}}", "console" },
		{ "{\"version\":1,\"memory\":\"1\"}", "memory" },
		{ "{\"version\":1,\"memory\":-1}", "memory" },
		{ "{\"version\":1,\"machine\":\"mac\"}", "machine" },
		{ "{\"version\":1,\"machine\":1}", "machine" },
		{ "{\"version\":1,\"no_reboot\":1}", "no_reboot" },
		{ "{\"version\":1,\"testdev\":\"yes\"}", "testdev" },
		{ "{\"version\":1,\"image\":1}", "image" },
		{ "{\"version\":1,\"cpu\":1}", "cpu" },
		{ "{\"version\":1,\"cpu\":\"+nosuchthing\"}", "nosuchthing" },
		{ "{\"version\":1,\"cpus\":0}", "cpus" },
		{ "{\"version\":1,\"cpus\":65}", "cpus" },
		{ "{\"version\":1,\"cpus\":-1}", "cpus" },
		{ "{\"version\":1,\"cpus\":4294967297}", "cpus" },
		{ "{\"version\":1,\"cpus\":\"2\"}", "cpus" },
		{ "{\"version\":1,\"serial\":[\"stdio\"]}", "serial" },
		{ "{\"version\":1,\"serial\":{\"COM1\":1}}", "COM1" },
		{ "{\"version\":1,\"serial\":{\"COM1\":\"file\"}}", "connect" },
		{ "{\"version\":1,\"serial\":{\"COM5\":\"pty\"}}", "COM5" },
		{ "{\"version\":1,\"serial\":{\"COM1\":\"stdio\",\"COM2\":\"stdio\"}}", "COM2" },
		{ "{\"version\":1,\"initrd\":[1]}", "initrd" },
		{ "{\"version\":1,\"initrd\":2}", "initrd" },
		{ "{\"version\":1,\"fw_cfg\":\"x\"}", "fw_cfg" },
		{ "{\"version\":1,\"fw_cfg\":[\"x\"]}", "fw_cfg" },
		{ "{\"version\":1,\"fw_cfg\":[{\"name\":\"x\"}]}", "fw_cfg" },
		{ "{\"version\":1,\"fw_cfg\":[{\"name\":\"x\",\"file\":1}]}", "fw_cfg" },
		{ "{\"version\":1,\"kernel\":1}", "kernel" },
		{ "{\"version\":1,\"version\":1}", "duplicate" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hv_error err = { .text = "" };

		if (hv_config_from_json(cases[i].text, &err))
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(err.text, cases[i].with) || !strchr(err.text, ';'))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void test_cpu_words_add_up(void **state)
{
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };
	int error = 0;

	(void)state;
	assert_int_equal(hv_config_add_cpu(&config, "-avx", &err), 0);
	assert_int_equal(hv_config_add_cpu(&config, "+smep", &err), 0);
	assert_string_equal(config.cpu, "-avx,+smep");
	assert_int_equal(hv_config_add_cpu(&config, "nonsense", &err), -EINVAL);
	assert_string_equal(config.cpu, "-avx,+smep");
	for (unsigned int i = 0; i < 200 && !error; i++)
		error = hv_config_add_cpu(&config, "-smap", &err);
	assert_int_equal(error, -E2BIG);
	assert_true(strlen(config.cpu) < sizeof(config.cpu));
	assert_string_equal(config.cpu + strlen(config.cpu) - 5, "-smap");
}

static void test_cpus(void **state)
{
	static const char *const bad[] = { "",
					   "0",
					   "65",
					   "-1",
					   "+2",
					   " 2",
					   "2 ",
					   "2K",
					   "0x2",
					   "two",
					   "1.5",
					   "4294967298",
					   "99999999999999999999" };
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };

	(void)state;
	assert_int_equal(config.cpus, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(hv_config_set_cpus(&config, bad[i], &err), -EINVAL);
		assert_string_equal(err.text, "not a number of CPUs; give 1 to 64");
	}
	assert_int_equal(config.cpus, 1);
	assert_int_equal(hv_config_set_cpus(&config, "64", &err), 0);
	assert_int_equal(config.cpus, 64);
}

static void test_kinds(void **state)
{
	enum hv_machine_kind kind;

	(void)state;
	assert_true(hv_machine_kind_find("pc", &kind));
	assert_int_equal(kind, HV_MACHINE_PC);
	assert_true(hv_machine_kind_find("bare", &kind));
	assert_int_equal(kind, HV_MACHINE_BARE);
	assert_false(hv_machine_kind_find("default", &kind));
	assert_false(hv_machine_kind_find("", &kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cpu_words_add_up),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
