/* SPDX-License-Identifier: GPL-2.0-only */
/* The text screen at B8000H and its cursor, as first kernels drive them. */
#ifndef GUEST_SCREEN_H
#define GUEST_SCREEN_H

#include "x86.h"

#define SCREEN_COLUMNS	80
#define SCREEN_ROWS	25
#define SCREEN_GREY	0x07

#define CRTC		0x3d4
#define CRTC_START_HIGH	0x0c
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW	0x0f

static volatile u16 *const screen = (volatile u16 *)0xb8000;

static inline u8 crtc_read(u8 index)
{
	outb(CRTC, index);
	return inb(CRTC + 1);
}

static inline void crtc_write(u8 index, u8 value)
{
	outb(CRTC, index);
	outb(CRTC + 1, value);
}

static inline u16 cursor_get(void)
{
	return crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);
}

static inline void cursor_set(u16 cell)
{
	crtc_write(CRTC_CURSOR_HIGH, cell >> 8);
	crtc_write(CRTC_CURSOR_LOW, (u8)cell);
}

static inline void screen_scroll(void)
{
	int i;

	for (i = 0; i < SCREEN_COLUMNS * (SCREEN_ROWS - 1); i++)
		screen[i] = screen[i + SCREEN_COLUMNS];
	for (; i < SCREEN_COLUMNS * SCREEN_ROWS; i++)
		screen[i] = SCREEN_GREY << 8 | ' ';
}

/* Where the cursor is, which goes along; the hardware knows where. */
static inline void screen_putc(char c)
{
	u16 at = cursor_get();

	if (c == '\n')
		at += SCREEN_COLUMNS - at % SCREEN_COLUMNS;
	else
		screen[at++] = SCREEN_GREY << 8 | (u8)c;
	if (at >= SCREEN_COLUMNS * SCREEN_ROWS) {
		screen_scroll();
		at -= SCREEN_COLUMNS;
	}
	cursor_set(at);
}

static inline void screen_print(const char *text)
{
	while (*text)
		screen_putc(*text++);
}

#endif
