// SPDX-License-Identifier: GPL-2.0-only
/* syscall: ring 3 and back by SYSCALL, SYSENTER and SWAPGS, with exits in between. */
#include "lib/trap.h"

#define USER_WORD	0x7573657277303031ULL
#define KERNEL_WORD	0x6b65726e656c3031ULL
#define FMASK		(EFLAGS_IF | EFLAGS_DF | EFLAGS_TF | EFLAGS_AC)

struct area {
	u64 word;
	u64 stack;
	u64 user_sp;
};

/* What user_syscall() finds when it is back. */
struct syscall_return {
	u64 rcx, r11, flags, address;
};

void syscall_entry(void);	/* syscall-asm.S */
void sysenter_entry(void);
long user_syscall(long argument, struct syscall_return *seen);
long user_sysenter(long argument);
long syscall_handler(long argument, u64 flags);
long sysenter_handler(long argument);

static u8 stack[8192] __aligned(16);
static struct area kernel_area = { KERNEL_WORD, (ulong)(stack + sizeof(stack)), 0 };
static struct area user_area = { USER_WORD, 0, 0 };
static struct syscall_return seen;

static u64 gs_word(void)
{
	u64 word;

	asm volatile("mov %%gs:0, %0" : "=r"(word));
	return word;
}

/* Each of them is an exit to the kernel or to user space. */
static void leave_guest(void)
{
	cpuid(0, 0);
	outb(PORT_COM1 + 7, 0x5a);
	check_eq(inb(PORT_COM1 + 7), 0x5a);
}

long syscall_handler(long argument, u64 flags)
{
	check_eq(flags & FMASK, 0);
	check(flags & EFLAGS_CF);
	check_eq(gs_word(), KERNEL_WORD);
	leave_guest();
	check_eq(gs_word(), KERNEL_WORD);
	check_eq(rdmsr(MSR_GS_BASE), (ulong)&kernel_area);
	check_eq(rdmsr(MSR_KERNEL_GS_BASE), (ulong)&user_area);
	return argument + 1;
}

long sysenter_handler(long argument)
{
	leave_guest();
	return argument * 2;
}

static long user_part(long argument)
{
	long result;

	check_eq(gs_word(), USER_WORD);
	write_flags(read_flags() | EFLAGS_CF | EFLAGS_DF | EFLAGS_AC);
	result = user_syscall(argument, &seen);
	asm volatile("cld");
	write_flags(read_flags() & ~EFLAGS_AC);
	check_eq(gs_word(), USER_WORD);
	return result;
}

static void set_msrs(void)
{
	wrmsr(MSR_STAR, (u64)(USER_CS32) << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (ulong)syscall_entry);
	wrmsr(MSR_FMASK, FMASK);
	wrmsr(MSR_GS_BASE, (ulong)&user_area);
	wrmsr(MSR_KERNEL_GS_BASE, (ulong)&kernel_area);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}

static void check_syscall(void)
{
	step("SYSCALL and SYSRET: RCX, R11, FMASK, GS");
	check_eq(user_run(user_part, 41), 42);
	check(seen.address != 0);
	check_eq(seen.rcx, seen.address);
	check_eq(seen.r11, seen.flags);
	check(seen.flags & EFLAGS_DF);
	check(seen.flags & EFLAGS_AC);
	check_eq(rdmsr(MSR_GS_BASE), (ulong)&user_area);
	check_eq(rdmsr(MSR_KERNEL_GS_BASE), (ulong)&kernel_area);
	step("STAR, LSTAR, FMASK read back");
	check_eq(rdmsr(MSR_STAR), (u64)(USER_CS32) << 48 | (u64)KERNEL_CS << 32);
	check_eq(rdmsr(MSR_LSTAR), (ulong)syscall_entry);
	check_eq(rdmsr(MSR_FMASK), FMASK);
}

static void check_many(void)
{
	u32 i, wrong = 0;

	step("a thousand times");
	for (i = 0; i < 1000; i++)
		wrong += user_run(user_part, i) != (long)i + 1;
	check_eq(wrong, 0);
}

static void check_swapgs(void)
{
	step("SWAPGS exchanges the two bases; exits do not mix them up");
	asm volatile("swapgs");
	check_eq(gs_word(), KERNEL_WORD);
	leave_guest();
	check_eq(rdmsr(MSR_KERNEL_GS_BASE), (ulong)&user_area);
	asm volatile("swapgs");
	leave_guest();
	check_eq(gs_word(), USER_WORD);
	step("a GS load in between changes the active base only");
	asm volatile("mov %w0, %%gs" : : "r"(0));
	check_eq(rdmsr(MSR_KERNEL_GS_BASE), (ulong)&kernel_area);
	wrmsr(MSR_GS_BASE, (ulong)&user_area);
}

static void check_faults(void)
{
	register u64 r11 asm("r11") = EFLAGS_FIXED;

	step("SYSCALL and SYSRET are #UD without EFER.SCE");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SCE);
	expect_fault(TRAP_UD, 0, "syscall");
	expect_fault(TRAP_UD, 0, "sysretq");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	step("SYSRET to a non-canonical address is #GP(0) in ring 0");
	expect_fault(TRAP_GP, 0, "sysretq", "c"(1ULL << 63), "r"(r11));
}

static long user_swapgs(long unused)
{
	expect_fault(TRAP_GP, 0, "swapgs");
	expect_fault(TRAP_GP, 0, "sysretq");
	return unused;
}

static void check_sysenter(void)
{
	step("SYSENTER and SYSEXIT");
	wrmsr(MSR_SYSENTER_CS, 0);
	expect_fault(TRAP_GP, 0, "sysenter");
	/* SYSEXITQ takes CS + 32 and CS + 40: USER_CS is KERNEL_CS + 32. */
	wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
	wrmsr(MSR_SYSENTER_ESP, (ulong)(stack + sizeof(stack)));
	wrmsr(MSR_SYSENTER_EIP, (ulong)sysenter_entry);
	check_eq(user_run(user_sysenter, 21), 42);
	check_eq(rdmsr(MSR_SYSENTER_EIP), (ulong)sysenter_entry);
}

GUEST("syscall")
{
	set_msrs();
	check_syscall();
	check_many();
	check_swapgs();
	check_faults();
	step("ring 3 may not SWAPGS or SYSRET");
	user_run(user_swapgs, 0);
	check_sysenter();
}
