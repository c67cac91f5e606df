// SPDX-License-Identifier: GPL-2.0-only
/*
 * INIT and start-up IPIs. The host writes the first vCPU's ICR, which is as if its guest did; the
 * second one is started by them.
 */
#include <string.h>

#include "lapic.h"

#define ICR_ASSERT	0x4000UL
#define ICR_LEVEL	0x8000UL
#define AP		(1UL << 32)

#define START_PAGE	0x90UL		/* where the second one starts */
#define OTHER_PAGE	0x91UL

#define MSR_STAR	0xc0000081
#define MSR_SYSENTER_EIP 0x176
#define MSR_PAT		0x277
#define MSR_TSC_ADJUST	0x3b
#define CR0_CD		(1UL << 30)
#define CR0_NW		(1UL << 29)
#define CR0_ET		(1UL << 4)

/* xor eax, eax; mov ax, cs; mov dx, GUEST_PORT; out dx, eax; jmp $ */
static const u8 real_mode_code[] = {
	0x66, 0x31, 0xc0, 0x8c, 0xc8, 0xba, 0xe0, 0x07, 0x66, 0xef, 0xeb, 0xfe
};

struct pair {
	struct vm *vm;
	struct vcpu *bsp, *ap;
};

static struct pair pair_create(void *fn)
{
	struct pair p = { .vm = lapic_vm() };

	p.bsp = lapic_vcpu(p.vm, 0, guest_spin);
	p.ap = lapic_vcpu(p.vm, 1, fn);
	p.ap->run->wait_for_peers = 1;
	memcpy(p.vm->ram + (START_PAGE << 12), real_mode_code, sizeof(real_mode_code));
	memcpy(p.vm->ram + (OTHER_PAGE << 12), real_mode_code, sizeof(real_mode_code));
	return p;
}

static void pair_destroy(struct pair *p)
{
	vcpu_destroy(p->bsp);
	vcpu_destroy(p->ap);
	vm_destroy(p->vm);
}

static void send(struct pair *p, u64 icr)
{
	vcpu_set_msr(p->bsp, X_ICR, icr);
}

/* RUN that does not enter the guest: what is pending of INIT and SIPI is taken. */
static bool take(struct vcpu *vcpu)
{
	bool interrupted;

	vcpu->run->immediate_exit = 1;
	interrupted = vcpu_run(vcpu) == -1 && errno == EINTR;
	vcpu->run->immediate_exit = 0;
	return interrupted;
}

static u32 activity(struct vcpu *vcpu)
{
	return vcpu_events(vcpu).activity;
}

static void set_activity(struct vcpu *vcpu, u32 value)
{
	struct tinyvmx_events events = vcpu_events(vcpu);

	events.activity = value;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
}

static int try_activity(struct vcpu *vcpu, u32 value)
{
	struct tinyvmx_events events = vcpu_events(vcpu);

	events.activity = value;
	return set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));
}

/* ---------------------------------------------------------------- the state */

static void test_state(void)
{
	struct pair p = pair_create(guest_spin);
	struct vcpu *bare = vcpu_simple(guest_spin);
	struct runner *runner;

	err_is(try_activity(bare, TINYVMX_ACTIVITY_WAIT_FOR_SIPI), EOPNOTSUPP,
	       "wait-for-SIPI without local APICs");
	vcpu_simple_destroy(bare);
	err_is(try_activity(p.ap, TINYVMX_ACTIVITY_WAIT_FOR_SIPI + 1), EOPNOTSUPP,
	       "an activity that is none");
	set_activity(p.ap, TINYVMX_ACTIVITY_WAIT_FOR_SIPI);
	is(activity(p.ap), TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "wait-for-SIPI comes back as it was set");
	runner = runner_start(p.ap);
	must(msi(p.vm, 1, 0x50));
	must(msi_raw(p.vm->fd, MSI_BASE | MSI_DEST(1), MODE_NMI));
	sleep_us(20000);
	ok(!runner->ended, "RUN waits, whatever else comes");
	runner_stop(runner);
	is(runner->err, EINTR, "... until a kick");
	is(activity(p.ap), TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "... and the vCPU waits as before");
	is(G(p.vm, guest_alive), 0, "... and has executed nothing");
	p.ap->run->wait_for_peers = 0;
	ok_exit(p.ap, TINYVMX_EXIT_HLT, "userspace that knows of no peer is told of the wait");
	ok_exit(p.ap, TINYVMX_EXIT_HLT, "... as often as it asks");
	is(activity(p.ap), TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "... which goes on");
	pair_destroy(&p);
}

/* ----------------------------------------------------------- start, restart */

static void test_start(void)
{
	struct pair p = pair_create(guest_spin);
	struct runner *runner;

	send(&p, AP | MODE_INIT | ICR_ASSERT);
	ok(take(p.ap), "INIT");
	runner = runner_start(p.ap);
	sleep_us(10000);
	send(&p, AP | MODE_STARTUP | START_PAGE);
	pthread_join(runner->thread, NULL);
	ok(p.ap->run->reason == TINYVMX_EXIT_IO && p.ap->run->io.data == START_PAGE << 8,
	   "a start-up IPI starts it at the vector's page, in real mode");
	vcpu_get_regs(p.ap);
	is(vcpu_sregs(p.ap).seg[TINYVMX_CS].base, START_PAGE << 12, "... by its CS base");

	send(&p, AP | MODE_STARTUP | OTHER_PAGE);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE &&
	   vcpu_sregs(p.ap).seg[TINYVMX_CS].base == START_PAGE << 12,
	   "... another one means nothing while it runs");

	runner = runner_start(p.ap);
	sleep_us(10000);
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	sleep_us(10000);
	ok(!runner->ended, "INIT while it spins");
	runner_stop(runner);
	is(activity(p.ap), TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "... has it wait for a start-up IPI");
	send(&p, AP | MODE_STARTUP | OTHER_PAGE);
	ok(run_until_port(p.ap, OTHER_PAGE << 8), "... which starts it elsewhere");
	pair_destroy(&p);
}

/* Combinations that the SDM calls invalid: nothing is sent to the sender itself. */
static void test_init_to_oneself(void)
{
	struct pair p = pair_create(guest_spin);

	send(&p, ICR_SELF | MODE_INIT | ICR_ASSERT);
	send(&p, ICR_ALL | MODE_INIT | ICR_ASSERT);
	is(take(p.bsp), true, "all has been taken");
	vcpu_get_regs(p.bsp);
	ok(activity(p.bsp) == TINYVMX_ACTIVITY_ACTIVE && p.bsp->regs.rip == (u64)guest_spin,
	   "no shorthand sends INIT to the sender");
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_WAIT_FOR_SIPI,
	   "... that to all reaches the others");
	send(&p, ICR_ALL | MODE_STARTUP | START_PAGE);
	ok(run_until_port(p.ap, START_PAGE << 8), "... and so does a start-up IPI");
	pair_destroy(&p);
}

static void halts_with_interrupts_off(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void test_init_ends_hlt(void)
{
	struct pair p = pair_create(halts_with_interrupts_off);
	struct runner *runner;

	p.ap->run->wait_for_peers = 0;
	ok_exit(p.ap, TINYVMX_EXIT_HLT, "cli; hlt comes to userspace");
	p.ap->run->wait_for_peers = 1;
	runner = runner_start(p.ap);
	sleep_us(20000);
	ok(!runner->ended, "... which may say that another vCPU can end it");
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	send(&p, AP | MODE_STARTUP | START_PAGE);
	pthread_join(runner->thread, NULL);
	is(p.ap->run->io.data, START_PAGE << 8, "... by INIT and a start-up IPI");
	pair_destroy(&p);
}

/* What comes while nobody runs the vCPU. */
static void test_order(void)
{
	struct pair p = pair_create(guest_spin);

	send(&p, AP | MODE_STARTUP | START_PAGE);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE, "SIPI alone: nothing");
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	is(activity(p.ap), TINYVMX_ACTIVITY_ACTIVE, "INIT waits for RUN");
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "... which takes it");
	send(&p, AP | MODE_INIT | ICR_LEVEL);
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	send(&p, AP | MODE_STARTUP | START_PAGE);
	send(&p, AP | MODE_STARTUP | OTHER_PAGE);
	ok(take(p.ap) && vcpu_sregs(p.ap).seg[TINYVMX_CS].base == START_PAGE << 12,
	   "INIT, SIPI, SIPI: the first one counts");
	send(&p, AP | MODE_INIT | ICR_LEVEL);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE, "INIT level de-assert: nothing");
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	send(&p, AP | MODE_STARTUP | OTHER_PAGE);
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_WAIT_FOR_SIPI,
	   "INIT, SIPI, INIT: it waits for another SIPI");
	send(&p, ICR_OTHERS | MODE_STARTUP | START_PAGE);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE, "SIPI to all but self");
	ok(take(p.bsp) && activity(p.bsp) == TINYVMX_ACTIVITY_ACTIVE, "... self gets none");
	must(try_set_msr(p.ap, APIC_BASE, BASE_ADDRESS));
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE,
	   "a vCPU whose local APIC is disabled gets no INIT");
	pair_destroy(&p);
}

/* An NMI that was sent before the INIT is no business of what starts after it. */
static void test_nmi_before(void)
{
	struct pair p = pair_create(guest_spin);

	must(msi_raw(p.vm->fd, MSI_BASE | MSI_DEST(1), MODE_NMI));
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	send(&p, AP | MODE_STARTUP | START_PAGE);
	ok(take(p.ap) && activity(p.ap) == TINYVMX_ACTIVITY_ACTIVE, "NMI, INIT, SIPI");
	is(vcpu_events(p.ap).pending, 0, "... the NMI is forgotten");
	ok(run_until_port(p.ap, START_PAGE << 8), "... and the code at the vector's page runs");
	pair_destroy(&p);
}

/* The bootstrap processor goes on where RESET would have it, where there is no RAM here. */
static void test_bsp(void)
{
	struct pair p = pair_create(guest_spin);

	vcpu_set_msr(p.ap, X_ICR, MODE_INIT | ICR_ASSERT);
	ok_exit(p.bsp, TINYVMX_EXIT_MMIO, "INIT to the bootstrap processor: it fetches");
	is(p.bsp->run->mmio.gpa, 0xfffffff0, "... from FFFFFFF0H");
	is(activity(p.bsp), TINYVMX_ACTIVITY_ACTIVE, "... and is active");
	send(&p, MODE_INIT | ICR_ASSERT);
	ok(take(p.bsp), "an INIT to itself");
	is(vcpu_sregs(p.bsp).seg[TINYVMX_CS].base, 0xffff0000, "... does the same");
	pair_destroy(&p);
}

/* ------------------------------------------------ the state that INIT leaves */

#define MSRS	4

static const u32 kept_msr[MSRS] = { MSR_STAR, MSR_SYSENTER_EIP, MSR_PAT, MSR_TSC_ADJUST };

static void fill(struct vcpu *vcpu)
{
	struct tinyvmx_debug debug = { .dr = { 1, 2, 3, 4 }, .dr6 = 0xffff0ff1, .dr7 = 0x402 };

	vcpu_get_regs(vcpu);
	for (u32 n = 0; n < TINYVMX_NR_GPR; n++)
		vcpu->regs.gpr[n] = 0x1111 * (n + 1);
	vcpu_set_regs(vcpu);
	must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &debug, sizeof(debug)));
	vcpu_set_msr(vcpu, MSR_STAR, 0x1234567800000000);
	vcpu_set_msr(vcpu, MSR_SYSENTER_EIP, 0x123456);
	vcpu_set_msr(vcpu, MSR_PAT, 0x0106);
	vcpu_set_msr(vcpu, MSR_TSC_ADJUST, 0x1000);
	vcpu_set_msr(vcpu, X_TPR, 0x70);
	vcpu_set_msr(vcpu, X_LVT_TIMER, TIMER_PERIODIC | 0x51);
	vcpu_set_msr(vcpu, X_TICR, 1000000);
	vcpu_enable_xsave(vcpu, 7);
}

static u32 segments_wrong(const struct tinyvmx_sregs *sregs)
{
	u32 wrong = 0;

	for (u32 n = 0; n < TINYVMX_NR_SEG; n++) {
		const struct tinyvmx_segment *seg = &sregs->seg[n];
		bool cs = n == TINYVMX_CS;
		u32 ar = cs ? 0x9b : n == TINYVMX_LDTR ? 0x82 : n == TINYVMX_TR ? 0x8b : 0x93;

		wrong += seg->base != (cs ? 0xffff0000 : 0) || seg->limit != 0xffff ||
			 seg->ar != ar || seg->selector != (cs ? 0xf000 : 0);
	}
	return wrong;
}

/* EAX of leaf 1, as lapic_vcpu() has given it to the guest. */
static u32 signature(void)
{
	u32 reg[4];

	cpuid(1, 0, reg);
	return reg[0];
}

static void check_registers(struct vcpu *vcpu)
{
	struct tinyvmx_sregs sregs = vcpu_sregs(vcpu);
	struct tinyvmx_debug debug;
	u64 others = 0;

	vcpu_get_regs(vcpu);
	for (u32 n = 0; n < TINYVMX_NR_GPR; n++)
		others |= n == TINYVMX_RDX ? 0 : vcpu->regs.gpr[n];
	ok(!others && vcpu->regs.gpr[TINYVMX_RDX] == signature(), "general registers: 0, RDX tells the CPU");
	ok(vcpu->regs.rip == 0xfff0 && vcpu->regs.rflags == 2, "RIP and RFLAGS");
	is(segments_wrong(&sregs), 0, "segments");
	ok(!sregs.gdt_base && !sregs.idt_base && sregs.gdt_limit == 0xffff &&
	   sregs.idt_limit == 0xffff, "GDTR and IDTR");
	is(sregs.cr0, CR0_CD | CR0_ET, "CR0: CD and NW as they were");
	ok(!sregs.cr2 && !sregs.cr3 && !sregs.cr4 && !sregs.cr8 && !sregs.efer,
	   "CR2, CR3, CR4, CR8, IA32_EFER: 0");
	must(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &debug, sizeof(debug)));
	ok(!debug.dr[0] && !debug.dr[1] && !debug.dr[2] && !debug.dr[3] &&
	   debug.dr6 == 0xffff0ff0 && debug.dr7 == 0x400, "debug registers");
}

static void check_apic(struct vcpu *vcpu)
{
	struct tinyvmx_lapic lapic = lapic_state(vcpu);

	is(lapic.base, BASE_ADDRESS | BASE_ENABLE | BASE_X2APIC, "IA32_APIC_BASE: as it was");
	is(lapic.regs[REGS(X_ID)], 1, "... and the id");
	ok(lapic.regs[REGS(X_SVR)] == 0xff && !lapic.regs[REGS(X_TPR)] &&
	   lapic.regs[REGS(X_LVT_TIMER)] == LVT_MASKED, "other registers of the APIC: as after RESET");
	ok(!lapic.timer_left && !lapic.deadline, "... its timer stands");
	ok(!lapic_bit(vcpu, X_IRR, 0x52), "... an interrupt that was pending is gone");
}

static void test_after_init(void)
{
	u64 bytes = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	struct tinyvmx_xsave *before = calloc(1, bytes), *after = calloc(1, bytes);
	struct pair p = pair_create(guest_spin);
	struct tinyvmx_sregs sregs;
	u64 msr[MSRS], tsc;

	fill(p.ap);
	must(msi(p.vm, 1, 0x52));
	sregs = vcpu_sregs(p.ap);
	sregs.cr0 |= CR0_CD;
	sregs.cr2 = 0x123;
	vcpu_set_sregs(p.ap, &sregs);
	must(get_state(p.ap->fd, TINYVMX_STATE_XSAVE, before, bytes));
	before->image[160] = 0x5a;	/* XMM0, */
	before->image[512] |= 2;	/* which is not in its initial state */
	must(set_state(p.ap->fd, TINYVMX_STATE_XSAVE, before, bytes));
	for (u32 n = 0; n < MSRS; n++)
		msr[n] = vcpu_msr(p.ap, kept_msr[n]);
	tsc = vcpu_msr(p.ap, MSR_TSC);
	must(inject(p.ap->fd, TINYVMX_INJECT_NMI, 2));
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	ok(take(p.ap), "INIT, after all registers have been set");
	check_registers(p.ap);
	check_apic(p.ap);
	is(vcpu_events(p.ap).pending, 0, "no event is pending");
	must(get_state(p.ap->fd, TINYVMX_STATE_XSAVE, after, bytes));
	ok(after->xcr0 == before->xcr0 && !memcmp(before->image + 160, after->image + 160, 256),
	   "XCR0, SSE registers: as they were");
	for (u32 n = 0; n < MSRS; n++)
		is(vcpu_msr(p.ap, kept_msr[n]), msr[n], "MSR %#x: as it was", kept_msr[n]);
	ok(vcpu_msr(p.ap, MSR_TSC) - tsc < ms_to_tsc(10000), "the TSC goes on");
	pair_destroy(&p);
	free(before);
	free(after);
}

/* ---------------------------------------------- an exit that is not finished */

static void reads_port(void)
{
	(void)inl(GUEST_PORT);
	for (;;)
		;
}

static void touches_mmio(void)
{
	(void)*(volatile u32 *)GUEST_MMIO_GPA;
	for (;;)
		;
}

/* Userspace is at work on an exit when the INIT comes: what it finds and does is of before. */
static void test_unfinished(void)
{
	struct pair p = pair_create(reads_port);

	ok_exit(p.ap, TINYVMX_EXIT_IO, "an IN, whose data userspace is to give");
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	p.ap->run->io.data = 0x12345678;
	ok(take(p.ap), "... and does, after an INIT has come");
	vcpu_get_regs(p.ap);
	is(p.ap->regs.gpr[TINYVMX_RAX], 0, "... which is taken later: RAX is 0");

	pair_destroy(&p);

	p = pair_create(touches_mmio);
	ok_exit(p.ap, TINYVMX_EXIT_MMIO, "an access to a device");
	send(&p, AP | MODE_INIT | ICR_ASSERT);
	ok(vcpu_sregs(p.ap).efer, "INIT comes: the state is that of the exit");
	p.ap->run->regs.rip += p.ap->run->instruction_len;
	p.ap->run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
	ok(take(p.ap), "... until it is finished");
	vcpu_get_regs(p.ap);
	is(p.ap->regs.rip, 0xfff0, "... and then that of INIT");
	is(activity(p.ap), TINYVMX_ACTIVITY_WAIT_FOR_SIPI, "... waiting");
	pair_destroy(&p);
}

/* Again and again, from another thread, while it starts: each start is one. */
#define ROUNDS	500

static void test_often(void)
{
	struct pair p = pair_create(guest_spin);
	u32 started = 0;

	for (u32 n = 0; n < ROUNDS; n++) {
		struct runner *runner = runner_start(p.ap);
		u64 page = n % 2 ? START_PAGE : OTHER_PAGE;

		send(&p, AP | MODE_INIT | ICR_ASSERT);
		send(&p, AP | MODE_STARTUP | page);
		pthread_join(runner->thread, NULL);
		started += p.ap->run->io.data == page << 8;
		free(runner);
	}
	is(started, ROUNDS, "%u times INIT and SIPI while it runs", ROUNDS);
	pair_destroy(&p);
}

int main(void)
{
	tap_init();
	test_state();
	test_start();
	test_init_to_oneself();
	test_init_ends_hlt();
	test_order();
	test_nmi_before();
	test_bsp();
	test_after_init();
	test_unfinished();
	test_often();
	return tap_exit();
}
