// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux guests, driven through hvctl's terminal as a person would.
 *
 *   shell SESSION=IMAGE...    e.g. reboot=/linux/6.1/vmlinuz
 *
 * A session is one run of hvctl, which takes a guest from its first instruction to an end of some kind.
 */
#include <cpuid.h>
#include <limits.h>
#include <math.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"
#include "tap.h"
#include "terminal.h"

#define PROBE "/linux/probe.cpio"
#define PROMPT "linux# "
#define BOOT_S 200	/* until the prompt comes, in the machine's time */
#define COMMAND_S 30
#define LIMIT_S 1500

/* hvctl's exit statuses, hvctl(1) */
#define STATUS_OFF 0
#define STATUS_PANIC 14

static struct terminal term;

/* ------------------------------------------------------------------- start */

/* The kernel's tests of its ciphers would be half of the boot. */
#define APPEND "cryptomgr.notests"

/* @name in the directory of @image. */
static char *beside(const char *image, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", (int)(strrchr(image, '/') - image), image, name);
	return path;
}

/* hvctl run with the project's initramfs, the tests' own beside it, and @option if there is one. */
static void start(char *image, char *option)
{
	char initrd[PATH_MAX];
	char *argv[] = { "hvctl", "run", "--initrd", beside(image, "initrd.gz", initrd), "--initrd", PROBE,
			 "--append", APPEND, image, option, NULL };

	terminal_start(&term, argv);
}

/* In one line. */
static const char *last_words(void)
{
	static char words[150];
	size_t skip = term.len < sizeof(words) ? 0 : term.len - sizeof(words) + 1;

	snprintf(words, sizeof(words), "%s", term.text + skip);
	for (char *c = words; *c; c++)
		if (*c < ' ')
			*c = ' ';
	return words;
}

static void boot(const char *text)
{
	uint64_t began = now_ns();

	if (!ok(terminal_wait(&term, PROMPT, BOOT_S), "%s", text))
		bail("no prompt; its last words: %s", last_words());
	diag("the prompt came after %.1f s of the machine", (now_ns() - began) / 1e9);
}

/* --------------------------------------------------------------- the shell */

/* Type a command line; returns what it printed, until the next prompt. */
static const char *guest(const char *command, unsigned int seconds)
{
	static char output[TERMINAL_TEXT];
	const char *begin, *end;

	terminal_type(&term, command);
	terminal_type(&term, "\r");
	terminal_wait(&term, "\n", COMMAND_S);
	begin = term.text + term.seen;
	end = terminal_wait(&term, PROMPT, seconds);
	if (!end) {
		diag("no prompt after '%s' within %u s; the last words: %s", command, seconds, last_words());
		end = begin;
	}
	snprintf(output, sizeof(output), "%.*s", (int)(end - begin), begin);
	return output;
}

static bool prints(const char *command, const char *want)
{
	const char *got = guest(command, COMMAND_S);
	bool good = strstr(got, want);

	if (!good)
		diag("'%s' printed '%s', which has no '%s'", command, got, want);
	return good;
}

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

/* What a healthy kernel does not say; written so that what it does say does not match. */
static const char *const complaints[] = {
	"WARNING", "BUG", "[Oo]ops", "Call Trace", "general protection", "unchecked MSR", "[Ss]purious", "nobody cared",
	"unexpected IRQ", "[Ll]ost (event|interrupt)", "[Uu]nstable", "skew", "stuck", "lockup", "stall",
	"(APIC|TSC|timer).*([Ff]ail|[Ee]rror|[Uu]nable|inconsistent|[Mm]ismatch|disabled by BIOS)", "MP-BIOS",
	"calibrating APIC timer", "TSC calibration", "Refined TSC", "CPU frequency", "refined-jiffies.*Switched",
	"[Ff]irmware [Bb]ug", "ACPI.*([Ee]rror|[Ww]arning|Exception)", "irq [0-9]+:", "data leaks", "hangcheck",
	"did not (respond|complete)", "No irq handler", "unknown (NMI|interrupt)", "[Tt]imed out",
};

#define NR_COMPLAINTS (sizeof(complaints) / sizeof(complaints[0]))

/*
 * A CPU without IBRS is open to RETBleed, and the kernel says so in there as it does on the bare CPU: hiding that would
 * not help the guest.
 */
static bool is_true_here(const char *line)
{
	unsigned int eax, ebx, ecx, edx = 0;

	__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
	return strstr(line, "RETBleed: WARNING") && !(edx >> 26 & 1);
}

static int count_complaints(char *log)
{
	static char pattern[2000];
	regex_t regex;
	int found = 0;

	for (size_t i = 0; i < NR_COMPLAINTS; i++)
		snprintf(pattern + strlen(pattern), sizeof(pattern) - strlen(pattern), "%s%s", i ? "|" : "",
			 complaints[i]);
	must(-regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB));
	for (char *line = strtok(log, "\r\n"); line; line = strtok(NULL, "\r\n"))
		if (*line == '[' && !regexec(&regex, line, 0, NULL, 0)) {
			diag("%s", line);
			found += !is_true_here(line);
		}
	regfree(&regex);
	*pattern = '\0';
	return found;
}

/* All lines of the kernel's log since hvctl was started. */
static void test_log(void)
{
	static char log[TERMINAL_TEXT];

	strcpy(log, term.text);
	is(count_complaints(log), 0, "the kernel's log is clean");
	ok(strstr(term.text, "Calibrating delay loop (skipped)"), "no delay loop is calibrated");
	ok(strstr(term.text, "x2apic"), "the x2APIC is in use");
	ok(strstr(term.text, "TSC deadline timer available"), "the TSC deadline timer is there");
}

static long interrupts(const char *device)
{
	char command[80];
	const char *colon;

	snprintf(command, sizeof(command), "grep %s /proc/interrupts", device);
	colon = strchr(guest(command, COMMAND_S), ':');
	/* Newer kernels leave out what there has been none of. */
	return colon ? atol(colon + 1) : 0;
}

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

static void finish(int want, const char *text)
{
	is(terminal_end(&term, BOOT_S), want, "%s", text);
	ok(terminal_is_restored(&term), "... and the terminal is as it was");
	terminal_close(&term);
}

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
	start(image, NULL);
	boot("boots to a prompt");
	test_all();
	terminal_type(&term, "poweroff\r");
	finish(STATUS_OFF, "poweroff ends it with status 0");
	ok(strstr(term.text, "reboot: Power down"), "the kernel powers down");
}

/* The guest reboots first; then the same as above. */
static void session_reboot(char *image)
{
	start(image, NULL);
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
	start(image, "--no-reboot");
	boot("boots to a prompt");
	test_all();
	terminal_type(&term, "reboot\r");
	finish(STATUS_OFF, "with --no-reboot, reboot ends it with status 0");
}

static void session_panic(char *image)
{
	start(image, NULL);
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
	start(copy, "--append=earlyprintk=serial,ttyS0");
	ok(terminal_wait(&term, "Linux version", BOOT_S), "a kernel without a 64-bit entry point starts");
	terminal_type(&term, "\001x");
	finish(STATUS_OFF, "Ctrl-A X ends it with status 0");
	start(copy, "-v");
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
