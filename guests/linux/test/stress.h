/* SPDX-License-Identifier: GPL-2.0-only */
/* Work on all CPUs at once whose results tell whether IPIs, TLBs, clocks and locks hold. */
#ifndef STRESS_H
#define STRESS_H

/* Prints a line a kind of work; returns how many went wrong. @rounds: how long, in the work's own units. */
int cmd_stress(int rounds);

/* Each CPU in turn: does CPUID say there what it should of its APIC id? Returns how many do not. */
int cmd_cpus(void);

#endif
