/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the SDM calls things: exit reasons, VMCS fields, VM-instruction errors,
 * exit qualifications.
 */
#ifndef HV_VMX_NAMES_H
#define HV_VMX_NAMES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Every VMCS field: identifier, encoding (SDM, "Field Encoding in VMCS"), name.
 * The list is in ascending order; vmx_field_name() searches it by bisection.
 */
#define VMCS_FIELDS(X) \
	X(VPID, 0x0000, "virtual-processor identifier (VPID)") \
	X(POSTED_INTR_VECTOR, 0x0002, "posted-interrupt notification vector") \
	X(EPTP_INDEX, 0x0004, "EPTP index") \
	X(HLAT_PREFIX_SIZE, 0x0006, "HLAT prefix size") \
	X(LAST_PID_POINTER_INDEX, 0x0008, "last PID-pointer index") \
	X(VIRTUAL_TIMER_VECTOR, 0x000a, "virtual timer vector") \
	X(GUEST_ES_SELECTOR, 0x0800, "guest ES selector") \
	X(GUEST_CS_SELECTOR, 0x0802, "guest CS selector") \
	X(GUEST_SS_SELECTOR, 0x0804, "guest SS selector") \
	X(GUEST_DS_SELECTOR, 0x0806, "guest DS selector") \
	X(GUEST_FS_SELECTOR, 0x0808, "guest FS selector") \
	X(GUEST_GS_SELECTOR, 0x080a, "guest GS selector") \
	X(GUEST_LDTR_SELECTOR, 0x080c, "guest LDTR selector") \
	X(GUEST_TR_SELECTOR, 0x080e, "guest TR selector") \
	X(GUEST_INTR_STATUS, 0x0810, "guest interrupt status") \
	X(PML_INDEX, 0x0812, "PML index") \
	X(GUEST_UINV, 0x0814, "guest UINV") \
	X(HOST_ES_SELECTOR, 0x0c00, "host ES selector") \
	X(HOST_CS_SELECTOR, 0x0c02, "host CS selector") \
	X(HOST_SS_SELECTOR, 0x0c04, "host SS selector") \
	X(HOST_DS_SELECTOR, 0x0c06, "host DS selector") \
	X(HOST_FS_SELECTOR, 0x0c08, "host FS selector") \
	X(HOST_GS_SELECTOR, 0x0c0a, "host GS selector") \
	X(HOST_TR_SELECTOR, 0x0c0c, "host TR selector") \
	X(IO_BITMAP_A, 0x2000, "address of I/O bitmap A") \
	X(IO_BITMAP_B, 0x2002, "address of I/O bitmap B") \
	X(MSR_BITMAP, 0x2004, "address of MSR bitmaps") \
	X(EXIT_MSR_STORE_ADDR, 0x2006, "VM-exit MSR-store address") \
	X(EXIT_MSR_LOAD_ADDR, 0x2008, "VM-exit MSR-load address") \
	X(ENTRY_MSR_LOAD_ADDR, 0x200a, "VM-entry MSR-load address") \
	X(EXECUTIVE_VMCS, 0x200c, "executive-VMCS pointer") \
	X(PML_ADDR, 0x200e, "PML address") \
	X(TSC_OFFSET, 0x2010, "TSC offset") \
	X(VIRTUAL_APIC_ADDR, 0x2012, "virtual-APIC address") \
	X(APIC_ACCESS_ADDR, 0x2014, "APIC-access address") \
	X(POSTED_INTR_DESC_ADDR, 0x2016, "posted-interrupt descriptor address") \
	X(VM_FUNCTION_CTLS, 0x2018, "VM-function controls") \
	X(EPTP, 0x201a, "EPT pointer (EPTP)") \
	X(EOI_EXIT_BITMAP0, 0x201c, "EOI-exit bitmap 0") \
	X(EOI_EXIT_BITMAP1, 0x201e, "EOI-exit bitmap 1") \
	X(EOI_EXIT_BITMAP2, 0x2020, "EOI-exit bitmap 2") \
	X(EOI_EXIT_BITMAP3, 0x2022, "EOI-exit bitmap 3") \
	X(EPTP_LIST_ADDR, 0x2024, "EPTP-list address") \
	X(VMREAD_BITMAP, 0x2026, "VMREAD-bitmap address") \
	X(VMWRITE_BITMAP, 0x2028, "VMWRITE-bitmap address") \
	X(VE_INFO_ADDR, 0x202a, "virtualization-exception information address") \
	X(XSS_EXITING_BITMAP, 0x202c, "XSS-exiting bitmap") \
	X(ENCLS_EXITING_BITMAP, 0x202e, "ENCLS-exiting bitmap") \
	X(SPPTP, 0x2030, "sub-page-permission-table pointer (SPPTP)") \
	X(TSC_MULTIPLIER, 0x2032, "TSC multiplier") \
	X(PROC3_CTLS, 0x2034, "tertiary processor-based VM-execution controls") \
	X(ENCLV_EXITING_BITMAP, 0x2036, "ENCLV-exiting bitmap") \
	X(LOW_PASID_DIR, 0x2038, "low PASID directory address") \
	X(HIGH_PASID_DIR, 0x203a, "high PASID directory address") \
	X(SHARED_EPTP, 0x203c, "shared EPT pointer") \
	X(PCONFIG_EXITING_BITMAP, 0x203e, "PCONFIG-exiting bitmap") \
	X(HLATP, 0x2040, "hypervisor-managed linear-address translation pointer (HLATP)") \
	X(PID_POINTER_TABLE, 0x2042, "PID-pointer table address") \
	X(EXIT2_CTLS, 0x2044, "secondary VM-exit controls") \
	X(SPEC_CTRL_MASK, 0x204a, "IA32_SPEC_CTRL mask") \
	X(SPEC_CTRL_SHADOW, 0x204c, "IA32_SPEC_CTRL shadow") \
	X(GUEST_DEADLINE_SHADOW, 0x204e, "guest deadline shadow") \
	X(INJECTED_EVENT_DATA, 0x2052, "injected-event data") \
	X(GUEST_PHYSICAL_ADDR, 0x2400, "guest-physical address") \
	X(MSR_DATA, 0x2402, "MSR data") \
	X(ORIGINAL_EVENT_DATA, 0x2404, "original-event data") \
	X(LINK_POINTER, 0x2800, "VMCS link pointer") \
	X(GUEST_DEBUGCTL, 0x2802, "guest IA32_DEBUGCTL") \
	X(GUEST_PAT, 0x2804, "guest IA32_PAT") \
	X(GUEST_EFER, 0x2806, "guest IA32_EFER") \
	X(GUEST_PERF_GLOBAL_CTRL, 0x2808, "guest IA32_PERF_GLOBAL_CTRL") \
	X(GUEST_PDPTE0, 0x280a, "guest PDPTE0") \
	X(GUEST_PDPTE1, 0x280c, "guest PDPTE1") \
	X(GUEST_PDPTE2, 0x280e, "guest PDPTE2") \
	X(GUEST_PDPTE3, 0x2810, "guest PDPTE3") \
	X(GUEST_BNDCFGS, 0x2812, "guest IA32_BNDCFGS") \
	X(GUEST_RTIT_CTL, 0x2814, "guest IA32_RTIT_CTL") \
	X(GUEST_LBR_CTL, 0x2816, "guest IA32_LBR_CTL") \
	X(GUEST_PKRS, 0x2818, "guest IA32_PKRS") \
	X(GUEST_FRED_CONFIG, 0x281a, "guest IA32_FRED_CONFIG") \
	X(GUEST_FRED_RSP1, 0x281c, "guest IA32_FRED_RSP1") \
	X(GUEST_FRED_RSP2, 0x281e, "guest IA32_FRED_RSP2") \
	X(GUEST_FRED_RSP3, 0x2820, "guest IA32_FRED_RSP3") \
	X(GUEST_FRED_STKLVLS, 0x2822, "guest IA32_FRED_STKLVLS") \
	X(GUEST_FRED_SSP1, 0x2824, "guest IA32_FRED_SSP1") \
	X(GUEST_FRED_SSP2, 0x2826, "guest IA32_FRED_SSP2") \
	X(GUEST_FRED_SSP3, 0x2828, "guest IA32_FRED_SSP3") \
	X(GUEST_SPEC_CTRL, 0x282e, "guest IA32_SPEC_CTRL") \
	X(GUEST_DEADLINE, 0x2830, "guest deadline") \
	X(HOST_PAT, 0x2c00, "host IA32_PAT") \
	X(HOST_EFER, 0x2c02, "host IA32_EFER") \
	X(HOST_PERF_GLOBAL_CTRL, 0x2c04, "host IA32_PERF_GLOBAL_CTRL") \
	X(HOST_PKRS, 0x2c06, "host IA32_PKRS") \
	X(HOST_FRED_CONFIG, 0x2c08, "host IA32_FRED_CONFIG") \
	X(HOST_FRED_RSP1, 0x2c0a, "host IA32_FRED_RSP1") \
	X(HOST_FRED_RSP2, 0x2c0c, "host IA32_FRED_RSP2") \
	X(HOST_FRED_RSP3, 0x2c0e, "host IA32_FRED_RSP3") \
	X(HOST_FRED_STKLVLS, 0x2c10, "host IA32_FRED_STKLVLS") \
	X(HOST_FRED_SSP1, 0x2c12, "host IA32_FRED_SSP1") \
	X(HOST_FRED_SSP2, 0x2c14, "host IA32_FRED_SSP2") \
	X(HOST_FRED_SSP3, 0x2c16, "host IA32_FRED_SSP3") \
	X(HOST_SPEC_CTRL, 0x2c1a, "host IA32_SPEC_CTRL") \
	X(PIN_CTLS, 0x4000, "pin-based VM-execution controls") \
	X(PROC_CTLS, 0x4002, "primary processor-based VM-execution controls") \
	X(EXCEPTION_BITMAP, 0x4004, "exception bitmap") \
	X(PF_ERROR_MASK, 0x4006, "page-fault error-code mask") \
	X(PF_ERROR_MATCH, 0x4008, "page-fault error-code match") \
	X(CR3_TARGET_COUNT, 0x400a, "CR3-target count") \
	X(EXIT_CTLS, 0x400c, "primary VM-exit controls") \
	X(EXIT_MSR_STORE_COUNT, 0x400e, "VM-exit MSR-store count") \
	X(EXIT_MSR_LOAD_COUNT, 0x4010, "VM-exit MSR-load count") \
	X(ENTRY_CTLS, 0x4012, "VM-entry controls") \
	X(ENTRY_MSR_LOAD_COUNT, 0x4014, "VM-entry MSR-load count") \
	X(ENTRY_INTR_INFO, 0x4016, "VM-entry interruption-information field") \
	X(ENTRY_ERROR_CODE, 0x4018, "VM-entry exception error code") \
	X(ENTRY_INSTRUCTION_LEN, 0x401a, "VM-entry instruction length") \
	X(TPR_THRESHOLD, 0x401c, "TPR threshold") \
	X(PROC2_CTLS, 0x401e, "secondary processor-based VM-execution controls") \
	X(PLE_GAP, 0x4020, "PLE_Gap") \
	X(PLE_WINDOW, 0x4022, "PLE_Window") \
	X(INSTRUCTION_TIMEOUT, 0x4024, "instruction-timeout control") \
	X(INSTRUCTION_ERROR, 0x4400, "VM-instruction error") \
	X(EXIT_REASON, 0x4402, "exit reason") \
	X(EXIT_INTR_INFO, 0x4404, "VM-exit interruption information") \
	X(EXIT_INTR_ERROR_CODE, 0x4406, "VM-exit interruption error code") \
	X(IDT_VECTORING_INFO, 0x4408, "IDT-vectoring information field") \
	X(IDT_VECTORING_ERROR_CODE, 0x440a, "IDT-vectoring error code") \
	X(EXIT_INSTRUCTION_LEN, 0x440c, "VM-exit instruction length") \
	X(EXIT_INSTRUCTION_INFO, 0x440e, "VM-exit instruction information") \
	X(GUEST_ES_LIMIT, 0x4800, "guest ES limit") \
	X(GUEST_CS_LIMIT, 0x4802, "guest CS limit") \
	X(GUEST_SS_LIMIT, 0x4804, "guest SS limit") \
	X(GUEST_DS_LIMIT, 0x4806, "guest DS limit") \
	X(GUEST_FS_LIMIT, 0x4808, "guest FS limit") \
	X(GUEST_GS_LIMIT, 0x480a, "guest GS limit") \
	X(GUEST_LDTR_LIMIT, 0x480c, "guest LDTR limit") \
	X(GUEST_TR_LIMIT, 0x480e, "guest TR limit") \
	X(GUEST_GDTR_LIMIT, 0x4810, "guest GDTR limit") \
	X(GUEST_IDTR_LIMIT, 0x4812, "guest IDTR limit") \
	X(GUEST_ES_AR, 0x4814, "guest ES access rights") \
	X(GUEST_CS_AR, 0x4816, "guest CS access rights") \
	X(GUEST_SS_AR, 0x4818, "guest SS access rights") \
	X(GUEST_DS_AR, 0x481a, "guest DS access rights") \
	X(GUEST_FS_AR, 0x481c, "guest FS access rights") \
	X(GUEST_GS_AR, 0x481e, "guest GS access rights") \
	X(GUEST_LDTR_AR, 0x4820, "guest LDTR access rights") \
	X(GUEST_TR_AR, 0x4822, "guest TR access rights") \
	X(GUEST_INTERRUPTIBILITY, 0x4824, "guest interruptibility state") \
	X(GUEST_ACTIVITY, 0x4826, "guest activity state") \
	X(GUEST_SMBASE, 0x4828, "guest SMBASE") \
	X(GUEST_SYSENTER_CS, 0x482a, "guest IA32_SYSENTER_CS") \
	X(PREEMPTION_TIMER, 0x482e, "VMX-preemption timer value") \
	X(HOST_SYSENTER_CS, 0x4c00, "host IA32_SYSENTER_CS") \
	X(CR0_MASK, 0x6000, "CR0 guest/host mask") \
	X(CR4_MASK, 0x6002, "CR4 guest/host mask") \
	X(CR0_SHADOW, 0x6004, "CR0 read shadow") \
	X(CR4_SHADOW, 0x6006, "CR4 read shadow") \
	X(CR3_TARGET0, 0x6008, "CR3-target value 0") \
	X(CR3_TARGET1, 0x600a, "CR3-target value 1") \
	X(CR3_TARGET2, 0x600c, "CR3-target value 2") \
	X(CR3_TARGET3, 0x600e, "CR3-target value 3") \
	X(EXIT_QUALIFICATION, 0x6400, "exit qualification") \
	X(IO_RCX, 0x6402, "I/O RCX") \
	X(IO_RSI, 0x6404, "I/O RSI") \
	X(IO_RDI, 0x6406, "I/O RDI") \
	X(IO_RIP, 0x6408, "I/O RIP") \
	X(GUEST_LINEAR_ADDR, 0x640a, "guest-linear address") \
	X(GUEST_CR0, 0x6800, "guest CR0") \
	X(GUEST_CR3, 0x6802, "guest CR3") \
	X(GUEST_CR4, 0x6804, "guest CR4") \
	X(GUEST_ES_BASE, 0x6806, "guest ES base") \
	X(GUEST_CS_BASE, 0x6808, "guest CS base") \
	X(GUEST_SS_BASE, 0x680a, "guest SS base") \
	X(GUEST_DS_BASE, 0x680c, "guest DS base") \
	X(GUEST_FS_BASE, 0x680e, "guest FS base") \
	X(GUEST_GS_BASE, 0x6810, "guest GS base") \
	X(GUEST_LDTR_BASE, 0x6812, "guest LDTR base") \
	X(GUEST_TR_BASE, 0x6814, "guest TR base") \
	X(GUEST_GDTR_BASE, 0x6816, "guest GDTR base") \
	X(GUEST_IDTR_BASE, 0x6818, "guest IDTR base") \
	X(GUEST_DR7, 0x681a, "guest DR7") \
	X(GUEST_RSP, 0x681c, "guest RSP") \
	X(GUEST_RIP, 0x681e, "guest RIP") \
	X(GUEST_RFLAGS, 0x6820, "guest RFLAGS") \
	X(GUEST_PENDING_DEBUG, 0x6822, "guest pending debug exceptions") \
	X(GUEST_SYSENTER_ESP, 0x6824, "guest IA32_SYSENTER_ESP") \
	X(GUEST_SYSENTER_EIP, 0x6826, "guest IA32_SYSENTER_EIP") \
	X(GUEST_S_CET, 0x6828, "guest IA32_S_CET") \
	X(GUEST_SSP, 0x682a, "guest SSP") \
	X(GUEST_SSP_TABLE, 0x682c, "guest IA32_INTERRUPT_SSP_TABLE_ADDR") \
	X(HOST_CR0, 0x6c00, "host CR0") \
	X(HOST_CR3, 0x6c02, "host CR3") \
	X(HOST_CR4, 0x6c04, "host CR4") \
	X(HOST_FS_BASE, 0x6c06, "host FS base") \
	X(HOST_GS_BASE, 0x6c08, "host GS base") \
	X(HOST_TR_BASE, 0x6c0a, "host TR base") \
	X(HOST_GDTR_BASE, 0x6c0c, "host GDTR base") \
	X(HOST_IDTR_BASE, 0x6c0e, "host IDTR base") \
	X(HOST_SYSENTER_ESP, 0x6c10, "host IA32_SYSENTER_ESP") \
	X(HOST_SYSENTER_EIP, 0x6c12, "host IA32_SYSENTER_EIP") \
	X(HOST_RSP, 0x6c14, "host RSP") \
	X(HOST_RIP, 0x6c16, "host RIP") \
	X(HOST_S_CET, 0x6c18, "host IA32_S_CET") \
	X(HOST_SSP, 0x6c1a, "host SSP") \
	X(HOST_SSP_TABLE, 0x6c1c, "host IA32_INTERRUPT_SSP_TABLE_ADDR")

enum vmcs_field {
#define VMCS_FIELD_ENUM(id, encoding, name) VMCS_##id = (encoding),
	VMCS_FIELDS(VMCS_FIELD_ENUM)
#undef VMCS_FIELD_ENUM
};

/**
 * vmx_exit_name - the SDM's name of a basic exit reason
 * @basic_reason: exit reason; all but bits 15:0 is ignored
 *
 * Return: the name, "unknown exit reason" for a number the SDM does not define.
 */
const char *vmx_exit_name(uint32_t basic_reason);

/**
 * vmx_field_name - the SDM's name of a VMCS field
 * @encoding: its encoding; the high half of a 64-bit field has the field's name
 *
 * Return: the name, "unknown VMCS field".
 */
const char *vmx_field_name(uint32_t encoding);

/**
 * vmx_instruction_error - the text of a VM-instruction error number
 * @n: the number
 *
 * Return: the text, "unknown VM-instruction error", or "no error" for 0.
 */
const char *vmx_instruction_error(uint32_t n);

/**
 * vmx_describe_qualification - an exit qualification in words
 * @reason: exit reason, bit 31 (VM-entry failure) included if it was set
 * @qual: exit qualification
 * @buf: gets a NUL-terminated text; empty if there is nothing to say
 * @len: size of @buf
 *
 * Return: the length of the whole text, as snprintf() does.
 */
size_t vmx_describe_qualification(uint32_t reason, uint64_t qual, char *buf, size_t len);

/**
 * vmx_describe_msr - what an MSR is called
 * @index: its number
 * @buf: gets a NUL-terminated text; empty if it is not known here
 * @len: size of @buf
 *
 * Return: the length of the whole text, as snprintf() does.
 */
size_t vmx_describe_msr(uint32_t index, char *buf, size_t len);

#endif
