// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on the Guest State Area": VM exits with basic reason 33.
 */
#include "lib/util.h"
#include "rules.h"

#define REGISTERS	"Checks on Guest Control Registers, Debug Registers, and MSRs"
#define SEGMENTS	"Checks on Guest Segment Registers"
#define TABLES		"Checks on Guest Descriptor-Table Registers"
#define RIP_RFLAGS	"Checks on Guest RIP, RFLAGS, and SSP"
#define NON_REGISTER	"Checks on Guest Non-Register State"
#define PDPTES		"Checks on Guest Page-Directory-Pointer-Table Entries"

#define RFLAGS_TF	(1U << 8)
#define RFLAGS_IF	(1U << 9)
#define RFLAGS_VM	(1U << 17)
#define DEBUGCTL_BTF	(1U << 1)
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

/* --- segment registers --- */

#define S(name)	(1U << TINYVMX_##name)
#define DATA_SEGS	(S(ES) | S(DS) | S(FS) | S(GS))
#define CODE_DATA_SEGS	(DATA_SEGS | S(CS) | S(SS))
#define ALL_SEGS	(CODE_DATA_SEGS | S(LDTR) | S(TR))

#define TYPE(ar)	((unsigned int)((ar) & 0xf))
#define DPL(ar)		((unsigned int)((ar) >> 5 & 3))
#define RPL(selector)	((unsigned int)((selector) & 3))

/* Types of code and data segments */
enum {
	DATA_WRITABLE_ACCESSED = 3,
	DATA_EXPAND_DOWN_ACCESSED = 7,
	TYPE_ACCESSED = 1 << 0,
	TYPE_READABLE = 1 << 1,
	TYPE_CODE = 1 << 3,
	CODE_ACCESSED = 9,
	CODE_CONFORMING_ACCESSED = 13,
};

static uint64_t selector(struct probe *p, unsigned int seg)
{
	return probe_get(p, VMCS_GUEST_ES_SELECTOR + 2 * seg);
}

static uint64_t limit(struct probe *p, unsigned int seg)
{
	return probe_get(p, VMCS_GUEST_ES_LIMIT + 2 * seg);
}

static uint64_t ar(struct probe *p, unsigned int seg)
{
	return probe_get(p, VMCS_GUEST_ES_AR + 2 * seg);
}

static bool usable(struct probe *p)
{
	return !(ar(p, p->seg) & TINYVMX_AR_UNUSABLE);
}

static bool long_mode_or_real_mode(struct probe *p)
{
	return ia32e_on(p) || !(probe_get(p, VMCS_GUEST_CR0) & CR0_PE);
}

/*
 * RFLAGS.VM where it may be set. Where it may not, that is the fault to tell,
 * not what each segment register lacks for virtual-8086 mode.
 */
static bool v8086(struct probe *p)
{
	return probe_get(p, VMCS_GUEST_RFLAGS) & RFLAGS_VM && !long_mode_or_real_mode(p);
}

/*
 * Whether the hidden part of the register is looked at: always for CS and TR,
 * else where it is usable. Virtual-8086 mode has rules of its own.
 */
static bool checked(struct probe *p)
{
	switch (p->seg) {
	case TINYVMX_TR:
		return true;
	case TINYVMX_LDTR:
		return usable(p);
	case TINYVMX_CS:
		return !v8086(p);
	default:
		return !v8086(p) && usable(p);
	}
}

static bool not_v8086(struct probe *p)
{
	return !v8086(p);
}

static bool restricted_not_v8086(struct probe *p)
{
	return !v8086(p) && !unrestricted_on(p);
}

static bool restricted_checked(struct probe *p)
{
	return checked(p) && !unrestricted_on(p);
}

static unsigned int cs_type(struct probe *p)
{
	return TYPE(ar(p, TINYVMX_CS));
}

static bool cs_is_data(struct probe *p)
{
	return !v8086(p) && unrestricted_on(p) && cs_type(p) == DATA_WRITABLE_ACCESSED;
}

static bool cs_is_nonconforming(struct probe *p)
{
	return !v8086(p) && (cs_type(p) | TYPE_READABLE) == (CODE_ACCESSED | TYPE_READABLE);
}

static bool cs_is_conforming(struct probe *p)
{
	return !v8086(p) &&
	       (cs_type(p) | TYPE_READABLE) == (CODE_CONFORMING_ACCESSED | TYPE_READABLE);
}

static bool cs_data_or_real_mode(struct probe *p)
{
	return !v8086(p) &&
	       (cs_type(p) == DATA_WRITABLE_ACCESSED || !(probe_get(p, VMCS_GUEST_CR0) & CR0_PE));
}

static bool cs_long_mode(struct probe *p)
{
	return ia32e_on(p) && ar(p, TINYVMX_CS) & TINYVMX_AR_L;
}

static bool rpl_differs_from_cs(struct probe *p)
{
	return RPL(p->value) != RPL(selector(p, TINYVMX_CS));
}

static bool base_not_selector(struct probe *p)
{
	return p->value != selector(p, p->seg) << 4;
}

static bool limit_not_64k(struct probe *p)
{
	return p->value != 0xffff;
}

static bool ar_not_v8086(struct probe *p)
{
	return p->value != 0xf3;
}

static bool bad_cs_type(struct probe *p)
{
	unsigned int type = TYPE(p->value);

	if (type == DATA_WRITABLE_ACCESSED)
		return !unrestricted_on(p);
	return (type & CODE_ACCESSED) != CODE_ACCESSED;
}

static bool bad_ss_type(struct probe *p)
{
	unsigned int type = TYPE(p->value);

	return type != DATA_WRITABLE_ACCESSED && type != DATA_EXPAND_DOWN_ACCESSED;
}

static bool unreadable_code(struct probe *p)
{
	return p->value & TYPE_CODE && !(p->value & TYPE_READABLE);
}

static bool has_dpl(struct probe *p)
{
	return DPL(p->value);
}

static bool dpl_differs_from_ss(struct probe *p)
{
	return DPL(p->value) != DPL(ar(p, TINYVMX_SS));
}

static bool dpl_above_ss(struct probe *p)
{
	return DPL(p->value) > DPL(ar(p, TINYVMX_SS));
}

static bool dpl_differs_from_rpl(struct probe *p)
{
	return DPL(p->value) != RPL(selector(p, p->seg));
}

/* Conforming code, types 12 to 15, is exempt. */
static bool dpl_below_rpl(struct probe *p)
{
	return TYPE(p->value) <= 11 && DPL(p->value) < RPL(selector(p, p->seg));
}

static bool long_and_32_bit(struct probe *p)
{
	return cs_long_mode(p) && p->value & TINYVMX_AR_DB;
}

/* G says whether the limit counts bytes or pages; some limits fit one only. */
static bool bad_granularity(struct probe *p)
{
	uint64_t lim = limit(p, p->seg);
	bool g = p->value & TINYVMX_AR_G;

	return g ? (lim & 0xfff) != 0xfff : lim >> 20;
}

static bool bad_tr_type(struct probe *p)
{
	unsigned int type = TYPE(p->value);

	return type != 11 && (type != 3 || ia32e_on(p));
}

static bool bad_ldtr_type(struct probe *p)
{
	return TYPE(p->value) != 2;
}

/* FS and GS have their base also when they are unusable; LDTR does not. */
static bool has_wide_base(struct probe *p)
{
	return p->seg == TINYVMX_LDTR ? usable(p) : true;
}

/* --- control registers and MSRs --- */

static bool loads_debug(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_DEBUG);
}

static bool loads_perf(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_PERF_GLOBAL);
}

static bool loads_pat(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_PAT);
}

static bool loads_efer(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_EFER);
}

static bool loads_efer_paging(struct probe *p)
{
	return loads_efer(p) && probe_get(p, VMCS_GUEST_CR0) & CR0_PG;
}

static bool loads_bndcfgs(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_BNDCFGS);
}

static bool loads_uinv(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_UINV);
}

static bool loads_cet(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_CET);
}

static bool loads_pkrs(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_PKRS);
}

static bool not_ia32e_guest(struct probe *p)
{
	return !ia32e_on(p);
}

static uint64_t fixed(struct probe *p, uint32_t msr, uint64_t otherwise)
{
	uint64_t value;

	if (p->dump->cpu && vmx_cpu_msr(p->dump->cpu, msr, &value))
		return value;
	return otherwise;
}

static bool bad_cr0(struct probe *p)
{
	uint64_t fixed0 = fixed(p, MSR_VMX_CR0_FIXED0, 0x80000021);

	if (unrestricted_on(p))
		fixed0 &= ~(CR0_PE | CR0_PG);
	return bad_fixed(p, &vmx_cr0_bits, fixed0, fixed(p, MSR_VMX_CR0_FIXED1, UINT32_MAX));
}

static bool bad_cr4(struct probe *p)
{
	return bad_fixed(p, &vmx_cr4_bits, fixed(p, MSR_VMX_CR4_FIXED0, 0x2000),
			 fixed(p, MSR_VMX_CR4_FIXED1, UINT64_MAX));
}

/* Without unrestricted guest the fixed bits demand PE already. */
static bool paging_without_protection(struct probe *p)
{
	return (p->value & (CR0_PG | CR0_PE)) == CR0_PG;
}

static bool cet_without_wp(struct probe *p)
{
	return p->value & CR4_CET && !(probe_get(p, VMCS_GUEST_CR0) & CR0_WP);
}

/* Linear-address masking puts its switches into bits 62:61. */
static bool bad_cr3(struct probe *p)
{
	if (fixed(p, MSR_VMX_CR4_FIXED1, 0) & CR4_LAM_SUP)
		p->value &= ~(3ULL << 61);
	return bad_phys(p);
}

static bool lma_differs_from_control(struct probe *p)
{
	return !(p->value & EFER_LMA) != !ia32e_on(p);
}

static bool lma_differs_from_lme(struct probe *p)
{
	return !(p->value & EFER_LMA) != !(p->value & EFER_LME);
}

static bool bad_bndcfgs(struct probe *p)
{
	return p->value & 0xffc || bad_canonical(p);
}

/* --- RIP, RFLAGS --- */

static bool not_64_bit_code(struct probe *p)
{
	return !cs_long_mode(p);
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
	return p->value == HLT && DPL(ar(p, TINYVMX_SS));
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
	return !(probe_get(p, VMCS_GUEST_RFLAGS) & RFLAGS_IF);
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
	return p->value & BLOCKING_MOV_SS || (p->dump->cpu && !p->dump->cpu->sgx);
}

static bool bad_pending_reserved(struct probe *p)
{
	uint64_t reserved = ~0x1ffffULL | 0xaff0;

	if (p->dump->cpu && p->dump->cpu->bus_lock_detect)
		reserved &= ~(1ULL << 11);
	return p->value & reserved;
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
	return probe_get(p, VMCS_GUEST_RFLAGS) & RFLAGS_TF &&
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
	       (p->dump->cpu && !p->dump->cpu->rtm);
}

static bool bad_link_pointer(struct probe *p)
{
	return p->value != UINT64_MAX && bad_address(p);
}

/* --- PDPTEs --- */

static bool pae_paging(struct probe *p)
{
	return ept_on(p) && !ia32e_on(p) && probe_get(p, VMCS_GUEST_CR0) & CR0_PG &&
	       probe_get(p, VMCS_GUEST_CR4) & CR4_PAE;
}

static bool bad_pdpte(struct probe *p)
{
	return p->value & 1 && bad_address(p);
}

/* --- the table, in the order of the SDM --- */

#define REG(id_, field_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = REGISTERS, .field = VMCS_##field_, \
	  .when = (when_), .bad = (bad_), .arg = (arg_), .rule = (rule_), \
	  .mend = (mend_) }

#define SEG(id_, field_, segs_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = SEGMENTS, .field = VMCS_GUEST_ES_##field_, \
	  .segs = (segs_), .when = (when_), .bad = (bad_), .arg = (arg_), \
	  .rule = (rule_), .mend = (mend_) }

#define TABLE(id_, field_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = TABLES, .field = VMCS_##field_, \
	  .bad = (bad_), .arg = (arg_), .rule = (rule_), .mend = (mend_) }

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
	  .rule = "if present (bit 0), bits 2:1, 8:5 and those beyond the physical-address width must be 0", \
	  .mend = "read the four entries from guest memory at CR3" }

static const struct rule guest_rules[] = {
	REG("cr0", GUEST_CR0, NULL, bad_cr0, 0,
	    "must have the bits that IA32_VMX_CR0_FIXED0 and FIXED1 demand (PE and PG are free with \"unrestricted guest\")",
	    "change the bits named"),
	REG("cr0.pg", GUEST_CR0, NULL, paging_without_protection, 0,
	    "PG (bit 31) requires PE (bit 0)", "set PE, or clear PG"),
	REG("cr4", GUEST_CR4, NULL, bad_cr4, 0,
	    "must have the bits that IA32_VMX_CR4_FIXED0 and FIXED1 demand",
	    "change the bits named"),
	REG("cr4.cet", GUEST_CR4, NULL, cet_without_wp, 0,
	    "CET (bit 23) requires CR0.WP", "set CR0.WP, or clear CET"),
	REG("debugctl", GUEST_DEBUGCTL, loads_debug, bad_ones,
	    ~0xffffULL | 0x38, "reserved bits (63:16, 5:3) must be 0",
	    "clear them"),
	REG("cr0.ia32e", GUEST_CR0, ia32e_on, bad_zeros, CR0_PG,
	    "PG (bit 31) must be 1 for an \"IA-32e mode guest\"",
	    "set PG, or clear EFER.LMA and the control"),
	REG("cr4.ia32e", GUEST_CR4, ia32e_on, bad_zeros, CR4_PAE,
	    "PAE (bit 5) must be 1 for an \"IA-32e mode guest\"",
	    "set PAE, or clear EFER.LMA and the control"),
	REG("cr4.pcide", GUEST_CR4, not_ia32e_guest, bad_ones, CR4_PCIDE,
	    "PCIDE (bit 17) must be 0 outside IA-32e mode", "clear PCIDE"),
	REG("cr3", GUEST_CR3, NULL, bad_cr3, 0,
	    "bits beyond the physical-address width must be 0", "clear them"),
	REG("dr7", GUEST_DR7, loads_debug, bad_ones, 0xffffffffULL << 32,
	    "bits 63:32 must be 0", "clear them"),
	REG("sysenter_esp", GUEST_SYSENTER_ESP, NULL, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	REG("sysenter_eip", GUEST_SYSENTER_EIP, NULL, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	REG("s_cet", GUEST_S_CET, loads_cet, bad_s_cet, 0,
	    "bits 9:6 must be 0, bits 10 and 11 not both 1, the bitmap's address canonical",
	    "change these bits"),
	REG("ssp_table", GUEST_SSP_TABLE, loads_cet, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	/* How many counters there are is the CPU's affair: these bits are none's. */
	REG("perf_global", GUEST_PERF_GLOBAL_CTRL, loads_perf, bad_ones,
	    0xfffe000000000000ULL, "reserved bits must be 0", "clear them"),
	REG("pat", GUEST_PAT, loads_pat, bad_pat, 0,
	    "each byte must be a memory type: 0, 1, 4, 5, 6 or 7",
	    "0007040600070406H is the value after reset"),
	REG("efer.reserved", GUEST_EFER, loads_efer, bad_ones, ~EFER_DEFINED,
	    "bits other than SCE, LME, LMA, NXE must be 0", "clear them"),
	REG("efer.lma", GUEST_EFER, loads_efer, lma_differs_from_control, 0,
	    "LMA (bit 10) must equal the VM-entry control \"IA-32e mode guest\"",
	    "make both what the guest's mode is"),
	REG("efer.lme", GUEST_EFER, loads_efer_paging, lma_differs_from_lme, 0,
	    "LME (bit 8) must equal LMA (bit 10) where CR0.PG is 1",
	    "set both or none"),
	REG("bndcfgs", GUEST_BNDCFGS, loads_bndcfgs, bad_bndcfgs, 0,
	    "bits 11:2 must be 0 and the address canonical", "change these bits"),
	REG("uinv", GUEST_UINV, loads_uinv, bad_ones, 0xff00,
	    "bits 15:8 must be 0", "give a vector, 0 to 255"),
	REG("pkrs", GUEST_PKRS, loads_pkrs, bad_ones, 0xffffffffULL << 32,
	    "bits 63:32 must be 0", "clear them"),

	SEG("seg.ti", SELECTOR, S(TR) | S(LDTR), checked, bad_ones, 1 << 2,
	    "TI (bit 2) of the @ selector must be 0: @ is in the GDT",
	    "clear bit 2"),
	SEG("ss.rpl", SELECTOR, S(SS), restricted_not_v8086,
	    rpl_differs_from_cs, 0,
	    "RPL of SS must equal RPL of CS without \"unrestricted guest\"",
	    "make bits 1:0 of both selectors the guest's privilege level"),
	SEG("seg.v86.base", BASE, CODE_DATA_SEGS, v8086, base_not_selector, 0,
	    "in virtual-8086 mode (RFLAGS.VM) the base must be the selector times 16",
	    "set the base of @ to its selector << 4, or clear RFLAGS.VM"),
	SEG("seg.base", BASE, S(FS) | S(GS) | S(LDTR) | S(TR), has_wide_base,
	    bad_canonical, 0, "must be a canonical address",
	    "copy the top address bit upwards"),
	SEG("seg.base.high", BASE, S(CS) | S(SS) | S(DS) | S(ES), checked,
	    bad_ones, 0xffffffffULL << 32, "bits 63:32 of the @ base must be 0",
	    "give a 32-bit base (only FS and GS have 64)"),
	SEG("seg.v86.limit", LIMIT, CODE_DATA_SEGS, v8086, limit_not_64k, 0,
	    "in virtual-8086 mode (RFLAGS.VM) the limit must be FFFFH",
	    "set the limit of @ to FFFFH, or clear RFLAGS.VM"),
	SEG("seg.v86.ar", AR, CODE_DATA_SEGS, v8086, ar_not_v8086, 0,
	    "in virtual-8086 mode (RFLAGS.VM) the access rights must be F3H",
	    "set them to F3H (read/write data, DPL 3, present), or clear RFLAGS.VM"),
	SEG("cs.type", AR, S(CS), not_v8086, bad_cs_type, 0,
	    "the type of CS (bits 3:0) must be 9, 11, 13 or 15 (accessed code), or 3 with \"unrestricted guest\"",
	    "set it to 11, execute/read accessed"),
	SEG("ss.type", AR, S(SS), checked, bad_ss_type, 0,
	    "the type of SS (bits 3:0) must be 3 or 7 (writable accessed data)",
	    "set it to 3, or make SS unusable (bit 16)"),
	SEG("seg.accessed", AR, DATA_SEGS, checked, bad_zeros, TYPE_ACCESSED,
	    "the type of @ must be accessed (bit 0)",
	    "set bit 0, or make @ unusable (bit 16)"),
	SEG("seg.readable", AR, DATA_SEGS, checked, unreadable_code, 0,
	    "@ may be code only if that is readable (bit 1)",
	    "set the type of @ to 3, read/write accessed"),
	SEG("seg.s", AR, CODE_DATA_SEGS, checked, bad_zeros, TINYVMX_AR_S,
	    "S (bit 4) of @ must be 1: a code or data segment", "set bit 4"),
	SEG("cs.dpl.data", AR, S(CS), cs_is_data, has_dpl, 0,
	    "DPL (bits 6:5) of CS must be 0 for type 3", "clear bits 6:5"),
	SEG("cs.dpl.nonconforming", AR, S(CS), cs_is_nonconforming,
	    dpl_differs_from_ss, 0,
	    "DPL (bits 6:5) of non-conforming CS must equal DPL of SS",
	    "make both the guest's privilege level"),
	SEG("cs.dpl.conforming", AR, S(CS), cs_is_conforming, dpl_above_ss, 0,
	    "DPL (bits 6:5) of conforming CS must not exceed DPL of SS",
	    "lower it, or raise that of SS"),
	SEG("ss.dpl.rpl", AR, S(SS), restricted_not_v8086,
	    dpl_differs_from_rpl, 0,
	    "DPL (bits 6:5) of SS must equal its RPL without \"unrestricted guest\"",
	    "make both the guest's privilege level"),
	SEG("ss.dpl.zero", AR, S(SS), cs_data_or_real_mode, has_dpl, 0,
	    "DPL (bits 6:5) of SS must be 0 in real mode, and where the type of CS is 3",
	    "clear bits 6:5"),
	SEG("seg.dpl", AR, DATA_SEGS, restricted_checked, dpl_below_rpl, 0,
	    "DPL (bits 6:5) of @ must not be below RPL of its selector without \"unrestricted guest\"",
	    "raise DPL, or lower RPL"),
	SEG("seg.present", AR, ALL_SEGS, checked, bad_zeros, TINYVMX_AR_P,
	    "P (bit 7) of @ must be 1",
	    "set bit 7 (or make @ unusable, bit 16, unless it is CS or TR)"),
	SEG("seg.reserved", AR, ALL_SEGS, checked, bad_ones,
	    0xfffe0000 | 0xf00, "bits 11:8 and 31:17 of @ must be 0",
	    "clear them"),
	SEG("cs.db", AR, S(CS), not_v8086, long_and_32_bit, 0,
	    "D/B (bit 14) of CS must be 0 where L (bit 13) is 1",
	    "clear bit 14 for 64-bit code, bit 13 for compatibility mode"),
	SEG("seg.granularity", AR, ALL_SEGS, checked, bad_granularity, 0,
	    "G (bit 15) of @ must be 0 if a bit of limit[11:0] is 0, and 1 if a bit of limit[31:20] is 1",
	    "give limits in bytes: FFFFFFFFH with G, FFFFH without"),
	SEG("tr.type", AR, S(TR), NULL, bad_tr_type, 0,
	    "the type of TR (bits 3:0) must be 11 (busy TSS), or 3 (busy 16-bit TSS) outside IA-32e mode",
	    "set it to 11"),
	SEG("ldtr.type", AR, S(LDTR), usable, bad_ldtr_type, 0,
	    "the type of LDTR (bits 3:0) must be 2",
	    "set it to 2, or make LDTR unusable (bit 16)"),
	SEG("seg.system", AR, S(TR) | S(LDTR), checked, bad_ones, TINYVMX_AR_S,
	    "S (bit 4) of @ must be 0: a system segment", "clear bit 4"),
	SEG("tr.usable", AR, S(TR), NULL, bad_ones, TINYVMX_AR_UNUSABLE,
	    "TR must be usable (bit 16 is 0)",
	    "clear bit 16; 8BH is a busy TSS"),

	TABLE("gdtr.base", GUEST_GDTR_BASE, bad_canonical, 0,
	      "must be a canonical address", "copy the top address bit upwards"),
	TABLE("idtr.base", GUEST_IDTR_BASE, bad_canonical, 0,
	      "must be a canonical address", "copy the top address bit upwards"),
	TABLE("gdtr.limit", GUEST_GDTR_LIMIT, bad_ones, 0xffff0000,
	      "bits 31:16 must be 0", "give at most FFFFH"),
	TABLE("idtr.limit", GUEST_IDTR_LIMIT, bad_ones, 0xffff0000,
	      "bits 31:16 must be 0", "give at most FFFFH"),

	FLOW("rip.high", GUEST_RIP, not_64_bit_code, bad_ones,
	     0xffffffffULL << 32,
	     "bits 63:32 must be 0 unless the guest is in 64-bit mode (IA-32e mode and CS.L)",
	     "give a 32-bit RIP, or set L (bit 13) of CS"),
	FLOW("rip", GUEST_RIP, cs_long_mode, bad_linear, 0,
	     "bits beyond the linear-address width must all be the same",
	     "give a canonical address"),
	FLOW("rflags.reserved", GUEST_RFLAGS, NULL, bad_ones,
	     ~0x3fffffULL | 0x8028, "bits 63:22, 15, 5 and 3 must be 0",
	     "clear them"),
	FLOW("rflags.one", GUEST_RFLAGS, NULL, bad_zeros, 1 << 1,
	     "bit 1 must be 1", "set it; 2 is the value after reset"),
	FLOW("rflags.vm", GUEST_RFLAGS, long_mode_or_real_mode, bad_ones,
	     RFLAGS_VM, "VM (bit 17) must be 0 in IA-32e mode and in real mode",
	     "clear VM"),
	FLOW("rflags.if", GUEST_RFLAGS, injects_extint, bad_zeros, RFLAGS_IF,
	     "IF (bit 9) must be 1 to inject an external interrupt",
	     "wait for the interrupt window"),
	FLOW("ssp.align", GUEST_SSP, loads_cet, bad_ones, 3,
	     "bits 1:0 must be 0", "align the shadow stack"),
	FLOW("ssp", GUEST_SSP, loads_cet, bad_linear, 0,
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

const struct rules explain_guest_rules = { guest_rules, ARRAY_SIZE(guest_rules) };
