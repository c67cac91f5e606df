// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX capabilities: each control word is declared as bits that must and may be
 * one, resolved against the capability MSRs, and refused by name.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/vmx.h>

#include "host.h"
#include "vmx_caps.h"

struct vmx_caps vmx_caps __ro_after_init;

static bool preemption_timer = true;
module_param(preemption_timer, bool, 0444);
MODULE_PARM_DESC(preemption_timer, "use the VMX-preemption timer where the CPU has it (default: Y)");

static bool apicv = true;
module_param(apicv, bool, 0444);
MODULE_PARM_DESC(apicv, "use APIC virtualization where the CPU has it (default: Y)");

/* How a control bit is used. */
enum vmx_need {
	VMX_ON,		/* set in every VMCS */
	VMX_CAN,	/* set and cleared at run time: both must be possible */
	VMX_OFF,	/* must be possible to clear */
	VMX_MAY,	/* set where the CPU has it */
};

struct vmx_control {
	u32 bit;
	enum vmx_need need;
	const char *name;
};

struct vmx_word {
	const char *name;
	u32 msr;
	u32 true_msr;	/* 0: there is none */
	u32 *result;
	const struct vmx_control *controls;
	size_t count;
};

static const struct vmx_control pin_controls[] = {
	{ PIN_BASED_EXT_INTR_MASK, VMX_ON, "external-interrupt exiting" },
	{ PIN_BASED_NMI_EXITING, VMX_ON, "NMI exiting" },
	{ PIN_BASED_VIRTUAL_NMIS, VMX_ON, "virtual NMIs" },
	{ PIN_BASED_VMX_PREEMPTION_TIMER, VMX_MAY, "VMX-preemption timer" },
	{ PIN_BASED_POSTED_INTR, VMX_OFF, "process posted interrupts" },
};

static const struct vmx_control proc_controls[] = {
	{ CPU_BASED_INTR_WINDOW_EXITING, VMX_CAN, "interrupt-window exiting" },
	{ CPU_BASED_USE_TSC_OFFSETTING, VMX_ON, "use TSC offsetting" },
	{ CPU_BASED_HLT_EXITING, VMX_ON, "HLT exiting" },
	{ CPU_BASED_INVLPG_EXITING, VMX_OFF, "INVLPG exiting" },
	{ CPU_BASED_MWAIT_EXITING, VMX_ON, "MWAIT exiting" },
	{ CPU_BASED_RDPMC_EXITING, VMX_ON, "RDPMC exiting" },
	{ CPU_BASED_RDTSC_EXITING, VMX_OFF, "RDTSC exiting" },
	{ CPU_BASED_CR3_LOAD_EXITING, VMX_OFF, "CR3-load exiting" },
	{ CPU_BASED_CR3_STORE_EXITING, VMX_OFF, "CR3-store exiting" },
	{ CPU_BASED_CR8_LOAD_EXITING, VMX_OFF, "CR8-load exiting" },
	{ CPU_BASED_CR8_STORE_EXITING, VMX_OFF, "CR8-store exiting" },
	{ CPU_BASED_TPR_SHADOW, VMX_ON, "use TPR shadow" },
	{ CPU_BASED_NMI_WINDOW_EXITING, VMX_CAN, "NMI-window exiting" },
	{ CPU_BASED_MOV_DR_EXITING, VMX_CAN, "MOV-DR exiting" },
	{ CPU_BASED_UNCOND_IO_EXITING, VMX_ON, "unconditional I/O exiting" },
	{ CPU_BASED_MONITOR_TRAP_FLAG, VMX_OFF, "monitor trap flag" },
	{ CPU_BASED_USE_MSR_BITMAPS, VMX_ON, "use MSR bitmaps" },
	{ CPU_BASED_MONITOR_EXITING, VMX_ON, "MONITOR exiting" },
	{ CPU_BASED_PAUSE_EXITING, VMX_OFF, "PAUSE exiting" },
	{ CPU_BASED_ACTIVATE_SECONDARY_CONTROLS, VMX_ON, "activate secondary controls" },
};

static const struct vmx_control proc2_controls[] = {
	{ SECONDARY_EXEC_ENABLE_EPT, VMX_ON, "EPT" },
	{ SECONDARY_EXEC_UNRESTRICTED_GUEST, VMX_ON, "unrestricted guest" },
	{ SECONDARY_EXEC_WBINVD_EXITING, VMX_ON, "WBINVD exiting" },
	{ SECONDARY_EXEC_ENABLE_VPID, VMX_MAY, "VPID" },
	{ SECONDARY_EXEC_ENCLS_EXITING, VMX_MAY, "ENCLS exiting" },
	{ SECONDARY_EXEC_PAUSE_LOOP_EXITING, VMX_MAY, "PAUSE-loop exiting" },
};

static const struct vmx_control exit_controls[] = {
	{ VM_EXIT_SAVE_DEBUG_CONTROLS, VMX_ON, "save debug controls" },
	{ VM_EXIT_HOST_ADDR_SPACE_SIZE, VMX_ON, "host address-space size" },
	{ VM_EXIT_ACK_INTR_ON_EXIT, VMX_OFF, "acknowledge interrupt on exit" },
	{ VM_EXIT_SAVE_IA32_PAT, VMX_ON, "save IA32_PAT" },
	{ VM_EXIT_LOAD_IA32_PAT, VMX_ON, "load IA32_PAT" },
	{ VM_EXIT_SAVE_IA32_EFER, VMX_ON, "save IA32_EFER" },
	{ VM_EXIT_LOAD_IA32_EFER, VMX_ON, "load IA32_EFER" },
	{ VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL, VMX_OFF, "load IA32_PERF_GLOBAL_CTRL" },
};

static const struct vmx_control entry_controls[] = {
	{ VM_ENTRY_LOAD_DEBUG_CONTROLS, VMX_ON, "load debug controls" },
	{ VM_ENTRY_IA32E_MODE, VMX_CAN, "IA-32e mode guest" },
	{ VM_ENTRY_SMM, VMX_OFF, "entry to SMM" },
	{ VM_ENTRY_LOAD_IA32_PAT, VMX_ON, "load IA32_PAT (entry)" },
	{ VM_ENTRY_LOAD_IA32_EFER, VMX_ON, "load IA32_EFER (entry)" },
	{ VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL, VMX_OFF, "load IA32_PERF_GLOBAL_CTRL (entry)" },
};

#define VMX_WORD(_name, _msr, _true, _result, _controls) {		\
	.name = _name, .msr = _msr, .true_msr = _true,			\
	.result = &vmx_caps._result,					\
	.controls = _controls, .count = ARRAY_SIZE(_controls),		\
}

static const struct vmx_word words[] = {
	VMX_WORD("pin-based", MSR_IA32_VMX_PINBASED_CTLS,
		 MSR_IA32_VMX_TRUE_PINBASED_CTLS, pin, pin_controls),
	VMX_WORD("primary processor-based", MSR_IA32_VMX_PROCBASED_CTLS,
		 MSR_IA32_VMX_TRUE_PROCBASED_CTLS, proc, proc_controls),
	VMX_WORD("secondary processor-based", MSR_IA32_VMX_PROCBASED_CTLS2,
		 0, proc2, proc2_controls),
	VMX_WORD("VM-exit", MSR_IA32_VMX_EXIT_CTLS,
		 MSR_IA32_VMX_TRUE_EXIT_CTLS, exit, exit_controls),
	VMX_WORD("VM-entry", MSR_IA32_VMX_ENTRY_CTLS,
		 MSR_IA32_VMX_TRUE_ENTRY_CTLS, entry, entry_controls),
};

/* APIC virtualization is used whole or not at all: these have come in one CPU. */
#define APICV_NEEDS \
	(SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES | SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE | \
	 SECONDARY_EXEC_APIC_REGISTER_VIRT | SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY)
/* Those of them that do not depend on the mode of the guest's APIC. */
#define APICV_ALWAYS \
	(SECONDARY_EXEC_APIC_REGISTER_VIRT | SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY)

/* EPT and VPID abilities that we cannot do without. */
static const struct { u64 bit; const char *name; } ept_needs[] = {
	{ VMX_EPT_PAGE_WALK_4_BIT, "4-level EPT page walks" },
	{ VMX_EPTP_WB_BIT, "write-back EPT paging structures" },
	{ VMX_EPT_INVEPT_BIT, "INVEPT" },
	{ VMX_EPT_EXTENT_CONTEXT_BIT, "single-context INVEPT" },
};

#define VPID_NEEDS	(VMX_VPID_INVVPID_BIT | ((u64)VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT << 32))

/* CR0 bits that exist. */
#define TVX_CR0_KNOWN \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE |	\
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

/* CR4 bits that this module knows to give to a guest. */
#define TVX_CR4_KNOWN \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |	\
	 X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR |	\
	 X86_CR4_OSXMMEXCPT | X86_CR4_UMIP | X86_CR4_LA57 | X86_CR4_FSGSBASE |	\
	 X86_CR4_PCIDE | X86_CR4_OSXSAVE | X86_CR4_SMEP | X86_CR4_SMAP)

/* XSAVE components that this module switches: x87, SSE, AVX, AVX-512. */
#define TVX_XCR0_KNOWN \
	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

static int refuse(const char *word, const struct vmx_control *control, const char *how)
{
	pr_err("this CPU %s \"%s\" (%s controls, bit %u): tinyvmx needs a CPU with EPT and unrestricted guest (2010 or newer), or a hypervisor that passes them on\n",
	       how, control->name, word, ffs(control->bit) - 1);
	return -EOPNOTSUPP;
}

static int resolve_word(const struct vmx_word *word)
{
	u32 must_be_one, may_be_one, value;
	bool use_true = word->true_msr && (vmx_caps.msrs[0] & BIT_ULL(55));
	u64 cap = vmx_cap(use_true ? word->true_msr : word->msr);
	size_t i;

	must_be_one = (u32)cap;
	may_be_one = (u32)(cap >> 32);
	value = must_be_one;
	for (i = 0; i < word->count; i++) {
		const struct vmx_control *control = &word->controls[i];
		bool can_set = may_be_one & control->bit;
		bool can_clear = !(must_be_one & control->bit);

		if (!can_set && (control->need == VMX_ON || control->need == VMX_CAN))
			return refuse(word->name, control, "lacks");
		if (!can_clear && (control->need == VMX_OFF || control->need == VMX_CAN))
			return refuse(word->name, control, "cannot turn off");
		if (can_set && (control->need == VMX_ON || control->need == VMX_MAY))
			value |= control->bit;
	}
	*word->result = value;
	return 0;
}

/* Newer than some kernel's header. */
#define VMX_MSR_PROCBASED_CTLS3	0x492
#define VMX_MSR_EXIT_CTLS2	0x493
#define VMX_ACTIVATE_TERTIARY	BIT_ULL(17)
#define VMX_ACTIVATE_EXIT2	BIT_ULL(31)

/* The MSRs that exist, one after the other (SDM, "VMX Capability Reporting"). */
static bool cap_exists(unsigned int n, u64 basic, u64 proc, u64 proc2, u64 exit)
{
	switch (n + TINYVMX_VMX_MSR_BASE) {
	case MSR_IA32_VMX_PROCBASED_CTLS2:
		return proc & ((u64)CPU_BASED_ACTIVATE_SECONDARY_CONTROLS << 32);
	case MSR_IA32_VMX_EPT_VPID_CAP:
		return proc2 & ((u64)(SECONDARY_EXEC_ENABLE_EPT |
				      SECONDARY_EXEC_ENABLE_VPID) << 32);
	case MSR_IA32_VMX_TRUE_PINBASED_CTLS ... MSR_IA32_VMX_TRUE_ENTRY_CTLS:
		return basic & BIT_ULL(55);
	case MSR_IA32_VMX_VMFUNC:
		return proc2 & ((u64)SECONDARY_EXEC_ENABLE_VMFUNC << 32);
	case VMX_MSR_PROCBASED_CTLS3:
		return proc & (VMX_ACTIVATE_TERTIARY << 32);
	case VMX_MSR_EXIT_CTLS2:
		return exit & (VMX_ACTIVATE_EXIT2 << 32);
	case MSR_IA32_VMX_BASIC ... MSR_IA32_VMX_VMCS_ENUM:
		return true;
	default:
		return false;
	}
}

static u32 read_caps(u64 *msrs)
{
	u64 proc = tvx_rdmsr(MSR_IA32_VMX_PROCBASED_CTLS);
	u64 basic = tvx_rdmsr(MSR_IA32_VMX_BASIC);
	u64 exit = tvx_rdmsr(MSR_IA32_VMX_EXIT_CTLS);
	u64 proc2 = 0;
	u32 valid = 0;
	unsigned int n;

	if (cap_exists(MSR_IA32_VMX_PROCBASED_CTLS2 - TINYVMX_VMX_MSR_BASE, basic, proc, 0, 0))
		proc2 = tvx_rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2);
	for (n = 0; n < TINYVMX_VMX_MSR_COUNT; n++) {
		msrs[n] = 0;
		if (!cap_exists(n, basic, proc, proc2, exit))
			continue;
		msrs[n] = tvx_rdmsr(TINYVMX_VMX_MSR_BASE + n);
		valid |= BIT(n);
	}
	return valid;
}

#define CR4_FRED	BIT_ULL(32)

static int check_cpu(void)
{
	u32 eax, ebx, ecx, edx;

	tvx_cpuid(1, 0, &eax, &ebx, &ecx, &edx);
	if (!(ecx & BIT(5))) {
		pr_err("this CPU has no VMX (CPUID.1:ECX bit 5): tinyvmx needs an Intel CPU with VT-x; in a VM, turn nested virtualization on\n");
		return -ENODEV;
	}
	vmx_caps.feature_control = tvx_rdmsr(MSR_IA32_FEAT_CTL);
	if (!(vmx_caps.feature_control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX) ||
	    !(vmx_caps.feature_control & FEAT_CTL_LOCKED)) {
		pr_err("the firmware forbids VMX (IA32_FEATURE_CONTROL is 0x%llx): enable VT-x (Intel Virtualization Technology) in the firmware setup\n",
		       vmx_caps.feature_control);
		return -EPERM;
	}
	if (!boot_cpu_has(X86_FEATURE_XSAVE)) {
		pr_err("this CPU or kernel has no XSAVE: boot without noxsave\n");
		return -EOPNOTSUPP;
	}
	/* Interrupts that end a guest's run are handed on through the IDT; no emulator has FRED. */
	if (tvx_host_cr4() & CR4_FRED) {
		pr_err("this kernel uses FRED, with which tinyvmx is untried: boot with fred=off\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_ept(void)
{
	size_t i;

	vmx_caps.ept_vpid = vmx_cap(MSR_IA32_VMX_EPT_VPID_CAP);
	for (i = 0; i < ARRAY_SIZE(ept_needs); i++) {
		if (vmx_caps.ept_vpid & ept_needs[i].bit)
			continue;
		pr_err("this CPU lacks %s (IA32_VMX_EPT_VPID_CAP is 0x%llx): tinyvmx needs a newer one\n",
		       ept_needs[i].name, vmx_caps.ept_vpid);
		return -EOPNOTSUPP;
	}
	vmx_caps.has_vpid = (vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_VPID) &&
			    (vmx_caps.ept_vpid & VPID_NEEDS) == VPID_NEEDS;
	if (!vmx_caps.has_vpid)
		vmx_caps.proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	return 0;
}

/* Whose timer counts at a wrong rate (errata AAT59, AAU65, AAX65; E3-1200 v2), by CPUID.1:EAX. */
static const u32 broken_timers[] = { 0x20652, 0x20655, 0x306a8 };

static void check_timer(void)
{
	u32 signature, ebx, ecx, edx;
	size_t i;

	tvx_cpuid(1, 0, &signature, &ebx, &ecx, &edx);
	for (i = 0; i < ARRAY_SIZE(broken_timers); i++)
		if (signature == broken_timers[i])
			preemption_timer = false;
	if (!preemption_timer)
		vmx_caps.pin &= ~PIN_BASED_VMX_PREEMPTION_TIMER;
	vmx_caps.has_timer = vmx_caps.pin & PIN_BASED_VMX_PREEMPTION_TIMER;
	/* SDM, "Miscellaneous Data": bits 4:0. */
	vmx_caps.timer_shift = vmx_cap(MSR_IA32_VMX_MISC) & 0x1f;
}

static void check_counters(void)
{
	u32 exit = vmx_cap(MSR_IA32_VMX_EXIT_CTLS) >> 32;
	u32 entry = vmx_cap(MSR_IA32_VMX_ENTRY_CTLS) >> 32;

	vmx_caps.can_stop_counters = (exit & VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL) &&
				     (entry & VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL);
}

static void check_apicv(void)
{
	if ((vmx_caps.proc2_allowed & APICV_NEEDS) != APICV_NEEDS)
		apicv = false;
	if (apicv)
		vmx_caps.proc2 |= APICV_ALWAYS;
	vmx_caps.apicv = apicv;
}

/* What UMIP forbids exits, and where it is allowed the CPU does it, with an exit behind it. */
static void check_umip(void)
{
	u32 proc = vmx_cap(MSR_IA32_VMX_PROCBASED_CTLS) >> 32;

	vmx_caps.has_step = proc & CPU_BASED_MONITOR_TRAP_FLAG;
	if ((vmx_caps.cr4_mask & X86_CR4_UMIP) || !vmx_caps.has_step ||
	    !(vmx_caps.proc2_allowed & SECONDARY_EXEC_DESC))
		return;
	vmx_caps.cr4_emulated = X86_CR4_UMIP;
	vmx_caps.cr4_mask |= X86_CR4_UMIP;
}

static void find_xsave(void)
{
	u32 eax, offset, ecx, edx, end = VMX_FXSAVE_BYTES + VMX_XSAVE_HEADER_BYTES;
	unsigned int n;

	vmx_caps.host_xcr0 = tvx_xgetbv();
	vmx_caps.xcr0_mask = vmx_caps.host_xcr0 & TVX_XCR0_KNOWN;
	for (n = 2; n < 63; n++) {
		if (!(vmx_caps.xcr0_mask & BIT_ULL(n)))
			continue;
		tvx_cpuid(0xd, n, &eax, &offset, &ecx, &edx);
		end = max(end, offset + eax);
	}
	vmx_caps.xsave_bytes = end;
}

/* SDM volume 1, "Guidelines for Writing to the MXCSR Register". */
static u32 find_mxcsr_mask(void)
{
	struct fxregs_state fx __aligned(16) = {};

	tvx_host_fpu_begin();
	asm volatile("fxsave %0" : "+m" (fx));
	tvx_host_fpu_end();
	return fx.mxcsr_mask ?: 0xffbf;
}

/*
 * What brings bits of IA32_SPEC_CTRL. The kernel's word, not CPUID's: it knows microcode
 * under which these crash the machine. STIBP comes with IBRS, too.
 */
static const struct { u16 feature; u64 spec_ctrl; } spec_ctrl_features[] = {
	{ X86_FEATURE_IBRS, SPEC_CTRL_IBRS | SPEC_CTRL_STIBP },
	{ X86_FEATURE_SSBD, SPEC_CTRL_SSBD },
};

/* Known to ask for nothing from us: what the CPU is not open to, and how it behaves. */
#define TVX_ARCH_CAP_KNOWN \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA | ARCH_CAP_SKIP_VMENTRY_L1DFLUSH | \
	 ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | \
	 ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_FB_CLEAR | \
	 ARCH_CAP_RRSBA | ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO | ARCH_CAP_GDS_NO | \
	 ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR)

/* SDM volume 4 and "Speculative Execution Side Channel Mitigations". */
static void find_speculation_control(void)
{
	size_t i;

	/* All three come with IBRS, or none: so IA32_SPEC_CTRL never is without IA32_PRED_CMD. */
	if (!boot_cpu_has(X86_FEATURE_IBRS))
		return;
	for (i = 0; i < ARRAY_SIZE(spec_ctrl_features); i++)
		if (boot_cpu_has(spec_ctrl_features[i].feature))
			vmx_caps.spec_ctrl_mask |= spec_ctrl_features[i].spec_ctrl;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		vmx_caps.arch_capabilities = tvx_rdmsr(MSR_IA32_ARCH_CAPABILITIES) &
					     TVX_ARCH_CAP_KNOWN;
}

int vmx_caps_init(void)
{
	size_t i;
	int err;

	err = check_cpu();
	if (err)
		return err;

	vmx_caps.valid = read_caps(vmx_caps.msrs);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		err = resolve_word(&words[i]);
		if (err)
			return err;
	}
	vmx_caps.proc2_allowed = vmx_cap(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32;
	err = check_ept();
	if (err)
		return err;
	check_timer();
	check_apicv();
	check_counters();
	vmx_caps.small_code = tvx_host_itlb_multihit();

	/* With unrestricted guest PE and PG are free (SDM, "Restrictions on VMX Operation"). */
	vmx_caps.cr0_fixed = vmx_cap(MSR_IA32_VMX_CR0_FIXED0) & ~(X86_CR0_PE | X86_CR0_PG);
	vmx_caps.cr4_fixed = vmx_cap(MSR_IA32_VMX_CR4_FIXED0);
	vmx_caps.cr4_mask = vmx_cap(MSR_IA32_VMX_CR4_FIXED1) & TVX_CR4_KNOWN;
	check_umip();
	vmx_caps.cr0_mask = TVX_CR0_KNOWN;
	vmx_caps.mxcsr_mask = find_mxcsr_mask();
	find_xsave();
	find_speculation_control();
	return 0;
}

/* Whether a CPU with these capabilities takes the word that has been settled on. */
static bool takes_word(const u64 *msrs, const struct vmx_word *word)
{
	bool use_true = word->true_msr && (msrs[0] & BIT_ULL(55));
	u64 cap = msrs[(use_true ? word->true_msr : word->msr) - TINYVMX_VMX_MSR_BASE];
	u32 zeros = *word->result, ones = *word->result;
	size_t i;

	for (i = 0; i < word->count; i++) {
		if (word->controls[i].need != VMX_CAN)
			continue;
		zeros &= ~word->controls[i].bit;
		ones |= word->controls[i].bit;
	}
	return !((u32)cap & ~zeros) && !(ones & ~(u32)(cap >> 32));
}

/* What else is used of the capability MSRs. */
#define PROC2_USED \
	(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_DESC | \
	 APICV_NEEDS)
#define EPT_VPID_USED \
	(VMX_EPT_PAGE_WALK_4_BIT | VMX_EPTP_WB_BIT | VMX_EPT_INVEPT_BIT | \
	 VMX_EPT_EXTENT_CONTEXT_BIT | VMX_EPT_2MB_PAGE_BIT | VMX_EPT_1GB_PAGE_BIT | \
	 VMX_EPT_AD_BIT | VPID_NEEDS)

static const struct { u32 msr; u64 used; } caps_used[] = {
	{ MSR_IA32_VMX_BASIC, ~0ULL },
	{ MSR_IA32_VMX_MISC, 0x1f },	/* the timer's rate */
	{ MSR_IA32_VMX_CR0_FIXED0, ~0ULL },
	{ MSR_IA32_VMX_CR4_FIXED0, ~0ULL },
	{ MSR_IA32_VMX_CR4_FIXED1, TVX_CR4_KNOWN },
	{ MSR_IA32_VMX_PROCBASED_CTLS, (u64)CPU_BASED_MONITOR_TRAP_FLAG << 32 },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, (u64)PROC2_USED << 32 },
	{ MSR_IA32_VMX_EXIT_CTLS, (u64)VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL << 32 },
	{ MSR_IA32_VMX_ENTRY_CTLS, (u64)VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL << 32 },
	{ MSR_IA32_VMX_EPT_VPID_CAP, EPT_VPID_USED },
};

bool vmx_caps_match(void)
{
	u64 msrs[TINYVMX_VMX_MSR_COUNT];
	size_t i;

	read_caps(msrs);
	for (i = 0; i < ARRAY_SIZE(caps_used); i++)
		if ((msrs[caps_used[i].msr - TINYVMX_VMX_MSR_BASE] ^ vmx_cap(caps_used[i].msr)) &
		    caps_used[i].used)
			return false;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!takes_word(msrs, &words[i]))
			return false;
	return true;
}

static const struct { u64 cap; u32 proc2; } cap_by_proc2[] = {
	{ TINYVMX_CAP_RDTSCP, SECONDARY_EXEC_ENABLE_RDTSCP },
	{ TINYVMX_CAP_INVPCID, SECONDARY_EXEC_ENABLE_INVPCID },
};

static const struct { u64 cap; u64 ept; } cap_by_ept[] = {
	{ TINYVMX_CAP_EPT_2M, VMX_EPT_2MB_PAGE_BIT },
	{ TINYVMX_CAP_EPT_1G, VMX_EPT_1GB_PAGE_BIT },
	{ TINYVMX_CAP_EPT_AD, VMX_EPT_AD_BIT },
	{ TINYVMX_CAP_EXECUTE_ONLY, VMX_EPT_EXECUTE_ONLY_BIT },
};

static u64 capability_bits(void)
{
	u64 caps = vmx_caps.has_vpid ? TINYVMX_CAP_VPID : 0;
	u32 pin = vmx_cap(MSR_IA32_VMX_PINBASED_CTLS) >> 32;
	u32 proc = vmx_cap(MSR_IA32_VMX_PROCBASED_CTLS) >> 32;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cap_by_proc2); i++)
		if (vmx_caps.proc2_allowed & cap_by_proc2[i].proc2)
			caps |= cap_by_proc2[i].cap;
	for (i = 0; i < ARRAY_SIZE(cap_by_ept); i++)
		if (vmx_caps.ept_vpid & cap_by_ept[i].ept)
			caps |= cap_by_ept[i].cap;
	if (pin & PIN_BASED_VMX_PREEMPTION_TIMER)
		caps |= TINYVMX_CAP_PREEMPTION_TIMER;
	if (pin & PIN_BASED_POSTED_INTR)
		caps |= TINYVMX_CAP_POSTED_INTERRUPTS;
	if (vmx_caps.apicv)
		caps |= TINYVMX_CAP_APICV;
	if (proc & CPU_BASED_TPR_SHADOW)
		caps |= TINYVMX_CAP_TPR_SHADOW;
	if (vmx_caps.has_step)
		caps |= TINYVMX_CAP_FERR | TINYVMX_CAP_DEBUG_STEP;
	if (vmx_caps.spec_ctrl_mask)
		caps |= TINYVMX_CAP_SPEC_CTRL;
	if (vmx_caps.xcr0_mask & ~(u64)XFEATURE_MASK_FPSSE)
		caps |= TINYVMX_CAP_XSAVE;
	return caps;
}

void vmx_caps_info(struct tinyvmx_info *info)
{
	info->vmcs_revision = vmx_revision();
	info->capabilities = capability_bits();
	info->xsave_bytes = vmx_caps.xsave_bytes;
	info->xcr0_mask = vmx_caps.xcr0_mask;
	info->cr0_mask = vmx_caps.cr0_mask;
	info->cr4_mask = vmx_caps.cr4_mask;
	info->vmx_msr_valid = vmx_caps.valid;
	info->feature_control = vmx_caps.feature_control;
	memcpy(info->vmx_msrs, vmx_caps.msrs, sizeof(info->vmx_msrs));
}
