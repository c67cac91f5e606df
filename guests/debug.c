// SPDX-License-Identifier: GPL-2.0-only
/* debug: breakpoints by the debug registers, and the registers themselves. */
#include "lib/trap.h"

#define DR6_FIXED	0xffff0ff0UL
#define DR7_FIXED	0x400UL
#define DR7_GD		(1UL << 13)
#define DR6_BD		(1UL << 13)

enum { BREAK_EXECUTE, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

#define NOWHERE		0xd0000000UL	/* neither RAM nor a chip */

static volatile u64 watched, other;
static u32 hits;
static ulong hit_ip, hit_dr6;

/* A breakpoint on an instruction comes before it: RF lets it run. */
static bool on_debug(struct trap_frame *frame)
{
	hits++;
	hit_ip = frame->ip;
	hit_dr6 = read_dr6();
	write_dr6(0);
	frame->flags |= EFLAGS_RF;
	return true;
}

static void break_at(int n, ulong address, int type, int bytes)
{
	ulong length = bytes == 8 ? 2 : bytes - 1;

	hits = 0;
	hit_dr6 = 0;
	switch (n) {
	case 0:
		write_dr0(address);
		break;
	case 1:
		write_dr1(address);
		break;
	case 2:
		write_dr2(address);
		break;
	default:
		write_dr3(address);
	}
	write_dr7(DR7_FIXED | 2UL << 2 * n | (type | length << 2) << (16 + 4 * n));
}

static void check_reset(void)
{
	step("DR6 and DR7 as RESET leaves them");
	check_eq(read_dr6(), DR6_FIXED);
	check_eq(read_dr7(), DR7_FIXED);
}

static void check_kept(void)
{
	step("DR0 to DR3, DR6 and DR7 are kept across exits");
	write_dr0(0x1000);
	write_dr1(0xffff800000002000);
	write_dr2(0x3000);
	write_dr3(0x4000);
	write_dr6(0);
	check_eq(read_dr6(), DR6_FIXED);
	write_dr6(0x4003);
	cpuid(0, 0);
	outb(PORT_DEBUG, '\n');
	check_eq(read_dr0(), 0x1000);
	check_eq(read_dr1(), 0xffff800000002000);
	check_eq(read_dr2(), 0x3000);
	check_eq(read_dr3(), 0x4000);
	check_eq(read_dr6(), DR6_FIXED | 0x4003);
	write_dr7(DR7_FIXED | 0x300);
	outb(PORT_DEBUG, '\n');
	check_eq(read_dr7(), DR7_FIXED | 0x300);
	write_dr7(DR7_FIXED);
	write_dr6(0);
}

static void check_rules(void)
{
	step("upper halves of DR6 and DR7 are #GP; DR4 and DR5 by CR4.DE");
	expect_fault(TRAP_GP, 0, "mov %0, %%dr6", "r"(1UL << 32));
	expect_fault(TRAP_GP, 0, "mov %0, %%dr7", "r"(1UL << 32));
	write_cr4(read_cr4() & ~CR4_DE);
	expect_none("mov %0, %%db4", "r"(0UL));
	write_cr4(read_cr4() | CR4_DE);
	expect_fault(TRAP_UD, 0, "mov %0, %%db4", "r"(0UL));
	expect_fault(TRAP_UD, 0, "mov %%db5, %0", "r"(0UL));
}

static void check_execute(void)
{
	extern const u8 break_nop[], break_cpuid[], break_in[];

	trap_hook(TRAP_DB, on_debug);
	step("execution: before the instruction, once, also if that leaves the guest");
	break_at(0, (ulong)break_nop, BREAK_EXECUTE, 1);
	asm volatile("break_nop: nop");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)break_nop);
	check_eq(hit_dr6, DR6_FIXED | 1);
	break_at(1, (ulong)break_cpuid, BREAK_EXECUTE, 1);
	asm volatile("break_cpuid: cpuid" : : "a"(0), "c"(0) : "rbx", "rdx");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)break_cpuid);
	check_eq(hit_dr6, DR6_FIXED | 2);
	break_at(2, (ulong)break_in, BREAK_EXECUTE, 1);
	asm volatile("break_in: inb %%dx, %%al" : : "a"(0), "d"(PORT_COM1 + 7));
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)break_in);
	check_eq(hit_dr6, DR6_FIXED | 4);
}

static void check_data(void)
{
	extern const u8 after_write[], after_read[];

	step("data: behind the access; writes, or both; only the bytes watched");
	break_at(3, (ulong)&watched, BREAK_WRITE, 8);
	(void)watched;
	other = 1;
	check_eq(hits, 0);
	asm volatile("movl $5, %0; after_write:" : "=m"(watched));
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_write);
	check_eq(hit_dr6, DR6_FIXED | 8);
	break_at(0, (ulong)&watched + 2, BREAK_ACCESS, 2);
	asm volatile("cmpb $0, 4+%0" : : "m"(watched) : "cc");
	check_eq(hits, 0);
	asm volatile("cmpb $0, 3+%0; after_read:" : : "m"(watched) : "cc");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_read);
	check_eq(hit_dr6, DR6_FIXED | 1);
}

/* Accesses that leave the guest are done by hvctl, which looks for breakpoints then. */
static void check_device(void)
{
	extern const u8 after_store[], after_outs[], after_ins[], after_in[];
	ulong to = NOWHERE, from, count = 3;
	static u8 text[2] = "\n";

	step("data: on a device, on the memory side of a string, at each element");
	break_at(1, NOWHERE + 4, BREAK_WRITE, 4);
	asm volatile("movl $5, 8(%0); cmpl $5, 4(%0); movl $5, 4(%0); after_store:"
		     : : "r"(NOWHERE) : "memory", "cc");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_store);
	check_eq(hit_dr6, DR6_FIXED | 2);
	break_at(2, NOWHERE, BREAK_WRITE, 2);
	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	check_eq(hits, 2);
	check_eq(count, 0);
	break_at(0, (ulong)text, BREAK_ACCESS, 1);
	from = (ulong)text;
	asm volatile("outsb; after_outs:" : "+S"(from) : "d"(PORT_DEBUG) : "memory");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_outs);
	step("I/O, with CR4.DE: a string's port");
	break_at(3, PORT_COM1 + 7, BREAK_IO, 1);
	to = (ulong)text;
	asm volatile("insb; after_ins:" : "+D"(to) : "d"(PORT_COM1 + 7) : "memory");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_ins);
	check_eq(hit_dr6, DR6_FIXED | 8);
	step("I/O, with CR4.DE: behind IN and OUT of the port alone");
	break_at(1, PORT_COM1 + 5, BREAK_IO, 1);
	outb(PORT_COM1 + 7, 1);
	check_eq(hits, 0);
	asm volatile("inb %%dx, %%al; after_in:" : : "d"(PORT_COM1 + 5) : "rax");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_in);
	check_eq(hit_dr6, DR6_FIXED | 2);
	break_at(0, PORT_COM1 + 7, BREAK_IO, 1);
	outb(PORT_COM1 + 7, 2);
	check_eq(hits, 1);
	check_eq(hit_dr6, DR6_FIXED | 1);
	write_cr4(read_cr4() & ~CR4_DE);
	outb(PORT_COM1 + 7, 3);
	check_eq(hits, 1);
	write_cr4(read_cr4() | CR4_DE);
	write_dr7(DR7_FIXED);
}

static void check_disabled(void)
{
	step("nothing happens with the enable bits clear");
	hits = 0;
	write_dr7(read_dr7() & ~0xffUL);
	watched = 7;
	check_eq(hits, 0);
}

static void check_general_detect(void)
{
	extern const u8 touch_dr0[];

	step("DR7.GD: #DB before an access to a debug register, and GD is off again");
	hits = 0;
	write_dr7(DR7_FIXED | DR7_GD);
	asm volatile("touch_dr0: mov %%dr0, %%rax" : : : "rax");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)touch_dr0);
	check_eq(hit_dr6, DR6_FIXED | DR6_BD);
	check_eq(read_dr7(), DR7_FIXED);
}

static long user_debug(long unused)
{
	expect_fault(TRAP_GP, 0, "mov %%dr0, %0", "r"(0UL));
	expect_fault(TRAP_GP, 0, "mov %0, %%dr7", "r"(0UL));
	return unused;
}

/* Under blocking by MOV SS the #DB waits for the next instruction's end. */
static void check_mov_ss(void)
{
	extern const u8 after_shadow[];
	u64 selector = KERNEL_DS;

	step("a data breakpoint hit by MOV SS is taken one instruction later");
	watched = selector;
	break_at(0, (ulong)&watched, BREAK_ACCESS, 2);
	asm volatile("mov %0, %%ss; nop; after_shadow: nop" : : "m"(watched));
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)after_shadow);
	write_dr7(DR7_FIXED);
}

/* The next instruction is under TF and in the shadow of MOV SS. */
#define STEP_INTO_SHADOW						\
	"mov %%ss, %%ecx; pushfq; orl $0x100, (%%rsp); popfq; mov %%ecx, %%ss\n\t"

static bool on_first_debug(struct trap_frame *frame)
{
	if (!hits)
		hit_ip = frame->ip;
	hits++;
	write_dr6(0);
	frame->flags &= ~EFLAGS_TF;
	return true;
}

/* VM entry with #DB to be injected there wants a pending single step beside it. */
static void check_shadow_stepped(void)
{
	extern const u8 shadow_dr0[], behind_int1[];

	trap_hook(TRAP_DB, on_first_debug);
	step("DR7.GD in the shadow of MOV SS, under TF: the #DB is that of the MOV DR");
	hits = 0;
	write_dr7(DR7_FIXED | DR7_GD);
	asm volatile(STEP_INTO_SHADOW "shadow_dr0: mov %%dr0, %%rax" : : : "rax", "rcx", "memory");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)shadow_dr0);
	check_eq(read_dr7(), DR7_FIXED);
	step("INT1 in the shadow of MOV SS, under TF: the #DB is that of the INT1");
	hits = 0;
	asm volatile(STEP_INTO_SHADOW ".byte 0xf1; behind_int1:" : : : "rcx", "memory");
	check_eq(hits, 1);
	check_eq(hit_ip, (ulong)behind_int1);
}

static bool on_int1(struct trap_frame *frame)
{
	(void)frame;
	hits++;
	/* With GD still on, this would come here again. */
	hit_dr6 = hits == 1 ? read_dr6() : 0;
	return true;
}

static void check_int1(void)
{
	trap_hook(TRAP_DB, on_int1);
	step("INT1 clears DR7.GD, as each #DB does, and is in no bit of DR6");
	hits = 0;
	write_dr6(0);
	write_dr7(DR7_FIXED | DR7_GD);
	asm volatile(".byte 0xf1" : : : "memory");
	check_eq(hits, 1);
	check_eq(hit_dr6, DR6_FIXED);
	check_eq(read_dr7(), DR7_FIXED);
}

GUEST("debug")
{
	check_reset();
	check_kept();
	check_rules();
	check_execute();
	check_data();
	check_device();
	check_disabled();
	check_general_detect();
	check_mov_ss();
	check_shadow_stepped();
	check_int1();
	trap_hook(TRAP_DB, NULL);
	step("ring 3 may not touch debug registers");
	user_run(user_debug, 0);
}
