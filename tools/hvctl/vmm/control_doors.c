// SPDX-License-Identifier: GPL-2.0-only
/* Sockets at which clients of the control channel come, and who of them is let in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "control/socket.h"
#include "lib/fds.h"
#include "lib/util.h"

#define DEAF_NS HV_NSEC_PER_SEC

static bool has_room(const struct hv_control *control)
{
	return control->count < HV_CONTROL_CLIENTS;
}

void hv_control_greet(struct hv_control_client *client)
{
	hv_control_send(client, json_pack("{s:s, s:i, s:s, s:i}", "hvctl", HV_VERSION, "protocol",
					  HV_CONTROL_PROTOCOL, "name", client->control->claim.name,
					  "pid", getpid()));
}

/* -------------------------------------------------------------------- who comes */

static short listens(void *ctx)
{
	const struct hv_control *control = ctx;

	return control->deaf.armed ? 0 : POLLIN;
}

/* The loop asks everybody after it what he wants. */
static void on_hearing(void *dev)
{
	(void)dev;
}

/* The next who has come and may, and is not let in yet; or NULL. */
static struct hv_control_client *meet(struct hv_control *control,
				      const struct hv_control_door *door)
{
	struct hv_clock *clock = &control->machine->loop.clock;
	struct hv_control_client *client;
	pid_t pid;
	int fd = hv_listener_accept(&door->listener, &pid);

	/* Without descriptors it would be tried again at once, and for ever. */
	if (fd < 0 && fd != -EAGAIN && fd != -EPERM)
		hv_timer_arm(clock, &control->deaf, hv_now_ns(clock) + DEAF_NS);
	if (fd < 0)
		return NULL;
	client = hv_control_make_client(control, fd, pid);
	if (!client)
		close(fd);
	return client;
}

static void on_connect(void *ctx, short revents)
{
	struct hv_control *control = ctx;
	struct hv_control_client *client = meet(control, &control->door[HV_DOOR_LINES]);

	(void)revents;
	if (!client)
		return;
	hv_control_greet(client);
	if (has_room(control)) {
		hv_control_let_in(client);
		return;
	}
	hv_control_refuse(client, NULL, NULL, "busy", "too many clients; close one");
	hv_control_turn_away(client);
}

/* Bytes, and no lines. One at a time has it, by whichever way he came. */
static void on_console(void *ctx, short revents)
{
	struct hv_control *control = ctx;
	const struct hv_control_client *typist = hv_control_typist(control);
	struct hv_control_client *client = meet(control, &control->door[HV_DOOR_CONSOLE]);

	(void)revents;
	if (!client)
		return;
	client->speaks_raw = true;
	if (!typist && has_room(control)) {
		hv_control_let_in(client);
		hv_control_join(client, true);
		return;
	}
	if (!hv_control_make_room(client, HV_CONTROL_OUT))
		client->out_len = 0;
	else if (typist)
		client->out_len = sprintf(client->out,
					  "hvctl: process %d has this console; end that first\r\n",
					  typist->pid);
	else
		client->out_len = sprintf(client->out,
					  "hvctl: this VM has %d clients; close one\r\n",
					  HV_CONTROL_CLIENTS);
	hv_control_turn_away(client);
}

/*
 * By a port strangers come, too, and say nothing: they take no room from who would end the VM,
 * nor from a debugger, which says at once what it is.
 */
#define UNDECIDED_MAX 4

static bool is_undecided(const struct hv_control_client *client)
{
	return client->speaks_raw && !client->attached && !client->debugger && !client->dropped;
}

/* The newest is the first of the list. */
static void drop_oldest_undecided(struct hv_control *control)
{
	struct hv_control_client *client = control->clients, *oldest = NULL;
	unsigned int undecided = 0;

	for (; client; client = client->next)
		if (is_undecided(client)) {
			undecided++;
			oldest = client;
		}
	if (undecided >= UNDECIDED_MAX)
		oldest->dropped = true;
}

/* It is a debugger when it says something: hv_debugger_meet(). */
static void on_gdb(void *ctx, short revents)
{
	struct hv_control *control = ctx;
	struct hv_control_client *client = meet(control, &control->door[HV_DOOR_GDB]);

	(void)revents;
	if (!client)
		return;
	client->speaks_raw = true;
	drop_oldest_undecided(control);
	if (has_room(control))
		hv_control_let_in(client);
	else
		hv_control_turn_away(client);
}

/* ------------------------------------------------------------------------ doors */

static void watch(struct hv_control *control, struct hv_control_door *door,
		  void (*ready)(void *ctx, short revents))
{
	door->watch = (struct hv_watch){
		.fd = door->listener.fd,
		.wants = listens,
		.ready = ready,
		.ctx = control,
	};
}

static int listen_for_lines(struct hv_control *control, struct hv_error *err)
{
	const char *name = control->claim.name;
	int fd = hv_socket_listen(&control->dir, name);

	if (fd < 0)
		return hv_fail(err, -fd, "no socket in %s: %s; make room there", control->dir.path,
			       strerror(-fd));
	/* Who has the name removes it. */
	control->door[HV_DOOR_LINES].listener =
		(struct hv_listener){ .fd = fd, .address.path = name };
	watch(control, &control->door[HV_DOOR_LINES], on_connect);
	return 0;
}

static int open_door(struct hv_control *control, unsigned int which,
		     const struct hv_address *address, void (*ready)(void *ctx, short revents),
		     struct hv_error *err)
{
	struct hv_control_door *door = &control->door[which];
	int error = hv_listener_open(&door->listener, address, err);

	if (!error)
		watch(control, door, ready);
	return error;
}

int hv_control_open_doors(struct hv_control *control, const struct hv_config *config,
			  const struct hv_address *gdb, struct hv_error *err)
{
	const struct hv_address console = { .path = config->console.path };
	int error = listen_for_lines(control, err);

	if (!error && config->console.kind == HV_SERIAL_UNIX) {
		err->subject = "--console";
		error = open_door(control, HV_DOOR_CONSOLE, &console, on_console, err);
	}
	if (!error && gdb) {
		err->subject = "--gdb";
		error = open_door(control, HV_DOOR_GDB, gdb, on_gdb, err);
	}
	if (!error && gdb)
		hv_listener_warn(&control->door[HV_DOOR_GDB].listener, "hvctl run");
	return error;
}

void hv_control_attach_doors(struct hv_control *control)
{
	struct hv_loop *loop = &control->machine->loop;

	control->deaf.fn = on_hearing;
	for (unsigned int i = 0; i < ARRAY_SIZE(control->door); i++)
		if (control->door[i].listener.fd >= 0)
			hv_loop_add(loop, &control->door[i].watch);
}

void hv_control_detach_doors(struct hv_control *control)
{
	struct hv_loop *loop = &control->machine->loop;

	for (unsigned int i = 0; i < ARRAY_SIZE(control->door); i++)
		if (control->door[i].listener.fd >= 0)
			hv_loop_remove(loop, &control->door[i].watch);
	hv_timer_cancel(&loop->clock, &control->deaf);
}

void hv_control_close_doors(struct hv_control *control)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(control->door); i++)
		hv_listener_close(&control->door[i].listener);
}

void hv_control_adopt(struct hv_control *control, int fd)
{
	/* One of its own: what the user's shell had open is closed in the sandbox. */
	int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct hv_control_client *client;

	hv_close(fd);
	client = own >= 0 && control ? hv_control_make_client(control, own, getppid()) : NULL;
	if (!client) {
		hv_close(own);
		return;
	}
	client->adopted = true;
	hv_control_greet(client);
	hv_control_let_in(client);
}
