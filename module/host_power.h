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
 */
struct tvx_host_power {
	void (*suspend)(void);
	void (*resume)(void);
	void (*stop)(void);
	void (*crash)(void);
};

/* Hook into reboot and panic. One user; may sleep. */
int tvx_host_power_init(const struct tvx_host_power *power);
void tvx_host_power_exit(void);

/*
 * tvx_host_power_begin - hook into suspend, and into crashes, too
 * @own: VMX is ours: @crash is called when a CPU leaves this kernel for a crash kernel
 *	or an emergency restart. Otherwise that is for KVM.
 *
 * Before VMX is turned on: suspend works in reverse order, so whoever has turned it on
 * before us turns it off after us. May sleep.
 */
void tvx_host_power_begin(bool own);
void tvx_host_power_end(void);

#endif
