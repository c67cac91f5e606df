// SPDX-License-Identifier: GPL-2.0-only
/* INT 14H: the serial ports. */
#include "call.h"
#include "dev/pc.h"
#include "lib/util.h"

/* Registers of a 16550, by their offsets. */
enum { DATA = 0, DIVISOR = 0, IER = 1, DIVISOR_HIGH = 1, LCR = 3, MCR = 4, LSR = 5, MSR = 6 };

#define LCR_DIVISOR 0x80
#define LCR_FORMAT  0x1f
#define MCR_DTR_RTS 0x03
#define LSR_READY   0x01
#define LSR_ERRORS  0x1e
#define LSR_ROOM    0x20

#define TIMED_OUT   0x80
#define PATIENCE_NS 1000000000ULL
#define POLLS       32 /* a port holds input back from who only has a look */

/* By bits 7:5 of AL: 110, 150, 300, 600, 1200, 2400, 4800, 9600 baud. */
static const uint16_t divisors[] = { 1047, 768, 384, 192, 96, 48, 24, 12 };

/* The guest can write into the table, so only what is one of the board's counts. */
static uint16_t port_base(struct hv_bios_call *call)
{
	uint16_t base =
		call->dx < HV_PC_COM_PORTS ? hv_bios_get(call, BDA_COM_PORTS + 2 * call->dx, 2) : 0;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (hv_pc_com[i].base == base)
			return base;
	return 0;
}

static void tell_status(struct hv_bios_call *call, uint16_t port)
{
	call->ah = hv_bios_in(call, port + LSR);
	call->al = hv_bios_in(call, port + MSR);
}

static void set_up(struct hv_bios_call *call, uint16_t port)
{
	uint16_t divisor = divisors[call->al >> 5];

	hv_bios_out(call, port + LCR, LCR_DIVISOR);
	hv_bios_out(call, port + DIVISOR, divisor);
	hv_bios_out(call, port + DIVISOR_HIGH, divisor >> 8);
	hv_bios_out(call, port + LCR, call->al & LCR_FORMAT);
	hv_bios_out(call, port + IER, 0);
	hv_bios_out(call, port + MCR, MCR_DTR_RTS);
	tell_status(call, port);
}

static bool has(struct hv_bios_call *call, uint16_t port, uint8_t bit)
{
	for (unsigned int i = 0; i < POLLS; i++)
		if (hv_bios_in(call, port + LSR) & bit)
			return true;
	return false;
}

/* False: the ROM asks again, or it has taken too long, and AH says so. */
static bool wait_for(struct hv_bios_call *call, uint16_t port, uint8_t bit)
{
	uint64_t now = hv_now_ns(call->bios->config.clock), until = call->bios->serial_until_ns;

	call->bios->serial_until_ns = 0;
	if (has(call, port, bit))
		return true;
	if (until && now >= until) {
		call->ah = hv_bios_in(call, port + LSR) | TIMED_OUT;
		return false;
	}
	call->bios->serial_until_ns = until ? until : now + PATIENCE_NS;
	call->again = HV_BIOS_AFTER_INTERRUPT;
	return false;
}

bool hv_bios_serial(struct hv_bios_call *call)
{
	uint16_t port = port_base(call);

	if (call->ah > 0x03)
		return false;
	if (!port) {
		call->ah = TIMED_OUT;
		return true;
	}
	switch (call->ah) {
	case 0x00:
		set_up(call, port);
		break;
	case 0x01:
		if (!wait_for(call, port, LSR_ROOM))
			break;
		hv_bios_out(call, port + DATA, call->al);
		call->ah = hv_bios_in(call, port + LSR);
		break;
	case 0x02:
		if (!wait_for(call, port, LSR_READY))
			break;
		call->ah = hv_bios_in(call, port + LSR) & LSR_ERRORS;
		call->al = hv_bios_in(call, port + DATA);
		break;
	default:
		tell_status(call, port);
	}
	return true;
}
