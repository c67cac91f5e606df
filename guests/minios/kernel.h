/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * minios: a small teaching OS. One file a subject; this is what they share.
 *
 * Memory: the first 4 GiB lie one to one in every address space, for the kernel
 * alone; what a program sees lies between USER_BASE and USER_END. The kernel runs
 * with interrupts off, and on one CPU at a time; only programs and idle tasks are
 * preempted.
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
#define CPUS		8	/* as many as are used */

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, io_map;
} __packed;

/* A program's or the idle task's registers, as entry.S leaves them. */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 di, si, bp, bx, dx, cx, ax;
	u64 vector, error;
	u64 ip, cs, flags, sp, ss;
};

/* All that a CPU has to itself. GS base points to it while the kernel runs. */
struct cpu {
	u64 kernel_sp, user_sp;		/* entry.S knows these three: layout.h */
	struct cpu *self;
	u32 index, apic_id;
	volatile bool up;
	struct task *current, *idle;	/* task.c */
	bool called;			/* task.c: is about to look for a task */
	const u64 *space;		/* in CR3 */
	volatile bool flush;		/* smp.c: @space goes away, somebody waits */
	struct cpu_info info;
	u64 gdt[8];
	struct tss tss;
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
/* The part of it that each CPU does. */
void apic_init_cpu(void);
void apic_interrupt(const struct cpu *cpu, u8 vector);
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
/* NULL: the kernel's */
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
/* @cpu becomes the caller's; its double faults have the stack that ends there. */
void cpu_adopt(struct cpu *cpu, void *fault_stack_top);
void cpu_set_kernel_stack(u64 top);

/*
 * smp.c: the other CPUs. One at a time is in the kernel: so no more than these two calls
 * protects whatever the kernel has.
 */
void kernel_enter(void);
void kernel_leave(void);
void smp_init(void);
u32 smp_count(void);
struct cpu *smp_cpu(u32 index);
/* An interrupt of FLUSH_VECTOR has come. */
void smp_answer(void);
/* Nobody has @space in CR3 any more. */
void smp_forget_space(const u64 *space);

/* trap.c, syscall.c: called by entry.S */
void trap_handle(struct frame *frame);
void syscall_handle(struct frame *frame);

/* entry.S */
extern char trap_stubs[];
void syscall_entry(void);
void task_begin(void);
void switch_stacks(u64 *save, u64 load);

/* The CPU that this runs on. A switch of tasks may change it: volatile. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm volatile("mov %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
	return cpu;
}

/* task.c */
/* The caller's CPU runs its idle task. */
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
