/* SPDX-License-Identifier: GPL-2.0-only */
/* The BIOS data area, and the screen as a BIOS leaves it. */
#ifndef HV_FIRMWARE_BDA_H
#define HV_FIRMWARE_BDA_H

#include "lib/memory.h"

/**
 * hv_bda_write() - leave what a BIOS leaves below 1 MiB, but for its tables
 * @memory: guest RAM
 * @com_ports: which serial ports there are: bit n for COM(n + 1)
 *
 * Ports, memory size, a screen of 80 by 25 with the cursor at home, an empty keyboard
 * buffer; interrupt vectors that lead to an IRET; and text memory, all blanks.
 */
void hv_bda_write(const struct hv_memory *memory, unsigned int com_ports);

#endif
