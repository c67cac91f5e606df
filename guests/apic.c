// SPDX-License-Identifier: GPL-2.0-only
/*
 * apic: the local APIC: interrupts to oneself, priorities, the timer in its
 * three modes, waking from HLT; first through its page, then by x2APIC MSRs.
 */
#include "lib/apic.h"
#include "lib/paging.h"
#include "lib/trap.h"

#define X2APIC_SELF_IPI		0x83f
#define MSR_TSC_DEADLINE	0x6e0
#define CPUID_TSC_DEADLINE	(1U << 24)

#define TIMER_PERIODIC		0x20000
#define TIMER_TSC_DEADLINE	0x40000
#define DIVIDE_BY_16		0x3
#define ESR_SEND_ILLEGAL	(1 << 5)
#define ESR_RECEIVE_ILLEGAL	(1 << 6)

#define PORT_PIC1_MASK		0x21
#define PORT_PIC2_MASK		0xa1

#define LOW			0x51
#define HIGH			0xa2
#define TIMER			0xf0
#define SPURIOUS		0xff
#define TIMER_COUNT		100000
#define PATIENCE		400000000ULL	/* ticks */

bool x2apic;
static volatile u32 taken[256];
static u8 order[16];
static volatile u32 order_count;
static u32 isr_inside, nmis_inside;

static bool vector_bit(u32 offset, u8 vector)
{
	return apic_read(offset + (vector >> 5) * 16) & 1U << (vector & 31);
}

static void send_self(u32 vector)
{
	apic_send(0, ICR_SELF | vector);
}

/* By its id: there is no shorthand for an NMI to oneself. */
static void send_nmi(void)
{
	apic_send(apic_id(), ICR_NMI);
}

static bool on_interrupt(struct trap_frame *frame)
{
	isr_inside = vector_bit(APIC_ISR, frame->vector);
	taken[frame->vector]++;
	if (order_count < sizeof(order))
		order[order_count++] = frame->vector;
	apic_write(APIC_EOI, 0);
	return true;
}

static void forget(void)
{
	memset((void *)taken, 0, sizeof(taken));
	order_count = 0;
}

/* A few instructions in which a pending interrupt must come. */
static void let_in(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

static bool wait_for(u8 vector, u32 times)
{
	u64 start = rdtsc();

	asm volatile("sti");
	while (taken[vector] < times && rdtsc() - start < PATIENCE)
		cpu_pause();
	asm volatile("cli");
	return taken[vector] >= times;
}

static void check_registers(void)
{
	step("%s: version 0x%x, id 0x%x", x2apic ? "x2APIC" : "xAPIC",
	     apic_read(APIC_VERSION), apic_read(APIC_ID));
	check_eq(apic_read(APIC_VERSION) >> 4 & 0xf, 1);
	check((apic_read(APIC_VERSION) >> 16 & 0xff) >= 3);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_ERROR, LVT_MASKED | 0xfe);
	check_eq(apic_read(APIC_LVT_ERROR), LVT_MASKED | 0xfe);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS);
	check_eq(apic_read(APIC_SPURIOUS) & 0x1ff, SPURIOUS_ENABLE | SPURIOUS);
}

static void check_self(void)
{
	step("an interrupt to oneself: IRR, then ISR, then neither");
	forget();
	send_self(LOW);
	check(vector_bit(APIC_IRR, LOW));
	check_eq(taken[LOW], 0);
	cpuid(0, 0);
	check_eq(taken[LOW], 0);
	let_in();
	check_eq(taken[LOW], 1);
	check_eq(isr_inside, 1);
	check(!vector_bit(APIC_IRR, LOW));
	check(!vector_bit(APIC_ISR, LOW));
	step("twice while pending is once");
	send_self(LOW);
	send_self(LOW);
	let_in();
	let_in();
	check_eq(taken[LOW], 2);
}

static void check_priority(void)
{
	step("the higher vector first; TPR and CR8 hold back its class");
	forget();
	send_self(LOW);
	send_self(HIGH);
	let_in();
	let_in();
	check_eq(order_count, 2);
	check_eq(order[0], HIGH);
	check_eq(order[1], LOW);
	forget();
	apic_write(APIC_TPR, HIGH & 0xf0);
	check_eq(read_cr8(), HIGH >> 4);
	check_eq(apic_read(APIC_PPR), HIGH & 0xf0);
	send_self(HIGH);
	let_in();
	check_eq(taken[HIGH], 0);
	write_cr8(0);
	check_eq(apic_read(APIC_TPR), 0);
	let_in();
	check_eq(taken[HIGH], 1);
}

/* Sends a higher, an equal and a lower one, and lets them in. */
static bool on_nested(struct trap_frame *frame)
{
	(void)frame;
	taken[LOW + 1]++;
	send_self(HIGH);
	send_self(LOW);
	check_eq(apic_read(APIC_PPR), (LOW + 1) & 0xf0);
	let_in();
	check_eq(taken[HIGH], 1);
	check_eq(taken[LOW], 0);
	apic_write(APIC_EOI, 0);
	return true;
}

static void check_nesting(void)
{
	step("a handler is interrupted by a higher class alone, until its EOI");
	forget();
	trap_hook(LOW + 1, on_nested);
	send_self(LOW + 1);
	let_in();
	let_in();
	check_eq(taken[LOW + 1], 1);
	check_eq(taken[LOW], 1);
}

/* Blocked until the handler's IRET: the second one waits for that. */
static bool on_nmi(struct trap_frame *frame)
{
	(void)frame;
	if (++taken[TRAP_NMI] == 1) {
		send_nmi();
		cpuid(0, 0);
		nmis_inside = taken[TRAP_NMI];
	}
	return true;
}

static void check_nmi(void)
{
	step("NMI to oneself, with interrupts off; no NMI inside an NMI");
	forget();
	send_nmi();
	cpuid(0, 0);
	asm volatile("nop; nop");
	check_eq(nmis_inside, 1);
	check_eq(taken[TRAP_NMI], 2);
}

static void check_errors(void)
{
	u32 error;

	step("vectors below 16 are errors, in ESR after a write to it");
	apic_write(APIC_ESR, 0);
	apic_write(APIC_ICR, ICR_SELF | 5);
	apic_write(APIC_ESR, 0);
	error = apic_read(APIC_ESR);
	check(error & (ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL));
	apic_write(APIC_ESR, 0);
	check_eq(apic_read(APIC_ESR), 0);
}

static void check_one_shot(void)
{
	step("timer, one-shot: once, into a spinning guest");
	forget();
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_INITIAL_COUNT, TIMER_COUNT);
	check(apic_read(APIC_CURRENT_COUNT) <= TIMER_COUNT);
	check(wait_for(TIMER, 1));
	check_eq(apic_read(APIC_CURRENT_COUNT), 0);
	check(!vector_bit(APIC_IRR, TIMER));
	step("timer, masked, then stopped: never");
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER);
	apic_write(APIC_INITIAL_COUNT, 1000);
	while (apic_read(APIC_CURRENT_COUNT))
		cpu_pause();
	let_in();
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_INITIAL_COUNT, 0xffffffff);
	apic_write(APIC_INITIAL_COUNT, 0);
	let_in();
	check_eq(taken[TIMER], 1);
}

static void check_divider(void)
{
	u64 start, fast, slow;

	step("timer: divided by 16 it takes 16 times as long");
	forget();
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	start = rdtsc();
	apic_write(APIC_INITIAL_COUNT, 10 * TIMER_COUNT);
	check(wait_for(TIMER, 1));
	fast = rdtsc() - start;
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	start = rdtsc();
	apic_write(APIC_INITIAL_COUNT, 10 * TIMER_COUNT);
	check(wait_for(TIMER, 2));
	slow = rdtsc() - start;
	print("  %llu and %llu ticks\n", fast, slow);
	check(slow > fast * 8);
	check(slow < fast * 32);
}

static void check_periodic(void)
{
	step("timer, periodic");
	forget();
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER_PERIODIC | TIMER);
	apic_write(APIC_INITIAL_COUNT, TIMER_COUNT);
	check(wait_for(TIMER, 5));
	apic_write(APIC_INITIAL_COUNT, 0);
	let_in();
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER);
}

static void check_deadline(void)
{
	u64 deadline;

	if (!(cpuid(1, 0).ecx & CPUID_TSC_DEADLINE)) {
		skipped("no TSC-deadline mode");
		return;
	}
	step("timer, TSC-deadline: not before, and the MSR is 0 then");
	forget();
	apic_write(APIC_LVT_TIMER, TIMER_TSC_DEADLINE | TIMER);
	deadline = rdtsc() + TIMER_COUNT;
	wrmsr(MSR_TSC_DEADLINE, deadline);
	check_eq(rdmsr(MSR_TSC_DEADLINE), deadline);
	check(wait_for(TIMER, 1));
	check(rdtsc() >= deadline);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
	step("a deadline in the past fires at once; 0 disarms");
	wrmsr(MSR_TSC_DEADLINE, rdtsc() - 1);
	check(wait_for(TIMER, 2));
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 10 * TIMER_COUNT);
	wrmsr(MSR_TSC_DEADLINE, 0);
	deadline = rdtsc() + 20 * TIMER_COUNT;
	while (rdtsc() < deadline)
		let_in();
	check_eq(taken[TIMER], 2);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER);
}

/* Between STI and HLT nothing comes: it wakes, it is not lost. */
static void check_halt(void)
{
	u32 i;

	step("STI, HLT: woken by the timer, a hundred times");
	forget();
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER);
	for (i = 0; i < 100; i++) {
		apic_write(APIC_INITIAL_COUNT, 1 + i * 100);
		asm volatile("sti; hlt; cli" : : : "memory");
	}
	check_eq(taken[TIMER], 100);
	step("pending before STI, HLT: taken behind the HLT");
	send_self(LOW);
	asm volatile("sti; hlt; cli" : : : "memory");
	check_eq(taken[LOW], 1);
}

static void check_both_ways(void)
{
	check_registers();
	check_self();
	check_priority();
	check_nesting();
	check_nmi();
	check_errors();
	check_one_shot();
	check_divider();
	check_periodic();
	check_deadline();
	check_halt();
}

static void check_x2apic_rules(void)
{
	u64 value;

	step("x2APIC: 64-bit ICR, self IPI, and accesses that are #GP");
	forget();
	wrmsr(X2APIC_SELF_IPI, LOW);
	let_in();
	check_eq(taken[LOW], 1);
	check_eq(try_rdmsr(X2APIC_SELF_IPI, &value), TRAP_GP);
	check_eq(try_wrmsr(X2APIC_MSR + 2, 0), TRAP_GP);		/* id: read-only */
	check_eq(try_wrmsr(X2APIC_MSR + APIC_EOI / 16, 1), TRAP_GP);
	check_eq(try_rdmsr(X2APIC_MSR + APIC_EOI / 16, &value), TRAP_GP);
	check_eq(try_wrmsr(X2APIC_MSR + APIC_TPR / 16, 0x100), TRAP_GP);
	check_eq(try_rdmsr(X2APIC_MSR + 0xe, &value), TRAP_GP);	/* DFR is gone */
	check_eq(try_rdmsr(X2APIC_MSR + 0x31, &value), TRAP_GP);
	check_eq(try_wrmsr(X2APIC_MSR + APIC_ESR / 16, 1), TRAP_GP);
	value = rdmsr(MSR_APIC_BASE);
	check_eq(try_wrmsr(MSR_APIC_BASE, value & ~BASE_X2APIC), TRAP_GP);
	check_eq(try_wrmsr(MSR_APIC_BASE, value & ~BASE_ENABLE), TRAP_GP);
}

#define ELSEWHERE		0xd0000000UL	/* no RAM, no chip */

static u32 load(ulong address)
{
	return *(volatile u32 *)address;
}

static void check_moved(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 version = load(APIC_PAGE + APIC_VERSION);

	step("the page moves by IA32_APIC_BASE, and is not where it was");
	wrmsr(MSR_APIC_BASE, (base & 0xfff) | ELSEWHERE);
	check_eq(load(ELSEWHERE + APIC_VERSION), version);
	check_eq(load(APIC_PAGE + APIC_VERSION), ~0U);
	*(volatile u32 *)(APIC_PAGE + APIC_TPR) = 0x20;
	check_eq(read_cr8(), 0);
	*(volatile u32 *)(ELSEWHERE + APIC_TPR) = 0x30;
	check_eq(read_cr8(), 3);
	*(volatile u32 *)(ELSEWHERE + APIC_TPR) = 0;
	wrmsr(MSR_APIC_BASE, base);
	check_eq(load(APIC_PAGE + APIC_VERSION), version);
	check_eq(load(ELSEWHERE + APIC_VERSION), ~0U);
}

static void check_off(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	step("off, the APIC is not in CPUID and answers nowhere");
	wrmsr(MSR_APIC_BASE, base & ~BASE_ENABLE);
	check_eq(cpuid(1, 0).edx & 1 << 9, 0);
	check_eq(load(APIC_PAGE + APIC_VERSION), ~0U);
	*(volatile u32 *)(APIC_PAGE + APIC_TPR) = 0x20;
	check_eq(load(APIC_PAGE + APIC_TPR), ~0U);
	wrmsr(MSR_APIC_BASE, base);
	check(cpuid(1, 0).edx & 1 << 9);
	check_eq(load(APIC_PAGE + APIC_TPR), 0);
}

static void switch_to_x2apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE | BASE_X2APIC);
	x2apic = true;
	step("in x2APIC mode nothing answers at the page");
	check_eq(load(APIC_PAGE + APIC_VERSION), ~0U);
}

GUEST("apic")
{
	int i;

	if (!(cpuid(1, 0).edx & 1 << 9))
		skip_guest("no local APIC");
	outb(PORT_PIC1_MASK, 0xff);
	outb(PORT_PIC2_MASK, 0xff);
	for (i = 32; i < 256; i++) {
		if (i != USER_EXIT_VECTOR && i != USER_PRINT_VECTOR)
			trap_hook(i, on_interrupt);
	}
	trap_hook(TRAP_NMI, on_nmi);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE);
	check_moved();
	check_off();
	check_both_ways();
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		skipped("no x2APIC");
		return;
	}
	switch_to_x2apic();
	check_both_ways();
	check_x2apic_rules();
}
