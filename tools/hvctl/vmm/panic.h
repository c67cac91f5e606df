/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Was that reboot a panic? Linux says so on its console before it resets the machine
 * (panic=-1), and nowhere else that needs no driver.
 */
#ifndef HV_VMM_PANIC_H
#define HV_VMM_PANIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/state.h"

struct hv_panic {
	char line[160];			/* the one that is being written; its end may be cut off */
	size_t len;
	char text[160];			/* of the panic */
	unsigned int lines_since;
	bool stamped;			/* this kernel's lines begin with a time */
};

/* The guest writes to its console. */
void hv_panic_watch(struct hv_panic *panic, const uint8_t *data, size_t len);

/* What the kernel said, if a panic is the last thing it told; else NULL. */
const char *hv_panic_text(const struct hv_panic *panic);

/* Lines are those of struct hv_panic, with a NUL; @len is of the first. */
struct hv_panic_state {
	char line[160];
	char text[160];
	uint32_t len;
	uint32_t lines_since;
	uint8_t stamped;
	uint8_t pad[7];
};

void hv_panic_save(const struct hv_panic *panic, struct hv_panic_state *state);
int hv_panic_check(const struct hv_panic *panic, const struct hv_panic_state *state);
int hv_panic_load(struct hv_panic *panic, const struct hv_panic_state *state);
extern const struct hv_state_kind hv_panic_kind;

#endif
