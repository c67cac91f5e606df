// SPDX-License-Identifier: GPL-2.0-only
/* Two consoles back to back: one on the terminal, one on a VM's socket. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "console.h"
#include "lib/lock.h"
#include "signals.h"
#include "term.h"

struct attachment {
	struct hv_loop loop;
	struct hv_signals signals;
	struct hv_term term;
	pthread_mutex_t lock;
	struct hv_console terminal, vm;
	struct hv_watch pump;
	enum hv_attach_end end;
	bool types;
	bool told;
	const struct hv_client *client;
	void (*resized)(const struct hv_client *client);
	int sig;			/* that ends us; 0: none */
};

/* ---------------------------------------------------------------- transfer */

/* From one console to the other, as far as there is room. */
static size_t pass(struct hv_console *to, const uint8_t *data, size_t len)
{
	size_t room = HV_CONSOLE_OUT - to->out_len;

	if (len > room)
		len = room;
	hv_console_output(to, data, len);
	return len;
}

static size_t from_terminal(void *ctx, const uint8_t *data, size_t len)
{
	struct attachment *attachment = ctx;

	return attachment->types ? pass(&attachment->vm, data, len) : len;
}

static size_t from_vm(void *ctx, const uint8_t *data, size_t len)
{
	struct attachment *attachment = ctx;

	return pass(&attachment->terminal, data, len);
}

static void leave(struct attachment *attachment, enum hv_attach_end end)
{
	attachment->end = end;
	hv_loop_stop(&attachment->loop);
}

/* What there was no room for may have some now: whenever the loop looks around. */
static short pump(void *ctx)
{
	struct attachment *attachment = ctx;
	const struct hv_console *vm = &attachment->vm;

	pthread_mutex_lock(&attachment->lock);
	hv_console_feed(&attachment->terminal);
	hv_console_feed(&attachment->vm);
	if (vm->in_eof && !vm->in_len && !attachment->terminal.out_len)
		leave(attachment, HV_ATTACH_ENDED);
	pthread_mutex_unlock(&attachment->lock);
	return 0;
}

static void on_leave(void *ctx)
{
	leave(ctx, HV_ATTACH_LEFT);
}

/* Ctrl-A X ends what runs on this terminal, not what runs elsewhere. */
static void on_quit(void *ctx)
{
	(void)ctx;
}

/* ------------------------------------------------------ terminal and signals */

static void die(void *ctx, int sig)
{
	struct attachment *attachment = ctx;

	attachment->sig = sig;
	leave(attachment, HV_ATTACH_LEFT);
}

static void on_output_failed(void *ctx, int errnum)
{
	(void)errnum;
	die(ctx, SIGPIPE);
}

static void before_stop(void *ctx)
{
	(void)ctx;
	hv_term_restore();
}

static void after_stop(void *ctx)
{
	struct attachment *attachment = ctx;

	hv_stream_lend_shared(false);
	if (hv_term_exists())
		hv_term_refresh(&attachment->term);
}

/* Where it is shown alone nobody types, and nothing is drawn for that size. */
static void on_resized(void *ctx)
{
	struct attachment *attachment = ctx;

	if (attachment->types && isatty(STDOUT_FILENO))
		attachment->resized(attachment->client);
}

static void on_terminal_changed(void *ctx, bool ours)
{
	struct attachment *attachment = ctx;

	hv_console_set_terminal(&attachment->terminal, ours);
	if (ours && !attachment->told)
		fprintf(stderr, "hvctl: Ctrl-A D leaves the console of %s\n",
			attachment->client->name);
	attachment->told |= ours;
	if (ours)
		on_resized(attachment);
}

/* ---------------------------------------------------------------- together */

static void open_consoles(struct attachment *attachment, int fd)
{
	hv_console_init(&attachment->terminal, &(struct hv_console_config){
						       .loop = &attachment->loop,
						       .lock = &attachment->lock,
						       .in_fd = STDIN_FILENO,
						       .out_fd = STDOUT_FILENO,
						       .input = from_terminal,
						       .quit = on_quit,
						       .detach = on_leave,
						       .failed = on_output_failed,
						       .ctx = attachment,
					       });
	hv_console_init(&attachment->vm, &(struct hv_console_config){
						 .loop = &attachment->loop,
						 .lock = &attachment->lock,
						 .in_fd = fd,
						 .out_fd = fd,
						 .input = from_vm,
						 .ctx = attachment,
					 });
	attachment->pump = (struct hv_watch){ .fd = -1, .wants = pump, .ctx = attachment };
	hv_loop_add(&attachment->loop, &attachment->pump);
}

static void open_terminal(struct attachment *attachment)
{
	attachment->term = (struct hv_term){
		.loop = &attachment->loop,
		.changed = on_terminal_changed,
		.ctx = attachment,
	};
	if (hv_term_exists())
		hv_term_open(&attachment->term);
}

static int open_signals(struct attachment *attachment, struct hv_error *err)
{
	attachment->signals = (struct hv_signals){
		.deadly = die,
		.stop = before_stop,
		.cont = after_stop,
		.resized = on_resized,
		.ctx = attachment,
		.watch.fd = -1,
	};
	return hv_signals_open(&attachment->signals, &attachment->loop, err);
}

static void serve(struct attachment *attachment, struct hv_client *client)
{
	open_consoles(attachment, client->fd);
	/* It came with the reply. */
	hv_console_output(&attachment->terminal, (const uint8_t *)client->in, client->len);
	open_terminal(attachment);
	if (hv_loop_run(&attachment->loop))
		attachment->end = HV_ATTACH_FAILED;
	hv_console_drain(&attachment->vm);
	hv_console_drain(&attachment->terminal);
	if (hv_term_exists())
		hv_term_close(&attachment->term);
	hv_console_exit(&attachment->vm);
	hv_console_exit(&attachment->terminal);
}

enum hv_attach_end hv_attach(struct hv_client *client, bool types,
			     void (*resized)(const struct hv_client *client), struct hv_error *err)
{
	/* Its buffers are large, and those that nobody touches cost nothing. */
	static struct attachment attachment;
	int error = hv_loop_init(&attachment.loop, err);

	if (error)
		return HV_ATTACH_FAILED;
	attachment.types = types;
	attachment.client = client;
	attachment.resized = resized;
	hv_lock_init(&attachment.lock);
	hv_term_watch_ways_out();
	error = open_signals(&attachment, err);
	if (!error) {
		hv_fail(err, ENOMEM, "no memory for the event loop; close something");
		serve(&attachment, client);
	} else {
		attachment.end = HV_ATTACH_FAILED;
	}
	hv_signals_close(&attachment.signals, &attachment.loop);
	hv_loop_exit(&attachment.loop);
	pthread_mutex_destroy(&attachment.lock);
	if (attachment.sig)
		hv_signals_die(attachment.sig);
	return attachment.end;
}
