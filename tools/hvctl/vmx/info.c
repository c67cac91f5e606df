// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU's VMX can do: each fact is stated once, and goes to a text or into
 * a JSON tree.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "info.h"
#include "names.h"

/* Where facts go: lines of text, or members of the current JSON object */
struct sink {
	FILE *text;		/* NULL: JSON */
	json_t *root;
	json_t *here;
};

/* --- the kinds of facts --- */

/* Begin a group of facts: a headline, or an object within the root. */
static void __attribute__((format(printf, 3, 4)))
group(struct sink *s, const char *key, const char *format, ...)
{
	va_list args;

	if (!s->text) {
		s->here = json_object();
		json_object_set_new(s->root, key, s->here);
		return;
	}
	va_start(args, format);
	fputc('\n', s->text);
	vfprintf(s->text, format, args);
	fputc('\n', s->text);
	va_end(args);
}

static void fact_number(struct sink *s, const char *key, const char *label, uint64_t value,
			const char *unit)
{
	if (s->text)
		fprintf(s->text, "  %s: %" PRIu64 "%s%s\n", label, value, unit[0] ? " " : "", unit);
	else
		json_object_set_new(s->here, key, json_integer((json_int_t)value));
}

static void fact_hex(struct sink *s, const char *key, const char *label, uint64_t value)
{
	if (s->text)
		fprintf(s->text, "  %s: 0x%" PRIx64 "\n", label, value);
	else
		json_object_set_new(s->here, key, json_sprintf("0x%" PRIx64, value));
}

static void fact_string(struct sink *s, const char *key, const char *label, const char *value)
{
	if (s->text)
		fprintf(s->text, "  %s: %s\n", label, value);
	else
		json_object_set_new(s->here, key, json_string(value));
}

/* A bit that says yes or no. */
static void fact_flags(struct sink *s, const struct vmx_bits *bits, uint64_t value)
{
	for (size_t i = 0; i < bits->count; i++) {
		const struct vmx_bit *b = &bits->bit[i];
		bool set = value >> b->bit & 1;

		if (s->text)
			fprintf(s->text, "  bit %2u  %-3s  %s\n", b->bit, set ? "yes" : "no",
				b->name);
		else
			json_object_set_new(s->here, b->name, json_boolean(set));
	}
}

/* A bit that something may be set to. */
static void fact_setting(struct sink *s, json_t *rows, unsigned int bit, const char *name,
			 const char *setting, bool default_1)
{
	if (s->text) {
		fprintf(s->text, "  bit %2u  %-7s  %s%s\n", bit, setting,
			name ? name : "(no name known here)", default_1 ? " (default 1)" : "");
		return;
	}
	json_array_append_new(rows, json_pack("{s:i, s:s?, s:s, s:b}", "bit", (int)bit, "name",
					      name, "setting", setting, "default_1", default_1));
}

/* All bits with a name, and what can be set without having one */
static void fact_settings(struct sink *s, const struct vmx_bits *names,
			  const struct vmx_limits *limits)
{
	uint64_t nameless = limits->may_be_1 & ~limits->must_be_1;
	json_t *rows = s->text ? NULL : json_array();

	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = vmx_bit_name(names, bit);

		if (name || nameless >> bit & 1)
			fact_setting(s, rows, bit, name, vmx_setting_name(limits, bit),
				     limits->default_1 >> bit & 1);
	}
	if (!s->text)
		json_object_set_new(s->here, "bits", rows);
}

/* The reserved bits that must be 1; all other reserved ones must be 0. */
static void fact_reserved(struct sink *s, const struct vmx_bits *names,
			  const struct vmx_limits *limits)
{
	json_t *rows = s->text ? NULL : json_array();
	unsigned int n = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		if (!(limits->must_be_1 >> bit & 1) || vmx_bit_name(names, bit))
			continue;
		if (s->text)
			fprintf(s->text, "%s %u", n++ ? "" : "  reserved, fixed 1: bits", bit);
		else
			json_array_append_new(rows, json_integer(bit));
	}
	if (n)
		fputc('\n', s->text);
	if (!s->text)
		json_object_set_new(s->here, "reserved_fixed_1", rows);
}

/* --- the registers --- */

static void tell_source(struct sink *s, const struct vmx_info *info)
{
	if (s->text)
		fprintf(s->text, "VMX capabilities as read from %s\n", info->source);
	else
		json_object_set_new(s->root, "source", json_string(info->source));
}

static void tell_cpu(struct sink *s, const struct vmx_info *info)
{
	group(s, "cpu", "CPU");
	fact_number(s, "physical_bits", "physical-address width", info->cpu.phys_bits, "bits");
	fact_number(s, "linear_bits", "linear-address width", info->cpu.linear_bits, "bits");
}

static void tell_basic(struct sink *s, const struct vmx_info *info)
{
	uint64_t v;

	if (!vmx_cpu_msr(&info->cpu, MSR_VMX_BASIC, &v))
		return;
	group(s, "basic", "VMCS: IA32_VMX_BASIC (480H) = 0x%" PRIx64, v);
	fact_hex(s, "revision", "revision identifier", v & 0x7fffffff);
	fact_number(s, "vmcs_bytes", "size of a VMCS region", v >> 32 & 0x1fff, "bytes");
	fact_string(s, "memory_type", "memory type", vmx_memory_type_name(v >> 50 & 0xf));
	fact_flags(s, &vmx_basic_bits, v);
	if (vmx_cpu_msr(&info->cpu, MSR_VMX_VMCS_ENUM, &v))
		fact_number(s, "highest_index", "highest index of a VMCS field", v >> 1 & 0x1ff,
			    "");
}

/* The MSR that counts: the true one where the CPU has it */
static uint32_t word_msr(const struct vmx_cpu *cpu, const struct vmx_word *word)
{
	uint64_t basic, value;

	if (word->true_msr && vmx_cpu_msr(cpu, MSR_VMX_BASIC, &basic) && basic >> 55 & 1 &&
	    vmx_cpu_msr(cpu, word->true_msr, &value))
		return word->true_msr;
	return word->msr;
}

static void tell_word(struct sink *s, const struct vmx_info *info, const struct vmx_word *word)
{
	uint32_t msr = word_msr(&info->cpu, word);
	const char *msr_name = vmx_msr_name(msr - TINYVMX_VMX_MSR_BASE);
	struct vmx_limits limits;
	uint64_t value;

	if (!vmx_word_limits(&info->cpu, word, &limits))
		return;
	vmx_cpu_msr(&info->cpu, msr, &value);
	group(s, word->key, "%s: %s (%XH) = 0x%" PRIx64, word->name, msr_name, msr, value);
	if (!s->text) {
		fact_string(s, "name", "", word->name);
		fact_string(s, "msr", "", msr_name);
	}
	fact_settings(s, &word->bits, &limits);
	fact_reserved(s, &word->bits, &limits);
}

static void tell_fixed(struct sink *s, const struct vmx_info *info, const char *key, uint32_t msr0,
		       const struct vmx_bits *names)
{
	struct vmx_limits limits = { 0 };

	if (!vmx_cpu_msr(&info->cpu, msr0, &limits.must_be_1) ||
	    !vmx_cpu_msr(&info->cpu, msr0 + 1, &limits.may_be_1))
		return;
	group(s, key,
	      "%s in VMX operation: FIXED0 (%XH) = 0x%" PRIx64 ", FIXED1 (%XH) = 0x%" PRIx64, key,
	      msr0, limits.must_be_1, msr0 + 1, limits.may_be_1);
	/* CR0_FIXED1 lets all reserved bits through: no news to anyone. */
	limits.may_be_1 &= limits.must_be_1 | (names == &vmx_cr0_bits ? 0xe005003fULL : UINT64_MAX);
	fact_settings(s, names, &limits);
}

static void tell_misc(struct sink *s, const struct vmx_info *info)
{
	uint64_t v;

	if (!vmx_cpu_msr(&info->cpu, MSR_VMX_MISC, &v))
		return;
	group(s, "misc", "miscellaneous: IA32_VMX_MISC (485H) = 0x%" PRIx64, v);
	fact_number(s, "preemption_timer_ticks", "VMX-preemption timer counts down once in",
		    1ULL << (v & 0x1f), "TSC ticks");
	fact_number(s, "cr3_targets", "CR3-target values", v >> 16 & 0x1ff, "");
	fact_number(s, "max_msr_list", "recommended maximum of an MSR list",
		    512 * ((v >> 25 & 7) + 1), "entries");
	fact_hex(s, "mseg_revision", "MSEG revision identifier", v >> 32);
	fact_flags(s, &vmx_misc_bits, v);
}

static void tell_ept_vpid(struct sink *s, const struct vmx_info *info)
{
	uint64_t v;

	if (!vmx_cpu_msr(&info->cpu, MSR_VMX_EPT_VPID, &v))
		return;
	group(s, "ept_vpid", "EPT and VPID: IA32_VMX_EPT_VPID_CAP (48CH) = 0x%" PRIx64, v);
	fact_flags(s, &vmx_ept_vpid_bits, v);
	fact_number(s, "max_hlat_prefix", "longest HLAT prefix", v >> 48 & 0x3f, "bits");
}

static void tell_vm_functions(struct sink *s, const struct vmx_info *info)
{
	uint64_t v;

	if (!vmx_cpu_msr(&info->cpu, MSR_VMX_VMFUNC, &v))
		return;
	group(s, "vm_functions", "VM functions: IA32_VMX_VMFUNC (491H) = 0x%" PRIx64, v);
	fact_flags(s, &vmx_vmfunc_bits, v);
}

static void tell_feature_control(struct sink *s, const struct vmx_info *info)
{
	uint64_t v = info->feature_control;

	if (!info->has_feature_control)
		return;
	group(s, "feature_control", "firmware's choice: IA32_FEATURE_CONTROL (3AH) = 0x%" PRIx64,
	      v);
	fact_flags(s, &vmx_feature_control_bits, v);
}

static void tell_module(struct sink *s, const struct vmx_info *info)
{
	const struct tinyvmx_info *m = &info->module;

	if (!info->has_module)
		return;
	group(s, "module", "the module");
	fact_number(s, "abi_version", "ABI version", m->abi_version, "");
	fact_number(s, "max_vcpus", "virtual CPUs a VM", m->max_vcpus, "");
	fact_number(s, "max_slots", "memory slots a VM", m->max_slots, "");
	fact_number(s, "max_cpuid_entries", "CPUID entries a vCPU", m->max_cpuid_entries, "");
	fact_number(s, "max_msr_entries", "MSRs a list", m->max_msr_entries, "");
	fact_number(s, "max_eventfds", "eventfds a VM, each way", m->max_eventfds, "");
	fact_number(s, "run_bytes", "run page", m->run_bytes, "bytes");
	fact_number(s, "gpa_bits", "guest-physical address width", m->gpa_bits, "bits");
	fact_number(s, "xsave_bytes", "XSAVE image", m->xsave_bytes, "bytes");
	fact_number(s, "tsc_khz", "TSC of the host", m->tsc_khz, "kHz (0: not known)");
	fact_hex(s, "xcr0_mask", "XCR0 bits a guest can have", m->xcr0_mask);
	fact_hex(s, "cr0_mask", "CR0 bits a guest can have", m->cr0_mask);
	fact_hex(s, "cr4_mask", "CR4 bits a guest can have", m->cr4_mask);
	fact_hex(s, "efer_mask", "IA32_EFER bits a guest can have", m->efer_mask);
	fact_hex(s, "capabilities", "capability bits", m->capabilities);
	fact_flags(s, &tinyvmx_cap_bits, m->capabilities);
}

/* The MSRs as they were read, for programs only: the text has them in headlines. */
static void tell_msrs(struct sink *s, const struct vmx_info *info)
{
	if (s->text)
		return;
	group(s, "msrs", "MSRs");
	for (unsigned int i = 0; i < TINYVMX_VMX_MSR_COUNT; i++)
		if (info->cpu.msr_valid >> i & 1)
			fact_hex(s, vmx_msr_name(i), "", info->cpu.msr[i]);
}

static void tell_all(struct sink *s, const struct vmx_info *info)
{
	tell_source(s, info);
	tell_module(s, info);
	tell_cpu(s, info);
	tell_feature_control(s, info);
	tell_basic(s, info);
	for (size_t i = 0; i < VMX_NR_WORDS; i++)
		tell_word(s, info, &vmx_words[i]);
	tell_fixed(s, info, "CR0", MSR_VMX_CR0_FIXED0, &vmx_cr0_bits);
	tell_fixed(s, info, "CR4", MSR_VMX_CR4_FIXED0, &vmx_cr4_bits);
	tell_misc(s, info);
	tell_ept_vpid(s, info);
	tell_vm_functions(s, info);
	tell_msrs(s, info);
}

void vmx_info_print(const struct vmx_info *info, FILE *out)
{
	struct sink s = { .text = out };

	tell_all(&s, info);
}

json_t *vmx_info_json(const struct vmx_info *info)
{
	struct sink s = { .root = json_object() };

	tell_all(&s, info);
	return s.root;
}
