/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ATA drives of a machine: its disks with if=ide, its CD-ROM, and the image that a BIOS has
 * started it from.
 *
 * A thread of its own, for all drives, puts their requests to the host and takes the machine's
 * lock when one is done. Not the machine's event loop: that has the terminal and the guest's
 * timers to serve, and would have to be waited for with the lock held where there is none to
 * wait for here.
 */
#ifndef HV_VMM_MACHINE_IDE_H
#define HV_VMM_MACHINE_IDE_H

#include "dev/piix_ide.h"
#include "machine.h"

struct hv_machine_ide;

/* Is it a disk with if=ide? */
bool hv_machine_ide_takes(const struct hv_device_choice *choice);

/*
 * Open the files, if there are any; nothing is done to them yet. The payload is read. Makes
 * machine->ide, which stays NULL without drives. Returns 0 or -errno.
 */
int hv_machine_ide_prepare(struct hv_machine *machine, struct hv_error *err);

/* Put the drives on the board, and start the thread. */
int hv_machine_ide_create(struct hv_machine *machine, struct hv_error *err);

/* The chip; NULL: there is none. */
struct hv_piix_ide *hv_machine_ide_chip(const struct hv_machine *machine);

/* The reset line. What is under way ends by itself, without the guest's memory. */
void hv_machine_ide_reset(struct hv_machine *machine);

/*
 * Wait until nothing is under way. While the machine is paused that stays so. Without locks: what
 * ends takes the machine's.
 */
void hv_machine_ide_settle(struct hv_machine *machine);

/* The thread ends; no vCPU runs any more. Without locks, as above. */
void hv_machine_ide_stop(struct hv_machine *machine);
/* ... and then the rest. */
void hv_machine_ide_destroy(struct hv_machine *machine);

/* Its thread gives up what it does not need. Without locks. */
void hv_machine_ide_confine(struct hv_machine *machine);

#endif
