// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on the Guest State Area": RIP, RFLAGS, SSP, what is in no register, and PDPTEs.
 */
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

#define RIP_RFLAGS	"Checks on Guest RIP, RFLAGS, and SSP"
#define NON_REGISTER	"Checks on Guest Non-Register State"
#define PDPTES		"Checks on Guest Page-Directory-Pointer-Table Entries"

#define DEBUGCTL_BTF	(1U << 1)
#define PENDING_BUS_LOCK	(1U << 11)
#define PENDING_BS	(1U << 14)
#define PENDING_RTM	(1U << 16)

enum {
	BLOCKING_STI = 1 << 0,
	BLOCKING_MOV_SS = 1 << 1,
	BLOCKING_SMI = 1 << 2,
	BLOCKING_NMI = 1 << 3,
	ENCLAVE_INTERRUPTION = 1 << 4,
};

enum { ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI };

/* --- RIP, RFLAGS --- */

static bool not_64_bit_code(struct probe *p)
{
	return !guest_64_bit(p);
}

static bool injects_extint(struct probe *p)
{
	return injects_event(p) && injected_type(p) == EVENT_EXTINT;
}

static bool injects_nmi(struct probe *p)
{
	return injects_event(p) && injected_type(p) == EVENT_NMI;
}

/* --- non-register state --- */

static uint64_t blocking(struct probe *p)
{
	return probe_get(p, VMCS_GUEST_INTERRUPTIBILITY);
}

static uint64_t activity(struct probe *p)
{
	return probe_get(p, VMCS_GUEST_ACTIVITY);
}

static bool bad_activity(struct probe *p)
{
	return p->value > WAIT_FOR_SIPI;
}

static bool unsupported_activity(struct probe *p)
{
	if (p->value == ACTIVE || p->value > WAIT_FOR_SIPI)
		return false;
	return !(probe_msr(p, MSR_VMX_MISC) >> (5 + p->value) & 1);
}

static bool hlt_outside_ring_0(struct probe *p)
{
	return p->value == HLT && guest_cpl(p);
}

static bool inactive_while_blocking(struct probe *p)
{
	return p->value != ACTIVE && blocking(p) & (BLOCKING_STI | BLOCKING_MOV_SS);
}

/* What may wake the CPU: #DB and #MC of the exceptions, and MTF, wake HLT only */
static bool bad_event_for_activity(struct probe *p)
{
	unsigned int type = injected_type(p), vector = injected_vector(p);
	bool nmi = type == EVENT_NMI;
	bool mc = type == EVENT_HARDWARE_EXCEPTION && vector == 18;
	bool db = type == EVENT_HARDWARE_EXCEPTION && vector == 1;
	bool mtf = type == EVENT_OTHER && vector == 0;

	switch (p->value) {
	case HLT:
		return !(nmi || mc || db || mtf || type == EVENT_EXTINT);
	case SHUTDOWN:
		return !(nmi || mc);
	case WAIT_FOR_SIPI:
		return true;
	default:
		return false;
	}
}

static bool blocked_twice(struct probe *p)
{
	return (p->value & 3) == (BLOCKING_STI | BLOCKING_MOV_SS);
}

static bool interrupts_off(struct probe *p)
{
	return !(probe_get(p, VMCS_GUEST_RFLAGS) & X86_RFLAGS_IF);
}

static bool injects_virtual_nmi(struct probe *p)
{
	return injects_nmi(p) && pin_on(p, PIN_VIRTUAL_NMIS);
}

static bool outside_smm(struct probe *p)
{
	return !entry_on(p, ENTRY_SMM);
}

static bool bad_enclave(struct probe *p)
{
	if (!(p->value & ENCLAVE_INTERRUPTION))
		return false;
	return p->value & BLOCKING_MOV_SS || (probe_cpu(p) && !p->dump->cpu->sgx);
}

static bool bad_pending_reserved(struct probe *p)
{
	uint64_t reserved = ~0x1ffffULL | 0xa7f0;

	if (p->value & reserved)
		return true;
	return p->value & PENDING_BUS_LOCK && probe_cpu(p) && !p->dump->cpu->bus_lock_detect;
}

/*
 * The state in which a debug trap after the last instruction would be pending,
 * so that BS must tell what TF says.
 */
static bool holds_traps(struct probe *p)
{
	return blocking(p) & (BLOCKING_STI | BLOCKING_MOV_SS) || activity(p) == HLT;
}

static bool single_steps(struct probe *p)
{
	return probe_get(p, VMCS_GUEST_RFLAGS) & X86_RFLAGS_TF &&
	       !(probe_get(p, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
}

static bool step_not_pending(struct probe *p)
{
	return single_steps(p) && !(p->value & PENDING_BS);
}

static bool step_pending_in_vain(struct probe *p)
{
	return !single_steps(p) && p->value & PENDING_BS;
}

static bool bad_pending_rtm(struct probe *p)
{
	if (!(p->value & PENDING_RTM))
		return false;
	return (p->value & ~(uint64_t)PENDING_RTM) != 1 << 12 || blocking(p) & BLOCKING_MOV_SS ||
	       (probe_cpu(p) && !p->dump->cpu->rtm);
}

static bool bad_link_pointer(struct probe *p)
{
	return p->value != UINT64_MAX && bad_address(p);
}

/* --- PDPTEs --- */

static bool pae_paging(struct probe *p)
{
	return ept_on(p) && !ia32e_on(p) && probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PG &&
	       probe_get(p, VMCS_GUEST_CR4) & X86_CR4_PAE;
}

static bool bad_pdpte(struct probe *p)
{
	return p->value & 1 && bad_address(p);
}

/* --- the table, in the order of the SDM --- */

#define FLOW(id_, field_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = RIP_RFLAGS, .field = VMCS_##field_, \
	  .when = (when_), .bad = (bad_), .arg = (arg_), .rule = (rule_), \
	  .mend = (mend_) }

#define STATE(id_, field_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = NON_REGISTER, .field = VMCS_##field_, \
	  .when = (when_), .bad = (bad_), .arg = (arg_), .rule = (rule_), \
	  .mend = (mend_) }

#define PDPTE(n) \
	{ .id = "guest.pdpte" #n, .section = PDPTES, \
	  .field = VMCS_GUEST_PDPTE##n, .when = pae_paging, .bad = bad_pdpte, \
	  .arg = 0x1e6, \
	  .rule = "if present (bit 0), bits 2:1, 8:5 and those beyond the physical-address width " \
		  "must be 0", \
	  .mend = "read the four entries from guest memory at CR3" }

static const struct rule state_rules[] = {
	FLOW("rip.high", GUEST_RIP, not_64_bit_code, bad_ones,
	     0xffffffffULL << 32,
	     "bits 63:32 must be 0 unless the guest is in 64-bit mode (IA-32e mode and CS.L)",
	     "give a 32-bit RIP, or set L (bit 13) of CS"),
	FLOW("rip", GUEST_RIP, guest_64_bit, bad_linear, 0,
	     "bits beyond the linear-address width must all be the same",
	     "give a canonical address"),
	FLOW("rflags.reserved", GUEST_RFLAGS, NULL, bad_ones,
	     ~0x3fffffULL | 0x8028, "bits 63:22, 15, 5 and 3 must be 0",
	     "clear them"),
	FLOW("rflags.one", GUEST_RFLAGS, NULL, bad_zeros, 1 << 1,
	     "bit 1 must be 1", "set it; 2 is the value after reset"),
	FLOW("rflags.vm", GUEST_RFLAGS, ia32e_or_real_mode, bad_ones,
	     X86_RFLAGS_VM, "VM (bit 17) must be 0 in IA-32e mode and in real mode",
	     "clear VM"),
	FLOW("rflags.iopl.fred", GUEST_RFLAGS, guest_fred_user, bad_ones, X86_RFLAGS_IOPL,
	     "IOPL (bits 13:12) must be 0 in ring 3 where CR4.FRED is 1", "clear IOPL"),
	FLOW("rflags.if", GUEST_RFLAGS, injects_extint, bad_zeros, X86_RFLAGS_IF,
	     "IF (bit 9) must be 1 to inject an external interrupt",
	     "wait for the interrupt window"),
	FLOW("ssp.align", GUEST_SSP, loads_guest_cet, bad_ones, 3,
	     "bits 1:0 must be 0", "align the shadow stack"),
	FLOW("ssp", GUEST_SSP, loads_guest_cet, bad_linear, 0,
	     "bits beyond the linear-address width must all be the same",
	     "give a canonical address"),

	STATE("activity", GUEST_ACTIVITY, NULL, bad_activity, 0,
	      "must be 0 (active), 1 (HLT), 2 (shutdown) or 3 (wait-for-SIPI)",
	      "set it to 0"),
	STATE("activity.supported", GUEST_ACTIVITY, NULL, unsupported_activity, 0,
	      "must be a state that IA32_VMX_MISC lists for this CPU",
	      "set it to 0"),
	STATE("activity.hlt", GUEST_ACTIVITY, NULL, hlt_outside_ring_0, 0,
	      "HLT (1) requires DPL of SS to be 0", "set it to 0, active"),
	STATE("activity.blocking", GUEST_ACTIVITY, NULL, inactive_while_blocking, 0,
	      "must be 0 (active) under blocking by STI or by MOV SS",
	      "clear bits 1:0 of the interruptibility state when the guest halts"),
	STATE("activity.event", GUEST_ACTIVITY, injects_event, bad_event_for_activity, 0,
	      "must be a state that the injected event can end",
	      "set it to 0 (active) before the injection"),
	STATE("blocking.reserved", GUEST_INTERRUPTIBILITY, NULL, bad_ones,
	      0xffffffe0, "bits 31:5 must be 0", "clear them"),
	STATE("blocking.both", GUEST_INTERRUPTIBILITY, NULL, blocked_twice, 0,
	      "blocking by STI (bit 0) and by MOV SS (bit 1) exclude each other",
	      "clear one"),
	STATE("blocking.sti", GUEST_INTERRUPTIBILITY, interrupts_off, bad_ones,
	      BLOCKING_STI, "blocking by STI (bit 0) requires RFLAGS.IF",
	      "clear bit 0, or set RFLAGS.IF"),
	STATE("blocking.sti.fred", GUEST_INTERRUPTIBILITY, guest_fred_user, bad_ones,
	      BLOCKING_STI, "blocking by STI (bit 0) must be 0 in ring 3 where CR4.FRED is 1",
	      "clear bit 0"),
	STATE("blocking.extint", GUEST_INTERRUPTIBILITY, injects_extint,
	      bad_ones, BLOCKING_STI | BLOCKING_MOV_SS,
	      "bits 0 and 1 must be 0 to inject an external interrupt",
	      "wait for the interrupt window"),
	STATE("blocking.nmi", GUEST_INTERRUPTIBILITY, injects_nmi, bad_ones,
	      BLOCKING_MOV_SS,
	      "blocking by MOV SS (bit 1) must be 0 to inject an NMI",
	      "wait for the NMI window"),
	STATE("blocking.nmi_sti", GUEST_INTERRUPTIBILITY, injects_nmi, bad_ones,
	      BLOCKING_STI,
	      "blocking by STI (bit 0) must be 0 to inject an NMI (some CPUs do not mind)",
	      "wait for the NMI window"),
	STATE("blocking.smi", GUEST_INTERRUPTIBILITY, outside_smm, bad_ones,
	      BLOCKING_SMI, "blocking by SMI (bit 2) must be 0 outside SMM",
	      "clear bit 2"),
	STATE("blocking.virtual_nmi", GUEST_INTERRUPTIBILITY,
	      injects_virtual_nmi, bad_ones, BLOCKING_NMI,
	      "blocking by NMI (bit 3) must be 0 to inject an NMI with \"virtual NMIs\"",
	      "wait for the NMI window"),
	STATE("blocking.enclave", GUEST_INTERRUPTIBILITY, NULL, bad_enclave, 0,
	      "enclave interruption (bit 4) requires SGX, and no blocking by MOV SS",
	      "clear bit 4"),
	STATE("pending.reserved", GUEST_PENDING_DEBUG, NULL, bad_pending_reserved, 0,
	      "bits 11:4, 13, 15 and 63:17 must be 0 (bit 11 is free with bus-lock detection)",
	      "clear them"),
	STATE("pending.bs.set", GUEST_PENDING_DEBUG, holds_traps, step_not_pending, 0,
	      "BS (bit 14) must be 1 if RFLAGS.TF is 1 and DEBUGCTL.BTF 0, under blocking by STI or MOV SS and in HLT",
	      "set bit 14, or clear RFLAGS.TF or the blocking"),
	STATE("pending.bs.clear", GUEST_PENDING_DEBUG, holds_traps, step_pending_in_vain, 0,
	      "BS (bit 14) must be 0 if RFLAGS.TF is 0 or DEBUGCTL.BTF 1, under blocking by STI or MOV SS and in HLT",
	      "clear bit 14"),
	STATE("pending.rtm", GUEST_PENDING_DEBUG, NULL, bad_pending_rtm, 0,
	      "RTM (bit 16) requires bit 12 and no other bit, no blocking by MOV SS, and a CPU with RTM",
	      "clear bit 16"),
	STATE("link_pointer", LINK_POINTER, NULL, bad_link_pointer, 0xfff,
	      "must be FFFFFFFF_FFFFFFFFH, or 4-KByte aligned and within the physical-address width",
	      "set it to FFFFFFFF_FFFFFFFFH"),

	PDPTE(0),
	PDPTE(1),
	PDPTE(2),
	PDPTE(3),
};

const struct rules explain_guest_state_rules = { state_rules, ARRAY_SIZE(state_rules) };
