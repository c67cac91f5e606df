/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is on the guest's screen: text memory, as the VGA's registers show it. Nobody tells
 * when the guest writes there: who wants to know looks.
 */
#ifndef HV_VMM_SCREEN_H
#define HV_VMM_SCREEN_H

#include <stdio.h>

#include "machine_pc.h"

struct hv_screen {
	struct hv_vga_screen vga;
	uint16_t cell[HV_VGA_CELLS];
};

/* Bytes of a character, and of a row with its NUL, at the most. */
#define HV_SCREEN_CHARACTER_MAX 3
#define HV_SCREEN_ROW_MAX (HV_VGA_MAX_COLUMNS * HV_SCREEN_CHARACTER_MAX + 1)

/**
 * hv_screen_look() - look at the screen
 * @machine: has it, if it is a PC
 * @screen: filled in
 *
 * Returns false if there is nothing to be seen: no screen, or one in a graphics mode.
 * Context: machine->lock is held, or nobody runs any more.
 */
bool hv_screen_look(const struct hv_machine *machine, struct hv_screen *screen);

/* The character there and its attribute above it. */
static inline uint16_t hv_screen_cell(const struct hv_screen *screen, unsigned int row,
				      unsigned int column)
{
	const struct hv_vga_screen *vga = &screen->vga;

	return screen->cell[(vga->start + row * vga->stride + column) % HV_VGA_CELLS];
}

/* Is the cursor in it, and where? */
bool hv_screen_cursor(const struct hv_screen *screen, unsigned int *row, unsigned int *column);

/* The character of code page 437, by Unicode; what shows nothing is a space. */
uint16_t hv_screen_unicode(uint8_t character);

/* A line, a shade or a block: by the letter of terminfo(5)'s acsc; 0: it is none. */
char hv_screen_drawing(uint8_t character);

/* A character for others to read. Returns its length in bytes. */
typedef size_t hv_screen_encode(uint8_t character, char text[HV_SCREEN_CHARACTER_MAX]);
hv_screen_encode hv_screen_utf8;
/* ... by the locale's codeset; what that does not have looks like it, in ASCII. */
hv_screen_encode hv_screen_local;
/* Does it have it? */
bool hv_screen_is_local(uint8_t character);

/* Row @row without the spaces at its end. Returns its length in bytes. */
size_t hv_screen_row(const struct hv_screen *screen, unsigned int row, hv_screen_encode *encode,
		     char text[HV_SCREEN_ROW_MAX]);

/* How many rows there are down to the last one with something in it. */
unsigned int hv_screen_rows_used(const struct hv_screen *screen);

/* Is there something on @machine's? Context: as for hv_screen_look(). */
bool hv_screen_is_used(const struct hv_machine *machine);

/* Print what is on it, if there is something, behind a line that says so. */
void hv_screen_dump(const struct hv_machine *machine, FILE *out);

#endif
