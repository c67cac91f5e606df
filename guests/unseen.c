// SPDX-License-Identifier: GPL-2.0-only
/* unseen: looks for a debugger's breakpoints in its own code, by all ways to read it. */
#include "lib/guest.h"

#define PAGE	4096
#define ROUNDS	4
#define NOP	0x90
#define CLC	0xf8
#define INT3	0xcc

/*
 * Two pages of code with data and a stack behind it. In the first nothing is done that is not
 * plain; of the second the CPU itself reads a frame.
 */
asm(".pushsection .text.pages, \"ax\"\n"
	".balign 4096, 0\n"
	"unseen_code: nop; nop; ret\n"
	".balign 8, 0\n"
	".quad 0x1122334455667788\n"
	".balign 4096, 0\n"
	"shown_code: nop; nop; ret\n"
	".balign 4096, 0\n"
	".popsection");

extern u8 unseen_code[PAGE], shown_code[PAGE];

#define DATA	((volatile u64 *)(unseen_code + 8))
#define STACK	0x100	/* where a stack in a page begins */

static u8 copy[PAGE];

static void call(const u8 *code)
{
	asm volatile("call *%0" : : "r"(code) : "memory", "cc");
}

static u64 add_up(const u8 *from)
{
	u64 sum = 0;

	for (u32 i = 0; i < PAGE; i += 8)
		sum += *(volatile const u64 *)(from + i);
	return sum;
}

/* How far two pages are the same. */
static u64 compare(const u8 *a, const u8 *b)
{
	u64 left = PAGE;

	asm volatile("repe cmpsb" : "+S"(a), "+D"(b), "+c"(left) : : "memory", "cc");
	return PAGE - left;
}

static bool find(u8 byte, const u8 *from)
{
	u64 left = PAGE;
	bool found;

	asm volatile("repne scasb" : "+D"(from), "+c"(left), "=@ccz"(found) : "a"(byte) : "memory");
	return found;
}

static void copy_page(u8 *to, const u8 *from)
{
	u64 left = PAGE / 8;

	asm volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(left) : : "memory");
}

static void look(u64 sum)
{
	check_eq(*(volatile u8 *)unseen_code, NOP);
	check_eq(*(volatile u32 *)unseen_code & 0xffffff, 0xc39090);
	check_eq(add_up(unseen_code), sum);
	check(!find(INT3, unseen_code));
	copy_page(copy, unseen_code);
	check_eq(copy[0], NOP);
	check_eq(add_up(copy), sum);
	check_eq(compare(copy, unseen_code), PAGE);
}

static void use_as_data(void)
{
	u64 value = 1, old_stack;

	asm volatile("lock xadd %0, %1" : "+r"(value), "+m"(*DATA) : : "cc");
	check_eq(value, 0x1122334455667788);
	check_eq(*DATA, 0x1122334455667789);
	(*DATA)--;
	asm volatile("mov %%rsp, %0; mov %2, %%rsp; push $77; pop %1; mov %0, %%rsp"
		     : "=&r"(old_stack), "=&r"(value)
		     : "r"(unseen_code + STACK)
		     : "memory");
	check_eq(value, 77);
	/* As it was, for the sums. */
	*(volatile u64 *)(unseen_code + STACK - 8) = 0;
}

static void write_over_it(void)
{
	*(volatile u8 *)unseen_code = CLC;
	check_eq(*(volatile u8 *)unseen_code, CLC);
	call(unseen_code);
	*(volatile u8 *)unseen_code = NOP;
}

/* IRET takes its frame from there. */
static void return_from_it(void)
{
	asm volatile("mov %%rsp, %%rbx\n"
		     "mov %%ss, %%eax\n"
		     "mov %%cs, %%ecx\n"
		     "lea 1f(%%rip), %%rdx\n"
		     "mov %0, %%rsp\n"
		     "push %%rax\n"
		     "push %%rbx\n"
		     "pushfq\n"
		     "push %%rcx\n"
		     "push %%rdx\n"
		     "iretq\n"
		     "1:\n"
		     : : "r"(shown_code + STACK) : "rax", "rbx", "rcx", "rdx", "memory", "cc");
}

GUEST("unseen")
{
	u64 sum = add_up(unseen_code);

	for (int i = 0; i < ROUNDS; i++) {
		step("round %d", i);
		call(unseen_code);
		look(sum);
		use_as_data();
		look(sum);
		write_over_it();
	}
	step("a page that the CPU reads by itself");
	call(shown_code);
	return_from_it();
	call(shown_code);
}
