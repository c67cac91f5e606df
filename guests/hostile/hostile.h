/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attacks on the host: what a guest does, and what a VMM does for it, to keep the CPU
 * or to get at what is not its own. selftests/hostile.c runs them and measures what the
 * host notices; docs/hostile.md tells how to add one.
 *
 * As in the selftests guest and host code stand side by side: functions that take an id
 * run in the guest, those that take a vCPU in the VMM.
 */
#ifndef GUESTS_HOSTILE_H
#define GUESTS_HOSTILE_H

#include <asm/vmx.h>

#include "lapic.h"

#define ATTACK_LAPIC	(1U << 0)	/* the vCPUs have local APICs, in x2APIC mode */
#define ATTACK_TWO	(1U << 1)	/* a second vCPU does the same, with id 1 */
#define ATTACK_STUCK	(1U << 2)	/* the guest does not get on: exits alone tell */
#define ATTACK_APICV	(1U << 3)	/* exits so with APIC virtualization only */
#define ATTACK_NO_APICV	(1U << 4)	/* ... without it only */
#define ATTACK_SLOW	(1U << 5)	/* a round takes milliseconds: one will do */
#define ATTACK_SLEEPS	(1U << 6)	/* its threads wait: the scheduler owes them something */
#define ATTACK_FERR	(1U << 7)	/* the VM has TINYVMX_VM_FERR */
#define ATTACK_FOUR	(1U << 8)	/* vCPUs with ids 1 to 3 do the same */

#define UMIP	(1UL << 11)	/* of CR4 */

/* An exit that an attack must cause, for the exit member. */
#define BY(reason)	(1 + EXIT_REASON_##reason)

/**
 * struct attack - a row of the tables
 * @name: for TAP and for the command line
 * @harm: what would go wrong; a column of docs/hostile.md
 * @guest: the attack; counts guest_alive up as it gets on
 * @prepare: the VMM's part before the first RUN of each vCPU
 * @answer: the VMM's part when RUN is back, for exits the harness does not know
 * @beside: the VMM's part while the guest runs, over and over in a thread of its own
 * @check: what is to be seen in the guest afterwards, as TAP
 * @exit: BY(the exit that tells that the attack took place), 0: none is to be had
 * @flags: ATTACK_*
 */
struct attack {
	const char *name;
	const char *harm;
	void (*guest)(u64 id);
	void (*prepare)(struct vcpu *vcpu);
	void (*answer)(struct vcpu *vcpu);
	void (*beside)(struct vcpu *vcpu);
	void (*check)(struct vcpu *vcpu);
	u32 exit;
	u32 flags;
};

/* What is said of many. */
#define IN_KERNEL	"exits that stay in the kernel keep the host out"
#define TO_USER		"RUN comes back at once, every time"

/* Each ends with a row without a name. */
extern const struct attack attacks_exceptions[], attacks_exits[], attacks_apic[], attacks_toggles[],
	attacks_memory[], attacks_ring3[];

/* Guest-physical memory of the process's that nobody can reach. */
#define ABSENT_GPA	0x8000000UL
void give_absent_memory(struct vcpu *vcpu);

/* One instruction, for ever. */
#define REPEATS(fn, insn, ...)						\
static void fn(u64 id)							\
{									\
	(void)id;							\
	for (;; guest_alive++)						\
		__asm__ volatile(insn __VA_ARGS__);			\
}

/* ... that raises an exception. */
#define FAULTS(fn, want, insn, ...)					\
static void fn(u64 id)							\
{									\
	(void)id;							\
	for (;;)							\
		if (GUEST_TRY(insn, __VA_ARGS__) == (want))		\
			guest_alive++;					\
}

#define UD	6
#define PF	14

#endif
