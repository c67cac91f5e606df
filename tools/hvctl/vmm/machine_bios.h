/* SPDX-License-Identifier: GPL-2.0-only */
/* The BIOS of a machine whose guest asks for one: its port, and what it reads and tells. */
#ifndef HV_VMM_MACHINE_BIOS_H
#define HV_VMM_MACHINE_BIOS_H

#include "bios/bios.h"
#include "keys.h"
#include "machine.h"

struct hv_machine_bios {
	struct hv_machine *machine;
	struct hv_region region;
	struct hv_bios bios;
	/* From the serial console, and not a whole keystroke yet */
	uint8_t typed[HV_KEYS_MAX];
	size_t typed_len;
	uint64_t typed_ns;		/* when the last of it came */
};

/* Make machine->bios; the chips are there. Returns 0 or -errno. */
int hv_machine_bios_create(struct hv_machine *machine);
/* Nothing if there is none. */
void hv_machine_bios_destroy(struct hv_machine *machine);

/* The guest is to start with its help; nothing if there is none. */
void hv_machine_bios_start(struct hv_machine *machine, struct hv_boot *boot);

/* Is all that can be seen on the screen what its output has told already? */
bool hv_machine_bios_has_told(const struct hv_machine *machine);

#endif
