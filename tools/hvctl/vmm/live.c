// SPDX-License-Identifier: GPL-2.0-only
/* A view on the terminal. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "signals.h"
#include "stream.h"
#include "term.h"

/*
 * The other screen, without a cursor, and back: what all terminals of today know (ECMA-48, xterm).
 */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME  "\033[H"
/* The rest of a line, and of the screen, is empty. */
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

#define CTRL_C 3
#define CTRL_Z 26

struct view {
	const struct hv_live *live;
	struct hv_loop loop;
	struct hv_signals signals;
	struct hv_term term;
	struct hv_timer timer;
	struct hv_stream in, out;
	struct hv_watch keys, screen;
	unsigned int ticks;
	bool ours;
	char *text;			/* that is being written */
	size_t len, done;
	int sig;			/* that ends us; 0: none */
};

/* ------------------------------------------------------------------ drawing */

/* Line by line, as far as there is room: a terminal that scrolled would lose the first. */
static void compose(FILE *to, const char *text, unsigned int rows)
{
	fputs(HOME, to);
	for (unsigned int row = 0; row < rows && *text; row++) {
		size_t len = strcspn(text, "\n");

		fprintf(to, "%s%.*s" CLEAR_LINE, row ? "\r\n" : "", (int)len, text);
		text += len + (text[len] == '\n');
	}
	fputs(CLEAR_REST, to);
}

/* What is under way goes first; a terminal that takes nothing misses pictures. */
static void draw(struct view *view)
{
	unsigned int rows, columns;
	char *picture = NULL;
	size_t bytes;
	FILE *file;

	if (!view->ours || view->text)
		return;
	hv_term_size(&rows, &columns);
	file = open_memstream(&picture, &bytes);
	if (!file)
		return;
	view->live->draw(view->live->ctx, rows, columns, file);
	fclose(file);
	file = open_memstream(&view->text, &view->len);
	if (file && picture) {
		compose(file, picture, rows);
		fclose(file);
	}
	free(picture);
	view->done = 0;
}

static short wants_screen(void *ctx)
{
	struct view *view = ctx;

	return view->text ? POLLOUT : 0;
}

static void write_screen(void *ctx, short revents)
{
	struct view *view = ctx;
	ssize_t n;

	(void)revents;
	if (!view->text)
		return;
	n = hv_stream_write(&view->out, view->text + view->done, view->len - view->done);
	if (n < 0 && errno != EAGAIN)
		hv_loop_stop(&view->loop);
	view->done += n > 0 ? n : 0;
	if (view->done < view->len)
		return;
	free(view->text);
	view->text = NULL;
}

static void arm(struct view *view)
{
	struct hv_clock *clock = &view->loop.clock;

	hv_timer_arm(clock, &view->timer, hv_now_ns(clock) + 1000000000ULL / HV_LIVE_TICKS);
}

static void tick(void *dev)
{
	struct view *view = dev;

	if (!view->live->tick(view->live->ctx)) {
		hv_loop_stop(&view->loop);
		return;
	}
	if (view->ticks++ % HV_LIVE_TICKS == 0)
		draw(view);
	arm(view);
}

/* ------------------------------------------------------ terminal and signals */

static void die(void *ctx, int sig)
{
	struct view *view = ctx;

	view->sig = sig;
	hv_loop_stop(&view->loop);
}

static void read_keys(void *ctx, short revents)
{
	struct view *view = ctx;
	char keys[64];
	ssize_t n = hv_stream_read(&view->in, keys, sizeof(keys));

	(void)revents;
	if (!n || (n < 0 && errno != EAGAIN))
		hv_loop_stop(&view->loop);
	for (ssize_t i = 0; i < n; i++) {
		if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == CTRL_C)
			hv_loop_stop(&view->loop);
		if (keys[i] == CTRL_Z)
			kill(0, SIGTSTP);
	}
}

static short wants_keys(void *ctx)
{
	const struct view *view = ctx;

	return view->ours ? POLLIN : 0;
}

static void before_stop(void *ctx)
{
	(void)ctx;
	hv_term_restore();
}

static void after_stop(void *ctx)
{
	struct view *view = ctx;

	hv_stream_lend_shared(false);
	hv_term_refresh(&view->term);
}

static void on_resized(void *ctx)
{
	draw(ctx);
}

static void on_terminal_changed(void *ctx, bool ours)
{
	struct view *view = ctx;

	if (ours)
		(void)!write(STDOUT_FILENO, ENTER, strlen(ENTER));
	view->ours = ours;
	draw(view);
}

/* ---------------------------------------------------------------- together */

bool hv_live_is_possible(void)
{
	return hv_term_exists() && isatty(STDOUT_FILENO);
}

static void serve(struct view *view)
{
	hv_stream_open(&view->in, STDIN_FILENO, false);
	hv_stream_open(&view->out, STDOUT_FILENO, true);
	view->keys = (struct hv_watch){
		.fd = view->in.fd,
		.wants = wants_keys,
		.ready = read_keys,
		.ctx = view,
	};
	view->screen = (struct hv_watch){
		.fd = view->out.fd,
		.wants = wants_screen,
		.ready = write_screen,
		.ctx = view,
	};
	view->timer = (struct hv_timer){ .fn = tick, .dev = view };
	view->term = (struct hv_term){
		.loop = &view->loop,
		.changed = on_terminal_changed,
		.ctx = view,
	};
	hv_loop_add(&view->loop, &view->keys);
	hv_loop_add(&view->loop, &view->screen);
	hv_term_set_leave(STDOUT_FILENO, LEAVE);
	hv_term_open(&view->term);
	tick(view);
	(void)hv_loop_run(&view->loop);
	hv_timer_cancel(&view->loop.clock, &view->timer);
	hv_term_close(&view->term);
	hv_term_set_leave(-1, "");
	hv_stream_close(&view->in);
	hv_stream_close(&view->out);
	free(view->text);
}

int hv_live_run(const struct hv_live *live, struct hv_error *err)
{
	struct view view = { .live = live };
	int error = hv_loop_init(&view.loop, err);

	if (error)
		return error;
	hv_term_watch_ways_out();
	view.signals = (struct hv_signals){
		.deadly = die,
		.stop = before_stop,
		.cont = after_stop,
		.resized = on_resized,
		.ctx = &view,
		.watch.fd = -1,
	};
	error = hv_signals_open(&view.signals, &view.loop, err);
	if (!error)
		serve(&view);
	hv_signals_close(&view.signals, &view.loop);
	hv_loop_exit(&view.loop);
	if (view.sig)
		hv_signals_die(view.sig);
	return error;
}
