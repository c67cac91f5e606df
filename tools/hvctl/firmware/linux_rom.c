// SPDX-License-Identifier: GPL-2.0-only
/* The checksums of the option ROM in linux_rom_code.S. */
#include <assert.h>
#include <string.h>

#include "checksum.h"
#include "linux_rom.h"

#define PNP_POINTER 0x1a
#define PNP_LEN 32
#define PNP_CHECKSUM 9

void hv_linux_rom(uint8_t rom[HV_LINUX_ROM_SIZE])
{
	uint8_t *pnp = rom + hv_linux_rom_begin[PNP_POINTER];

	assert(hv_linux_rom_end - hv_linux_rom_begin == HV_LINUX_ROM_SIZE);
	memcpy(rom, hv_linux_rom_begin, HV_LINUX_ROM_SIZE);
	pnp[PNP_CHECKSUM] = hv_checksum(pnp, PNP_LEN);
	rom[HV_LINUX_ROM_SIZE - 1] = hv_checksum(rom, HV_LINUX_ROM_SIZE);
}
