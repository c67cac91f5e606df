// SPDX-License-Identifier: GPL-2.0-only
/* hvctl trace: the exits of a VM, one by one, as they come or as they were saved. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "debug/flight_filter.h"
#include "debug/flight_log.h"
#include "flights.h"
#include "lib/status.h"
#include "lib/util.h"
#include "look.h"
#include "reach.h"

/* A full ring of 4096 comes in less time only from a guest that does nothing but exit. */
#define INTERVAL_NS 10000000L

struct trace {
	/* Of whom: one of them. */
	const char *name, *read;
	char **run;			/* "run", its arguments, NULL */
	const char *save, *export;	/* instead of a text */
	struct hv_flight_filter filter;
	uint64_t limit;			/* so many are told; 0: all */
	struct hv_flight_log log;
	const char *file;		/* that it goes to; NULL: none */
	bool begun;
	int write_error;		/* errno of it, 0: none */
	struct hv_flights flights;
	uint64_t seen, told;
};

static volatile sig_atomic_t stopped;

/* ------------------------------------------------------------- command line */

enum {
	OPT_COUNT = 'n',
	OPT_REASON = 'r',
	OPT_VCPU = 'c',
	OPT_PORT = 0x100,
	OPT_MSR,
	OPT_GPA,
	OPT_RIP,
	OPT_SAVE,
	OPT_READ,
	OPT_EXPORT
};

static const struct argp_option options[] = {
	{ "reason", OPT_REASON, "REASON,...", 0, "exits for these reasons: io, ept, 30", 0 },
	{ "port", OPT_PORT, "N[-N]", 0, "IN and OUT at these ports", 0 },
	{ "msr", OPT_MSR, "N[-N]", 0, "RDMSR and WRMSR of these", 0 },
	{ "gpa", OPT_GPA, "N[-N]", 0, "EPT violations at these guest-physical addresses", 0 },
	{ "rip", OPT_RIP, "N[-N]", 0, "exits of instructions at these addresses", 0 },
	{ "vcpu", OPT_VCPU, "N[-N]", 0, "exits of these vCPUs, from 0 on", 0 },
	{ "count", OPT_COUNT, "N", 0, "end after so many", 0 },
	{ "save", OPT_SAVE, "FILE", 0, "write them there, for --read (-: standard output)", 0 },
	{ "read", OPT_READ, "FILE", 0, "those that were saved there", 0 },
	{ "export", OPT_EXPORT, "FILE", 0, "write them there for Perfetto or Chrome", 0 },
	{ 0 }
};

static void set_range(struct argp_state *state, struct hv_range *range, const char *option,
		      const char *arg, uint64_t max)
{
	struct hv_error err;

	if (hv_range_parse(range, arg, max, &err))
		argp_failure(state, HV_STATUS_USAGE, 0, "--%s %s: %s", option, arg, err.text);
}

static void set_limit(struct argp_state *state, struct trace *trace, const char *arg)
{
	struct hv_range range;
	struct hv_error err;

	if (hv_range_parse(&range, arg, INT64_MAX, &err) || range.first != range.last ||
	    !range.first)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--count %s: no number of exits; give one from 1 on", arg);
	trace->limit = range.first;
}

static void add_reasons(struct argp_state *state, struct trace *trace, const char *arg)
{
	struct hv_error err;

	if (hv_flight_filter_add_reasons(&trace->filter, arg, &err))
		argp_failure(state, HV_STATUS_USAGE, 0, "--reason %s: %s", arg, err.text);
}

/* NAME, or behind "--" the word "run" and what belongs to it. */
static void take_word(struct argp_state *state, struct trace *trace, char *arg)
{
	bool behind = state->quoted && state->next > state->quoted;

	if (behind && !trace->run && !trace->name) {
		if (strcmp(arg, "run"))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: behind -- comes run, and what it is given", arg);
		trace->run = &state->argv[state->next - 1];
		state->next = state->argc;
	} else if (!behind && !trace->name) {
		trace->name = arg;
	} else {
		hv_command_no_argument(state, arg);
	}
}

static void check(struct argp_state *state, const struct trace *trace)
{
	unsigned int sources = !!trace->name + !!trace->read + !!trace->run;

	if (!sources)
		argp_failure(
			state, HV_STATUS_USAGE, 0,
			"no VM named; 'hvctl ps' lists those that run, '-- run IMAGE' starts one");
	if (sources > 1)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "of a VM, of a file or of a new VM; leave one of them out");
	if (trace->save && trace->export)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--save or --export; the other one by --read later");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace *trace = state->input;
	struct hv_flight_filter *filter = &trace->filter;

	switch (key) {
	case OPT_REASON:
		add_reasons(state, trace, arg);
		return 0;
	case OPT_PORT:
		set_range(state, &filter->port, "port", arg, UINT16_MAX);
		return 0;
	case OPT_MSR:
		set_range(state, &filter->msr, "msr", arg, UINT32_MAX);
		return 0;
	case OPT_GPA:
		set_range(state, &filter->gpa, "gpa", arg, UINT64_MAX);
		return 0;
	case OPT_RIP:
		set_range(state, &filter->rip, "rip", arg, UINT64_MAX);
		return 0;
	case OPT_VCPU:
		set_range(state, &filter->vcpu, "vcpu", arg, UINT16_MAX);
		return 0;
	case OPT_COUNT:
		set_limit(state, trace, arg);
		return 0;
	case OPT_SAVE:
		trace->save = arg;
		return 0;
	case OPT_READ:
		trace->read = arg;
		return 0;
	case OPT_EXPORT:
		trace->export = arg;
		return 0;
	case ARGP_KEY_ARG:
		take_word(state, trace, arg);
		return 0;
	case ARGP_KEY_END:
		check(state, trace);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_trace = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME\n--read FILE\n-- run ARGUMENTS",
	.doc = "Show the VM exits of a VM, a line each, as they come.\v"
	       "What is told of an exit: the vCPU, when it was, its number, TSC ticks in the guest before and "
	       "outside of it after, RIP, and why. Of a VM that is run here that goes to standard error.",
};

/* ------------------------------------------------------------------- output */

static bool is_enough(const struct trace *trace)
{
	return stopped || trace->write_error || (trace->limit && trace->told >= trace->limit);
}

/* Returns whether more are wanted. */
static bool add(void *ctx, unsigned int vcpu, const struct tinyvmx_record *record, uint64_t outside)
{
	struct trace *trace = ctx;

	if (is_enough(trace))
		return false;
	trace->seen++;
	if (hv_flight_filter_takes(&trace->filter, vcpu, record)) {
		trace->told++;
		hv_flight_log_add(&trace->log, vcpu, record, outside);
	}
	return !is_enough(trace);
}

static void miss(void *ctx, unsigned int vcpu, uint64_t missed)
{
	struct trace *trace = ctx;

	if (!is_enough(trace))
		hv_flight_log_miss(&trace->log, vcpu, missed);
}

static void begin(void *ctx, const char *name, unsigned int vcpus, uint64_t khz)
{
	struct trace *trace = ctx;

	/* Now there is something to take the place of what was there. */
	if (trace->file && ftruncate(fileno(trace->log.out), 0) && errno != EINVAL)
		trace->write_error = errno;
	trace->begun = true;
	trace->log.khz = khz;
	hv_flight_log_begin(&trace->log, name, vcpus);
}

static void flush(struct trace *trace)
{
	if (fflush(trace->log.out) && !trace->write_error)
		trace->write_error = errno;
}

/* To its end, if there is a beginning; returns the command's status. */
static int finish(struct trace *trace, const char *command, int status)
{
	FILE *out = trace->log.out;

	if (trace->begun)
		hv_flight_log_end(&trace->log);
	flush(trace);
	if (trace->file && out != stdout && fclose(out) && !trace->write_error)
		trace->write_error = errno;
	if (trace->write_error) {
		fprintf(stderr, "%s: %s: %s; make room, or name another file\n", command,
			trace->file ?: "standard output", strerror(trace->write_error));
		return HV_STATUS_ERROR;
	}
	if (trace->begun)
		fprintf(stderr, "%s: %llu exits, %llu of them told, %llu missed\n", command,
			(unsigned long long)trace->seen, (unsigned long long)trace->told,
			(unsigned long long)trace->log.missed);
	return status;
}

static bool is_read(const struct trace *trace, int fd)
{
	struct stat written, read;

	return trace->read && !stat(trace->read, &read) && !fstat(fd, &written) &&
	       S_ISREG(read.st_mode) && read.st_dev == written.st_dev &&
	       read.st_ino == written.st_ino;
}

static int open_output(struct trace *trace, const char *command)
{
	struct hv_flight_log *log = &trace->log;
	int fd;

	trace->file = trace->save ?: trace->export;
	log->form = trace->save   ? HV_FLIGHT_SAVED :
		    trace->export ? HV_FLIGHT_CHROME :
				    HV_FLIGHT_TEXT;
	log->out = trace->run ? stderr : stdout;
	if (!trace->file)
		return 0;
	if (!strcmp(trace->file, "-")) {
		log->out = stdout;
		trace->file = NULL;
		return 0;
	}
	/* As it is, until there is something to write: that may be what is read. */
	fd = open(trace->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	log->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (log->out && !is_read(trace, fd))
		return 0;
	if (log->out) {
		fclose(log->out);
		fprintf(stderr, "%s: %s: is what is read; name another file\n", command,
			trace->file);
		return HV_STATUS_USAGE;
	}
	fprintf(stderr, "%s: %s: %s; name a file that can be written\n", command, trace->file,
		strerror(errno));
	return HV_STATUS_USAGE;
}

/* --------------------------------------------------------------------- a VM */

/* To its end, or ours. Returns 0 or -errno. */
static int follow(struct trace *trace, struct hv_client *client, struct hv_error *err)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	bool over = false;
	int n = 0;

	while (n >= 0 && !over && !is_enough(trace)) {
		n = hv_flights_fetch(&trace->flights, client, &over, err);
		flush(trace);
		if (!n && !over)
			nanosleep(&interval, NULL);
	}
	hv_flights_end(&trace->flights);
	return n < 0 ? n : 0;
}

static int trace_vm(struct trace *trace, const char *command)
{
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	if (hv_reach(&client, trace->name, &err)) {
		status = hv_reach_fail(command, trace->name, &err);
	} else if (follow(trace, &client, &err)) {
		hv_reach_fail(command, client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status;
}

/* ----------------------------------------------------------------- a new VM */

/* In a process of its own: "hvctl run", which knows us as its client. */
static int run_child(char **run, int fd)
{
	char client[40], record[40], *argv[1000] = { "hvctl run", record, client };
	int argc = 3;

	snprintf(record, sizeof(record), "--record=%d", TINYVMX_MAX_RECORDS);
	snprintf(client, sizeof(client), "--client=%d", fd);
	while (*++run && argc < (int)ARRAY_SIZE(argv) - 1)
		argv[argc++] = *run;
	return hv_cmd_run(argc, argv);
}

static int exit_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return HV_STATUS_ERROR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t child;

static void end_child(int sig)
{
	kill(child, sig);
}

static int trace_child(struct trace *trace, const char *command, int fd, pid_t pid)
{
	struct hv_client client;
	struct hv_error err;
	const struct sigaction pass_on = { .sa_handler = end_child, .sa_flags = SA_RESTART };
	int error, status;

	/* What ends it ends us, when we have told all. The terminal tells both. */
	child = pid;
	signal(SIGINT, SIG_IGN);
	sigaction(SIGTERM, &pass_on, NULL);
	error = hv_client_adopt(&client, fd, &err);
	if (!error)
		error = follow(trace, &client, &err);
	hv_client_close(&client);
	status = exit_status(pid);
	/* One that could not start has said so. */
	if (!error || status)
		return status;
	hv_reach_fail(command, NULL, &err);
	return HV_STATUS_ERROR;
}

static int trace_run(struct trace *trace, const char *command)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		fprintf(stderr, "%s: %s; close something\n", command, strerror(errno));
		return HV_STATUS_ERROR;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		exit(run_child(trace->run, fds[1]));
	}
	close(fds[1]);
	if (pid > 0)
		return trace_child(trace, command, fds[0], pid);
	close(fds[0]);
	fprintf(stderr, "%s: %s; end some processes\n", command, strerror(errno));
	return HV_STATUS_ERROR;
}

/* ------------------------------------------------------------------ command */

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

int hv_cmd_trace(int argc, char **argv)
{
	const struct sigaction stop = { .sa_handler = on_signal };
	struct trace trace = { 0 };
	const struct hv_flight_reader reader = { &trace, begin, add, miss };
	int status;

	hv_command_parse(&hv_argp_trace, argc, argv, &trace);
	status = open_output(&trace, argv[0]);
	if (status)
		return status;
	trace.flights = (struct hv_flights){ .reader = &reader, .from_start = trace.run };
	if (trace.run)
		return finish(&trace, argv[0], trace_run(&trace, argv[0]));
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	status = trace.read ? hv_flights_read(trace.read, &reader, argv[0]) :
			      trace_vm(&trace, argv[0]);
	return finish(&trace, argv[0], status);
}
