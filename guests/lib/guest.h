/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every guest uses: the console, checks, and the verdict.
 *
 * A guest is one GUEST() block. It names what it looks at with step(), checks it
 * with check() and check_eq(), which go on after a failure, and simply returns:
 * the verdict is printed and given to the exit port.
 */
#ifndef GUEST_H
#define GUEST_H

#include "print.h"
#include "types.h"
#include "x86.h"

#define PORT_COM1	0x3f8
#define PORT_DEBUG	0xe9
#define PORT_EXIT	0xf4
#define PORT_POWER	0x604
#define POWER_OFF	0x2000

/* Values for the exit port; the status of hvctl is value * 2 + 1. */
#define VERDICT_PASS	0x10	/* 33 */
#define VERDICT_FAIL	0x11	/* 35 */
#define VERDICT_SKIP	0x12	/* 37 */
#define VERDICT_CRASH	0x13	/* 39: an exception that nobody expected */

extern const char guest_name[];
void guest_main(void);

/* A guest's entry point in C: GUEST("hello") { ... } */
#define GUEST(name)				\
	const char guest_name[] = name;		\
	void guest_main(void)

void console_init(void);
/* Until the transmitter and its FIFO are empty. */
void console_drain(void);

/* Say what is looked at next. */
void step(const char *format, ...) __printf(1, 2);
/* Say what this machine cannot show, and go on. */
void skipped(const char *format, ...) __printf(1, 2);
/* End the guest here: it cannot show anything on this machine. */
__noreturn void skip_guest(const char *reason);
__noreturn void guest_exit(u8 value);
/* Called by the start-up code when guest_main() returns. */
__noreturn void guest_finish(void);

bool check_at(const char *file, int line, bool ok, const char *what);
bool check_eq_at(const char *file, int line, u64 got, u64 want, const char *what);

#define check(condition)						\
	check_at(__FILE__, __LINE__, (condition), #condition)
#define check_eq(got, want)						\
	check_eq_at(__FILE__, __LINE__, (u64)(got), (u64)(want),	\
		    #got " is " #want)
/* For what makes all that follows pointless. */
#define require(condition)			\
do {						\
	if (!(condition)) {			\
		check_at(__FILE__, __LINE__, false, #condition); \
		guest_finish();			\
	}					\
} while (0)

#endif
