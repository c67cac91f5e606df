// SPDX-License-Identifier: GPL-2.0-only
/* INT 1AH: ticks since midnight, and the real-time clock. */
#include "call.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

enum { SECONDS = 0x00, MINUTES = 0x02, HOURS = 0x04, DAY = 0x07, MONTH, YEAR, CENTURY = 0x32 };

/* BCD, as it is there. */
static uint8_t rtc(struct hv_bios_call *call, uint8_t index)
{
	hv_bios_out(call, CMOS_INDEX, index);
	return hv_bios_in(call, CMOS_DATA);
}

static void get_ticks(struct hv_bios_call *call)
{
	uint32_t ticks = hv_bios_get(call, BDA_TICKS, 4);

	call->cx = ticks >> 16;
	call->dx = ticks;
	call->al = hv_bios_get(call, BDA_MIDNIGHT, 1);
	hv_bios_put(call, BDA_MIDNIGHT, 1, 0);
}

static void set_ticks(struct hv_bios_call *call)
{
	hv_bios_put(call, BDA_TICKS, 4, (uint32_t)call->cx << 16 | call->dx);
	hv_bios_put(call, BDA_MIDNIGHT, 1, 0);
}

bool hv_bios_clock(struct hv_bios_call *call)
{
	switch (call->ah) {
	case 0x00:
		get_ticks(call);
		break;
	case 0x01:
		set_ticks(call);
		break;
	case 0x02:
		call->ch = rtc(call, HOURS);
		call->cl = rtc(call, MINUTES);
		call->dh = rtc(call, SECONDS);
		call->dl = 0; /* no summer time */
		break;
	case 0x04:
		call->ch = rtc(call, CENTURY);
		call->cl = rtc(call, YEAR);
		call->dh = rtc(call, MONTH);
		call->dl = rtc(call, DAY);
		break;
	default:
		return false;
	}
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}
