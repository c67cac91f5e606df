// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux guests, driven through hvctl's terminal as a person would.
 *
 *   shell SESSION=IMAGE...    e.g. reboot=/linux/6.1/vmlinuz
 *
 * A session is one run of hvctl, which takes a guest from its first instruction to an end of some kind.
 */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "probe.h"
#include "tap.h"

#define LIMIT_S 1500

/* --------------------------------------------------------------- the shell */

static void test_typing(void)
{
	ok(prints("echo $((6 * 7)) is it", "42 is it"), "a command runs");
	terminal_type(&term, "cat /proc/cpui\t");
	ok(terminal_wait(&term, "cpuinfo", COMMAND_S), "Tab completes a name");
	guest("", COMMAND_S);
	terminal_type(&term, "sleep 1000\r");
	terminal_idle(&term, 1);
	terminal_type(&term, "\003");
	ok(terminal_wait(&term, PROMPT, COMMAND_S), "Ctrl-C ends a command of the guest");
	ok(prints("echo $?", "130"), "... by SIGINT");
}

#define PASTE_LINES 60
#define PASTED "/tmp/pasted"

/* What a person may copy from a window: it comes faster than anyone reads. */
static void test_paste(void)
{
	char text[PASTE_LINES * 80], want[64] = "";
	size_t len = 0;
	FILE *sum;

	for (int i = 0; i < PASTE_LINES; i++)
		len += snprintf(text + len, sizeof(text) - len,
				"line %d of a pasted block, no byte of it may get lost\n", i);
	FILE *copy = fopen(PASTED, "w");

	if (!copy || fputs(text, copy) < 0 || fclose(copy))
		bail("cannot write " PASTED);
	sum = popen("md5sum <" PASTED, "r");
	if (!sum || fscanf(sum, "%63s", want) != 1 || pclose(sum))
		bail("cannot sum " PASTED);
	terminal_type(&term, "cat >" PASTED " <<END\r");
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '\r';
	terminal_type(&term, text);
	terminal_type(&term, "END\r");
	terminal_wait(&term, "> END", COMMAND_S);
	terminal_wait(&term, PROMPT, COMMAND_S);
	ok(prints("md5sum <" PASTED, want), "%d pasted lines arrive whole", PASTE_LINES);
}

/* -------------------------------------------------------------- the kernel */

static void test_interrupts(void)
{
	long before = interrupts("ttyS0"), after;

	guest("seq 1 200", COMMAND_S);
	after = interrupts("ttyS0");
	ok(before > 0 && after - before >= 30, "the serial port works by interrupts: %ld, then %ld", before, after);
	is(interrupts("SPU:"), 0, "no spurious interrupts");
	is(interrupts("ERR:"), 0, "no APIC errors");
	is(interrupts("NMI:"), 0, "no NMIs");
	ok(interrupts("LOC:") > 0, "the local APIC's timer ticks");
}

static void test_features(void)
{
	const char *text = guest("probe features", COMMAND_S);

	ok(strstr(text, " 0 fault>"), "each feature that CPUID tells works");
	diag("%.*s", (int)strcspn(text, "\r\n"), text);
	text = guest("probe registers", COMMAND_S);
	if (strstr(text, "<no AVX>"))
		skip("this CPU has no AVX", "vector registers are kept");
	else
		ok(strstr(text, "kept>"), "two processes keep their vector registers");
}

/* ------------------------------------------------------------------ clocks */

#define MARK "<time "

/* Lines that tell the guest's real time in ns, and how long after that each came here: that hides a constant. */
struct moments {
	long long first_ns, last_ns;	/* by the guest's clock */
	long long least_lag_ns;		/* of the host's clock behind the guest's */
};

static bool wait_moments(struct moments *moments, unsigned int seconds)
{
	for (int i = 0; i < PROBE_TIMES; i++) {
		const char *mark = terminal_wait(&term, MARK, seconds + COMMAND_S);
		long long host_ns = term.seen_ns, guest_ns;

		if (!mark || !terminal_wait(&term, ">", COMMAND_S))
			return false;
		guest_ns = atoll(mark + strlen(MARK));
		if (i == 0) {
			moments->first_ns = guest_ns;
			moments->least_lag_ns = host_ns - guest_ns;
		} else if (moments->least_lag_ns > host_ns - guest_ns) {
			moments->least_lag_ns = host_ns - guest_ns;
		}
		moments->last_ns = guest_ns;
	}
	return true;
}

/* Does the guest's clock agree with the host's within 0.1 % while the guest does @command for @seconds? */
static bool agrees(const char *command, unsigned int seconds)
{
	struct moments before, after;
	double guest, ahead;

	terminal_type(&term, command);
	terminal_type(&term, "\r");
	if (!wait_moments(&before, 0) || !wait_moments(&after, seconds) || !terminal_wait(&term, PROMPT, COMMAND_S))
		return false;
	guest = after.first_ns - before.last_ns;
	ahead = before.least_lag_ns - after.least_lag_ns;
	diag("%s: %.6f s in the guest, which is %.0f ppm ahead", command, guest / 1e9, ahead / guest * 1e6);
	return guest >= seconds * 1e9 && guest < seconds * 1.1e9 && fabs(ahead) < guest / 1000;
}

static void test_clocks(void)
{
	ok(prints("cat /sys/devices/system/clocksource/clocksource0/cur*", "tsc") ||
	   prints("cat /sys/devices/system/clocksource/clocksource0/cur*", "kvm-clock"), "the clock is TSC or kvm-clock");
	long ahead = atol(guest("date +%s", COMMAND_S)) - time(NULL);

	ok(labs(ahead) <= 1, "the wall clock is right within a second: %ld s ahead", ahead);
	/* One alone would be measured with what the terminal and the host's scheduler add: up to 3 ms. */
	ok(agrees("probe sleep 10", 10), "ten times a sleep of 1 s agree with the host within 0.1 %%");
	ok(agrees("probe spin 10", 10), "a busy loop of 10 s agrees within 0.1 %%");
}

/* -------------------------------------------------------------------- idle */

#define EVENT "/sys/kernel/tracing/events/tinyvmx/tinyvmx_exit/enable"
#define TRACE "/sys/kernel/tracing/trace"
#define IDLE_S 5
#define MAX_EXITS_PER_S 200

static bool put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool good = file && fputs(text, file) >= 0;

	return file && !fclose(file) && good;
}

static void test_idle(void)
{
	FILE *trace;
	char line[400];
	int exits = 0;

	terminal_idle(&term, 2);
	if (!put(TRACE, "") || !put(EVENT, "1")) {
		skip("this kernel has no tracefs", "an idle shell takes few exits");
		return;
	}
	terminal_idle(&term, IDLE_S);
	put(EVENT, "0");
	trace = fopen(TRACE, "r");
	while (trace && fgets(line, sizeof(line), trace))
		exits += !!strstr(line, "tinyvmx_exit: ");
	if (trace)
		fclose(trace);
	ok(exits > 0 && exits < MAX_EXITS_PER_S * IDLE_S, "an idle shell takes %d exits a second, fewer than %d",
	   exits / IDLE_S, MAX_EXITS_PER_S);
}

/* ---------------------------------------------------------------- sessions */

static void test_all(void)
{
	test_typing();
	test_paste();
	test_interrupts();
	test_features();
	test_clocks();
	test_idle();
	test_log();
}

/* The shell, then poweroff. */
static void session_poweroff(char *image)
{
	start(image, NULL, NULL);
	boot("boots to a prompt");
	test_all();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
	ok(strstr(term.text, "reboot: Power down"), "the kernel powers down");
}

/* The guest reboots first; then the same as above. */
static void session_reboot(char *image)
{
	start(image, NULL, NULL);
	boot("boots to a prompt");
	terminal_type(&term, "reboot\r");
	ok(terminal_wait(&term, "Linux version", BOOT_S), "reboot starts it again");
	boot("boots to a prompt again");
	test_all();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
}

static void session_no_reboot(char *image)
{
	start(image, "--no-reboot", NULL);
	boot("boots to a prompt");
	test_all();
	terminal_type(&term, "reboot\r");
	finish(STATUS_OFF, "with --no-reboot, reboot ends it with status 0");
}

static void session_panic(char *image)
{
	start(image, NULL, NULL);
	boot("boots to a prompt");
	test_typing();
	test_log();
	terminal_type(&term, "echo c >/proc/sysrq-trigger\r");
	finish(STATUS_PANIC, "a panic ends it with a status of its own");
	ok(terminal_wait(&term, "Call Trace:", 0), "the kernel's last lines are there");
	ok(terminal_wait(&term, "guest panicked: Kernel panic - not syncing: sysrq triggered crash", 0), "hvctl says why");
}

#define VERSION 0x206		/* of the boot protocol: two bytes */
#define XLOADFLAGS 0x236
#define XLF_KERNEL_64 0x01

/* A copy of a bzImage whose header is that of boot protocol 2.11, which offered no 64-bit entry point yet. */
static void make_entry32(const char *image, const char *copy)
{
	FILE *from = fopen(image, "r"), *to = fopen(copy, "w");
	static char data[1 << 20];
	size_t len = from && to ? fread(data, 1, sizeof(data), from) : 0;

	if (len <= XLOADFLAGS)
		bail("cannot copy %s", image);
	data[VERSION] = 0x0b;
	data[XLOADFLAGS] &= ~XLF_KERNEL_64;
	do {
		fwrite(data, 1, len, to);
		len = fread(data, 1, sizeof(data), from);
	} while (len);
	fclose(from);
	if (fclose(to))
		bail("cannot write %s", copy);
}

/* By the 32-bit entry point up to the kernel's first words, which it says in 64-bit mode; and two ends from outside. */
static void session_entry32(char *image)
{
	char copy[PATH_MAX];

	make_entry32(image, beside(image, "entry32", copy));
	start(copy, "--append=earlyprintk=serial,ttyS0", NULL);
	ok(terminal_wait(&term, "Linux version", BOOT_S), "a kernel without a 64-bit entry point starts");
	terminal_type(&term, "\001x");
	finish(STATUS_OFF, "Ctrl-A X ends it with status 0");
	start(copy, "-v", NULL);
	ok(terminal_wait(&term, "boot protocol linux, because of HdrS at 0x202", COMMAND_S),
	   "-v says which protocol, and why");
	ok(terminal_wait(&term, "32-bit entry", COMMAND_S), "... and which entry point");
	ok(terminal_wait(&term, "launching", COMMAND_S), "it is launched");
	kill(term.pid, SIGTERM);
	finish(128 + SIGTERM, "SIGTERM ends it by that signal");
	unlink(copy);
}

/* Without a terminal for its input: a script in the guest looks around, and powers off. */
static void session_script(char *image)
{
	char command[2 * PATH_MAX + 100], initrd[PATH_MAX];
	char *argv[] = { "sh", "-c", command, NULL };

	snprintf(command, sizeof(command), "hvctl run --initrd %s --append '" APPEND " quiet script' %s </dev/null",
		 beside(image, "initrd.gz", initrd), image);
	terminal_start(&term, argv);
	finish(STATUS_OFF, "a script runs in the guest, which powers off");
	ok(terminal_wait(&term, "# uname -a", 0) && terminal_wait(&term, "Linux guest ", 0),
	   "it printed the kernel's version");
	ok(terminal_wait(&term, "# cat /proc/interrupts", 0) && terminal_wait(&term, "ttyS0", 0), "... the interrupts");
	ok(terminal_wait(&term, "# free", 0) && terminal_wait(&term, "Mem:", 0), "... the memory");
	ok(terminal_wait(&term, "# uptime", 0) && terminal_wait(&term, "load average:", 0), "... how long it was up");
}

/* All CPUs halt with interrupts disabled: nothing can wake them. */
static void session_smp2(char *image)
{
	start(image, "--cpus=2", NULL);
	boot("two CPUs: boots to a prompt");
	test_smp(2);
	test_log();
	terminal_type(&term, "halt -f\r");
	finish(STATUS_HALTED, "halt ends it with a status of its own");
}

/* The last CPU reboots it, by a triple fault, and another one turns it off. */
static void session_smp4(char *image)
{
	start(image, "--cpus=4", "-v");
	boot("four CPUs: boots to a prompt");
	test_smp(4);
	test_log();
	guest("echo triple >/sys/kernel/reboot/type; echo 3 >/sys/kernel/reboot/cpu", COMMAND_S);
	terminal_type(&term, "reboot -f\r");
	ok(terminal_wait(&term, "vCPU 3: triple fault", COMMAND_S), "the last CPU has a triple fault");
	ok(terminal_wait(&term, "Linux version", BOOT_S), "... which starts it again");
	boot("boots to a prompt again");
	is(atoi(guest("nproc", COMMAND_S)), 4, "all CPUs are there again");
	guest("echo 2 >/sys/kernel/reboot/cpu", COMMAND_S);
	terminal_type(&term, "poweroff -f\r");
	finish(STATUS_OFF, "a CPU that is not the first turns it off");
}

static void session_virtio(char *image)
{
	start_virtio(image);
	boot("virtio devices: boots to a prompt");
	test_virtio();
	test_log();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
}

static void session_ide(char *image)
{
	start_ide(image);
	boot("IDE disks and a CD: boots to a prompt");
	test_ide();
	test_log();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
}

static void session_console(char *image)
{
	start_console(image);
	boot("a virtio console: boots to a prompt");
	test_typing();
	test_paste();
	test_console();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
	ok(strstr(term.text, "reboot: Power down"), "its last words are there");
}

#define GENERATION_S 300

/* Made again from what was saved, it sees that it is a copy: so it draws its random numbers anew. */
static void session_generation(char *image)
{
	const char *said;

	/* Late enough for its driver to be there. */
	start(image, "--device=vmgenid", "--test-reload=2@120");
	boot("a generation ID: boots to a prompt");
	said = guest("until dmesg | grep 'reseeded due to virtual'; do sleep 1; done", GENERATION_S);
	ok(strstr(said, "machine fork"), "the guest is told that it is a copy");
	test_log();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
	ok(strstr(term.text, "saved and restored 2 times"), "it was saved and restored");
}

static void session_balloon(char *image)
{
	start_balloon(image);
	boot("a balloon: boots to a prompt");
	test_balloon();
	test_log();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
}

static const struct session {
	const char *name;
	void (*run)(char *image);
} sessions[] = {
	{ "poweroff", session_poweroff },
	{ "reboot", session_reboot },
	{ "no-reboot", session_no_reboot },
	{ "panic", session_panic },
	{ "entry32", session_entry32 },
	{ "script", session_script },
	{ "smp2", session_smp2 },
	{ "smp4", session_smp4 },
	{ "virtio", session_virtio },
	{ "ide", session_ide },
	{ "console", session_console },
	{ "balloon", session_balloon },
	{ "generation", session_generation },
};

static void run_session(char *what)
{
	char *image = strchr(what, '=');

	if (!image)
		bail("%s is not SESSION=IMAGE", what);
	*image++ = '\0';
	if (*image != '/')
		bail("%s is no absolute path", image);
	if (access(image, R_OK)) {
		skip("this kernel could not be fetched or unpacked", "session %s of %s", what, image);
		return;
	}
	diag("session %s of %s", what, image);
	for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++)
		if (!strcmp(sessions[i].name, what)) {
			sessions[i].run(image);
			return;
		}
	bail("there is no session %s", what);
}

int main(int argc, char **argv)
{
	tap_init();
	alarm(LIMIT_S);
	for (int i = 1; i < argc; i++)
		run_session(argv[i]);
	return tap_exit();
}
