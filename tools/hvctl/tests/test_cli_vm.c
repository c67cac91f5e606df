// SPDX-License-Identifier: GPL-2.0-only
/* The commands on VMs that run, as users meet them: hvctl itself, on a terminal or in a script. */
#include <jansson.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "cli_test.h"
#include "control_test.h"
#include "lib/status.h"

static void test_ps(void **state)
{
	json_t *list, *one;

	(void)state;
	says("ps", 0, "NAME ");
	assert_non_null(strstr(said, "\nweb "));
	assert_non_null(strstr(said, "/4M "));
	assert_non_null(strstr(said, " running\n"));
	assert_int_equal(run("ps --json"), 0);
	list = json_loads(said, 0, NULL);
	assert_int_equal(json_array_size(list), 1);
	one = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(one, "name")), "web");
	assert_int_equal(json_integer_value(json_object_get(one, "pid")), vm);
	assert_true(json_integer_value(json_object_get(one, "exits_per_second")) > 0);
	assert_null(json_object_get(one, "ok"));
	json_decref(list);
	/* One that is stopped is known, too. */
	kill(vm, SIGSTOP);
	says("ps", 0, " silent\n");
	refuses("pause web", 2, "does not answer; ");
	kill(vm, SIGCONT);
	says("ps", 0, " running\n");
}

static void test_words(void **state)
{
	char by_pid[64];

	(void)state;
	says("pause web", 0, "");
	assert_string_equal(said, "");
	says("ps", 0, " paused\n");
	refuses("pause w", HV_STATUS_ERROR, "hvctl pause: web: it is paused already\n");
	snprintf(by_pid, sizeof(by_pid), "resume %d", vm);
	says(by_pid, 0, "");
	says("reset web", 0, "");
	says("nmi web", 0, "");
	refuses("pause x", 2, "hvctl pause: x: no such VM; there are web\n");
	refuses("pause", 2, "no VM named; ");
	refuses("balloon web 2", HV_STATUS_ERROR,
		"hvctl balloon: web: it has no balloon; start it with --device balloon\n");
	refuses("stop --timeout x web", 2, "--timeout x: give 0 to 86400 seconds");
	refuses("stop --timeout 86401 web", 2, "--timeout 86401");
	refuses("console", 2, "no VM named; ");
	refuses("console web web", 2, "one VM only; ");
	refuses("ps web", 2, "no argument expected; ");
	says("ps", 0, " running\n");
}

static void test_balloon(void **state)
{
	json_t *facts;

	(void)state;
	says("balloon web 2", 0, "target                      2 MiB\n");
	assert_non_null(strstr(said, "the guest tells nothing"));
	says("balloon web", 0, "balloon                     0 MiB\n");
	says("balloon web 1024K", 0, "target                      1 MiB\n");
	assert_int_equal(run("balloon --json web 4M"), 0);
	facts = json_loads(said, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(facts, "target")), 4 << 20);
	assert_null(json_object_get(facts, "ok"));
	json_decref(facts);
	refuses("balloon web 5M", HV_STATUS_ERROR,
		"hvctl balloon: web: 5 MiB are more than the guest's RAM, 4 MiB; ");
	refuses("balloon web 2x", 2, "2x is no size of memory; give MiB, or like 2G\n");
	refuses("balloon web -- -1", 2, "-1 is no size of memory; ");
	refuses("balloon web 99999999999T", 2, "is no size of memory; ");
	refuses("balloon web 1 2", 2, "no argument expected; ");
	refuses("balloon", 2, "no VM named; ");
	refuses("balloon x", 2, "hvctl balloon: x: no such VM; there are web\n");
	says("balloon web 0", 0, "target                      0 MiB\n");
}

/* What the fake module has, in words and as JSON. */
static void test_regs(void **state)
{
	json_t *facts, *registers;

	(void)state;
	says("regs web", 0, "registers of vCPU 0:\n  RAX    ");
	assert_non_null(strstr(said, "\n  CR0    "));
	assert_non_null(strstr(said, " [PE "));
	assert_non_null(strstr(said, "\n  active; blocking by []; pending []\n"));
	assert_int_equal(run("regs --json -c 0 web"), 0);
	facts = json_loads(said, 0, NULL);
	registers = json_object_get(facts, "registers");
	assert_int_equal(json_integer_value(json_object_get(facts, "vcpu")), 0);
	assert_string_equal(json_string_value(json_object_get(registers, "RIP")), "0x100000");
	assert_null(json_object_get(facts, "ok"));
	json_decref(facts);
	refuses("regs --vcpu 1 web", HV_STATUS_ERROR,
		"hvctl regs: web: \"vcpu\" is none of its 1, from 0 on; ");
	refuses("regs --vcpu x web", 2, "--vcpu x: is no number; ");
	refuses("regs web web", 2, "no argument expected; ");
	refuses("regs", 2, "no VM named; ");
	says("pause web", 0, "");
	says("regs web", 0, "registers of vCPU 0:\n");
	says("resume web", 0, "");
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

/* Of the fake module: a few fields, of which the host's are not shown. */
static void test_vmcs_verbs(void **state)
{
	char path[] = "/tmp/test_cli_vm.XXXXXX", command[200];
	json_t *facts;

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	says("vmcs dump web", 0, "guest-state area:\n  guest CR0  ");
	assert_non_null(strstr(said, " 0x80000021  PE, NE, PG\n"));
	assert_non_null(strstr(said, " not shown\nVM-execution control fields:\n"));
	assert_non_null(strstr(said, "0x17  external-interrupt exiting, bits 2:1, bit 4\n"));
	assert_int_equal(run("vmcs dump --json web"), 0);
	facts = json_loads(said, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(facts, "fields")), 5);
	json_decref(facts);

	says("vmcs save web", 0, "0x4000 0x0000000000000017  # pin-based VM-execution controls\n");
	snprintf(command, sizeof(command), "vmcs save web %s", path);
	says(command, 0, "");
	snprintf(command, sizeof(command), "vmcs diff web %s", path);
	says(command, 0, "");
	assert_string_equal(said, "");
	write_text(path, "4000 16\n6800 80000021\n6c00 80050033\n6c02 0\n6c16 0\n");
	says(command, 1, "pin-based VM-execution controls\n  - 0x17  ");
	assert_non_null(strstr(said, "\n  + 0x16  bits 2:1, bit 4\n"));
	assert_null(strstr(said, "CR0"));
	snprintf(command, sizeof(command), "vmcs diff --json %s %s", path, path);
	says(command, 0, "[]\n");
	says("vmcs watch web --interval 0.01 --count 2", 0, "--- ");
	assert_int_equal(run("vmcs watch web --interval 0.01 --count 1 --json"), 0);
	facts = json_loads(said, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(facts, "changes")), 0);
	json_decref(facts);
	unlink(path);
}

static void test_vmcs_refusals(void **state)
{
	static const struct {
		const char *arguments;
		int status;
		const char *with;
	} rows[] = {
		{ "vmcs", 2, "nothing to do; use dump, save, diff or watch" },
		{ "vmcs drop web", 2, "drop: no such verb; use dump, save, diff or watch" },
		{ "vmcs dump", 2, "dump takes a VM: hvctl vmcs dump NAME" },
		{ "vmcs dump web x", 2, "dump takes a VM: " },
		{ "vmcs diff web", 2, "diff takes a VM or a file, and a file: " },
		{ "vmcs save web a b", 2, "no argument expected; " },
		{ "vmcs dump nobody", 2, "hvctl vmcs: nobody: " },
		{ "vmcs dump --vcpu 1 web", 12, "\"vcpu\" is none of its 1, from 0 on; " },
		{ "vmcs dump --vcpu -1 web", 2, "--vcpu -1: give a number from 0 to 65535" },
		{ "vmcs watch --interval 0 web", 2, "--interval 0: give 0.01 to 3600 seconds" },
		{ "vmcs watch --count 0 web", 2, "--count 0: give a number from 1 to " },
		{ "vmcs save web /nonexistent/file", 12, "/nonexistent/file: No such file or " },
		{ "vmcs diff web /nonexistent/file", 2, "/nonexistent/file: No such file or " },
		{ "vmcs diff /dev/null /dev/null", 2, "/dev/null: no VMCS field in it; " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refuses(rows[i].arguments, rows[i].status, rows[i].with);
	assert_int_equal(run("vmcs dump web >/dev/full"), 12);
}

static void test_why(void **state)
{
	json_t *facts;

	(void)state;
	says("why web", 0, "vCPU 0 ");
	assert_int_equal(run("why --json web"), 0);
	facts = json_loads(said, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(facts, "state")), "running");
	assert_int_equal(json_array_size(json_object_get(facts, "vcpus")), 1);
	json_decref(facts);
	says("pause web", 0, "");
	says("why web", 0, "web: paused: 'hvctl resume' has it go on\n");
	says("resume web", 0, "");
	refuses("why", 2, "no VM named; ");
	refuses("why x", 2, "hvctl why: x: no such VM; ");
}

/* In the place of gdb: tells what it was given. */
static void make_up_gdb(void)
{
	char path[sizeof(top) + 4];
	FILE *file;

	snprintf(path, sizeof(path), "%s/gdb", top);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("#!/bin/sh\nprintf '<%s>' \"$@\"\n", file);
	fclose(file);
	assert_int_equal(chmod(path, 0700), 0);
	setenv("PATH", top, 1);
}

static void test_gdb(void **state)
{
	char *path = strdup(getenv("PATH"));

	(void)state;
	make_up_gdb();
	says("gdb we", 0, "<-q><-ex><target remote | '/");
	says("gdb we", 0, "' gdb --pipe 'web'>");
	says("gdb --arch i386 web -- -nx -ex 'info threads' file", 0,
	     "' gdb --pipe --arch 'i386' 'web'><-nx><-ex><info threads><file>");
	setenv("PATH", "/nowhere", 1);
	refuses("gdb web", HV_STATUS_ERROR, "hvctl gdb: gdb: No such file or directory; install ");
	setenv("PATH", path, 1);
	free(path);
	/* There is nobody at the other side: it leaves at once. */
	begins("gdb --pipe web", "");
	says("ps", 0, "running");
	refuses("gdb --pipe --arch z80 web", 2, "hvctl gdb: web: \"arch\" is none of ");
	refuses("gdb", 2, "no VM named; ");
	refuses("gdb --pipe web more", 2, "no argument expected; ");
	refuses("gdb x", 2, "hvctl gdb: x: no such VM; ");
	refuses("gdb --pipe x", 2, "hvctl gdb: x: no such VM; ");
}

/* Of 1,024 pages; what it was asked to forget it has not used the next time. */
static char uses_some(uint64_t page, bool forget)
{
	static bool forgotten;
	bool before = forgotten;

	if (page == 1023)
		forgotten = forget;
	if (before)
		return page == 1 ? 'r' : 0;
	return page < 4 ? 'w' : page == 70 ? 'r' : 0;
}

static int start_warm(void **state)
{
	use = uses_some;
	start(state);
	use = NULL;
	return 0;
}

static void test_heat(void **state)
{
	json_t *facts, *range;

	(void)state;
	/* Cells of one page: 64 a line, and quiet lines as one. */
	begins("heat --seconds 0 web",
	       "           0  WWWW............................................................\n"
	       "       40000  ......R.........................................................\n"
	       "       80000  ................................................................\n"
	       "Since the last look it used 0.02 MiB of 4.00 MiB, wrote 0.02 MiB. A letter is 4 KiB:\n");
	begins("heat web",
	       "           0  .R..............................................................\n"
	       "       40000  ................................................................\n"
	       "In 1 s it used ");
	assert_int_equal(run("heat --json --seconds 0 web"), 0);
	facts = json_loads(said, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(facts, "cell_pages")), 1);
	range = json_array_get(json_object_get(facts, "ranges"), 0);
	assert_int_equal(json_array_size(json_object_get(range, "used")), 1024);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(range, "used"), 1)), 1);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(range, "written"), 1)),
			 0);
	json_decref(facts);
	refuses("heat web web", 2, "no argument expected; ");
	refuses("heat", 2, "no VM named; ");
	refuses("heat --seconds -1 web", 2, "--seconds -1: is no time; ");
	refuses("heat --seconds 3601 web", 2, "give 0 to 3600 seconds");
	refuses("heat x", 2, "hvctl heat: x: no such VM; there are web\n");
	assert_int_equal(run("heat web >/dev/full"), HV_STATUS_ERROR);
}

static void test_walk(void **state)
{
	static const char *const looks[] = {
		"walk web 0 >/dev/full",
		"regs web >/dev/full",
		"mem --json web 0 >/dev/full",
		"why web >/dev/full",
	};
	unsigned int walks = 0;
	json_t *facts;

	(void)state;
	says("walk web 0x100010", 0, "linear address 0x100010, vCPU 0:\n  PML4[0] at 0x");
	assert_non_null(strstr(
		said,
		"guest-physical 0x100010, a page of 2 MiB: writable, supervisor, executable"));
	assert_non_null(strstr(said, "  backed by RAM, slot 0 (0x0-0x3fffff), offset 0x100010\n"));
	assert_non_null(strstr(said, ", PT[256] [R W X A D]: 4 KiB, WB, PAT ignored\n  backed by"));
	/* Each of the three entries by one of its own. */
	for (const char *at = strstr(said, "  PML4[0] at");
	     (at = strstr(at, "\n    EPT: PML4[0] ")); at++)
		walks++;
	assert_int_equal(walks, 4);
	says("walk web rip", 0, "guest-physical 0x100000, ");
	says("walk web 0xfec00000", 0, "  backed by a device, ioapic\n");
	says("walk web 0x10000000", 0, "PD[128] []: not mapped\n  backed by nothing: ");
	says("walk web 0x8000000000", 0, "PML4[1] at 0x");
	assert_non_null(strstr(said, "[]: not present\n    EPT: "));
	assert_non_null(strstr(said, "PAT ignored\n  nothing is mapped there\n"));
	says("walk web 0x800000000000", 0, "  it is not canonical\n");
	assert_int_equal(run("walk --json web 4096"), 0);
	facts = json_loads(said, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(facts, "address")), "0x1000");
	assert_int_equal(json_array_size(json_object_get(facts, "steps")), 3);
	json_decref(facts);
	refuses("walk web nowhere", HV_STATUS_ERROR,
		"hvctl walk: web: \"address\" is no number and no register; ");
	refuses("walk web 0x12x", HV_STATUS_ERROR, "is no number and no register; ");
	refuses("walk web", 2, "no address given; ");
	refuses("walk web $(printf '\\377')", 2, "that address is no text; ");
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		assert_int_equal(run(looks[i]), HV_STATUS_ERROR);
	refuses("walk web 1 2", 2, "no argument expected; ");
}

static void test_mem(void **state)
{
	json_t *facts;

	(void)state;
	says("mem web 0x0 17", 0, "0000000000000000  ");
	assert_non_null(strstr(said, "\n0000000000000010  "));
	says("mem web 0x8000000000 2", 0, "0000008000000000  ?? ??    ");
	says("mem --physical web 0x3ffffe 4", 0, "  00 00 ?? ??   ");
	says("mem web rip 1 --disassemble", 0, "          0x100000  ");
	assert_int_equal(run("mem --json web 0 4"), 0);
	facts = json_loads(said, 0, NULL);
	assert_int_equal(strlen(json_string_value(json_object_get(facts, "bytes"))), 8);
	json_decref(facts);
	/* All that a reply may have. */
	says("mem web 0 32768", 0, "0000000000000000  ");
	refuses("mem web 0 32769", HV_STATUS_ERROR,
		"hvctl mem: web: \"count\" is not 1 to 32768; ");
	refuses("mem -d web 0 129", HV_STATUS_ERROR, "\"count\" is not 1 to 128; ");
	refuses("mem web 0 0", HV_STATUS_ERROR, "\"count\" is not 1 to ");
	refuses("mem web 0 x", 2, "x is no count; ");
	refuses("mem web", 2, "no address given; ");
}

static void test_ambiguous(void **state)
{
	struct hv_client other;
	pid_t pid = start_named("web-2", HV_MACHINE_PC);

	(void)state;
	connect_to(&other, "web-2");
	hv_client_close(&other);
	refuses("kill we", 2, "which of web, web-2?\n");
	says("kill web-", 0, "web-2: guest ended from outside: ");
	assert_int_equal(status_of(pid), HV_STATUS_KILLED);
	says("kill web nobody", 2, "hvctl kill: nobody: no such VM; there is none\n");
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

static void test_stop(void **state)
{
	(void)state;
	says("stop web", 0, "web: power button pressed; power-off in 30 s at the latest\n");
	assert_non_null(strstr(said, "web: guest powered off\n"));
	assert_int_equal(ended(), 0);
	says("ps", 0, "NAME ");
	assert_null(strstr(said, "web"));
}

static void test_stop_that_lasts_too_long(void **state)
{
	(void)state;
	says("stop -t 1 web", 0, "no answer to the power button in 1 s\n");
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

/* That a guest is told to end and fails then is no failure of who has told it. */
static void test_stop_of_one_that_fails(void **state)
{
	(void)state;
	says("stop web", 0, "web: error: ");
	assert_int_equal(ended(), HV_STATUS_ERROR);
}

/* Who waits has come: the second client. */
static void wait_for_clients(long long count)
{
	for (unsigned int i = 0; i < 10000; i++) {
		json_t *reply, *number;
		struct hv_error err;

		assert_int_equal(hv_client_call(&client, json_pack("{s:s}", "request", "status"),
						&reply, &err),
				 0);
		number = json_object_get(reply, "clients");
		if (json_integer_value(number) == count) {
			json_decref(reply);
			return;
		}
		json_decref(reply);
		test_sleep_ms(1);
	}
	fail();
}

/* Its status, of a VM that gets @sig meanwhile. */
static int wait_while_killing(int sig)
{
	pid_t pid = fork();

	if (!pid) {
		execl(hvctl, "hvctl", "wait", "web", NULL);
		_exit(127);
	}
	wait_for_clients(2);
	/* It has said so: its greeting came before. */
	test_sleep_ms(200);
	kill(vm, sig);
	return status_of(pid);
}

static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(wait_while_killing(SIGTERM), 128 + SIGTERM);
}

static void test_wait_for_sudden_death(void **state)
{
	(void)state;
	assert_int_equal(wait_while_killing(SIGKILL), HV_STATUS_ERROR);
}

/* ---------------------------------------------------------------- terminal */

struct terminal {
	pid_t pid;
	int fd;
	struct termios before;
	size_t len;
	char text[8192];
};

static void open_console(struct terminal *terminal, const char *arguments)
{
	struct termios modes;

	terminal->len = 0;
	fflush(NULL);
	terminal->pid = forkpty(&terminal->fd, NULL, NULL, NULL);
	if (!terminal->pid) {
		/* The shell shows, when it is back, that the terminal is as it was. */
		execl("/bin/sh", "sh", "-c", arguments, hvctl, NULL);
		_exit(127);
	}
	assert_int_equal(tcgetattr(terminal->fd, &modes), 0);
	terminal->before = modes;
}

static void expect(struct terminal *terminal, const char *text)
{
	struct pollfd fd = { terminal->fd, POLLIN, 0 };

	while (!memmem(terminal->text, terminal->len, text, strlen(text))) {
		ssize_t n = 0;

		if (poll(&fd, 1, 10000) == 1)
			n = read(terminal->fd, terminal->text + terminal->len,
				 sizeof(terminal->text) - 1 - terminal->len);
		if (n <= 0)
			fail_msg("no \"%s\" but \"%.*s\"", text, (int)terminal->len,
				 terminal->text);
		terminal->len += n;
	}
}

static void type(struct terminal *terminal, const char *text)
{
	assert_int_equal(write(terminal->fd, text, strlen(text)), strlen(text));
}

static void modes_are_back(struct terminal *terminal)
{
	struct termios now;

	assert_int_equal(tcgetattr(terminal->fd, &now), 0);
	assert_int_equal(now.c_lflag, terminal->before.c_lflag);
	assert_int_equal(now.c_iflag, terminal->before.c_iflag);
	assert_int_equal(now.c_oflag, terminal->before.c_oflag);
}

#define THEN_WAIT "$0 console web; echo status $?; read line"

/* Shows what was said, types, leaves; the other way to leave; the terminal is as it was. */
static void test_console(void **state)
{
	static const char *const leave[] = { "\001d", "\001D", "\035" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leave); i++) {
		struct terminal terminal;

		open_console(&terminal, THEN_WAIT);
		expect(&terminal, "hvctl: Ctrl-A D leaves the console of web");
		expect(&terminal, "hello");
		type(&terminal, "abc\001x\001ad");
		expect(&terminal, "ABC\001D");
		type(&terminal, leave[i]);
		expect(&terminal, "status 0");
		modes_are_back(&terminal);
		close(terminal.fd);
		assert_int_not_equal(status_of(terminal.pid), -1);
	}
	says("ps", 0, " running\n");
}

static void test_second_console(void **state)
{
	struct terminal first, second;

	(void)state;
	open_console(&first, THEN_WAIT);
	expect(&first, "hello");
	open_console(&second, THEN_WAIT);
	expect(&second, "types there; here you can only look");
	type(&second, "xyz");
	type(&first, "abc");
	expect(&first, "ABC");
	expect(&second, "ABC");
	assert_null(memmem(second.text, second.len, "XYZ", 3));
	says("kill web", 0, "");
	expect(&first, "web: guest ended from outside");
	expect(&first, "status 0");
	expect(&second, "status 0");
	modes_are_back(&first);
	modes_are_back(&second);
	close(first.fd);
	close(second.fd);
	assert_int_not_equal(status_of(first.pid), -1);
	assert_int_not_equal(status_of(second.pid), -1);
}

static void test_console_of_sudden_death(void **state)
{
	struct terminal terminal;

	(void)state;
	open_console(&terminal, THEN_WAIT);
	expect(&terminal, "hello");
	kill(vm, SIGKILL);
	expect(&terminal, "has gone without a word; it was killed");
	expect(&terminal, "status 12");
	modes_are_back(&terminal);
	close(terminal.fd);
	assert_int_not_equal(status_of(terminal.pid), -1);
}

#define WITH_PID "sh -c 'echo pid $$; exec \"$0\" console web' $0; echo status $?; read line"

static void test_console_killed(void **state)
{
	struct terminal terminal;

	(void)state;
	open_console(&terminal, WITH_PID);
	expect(&terminal, "hello");
	terminal.text[terminal.len] = 0;
	kill(atoi(strstr(terminal.text, "pid ") + 4), SIGTERM);
	expect(&terminal, "status 143");
	modes_are_back(&terminal);
	close(terminal.fd);
	assert_int_not_equal(status_of(terminal.pid), -1);
}

/* -------------------------------------------------------------------- stat */

static void test_stat(void **state)
{
	static const char page[] = "/tmp/hv-stat-page";
	char text[200];
	json_t *bill;
	FILE *file;

	(void)state;
	/* The only one needs no name. */
	begins("stat --seconds 1", "web: ");
	assert_non_null(strstr(said, " kern. hvctl what\n"));
	assert_non_null(strstr(said, "I/O instruction, port 0x3fd\n"));
	assert_non_null(strstr(said, "the dearest, I/O instruction, port 0x"));
	assert_int_equal(run("stat --json --seconds 1 web"), 0);
	bill = json_loads(said, 0, NULL);
	assert_true(json_integer_value(json_object_get(bill, "exits")) > 10);
	assert_string_equal(json_string_value(json_object_get(bill, "name")), "web");
	json_decref(bill);
	says("stat --seconds 1 --html /tmp/hv-stat-page web", 0, "");
	assert_string_equal(said, "");
	file = fopen(page, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "<!DOCTYPE html>\n");
	fclose(file);
	unlink(page);
	/* What was saved makes the same. */
	says("trace --count 50 --save /tmp/hv-stat-page web", 0, "50 of them told");
	begins("stat --read /tmp/hv-stat-page", "web: 5");
	unlink(page);
}

static void test_stat_refusals(void **state)
{
	(void)state;
	refuses("stat --seconds 0 web", 2, "--seconds 0: is no time; ");
	refuses("stat --seconds 1 --html /nothing/page web", HV_STATUS_ERROR,
		"/nothing/page: No such file or directory; name a file that can be written");
	refuses("stat --read /nothing", 2, "/nothing: No such file or directory; ");
	refuses("stat --read /dev/null web", 2, "only one of them; ");
	refuses("stat --read /proc/self/status", 2, "/proc/self/status:1: is none that ");
	refuses("stat x", 2, "hvctl stat: x: no such VM; there are web\n");
	refuses("stat web web", 2, "no argument expected; ");
	assert_int_equal(run("stat --seconds 1 web >/dev/full"), HV_STATUS_ERROR);
}

#define LIVE "\"$0\" stat web; echo status $?; read line"

/* It fills no more than there is, and goes as it came. */
static void test_stat_live(void **state)
{
	const struct winsize small = { .ws_row = 7, .ws_col = 60 };
	struct terminal terminal;

	(void)state;
	open_console(&terminal, LIVE);
	expect(&terminal, "\033[?1049h");
	expect(&terminal, "I/O instruction, port 0x3fd\033[K");
	expect(&terminal, "the dearest, ");
	assert_int_equal(ioctl(terminal.fd, TIOCSWINSZ, &small), 0);
	expect(&terminal, "% I/O ins\033[K");
	type(&terminal, "q");
	expect(&terminal, "\033[?25h\033[?1049l");
	expect(&terminal, "status 0");
	modes_are_back(&terminal);
	close(terminal.fd);
	assert_int_not_equal(status_of(terminal.pid), -1);
	says("ps", 0, " running\n");
}

static void test_stat_live_of_sudden_death(void **state)
{
	struct terminal terminal;

	(void)state;
	open_console(&terminal, LIVE);
	expect(&terminal, "I/O instruction, port");
	kill(vm, SIGKILL);
	expect(&terminal, "\033[?1049l");
	expect(&terminal, "hvctl stat: web: ");
	expect(&terminal, "status 12");
	modes_are_back(&terminal);
	close(terminal.fd);
	assert_int_not_equal(status_of(terminal.pid), -1);
}

/* A VM that does not answer keeps nobody from leaving. */
static void test_stat_live_of_silence(void **state)
{
	struct terminal terminal;
	uint64_t begin;

	(void)state;
	open_console(&terminal, LIVE);
	expect(&terminal, "I/O instruction, port");
	kill(vm, SIGSTOP);
	/* It is asked five times a second, and more often. */
	test_sleep_ms(500);
	begin = hv_monotonic_ns();
	type(&terminal, "q");
	expect(&terminal, "\033[?1049l");
	expect(&terminal, "status 0");
	assert_in_range(hv_monotonic_ns() - begin, 0, 3 * HV_NSEC_PER_SEC);
	modes_are_back(&terminal);
	close(terminal.fd);
	assert_int_not_equal(status_of(terminal.pid), -1);
	kill(vm, SIGCONT);
	says("ps", 0, " running\n");
}

#define T(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ps, start),
		T(test_words, start),
		T(test_balloon, start_with_balloon),
		T(test_regs, start),
		T(test_vmcs_verbs, start),
		T(test_vmcs_refusals, start),
		T(test_why, start),
		T(test_gdb, start),
		T(test_heat, start_warm),
		T(test_walk, start),
		T(test_mem, start),
		T(test_ambiguous, start),
		T(test_stop, start_obedient),
		T(test_stop_that_lasts_too_long, start),
		T(test_stop_of_one_that_fails, start_breaking),
		T(test_wait, start),
		T(test_wait_for_sudden_death, start),
		T(test_console, start),
		T(test_second_console, start),
		T(test_console_of_sudden_death, start),
		T(test_console_killed, start),
		T(test_stat, start_marking),
		T(test_stat_refusals, start),
		T(test_stat_live, start_marking),
		T(test_stat_live_of_sudden_death, start_marking),
		T(test_stat_live_of_silence, start_marking),
	};
	int failed;

	if (!find_hvctl())
		return 0;
	if (!make_top())
		return 1;
	failed = cmocka_run_group_tests_name("cli_vm", tests, NULL, NULL);
	remove_top();
	return failed;
}
