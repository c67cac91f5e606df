/* SPDX-License-Identifier: GPL-2.0-only */
/* What a user adds to a PC: disks, networks and other devices, each in a PCI slot of its own. */
#ifndef HV_VMM_DEVICES_H
#define HV_VMM_DEVICES_H

#include "config.h"
#include "virtio/table.h"

struct hv_machine;

/**
 * hv_config_add_device() - one device more
 * @config: what it is added to
 * @option: what kind: "disk", "net" ...; "device" for those without an option of their own
 * @text: what was said of it: its options, behind its name for "device". Stays where it is
 * @err: filled in on failure
 *
 * Returns 0; -EINVAL: there is no such device, or its options are wrong; -ENOSPC: too many.
 */
int hv_config_add_device(struct hv_config *config, const char *option, const char *text,
			 struct hv_error *err);

/* Forget those of @option: somebody else says which there are. */
void hv_config_drop_devices(struct hv_config *config, const char *option);

/* The option that asked for one of the board itself; NULL: none did. */
const char *hv_devices_of_board(const struct hv_config *config);

/* Does one of them want RAM that other processes can map? */
bool hv_devices_share_memory(const struct hv_config *config);

/*
 * Have all let go of the guest's memory, for a reset. Waits for the host's disks and daemons, which
 * may take their time: the machine is paused, no lock is held. False: it has ended meanwhile.
 */
bool hv_devices_stop(struct hv_machine *machine);

/* The following: machine->lock is held. */

/* Make them, and put them on the bus. Returns 0 or -errno; hv_devices_destroy() also then. */
int hv_devices_create(struct hv_machine *machine, struct hv_error *err);
void hv_devices_destroy(struct hv_machine *machine);
/* They have stopped. */
void hv_devices_reset(struct hv_machine *machine);

/* Is there a device with a thread of this kind? */
bool hv_devices_have(const struct hv_machine *machine, enum hv_sandbox_kind kind);

/* Their threads give up what they do not need; devices go on. Without locks. */
void hv_devices_confine(struct hv_machine *machine);

#endif
