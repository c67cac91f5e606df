// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a VM entry failed: run the tables of checks over a VMCS dump, and tell.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

/* The areas of the VMCS, in the order the CPU checks them */
enum area { AREA_NONE, AREA_CONTROLS, AREA_HOST, AREA_GUEST };

static const struct {
	const struct rules *rules;
	enum area area;
} tables[] = {
	{ &explain_ctl_rules, AREA_CONTROLS },
	{ &explain_host_rules, AREA_HOST },
	{ &explain_guest_register_rules, AREA_GUEST },
	{ &explain_guest_segment_rules, AREA_GUEST },
	{ &explain_guest_state_rules, AREA_GUEST },
};

/* Where findings go */
struct collector {
	struct explain_finding *findings;
	size_t max;
	size_t count;
	struct explain_gaps gaps;
};

/* Append @from to the text, with '@' replaced. */
static void append(char *text, size_t size, const char *from, const char *segment)
{
	size_t used = strlen(text);

	for (; *from && used + 1 < size; from++) {
		if (*from == '@' && segment) {
			used += (size_t)snprintf(text + used, size - used, "%s", segment);
			used = used < size ? used : size - 1;
			continue;
		}
		text[used++] = *from;
	}
	text[used] = 0;
}

static void compose(struct explain_finding *f, const char *detail)
{
	snprintf(f->text, sizeof(f->text), "%s = 0x%" PRIx64 ": ", vmx_field_name(f->field),
		 f->value);
	append(f->text, sizeof(f->text), f->rule, f->segment);
	if (detail[0]) {
		append(f->text, sizeof(f->text), ": ", NULL);
		append(f->text, sizeof(f->text), detail, NULL);
	}
	append(f->text, sizeof(f->text), "; ", NULL);
	append(f->text, sizeof(f->text), f->mend, f->segment);
}

static void add_finding(struct collector *c, const struct probe *p)
{
	const struct rule *rule = p->rule;
	struct explain_finding *f;

	if (c->count++ >= c->max)
		return;
	f = &c->findings[c->count - 1];
	*f = (struct explain_finding){
		.id = rule->id,
		.section = rule->section,
		.rule = rule->rule,
		.mend = rule->mend,
		.segment = rule->segs ? explain_seg_names[p->seg] : NULL,
		.field = rule->field + (rule->segs ? 2 * p->seg : 0),
		.value = p->value,
	};
	compose(f, p->detail);
}

/* Ask a row about one segment register (any, if it is not about segments). */
static void ask(struct collector *c, const struct dump *d, const struct rule *rule,
		unsigned int seg)
{
	struct probe p = { .dump = d, .rule = rule, .seg = seg };
	uint32_t field = rule->field + (rule->segs ? 2 * seg : 0);
	bool bad = !rule->when || rule->when(&p);

	if (bad) {
		p.value = probe_get(&p, field);
		bad = rule->bad(&p);
	}
	if (p.missing)
		c->gaps.missing++;
	else if (p.blanked)
		c->gaps.blanked++;
	else if (p.unknown)
		c->gaps.unknown++;
	else if (bad)
		add_finding(c, &p);
}

static void ask_all(struct collector *c, const struct dump *d, const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (!rule->segs)
			ask(c, d, rule, 0);
		for (unsigned int seg = 0; seg < TINYVMX_NR_SEG; seg++)
			if (rule->segs >> seg & 1)
				ask(c, d, rule, seg);
	}
}

/* No CPU in VMX operation has a CR0 of 0: then the caller was not shown it. */
static struct dump make_dump(const struct vmx_cpu *cpu, const struct tinyvmx_vmcs_field *fields,
			     size_t n)
{
	struct dump d = { .fields = fields, .n = n, .cpu = cpu };
	struct probe p = { .dump = &d };

	d.blanked = !probe_get(&p, VMCS_HOST_CR0) && !p.missing;
	return d;
}

size_t explain_find(const struct vmx_cpu *cpu, const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_finding *findings, size_t max, struct explain_gaps *gaps)
{
	struct collector c = { .findings = findings, .max = max };
	struct dump d = make_dump(cpu, fields, n);

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		ask_all(&c, &d, tables[i].rules);
	if (gaps)
		*gaps = c.gaps;
	return c.count;
}

/* --- telling people --- */

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
	fprintf(out, "  %s\n    (SDM, \"%s\"; rule %s)\n", f->text, f->section, f->id);
}

/* Print what was found in the area (or, if not @in, outside of it). */
static size_t print_area(const struct explain_finding *f, size_t n, enum area area, bool in,
			 FILE *out)
{
	const struct explain_finding *before = NULL;
	size_t printed = 0;

	for (size_t i = 0; i < n; i++) {
		if ((area_of(f[i].id) == area) != in)
			continue;
		if (!printed++ && !in && area != AREA_NONE)
			fputs("also, though the CPU did not say so:\n", out);
		print_finding(&f[i], before, out);
		before = &f[i];
	}
	return printed;
}

static bool uses_tpr_threshold(struct probe *p)
{
	return proc_on(p, PROC_TPR_SHADOW) && !proc2_on(p, PROC2_VIRTUAL_INTR) &&
	       !proc2_on(p, PROC2_APIC_ACCESSES);
}

static bool has_linked_vmcs(struct probe *p)
{
	return probe_get(p, VMCS_LINK_POINTER) != UINT64_MAX;
}

static bool loads_msrs(struct probe *p)
{
	return probe_get(p, VMCS_ENTRY_MSR_LOAD_COUNT);
}

static bool pae_without_ept(struct probe *p)
{
	return !ept_on(p) && !ia32e_on(p) && probe_get(p, VMCS_GUEST_CR4) & X86_CR4_PAE;
}

static bool loads_perf_global(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_PERF_GLOBAL) || exit_on(p, EXIT_LOAD_PERF_GLOBAL);
}

static bool loads_rtit(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_RTIT);
}

/* Checks on what is in memory, or differs from model to model */
static const struct {
	bool (*when)(struct probe *p);
	const char *text;
} invisible[] = {
	{ uses_tpr_threshold, "TPR threshold against VTPR in the virtual-APIC page" },
	{ has_linked_vmcs, "revision identifier of the VMCS at the link pointer" },
	{ loads_msrs, "entries of the VM-entry MSR-load area" },
	{ pae_without_ept, "PDPTEs in memory at CR3" },
	{ loads_perf_global, "IA32_PERF_GLOBAL_CTRL bits of counters this CPU does not have" },
	{ loads_rtit, "IA32_RTIT_CTL" },
};

static void print_gaps(const struct dump *d, const struct explain_gaps *gaps, FILE *out)
{
	if (gaps->blanked)
		fprintf(out,
			"  not checked: %zu rules on fields that only root is shown (host state, addresses); run as root\n",
			gaps->blanked);
	if (gaps->unknown)
		fprintf(out, "  not checked: %zu rules that need the CPU's capability MSRs\n",
			gaps->unknown);
	if (gaps->missing)
		fprintf(out, "  not checked: %zu rules on fields that are not in the dump\n",
			gaps->missing);
	for (size_t i = 0; i < ARRAY_SIZE(invisible); i++) {
		struct probe p = { .dump = d };

		if (invisible[i].when(&p))
			fprintf(out, "  not visible in a dump: %s\n", invisible[i].text);
	}
}

#define MAX_FINDINGS	32

int explain_entry_failure_on(const struct vmx_cpu *cpu, const struct tinyvmx_run *run,
			     const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out)
{
	struct explain_finding findings[MAX_FINDINGS];
	struct dump d = make_dump(cpu, fields, n);
	struct explain_gaps gaps;
	size_t count, shown, blamed;
	enum area area = verdict(&d, run, out);

	count = explain_find(cpu, fields, n, findings, MAX_FINDINGS, &gaps);
	shown = count < MAX_FINDINGS ? count : MAX_FINDINGS;
	blamed = print_area(findings, shown, area, true, out);
	if (!blamed && area != AREA_NONE)
		fputs("  no violated rule found in this area\n", out);
	print_area(findings, shown, area, false, out);
	if (count > shown)
		fprintf(out, "  ... and %zu more\n", count - shown);
	if (!blamed)
		print_gaps(&d, &gaps, out);
	return (int)count;
}

int explain_entry_failure_run(const struct tinyvmx_run *run,
			      const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out)
{
	struct tinyvmx_info info;
	struct vmx_cpu cpu;
	int device = tvx_open();

	/* Without the module the MSRs count as not known. */
	if (device < 0 || tvx_get_info(device, &info))
		memset(&info, 0, sizeof(info));
	if (device >= 0)
		close(device);
	vmx_cpu_from_info(&cpu, &info);
	return explain_entry_failure_on(&cpu, run, fields, n, out);
}

int explain_entry_failure(const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out)
{
	return explain_entry_failure_run(NULL, fields, n, out);
}
