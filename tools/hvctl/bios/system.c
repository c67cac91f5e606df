// SPDX-License-Identifier: GPL-2.0-only
/* INT 11H, 12H and 15H: what the machine is, and how much memory it has. */
#include "call.h"
#include "firmware/layout.h"
#include "lib/util.h"
#include "rom.h"

#define PORT92 0x92
#define PORT92_A20 0x02
#define SMAP 0x534d4150
#define E820_SIZE 20

#define GDT_SOURCE 0x10			/* of INT 15H, AH=87H: its descriptors */
#define GDT_TARGET 0x18
#define MOVE_MAX 0x8000			/* words */
#define MOVE_FAILED 0x02

#define APM_VERSION 0x0102
#define APM_SIGNATURE 0x504d		/* PM */
#define APM_ALL_DEVICES 1
#define APM_OFF 3
#define POWER_PORT 0x604		/* PM1 control, of whatever board */
#define POWER_OFF 0x2000

#define TICK_NS 54925439		/* of the timer, at 18.2 a second */
#define NS_PER_US 1000

bool hv_bios_equipment(struct hv_bios_call *call)
{
	call->ax = hv_bios_get(call, BDA_EQUIPMENT, 2);
	return true;
}

bool hv_bios_low_memory(struct hv_bios_call *call)
{
	call->ax = hv_bios_get(call, BDA_LOW_MEMORY, 2);
	return true;
}

static bool done(struct hv_bios_call *call)
{
	call->ah = 0;
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}

static bool failed(struct hv_bios_call *call, uint8_t status)
{
	call->ah = status;
	hv_bios_flag(call, X86_RFLAGS_CF, true);
	return true;
}

/* A20 is open whatever one says; port 92H remembers what that was. */
static bool a20(struct hv_bios_call *call)
{
	uint8_t value = hv_bios_in(call, PORT92);

	switch (call->al) {
	case 0:
		hv_bios_out(call, PORT92, value & ~PORT92_A20);
		break;
	case 1:
		hv_bios_out(call, PORT92, value | PORT92_A20);
		break;
	case 2:
		call->al = !!(value & PORT92_A20);
		break;
	case 3:
		call->bx = 3; /* by the 8042, by port 92H */
		break;
	default:
		return false;
	}
	return done(call);
}

/* ------------------------------------------------------------------- memory */

static bool memory_map(struct hv_bios_call *call)
{
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(call->bios->config.memory, range, ARRAY_SIZE(range));
	uint32_t index = call->ebx;

	if (call->edx != SMAP || call->ecx < E820_SIZE || index >= count)
		return failed(call, 0x86);
	hv_bios_write(call, call->es, call->di, &range[index].gpa, 8);
	hv_bios_write(call, call->es, call->di + 8, &range[index].len, 8);
	hv_bios_write(call, call->es, call->di + 16, &(uint32_t){ range[index].kind }, 4);
	call->ebx = index + 1 < count ? index + 1 : 0;
	call->ecx = E820_SIZE;
	call->eax = SMAP;
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}

/* AX, CX: KiB from 1 MiB to 16 MiB; BX, DX: 64 KiB from there to 4 GiB. */
static bool memory_size(struct hv_bios_call *call)
{
	uint64_t end = hv_memory_low_end(call->bios->config.memory);
	uint64_t below = end < 16 * HV_MIB ? end : 16 * HV_MIB;

	call->ax = call->cx = (below - HV_MIB) / HV_KIB;
	call->bx = call->dx = (end - below) / (64 * HV_KIB);
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}

/* KiB from 1 MiB on, at the most what a word can say. */
static bool old_memory_size(struct hv_bios_call *call)
{
	uint64_t kib = (hv_memory_low_end(call->bios->config.memory) - HV_MIB) / HV_KIB;

	call->ax = kib < UINT16_MAX ? kib : UINT16_MAX;
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}

/* Base 31:24 is in byte 7 of a descriptor, 23:0 in bytes 2 to 4. */
static uint32_t descriptor_base(struct hv_bios_call *call, uint16_t offset)
{
	uint8_t at[8];

	hv_bios_read(call, call->es, call->si + offset, at, sizeof(at));
	return at[2] | at[3] << 8 | at[4] << 16 | (uint32_t)at[7] << 24;
}

/* CX words, from anywhere to anywhere, by physical address. */
static bool move_block(struct hv_bios_call *call)
{
	const struct hv_memory *memory = call->bios->config.memory;
	uint32_t from = descriptor_base(call, GDT_SOURCE), to = descriptor_base(call, GDT_TARGET);
	uint32_t left = 2 * call->cx;
	uint8_t bytes[256];

	if (call->cx > MOVE_MAX)
		return failed(call, MOVE_FAILED);
	for (uint32_t len; left; left -= len, from += len, to += len) {
		len = left < sizeof(bytes) ? left : sizeof(bytes);
		if (hv_memory_read(memory, from, bytes, len))
			return failed(call, MOVE_FAILED);
		hv_veil_hide(call->guest->veil, from, bytes, len);
		hv_veil_merge(call->guest->veil, to, bytes, len);
		if (hv_memory_write(memory, to, bytes, len))
			return failed(call, MOVE_FAILED);
	}
	return done(call);
}

/* --------------------------------------------------------------------- time */

/* CX:DX microseconds; the timer's interrupts come meanwhile. */
static bool wait_a_while(struct hv_bios_call *call)
{
	struct hv_bios *bios = call->bios;
	uint64_t now = hv_now_ns(bios->config.clock);

	if (!bios->wait_until_ns)
		bios->wait_until_ns = now + ((uint64_t)call->cx << 16 | call->dx) * NS_PER_US;
	if (now >= bios->wait_until_ns) {
		bios->wait_until_ns = 0;
		return done(call);
	}
	call->again = bios->wait_until_ns - now > TICK_NS ? HV_BIOS_AFTER_INTERRUPT :
							    HV_BIOS_AT_ONCE;
	return true;
}

/* -------------------------------------------------------------------- power */

/* APM 1.2, "APM BIOS Interface", in real mode alone: what it takes to turn the machine off. */
static bool apm(struct hv_bios_call *call)
{
	uint64_t off = POWER_OFF;

	switch (call->al) {
	case 0x00: /* is it there? */
	case 0x0e: /* for a driver of this version */
		call->ax = APM_VERSION;
		call->bx = APM_SIGNATURE;
		call->cx = 0;
		break;
	case 0x01: /* connect, */
	case 0x04: /* disconnect, */
	case 0x08: /* enable */
		call->ah = 0;
		break;
	case 0x07:
		if (call->bx != APM_ALL_DEVICES || call->cx != APM_OFF)
			return false;
		hv_bus_access(call->bios->config.bus, HV_PORT, POWER_PORT, 2, true, &off);
		break;
	default:
		return false;
	}
	hv_bios_flag(call, X86_RFLAGS_CF, false);
	return true;
}

static bool tell_config(struct hv_bios_call *call)
{
	call->es_selector = HV_BIOS_SEGMENT;
	call->bx = hv_bios_at(hv_bios_rom_config);
	return done(call);
}

static bool tell_ebda(struct hv_bios_call *call)
{
	call->es_selector = HV_LAYOUT_EBDA >> 4;
	return done(call);
}

bool hv_bios_system(struct hv_bios_call *call)
{
	if (call->ax == 0xe820)
		return memory_map(call);
	if (call->ax == 0xe801)
		return memory_size(call);
	switch (call->ah) {
	case 0x24:
		return a20(call);
	case 0x53:
		return apm(call);
	case 0x86:
		return wait_a_while(call);
	case 0x87:
		return move_block(call);
	case 0x88:
		return old_memory_size(call);
	case 0xc0:
		return tell_config(call);
	case 0xc1:
		return tell_ebda(call);
	}
	return false;
}
