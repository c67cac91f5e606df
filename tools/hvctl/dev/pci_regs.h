/* SPDX-License-Identifier: GPL-2.0-only */
/* Configuration space, listed in pci.c, and what its files share. */
#ifndef HV_DEV_PCI_REGS_H
#define HV_DEV_PCI_REGS_H

#include "pci.h"

#define REG_VENDOR 0x00
#define REG_DEVICE 0x02
#define REG_COMMAND 0x04
#define REG_STATUS 0x06
#define REG_REVISION 0x08
#define REG_CLASS 0x09
#define REG_CACHE_LINE 0x0c
#define REG_BARS 0x10
#define REG_SUBSYSTEM_VENDOR 0x2c
#define REG_SUBSYSTEM 0x2e
#define REG_CAPABILITIES 0x34
#define REG_LINE 0x3c
#define REG_PIN 0x3d
#define REG_FREE 0x40
#define REG_LAST 0xfc

#define COMMAND_PORTS 0x0001
#define COMMAND_MMIO 0x0002
#define COMMAND_MASTER 0x0004
#define COMMAND_INTX_OFF 0x0400
#define COMMAND_WRITABLE 0x0407
#define STATUS_INTX 0x0008
#define STATUS_CAPABILITIES 0x0010

#define BAR_PORTS 0x1
#define BAR_WIDE 0x4			/* memory: the next BAR has bits 63:32 */
#define BAR_PORTS_MIN 4
#define BAR_PORTS_MAX 256
#define BAR_MMIO_MIN 16
#define BAR_MMIO_MAX (1u << 31)
#define BAR_PORTS_FLAGS 0x3u
#define BAR_MMIO_FLAGS 0xfu

/* Let BARs answer where their registers say, of all devices: one may be in another's way. */
void hv_pci_follow_bars(struct hv_pci_device *device);

/* They answer nowhere: the device goes. */
void hv_pci_drop_bars(struct hv_pci_device *device);

#endif
