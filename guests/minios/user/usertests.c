// SPDX-License-Identifier: GPL-2.0-only
/* usertests: each test runs in a child of its own; its status is the verdict. */
#include "../layout.h"
#include "user.h"

enum { DE = 0, BP = 3, UD = 6, GP = 13, PF = 14 };

#define KERNEL_BYTE	((volatile u8 *)KERNEL_BASE)

/* --- what works --- */

static long test_time(void)
{
	u64 before = sys_time(), i;

	for (i = 0; i < 1000; i++) {
		u64 now = sys_time();

		if (now < before)
			return 1;
		before = now;
	}
	return 0;
}

/* Late is possible where others run, early is not. */
static long test_sleep(void)
{
	u64 start = sys_time(), passed;

	sys_sleep(50000);
	passed = sys_time() - start;
	if (passed < 50000 || passed > 1000000)
		print("    slept %llu us for 50000\n", passed);
	return passed < 50000 || passed > 1000000;
}

static long test_fork_wait(void)
{
	long child = fork(), status = 0;

	if (!child)
		exit(77);
	if (child < 0 || sys_wait(&status) != child)
		return 1;
	return status != 77 || sys_wait(&status) != -1;
}

static volatile long shared = 1;

static long test_isolation(void)
{
	long status;

	if (!fork()) {
		shared = 2;
		exit(shared != 2);
	}
	sys_wait(&status);
	return status || shared != 1;
}

/* Until there is no more; all must come back, twice. */
static long test_many(void)
{
	long status, count, left;
	int round;

	for (round = 0; round < 2; round++) {
		for (count = 0; count < 100; count++) {
			long child = fork();

			if (!child)
				exit(0);
			if (child < 0)
				break;
		}
		if (count < 8 || count == 100)
			return 1;
		for (left = count; left; left--) {
			if (sys_wait(&status) < 0)
				return 2;
		}
	}
	return 0;
}

static long test_exec(void)
{
	long status;

	if (sys_exec("no such thing") != -1 || sys_exec((char *)8) != -1)
		return 1;
	if (!fork()) {
		sys_exec("hello");
		exit(1);
	}
	sys_wait(&status);
	return status;
}

static long test_yield(void)
{
	int i;

	if (!fork()) {
		for (i = 0; i < 200; i++)
			sys_yield();
		exit(0);
	}
	for (i = 0; i < 200; i++)
		sys_yield();
	return 0;
}

static long test_bad_pointers(void)
{
	static char byte;

	return sys_write((char *)KERNEL_BASE, 1) != -1 ||
	       sys_write((char *)USER_END - 1, 2) != -1 ||
	       sys_write(&byte, ~0UL) != -1 ||
	       sys_write((char *)-1, 1) != -1 ||
	       sys_write((char *)(1UL << 63), 1) != -1 ||
	       sys_write((char *)USER_BASE + 0x800000, 1) != -1 ||
	       syscall2(SYS_WAIT, (long)test_bad_pointers, 0) != -1 ||
	       syscall2(SYS_TASK_INFO, 0, KERNEL_BASE) != -1 ||
	       syscall2(SYS_COUNT, 0, 0) != -1 ||
	       syscall2(-1, 0, 0) != -1;
}

/*
 * Registers that do not survive would be found in one of many rounds; @call is a
 * SYSCALL in the loop, or nothing, so that only the timer can come in between.
 */
#define REGISTERS_KEPT(rounds, call)					\
({									\
	long wrong_, left_ = (rounds);					\
									\
	asm volatile("push %%rbp\n\t"					\
		     "mov $11, %%rbx\n\tmov $12, %%rbp\n\tmov $13, %%r8\n\t"	\
		     "mov $14, %%r9\n\tmov $15, %%r10\n\tmov $16, %%r12\n\t"	\
		     "mov $17, %%r13\n\tmov $18, %%r14\n\tmov $19, %%r15\n"	\
		     "1:\n\t" call "\n\t"				\
		     "mov %%rbx, %%rax\n\tadd %%rbp, %%rax\n\t"		\
		     "add %%r8, %%rax\n\tadd %%r9, %%rax\n\t"		\
		     "add %%r10, %%rax\n\tadd %%r12, %%rax\n\t"		\
		     "add %%r13, %%rax\n\tadd %%r14, %%rax\n\t"		\
		     "add %%r15, %%rax\n\tsub $135, %%rax\n\t"		\
		     "jnz 2f\n\tdec %%rdx\n\tjnz 1b\n"			\
		     "2:\n\tpop %%rbp"					\
		     : "=&a"(wrong_), "+d"(left_) : : "rbx", "rcx", "r8", "r9", \
		       "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");	\
	wrong_;								\
})

static long test_syscall_registers(void)
{
	return REGISTERS_KEPT(1000L, "mov $6, %%eax\n\tsyscall");
}

/* A child spins as well, so that the timer really switches. */
static long test_preemption(void)
{
	u64 end = sys_time() + 200000;
	long status, wrong = 0, child = fork();

	while (sys_time() < end && !wrong)
		wrong = REGISTERS_KEPT(100000L, "");
	if (!child)
		exit(wrong != 0);
	sys_wait(&status);
	return wrong || status;
}

/* --- what must kill --- */

static long test_null(void)
{
	asm volatile("movb $1, 8(%0)" : : "r"(0UL) : "memory");
	return 0;
}

static long test_read_kernel(void)
{
	return *KERNEL_BYTE;
}

static long test_write_kernel(void)
{
	*KERNEL_BYTE = 1;
	return 0;
}

static long test_write_code(void)
{
	*(volatile char *)test_write_code = 1;
	return 0;
}

static const char constant = 1;

static long test_write_constant(void)
{
	asm volatile("movb $2, (%0)" : : "r"(&constant) : "memory");
	return 0;
}

static long test_run_stack(void)
{
	volatile u8 code[1] = { 0xc3 };	/* RET */

	((void (*)(void))code)();
	return 0;
}

static long test_run_data(void)
{
	((void (*)(void))(u64)&shared)();
	return 0;
}

static long test_stack_overflow(void)
{
	asm volatile("1: push %rax; jmp 1b");
	return 0;
}

static long test_ud2(void)
{
	asm volatile("ud2");
	return 0;
}

static long test_divide(void)
{
	asm volatile("div %b0" : : "q"(0), "a"(1));
	return 0;
}

static long test_int3(void)
{
	asm volatile("int3");
	return 0;
}

/* A gate of the kernel's: no way in. */
static long test_int_timer(void)
{
	asm volatile("int $0xf0");
	return 0;
}

static long test_hlt(void)
{
	asm volatile("hlt");
	return 0;
}

static long test_cli(void)
{
	asm volatile("cli");
	return 0;
}

static long test_out(void)
{
	asm volatile("out %%al, $0x80" : : "a"(0));
	return 0;
}

static long test_wrmsr(void)
{
	asm volatile("wrmsr" : : "a"(0), "c"(0x10), "d"(0));
	return 0;
}

static long test_cr3(void)
{
	asm volatile("mov %0, %%cr3" : : "r"(0UL));
	return 0;
}

static long test_swapgs(void)
{
	asm volatile("swapgs");
	return 0;
}

static long test_non_canonical(void)
{
	return *(volatile char *)(1UL << 63);
}

static const struct test {
	const char *name;
	long (*run)(void);
	long status;
} tests[] = {
	{ "time goes forwards", test_time, 0 },
	{ "sleep is not too short", test_sleep, 0 },
	{ "fork and wait", test_fork_wait, 0 },
	{ "memory is not shared", test_isolation, 0 },
	{ "many tasks", test_many, 0 },
	{ "exec", test_exec, 0 },
	{ "yield", test_yield, 0 },
	{ "bad pointers and numbers", test_bad_pointers, 0 },
	{ "registers across system calls", test_syscall_registers, 0 },
	{ "registers across preemption", test_preemption, 0 },
	{ "null pointer", test_null, STATUS_KILLED(PF) },
	{ "read the kernel", test_read_kernel, STATUS_KILLED(PF) },
	{ "write the kernel", test_write_kernel, STATUS_KILLED(PF) },
	{ "write code", test_write_code, STATUS_KILLED(PF) },
	{ "write a constant", test_write_constant, STATUS_KILLED(PF) },
	{ "run the stack", test_run_stack, STATUS_KILLED(PF) },
	{ "run data", test_run_data, STATUS_KILLED(PF) },
	{ "stack overflow", test_stack_overflow, STATUS_KILLED(PF) },
	{ "UD2", test_ud2, STATUS_KILLED(UD) },
	{ "divide by zero", test_divide, STATUS_KILLED(DE) },
	{ "INT3", test_int3, STATUS_KILLED(BP) },
	{ "INT of the timer", test_int_timer, STATUS_KILLED(GP) },
	{ "HLT", test_hlt, STATUS_KILLED(GP) },
	{ "CLI", test_cli, STATUS_KILLED(GP) },
	{ "OUT", test_out, STATUS_KILLED(GP) },
	{ "WRMSR", test_wrmsr, STATUS_KILLED(GP) },
	{ "MOV to CR3", test_cr3, STATUS_KILLED(GP) },
	{ "SWAPGS", test_swapgs, STATUS_KILLED(GP) },
	{ "non-canonical address", test_non_canonical, STATUS_KILLED(GP) },
};

static bool passes(const struct test *test)
{
	long status = -1, child = fork();

	if (!child)
		exit(test->run());
	while (sys_wait(&status) != child)
		;
	if (status != test->status)
		print("    status %ld, want %ld\n", status, test->status);
	return status == test->status;
}

int main(void)
{
	u32 i, failed = 0;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		bool ok = passes(&tests[i]);

		print("%s %s\n", ok ? "ok    " : "FAILED", tests[i].name);
		failed += !ok;
	}
	print("usertests: %lu passed, %u failed\n", (ulong)ARRAY_SIZE(tests) - failed, failed);
	return failed != 0;
}
