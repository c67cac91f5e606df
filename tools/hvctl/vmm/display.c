// SPDX-License-Identifier: GPL-2.0-only
/* The guest's screen on a terminal, and its keyboard. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "curses.h"
#include "display.h"
#include "lib/util.h"
#include "serial.h"
#include "term.h"

#define LOOK_NS 40000000
/* Nobody types so fast: what comes later than that is no part of the same sequence. */
#define SEQUENCE_NS 50000000

/* ---------------------------------------------------------------- keyboard */

#define KEY_CTRL 0x1d
#define KEY_SHIFT 0x2a
#define KEY_ALT 0x38

static void press(struct hv_display *display, bool held, uint8_t key, bool down)
{
	if (held)
		(void)hv_i8042_key(&display->machine->pc->board.kbc, key, down);
}

/* The keyboard has room for all of it. */
static void type(struct hv_display *display, const struct hv_keystroke *stroke)
{
	if (!stroke->key)
		return;
	press(display, stroke->ctrl, KEY_CTRL, true);
	press(display, stroke->alt, KEY_ALT, true);
	press(display, stroke->shift, KEY_SHIFT, true);
	press(display, true, stroke->key, true);
	press(display, true, stroke->key, false);
	press(display, stroke->shift, KEY_SHIFT, false);
	press(display, stroke->alt, KEY_ALT, false);
	press(display, stroke->ctrl, KEY_CTRL, false);
}

/* Returns whether there was a keystroke. */
static bool type_first(struct hv_display *display, bool more)
{
	struct hv_keystroke stroke;
	size_t used = hv_keys_parse(display->typed, display->typed_len, more, &stroke);

	display->typed_len -= used;
	memmove(display->typed, display->typed + used, display->typed_len);
	if (used)
		type(display, &stroke);
	return used;
}

static bool wants_key(const struct hv_display *display)
{
	return hv_i8042_wants_key(&display->machine->pc->board.kbc);
}

size_t hv_display_input(struct hv_display *display, const uint8_t *data, size_t len)
{
	struct hv_clock *clock = &display->machine->clock;
	size_t taken = 0;

	while (taken < len && wants_key(display)) {
		display->typed[display->typed_len++] = data[taken++];
		(void)type_first(display, true);
	}
	if (display->typed_len)
		hv_timer_arm(clock, &display->wait, hv_now_ns(clock) + SEQUENCE_NS);
	else
		hv_timer_cancel(clock, &display->wait);
	return taken;
}

/* Nothing has followed: Escape is a key, too. */
static void end_of_sequence(void *dev)
{
	struct hv_display *display = dev;
	struct hv_clock *clock = &display->machine->clock;

	if (display->typed_len && wants_key(display))
		(void)type_first(display, false);
	if (display->typed_len)
		hv_timer_arm(clock, &display->wait, hv_now_ns(clock) + SEQUENCE_NS);
}

/* ------------------------------------------------------------------ screen */

static void write_terminal(struct hv_display *display, const char *text)
{
	hv_console_print(&display->machine->console, text);
}

/* A piece of what is drawn; the rest waits until the terminal has taken this. */
static void pass_on(struct hv_display *display)
{
	uint8_t data[HV_CONSOLE_OUT];
	size_t len = hv_curses_take(display->curses, data, sizeof(data));

	hv_console_output(&display->machine->console, data, len);
}

static bool is_idle(const struct hv_display *display)
{
	return !display->machine->console.out_len;
}

/* Returns whether it has another size than before. */
static bool measure_terminal(struct hv_display *display)
{
	unsigned int rows = display->rows, columns = display->columns;

	hv_term_size(&display->rows, &display->columns);
	return rows != display->rows || columns != display->columns;
}

static bool is_same(const struct hv_screen *a, const struct hv_screen *b)
{
	return !memcmp(&a->vga, &b->vga, sizeof(a->vga)) &&
	       !memcmp(a->cell, b->cell, sizeof(a->cell));
}

static void set_status(struct hv_display *display)
{
	static const char *const leds[] = { "scroll lock", "num lock", "caps lock" };
	const struct hv_machine *machine = display->machine;
	FILE *out = fmemopen(display->status, sizeof(display->status) - 1, "w");

	if (!out)
		return;
	fprintf(out, "Ctrl-A X ends the VM");
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (*machine->serial[i].end.pty)
			fprintf(out, ", %s is %s", hv_pc_com[i].name, machine->serial[i].end.pty);
	for (unsigned int i = 0; i < ARRAY_SIZE(leds); i++)
		if (display->leds & 1u << i)
			fprintf(out, ", %s", leds[i]);
	fclose(out);
}

/* Returns whether there is something else to say. */
static bool look_at_leds(struct hv_display *display, uint8_t leds)
{
	if (leds == display->leds)
		return false;
	display->leds = leds;
	set_status(display);
	return true;
}

static void draw(struct hv_display *display)
{
	struct hv_screen screen = { 0 };
	bool is_shown, changed = measure_terminal(display) || display->all;
	struct hv_picture picture = {
		.screen = &display->shown,
		.status = display->status,
		.rows = display->rows,
		.columns = display->columns,
	};
	uint8_t leds;

	pthread_mutex_lock(&display->machine->lock);
	is_shown = hv_screen_look(display->machine, &screen);
	leds = display->machine->pc->board.keyboard.s.leds;
	pthread_mutex_unlock(&display->machine->lock);
	changed |= look_at_leds(display, leds);
	if (!changed && is_shown == display->is_shown && is_same(&screen, &display->shown))
		return;
	display->shown = screen;
	display->is_shown = is_shown;
	if (!is_shown)
		picture.screen = NULL;
	hv_curses_draw(display->curses, &picture, display->all);
	display->entered = true;
	display->all = false;
}

static void arm(struct hv_display *display)
{
	struct hv_clock *clock = &display->machine->loop.clock;

	hv_timer_arm(clock, &display->look, hv_now_ns(clock) + LOOK_NS);
}

static void look(void *dev)
{
	struct hv_display *display = dev;

	arm(display);
	if (!display->ours || !is_idle(display))
		return;
	pass_on(display);
	if (!is_idle(display))
		return;
	draw(display);
	pass_on(display);
}

void hv_display_set_terminal(struct hv_display *display, bool ours)
{
	if (!display->curses)
		return;
	display->ours = ours;
	display->all = true;
	if (ours && display->entered)
		write_terminal(display, hv_curses_enter_string(display->curses));
}

/* ---------------------------------------------------------------- together */

int hv_display_check(const struct hv_config *config, struct hv_error *err)
{
	struct hv_curses *curses;

	err->subject = "--display text";
	if (config->display != HV_DISPLAY_TEXT)
		return 0;
	if (config->console.kind != HV_SERIAL_NONE && config->console.kind != HV_SERIAL_STDIO)
		return hv_fail(err, EINVAL,
			       "the screen is drawn where the console is; leave --console out");
	if (!hv_term_exists() || !isatty(STDOUT_FILENO))
		return hv_fail(
			err, ENOTTY,
			"standard input and output are no terminal; run hvctl in one, or leave the option out: the screen is told at the end");
	curses = hv_curses_open(err);
	if (!curses)
		return -ENODEV;
	hv_curses_close(curses);
	return 0;
}

void hv_display_attach(struct hv_display *display, struct hv_machine *machine)
{
	if (!display->curses)
		return;
	display->machine = machine;
	display->all = true;
	machine->display = display;
	/* What we say meanwhile would be drawn over. */
	hv_console_hold(&machine->messages, isatty(STDERR_FILENO));
	/* The guest need not wait for who looks at it. */
	machine->console.config.lossy = true;
	set_status(display);
	arm(display);
}

void hv_display_detach(struct hv_display *display)
{
	if (!display->curses)
		return;
	hv_timer_cancel(&display->machine->loop.clock, &display->look);
	pthread_mutex_lock(&display->machine->lock);
	hv_timer_cancel(&display->machine->clock, &display->wait);
	display->machine->display = NULL;
	pthread_mutex_unlock(&display->machine->lock);
}

int hv_display_open(struct hv_display *display, struct hv_machine *machine, struct hv_error *err)
{
	*display = (struct hv_display){
		.look = { .fn = look, .dev = display },
		.wait = { .fn = end_of_sequence, .dev = display },
	};
	if (machine->config.display != HV_DISPLAY_TEXT)
		return 0;
	err->subject = "--display text";
	display->curses = hv_curses_open(err);
	if (!display->curses)
		return -ENODEV;
	hv_term_set_leave(machine->console.out_stream.fd, hv_curses_leave_string(display->curses));
	hv_display_attach(display, machine);
	return 0;
}

void hv_display_close(struct hv_display *display)
{
	struct hv_machine *machine = display->machine;

	if (!display->curses)
		return;
	hv_display_detach(display);
	hv_term_set_leave(-1, "");
	machine->console.config.lossy = false;
	if (display->entered && display->ours) {
		hv_curses_end(display->curses);
		pass_on(display);
	}
	hv_curses_close(display->curses);
	display->curses = NULL;
	hv_console_hold(&machine->messages, false);
}
