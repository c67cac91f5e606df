/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program of minios can do: print(), and ask the kernel. */
#ifndef MINIOS_USER_H
#define MINIOS_USER_H

#include "../abi.h"
#include "../../lib/print.h"

#define END_OF_INPUT	4	/* Ctrl-D */

/* main()'s result is the status. */
int main(void);

static inline long syscall2(long number, long a, long b)
{
	long result;

	asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b)
		     : "rcx", "r11", "memory");
	return result;
}

static inline long sys_write(const char *text, size_t bytes)
{
	return syscall2(SYS_WRITE, (long)text, bytes);
}

static inline long sys_read(void)
{
	return syscall2(SYS_READ, 0, 0);
}

static inline void sys_yield(void)
{
	syscall2(SYS_YIELD, 0, 0);
}

static inline void sys_sleep(u64 us)
{
	syscall2(SYS_SLEEP, us, 0);
}

static inline u64 sys_time(void)
{
	return syscall2(SYS_TIME, 0, 0);
}

static inline long sys_task_id(void)
{
	return syscall2(SYS_TASK_ID, 0, 0);
}

static inline long sys_exec(const char *program)
{
	return syscall2(SYS_EXEC, (long)program, 0);
}

static inline long sys_wait(long *status)
{
	return syscall2(SYS_WAIT, (long)status, 0);
}

static inline long sys_task_info(u64 index, struct task_info *info)
{
	return syscall2(SYS_TASK_INFO, index, (long)info);
}

static inline long sys_cpu_info(u64 index, struct cpu_info *info)
{
	return syscall2(SYS_CPU_INFO, index, (long)info);
}

/* user.c: what print() still holds back goes out before these. */
void flush(void);
long fork(void);
__noreturn void exit(long status);
__noreturn void power_off(void);

#endif
