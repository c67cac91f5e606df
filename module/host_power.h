/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of VMX when the machine sleeps, stops or crashes.
 */
#ifndef TVX_HOST_POWER_H
#define TVX_HOST_POWER_H

#include <linux/types.h>

/**
 * struct tvx_host_power - what to do about VMX on the calling CPU, interrupts disabled
 * @suspend: the machine goes to sleep
 * @resume: it is awake
 * @stop: it goes down, or reboots: VMX must be off and stay off
 * @crash: the same, in a crash: any context, NMI too, and nothing else can be relied on
 * @oops: the task on this CPU dies of a fault in the kernel; likewise any context
 */
struct tvx_host_power {
	void (*suspend)(void);
	void (*resume)(void);
	void (*stop)(void);
	void (*crash)(void);
	void (*oops)(void);
};

/*
 * Ticks by which the TSC has gone back since tvx_host_power_begin() was first called: where it
 * is turned off in sleep, it begins anew.
 */
u64 tvx_host_tsc_lost(void);

/* Hook into reboot, panic and crash. One user; may sleep. */
int tvx_host_power_init(const struct tvx_host_power *power);
void tvx_host_power_exit(void);

/*
 * Hook into suspend, before VMX is turned on: it works in reverse order, so whoever has
 * turned VMX on before us turns it off after us. May sleep.
 */
void tvx_host_power_begin(void);
void tvx_host_power_end(void);

#endif
