// SPDX-License-Identifier: GPL-2.0-only
/* What is on a guest's screen: as a BIOS leaves it, as the registers show it, as it is told. */
#include <jansson.h>
#include <locale.h>
#include <stdio.h>

#include "machine_test.h"
#include "vmm/report.h"
#include "vmm/screen.h"

static struct hv_machine *machine;
static char *text;
static size_t text_len;

static int setup(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	(void)state;
	fake_reset(NULL);
	machine = test_machine(&config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	free(text);
	text = NULL;
	return 0;
}

static void write_at(uint64_t gpa, const char *words, uint8_t attribute)
{
	for (; *words; words++, gpa += 2) {
		uint16_t cell = (uint8_t)*words | attribute << 8;

		assert_int_equal(hv_memory_write(&machine->memory, gpa, &cell, 2), 0);
	}
}

static void set_crtc(uint8_t index, uint8_t value)
{
	test_out(machine, 0x3d4, 2, index | value << 8);
}

static const char *dump(void)
{
	FILE *out;

	free(text);
	out = open_memstream(&text, &text_len);
	hv_screen_dump(machine, out);
	fclose(out);
	return text;
}

static json_t *report_screen(json_t **report)
{
	FILE *out;

	free(text);
	out = open_memstream(&text, &text_len);
	assert_int_equal(hv_report_json(machine, out), 0);
	fclose(out);
	*report = json_loads(text, 0, NULL);
	assert_non_null(*report);
	return json_object_get(*report, "screen");
}

static uint64_t peek(uint64_t gpa, unsigned int len)
{
	uint64_t value = 0;

	assert_int_equal(hv_memory_read(&machine->memory, gpa, &value, len), 0);
	return value;
}

static void test_as_a_bios_leaves_it(void **state)
{
	(void)state;
	for (uint64_t gpa = 0xb8000; gpa < 0xc0000; gpa += 2)
		assert_int_equal(peek(gpa, 2), 0x0720);
	assert_int_equal(peek(0x410, 2), 1 << 9 | 0x20);
	assert_int_equal(peek(0x449, 1), 3);
	assert_int_equal(peek(0x44a, 2), 80);
	assert_int_equal(peek(0x450, 2), 0);
	assert_int_equal(peek(0x463, 2), 0x3d4);
	assert_int_equal(peek(0x484, 1), 24);
	assert_int_equal(peek(0x41a, 4), 0x001e001e);
	assert_int_equal(peek(0x480, 4), 0x003e001e);
	assert_string_equal(dump(), "");
}

static void test_words(void **state)
{
	(void)state;
	write_at(0xb8000, "Hello  ", 0x1f);
	write_at(0xb8000 + 2 * 160 + 4, "\xc9\xcd\xbb \x01\xe1", 0x07);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_string_equal(dump(), "the guest's screen, 80 by 25:\n| Hello\n|\n"
				    "|   \u2554\u2550\u2557 \u263a\u00df\n");
}

/* Where there is no UTF-8: what looks like it. JSON has it all the same. */
static void test_words_in_ascii(void **state)
{
	json_t *report, *screen;

	(void)state;
	write_at(0xb8000, "\xc9\xcd\xbb\xba\xb0\xdf \x10\x18 \x81\x01\xff\xfd~", 0x07);
	setlocale(LC_CTYPE, "C");
	assert_string_equal(dump(), "the guest's screen, 80 by 25:\n| +-+|## >^ ?? ?~\n");
	for (unsigned int c = 0; c < 256; c++) {
		char local[HV_SCREEN_CHARACTER_MAX];

		assert_int_equal(hv_screen_local(c, local), 1);
		assert_true(!*local || (*local >= ' ' && *local < 0x7f));
		assert_int_equal(hv_screen_is_local(c), hv_screen_unicode(c) < 0x80);
	}
	screen = report_screen(&report);
	assert_memory_equal(json_string_value(json_array_get(screen, 0)), "\u2554\u2550", 6);
	json_decref(report);
}

/* Colours alone, and what shows nothing, are no words. */
static void test_nothing(void **state)
{
	(void)state;
	write_at(0xb8000, "    ", 0x4f);
	write_at(0xb8010, "\xff", 0x4f);
	assert_int_equal(hv_memory_write(&machine->memory, 0xb8020, "", 1), 0);
	assert_string_equal(dump(), "");
}

static void test_start_address(void **state)
{
	(void)state;
	write_at(0xb8000, "first", 7);
	write_at(0xbfff6, "12345", 7);
	/* The last five cells, and behind them the first ones. */
	set_crtc(0x0c, 0x3f);
	set_crtc(0x0d, 0xfb);
	assert_string_equal(dump(), "the guest's screen, 80 by 25:\n| 12345first\n");
}

static void test_monochrome(void **state)
{
	(void)state;
	write_at(0xb0000, "green", 7);
	assert_string_equal(dump(), "");
	test_out(machine, 0x3ce, 2, 0x0a06);
	assert_non_null(strstr(dump(), "| green\n"));
}

static void test_other_sizes(void **state)
{
	(void)state;
	set_crtc(0x11, 0x0e);
	set_crtc(0x01, 0x27);
	set_crtc(0x13, 0x14);
	set_crtc(0x09, 0x47);
	write_at(0xb8000 + 80 * 49, "last", 7);
	assert_non_null(strstr(dump(), "the guest's screen, 40 by 50:\n|\n"));
	assert_non_null(strstr(dump(), "|\n| last\n"));
}

/* Not to be seen, which is told once. */
static void test_graphics(void **state)
{
	(void)state;
	write_at(0xb8000, "Hello", 7);
	assert_false(machine->pc->told_graphics);
	test_out(machine, 0x3ce, 2, 0x0506);
	assert_true(machine->pc->told_graphics);
	assert_string_equal(dump(), "");
	test_out(machine, 0x3ce, 2, 0x0e06);
	assert_non_null(strstr(dump(), "| Hello\n"));
}

static void test_cursor(void **state)
{
	struct hv_screen screen;
	unsigned int row, column;

	(void)state;
	set_crtc(0x0d, 80);
	set_crtc(0x0f, 80 + 83);
	assert_true(hv_screen_look(machine, &screen));
	assert_true(hv_screen_cursor(&screen, &row, &column));
	assert_int_equal(row, 1);
	assert_int_equal(column, 3);
	/* Above the screen, below it, off, of no width. */
	set_crtc(0x0f, 0);
	assert_true(hv_screen_look(machine, &screen));
	assert_false(hv_screen_cursor(&screen, &row, &column));
	set_crtc(0x0e, 0x08);
	set_crtc(0x0f, 0x20);
	assert_true(hv_screen_look(machine, &screen));
	assert_false(hv_screen_cursor(&screen, &row, &column));
	set_crtc(0x0e, 0x00);
	set_crtc(0x0d, 0);
	set_crtc(0x0a, 0x20);
	assert_true(hv_screen_look(machine, &screen));
	assert_false(hv_screen_cursor(&screen, &row, &column));
	set_crtc(0x0a, 0x0d);
	set_crtc(0x13, 0);
	assert_true(hv_screen_look(machine, &screen));
	assert_false(hv_screen_cursor(&screen, &row, &column));
}

static void test_json(void **state)
{
	json_t *report, *screen;

	(void)state;
	assert_null(report_screen(&report));
	json_decref(report);
	write_at(0xb8000 + 160, "two \xb0", 7);
	screen = report_screen(&report);
	assert_int_equal(json_array_size(screen), 2);
	assert_string_equal(json_string_value(json_array_get(screen, 0)), "");
	assert_string_equal(json_string_value(json_array_get(screen, 1)), "two \u2591");
	json_decref(report);
}

/* The start of a machine, and each reset, clears it. */
static void test_reset(void **state)
{
	struct hv_error err;

	(void)state;
	write_at(0xb8000, "Hello", 7);
	hv_memory_clear(&machine->memory);
	test_with_lock(machine, assert_int_equal(hv_machine_load(machine, &err), 0));
	assert_string_equal(dump(), "");
	assert_int_equal(peek(0xb8000, 2), 0x0720);
}

/* No screen, no ports, no text memory. */
static void test_bare(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_BARE);
	struct hv_screen screen;
	uint64_t value = 0;

	(void)state;
	hv_machine_destroy(machine);
	fake_reset(NULL);
	machine = test_machine(&config);
	assert_false(hv_screen_look(machine, &screen));
	assert_int_equal(peek(0xb8000, 2), 0);
	assert_false(test_access(machine, HV_PORT, 0x3d4, 1, false, &value));
	assert_false(test_access(machine, HV_PORT, 0x64, 1, false, &value));
	write_at(0xb8000, "Hello", 7);
	assert_string_equal(dump(), "");
}

/* Who asks for one and names no machine gets a PC; who says bare is told. */
static void test_display_wants_a_pc(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_DEFAULT);
	struct hv_error err = { .text = "" };

	(void)state;
	hv_machine_destroy(machine);
	fake_reset(NULL);
	config.display = HV_DISPLAY_TEXT;
	machine = test_machine(&config);
	assert_non_null(machine->pc);
	/* The terminal is the screen's: COM1 has another. */
	assert_int_equal(machine->config.serial[0].kind, HV_SERIAL_PTY);
	assert_non_null(strstr(machine->serial[0].end.pty, "/dev/pts/"));
	config.machine = HV_MACHINE_BARE;
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.subject, "--display text");
	assert_string_equal(err.text, "a bare machine has no screen; use --machine pc");
}

#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCREEN_TEST(test_as_a_bios_leaves_it),
		SCREEN_TEST(test_words),
		SCREEN_TEST(test_words_in_ascii),
		SCREEN_TEST(test_nothing),
		SCREEN_TEST(test_start_address),
		SCREEN_TEST(test_monochrome),
		SCREEN_TEST(test_other_sizes),
		SCREEN_TEST(test_graphics),
		SCREEN_TEST(test_cursor),
		SCREEN_TEST(test_json),
		SCREEN_TEST(test_reset),
		SCREEN_TEST(test_bare),
		SCREEN_TEST(test_display_wants_a_pc),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
