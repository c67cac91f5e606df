/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests of lab mode: try VM entries, and ask hvctl's rules about them. */
#ifndef SELFTESTS_LAB_H
#define SELFTESTS_LAB_H

#include "lib.h"

#include "explain/explain.h"
#include "explain/rules.h"

#define LAB_MOST	512
#define LAB_FINDINGS	16

/* One change of a field: set it, set bits, clear bits, flip bits. */
struct lab_change {
	u32 field;
	enum { LAB_NO_CHANGE, LAB_SET, LAB_ON, LAB_OFF, LAB_FLIP } how;
	u64 value;
};

#define SET(field, value)	{ VMCS_##field, LAB_SET, (value) }
#define ON(field, bits)		{ VMCS_##field, LAB_ON, (bits) }
#define OFF(field, bits)	{ VMCS_##field, LAB_OFF, (bits) }
#define FLIP(field, bits)	{ VMCS_##field, LAB_FLIP, (bits) }

/* One try: what is asked, and what the CPU and hvctl say of it. */
struct lab {
	struct vcpu *vcpu;
	struct vmx_cpu cpu;
	struct tinyvmx_vmcs_field good[LAB_MOST];	/* as the module has it */
	u32 good_count;
	struct tinyvmx_vmcs_field write[LAB_MOST];
	u32 writes;
	struct tinyvmx_lab arg;				/* of the last try */
	struct tinyvmx_vmcs_field tried[LAB_MOST];
	struct explain_finding findings[LAB_FINDINGS];
	size_t found;					/* may be more than there is room for */
	struct explain_gaps gaps;
};

/* A vCPU that has run; skips all without lab mode. */
void lab_start(struct lab *lab);

/* Nothing is to be changed; then, one after the other, what is. */
void lab_begin(struct lab *lab);
void lab_change(struct lab *lab, u32 field, int how, u64 value);
void lab_changes(struct lab *lab, const struct lab_change *changes, u32 count);

/* The value that the field is going to have. */
u64 lab_value(const struct lab *lab, u32 field);

/* Try it: 0, or -1 and errno. */
int lab_try(struct lab *lab);

/* The same, and what hvctl finds. False if the CPU lacks a field; ends the program if all fails. */
bool lab_ask(struct lab *lab);

/* Is that a rule of the SDM that the CPU of the tests does not check? */
bool lab_is_ignored(const struct lab *lab, const struct explain_finding *finding);

/* A check: the VMCS is what it was. */
void lab_is_undone(struct lab *lab);

#endif
