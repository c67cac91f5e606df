// SPDX-License-Identifier: GPL-2.0-only
/* real: 16-bit real mode: segments, interrupts, exceptions, and limits of 4 GiB. */
#include "lib/trap.h"
#include "lib/trap16.h"

#define UART_SCRATCH	(PORT_COM1 + 7)

void unreal_enter(void);	/* real-asm.S */

static volatile u32 seen_vector, seen_flags;

static void note_interrupt(struct trap16_frame *frame)
{
	seen_vector = frame->vector;
	seen_flags = read_flags();
	frame->ax = 0x1234;
}

static void check_mode(void)
{
	u32 word;

	step("CR0.PE is clear, by MOV and by SMSW");
	check_eq(read_cr0() & (CR0_PE | CR0_PG), 0);
	asm volatile("smsw %0" : "=r"(word));
	check_eq(word & CR0_PE, 0);
	step("CPUID and RDMSR work: EFER 0x%llx", rdmsr(MSR_EFER));
	check(cpuid(0, 0).eax >= 1);
	check_eq(rdmsr(MSR_EFER) & (EFER_LMA | EFER_LME), 0);
}

static u8 read_far(u16 segment, u32 offset)
{
	u8 value;

	asm volatile("movw %1, %%fs; movb %%fs:(%2), %0"
		     : "=q"(value) : "r"(segment), "r"(offset) : "memory");
	return value;
}

static void write_far(u16 segment, u32 offset, u8 value)
{
	asm volatile("movw %1, %%fs; movb %0, %%fs:(%2)"
		     : : "q"(value), "r"(segment), "r"(offset) : "memory");
}

static void check_segments(void)
{
	step("a segment's base is its selector times 16");
	write_far(0x2000, 0x10, 0x5a);
	check_eq(read_far(0x2001, 0), 0x5a);
	check_eq(read_far(0x1002, 0xfff0), 0x5a);
	step("FFFF:0010 is 1 MiB: A20 is on");
	write_far(0xffff, 0x10, 0xa5);
	check_eq(read_far(0xffff, 0x10), 0xa5);
	check(read_far(0, 0) != 0xa5);
}

static void check_interrupts(void)
{
	u32 ax = 0;

	step("INT n goes through the vector table and IRET comes back");
	trap16_hook(0x42, note_interrupt);
	write_flags(read_flags() | EFLAGS_IF | EFLAGS_DF);
	asm volatile("int $0x42" : "+a"(ax) : : "memory");
	check_eq(seen_vector, 0x42);
	check_eq(seen_flags & EFLAGS_IF, 0);
	check_eq(ax & 0xffff, 0x1234);
	check(read_flags() & EFLAGS_IF);
	check(read_flags() & EFLAGS_DF);
	write_flags(EFLAGS_FIXED);
}

static void check_exceptions(void)
{
	static const u16 bounds[2] = { 1, 5 };

	step("exceptions: #DE #DB #BP #OF #BR #UD #SS #GP, no error codes");
	expect_fault(TRAP_DE, 0, "divb %b0", "q"(0), "a"(1));
	expect_trap(TRAP_BP, "int3");
	expect_trap(TRAP_DB, ".byte 0xf1");
	expect_trap(TRAP_OF, "pushfl; orl $0x800, (%%esp); popfl; into");
	expect_fault(TRAP_BR, 0, "bound %w0, %1", "r"(7), "m"(bounds));
	expect_none("bound %w0, %1", "r"(3), "m"(bounds));
	expect_fault(TRAP_UD, 0, "ud2");
	expect_fault(TRAP_GP, 0, "cmpw $0, %%ds:(%0)", "r"(0xffff));
	expect_fault(TRAP_SS, 0, "cmpw $0, %%ss:(%0)", "r"(0xffff));
	expect_fault(TRAP_UD, 0, "lldt %w0", "r"(0));
}

static void check_single_step(void)
{
	step("TF: #DB behind the next instruction");
	trap_arm();
	asm volatile("pushfl; orl $0x100, (%%esp); popfl\n\t" TRY("nop") : : : "memory", "cc");
	trap_expect(__FILE__, __LINE__, "nop", TRAP_DB, 0, true);
	asm volatile("pushfl; orl $0x100, (%%esp); popfl\n\t" TRY("cpuid")
		     : : "a"(0), "c"(0) : "ebx", "edx", "memory", "cc");
	trap_expect(__FILE__, __LINE__, "cpuid", TRAP_DB, 0, true);
}

static void check_ports(void)
{
	static const char text[] = "  rep outsb\r\n";	/* fits into the FIFO */
	const char *from = text;
	u32 count = sizeof(text) - 1;
	u8 got[2] = { 0, 0 };
	u8 *to = got;

	step("port I/O: IN, OUT, INSB, REP OUTSB");
	outb(UART_SCRATCH, 0x3c);
	check_eq(inb(UART_SCRATCH), 0x3c);
	asm volatile("insb" : "+D"(to) : "d"(UART_SCRATCH) : "memory");
	check_eq(got[0], 0x3c);
	check_eq(got[1], 0);
	console_drain();
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_COM1) : "memory");
	check_eq(count, 0);
	check_eq((u16)(ulong)from, (u16)((ulong)text + sizeof(text) - 1));
}

static void check_unreal(void)
{
	u32 value;

	step("limits loaded in protected mode stay: 32-bit offsets work");
	unreal_enter();
	check_eq(read_cr0() & CR0_PE, 0);
	asm volatile("movl %1, %%fs:(%2); movl %%fs:(%2), %0"
		     : "=&r"(value) : "r"(0xc0ffee), "r"(0x180000) : "memory");
	check_eq(value, 0xc0ffee);
	step("and a load in real mode changes the base, not the limit");
	asm volatile("movw %w1, %%fs; movl %%fs:(%2), %0"
		     : "=&r"(value) : "r"(0x1000), "r"(0x170000) : "memory");
	check_eq(value, 0xc0ffee);
}

GUEST("real")
{
	check_mode();
	check_segments();
	check_interrupts();
	check_exceptions();
	check_single_step();
	check_ports();
	check_unreal();
}
