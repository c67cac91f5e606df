// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on VMX Controls": failures with VM-instruction error 7.
 */
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

#define EXECUTION	"VM-Execution Control Fields"
#define EXIT		"VM-Exit Control Fields"
#define ENTRY		"VM-Entry Control Fields"

/* --- conditions --- */

static bool io_bitmaps(struct probe *p)
{
	return proc_on(p, PROC_IO_BITMAPS);
}

static bool msr_bitmaps(struct probe *p)
{
	return proc_on(p, PROC_MSR_BITMAPS);
}

static bool tpr_shadow(struct probe *p)
{
	return proc_on(p, PROC_TPR_SHADOW);
}

static bool virtual_intr(struct probe *p)
{
	return proc2_on(p, PROC2_VIRTUAL_INTR);
}

static bool tpr_threshold_used(struct probe *p)
{
	return tpr_shadow(p) && !virtual_intr(p);
}

static bool no_tpr_shadow(struct probe *p)
{
	return !tpr_shadow(p) && proc2_active(p);
}

static bool ipi_without_shadow(struct probe *p)
{
	return !tpr_shadow(p) && proc3_on(p, PROC3_IPI);
}

static bool ipi_virtualization(struct probe *p)
{
	return proc3_on(p, PROC3_IPI);
}

static bool virtual_nmis_without_exiting(struct probe *p)
{
	return pin_on(p, PIN_VIRTUAL_NMIS) && !pin_on(p, PIN_NMI_EXITING);
}

static bool nmi_window_without_virtual(struct probe *p)
{
	return proc_on(p, PROC_NMI_WINDOW) && !pin_on(p, PIN_VIRTUAL_NMIS);
}

static bool apic_accesses(struct probe *p)
{
	return proc2_on(p, PROC2_APIC_ACCESSES);
}

static bool x2apic_and_accesses(struct probe *p)
{
	return proc2_on(p, PROC2_X2APIC) && apic_accesses(p);
}

static bool delivery_without_exiting(struct probe *p)
{
	return virtual_intr(p) && !pin_on(p, PIN_EXTINT_EXITING);
}

static bool posted(struct probe *p)
{
	return pin_on(p, PIN_POSTED_INTERRUPTS);
}

static bool posted_without_delivery(struct probe *p)
{
	return posted(p) && !virtual_intr(p);
}

static bool posted_without_ack(struct probe *p)
{
	return posted(p) && !exit_on(p, EXIT_ACK_INTERRUPT);
}

static bool vpid(struct probe *p)
{
	return proc2_on(p, PROC2_VPID);
}

static bool no_ept(struct probe *p)
{
	return proc2_active(p) && !ept_on(p);
}

static bool hlat_without_ept(struct probe *p)
{
	return proc3_active(p) && !ept_on(p);
}

static bool pml(struct probe *p)
{
	return proc2_on(p, PROC2_PML);
}

static bool spp(struct probe *p)
{
	return proc2_on(p, PROC2_SPP);
}

static bool vm_functions(struct probe *p)
{
	return proc2_on(p, PROC2_VM_FUNCTIONS);
}

static bool eptp_switching(struct probe *p)
{
	return vm_functions(p) && probe_get(p, VMCS_VM_FUNCTION_CTLS) & 1;
}

static bool eptp_switching_without_ept(struct probe *p)
{
	return eptp_switching(p) && !ept_on(p);
}

static bool shadowing(struct probe *p)
{
	return proc2_on(p, PROC2_SHADOWING);
}

static bool ve(struct probe *p)
{
	return proc2_on(p, PROC2_VE);
}

static bool tsc_scaling(struct probe *p)
{
	return proc2_on(p, PROC2_TSC_SCALING);
}

static bool pt_gpa_without_rtit(struct probe *p)
{
	return proc2_on(p, PROC2_PT_GPA) &&
	       !(entry_on(p, ENTRY_LOAD_RTIT) && exit_on(p, EXIT_CLEAR_RTIT));
}

static bool hlat(struct probe *p)
{
	return proc3_on(p, PROC3_HLAT);
}

static bool activated_exit2(struct probe *p)
{
	return exit_on(p, EXIT_SECONDARY);
}

static bool saves_dead_timer(struct probe *p)
{
	return exit_on(p, EXIT_SAVE_TIMER) && !pin_on(p, PIN_PREEMPTION_TIMER);
}

static bool stores_msrs(struct probe *p)
{
	return probe_get(p, VMCS_EXIT_MSR_STORE_COUNT);
}

static bool loads_exit_msrs(struct probe *p)
{
	return probe_get(p, VMCS_EXIT_MSR_LOAD_COUNT);
}

static bool loads_entry_msrs(struct probe *p)
{
	return probe_get(p, VMCS_ENTRY_MSR_LOAD_COUNT);
}

static bool software_event(struct probe *p)
{
	unsigned int type = injected_type(p);

	return injects_event(p) && type >= EVENT_SOFTWARE_INTERRUPT &&
	       type <= EVENT_SOFTWARE_EXCEPTION;
}

static bool syscall_event(struct probe *p)
{
	return injects_event(p) && injected_type(p) == EVENT_OTHER && injected_vector(p);
}

static bool with_error_code(struct probe *p)
{
	return injects_event(p) && probe_get(p, VMCS_ENTRY_INTR_INFO) & 1 << 11;
}

/* --- faults --- */

static bool too_many_cr3_targets(struct probe *p)
{
	return p->value && p->value > (probe_msr(p, MSR_VMX_MISC) >> 16 & 0x1ff);
}

static bool bad_eptp_type(struct probe *p)
{
	uint64_t cap = probe_msr(p, MSR_VMX_EPT_VPID);
	unsigned int type = p->value & 7;

	return !((type == 0 && cap >> 8 & 1) || (type == 6 && cap >> 14 & 1));
}

static bool bad_eptp_walk(struct probe *p)
{
	uint64_t cap = probe_msr(p, MSR_VMX_EPT_VPID);
	unsigned int levels = (p->value >> 3 & 7) + 1;

	return !((levels == 4 && cap >> 6 & 1) || (levels == 5 && cap >> 7 & 1));
}

static bool bad_eptp_ad(struct probe *p)
{
	return p->value & 1 << 6 && !(probe_msr(p, MSR_VMX_EPT_VPID) >> 21 & 1);
}

static bool bad_eptp_sss(struct probe *p)
{
	return p->value & 1 << 7 && !(probe_msr(p, MSR_VMX_EPT_VPID) >> 23 & 1);
}

static bool bad_vm_functions(struct probe *p)
{
	return p->value & ~probe_msr(p, MSR_VMX_VMFUNC);
}

/* The last byte of an area of MSR entries, 16 bytes each; @arg: its count */
static bool msr_area_end_beyond(struct probe *p)
{
	uint64_t count = probe_get(p, (uint32_t)p->rule->arg);

	p->value += count * 16 - 1;
	return bad_phys(p);
}

static bool pid_table_end_beyond(struct probe *p)
{
	p->value += probe_get(p, VMCS_LAST_PID_POINTER_INDEX) * 8 + 7;
	return bad_phys(p);
}

static bool bad_event_type(struct probe *p)
{
	unsigned int type = injected_type(p);
	struct vmx_limits limits;

	if (type == EVENT_RESERVED)
		return true;
	if (type != EVENT_OTHER)
		return false;
	if (!p->dump->cpu || !vmx_word_limits(p->dump->cpu, &vmx_words[VMX_WORD_PROC], &limits)) {
		p->unknown = true;
		return true;
	}
	return !(limits.may_be_1 >> PROC_MTF & 1);
}

static bool bad_event_vector(struct probe *p)
{
	unsigned int vector = injected_vector(p);

	switch (injected_type(p)) {
	case EVENT_NMI:
		return vector != 2;
	case EVENT_HARDWARE_EXCEPTION:
		return vector > 31;
	case EVENT_OTHER: /* 0 is an MTF VM exit; with FRED 1 is SYSCALL, and 2 SYSENTER */
		return vector && (vector > 2 || !guest_fred(p));
	default:
		return false;
	}
}

/* Exceptions that push an error code: #DF #TS #NP #SS #GP #PF #AC */
#define ERROR_CODE_VECTORS \
	(1U << 8 | 1U << 10 | 1U << 11 | 1U << 12 | 1U << 13 | 1U << 14 | 1U << 17)

static bool bad_error_code_flag(struct probe *p)
{
	bool deliver = p->value & 1 << 11;
	unsigned int vector = injected_vector(p);
	bool may, must;

	/* A guest in real mode has no error codes. */
	may = injected_type(p) == EVENT_HARDWARE_EXCEPTION &&
	      (!unrestricted_on(p) || probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PE);
	must = may && vector < 32 && ERROR_CODE_VECTORS >> vector & 1;
	if (deliver == must || (deliver && !may))
		return deliver != must;
	/* IA32_VMX_BASIC[56]: software decides, whatever the vector */
	return !(probe_msr(p, MSR_VMX_BASIC) >> 56 & 1);
}

/* IA32_VMX_BASIC[58]: bit 13 says that an exception is nested in another. */
static bool bad_event_reserved(struct probe *p)
{
	if (bad_ones(p))
		return true;
	return p->value & 1 << 13 && !(probe_msr(p, MSR_VMX_BASIC) >> 58 & 1);
}

/* SYSCALL and SYSENTER, which only a guest with FRED can be given */
static bool bad_syscall_length(struct probe *p)
{
	return p->value > 15;
}

static bool bad_event_length(struct probe *p)
{
	if (p->value)
		return p->value > 15;
	return !(probe_msr(p, MSR_VMX_MISC) >> 30 & 1);
}

/* --- the table, in the order of the SDM --- */

#define WORD(which, field_, when_, section_, name_) \
	{ .id = "ctl." which, .section = (section_), \
	  .field = VMCS_##field_##_CTLS, .when = (when_), .bad = bad_word, \
	  .arg = VMX_WORD_##field_, \
	  .rule = "every bit must be as the capability MSR allows it (" name_ ")", \
	  .mend = "change the bits named; 'hvctl info' lists what the CPU allows" }

/* A 4-KByte aligned physical address */
#define PAGE(id_, field_, when_) \
	{ .id = "ctl." id_, .section = EXECUTION, .field = VMCS_##field_, \
	  .when = (when_), .bad = bad_address, .arg = 0xfff, \
	  .rule = "must be 4-KByte aligned and within the physical-address width", \
	  .mend = "give the physical address of a page" }

#define MSR_AREA(id_, section_, field_, count_, when_) \
	{ .id = "ctl." id_, .section = (section_), .field = VMCS_##field_, \
	  .when = (when_), .bad = bad_address, .arg = 0xf, \
	  .rule = "must be 16-byte aligned and within the physical-address width, " \
		  "as its count is not 0", \
	  .mend = "align the area, or set its count to 0" }, \
	{ .id = "ctl." id_ ".end", .section = (section_), .field = VMCS_##field_, \
	  .when = (when_), .bad = msr_area_end_beyond, .arg = VMCS_##count_, \
	  .rule = "the last byte of the area (here) must be within the physical-address width", \
	  .mend = "lower the count or the address" }

/* A secondary control that must be 0 as @when_ holds */
#define MUST_CLEAR(id_, field_, when_, bit_, rule_, mend_) \
	{ .id = "ctl." id_, .section = EXECUTION, .field = VMCS_##field_, \
	  .when = (when_), .bad = bad_ones, .arg = 1ULL << (bit_), \
	  .rule = (rule_), .mend = (mend_) }

/* A combination of controls that @when_ finds and that is never allowed */
#define COMBINATION(id_, section_, field_, when_, rule_, mend_) \
	{ .id = "ctl." id_, .section = (section_), .field = VMCS_##field_, \
	  .when = (when_), .bad = bad_combination, .rule = (rule_), .mend = (mend_) }

static const struct rule ctl_rules[] = {
	WORD("pin", PIN, NULL, EXECUTION, "IA32_VMX_(TRUE_)PINBASED_CTLS"),
	WORD("proc", PROC, NULL, EXECUTION, "IA32_VMX_(TRUE_)PROCBASED_CTLS"),
	WORD("proc2", PROC2, proc2_active, EXECUTION, "IA32_VMX_PROCBASED_CTLS2"),
	WORD("proc3", PROC3, proc3_active, EXECUTION, "IA32_VMX_PROCBASED_CTLS3"),
	{ .id = "ctl.cr3_targets", .section = EXECUTION,
	  .field = VMCS_CR3_TARGET_COUNT, .bad = too_many_cr3_targets,
	  .rule = "must not exceed what IA32_VMX_MISC allows (4)",
	  .mend = "set it to 0, or to the number of CR3-target values in use" },
	PAGE("io_bitmap_a", IO_BITMAP_A, io_bitmaps),
	PAGE("io_bitmap_b", IO_BITMAP_B, io_bitmaps),
	PAGE("msr_bitmap", MSR_BITMAP, msr_bitmaps),
	PAGE("virtual_apic", VIRTUAL_APIC_ADDR, tpr_shadow),
	{ .id = "ctl.tpr_threshold", .section = EXECUTION,
	  .field = VMCS_TPR_THRESHOLD, .when = tpr_threshold_used,
	  .bad = bad_ones, .arg = ~0xfULL,
	  .rule = "bits 31:4 must be 0 with \"use TPR shadow\" and without \"virtual-interrupt delivery\"",
	  .mend = "give a priority class, 0 to 15" },
	MUST_CLEAR("x2apic_shadow", PROC2_CTLS, no_tpr_shadow, PROC2_X2APIC,
		   "\"virtualize x2APIC mode\" (bit 4) must be 0 without \"use TPR shadow\"",
		   "set \"use TPR shadow\" and give it a virtual-APIC page"),
	MUST_CLEAR("apic_registers_shadow", PROC2_CTLS, no_tpr_shadow, PROC2_APIC_REGISTERS,
		   "\"APIC-register virtualization\" (bit 8) must be 0 without \"use TPR shadow\"",
		   "set \"use TPR shadow\" and give it a virtual-APIC page"),
	MUST_CLEAR("virtual_intr_shadow", PROC2_CTLS, no_tpr_shadow, PROC2_VIRTUAL_INTR,
		   "\"virtual-interrupt delivery\" (bit 9) must be 0 without \"use TPR shadow\"",
		   "set \"use TPR shadow\" and give it a virtual-APIC page"),
	COMBINATION("ipi_shadow", EXECUTION, PROC3_CTLS, ipi_without_shadow,
		    "\"IPI virtualization\" (bit 4) must be 0 without \"use TPR shadow\"",
		    "set \"use TPR shadow\" and give it a virtual-APIC page"),
	COMBINATION("virtual_nmis", EXECUTION, PIN_CTLS, virtual_nmis_without_exiting,
		    "\"virtual NMIs\" (bit 5) must be 0 without \"NMI exiting\" (bit 3)",
		    "set \"NMI exiting\""),
	COMBINATION("nmi_window", EXECUTION, PROC_CTLS, nmi_window_without_virtual,
		    "\"NMI-window exiting\" (bit 22) must be 0 without \"virtual NMIs\"",
		    "set \"virtual NMIs\", or clear \"NMI-window exiting\""),
	PAGE("apic_access", APIC_ACCESS_ADDR, apic_accesses),
	COMBINATION("x2apic_accesses", EXECUTION, PROC2_CTLS, x2apic_and_accesses,
		    "\"virtualize x2APIC mode\" (bit 4) and \"virtualize APIC accesses\" (bit 0) exclude each other",
		    "clear one: the guest's APIC is in one mode at a time"),
	COMBINATION("virtual_intr_exiting", EXECUTION, PROC2_CTLS, delivery_without_exiting,
		    "\"virtual-interrupt delivery\" (bit 9) requires \"external-interrupt exiting\"",
		    "set \"external-interrupt exiting\""),
	COMBINATION("posted_delivery", EXECUTION, PIN_CTLS, posted_without_delivery,
		    "\"process posted interrupts\" (bit 7) requires \"virtual-interrupt delivery\"",
		    "set \"virtual-interrupt delivery\""),
	COMBINATION("posted_ack", EXECUTION, EXIT_CTLS, posted_without_ack,
		    "\"process posted interrupts\" requires \"acknowledge interrupt on exit\" (bit 15)",
		    "set \"acknowledge interrupt on exit\""),
	{ .id = "ctl.posted_vector", .section = EXECUTION,
	  .field = VMCS_POSTED_INTR_VECTOR, .when = posted, .bad = bad_ones,
	  .arg = 0xff00, .rule = "bits 15:8 must be 0",
	  .mend = "give a vector, 0 to 255" },
	{ .id = "ctl.posted_desc", .section = EXECUTION,
	  .field = VMCS_POSTED_INTR_DESC_ADDR, .when = posted,
	  .bad = bad_address, .arg = 0x3f,
	  .rule = "must be 64-byte aligned and within the physical-address width",
	  .mend = "give the physical address of a posted-interrupt descriptor" },
	{ .id = "ctl.vpid", .section = EXECUTION, .field = VMCS_VPID,
	  .when = vpid, .bad = bad_null,
	  .rule = "must not be 0 with \"enable VPID\": 0 is the host's",
	  .mend = "give each virtual CPU a number of its own" },
	{ .id = "ctl.eptp.type", .section = EXECUTION, .field = VMCS_EPTP,
	  .when = ept_on, .bad = bad_eptp_type,
	  .rule = "the memory type (bits 2:0) must be one that IA32_VMX_EPT_VPID_CAP allows (0: UC, 6: WB)",
	  .mend = "set bits 2:0 to 6" },
	{ .id = "ctl.eptp.walk", .section = EXECUTION, .field = VMCS_EPTP,
	  .when = ept_on, .bad = bad_eptp_walk,
	  .rule = "bits 5:3 must be the page-walk length less 1, of a length the CPU supports",
	  .mend = "set bits 5:3 to 3 for four levels" },
	{ .id = "ctl.eptp.ad", .section = EXECUTION, .field = VMCS_EPTP,
	  .when = ept_on, .bad = bad_eptp_ad,
	  .rule = "bit 6 must be 0 on a CPU without EPT accessed and dirty flags",
	  .mend = "clear bit 6" },
	{ .id = "ctl.eptp.sss", .section = EXECUTION, .field = VMCS_EPTP,
	  .when = ept_on, .bad = bad_eptp_sss,
	  .rule = "bit 7 must be 0 on a CPU without EPT supervisor shadow-stack control",
	  .mend = "clear bit 7" },
	{ .id = "ctl.eptp.reserved", .section = EXECUTION, .field = VMCS_EPTP,
	  .when = ept_on, .bad = bad_address, .arg = 0xf00,
	  .rule = "bits 11:8 and those beyond the physical-address width must be 0",
	  .mend = "give the physical address of a PML4 table in bits 12 and up" },
	MUST_CLEAR("unrestricted_ept", PROC2_CTLS, no_ept, PROC2_UNRESTRICTED,
		   "\"unrestricted guest\" (bit 7) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("mode_based_ept", PROC2_CTLS, no_ept, PROC2_MODE_BASED_EXEC,
		   "\"mode-based execute control for EPT\" (bit 22) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("pml_ept", PROC2_CTLS, no_ept, PROC2_PML,
		   "\"enable PML\" (bit 17) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("spp_ept", PROC2_CTLS, no_ept, PROC2_SPP,
		   "\"sub-page write permissions for EPT\" (bit 23) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("pt_gpa_ept", PROC2_CTLS, no_ept, PROC2_PT_GPA,
		   "\"Intel PT uses guest physical addresses\" (bit 24) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	COMBINATION("pt_gpa_rtit", EXECUTION, PROC2_CTLS, pt_gpa_without_rtit,
		    "\"Intel PT uses guest physical addresses\" (bit 24) requires \"load IA32_RTIT_CTL\" on entry and \"clear IA32_RTIT_CTL\" on exit",
		    "set both, or clear bit 24"),
	PAGE("pml", PML_ADDR, pml),
	{ .id = "ctl.sppt", .section = EXECUTION, .field = VMCS_SPPTP,
	  .when = spp, .bad = bad_address, .arg = 0xfff,
	  .rule = "must be 4-KByte aligned and within the physical-address width",
	  .mend = "give the physical address of a page" },
	{ .id = "ctl.vm_functions", .section = EXECUTION,
	  .field = VMCS_VM_FUNCTION_CTLS, .when = vm_functions,
	  .bad = bad_vm_functions,
	  .rule = "only bits that IA32_VMX_VMFUNC allows may be 1",
	  .mend = "clear the others" },
	COMBINATION("eptp_switching_ept", EXECUTION, VM_FUNCTION_CTLS,
		    eptp_switching_without_ept,
		    "\"EPTP switching\" (bit 0) requires \"enable EPT\"",
		    "set \"enable EPT\""),
	PAGE("eptp_list", EPTP_LIST_ADDR, eptp_switching),
	PAGE("vmread_bitmap", VMREAD_BITMAP, shadowing),
	PAGE("vmwrite_bitmap", VMWRITE_BITMAP, shadowing),
	PAGE("ve_info", VE_INFO_ADDR, ve),
	{ .id = "ctl.tsc_multiplier", .section = EXECUTION,
	  .field = VMCS_TSC_MULTIPLIER, .when = tsc_scaling, .bad = bad_null,
	  .rule = "must not be 0 with \"use TSC scaling\"",
	  .mend = "give 1 << 48 for a factor of one" },
	MUST_CLEAR("hlat_ept", PROC3_CTLS, hlat_without_ept, PROC3_HLAT,
		   "\"enable HLAT\" (bit 1) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("paging_write_ept", PROC3_CTLS, hlat_without_ept, PROC3_PAGING_WRITE,
		   "\"EPT paging-write control\" (bit 2) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	MUST_CLEAR("paging_verify_ept", PROC3_CTLS, hlat_without_ept, PROC3_PAGING_VERIFY,
		   "\"guest-paging verification\" (bit 3) requires \"enable EPT\"",
		   "set \"enable EPT\""),
	{ .id = "ctl.hlatp", .section = EXECUTION, .field = VMCS_HLATP,
	  .when = hlat, .bad = bad_address, .arg = 0xfe7,
	  .rule = "bits 2:0, 11:5 and those beyond the physical-address width must be 0",
	  .mend = "give the physical address of a paging structure" },
	{ .id = "ctl.pid_table", .section = EXECUTION,
	  .field = VMCS_PID_POINTER_TABLE, .when = ipi_virtualization,
	  .bad = bad_address, .arg = 0x7,
	  .rule = "must be 8-byte aligned and within the physical-address width",
	  .mend = "give the physical address of the PID-pointer table" },
	{ .id = "ctl.pid_table.end", .section = EXECUTION,
	  .field = VMCS_PID_POINTER_TABLE, .when = ipi_virtualization,
	  .bad = pid_table_end_beyond,
	  .rule = "its last entry (here) must be within the physical-address width",
	  .mend = "lower the last PID-pointer index or the address" },

	WORD("exit", EXIT, NULL, EXIT, "IA32_VMX_(TRUE_)EXIT_CTLS"),
	WORD("exit2", EXIT2, activated_exit2, EXIT, "IA32_VMX_EXIT_CTLS2"),
	COMBINATION("save_timer", EXIT, EXIT_CTLS, saves_dead_timer,
		    "\"save VMX-preemption timer value\" (bit 22) requires \"activate VMX-preemption timer\"",
		    "clear bit 22, or activate the timer"),
	MSR_AREA("exit_msr_store", EXIT, EXIT_MSR_STORE_ADDR,
		 EXIT_MSR_STORE_COUNT, stores_msrs),
	MSR_AREA("exit_msr_load", EXIT, EXIT_MSR_LOAD_ADDR,
		 EXIT_MSR_LOAD_COUNT, loads_exit_msrs),

	WORD("entry", ENTRY, NULL, ENTRY, "IA32_VMX_(TRUE_)ENTRY_CTLS"),
	{ .id = "ctl.event.type", .section = ENTRY,
	  .field = VMCS_ENTRY_INTR_INFO, .when = injects_event, .bad = bad_event_type,
	  .rule = "the interruption type (bits 10:8) must not be 1, nor 7 on a CPU without monitor trap flag",
	  .mend = "give 0 (external), 2 (NMI), 3 (hardware exception), 4, 5 or 6 (software)" },
	{ .id = "ctl.event.vector", .section = ENTRY,
	  .field = VMCS_ENTRY_INTR_INFO, .when = injects_event, .bad = bad_event_vector,
	  .rule = "the vector must fit the type: 2 for an NMI, at most 31 for a hardware exception, 0 for type 7 (1 and 2, too, where the guest's CR4.FRED is 1)",
	  .mend = "mend the vector (bits 7:0) or the type (bits 10:8)" },
	{ .id = "ctl.event.error_code_flag", .section = ENTRY,
	  .field = VMCS_ENTRY_INTR_INFO, .when = injects_event, .bad = bad_error_code_flag,
	  .rule = "\"deliver error code\" (bit 11) must be 1 for hardware exceptions 8, 10-14 and 17 of a guest in protected mode, and 0 for all else",
	  .mend = "flip bit 11" },
	{ .id = "ctl.event.reserved", .section = ENTRY,
	  .field = VMCS_ENTRY_INTR_INFO, .when = injects_event, .bad = bad_event_reserved,
	  .arg = 0x7fffd000,
	  .rule = "bits 30:12 must be 0, but bit 13 where IA32_VMX_BASIC[58] is 1",
	  .mend = "clear them; an IDT-vectoring information field may have bit 12 set" },
	{ .id = "ctl.event.error_code", .section = ENTRY,
	  .field = VMCS_ENTRY_ERROR_CODE, .when = with_error_code,
	  .bad = bad_ones, .arg = 0xffff0000, .rule = "bits 31:16 must be 0",
	  .mend = "give a 16-bit error code" },
	{ .id = "ctl.event.length", .section = ENTRY,
	  .field = VMCS_ENTRY_INSTRUCTION_LEN, .when = software_event,
	  .bad = bad_event_length,
	  .rule = "must be 1 to 15 for a software event (0 only if IA32_VMX_MISC[30] is 1)",
	  .mend = "give the length of the INT, INT3 or INTO instruction" },
	{ .id = "ctl.event.syscall_length", .section = ENTRY,
	  .field = VMCS_ENTRY_INSTRUCTION_LEN, .when = syscall_event,
	  .bad = bad_syscall_length,
	  .rule = "must be at most 15 for SYSCALL and SYSENTER",
	  .mend = "give the length of the instruction" },
	MSR_AREA("entry_msr_load", ENTRY, ENTRY_MSR_LOAD_ADDR,
		 ENTRY_MSR_LOAD_COUNT, loads_entry_msrs),
	{ .id = "ctl.entry_smm", .section = ENTRY, .field = VMCS_ENTRY_CTLS,
	  .bad = bad_ones, .arg = 1 << ENTRY_SMM | 1 << ENTRY_DUAL_MONITOR,
	  .rule = "\"entry to SMM\" (bit 10) and \"deactivate dual-monitor treatment\" (bit 11) must be 0 outside SMM",
	  .mend = "clear both: Linux never runs in SMM" },
};

const struct rules explain_ctl_rules = { ctl_rules, ARRAY_SIZE(ctl_rules) };
