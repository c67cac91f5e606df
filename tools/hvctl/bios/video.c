// SPDX-License-Identifier: GPL-2.0-only
/* INT 10H: the screen, in text mode. */
#include <string.h>

#include "call.h"
#include "lib/util.h"

#define TEXT 0xb8000			/* of page 0: a character and its attribute, row by row */
#define PAGES 8
#define COLOR_80X25 3
#define MODE_KEEPS_MEMORY 0x80
#define BLANK 0x0720			/* light grey on black */
#define SCAN_LINES 400
#define COLUMNS_MAX 80
#define ROWS_MAX 50

#define CRTC_PORT 0x3d4
#define CRTC_MAX_SCAN_LINE 0x09
#define CRTC_CURSOR_SHAPE 0x0a
#define CRTC_START 0x0c
#define CRTC_CURSOR 0x0e

#define ATTRIBUTE_RESET_PORT 0x3da	/* reading it makes the next write an index */
#define ATTRIBUTE_PORT 0x3c0
#define ATTRIBUTE_PALETTE 0x20		/* beside an index: the palette stays on */
#define ATTRIBUTE_COLORS 0x10		/* registers, a colour each, and behind them: */
#define ATTRIBUTE_MODE 0x10
#define ATTRIBUTE_BLINK 0x08
#define ATTRIBUTE_BORDER 0x11

struct place {
	uint8_t page, row, column;
};

/* Rows and columns from the upper left to the lower right, both included. */
struct window {
	uint8_t page, top, left, bottom, right;
};

/* The guest can write there, and keeps us busy for no longer than a large screen takes. */
static uint8_t columns(struct hv_bios_call *call)
{
	uint8_t count = hv_bios_get(call, BDA_COLUMNS, 1);

	return count && count <= COLUMNS_MAX ? count : COLUMNS_MAX;
}

static uint8_t last_row(struct hv_bios_call *call)
{
	uint8_t last = hv_bios_get(call, BDA_ROWS, 1);

	return last < ROWS_MAX ? last : ROWS_MAX - 1;
}

static uint16_t page_start(struct hv_bios_call *call, uint8_t page)
{
	return page * hv_bios_get(call, BDA_PAGE_SIZE, 2);
}

/* Behind the last page comes the first, as in the VGA's window. */
static uint32_t cell(struct hv_bios_call *call, uint8_t page, unsigned int row, unsigned int column)
{
	unsigned int offset = page_start(call, page) + 2 * (row * columns(call) + column);

	return TEXT + offset % 0x8000;
}

static void set_crtc(struct hv_bios_call *call, uint8_t index, uint8_t value)
{
	hv_bios_out(call, CRTC_PORT, index);
	hv_bios_out(call, CRTC_PORT + 1, value);
}

static void set_crtc_pair(struct hv_bios_call *call, uint8_t index, uint16_t value)
{
	set_crtc(call, index, value >> 8);
	set_crtc(call, index + 1, value);
}

static struct place cursor(struct hv_bios_call *call, uint8_t page)
{
	uint16_t at = hv_bios_get(call, BDA_CURSORS + 2 * (page % PAGES), 2);

	return (struct place){ page % PAGES, at >> 8, at };
}

static void set_cursor(struct hv_bios_call *call, struct place to)
{
	hv_bios_put(call, BDA_CURSORS + 2 * to.page, 2, to.row << 8 | to.column);
	if (to.page == hv_bios_get(call, BDA_PAGE, 1))
		set_crtc_pair(call, CRTC_CURSOR,
			      (cell(call, to.page, to.row, to.column) - TEXT) / 2);
}

/* ------------------------------------------------- for those without a screen */

static uint8_t *streamed(struct hv_bios_call *call, uint32_t cell)
{
	return &call->bios->streamed[(cell - TEXT) / 2 % HV_BIOS_CELLS];
}

bool hv_bios_has_streamed(const struct hv_bios *bios, unsigned int cell, uint8_t character)
{
	return bios->streamed[cell % HV_BIOS_CELLS] == character;
}

static void output(struct hv_bios *bios, uint8_t character)
{
	bios->config.output(bios->config.ctx, character);
}

/*
 * What appears on the screen also goes out as a stream. There, another row is a new line,
 * and a character in the place of the last one comes instead of it: programs write one with
 * its colour and then once more to move on.
 */
static void stream(struct hv_bios_call *call, struct place at, uint8_t character)
{
	struct hv_bios *bios = call->bios;
	bool again = at.row == bios->row && at.column + 1 == bios->column;

	if (!bios->config.output || (again && character == bios->last))
		return;
	/* Up again: who has read what came until now would not know what is where. */
	if (at.row < bios->row)
		memset(bios->streamed, 0, sizeof(bios->streamed));
	*streamed(call, cell(call, at.page, at.row, at.column)) = character;
	if (again) {
		output(bios, '\b');
	} else if (at.row != bios->row || at.column < bios->column) {
		output(bios, '\r');
		output(bios, '\n');
		bios->column = 0;
	}
	for (; !again && bios->column < at.column; bios->column++)
		output(bios, ' ');
	output(bios, character);
	bios->row = at.row;
	bios->column = at.column + 1;
	bios->last = character;
}

/* A control character, which has moved the cursor to @at. */
static void stream_control(struct hv_bios_call *call, struct place at, uint8_t character)
{
	struct hv_bios *bios = call->bios;

	if (!bios->config.output)
		return;
	output(bios, character);
	bios->row = at.row;
	if (character != '\n')
		bios->column = at.column;
	bios->last = 0;
}

/* A line too long for the screen is one line all the same. */
static void stream_goes_on(struct hv_bios_call *call, struct place at)
{
	call->bios->row = at.row;
	call->bios->column = at.column;
	call->bios->last = 0;
}

/* --------------------------------------------------------------------- text */

static void fill_row(struct hv_bios_call *call, const struct window *window, unsigned int row,
		     uint16_t with)
{
	for (unsigned int column = window->left; column <= window->right; column++)
		hv_bios_put(call, cell(call, window->page, row, column), 2, with);
}

static void copy_row(struct hv_bios_call *call, const struct window *window, unsigned int to,
		     unsigned int from)
{
	for (unsigned int column = window->left; column <= window->right; column++) {
		uint32_t source = cell(call, window->page, from, column);
		uint32_t target = cell(call, window->page, to, column);

		hv_bios_put(call, target, 2, hv_bios_get(call, source, 2));
		*streamed(call, target) = *streamed(call, source);
	}
}

/* By @lines, all of them with 0; what is empty then is filled. */
static void scroll(struct hv_bios_call *call, struct window window, unsigned int lines, bool down,
		   uint16_t with)
{
	unsigned int height = window.bottom - window.top + 1;

	if (!lines || lines > height)
		lines = height;
	for (unsigned int i = 0; i < height; i++) {
		unsigned int to = down ? window.bottom - i : window.top + i;
		unsigned int from = down ? to - lines : to + lines;

		if (i + lines < height)
			copy_row(call, &window, to, from);
		else
			fill_row(call, &window, to, with);
	}
}

static struct window whole_page(struct hv_bios_call *call, uint8_t page)
{
	return (struct window){ page, 0, 0, last_row(call), columns(call) - 1 };
}

/* Line feed; the new line at the end looks like what was there last. */
static void next_row(struct hv_bios_call *call, struct place *at)
{
	uint16_t with;

	if (at->row++ < last_row(call))
		return;
	at->row = last_row(call);
	with = hv_bios_get(call, cell(call, at->page, at->row, at->column), 2);
	scroll(call, whole_page(call, at->page), 1, false, (with & 0xff00) | ' ');
}

static void put_character(struct hv_bios_call *call, struct place *at, uint8_t character)
{
	hv_bios_put(call, cell(call, at->page, at->row, at->column), 1, character);
	stream(call, *at, character);
	if (++at->column < columns(call))
		return;
	at->column = 0;
	next_row(call, at);
	stream_goes_on(call, *at);
}

static void teletype(struct hv_bios_call *call, struct place *at, uint8_t character)
{
	switch (character) {
	case '\a':
		return;
	case '\b':
		at->column -= !!at->column;
		break;
	case '\n':
		next_row(call, at);
		break;
	case '\r':
		at->column = 0;
		break;
	default:
		put_character(call, at, character);
		return;
	}
	stream_control(call, *at, character);
}

/*
 * AH=13H: CX characters at ES:BP, a screen full of them at the most. AL bit 0: the cursor
 * goes along; bit 1: attributes are there.
 */
static void write_string(struct hv_bios_call *call)
{
	struct place at = { call->bh % PAGES, call->dh, call->dl }, before = cursor(call, at.page);
	unsigned int step = call->al & 2 ? 2 : 1;
	unsigned int most = (last_row(call) + 1) * columns(call);
	uint16_t from = call->bp;

	for (unsigned int i = 0; i < call->cx && i < most; i++, from += step) {
		uint8_t text[2] = { 0, call->bl };

		hv_bios_read(call, call->es, from, text, step);
		if (text[0] >= ' ')
			hv_bios_put(call, cell(call, at.page, at.row, at.column) + 1, 1, text[1]);
		teletype(call, &at, text[0]);
	}
	set_cursor(call, call->al & 1 ? at : before);
}

/* AH=09H, 0AH: CX times, from the cursor on, which stays; to the end of the screen. */
static void write_cells(struct hv_bios_call *call, bool attribute)
{
	struct place at = cursor(call, call->bh);
	unsigned int first = at.row * columns(call) + at.column;
	unsigned int end = (last_row(call) + 1) * columns(call);

	for (unsigned int i = 0; i < call->cx && first + i < end; i++) {
		hv_bios_put(call, cell(call, at.page, at.row, at.column + i), 1, call->al);
		if (attribute)
			hv_bios_put(call, cell(call, at.page, at.row, at.column + i) + 1, 1,
				    call->bl);
	}
	if (call->cx == 1)
		stream(call, at, call->al);
}

/* -------------------------------------------------------------------- modes */

static void set_rows(struct hv_bios_call *call, unsigned int lines_a_row)
{
	hv_bios_put(call, BDA_ROWS, 1, SCAN_LINES / lines_a_row - 1);
	hv_bios_put(call, BDA_ROWS + 1, 2, lines_a_row);
	hv_bios_put(call, BDA_PAGE_SIZE, 2, lines_a_row < 16 ? 0x2000 : 0x1000);
}

static bool set_mode(struct hv_bios_call *call)
{
	uint8_t mode = call->al & ~MODE_KEEPS_MEMORY;

	if (mode != COLOR_80X25 && mode != COLOR_80X25 - 1) {
		if (hv_bios_first_time(call, 0))
			hv_bios_say(
				call->bios,
				"the guest asks for video mode %02XH; there is text mode 3 alone",
				mode);
		return true;
	}
	call->bios->config.reset_screen(call->bios->config.ctx);
	hv_bios_put(call, BDA_MODE, 1, mode);
	hv_bios_put(call, BDA_COLUMNS, 2, 80);
	hv_bios_put(call, BDA_PAGE_START, 2, 0);
	hv_bios_put(call, BDA_CURSOR_SHAPE, 2, 0x0d0e);
	hv_bios_put(call, BDA_PAGE, 1, 0);
	set_rows(call, 16);
	for (unsigned int page = 0; page < PAGES; page++) {
		if (!(call->al & MODE_KEEPS_MEMORY))
			scroll(call, whole_page(call, page), 0, false, BLANK);
		set_cursor(call, (struct place){ .page = page });
	}
	return true;
}

static void show_page(struct hv_bios_call *call, uint8_t page)
{
	hv_bios_put(call, BDA_PAGE, 1, page);
	hv_bios_put(call, BDA_PAGE_START, 2, page_start(call, page));
	set_crtc_pair(call, CRTC_START, page_start(call, page) / 2);
	set_cursor(call, cursor(call, page));
}

/* What of it is @mask becomes @value. */
static void set_attribute(struct hv_bios_call *call, uint8_t index, uint8_t mask, uint8_t value)
{
	uint8_t old;

	hv_bios_in(call, ATTRIBUTE_RESET_PORT);
	hv_bios_out(call, ATTRIBUTE_PORT, index | ATTRIBUTE_PALETTE);
	old = hv_bios_in(call, ATTRIBUTE_PORT + 1);
	hv_bios_out(call, ATTRIBUTE_PORT, (old & ~mask) | (value & mask));
}

/* AH=0BH. BH=1 is about a palette of four colours, which only graphics modes have. */
static bool set_border(struct hv_bios_call *call)
{
	if (call->bh > 1)
		return false;
	if (!call->bh)
		set_attribute(call, ATTRIBUTE_BORDER, 0xff, call->bl);
	return true;
}

/* AH=10H: a colour, the border, whether attributes blink. */
static bool set_palette(struct hv_bios_call *call)
{
	switch (call->al) {
	case 0x00:
		if (call->bl < ATTRIBUTE_COLORS)
			set_attribute(call, call->bl, 0xff, call->bh);
		return true;
	case 0x01:
		set_attribute(call, ATTRIBUTE_BORDER, 0xff, call->bh);
		return true;
	case 0x03:
		set_attribute(call, ATTRIBUTE_MODE, ATTRIBUTE_BLINK,
			      call->bl ? ATTRIBUTE_BLINK : 0);
		return true;
	}
	return false;
}

/* There are no fonts to be loaded, but rows of 8 or 16 lines. */
static bool set_font(struct hv_bios_call *call)
{
	unsigned int lines = (call->al & 0xf) == 2 ? 8 : 16;

	if (call->al != 0x02 && call->al != 0x04 && call->al != 0x12 && call->al != 0x14)
		return false;
	hv_bios_out(call, CRTC_PORT, CRTC_MAX_SCAN_LINE);
	hv_bios_out(call, CRTC_PORT + 1, (hv_bios_in(call, CRTC_PORT + 1) & 0xe0) | (lines - 1));
	set_rows(call, lines);
	return true;
}

/* AH=12H, BL=10H: a colour screen, 256 KiB. */
static bool tell_memory(struct hv_bios_call *call)
{
	if (call->bl != 0x10)
		return false;
	call->bx = 0x0003;
	call->cx = 0x0009;
	return true;
}

/* AH=1AH: a VGA with a colour screen, and no other. */
static bool tell_display(struct hv_bios_call *call)
{
	if (call->al)
		return false;
	call->al = 0x1a;
	call->bx = 0x0008;
	return true;
}

static void tell_mode(struct hv_bios_call *call)
{
	call->al = hv_bios_get(call, BDA_MODE, 1);
	call->ah = columns(call);
	call->bh = hv_bios_get(call, BDA_PAGE, 1);
}

static void scroll_window(struct hv_bios_call *call)
{
	struct window window = whole_page(call, hv_bios_get(call, BDA_PAGE, 1));

	window.top = call->ch;
	window.left = call->cl;
	if (call->dh < window.bottom)
		window.bottom = call->dh;
	if (call->dl < window.right)
		window.right = call->dl;
	if (window.top <= window.bottom && window.left <= window.right)
		scroll(call, window, call->al, call->ah == 0x07, call->bh << 8 | ' ');
}

bool hv_bios_video(struct hv_bios_call *call)
{
	struct place at =
		cursor(call, call->ah == 0x0e ? hv_bios_get(call, BDA_PAGE, 1) : call->bh);

	switch (call->ah) {
	case 0x00:
		return set_mode(call);
	case 0x01:
		hv_bios_put(call, BDA_CURSOR_SHAPE, 2, call->cx);
		set_crtc_pair(call, CRTC_CURSOR_SHAPE, call->cx);
		return true;
	case 0x02:
		set_cursor(call, (struct place){ at.page, call->dh, call->dl });
		return true;
	case 0x03:
		call->cx = hv_bios_get(call, BDA_CURSOR_SHAPE, 2);
		call->dx = at.row << 8 | at.column;
		return true;
	case 0x05:
		show_page(call, call->al % PAGES);
		return true;
	case 0x06:
	case 0x07:
		scroll_window(call);
		return true;
	case 0x08:
		call->ax = hv_bios_get(call, cell(call, at.page, at.row, at.column), 2);
		return true;
	case 0x09:
	case 0x0a:
		write_cells(call, call->ah == 0x09);
		return true;
	case 0x0b:
		return set_border(call);
	case 0x0e:
		teletype(call, &at, call->al);
		set_cursor(call, at);
		return true;
	case 0x0f:
		tell_mode(call);
		return true;
	case 0x10:
		return set_palette(call);
	case 0x11:
		return set_font(call);
	case 0x12:
		return tell_memory(call);
	case 0x13:
		write_string(call);
		return true;
	case 0x1a:
		return tell_display(call);
	}
	return false;
}
