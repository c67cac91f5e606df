/* SPDX-License-Identifier: GPL-2.0-only */
/* CMOS RAM and the RTC's registers. */
#ifndef GUEST_CMOS_H
#define GUEST_CMOS_H

#include "x86.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71

static inline u8 cmos_read(u8 index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static inline void cmos_write(u8 index, u8 value)
{
	outb(CMOS_INDEX, index);
	outb(CMOS_DATA, value);
}

#endif
