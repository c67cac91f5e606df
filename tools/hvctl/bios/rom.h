/* SPDX-License-Identifier: GPL-2.0-only */
/* The BIOS' ROM: the part of it that the guest's CPU executes. */
#ifndef HV_BIOS_ROM_H
#define HV_BIOS_ROM_H

/* In segment F000H, to the end of the first MiB; interrupt n has its entry at 8 * n. */
#define HV_BIOS_SEGMENT 0xf000
#define HV_BIOS_OFFSET 0xe000
#define HV_BIOS_SIZE 0x2000
#define HV_BIOS_GPA ((HV_BIOS_SEGMENT << 4) + HV_BIOS_OFFSET)

/* OUT to it, with SS:SP at the interrupt's number: hvctl does the service. */
#define HV_BIOS_PORT 0xb4

#ifndef __ASSEMBLER__
#include <stdint.h>

extern const uint8_t hv_bios_rom[HV_BIOS_SIZE];

/* What else is in it. */
extern const uint8_t hv_bios_rom_called[], hv_bios_rom_irq0[], hv_bios_rom_nothing[],
	hv_bios_rom_stop[], hv_bios_rom_config[], hv_bios_rom_floppy[];

/* ... as an offset in the segment. */
static inline uint16_t hv_bios_at(const uint8_t *what)
{
	return HV_BIOS_OFFSET + (what - hv_bios_rom);
}
#endif

#endif
