// SPDX-License-Identifier: GPL-2.0-only
/* Application processors: INIT and start-up IPIs (SDM, "MP Initialization Protocol"). */
#include "ap.h"
#include "apic.h"
#include "print.h"

/*
 * The books say 10 ms behind an INIT and 200 us behind a start-up IPI, for boards of the
 * nineties that took as long. CPUs of today need a moment for the one and nothing for the other.
 */
#define DELAY_INIT	100000
#define DELAY_STARTUP	20000

extern u8 trampoline_begin[], trampoline_end[];
u64 ap_stacks[AP_IDS];

void ap_delay(u64 ticks)
{
	u64 start = rdtsc();

	while (rdtsc() - start < ticks)
		cpu_pause();
}

static void set(u32 offset, u32 value)
{
	*(volatile u32 *)(TRAMPOLINE_PAGE + (ulong)offset) = value;
}

void ap_prepare(void)
{
	memcpy((void *)TRAMPOLINE_PAGE, trampoline_begin, trampoline_end - trampoline_begin);
	set(TRAMPOLINE_CR0, read_cr0());
	set(TRAMPOLINE_CR3, read_cr3());
	set(TRAMPOLINE_CR4, read_cr4());
	set(TRAMPOLINE_EFER, rdmsr(MSR_EFER) & ~EFER_LMA);
}

void ap_set_stack(u32 id, void *top)
{
	ap_stacks[id] = (ulong)top;
}

static void start(u32 dest, u32 shorthand)
{
	int i;

	apic_send(dest, shorthand | ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	/* The other edge of INIT, which CPUs ignore since the Pentium 4. */
	apic_send(dest, shorthand | ICR_INIT | ICR_LEVEL);
	ap_delay(DELAY_INIT);
	for (i = 0; i < 2; i++) {
		apic_send(dest, shorthand | ICR_STARTUP | AP_VECTOR(TRAMPOLINE_PAGE));
		ap_delay(DELAY_STARTUP);
	}
}

void ap_start(u32 id)
{
	start(id, 0);
}

void ap_start_others(void)
{
	start(0, ICR_OTHERS);
}
