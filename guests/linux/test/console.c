// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest at a virtio console: typed at, with the terminal's size, and a port that has a name. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define SAID "/tmp/said"

/* Nobody but hvc0 is on the terminal; what the guest says to its port "agent.0" comes to a file. */
void start_console(char *image)
{
	char initrd[PATH_MAX];
	char *options[] = {
		"--initrd", beside(image, "virtio.cpio", initrd), "--append", "console=hvc0", "--serial", "COM1:null",
		"--device", "console", "--device", "console,to=null,port=agent.0:file:" SAID, NULL
	};

	start_with(image, options);
}

/* hvctl's terminal is the foreground's: it is told by a signal. */
static void resize(unsigned short rows, unsigned short columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	must(ioctl(term.fd, TIOCSWINSZ, &size));
}

/* The guest is told by an interrupt. */
static bool has_size(const char *size)
{
	for (unsigned int tries = 0; tries < 20; tries++)
		if (strstr(guest("stty size", COMMAND_S), size))
			return true;
	diag("'stty size' printed '%s', not '%s'", guest("stty size", COMMAND_S), size);
	return false;
}

static bool has_come(const char *want)
{
	char line[100] = "";
	FILE *file = fopen(SAID, "r");

	if (file && fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
	return !strcmp(line, want);
}

static void test_size(void)
{
	ok(has_size("25 100"), "the guest knows the terminal's size");
	resize(50, 132);
	ok(has_size("50 132"), "... and hears when it changes");
	resize(25, 100);
	ok(has_size("25 100"), "... and when it changes back");
}

static void test_port(void)
{
	ok(prints("cat /sys/class/virtio-ports/*/name", "agent.0"), "a port has its name");
	guest("echo through a port >/dev/$(cd /sys/class/virtio-ports; grep -l agent */name | cut -d/ -f1)", COMMAND_S);
	ok(has_come("through a port"), "... and what is said there comes here");
}

void test_console(void)
{
	ok(prints("tty", "/dev/hvc0"), "the shell is at hvc0");
	test_size();
	test_port();
	unlink(SAID);
}
