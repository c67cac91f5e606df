// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the rows of the VM-entry checks read a VMCS dump.
 */
#include "lib/x86.h"
#include "rules.h"
#include "vmx/bits.h"

const char *const explain_seg_names[TINYVMX_NR_SEG] = {
	"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR",
};

static bool dump_get(const struct dump *d, uint32_t encoding, uint64_t *value)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->fields[i].encoding != encoding)
			continue;
		*value = d->fields[i].value;
		return true;
	}
	return false;
}

uint64_t probe_get(struct probe *p, uint32_t encoding)
{
	const struct dump *d = p->dump;
	uint64_t value;

	if (!dump_get(d, encoding, &value)) {
		p->missing = true;
		return 0;
	}
	if (d->blanked && !value && vmx_field_is_host(encoding))
		p->blanked = true;
	return value;
}

bool probe_knows_msr(const struct probe *p, uint32_t msr, uint64_t *value)
{
	*value = 0;
	return p->dump->cpu && vmx_cpu_msr(p->dump->cpu, msr, value);
}

uint64_t probe_msr(struct probe *p, uint32_t msr)
{
	uint64_t value;

	if (!probe_knows_msr(p, msr, &value))
		p->unknown = true;
	return value;
}

const struct vmx_cpu *probe_cpu(struct probe *p)
{
	if (!p->dump->cpu)
		p->unknown = true;
	return p->dump->cpu;
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

bool exit2_on(struct probe *p, unsigned int bit)
{
	return exit_on(p, EXIT_SECONDARY) && bit_of(p, VMCS_EXIT2_CTLS, bit);
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

uint64_t guest_ar(struct probe *p, unsigned int seg)
{
	return probe_get(p, VMCS_GUEST_ES_AR + 2 * seg);
}

unsigned int guest_cpl(struct probe *p)
{
	return AR_DPL(guest_ar(p, TINYVMX_SS));
}

bool ia32e_or_real_mode(struct probe *p)
{
	return ia32e_on(p) || !(probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PE);
}

bool guest_64_bit(struct probe *p)
{
	return ia32e_on(p) && guest_ar(p, TINYVMX_CS) & TINYVMX_AR_L;
}

bool guest_fred(struct probe *p)
{
	return ia32e_on(p) && probe_get(p, VMCS_GUEST_CR4) & X86_CR4_FRED;
}

bool guest_fred_user(struct probe *p)
{
	return guest_fred(p) && guest_cpl(p) == 3;
}

bool loads_guest_cet(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_CET);
}
