/* SPDX-License-Identifier: GPL-2.0-only */
/* The option ROM that starts the Linux kernel of fw_cfg. */
#ifndef HV_FIRMWARE_LINUX_ROM_H
#define HV_FIRMWARE_LINUX_ROM_H

#include <stddef.h>
#include <stdint.h>

#define HV_LINUX_ROM_SIZE 512

/* As it was assembled: linux_rom_code.S. */
extern const uint8_t hv_linux_rom_begin[], hv_linux_rom_end[];

/* Write it, with its checksums. */
void hv_linux_rom(uint8_t rom[HV_LINUX_ROM_SIZE]);

#endif
