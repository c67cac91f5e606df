// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest at hvctl's terminal: start it, type there, read, end it. */
#include <cpuid.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define PROBE "/linux/probe.cpio"

struct terminal term;

/* ------------------------------------------------------------------- start */

char *beside(const char *image, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", (int)(strrchr(image, '/') - image), image, name);
	return path;
}

void start_with(char *image, char *const options[])
{
	char initrd[PATH_MAX];
	char *argv[24] = { "hvctl", "run", "--initrd", beside(image, "initrd.gz", initrd), "--initrd", PROBE,
			   "--append", APPEND, image };

	for (int i = 9; *options && i < 23; i++)
		argv[i] = *options++;
	terminal_start(&term, argv);
}

void start(char *image, char *option, char *more)
{
	char *options[] = { option, more, NULL };

	start_with(image, options);
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

void boot(const char *text)
{
	uint64_t began = now_ns();

	if (!ok(terminal_wait(&term, PROMPT, BOOT_S), "%s", text))
		bail("no prompt; its last words: %s", last_words());
	diag("the prompt came after %.1f s of the machine", (now_ns() - began) / 1e9);
}

/* --------------------------------------------------------------- the shell */

const char *guest(const char *command, unsigned int seconds)
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

bool prints(const char *command, const char *want)
{
	const char *got = guest(command, COMMAND_S);
	bool good = strstr(got, want);

	if (!good)
		diag("'%s' printed '%s', which has no '%s'", command, got, want);
	return good;
}

void test_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ok(prints(rows[i].command, rows[i].want), "%s", rows[i].text);
}

/* ---------------------------------------------------------------- the host */

const char *host(const char *command)
{
	static char word[64];
	FILE *output = popen(command, "r");

	*word = '\0';
	if (!output || fscanf(output, "%63s", word) > 1 || pclose(output) < 0)
		bail("'%s' cannot be run", command);
	return word;
}

void make_disk(const char *path, unsigned int mib)
{
	FILE *file = fopen(path, "w");
	bool good = file;

	for (long i = 0; good && i < (long)mib << 20; i += sizeof(i))
		good = fwrite(&i, sizeof(i), 1, file) == 1;
	if (!good || fclose(file))
		bail("cannot write %s", path);
}

/* -------------------------------------------------------------- the kernel */

/* What a healthy kernel does not say; written so that what it does say does not match. */
static const char *const complaints[] = {
	"WARNING", "BUG", "[Oo]ops", "Call Trace", "general protection", "unchecked MSR", "[Ss]purious", "nobody cared",
	"unexpected IRQ", "warp", "[Ll]ost (event|interrupt)", "[Uu]nstable", "skew", "stuck", "lockup", "stall",
	"(APIC|TSC|timer).*([Ff]ail|[Ee]rror|[Uu]nable|inconsistent|[Mm]ismatch|disabled by BIOS)", "MP-BIOS",
	"calibrating APIC timer", "TSC calibration", "Refined TSC", "CPU frequency", "refined-jiffies.*Switched",
	"[Ff]irmware [Bb]ug", "ACPI.*([Ee]rror|[Ww]arning|Exception)", "irq [0-9]+:", "data leaks", "hangcheck",
	"did not (respond|complete)", "No irq handler", "unknown (NMI|interrupt)", "[Tt]imed out",
	"exception Emask", "failed command", "I/O error", "failed to (set|identify|IDENTIFY)", "limiting speed",
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

void test_log(void)
{
	static char log[TERMINAL_TEXT];

	strcpy(log, term.text);
	is(count_complaints(log), 0, "the kernel's log is clean");
	ok(strstr(term.text, "Calibrating delay loop (skipped)"), "no delay loop is calibrated");
	ok(strstr(term.text, "x2apic"), "the x2APIC is in use");
	ok(strstr(term.text, "TSC deadline timer available"), "the TSC deadline timer is there");
}

long interrupts(const char *device)
{
	char command[80];
	const char *colon;

	snprintf(command, sizeof(command), "grep %s /proc/interrupts", device);
	colon = strchr(guest(command, COMMAND_S), ':');
	/* Newer kernels leave out what there has been none of. */
	return colon ? atol(colon + 1) : 0;
}

/* --------------------------------------------------------------------- end */

void finish(int want, const char *text)
{
	is(terminal_end(&term, BOOT_S), want, "%s", text);
	ok(terminal_is_restored(&term), "... and the terminal is as it was");
	terminal_close(&term);
}
