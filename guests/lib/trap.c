// SPDX-License-Identifier: GPL-2.0-only
/* The IDT and TSS of a protected- or long-mode guest. */
#include "trap.h"

#ifdef __x86_64__
#define TSS_LIMIT	103
struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, zero;
};
#else
#define TSS_LIMIT	103
struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
};
#endif

#define GATE_INTERRUPT	0x8e
#define GATE_TASK	0x85
#define TSS_AVAILABLE	0x89ULL

extern u64 gdt[];
extern char trap_stubs[];
long user_enter(long (*fn)(long), long arg, void *stack);
void user_leave(void);
void trap_dispatch(struct trap_frame *frame);

/* Wide enough for both layouts; see trap_init() for the fields that matter. */
u32 tss[26] __aligned(16);

static struct gate idt[256] __aligned(16);
static trap_hook_t hooks[256];
static u8 trap_stack[8192] __aligned(16);
static u8 fault_stack[4096] __aligned(16);
static u8 user_stack[8192] __aligned(16);

void trap_set_gate(u8 vector, void *handler, u16 selector, u8 dpl, u8 ist)
{
	struct gate *gate = &idt[vector];
	ulong address = (ulong)handler;

	memset(gate, 0, sizeof(*gate));
	gate->offset_low = address;
	gate->offset_middle = address >> 16;
#ifdef __x86_64__
	gate->offset_high = address >> 32;
#endif
	gate->selector = selector;
	gate->ist = ist;
	gate->type = GATE_INTERRUPT | dpl << 5;
}

void trap_set_task_gate(u8 vector, u16 selector, u8 dpl)
{
	trap_set_gate(vector, NULL, selector, dpl, 0);
	idt[vector].type = GATE_TASK | dpl << 5;
}

void trap_restore_gate(u8 vector)
{
	trap_set_gate(vector, trap_stubs + 16 * vector, KERNEL_CS, 0, 0);
}

void trap_set_present(u8 vector, bool present)
{
	idt[vector].type = (idt[vector].type & 0x7f) | present << 7;
}

void trap_load_idt(u16 limit)
{
	struct {
		u16 limit;
		ulong base;
	} __packed pointer = { limit, (ulong)idt };

	asm volatile("lidt %0" : : "m"(pointer));
}

/* Ring 3 enters on trap_stack; double faults have a stack nothing can spoil. */
static void tss_init(void)
{
	u64 base = (ulong)tss;
	u64 *descriptor = &gdt[TSS_SELECTOR / 8];

#ifdef __x86_64__
	u64 stack = (ulong)(trap_stack + sizeof(trap_stack));
	u64 ist1 = (ulong)(fault_stack + sizeof(fault_stack));

	memcpy((u8 *)tss + 4, &stack, 8);
	memcpy((u8 *)tss + 36, &ist1, 8);
	descriptor[1] = base >> 32;
#else
	tss[1] = (ulong)(trap_stack + sizeof(trap_stack));
	tss[2] = KERNEL_DS;
	(void)fault_stack;
#endif
	tss[25] = 104 << 16;	/* no I/O permission map */
	descriptor[0] = TSS_LIMIT | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
			(base >> 24 & 0xff) << 56;
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

static void allow_user(u8 vector)
{
	trap_set_gate(vector, trap_stubs + 16 * vector, KERNEL_CS, 3, 0);
}

static bool print_for_user(struct trap_frame *frame)
{
	console_putc(frame->ax);
	return true;
}

void trap_init(void)
{
	int i;

	for (i = 0; i < 256; i++)
		trap_set_gate(i, trap_stubs + 16 * i, KERNEL_CS, 0, 0);
	allow_user(TRAP_BP);
	allow_user(TRAP_OF);
	allow_user(USER_PRINT_VECTOR);
	trap_hook(USER_PRINT_VECTOR, print_for_user);
#ifdef __x86_64__
	trap_set_gate(TRAP_DF, trap_stubs + 16 * TRAP_DF, KERNEL_CS, 0, 1);
#endif
	trap_set_gate(USER_EXIT_VECTOR, user_leave, KERNEL_CS, 3, 0);
	trap_load_idt(sizeof(idt) - 1);
	tss_init();
	trap_arm();
}

trap_hook_t trap_hook(u8 vector, trap_hook_t hook)
{
	trap_hook_t old = hooks[vector];

	hooks[vector] = hook;
	return old;
}

static __noreturn void trap_unexpected(const struct trap_frame *frame)
{
	print("unexpected exception %lu, error code 0x%lx, at 0x%lx:0x%lx\n",
	      frame->vector, frame->error, frame->cs, frame->ip);
	print("flags 0x%lx, cr2 0x%lx, ax 0x%lx, cx 0x%lx, dx 0x%lx, bx 0x%lx\n",
	      frame->flags, read_cr2(), frame->ax, frame->cx, frame->dx, frame->bx);
	print("FAIL %s\n", guest_name);
	guest_exit(VERDICT_CRASH);
}

void trap_dispatch(struct trap_frame *frame)
{
	trap_hook_t hook = hooks[frame->vector & 0xff];
	ulong cr2 = read_cr2();

	if (hook && hook(frame))
		return;
	if (!trap_record(frame->vector, &frame->ip))
		trap_unexpected(frame);
	last_trap.error = frame->error;
	last_trap.cs = frame->cs;
	last_trap.flags = frame->flags;
	last_trap.cr2 = cr2;
	frame->flags &= ~EFLAGS_TF;
}

long user_run(long (*fn)(long arg), long arg)
{
	return user_enter(fn, arg, user_stack + sizeof(user_stack) - 64);
}
