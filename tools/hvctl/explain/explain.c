// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a VM entry failed: run the tables of checks over a VMCS dump.
 */
#include <inttypes.h>
#include <string.h>

#include "explain.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"
#include "vmx/bits.h"

/* In the order the CPU checks them */
static const struct rules *const tables[] = {
	&explain_ctl_rules,
	&explain_host_rules,
	&explain_guest_register_rules,
	&explain_guest_segment_rules,
	&explain_guest_state_rules,
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
}

/*
 * A bit of a control word that the CPU does not have, or insists on, makes others wrong that hang
 * on it; what is asked of one field alone is wrong there, and nowhere else.
 */
static unsigned int rank_of(const struct rule *rule)
{
	if (rule->bad == bad_word)
		return 0;
	return rule->when ? 2 : 1;
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
		.segment = rule->segs ? explain_seg_names[p->seg] : NULL,
		.field = rule->field + (rule->segs ? 2 * p->seg : 0),
		.value = p->value,
		.rank = rank_of(rule),
	};
	snprintf(f->detail, sizeof(f->detail), "%s", p->detail);
	append(f->mend, sizeof(f->mend), rule->mend, f->segment);
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

/* --- what no dump shows --- */

static bool uses_tpr_threshold(struct probe *p)
{
	return proc_on(p, PROC_TPR_SHADOW) && !proc2_on(p, PROC2_VIRTUAL_INTR) &&
	       !proc2_on(p, PROC2_APIC_ACCESSES) && probe_get(p, VMCS_TPR_THRESHOLD) & 0xf;
}

static bool has_linked_vmcs(struct probe *p)
{
	return probe_get(p, VMCS_LINK_POINTER) != UINT64_MAX;
}

static bool loads_msrs(struct probe *p)
{
	return probe_get(p, VMCS_ENTRY_MSR_LOAD_COUNT);
}

static bool loads_pdptes(struct probe *p)
{
	return !ept_on(p) && !ia32e_on(p) && probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PG &&
	       probe_get(p, VMCS_GUEST_CR4) & X86_CR4_PAE;
}

static bool loads_rtit(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_RTIT);
}

/* Checks on what is in memory, or in the CPU at the time of the entry */
static const struct {
	bool (*when)(struct probe *p);
	const char *what;
} unseen[] = {
	{ uses_tpr_threshold, "TPR threshold against VTPR in the virtual-APIC page" },
	{ has_linked_vmcs, "revision identifier of the VMCS at the link pointer" },
	{ loads_msrs, "entries of the VM-entry MSR-load area" },
	{ loads_pdptes, "PDPTEs in memory at CR3" },
	{ loads_rtit,
	  "TraceEn (bit 0) of the CPU's IA32_RTIT_CTL, which must be 0 to load another" },
};

_Static_assert(ARRAY_SIZE(unseen) <= EXPLAIN_MAX_UNSEEN, "raise EXPLAIN_MAX_UNSEEN");

static void find_unseen(struct explain_gaps *gaps, const struct dump *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++) {
		struct probe p = { .dump = d };

		/* What is missing for the question has been counted as such. */
		if (unseen[i].when(&p) && !p.missing && !p.blanked && !p.unknown)
			gaps->unseen[gaps->nr_unseen++] = unseen[i].what;
	}
}

size_t explain_find(const struct vmx_cpu *cpu, const struct tinyvmx_vmcs_field *fields, size_t n,
		    struct explain_finding *findings, size_t max, struct explain_gaps *gaps)
{
	struct collector c = { .findings = findings, .max = max };
	struct dump d = {
		.fields = fields,
		.n = n,
		.cpu = cpu,
		.blanked = vmx_dump_is_blanked(fields, n),
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		ask_all(&c, &d, tables[i]);
	find_unseen(&c.gaps, &d);
	if (gaps)
		*gaps = c.gaps;
	return c.count;
}

bool explain_has_gaps(const struct explain_gaps *gaps)
{
	return gaps->blanked || gaps->missing || gaps->unknown || gaps->nr_unseen;
}

void explain_each_rule(void (*each)(const struct explain_rule *rule, void *context), void *context)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (size_t j = 0; j < tables[i]->count; j++) {
			const struct rule *rule = &tables[i]->rule[j];
			const struct explain_rule fact = {
				.id = rule->id,
				.section = rule->section,
				.rule = rule->rule,
				.mend = rule->mend,
				.field = rule->field,
				.instances = rule->segs ? __builtin_popcount(rule->segs) : 1,
			};

			each(&fact, context);
		}
	}
}
