// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC: timers without rest, interrupts to itself and others, mode changes. */
#include "hostile.h"

#define TIMER	0x40
#define IPI	0x51
#define LEVEL	0x61

static volatile u32 *reg_at(u32 msr)
{
	return (volatile u32 *)(BASE_ADDRESS + 16 * REGS(msr));
}

static void ends(struct guest_frame *frame)
{
	guest_alive++;
	guest_hook_eoi(frame);
}

static void take_interrupts(void)
{
	guest_hook = ends;
	guest_expect(TIMER);
	guest_expect(IPI);
	guest_expect(LEVEL);
	guest_expect(2);
}

static void start_timer(u64 mode)
{
	take_interrupts();
	wrmsr(X_LVT_TIMER, mode | TIMER);
	wrmsr(X_TDCR, TDCR_1);
}

static void spin(void)
{
	for (;;)
		relax();
}

/* ----------------------------------------------------------------- timer */

static void periodic(u64 id)
{
	(void)id;
	start_timer(TIMER_PERIODIC);
	sti();
	wrmsr(X_TICR, 1);
	spin();
}

static void periodic_unended(u64 id)
{
	(void)id;
	start_timer(TIMER_PERIODIC);
	guest_hook = NULL;
	wrmsr(X_TICR, 1);
	for (;; guest_alive++)
		sti();
}

static void halts_pending(u64 id)
{
	(void)id;
	take_interrupts();
	for (;;) {
		cli();
		wrmsr(X_SELF_IPI, IPI);
		sti_hlt();
	}
}

static void periodic_halted(u64 id)
{
	(void)id;
	start_timer(TIMER_PERIODIC);
	wrmsr(X_TICR, 1);
	for (;;)
		sti_hlt();
}

/* The task priority keeps the timer out: it ends each wait, and the guest never wakes. */
static void periodic_asleep(u64 id)
{
	(void)id;
	start_timer(TIMER_PERIODIC);
	wrmsr(X_TPR, 0xf0);
	wrmsr(X_TICR, 1);
	guest_alive = 1000;
	for (;;)
		sti_hlt();
}

static void one_shots(u64 id)
{
	(void)id;
	start_timer(0);
	sti();
	for (;;)
		wrmsr(X_TICR, 1);
}

static void deadlines(u64 id)
{
	(void)id;
	start_timer(TIMER_DEADLINE);
	sti();
	for (;;) {
		wrmsr(TSC_DEADLINE, 1);
		wrmsr(TSC_DEADLINE, ~0UL);
		wrmsr(TSC_DEADLINE, rdtsc() + 10);
	}
}

static void deadline_from_handler(struct guest_frame *frame)
{
	ends(frame);
	wrmsr(TSC_DEADLINE, 1);
}

/* Not one instruction between two interrupts. */
static void deadline_loop(u64 id)
{
	(void)id;
	start_timer(TIMER_DEADLINE);
	guest_hook = deadline_from_handler;
	wrmsr(TSC_DEADLINE, 1);
	sti();
	spin();
}

/* ------------------------------------------------------------------ IPIs */

static void self_ipis(u64 id)
{
	(void)id;
	take_interrupts();
	sti();
	for (;;)
		wrmsr(X_SELF_IPI, IPI);
}

static void icr_to_self(u64 id)
{
	(void)id;
	take_interrupts();
	sti();
	for (;;)
		wrmsr(X_ICR, ICR_SELF | IPI);
}

static void pings(u64 id)
{
	take_interrupts();
	sti();
	for (;;)
		wrmsr(X_ICR, (id ^ 1) << 32 | IPI);
}

static void ping_pong(u64 id)
{
	take_interrupts();
	for (;;) {
		wrmsr(X_ICR, (id ^ 1) << 32 | IPI);
		sti_hlt();
		cli();
	}
}

/* Where start-up IPIs have the other vCPU start, and NMIs in real mode have it go on. */
#define START_PAGE	0x90

static void prepare_start(struct vcpu *vcpu)
{
	static const u8 pause_jmp[] = { 0xf3, 0x90, 0xeb, 0xfc };
	static const u16 nmi_vector[] = { 0, START_PAGE << 8 };

	memcpy(vcpu->vm->ram + (START_PAGE << 12), pause_jmp, sizeof(pause_jmp));
	memcpy(vcpu->vm->ram + 2 * sizeof(nmi_vector), nmi_vector, sizeof(nmi_vector));
}

/*
 * Modes that there are and that there are not, to all and to nobody. INIT and start-up IPIs go
 * from the first vCPU to the second alone: the first one would begin in ROM, and there is none.
 */
static void all_modes(u64 id)
{
	take_interrupts();
	sti();
	for (u64 n = 0;; n++, guest_alive++) {
		u64 mode = (n & 7) << 8;

		if (!id || mode != MODE_INIT)
			try_wrmsr(X_ICR, ICR_ALL | mode | IPI);
		try_wrmsr(X_ICR, ~0UL << 32 | ICR_LOGICAL | MODE_LOWEST | IPI);
		try_wrmsr(X_ICR, 0xdeadUL << 32 | IPI);
		if (id)
			continue;
		try_wrmsr(X_ICR, ICR_OTHERS | MODE_INIT | (n & 1) << 14);
		try_wrmsr(X_ICR, ICR_OTHERS | MODE_STARTUP | START_PAGE);
	}
}

static void no_eoi(u64 id)
{
	(void)id;
	guest_expect(IPI);
	sti();
	for (;; guest_alive++)
		wrmsr(X_SELF_IPI, IPI);
}

/* ------------------------------------------------------------------ page */

static void prepare_xapic(struct vcpu *vcpu)
{
	vcpu_set_msr(vcpu, APIC_BASE, BASE_ADDRESS | BASE_BSP);
	vcpu_set_msr(vcpu, APIC_BASE, BASE_XAPIC);
	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
}

static void reads_count(u64 id)
{
	(void)id;
	for (;;)
		(void)*reg_at(X_TCCR);
}

static void writes_lvt(u64 id)
{
	(void)id;
	for (;; guest_alive++)
		*reg_at(X_LVT_ERROR) = LVT_MASKED;
}

static void spills_icr(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		*reg_at(X_ICR_HIGH) = 0xff000000;
		*reg_at(X_ICR) = MODE_LOWEST | IPI;
	}
}

/* Off, xAPIC, x2APIC, off: the page comes and goes. */
static void changes_mode(u64 id)
{
	u64 base = rdmsr(APIC_BASE) & ~(BASE_X2APIC | BASE_ENABLE);

	for (;; guest_alive++) {
		wrmsr(APIC_BASE, base);
		wrmsr(APIC_BASE, base | BASE_ENABLE);
		if (id)
			(void)*reg_at(X_ID);
		wrmsr(APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
	}
}

/* ------------------------------------------------------------------ rest */

static void waits_for_level(u64 id)
{
	(void)id;
	take_interrupts();
	sti();
	spin();
}

static void send_level(struct vcpu *vcpu)
{
	msi_raw(vcpu->vm->fd, MSI_BASE, MSI_LEVEL | LEVEL);
}

static void send_many(struct vcpu *vcpu)
{
	msi_raw(vcpu->vm->fd, MSI_BASE | MSI_DEST(0xff), IPI);
	msi_raw(vcpu->vm->fd, MSI_BASE, TIMER);
}

static void changes_priority(u64 id)
{
	(void)id;
	take_interrupts();
	sti();
	for (;;) {
		WRITE_REG("cr8", 15);
		wrmsr(X_SELF_IPI, IPI);
		WRITE_REG("cr8", 0);
	}
}

static void turns_off(u64 id)
{
	(void)id;
	take_interrupts();
	sti();
	for (;; guest_alive++) {
		wrmsr(X_SELF_IPI, IPI);
		wrmsr(X_SVR, 0xff);
		wrmsr(X_SVR, SVR_ON);
		wrmsr(X_LVT_ERROR, 0xe0);
		wrmsr(X_ESR, 0);
	}
}

#define TIMERS "a host timer for each, or no time for anybody else"
#define IPIS "a host IPI or a wake-up for each"

const struct attack attacks_apic[] = {
	{ "timer, period 1", TIMERS, .guest = periodic, .flags = ATTACK_LAPIC },
	{ "timer, period 1, no EOI", TIMERS, .guest = periodic_unended,
	  .exit = BY(PREEMPTION_TIMER), .flags = ATTACK_LAPIC },
	{ "HLT with an interrupt", "a wait that is over before it begins", .guest = halts_pending,
	  .exit = BY(HLT), .flags = ATTACK_LAPIC },
	{ "timer, period 1, HLT", "the thread wakes all the time", .guest = periodic_halted,
	  .flags = ATTACK_LAPIC | ATTACK_SLEEPS },
	{ "timer, period 1, asleep", "the thread wakes all the time, and the guest never",
	  .guest = periodic_asleep, .flags = ATTACK_LAPIC | ATTACK_SLEEPS },
	{ "timer, count 1", TIMERS, .guest = one_shots, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC },
	{ "timer, deadlines", TIMERS, .guest = deadlines, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC },
	{ "timer, past deadlines", "the next interrupt is due in the handler of the last",
	  .guest = deadline_loop, .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC },
	{ "IPIs to itself", IPIS, .guest = self_ipis, .flags = ATTACK_LAPIC },
	{ "IPIs to itself by ICR", IPIS, .guest = icr_to_self, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC },
	{ "IPIs to another", IPIS, .guest = pings, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC | ATTACK_TWO },
	{ "IPIs from HLT to HLT", IPIS, .guest = ping_pong, .exit = BY(HLT),
	  .flags = ATTACK_LAPIC | ATTACK_TWO | ATTACK_SLEEPS },
	{ "IPIs of all modes", "INIT, SIPI or SMI reach the host's CPU", .guest = all_modes,
	  .prepare = prepare_start, .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC | ATTACK_TWO },
	{ "IPIs without EOI", IPIS, .guest = no_eoi, .flags = ATTACK_LAPIC },
	{ "APIC page, reads", TO_USER, .guest = reads_count, .prepare = prepare_xapic,
	  .exit = BY(APIC_ACCESS), .flags = ATTACK_LAPIC | ATTACK_APICV | ATTACK_STUCK },
	{ "APIC page, writes", IN_KERNEL, .guest = writes_lvt, .prepare = prepare_xapic,
	  .exit = BY(APIC_WRITE), .flags = ATTACK_LAPIC | ATTACK_APICV },
	{ "APIC page, ICR", IN_KERNEL, .guest = spills_icr, .prepare = prepare_xapic,
	  .exit = BY(APIC_WRITE), .flags = ATTACK_LAPIC | ATTACK_APICV },
	{ "APIC page without APICv", TO_USER, .guest = writes_lvt, .prepare = prepare_xapic,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_LAPIC | ATTACK_NO_APICV | ATTACK_STUCK },
	{ "APIC modes", "the page is taken from all CPUs, each time", .guest = changes_mode,
	  .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC | ATTACK_TWO },
	{ "level interrupts", "each EOI comes back to the VMM", .guest = waits_for_level,
	  .beside = send_level, .exit = BY(EOI_INDUCED), .flags = ATTACK_LAPIC | ATTACK_APICV },
	{ "MSIs from the VMM", IPIS, .guest = waits_for_level, .beside = send_many,
	  .flags = ATTACK_LAPIC },
	{ "task priority", "they exit before the host's interrupts do", .guest = changes_priority,
	  .exit = BY(TPR_BELOW_THRESHOLD), .flags = ATTACK_LAPIC | ATTACK_NO_APICV },
	{ "task priority, APICv", IN_KERNEL, .guest = changes_priority,
	  .flags = ATTACK_LAPIC | ATTACK_APICV },
	{ "APIC off and on", IN_KERNEL, .guest = turns_off, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC },
	{ }
};
