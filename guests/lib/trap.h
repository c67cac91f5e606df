/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions: delivered, recorded, and returned from.
 *
 * expect_fault() runs one instruction that must raise an exception with RIP on
 * itself, expect_trap() one with RIP behind it. Both compare vector and error
 * code. An exception anywhere else, unless a hook takes it, ends the guest.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "guest.h"
#include "segments.h"

enum {
	TRAP_DE, TRAP_DB, TRAP_NMI, TRAP_BP, TRAP_OF, TRAP_BR, TRAP_UD, TRAP_NM,
	TRAP_DF, TRAP_TS = 10, TRAP_NP, TRAP_SS, TRAP_GP, TRAP_PF,
	TRAP_MF = 16, TRAP_AC, TRAP_MC, TRAP_XM,
	TRAP_NONE = 256
};

/* As vectors.S leaves it on the stack. */
struct trap_frame {
#ifdef __x86_64__
	ulong r15, r14, r13, r12, r11, r10, r9, r8;
	ulong di, si, bp, bx, dx, cx, ax;
#else
	ulong di, si, bp, handler_sp, bx, dx, cx, ax;
#endif
	ulong vector, error, ip, cs, flags;
	ulong sp, ss;	/* 32-bit: only if it came from ring 3 */
};

/* The last exception that was taken. */
struct trap {
	u32 vector;	/* TRAP_NONE: none since trap_arm() */
	ulong error;
	ulong ip;
	ulong cs;
	ulong flags;
	ulong cr2;
	bool behind;	/* RIP was behind the instruction of TRY() */
};

extern volatile struct trap last_trap;

/* Takes a vector for itself; true: handled, resume with what is in the frame. */
typedef bool (*trap_hook_t)(struct trap_frame *frame);

void trap_init(void);
trap_hook_t trap_hook(u8 vector, trap_hook_t hook);
void trap_arm(void);
bool trap_record(u32 vector, ulong *ip);
void trap_expect(const char *file, int line, const char *insn, u32 vector,
		 ulong error, bool behind);
/* An IDT entry of the test's own; dpl, and a type of SDM "System Descriptor Types". */
void trap_set_gate(u8 vector, void *handler, u16 selector, u8 dpl, u8 ist);
void trap_set_present(u8 vector, bool present);
/* Outside long mode: the vector leads to a task, by the selector of its TSS. */
void trap_set_task_gate(u8 vector, u16 selector, u8 dpl);
/* The gate that trap_init() has set. */
void trap_restore_gate(u8 vector);
/* Load the IDT register; limit 0 makes the next exception a triple fault. */
void trap_load_idt(u16 limit);
/* Run @fn in ring 3; it may use TRY(), and comes back by returning. */
long user_run(long (*fn)(long arg), long arg);

#define TRY(insn)					\
	"991:\t" insn "\n992:\n\t"			\
	".pushsection .fixups, \"a\"\n\t"		\
	".long 991b, 992b\n\t"				\
	".popsection\n\t"

#define expect_at(vec, err, after, insn, ...)				\
do {									\
	trap_arm();							\
	asm volatile(TRY(insn) : : __VA_ARGS__ : "memory", "cc");	\
	trap_expect(__FILE__, __LINE__, insn, vec, err, after);		\
} while (0)
#define expect_fault(vec, err, insn, ...)	\
	expect_at(vec, err, false, insn, __VA_ARGS__)
#define expect_trap(vec, insn, ...)		\
	expect_at(vec, 0, true, insn, __VA_ARGS__)
#define expect_none(insn, ...)			\
	expect_at(TRAP_NONE, 0, false, insn, __VA_ARGS__)

/* The vector it raised, or TRAP_NONE. */
u32 try_rdmsr(u32 msr, u64 *value);
u32 try_wrmsr(u32 msr, u64 value);
u32 try_xsetbv(u32 index, u64 value);
u32 try_write_cr0(ulong value);
u32 try_write_cr3(ulong value);
u32 try_write_cr4(ulong value);

#endif
