// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events whose delivery raises them again, for ever, without a single instruction of the
 * guest between two VM exits: the host must get its interrupts all the same
 * (CVE-2015-5307, CVE-2015-8104). All is bound to one CPU; where the host does not get
 * them, this machine hangs.
 */
#include <signal.h>
#include <sys/mman.h>

#include "lib.h"

#define CODE32		GUEST_FREE_GPA
#define GDT32		(GUEST_FREE_GPA + PAGE)
#define IDT32		(GUEST_FREE_GPA + 2 * PAGE)
#define STACK32		(GUEST_FREE_GPA + 4 * PAGE)
#define USER_CS32	0x0b
#define USER_DS32	0x13

#define DB	1
#define AC	17
#define EXCEPTION_EXITS	0	/* index of struct tinyvmx_exits */

/* How far a process gets that wants nothing but the CPU. */
static volatile u64 *counted;

static int counts(void *unused)
{
	(void)unused;
	for (;;)
		++*counted;
	return 0;
}

static u64 exceptions(struct vcpu *vcpu)
{
	struct tinyvmx_exits exits;

	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	return exits.count[EXCEPTION_EXITS];
}

/* Run the guest beside a process and a timer; then end it by a signal. */
static void test_host_lives(struct vcpu *vcpu, u32 vector, const char *what)
{
	struct runner *runner = runner_start(vcpu);
	pid_t pid = spawn(counts, NULL);
	struct tinyvmx_events events;
	u64 before, exits;

	sleep_us(20000);
	before = *counted;
	for (u32 i = 0; i < 20; i++)
		sleep_us(2000);
	ok(true, "%s: the host's timers fire", what);
	ok(*counted > before, "%s: another process gets on", what);
	ok(!runner->ended, "%s: RUN goes on", what);
	runner_stop(runner);
	ok(runner->ret && runner->err == EINTR, "%s: a signal ends RUN", what);
	kill(pid, SIGKILL);
	is(reap(pid), -SIGKILL, "%s: the process was alive", what);

	exits = exceptions(vcpu);
	ok(exits > 1000, "%s: the guest went in circles (%llu exceptions)", what,
	   (unsigned long long)exits);
	events = vcpu_events(vcpu);
	is(events.event_info & 0xff, vector, "%s: the event is pending", what);
}

/* ----------------------------------------------------------------- #AC */

static struct tinyvmx_segment segment(u16 selector, u32 type)
{
	return (struct tinyvmx_segment){
		.limit = 0xffffffff, .selector = selector,
		.ar = TINYVMX_AR_S | TINYVMX_AR_P | TINYVMX_AR_DB | TINYVMX_AR_G |
		      3 << TINYVMX_AR_DPL_SHIFT | type,
	};
}

/* Ring 3 of protected mode, without paging, whose #AC handler is in ring 3, too. */
static void enter_ring3(struct vcpu *vcpu)
{
	static const u64 gdt[] = { 0, 0x00cffb000000ffff, 0x00cff3000000ffff };
	u8 *ram = vcpu->vm->ram;
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	memcpy(ram + GDT32, gdt, sizeof(gdt));
	*(u64 *)(ram + IDT32 + 8 * AC) = (u64)USER_CS32 << 16 | 0x8f0000000000 |
		((CODE32 + 0x10) & 0xffff) | (u64)(CODE32 >> 16) << 48;
	s.gdt_base = GDT32;
	s.gdt_limit = sizeof(gdt) - 1;
	s.idt_base = IDT32;
	s.idt_limit = 8 * (AC + 1) - 1;
	s.cr0 = 0x40031;	/* PE, ET, NE, AM */
	s.cr4 = 0;
	s.efer = 0;
	for (u32 i = 0; i < TINYVMX_LDTR; i++)
		s.seg[i] = segment(USER_DS32, 3);
	s.seg[TINYVMX_CS] = segment(USER_CS32, 0xb);
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = CODE32;
	vcpu->regs.gpr[TINYVMX_RSP] = STACK32;
	vcpu->regs.rflags = 0x40002;	/* AC */
	vcpu_set_regs(vcpu);
}

/* PUSH EAX at CODE32; the handler, 16 bytes on, is a HLT: #GP, which has no gate. */
static struct vcpu *ac_guest(u32 misaligned)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	u8 *code = vcpu->vm->ram + CODE32;

	code[0] = 0x50;
	code[0x10] = 0xf4;
	enter_ring3(vcpu);
	vcpu->regs.gpr[TINYVMX_RSP] -= misaligned;
	vcpu_set_regs(vcpu);
	return vcpu;
}

static void test_ac(void)
{
	struct vcpu *vcpu = ac_guest(2);

	test_host_lives(vcpu, AC, "#AC");
	is(vcpu_sregs(vcpu).seg[TINYVMX_CS].selector, USER_CS32, "#AC: in ring 3");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, CODE32, "#AC: the handler was never reached");
	vcpu_simple_destroy(vcpu);
}

/* The same guest is not held up if its stack is aligned. */
static void test_aligned(void)
{
	struct vcpu *vcpu = ac_guest(0);

	vcpu->vm->ram[CODE32 + 1] = 0xf4;
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "aligned: PUSH, and #GP has no gate");
	is(exceptions(vcpu), 0, "aligned: no #AC");
	vcpu_simple_destroy(vcpu);
}

/* ----------------------------------------------------------------- #DB */

#define DB_STACK_TOP	GUEST_IST_TOP

/* The handler's frame is where the breakpoint is. */
static void watches_frame(void)
{
	volatile u64 *ss = (volatile u64 *)(DB_STACK_TOP - 8);

	WRITE_REG("db0", (uintptr_t)ss);
	WRITE_REG("db7", 0x90402UL);	/* G0: writes of 8 bytes */
	*ss = 0;
	guest_sync(1);
}

static void test_db(void)
{
	struct vcpu *vcpu = vcpu_simple(watches_frame);

	vcpu->vm->ram[GUEST_IDT_GPA + 16 * DB + 4] = 1;	/* IST1 */
	test_host_lives(vcpu, DB, "#DB");
	is(G(vcpu->vm, guest_trap.count), 0, "#DB: the handler's code was never reached");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	counted = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	tap_init();
	if (counted == MAP_FAILED || !run_on_cpu(0))
		bail("mmap, sched_setaffinity: %m");
	test_aligned();
	test_ac();
	test_db();
	return tap_exit();
}
