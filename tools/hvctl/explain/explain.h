/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a VM entry failed: hold a VMCS dump against the SDM's checks on VM entry. A function of
 * its arguments: the caller reads dump and CPU.
 */
#ifndef HV_EXPLAIN_EXPLAIN_H
#define HV_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tinyvmx.h"
#include "vmx/caps.h"

/* A check that the VMCS does not pass. The strings are static but for @text. */
struct explain_finding {
	const char *id;		/* of the rule, "guest.seg.type" */
	const char *section;	/* of the SDM */
	const char *rule;	/* what must hold; '@' stands for @segment */
	const char *segment;	/* "CS"; NULL where the rule is not about one */
	uint32_t field;		/* VMCS encoding */
	uint64_t value;		/* of the field */
	unsigned int rank;	/* the lower, the likelier it is the cause and not what follows */
	bool blamed;		/* explain_report(): the CPU itself says that it is there */
	char detail[192];	/* which bits are wrong, where a rule tells; else empty */
	char text[512];		/* field, value, rule and detail as a sentence */
	char mend[256];		/* what to do */
};

#define EXPLAIN_MAX_UNSEEN	8

/* What was not checked. */
struct explain_gaps {
	size_t blanked;		/* rules on fields that only root is shown */
	size_t missing;		/* rules on fields that the dump does not have */
	size_t unknown;		/* rules on a CPU, or on an MSR of it, that is not known */
	size_t nr_unseen;	/* rules on what no dump shows, of those that apply */
	const char *unseen[EXPLAIN_MAX_UNSEEN];
};

/**
 * explain_has_gaps - whether something was not checked
 * @gaps: as filled by explain_find()
 */
bool explain_has_gaps(const struct explain_gaps *gaps);

/**
 * explain_find - the checks that a VMCS does not pass
 * @cpu: the CPU that refused it; NULL: rules that need to know it are not checked
 * @fields: the dump
 * @n: its length
 * @findings: gets the first @max of them, in the order the CPU checks
 * @max: room in @findings
 * @gaps: gets what was not checked; may be NULL
 *
 * No verdict is given on what the dump or @cpu leave open: such a rule is no finding, but
 * counted in @gaps.
 *
 * Return: how many there are, which may be more than @max.
 */
size_t explain_find(const struct vmx_cpu *cpu, const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_finding *findings, size_t max, struct explain_gaps *gaps);

#define EXPLAIN_MAX_FINDINGS	32

/* Why a CPU refused to enter a VMCS. */
struct explain_report {
	char verdict[512];	/* what the CPU itself said: lines; empty: nothing */
	bool has_area;		/* and that says in which area of the VMCS the cause is */
	size_t count;		/* findings, of which EXPLAIN_MAX_FINDINGS are there */
	size_t blamed;		/* of those that are there, in that area */
	struct explain_finding findings[EXPLAIN_MAX_FINDINGS]; /* the most likely cause first */
	struct explain_gaps gaps;
};

/**
 * explain_report - why a CPU refused to enter this VMCS
 * @cpu: as for explain_find()
 * @run: what RUN told of it; NULL: take what the VMCS says, which may be older
 * @fields: the dump
 * @n: its length
 * @report: to be filled
 */
void explain_report(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
		    const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_report *report);

/* The same for people. */
void explain_report_print(const struct explain_report *report, FILE *out);

/* A rule that explain knows, as it is for all segment registers that it is about. */
struct explain_rule {
	const char *id, *section, *rule, *mend;	/* '@' stands for a segment register */
	uint32_t field;				/* that of ES where it is about segments */
	unsigned int instances;			/* one a segment register, or 1 */
};

/**
 * explain_each_rule - all rules, in the order the CPU checks them
 * @each: called for each
 * @context: passed on to @each
 */
void explain_each_rule(void (*each)(const struct explain_rule *rule, void *context), void *context);

/**
 * explain_print - print why a CPU refused to enter this VMCS
 * @cpu: as for explain_find()
 * @run: what RUN told of it; NULL: take what the VMCS says, which may be older
 * @fields: the dump
 * @n: its length
 * @out: where to print
 * @gaps: gets what was not checked
 *
 * Return: the number of findings.
 */
size_t explain_print(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
		     const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out,
		     struct explain_gaps *gaps);

#endif
