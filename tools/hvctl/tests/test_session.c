// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl run as its users meet it, without VT-x: a process of its own with a terminal or
 * with pipes, a guest that talks, signals, and what is left behind.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <utmp.h>

#include "lib/util.h"
#include "machine_test.h"
#include "vmm/session.h"

#define COM1 0x3f8

/* ------------------------------------------------------------------ guests */

/* Talks on and on, a line in a few exits. */
static int talks(struct fake_vcpu *vcpu)
{
	unsigned int n = vcpu->runs;

	return fake_out(vcpu, COM1, 1, n % 60 ? 'a' + n % 26 : '\n');
}

static const char *speech;

/* A byte of @speech; false: all is said. RUNs do not count: a kick ends some before they begin. */
static bool says(struct fake_vcpu *vcpu)
{
	static size_t said; /* in each child anew */

	if (!speech[said])
		return false;
	fake_out(vcpu, COM1, 1, (uint8_t)speech[said++]);
	return true;
}

/* Says @speech, then CF9. */
static int says_and_resets(struct fake_vcpu *vcpu)
{
	return says(vcpu) ? 0 : fake_out(vcpu, 0xcf9, 1, 6);
}

/* Says @speech, then turns itself off. */
static int says_and_leaves(struct fake_vcpu *vcpu)
{
	return says(vcpu) ? 0 : fake_out(vcpu, 0x604, 2, 0x2000);
}

/* Says @speech, then thinks. */
static int says_and_computes(struct fake_vcpu *vcpu)
{
	return says(vcpu) ? 0 : fake_compute(vcpu);
}

/* ----------------------------------------------------------------- process */

struct child {
	pid_t pid;
	int to, from;			/* its standard input and output: pipes, or one terminal */
	struct termios before;
};

static int wait_status(const struct child *child, unsigned int ms)
{
	int status;

	for (unsigned int i = 0; i < ms; i++) {
		if (waitpid(child->pid, &status, WNOHANG) == child->pid)
			return status;
		test_sleep_ms(1);
	}
	kill(child->pid, SIGKILL);
	waitpid(child->pid, &status, 0);
	return -1;
}

static unsigned int cpus = 1, records;

/* In the child. */
static void run(fake_guest_fn guest, struct hv_session_options options, unsigned int verbose)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	config.cpus = cpus;
	config.records = records;
	config.verbose = verbose;
	config.no_reboot = true;
	fake_reset(guest);
	_exit(hv_session_run(&config, &options));
}

static struct child on_terminal(fake_guest_fn guest, unsigned int verbose)
{
	struct child child;
	int slave;

	assert_int_equal(openpty(&child.to, &slave, NULL, NULL, NULL), 0);
	child.from = child.to;
	assert_int_equal(tcgetattr(child.to, &child.before), 0);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(child.to);
		login_tty(slave);
		run(guest, (struct hv_session_options){ 0 }, verbose);
	}
	close(slave);
	return child;
}

static struct child on_pipes(fake_guest_fn guest, struct hv_session_options options)
{
	int in[2], out[2];
	struct child child;

	assert_int_equal(pipe(in) || pipe(out), 0);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		run(guest, options, 0);
	}
	close(in[0]);
	close(out[1]);
	child.to = in[1];
	child.from = out[0];
	return child;
}

/* All that comes until the other side closes it. */
static void read_all(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while (len < room - 1 && (n = read(fd, text + len, room - 1 - len)) > 0)
		len += n;
	text[len] = 0;
}

/* Until it has said a little; nobody reads the rest. */
static void wait_for_words(const struct child *child)
{
	struct pollfd fd = { child->from, POLLIN, 0 };
	char text[64];

	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_true(read(child->from, text, sizeof(text)) > 0);
}

/* --------------------------------------------------------- stalled terminal */

static void modes_are_back(const struct child *child)
{
	struct termios now;

	assert_int_equal(tcgetattr(child->to, &now), 0);
	assert_int_equal(now.c_lflag, child->before.c_lflag);
	assert_int_equal(now.c_iflag, child->before.c_iflag);
	assert_int_equal(now.c_oflag, child->before.c_oflag);
	close(child->to);
}

static void signal_ends_it(unsigned int verbose, int sig)
{
	struct child child = on_terminal(talks, verbose);
	int status;

	wait_for_words(&child);
	test_sleep_ms(300);
	kill(child.pid, sig);
	status = wait_status(&child, 10000);
	assert_int_not_equal(status, -1);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == sig);
	modes_are_back(&child);
}

/* Nobody reads the terminal: that must not keep a signal from ending the VM. */
static void test_signal_with_stalled_terminal(void **state)
{
	(void)state;
	signal_ends_it(0, SIGTERM);
	signal_ends_it(2, SIGTERM);
	/* No end of ours, but the terminal is put right. */
	signal_ends_it(0, SIGALRM);
	signal_ends_it(0, SIGXCPU);
	signal_ends_it(0, SIGUSR2);
}

static void test_escape_with_stalled_terminal(void **state)
{
	struct child child = on_terminal(talks, 0);
	int status;

	(void)state;
	wait_for_words(&child);
	test_sleep_ms(300);
	assert_int_equal(write(child.to, "\001x", 2), 2);
	status = wait_status(&child, 10000);
	assert_int_not_equal(status, -1);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	modes_are_back(&child);
}

static bool is_raw(const struct child *child)
{
	struct termios now;

	return !tcgetattr(child->to, &now) && !(now.c_lflag & ICANON);
}

static bool becomes(const struct child *child, bool raw)
{
	for (unsigned int i = 0; i < 5000 && is_raw(child) != raw; i++)
		test_sleep_ms(1);
	return is_raw(child) == raw;
}

/* Stopped, the terminal is as it was; going on, it is raw again. */
static void test_stop_and_continue(void **state)
{
	struct child child = on_terminal(fake_compute, 0);
	int status;

	(void)state;
	assert_true(becomes(&child, true));
	kill(child.pid, SIGTSTP);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	assert_true(WIFSTOPPED(status));
	assert_true(becomes(&child, false));
	kill(child.pid, SIGCONT);
	assert_true(becomes(&child, true));
	/* Somebody has changed it while we were stopped by force. */
	kill(child.pid, SIGSTOP);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	tcsetattr(child.to, TCSANOW, &child.before);
	kill(child.pid, SIGCONT);
	assert_true(becomes(&child, true));
	kill(child.pid, SIGTERM);
	assert_int_not_equal(wait_status(&child, 10000), -1);
	modes_are_back(&child);
}

/* A terminal that controls nobody has no background jobs: raw, too. */
static void test_terminal_that_is_not_controlling(void **state)
{
	struct child child;
	int slave;

	(void)state;
	assert_int_equal(openpty(&child.to, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(child.to, &child.before), 0);
	child.pid = fork();
	if (!child.pid) {
		setsid();
		dup2(slave, STDIN_FILENO);
		dup2(slave, STDOUT_FILENO);
		run(fake_compute, (struct hv_session_options){ 0 }, 0);
	}
	close(slave);
	assert_true(becomes(&child, true));
	kill(child.pid, SIGTERM);
	assert_int_not_equal(wait_status(&child, 10000), -1);
	modes_are_back(&child);
}

/* ----------------------------------------------------- others on the stream */

static bool becomes_nonblocking(const struct child *child, bool wanted)
{
	for (unsigned int i = 0; i < 5000; i++) {
		if (!(fcntl(child->from, F_GETFL) & O_NONBLOCK) == !wanted)
			return true;
		test_sleep_ms(1);
	}
	return false;
}

/* Its output is what cannot be opened again, so that we share the description with it. */
static struct child on_shared_output(fake_guest_fn guest, int *other_side)
{
	struct child child = { .to = -1 };

	assert_int_equal(openpty(&child.from, other_side, NULL, NULL, NULL), 0);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(child.from, STDOUT_FILENO);
		run(guest, (struct hv_session_options){ 0 }, 0);
	}
	return child;
}

/* O_NONBLOCK on it is ours while we run, and goes away whatever becomes of us. */
static void test_shared_output(void **state)
{
	int other_side, status;
	struct child child;
	char text[8];

	(void)state;
	speech = "words\n";
	child = on_shared_output(says_and_computes, &other_side);
	assert_int_equal(read(other_side, text, sizeof(text)), 6);
	assert_true(becomes_nonblocking(&child, true));
	kill(child.pid, SIGTSTP);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	assert_true(WIFSTOPPED(status));
	assert_true(becomes_nonblocking(&child, false));
	kill(child.pid, SIGCONT);
	assert_true(becomes_nonblocking(&child, true));
	kill(child.pid, SIGALRM);
	status = wait_status(&child, 10000);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	assert_true(becomes_nonblocking(&child, false));
	close(child.from);
	close(other_side);
}

static struct child on_terminal_into_pipe(fake_guest_fn guest)
{
	struct child child;
	int slave, out[2];

	assert_int_equal(openpty(&child.to, &slave, NULL, NULL, NULL) || pipe(out), 0);
	assert_int_equal(tcgetattr(child.to, &child.before), 0);
	assert_int_equal(fcntl(out[0], F_SETPIPE_SZ, 4096), 4096);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(child.to);
		close(out[0]);
		login_tty(slave);
		dup2(out[1], STDOUT_FILENO);
		close(out[1]);
		run(guest, (struct hv_session_options){ 0 }, 0);
	}
	close(slave);
	close(out[1]);
	child.from = out[0];
	return child;
}

/* It talks, so the terminal is ours; and becomes less's when the guest has ended. */
static void wait_for_end(const struct child *child)
{
	struct pollfd fd = { child->from, POLLIN, 0 };

	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_true(becomes(child, false));
}

/*
 * The guest has ended, its last words wait for "| less": the terminal is less's, stopping
 * us for a while loses nothing.
 */
static void test_last_words_wait_for_their_reader(void **state)
{
	static char words[10000], said[sizeof(words) + 1];
	struct child child;

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	speech = words;
	child = on_terminal_into_pipe(says_and_leaves);
	wait_for_end(&child);
	kill(child.pid, SIGTSTP);
	test_sleep_ms(50);
	kill(child.pid, SIGCONT);
	read_all(child.from, said, sizeof(said));
	assert_string_equal(said, words);
	assert_int_equal(wait_status(&child, 10000), 0);
	close(child.from);
	modes_are_back(&child);
}

/* ... and a signal kills us. */
static void test_signal_while_last_words_wait(void **state)
{
	struct child child;
	int status;

	(void)state;
	child = on_terminal_into_pipe(says_and_leaves);
	wait_for_end(&child);
	kill(child.pid, SIGTERM);
	status = wait_status(&child, 10000);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	close(child.from);
	modes_are_back(&child);
}

/* ------------------------------------------------------------------ reports */

static json_t *report_of(const char *words, fake_guest_fn guest, char *said, size_t room,
			 int *status)
{
	struct child child;
	char *line;
	json_t *report;

	speech = words;
	child = on_pipes(guest, (struct hv_session_options){ .json = true });
	close(child.to);
	read_all(child.from, said, room);
	*status = wait_status(&child, 10000);
	close(child.from);
	/* As "tail -n 1" finds it. */
	line = strrchr(said, '{');
	while (line && line > said && line[-1] != '\n')
		line--;
	report = line ? json_loads(line, 0, NULL) : NULL;
	if (!report)
		fail_msg("no report: %s", said);
	return report;
}

static void test_panic_of_any_bytes(void **state)
{
	static char said[65536];
	json_t *report;
	int status;

	(void)state;
	report = report_of("Kernel panic - not syncing: \xff\xfe\033[31m \xc3\xa9\n",
			   says_and_resets, said, sizeof(said), &status);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 14);
	assert_string_equal(json_string_value(json_object_get(report, "end")), "panic");
	assert_string_equal(json_string_value(json_object_get(report, "message")),
			    "guest panicked: Kernel panic - not syncing: ??[31m \xc3\xa9");
	json_decref(report);
}

/* The guest's last line has no newline: the report is a line of its own all the same. */
static void test_report_behind_half_a_line(void **state)
{
	static char said[65536];
	json_t *report;
	int status;

	(void)state;
	report = report_of("half a line", says_and_leaves, said, sizeof(said), &status);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_non_null(strstr(said, "half a line\n{"));
	json_decref(report);
	report = report_of("a line\n", says_and_leaves, said, sizeof(said), &status);
	assert_non_null(strstr(said, "a line\n{"));
	json_decref(report);
}

static bool both;

/* Its standard error, with standard output in @out_path, or with both in one. */
static int words_of(fake_guest_fn guest, struct hv_session_options options, const char *out_path,
		    char *said, size_t room)
{
	struct child child;
	int err[2];

	assert_int_equal(pipe(err), 0);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(open(out_path, O_WRONLY), STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		if (both)
			dup2(err[1], STDOUT_FILENO);
		run(guest, options, 0);
	}
	close(err[1]);
	read_all(err[0], said, room);
	close(err[0]);
	return wait_status(&child, 10000);
}

/* A line, half a line, and the end that we have to tell. */
static int says_and_halts(struct fake_vcpu *vcpu)
{
	return says(vcpu) ? 0 : fake_exit(vcpu, TINYVMX_EXIT_HLT);
}

/* On one terminal our words have a line of their own; where they go elsewhere, no empty one. */
static void test_words_behind_half_a_line(void **state)
{
	static const struct {
		const char *speech, *with;
	} cases[] = {
		{ "half a line", "half a line\nguest halted" },
		{ "a line\n", "a line\nguest halted" },
	};
	char said[4096];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		speech = cases[i].speech;
		both = true;
		words_of(says_and_halts, (struct hv_session_options){ 0 }, "/dev/null", said,
			 sizeof(said));
		both = false;
		assert_non_null(strstr(said, cases[i].with));
		words_of(says_and_halts, (struct hv_session_options){ 0 }, "/dev/null", said,
			 sizeof(said));
		assert_true(*said != '\n');
		assert_non_null(strstr(said, "guest halted"));
	}
}

/* Where there is no room for the report: the status says so, whatever the guest's end was. */
static void test_report_that_cannot_be_written(void **state)
{
	const struct hv_session_options options = { .json = true };
	char said[4096];
	int status;

	(void)state;
	speech = "";
	status = words_of(says_and_leaves, options, "/dev/full", said, sizeof(said));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 12);
	assert_string_equal(said,
			    "hvctl run: --json: cannot write the report; mend standard output\n");
}

/* The second vCPU dies while the first computes: it is the one to tell of. */
static int second_dies(struct fake_vcpu *vcpu)
{
	if (vcpu->id != 1)
		return fake_compute(vcpu);
	vcpu->regs.gpr[TINYVMX_RAX] = 0x7e57;
	return fake_exit(vcpu, TINYVMX_EXIT_SHUTDOWN);
}

static void test_report_of_the_vcpu_that_died(void **state)
{
	char said[8192];
	int status;

	(void)state;
	cpus = 3;
	status = words_of(second_dies, (struct hv_session_options){ 0 }, "/dev/null", said,
			  sizeof(said));
	cpus = 1;
	assert_int_equal(WEXITSTATUS(status), 6);
	assert_non_null(strstr(said, "registers of vCPU 1:\n  RAX    0000000000007e57"));
	assert_null(strstr(said, "registers of vCPU 0"));
}

/* ... and the exits that led to it, if they were recorded; in the report those of all. */
static int second_dies_recorded(struct fake_vcpu *vcpu)
{
	static unsigned int left = 20;

	if (vcpu->id != 1)
		return fake_compute(vcpu);
	vcpu->run->exit_reason = left ? 10 : 2;
	vcpu->run->rip = 0x1000 + left;
	if (left--)
		return fake_out(vcpu, 0x80, 1, 0);
	return fake_exit(vcpu, TINYVMX_EXIT_SHUTDOWN);
}

static void test_last_exits_of_the_vcpu_that_died(void **state)
{
	const struct hv_session_options options = { .json = true };
	static char said[65536];
	int status;

	(void)state;
	cpus = 2;
	records = 64;
	both = true;
	status = words_of(second_dies_recorded, options, "/dev/null", said, sizeof(said));
	both = false;
	cpus = 1;
	records = 0;
	assert_int_equal(WEXITSTATUS(status), 6);
	assert_non_null(strstr(said, "the last VM exits of vCPU 1, with TSC ticks"));
	assert_null(strstr(said, "  0x1010 "));
	assert_non_null(
		strstr(said, "       6        300        700  0x100f              CPUID: "));
	assert_non_null(
		strstr(said, "      21        300          -  0x1000              triple fault"));
	assert_non_null(strstr(said, "\"last_exits\":[{\"sequence\":6,"));
}

/* A file that cannot be written is complained of before the guest runs. */
static void test_dump_vmcs(void **state)
{
	static const struct hv_session_options into_null = { .dump_vmcs = "/dev/null" };
	static const struct hv_session_options nowhere = { .dump_vmcs = "/nonexistent/file" };
	static char said[65536];
	int status;

	(void)state;
	speech = "";
	status = words_of(says_and_halts, nowhere, "/dev/null", said, sizeof(said));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_string_equal(
		said,
		"hvctl run: /nonexistent/file: --dump-vmcs: No such file or directory; name a file that can be written\n");
	status = words_of(says_and_halts, into_null, "/dev/null", said, sizeof(said));
	assert_int_equal(WEXITSTATUS(status), 4);
	assert_null(strstr(said, "--dump-vmcs"));
}

static void test_reader_that_goes_away(void **state)
{
	struct child child = on_pipes(talks, (struct hv_session_options){ 0 });
	int status;

	(void)state;
	wait_for_words(&child);
	close(child.from);
	status = wait_status(&child, 10000);
	assert_int_not_equal(status, -1);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	close(child.to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal_with_stalled_terminal),
		cmocka_unit_test(test_escape_with_stalled_terminal),
		cmocka_unit_test(test_stop_and_continue),
		cmocka_unit_test(test_terminal_that_is_not_controlling),
		cmocka_unit_test(test_shared_output),
		cmocka_unit_test(test_last_words_wait_for_their_reader),
		cmocka_unit_test(test_signal_while_last_words_wait),
		cmocka_unit_test(test_panic_of_any_bytes),
		cmocka_unit_test(test_report_behind_half_a_line),
		cmocka_unit_test(test_words_behind_half_a_line),
		cmocka_unit_test(test_report_that_cannot_be_written),
		cmocka_unit_test(test_report_of_the_vcpu_that_died),
		cmocka_unit_test(test_last_exits_of_the_vcpu_that_died),
		cmocka_unit_test(test_dump_vmcs),
		cmocka_unit_test(test_reader_that_goes_away),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
