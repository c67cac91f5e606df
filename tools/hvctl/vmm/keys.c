// SPDX-License-Identifier: GPL-2.0-only
/* Keys by what a terminal sends for them: ECMA-48 sequences, and xterm's modifiers in them. */
#include <string.h>

#include "keys.h"
#include "lib/util.h"

#define ESC 0x1b
#define DEL 0x7f

#define KEY_ESC 0x01
#define KEY_BACKSPACE 0x0e
#define KEY_TAB 0x0f
#define KEY_ENTER 0x1c
#define KEY_SPACE 0x39
#define E0(code) (HV_KEY_E0 | (code))

/* Rows of keys with consecutive codes. */
static const struct {
	uint8_t first;
	const char *plain, *shifted;
} rows[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
};

/* By the last byte of ESC [ or ESC O. */
static const struct {
	char last;
	uint8_t key;
} letters[] = {
	{ 'A', E0(0x48) }, { 'B', E0(0x50) }, { 'C', E0(0x4d) }, { 'D', E0(0x4b) },
	{ 'E', 0x4c }, { 'F', E0(0x4f) }, { 'H', E0(0x47) }, { 'M', E0(0x1c) },
	{ 'P', 0x3b }, { 'Q', 0x3c }, { 'R', 0x3d }, { 'S', 0x3e }, { 'Z', KEY_TAB },
};

/* By the number in ESC [ number ~ */
static const uint8_t numbers[] = {
	[1] = E0(0x47), [2] = E0(0x52), [3] = E0(0x53), [4] = E0(0x4f), [5] = E0(0x49),
	[6] = E0(0x51), [7] = E0(0x47), [8] = E0(0x4f), [11] = 0x3b, [12] = 0x3c, [13] = 0x3d,
	[14] = 0x3e, [15] = 0x3f, [17] = 0x40, [18] = 0x41, [19] = 0x42, [20] = 0x43, [21] = 0x44,
	[23] = 0x57, [24] = 0x58,
};

static void find_printable(char c, struct hv_keystroke *stroke)
{
	if (c == ' ')
		stroke->key = KEY_SPACE;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *plain = strchr(rows[i].plain, c), *shifted = strchr(rows[i].shifted, c);

		if (plain)
			stroke->key = rows[i].first + (plain - rows[i].plain);
		if (shifted)
			stroke->key = rows[i].first + (shifted - rows[i].shifted);
		stroke->shift |= !!shifted;
	}
}

static void find_character(uint8_t c, struct hv_keystroke *stroke)
{
	if (c == '\r') {
		stroke->key = KEY_ENTER;
	} else if (c == '\t') {
		stroke->key = KEY_TAB;
	} else if (c == DEL || c == '\b') {
		stroke->key = KEY_BACKSPACE;
	} else if (c < ' ') {
		stroke->ctrl = true;
		/* Ctrl with @ A ... Z [ \ ] ^ _; the letters without shift */
		find_printable(c && c < ESC ? c + 0x60 : c ? c + 0x40 : ' ', stroke);
	} else {
		find_printable(c, stroke);
	}
}

static uint8_t find_letter(uint8_t last)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].last == last)
			return letters[i].key;
	return 0;
}

/* One more than the sum of 1 shift, 2 alt, 4 ctrl. */
static void set_modifiers(unsigned int value, struct hv_keystroke *stroke)
{
	unsigned int bits = value ? value - 1 : 0;

	stroke->shift |= bits & 1;
	stroke->alt |= !!(bits & 2);
	stroke->ctrl |= !!(bits & 4);
}

/* What stands between ESC [ and the last byte: up to two numbers. */
static void parse_numbers(const uint8_t *data, size_t len, unsigned int number[2])
{
	unsigned int which = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == ';')
			which++;
		else if (data[i] >= '0' && data[i] <= '9' && which < 2 && number[which] < 1000)
			number[which] = number[which] * 10 + data[i] - '0';
	}
}

/* ESC [ or ESC O, numbers, a last byte; the Linux console has ESC [ [ A for F1. */
static size_t parse_sequence(const uint8_t *data, size_t len, struct hv_keystroke *stroke)
{
	unsigned int number[2] = { 0 };
	size_t end = 2;

	if (len > 2 && data[1] == '[' && data[2] == '[') {
		if (len > 3 && data[3] >= 'A' && data[3] <= 'E')
			stroke->key = 0x3b + data[3] - 'A';
		return len > 3 ? 4 : 0;
	}
	while (end < len && data[end] < 0x40)
		end++;
	if (end == len)
		return 0;
	parse_numbers(data + 2, end - 2, number);
	if (data[end] == '~')
		stroke->key = number[0] < ARRAY_SIZE(numbers) ? numbers[number[0]] : 0;
	else
		stroke->key = find_letter(data[end]);
	stroke->shift |= data[end] == 'Z';
	set_modifiers(number[1], stroke);
	return end + 1;
}

static size_t utf8_length(uint8_t first)
{
	if (first < 0xc0)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static size_t parse(const uint8_t *data, size_t len, struct hv_keystroke *stroke)
{
	size_t used;

	if (data[0] >= 0x80) {
		/* No key of a US keyboard. */
		used = utf8_length(data[0]);
		return used <= len ? used : 0;
	}
	if (data[0] != ESC) {
		find_character(data[0], stroke);
		return 1;
	}
	if (len < 2)
		return 0;
	if (data[1] == '[' || data[1] == 'O')
		return parse_sequence(data, len, stroke);
	stroke->alt = true;
	if (data[1] == ESC) {
		stroke->key = KEY_ESC;
		return 2;
	}
	used = parse(data + 1, len - 1, stroke);
	return used ? used + 1 : 0;
}

size_t hv_keys_parse(const uint8_t *data, size_t len, bool more, struct hv_keystroke *stroke)
{
	size_t used;

	*stroke = (struct hv_keystroke){ 0 };
	used = parse(data, len, stroke);
	if (used || (more && len < HV_KEYS_MAX))
		return used;
	/* It was no sequence. */
	*stroke = (struct hv_keystroke){ 0 };
	if (data[0] == ESC && len == 2) {
		stroke->alt = true;
		find_character(data[1], stroke);
		return 2;
	}
	if (data[0] == ESC)
		stroke->key = KEY_ESC;
	return 1;
}
