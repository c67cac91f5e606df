// SPDX-License-Identifier: GPL-2.0-only
/* mmio: accesses to addresses with no memory behind them, in the forms compilers emit. */
#include "lib/trap.h"
#include "lib/paging.h"

#define NOWHERE		0xd0000000UL	/* neither RAM nor a chip */

/* One load, destination preset; reads of nothing are all ones. */
#define LOAD(insn, preset)						\
({									\
	u64 rax_ = (preset);						\
									\
	asm volatile(insn : "+a"(rax_) : "b"(NOWHERE) : "memory", "cc");	\
	rax_;								\
})

static void check_loads(void)
{
	step("MOV of 1, 2, 4 and 8 bytes");
	check_eq(LOAD("movb (%%rbx), %%al", 0x1122334455667788), 0x11223344556677ff);
	check_eq(LOAD("movb 1(%%rbx), %%ah", 0x1122334455667788), 0x112233445566ff88);
	check_eq(LOAD("movw (%%rbx), %%ax", 0x1122334455667788), 0x112233445566ffff);
	check_eq(LOAD("movl (%%rbx), %%eax", 0x1122334455667788), 0xffffffff);
	check_eq(LOAD("movq (%%rbx), %%rax", 0), ~0ULL);
	step("MOVZX and MOVSX");
	check_eq(LOAD("movzbl 3(%%rbx), %%eax", ~0ULL), 0xff);
	check_eq(LOAD("movzwl (%%rbx), %%eax", ~0ULL), 0xffff);
	check_eq(LOAD("movsbq (%%rbx), %%rax", 0), ~0ULL);
	check_eq(LOAD("movslq (%%rbx), %%rax", 0), ~0ULL);
}

static void check_stores(void)
{
	step("stores vanish: register, immediate, 1 to 8 bytes");
	expect_none("movb %b1, (%0)", "r"(NOWHERE), "q"(0));
	expect_none("movw %w1, 2(%0)", "r"(NOWHERE), "r"(0));
	expect_none("movl %k1, 4(%0)", "r"(NOWHERE), "r"(0));
	expect_none("movq %1, 8(%0)", "r"(NOWHERE), "r"(0UL));
	expect_none("movl $0x12345678, (%0)", "r"(NOWHERE));
	expect_none("movq $-2, (%0)", "r"(NOWHERE));
	check_eq(LOAD("movq (%%rbx), %%rax", 0), ~0ULL);
}

static void check_arithmetic(void)
{
	step("TEST, CMP, BT, AND, OR, XOR, XCHG with memory");
	check_eq(LOAD("testb $0x80, (%%rbx); setnz %%al", 0), 1);
	check_eq(LOAD("cmpl $-1, (%%rbx); sete %%al", 0), 1);
	check_eq(LOAD("btl $5, (%%rbx); setc %%al", 0), 1);
	check_eq(LOAD("andl $0xf0, (%%rbx); setnz %%al", 0), 1);
	check_eq(LOAD("orb $1, (%%rbx); sets %%al", 0), 1);
	check_eq(LOAD("xorl $-1, (%%rbx); setz %%al", 0), 1);
	check_eq(LOAD("andl (%%rbx), %%eax", 0x1234), 0x1234);
	check_eq(LOAD("xchgl %%eax, (%%rbx)", 5), 0xffffffff);
}

static void check_strings(void)
{
	u8 buffer[32];
	ulong to = (ulong)buffer, from = NOWHERE, count = 4;

	step("MOVS in both directions, STOS, with REP");
	memset(buffer, 0, sizeof(buffer));
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	check_eq(count, 0);
	check_eq(to, (ulong)buffer + 16);
	check_eq(from, NOWHERE + 16);
	check(buffer[0] == 0xff && buffer[15] == 0xff && buffer[16] == 0);
	from = (ulong)buffer;
	to = NOWHERE;
	count = 3;
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	check(count == 0 && to == NOWHERE + 3);
	count = 2;
	asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	check(count == 0 && to == NOWHERE + 19);
}

/* The same address through another mapping; and one that straddles two pages. */
static void check_mappings(void)
{
	static u8 page[4096] __aligned(4096);
	ulong va = 0x4000000000;

	step("through a 4 KiB mapping elsewhere; half in RAM, half outside");

	paging_map(va, (ulong)page, LEVEL_4K, PTE_W);
	paging_map(va + 4096, NOWHERE, LEVEL_4K, PTE_W);
	check_eq(*(volatile u32 *)(va + 4096 + 0x10), 0xffffffff);
	check_eq(*(volatile u32 *)(va + 4094), 0xffff0000);
	*(volatile u32 *)(va + 4094) = 0x44332211;
	check_eq(page[4094] | page[4095] << 8, 0x2211);
}

GUEST("mmio")
{
	check_loads();
	check_stores();
	check_arithmetic();
	check_strings();
	check_mappings();
}
