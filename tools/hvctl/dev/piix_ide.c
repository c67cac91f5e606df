// SPDX-License-Identifier: GPL-2.0-only
/*
 * IDE as in the data sheet of the 82371SB (PIIX3), 01.1, 8086:7010:
 *
 *  1F0, 170  a channel's command block; 3F6, 376 its control block; interrupts ISA 14, 15
 *  BAR 4     16 ports: the bus master of each channel, 8 each (ata_dma.c)
 *
 *  04 command: 2 and 0 are what they are everywhere; with 0 off no port is decoded
 *  40, 42    IDETIM of each channel: 15 its ports are decoded; the rest are timings
 *  44        SIDETIM, timings of the second drives
 *
 * Timings are kept and read back; everything is as fast as it is.
 */
#include <errno.h>
#include <string.h>

#include "piix_ide.h"

#define BUS_MASTER_BAR 4
#define BUS_MASTER_PORTS 16

#define REG_COMMAND 0x04
#define COMMAND_PORTS 0x01
#define COMMAND_MASTER 0x04
#define REG_BAR 0x20
#define REG_IDETIM 0x40
#define REG_SIDETIM 0x44
#define IDETIM_DECODE 0x8000

static const struct {
	uint16_t command, control;
} ports[HV_PIIX_IDE_CHANNELS] = { { 0x1f0, 0x3f6 }, { 0x170, 0x376 } };

static bool is_decoded(const struct hv_piix_ide *ide, unsigned int channel)
{
	return ide->function.config[REG_COMMAND] & COMMAND_PORTS &&
	       hv_pci_config_read(&ide->function, REG_IDETIM + 2 * channel, 2) & IDETIM_DECODE;
}

static void catch_up(const struct hv_piix_ide *ide)
{
	if (ide->config.catch_up)
		ide->config.catch_up(ide->config.ctx);
}

/* As on a bus on which nobody answers. */
static void access_if_decoded(struct hv_piix_ide *ide, unsigned int channel, hv_access_fn access,
			      uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	catch_up(ide);
	if (is_decoded(ide, channel))
		access(&ide->channel[channel], offset, width, write, value);
	else if (!write)
		*value = UINT64_MAX;
}

static void access_command_0(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	access_if_decoded(dev, 0, hv_ata_access_command, offset, width, write, value);
}

static void access_command_1(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	access_if_decoded(dev, 1, hv_ata_access_command, offset, width, write, value);
}

static void access_control_0(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	access_if_decoded(dev, 0, hv_ata_access_control, offset, width, write, value);
}

static void access_control_1(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	access_if_decoded(dev, 1, hv_ata_access_control, offset, width, write, value);
}

static const hv_access_fn access_command[] = { access_command_0, access_command_1 };
static const hv_access_fn access_control[] = { access_control_0, access_control_1 };

/* A wide access that begins in one half goes on in the other, byte by byte. */
static void access_bus_master(void *dev, uint64_t offset, unsigned int width, bool write,
			      uint64_t *value)
{
	struct hv_piix_ide *ide = dev;
	uint64_t result = 0;

	catch_up(ide);
	for (unsigned int i = 0; i < width; i++) {
		uint64_t at = offset + i, byte = *value >> 8 * i;

		hv_ata_access_dma(&ide->channel[at / HV_ATA_DMA_PORTS], at % HV_ATA_DMA_PORTS, 1,
				  write, &byte);
		result |= (byte & 0xff) << 8 * i;
	}
	if (!write)
		*value = result;
}

/* ------------------------------------------------------------------ making */

static int make_function(struct hv_piix_ide *ide)
{
	static const struct hv_pci_ids ids = {
		.vendor = 0x8086,
		.device = 0x7010,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x010180,
	};
	struct hv_pci_device *function = &ide->function;

	hv_pci_device_init(function, &ids);
	hv_pci_config_allow(function, REG_IDETIM, 4, 0xffffffff);
	hv_pci_config_allow(function, REG_SIDETIM, 1, 0xff);
	return hv_pci_device_set_bar(function, BUS_MASTER_BAR, HV_PORT, BUS_MASTER_PORTS,
				     access_bus_master, ide);
}

static void make_channel(struct hv_piix_ide *ide, unsigned int i)
{
	hv_ata_init(&ide->channel[i], ide->config.memory, ide->config.irq[i]);
	ide->command[i] = (struct hv_region){
		"ide", HV_PORT, ports[i].command, 8, access_command[i], ide,
	};
	ide->control[i] = (struct hv_region){
		"ide", HV_PORT, ports[i].control, 1, access_control[i], ide,
	};
}

static int register_all(struct hv_piix_ide *ide)
{
	int err = 0;

	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS && !err; i++) {
		err = hv_bus_register(ide->config.bus, &ide->command[i]);
		if (!err)
			err = hv_bus_register(ide->config.bus, &ide->control[i]);
	}
	return err ? err : hv_pci_add(ide->config.pci, &ide->function, HV_PIIX_IDE);
}

int hv_piix_ide_init(struct hv_piix_ide *ide, const struct hv_piix_ide_config *config)
{
	int err;

	memset(ide, 0, sizeof(*ide));
	ide->config = *config;
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++)
		make_channel(ide, i);
	err = make_function(ide);
	if (!err)
		err = register_all(ide);
	if (err)
		hv_piix_ide_exit(ide);
	else
		hv_piix_ide_reset(ide);
	return err;
}

/* What is not on the bus is not missed there. */
void hv_piix_ide_exit(struct hv_piix_ide *ide)
{
	hv_pci_remove(&ide->function);
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++) {
		hv_bus_unregister(ide->config.bus, &ide->command[i]);
		hv_bus_unregister(ide->config.bus, &ide->control[i]);
		hv_ata_exit(&ide->channel[i]);
	}
}

int hv_piix_ide_add(struct hv_piix_ide *ide, unsigned int place, const struct hv_ata_kind *kind,
		    struct hv_medium *medium)
{
	return hv_ata_add(&ide->channel[place / HV_ATA_DRIVES], place % HV_ATA_DRIVES, kind,
			  medium);
}

void hv_piix_ide_reset(struct hv_piix_ide *ide)
{
	struct hv_pci_device *function = &ide->function;

	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++) {
		hv_ata_reset(&ide->channel[i]);
		hv_pci_config_set(function, REG_IDETIM + 2 * i, 2, IDETIM_DECODE);
	}
	hv_pci_config_set(function, REG_SIDETIM, 1, 0);
	hv_pci_config_set(function, REG_COMMAND, 2, COMMAND_PORTS | COMMAND_MASTER);
	hv_pci_config_set(function, REG_BAR, 4, ide->config.bus_master | 1u);
	hv_pci_config_follow(function);
}

/* ------------------------------------------------------------------- state */

bool hv_piix_ide_is_busy(const struct hv_piix_ide *ide)
{
	return hv_ata_is_busy(&ide->channel[0]) || hv_ata_is_busy(&ide->channel[1]);
}

void hv_piix_ide_save(const struct hv_piix_ide *ide, struct hv_piix_ide_state *state)
{
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++)
		hv_ata_save(&ide->channel[i], &state->channel[i]);
}

int hv_piix_ide_check(const struct hv_piix_ide *ide, const struct hv_piix_ide_state *state)
{
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++)
		if (hv_ata_check(&ide->channel[i], &state->channel[i]))
			return -EINVAL;
	return 0;
}

int hv_piix_ide_load(struct hv_piix_ide *ide, const struct hv_piix_ide_state *state)
{
	if (hv_piix_ide_check(ide, state))
		return -EINVAL;
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++)
		hv_ata_load(&ide->channel[i], &state->channel[i]);
	return 0;
}

HV_STATE_KIND(piix_ide, HV_STATE_PIIX_IDE, 1);
