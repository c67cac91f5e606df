/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PS/2 keyboard, US layout: what it sends for a key, and what it answers to commands. It
 * hangs on an 8042 (i8042.h), which asks it for bytes one at a time.
 */
#ifndef HV_DEV_PS2KBD_H
#define HV_DEV_PS2KBD_H

#include "dev.h"

/* A key is the code that it has in set 1; with this, one that comes behind E0. */
#define HV_KEY_E0 0x80
#define HV_PS2KBD_CODES 16		/* bytes that a keyboard keeps */
#define HV_PS2KBD_ANSWERS 4

struct hv_ps2kbd_state {
	uint8_t set;			/* of scan codes: 1 or 2 */
	uint8_t scanning;		/* keys are told */
	uint8_t leds;			/* 0 scroll lock, 1 num lock, 2 caps lock */
	uint8_t typematic;		/* read back nowhere: whoever types repeats keys */
	uint8_t command;		/* waits for its parameter; 0: none */
	uint8_t last;			/* sent, for who asks for it again */
	uint8_t answers, codes;		/* waiting to be sent, answers first */
	uint8_t answer[HV_PS2KBD_ANSWERS], code[HV_PS2KBD_CODES];
	uint8_t pad[4];
};

struct hv_ps2kbd {
	struct hv_ps2kbd_state s;
};

/* As a BIOS leaves it: set 2, scanning. */
void hv_ps2kbd_reset(struct hv_ps2kbd *kbd);

/* A byte from the controller. */
void hv_ps2kbd_write(struct hv_ps2kbd *kbd, uint8_t byte);

/* Press or release @key. False: it has no room for it now, or there is no such key. */
bool hv_ps2kbd_key(struct hv_ps2kbd *kbd, uint8_t key, bool down);

static inline bool hv_ps2kbd_pending(const struct hv_ps2kbd *kbd)
{
	return kbd->s.answers || kbd->s.codes;
}

/* The next byte, which is pending; @answer: it is one to a command, and no scan code. */
uint8_t hv_ps2kbd_take(struct hv_ps2kbd *kbd, bool *answer);

/* What the 8042 makes of a byte of set 2 when it translates. */
uint8_t hv_ps2kbd_translate(uint8_t byte);

void hv_ps2kbd_save(const struct hv_ps2kbd *kbd, struct hv_ps2kbd_state *state);
int hv_ps2kbd_check(const struct hv_ps2kbd *kbd, const struct hv_ps2kbd_state *state);
int hv_ps2kbd_load(struct hv_ps2kbd *kbd, const struct hv_ps2kbd_state *state);
extern const struct hv_state_kind hv_ps2kbd_kind;

#endif
