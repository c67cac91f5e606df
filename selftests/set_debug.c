// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_DEBUG: a debugger outside of the guest steps it, stops it at INT3 and at breakpoints, and
 * a guest that looks for it finds nothing.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "lib.h"

#define DB	1
#define BP	3
#define UD	6
#define VECTOR	0x40
#define TF	0x100UL
#define RF	0x10000UL
#define DR6_FIXED 0xffff0ff0UL
#define DR7_FIXED 0x400UL
#define EFER	0xc0000080
#define STAR	0xc0000081
#define LSTAR	0xc0000082
#define INT3_EVENT (1U << 31 | 6U << 8 | BP)

enum { EXECUTE, WRITE, IO, ACCESS };

/* DR7 with breakpoint @n enabled; @len is the field. */
#define DR7(n, type, len) (1UL << (2 * (n)) | (u64)((type) | (len) << 2) << (16 + 4 * (n)))

#define INT3	TINYVMX_DEBUG_INT3
#define STEP	TINYVMX_DEBUG_STEP
#define BREAKS	TINYVMX_DEBUG_BREAKPOINTS
#define HOLD	TINYVMX_DEBUG_NO_INTERRUPTS

static int set_debug_all(struct vcpu *vcpu, u32 flags, const u64 dr[4], u64 dr7)
{
	struct tinyvmx_set_debug arg = { .size = sizeof(arg), .flags = flags, .dr7 = dr7 };

	if (dr)
		memcpy(arg.dr, dr, sizeof(arg.dr));
	return ioctl(vcpu->fd, TINYVMX_SET_DEBUG, &arg);
}

static int set_debug(struct vcpu *vcpu, u32 flags)
{
	return set_debug_all(vcpu, flags, NULL, 0);
}

/* One breakpoint. */
static void watch(struct vcpu *vcpu, u32 flags, unsigned int n, const volatile void *at, u64 type,
		  u64 len)
{
	u64 dr[4] = { 0 };

	dr[n] = (uintptr_t)at;
	must(set_debug_all(vcpu, flags | BREAKS, dr, DR7(n, type, len)));
}

/* One check: RUN comes back for @cause, and the guest is at @rip. */
static void ok_debug(struct vcpu *vcpu, u32 cause, u64 rip, const char *what)
{
	struct tinyvmx_run *run = vcpu->run;
	bool good = run_until(vcpu, TINYVMX_EXIT_DEBUG);

	if (!ok(good && run->debug.cause == cause && run->rip == rip && run->regs.rip == rip &&
		run->debug.address == rip && (run->flags & TINYVMX_RUN_REGS), "%s", what) && good)
		diag("cause %#x, at %#llx, not %#lx", run->debug.cause, run->rip, rip);
}

/* ------------------------------------------------------------------ steps */

/* An instruction, whose address becomes one of __start_at_LIST ... __stop_at_LIST. */
#define AT(list, insn) \
	"661:\t" insn "\n\t.pushsection at_" #list ",\"a\"; .quad 661b; .popsection\n\t"

#define LIST(list) extern const u64 __start_at_##list[], __stop_at_##list[]

LIST(plain);

/* What the CPU does alone, what the module does, what changes flags, segments and stack. */
__attribute__((naked)) static void does_plain(void)
{
	__asm__ volatile(
		AT(plain, "mov $0xc0000080, %%ecx") AT(plain, "rdmsr") AT(plain, "wrmsr")
		AT(plain, "xor %%eax, %%eax") AT(plain, "cpuid") AT(plain, "pause")
		AT(plain, "pushfq") AT(plain, "pop %%rbx") AT(plain, "push %%rbx")
		AT(plain, "popfq") AT(plain, "pushfq") AT(plain, "pop %%r8")
		AT(plain, "or %%r8, %%rbx") AT(plain, "sti") AT(plain, "nop") AT(plain, "cli")
		AT(plain, "mov %%ss, %%eax") AT(plain, "mov %%eax, %%ss") AT(plain, "nop")
		AT(plain, "mov %%cr0, %%rax") AT(plain, "mov %%rax, %%cr0")
		AT(plain, "mov %%cr4, %%rax") AT(plain, "mov %%rax, %%cr4")
		AT(plain, "mov %%db7, %%rax") AT(plain, "mov %%rax, %%db7")
		AT(plain, "mov %%db6, %%r9") AT(plain, "mov %%db6, %%r9")
		AT(plain, "wbinvd") AT(plain, "rdtsc") AT(plain, "sgdt -16(%%rsp)")
		AT(plain, "xchg %%rax, (%%rsp)") AT(plain, "xchg %%rax, (%%rsp)")
		AT(plain, "mov %%rbx, %%rax") AT(plain, "ret") : :);
}

static void test_plain(u32 flags, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(does_plain);
	const u64 *at = __start_at_plain;

	must(set_debug(vcpu, flags));
	while (++at != __stop_at_plain) {
		if (run_until(vcpu, TINYVMX_EXIT_DEBUG) && vcpu->run->rip == *at &&
		    vcpu->run->debug.cause == STEP)
			continue;
		diag("step %td: at %#llx, not %#lx", at - __start_at_plain, vcpu->run->rip, *at);
		break;
	}
	ok(at == __stop_at_plain, "%s: %td steps, each to the next instruction", what,
	   __stop_at_plain - __start_at_plain - 1);
	is(vcpu->run->regs.gpr[TINYVMX_RBX] & TF, 0, "%s: no TF in what PUSHF pushes", what);
	is(vcpu->run->regs.gpr[TINYVMX_R9], DR6_FIXED, "%s: nothing in DR6", what);
	must(set_debug(vcpu, 0));
	ok_done(vcpu, "%s: without it the guest runs to its end", what);
	vcpu_simple_destroy(vcpu);
}

LIST(ports);

__attribute__((naked)) static void does_ports(void)
{
	__asm__ volatile(AT(ports, "out %%al, $0x80") AT(ports, "in $0x81, %%al")
			 AT(ports, "movb (%%rsi), %%bl") AT(ports, "nop") AT(ports, "ret") : :);
}

/* What userspace finishes: its exit, and then the step. */
static void test_user(void)
{
	struct vcpu *vcpu = vcpu_simple(does_ports);
	struct tinyvmx_run *run = vcpu->run;
	const u64 *at = __start_at_ports;

	vcpu_get_regs(vcpu);
	vcpu->regs.gpr[TINYVMX_RSI] = GUEST_MMIO_GPA;
	vcpu_set_regs(vcpu);
	must(set_debug(vcpu, STEP));
	ok_exit(vcpu, TINYVMX_EXIT_IO, "OUT exits as ever");
	ok_debug(vcpu, STEP, at[1], "... and the next RUN is the step");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "IN does");
	run->io.data = 0x5a;
	ok_debug(vcpu, STEP, at[2], "... and the next RUN is the step");
	is(run->regs.gpr[TINYVMX_RAX] & 0xff, 0x5a, "... with what was read");
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "an access to a device exits");
	run->regs.rip = at[3];
	run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
	ok_debug(vcpu, STEP, at[3], "... and TINYVMX_REQ_COMPLETE is a step");
	ok_debug(vcpu, STEP, at[4], "NOP is one");
	must(set_debug(vcpu, 0));
	ok_done(vcpu, "the end");
	vcpu_simple_destroy(vcpu);

	vcpu = vcpu_simple(does_ports);
	must(set_debug(vcpu, STEP));
	ok_exit(vcpu, TINYVMX_EXIT_IO, "OUT once more");
	must(set_debug(vcpu, STEP));
	ok_exit(vcpu, TINYVMX_EXIT_IO, "a step that SET_DEBUG has come between is not told");
	vcpu_simple_destroy(vcpu);
}

LIST(far);

__attribute__((naked)) static void goes_far(void)
{
	__asm__ volatile(
		AT(far, "syscall") ".globl far_syscall\nfar_syscall:\n\t"
		AT(far, "mov $3, %%ecx") AT(far, "rep stosb") AT(far, "int $0x40")
		AT(far, "ud2") "nop\n\t" AT(far, "hlt") AT(far, "cli") AT(far, "nop")
		"mov $1, %%eax; mov $0x7e0, %%edx; out %%eax, %%dx" : :);
}

extern char far_syscall[];

static void skips_ud2(struct guest_frame *frame)
{
	if (frame->vector == UD)
		frame->rip += 3;
}

static u64 vector_at(u32 vector)
{
	return (uintptr_t)guest_vectors + 16 * vector;
}

/* Step on until the guest is at @rip. */
static bool step_to(struct vcpu *vcpu, u64 rip)
{
	for (int i = 0; i < 1000; i++)
		if (!run_until(vcpu, TINYVMX_EXIT_DEBUG) || vcpu->run->rip == rip)
			return vcpu->run->reason == TINYVMX_EXIT_DEBUG;
	return false;
}

static void test_far(void)
{
	struct vcpu *vcpu = vcpu_simple(goes_far);
	const u64 *at = __start_at_far;

	G(vcpu->vm, guest_expected)[VECTOR / 64] = 1UL << (VECTOR % 64);
	G(vcpu->vm, guest_expected)[0] = 1UL << UD;
	G(vcpu->vm, guest_hook) = skips_ud2;
	vcpu_set_msr(vcpu, EFER, vcpu_msr(vcpu, EFER) | 1);
	vcpu_set_msr(vcpu, STAR, (u64)SEL_CS64 << 32);
	vcpu_set_msr(vcpu, LSTAR, (uintptr_t)far_syscall);
	vcpu_get_regs(vcpu);
	vcpu->regs.gpr[TINYVMX_RDI] = GUEST_FREE_GPA;
	vcpu_set_regs(vcpu);
	must(set_debug(vcpu, STEP | HOLD));
	ok_debug(vcpu, STEP, at[1], "SYSCALL is a step");
	is(vcpu->run->regs.gpr[TINYVMX_R11] & TF, 0, "... with no TF in R11");
	ok_debug(vcpu, STEP, at[2], "MOV");
	ok_debug(vcpu, STEP, at[2], "an iteration of REP is a step");
	ok_debug(vcpu, STEP, at[2], "... the next, too");
	ok_debug(vcpu, STEP, at[3], "... and the last");
	ok_debug(vcpu, STEP, vector_at(VECTOR), "INT n is a step to its handler");
	ok(step_to(vcpu, at[4]), "... and through it, with IRET");
	ok_debug(vcpu, STEP, vector_at(UD), "a fault is a step to its handler");
	ok(step_to(vcpu, at[5]), "... and back");
	ok_debug(vcpu, STEP, at[6], "HLT is a step");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "... and then the guest halts");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, VECTOR));
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "an interrupt that it does not take");
	vcpu_get_regs(vcpu);
	vcpu->regs.rflags |= 0x200;
	vcpu_set_regs(vcpu);
	ok_debug(vcpu, STEP, vector_at(VECTOR), "one that it takes wakes it though others are held");
	ok(step_to(vcpu, at[6]), "... and it is behind HLT");
	must(set_debug(vcpu, 0));
	ok_done(vcpu, "the end");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------- interrupts */

LIST(opens);

__attribute__((naked)) static void opens(void)
{
	__asm__ volatile(AT(opens, "sti") AT(opens, "nop") AT(opens, "nop") AT(opens, "nop")
			 AT(opens, "cli") AT(opens, "ret") : :);
}

static void test_interrupts(void)
{
	struct vcpu *vcpu = vcpu_simple(opens);
	const u64 *at = __start_at_opens;

	G(vcpu->vm, guest_expected)[VECTOR / 64] = 1UL << (VECTOR % 64);
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, VECTOR));
	must(set_debug(vcpu, STEP));
	ok_debug(vcpu, STEP, at[1], "STI, with an interrupt pending");
	ok_debug(vcpu, STEP, at[2], "NOP in its shadow");
	ok_debug(vcpu, STEP, vector_at(VECTOR), "the interrupt's delivery is a step");
	ok(step_to(vcpu, at[2]), "... and it returns");
	vcpu_simple_destroy(vcpu);

	vcpu = vcpu_simple(opens);
	G(vcpu->vm, guest_expected)[VECTOR / 64] = 1UL << (VECTOR % 64);
	G(vcpu->vm, guest_expected)[0] = 1UL << 2;
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, VECTOR));
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	vcpu->run->want_intr_window = 1;
	must(set_debug(vcpu, STEP | HOLD));
	for (u32 n = 1; n < 4; n++)
		ok_debug(vcpu, STEP, at[n], "with NO_INTERRUPTS all of them wait");
	vcpu->run->want_intr_window = 0;
	is(G(vcpu->vm, guest_taken)[VECTOR] + G(vcpu->vm, guest_taken)[2], 0, "none was taken");
	must(set_debug(vcpu, 0));
	ok_done(vcpu, "without it the guest goes on");
	is(G(vcpu->vm, guest_taken)[VECTOR], 1, "... with the interrupt");
	is(G(vcpu->vm, guest_taken)[2], 1, "... and the NMI");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------------- INT3 */

LIST(stops);

__attribute__((naked)) static void stops(void)
{
	__asm__ volatile(AT(stops, "int3") AT(stops, "int3") AT(stops, ".byte 0xcd, 3")
			 AT(stops, "ret") : :);
}

static void give_back(struct vcpu *vcpu)
{
	struct tinyvmx_events events = vcpu_events(vcpu);

	events.pending |= TINYVMX_PENDING_EVENT;
	events.event_info = INT3_EVENT;
	events.event_instruction_len = vcpu->run->instruction_len;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
}

static void test_int3(void)
{
	struct vcpu *vcpu = vcpu_simple(stops);
	const u64 *at = __start_at_stops;

	G(vcpu->vm, guest_expected)[0] = 1UL << BP;
	must(set_debug(vcpu, INT3));
	ok_debug(vcpu, INT3, at[0], "INT3 exits");
	is(vcpu->run->instruction_len, 1, "... with its length");
	ok_debug(vcpu, INT3, at[0], "... and again, nothing has been done");
	give_back(vcpu);
	ok_debug(vcpu, INT3, at[1], "given back, the guest takes it and comes to the next");
	is(G(vcpu->vm, guest_taken)[BP], 1, "... once");
	is(G(vcpu->vm, guest_trap).rip, at[1], "... with what is behind it as return address");
	must(set_debug(vcpu, INT3 | STEP));
	ok_debug(vcpu, INT3, at[1], "with STEP it is INT3 that is told");
	give_back(vcpu);
	ok_debug(vcpu, STEP, vector_at(BP), "given back, it is a step to the handler");
	must(set_debug(vcpu, INT3));
	ok_done(vcpu, "INT 3 of two bytes does not exit");
	is(G(vcpu->vm, guest_taken)[BP], 3, "... the guest has taken all");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------ breakpoints */

static volatile u64 watched[2];

LIST(touches);

__attribute__((naked)) static void touches(void)
{
	__asm__ volatile(
		AT(touches, "movq $1, watched(%%rip)") AT(touches, "mov watched(%%rip), %%rax")
		AT(touches, "movb $1, watched+9(%%rip)") AT(touches, "nop")
		AT(touches, "mov %%db0, %%rax") AT(touches, "mov %%rax, %%db0")
		AT(touches, "nop") AT(touches, "ret") : :);
}

static void test_breakpoints(void)
{
	struct vcpu *vcpu = vcpu_simple(touches);
	const u64 *at = __start_at_touches;
	struct tinyvmx_debug before = { .dr = { 1, 2, 3, 4 }, .dr6 = DR6_FIXED, .dr7 = DR7_FIXED };
	struct tinyvmx_debug after;

	must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &before, sizeof(before)));
	watch(vcpu, 0, 2, &watched[0], WRITE, 2);
	ok_debug(vcpu, BREAKS, at[1], "a watchpoint on a write: behind it");
	is(vcpu->run->debug.dr6, 4, "... and which it is");
	watch(vcpu, 0, 3, &watched[0], ACCESS, 2);
	ok_debug(vcpu, BREAKS, at[2], "one on access: behind a read");
	is(vcpu->run->debug.dr6, 8, "... and which it is");
	watch(vcpu, STEP, 0, &watched[1], WRITE, 3);
	ok_debug(vcpu, STEP | BREAKS, at[3], "one met by a step: both");
	is(vcpu->run->debug.dr6, 1, "... and which it is");
	is(vcpu_events(vcpu).pending_dbg, 0, "... and nothing is pending");
	watch(vcpu, 0, 1, (void *)at[6], EXECUTE, 0);
	ok_debug(vcpu, BREAKS, at[6], "one on execution: before it");
	is(vcpu->run->debug.dr6, 2, "... and which it is");
	is(vcpu->run->regs.gpr[TINYVMX_RAX], 1, "the guest has read its own DR0 on the way");
	ok_debug(vcpu, BREAKS, at[6], "the same again");
	must(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &after, sizeof(after)));
	ok(!memcmp(&before, &after, sizeof(before)), "the guest's debug registers are as they were");
	vcpu->run->regs.rflags |= RF;
	vcpu->run->request = TINYVMX_REQ_SET_REGS;
	ok_done(vcpu, "with RF the guest goes past it");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------- beside the guest's own */

static volatile u64 phase, own_hits, own_seen;

static void takes_own(struct guest_frame *frame)
{
	own_hits++;
	own_seen |= READ_REG("db6") & 0xf;
	WRITE_REG("db6", DR6_FIXED);
	frame->rflags |= RF;
}

extern const u8 own_nop[];

/* Meets a watchpoint, its DR1, and then a breakpoint on execution, DR2. */
__attribute__((noinline)) static void meets_own(void)
{
	guest_sync(phase);
	watched[1] = phase;
	__asm__ volatile("nop; own_nop: nop");
}

static void own_is(u64 hits, u64 seen)
{
	guest_is(own_hits, hits);
	guest_is(own_seen, seen);
	own_hits = own_seen = 0;
}

#define OWN_DR7	(DR7_FIXED | DR7(1, WRITE, 2) | DR7(2, EXECUTE, 0))
/* Enabled while a debugger has its own. */
#define LATE_DR7 (DR7_FIXED | DR7(0, WRITE, 2))

static void has_own(void)
{
	static const u8 hits[] = { 2, 2, 2, 2, 1, 0, 2, 2 }, seen[] = { 6, 6, 6, 6, 4, 0, 6, 6 };

	guest_hook = takes_own;
	guest_expect(DB);
	WRITE_REG("db1", (uintptr_t)&watched[1]);
	WRITE_REG("db2", (uintptr_t)own_nop);
	WRITE_REG("db7", OWN_DR7);
	for (phase = 0; phase < sizeof(hits); phase++) {
		meets_own();
		own_is(hits[phase], seen[phase]);
	}
	guest_is(READ_REG("db1"), (uintptr_t)&watched[1]);
	guest_is(READ_REG("db2"), (uintptr_t)own_nop);
	guest_is(READ_REG("db7"), OWN_DR7);
	guest_sync(phase++);
	WRITE_REG("db0", (uintptr_t)&watched[1]);
	WRITE_REG("db7", LATE_DR7);
	watched[1] = 1;
	own_is(1, 1);
	WRITE_REG("db0", (uintptr_t)&watched[0]);
	watched[1] = 1;
	own_is(0, 0);
}

static void test_own(void)
{
	const u64 nowhere[4] = { 0x1000, 0x2000, 0x3000, 0x4000 };
	struct vcpu *vcpu = vcpu_simple(has_own);
	u64 nop;

	ok_sync(vcpu, 0, "a guest has a watchpoint and a breakpoint on execution");
	nop = (uintptr_t)own_nop;
	ok_sync(vcpu, 1, "they hit");
	watch(vcpu, 0, 1, &watched[0], WRITE, 2);
	ok_sync(vcpu, 2, "... and beside one of a debugger, which has one of the same number");
	watch(vcpu, 0, 1, &watched[1], WRITE, 2);
	ok(run_until(vcpu, TINYVMX_EXIT_DEBUG) && vcpu->run->debug.cause == BREAKS &&
	   vcpu->run->debug.dr6 == 2, "both watch the same: the debugger is told");
	ok(vcpu_events(vcpu).pending_dbg == 0x1002, "... the guest's is pending, by its number");
	ok_sync(vcpu, 3, "... and the guest takes its own");
	watch(vcpu, 0, 3, own_nop, EXECUTE, 0);
	ok_debug(vcpu, BREAKS, nop, "both stop at the same instruction: the debugger is told");
	vcpu->run->regs.rflags |= RF;
	vcpu->run->request = TINYVMX_REQ_SET_REGS;
	ok_sync(vcpu, 4, "... and the guest takes its own");
	must(set_debug_all(vcpu, BREAKS, nowhere, DR7(0, WRITE, 0) | DR7(1, WRITE, 0) |
			   DR7(3, WRITE, 0)));
	ok_sync(vcpu, 5, "three of a debugger: the guest has one left");
	must(set_debug_all(vcpu, BREAKS, nowhere, DR7(0, WRITE, 0) | DR7(1, WRITE, 0) |
			   DR7(2, WRITE, 0) | DR7(3, WRITE, 0)));
	ok_sync(vcpu, 6, "four: it has none");
	must(set_debug(vcpu, 0));
	ok_sync(vcpu, 7, "they hit again");
	watch(vcpu, STEP, 2, &watched[0], WRITE, 2);
	while (!vcpu_run(vcpu) && vcpu->run->reason == TINYVMX_EXIT_DEBUG)
		;
	ok(vcpu->run->reason == TINYVMX_EXIT_IO && vcpu->run->io.data == GUEST_SYNC + 8,
	   "... and while a debugger steps");
	watch(vcpu, 0, 0, &watched[0], ACCESS, 2);
	ok_done(vcpu, "one that it enables, and moves, beside the debugger's");
	vcpu_simple_destroy(vcpu);
}

/* ---------------------------------------------------- the guest looks for it */

/* Traps of its own: behind POPF, in the shadow of MOV SS, behind what the module does, and INT3. */
static void own_steps(void)
{
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop\n\t"
			 "pushfq; andl $~0x100, (%%rsp); popfq" : : : "cc", "memory");
	guest_is(guest_taken[DB], 4);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n\t"
			 "mov %%ss, %%eax; mov %%eax, %%ss; nop\n\t"
			 "xor %%eax, %%eax; cpuid; int3\n\t"
			 "pushfq; andl $~0x100, (%%rsp); popfq"
			 : : : "rax", "rbx", "rcx", "rdx", "cc", "memory");
	guest_is(guest_taken[BP], 1);
}

static void keeps_dr6(struct guest_frame *frame)
{
	if (frame->vector == DB) {
		guest_ok(READ_REG("db6") & 0x4000);
		WRITE_REG("db6", DR6_FIXED);
		frame->rflags |= guest_trap.rflags & TF;
	}
	/* What was pushed must not have more of the debugger's than of the guest's. */
	guest_ok(frame->vector == DB || frame->vector == BP || !(frame->rflags & TF));
}

static volatile u64 steps_taken;

static void looks(void)
{
	u64 flags;

	guest_hook = keeps_dr6;
	guest_expect(DB);
	guest_expect(BP);
	guest_expect(VECTOR);
	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	guest_is(flags & TF, 0);
	own_steps();
	steps_taken = guest_taken[DB];
	__asm__ volatile("int $0x40; int3" : : : "memory");
	guest_is(guest_taken[BP], 2);
	guest_is(guest_taken[VECTOR], 1);
	guest_is(READ_REG("db6"), DR6_FIXED);
	WRITE_REG("db0", 0x1234);
	WRITE_REG("db7", DR7_FIXED | 0x300);
	guest_is(READ_REG("db0"), 0x1234);
	guest_is(READ_REG("db7"), DR7_FIXED | 0x300);
}

/* Run it to its end with what @flags asks for; INT3 is the guest's. Return: its own traps. */
static u64 run_looks(u32 flags, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(looks);
	u64 steps = 0, taken;

	if (flags & BREAKS)
		watch(vcpu, flags, 3, &watched[0], ACCESS, 2);
	else
		must(set_debug(vcpu, flags));
	while (!vcpu_run(vcpu) && vcpu->run->reason == TINYVMX_EXIT_DEBUG && ++steps < 20000)
		if (vcpu->run->debug.cause == INT3)
			give_back(vcpu);
	ok(vcpu->run->reason == TINYVMX_EXIT_IO && vcpu->run->io.data == GUEST_DONE,
	   "%s: the guest finds nothing (%llu exits)", what, (unsigned long long)steps);
	taken = G(vcpu->vm, steps_taken);
	vcpu_simple_destroy(vcpu);
	return taken;
}

static void test_looks(void)
{
	u64 taken = run_looks(0, "no debugger");

	is(run_looks(INT3, "INT3"), taken, "... and as many traps of its own");
	is(run_looks(STEP, "STEP"), taken, "... and as many traps of its own");
	is(run_looks(INT3 | BREAKS, "INT3, BREAKPOINTS"), taken, "... and as many traps of its own");
	is(run_looks(INT3 | STEP | HOLD | BREAKS, "all"), taken, "... and as many traps of its own");
}

/* ----------------------------------------------------------------- errors */

static const struct {
	const char *what;
	u32 flags;
	u64 dr0, dr7;
	int err;
} errors[] = {
	{ "a flag that does not exist", 1 << 4, 0, 0, EOPNOTSUPP },
	{ "NO_INTERRUPTS alone", HOLD, 0, 0, EINVAL },
	{ "DR0 without BREAKPOINTS", INT3, 1, 0, EINVAL },
	{ "DR7 without BREAKPOINTS", STEP, 0, 1, EINVAL },
	{ "DR7 bit 32", BREAKS, 0, 1UL << 32, EINVAL },
	{ "DR7.GD", BREAKS, 0, 1UL << 13, EINVAL },
	{ "a reserved bit of DR7", BREAKS, 0, 1UL << 14, EINVAL },
	{ "execution of two bytes", BREAKS, 0, DR7(1, EXECUTE, 1), EINVAL },
	{ "I/O ports", BREAKS, 0, DR7(3, IO, 0), EOPNOTSUPP },
	{ "the same, not enabled", BREAKS, 0, IO << 28UL, 0 },
	{ "BREAKPOINTS and none", BREAKS, 0, 0, 0 },
	{ "all that exist", BREAKS, ~0UL, 0x700 | DR7(0, WRITE, 2) | DR7(3, ACCESS, 3), 0 },
};

static void test_errors(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		u64 dr[4] = { errors[i].dr0 };

		err_is(set_debug_all(vcpu, errors[i].flags, dr, errors[i].dr7), errors[i].err,
		       "%s", errors[i].what);
	}
	vcpu_simple_destroy(vcpu);
}

/* --------------------------------------------------------------- the host */

static volatile u64 hosts;

static void touches_often(void)
{
	for (;;)
		watched[0]++;
}

static void test_host(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W, .bp_addr = (uintptr_t)&hosts, .bp_len = 8,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), good = 0;
	struct vcpu *vcpu = vcpu_simple(touches_often);
	u64 count = 0;

	if (fd < 0) {
		skip("no hardware breakpoints through perf here", "the host's breakpoints");
		return;
	}
	/* At the host's own address, too: it is the guest's that is watched. */
	for (int i = 0; i < 20; i++) {
		u64 dr[4] = { (uintptr_t)&hosts, (uintptr_t)&watched[0] };

		must(set_debug_all(vcpu, BREAKS, dr, DR7(0, ACCESS, 2) | DR7(1, WRITE, 2)));
		good += run_until(vcpu, TINYVMX_EXIT_DEBUG) && vcpu->run->debug.dr6 == 2;
		hosts = i;
	}
	must(read(fd, &count, sizeof(count)) == sizeof(count) ? 0 : -1);
	is(good, 20, "the guest's writes hit, each once");
	is(count, 20, "the host's own breakpoint at the same time hits, each time");
	close(fd);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	dev_open();
	test_errors();
	test_int3();
	test_breakpoints();
	test_own();
	test_host();
	if (!(info()->capabilities & TINYVMX_CAP_DEBUG_STEP)) {
		skip("no monitor trap flag here", "single step");
		return tap_exit();
	}
	test_plain(STEP, "STEP");
	test_plain(STEP | HOLD, "STEP, NO_INTERRUPTS");
	test_user();
	test_far();
	test_interrupts();
	test_looks();
	return tap_exit();
}
