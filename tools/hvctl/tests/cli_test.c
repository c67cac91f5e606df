// SPDX-License-Identifier: GPL-2.0-only
/* hvctl itself, as its users meet it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli_test.h"
#include "hv_test.h"

const char *hvctl;
char said[1 << 20];

bool find_hvctl(void)
{
	hvctl = getenv("HVCTL");
	if (!hvctl)
		printf("1..0 # SKIP HVCTL names no hvctl\n");
	return hvctl;
}

int shell(const char *format, ...)
{
	char *command;
	va_list args;
	FILE *pipe;
	int status;

	va_start(args, format);
	assert_return_code(vasprintf(&command, format, args), 0);
	va_end(args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof(said) - 1, pipe)] = 0;
	status = pclose(pipe);
	if (!WIFEXITED(status))
		fail_msg("%s: wait status 0x%x: %s", command, status, said);
	free(command);
	return WEXITSTATUS(status);
}

int run(const char *arguments)
{
	return shell("exec 2>&1 </dev/null; /usr/bin/timeout 60 %s %s", hvctl, arguments);
}

void says(const char *arguments, int status, const char *with)
{
	int got = run(arguments);

	if (got != status || !strstr(said, with))
		fail_msg("hvctl %s: %d: %s", arguments, got, said);
}

void begins(const char *arguments, const char *with)
{
	says(arguments, 0, with);
	if (strncmp(said, with, strlen(with)))
		fail_msg("hvctl %s: %s", arguments, said);
}

void refuses_by(const char *who, const char *arguments, int status, const char *with)
{
	says(arguments, status, with);
	if (strchr(said, '\n') != said + strlen(said) - 1 || strncmp(said, who, strlen(who)))
		fail_msg("hvctl %s: %s", arguments, said);
}

void refuses(const char *arguments, int status, const char *with)
{
	char who[32];

	snprintf(who, sizeof(who), "hvctl %.*s: ", (int)strcspn(arguments, " "), arguments);
	refuses_by(who, arguments, status, with);
}

unsigned int count(const char *words)
{
	unsigned int n = 0;

	for (const char *at = said; (at = strstr(at, words)); at += strlen(words))
		n++;
	return n;
}
