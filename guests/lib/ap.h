/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starting application processors, the CPUs that firmware has left waiting: INIT, start-up
 * IPI, and the way from real mode to a 64-bit kernel.
 */
#ifndef GUEST_AP_H
#define GUEST_AP_H

#include "trampoline.h"
#include "types.h"

/* What a start-up IPI says where to start. */
#define AP_VECTOR(page)	((page) >> 12)
/* Stacks are found by the APIC id that CPUID leaf 1 has: eight bits. */
#define AP_IDS		256

/*
 * The trampoline, with the caller's CR0, CR3, CR4 and EFER for those that come by it. Nothing
 * else is shared: its page must be mapped one to one, as must what ap_main() stands on.
 */
void ap_prepare(void);
/* Where the CPU of that id will have its stack. */
void ap_set_stack(u32 id, void *top);
/* INIT, start-up, start-up. The CPU is on its way then: ap_main() has to say that it is there. */
void ap_start(u32 id);
/* The same to all others at once. */
void ap_start_others(void);
/* Let @ticks of the TSC pass. */
void ap_delay(u64 ticks);

/* The kernel's: on the CPU's own stack, interrupts off, still on the trampoline's GDT. */
__noreturn void ap_main(u32 id);

#endif
