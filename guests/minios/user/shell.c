// SPDX-License-Identifier: GPL-2.0-only
/* shell: reads a line, runs the program of that name, waits for it. */
#include "user.h"

#define LINE		64
#define BACKSPACE	8
#define DELETE		127

static char line[LINE];

static void erase(size_t *used)
{
	if (!*used)
		return;
	(*used)--;
	print("\b \b");
}

/* One line with echo and backspace; false at the end of input. */
static bool read_line(void)
{
	size_t used = 0;

	for (;;) {
		int c;

		flush();
		c = sys_read();
		if (c == END_OF_INPUT)
			return false;
		if (c == '\r' || c == '\n')
			break;
		if (c == BACKSPACE || c == DELETE) {
			erase(&used);
		} else if (c >= ' ' && used < LINE - 1) {
			line[used++] = c;
			console_putc(c);
		}
	}
	line[used] = 0;
	print("\n");
	return true;
}

/* Blanks around a command mean nothing; programs take no arguments. */
static char *trim(char *s)
{
	size_t n;

	while (*s == ' ')
		s++;
	n = strlen(s);
	while (n && s[n - 1] == ' ')
		s[--n] = 0;
	return s;
}

static void help(void)
{
	print("help       this list\n"
	      "ps         the tasks\n"
	      "hello      a program that says hello\n"
	      "count      prints the time five times, sleeping in between\n"
	      "primes     computes for a while\n"
	      "race       two tasks that never yield, side by side\n"
	      "cpus       tasks on all CPUs at once\n"
	      "tree       trees of tasks, and a model that knows what comes out\n"
	      "fault      touches what it must not\n"
	      "input      counts what is typed, up to Ctrl-D\n"
	      "usertests  tests of the system calls, preemption and protection\n"
	      "exit       power off\n");
}

static void ps(void)
{
	struct task_info info;
	u64 i;

	print("  id parent state       ms name\n");
	for (i = 0; !sys_task_info(i, &info); i++)
		print("%4ld %6ld %8s %5llu %s\n", info.id, info.parent, info.state,
		      info.busy_us / 1000, info.name);
}

static void run(const char *name)
{
	long status = 0;
	long child = fork();

	if (child < 0) {
		print("cannot fork\n");
		return;
	}
	if (!child) {
		sys_exec(name);
		print("%s: no such program; try help\n", name);
		exit(127);
	}
	while (sys_wait(&status) != child)
		;
	if (status)
		print("[%s: status %ld]\n", name, status);
}

/* True: go on. */
static bool command(const char *name)
{
	if (!strcmp(name, "exit"))
		return false;
	if (!strcmp(name, "help"))
		help();
	else if (!strcmp(name, "ps"))
		ps();
	else if (*name)
		run(name);
	return true;
}

int main(void)
{
	print("minios shell: try help\n");
	do {
		print("minios$ ");
		if (!read_line())
			break;
	} while (command(trim(line)));
	power_off();
}
