/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a VM entry failed: hold a VMCS dump against the SDM's checks on VM entry.
 */
#ifndef HV_EXPLAIN_EXPLAIN_H
#define HV_EXPLAIN_EXPLAIN_H

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
	const char *mend;	/* what to do; '@' stands for @segment */
	const char *segment;	/* "CS"; NULL where the rule is not about one */
	uint32_t field;		/* VMCS encoding */
	uint64_t value;		/* of the field */
	char text[512];		/* all of this as one sentence or two */
};

/* What the dump left open. */
struct explain_gaps {
	size_t blanked;		/* checks on fields only root is shown */
	size_t missing;		/* checks on fields that the dump does not have */
	size_t unknown;		/* checks on capability MSRs nobody gave */
};

/*
 * explain_find - the checks that a VMCS does not pass
 * @cpu: the CPU that refused it; NULL: checks that need it are left out
 * @fields: the dump, in ascending order of encodings
 * @n: its length
 * @findings: gets the first @max of them, in the order the CPU checks
 * @gaps: what could not be checked; may be NULL
 *
 * Returns how many there are, which may be more than @max.
 */
size_t explain_find(const struct vmx_cpu *cpu, const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_finding *findings, size_t max, struct explain_gaps *gaps);

/*
 * explain_entry_failure_on - print why @cpu refused to enter this VMCS
 * @cpu: as for explain_find()
 * @run: what RUN told of it; NULL: take what the VMCS says, which may be older
 * @fields: the dump
 * @n: its length
 * @out: where to print
 *
 * Returns the number of findings.
 */
int explain_entry_failure_on(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
			     const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out);

/*
 * explain_entry_failure_run - the same for the CPU we run on
 *
 * Takes the capability MSRs from /dev/tinyvmx if it can be opened.
 */
int explain_entry_failure_run(const struct tinyvmx_run *run,
			      const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out);

/* explain_entry_failure - the same where no run page is at hand */
int explain_entry_failure(const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out);

#endif
