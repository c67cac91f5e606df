// SPDX-License-Identifier: GPL-2.0-only
/* The machine: what a guest is surrounded by, and how it ends. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/status.h"
#include "machine_pc.h"

static void signal_eventfd(int fd)
{
	uint64_t one = 1;

	/* It can only fail when it is readable already. */
	(void)!write(fd, &one, sizeof(one));
}

/* --------------------------------------------------------------------- end */

struct end_row {
	const char *name;
	const char *text;
	int status;
};

static const struct end_row end_rows[HV_NR_ENDS] = {
	[HV_END_NONE] = { "running", "still running", HV_STATUS_ERROR },
	[HV_END_POWEROFF] = { "poweroff", "guest powered off", HV_STATUS_OK },
	[HV_END_EXITED] = { "exit", "guest exited", 1 },
	[HV_END_HALTED] = { "halted", "guest halted", HV_STATUS_HALTED },
	[HV_END_TRIPLE_FAULT] = { "triple-fault", "guest shut down by a triple fault", HV_STATUS_TRIPLE_FAULT },
	[HV_END_ENTRY_FAILED] = { "entry-failed", "the CPU refused to enter the guest", HV_STATUS_ENTRY_FAILED },
	[HV_END_UNSUPPORTED] = { "unsupported", "unsupported", HV_STATUS_UNSUPPORTED },
	[HV_END_ERROR] = { "error", "error", HV_STATUS_ERROR },
	[HV_END_SIGNAL] = { "signal", "killed by signal", 128 },
	[HV_END_QUIT] = { "quit", "ended from the terminal", HV_STATUS_OK },
	[HV_END_REBOOT] = { "reboot", "guest rebooted", HV_STATUS_OK },
	[HV_END_PANIC] = { "panic", "guest panicked", HV_STATUS_PANIC },
};

void hv_machine_end(struct hv_machine *machine, enum hv_end_kind kind, uint32_t detail,
		    const char *fmt, ...)
{
	bool first;

	pthread_mutex_lock(&machine->end_lock);
	first = machine->end.kind == HV_END_NONE;
	if (first) {
		va_list args;

		machine->end.kind = kind;
		machine->end.detail = detail;
		va_start(args, fmt);
		vsnprintf(machine->end.text, sizeof(machine->end.text), fmt, args);
		va_end(args);
	}
	pthread_mutex_unlock(&machine->end_lock);
	if (!first)
		return;
	/* Before the kicks: a vCPU that leaves RUN must find it set. */
	atomic_store(&machine->ended, true);
	signal_eventfd(machine->stop_fd);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		hv_vcpu_kick(&machine->vcpu[i]);
}

const char *hv_end_name(const struct hv_end *end)
{
	return end_rows[end->kind].name;
}

int hv_end_status(const struct hv_end *end)
{
	if (end->kind == HV_END_EXITED)
		return (end->detail << 1 | 1) & 0xff;
	if (end->kind == HV_END_SIGNAL)
		return 128 + end->detail;
	return end_rows[end->kind].status;
}

void hv_end_describe(const struct hv_end *end, char *text, size_t len)
{
	const char *what = end_rows[end->kind].text;

	if (end->kind == HV_END_EXITED)
		snprintf(text, len, "%s with status %d (wrote 0x%x to the exit port)", what,
			 hv_end_status(end), end->detail);
	else if (end->kind == HV_END_SIGNAL)
		snprintf(text, len, "%s %u (%s)", what, end->detail, strsignal(end->detail));
	else if (*end->text)
		snprintf(text, len, "%s: %s", what, end->text);
	else
		snprintf(text, len, "%s", what);
}

static void on_exit_port(void *ctx, uint32_t value)
{
	hv_machine_end(ctx, HV_END_EXITED, value, "%s", "");
}

static void on_power_off(void *ctx)
{
	hv_machine_end(ctx, HV_END_POWEROFF, 0, "%s", "");
}

/* ----------------------------------------------------------------- console */

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
	return hv_serial_input(ctx, data, len);
}

static void on_quit(void *ctx)
{
	hv_machine_end(ctx, HV_END_QUIT, 0, "Ctrl-A X");
}

static void on_output_failed(void *ctx, int errnum)
{
	/* A reader that went away is what SIGPIPE is for. */
	if (errnum == EPIPE)
		hv_machine_end(ctx, HV_END_SIGNAL, SIGPIPE, "%s", "");
	else
		hv_machine_end(ctx, HV_END_ERROR, 0,
			       "cannot write the guest's output: %s; mend standard output",
			       strerror(errnum));
}

void hv_machine_wake(struct hv_machine *machine)
{
	signal_eventfd(machine->wake_fd);
}

static void wake(void *ctx)
{
	hv_machine_wake(ctx);
}

void hv_machine_throttle(struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_consoles; i++)
		hv_console_throttle(machine->consoles[i]);
}

static void init_console(struct hv_machine *machine, bool raw_terminal)
{
	struct hv_console_config config = {
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.stop_fd = machine->stop_fd,
		.raw = raw_terminal,
		.input = give_input,
		.quit = on_quit,
		.failed = on_output_failed,
		.wake = wake,
		.ctx = machine,
	};

	hv_console_init(&machine->console, &config);
	machine->consoles[machine->nr_consoles++] = &machine->console;
}

/* ------------------------------------------------------------------- clock */

static uint64_t monotonic_ns(struct hv_clock *clock)
{
	struct timespec ts;

	(void)clock;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Called with the machine's lock held, by any thread. */
static void rearm_timer_fd(struct hv_clock *clock)
{
	struct hv_machine *machine = (void *)((char *)clock - offsetof(struct hv_machine, clock));
	uint64_t next = hv_clock_next(clock);
	struct itimerspec when = { 0 };

	/* Zero disarms; a deadline of zero has passed long ago. */
	if (next != UINT64_MAX) {
		when.it_value.tv_sec = next / 1000000000;
		when.it_value.tv_nsec = next ? next % 1000000000 : 1;
	}
	timerfd_settime(machine->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ----------------------------------------------------------------- machine */

int hv_machine_init(struct hv_machine *machine, struct hv_error *err)
{
	machine->vm.device = machine->vm.fd = -1;
	for (unsigned int i = 0; i < HV_MAX_VCPUS; i++)
		machine->vcpu[i].fd = -1;
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		machine->serial[i].fd = machine->serial[i].slave_fd = -1;
	machine->serial[0].choice.kind = HV_SERIAL_STDIO;
	pthread_mutex_init(&machine->lock, NULL);
	pthread_mutex_init(&machine->end_lock, NULL);
	machine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	machine->clock.now_ns = monotonic_ns;
	machine->clock.rearm = rearm_timer_fd;
	if (machine->wake_fd < 0 || machine->stop_fd < 0 || machine->timer_fd < 0)
		return hv_fail(err, errno,
			       "no file descriptors: %s; close something, or raise ulimit -n",
			       strerror(errno));
	return 0;
}

int hv_machine_add_devices(struct hv_machine *machine, bool raw_terminal, struct hv_error *err)
{
	int error = 0;

	init_console(machine, raw_terminal);
	if (machine->is_pc)
		error = hv_machine_pc_init(machine);
	if (!error)
		error = hv_debugport_init(&machine->debugport, &machine->bus, hv_console_output,
					  &machine->console);
	if (!error)
		error = hv_exitport_init(&machine->exitport, &machine->bus, on_exit_port,
					 on_power_off, machine);
	if (error)
		return hv_fail(err, -error, "two devices want the same ports; please report it");
	return hv_serial_init(machine, err);
}

void hv_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void hv_machine_exit(struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		hv_vcpu_destroy(&machine->vcpu[i]);
	machine->nr_vcpus = 0;
	hv_serial_exit(machine);
	hv_vm_destroy(&machine->vm);
	hv_memory_exit(&machine->memory);
	hv_close(&machine->wake_fd);
	hv_close(&machine->stop_fd);
	hv_close(&machine->timer_fd);
	pthread_mutex_destroy(&machine->lock);
	pthread_mutex_destroy(&machine->end_lock);
}

void hv_machine_say(const struct hv_machine *machine, const char *fmt, ...)
{
	char line[400];
	va_list args;

	if (!machine->verbose)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "%s\n", line);
}
