/* SPDX-License-Identifier: GPL-2.0-only */
/* How a run ended: for people who want to know why, and for programs. */
#ifndef HV_VMM_REPORT_H
#define HV_VMM_REPORT_H

#include <stdio.h>

#include "machine.h"

/* Registers, the instruction with its disassembly, and the VMCS fields that matter. */
void hv_report_vcpu(const struct hv_vcpu *vcpu, FILE *out);

/* Where it is, and whether it executes, in a line without its end. False: that cannot be had. */
bool hv_report_place(const struct hv_vcpu *vcpu, char *text, size_t len);

/* Why the CPU refused the entry, rule by rule. */
void hv_report_entry_failure(const struct hv_vcpu *vcpu, FILE *out);

/*
 * After an end that is worth it, the last exits of the vCPU that led to it, if they were recorded;
 * after others nothing.
 */
void hv_report_last_exits(const struct hv_machine *machine, FILE *out);

/*
 * After an end that is worth it, the VMCS of the vCPU that led to it, for hvctl explain; after
 * others nothing. Returns 0 or -errno.
 */
int hv_report_dump_vmcs(const struct hv_machine *machine, FILE *out);

/* VM exits by reason, of each vCPU and of all, and how long the guest ran. */
void hv_report_stats(const struct hv_machine *machine, FILE *out);

/* The whole story as one line of JSON. */
int hv_report_json(const struct hv_machine *machine, FILE *out);

#endif
