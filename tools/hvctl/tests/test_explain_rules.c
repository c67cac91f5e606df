// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule of VM entry is violated once in an otherwise valid VMCS, and exactly
 * that rule must be found; nothing else is, whatever is not known.
 */
#include "explain_test.h"

/* --- the violations --- */

/* The field is that of ES; the register's own is meant. */
#define OWN(field)	((uint32_t)VMCS_GUEST_ES_##field | 1U << 31)

struct violation {
	const char *id;
	uint32_t segs;		/* 0: all the rule has */
	const struct set *mode;	/* NULL: long mode */
	struct set sets[6];
};

#define SEGMENT(name)	(1U << TINYVMX_##name)
#define EVENT(type, vector)	(BIT(31) | (uint64_t)(type) << 8 | (vector))

#define SHADOWLESS(bit)	{ { VMCS_PROC2_CTLS, PROC2 | BIT(bit) } }
#define EPTLESS(bit)	{ { VMCS_PROC2_CTLS, BIT(bit) } }
#define ADDRESS2(bit, field, value) \
	{ { VMCS_PROC2_CTLS, PROC2 | BIT(bit) }, { VMCS_##field, value } }
#define PROC3(bits) \
	{ VMCS_PROC_CTLS, PROC | BIT(PROC_TERTIARY) | BIT(PROC_TPR_SHADOW) }, \
	{ VMCS_PROC3_CTLS, bits }
#define AREA(area, address, count) \
	{ { VMCS_##area##_ADDR, address }, { VMCS_##area##_COUNT, count } }

#define FRED_ON	{ VMCS_GUEST_CR4, 0x2020 | X86_CR4_FRED }
#define GUEST_FRED	{ VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_FRED) }
#define GUEST_RTIT	{ VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_RTIT) }
#define GUEST_LBR	{ VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_LBR) }
#define HOST_FRED \
	{ VMCS_EXIT_CTLS, EXIT | BIT(EXIT_SECONDARY) }, { VMCS_EXIT2_CTLS, BIT(EXIT2_LOAD_FRED) }

static const struct violation violations[] = {
	{ "ctl.pin", 0, NULL, { { VMCS_PIN_CTLS, PIN | BIT(8) } } },
	{ "ctl.pin", 0, NULL, { { VMCS_PIN_CTLS, PIN & ~BIT(1) } } },
	{ "ctl.proc", 0, NULL, { { VMCS_PROC_CTLS, PROC | BIT(18) } } },
	{ "ctl.proc2", 0, NULL, { { VMCS_PROC2_CTLS, PROC2 | BIT(29) } } },
	{ "ctl.proc3", 0, NULL, { PROC3(BIT(63)) } },
	{ "ctl.cr3_targets", 0, NULL, { { VMCS_CR3_TARGET_COUNT, 5 } } },
	{ "ctl.io_bitmap_a", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_IO_BITMAPS) }, { VMCS_IO_BITMAP_A, 0x800 } } },
	{ "ctl.io_bitmap_b", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_IO_BITMAPS) }, { VMCS_IO_BITMAP_B, TOO_HIGH } } },
	{ "ctl.msr_bitmap", 0, NULL, { { VMCS_MSR_BITMAP, 0x2001 } } },
	{ "ctl.virtual_apic", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) }, { VMCS_VIRTUAL_APIC_ADDR, 8 } } },
	{ "ctl.tpr_threshold", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) }, { VMCS_TPR_THRESHOLD, 16 } } },
	{ "ctl.x2apic_shadow", 0, NULL, SHADOWLESS(PROC2_X2APIC) },
	{ "ctl.apic_registers_shadow", 0, NULL, SHADOWLESS(PROC2_APIC_REGISTERS) },
	{ "ctl.virtual_intr_shadow", 0, NULL, SHADOWLESS(PROC2_VIRTUAL_INTR) },
	{ "ctl.ipi_shadow", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TERTIARY) }, { VMCS_PROC3_CTLS, BIT(PROC3_IPI) } } },
	{ "ctl.virtual_nmis", 0, NULL,
	  { { VMCS_PIN_CTLS, PIN_1 | BIT(PIN_VIRTUAL_NMIS) } } },
	{ "ctl.nmi_window", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_NMI_WINDOW) } } },
	{ "ctl.apic_access", 0, NULL, ADDRESS2(PROC2_APIC_ACCESSES, APIC_ACCESS_ADDR, 0x10) },
	{ "ctl.x2apic_accesses", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) },
	    { VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_X2APIC) | BIT(PROC2_APIC_ACCESSES) } } },
	{ "ctl.virtual_intr_exiting", 0, NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) },
	    { VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VIRTUAL_INTR) },
	    { VMCS_PIN_CTLS, PIN_1 } } },
	{ "ctl.posted_delivery", 0, NULL,
	  { { VMCS_PIN_CTLS, PIN | BIT(PIN_POSTED_INTERRUPTS) } } },
#define POSTED \
	{ VMCS_PIN_CTLS, PIN | BIT(PIN_POSTED_INTERRUPTS) }, \
	{ VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) }, \
	{ VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VIRTUAL_INTR) }
	{ "ctl.posted_ack", 0, NULL,
	  { POSTED, { VMCS_EXIT_CTLS, EXIT & ~BIT(EXIT_ACK_INTERRUPT) } } },
	{ "ctl.posted_vector", 0, NULL, { POSTED, { VMCS_POSTED_INTR_VECTOR, 256 } } },
	{ "ctl.posted_desc", 0, NULL, { POSTED, { VMCS_POSTED_INTR_DESC_ADDR, 32 } } },
	{ "ctl.vpid", 0, NULL, SHADOWLESS(PROC2_VPID) },
	{ "ctl.eptp.type", 0, NULL, { { VMCS_EPTP, 0x3018 } } },
	{ "ctl.eptp.walk", 0, NULL, { { VMCS_EPTP, 0x3026 } } },
	{ "ctl.eptp.ad", 0, NULL, { { VMCS_EPTP, 0x305e } } },
	{ "ctl.eptp.sss", 0, NULL, { { VMCS_EPTP, 0x309e } } },
	{ "ctl.eptp.reserved", 0, NULL, { { VMCS_EPTP, 0x381e } } },
	{ "ctl.eptp.reserved", 0, NULL, { { VMCS_EPTP, TOO_HIGH | 0x1e } } },
	{ "ctl.unrestricted_ept", 0, NULL, EPTLESS(PROC2_UNRESTRICTED) },
	{ "ctl.mode_based_ept", 0, NULL, EPTLESS(PROC2_MODE_BASED_EXEC) },
	{ "ctl.pml_ept", 0, NULL, EPTLESS(PROC2_PML) },
	{ "ctl.spp_ept", 0, NULL, EPTLESS(PROC2_SPP) },
	{ "ctl.pt_gpa_ept", 0, NULL,
	  { { VMCS_PROC2_CTLS, BIT(PROC2_PT_GPA) },
	    { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_RTIT) },
	    { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_CLEAR_RTIT) } } },
	{ "ctl.pt_gpa_rtit", 0, NULL, SHADOWLESS(PROC2_PT_GPA) },
	{ "ctl.pml", 0, NULL, ADDRESS2(PROC2_PML, PML_ADDR, TOO_HIGH) },
	{ "ctl.sppt", 0, NULL, ADDRESS2(PROC2_SPP, SPPTP, 0x100) },
	{ "ctl.vm_functions", 0, NULL, ADDRESS2(PROC2_VM_FUNCTIONS, VM_FUNCTION_CTLS, 2) },
	{ "ctl.eptp_switching_ept", 0, NULL,
	  { { VMCS_PROC2_CTLS, BIT(PROC2_VM_FUNCTIONS) }, { VMCS_VM_FUNCTION_CTLS, 1 } } },
	{ "ctl.eptp_list", 0, NULL,
	  { { VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VM_FUNCTIONS) },
	    { VMCS_VM_FUNCTION_CTLS, 1 }, { VMCS_EPTP_LIST_ADDR, 8 } } },
	{ "ctl.vmread_bitmap", 0, NULL, ADDRESS2(PROC2_SHADOWING, VMREAD_BITMAP, 1) },
	{ "ctl.vmwrite_bitmap", 0, NULL, ADDRESS2(PROC2_SHADOWING, VMWRITE_BITMAP, 1) },
	{ "ctl.ve_info", 0, NULL, ADDRESS2(PROC2_VE, VE_INFO_ADDR, 0x40) },
	{ "ctl.tsc_multiplier", 0, NULL, SHADOWLESS(PROC2_TSC_SCALING) },
#define HLAT_EPTLESS(bit) { PROC3(BIT(bit)), { VMCS_PROC2_CTLS, BIT(3) } }
	{ "ctl.hlat_ept", 0, NULL, HLAT_EPTLESS(PROC3_HLAT) },
	{ "ctl.paging_write_ept", 0, NULL, HLAT_EPTLESS(PROC3_PAGING_WRITE) },
	{ "ctl.paging_verify_ept", 0, NULL, HLAT_EPTLESS(PROC3_PAGING_VERIFY) },
	{ "ctl.hlatp", 0, NULL, { PROC3(BIT(PROC3_HLAT)), { VMCS_HLATP, 0x1020 } } },
	{ "ctl.pid_table", 0, NULL, { PROC3(BIT(PROC3_IPI)), { VMCS_PID_POINTER_TABLE, 4 } } },
	{ "ctl.pid_table.end", 0, NULL,
	  { PROC3(BIT(PROC3_IPI)), { VMCS_PID_POINTER_TABLE, TOO_HIGH - 8 },
	    { VMCS_LAST_PID_POINTER_INDEX, 1 } } },

	{ "ctl.exit", 0, NULL, { { VMCS_EXIT_CTLS, EXIT & ~BIT(0) } } },
	{ "ctl.exit2", 0, NULL,
	  { { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_SECONDARY) }, { VMCS_EXIT2_CTLS, BIT(40) } } },
	{ "ctl.save_timer", 0, NULL, { { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_SAVE_TIMER) } } },
	{ "ctl.exit_msr_store", 0, NULL, AREA(EXIT_MSR_STORE, 8, 1) },
	{ "ctl.exit_msr_store.end", 0, NULL, AREA(EXIT_MSR_STORE, TOO_HIGH - 16, 2) },
	{ "ctl.exit_msr_load", 0, NULL, AREA(EXIT_MSR_LOAD, 8, 1) },
	{ "ctl.exit_msr_load.end", 0, NULL, AREA(EXIT_MSR_LOAD, TOO_HIGH - 16, 2) },
	{ "ctl.entry", 0, NULL, { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(31) } } },
	{ "ctl.event.type", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(1, 0) } } },
	{ "ctl.event.vector", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(2, 3) } } },
	{ "ctl.event.vector", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 32) } } },
	{ "ctl.event.vector", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(7, 1) } } },
	{ "ctl.event.error_code_flag", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) } } },
	{ "ctl.event.error_code_flag", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(11) } } },
	{ "ctl.event.error_code_flag", 0, real_mode,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) } } },
	{ "ctl.event.reserved", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(12) } } },
	{ "ctl.event.error_code", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) },
	    { VMCS_ENTRY_ERROR_CODE, 0x10000 } } },
	{ "ctl.event.length", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(4, 0x80) } } },
	{ "ctl.event.length", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(6, 3) }, { VMCS_ENTRY_INSTRUCTION_LEN, 16 } } },
	{ "ctl.entry_msr_load", 0, NULL, AREA(ENTRY_MSR_LOAD, 8, 1) },
	{ "ctl.entry_msr_load.end", 0, NULL, AREA(ENTRY_MSR_LOAD, TOO_HIGH - 16, 2) },
	{ "ctl.event.vector", 0, NULL, { FRED_ON, { VMCS_ENTRY_INTR_INFO, EVENT(7, 3) } } },
	{ "ctl.event.reserved", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(13) } } },
	{ "ctl.event.syscall_length", 0, NULL,
	  { FRED_ON, { VMCS_ENTRY_INTR_INFO, EVENT(7, 2) }, { VMCS_ENTRY_INSTRUCTION_LEN, 16 } } },
	{ "ctl.entry_smm", 0, NULL, { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_SMM) } } },

	{ "host.cr0", 0, NULL, { { VMCS_HOST_CR0, 0x80050013 } } },
	{ "host.cr4", 0, NULL, { { VMCS_HOST_CR4, 0x20 } } },
	{ "host.cr4.cet", 0, NULL, { { VMCS_HOST_CR4, 0x802020 }, { VMCS_HOST_CR0, 0x80040033 } } },
	{ "host.cr3", 0, NULL, { { VMCS_HOST_CR3, TOO_HIGH } } },
	{ "host.sysenter_esp", 0, NULL, { { VMCS_HOST_SYSENTER_ESP, ODD_HALF } } },
	{ "host.sysenter_eip", 0, NULL, { { VMCS_HOST_SYSENTER_EIP, ODD_HALF } } },
	{ "host.pat", 0, NULL, { { VMCS_HOST_PAT, 0x0007040600070402 } } },
	{ "host.efer.reserved", 0, NULL, { { VMCS_HOST_EFER, 0x1d01 } } },
	{ "host.efer.mode", 0, NULL, { { VMCS_HOST_EFER, 0x901 } } },
#define HOST_CET	{ VMCS_EXIT_CTLS, EXIT | BIT(EXIT_LOAD_CET) }
	{ "host.s_cet", 0, NULL, { HOST_CET, { VMCS_HOST_S_CET, 0x40 } } },
	{ "host.ssp", 0, NULL, { HOST_CET, { VMCS_HOST_SSP, 2 } } },
	{ "host.ssp.canonical", 0, NULL, { HOST_CET, { VMCS_HOST_SSP, ODD_HALF } } },
	{ "host.ssp_table", 0, NULL, { HOST_CET, { VMCS_HOST_SSP_TABLE, ODD_HALF } } },
	{ "host.pkrs", 0, NULL,
	  { { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_LOAD_PKRS) }, { VMCS_HOST_PKRS, BIT(32) } } },
	{ "host.perf_global", 0, NULL,
	  { { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_LOAD_PERF_GLOBAL) },
	    { VMCS_HOST_PERF_GLOBAL_CTRL, BIT(4) } } },
	{ "host.perf_global", 0, NULL,
	  { { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_LOAD_PERF_GLOBAL) },
	    { VMCS_HOST_PERF_GLOBAL_CTRL, BIT(49) } } },
	{ "host.fred_config", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_CONFIG, BIT(2) } } },
	{ "host.fred_config", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_CONFIG, ODD_HALF } } },
	{ "host.fred_rsp1", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_RSP1, 0x20 } } },
	{ "host.fred_rsp2", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_RSP2, ODD_HALF } } },
	{ "host.fred_rsp3", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_RSP3, 1 } } },
	{ "host.fred_ssp1", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_SSP1, 4 } } },
	{ "host.fred_ssp2", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_SSP2, ODD_HALF } } },
	{ "host.fred_ssp3", 0, NULL, { HOST_FRED, { VMCS_HOST_FRED_SSP3, 1 } } },
	{ "host.es", 0, NULL, { { VMCS_HOST_ES_SELECTOR, 0x1b } } },
	{ "host.cs", 0, NULL, { { VMCS_HOST_CS_SELECTOR, 0x13 } } },
	{ "host.ss", 0, NULL, { { VMCS_HOST_SS_SELECTOR, 0x1c } } },
	{ "host.ds", 0, NULL, { { VMCS_HOST_DS_SELECTOR, 1 } } },
	{ "host.fs", 0, NULL, { { VMCS_HOST_FS_SELECTOR, 1 } } },
	{ "host.gs", 0, NULL, { { VMCS_HOST_GS_SELECTOR, 1 } } },
	{ "host.tr", 0, NULL, { { VMCS_HOST_TR_SELECTOR, 0x44 } } },
	{ "host.cs.null", 0, NULL, { { VMCS_HOST_CS_SELECTOR, 0 } } },
	{ "host.tr.null", 0, NULL, { { VMCS_HOST_TR_SELECTOR, 0 } } },
	{ "host.fs.base", 0, NULL, { { VMCS_HOST_FS_BASE, ODD_HALF } } },
	{ "host.gs.base", 0, NULL, { { VMCS_HOST_GS_BASE, ODD_HALF } } },
	{ "host.tr.base", 0, NULL, { { VMCS_HOST_TR_BASE, ODD_HALF } } },
	{ "host.gdtr.base", 0, NULL, { { VMCS_HOST_GDTR_BASE, ODD_HALF } } },
	{ "host.idtr.base", 0, NULL, { { VMCS_HOST_IDTR_BASE, ODD_HALF } } },
	{ "host.space", 0, NULL,
	  { { VMCS_EXIT_CTLS, (EXIT & ~BIT(EXIT_HOST_64)) & ~BIT(EXIT_LOAD_EFER) } } },
	{ "host.cr4.pae", 0, NULL, { { VMCS_HOST_CR4, 0x2000 } } },
	{ "host.rip", 0, NULL, { { VMCS_HOST_RIP, ODD_HALF } } },

	{ "guest.cr0", 0, NULL, { { VMCS_GUEST_CR0, 0x80050013 } } },
	{ "guest.cr0", 0, user_mode,
	  { { VMCS_GUEST_CR0, 0x50033 }, { VMCS_ENTRY_CTLS, ENTRY }, { VMCS_GUEST_EFER, 0 } } },
	{ "guest.cr0.pg", 0, real_mode, { { VMCS_GUEST_CR0, 0x80000030 } } },
	{ "guest.cr4", 0, NULL, { { VMCS_GUEST_CR4, 0x20 } } },
	{ "guest.cr4", 0, NULL, { { VMCS_GUEST_CR4, 0x102020 | BIT(15) } } },
	{ "guest.cr4.cet", 0, NULL,
	  { { VMCS_GUEST_CR4, 0x802020 }, { VMCS_GUEST_CR0, 0x80040033 } } },
	{ "guest.debugctl", 0, NULL, { { VMCS_GUEST_DEBUGCTL, 0x8 } } },
	{ "guest.cr0.ia32e", 0, NULL, { { VMCS_GUEST_CR0, 0x50033 } } },
	{ "guest.cr4.ia32e", 0, NULL, { { VMCS_GUEST_CR4, 0x2000 } } },
	{ "guest.cr4.pcide", 0, pae_mode, { { VMCS_GUEST_CR4, 0x22020 } } },
	{ "guest.cr4.fred", 0, pae_mode, { FRED_ON } },
	{ "guest.cr3", 0, NULL, { { VMCS_GUEST_CR3, TOO_HIGH } } },
	{ "guest.dr7", 0, NULL, { { VMCS_GUEST_DR7, BIT(32) | 0x400 } } },
	{ "guest.sysenter_esp", 0, NULL, { { VMCS_GUEST_SYSENTER_ESP, ODD_HALF } } },
	{ "guest.sysenter_eip", 0, NULL, { { VMCS_GUEST_SYSENTER_EIP, ODD_HALF } } },
#define GUEST_CET	{ VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_CET) }
	{ "guest.s_cet", 0, NULL, { GUEST_CET, { VMCS_GUEST_S_CET, 0xc00 } } },
	{ "guest.ssp_table", 0, NULL, { GUEST_CET, { VMCS_GUEST_SSP_TABLE, ODD_HALF } } },
	{ "guest.perf_global", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL) },
	    { VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(63) } } },
	{ "guest.perf_global", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL) },
	    { VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(35) } } },
	{ "guest.pat", 0, NULL, { { VMCS_GUEST_PAT, 0x0807040600070406 } } },
	{ "guest.efer.reserved", 0, NULL, { { VMCS_GUEST_EFER, 0x502 } } },
	{ "guest.efer.lma", 0, NULL, { { VMCS_GUEST_EFER, 0 } } },
	{ "guest.efer.lma", 0, pae_mode, { { VMCS_GUEST_EFER, 0x500 } } },
	{ "guest.efer.lme", 0, NULL, { { VMCS_GUEST_EFER, 0x400 } } },
	{ "guest.efer.lme", 0, pae_mode, { { VMCS_GUEST_EFER, 0x100 } } },
	{ "guest.bndcfgs", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_BNDCFGS) }, { VMCS_GUEST_BNDCFGS, 4 } } },
	{ "guest.rtit_ctl", 0, NULL, { GUEST_RTIT, { VMCS_GUEST_RTIT_CTL, BIT(18) } } },
	{ "guest.rtit_ctl", 0, NULL, { GUEST_RTIT, { VMCS_GUEST_RTIT_CTL, BIT(8) } } },
	{ "guest.lbr_ctl", 0, NULL, { GUEST_LBR, { VMCS_GUEST_LBR_CTL, BIT(4) } } },
	{ "guest.lbr_ctl", 0, NULL, { GUEST_LBR, { VMCS_GUEST_LBR_CTL, BIT(16) } } },
	{ "guest.uinv", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_UINV) }, { VMCS_GUEST_UINV, 256 } } },
	{ "guest.pkrs", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PKRS) }, { VMCS_GUEST_PKRS, BIT(32) } } },

	{ "guest.fred_config", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_CONFIG, BIT(5) } } },
	{ "guest.fred_config", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_CONFIG, BIT(11) } } },
	{ "guest.fred_config", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_CONFIG, BIT(47) } } },
	{ "guest.fred_rsp1", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_RSP1, 1 } } },
	{ "guest.fred_rsp2", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_RSP2, 0x20 } } },
	{ "guest.fred_rsp3", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_RSP3, BIT(47) } } },
	{ "guest.fred_ssp1", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_SSP1, 1 } } },
	{ "guest.fred_ssp2", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_SSP2, 4 } } },
	{ "guest.fred_ssp3", 0, NULL, { GUEST_FRED, { VMCS_GUEST_FRED_SSP3, ODD_HALF } } },

	{ "guest.seg.ti", 0, NULL, { { OWN(SELECTOR), 0x2c } } },
	{ "guest.ss.rpl", 0, user_mode, { { VMCS_GUEST_CS_SELECTOR, 0x20 } } },
	{ "guest.seg.v86.base", 0, v86_mode, { { OWN(BASE), 0x7c00 } } },
	{ "guest.seg.v86.limit", 0, v86_mode, { { OWN(LIMIT), 0xfffff } } },
	{ "guest.seg.v86.ar", 0, v86_mode, { { OWN(AR), 0x93 } } },
	{ "guest.seg.base", 0, NULL, { { OWN(BASE), ODD_HALF } } },
	{ "guest.seg.base.high", 0, NULL, { { OWN(BASE), 1ULL << 32 } } },
	{ "guest.cs.type", 0, NULL, { { VMCS_GUEST_CS_AR, 0xa09a } } },
	{ "guest.cs.type", 0, NULL, { { VMCS_GUEST_CS_AR, 0xa097 } } },
	{ "guest.ss.type", 0, NULL, { { VMCS_GUEST_SS_AR, 0xc091 } } },
	{ "guest.seg.accessed", 0, NULL, { { OWN(AR), 0xc092 } } },
	{ "guest.seg.readable", 0, NULL, { { OWN(AR), 0xc099 } } },
	{ "guest.seg.s", 0, NULL, { { OWN(AR), DATA32 & ~0x10 } } },
	{ "guest.cs.dpl.data", 0, real_mode, { { VMCS_GUEST_CS_AR, 0xf3 } } },
	{ "guest.cs.dpl.nonconforming", 0, NULL, { { VMCS_GUEST_CS_AR, CODE64 | 0x60 } } },
	{ "guest.cs.dpl.conforming", 0, NULL, { { VMCS_GUEST_CS_AR, CODE64 | 0x24 } } },
	{ "guest.ss.dpl.rpl", 0, user_mode,
	  { { VMCS_GUEST_CS_AR, CODE64 | 0x40 }, { VMCS_GUEST_SS_AR, DATA32 | 0x40 } } },
	{ "guest.ss.dpl.zero", 0, real_mode,
	  { { VMCS_GUEST_SS_AR, 0xf3 }, { VMCS_GUEST_CS_AR, 0xfb } } },
	{ "guest.ss.dpl.zero", 0, NULL,
	  { { VMCS_GUEST_SS_AR, DATA32 | 0x60 }, { VMCS_GUEST_CS_AR, DATA32 } } },
	{ "guest.ss.dpl.fred", 0, NULL,
	  { FRED_ON, { VMCS_GUEST_CS_AR, CODE64 | 0x20 }, { VMCS_GUEST_SS_AR, DATA32 | 0x20 } } },
	{ "guest.seg.dpl", 0, user_mode,
	  { { OWN(SELECTOR), 0x2b }, { OWN(AR), DATA32 | 0x40 } } },
	{ "guest.seg.present", SEGMENT(LDTR), NULL, { { VMCS_GUEST_LDTR_AR, 0x02 } } },
	{ "guest.seg.present", SEGMENT(TR), NULL, { { VMCS_GUEST_TR_AR, 0x0b } } },
	{ "guest.seg.present", SEGMENT(CS), NULL, { { VMCS_GUEST_CS_AR, CODE64 & ~0x80 } } },
	{ "guest.seg.present", ~(SEGMENT(CS) | SEGMENT(LDTR) | SEGMENT(TR)), NULL,
	  { { OWN(AR), DATA32 & ~0x80 } } },
	{ "guest.seg.reserved", SEGMENT(LDTR), NULL, { { VMCS_GUEST_LDTR_AR, 0x20082 } } },
	{ "guest.seg.reserved", SEGMENT(TR), NULL, { { VMCS_GUEST_TR_AR, 0x18b } } },
	{ "guest.seg.reserved", SEGMENT(CS), NULL, { { VMCS_GUEST_CS_AR, CODE64 | 0x800 } } },
	{ "guest.seg.reserved", ~(SEGMENT(CS) | SEGMENT(LDTR) | SEGMENT(TR)), NULL,
	  { { OWN(AR), DATA32 | 0x100 } } },
	{ "guest.cs.db", 0, NULL, { { VMCS_GUEST_CS_AR, CODE64 | 0x4000 } } },
	{ "guest.cs.l.fred", 0, NULL, { FRED_ON, { VMCS_GUEST_CS_AR, CODE32 } } },
	{ "guest.seg.granularity", 0, NULL, { { OWN(LIMIT), 0xfffffffe } } },
	{ "guest.tr.type", 0, NULL, { { VMCS_GUEST_TR_AR, 0x83 } } },
	{ "guest.tr.type", 0, pae_mode, { { VMCS_GUEST_TR_AR, 0x89 } } },
	{ "guest.ldtr.type", 0, NULL, { { VMCS_GUEST_LDTR_AR, 0x83 } } },
	{ "guest.seg.system", SEGMENT(LDTR), NULL, { { VMCS_GUEST_LDTR_AR, 0x92 } } },
	{ "guest.seg.system", SEGMENT(TR), NULL, { { VMCS_GUEST_TR_AR, 0x9b } } },
	{ "guest.tr.usable", 0, NULL, { { VMCS_GUEST_TR_AR, 0x1008b } } },

	{ "guest.gdtr.base", 0, NULL, { { VMCS_GUEST_GDTR_BASE, ODD_HALF } } },
	{ "guest.idtr.base", 0, NULL, { { VMCS_GUEST_IDTR_BASE, ODD_HALF } } },
	{ "guest.gdtr.limit", 0, NULL, { { VMCS_GUEST_GDTR_LIMIT, 0x10000 } } },
	{ "guest.idtr.limit", 0, NULL, { { VMCS_GUEST_IDTR_LIMIT, 0x10000 } } },

	{ "guest.rip.high", 0, pae_mode, { { VMCS_GUEST_RIP, BIT(32) } } },
	{ "guest.rip.high", 0, NULL,
	  { { VMCS_GUEST_RIP, BIT(32) }, { VMCS_GUEST_CS_AR, CODE32 } } },
	{ "guest.rip", 0, NULL, { { VMCS_GUEST_RIP, BIT(48) } } },
	{ "guest.rflags.reserved", 0, NULL, { { VMCS_GUEST_RFLAGS, 0xa } } },
	{ "guest.rflags.one", 0, NULL, { { VMCS_GUEST_RFLAGS, 0 } } },
	{ "guest.rflags.vm", 0, NULL, { { VMCS_GUEST_RFLAGS, 0x20002 } } },
	{ "guest.rflags.vm", 0, real_mode, { { VMCS_GUEST_RFLAGS, 0x20002 } } },
	{ "guest.rflags.iopl.fred", 0, user_mode, { FRED_ON, { VMCS_GUEST_RFLAGS, 0x1002 } } },
	{ "guest.rflags.if", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(0, 0x20) } } },
	{ "guest.ssp.align", 0, NULL, { GUEST_CET, { VMCS_GUEST_SSP, 1 } } },
	{ "guest.ssp", 0, NULL, { GUEST_CET, { VMCS_GUEST_SSP, BIT(48) } } },

	{ "guest.activity", 0, NULL, { { VMCS_GUEST_ACTIVITY, 4 } } },
	{ "guest.activity.supported", 0, NULL, { { VMCS_GUEST_ACTIVITY, 2 } } },
	{ "guest.activity.hlt", 0, user_mode, { { VMCS_GUEST_ACTIVITY, 1 } } },
	{ "guest.activity.blocking", 0, NULL,
	  { { VMCS_GUEST_ACTIVITY, 1 }, { VMCS_GUEST_INTERRUPTIBILITY, 2 } } },
	{ "guest.activity.event", 0, NULL,
	  { { VMCS_GUEST_ACTIVITY, 1 }, { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) } } },
	{ "guest.blocking.reserved", 0, NULL, { { VMCS_GUEST_INTERRUPTIBILITY, 0x20 } } },
	{ "guest.blocking.both", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 3 }, { VMCS_GUEST_RFLAGS, 0x202 } } },
	{ "guest.blocking.sti", 0, NULL, { { VMCS_GUEST_INTERRUPTIBILITY, 1 } } },
	{ "guest.blocking.sti.fred", 0, user_mode,
	  { FRED_ON, { VMCS_GUEST_INTERRUPTIBILITY, 1 }, { VMCS_GUEST_RFLAGS, 0x202 } } },
	{ "guest.blocking.extint", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 2 }, { VMCS_GUEST_RFLAGS, 0x202 },
	    { VMCS_ENTRY_INTR_INFO, EVENT(0, 0x20) } } },
	{ "guest.blocking.nmi", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 2 }, { VMCS_ENTRY_INTR_INFO, EVENT(2, 2) } } },
	{ "guest.blocking.nmi_sti", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 1 }, { VMCS_GUEST_RFLAGS, 0x202 },
	    { VMCS_ENTRY_INTR_INFO, EVENT(2, 2) } } },
	{ "guest.blocking.smi", 0, NULL, { { VMCS_GUEST_INTERRUPTIBILITY, 4 } } },
	{ "guest.blocking.virtual_nmi", 0, NULL,
	  { { VMCS_PIN_CTLS, PIN | BIT(PIN_VIRTUAL_NMIS) },
	    { VMCS_GUEST_INTERRUPTIBILITY, 8 }, { VMCS_ENTRY_INTR_INFO, EVENT(2, 2) } } },
	{ "guest.blocking.enclave", 0, NULL, { { VMCS_GUEST_INTERRUPTIBILITY, 0x10 } } },
	{ "guest.pending.reserved", 0, NULL, { { VMCS_GUEST_PENDING_DEBUG, 0x10 } } },
	{ "guest.pending.bs.set", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 2 }, { VMCS_GUEST_RFLAGS, 0x102 } } },
	{ "guest.pending.bs.clear", 0, NULL,
	  { { VMCS_GUEST_ACTIVITY, 1 }, { VMCS_GUEST_PENDING_DEBUG, 0x4000 } } },
	{ "guest.pending.rtm", 0, NULL, { { VMCS_GUEST_PENDING_DEBUG, 0x11000 } } },
	{ "guest.link_pointer", 0, NULL, { { VMCS_LINK_POINTER, 0x800 } } },
	{ "guest.link_pointer", 0, NULL, { { VMCS_LINK_POINTER, TOO_HIGH } } },
	{ "guest.pdpte0", 0, pae_mode, { { VMCS_GUEST_PDPTE0, 0x5003 } } },
	{ "guest.pdpte1", 0, pae_mode, { { VMCS_GUEST_PDPTE1, TOO_HIGH | 1 } } },
	{ "guest.pdpte2", 0, pae_mode, { { VMCS_GUEST_PDPTE2, 0x21 } } },
	{ "guest.pdpte3", 0, pae_mode, { { VMCS_GUEST_PDPTE3, 0x101 } } },
};

static const struct rules *const tables[] = {
	&explain_ctl_rules,
	&explain_host_rules,
	&explain_guest_register_rules,
	&explain_guest_segment_rules,
	&explain_guest_state_rules,
};

static const struct rule *find_rule(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t j = 0; j < tables[i]->count; j++)
			if (!strcmp(tables[i]->rule[j].id, id))
				return &tables[i]->rule[j];
	fail_msg("no rule %s", id);
	return NULL;
}

static void make_violation(const struct violation *v, unsigned int seg)
{
	make_vmcs(v->mode);
	for (size_t i = 0; i < ARRAY_SIZE(v->sets); i++) {
		uint32_t field = v->sets[i].field;

		if (field >> 31)
			field = (field & INT32_MAX) + 2 * seg;
		if (field || v->sets[i].value)
			set_field(field, v->sets[i].value);
	}
}

/* Nothing but @id was found, and that if at all. */
static void at_most(const char *id, size_t n)
{
	if (n > 1 || (n && strcmp(found[0].id, id)))
		complain(id, n);
	assert_true(n <= 1);
	if (n)
		assert_string_equal(found[0].id, id);
}

/* The same VMCS without field number @k */
static size_t find_without(const struct vmx_cpu *cpu, size_t k, struct explain_gaps *gaps)
{
	static struct tinyvmx_vmcs_field rest[ARRAY_SIZE(vmcs)];

	memcpy(rest, vmcs, sizeof(rest));
	rest[k] = rest[ARRAY_SIZE(vmcs) - 1];
	return explain_find(cpu, rest, ARRAY_SIZE(vmcs) - 1, found, ARRAY_SIZE(found), gaps);
}

static size_t index_of(uint32_t field)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		if (vmcs[i].encoding == field)
			return i;
	fail_msg("no field 0x%x", field);
	return 0;
}

static void violate(const struct violation *v, const struct rule *rule, unsigned int seg)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;
	size_t n;

	make_violation(v, seg);
	n = find(&cpu, &gaps);
	if (n != 1 || strcmp(found[0].id, v->id))
		complain(v->id, n);
	assert_int_equal(n, 1);
	assert_string_equal(found[0].id, v->id);
	assert_int_equal(found[0].field, rule->field + (rule->segs ? 2 * seg : 0));
	assert_non_null(strstr(found[0].text, vmx_field_name(found[0].field)));
	assert_null(strchr(found[0].text, '@'));
	assert_true(strlen(found[0].text) + 1 < sizeof(found[0].text));
	assert_int_equal(gaps.blanked + gaps.missing + gaps.unknown, 0);
	/* Where less is known, nothing else is found. */
	assert_int_equal(find_without(&cpu, index_of(found[0].field), &gaps), 0);
	assert_true(gaps.missing > 0);
	at_most(v->id, find(NULL, NULL));
}

static void test_each_rule_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(violations); i++) {
		const struct violation *v = &violations[i];
		const struct rule *rule = find_rule(v->id);
		uint32_t segs = rule->segs & (v->segs ? v->segs : UINT32_MAX);

		if (!rule->segs)
			violate(v, rule, 0);
		for (unsigned int seg = 0; seg < TINYVMX_NR_SEG; seg++)
			if (segs >> seg & 1)
				violate(v, rule, seg);
	}
}

static uint32_t violated_segs(const struct rule *rule)
{
	uint32_t segs = 0;

	for (size_t i = 0; i < ARRAY_SIZE(violations); i++)
		if (!strcmp(violations[i].id, rule->id))
			segs |= violations[i].segs ? violations[i].segs : UINT32_MAX;
	return segs;
}

/* A rule that is added has to be added above, too. */
static void test_no_rule_untested(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (size_t j = 0; j < tables[i]->count; j++) {
			const struct rule *rule = &tables[i]->rule[j];
			uint32_t want = rule->segs ? rule->segs : 1;

			if (want & ~violated_segs(rule))
				fail_msg("%s is not tested", rule->id);
			assert_ptr_equal(rule, find_rule(rule->id));
		}
	}
}

static void test_valid(void **state)
{
	static const struct set *const modes[] = {
		NULL, pae_mode, real_mode, v86_mode, user_mode,
	};
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		make_vmcs(modes[i]);
		n = find(&cpu, &gaps);
		if (n)
			complain("nothing", n);
		assert_int_equal(n, 0);
		assert_int_equal(gaps.blanked + gaps.missing + gaps.unknown, 0);
		/* nothing is found either where less is known */
		assert_int_equal(find(NULL, &gaps), 0);
		assert_true(gaps.unknown > 0);
	}
}

/* What looks wrong and is not; @id says what it is. */
static const struct violation legal[] = {
	{ "unusable data segments", 0, NULL,
	  { { VMCS_GUEST_DS_AR, 0x10000 },
	    { VMCS_GUEST_DS_BASE, ODD_HALF },
	    { VMCS_GUEST_SS_AR, 0x1ff00 },
	    { VMCS_GUEST_LDTR_AR, 0x10000 },
	    { VMCS_GUEST_LDTR_BASE, ODD_HALF },
	    { VMCS_GUEST_LDTR_SELECTOR, 4 } } },
	{ "data in CS of an unrestricted guest", 0, real_mode,
	  { { VMCS_GUEST_CS_AR, 0x93 } } },
	{ "RIP one beyond the lower half", 0, NULL, { { VMCS_GUEST_RIP, BIT(47) } } },
	{ "16-bit TSS outside IA-32e mode", 0, pae_mode, { { VMCS_GUEST_TR_AR, 0x83 } } },
	{ "interrupt that wakes from HLT", 0, NULL,
	  { { VMCS_GUEST_ACTIVITY, 1 },
	    { VMCS_GUEST_RFLAGS, 0x202 },
	    { VMCS_ENTRY_INTR_INFO, EVENT(0, 0x30) } } },
	{ "#GP with error code", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) },
	    { VMCS_ENTRY_ERROR_CODE, 0xffff } } },
	{ "#GP without error code in real mode", 0, real_mode,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) } } },
	{ "pending single step under MOV SS", 0, NULL,
	  { { VMCS_GUEST_INTERRUPTIBILITY, 2 },
	    { VMCS_GUEST_RFLAGS, 0x102 },
	    { VMCS_GUEST_PENDING_DEBUG, 0x4000 } } },
	{ "EFER.LME before paging", 0, real_mode, { { VMCS_GUEST_EFER, 0x100 } } },
	{ "stale injection fields", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, 0x7fffffff }, { VMCS_ENTRY_ERROR_CODE, UINT32_MAX } } },
	{ "controls in words not activated", 0, NULL,
	  { { VMCS_PROC3_CTLS, UINT64_MAX }, { VMCS_EXIT2_CTLS, UINT64_MAX } } },
	{ "conforming code below SS", 0, user_mode, { { VMCS_GUEST_CS_AR, CODE64 | 4 } } },
	{ "counters that there are", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL) },
	    { VMCS_EXIT_CTLS, EXIT | BIT(EXIT_LOAD_PERF_GLOBAL) },
	    { VMCS_GUEST_PERF_GLOBAL_CTRL, 0x70000000f },
	    { VMCS_HOST_PERF_GLOBAL_CTRL, 0x100000001 } } },
	{ "counters that there are not, and nobody loads", 0, NULL,
	  { { VMCS_GUEST_PERF_GLOBAL_CTRL, UINT64_MAX },
	    { VMCS_HOST_PERF_GLOBAL_CTRL, UINT64_MAX },
	    { VMCS_GUEST_LBR_CTL, UINT64_MAX },
	    { VMCS_GUEST_RTIT_CTL, UINT64_MAX } } },
	{ "last branch records of ring 0", 0, NULL, { GUEST_LBR, { VMCS_GUEST_LBR_CTL, 3 } } },
	{ "a trace with time stamps", 0, NULL, { GUEST_RTIT, { VMCS_GUEST_RTIT_CTL, 0x2c0d } } },
	{ "FRED state", 0, NULL,
	  { GUEST_FRED, { VMCS_GUEST_FRED_CONFIG, 0xffffffff810006cb },
	    { VMCS_GUEST_FRED_RSP2, 0xffff888000001000 - 64 }, { VMCS_GUEST_FRED_SSP3, 0x1008 },
	    { VMCS_GUEST_FRED_STKLVLS, UINT64_MAX }, FRED_ON } },
	{ "FRED state of the host", 0, NULL,
	  { HOST_FRED, { VMCS_HOST_FRED_CONFIG, 0xffffffff810006cb },
	    { VMCS_HOST_FRED_RSP3, 0xffff888000001000 - 64 }, { VMCS_HOST_FRED_SSP1, 0x1008 } } },
	{ "FRED state that nobody loads", 0, NULL,
	  { { VMCS_GUEST_FRED_CONFIG, 4 }, { VMCS_GUEST_FRED_RSP1, 1 },
	    { VMCS_HOST_FRED_CONFIG, 4 }, { VMCS_HOST_FRED_SSP2, ODD_HALF } } },
	{ "compatibility mode in ring 3 with FRED", 0, user_mode,
	  { FRED_ON, { VMCS_GUEST_CS_AR, CODE32 | 0x60 } } },
	{ "IOPL in ring 0 with FRED", 0, NULL, { FRED_ON, { VMCS_GUEST_RFLAGS, 0x3002 } } },
	{ "IOPL in ring 3 without FRED", 0, user_mode, { { VMCS_GUEST_RFLAGS, 0x3002 } } },
	{ "blocking by STI in ring 0 with FRED", 0, NULL,
	  { FRED_ON, { VMCS_GUEST_RFLAGS, 0x202 }, { VMCS_GUEST_INTERRUPTIBILITY, 1 } } },
	{ "blocking by STI in ring 3 without FRED", 0, user_mode,
	  { { VMCS_GUEST_RFLAGS, 0x202 }, { VMCS_GUEST_INTERRUPTIBILITY, 1 } } },
	{ "SYSCALL with FRED", 0, NULL,
	  { FRED_ON, { VMCS_ENTRY_INTR_INFO, EVENT(7, 1) }, { VMCS_ENTRY_INSTRUCTION_LEN, 2 } } },
	{ "MTF exit", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(7, 0) }, { VMCS_ENTRY_INSTRUCTION_LEN, 99 } } },
};

static void test_legal_oddities(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		make_violation(&legal[i], 0);
		n = find(&cpu, &gaps);
		if (n)
			complain(legal[i].id, n);
		assert_int_equal(n, 0);
		assert_int_equal(gaps.blanked + gaps.missing + gaps.unknown, 0);
		assert_int_equal(find(NULL, NULL), 0);
	}
}

/* Any field can be missing: then what hangs on it is not checked. */
static void test_each_field_missing(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		make_violation(&legal[i], 0);
		for (size_t k = 0; k < ARRAY_SIZE(vmcs); k++)
			at_most("nothing", find_without(&cpu, k, NULL) ? 2 : 0);
	}
	make_vmcs(NULL);
	assert_int_equal(find_without(&cpu, index_of(VMCS_PROC_CTLS), &gaps), 0);
	assert_true(gaps.missing > 20);
}

/* The same where something is wrong: nothing more becomes wrong. */
static void test_violations_with_fields_missing(void **state)
{
	struct vmx_cpu cpu = make_cpu();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(violations); i++) {
		const struct rule *rule = find_rule(violations[i].id);
		uint32_t segs = rule->segs & (violations[i].segs ? violations[i].segs : UINT32_MAX);

		make_violation(&violations[i], segs ? (unsigned int)__builtin_ctz(segs) : 0);
		for (size_t k = i % 7; k < ARRAY_SIZE(vmcs); k += 7)
			at_most(violations[i].id, find_without(&cpu, k, NULL));
	}
}

/* Good on one CPU and bad on another: of one that is not known neither is said. */
static const struct set doubtful[] = {
	{ VMCS_CR3_TARGET_COUNT, 3 },
	{ VMCS_HOST_CR3, BIT(40) },
	{ VMCS_HOST_CR3, BIT(61) },
	{ VMCS_HOST_RIP, BIT(50) },
	{ VMCS_GUEST_CR3, BIT(40) },
	{ VMCS_GUEST_CR3, BIT(62) | 0x1000 },
	{ VMCS_GUEST_SYSENTER_EIP, BIT(50) },
	{ VMCS_GUEST_RIP, BIT(52) },
	{ VMCS_GUEST_INTERRUPTIBILITY, 0x10 },
	{ VMCS_GUEST_PENDING_DEBUG, BIT(11) },
	{ VMCS_GUEST_PENDING_DEBUG, BIT(16) | BIT(12) },
	{ VMCS_GUEST_PERF_GLOBAL_CTRL, 1 },
	{ VMCS_GUEST_LBR_CTL, 1 },
	{ VMCS_GUEST_RTIT_CTL, 1 },
	{ VMCS_LINK_POINTER, BIT(40) },
};

static void test_doubtful(void **state)
{
	static const struct set loads_all[] = {
		{ VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL) | BIT(ENTRY_LOAD_LBR) |
					   BIT(ENTRY_LOAD_RTIT) },
	};
	struct explain_gaps before, gaps;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(doubtful); i++) {
		make_vmcs(NULL);
		apply(loads_all, ARRAY_SIZE(loads_all));
		assert_int_equal(find(NULL, &before), 0);
		apply(&doubtful[i], 1);
		at_most("nothing", find(NULL, &gaps) ? 2 : 0);
		if (gaps.unknown != before.unknown + 1)
			fail_msg("%s: %zu rules unknown, then %zu",
				 vmx_field_name(doubtful[i].field), before.unknown, gaps.unknown);
	}
}

/* What no CPU takes is wrong on one that is not known, too. */
static void test_never_right(void **state)
{
	static const struct {
		const char *id;
		struct set set;
	} rows[] = {
		{ "host.cr0", { VMCS_HOST_CR0, 0x80050013 } },
		{ "guest.cr0", { VMCS_GUEST_CR0, 0x80050013 } },
		{ "guest.cr4", { VMCS_GUEST_CR4, 0x20 } },
		{ "guest.cr3", { VMCS_GUEST_CR3, BIT(52) } },
		{ "guest.cr3", { VMCS_GUEST_CR3, BIT(61) | BIT(52) } },
		{ "guest.sysenter_esp", { VMCS_GUEST_SYSENTER_ESP, BIT(58) } },
		{ "guest.rip", { VMCS_GUEST_RIP, BIT(60) } },
		{ "guest.pending.reserved", { VMCS_GUEST_PENDING_DEBUG, BIT(4) | BIT(11) } },
		{ "ctl.msr_bitmap", { VMCS_MSR_BITMAP, BIT(52) } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_vmcs(NULL);
		apply(&rows[i].set, 1);
		at_most(rows[i].id, find(NULL, NULL));
		assert_int_equal(find(NULL, NULL), 1);
	}
}

/* PERF_METRICS hangs on an MSR that is not known even where the CPU is. */
static void test_perf_metrics(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL));
	set_field(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(48));
	assert_int_equal(find(&cpu, &gaps), 0);
	assert_int_equal(gaps.unknown, 1);
	set_field(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(48) | BIT(40));
	assert_int_equal(find(&cpu, &gaps), 1);
	assert_int_equal(gaps.unknown, 0);
}

/* Where the cores differ, the counters of the one at hand say nothing. */
static void test_hybrid(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;

	(void)state;
	cpu.hybrid = true;
	make_vmcs(NULL);
	set_field(VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PERF_GLOBAL));
	set_field(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(7));
	assert_int_equal(find(&cpu, &gaps), 0);
	assert_int_equal(gaps.unknown, 1);
	set_field(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(60));
	assert_int_equal(find(&cpu, &gaps), 1);
	set_field(VMCS_GUEST_PERF_GLOBAL_CTRL, 0);
	assert_int_equal(find(&cpu, &gaps), 0);
	assert_int_equal(gaps.unknown, 0);
}

/* What IA32_VMX_BASIC allows beyond the rule */
static void test_basic_allows(void **state)
{
	struct vmx_cpu cpu = make_cpu();

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(13));
	assert_int_equal(find(&cpu, NULL), 1);
	cpu.msr[0] |= BIT(58);
	assert_int_equal(find(&cpu, NULL), 0);
	set_field(VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(11));
	assert_int_equal(find(&cpu, NULL), 1);
	cpu.msr[0] |= BIT(56);
	assert_int_equal(find(&cpu, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_legal_oddities),
		cmocka_unit_test(test_each_rule_alone),
		cmocka_unit_test(test_no_rule_untested),
		cmocka_unit_test(test_each_field_missing),
		cmocka_unit_test(test_violations_with_fields_missing),
		cmocka_unit_test(test_doubtful),
		cmocka_unit_test(test_never_right),
		cmocka_unit_test(test_perf_metrics),
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_basic_allows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
