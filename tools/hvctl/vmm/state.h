/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine's state: records (type, instance, version, length) of everything that a guest
 * could tell from a machine that was never stopped, and the way back.
 *
 * Whatever has state has a row in a table: the board's chips (dev/pc.h), the serial ports,
 * what vmm/ itself keeps of a PC, each vCPU's blobs, memory, consoles.
 */
#ifndef HV_VMM_STATE_H
#define HV_VMM_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "dev/state.h"
#include "lib/error.h"

struct hv_machine;

/* Of a vCPU: one of these for each blob of the module. */
#define HV_STATE_VCPU(blob) (0x200 + (blob))

/* Never to be changed or used again, like those of dev/state.h. */
enum hv_state_type_vmm {
	HV_STATE_CONFIG = 1,		/* JSON, see config.h */
	HV_STATE_VCPU_TIME = 0x200,
	HV_STATE_PC = 0x300,
	HV_STATE_PANIC,			/* by serial port */
	HV_STATE_CONSOLE,		/* 0: on the terminal; n: COMn's own */
	HV_STATE_RAM = 0x400,		/* an address and what lies there; zeroes are left out */
};

/* Records, one behind the other; and RAM, if it was left in its memfd. */
struct hv_state {
	uint8_t *data;
	size_t len, room;
	int memory_fd;			/* -1: RAM is among the records */
};

/* hv_machine_save(): leave RAM in its memfd, which hv_machine_restore() takes over. */
#define HV_SAVE_MEMORY_BY_FD (1U << 0)

/**
 * hv_machine_save() - write down what the machine is and where it stands
 * @machine: paused (hv_machine_pause()), with machine->lock held and time stopped
 * @flags: HV_SAVE_*
 * @state: filled in; hv_state_free() it, also after a failure
 * @err: filled in on failure
 *
 * What the last exit of a vCPU has left unfinished is finished first. The machine can go on
 * afterwards. Returns 0 or -errno.
 */
int hv_machine_save(struct hv_machine *machine, unsigned int flags, struct hv_state *state,
		    struct hv_error *err);

/**
 * hv_machine_restore() - make the machine that was saved
 * @state: as saved, or as somebody has mangled it
 * @err: filled in on failure
 *
 * All or nothing: returns the machine, its time standing still until hv_machine_start(), or
 * NULL. Files that its configuration names are read again: for a reset, and for symbols.
 */
struct hv_machine *hv_machine_restore(const struct hv_state *state, struct hv_error *err);

void hv_state_free(struct hv_state *state);

#endif
