// SPDX-License-Identifier: GPL-2.0-only
/*
 * step: single-stepping through instructions that leave the guest, and through
 * the shadows of STI and MOV SS.
 *
 * A sequence runs with TF set; every #DB notes where it came. The one rule with
 * an exception: no #DB between MOV SS and the instruction behind it.
 */
#include "lib/trap.h"

#define STOPS	24
#define NOWHERE	0xd0000000UL
#define DR6_BS	(1UL << 14)

struct sequence {
	const char *name;
	void (*run)(void);
	const u8 *begin, *end;
	/* Lengths of what runs between two #DBs, 0 at the end. */
	u8 lengths[12];
};

static ulong stops[STOPS];
static u32 stop_count;
static u64 dr6_all, dr6_any;

static bool on_debug(struct trap_frame *frame)
{
	if (stop_count < STOPS)
		stops[stop_count++] = frame->ip;
	dr6_all &= read_dr6();
	dr6_any |= read_dr6();
	write_dr6(0);
	return true;
}

/*
 * step_name() runs @insns with TF on from its first byte on; the popf that ends
 * it is stepped over as well, and is the last.
 */
#define SEQUENCE(name, insns)						\
	void step_##name(void);						\
	extern const u8 begin_##name[], end_##name[];			\
	asm(".text\n"							\
	    "step_" #name ":\n\t"					\
	    "push %rbx\n\tpushfq\n\tpushfq\n\t"				\
	    "orl $0x100, (%rsp)\n\t"					\
	    "mov $0x3ff, %edx\n\txor %eax, %eax\n\txor %ecx, %ecx\n\t"	\
	    "mov $0xd0000000, %ebx\n\tmov %ss, %esi\n\t"		\
	    "popfq\n"							\
	    "begin_" #name ":\n\t"					\
	    insns "\n"							\
	    "end_" #name ":\n\t"					\
	    "popfq\n\tpop %rbx\n\tret\n")

SEQUENCE(plain, "nop\n\tnop\n\tnop");
SEQUENCE(cpuid, "push %rbx\n\tcpuid\n\tpop %rbx\n\tnop");
SEQUENCE(port, "out %al, %dx\n\tin %dx, %al\n\tout %al, $0x80\n\tnop");
SEQUENCE(control, "mov %cr4, %rax\n\tmov %rax, %cr4\n\tmov %cr0, %rax\n\t"
	 "mov %rax, %cr0\n\tmov %cr3, %rax\n\tmov %rax, %cr3");
SEQUENCE(msr, "rdtsc\n\tmov $0x277, %ecx\n\trdmsr\n\twrmsr\n\tnop");
SEQUENCE(mmio, "mov (%rbx), %eax\n\tmov %eax, (%rbx)\n\tnop");
SEQUENCE(sti, "sti\n\tnop\n\tnop\n\tcli\n\tnop");
SEQUENCE(sti_cpuid, "push %rbx\n\tsti\n\tcpuid\n\tcli\n\tpop %rbx");
SEQUENCE(sti_port, "sti\n\tin %dx, %al\n\tcli\n\tnop");
SEQUENCE(mov_ss, "nop\n\tmov %esi, %ss\n\tnop\n\tnop");
SEQUENCE(mov_ss_cpuid, "push %rbx\n\tmov %esi, %ss\n\tcpuid\n\tpop %rbx");
SEQUENCE(mov_ss_port, "mov %esi, %ss\n\tin %dx, %al\n\tnop");
SEQUENCE(mov_ss_mmio, "mov %esi, %ss\n\tmov (%rbx), %eax\n\tnop");
SEQUENCE(mov_ss_msr, "mov $0x277, %ecx\n\tmov %esi, %ss\n\trdmsr\n\tnop");
SEQUENCE(hlt, "nop\n\thlt\n\tnop");
SEQUENCE(int3, "int3\n\tnop");

#define ROW(name, text, ...) \
	{ text, step_##name, begin_##name, end_##name, { __VA_ARGS__ } }

static const struct sequence sequences[] = {
	ROW(plain, "NOPs", 1, 1, 1),
	ROW(cpuid, "CPUID", 1, 2, 1, 1),
	ROW(port, "IN and OUT", 1, 1, 2, 1),
	ROW(control, "control registers", 3, 3, 3, 3, 3, 3),
	ROW(msr, "RDTSC, RDMSR, WRMSR", 2, 5, 2, 2, 1),
	ROW(mmio, "MMIO", 2, 2, 1),
	ROW(sti, "STI, NOP", 1, 1, 1, 1, 1),
	ROW(sti_cpuid, "STI, CPUID", 1, 1, 2, 1, 1),
	ROW(sti_port, "STI, IN", 1, 1, 1, 1),
	ROW(mov_ss, "MOV SS, NOP", 1, 3, 1),
	ROW(mov_ss_cpuid, "MOV SS, CPUID", 1, 4, 1),
	ROW(mov_ss_port, "MOV SS, IN", 3, 1),
	ROW(mov_ss_mmio, "MOV SS, MMIO", 4, 1),
	ROW(mov_ss_msr, "MOV SS, RDMSR", 5, 4, 1),
	ROW(hlt, "HLT: the step behind it ends it", 1, 1, 1),
	ROW(int3, "INT3: neither it nor its handler is stepped", 2),
};

static bool on_breakpoint(struct trap_frame *frame)
{
	(void)frame;
	return true;
}

static void compare(const struct sequence *s)
{
	ulong at = (ulong)s->begin;
	u32 i;

	for (i = 0; s->lengths[i]; i++) {
		at += s->lengths[i];
		if (!check_eq(stops[i], at))
			print("    stop %u: offset %ld, want %ld\n", i,
			      (long)(stops[i] - (ulong)s->begin),
			      (long)(at - (ulong)s->begin));
	}
	check_eq(at, (ulong)s->end);
	/* The POPF that ends it all is the last instruction under TF. */
	check_eq(stops[i], (ulong)s->end + 1);
	check_eq(stop_count, i + 1);
}

static void run_sequence(const struct sequence *s)
{
	step("%s", s->name);
	stop_count = 0;
	memset(stops, 0, sizeof(stops));
	dr6_all = ~0ULL;
	dr6_any = 0;
	write_dr6(0);
	s->run();
	compare(s);
	check(dr6_all & DR6_BS);
	check_eq(dr6_any & 0xf, 0);
}

static void check_string(void)
{
	static u8 bytes[4];
	u8 *to = bytes;
	ulong count = 4;

	step("REP INSB: a #DB behind every element, the last behind the instruction");
	stop_count = 0;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
		     "1: rep insb\n"
		     "2: pushfq; andl $~0x100, (%%rsp); popfq"
		     : "+D"(to), "+c"(count) : "d"(PORT_COM1 + 7) : "memory", "cc");
	check_eq(count, 0);
	check_eq(stop_count, 4 + 3);
	check_eq(stops[0], stops[2]);
	check_eq(stops[3], stops[0] + 2);
}

GUEST("step")
{
	u32 i;

	trap_hook(TRAP_DB, on_debug);
	trap_hook(TRAP_BP, on_breakpoint);
	for (i = 0; i < ARRAY_SIZE(sequences); i++)
		run_sequence(&sequences[i]);
	check_string();
}
