// SPDX-License-Identifier: GPL-2.0-only
/* Exercises in VMCSs, from the easy to the less easy. */
#include "exercises.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "vmx/names.h"

#define SET(field, value)	{ VMCS_##field, HV_LAB_SET, (value) }
#define ON(field, bits)		{ VMCS_##field, HV_LAB_ON, (bits) }
#define OFF(field, bits)	{ VMCS_##field, HV_LAB_OFF, (bits) }
#define WANT(field, mask, value) { VMCS_##field, (mask), (value) }
#define BIT(n)			(1ULL << (n))

/* Controls (SDM, "VM-Execution Control Fields" and the two behind it) */
#define ENTRY_IA32E		BIT(9)
#define EXIT_HOST_64		BIT(9)
#define EXIT_LOAD_EFER		BIT(21)
#define PIN_NMI_EXITING		BIT(3)
#define PIN_VIRTUAL_NMIS	BIT(5)
#define PROC2_EPT		BIT(1)
#define PROC2_UNRESTRICTED	BIT(7)
#define INTR_VALID		BIT(31)

/* A guest in protected mode, without long mode */
#define LEAVE_IA32E \
	OFF(ENTRY_CTLS, ENTRY_IA32E), OFF(GUEST_EFER, X86_EFER_LMA | X86_EFER_LME), \
	SET(GUEST_CS_AR, 0xc09b)

#define V86_SEGMENT(seg) \
	SET(GUEST_##seg##_SELECTOR, 0x1000), SET(GUEST_##seg##_BASE, 0x10000), \
	SET(GUEST_##seg##_LIMIT, 0xffff), SET(GUEST_##seg##_AR, 0xf3)

const struct hv_exercise hv_exercises[] = {
	{
		"the bit that is always one", "make the CPU take this guest",
		"Which bit of RFLAGS does every CPU have as 1?",
		{ SET(GUEST_RFLAGS, 0) }, { { 0 } }, { SET(GUEST_RFLAGS, 2) },
	}, {
		"64-bit mode", "make it enter 64-bit mode: an IA-32e mode guest whose CS.L is 1",
		"L says 64-bit code, D/B 32-bit code. Look at the access rights of CS.",
		{ ON(GUEST_CS_AR, TINYVMX_AR_DB) },
		{ WANT(ENTRY_CTLS, ENTRY_IA32E, ENTRY_IA32E),
		  WANT(GUEST_CS_AR, TINYVMX_AR_L, TINYVMX_AR_L) },
		{ OFF(GUEST_CS_AR, TINYVMX_AR_DB) },
	}, {
		"compatibility mode", "make it enter 32-bit code in IA-32e mode",
		"How far can 32-bit code be from address 0?",
		{ SET(GUEST_CS_AR, 0xc09b), SET(GUEST_RIP, BIT(32)) },
		{ WANT(ENTRY_CTLS, ENTRY_IA32E, ENTRY_IA32E), WANT(GUEST_CS_AR, TINYVMX_AR_L, 0) },
		{ SET(GUEST_RIP, 0x1000) },
	}, {
		"real mode", "make it enter real mode: CR0.PE is 0",
		"Paging needs protection.",
		{ LEAVE_IA32E, OFF(GUEST_CR0, X86_CR0_PE) }, { WANT(GUEST_CR0, X86_CR0_PE, 0) },
		{ OFF(GUEST_CR0, X86_CR0_PG) },
	}, {
		"two opinions on the ring", "make it enter ring 3",
		"The CPU takes the privilege level from SS.",
		{ SET(GUEST_CS_AR, 0xa0fb) }, { WANT(GUEST_SS_AR, 0x60, 0x60) },
		{ ON(GUEST_SS_AR, 0x60) },
	}, {
		"a task that is not busy", "make the CPU take this guest",
		"LTR marks a TSS busy, so a loaded one is.",
		{ SET(GUEST_TR_AR, 0x89) }, { { 0 } }, { SET(GUEST_TR_AR, 0x8b) },
	}, {
		"without EPT", "have the guest's page tables translate to host-physical addresses",
		"What lets a guest run without paging needs EPT.",
		{ OFF(PROC2_CTLS, PROC2_EPT) }, { WANT(PROC2_CTLS, PROC2_EPT, 0) },
		{ OFF(PROC2_CTLS, PROC2_UNRESTRICTED) },
	}, {
		"an address that is none", "make the CPU take this guest",
		"Of 64 bits of a linear address the upper ones must all be equal.",
		{ SET(GUEST_GDTR_BASE, 0x9000000000000000) }, { { 0 } },
		{ SET(GUEST_GDTR_BASE, 0) },
	}, {
		"virtual-8086 mode", "make it enter virtual-8086 mode: RFLAGS.VM is 1",
		"There a segment's base follows from its selector. Go through all six.",
		{ LEAVE_IA32E, SET(GUEST_RFLAGS, X86_RFLAGS_VM | 2), SET(GUEST_RIP, 0x100),
		  V86_SEGMENT(ES), V86_SEGMENT(CS), V86_SEGMENT(SS), V86_SEGMENT(DS),
		  V86_SEGMENT(FS), V86_SEGMENT(GS), SET(GUEST_DS_BASE, 0x1000) },
		{ WANT(GUEST_RFLAGS, X86_RFLAGS_VM, X86_RFLAGS_VM) },
		{ SET(GUEST_DS_BASE, 0x10000) },
	}, {
		"an interrupt at the wrong moment", "inject an external interrupt, vector 20H",
		"A CPU takes none while RFLAGS.IF is 0.",
		{ SET(ENTRY_INTR_INFO, INTR_VALID | 0x20), OFF(GUEST_RFLAGS, X86_RFLAGS_IF) },
		{ WANT(ENTRY_INTR_INFO, INTR_VALID | 0x7ff, INTR_VALID | 0x20) },
		{ ON(GUEST_RFLAGS, X86_RFLAGS_IF) },
	}, {
		"a fault with something to say", "inject a #GP, as a hardware exception",
		"Which exceptions push an error code?",
		{ SET(ENTRY_INTR_INFO, INTR_VALID | 0x30d) },
		{ WANT(ENTRY_INTR_INFO, INTR_VALID | 0x7ff, INTR_VALID | 0x30d) },
		{ ON(ENTRY_INTR_INFO, 0x800) },
	}, {
		"an NMI within an NMI", "inject an NMI",
		"Until IRET the next one has to wait: the interruptibility state says so.",
		{ ON(PIN_CTLS, PIN_NMI_EXITING | PIN_VIRTUAL_NMIS),
		  SET(ENTRY_INTR_INFO, INTR_VALID | 0x202), SET(GUEST_INTERRUPTIBILITY, 8) },
		{ WANT(ENTRY_INTR_INFO, INTR_VALID | 0x7ff, INTR_VALID | 0x202) },
		{ SET(GUEST_INTERRUPTIBILITY, 0) },
	}, {
		"asleep in the shadow", "make it enter halted: activity state 1",
		"HLT was executed behind STI. When has the shadow ended?",
		{ SET(GUEST_ACTIVITY, 1), ON(GUEST_RFLAGS, X86_RFLAGS_IF),
		  SET(GUEST_INTERRUPTIBILITY, 1) },
		{ WANT(GUEST_ACTIVITY, 3, 1) }, { SET(GUEST_INTERRUPTIBILITY, 0) },
	}, {
		"four entries in registers", "make it enter PAE paging without IA-32e mode",
		"A PDPTE has neither R/W nor U/S.",
		{ LEAVE_IA32E, SET(GUEST_PDPTE2, 0x1003) },
		{ WANT(ENTRY_CTLS, ENTRY_IA32E, 0), WANT(GUEST_CR4, X86_CR4_PAE, X86_CR4_PAE),
		  WANT(GUEST_PDPTE2, 1, 1) },
		{ SET(GUEST_PDPTE2, 0x1001) },
	}, {
		"a mode that two fields tell", "make it enter IA-32e mode",
		"IA32_EFER has a bit for what the CPU is allowed, and one for what it does.",
		{ OFF(GUEST_EFER, X86_EFER_LMA) }, { WANT(ENTRY_CTLS, ENTRY_IA32E, ENTRY_IA32E) },
		{ ON(GUEST_EFER, X86_EFER_LMA) },
	}, {
		"a control without a name", "make the CPU take these controls",
		"'hvctl info' lists which reserved bits are fixed to 1.",
		{ OFF(PIN_CTLS, BIT(1)) }, { { 0 } }, { ON(PIN_CTLS, BIT(1)) },
	}, {
		"virtual NMIs", "have the CPU keep track of the guest's blocking by NMI (virtual NMIs)",
		"Whose NMIs does the guest get without \"NMI exiting\"?",
		{ ON(PIN_CTLS, PIN_VIRTUAL_NMIS), OFF(PIN_CTLS, PIN_NMI_EXITING) },
		{ WANT(PIN_CTLS, PIN_VIRTUAL_NMIS, PIN_VIRTUAL_NMIS) },
		{ ON(PIN_CTLS, PIN_NMI_EXITING) },
	}, {
		"memory of a strange type", "make the CPU take this EPT pointer",
		"Bits 2:0 are a memory type; IA32_VMX_EPT_VPID_CAP allows two of them.",
		{ OFF(EPTP, 7), ON(EPTP, 5) }, { { 0 } }, { OFF(EPTP, 7), ON(EPTP, 6) },
	}, {
		"the way back", "make the CPU take this host state",
		"VM exits load selectors from the GDT, for ring 0.",
		{ ON(HOST_CS_SELECTOR, 3) }, { { 0 } }, { OFF(HOST_CS_SELECTOR, 3) },
	}, {
		"a host with 64 bits", "make the CPU take these controls",
		"Linux runs in IA-32e mode, and VM exits must come back to that.",
		{ OFF(EXIT_CTLS, EXIT_HOST_64 | EXIT_LOAD_EFER) },
		{ WANT(EXIT_CTLS, EXIT_LOAD_EFER, EXIT_LOAD_EFER) },
		{ ON(EXIT_CTLS, EXIT_HOST_64 | EXIT_LOAD_EFER) },
	},
};

const unsigned int hv_nr_exercises = ARRAY_SIZE(hv_exercises);

uint64_t hv_lab_changed(uint64_t value, const struct hv_lab_change *change)
{
	switch (change->how) {
	case HV_LAB_SET:
		return change->value;
	case HV_LAB_ON:
		return value | change->value;
	case HV_LAB_OFF:
		return value & ~change->value;
	case HV_LAB_NOTHING:
		break;
	}
	return value;
}

static bool holds(const struct hv_lab_want *want, const struct tinyvmx_vmcs_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].encoding == want->field)
			return (fields[i].value & want->mask) == want->value;
	return false;
}

bool hv_exercise_reached(const struct hv_exercise *exercise,
			 const struct tinyvmx_vmcs_field *fields, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(exercise->want) && exercise->want[i].mask; i++)
		if (!holds(&exercise->want[i], fields, n))
			return false;
	return true;
}
