// SPDX-License-Identifier: GPL-2.0-only
/* Drawing by ncurses, into a file: terminals may keep a writer waiting, and nobody waits here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "curses.h"

#ifdef HV_NCURSES
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <term.h>
/* The header has a short name for each capability. */
#undef columns

#include "lib/util.h"

#define COLORS_ALL 16
#define CONTROL_MAX 128

struct hv_curses {
	SCREEN *screen;
	FILE *in, *out;			/* @out is a memfd */
	off_t taken;			/* of what was written there */
	unsigned int rows, columns;
	bool many_colors;		/* 16 of them, in 256 pairs */
	char enter[CONTROL_MAX], leave[CONTROL_MAX];
};

/* VGA and ANSI number blue and red the other way round. */
static short ansi_color(unsigned int vga)
{
	return (vga & 0xa) | (vga & 1) << 2 | (vga >> 2 & 1);
}

static short pair_of(const struct hv_curses *curses, unsigned int attribute)
{
	unsigned int foreground = attribute & 0xf, background = attribute >> 4 & 0xf;

	if (curses->many_colors)
		return 1 + background * COLORS_ALL + foreground;
	return 1 + (background & 7) * 8 + (foreground & 7);
}

static void init_colors(struct hv_curses *curses)
{
	if (!has_colors())
		return;
	start_color();
	curses->many_colors = COLORS >= COLORS_ALL && COLOR_PAIRS > COLORS_ALL * COLORS_ALL;
	for (unsigned int attribute = 0; attribute < 0x100; attribute++) {
		if (!curses->many_colors && attribute & 0x88)
			continue;
		init_pair(pair_of(curses, attribute), ansi_color(attribute & 0xf),
			  ansi_color(attribute >> 4));
	}
}

/* NULL: it does not have it. */
static const char *capability(const char *name)
{
	const char *string = tigetstr(name);

	return string == (char *)-1 ? NULL : string;
}

static void append(char text[CONTROL_MAX], const char *name)
{
	const char *string = capability(name);

	if (string && strlen(text) + strlen(string) < CONTROL_MAX)
		strcat(text, string);
}

static FILE *open_file(void)
{
	int fd = memfd_create("terminal", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		hv_close(fd);
	return file;
}

static int open_screen(struct hv_curses *curses, struct hv_error *err)
{
	const char *name = getenv("TERM");

	if (!name || !*name)
		return hv_fail(
			err, ENOENT,
			"TERM is not set, and so nothing is known of the terminal; set it, or leave the option out: the screen is told at the end");
	curses->in = fopen("/dev/null", "re");
	curses->out = open_file();
	if (!curses->in || !curses->out)
		return hv_fail(err, errno, "no file to draw into: %s; raise ulimit -n",
			       strerror(errno));
	/* Whoever draws says how large it is; LINES and COLUMNS may say anything. */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	curses->screen = newterm(NULL, curses->out, curses->in);
	if (!curses->screen)
		return hv_fail(
			err, ENOENT,
			"ncurses does not know the terminal \"%s\"; set TERM, or install its terminfo (package ncurses-term)",
			name);
	set_term(curses->screen);
	if (!capability("cup"))
		return hv_fail(
			err, ENOTSUP,
			"nothing can be drawn on a terminal \"%s\", whose cursor stays where it is; set TERM, or leave the option out: the screen is told at the end",
			name);
	return 0;
}

struct hv_curses *hv_curses_open(struct hv_error *err)
{
	struct hv_curses *curses = calloc(1, sizeof(*curses));

	if (!curses) {
		hv_fail(err, ENOMEM, "no memory to draw with; close something");
		return NULL;
	}
	if (open_screen(curses, err)) {
		hv_curses_close(curses);
		return NULL;
	}
	typeahead(-1);
	init_colors(curses);
	append(curses->enter, "smcup");
	append(curses->leave, "sgr0");
	append(curses->leave, "cnorm");
	append(curses->leave, "rmcup");
	return curses;
}

/*
 * By the locale's codeset, which is the terminal's; lines that it does not have by the
 * terminal's other one, which ncurses knows. Returns the attribute that this takes.
 */
static attr_t text_of(uint8_t character, wchar_t *text)
{
	char drawing = hv_screen_drawing(character), local[HV_SCREEN_CHARACTER_MAX];
	chtype acs;

	if (hv_screen_is_local(character)) {
		*text = hv_screen_unicode(character);
		return A_NORMAL;
	}
	if (!drawing) {
		(void)hv_screen_local(character, local);
		*text = *local;
		return A_NORMAL;
	}
	acs = NCURSES_ACS(drawing);
	*text = acs & A_CHARTEXT;
	return acs & A_ALTCHARSET;
}

static void draw_cell(const struct hv_curses *curses, const struct hv_screen *screen,
		      unsigned int row, unsigned int column, unsigned int at)
{
	uint16_t cell = hv_screen_cell(screen, row, column);
	uint8_t attribute = cell >> 8;
	wchar_t text[2] = { 0 };
	attr_t how = text_of(screen->vga.blank ? ' ' : cell & 0xff, &text[0]);
	cchar_t c;

	if (screen->vga.blink && attribute & 0x80) {
		how |= A_BLINK;
		attribute &= 0x7f;
	}
	if (!curses->many_colors && attribute & 0x08)
		how |= A_BOLD;
	setcchar(&c, text, how, has_colors() ? pair_of(curses, attribute) : 0, NULL);
	mvadd_wch(at, column, &c);
}

/* The first of the screen's rows that is shown: as high as the cursor lets it be. */
static unsigned int first_row(const struct hv_screen *screen, unsigned int rows)
{
	unsigned int row, column;

	if (!hv_screen_cursor(screen, &row, &column) || row < rows)
		return 0;
	return row - rows + 1;
}

static void place_cursor(const struct hv_picture *picture, unsigned int first)
{
	unsigned int row, column;
	bool shown = picture->screen && hv_screen_cursor(picture->screen, &row, &column) &&
		     row >= first && row - first < picture->rows && column < picture->columns;

	curs_set(shown);
	if (shown)
		move(row - first, column);
}

/* Rows down to the last one with something in it, or the cursor. */
static unsigned int rows_used(const struct hv_screen *screen)
{
	unsigned int rows = hv_screen_rows_used(screen), row, column;

	return hv_screen_cursor(screen, &row, &column) && row >= rows ? row + 1 : rows;
}

/* Below what the guest has written, as long as there is a row for it. */
static void draw_status(const struct hv_picture *picture, unsigned int first)
{
	if (picture->screen && rows_used(picture->screen) >= first + picture->rows)
		return;
	attron(A_REVERSE);
	mvaddnstr(picture->rows - 1, 0, picture->status, picture->columns);
	attroff(A_REVERSE);
}

void hv_curses_draw(struct hv_curses *curses, const struct hv_picture *picture, bool all)
{
	const struct hv_screen *screen = picture->screen;
	unsigned int rows = screen ? screen->vga.rows : 0, first = 0;

	if (curses->rows != picture->rows || curses->columns != picture->columns)
		resizeterm(picture->rows, picture->columns);
	curses->rows = picture->rows;
	curses->columns = picture->columns;
	if (all)
		clearok(curscr, TRUE);
	erase();
	if (screen)
		first = first_row(screen, picture->rows);
	for (unsigned int row = first; row < rows && row - first < picture->rows; row++)
		for (unsigned int c = 0; c < screen->vga.columns && c < picture->columns; c++)
			draw_cell(curses, screen, row, c, row - first);
	draw_status(picture, first);
	place_cursor(picture, first);
	refresh();
}

size_t hv_curses_take(struct hv_curses *curses, uint8_t *data, size_t room)
{
	int fd = fileno(curses->out);
	ssize_t n = pread(fd, data, room, curses->taken);

	if (n > 0) {
		curses->taken += n;
		return n;
	}
	/* All of it: begin anew. */
	if (!ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET))
		curses->taken = 0;
	return 0;
}

void hv_curses_end(struct hv_curses *curses)
{
	(void)curses;
	endwin();
}

void hv_curses_close(struct hv_curses *curses)
{
	if (curses->screen) {
		delscreen(curses->screen);
		/* It handles them while there is a screen. */
		signal(SIGTSTP, SIG_DFL);
		signal(SIGWINCH, SIG_DFL);
	}
	if (curses->in)
		fclose(curses->in);
	if (curses->out)
		fclose(curses->out);
	free(curses);
}

const char *hv_curses_enter_string(const struct hv_curses *curses)
{
	return curses->enter;
}

const char *hv_curses_leave_string(const struct hv_curses *curses)
{
	return curses->leave;
}

#else

struct hv_curses *hv_curses_open(struct hv_error *err)
{
	hv_fail(err, EOPNOTSUPP,
		"this hvctl was built without ncurses; install libncurses-dev and pkg-config, and build it again");
	return NULL;
}

/* There never is one. */
void hv_curses_draw(struct hv_curses *curses, const struct hv_picture *picture, bool all)
{
	(void)curses;
	(void)picture;
	(void)all;
}

size_t hv_curses_take(struct hv_curses *curses, uint8_t *data, size_t room)
{
	(void)curses;
	(void)data;
	(void)room;
	return 0;
}

void hv_curses_end(struct hv_curses *curses)
{
	(void)curses;
}

void hv_curses_close(struct hv_curses *curses)
{
	(void)curses;
}

const char *hv_curses_enter_string(const struct hv_curses *curses)
{
	(void)curses;
	return "";
}

const char *hv_curses_leave_string(const struct hv_curses *curses)
{
	(void)curses;
	return "";
}

#endif
