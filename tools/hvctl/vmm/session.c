// SPDX-License-Identifier: GPL-2.0-only
/* A machine, the terminal, the signals, and the last words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "confine.h"
#include "control.h"
#include "detach.h"
#include "display.h"
#include "lib/sandbox.h"
#include "lib/status.h"
#include "lib/tvx.h"
#include "machine.h"
#include "machine_bios.h"
#include "machine_ide.h"
#include "ports.h"
#include "report.h"
#include "screen.h"
#include "serial.h"
#include "session.h"
#include "signals.h"
#include "silence.h"
#include "state.h"
#include "stream.h"
#include "term.h"
#include "vmcs_file.h"

struct session {
	const struct hv_session_options *options;
	struct hv_machine *machine;
	struct hv_control *control;	/* NULL: it does without */
	struct hv_detach detach;
	struct hv_signals signals;
	struct hv_term term;
	struct hv_silence silence;
	struct hv_display display;
	struct hv_vmcs_file vmcs;
	bool has_term;
	bool told;			/* ... how to get out of it */
	bool mid_line;			/* standard output is */
	struct hv_timer reload_timer;
	unsigned int reloads;		/* done so far */
	unsigned int seed;
};

/* ------------------------------------------------------ terminal and signals */

static void on_deadly_signal(void *ctx, int sig)
{
	struct session *session = ctx;

	hv_machine_end(session->machine, HV_END_SIGNAL, sig, "%s", "");
}

/* Ctrl-Z from elsewhere (kill -TSTP): the shell must get its terminal as it was. */
static void before_stop(void *ctx)
{
	(void)ctx;
	hv_term_restore();
}

static void after_stop(void *ctx)
{
	struct session *session = ctx;

	hv_stream_lend_shared(false);
	if (session->has_term)
		hv_term_refresh(&session->term);
}

static void on_resized(void *ctx)
{
	struct session *session = ctx;

	hv_ports_resize(session->machine);
}

static void on_terminal_changed(void *ctx, bool ours)
{
	struct session *session = ctx;

	hv_console_set_terminal(&session->machine->console, ours);
	hv_display_set_terminal(&session->display, ours);
	hv_ports_resize(session->machine);
	if (ours && !session->told && !session->machine->display)
		hv_console_print(&session->machine->messages, "hvctl: Ctrl-A X ends the VM\n");
	session->told |= ours;
}

static int open_signals(struct session *session, struct hv_error *err)
{
	session->signals = (struct hv_signals){
		.deadly = on_deadly_signal,
		.stop = before_stop,
		.cont = after_stop,
		.resized = on_resized,
		.ctx = session,
		.watch.fd = -1,
	};
	return hv_signals_open(&session->signals, &session->machine->loop, err);
}

static void open_terminal(struct session *session)
{
	session->has_term = hv_machine_has_stdio(session->machine) && hv_term_exists();
	if (!session->has_term)
		return;
	session->term = (struct hv_term){
		.loop = &session->machine->loop,
		.changed = on_terminal_changed,
		.ctx = session,
	};
	hv_term_open(&session->term);
}

/*
 * From here on the terminal is raw and signals are ours. The guest waits: the machine is
 * held until this thread, which has still to do with who started it, is confined, too.
 */
static int start(struct session *session, struct hv_error *err)
{
	int error = hv_display_open(&session->display, session->machine, err);

	if (!error)
		error = open_signals(session, err);
	if (error)
		return error;
	open_terminal(session);
	hv_silence_watch(&session->silence, session->machine);
	error = hv_machine_hold(session->machine, err);
	/* A machine that is made anew opens all anew. */
	if (!error && session->machine->config.sandbox && !session->options->reloads)
		error = hv_confine_others(session->machine, session->control, err);
	return error ? error : hv_machine_start(session->machine, err);
}

static int let_guest_run(struct session *session, struct hv_error *err)
{
	hv_sandbox_enter(HV_SANDBOX_LOOP);
	if (!session->options->stopped)
		return hv_machine_let_go(session->machine, err);
	/* It is held as one is that was paused. */
	session->control->paused = true;
	return 0;
}

/* ------------------------------------------------------------------- reload */

#define RELOAD_MIN_NS 1000000
#define RELOAD_MAX_NS 100000000
/* One in so many takes its memory along as records, not in the memfd. */
#define RELOAD_COPIED 16

static void plan_reload(struct session *session);

static void on_reload(void *dev)
{
	struct session *session = dev;

	if (session->control && (session->control->paused || session->control->debugger))
		plan_reload(session);
	else
		hv_loop_stop(&session->machine->loop);
}

static void plan_reload(struct session *session)
{
	struct hv_clock *clock = &session->machine->loop.clock;
	uint64_t wait = RELOAD_MIN_NS + (uint64_t)rand_r(&session->seed) % RELOAD_MAX_NS;

	if (!session->reloads)
		wait += session->options->reload_after * HV_NSEC_PER_SEC;
	session->reload_timer = (struct hv_timer){ .fn = on_reload, .dev = session };
	if (session->reloads < session->options->reloads)
		hv_timer_arm(clock, &session->reload_timer, hv_now_ns(clock) + wait);
}

/* Returns false if it has ended in the meantime, or cannot be saved: then that is its end. */
static bool save(struct session *session, struct hv_state *state)
{
	struct hv_machine *machine = session->machine;
	unsigned int flags = session->reloads % RELOAD_COPIED ? HV_SAVE_MEMORY_BY_FD : 0;
	struct hv_error err;
	int error;

	if (!hv_machine_pause(machine))
		return false;
	hv_machine_ide_settle(machine);
	pthread_mutex_lock(&machine->lock);
	error = hv_machine_stop_time(machine);
	if (error)
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot stop time: %s", strerror(-error));
	else if (!hv_machine_has_ended(machine) && hv_machine_save(machine, flags, state, &err))
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot save the machine: %s", err.text);
	pthread_mutex_unlock(&machine->lock);
	if (!hv_machine_has_ended(machine))
		return true;
	hv_machine_resume(machine);
	return false;
}

/* The machine goes; signals and terminal stay ours. */
static void destroy(struct session *session)
{
	struct hv_machine *machine = session->machine;

	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "saved");
	hv_machine_join(machine);
	hv_loop_remove(&machine->loop, &session->signals.watch);
	hv_control_detach(session->control);
	hv_silence_forget(&session->silence);
	hv_display_detach(&session->display);
	if (session->has_term)
		hv_timer_cancel(&machine->loop.clock, &session->term.timer);
	/* What is still to be written was saved. */
	machine->console.out_len = 0;
	hv_machine_destroy(machine);
}

static void attach(struct session *session)
{
	struct hv_machine *machine = session->machine;

	hv_loop_add(&machine->loop, &session->signals.watch);
	hv_control_attach(session->control, machine);
	hv_silence_watch(&session->silence, machine);
	hv_display_attach(&session->display, machine);
	if (!session->has_term)
		return;
	session->term.loop = &machine->loop;
	hv_term_refresh(&session->term);
}

/* Returns 0, or -errno when there is no machine any more. */
static int reload(struct session *session, struct hv_error *err)
{
	unsigned int verbose = session->machine->config.verbose;
	struct hv_state state = { .memory_fd = -1 };

	if (!save(session, &state)) {
		hv_state_free(&state);
		return 0;
	}
	destroy(session);
	session->machine = hv_machine_restore(&state, err);
	hv_state_free(&state);
	if (!session->machine)
		return -EINVAL;
	session->machine->config.verbose = verbose;
	session->reloads++;
	attach(session);
	plan_reload(session);
	return hv_machine_start(session->machine, err);
}

/* To the machine's end. */
static int serve(struct session *session, struct hv_error *err)
{
	int error = 0;

	plan_reload(session);
	do {
		hv_machine_serve(session->machine);
		if (!hv_machine_has_ended(session->machine))
			error = reload(session, err);
	} while (!error && !hv_machine_has_ended(session->machine));
	if (!error)
		hv_machine_join(session->machine);
	return error;
}

/* --------------------------------------------------------------------- end */

static bool was_killed(const struct hv_end *end)
{
	return end->kind == HV_END_SIGNAL || end->kind == HV_END_QUIT || end->kind == HV_END_KILLED;
}

/* Who was killed waits for no reader. */
static void drain_consoles(struct hv_machine *machine)
{
	char text[300];

	hv_end_describe(&machine->end, text, sizeof(text));
	hv_machine_say(machine, "%s", text);
	for (struct hv_console *console = machine->consoles; console; console = console->next)
		hv_console_drain(console);
}

/* By the console: standard error may be a terminal that nobody reads. */
static void tell_screen(struct hv_machine *machine)
{
	char *text = NULL;
	size_t len;
	FILE *out;

	/* Who ends what they look at has seen it. */
	if (machine->end.kind == HV_END_QUIT && machine->config.display != HV_DISPLAY_NONE)
		return;
	if (hv_machine_bios_has_told(machine))
		return;
	out = open_memstream(&text, &len);
	if (!out)
		return;
	hv_screen_dump(machine, out);
	if (!fclose(out))
		hv_console_print(&machine->messages, text);
	free(text);
}

static void advise(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;
	struct hv_situation situation = {
		.end = machine->end.kind,
		.run = vcpu->run,
		.memory = &machine->memory,
		.payload = &machine->payload,
		.said_something = machine->console.out_last || hv_screen_is_used(machine),
	};
	char text[600];

	if (tvx_get_regs(vcpu->fd, &situation.regs) || tvx_get_sregs(vcpu->fd, &situation.sregs) ||
	    hv_vcpu_paging(vcpu, &situation.paging))
		return;
	hv_advise(&situation, text, sizeof(text));
	if (*text)
		fprintf(stderr, "%s\n", text);
}

/* Where in its program the guest has died, and what may help. */
static void tell_where(const struct hv_vcpu *vcpu)
{
	uint64_t rip = vcpu->run->rip;
	char text[200];

	if (hv_payload_find_symbol(&vcpu->machine->payload, rip, text, sizeof(text)))
		fprintf(stderr, "RIP 0x%llx is %s\n", (unsigned long long)rip, text);
	advise(vcpu);
}

/* What the others did when that one died. */
static void tell_others(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;
	char text[300];

	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (i != vcpu->id && hv_report_place(&machine->vcpus[i], text, sizeof(text)))
			fprintf(stderr, "%s\n", text);
}

/* What we say on standard error stands in a line of its own. */
static void begin_line(struct session *session)
{
	if (session->machine->messages.config.beside && session->mid_line)
		fputc('\n', stderr);
	session->mid_line &= !session->machine->messages.config.beside;
}

static bool is_worth_telling(const struct hv_machine *machine)
{
	switch (machine->end.kind) {
	case HV_END_ENTRY_FAILED:
	case HV_END_TRIPLE_FAULT:
	case HV_END_UNSUPPORTED:
	case HV_END_ERROR:
	case HV_END_HALTED:
	case HV_END_PANIC:
	case HV_END_KILLED:
		return true;
	default:
		return machine->config.verbose && !was_killed(&machine->end);
	}
}

static void tell_end(struct session *session)
{
	const struct hv_machine *machine = session->machine;
	const struct hv_vcpu *vcpu = &machine->vcpus[machine->end.vcpu];
	char text[300];

	if (!is_worth_telling(machine))
		return;
	begin_line(session);
	switch (machine->end.kind) {
	case HV_END_ENTRY_FAILED:
		hv_report_entry_failure(vcpu, stderr);
		/* fall through */
	case HV_END_TRIPLE_FAULT:
	case HV_END_UNSUPPORTED:
		hv_report_vcpu(vcpu, stderr);
		tell_where(vcpu);
		tell_others(vcpu);
		break;
	case HV_END_HALTED:
		advise(vcpu);
		break;
	default:
		break;
	}
	hv_report_last_exits(machine, stderr);
	hv_end_describe(&machine->end, text, sizeof(text));
	fprintf(stderr, "%s%s\n", machine->end.kind == HV_END_ERROR ? "hvctl run: " : "", text);
}

/* A line of its own, whatever the guest has left of its last one. */
static int tell_json(const struct session *session)
{
	if (session->mid_line)
		putchar('\n');
	if (!hv_report_json(session->machine, stdout))
		return 0;
	fputs("hvctl run: --json: cannot write the report; mend standard output\n", stderr);
	return -1;
}

/*
 * All that was said comes before what we have to say. The terminal is a reader's like less
 * again, and signals kill and stop again, so that waiting for readers keeps nobody; clients of
 * the control channel can see that it waits, and kill it, too.
 */
static int finish(struct session *session)
{
	struct hv_machine *machine = session->machine;

	hv_ports_stop(machine);
	pthread_mutex_lock(&machine->lock);
	hv_serial_flush(machine);
	pthread_mutex_unlock(&machine->lock);
	hv_display_close(&session->display);
	hv_silence_forget(&session->silence);
	hv_timer_cancel(&machine->loop.clock, &session->reload_timer);
	tell_screen(machine);
	hv_control_flush(session->control);
	if (was_killed(&machine->end))
		drain_consoles(machine);
	if (session->has_term)
		hv_term_close(&session->term);
	hv_signals_close(&session->signals, &machine->loop);
	if (!was_killed(&machine->end))
		hv_machine_finish_consoles(machine);
	hv_control_finish(session->control);
	session->mid_line = hv_console_end_line(&machine->console) && hv_machine_has_stdio(machine);
	hv_machine_close_consoles(machine);
	tell_end(session);
	hv_vmcs_file_write(&session->vmcs, machine);
	if (session->options->reloads || session->options->stats)
		begin_line(session);
	if (session->options->reloads)
		fprintf(stderr, "hvctl: saved and restored %u times\n", session->reloads);
	if (session->options->stats)
		hv_report_stats(machine, stderr);
	if (session->options->json && tell_json(session))
		return HV_STATUS_ERROR;
	return hv_end_status(&machine->end);
}

static int fail(const struct hv_error *err)
{
	hv_error_print("hvctl run", err);
	return HV_STATUS_USAGE;
}

/* A VM that has no name from its user may do without a channel. */
static int open_control(struct session *session, const struct hv_config *config,
			struct hv_error *err)
{
	session->control = hv_control_open(config, session->options->gdb, err);
	if (session->control)
		return hv_detach_open_log(&session->detach, session->control, err);
	if (config->name || session->options->detach || session->options->stopped ||
	    session->options->client || session->options->gdb ||
	    config->console.kind == HV_SERIAL_UNIX)
		return -EINVAL;
	fprintf(stderr, "hvctl run: %s; 'hvctl ps' will not show this VM\n", err->text);
	return 0;
}

/* It does not run. What may still run goes with the process. */
static int give_up(struct session *session, const struct hv_error *err)
{
	int status;

	hv_term_restore();
	hv_vmcs_file_close(&session->vmcs);
	status = fail(err);
	hv_detach_fail(&session->detach);
	hv_detach_close_log(&session->detach, session->control);
	if (session->machine && session->control)
		hv_control_release(session->control);
	else
		hv_control_close(session->control, NULL);
	return status;
}

static int tell_start(struct session *session, struct hv_error *err)
{
	if (hv_detach_tell(&session->detach, session->control))
		return 0;
	err->subject = "--detach";
	return hv_fail(err, EPIPE, "who has started it has gone");
}

static int run(struct session *session, const struct hv_config *config)
{
	struct hv_error err = { .subject = "run" };
	struct hv_end end;
	int status;

	hv_term_watch_ways_out();
	if (hv_vmcs_file_open(&session->vmcs, session->options->dump_vmcs, &err) ||
	    open_control(session, config, &err))
		return give_up(session, &err);
	session->machine = hv_machine_create(config, &err);
	if (!session->machine)
		return give_up(session, &err);
	hv_control_attach(session->control, session->machine);
	hv_control_adopt(session->control, session->options->client ?: -1);
	if (start(session, &err) || tell_start(session, &err) || let_guest_run(session, &err) ||
	    serve(session, &err))
		return give_up(session, &err);
	status = finish(session);
	hv_vmcs_file_close(&session->vmcs);
	end = session->machine->end;
	hv_control_detach(session->control);
	hv_machine_destroy(session->machine);
	if (config->verbose && !was_killed(&end))
		fputs("cleaned up\n", stderr);
	hv_detach_close_log(&session->detach, session->control);
	hv_control_close(session->control, &end);
	if (end.kind == HV_END_SIGNAL)
		hv_signals_die(end.detail);
	return status;
}

/* The console of a detached one is null where nothing else is said: others come by the channel. */
static int prepare_detached(struct hv_config *config, struct hv_error *err)
{
	err->subject = "--detach";
	if (config->console.kind == HV_SERIAL_STDIO)
		return hv_fail(
			err, EINVAL,
			"--console stdio is a terminal that it leaves; leave one of them out");
	if (config->display != HV_DISPLAY_NONE)
		return hv_fail(err, EINVAL,
			       "--display is on a terminal that it leaves; leave one of them out");
	if (config->console.kind == HV_SERIAL_NONE)
		config->console.kind = HV_SERIAL_NULL;
	return 0;
}

/* For its streams; @config may change for that. */
static int prepare(struct hv_config *config, const struct hv_session_options *options,
		   struct hv_error *err)
{
	int error = options->detach ? prepare_detached(config, err) : 0;

	return error ? error : hv_display_check(config, err);
}

int hv_session_check(const struct hv_config *asked, const struct hv_session_options *options,
		     struct hv_error *err)
{
	struct hv_config config = *asked;
	struct hv_machine *machine;
	int error = prepare(&config, options, err);

	if (error || (config.load.path && !strcmp(config.load.path, "-")))
		return error;
	machine = hv_machine_prepare(&config, -1, err);
	if (!machine)
		return -EINVAL;
	hv_machine_destroy(machine);
	return 0;
}

int hv_session_run(const struct hv_config *asked, const struct hv_session_options *options)
{
	struct session session = {
		.options = options,
		.detach = HV_DETACH_NONE,
		.seed = options->seed,
	};
	struct hv_config config = *asked;
	struct hv_error err = { .subject = "run" };
	int status, result = 0;

	if (prepare(&config, options, &err))
		return fail(&err);
	err.subject = "--detach";
	if (options->detach)
		result = hv_detach_fork(&session.detach, &status, &err);
	if (result < 0)
		return fail(&err);
	return result ? status : run(&session, &config);
}
