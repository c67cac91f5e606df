// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest at a virtio console: typed at, with the terminal's size, and a port that has a name. */
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
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

/* Who is at that terminal, in the foreground, is told by a signal. */
static void resize(int terminal, unsigned short rows, unsigned short columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	must(ioctl(terminal, TIOCSWINSZ, &size));
}

/* Of the same VM, at a terminal of its own. */
static pid_t open_console(int *terminal)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 90 };
	char process[20];
	pid_t pid;

	snprintf(process, sizeof(process), "%d", term.pid);
	pid = forkpty(terminal, NULL, NULL, &size);
	if (!pid) {
		execlp("hvctl", "hvctl", "console", process, NULL);
		_exit(127);
	}
	must(pid);
	return pid;
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
	resize(term.fd, 50, 132);
	ok(has_size("50 132"), "... and hears when it changes");
	resize(term.fd, 25, 100);
	ok(has_size("25 100"), "... and when it changes back");
}

static void test_size_of_another(void)
{
	int terminal;
	pid_t pid = open_console(&terminal);

	ok(has_size("30 90"), "the guest has the size of a terminal where 'hvctl console' is");
	resize(terminal, 31, 91);
	ok(has_size("31 91"), "... and hears when that changes");
	close(terminal);
	must(waitpid(pid, NULL, 0));
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
	test_size_of_another();
	test_port();
	unlink(SAID);
}
