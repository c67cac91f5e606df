// SPDX-License-Identifier: GPL-2.0-only
/* The screen: what the guest has written there, as text. */
#include <limits.h>
#include <string.h>
#include <wchar.h>

#include "screen.h"

#define DRAWINGS 0xb0			/* the first character that is drawn */

static const uint16_t below_space[] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
	0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
	0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
	0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};

static const uint16_t from_7f[] = {
	0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5,
	0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4,
	0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
	0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7,
	0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
	0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
	0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
	0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b,
	0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
	0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c,
	0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553,
	0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
	0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5,
	0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5,
	0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
	0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0,
	0x0020,
};

/* Shades, lines and blocks by the letters of terminfo(5)'s acsc; double lines as single ones. */
static const char drawings[] = "aaaxuuukkuxkjjjkmvwtqnttmlvwtqnvvwwmmllnnjl00000";

/* Bullets, arrows, and what has no likeness at all. */
static const char ascii_below_space[] = " ??????*?o?????*><?!PS-?^v><??^v";

char hv_screen_drawing(uint8_t character)
{
	if (character < DRAWINGS || character >= DRAWINGS + sizeof(drawings) - 1)
		return 0;
	return drawings[character - DRAWINGS];
}

/* What looks most like it. */
static char ascii(uint8_t character)
{
	if (character < ' ')
		return ascii_below_space[character];
	if (character < 0x7f)
		return character;
	switch (hv_screen_drawing(character)) {
	case 0:
		return hv_screen_unicode(character) == ' ' ? ' ' : '?';
	case 'q':
		return '-';
	case 'x':
		return '|';
	case 'a':
	case '0':
		return '#';
	}
	return '+';
}

uint16_t hv_screen_unicode(uint8_t character)
{
	if (character < ' ')
		return below_space[character];
	return character < 0x7f ? character : from_7f[character - 0x7f];
}

bool hv_screen_look(const struct hv_machine *machine, struct hv_screen *screen)
{
	if (!machine->pc)
		return false;
	hv_vga_get_screen(&machine->pc->board.vga, &screen->vga);
	return !screen->vga.graphics && !hv_memory_read(&machine->memory, screen->vga.gpa,
							screen->cell, sizeof(screen->cell));
}

bool hv_screen_cursor(const struct hv_screen *screen, unsigned int *row, unsigned int *column)
{
	const struct hv_vga_screen *vga = &screen->vga;
	unsigned int cell = (vga->cursor - vga->start) % HV_VGA_CELLS;

	if (!vga->cursor_on || vga->blank || !vga->stride)
		return false;
	*row = cell / vga->stride;
	*column = cell % vga->stride;
	return *row < vga->rows && *column < vga->columns;
}

size_t hv_screen_utf8(uint8_t character, char out[HV_SCREEN_CHARACTER_MAX])
{
	uint16_t c = hv_screen_unicode(character);

	if (c < 0x80) {
		out[0] = c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = 0xc0 | c >> 6;
		out[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	out[0] = 0xe0 | c >> 12;
	out[1] = 0x80 | (c >> 6 & 0x3f);
	out[2] = 0x80 | (c & 0x3f);
	return 3;
}

/* Returns 0 where there is no such character. */
static size_t by_locale(uint8_t character, char text[MB_LEN_MAX])
{
	mbstate_t state = { 0 };
	size_t len = wcrtomb(text, hv_screen_unicode(character), &state);

	return len <= HV_SCREEN_CHARACTER_MAX ? len : 0;
}

bool hv_screen_is_local(uint8_t character)
{
	char text[MB_LEN_MAX];

	return by_locale(character, text);
}

size_t hv_screen_local(uint8_t character, char out[HV_SCREEN_CHARACTER_MAX])
{
	char text[MB_LEN_MAX];
	size_t len = by_locale(character, text);

	if (!len) {
		out[0] = ascii(character);
		return 1;
	}
	memcpy(out, text, len);
	return len;
}

size_t hv_screen_row(const struct hv_screen *screen, unsigned int row, hv_screen_encode *encode,
		     char text[HV_SCREEN_ROW_MAX])
{
	size_t len = 0, end = 0;

	for (unsigned int column = 0; column < screen->vga.columns; column++) {
		size_t before = len;

		len += encode(hv_screen_cell(screen, row, column), text + len);
		if (text[before] != ' ')
			end = len;
	}
	text[end] = '\0';
	return end;
}

unsigned int hv_screen_rows_used(const struct hv_screen *screen)
{
	char text[HV_SCREEN_ROW_MAX];
	unsigned int rows = screen->vga.rows;

	while (rows && !hv_screen_row(screen, rows - 1, hv_screen_utf8, text))
		rows--;
	return rows;
}

bool hv_screen_is_used(const struct hv_machine *machine)
{
	struct hv_screen screen;

	return hv_screen_look(machine, &screen) && hv_screen_rows_used(&screen);
}

void hv_screen_dump(const struct hv_machine *machine, FILE *out)
{
	struct hv_screen screen;
	char text[HV_SCREEN_ROW_MAX];
	unsigned int rows;

	if (!hv_screen_look(machine, &screen))
		return;
	rows = hv_screen_rows_used(&screen);
	if (!rows)
		return;
	fprintf(out, "the guest's screen, %u by %u:\n", screen.vga.columns, screen.vga.rows);
	for (unsigned int row = 0; row < rows; row++) {
		bool empty = !hv_screen_row(&screen, row, hv_screen_local, text);

		fprintf(out, "|%s%s\n", empty ? "" : " ", text);
	}
}
