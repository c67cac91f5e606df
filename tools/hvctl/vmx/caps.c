// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX capability MSRs as tables, and what they allow.
 */
#include <string.h>

#include "caps.h"
#include "lib/util.h"
#include "names.h"

#define BITS(table)	{ (table), ARRAY_SIZE(table) }

static const struct vmx_bit pin_bits[] = {
	{ 0, "external-interrupt exiting" },
	{ 3, "NMI exiting" },
	{ 5, "virtual NMIs" },
	{ 6, "activate VMX-preemption timer" },
	{ 7, "process posted interrupts" },
};

static const struct vmx_bit proc_bits[] = {
	{ 2, "interrupt-window exiting" },
	{ 3, "use TSC offsetting" },
	{ 7, "HLT exiting" },
	{ 9, "INVLPG exiting" },
	{ 10, "MWAIT exiting" },
	{ 11, "RDPMC exiting" },
	{ 12, "RDTSC exiting" },
	{ 15, "CR3-load exiting" },
	{ 16, "CR3-store exiting" },
	{ 17, "activate tertiary controls" },
	{ 19, "CR8-load exiting" },
	{ 20, "CR8-store exiting" },
	{ 21, "use TPR shadow" },
	{ 22, "NMI-window exiting" },
	{ 23, "MOV-DR exiting" },
	{ 24, "unconditional I/O exiting" },
	{ 25, "use I/O bitmaps" },
	{ 27, "monitor trap flag" },
	{ 28, "use MSR bitmaps" },
	{ 29, "MONITOR exiting" },
	{ 30, "PAUSE exiting" },
	{ 31, "activate secondary controls" },
};

static const struct vmx_bit proc2_bits[] = {
	{ 0, "virtualize APIC accesses" },
	{ 1, "enable EPT" },
	{ 2, "descriptor-table exiting" },
	{ 3, "enable RDTSCP" },
	{ 4, "virtualize x2APIC mode" },
	{ 5, "enable VPID" },
	{ 6, "WBINVD exiting" },
	{ 7, "unrestricted guest" },
	{ 8, "APIC-register virtualization" },
	{ 9, "virtual-interrupt delivery" },
	{ 10, "PAUSE-loop exiting" },
	{ 11, "RDRAND exiting" },
	{ 12, "enable INVPCID" },
	{ 13, "enable VM functions" },
	{ 14, "VMCS shadowing" },
	{ 15, "enable ENCLS exiting" },
	{ 16, "RDSEED exiting" },
	{ 17, "enable PML" },
	{ 18, "EPT-violation #VE" },
	{ 19, "conceal VMX from PT" },
	{ 20, "enable XSAVES/XRSTORS" },
	{ 21, "PASID translation" },
	{ 22, "mode-based execute control for EPT" },
	{ 23, "sub-page write permissions for EPT" },
	{ 24, "Intel PT uses guest physical addresses" },
	{ 25, "use TSC scaling" },
	{ 26, "enable user wait and pause" },
	{ 27, "enable PCONFIG" },
	{ 28, "enable ENCLV exiting" },
	{ 30, "VMM bus-lock detection" },
	{ 31, "instruction timeout" },
};

static const struct vmx_bit proc3_bits[] = {
	{ 0, "LOADIWKEY exiting" },
	{ 1, "enable HLAT" },
	{ 2, "EPT paging-write control" },
	{ 3, "guest-paging verification" },
	{ 4, "IPI virtualization" },
	{ 5, "SEAM guest-physical address width" },
	{ 6, "enable MSR-list instructions" },
	{ 7, "virtualize IA32_SPEC_CTRL" },
	{ 8, "APIC-timer virtualization" },
};

static const struct vmx_bit exit_bits[] = {
	{ 2, "save debug controls" },
	{ 9, "host address-space size" },
	{ 12, "load IA32_PERF_GLOBAL_CTRL" },
	{ 15, "acknowledge interrupt on exit" },
	{ 18, "save IA32_PAT" },
	{ 19, "load IA32_PAT" },
	{ 20, "save IA32_EFER" },
	{ 21, "load IA32_EFER" },
	{ 22, "save VMX-preemption timer value" },
	{ 23, "clear IA32_BNDCFGS" },
	{ 24, "conceal VMX from PT" },
	{ 25, "clear IA32_RTIT_CTL" },
	{ 26, "clear IA32_LBR_CTL" },
	{ 27, "clear UINV" },
	{ 28, "load CET state" },
	{ 29, "load PKRS" },
	{ 30, "save IA32_PERF_GLOBAL_CTRL" },
	{ 31, "activate secondary controls" },
};

static const struct vmx_bit exit2_bits[] = {
	{ 0, "save FRED" },
	{ 1, "load FRED" },
	{ 2, "load host IA32_SPEC_CTRL" },
	{ 3, "prematurely busy shadow stack" },
};

static const struct vmx_bit entry_bits[] = {
	{ 2, "load debug controls" },
	{ 9, "IA-32e mode guest" },
	{ 10, "entry to SMM" },
	{ 11, "deactivate dual-monitor treatment" },
	{ 13, "load IA32_PERF_GLOBAL_CTRL" },
	{ 14, "load IA32_PAT" },
	{ 15, "load IA32_EFER" },
	{ 16, "load IA32_BNDCFGS" },
	{ 17, "conceal VMX from PT" },
	{ 18, "load IA32_RTIT_CTL" },
	{ 19, "load UINV" },
	{ 20, "load CET state" },
	{ 21, "load guest IA32_LBR_CTL" },
	{ 22, "load PKRS" },
	{ 23, "load FRED" },
	{ 24, "load guest IA32_SPEC_CTRL" },
};

const struct vmx_word vmx_words[VMX_NR_WORDS] = {
	[VMX_WORD_PIN] = {
		"pin", "pin-based VM-execution controls",
		"IA32_VMX_PINBASED_CTLS", VMCS_PIN_CTLS,
		MSR_VMX_PIN, MSR_VMX_TRUE_PIN, false, BITS(pin_bits),
	},
	[VMX_WORD_PROC] = {
		"proc", "primary processor-based VM-execution controls",
		"IA32_VMX_PROCBASED_CTLS", VMCS_PROC_CTLS,
		MSR_VMX_PROC, MSR_VMX_TRUE_PROC, false, BITS(proc_bits),
	},
	[VMX_WORD_PROC2] = {
		"proc2", "secondary processor-based VM-execution controls",
		"IA32_VMX_PROCBASED_CTLS2", VMCS_PROC2_CTLS,
		MSR_VMX_PROC2, 0, false, BITS(proc2_bits),
	},
	[VMX_WORD_PROC3] = {
		"proc3", "tertiary processor-based VM-execution controls",
		"IA32_VMX_PROCBASED_CTLS3", VMCS_PROC3_CTLS,
		MSR_VMX_PROC3, 0, true, BITS(proc3_bits),
	},
	[VMX_WORD_EXIT] = {
		"exit", "primary VM-exit controls",
		"IA32_VMX_EXIT_CTLS", VMCS_EXIT_CTLS,
		MSR_VMX_EXIT, MSR_VMX_TRUE_EXIT, false, BITS(exit_bits),
	},
	[VMX_WORD_EXIT2] = {
		"exit2", "secondary VM-exit controls",
		"IA32_VMX_EXIT_CTLS2", VMCS_EXIT2_CTLS,
		MSR_VMX_EXIT2, 0, true, BITS(exit2_bits),
	},
	[VMX_WORD_ENTRY] = {
		"entry", "VM-entry controls",
		"IA32_VMX_ENTRY_CTLS", VMCS_ENTRY_CTLS,
		MSR_VMX_ENTRY, MSR_VMX_TRUE_ENTRY, false, BITS(entry_bits),
	},
};

static const struct vmx_bit cr0_bits[] = {
	{ 0, "PE" }, { 1, "MP" }, { 2, "EM" }, { 3, "TS" }, { 4, "ET" },
	{ 5, "NE" }, { 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" },
	{ 31, "PG" },
};

static const struct vmx_bit cr4_bits[] = {
	{ 0, "VME" }, { 1, "PVI" }, { 2, "TSD" }, { 3, "DE" }, { 4, "PSE" },
	{ 5, "PAE" }, { 6, "MCE" }, { 7, "PGE" }, { 8, "PCE" },
	{ 9, "OSFXSR" }, { 10, "OSXMMEXCPT" }, { 11, "UMIP" }, { 12, "LA57" },
	{ 13, "VMXE" }, { 14, "SMXE" }, { 16, "FSGSBASE" }, { 17, "PCIDE" },
	{ 18, "OSXSAVE" }, { 19, "KL" }, { 20, "SMEP" }, { 21, "SMAP" },
	{ 22, "PKE" }, { 23, "CET" }, { 24, "PKS" }, { 25, "UINTR" },
	{ 27, "LASS" }, { 28, "LAM_SUP" }, { 32, "FRED" },
};

static const struct vmx_bit basic_bits[] = {
	{ 48, "addresses of VMX structures limited to 32 bits" },
	{ 49, "dual-monitor treatment of SMIs and SMM" },
	{ 54, "instruction information on exits of INS and OUTS" },
	{ 55, "true controls (default-1 bits may be cleared)" },
	{ 56, "any exception may be injected with or without an error code" },
	{ 58, "nested exceptions are told, and can be injected" },
};

static const struct vmx_bit misc_bits[] = {
	{ 5, "VM exits store IA32_EFER.LMA into \"IA-32e mode guest\"" },
	{ 6, "activity state HLT" },
	{ 7, "activity state shutdown" },
	{ 8, "activity state wait-for-SIPI" },
	{ 14, "Intel PT in VMX operation" },
	{ 15, "RDMSR of IA32_SMBASE in SMM" },
	{ 28, "IA32_SMM_MONITOR_CTL[2] may be set" },
	{ 29, "VMWRITE to any field" },
	{ 30, "injection of software events with instruction length 0" },
};

static const struct vmx_bit ept_vpid_bits[] = {
	{ 0, "execute-only EPT translations" },
	{ 6, "EPT page-walk length 4" },
	{ 7, "EPT page-walk length 5" },
	{ 8, "EPT paging structures uncacheable (UC)" },
	{ 14, "EPT paging structures write-back (WB)" },
	{ 16, "EPT 2-MByte pages" },
	{ 17, "EPT 1-GByte pages" },
	{ 20, "INVEPT" },
	{ 21, "EPT accessed and dirty flags" },
	{ 22, "advanced VM-exit information for EPT violations" },
	{ 23, "EPT supervisor shadow-stack control" },
	{ 25, "INVEPT single-context" },
	{ 26, "INVEPT all-context" },
	{ 32, "INVVPID" },
	{ 40, "INVVPID individual-address" },
	{ 41, "INVVPID single-context" },
	{ 42, "INVVPID all-context" },
	{ 43, "INVVPID single-context, retaining globals" },
};

static const struct vmx_bit vmfunc_bits[] = {
	{ 0, "EPTP switching" },
};

static const struct vmx_bit feature_control_bits[] = {
	{ 0, "locked" },
	{ 1, "VMX inside SMX" },
	{ 2, "VMX outside SMX" },
	{ 15, "SENTER" },
	{ 17, "SGX launch control" },
	{ 18, "SGX" },
	{ 20, "LMCE" },
};

static const struct vmx_bit cap_bits[] = {
	{ 0, "VPID" },
	{ 1, "EPT 2-MByte pages" },
	{ 2, "EPT 1-GByte pages" },
	{ 3, "EPT accessed and dirty flags" },
	{ 4, "VMX-preemption timer" },
	{ 5, "TPR shadow" },
	{ 6, "APICv in use" },
	{ 7, "posted interrupts" },
	{ 8, "XSAVE state beyond SSE" },
	{ 9, "RDTSCP" },
	{ 10, "INVPCID" },
	{ 11, "speculation control: IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_ARCH_CAPABILITIES" },
	{ 12, "VMX root of its own" },
	{ 13, "KVM's VMX root shared" },
	{ 14, "VMX root in sections" },
	{ 15, "x87 errors with CR0.NE = 0, as FERR#" },
	{ 16, "single step for debuggers (monitor trap flag)" },
	{ 17, "lab mode: VM entries with any VMCS fields" },
	{ 18, "memory that guests execute and cannot read" },
};

const struct vmx_bits vmx_cr0_bits = BITS(cr0_bits);
const struct vmx_bits vmx_cr4_bits = BITS(cr4_bits);
const struct vmx_bits vmx_basic_bits = BITS(basic_bits);
const struct vmx_bits vmx_misc_bits = BITS(misc_bits);
const struct vmx_bits vmx_ept_vpid_bits = BITS(ept_vpid_bits);
const struct vmx_bits vmx_vmfunc_bits = BITS(vmfunc_bits);
const struct vmx_bits vmx_feature_control_bits = BITS(feature_control_bits);
const struct vmx_bits tinyvmx_cap_bits = BITS(cap_bits);

void vmx_cpu_from_info(struct vmx_cpu *cpu, const struct tinyvmx_info *info)
{
	memset(cpu, 0, sizeof(*cpu));
	vmx_cpu_probe(cpu);
	cpu->msr_valid = info->vmx_msr_valid;
	memcpy(cpu->msr, info->vmx_msrs, sizeof(cpu->msr));
}

bool vmx_cpu_msr(const struct vmx_cpu *cpu, uint32_t msr, uint64_t *value)
{
	uint32_t n = msr - TINYVMX_VMX_MSR_BASE;
	bool known = n < TINYVMX_VMX_MSR_COUNT && cpu->msr_valid >> n & 1;

	*value = known ? cpu->msr[n] : 0;
	return known;
}

static bool has_true_msrs(const struct vmx_cpu *cpu)
{
	uint64_t basic;

	return vmx_cpu_msr(cpu, MSR_VMX_BASIC, &basic) && basic >> 55 & 1;
}

bool vmx_word_limits(const struct vmx_cpu *cpu, const struct vmx_word *word,
		     struct vmx_limits *limits)
{
	uint64_t old, value;

	memset(limits, 0, sizeof(*limits));
	if (!vmx_cpu_msr(cpu, word->msr, &old))
		return false;
	if (word->allowed1_only) {
		limits->may_be_1 = old;
		return true;
	}
	if (!word->true_msr || !has_true_msrs(cpu) || !vmx_cpu_msr(cpu, word->true_msr, &value))
		value = old;
	limits->must_be_1 = value & 0xffffffff;
	limits->may_be_1 = value >> 32;
	limits->default_1 = old & ~value & 0xffffffff;
	return true;
}

const char *vmx_setting_name(const struct vmx_limits *limits, unsigned int bit)
{
	if (limits->must_be_1 >> bit & 1)
		return "fixed 1";
	return limits->may_be_1 >> bit & 1 ? "free" : "fixed 0";
}

const char *vmx_bit_name(const struct vmx_bits *bits, unsigned int bit)
{
	for (size_t i = 0; i < bits->count; i++)
		if (bits->bit[i].bit == bit)
			return bits->bit[i].name;
	return NULL;
}

const char *vmx_msr_name(unsigned int index)
{
	static const char *const names[TINYVMX_VMX_MSR_COUNT] = {
		"IA32_VMX_BASIC",
		"IA32_VMX_PINBASED_CTLS",
		"IA32_VMX_PROCBASED_CTLS",
		"IA32_VMX_EXIT_CTLS",
		"IA32_VMX_ENTRY_CTLS",
		"IA32_VMX_MISC",
		"IA32_VMX_CR0_FIXED0",
		"IA32_VMX_CR0_FIXED1",
		"IA32_VMX_CR4_FIXED0",
		"IA32_VMX_CR4_FIXED1",
		"IA32_VMX_VMCS_ENUM",
		"IA32_VMX_PROCBASED_CTLS2",
		"IA32_VMX_EPT_VPID_CAP",
		"IA32_VMX_TRUE_PINBASED_CTLS",
		"IA32_VMX_TRUE_PROCBASED_CTLS",
		"IA32_VMX_TRUE_EXIT_CTLS",
		"IA32_VMX_TRUE_ENTRY_CTLS",
		"IA32_VMX_VMFUNC",
		"IA32_VMX_PROCBASED_CTLS3",
		"IA32_VMX_EXIT_CTLS2",
	};

	return index < ARRAY_SIZE(names) ? names[index] : "unknown MSR";
}

const char *vmx_memory_type_name(unsigned int type)
{
	static const char *const names[] = {
		[0] = "uncacheable (UC)",   [1] = "write-combining (WC)",
		[4] = "write-through (WT)", [5] = "write-protected (WP)",
		[6] = "write-back (WB)",    [7] = "uncached (UC-)",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "reserved";
}
