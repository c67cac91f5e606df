/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs and the kernel agree on.
 *
 * SYSCALL with the number in RAX, arguments in RDI and RSI; the result is in RAX,
 * -1 for any failure. RCX and R11 are lost, all other registers are kept.
 */
#ifndef MINIOS_ABI_H
#define MINIOS_ABI_H

#include "../lib/types.h"

enum {
	SYS_EXIT,	/* (status) */
	SYS_WRITE,	/* (text, bytes) */
	SYS_READ,	/* () -> the next character typed */
	SYS_YIELD,	/* () */
	SYS_SLEEP,	/* (microseconds) */
	SYS_TIME,	/* () -> microseconds since start */
	SYS_TASK_ID,	/* () */
	SYS_FORK,	/* () -> 0 in the child, its id in the parent */
	SYS_EXEC,	/* (name) -> only if it failed */
	SYS_WAIT,	/* (&status) -> id of the child that ended */
	SYS_TASK_INFO,	/* (index, &info) -> 0, or -1 behind the last one */
	SYS_POWER_OFF,	/* () */
	SYS_CPU_INFO,	/* (index, &info) -> 0, or -1 behind the last one */
	SYS_COUNT
};

/* Status of a task that died by an exception. */
#define STATUS_KILLED(vector)	(0x100 + (vector))

struct task_info {
	long id, parent;
	u64 busy_us;
	char state[8];
	char name[16];
};

struct cpu_info {
	u64 switches;	/* of tasks */
	u64 wakes;	/* by others, to look for a task */
	u64 flushes;	/* asked for by others */
};

#endif
