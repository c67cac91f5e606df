/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 64-bit guest with several CPUs. smp_init() finds them, smp_start_all() starts them; then
 * each waits in HLT until the BSP, which is cpus[0], gives it a function to call.
 *
 * The verdict's checks are the BSP's: what others see they leave in memory. Whoever waits does
 * so with PAUSE and not for ever, for the host may have fewer CPUs than the guest.
 */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include "ap.h"
#include "apic.h"
#include "cpus.h"
#include "lock.h"
#include "trap.h"

/* Wakes an idle CPU. */
#define SMP_WAKE_VECTOR	0xfc
#define SPURIOUS_VECTOR	0xff

/* Ticks until something that should have come will not. */
#define PATIENCE	4000000000ULL

struct cpu {
	struct cpu *self;		/* at GS base */
	u32 index, apic_id;
	volatile bool alive;		/* has come up since it was started last */
	void (*volatile work)(void *argument);	/* NULL: idle */
	void *volatile argument;
	volatile u32 taken[256];	/* smp_count() */
};

extern struct cpu cpus[CPUS_MAX];
extern u32 nr_cpus;

/* The caller: its GS base holds its own address first. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* Until @condition holds: whether it does at last. */
#define wait_until(condition)						\
({									\
	u64 start_ = rdtsc();						\
									\
	while (!(condition) && rdtsc() - start_ < PATIENCE)		\
		cpu_pause();						\
	(condition);							\
})

/* Until it holds, on any CPU: the guest ends, and says who waited for what, if it never does. */
#define await(condition)						\
do {									\
	if (!wait_until(condition))					\
		smp_waited_in_vain(#condition);				\
} while (0)

/* As wait_until(), while interrupts come in. */
#define wait_open(condition)						\
({									\
	bool holds_;							\
									\
	asm volatile("sti" : : : "memory");				\
	holds_ = wait_until(condition);					\
	asm volatile("cli" : : : "memory");				\
	holds_;								\
})

#define for_each_cpu(cpu)	for (cpu = cpus; cpu < cpus + nr_cpus; cpu++)
#define for_each_other(cpu)	for (cpu = cpus + 1; cpu < cpus + nr_cpus; cpu++)

/* All CPUs of the tables, the caller first; a guest for several is skipped where there is one. */
void smp_init(void);
/* The same where one will do, as it must where there are no tables. */
void smp_init_any(void);
/* Called by each CPU that starts, before it touches its local APIC; may be NULL. */
extern void (*volatile smp_at_start)(struct cpu *cpu);
/* INIT, start-up IPIs, and has it come? */
bool smp_start(struct cpu *cpu);
/* All others, one after the other; the guest ends if one does not come. */
void smp_start_all(void);
/* Each CPU, started anew by INIT, has its local APIC in x2APIC mode then. False: there is none. */
bool smp_switch_to_x2apic(void);

/* Have @cpu call @work, with interrupts off, while the caller goes on. */
void smp_run(struct cpu *cpu, void (*work)(void *), void *argument);
/* Until @cpu is idle again, with interrupts on meanwhile; the guest ends if it never is. */
void smp_join(struct cpu *cpu);
/* All others, then the caller; all have returned at the end. */
void smp_run_all(void (*work)(void *), void *argument);

__noreturn void smp_waited_in_vain(const char *condition);

/* Count @vector in the taken[] of the CPU that takes it; all but NMIs get their EOI. */
void smp_count(u8 vector);
void smp_forget_counts(void);

#endif
