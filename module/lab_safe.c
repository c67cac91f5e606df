// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab mode: from which VM entries the host comes back.
 *
 * A VM entry goes in stages (SDM, "VM Entries"). What fails in the first, the checks on controls
 * and host state, leaves the CPU as it was. Whatever comes behind it ends by loading the
 * host-state area, also a failure. So
 *
 * - guest state may be anything, for as long as the controls are ours;
 * - with other controls an entry may get no further than to the checks on guest state, which
 *   makes sure that they fail; what that has the CPU load must be ours, too: host state, and the
 *   VM-exit MSR-load area;
 * - host state may be other than ours only where it does not matter until it has been loaded anew,
 *   or where the CPU refuses it for sure. What "for sure" means is told here, not found by a
 *   try: this is the one thing that the host's life depends on.
 */
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/minmax.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "host.h"
#include "lab_safe.h"
#include "vmcs.h"
#include "vmx_caps.h"

/* Newer than some kernel's header. */
#define GUEST_ACTIVITY_SHUTDOWN		2
#define LAB_EXIT_LOAD_CET	BIT(28)
#define LAB_EXIT_LOAD_PKRS	BIT(29)
#define LAB_HOST_PKRS		0x2c06
#define LAB_HOST_S_CET		0x6c18
#define LAB_HOST_SSP		0x6c1a
#define LAB_HOST_SSP_TABLE	0x6c1c

/* Of an entry for good: what these load, VM exits load again, or it is mended behind it. */
#define ENTRY_HARMLESS \
	(VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_IA32_PAT | \
	 VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL)

/*
 * What others load, from IA32_BNDCFGS on, a failed entry may have loaded, too, since the CPU may
 * check and load at once (SDM, "Checking and Loading Guest State"), and no VM exit loads it again.
 */
#define ENTRY_LASTING	GENMASK(31, 16)

/* Of an entry that fails: what these do not load, or what is mended behind it. */
#define EXIT_HARMLESS \
	(VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_ACK_INTR_ON_EXIT | VM_EXIT_SAVE_IA32_PAT | \
	 VM_EXIT_SAVE_IA32_EFER | VM_EXIT_SAVE_VMX_PREEMPTION_TIMER | \
	 VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL)

/* 0 for a field that the CPU does not have. */
static unsigned long value_of(unsigned long field)
{
	unsigned long value;

	return vmcs_try_read(field, &value) ? value : 0;
}

/* ------------------------------------------------- what is refused for sure */

static unsigned int phys_bits(void)
{
	u32 eax, ebx, ecx, edx;

	tvx_cpuid(0x80000008, 0, &eax, &ebx, &ecx, &edx);
	return eax & 0xff;
}

static bool is_beyond(u64 hpa)
{
	return hpa >> phys_bits();
}

/* By five levels of paging, whether or not the CPU has them. */
static bool is_not_canonical(u64 gla)
{
	return sign_extend64(gla, 56) != gla;
}

/* The capability MSRs are read here and now: other cores may have others than vmx_caps. */
static bool word_is_refused(unsigned long field, u32 msr, u32 true_msr)
{
	bool use_true = true_msr && (tvx_rdmsr(MSR_IA32_VMX_BASIC) & BIT_ULL(55));
	u64 cap = tvx_rdmsr(use_true ? true_msr : msr);
	u32 value = value_of(field);

	return ((u32)cap & ~value) || (value & ~(u32)(cap >> 32));
}

static bool controls_are_refused(void)
{
	u32 proc = value_of(CPU_BASED_VM_EXEC_CONTROL);

	return word_is_refused(PIN_BASED_VM_EXEC_CONTROL, MSR_IA32_VMX_PINBASED_CTLS,
			       MSR_IA32_VMX_TRUE_PINBASED_CTLS) ||
	       word_is_refused(CPU_BASED_VM_EXEC_CONTROL, MSR_IA32_VMX_PROCBASED_CTLS,
			       MSR_IA32_VMX_TRUE_PROCBASED_CTLS) ||
	       word_is_refused(VM_EXIT_CONTROLS, MSR_IA32_VMX_EXIT_CTLS,
			       MSR_IA32_VMX_TRUE_EXIT_CTLS) ||
	       word_is_refused(VM_ENTRY_CONTROLS, MSR_IA32_VMX_ENTRY_CTLS,
			       MSR_IA32_VMX_TRUE_ENTRY_CTLS) ||
	       ((proc & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) &&
		word_is_refused(SECONDARY_VM_EXEC_CONTROL, MSR_IA32_VMX_PROCBASED_CTLS2, 0));
}

/* 16 bytes an entry; the last one must be there, too. */
static bool area_is_refused(unsigned long count, unsigned long address)
{
	u64 entries = value_of(count), hpa = value_of(address);

	return entries && ((hpa & 0xf) || is_beyond(hpa) || is_beyond(hpa + entries * 16 - 1));
}

static bool cr_is_refused(unsigned long field, u32 fixed0, u32 fixed1)
{
	u64 value = value_of(field);

	return (tvx_rdmsr(fixed0) & ~value) || (value & ~tvx_rdmsr(fixed1));
}

static bool pat_is_refused(u64 pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) == 2 || (pat & 0xff) == 3 || (pat & 0xff) > 7)
			return true;
	return false;
}

/*
 * "host address-space size" must be 1: the host is in IA-32e mode. Counters that do not exist are
 * left out: there are CPUs that do not look at them, and it does not matter what is loaded.
 */
static bool msrs_are_refused(u32 exit)
{
	u64 efer = value_of(HOST_IA32_EFER);

	if (!(exit & VM_EXIT_HOST_ADDR_SPACE_SIZE))
		return true;
	if ((exit & VM_EXIT_LOAD_IA32_PAT) && pat_is_refused(value_of(HOST_IA32_PAT)))
		return true;
	if ((exit & VM_EXIT_LOAD_IA32_EFER) &&
	    ((efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)) || !(efer & EFER_LME) ||
	     !(efer & EFER_LMA)))
		return true;
	if ((exit & LAB_EXIT_LOAD_CET) &&
	    ((value_of(LAB_HOST_S_CET) & GENMASK(9, 6)) || (value_of(LAB_HOST_SSP) & 3)))
		return true;
	return (exit & LAB_EXIT_LOAD_PKRS) && value_of(LAB_HOST_PKRS) >> 32;
}

static bool selectors_are_refused(void)
{
	static const u16 fields[] = {
		HOST_ES_SELECTOR, HOST_CS_SELECTOR, HOST_SS_SELECTOR, HOST_DS_SELECTOR,
		HOST_FS_SELECTOR, HOST_GS_SELECTOR, HOST_TR_SELECTOR,
	};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(fields); n++)
		if (value_of(fields[n]) & 7)
			return true;
	return !value_of(HOST_CS_SELECTOR) || !value_of(HOST_TR_SELECTOR);
}

static bool addresses_are_refused(void)
{
	static const u16 fields[] = {
		HOST_IA32_SYSENTER_ESP, HOST_IA32_SYSENTER_EIP, HOST_FS_BASE, HOST_GS_BASE,
		HOST_TR_BASE, HOST_GDTR_BASE, HOST_IDTR_BASE, HOST_RIP,
	};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(fields); n++)
		if (is_not_canonical(value_of(fields[n])))
			return true;
	return false;
}

/* Bits 62:61 of CR3 are left out: newer CPUs have them. */
static bool is_refused(void)
{
	return controls_are_refused() ||
	       area_is_refused(VM_EXIT_MSR_LOAD_COUNT, VM_EXIT_MSR_LOAD_ADDR) ||
	       cr_is_refused(HOST_CR0, MSR_IA32_VMX_CR0_FIXED0, MSR_IA32_VMX_CR0_FIXED1) ||
	       cr_is_refused(HOST_CR4, MSR_IA32_VMX_CR4_FIXED0, MSR_IA32_VMX_CR4_FIXED1) ||
	       !(value_of(HOST_CR4) & X86_CR4_PAE) ||
	       is_beyond(value_of(HOST_CR3) & ~GENMASK_ULL(62, 61)) ||
	       msrs_are_refused(value_of(VM_EXIT_CONTROLS)) ||
	       selectors_are_refused() || addresses_are_refused();
}

/* ----------------------------------------------------- what does not matter */

/* Host fields that VM exits load and that are written anew behind the try, or not loaded. */
static bool host_is_harmless(unsigned long field)
{
	u32 exit = value_of(VM_EXIT_CONTROLS);

	switch (field) {
	case HOST_IA32_SYSENTER_CS:
	case HOST_IA32_SYSENTER_ESP:
	case HOST_IA32_SYSENTER_EIP:
	case HOST_FS_BASE:
	case HOST_IA32_PERF_GLOBAL_CTRL:
		return true;
	case LAB_HOST_PKRS:
		return !(exit & LAB_EXIT_LOAD_PKRS);
	case LAB_HOST_S_CET:
	case LAB_HOST_SSP:
	case LAB_HOST_SSP_TABLE:
		return !(exit & LAB_EXIT_LOAD_CET);
	default:
		return false;
	}
}

/* Memory that the CPU reads while it checks must be ours, or nothing that can be read. */
static bool address_is_harmless(u64 hpa)
{
	return (hpa & ~PAGE_MASK) || is_beyond(hpa);
}

/* Only a start-up IPI ends the wait for one, and no external interrupt ends shutdown. */
static bool activity_ends(u64 state)
{
	return state != GUEST_ACTIVITY_WAIT_SIPI &&
	       (state != GUEST_ACTIVITY_SHUTDOWN || vmx_caps.has_timer);
}

static enum tvx_lab_way judge_guest(unsigned long field, u64 value)
{
	switch (field) {
	case VMCS_LINK_POINTER:
		return address_is_harmless(value) ? TVX_LAB_ENTER : TVX_LAB_NEVER;
	case GUEST_ACTIVITY_STATE:
		return activity_ends(value) ? TVX_LAB_ENTER : TVX_LAB_CHECK;
	default:
		return TVX_LAB_ENTER;
	}
}

static enum tvx_lab_way judge_control(unsigned long field, u64 value, u64 changed)
{
	switch (field) {
	case VM_ENTRY_INTR_INFO_FIELD:
	case VM_ENTRY_EXCEPTION_ERROR_CODE:
	case VM_ENTRY_INSTRUCTION_LEN:
		return TVX_LAB_ENTER;
	case VM_ENTRY_CONTROLS:
		return changed & ~(u64)ENTRY_HARMLESS ? TVX_LAB_CHECK : TVX_LAB_ENTER;
	case SECONDARY_VM_EXEC_CONTROL:
		return changed == SECONDARY_EXEC_UNRESTRICTED_GUEST ? TVX_LAB_ENTER :
								      TVX_LAB_CHECK;
	case VIRTUAL_APIC_PAGE_ADDR:
		return address_is_harmless(value) ? TVX_LAB_CHECK : TVX_LAB_NEVER;
	default:
		return TVX_LAB_CHECK;
	}
}

/* It changes what a failure behind the first stage loads, or leaves. */
static bool must_be_refused(unsigned long field, u64 changed)
{
	switch (field) {
	case VM_ENTRY_CONTROLS:
		return changed & ENTRY_LASTING;
	case VM_EXIT_CONTROLS:
		return changed & ~(u64)EXIT_HARMLESS;
	case VM_EXIT_MSR_LOAD_ADDR:
	case VM_EXIT_MSR_LOAD_COUNT:
		return true;
	default:
		return vmcs_kind(field) == VMCS_HOST && !host_is_harmless(field);
	}
}

static enum tvx_lab_way judge_field(unsigned long field, u64 value, u64 changed)
{
	switch (vmcs_kind(field)) {
	case VMCS_GUEST:
		return judge_guest(field, value);
	case VMCS_CONTROL:
		return judge_control(field, value, changed);
	default:
		return TVX_LAB_ENTER;
	}
}

enum tvx_lab_way tvx_lab_judge(const struct tinyvmx_vmcs_field *good, u32 count, u32 *field)
{
	bool refused = is_refused();
	enum tvx_lab_way way = refused ? TVX_LAB_CHECK : TVX_LAB_ENTER;
	u32 n;

	for (n = 0; n < count; n++) {
		u64 value = value_of(good[n].encoding), changed = value ^ good[n].value;
		enum tvx_lab_way this;

		if (!changed || vmcs_kind(good[n].encoding) == VMCS_INFO)
			continue;
		this = judge_field(good[n].encoding, value, changed);
		if (!refused && must_be_refused(good[n].encoding, changed))
			this = TVX_LAB_NEVER;
		if (this == TVX_LAB_NEVER)
			*field = good[n].encoding;
		way = max(way, this);
	}
	return way;
}
