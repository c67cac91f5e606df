// SPDX-License-Identifier: GPL-2.0-only
/* --display text as its users meet it, without VT-x: a terminal, a guest, somebody who types. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <utmp.h>

#include "lib/util.h"
#include "machine_test.h"
#include "vmm/session.h"

#define ENTER       "\033[?1049h"
#define LEAVE       "\033[?1049l"
#define PATIENCE_MS 20000

/* ------------------------------------------------------------------ guests */

static void put(unsigned int row, unsigned int column, const char *words, uint8_t attribute)
{
	uint8_t *cell = fake.ram + 0xb8000 + (row * 80 + column) * 2;

	for (; *words; words++) {
		*cell++ = *words;
		*cell++ = attribute;
	}
}

static int shows(struct fake_vcpu *vcpu)
{
	put(2, 10, "Hello", 0x1f);
	put(3, 10, "\xc9\xcd\xbb", 0x4e);
	put(24, 0, "bottom", 0x07);
	return fake_compute(vcpu);
}

/* Moves the cursor to the last row first. */
static int shows_cursor(struct fake_vcpu *vcpu)
{
	static const uint16_t words[] = { 0x070e, 0x850f };

	if (vcpu->runs <= 2)
		return fake_out(vcpu, 0x3d4, 2, words[vcpu->runs - 1]);
	return shows(vcpu);
}

static int shows_and_stays(struct fake_vcpu *vcpu)
{
	put(2, 10, "Hello", 0x1f);
	return fake_compute(vcpu);
}

static int shows_and_leaves(struct fake_vcpu *vcpu)
{
	put(2, 10, "Hello", 0x1f);
	return fake_out(vcpu, 0x604, 2, 0x2000);
}

/* Another screen each time. */
static int scrolls(struct fake_vcpu *vcpu)
{
	char line[81];

	memset(line, 'a' + vcpu->runs % 26, 80);
	line[80] = 0;
	for (unsigned int row = 0; row < 25; row++)
		put(row, 0, line, vcpu->runs + row);
	return fake_in(vcpu, 0x3da, 1);
}

/* Lights two LEDs. */
static int lights(struct fake_vcpu *vcpu)
{
	static const uint8_t bytes[] = { 0xed, 0x06 };

	if (vcpu->runs <= 2)
		return fake_out(vcpu, 0x60, 1, bytes[vcpu->runs - 1]);
	return fake_compute(vcpu);
}

static int says_and_computes(struct fake_vcpu *vcpu)
{
	const char *words = "serial words\n";

	put(2, 10, "Hello", 0x1f);
	if (vcpu->runs > strlen(words))
		return fake_compute(vcpu);
	return fake_out(vcpu, 0x3f8, 1, words[vcpu->runs - 1]);
}

/* Polls the 8042, and shows what the keyboard sends. */
static int reads_keys(struct fake_vcpu *vcpu)
{
	static bool polled, fetched;
	static unsigned int column;
	uint8_t value = vcpu->run->io.data;
	char hex[3];

	if (fetched) {
		snprintf(hex, sizeof(hex), "%02x", value);
		put(5, column, hex, 7);
		column += 2;
		fetched = polled = false;
	}
	if (polled && value & 1) {
		fetched = true;
		return fake_in(vcpu, 0x60, 1);
	}
	polled = true;
	test_sleep_ms(1);
	return fake_in(vcpu, 0x64, 1);
}

/* ---------------------------------------------------------------- terminal */

struct child {
	pid_t pid;
	int fd;
	struct termios before;
	char text[1 << 20];
	size_t len, seen;
};

static struct child child;
static unsigned int verbose;
static const char *codeset = "C.UTF-8";

static void run(fake_guest_fn guest)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_session_options options = { 0 };

	config.display = HV_DISPLAY_TEXT;
	config.verbose = verbose;
	config.no_reboot = true;
	fake_reset(guest);
	_exit(hv_session_run(&config, &options));
}

static void start(fake_guest_fn guest, unsigned int rows, unsigned int columns, const char *term)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	int slave;

#ifndef HV_NCURSES
	skip();
#endif
	child.len = child.seen = 0;
	assert_int_equal(openpty(&child.fd, &slave, NULL, NULL, &size), 0);
	assert_int_equal(tcgetattr(child.fd, &child.before), 0);
	test_image();
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(child.fd);
		login_tty(slave);
		signal(SIGHUP, SIG_DFL); /* nohup has set it otherwise */
		setenv("TERM", term, 1);
		setlocale(LC_CTYPE, codeset);
		run(guest);
	}
	close(slave);
}

static bool read_more(int timeout_ms)
{
	struct pollfd fd = { child.fd, POLLIN, 0 };
	ssize_t n;

	if (poll(&fd, 1, timeout_ms) <= 0 || child.len + 1 >= sizeof(child.text))
		return false;
	n = read(child.fd, child.text + child.len, sizeof(child.text) - 1 - child.len);
	if (n <= 0)
		return false;
	child.len += n;
	child.text[child.len] = 0;
	return true;
}

/* Until @words come; what comes next is looked for behind them. */
static void expect(const char *words)
{
	const char *found;

	child.text[child.len] = 0;
	while (!(found = strstr(child.text + child.seen, words)))
		if (!read_more(PATIENCE_MS))
			fail_msg("no \"%s\" in: %s", words, child.text + child.seen);
	child.seen = found - child.text + strlen(words);
}

/* What was drawn without how: neither sequences nor control characters. */
static const char *plain(void)
{
	static char text[sizeof(child.text)];
	char *out = text;

	for (const char *in = child.text; *in; in++) {
		if (*in == '\033') {
			in++;
			in += *in == '[' ? 1 + strspn(in + 1, "0123456789;?") : strspn(in, "(");
		} else if (*in >= ' ') {
			*out++ = *in;
		}
		if (!*in)
			break;
	}
	*out = 0;
	return text;
}

/* Codes of keys, which are drawn as they come. */
static void expect_codes(const char *codes)
{
	while (!strstr(plain(), codes))
		if (!read_more(PATIENCE_MS))
			fail_msg("no \"%s\" in: %s", codes, plain());
}

static void type(const char *keys)
{
	assert_int_equal(write(child.fd, keys, strlen(keys)), strlen(keys));
}

/* Its status; the terminal is as it was. */
static int end(void)
{
	struct termios now;
	int status = -1;

	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		if (waitpid(child.pid, &status, WNOHANG) == child.pid)
			break;
		read_more(1);
		assert_int_not_equal(i, PATIENCE_MS - 1);
	}
	while (read_more(0))
		;
	assert_int_equal(tcgetattr(child.fd, &now), 0);
	assert_int_equal(now.c_lflag, child.before.c_lflag);
	assert_int_equal(now.c_iflag, child.before.c_iflag);
	close(child.fd);
	return status;
}

/* ------------------------------------------------------------------- tests */

static void test_draws(void **state)
{
	(void)state;
	start(shows, 30, 100, "xterm-256color");
	expect(ENTER);
	expect("Hello");
	expect("\u2554\u2550\u2557");
	/* It may have been drawn before the guest wrote anything. */
	child.seen = 0;
	expect("Ctrl-A X ends the VM, COM1 is /dev/pts/");
	type("\001x");
	assert_int_equal(end(), 0);
	expect(LEAVE);
	/* It has been seen. */
	assert_null(strstr(child.text, "the guest's screen"));
}

/* Few colours, too: bright ones are bold. */
static void test_draws_with_eight_colors(void **state)
{
	(void)state;
	start(shows, 30, 100, "linux");
	expect("Hello");
	expect("\u2554\u2550\u2557");
	type("\001x");
	assert_int_equal(end(), 0);
}

/* Without UTF-8: by the terminal's own characters for lines, which it switches to; or none. */
static void test_draws_without_utf8(void **state)
{
	static const char *const terms[][3] = { { "xterm", "\033(0", "lqk" },
						{ "sun", "\033[", "+-+" } };

	(void)state;
	codeset = "C";
	for (unsigned int i = 0; i < ARRAY_SIZE(terms); i++) {
		start(shows, 30, 100, terms[i][0]);
		expect("Hello");
		expect(terms[i][1]);
		expect(terms[i][2]);
		type("\001x");
		assert_int_equal(end(), 0);
		for (size_t at = 0; at < child.len; at++)
			assert_true((uint8_t)child.text[at] < 0x80);
	}
	codeset = "C.UTF-8";
}

/* What is left on it is told where the terminal was before. */
static void test_last_screen(void **state)
{
	(void)state;
	start(shows_and_leaves, 30, 100, "xterm");
	assert_int_equal(end(), 0);
	expect("the guest's screen, 80 by 25:");
	expect("|           Hello");
	assert_null(strstr(child.text + child.seen, LEAVE));
}

/* A terminal that is too low shows the rows around the cursor, and more when it grows. */
static void test_resizes(void **state)
{
	struct winsize size = { .ws_row = 30, .ws_col = 80 };

	(void)state;
	start(shows_cursor, 10, 80, "xterm");
	expect("bottom");
	assert_null(strstr(child.text, "Hello"));
	assert_int_equal(ioctl(child.fd, TIOCSWINSZ, &size), 0);
	expect("Hello");
	expect("Ctrl-A X");
	type("\001x");
	assert_int_equal(end(), 0);
}

/* No terminals, and sizes that somebody has mistyped. */
static void test_odd_sizes(void **state)
{
	static const struct winsize sizes[] = { { 1, 1, 0, 0 },
						{ 0, 0, 0, 0 },
						{ 65535, 65535, 0, 0 },
						{ 1, 65535, 0, 0 },
						{ 30, 100, 0, 0 } };

	(void)state;
	setenv("LINES", "1000000000", 1);
	start(shows_cursor, 1, 1, "xterm");
	unsetenv("LINES");
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		expect("\033[");
		assert_int_equal(ioctl(child.fd, TIOCSWINSZ, &sizes[i]), 0);
		test_sleep_ms(100);
	}
	expect("Hello");
	type("\001x");
	assert_int_equal(end(), 0);
	expect(LEAVE);
}

/* Where the rows are as few as the guest's, words of ours stand where it has written nothing. */
static void test_words_without_a_row(void **state)
{
	(void)state;
	start(says_and_computes, 24, 80, "xterm");
	expect("Ctrl-A X ends the VM, COM1 is ");
	type("\001x");
	assert_int_equal(end(), 0);
}

static void test_leds(void **state)
{
	(void)state;
	start(lights, 30, 100, "xterm");
	expect(", num lock, caps lock");
	type("\001x");
	assert_int_equal(end(), 0);
}

static void test_keys(void **state)
{
	(void)state;
	/* No row is left for words of ours when the first code is there. */
	start(reads_keys, 6, 80, "xterm");
	type("aB");
	expect_codes("1e9e2a30b0aa");
	type("\033[A");
	expect_codes("e048e0c8");
	type("\003");
	expect_codes("1d2eae9d");
	type("\033");
	expect_codes("0181");
	/* The escape twice is the key itself. */
	type("\001a");
	expect_codes("1d1e9e9d");
	type("\001x");
	assert_int_equal(end(), 0);
}

static void test_serial_is_elsewhere(void **state)
{
	char name[64], words[64];
	struct pollfd fd;
	size_t len = 0;

	(void)state;
	start(says_and_computes, 30, 100, "xterm");
	expect("hvctl: COM1 is ");
	while (!strchr(child.text + child.seen, '\r'))
		assert_true(read_more(PATIENCE_MS));
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(child.text + child.seen, "\r"),
		 child.text + child.seen);
	fd = (struct pollfd){ open(name, O_RDWR | O_NOCTTY), POLLIN, 0 };
	assert_true(fd.fd >= 0);
	while (len < 13) {
		assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
		len += read(fd.fd, words + len, sizeof(words) - len);
	}
	assert_memory_equal(words, "serial words\n", 13);
	close(fd.fd);
	expect("Hello");
	type("\001x");
	assert_int_equal(end(), 0);
	assert_null(strstr(child.text, "serial words"));
}

/* -v would be drawn over: it comes behind. */
static void test_words_of_ours_wait(void **state)
{
	(void)state;
	verbose = 2;
	start(shows_cursor, 30, 100, "xterm");
	verbose = 0;
	expect(ENTER);
	expect("Hello");
	type("\001x");
	assert_int_equal(end(), 0);
	expect(LEAVE);
	/* The two exits, which were before it was drawn. */
	expect("VM exit: ");
	expect("VM exit: ");
}

static void test_stop_and_continue(void **state)
{
	int status;

	(void)state;
	start(shows, 30, 100, "xterm");
	expect("Hello");
	kill(child.pid, SIGTSTP);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	assert_true(WIFSTOPPED(status));
	expect(LEAVE);
	kill(child.pid, SIGCONT);
	expect(ENTER);
	expect("Hello");
	kill(child.pid, SIGTERM);
	status = end();
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	expect(LEAVE);
}

static void wait_for_signal(int sig)
{
	int status;

	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		if (waitpid(child.pid, &status, WNOHANG) == child.pid)
			break;
		test_sleep_ms(1);
		assert_int_not_equal(i, PATIENCE_MS - 1);
	}
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

/* Nobody reads the terminal: that must not keep a signal from ending the VM. */
static void test_stalled_terminal(void **state)
{
	(void)state;
	start(scrolls, 30, 100, "xterm");
	expect("aaaaaaaa");
	test_sleep_ms(1000);
	kill(child.pid, SIGTERM);
	wait_for_signal(SIGTERM);
	close(child.fd);
}

/* What is no end of ours gives the terminal back, too. */
static void test_killed(void **state)
{
	int status;

	(void)state;
	start(shows, 30, 100, "xterm");
	expect("Hello");
	kill(child.pid, SIGALRM);
	status = end();
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	expect(LEAVE);
}

/* The terminal's window is closed. */
static void test_hangup(void **state)
{
	(void)state;
	start(scrolls, 30, 100, "xterm");
	expect("aaaaaaaa");
	close(child.fd);
	wait_for_signal(SIGHUP);
}

/* Nothing of ncurses' own is said, and nothing drawn. */
static void test_no_such_terminals(void **state)
{
	static const char *const cases[][2] = {
		{ "no-such-terminal", "ncurses does not know the terminal \"no-such-terminal\"; " },
		{ "", "TERM is not set, and so nothing is known of the terminal; " },
		{ "dumb",
		  "nothing can be drawn on a terminal \"dumb\", whose cursor stays where it is; " },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[200];
		int status;

		start(shows, 30, 200, cases[i][0]);
		status = end();
		assert_int_equal(WEXITSTATUS(status), 2);
		snprintf(want, sizeof(want), "hvctl run: --display text: %s", cases[i][1]);
		expect(want);
		assert_ptr_equal(strstr(child.text, want), child.text);
		assert_null(strchr(child.text, '\033'));
	}
}

/* Ten rows of twenty columns: how to get out of it stands there. */
static void test_small(void **state)
{
	(void)state;
	start(shows_and_stays, 10, 20, "xterm");
	expect("Hello");
	child.seen = 0;
	expect("Ctrl-A X ends the V");
	type("\001x");
	assert_int_equal(end(), 0);
}

static void test_no_terminal(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	int status, err[2];
	char said[400] = "";

	(void)state;
	assert_int_equal(pipe(err), 0);
	child.pid = fork();
	if (!child.pid) {
		struct hv_session_options options = { 0 };

		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(err[1], STDERR_FILENO);
		config.display = HV_DISPLAY_TEXT;
		fake_reset(shows);
		_exit(hv_session_run(&config, &options));
	}
	close(err[1]);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_true(read(err[0], said, sizeof(said) - 1) > 0);
	close(err[0]);
	assert_string_equal(
		said,
		"hvctl run: --display text: standard input and output are no terminal; run hvctl in one, or leave the option out: the screen is told at the end\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_draws_with_eight_colors),
		cmocka_unit_test(test_draws_without_utf8),
		cmocka_unit_test(test_last_screen),
		cmocka_unit_test(test_resizes),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_words_without_a_row),
		cmocka_unit_test(test_leds),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_serial_is_elsewhere),
		cmocka_unit_test(test_words_of_ours_wait),
		cmocka_unit_test(test_stop_and_continue),
		cmocka_unit_test(test_stalled_terminal),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_no_such_terminals),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_no_terminal),
	};

	return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
