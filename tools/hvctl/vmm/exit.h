/* SPDX-License-Identifier: GPL-2.0-only */
/* What userspace does about a VM exit. */
#ifndef HV_EXIT_H
#define HV_EXIT_H

#include "vcpu.h"

/* Finish the exit that the run page tells of; the machine's lock is held. */
void hv_exit_handle(struct hv_vcpu *vcpu);

/* The name of a TINYVMX_EXIT_*, for reports. */
const char *hv_exit_reason_name(uint32_t reason);

#endif
