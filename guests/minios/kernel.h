/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * minios: a small teaching OS. One file a subject; this is what they share.
 *
 * Memory: the first 4 GiB lie one to one in every address space, for the kernel
 * alone; what a program sees lies between USER_BASE and USER_END. The kernel runs
 * with interrupts off; only programs and the idle task are preempted.
 */
#ifndef MINIOS_KERNEL_H
#define MINIOS_KERNEL_H

#include "abi.h"
#include "layout.h"
#include "../lib/print.h"
#include "../lib/segments.h"
#include "../lib/x86.h"

#define PAGE		4096UL
#define KERNEL_STACK	(2 * PAGE)
#define TICK_US		10000UL

/* A program's or the idle task's registers, as entry.S leaves them. */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 di, si, bp, bx, dx, cx, ax;
	u64 vector, error;
	u64 ip, cs, flags, sp, ss;
};

struct multiboot_info {
	u32 flags;
	u32 mem_lower, mem_upper;	/* KiB; flags bit 0 */
	u32 boot_device;
	u32 cmdline;
};

/* main.c */
__noreturn void panic(const char *format, ...) __printf(1, 2);
__noreturn void power_off(void);

/* console.c */
void console_init(void);
void console_poll(void);
bool console_getc(char *c);

/* clock.c: time by the TSC, which the HPET measured */
void clock_init(void);
u64 clock_us(void);
/* Run @start, let @us pass on the HPET, and return how far @read got. */
u64 clock_measure(void (*start)(void), u64 (*read)(void), u64 us);

/* apic.c */
void apic_init(void);
void apic_eoi(void);
void apic_timer_arm(u64 us);

/* memory.c: pages, page tables, address spaces */
enum { MAP_WRITE = 1, MAP_EXECUTE = 2 };

void memory_init(const struct multiboot_info *info);
void *page_alloc(void);		/* zeroed; NULL if there is none */
void page_free(void *page);
u64 pages_free(void);
u64 *space_create(void);
u64 *space_copy(const u64 *space);
void space_destroy(u64 *space);
void space_load(const u64 *space);
/* A fresh page of the program at @va; NULL if memory is short. */
void *space_map(u64 *space, u64 va, int how);
/* Whether the program itself may read (write) all of [va, va + bytes). */
bool space_allows(const u64 *space, u64 va, u64 bytes, bool write);

/* program.c */
const void *program_find(const char *name);
bool program_load(u64 *space, const void *elf, u64 *entry);

/* cpu.c: GDT, TSS, IDT and system call MSRs */
void cpu_init(void);
void cpu_set_kernel_stack(u64 top);

/* trap.c, syscall.c: called by entry.S */
void trap_handle(struct frame *frame);
void syscall_handle(struct frame *frame);

/* entry.S */
extern char trap_stubs[];
void syscall_entry(void);
void trap_return(void);
void switch_stacks(u64 *save, u64 load);

/* task.c */
void task_init(void);
void task_create(const char *program);
__noreturn void task_idle(void);
void task_tick(void);
void task_yield(void);
void task_sleep(u64 us);
__noreturn void task_exit(long status);
long task_fork(const struct frame *frame);
long task_exec(struct frame *frame, const char *program);
long task_wait(long *status);
long task_id(void);
const char *task_name(void);
u64 *task_space(void);
bool task_info(u64 index, struct task_info *info);

#endif
