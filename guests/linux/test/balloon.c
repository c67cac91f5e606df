// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest with a balloon: what it does not use is the host's again, measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define NAME "balloon"
#define FILLED_MIB 96
#define INFLATED_MIB 64
/* Of half of what "probe fragment" had: what is left of it is paging structures and the like. */
#define FRAGMENTS_MIB (FILLED_MIB / 2)
#define NEEDED_MIB 96
#define WAIT_S 60

/* The host's pages of guest RAM, and what the balloon has, by hvctl; of all of hvctl, by the kernel. */
struct memory {
	long resident_kib, actual_kib, process_kib;
};

static long number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atol(at + strlen(key)) : -1;
}

static long process_kib(void)
{
	char path[40], text[4096] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", term.pid);
	file = fopen(path, "r");
	if (!file || !fread(text, 1, sizeof(text) - 1, file))
		bail("cannot read %s", path);
	fclose(file);
	return number(text, "VmRSS:");
}

static struct memory look(const char *when)
{
	char text[2000] = "";
	FILE *output = popen("hvctl balloon --json " NAME, "r");
	struct memory memory;

	if (!output || !fread(text, 1, sizeof(text) - 1, output) || pclose(output))
		bail("'hvctl balloon' fails");
	memory = (struct memory){
		.resident_kib = number(text, "\"resident\":") / 1024,
		.actual_kib = number(text, "\"actual\":") / 1024,
		.process_kib = process_kib(),
	};
	diag("%s: %ld KiB of guest RAM, %ld KiB of hvctl, %ld KiB in the balloon", when, memory.resident_kib,
	     memory.process_kib, memory.actual_kib);
	return memory;
}

static void inflate(int mib)
{
	char command[80];

	snprintf(command, sizeof(command), "hvctl balloon " NAME " %d >/dev/null", mib);
	is(system(command), 0, "'hvctl balloon " NAME " %d'", mib);
}

/* The guest gets there by and by. */
static struct memory wait_for(int mib, const char *when)
{
	struct memory memory = look(when);

	for (int i = 0; i < WAIT_S / 2 && memory.actual_kib != mib * 1024L; i++) {
		terminal_idle(&term, 2);
		memory = look(when);
	}
	is(memory.actual_kib, mib * 1024L, "%s: the balloon has %d MiB", when, mib);
	return memory;
}

static void fell(const struct memory *from, const struct memory *to, long mib, const char *text)
{
	long kib = from->resident_kib - to->resident_kib, process = from->process_kib - to->process_kib;

	ok(kib >= mib * 1024 && process >= mib * 1024,
	   "%s: guest RAM falls by %ld KiB, hvctl by %ld, %ld or more", text, kib, process, mib * 1024);
}

/* Blocks of 2 MiB go by themselves. */
static void test_reporting(void)
{
	struct memory before = look("idle"), filled, after;
	char command[80];

	snprintf(command, sizeof(command), "dd if=/dev/zero of=/tmp/filled bs=1M count=%d", FILLED_MIB);
	guest(command, WAIT_S);
	filled = look("a file fills memory");
	ok(filled.resident_kib - before.resident_kib > FILLED_MIB * 512L, "the guest's memory is the host's");
	guest("rm /tmp/filled", COMMAND_S);
	terminal_idle(&term, 10);
	after = look("the file is gone");
	fell(&filled, &after, FILLED_MIB * 3 / 4, "free page reporting");
}

/* What lies in smaller pieces goes when it is asked for. */
static void test_inflating(void)
{
	struct memory before, after;
	char command[80];

	snprintf(command, sizeof(command), "probe fragment %d &", FILLED_MIB);
	guest(command, WAIT_S);
	ok(terminal_wait(&term, "<fragmented>", WAIT_S), "a process has every other 64 KiB");
	terminal_idle(&term, 10);
	before = look("fragments are free");
	inflate(INFLATED_MIB);
	after = wait_for(INFLATED_MIB, "inflated");
	fell(&before, &after, FRAGMENTS_MIB * 3 / 4, "inflating");
	inflate(0);
	wait_for(0, "deflated");
	ok(prints("kill $!; wait; echo alive", "alive"), "the guest has its memory again");
}

/* A process wants more than the balloon has left: so some of it comes out again, and nobody is killed. */
static void test_deflating_by_need(void)
{
	struct memory memory;

	inflate(NEEDED_MIB);
	wait_for(NEEDED_MIB, "inflated once more");
	ok(prints("probe fill 100", "<filled 100 MiB>"), "who wants more than is left gets it");
	memory = look("it was wanted");
	ok(memory.actual_kib >= 0 && memory.actual_kib < NEEDED_MIB * 1024L, "... out of the balloon");
	ok(!strstr(term.text, "Out of memory"), "... and nobody is killed");
	inflate(0);
	wait_for(0, "deflated again");
}

static void test_statistics(void)
{
	char text[2000] = "";
	FILE *output = popen("hvctl balloon " NAME, "r");

	if (!output || !fread(text, 1, sizeof(text) - 1, output) || pclose(output))
		bail("'hvctl balloon' fails");
	ok(number(text, "\ntotal ") > 128 && number(text, "\nfree ") > 64 && strstr(text, "\nmajor_faults "),
	   "the guest tells how much memory it has and uses");
}

void start_balloon(char *image)
{
	char initrd[PATH_MAX];
	char *options[] = { "--initrd", beside(image, "virtio.cpio", initrd), "--device", "balloon", "--mem", "256",
			    "--name", NAME, NULL };

	start_with(image, options);
}

void test_balloon(void)
{
	guest("for m in virtio_pci virtio_balloon; do modprobe $m 2>/dev/null; done; lsmod", COMMAND_S);
	test_reporting();
	test_inflating();
	test_deflating_by_need();
	test_statistics();
}
