// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the rows of the VM-entry checks read a VMCS dump.
 */
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "rules.h"

const char *const explain_seg_names[TINYVMX_NR_SEG] = {
	"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR",
};

/*
 * What the ABI blanks for callers without CAP_SYS_ADMIN: the host-state area and
 * the addresses of control structures.
 */
static bool holds_host_address(uint32_t encoding)
{
	static const uint32_t controls[] = {
		VMCS_IO_BITMAP_A,
		VMCS_IO_BITMAP_B,
		VMCS_MSR_BITMAP,
		VMCS_EXIT_MSR_STORE_ADDR,
		VMCS_EXIT_MSR_LOAD_ADDR,
		VMCS_ENTRY_MSR_LOAD_ADDR,
		VMCS_EXECUTIVE_VMCS,
		VMCS_PML_ADDR,
		VMCS_VIRTUAL_APIC_ADDR,
		VMCS_APIC_ACCESS_ADDR,
		VMCS_POSTED_INTR_DESC_ADDR,
		VMCS_EPTP,
		VMCS_EPTP_LIST_ADDR,
		VMCS_VMREAD_BITMAP,
		VMCS_VMWRITE_BITMAP,
		VMCS_VE_INFO_ADDR,
		VMCS_SPPTP,
		VMCS_LOW_PASID_DIR,
		VMCS_HIGH_PASID_DIR,
		VMCS_HLATP,
		VMCS_PID_POINTER_TABLE,
	};

	if ((encoding >> 10 & 3) == 3)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i] == encoding)
			return true;
	return false;
}

uint64_t probe_get(struct probe *p, uint32_t encoding)
{
	const struct dump *d = p->dump;
	size_t i;

	for (i = 0; i < d->n && d->fields[i].encoding != encoding; i++)
		;
	if (i == d->n) {
		p->missing = true;
		return 0;
	}
	if (d->blanked && !d->fields[i].value && holds_host_address(encoding))
		p->blanked = true;
	return d->fields[i].value;
}

uint64_t probe_msr(struct probe *p, uint32_t msr)
{
	uint64_t value = 0;

	if (!p->dump->cpu || !vmx_cpu_msr(p->dump->cpu, msr, &value))
		p->unknown = true;
	return value;
}

static bool bit_of(struct probe *p, uint32_t encoding, unsigned int bit)
{
	return probe_get(p, encoding) >> bit & 1;
}

bool pin_on(struct probe *p, unsigned int bit)
{
	return bit_of(p, VMCS_PIN_CTLS, bit);
}

bool proc_on(struct probe *p, unsigned int bit)
{
	return bit_of(p, VMCS_PROC_CTLS, bit);
}

bool proc2_active(struct probe *p)
{
	return proc_on(p, PROC_SECONDARY);
}

bool proc3_active(struct probe *p)
{
	return proc_on(p, PROC_TERTIARY);
}

bool proc2_on(struct probe *p, unsigned int bit)
{
	return proc2_active(p) && bit_of(p, VMCS_PROC2_CTLS, bit);
}

bool proc3_on(struct probe *p, unsigned int bit)
{
	return proc3_active(p) && bit_of(p, VMCS_PROC3_CTLS, bit);
}

bool exit_on(struct probe *p, unsigned int bit)
{
	return bit_of(p, VMCS_EXIT_CTLS, bit);
}

bool entry_on(struct probe *p, unsigned int bit)
{
	return bit_of(p, VMCS_ENTRY_CTLS, bit);
}

bool ept_on(struct probe *p)
{
	return proc2_on(p, PROC2_EPT);
}

bool unrestricted_on(struct probe *p)
{
	return proc2_on(p, PROC2_UNRESTRICTED);
}

bool ia32e_on(struct probe *p)
{
	return entry_on(p, ENTRY_IA32E);
}

bool injects_event(struct probe *p)
{
	return bit_of(p, VMCS_ENTRY_INTR_INFO, 31);
}

unsigned int injected_type(struct probe *p)
{
	return probe_get(p, VMCS_ENTRY_INTR_INFO) >> 8 & 7;
}

unsigned int injected_vector(struct probe *p)
{
	return probe_get(p, VMCS_ENTRY_INTR_INFO) & 0xff;
}

bool bad_combination(struct probe *p)
{
	(void)p;
	return true;
}

bool bad_ones(struct probe *p)
{
	return p->value & p->rule->arg;
}

bool bad_zeros(struct probe *p)
{
	return ~p->value & p->rule->arg;
}

bool bad_null(struct probe *p)
{
	return !p->value;
}

/* Whether all bits from @low up are the same. */
static bool same_from(uint64_t value, unsigned int low)
{
	int64_t top = (int64_t)value >> low;

	return top == 0 || top == -1;
}

/*
 * Both widths that exist are tried where the CPU's is not known: between them
 * the answer is open.
 */
static bool wider_than(struct probe *p, unsigned int less)
{
	unsigned int width = p->dump->cpu ? p->dump->cpu->linear_bits : 0;

	if (width)
		return !same_from(p->value, width - less);
	if (!same_from(p->value, 57 - less))
		return true;
	p->unknown = !same_from(p->value, 48 - less);
	return p->unknown;
}

bool bad_canonical(struct probe *p)
{
	return wider_than(p, 1);
}

bool bad_linear(struct probe *p)
{
	return wider_than(p, 0);
}

bool bad_phys(struct probe *p)
{
	unsigned int width = p->dump->cpu ? p->dump->cpu->phys_bits : 0;

	return p->value >> (width ? width : 52);
}

bool bad_address(struct probe *p)
{
	return bad_ones(p) || bad_phys(p);
}

bool bad_pat(struct probe *p)
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int type = p->value >> (8 * i) & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

/* ENDBR suppression and tracking state cannot be on together. */
bool bad_s_cet(struct probe *p)
{
	return p->value & 0x3c0 || (p->value & 0xc00) == 0xc00 || bad_canonical(p);
}

/* Append to the detail: which bits are wrong, by name where they have one. */
static void tell_bits(struct probe *p, const struct vmx_bits *names, uint64_t bits, int must_be)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = vmx_bit_name(names, bit);
		size_t used = strlen(p->detail);

		if (!(bits >> bit & 1))
			continue;
		snprintf(p->detail + used, sizeof(p->detail) - used, "%sbit %u%s%s%s must be %d",
			 used ? ", " : "", bit, name ? " (" : "", name ? name : "", name ? ")" : "",
			 must_be);
	}
}

bool bad_fixed(struct probe *p, const struct vmx_bits *names, uint64_t fixed0, uint64_t fixed1)
{
	tell_bits(p, names, fixed0 & ~p->value, 1);
	tell_bits(p, names, p->value & ~fixed1, 0);
	return p->detail[0];
}

bool bad_word(struct probe *p)
{
	const struct vmx_word *word = &vmx_words[p->rule->arg];
	struct vmx_limits limits;

	if (!p->dump->cpu || !vmx_word_limits(p->dump->cpu, word, &limits)) {
		p->unknown = true;
		return true;
	}
	return bad_fixed(p, &word->bits, limits.must_be_1, limits.may_be_1);
}
