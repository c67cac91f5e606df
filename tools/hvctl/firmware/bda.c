// SPDX-License-Identifier: GPL-2.0-only
/* The words of the BIOS data area that are still looked at, and a screen that is cleared. */
#include "bda.h"
#include "dev/pc.h"
#include "layout.h"
#include "lib/util.h"

#define COM_PORTS 0x400
#define EBDA 0x40e			/* its segment */
#define EQUIPMENT 0x410
#define EQUIPMENT_COM(n) ((n) << 9)
#define EQUIPMENT_COLOR_80X25 0x20
#define LOW_MEMORY 0x413		/* KiB */
#define BLANK 0x0720			/* light grey on black */

#define VECTORS 256
#define DUMMY_SEGMENT 0xf000
#define DUMMY_OFFSET 0xff53		/* where PCs have an IRET */
#define IRET 0xcf

struct item {
	uint16_t gpa, value;
	uint8_t len;
};

static const struct item items[] = {
	{ 0x41a, 0x1e, 2 },		/* keyboard buffer: first, */
	{ 0x41c, 0x1e, 2 },		/* behind the last, */
	{ 0x480, 0x1e, 2 },		/* its beginning */
	{ 0x482, 0x3e, 2 },		/* and end */
	{ 0x496, 0x10, 1 },		/* a keyboard of 101 or 102 keys */
	{ 0x449, 0x03, 1 },		/* mode */
	{ 0x44a, 80, 2 },		/* columns */
	{ 0x44c, 0x1000, 2 },		/* bytes of a page; the cursors at 450H are at home */
	{ 0x460, 0x0d0e, 2 },		/* the cursor's lines */
	{ 0x463, HV_VGA_CRTC_PORT, 2 },
	{ 0x465, 0x29, 1 },		/* mode control, as the CGA had it, */
	{ 0x466, 0x30, 1 },		/* and its palette */
	{ 0x484, 24, 1 },		/* rows, less one */
	{ 0x485, 16, 2 },		/* lines of a character */
	{ 0x487, 0x60, 1 },		/* 256 KiB of video memory */
	{ 0x488, 0xf9, 1 },
	{ 0x489, 0x51, 1 },		/* VGA, 400 lines */
};

/* In the first MiB, which all machines have. */
static void put(const struct hv_memory *memory, uint64_t gpa, uint16_t value, unsigned int len)
{
	(void)hv_memory_write(memory, gpa, &value, len);
}

static void clear_screen(const struct hv_memory *memory)
{
	uint16_t cells[HV_VGA_CELLS];

	for (unsigned int i = 0; i < HV_VGA_CELLS; i++)
		cells[i] = BLANK;
	(void)hv_memory_write(memory, HV_VGA_TEXT_GPA, cells, sizeof(cells));
}

/*
 * Kernels that boot loaders start in protected mode go back to real mode to ask a BIOS: no
 * interrupt there may lead to where there is no code. One that has a BIOS gets its vectors.
 */
static void put_vectors(const struct hv_memory *memory)
{
	for (unsigned int i = 0; i < VECTORS; i++) {
		put(memory, 4 * i, DUMMY_OFFSET, 2);
		put(memory, 4 * i + 2, DUMMY_SEGMENT, 2);
	}
	put(memory, (DUMMY_SEGMENT << 4) + DUMMY_OFFSET, IRET, 1);
}

void hv_bda_write(const struct hv_memory *memory, unsigned int com_ports)
{
	unsigned int count = 0;

	put_vectors(memory);
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (com_ports & 1u << i)
			put(memory, COM_PORTS + 2 * count++, hv_pc_com[i].base, 2);
	put(memory, EBDA, HV_LAYOUT_EBDA >> 4, 2);
	put(memory, EQUIPMENT, EQUIPMENT_COM(count) | EQUIPMENT_COLOR_80X25, 2);
	put(memory, LOW_MEMORY, HV_LAYOUT_EBDA / HV_KIB, 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(items); i++)
		put(memory, items[i].gpa, items[i].value, items[i].len);
	clear_screen(memory);
}
