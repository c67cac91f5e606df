/* SPDX-License-Identifier: GPL-2.0-only */
/* Lab mode: a vCPU whose VMCS is changed at will, and what the CPU says of it. */
#ifndef HV_VMM_LAB_H
#define HV_VMM_LAB_H

#include <stdio.h>

#include "debug/exercises.h"
#include "lib/error.h"
#include "tinyvmx.h"
#include "vmx/caps.h"

#define HV_LAB_FIELDS 512

/**
 * struct hv_lab - a VMCS that is being worked on
 * @device: /dev/tinyvmx
 * @vm: its VM, which has no memory
 * @vcpu: its vCPU, in 64-bit mode
 * @cpu: the CPU
 * @good: the VMCS as the module has it
 * @field: as it is wanted
 * @tried: as it was tried last
 * @count: of all three
 * @result: of the last try
 */
struct hv_lab {
	int device;
	int vm;
	int vcpu;
	struct vmx_cpu cpu;
	struct tinyvmx_vmcs_field good[HV_LAB_FIELDS];
	struct tinyvmx_vmcs_field field[HV_LAB_FIELDS];
	struct tinyvmx_vmcs_field tried[HV_LAB_FIELDS];
	size_t count;
	struct tinyvmx_lab result;
};

/* Make the vCPU. 0, or -errno with the reason and the remedy. Close it in both cases. */
int hv_lab_open(struct hv_lab *lab, struct hv_error *err);
void hv_lab_close(struct hv_lab *lab);

/* All fields are what the CPU takes again. */
void hv_lab_reset(struct hv_lab *lab);

/* Changes up to HV_LAB_NOTHING, at most @count. Fields that this CPU has not are left out. */
void hv_lab_change(struct hv_lab *lab, const struct hv_lab_change *changes, size_t count);

/* Ask the CPU: lab->result. 0 or -errno. */
int hv_lab_try(struct hv_lab *lab, struct hv_error *err);

/**
 * hv_lab_session - work on an exercise, by commands
 * @number: 1 to hv_nr_exercises
 * @in: a command a line
 * @out: what is said
 * @prompt: ask for each
 * @solved: set if the goal was reached
 *
 * Return: 0 or -errno.
 */
int hv_lab_session(struct hv_lab *lab, unsigned int number, FILE *in, FILE *out, bool prompt,
		   bool *solved, struct hv_error *err);

/* One solution, as commands for a session. */
void hv_lab_print_solution(unsigned int number, FILE *out);

#endif
