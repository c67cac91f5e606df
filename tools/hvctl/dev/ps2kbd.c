// SPDX-License-Identifier: GPL-2.0-only
/*
 * PS/2 keyboard: scan codes of sets 1 and 2, commands.
 *
 *  command  ED leds   EE echo   F0 set (0: tell which)   F2 identify (AB 83)   F3 rate
 *           F4 scan   F5 defaults, do not scan   F6 defaults   FE send again   FF reset
 *  answer   FA yes    FE send again: what is this?   AA self-test passed   EE echo
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-key)".
 */
#include <errno.h>
#include <string.h>

#include "ps2kbd.h"

#define CMD_LEDS 0xed
#define CMD_ECHO 0xee
#define CMD_SET 0xf0
#define CMD_IDENTIFY 0xf2
#define CMD_RATE 0xf3
#define CMD_SCAN 0xf4
#define CMD_STOP 0xf5
#define CMD_DEFAULTS 0xf6
#define CMD_AGAIN 0xfe
#define CMD_RESET 0xff

#define ACK 0xfa
#define AGAIN 0xfe
#define PASSED 0xaa
#define EXTENDED 0xe0
#define BREAK_SET1 0x80
#define BREAK_SET2 0xf0
#define LEDS 0x07
#define RATE 0x7f
#define RATE_DEFAULT 0x2b		/* 10.9 a second, after half a second */

/* Codes of set 2, by those of set 1. */
#define KEYS 0x5e
static const uint8_t set2[KEYS] = {
	[0x01] = 0x76, [0x02] = 0x16, [0x03] = 0x1e, [0x04] = 0x26, [0x05] = 0x25, [0x06] = 0x2e,
	[0x07] = 0x36, [0x08] = 0x3d, [0x09] = 0x3e, [0x0a] = 0x46, [0x0b] = 0x45, [0x0c] = 0x4e,
	[0x0d] = 0x55, [0x0e] = 0x66, [0x0f] = 0x0d, [0x10] = 0x15, [0x11] = 0x1d, [0x12] = 0x24,
	[0x13] = 0x2d, [0x14] = 0x2c, [0x15] = 0x35, [0x16] = 0x3c, [0x17] = 0x43, [0x18] = 0x44,
	[0x19] = 0x4d, [0x1a] = 0x54, [0x1b] = 0x5b, [0x1c] = 0x5a, [0x1d] = 0x14, [0x1e] = 0x1c,
	[0x1f] = 0x1b, [0x20] = 0x23, [0x21] = 0x2b, [0x22] = 0x34, [0x23] = 0x33, [0x24] = 0x3b,
	[0x25] = 0x42, [0x26] = 0x4b, [0x27] = 0x4c, [0x28] = 0x52, [0x29] = 0x0e, [0x2a] = 0x12,
	[0x2b] = 0x5d, [0x2c] = 0x1a, [0x2d] = 0x22, [0x2e] = 0x21, [0x2f] = 0x2a, [0x30] = 0x32,
	[0x31] = 0x31, [0x32] = 0x3a, [0x33] = 0x41, [0x34] = 0x49, [0x35] = 0x4a, [0x36] = 0x59,
	[0x37] = 0x7c, [0x38] = 0x11, [0x39] = 0x29, [0x3a] = 0x58, [0x3b] = 0x05, [0x3c] = 0x06,
	[0x3d] = 0x04, [0x3e] = 0x0c, [0x3f] = 0x03, [0x40] = 0x0b, [0x41] = 0x83, [0x42] = 0x0a,
	[0x43] = 0x01, [0x44] = 0x09, [0x45] = 0x77, [0x46] = 0x7e, [0x47] = 0x6c, [0x48] = 0x75,
	[0x49] = 0x7d, [0x4a] = 0x7b, [0x4b] = 0x6b, [0x4c] = 0x73, [0x4d] = 0x74, [0x4e] = 0x79,
	[0x4f] = 0x69, [0x50] = 0x72, [0x51] = 0x7a, [0x52] = 0x70, [0x53] = 0x71, [0x54] = 0x84,
	[0x56] = 0x61, [0x57] = 0x78, [0x58] = 0x07, [0x5b] = 0x1f, [0x5c] = 0x27, [0x5d] = 0x2f,
};

/* 02 is no key of ours: a keyboard that is asked for its set answers it, and drivers know 41. */
uint8_t hv_ps2kbd_translate(uint8_t byte)
{
	for (unsigned int i = 1; i < KEYS; i++)
		if (set2[i] && set2[i] == byte)
			return i;
	return byte == 0x02 ? 0x41 : byte;
}

/* ----------------------------------------------------------------- sending */

static void answer(struct hv_ps2kbd *kbd, uint8_t byte)
{
	kbd->s.answer[kbd->s.answers++] = byte;
}

bool hv_ps2kbd_key(struct hv_ps2kbd *kbd, uint8_t key, bool down)
{
	struct hv_ps2kbd_state *s = &kbd->s;
	uint8_t bytes[3], len = 0, number = key & ~HV_KEY_E0;

	if (number >= KEYS || !set2[number])
		return false;
	if (!s->scanning)
		return true; /* pressed, and nobody hears of it */
	if (key & HV_KEY_E0)
		bytes[len++] = EXTENDED;
	if (s->set == 2 && !down)
		bytes[len++] = BREAK_SET2;
	if (s->set == 2)
		bytes[len++] = set2[number];
	else
		bytes[len++] = number | (down ? 0 : BREAK_SET1);
	if (s->codes + len > HV_PS2KBD_CODES)
		return false;
	memcpy(s->code + s->codes, bytes, len);
	s->codes += len;
	return true;
}

static uint8_t take_first(uint8_t *bytes, uint8_t *count)
{
	uint8_t byte = bytes[0];

	--*count;
	memmove(bytes, bytes + 1, *count);
	bytes[*count] = 0;
	return byte;
}

uint8_t hv_ps2kbd_take(struct hv_ps2kbd *kbd, bool *is_answer)
{
	struct hv_ps2kbd_state *s = &kbd->s;

	*is_answer = s->answers;
	s->last = *is_answer ? take_first(s->answer, &s->answers) : take_first(s->code, &s->codes);
	return s->last;
}

/* ---------------------------------------------------------------- commands */

static void forget_keys(struct hv_ps2kbd_state *s)
{
	memset(s->code, 0, sizeof(s->code));
	s->codes = 0;
}

static void set_defaults(struct hv_ps2kbd_state *s)
{
	s->set = 2;
	s->typematic = RATE_DEFAULT;
	forget_keys(s);
}

void hv_ps2kbd_reset(struct hv_ps2kbd *kbd)
{
	kbd->s = (struct hv_ps2kbd_state){ .scanning = true };
	set_defaults(&kbd->s);
}

static void scan(struct hv_ps2kbd *kbd, bool scanning)
{
	forget_keys(&kbd->s);
	kbd->s.scanning = scanning;
	answer(kbd, ACK);
}

static void identify(struct hv_ps2kbd *kbd)
{
	answer(kbd, ACK);
	answer(kbd, 0xab);
	answer(kbd, 0x83);
}

static void command(struct hv_ps2kbd *kbd, uint8_t byte)
{
	struct hv_ps2kbd_state *s = &kbd->s;

	switch (byte) {
	case CMD_LEDS:
	case CMD_SET:
	case CMD_RATE:
		s->command = byte;
		answer(kbd, ACK);
		break;
	case CMD_ECHO:
		answer(kbd, CMD_ECHO);
		break;
	case CMD_IDENTIFY:
		identify(kbd);
		break;
	case CMD_STOP:
		set_defaults(s);
		scan(kbd, false);
		break;
	case CMD_SCAN:
		scan(kbd, true);
		break;
	case CMD_DEFAULTS:
		set_defaults(s);
		answer(kbd, ACK);
		break;
	case CMD_AGAIN:
		answer(kbd, s->last);
		break;
	case CMD_RESET:
		hv_ps2kbd_reset(kbd);
		answer(kbd, ACK);
		answer(kbd, PASSED);
		break;
	default:
		answer(kbd, AGAIN);
	}
}

static void choose_set(struct hv_ps2kbd *kbd, uint8_t set)
{
	if (set > 2) {
		answer(kbd, AGAIN);
		return;
	}
	answer(kbd, ACK);
	if (!set)
		answer(kbd, kbd->s.set);
	else
		kbd->s.set = set;
	forget_keys(&kbd->s);
}

static void parameter(struct hv_ps2kbd *kbd, uint8_t which, uint8_t byte)
{
	struct hv_ps2kbd_state *s = &kbd->s;

	if (which == CMD_SET) {
		choose_set(kbd, byte);
		return;
	}
	if (which == CMD_LEDS)
		s->leds = byte & LEDS;
	else
		s->typematic = byte & RATE;
	answer(kbd, ACK);
}

/* What was not fetched of the last answer is dropped; a command in a parameter's place counts. */
void hv_ps2kbd_write(struct hv_ps2kbd *kbd, uint8_t byte)
{
	uint8_t which = kbd->s.command;

	kbd->s.command = 0;
	kbd->s.answers = 0;
	memset(kbd->s.answer, 0, sizeof(kbd->s.answer));
	if (which && byte < 0x80)
		parameter(kbd, which, byte);
	else
		command(kbd, byte);
}

/* ------------------------------------------------------------------- state */

void hv_ps2kbd_save(const struct hv_ps2kbd *kbd, struct hv_ps2kbd_state *state)
{
	*state = kbd->s;
}

int hv_ps2kbd_check(const struct hv_ps2kbd *kbd, const struct hv_ps2kbd_state *state)
{
	uint8_t command = state->command;

	(void)kbd;
	if (state->set < 1 || state->set > 2 || state->scanning > 1 || (state->leds & ~LEDS) ||
	    (state->typematic & ~RATE) || state->answers > HV_PS2KBD_ANSWERS ||
	    state->codes > HV_PS2KBD_CODES)
		return -EINVAL;
	if (command && command != CMD_LEDS && command != CMD_SET && command != CMD_RATE)
		return -EINVAL;
	return state->pad[0] | state->pad[1] | state->pad[2] | state->pad[3] ? -EINVAL : 0;
}

int hv_ps2kbd_load(struct hv_ps2kbd *kbd, const struct hv_ps2kbd_state *state)
{
	int err = hv_ps2kbd_check(kbd, state);

	if (err)
		return err;
	kbd->s = *state;
	return 0;
}

HV_STATE_KIND(ps2kbd, HV_STATE_PS2KBD, 1);
