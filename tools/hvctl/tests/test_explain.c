// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule of VM entry is violated once in an otherwise valid VMCS, and exactly
 * that rule must be found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "explain/explain.h"
#include "explain/rules.h"
#include "lib/util.h"

/* --- a CPU: Skylake-like, with all controls that have a name --- */

static uint64_t all_named(enum vmx_word_id id)
{
	const struct vmx_bits *bits = &vmx_words[id].bits;
	uint64_t mask = 0;

	for (size_t i = 0; i < bits->count; i++)
		mask |= 1ULL << bits->bit[i].bit;
	return mask;
}

static void set_msr(struct vmx_cpu *cpu, uint32_t msr, uint64_t value)
{
	cpu->msr[msr - TINYVMX_VMX_MSR_BASE] = value;
	cpu->msr_valid |= 1U << (msr - TINYVMX_VMX_MSR_BASE);
}

static void set_limits(struct vmx_cpu *cpu, enum vmx_word_id id, uint32_t one)
{
	const struct vmx_word *w = &vmx_words[id];
	uint64_t value = (all_named(id) | one) << 32 | one;

	set_msr(cpu, w->msr, value);
	if (w->true_msr)
		set_msr(cpu, w->true_msr, value);
}

#define PIN_1	0x16U
#define PROC_1	0x04006172U
#define EXIT_1	0x00036dfbU
#define ENTRY_1	0x000011fbU

static struct vmx_cpu make_cpu(void)
{
	struct vmx_cpu cpu = { .phys_bits = 39, .linear_bits = 48 };

	set_msr(&cpu, MSR_VMX_BASIC, 1ULL << 55 | 1ULL << 50 | 4096ULL << 32 | 4);
	set_limits(&cpu, VMX_WORD_PIN, PIN_1);
	set_limits(&cpu, VMX_WORD_PROC, PROC_1);
	set_limits(&cpu, VMX_WORD_PROC2, 0);
	set_limits(&cpu, VMX_WORD_EXIT, EXIT_1);
	set_limits(&cpu, VMX_WORD_ENTRY, ENTRY_1);
	set_msr(&cpu, MSR_VMX_PROC3, all_named(VMX_WORD_PROC3));
	set_msr(&cpu, MSR_VMX_EXIT2, all_named(VMX_WORD_EXIT2));
	set_msr(&cpu, MSR_VMX_MISC, 4 << 16 | 0x60); /* HLT only */
	set_msr(&cpu, MSR_VMX_CR0_FIXED0, 0x80000021);
	set_msr(&cpu, MSR_VMX_CR0_FIXED1, 0xffffffff);
	set_msr(&cpu, MSR_VMX_CR4_FIXED0, 0x2000);
	set_msr(&cpu, MSR_VMX_CR4_FIXED1, 0xf77fff);
	set_msr(&cpu, MSR_VMX_EPT_VPID, 1 << 6 | 1 << 14);
	set_msr(&cpu, MSR_VMX_VMFUNC, 1);
	return cpu;
}

/* --- a VMCS with every field there is --- */

#define BIT(n)	(1ULL << (n))

#define PIN	(PIN_1 | BIT(PIN_EXTINT_EXITING) | BIT(PIN_NMI_EXITING))
#define PROC	(PROC_1 | BIT(PROC_MSR_BITMAPS) | BIT(PROC_SECONDARY))
#define PROC2	(BIT(PROC2_EPT) | BIT(PROC2_UNRESTRICTED))
#define EXIT	(EXIT_1 | BIT(EXIT_HOST_64) | BIT(EXIT_LOAD_EFER) | \
		 BIT(EXIT_LOAD_PAT) | BIT(EXIT_ACK_INTERRUPT))
#define ENTRY	(ENTRY_1 | BIT(ENTRY_LOAD_DEBUG) | BIT(ENTRY_LOAD_EFER) | \
		 BIT(ENTRY_LOAD_PAT))
#define ENTRY64	(ENTRY | BIT(ENTRY_IA32E))

#define PAT_RESET	0x0007040600070406ULL
#define CODE64	0xa09b
#define CODE32	0xc09b
#define DATA32	0xc093
#define TOO_HIGH	(1ULL << 39)	/* beyond the physical-address width */
#define ODD_HALF	0x0000900000000000ULL	/* not canonical */

struct set {
	uint32_t field;
	uint64_t value;
};

/* A 64-bit guest in ring 0 */
static const struct set long_mode[] = {
	{ VMCS_PIN_CTLS, PIN },
	{ VMCS_PROC_CTLS, PROC },
	{ VMCS_PROC2_CTLS, PROC2 },
	{ VMCS_EXIT_CTLS, EXIT },
	{ VMCS_ENTRY_CTLS, ENTRY64 },
	{ VMCS_MSR_BITMAP, 0x2000 },
	{ VMCS_EPTP, 0x301e },
	{ VMCS_HOST_CR0, 0x80050033 },
	{ VMCS_HOST_CR3, 0x4000 },
	{ VMCS_HOST_CR4, 0x2020 },
	{ VMCS_HOST_CS_SELECTOR, 0x10 },
	{ VMCS_HOST_TR_SELECTOR, 0x40 },
	{ VMCS_HOST_TR_BASE, 0xfffffe0000003000 },
	{ VMCS_HOST_GS_BASE, 0xffff888000000000 },
	{ VMCS_HOST_GDTR_BASE, 0xfffffe0000001000 },
	{ VMCS_HOST_IDTR_BASE, 0xfffffe0000000000 },
	{ VMCS_HOST_SYSENTER_EIP, 0xffffffff81000000 },
	{ VMCS_HOST_RIP, 0xffffffff82000000 },
	{ VMCS_HOST_RSP, 0xffffc90000000000 },
	{ VMCS_HOST_EFER, 0xd01 },
	{ VMCS_HOST_PAT, PAT_RESET },
	{ VMCS_GUEST_CR0, 0x80050033 },
	{ VMCS_GUEST_CR3, 0x1000 },
	{ VMCS_GUEST_CR4, 0x2020 },
	{ VMCS_GUEST_DR7, 0x400 },
	{ VMCS_GUEST_EFER, 0x500 },
	{ VMCS_GUEST_PAT, PAT_RESET },
	{ VMCS_GUEST_RFLAGS, 0x2 },
	{ VMCS_GUEST_RIP, 0x100000 },
	{ VMCS_GUEST_RSP, 0x80000 },
	{ VMCS_LINK_POINTER, UINT64_MAX },
	{ VMCS_GUEST_GDTR_LIMIT, 0x7f },
	{ VMCS_GUEST_IDTR_LIMIT, 0xfff },
	{ VMCS_GUEST_ES_SELECTOR, 0x18 },
	{ VMCS_GUEST_CS_SELECTOR, 0x10 },
	{ VMCS_GUEST_SS_SELECTOR, 0x18 },
	{ VMCS_GUEST_DS_SELECTOR, 0x18 },
	{ VMCS_GUEST_LDTR_SELECTOR, 0x28 },
	{ VMCS_GUEST_TR_SELECTOR, 0x30 },
	{ VMCS_GUEST_ES_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_CS_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_SS_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_DS_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_FS_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_GS_LIMIT, UINT32_MAX },
	{ VMCS_GUEST_LDTR_LIMIT, 0xff },
	{ VMCS_GUEST_TR_LIMIT, 0x67 },
	{ VMCS_GUEST_ES_AR, DATA32 },
	{ VMCS_GUEST_CS_AR, CODE64 },
	{ VMCS_GUEST_SS_AR, DATA32 },
	{ VMCS_GUEST_DS_AR, DATA32 },
	{ VMCS_GUEST_FS_AR, DATA32 },
	{ VMCS_GUEST_GS_AR, DATA32 },
	{ VMCS_GUEST_LDTR_AR, 0x82 },
	{ VMCS_GUEST_TR_AR, 0x8b },
	{ 0, 0 }
};

/* What differs in 32-bit protected mode with PAE paging */
static const struct set pae_mode[] = {
	{ VMCS_ENTRY_CTLS, ENTRY },
	{ VMCS_GUEST_EFER, 0 },
	{ VMCS_GUEST_CS_AR, CODE32 },
	{ VMCS_GUEST_PDPTE0, 0x5001 },
	{ VMCS_GUEST_PDPTE1, 0xfffffffffffffffe },	/* not present */
	{ 0, 0 }
};

/* in real mode, as a processor leaves RESET */
static const struct set real_mode[] = {
	{ VMCS_ENTRY_CTLS, ENTRY },
	{ VMCS_GUEST_EFER, 0 },
	{ VMCS_GUEST_CR0, 0x60000030 },
	{ VMCS_GUEST_CR4, 0x2000 },
	{ VMCS_GUEST_CS_AR, 0x9b },
	{ VMCS_GUEST_CS_LIMIT, 0xffff },
	{ VMCS_GUEST_CS_BASE, 0xffff0000 },
	{ VMCS_GUEST_RIP, 0xfff0 },
	{ VMCS_GUEST_SS_AR, 0x93 },
	{ VMCS_GUEST_SS_LIMIT, 0xffff },
	{ 0, 0 }
};

/* in virtual-8086 mode */
#define V86(name, selector) \
	{ VMCS_GUEST_##name##_SELECTOR, (selector) }, \
	{ VMCS_GUEST_##name##_BASE, (selector) << 4 }, \
	{ VMCS_GUEST_##name##_LIMIT, 0xffff }, \
	{ VMCS_GUEST_##name##_AR, 0xf3 }

static const struct set v86_mode[] = {
	{ VMCS_ENTRY_CTLS, ENTRY },
	{ VMCS_GUEST_EFER, 0 },
	{ VMCS_GUEST_CR4, 0x2000 },
	{ VMCS_GUEST_RFLAGS, 0x20202 },
	{ VMCS_GUEST_RIP, 0x100 },
	V86(ES, 0x1000), V86(CS, 0x1100), V86(SS, 0x1200),
	V86(DS, 0x1300), V86(FS, 0x1400), V86(GS, 0x1500),
	{ 0, 0 }
};

/* in ring 3 without "unrestricted guest" */
static const struct set user_mode[] = {
	{ VMCS_PROC2_CTLS, BIT(PROC2_EPT) },
	{ VMCS_GUEST_CS_SELECTOR, 0x23 },
	{ VMCS_GUEST_SS_SELECTOR, 0x2b },
	{ VMCS_GUEST_ES_SELECTOR, 0x2b },
	{ VMCS_GUEST_DS_SELECTOR, 0x2b },
	{ VMCS_GUEST_CS_AR, CODE64 | 0x60 },
	{ VMCS_GUEST_SS_AR, DATA32 | 0x60 },
	{ VMCS_GUEST_ES_AR, DATA32 | 0x60 },
	{ VMCS_GUEST_DS_AR, DATA32 | 0x60 },
	{ 0, 0 }
};

static struct tinyvmx_vmcs_field vmcs[] = {
#define ZERO(id, number, name) { .encoding = (number) },
	VMCS_FIELDS(ZERO)
#undef ZERO
};

static void set_field(uint32_t field, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++) {
		if (vmcs[i].encoding != field)
			continue;
		vmcs[i].value = value;
		return;
	}
	fail_msg("no field 0x%x", field);
}

static void apply(const struct set *sets, size_t max)
{
	for (size_t i = 0; i < max && (sets[i].field || sets[i].value); i++)
		set_field(sets[i].field, sets[i].value);
}

static void make_vmcs(const struct set *mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		vmcs[i].value = 0;
	apply(long_mode, ARRAY_SIZE(long_mode));
	if (mode)
		apply(mode, 64);
}

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
	{ "ctl.event.error_code_flag", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(11) } } },
	{ "ctl.event.error_code_flag", 0, real_mode,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) } } },
	{ "ctl.event.reserved", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(3, 6) | BIT(12) } } },
	{ "ctl.event.error_code", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) }, { VMCS_ENTRY_ERROR_CODE, 0x10000 } } },
	{ "ctl.event.length", 0, NULL, { { VMCS_ENTRY_INTR_INFO, EVENT(4, 0x80) } } },
	{ "ctl.event.length", 0, NULL,
	  { { VMCS_ENTRY_INTR_INFO, EVENT(6, 3) }, { VMCS_ENTRY_INSTRUCTION_LEN, 16 } } },
	{ "ctl.entry_msr_load", 0, NULL, AREA(ENTRY_MSR_LOAD, 8, 1) },
	{ "ctl.entry_msr_load.end", 0, NULL, AREA(ENTRY_MSR_LOAD, TOO_HIGH - 16, 2) },
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
	{ "guest.pat", 0, NULL, { { VMCS_GUEST_PAT, 0x0807040600070406 } } },
	{ "guest.efer.reserved", 0, NULL, { { VMCS_GUEST_EFER, 0x502 } } },
	{ "guest.efer.lma", 0, NULL, { { VMCS_GUEST_EFER, 0 } } },
	{ "guest.efer.lma", 0, pae_mode, { { VMCS_GUEST_EFER, 0x500 } } },
	{ "guest.efer.lme", 0, NULL, { { VMCS_GUEST_EFER, 0x400 } } },
	{ "guest.efer.lme", 0, pae_mode, { { VMCS_GUEST_EFER, 0x100 } } },
	{ "guest.bndcfgs", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_BNDCFGS) }, { VMCS_GUEST_BNDCFGS, 4 } } },
	{ "guest.uinv", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_UINV) }, { VMCS_GUEST_UINV, 256 } } },
	{ "guest.pkrs", 0, NULL,
	  { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_PKRS) }, { VMCS_GUEST_PKRS, BIT(32) } } },

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
	{ "guest.rip.high", 0, NULL, { { VMCS_GUEST_RIP, BIT(32) }, { VMCS_GUEST_CS_AR, CODE32 } } },
	{ "guest.rip", 0, NULL, { { VMCS_GUEST_RIP, BIT(48) } } },
	{ "guest.rflags.reserved", 0, NULL, { { VMCS_GUEST_RFLAGS, 0xa } } },
	{ "guest.rflags.one", 0, NULL, { { VMCS_GUEST_RFLAGS, 0 } } },
	{ "guest.rflags.vm", 0, NULL, { { VMCS_GUEST_RFLAGS, 0x20002 } } },
	{ "guest.rflags.vm", 0, real_mode, { { VMCS_GUEST_RFLAGS, 0x20002 } } },
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
	&explain_ctl_rules,		 &explain_host_rules,	     &explain_guest_register_rules,
	&explain_guest_segment_rules, &explain_guest_state_rules,
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

static struct explain_finding found[8];

static size_t find(const struct vmx_cpu *cpu, struct explain_gaps *gaps)
{
	return explain_find(cpu, vmcs, ARRAY_SIZE(vmcs), found, ARRAY_SIZE(found), gaps);
}

static void complain(const char *id, size_t n)
{
	fprintf(stderr, "wanted %s only, got %zu:\n", id, n);
	for (size_t i = 0; i < n && i < ARRAY_SIZE(found); i++)
		fprintf(stderr, "  %s %s\n", found[i].id, found[i].text);
}

static void violate(const struct violation *v, const struct rule *rule, unsigned int seg)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;
	size_t n;

	make_vmcs(v->mode);
	for (size_t i = 0; i < ARRAY_SIZE(v->sets); i++) {
		uint32_t field = v->sets[i].field;

		if (field >> 31)
			field = (field & INT32_MAX) + 2 * seg;
		if (field || v->sets[i].value)
			set_field(field, v->sets[i].value);
	}
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

/* What looks wrong and is not */
static void test_legal_oddities(void **state)
{
	static const struct violation legal[] = {
		{ "unusable data segments",
		  0,
		  NULL,
		  { { VMCS_GUEST_DS_AR, 0x10000 },
		    { VMCS_GUEST_DS_BASE, ODD_HALF },
		    { VMCS_GUEST_SS_AR, 0x1ff00 },
		    { VMCS_GUEST_LDTR_AR, 0x10000 },
		    { VMCS_GUEST_LDTR_BASE, ODD_HALF },
		    { VMCS_GUEST_LDTR_SELECTOR, 4 } } },
		{ "data in CS of an unrestricted guest",
		  0,
		  real_mode,
		  { { VMCS_GUEST_CS_AR, 0x93 } } },
		{ "RIP one beyond the lower half", 0, NULL, { { VMCS_GUEST_RIP, BIT(47) } } },
		{ "16-bit TSS outside IA-32e mode", 0, pae_mode, { { VMCS_GUEST_TR_AR, 0x83 } } },
		{ "interrupt that wakes from HLT",
		  0,
		  NULL,
		  { { VMCS_GUEST_ACTIVITY, 1 },
		    { VMCS_GUEST_RFLAGS, 0x202 },
		    { VMCS_ENTRY_INTR_INFO, EVENT(0, 0x30) } } },
		{ "#GP with error code",
		  0,
		  NULL,
		  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) | BIT(11) },
		    { VMCS_ENTRY_ERROR_CODE, 0xffff } } },
		{ "#GP without error code in real mode",
		  0,
		  real_mode,
		  { { VMCS_ENTRY_INTR_INFO, EVENT(3, 13) } } },
		{ "pending single step under MOV SS",
		  0,
		  NULL,
		  { { VMCS_GUEST_INTERRUPTIBILITY, 2 },
		    { VMCS_GUEST_RFLAGS, 0x102 },
		    { VMCS_GUEST_PENDING_DEBUG, 0x4000 } } },
		{ "EFER.LME before paging", 0, real_mode, { { VMCS_GUEST_EFER, 0x100 } } },
		{ "stale injection fields",
		  0,
		  NULL,
		  { { VMCS_ENTRY_INTR_INFO, 0x7fffffff }, { VMCS_ENTRY_ERROR_CODE, UINT32_MAX } } },
		{ "controls in words not activated",
		  0,
		  NULL,
		  { { VMCS_PROC3_CTLS, UINT64_MAX }, { VMCS_EXIT2_CTLS, UINT64_MAX } } },
		{ "conforming code below SS", 0, user_mode, { { VMCS_GUEST_CS_AR, CODE64 | 4 } } },
	};
	struct vmx_cpu cpu = make_cpu();
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		make_vmcs(legal[i].mode);
		apply(legal[i].sets, ARRAY_SIZE(legal[i].sets));
		n = find(&cpu, NULL);
		if (n)
			complain(legal[i].id, n);
		assert_int_equal(n, 0);
	}
}

static void blank_host(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		if ((vmcs[i].encoding >> 10 & 3) == 3)
			vmcs[i].value = 0;
	set_field(VMCS_MSR_BITMAP, 0);
	set_field(VMCS_EPTP, 0);
}

static void test_blanked_host(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	struct explain_gaps gaps;

	(void)state;
	make_vmcs(NULL);
	blank_host();
	assert_int_equal(find(&cpu, &gaps), 0);
	assert_true(gaps.blanked >= 20);
	assert_int_equal(gaps.missing, 0);

	set_field(VMCS_GUEST_RFLAGS, 0);
	assert_int_equal(find(&cpu, &gaps), 1);
	assert_string_equal(found[0].id, "guest.rflags.one");
}

static void test_missing_fields(void **state)
{
	struct explain_gaps gaps;
	struct vmx_cpu cpu = make_cpu();

	(void)state;
	assert_int_equal(explain_find(&cpu, NULL, 0, NULL, 0, &gaps), 0);
	assert_true(gaps.missing > 100);
}

static void test_more_findings_than_room(void **state)
{
	struct vmx_cpu cpu = make_cpu();

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_GUEST_RFLAGS, 8);
	assert_int_equal(explain_find(&cpu, vmcs, ARRAY_SIZE(vmcs), found, 1, NULL), 2);
	assert_string_equal(found[0].id, "guest.rflags.reserved");
}

static void test_control_bit_is_named(void **state)
{
	struct vmx_cpu cpu = make_cpu();

	(void)state;
	set_limits(&cpu, VMX_WORD_PROC2, 0);
	cpu.msr[MSR_VMX_PROC2 - TINYVMX_VMX_MSR_BASE] &= ~(BIT(PROC2_UNRESTRICTED) << 32);
	make_vmcs(NULL);
	assert_int_equal(find(&cpu, NULL), 1);
	assert_string_equal(found[0].id, "ctl.proc2");
	assert_non_null(strstr(found[0].text, "bit 7 (unrestricted guest) must be 0"));
}

static const struct tinyvmx_run *run_page;	/* for print() */

static char *print(const struct vmx_cpu *cpu, int *count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	*count = explain_entry_failure_on(cpu, run_page, vmcs, ARRAY_SIZE(vmcs), out);
	fclose(out);
	return text;
}

static void test_printed(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_EXIT_REASON, 0x80000021);
	set_field(VMCS_GUEST_CS_AR, 0xa093 | 0x6);
	text = print(&cpu, &count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "invalid guest state"));
	assert_non_null(strstr(text, "guest CS access rights = 0xa097: the type of CS"));
	assert_non_null(strstr(text, "Checks on Guest Segment Registers"));
	free(text);
}

static void test_printed_likewise(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_GUEST_DS_AR, 0xc092);
	set_field(VMCS_GUEST_FS_AR, 0xc092);
	text = print(&cpu, &count);
	assert_int_equal(count, 2);
	assert_non_null(strstr(text, "guest DS access rights = 0xc092: the type of DS"));
	assert_non_null(strstr(text, "guest FS access rights = 0xc092: likewise"));
	free(text);
}

static void test_printed_outside_of_verdict(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_INSTRUCTION_ERROR, 7);
	set_field(VMCS_GUEST_RFLAGS, 0);
	text = print(&cpu, &count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "VM-instruction error 7"));
	assert_non_null(strstr(text, "no violated rule found in this area"));
	assert_non_null(strstr(text, "also, though the CPU did not say so"));
	free(text);
}

/* Neither field is cleared when the other is written: it is not told which is old. */
static void test_two_verdicts(void **state)
{
	struct vmx_cpu cpu = make_cpu();
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_INSTRUCTION_ERROR, 7);
	set_field(VMCS_EXIT_REASON, 0x80000021);
	set_field(VMCS_VPID, 0);
	set_field(VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VPID));
	text = print(&cpu, &count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "VM-instruction error 7"));
	assert_non_null(strstr(text, "exit reason 0x80000021"));
	assert_non_null(strstr(text, "rule ctl.vpid"));
	assert_null(strstr(text, "the CPU did not say so"));
	free(text);
}

/* What RUN said counts more than what an older failure left in the VMCS. */
static void test_verdict_of_run(void **state)
{
	struct tinyvmx_run run = { .reason = TINYVMX_EXIT_ENTRY_FAILED };
	struct vmx_cpu cpu = make_cpu();
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	set_field(VMCS_INSTRUCTION_ERROR, 12);
	set_field(VMCS_EXIT_REASON, 0x80000021);
	run.entry_failed.instruction_error = 7;
	run_page = &run;
	text = print(&cpu, &count);
	assert_string_equal(text, "VM-instruction error 7: VM entry with invalid control field(s)\n"
				  "  no violated rule found in this area\n");
	free(text);
	run.entry_failed.instruction_error = 0;
	run.exit_reason = 0x80000021;
	run.exit_qualification = 4;
	text = print(&cpu, &count);
	assert_non_null(strstr(text, "exit reason 0x80000021"));
	assert_non_null(strstr(text, "the VMCS link pointer"));
	free(text);
	run_page = NULL;
}

static void test_printed_gaps(void **state)
{
	int count;
	char *text;

	(void)state;
	make_vmcs(NULL);
	blank_host();
	set_field(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	set_field(VMCS_EXIT_REASON, 0x80000022);
	set_field(VMCS_EXIT_QUALIFICATION, 1);
	text = print(NULL, &count);
	assert_int_equal(count, 0);
	assert_non_null(strstr(text, "entry 1 of the VM-entry MSR-load area"));
	assert_non_null(strstr(text, "run as root"));
	assert_non_null(strstr(text, "capability MSRs"));
	assert_non_null(strstr(text, "entries of the VM-entry MSR-load area"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_legal_oddities),
		cmocka_unit_test(test_each_rule_alone),
		cmocka_unit_test(test_no_rule_untested),
		cmocka_unit_test(test_blanked_host),
		cmocka_unit_test(test_missing_fields),
		cmocka_unit_test(test_more_findings_than_room),
		cmocka_unit_test(test_control_bit_is_named),
		cmocka_unit_test(test_printed),
		cmocka_unit_test(test_printed_likewise),
		cmocka_unit_test(test_printed_outside_of_verdict),
		cmocka_unit_test(test_two_verdicts),
		cmocka_unit_test(test_verdict_of_run),
		cmocka_unit_test(test_printed_gaps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
