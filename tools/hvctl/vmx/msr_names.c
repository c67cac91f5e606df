// SPDX-License-Identifier: GPL-2.0-only
/* What the SDM, volume 4, calls the MSRs that guests touch; KVM's by the kernel's names. */
#include <stdio.h>

#include "caps.h"
#include "lib/util.h"
#include "names.h"

static const struct {
	uint32_t index;
	const char *name;
} names[] = {
	{ 0x0, "IA32_P5_MC_ADDR" },
	{ 0x1, "IA32_P5_MC_TYPE" },
	{ 0x10, "IA32_TIME_STAMP_COUNTER" },
	{ 0x17, "IA32_PLATFORM_ID" },
	{ 0x1b, "IA32_APIC_BASE" },
	{ 0x2a, "MSR_EBL_CR_POWERON" },
	{ 0x33, "MSR_MEMORY_CTRL" },
	{ 0x34, "MSR_SMI_COUNT" },
	{ 0x3a, "IA32_FEATURE_CONTROL" },
	{ 0x3b, "IA32_TSC_ADJUST" },
	{ 0x48, "IA32_SPEC_CTRL" },
	{ 0x49, "IA32_PRED_CMD" },
	{ 0x79, "IA32_BIOS_UPDT_TRIG" },
	{ 0x8b, "IA32_BIOS_SIGN_ID" },
	{ 0xcd, "MSR_FSB_FREQ" },
	{ 0xce, "MSR_PLATFORM_INFO" },
	{ 0xcf, "IA32_CORE_CAPABILITIES" },
	{ 0xe1, "IA32_UMWAIT_CONTROL" },
	{ 0xe2, "MSR_PKG_CST_CONFIG_CONTROL" },
	{ 0xe7, "IA32_MPERF" },
	{ 0xe8, "IA32_APERF" },
	{ 0xfe, "IA32_MTRRCAP" },
	{ 0x10a, "IA32_ARCH_CAPABILITIES" },
	{ 0x10b, "IA32_FLUSH_CMD" },
	{ 0x122, "IA32_TSX_CTRL" },
	{ 0x140, "MSR_MISC_FEATURES_ENABLES" },
	{ 0x174, "IA32_SYSENTER_CS" },
	{ 0x175, "IA32_SYSENTER_ESP" },
	{ 0x176, "IA32_SYSENTER_EIP" },
	{ 0x179, "IA32_MCG_CAP" },
	{ 0x17a, "IA32_MCG_STATUS" },
	{ 0x198, "IA32_PERF_STATUS" },
	{ 0x199, "IA32_PERF_CTL" },
	{ 0x19a, "IA32_CLOCK_MODULATION" },
	{ 0x19b, "IA32_THERM_INTERRUPT" },
	{ 0x19c, "IA32_THERM_STATUS" },
	{ 0x1a0, "IA32_MISC_ENABLE" },
	{ 0x1a2, "MSR_TEMPERATURE_TARGET" },
	{ 0x1a4, "MSR_PREFETCH_CONTROL" },
	{ 0x1ad, "MSR_TURBO_RATIO_LIMIT" },
	{ 0x1b0, "IA32_ENERGY_PERF_BIAS" },
	{ 0x1c4, "IA32_XFD" },
	{ 0x1c9, "MSR_LASTBRANCH_TOS" },
	{ 0x1d9, "IA32_DEBUGCTL" },
	{ 0x250, "IA32_MTRR_FIX64K_00000" },
	{ 0x258, "IA32_MTRR_FIX16K_80000" },
	{ 0x259, "IA32_MTRR_FIX16K_A0000" },
	{ 0x268, "IA32_MTRR_FIX4K_C0000" },
	{ 0x269, "IA32_MTRR_FIX4K_C8000" },
	{ 0x26a, "IA32_MTRR_FIX4K_D0000" },
	{ 0x26b, "IA32_MTRR_FIX4K_D8000" },
	{ 0x26c, "IA32_MTRR_FIX4K_E0000" },
	{ 0x26d, "IA32_MTRR_FIX4K_E8000" },
	{ 0x26e, "IA32_MTRR_FIX4K_F0000" },
	{ 0x26f, "IA32_MTRR_FIX4K_F8000" },
	{ 0x277, "IA32_PAT" },
	{ 0x2ff, "IA32_MTRR_DEF_TYPE" },
	{ 0x345, "IA32_PERF_CAPABILITIES" },
	{ 0x38d, "IA32_FIXED_CTR_CTRL" },
	{ 0x38e, "IA32_PERF_GLOBAL_STATUS" },
	{ 0x38f, "IA32_PERF_GLOBAL_CTRL" },
	{ 0x390, "IA32_PERF_GLOBAL_OVF_CTRL" },
	{ 0x570, "IA32_RTIT_CTL" },
	{ 0x606, "MSR_RAPL_POWER_UNIT" },
	{ 0x611, "MSR_PKG_ENERGY_STATUS" },
	{ 0x639, "MSR_PP0_ENERGY_STATUS" },
	{ 0x641, "MSR_PP1_ENERGY_STATUS" },
	{ 0x6a0, "IA32_U_CET" },
	{ 0x6a2, "IA32_S_CET" },
	{ 0x6e0, "IA32_TSC_DEADLINE" },
	{ 0x770, "IA32_PM_ENABLE" },
	{ 0x802, "IA32_X2APIC_APICID" },
	{ 0x803, "IA32_X2APIC_VERSION" },
	{ 0x808, "IA32_X2APIC_TPR" },
	{ 0x80a, "IA32_X2APIC_PPR" },
	{ 0x80b, "IA32_X2APIC_EOI" },
	{ 0x80d, "IA32_X2APIC_LDR" },
	{ 0x80f, "IA32_X2APIC_SIVR" },
	{ 0x828, "IA32_X2APIC_ESR" },
	{ 0x82f, "IA32_X2APIC_LVT_CMCI" },
	{ 0x830, "IA32_X2APIC_ICR" },
	{ 0x832, "IA32_X2APIC_LVT_TIMER" },
	{ 0x833, "IA32_X2APIC_LVT_THERMAL" },
	{ 0x834, "IA32_X2APIC_LVT_PMI" },
	{ 0x835, "IA32_X2APIC_LVT_LINT0" },
	{ 0x836, "IA32_X2APIC_LVT_LINT1" },
	{ 0x837, "IA32_X2APIC_LVT_ERROR" },
	{ 0x838, "IA32_X2APIC_INIT_COUNT" },
	{ 0x839, "IA32_X2APIC_CUR_COUNT" },
	{ 0x83e, "IA32_X2APIC_DIV_CONF" },
	{ 0x83f, "IA32_X2APIC_SELF_IPI" },
	{ 0xda0, "IA32_XSS" },
	{ 0x4b564d00, "MSR_KVM_WALL_CLOCK_NEW" },
	{ 0x4b564d01, "MSR_KVM_SYSTEM_TIME_NEW" },
	{ 0x4b564d02, "MSR_KVM_ASYNC_PF_EN" },
	{ 0x4b564d03, "MSR_KVM_STEAL_TIME" },
	{ 0x4b564d04, "MSR_KVM_PV_EOI_EN" },
	{ 0x4b564d05, "MSR_KVM_POLL_CONTROL" },
	{ 0xc0000080, "IA32_EFER" },
	{ 0xc0000081, "IA32_STAR" },
	{ 0xc0000082, "IA32_LSTAR" },
	{ 0xc0000083, "IA32_CSTAR" },
	{ 0xc0000084, "IA32_FMASK" },
	{ 0xc0000100, "IA32_FS_BASE" },
	{ 0xc0000101, "IA32_GS_BASE" },
	{ 0xc0000102, "IA32_KERNEL_GS_BASE" },
	{ 0xc0000103, "IA32_TSC_AUX" },
};

/* Those of which there are many, by number from @first on; with @second, in pairs. */
static const struct {
	uint32_t first, last;
	const char *name, *second;
} series[] = {
	{ 0xc1, 0xc8, "IA32_PMC%u", NULL },
	{ 0x186, 0x18d, "IA32_PERFEVTSEL%u", NULL },
	{ 0x200, 0x213, "IA32_MTRR_PHYSBASE%u", "IA32_MTRR_PHYSMASK%u" },
	{ 0x309, 0x30c, "IA32_FIXED_CTR%u", NULL },
	{ 0x810, 0x817, "IA32_X2APIC_ISR%u", NULL },
	{ 0x818, 0x81f, "IA32_X2APIC_TMR%u", NULL },
	{ 0x820, 0x827, "IA32_X2APIC_IRR%u", NULL },
};

size_t vmx_describe_msr(uint32_t index, char *buf, size_t len)
{
	if (index - TINYVMX_VMX_MSR_BASE < TINYVMX_VMX_MSR_COUNT)
		return (size_t)snprintf(buf, len, "%s", vmx_msr_name(index - TINYVMX_VMX_MSR_BASE));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].index == index)
			return (size_t)snprintf(buf, len, "%s", names[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(series); i++) {
		uint32_t n = index - series[i].first;

		if (index < series[i].first || index > series[i].last)
			continue;
		if (!series[i].second)
			return (size_t)snprintf(buf, len, series[i].name, n);
		return (size_t)snprintf(buf, len, n % 2 ? series[i].second : series[i].name, n / 2);
	}
	return (size_t)snprintf(buf, len, "%s", "");
}
