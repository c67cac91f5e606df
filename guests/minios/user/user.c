// SPDX-License-Identifier: GPL-2.0-only
/* Start and end of a program, and its output, which goes out line by line. */
#include "user.h"

static char line[128];
static size_t used;

void flush(void)
{
	sys_write(line, used);
	used = 0;
}

void console_putc(char c)
{
	line[used++] = c;
	if (c == '\n' || used == sizeof(line))
		flush();
}

/* Flushed first: both would print it. */
long fork(void)
{
	flush();
	return syscall2(SYS_FORK, 0, 0);
}

__noreturn void exit(long status)
{
	flush();
	for (;;)
		syscall2(SYS_EXIT, status, 0);
}

__noreturn void power_off(void)
{
	flush();
	for (;;)
		syscall2(SYS_POWER_OFF, 0, 0);
}

/* The kernel leaves RSP as a CALL would. */
__noreturn void _start(void);

__attribute__((section(".start"))) __noreturn void _start(void)
{
	exit(main());
}
