// SPDX-License-Identifier: GPL-2.0-only
/* INT 9 and 16H: keys, from the keyboard and from whoever types elsewhere. */
#include <string.h>

#include "call.h"
#include "dev/ps2kbd.h"
#include "lib/util.h"

#define DATA 0x60
#define PIC 0x20
#define PIC_EOI 0x20
#define KBC 0x64
#define KBC_RESET 0xfe

#define RELEASED 0x80
#define PREFIX 0xe0
#define PREFIX_COME 0x02
#define BDA 0x400

#define ANY_SHIFT 0x03
#define NUM_LOCK 0x20
#define CAPS_LOCK 0x40
#define KEY_DELETE 0x53
#define KEY_TAB 0x0f

/* --------------------------------------------------------- keys and characters */

/* Rows of keys with consecutive codes. */
static const struct {
	uint8_t first;
	const char *plain, *shifted;
} rows[] = {
	{ 0x01, "\0331234567890-=\b\t", "\033!@#$%^&*()_+\b" },
	{ 0x10, "qwertyuiop[]\r", "QWERTYUIOP{}\r" },
	{ 0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 0x37, "*", "*" },
	{ 0x39, " ", " " },
	{ 0x4a, "-", "-" },
	{ 0x4e, "+", "+" },
};

static const char keypad[] = "789-456+1230.";
#define KEYPAD_FIRST 0x47

/* Keys without a character: their code with others held down, alone. */
static const struct {
	uint8_t first, last;
	uint8_t plain, shift, ctrl, alt;
} functions[] = {
	{ 0x3b, 0x44, 0x3b, 0x54, 0x5e, 0x68 },             /* F1 to F10 */
	{ 0x57, 0x58, 0x85, 0x87, 0x89, 0x8b },             /* F11, F12 */
	{ 0x02, 0x0d, 0, 0, 0, 0x78 },                      /* Alt and a digit */
	{ 0x4b, 0x4b, 0x4b, 0x4b, 0x73, 0x9b },             /* left, */
	{ 0x4d, 0x4d, 0x4d, 0x4d, 0x74, 0x9d },             /* right */
	{ 0x47, 0x47, 0x47, 0x47, 0x77, 0x97 },             /* Home, */
	{ 0x4f, 0x4f, 0x4f, 0x4f, 0x75, 0x9f },             /* End */
	{ 0x49, 0x49, 0x49, 0x49, 0x84, 0x99 },             /* page up, */
	{ 0x51, 0x51, 0x51, 0x51, 0x76, 0xa1 },             /* page down */
	{ 0x48, 0x48, 0x48, 0x48, 0x8d, 0x98 },             /* up, */
	{ 0x50, 0x50, 0x50, 0x50, 0x91, 0xa0 },             /* down */
	{ 0x52, 0x52, 0x52, 0x52, 0x92, 0xa2 },             /* insert, */
	{ KEY_DELETE, KEY_DELETE, 0x53, 0x53, 0x93, 0xa3 }, /* delete */
};

static uint8_t character(uint8_t key, uint8_t shifts)
{
	bool shifted = shifts & ANY_SHIFT;
	char c = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (key >= rows[i].first && key < rows[i].first + strlen(rows[i].plain))
			c = (shifted ? rows[i].shifted : rows[i].plain)[key - rows[i].first];
	if (shifts & CAPS_LOCK && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		c ^= 0x20;
	if (!(shifts & HV_BIOS_CTRL))
		return c;
	switch (c) {
	case '\r':
		return '\n';
	case '\b':
		return 0x7f;
	case '\x1b':
	case ' ':
		return c;
	}
	return c >= '@' ? c & 0x1f : 0;
}

static uint8_t function(uint8_t key, uint8_t shifts)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		uint8_t code = shifts & HV_BIOS_ALT  ? functions[i].alt :
			       shifts & HV_BIOS_CTRL ? functions[i].ctrl :
			       shifts & ANY_SHIFT    ? functions[i].shift :
						       functions[i].plain;

		if (key >= functions[i].first && key <= functions[i].last && code)
			return code + key - functions[i].first;
	}
	return 0;
}

/* What INT 16H tells of a key: its code, and below it the character. 0: nothing */
static uint16_t word_of(uint8_t key, uint8_t shifts)
{
	uint8_t code = key & ~HV_KEY_E0, c;
	bool digits = !(shifts & NUM_LOCK) != !(shifts & ANY_SHIFT);

	/* Enter and / are keys of their own on the keypad, and mean the same. */
	if (key & HV_KEY_E0 && code >= KEYPAD_FIRST)
		return function(code, shifts) << 8;
	if (code >= KEYPAD_FIRST && code <= KEY_DELETE && digits)
		return code << 8 | keypad[code - KEYPAD_FIRST];
	if (code == KEY_TAB && shifts & ANY_SHIFT)
		return code << 8;
	c = character(code, shifts);
	if (function(code, shifts) && (!c || shifts & HV_BIOS_ALT))
		return function(code, shifts) << 8;
	if (shifts & HV_BIOS_ALT)
		return c ? code << 8 : 0;
	return c ? code << 8 | c : 0;
}

/* ------------------------------------------------------------------ the buffer */

static uint16_t behind(struct hv_bios_call *call, uint16_t at)
{
	return at + 2 < (uint16_t)hv_bios_get(call, BDA_KEYS_END, 2) ?
		       at + 2 :
		       (uint16_t)hv_bios_get(call, BDA_KEYS_BEGIN, 2);
}

static bool store(struct hv_bios_call *call, uint16_t word)
{
	uint16_t at = hv_bios_get(call, BDA_KEY_NEXT, 2), next = behind(call, at);

	if (next == hv_bios_get(call, BDA_KEY_FIRST, 2))
		return false;
	hv_bios_put(call, BDA + at, 2, word);
	hv_bios_put(call, BDA_KEY_NEXT, 2, next);
	return true;
}

static bool is_empty(struct hv_bios_call *call)
{
	return hv_bios_get(call, BDA_KEY_FIRST, 2) == hv_bios_get(call, BDA_KEY_NEXT, 2);
}

/* What was typed elsewhere comes when the buffer is empty, one key at a time. */
static bool peek(struct hv_bios_call *call)
{
	const struct hv_bios_config *config = &call->bios->config;
	uint8_t shifts = 0, key = is_empty(call) ? config->typed(config->ctx, &shifts) : 0;
	uint16_t word = word_of(key, shifts);

	if (word)
		store(call, word);
	return !is_empty(call);
}

static void take(struct hv_bios_call *call)
{
	uint16_t at = hv_bios_get(call, BDA_KEY_FIRST, 2);

	call->ax = hv_bios_get(call, BDA + at, 2);
	hv_bios_put(call, BDA_KEY_FIRST, 2, behind(call, at));
}

/* ---------------------------------------------------------------- interrupts */

/* The bit of INT 16H, AH=02H that a key is about; locks change when they are pressed. */
static uint8_t shift_bit(uint8_t code)
{
	switch (code) {
	case 0x36:
		return 0x01; /* right shift, */
	case 0x2a:
		return 0x02; /* left */
	case 0x1d:
		return HV_BIOS_CTRL;
	case 0x38:
		return HV_BIOS_ALT;
	case 0x46:
		return 0x10; /* scroll lock */
	case 0x45:
		return NUM_LOCK;
	case 0x3a:
		return CAPS_LOCK;
	}
	return 0;
}

static uint8_t change(uint8_t shifts, uint8_t bit, bool pressed)
{
	if (bit >= 0x10)
		return pressed ? shifts ^ bit : shifts;
	return pressed ? shifts | bit : shifts & ~bit;
}

static void key_came(struct hv_bios_call *call, uint8_t byte, bool prefixed)
{
	uint8_t shifts = hv_bios_get(call, BDA_SHIFTS, 1), code = byte & ~RELEASED;
	uint8_t bit = shift_bit(code);

	/* Around the keys between the blocks keyboards press and release a shift of their own. */
	if (prefixed && bit & ANY_SHIFT)
		return;
	if (bit) {
		hv_bios_put(call, BDA_SHIFTS, 1, change(shifts, bit, !(byte & RELEASED)));
		return;
	}
	if (byte & RELEASED)
		return;
	if (code == KEY_DELETE && shifts & HV_BIOS_CTRL && shifts & HV_BIOS_ALT)
		hv_bios_out(call, KBC, KBC_RESET);
	else if (word_of(code | (prefixed ? HV_KEY_E0 : 0), shifts))
		store(call, word_of(code | (prefixed ? HV_KEY_E0 : 0), shifts));
}

/* INT 9, the keyboard's interrupt */
bool hv_bios_key_pressed(struct hv_bios_call *call)
{
	uint8_t byte = hv_bios_in(call, DATA), prefix = hv_bios_get(call, BDA_KEY_PREFIX, 1);

	hv_bios_put(call, BDA_KEY_PREFIX, 1,
		    byte == PREFIX ? prefix | PREFIX_COME : prefix & ~PREFIX_COME);
	if (byte < PREFIX)
		key_came(call, byte, prefix & PREFIX_COME);
	hv_bios_out(call, PIC, PIC_EOI);
	return true;
}

/* ZF: there is none. */
static void tell_next(struct hv_bios_call *call)
{
	bool any = peek(call);

	hv_bios_flag(call, X86_RFLAGS_ZF, !any);
	if (any)
		call->ax = hv_bios_get(call, BDA + hv_bios_get(call, BDA_KEY_FIRST, 2), 2);
}

bool hv_bios_keyboard(struct hv_bios_call *call)
{
	switch (call->ah) {
	case 0x00:
	case 0x10:
		if (peek(call))
			take(call);
		else
			call->again = HV_BIOS_AFTER_INTERRUPT;
		return true;
	case 0x01:
	case 0x11:
		tell_next(call);
		return true;
	case 0x02:
		call->al = hv_bios_get(call, BDA_SHIFTS, 1);
		return true;
	case 0x03:
		return true; /* who types repeats keys */
	case 0x05:
		call->al = !store(call, call->cx);
		return true;
	case 0x12:
		call->al = hv_bios_get(call, BDA_SHIFTS, 1);
		call->ah = hv_bios_get(call, BDA_SHIFTS + 1, 1);
		return true;
	}
	return false;
}
