// SPDX-License-Identifier: GPL-2.0-only
/* Which protocol a file is taken for, by its content or by name; and what is no kernel at all. */
#include "lib/util.h"
#include "load_test.h"

static struct load_test t;

static int begin(void **state)
{
	(void)state;
	load_test_begin(&t, 2 * HV_MIB);
	return 0;
}

static int end(void **state)
{
	(void)state;
	load_test_end(&t);
	return 0;
}

static void test_flat(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	t.config.cmdline = "words for it";
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	assert_false(t.payload.protocol->pc);
	assert_string_equal(t.payload.why, "no magic number");
	assert_string_equal(load_test_string(&t, t.boot.regs.gpr[TINYVMX_RSI]), "words for it");
}

static void test_names(void **state)
{
	char names[200], *name, *rest = names;

	(void)state;
	snprintf(names, sizeof(names), "%s", hv_protocol_names());
	while ((name = strsep(&rest, ", ")))
		if (*name)
			assert_string_equal(hv_protocol_find(name)->name, name);
	assert_null(hv_protocol_find("lilo"));
	t.config.path = load_test_file(&t, "\xf4", 1);
	t.config.boot = "lilo";
	load_test_refuse(
		&t, "use one of linux, multiboot, multiboot2, pvh, elf, nimbos, firmware, flat");
	assert_string_equal(t.payload.subject, "--boot");
}

struct stranger {
	size_t at;
	const char *magic;
	const char *with;
};

static const struct stranger strangers[] = {
	{ 0, "!<arch>\n", "ld first" },
	{ 0, "070701", "--initrd" },
	{ 0x38, "ARM\x64", "ARM64" },
	{ 0x38, "RSC\x05", "RISC-V" },
	{ 0x24, "\x18\x28\x6f\x01", "ARM" },
	{ 0, "MZ", "EFI" },
};

static void test_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		const struct stranger *s = &strangers[i];
		char bytes[0x100] = "";

		memcpy(bytes + s->at, s->magic, strlen(s->magic));
		t.config.path = load_test_file(&t, bytes, sizeof(bytes));
		load_test_refuse(&t, s->with);
		hv_payload_free(&t.payload);
	}
}

static void test_stranger_on_request(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "MZ", 2);
	t.config.boot = "flat";
	load_test_accept(&t);
	assert_string_equal(t.payload.why, "--boot");
}

static void test_wrong_on_request(void **state)
{
	static const char *const names[] = { "linux", "multiboot", "multiboot2",
					     "pvh",   "elf",       "firmware" };

	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		t.config.boot = names[i];
		load_test_refuse(&t, "");
		hv_payload_free(&t.payload);
	}
}

static void test_initrd_refused(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "takes no initrd");
	assert_string_equal(t.payload.subject, t.payload.module[0].path);
}

static void test_image_missing(void **state)
{
	(void)state;
	t.config.path = "/nonexistent/image";
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, t.config.path);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_flat),
		T(test_names),
		T(test_strangers),
		T(test_stranger_on_request),
		T(test_wrong_on_request),
		T(test_initrd_refused),
		T(test_image_missing),
	};

	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
