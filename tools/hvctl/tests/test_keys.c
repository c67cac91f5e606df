// SPDX-License-Identifier: GPL-2.0-only
/* What terminals send, and the keys it stands for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv_test.h"
#include "lib/util.h"
#include "vmm/keys.h"

enum { SHIFT = 1, ALT = 2, CTRL = 4 };

static const struct {
	const char *bytes;
	uint8_t key, held;
} known[] = {
	{ "a", 0x1e, 0 },
	{ "A", 0x1e, SHIFT },
	{ "1", 0x02, 0 },
	{ "!", 0x02, SHIFT },
	{ "0", 0x0b, 0 },
	{ "=", 0x0d, 0 },
	{ "[", 0x1a, 0 },
	{ "}", 0x1b, SHIFT },
	{ "\"", 0x28, SHIFT },
	{ "`", 0x29, 0 },
	{ "~", 0x29, SHIFT },
	{ "\\", 0x2b, 0 },
	{ "/", 0x35, 0 },
	{ "?", 0x35, SHIFT },
	{ " ", 0x39, 0 },
	{ "\r", 0x1c, 0 },
	{ "\n", 0x24, CTRL },
	{ "\t", 0x0f, 0 },
	{ "\x7f", 0x0e, 0 },
	{ "\b", 0x0e, 0 },
	{ "\001", 0x1e, CTRL },
	{ "\003", 0x2e, CTRL },
	{ "\032", 0x2c, CTRL },
	{ "\034", 0x2b, CTRL },
	{ "\037", 0x0c, CTRL | SHIFT },
	/* xterm, in both modes of its cursor keys */
	{ "\033[A", 0xc8, 0 },
	{ "\033OA", 0xc8, 0 },
	{ "\033[B", 0xd0, 0 },
	{ "\033[C", 0xcd, 0 },
	{ "\033[D", 0xcb, 0 },
	{ "\033[H", 0xc7, 0 },
	{ "\033[F", 0xcf, 0 },
	{ "\033[2~", 0xd2, 0 },
	{ "\033[3~", 0xd3, 0 },
	{ "\033[5~", 0xc9, 0 },
	{ "\033[6~", 0xd1, 0 },
	{ "\033OP", 0x3b, 0 },
	{ "\033OS", 0x3e, 0 },
	{ "\033[15~", 0x3f, 0 },
	{ "\033[17~", 0x40, 0 },
	{ "\033[21~", 0x44, 0 },
	{ "\033[23~", 0x57, 0 },
	{ "\033[24~", 0x58, 0 },
	{ "\033[Z", 0x0f, SHIFT },
	{ "\033[1;2A", 0xc8, SHIFT },
	{ "\033[1;3C", 0xcd, ALT },
	{ "\033[1;5D", 0xcb, CTRL },
	{ "\033[1;8P", 0x3b, SHIFT | ALT | CTRL },
	{ "\033[3;5~", 0xd3, CTRL },
	/* the Linux console, rxvt */
	{ "\033[[A", 0x3b, 0 },
	{ "\033[[E", 0x3f, 0 },
	{ "\033[1~", 0xc7, 0 },
	{ "\033[8~", 0xcf, 0 },
	{ "\033[11~", 0x3b, 0 },
	/* Alt */
	{ "\033x", 0x2d, ALT },
	{ "\033X", 0x2d, ALT | SHIFT },
	{ "\033\003", 0x2e, ALT | CTRL },
	{ "\033\033", 0x01, ALT },
	/* none of this keyboard's */
	{ "\xc3\xa4", 0, 0 },
	{ "\xe2\x82\xac", 0, 0 },
	{ "\xf0\x9f\x98\x80", 0, 0 },
	{ "\x80", 0, 0 },
	{ "\033[99~", 0, 0 },
	{ "\033[200~", 0, 0 },
	{ "\033[?1;2c", 0, 0 },
};

static unsigned int held(const struct hv_keystroke *stroke)
{
	return stroke->shift * SHIFT + stroke->alt * ALT + stroke->ctrl * CTRL;
}

static size_t parse(const char *bytes, size_t len, bool more, struct hv_keystroke *stroke)
{
	return hv_keys_parse((const uint8_t *)bytes, len, more, stroke);
}

static void test_known(void **state)
{
	struct hv_keystroke stroke;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t len = strlen(known[i].bytes);

		/* What comes behind is another's. */
		snprintf(text, sizeof(text), "%sq", known[i].bytes);
		if (parse(text, len + 1, true, &stroke) != len || stroke.key != known[i].key)
			fail_msg("%zu: key %x", i, stroke.key);
		if (known[i].key)
			assert_int_equal(held(&stroke), known[i].held);
	}
}

/* A byte missing: wait, unless nothing comes. */
static void test_incomplete(void **state)
{
	struct hv_keystroke stroke;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		for (size_t len = 1; len < strlen(known[i].bytes); len++)
			assert_int_equal(parse(known[i].bytes, len, true, &stroke), 0);
	assert_int_equal(parse("\033", 1, false, &stroke), 1);
	assert_int_equal(stroke.key, 0x01);
	assert_int_equal(parse("\033[", 2, false, &stroke), 2);
	assert_true(stroke.key == 0x1a && stroke.alt);
	assert_int_equal(parse("\033O", 2, false, &stroke), 2);
	assert_true(stroke.key == 0x18 && stroke.alt && stroke.shift);
	assert_int_equal(parse("\033[1;", 4, false, &stroke), 1);
	assert_int_equal(stroke.key, 0x01);
	assert_int_equal(parse("\xe2", 1, false, &stroke), 1);
	assert_int_equal(stroke.key, 0);
	/* Nothing waits for ever. */
	assert_int_equal(parse("\033[00000000000000", 16, true, &stroke), 1);
}

/* Any bytes: each call takes some, and names a key that there is. */
static void test_any_bytes(void **state)
{
	struct hv_ps2kbd keyboard;
	unsigned int seed = 1;
	uint8_t bytes[16];

	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		struct hv_keystroke stroke;
		size_t used;

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] = rand_r(&seed) % 3 ? "\033[O;1~A"[rand_r(&seed) % 8] :
							rand_r(&seed);
		used = hv_keys_parse(bytes, sizeof(bytes), false, &stroke);
		assert_in_range(used, 1, sizeof(bytes));
		hv_ps2kbd_reset(&keyboard);
		assert_true(!stroke.key || hv_ps2kbd_key(&keyboard, stroke.key, true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
