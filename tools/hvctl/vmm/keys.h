/* SPDX-License-Identifier: GPL-2.0-only */
/* What a terminal sends, as keys of a US keyboard. */
#ifndef HV_VMM_KEYS_H
#define HV_VMM_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/ps2kbd.h"

/* Bytes for one keystroke, at the most; what is longer is none. */
#define HV_KEYS_MAX 16

/* A key, pressed and released, and what is held down meanwhile. 0: there is no such key. */
struct hv_keystroke {
	uint8_t key;			/* as hv_ps2kbd_key() has it */
	bool shift, ctrl, alt;
};

/**
 * hv_keys_parse() - the first keystroke in what a terminal has sent
 * @data: at least one byte
 * @len: how many
 * @more: more may follow at once: Escape alone, or the beginning of a sequence?
 * @stroke: filled in
 *
 * Takes what xterm, the Linux console and those like them send: UTF-8, CSI and SS3
 * sequences with modifiers, Escape before what Alt goes with. Returns how many bytes the
 * keystroke has, 0 if it is not complete yet (never without @more).
 */
size_t hv_keys_parse(const uint8_t *data, size_t len, bool more, struct hv_keystroke *stroke);

#endif
