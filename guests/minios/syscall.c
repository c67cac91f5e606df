// SPDX-License-Identifier: GPL-2.0-only
/* System calls: a table of functions that look at the caller's registers. */
#include "kernel.h"

#define NAME_MAX	15

static bool readable(u64 va, u64 bytes)
{
	return space_allows(task_space(), va, bytes, false);
}

static bool writable(u64 va, u64 bytes)
{
	return space_allows(task_space(), va, bytes, true);
}

static long sys_exit(struct frame *frame)
{
	task_exit(frame->di);
}

static long sys_write(struct frame *frame)
{
	const char *text = (const char *)frame->di;
	u64 i;

	if (!readable(frame->di, frame->si))
		return -1;
	for (i = 0; i < frame->si; i++)
		console_putc(text[i]);
	return frame->si;
}

/* There is no interrupt for it: look again every tick. */
static long sys_read(struct frame *frame)
{
	char c;

	(void)frame;
	while (!console_getc(&c))
		task_sleep(1);
	return (u8)c;
}

static long sys_yield(struct frame *frame)
{
	(void)frame;
	task_yield();
	return 0;
}

static long sys_sleep(struct frame *frame)
{
	task_sleep(frame->di);
	return 0;
}

static long sys_time(struct frame *frame)
{
	(void)frame;
	return clock_us();
}

static long sys_task_id(struct frame *frame)
{
	(void)frame;
	return task_id();
}

static long sys_fork(struct frame *frame)
{
	return task_fork(frame);
}

/* The name is copied: exec throws away the memory it lies in. */
static long sys_exec(struct frame *frame)
{
	char name[NAME_MAX + 1] = "";
	int i;

	for (i = 0; i < NAME_MAX; i++) {
		if (!readable(frame->di + i, 1))
			return -1;
		name[i] = *(const char *)(frame->di + i);
		if (!name[i])
			break;
	}
	return task_exec(frame, name);
}

static long sys_wait(struct frame *frame)
{
	long status, id;

	if (!writable(frame->di, sizeof(status)))
		return -1;
	id = task_wait(&status);
	if (id >= 0)
		memcpy((void *)frame->di, &status, sizeof(status));
	return id;
}

static long sys_task_info(struct frame *frame)
{
	struct task_info info;

	if (!writable(frame->si, sizeof(info)) || !task_info(frame->di, &info))
		return -1;
	memcpy((void *)frame->si, &info, sizeof(info));
	return 0;
}

static long sys_power_off(struct frame *frame)
{
	(void)frame;
	power_off();
}

static long sys_cpu_info(struct frame *frame)
{
	if (!writable(frame->si, sizeof(struct cpu_info)) || frame->di >= smp_count())
		return -1;
	memcpy((void *)frame->si, &smp_cpu(frame->di)->info, sizeof(struct cpu_info));
	return 0;
}

static long (*const calls[SYS_COUNT])(struct frame *frame) = {
	[SYS_EXIT] = sys_exit,
	[SYS_WRITE] = sys_write,
	[SYS_READ] = sys_read,
	[SYS_YIELD] = sys_yield,
	[SYS_SLEEP] = sys_sleep,
	[SYS_TIME] = sys_time,
	[SYS_TASK_ID] = sys_task_id,
	[SYS_FORK] = sys_fork,
	[SYS_EXEC] = sys_exec,
	[SYS_WAIT] = sys_wait,
	[SYS_TASK_INFO] = sys_task_info,
	[SYS_POWER_OFF] = sys_power_off,
	[SYS_CPU_INFO] = sys_cpu_info,
};

void syscall_handle(struct frame *frame)
{
	kernel_enter();
	frame->ax = frame->ax < SYS_COUNT ? calls[frame->ax](frame) : -1;
	kernel_leave();
}
