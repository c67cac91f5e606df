// SPDX-License-Identifier: GPL-2.0-only
/* The control channel: its socket and its clients. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "control/socket.h"
#include "debugger.h"
#include "lib/event.h"
#include "lib/fds.h"
#include "lib/path.h"
#include "lib/text.h"
#include "lib/util.h"

/* ------------------------------------------------------------------- lines */

/* All whole lines that there are; what follows a request for the console is none. */
static void take_lines(struct hv_control_client *client)
{
	char *end;

	while (!client->attached && !client->debugger && !client->dropped &&
	       (end = memchr(client->in, '\n', client->in_len))) {
		size_t len = end + 1 - client->in;

		hv_control_handle(client, client->in, len - 1);
		client->in_len -= len;
		memmove(client->in, end + 1, client->in_len);
	}
	if (client->attached || client->debugger || client->in_len < sizeof(client->in))
		return;
	hv_control_refuse(client, NULL, NULL, "too-long", "a line has no end; end it earlier");
	client->dropped = true;
}

/* ----------------------------------------------------------------- console */

const struct hv_control_client *hv_control_typist(const struct hv_control *control)
{
	const struct hv_control_client *client = control->clients;

	while (client && !client->types)
		client = client->next;
	return client;
}

void hv_control_join(struct hv_control_client *client, bool types)
{
	client->attached = true;
	client->types = types;
	client->pos = hv_ring_begin(&client->control->ring, client->control->seen);
}

/* What was typed, as far as the guest's input has room. */
static void type(struct hv_control_client *client)
{
	size_t taken = client->in_len;

	if (client->types)
		taken = hv_console_type(&client->control->machine->console,
					(const uint8_t *)client->in, client->in_len);
	client->in_len -= taken;
	memmove(client->in, client->in + taken, client->in_len);
}

/* To the debugger, which hears nothing until the machine has stopped. */
static void debug(struct hv_control_client *client)
{
	size_t taken = hv_debugger_take(client->debugger, client->in, client->in_len);

	client->in_len -= taken;
	memmove(client->in, client->in + taken, client->in_len);
}

void hv_control_take(struct hv_control_client *client)
{
	bool new = !client->attached && !client->debugger;

	if (new && client->speaks_raw)
		hv_debugger_meet(client);
	else if (new)
		take_lines(client);
	if (client->attached)
		type(client);
	if (client->debugger)
		debug(client);
}

/* How much more of the console may wait. */
static size_t room_for_console(const struct hv_control_client *client)
{
	return client->out_len < HV_CONTROL_OUT ? HV_CONTROL_OUT - client->out_len : 0;
}

/* More of the console, while there is room for it and for a word about what is lost. */
static void fill(struct hv_control_client *client)
{
	size_t room = room_for_console(client), n = 1;
	uint64_t lost;

	while (client->attached && n && room > 128 &&
	       hv_control_make_room(client, HV_CONTROL_OUT)) {
		uint8_t data[1024];

		n = hv_ring_get(&client->control->ring, &client->pos, data,
				room - 128 < sizeof(data) ? room - 128 : sizeof(data), &lost);
		if (lost)
			client->out_len += sprintf(client->out + client->out_len,
						   "\r\n[hvctl: %llu bytes are lost]\r\n",
						   (unsigned long long)lost);
		memcpy(client->out + client->out_len, data, n);
		client->out_len += n;
		room = room_for_console(client);
	}
}

/* ------------------------------------------------------------------ client */

static void dismiss(struct hv_control_client *client)
{
	close(client->watch.fd);
	hv_close(client->file);
	free(client->out);
	free(client);
}

static void drop(struct hv_control_client *client)
{
	struct hv_control *control = client->control;
	struct hv_control_client **link = &control->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	control->count--;
	if (client->debugger)
		hv_debugger_leave(client->debugger);
	hv_control_end_hold(client);
	if (client->types)
		control->seen = client->pos;
	if (control->machine)
		hv_loop_remove(&control->machine->loop, &client->watch);
	if (client->records)
		hv_control_stop_record(control);
	dismiss(client);
}

/* Returns whether the other side is still there. */
static bool write_some(struct hv_control_client *client)
{
	ssize_t n;

	fill(client);
	if (!client->out_len)
		return true;
	n = send(client->watch.fd, client->out, client->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->out_len -= n;
	memmove(client->out, client->out + n, client->out_len);
	if (!client->out_len)
		hv_control_give_room_back(client);
	return true;
}

/* As recv(); a file that comes along is kept. */
static ssize_t receive(struct hv_control_client *client, void *data, size_t room)
{
	int file;
	ssize_t n = hv_receive_fd(client->watch.fd, data, room, &file, MSG_DONTWAIT);

	if (file < 0)
		return n;
	hv_close(client->file);
	client->file = file;
	return n;
}

/* Nor is one whose hang-up is all that there was to hear: what it has typed goes with it. */
static bool read_some(struct hv_control_client *client)
{
	size_t room = sizeof(client->in) - client->in_len;
	ssize_t n = room ? receive(client, client->in + client->in_len, room) : 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->in_len += n;
	if (n)
		hv_control_take(client);
	return n;
}

/*
 * An attached client is read no further when the guest does not take what it has typed: each
 * look tries again. With nothing to wait for it is still one to hear the end of: POLLHUP, which
 * poll() tells unasked, and no POLLRDHUP, since who only types no more may go on to read.
 */
static short wants(void *ctx)
{
	struct hv_control_client *client = ctx;
	short events = 0;

	if (client->attached)
		type(client);
	if (client->in_len < sizeof(client->in))
		events |= POLLIN;
	if (client->out_len || client->dropped ||
	    (client->attached && hv_ring_has(&client->control->ring, client->pos)))
		events |= POLLOUT;
	return events ? events : POLLHUP;
}

static void on_ready(void *ctx, short revents)
{
	struct hv_control_client *client = ctx;
	bool there = !(revents & POLLERR);

	if (there && revents & POLLOUT)
		there = write_some(client);
	if (there && revents & (POLLIN | POLLHUP))
		there = read_some(client);
	/* The last word, as far as it is taken. */
	if (there && client->dropped)
		write_some(client);
	if (!there || client->dropped)
		drop(client);
}

struct hv_control_client *hv_control_make_client(struct hv_control *control, int fd, pid_t pid)
{
	struct hv_control_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->control = control;
	client->pid = pid;
	client->file = -1;
	client->watch = (struct hv_watch){
		.fd = fd,
		.wants = wants,
		.ready = on_ready,
		.ctx = client,
	};
	return client;
}

void hv_control_let_in(struct hv_control_client *client)
{
	struct hv_control *control = client->control;

	client->next = control->clients;
	control->clients = client;
	control->count++;
	hv_loop_add(&control->machine->loop, &client->watch);
}

void hv_control_turn_away(struct hv_control_client *client)
{
	write_some(client);
	dismiss(client);
}

/* ------------------------------------------------------------------ channel */

static void on_stop(void *ctx, short revents)
{
	struct hv_control *control = ctx;

	(void)revents;
	hv_debugger_take_stop(control);
}

/* The sandbox lets nobody make one later. */
static int open_stops(struct hv_control *control, struct hv_error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return hv_fail(err, errno,
			       "no file descriptors: %s; close something, or raise ulimit -n",
			       strerror(errno));
	control->stops = (struct hv_watch){ .fd = fd, .ready = on_stop, .ctx = control };
	return 0;
}

static void name_image(struct hv_control *control, const char *path)
{
	char *here = getcwd(NULL, 0), *whole = hv_path_join("", here, path);
	const char *image = whole ?: path;

	hv_text_clean(control->image, sizeof(control->image), image, strlen(image));
	free(whole);
	free(here);
}

struct hv_control *hv_control_open(const struct hv_config *config, const struct hv_address *gdb,
				   struct hv_error *err)
{
	struct hv_control *control = calloc(1, sizeof(*control));
	char name[HV_NAME_MAX + 1];
	int error;

	if (!control) {
		hv_fail(err, ENOMEM, "no memory for a control channel; close something");
		return NULL;
	}
	control->dir.fd = control->stops.fd = -1;
	for (unsigned int i = 0; i < HV_CONTROL_DOORS; i++)
		control->door[i].listener.fd = -1;
	control->claim = (struct hv_claim)HV_CLAIM_NONE;
	control->started_ns = hv_monotonic_ns();
	hv_ring_init(&control->ring);
	hv_name_make(name, config->load.path ?: "", getpid());
	if (config->load.path)
		name_image(control, config->load.path);
	error = hv_runtime_dir_open(&control->dir, true, err);
	if (!error)
		error = hv_claim_take(&control->claim, &control->dir, config->name ?: name, err);
	if (!error)
		error = open_stops(control, err);
	if (!error)
		error = hv_control_open_doors(control, config, gdb, err);
	if (!error)
		return control;
	hv_control_close(control, NULL);
	errno = -error;
	return NULL;
}

void hv_control_attach(struct hv_control *control, struct hv_machine *machine)
{
	if (!control)
		return;
	control->machine = machine;
	machine->console.ring = &control->ring;
	hv_ring_set_loop(&control->ring, &machine->loop);
	hv_control_attach_doors(control);
	hv_loop_add(&machine->loop, &control->stops);
	for (struct hv_control_client *client = control->clients; client; client = client->next)
		hv_loop_add(&machine->loop, &client->watch);
	hv_control_continue_deadline(control);
}

void hv_control_detach(struct hv_control *control)
{
	struct hv_machine *machine = control ? control->machine : NULL;

	if (!machine)
		return;
	for (struct hv_control_client *client = control->clients; client; client = client->next)
		hv_loop_remove(&machine->loop, &client->watch);
	hv_control_detach_doors(control);
	hv_loop_remove(&machine->loop, &control->stops);
	hv_control_hold_deadline(control);
	hv_debugger_forget_machine(control->debugger);
	hv_ring_set_loop(&control->ring, NULL);
	control->machine = NULL;
}

#define RECORDS_NS (2 * HV_NSEC_PER_SEC)

/* Of the loop that waits for them; one that was there before the VM has all the time. */
static short stops_when_none_records(void *ctx)
{
	struct hv_control *control = ctx;
	bool patient = control->patience_over.armed;
	const struct hv_control_client *client = control->clients;

	while (client && !client->adopted && !(client->records && patient))
		client = client->next;
	if (!client)
		hv_loop_stop(&control->machine->loop);
	return 0;
}

/* The loop asks everybody after it what he wants. */
static void on_patience_over(void *dev)
{
	(void)dev;
}

void hv_control_finish(struct hv_control *control)
{
	struct hv_watch last = { .fd = -1, .wants = stops_when_none_records, .ctx = control };
	struct hv_loop *loop;

	if (!control)
		return;
	loop = &control->machine->loop;
	control->patience_over.fn = on_patience_over;
	hv_timer_arm(&loop->clock, &control->patience_over, hv_now_ns(&loop->clock) + RECORDS_NS);
	hv_loop_add(loop, &last);
	(void)hv_loop_run_again(loop);
	hv_loop_remove(loop, &last);
	hv_timer_cancel(&loop->clock, &control->patience_over);
}

void hv_control_flush(struct hv_control *control)
{
	struct hv_control_client *client = control ? control->clients : NULL;

	for (; client; client = client->next)
		while (write_some(client) && !client->out_len &&
		       hv_ring_has(&control->ring, client->pos) && client->attached)
			;
}

static void tell_end(struct hv_control_client *client, const struct hv_end *end)
{
	char text[300];

	hv_end_describe(end, text, sizeof(text));
	if (client->debugger)
		hv_debugger_tell_end(client->debugger, hv_end_status(end));
	else if (client->waits)
		hv_control_send(client, json_pack("{s:s, s:s, s:i, s:s}", "event", "ended", "end",
						  hv_end_name(end), "status", hv_end_status(end),
						  "text", text));
}

void hv_control_release(struct hv_control *control)
{
	hv_listener_remove(&control->door[HV_DOOR_CONSOLE].listener);
	hv_listener_remove(&control->door[HV_DOOR_GDB].listener);
	hv_claim_release(&control->claim);
}

void hv_control_close(struct hv_control *control, const struct hv_end *end)
{
	if (!control)
		return;
	/* While somebody listens at a path nobody else takes it: what is removed is ours. */
	hv_control_release(control);
	hv_control_close_doors(control);
	hv_close(control->stops.fd);
	while (control->clients) {
		if (end)
			tell_end(control->clients, end);
		write_some(control->clients);
		drop(control->clients);
	}
	hv_debugger_free(control->debugger);
	hv_runtime_dir_close(&control->dir);
	hv_ring_exit(&control->ring);
	free(control);
}
