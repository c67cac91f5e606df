/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a machine with several vCPUs has halted for good: no vCPU executes, and none can be woken.
 *
 * Only the module knows what each of them waits for, and what is on its way to it; to ask it, all
 * vCPUs have to leave the guest. halt.c tells how that is kept rare.
 */
#ifndef HV_VMM_HALT_H
#define HV_VMM_HALT_H

#include "machine.h"

void hv_halt_init(struct hv_machine *machine);

/*
 * No interrupt can wake this vCPU any more, which has told it by leaving RUN: from now on it waits
 * there. By its thread, with the machine's lock.
 */
void hv_halt_alone(struct hv_vcpu *vcpu);

/* HV_ATTENTION_HALT: end the machine if that holds for all. By a vCPU's thread, without locks. */
void hv_halt_look(struct hv_machine *machine);

#endif
