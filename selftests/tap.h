/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP output: one line a check, with place and values where it failed. */
#ifndef SELFTESTS_TAP_H
#define SELFTESTS_TAP_H

#include <stdbool.h>

/* Seconds of the machine's time that one program may take. */
#define TAP_WATCHDOG_S	120

/*
 * First call of every main(): starts the watchdog. Child processes that a test
 * forks have no watchdog and must not print TAP: they answer by exit status.
 */
void tap_init(void);

/* Prints the plan; the exit status of main(). */
int tap_exit(void);

/* Print "1..0 # SKIP reason" and leave. */
__attribute__((noreturn, format(printf, 1, 2)))
void skip_all(const char *fmt, ...);

/* The test cannot go on: what should have worked did not. */
__attribute__((noreturn, format(printf, 3, 4)))
void tap_bail(const char *file, int line, const char *fmt, ...);

__attribute__((format(printf, 2, 3)))
void tap_skip(const char *reason, const char *fmt, ...);

__attribute__((format(printf, 4, 5)))
bool tap_ok(const char *file, int line, bool good, const char *fmt, ...);

__attribute__((format(printf, 5, 6)))
bool tap_is(const char *file, int line, long long got, long long want,
	    const char *fmt, ...);

__attribute__((format(printf, 5, 6)))
bool tap_err(const char *file, int line, long ret, int want,
	     const char *fmt, ...);

__attribute__((format(printf, 1, 2)))
void diag(const char *fmt, ...);

#define bail(...)		tap_bail(__FILE__, __LINE__, __VA_ARGS__)
#define skip(reason, ...)	tap_skip(reason, __VA_ARGS__)
#define ok(cond, ...)		tap_ok(__FILE__, __LINE__, (cond), __VA_ARGS__)

/* Compare two integers and name both if they differ. */
#define is(got, want, ...) \
	tap_is(__FILE__, __LINE__, (long long)(got), (long long)(want), __VA_ARGS__)

/* A call that must return -1 with this errno; 0 means that it must succeed. */
#define err_is(call, want, ...) \
	tap_err(__FILE__, __LINE__, (call), (want), __VA_ARGS__)

/* Set-up that every test relies on: anything below zero ends the program. */
#define must(call) __extension__ ({					\
	long must_ret_ = (long)(call);					\
	if (must_ret_ < 0)						\
		bail("%s: %m", #call);					\
	must_ret_;							\
})

#endif
