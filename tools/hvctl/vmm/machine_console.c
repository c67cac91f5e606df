// SPDX-License-Identifier: GPL-2.0-only
/* The machine's consoles: what a guest says and is told, and our own words. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display.h"
#include "lib/text.h"
#include "machine.h"
#include "ports.h"
#include "serial.h"

/* The terminal's, for the keyboard or a serial port. */
static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_machine *machine = ctx;

	if (machine->display)
		return hv_display_input(machine->display, data, len);
	if (hv_ports_take_input(machine))
		return hv_ports_input(machine, data, len);
	return hv_serial_input(ctx, data, len);
}

static void on_room(void *ctx)
{
	hv_ports_room(ctx);
}

static void on_quit(void *ctx)
{
	hv_machine_end(ctx, HV_END_QUIT, 0, "Ctrl-A X");
}

static void on_output_failed(void *ctx, int errnum)
{
	struct hv_machine *machine = ctx;

	/* A reader that went away is what SIGPIPE is for. */
	if (errnum == EPIPE)
		hv_machine_end(machine, HV_END_SIGNAL, SIGPIPE, "%s", "");
	else if (machine->console_end.choice.kind == HV_SERIAL_FILE)
		hv_machine_end(machine, HV_END_ERROR, 0,
			       "cannot write %s: %s; mend the file of --console",
			       machine->console_end.choice.path, strerror(errnum));
	else
		hv_machine_end(machine, HV_END_ERROR, 0,
			       "cannot write the guest's output: %s; mend standard output",
			       strerror(errnum));
}

/* Among what the terminal shows; with a screen there, to the port that would have had it. */
void hv_machine_output_debug(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_machine *machine = ctx;

	if (machine->config.display == HV_DISPLAY_NONE)
		hv_console_output(&machine->console, data, len);
	else
		hv_serial_output_beside(machine, data, len);
}

void hv_machine_add_console(struct hv_machine *machine, struct hv_console *console,
			    struct hv_console_config config)
{
	config.loop = &machine->loop;
	config.lock = &machine->lock;
	hv_console_init(console, &config);
	console->next = machine->consoles;
	machine->consoles = console;
}

void hv_machine_close_consoles(struct hv_machine *machine)
{
	for (struct hv_console *console = machine->consoles; console; console = console->next)
		hv_console_exit(console);
	machine->consoles = NULL;
}

static bool all_is_said(const struct hv_machine *machine)
{
	const struct hv_console *console = machine->consoles;

	while (console && (console->config.lossy || !console->out_len))
		console = console->next;
	return !console;
}

/* For a watch that waits for nothing itself: all are asked before each wait. */
static short stops_when_all_is_said(void *ctx)
{
	struct hv_machine *machine = ctx;

	if (all_is_said(machine))
		hv_loop_stop(&machine->loop);
	return 0;
}

void hv_machine_finish_consoles(struct hv_machine *machine)
{
	struct hv_loop *loop = &machine->loop;
	struct hv_watch last = { .fd = -1, .wants = stops_when_all_is_said, .ctx = machine };
	int error;

	/* The dead need no input and no timers. */
	hv_loop_remove(loop, &machine->timer_watch);
	for (struct hv_console *console = machine->consoles; console; console = console->next) {
		hv_loop_remove(loop, &console->in_watch);
		hv_loop_remove(loop, &console->ask_watch);
		hv_console_drain(console);
	}
	hv_loop_add(loop, &last);
	error = hv_loop_run_again(loop);
	hv_loop_remove(loop, &last);
	for (struct hv_console *console = machine->consoles; error && console;
	     console = console->next)
		hv_console_finish(console);
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return !fstat(a, &one) && !fstat(b, &other) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* Is what the guest says among our own words? What is drawn has no lines. */
static bool is_beside(const struct hv_machine *machine)
{
	return machine->config.display == HV_DISPLAY_NONE && hv_machine_has_stdio(machine) &&
	       is_same_file(STDOUT_FILENO, STDERR_FILENO);
}

int hv_machine_open_consoles(struct hv_machine *machine, struct hv_error *err)
{
	bool stdio = hv_machine_has_stdio(machine);
	int error;

	hv_machine_add_console(machine, &machine->messages,
			       (struct hv_console_config){ .in_fd = -1, .out_fd = STDERR_FILENO });
	err->subject = "--console";
	error = hv_backend_open(&machine->console_end, &machine->config.console, "the console",
				err);
	if (error)
		return error;
	hv_machine_add_console(
		machine, &machine->console,
		(struct hv_console_config){
			.in_fd = stdio ? STDIN_FILENO : machine->console_end.in_fd,
			.out_fd = stdio ? STDOUT_FILENO : machine->console_end.out_fd,
			.lossy = hv_backend_is_lossy(&machine->console_end),
			.input = give_input,
			.quit = on_quit,
			.failed = on_output_failed,
			.room = on_room,
			.ctx = machine,
		});
	if (is_beside(machine))
		machine->messages.config.beside = &machine->console;
	return 0;
}

void hv_machine_throttle(struct hv_machine *machine)
{
	for (struct hv_console *console = machine->consoles; console; console = console->next)
		hv_console_throttle(console, machine->attention_fd);
}

static __attribute__((format(printf, 2, 0))) void say(struct hv_machine *machine, const char *fmt,
						      va_list args)
{
	char line[400];
	size_t len;

	vsnprintf(line, sizeof(line) - 1, fmt, args);
	len = hv_text_clean(line, sizeof(line) - 1, line, strlen(line));
	line[len++] = '\n';
	line[len] = '\0';
	hv_console_print(&machine->messages, line);
}

void hv_machine_say(struct hv_machine *machine, const char *fmt, ...)
{
	va_list args;

	if (!machine->config.verbose)
		return;
	va_start(args, fmt);
	say(machine, fmt, args);
	va_end(args);
}

void hv_machine_note(struct hv_machine *machine, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(machine, fmt, args);
	va_end(args);
}
