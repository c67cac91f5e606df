/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest code may use. A guest function is an ordinary C function of the
 * test: vm_create() copies the whole program into guest RAM, at the addresses
 * where it was linked, so constants and globals are there too. The guest has its
 * own copy of each global: the host reads and writes it with G(). No libc.
 */
#ifndef SELFTESTS_GUEST_H
#define SELFTESTS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Where things are in guest-physical and guest-linear memory (identity). */
#define GUEST_PT_GPA		0x1000	/* PML4, PDPT, four PDs */
#define GUEST_GDT_GPA		0x10000
#define GUEST_IDT_GPA		0x11000
#define GUEST_TSS_GPA		0x12000
#define GUEST_IST_TOP		0x20000
#define GUEST_STACK_TOP		0x200000	/* of vCPU 0, others below */
#define GUEST_STACK_BYTES	0x4000
#define GUEST_FREE_GPA		0x800000	/* for the test's own use, */
#define GUEST_RAM_BYTES		0x1000000	/* up to here */
#define GUEST_MMIO_GPA		0xd0000000	/* no RAM, but mapped */

#define SEL_CS64	0x08
#define SEL_DS		0x10
#define SEL_CS32	0x18
#define SEL_USER_DS	0x23
#define SEL_USER_CS64	0x2b
#define SEL_TSS		0x30

/* OUT (4 bytes) to this port tells the host something. */
#define GUEST_PORT	0x7e0
#define GUEST_DONE	1
#define GUEST_FAIL	2
#define GUEST_TRAP	3	/* an exception that nobody expected */
#define GUEST_SYNC	0x100	/* + a number of the test's choice */

/* As guest_entry.S pushes it. */
struct guest_frame {
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* The last exception or interrupt. */
struct guest_trap {
	u64 vector;
	u64 error;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 cr2;
	u64 count;
	u64 resume;	/* where GUEST_TRY() goes on, 0: nothing expected */
};

struct guest_failure {
	u64 line;
	u64 got;
	u64 want;
};

extern volatile struct guest_trap guest_trap;
extern volatile struct guest_failure guest_failure;
extern volatile u64 guest_result;
/* Vectors whose handler only counts and returns: one bit each. */
extern volatile u64 guest_expected[4];
extern volatile u32 guest_taken[256];
/* Called for each exception and interrupt, if not NULL. */
extern void (*volatile guest_hook)(struct guest_frame *frame);

void guest_trap_handler(struct guest_frame *frame);
void guest_return(void);
/* Counts up for ever; never exits by itself. */
void guest_spin(void);
extern volatile u64 guest_alive;
extern char guest_vectors[];

static inline void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline u32 inl(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u64 rdmsr(u32 index)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index) : "memory");
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 index, u64 value)
{
	__asm__ volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)),
			 "c"(index) : "memory");
}

static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]),
			 "=d"(out[3]) : "a"(leaf), "c"(sub));
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return lo | (u64)hi << 32;
}

#define READ_REG(name) __extension__ ({					\
	u64 reg_;							\
	__asm__ volatile("mov %%" name ", %0" : "=r"(reg_) : : "memory"); \
	reg_;								\
})
#define WRITE_REG(name, value) \
	__asm__ volatile("mov %0, %%" name : : "r"((u64)(value)) : "memory")

static inline void guest_sync(u32 n)
{
	outl(GUEST_PORT, GUEST_SYNC + n);
}

/* Leave with a failure; the host prints the line and both values. */
#define guest_is(a, b) do {						\
	u64 got_ = (u64)(a), want_ = (u64)(b);				\
	if (got_ != want_) {						\
		guest_failure.line = __LINE__;				\
		guest_failure.got = got_;				\
		guest_failure.want = want_;				\
		outl(GUEST_PORT, GUEST_FAIL);				\
	}								\
} while (0)

#define guest_ok(cond)	guest_is(!!(cond), 1)

/* Run one instruction that may fault: the vector, or -1 if it went through. */
#define GUEST_TRY(insn, ...) __extension__ ({				\
	guest_trap.vector = (u64)-1;					\
	__asm__ volatile(						\
		"movq $1f, guest_trap+64(%%rip)\n\t"			\
		insn "\n"						\
		"1:\tmovq $0, guest_trap+64(%%rip)"			\
		__VA_ARGS__);						\
	(int)guest_trap.vector;						\
})

#define GP	13	/* the vector of #GP */

static inline int try_rdmsr(u32 index)
{
	return GUEST_TRY("rdmsr", : : "c"(index) : "rax", "rdx", "memory");
}

static inline int try_wrmsr(u32 index, u64 value)
{
	return GUEST_TRY("wrmsr", : : "c"(index), "a"((u32)value),
			 "d"((u32)(value >> 32)) : "memory");
}

/*
 * One instruction in ring 3; it takes a hook that brings the exception back to ring 0.
 * The division behind it tells that it went through: RING3_PASSED.
 */
#define RING3_PASSED	0
#define RING3_TRY(insn) \
	GUEST_TRY("mov %%rsp, %%rcx\n\t"				\
		  "push %0; push %%rcx; pushfq; push %1\n\t"		\
		  "lea 2f(%%rip), %%rcx; push %%rcx; iretq\n"		\
		  "2:\txor %%ecx, %%ecx; xor %%edx, %%edx\n\t"	\
		  "mov $1, %%eax\n\t" insn "\n\t"			\
		  "xor %%ecx, %%ecx; div %%ecx",			\
		  : : "i"(SEL_USER_DS), "i"(SEL_USER_CS64)		\
		  : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory")

/* Interrupts of this vector are counted in guest_taken[] and return. */
static inline void guest_expect(u8 vector)
{
	guest_expected[vector / 64] |= 1ULL << (vector % 64);
}

#endif
