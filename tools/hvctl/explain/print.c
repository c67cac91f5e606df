// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a VM entry failed, as a text: what the CPU said, and which rules say more.
 */
#include <inttypes.h>
#include <string.h>

#include "explain.h"
#include "rules.h"

/* The areas of the VMCS that the CPU checks one after the other */
enum area { AREA_NONE, AREA_CONTROLS, AREA_HOST, AREA_GUEST };

static enum area area_of(const char *id)
{
	if (!strncmp(id, "ctl.", 4))
		return AREA_CONTROLS;
	return strncmp(id, "host.", 5) ? AREA_GUEST : AREA_HOST;
}

/* VM-instruction errors of VM entries; others are of VMREAD and the like. */
#define ENTRY_ERRORS \
	(1U << 4 | 1U << 5 | 1U << 6 | 1U << 7 | 1U << 8 | 1U << 16 | 1U << 17 | \
	 1U << 18 | 1U << 25 | 1U << 26)

/* Returns the area that the VM-instruction error blames. */
static enum area error_verdict(uint32_t error, FILE *out)
{
	if (error > 31 || !(ENTRY_ERRORS >> error & 1))
		return AREA_NONE;
	fprintf(out, "VM-instruction error %u: %s\n", error, vmx_instruction_error(error));
	return error == 7 ? AREA_CONTROLS : error == 8 ? AREA_HOST : AREA_NONE;
}

/* Returns the area that the exit reason blames. */
static enum area exit_verdict(uint32_t reason, uint64_t qual, FILE *out)
{
	char words[128];

	vmx_describe_qualification(reason, qual, words, sizeof(words));
	fprintf(out, "exit reason 0x%x: %s (qualification 0x%" PRIx64 "%s%s)\n", reason,
		vmx_exit_name(reason), qual, words[0] ? ": " : "", words);
	return (reason & 0xffff) == 33 ? AREA_GUEST : AREA_NONE;
}

/*
 * Where the CPU itself said it stopped. A VMCS keeps both fields until the next
 * failure of their kind, so if both tell of one, either may be an old story.
 */
static enum area verdict_of_vmcs(const struct dump *d, FILE *out)
{
	struct probe p = { .dump = d };
	uint32_t error = (uint32_t)probe_get(&p, VMCS_INSTRUCTION_ERROR);
	uint32_t reason = (uint32_t)probe_get(&p, VMCS_EXIT_REASON);
	uint64_t qual = probe_get(&p, VMCS_EXIT_QUALIFICATION);
	enum area by_error = error_verdict(error, out), by_exit = AREA_NONE;

	if (reason >> 31)
		by_exit = exit_verdict(reason, qual, out);
	if (by_error != AREA_NONE && by_exit != AREA_NONE)
		return AREA_NONE;
	return by_exit != AREA_NONE ? by_exit : by_error;
}

static enum area verdict(const struct dump *d, const struct tinyvmx_run *run, FILE *out)
{
	if (!run)
		return verdict_of_vmcs(d, out);
	if (run->entry_failed.instruction_error)
		return error_verdict(run->entry_failed.instruction_error, out);
	return exit_verdict(run->exit_reason, run->exit_qualification, out);
}

/* A rule that several segment registers break is spelt out for the first one. */
static void print_finding(const struct explain_finding *f, const struct explain_finding *before,
			  FILE *out)
{
	if (before && before->id == f->id) {
		fprintf(out, "  %s = 0x%" PRIx64 ": likewise (rule %s)\n", vmx_field_name(f->field),
			f->value, f->id);
		return;
	}
	fprintf(out, "  %s\n    mend: %s\n    (SDM, \"%s\"; rule %s)\n", f->text, f->mend,
		f->section, f->id);
}

static void print_findings(const struct explain_report *report, bool blamed, FILE *out)
{
	const struct explain_finding *before = NULL;

	for (size_t i = 0; i < report->count && i < EXPLAIN_MAX_FINDINGS; i++) {
		const struct explain_finding *f = &report->findings[i];

		if (f->blamed != blamed)
			continue;
		if (!before && !blamed && report->has_area)
			fputs("also, though the CPU did not say so:\n", out);
		print_finding(f, before, out);
		before = f;
	}
}

/* "not checked: 3 rules WHY" */
static void print_gap(size_t count, const char *why, FILE *out)
{
	if (count)
		fprintf(out, "  not checked: %zu rule%s %s\n", count, count == 1 ? "" : "s", why);
}

static void print_gaps(const struct explain_gaps *gaps, FILE *out)
{
	print_gap(gaps->blanked,
		  "on what only root sees (host state, addresses): run as root, with --no-sandbox",
		  out);
	print_gap(gaps->unknown, "that need to know the CPU; run where tinyvmx is loaded on it",
		  out);
	print_gap(gaps->missing, "on fields that are not in the dump", out);
	for (size_t i = 0; i < gaps->nr_unseen; i++)
		fprintf(out, "  not visible in a dump: %s\n", gaps->unseen[i]);
}

/* Say so where the CPU is not backed up. */
static void print_nothing_found(const struct explain_report *report, FILE *out)
{
	if (report->has_area)
		fputs("  no violated rule found in this area\n", out);
	else if (!report->count && explain_has_gaps(&report->gaps))
		fputs("  no violated rule found, but not all were checked\n", out);
	else if (!report->count)
		fputs("  all rules were checked, none is violated\n", out);
}

/* Where the CPU says it is; then what causes others; then as the CPU checks. */
static bool comes_before(const struct explain_finding *one, const struct explain_finding *other)
{
	if (one->blamed != other->blamed)
		return one->blamed;
	return one->rank < other->rank;
}

/* By insertion: those that are alike keep their order, and a rule's segments stay together. */
static void sort(struct explain_finding *findings, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct explain_finding moved = findings[i];
		size_t j = i;

		for (; j && comes_before(&moved, &findings[j - 1]); j--)
			findings[j] = findings[j - 1];
		findings[j] = moved;
	}
}

void explain_report(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
		    const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_report *report)
{
	struct dump d = { .fields = fields, .n = n };
	enum area area = AREA_NONE;
	size_t shown;
	FILE *out;

	*report = (struct explain_report){ 0 };
	out = fmemopen(report->verdict, sizeof(report->verdict) - 1, "w");
	if (out) {
		area = verdict(&d, run, out);
		fclose(out);
	}
	report->has_area = area != AREA_NONE;
	report->count =
		explain_find(cpu, fields, n, report->findings, EXPLAIN_MAX_FINDINGS, &report->gaps);
	shown = report->count < EXPLAIN_MAX_FINDINGS ? report->count : EXPLAIN_MAX_FINDINGS;
	for (size_t i = 0; i < shown; i++) {
		report->findings[i].blamed = area_of(report->findings[i].id) == area;
		report->blamed += report->findings[i].blamed;
	}
	sort(report->findings, shown);
}

void explain_report_print(const struct explain_report *report, FILE *out)
{
	fputs(report->verdict, out);
	print_findings(report, true, out);
	if (!report->blamed)
		print_nothing_found(report, out);
	print_findings(report, false, out);
	if (report->count > EXPLAIN_MAX_FINDINGS)
		fprintf(out, "  ... and %zu more\n", report->count - EXPLAIN_MAX_FINDINGS);
	if (!report->blamed)
		print_gaps(&report->gaps, out);
}

size_t explain_print(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
		     const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out,
		     struct explain_gaps *gaps)
{
	struct explain_report report;

	explain_report(cpu, run, fields, n, &report);
	explain_report_print(&report, out);
	*gaps = report.gaps;
	return report.count;
}
