/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The serial ports' shortcut: while a guest's driver polls LSR and writes THR, the module
 * queues the bytes and answers the polls, see struct tinyvmx_shortcut. It opens behind a
 * write to THR that has not ended a line, and any other exit closes it. The 8259s' ELCR has it,
 * too: the module answers reads, or queues writes as long as no interrupt is about.
 */
#ifndef HV_VMM_SHORTCUT_H
#define HV_VMM_SHORTCUT_H

#include "machine.h"

/* By the vCPU's thread, outside RUN, with the machine's lock: the queue goes to the chip. */
void hv_shortcut_close(struct hv_vcpu *vcpu);
/* ... behind an IO exit that has been handled. */
void hv_shortcut_open(struct hv_vcpu *vcpu);

/* By any thread, with the lock: LSR is not what it was. */
void hv_shortcut_no_input(struct hv_machine *machine);
/* By any thread, with the lock: the terminal has waited long enough. */
void hv_shortcut_hurry(struct hv_machine *machine);

#endif
