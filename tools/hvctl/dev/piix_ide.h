/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IDE function of the PIIX3: two ATA channels at the ports where they have been since the AT,
 * and the bus master for both.
 */
#ifndef HV_DEV_PIIX_IDE_H
#define HV_DEV_PIIX_IDE_H

#include "ata.h"
#include "pci.h"

#define HV_PIIX_IDE 0x09		/* device 1, function 1 */
#define HV_PIIX_IDE_CHANNELS 2
#define HV_PIIX_IDE_DRIVES (HV_PIIX_IDE_CHANNELS * HV_ATA_DRIVES)

struct hv_piix_ide_config {
	struct hv_bus *bus;
	struct hv_pci *pci;
	const struct hv_memory *memory;
	uint16_t bus_master;		/* where its 16 ports are at first; 0: nowhere */
	struct hv_irq irq[HV_PIIX_IDE_CHANNELS];	/* ISA 14 and 15 */
	/*
	 * The guest is about to look at a register: interrupts that are still on their way come
	 * first, as a drive raises its own with its status. NULL: @irq is always there at once.
	 */
	void (*catch_up)(void *ctx);
	void *ctx;
};

struct hv_piix_ide_state {
	struct hv_ata_channel_state channel[HV_PIIX_IDE_CHANNELS];
};

struct hv_piix_ide {
	struct hv_piix_ide_config config;
	struct hv_pci_device function;
	struct hv_ata_channel channel[HV_PIIX_IDE_CHANNELS];
	struct hv_region command[HV_PIIX_IDE_CHANNELS], control[HV_PIIX_IDE_CHANNELS];
};

/* Returns 0 or -EEXIST; then nothing is registered. */
int hv_piix_ide_init(struct hv_piix_ide *ide, const struct hv_piix_ide_config *config);
/* Nothing is under way at the media any more. */
void hv_piix_ide_exit(struct hv_piix_ide *ide);

/* Put a drive at place 0 to 3: primary master, slave, secondary master, slave. 0 or -errno. */
int hv_piix_ide_add(struct hv_piix_ide *ide, unsigned int place, const struct hv_ata_kind *kind,
		    struct hv_medium *medium);

/* Registers as a BIOS would leave them, for those guests that start without one. */
void hv_piix_ide_reset(struct hv_piix_ide *ide);

/* While something is under way at a medium there is no state to save. */
bool hv_piix_ide_is_busy(const struct hv_piix_ide *ide);

/* Without the PCI function, which is a record of its own. */
void hv_piix_ide_save(const struct hv_piix_ide *ide, struct hv_piix_ide_state *state);
int hv_piix_ide_check(const struct hv_piix_ide *ide, const struct hv_piix_ide_state *state);
int hv_piix_ide_load(struct hv_piix_ide *ide, const struct hv_piix_ide_state *state);
extern const struct hv_state_kind hv_piix_ide_kind;

#endif
