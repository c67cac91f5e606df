// SPDX-License-Identifier: GPL-2.0-only
/* TAP output and the watchdog. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static int tap_count;
static int tap_failed;

static void watchdog(int sig)
{
	static const char msg[] = "Bail out! watchdog: the test hangs\n";

	(void)sig;
	if (write(STDOUT_FILENO, msg, sizeof(msg) - 1) < 0)
		_exit(3);
	_exit(2);
}

void tap_init(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, watchdog);
	alarm(TAP_WATCHDOG_S);
}

int tap_exit(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

void skip_all(const char *fmt, ...)
{
	va_list ap;

	printf("1..0 # SKIP ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(0);
}

void tap_bail(const char *file, int line, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("not ok %d - cannot go on\n", ++tap_count);
	printf("# %s:%d: %s\n", file, line, text);
	printf("Bail out! %s\n", text);
	exit(1);
}

void diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static bool result(bool good, const char *fmt, va_list ap)
{
	if (!good)
		tap_failed++;
	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	return good;
}

void tap_skip(const char *reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	result(true, fmt, ap);
	va_end(ap);
	printf(" # SKIP %s\n", reason);
}

bool tap_ok(const char *file, int line, bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	result(good, fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good)
		diag("%s:%d: not true", file, line);
	return good;
}

bool tap_is(const char *file, int line, long long got, long long want,
	    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	result(got == want, fmt, ap);
	va_end(ap);
	printf("\n");
	if (got != want)
		diag("%s:%d: got %lld (%#llx), want %lld (%#llx)", file, line,
		     got, got, want, want);
	return got == want;
}

bool tap_err(const char *file, int line, long ret, int want,
	     const char *fmt, ...)
{
	int got = ret < 0 ? errno : 0;
	va_list ap;

	va_start(ap, fmt);
	result(got == want, fmt, ap);
	va_end(ap);
	printf("\n");
	if (got == want)
		return true;
	diag("%s:%d: got %s, want %s (returned %ld)", file, line,
	     got ? strerrorname_np(got) : "success",
	     want ? strerrorname_np(want) : "success", ret);
	return false;
}
