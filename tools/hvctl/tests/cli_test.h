/* SPDX-License-Identifier: GPL-2.0-only */
/* hvctl itself, as its users meet it: what it says, in both streams, and its status. */
#ifndef HV_TESTS_CLI_TEST_H
#define HV_TESTS_CLI_TEST_H

#include <stdbool.h>

extern const char *hvctl;		/* the program: HVCTL of the environment */
extern char said[1 << 20];		/* by the last command */

/* Whether there is an hvctl to run. If not, the test is skipped, which this says. */
bool find_hvctl(void);

/* Run a shell's command, standard output to @said; returns its status. It must not die. */
int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with hvctl and these words, for a minute at most, and both streams. */
int run(const char *arguments);

/* It says that, among others, and has this status. */
void says(const char *arguments, int status, const char *with);

/* It says that at the beginning, and has status 0. */
void begins(const char *arguments, const char *with);

/* It says one line, which begins with the command's name and has @with in it, a remedy, say. */
void refuses(const char *arguments, int status, const char *with);

/* The same, but that line begins so. */
void refuses_by(const char *who, const char *arguments, int status, const char *with);

/* How often the last command has said that. */
unsigned int count(const char *words);

#endif
