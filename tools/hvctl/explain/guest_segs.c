// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on the Guest State Area": segment and descriptor-table registers.
 */
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

#define SEGMENTS	"Checks on Guest Segment Registers"
#define TABLES		"Checks on Guest Descriptor-Table Registers"

#define S(name)	(1U << TINYVMX_##name)
#define DATA_SEGS	(S(ES) | S(DS) | S(FS) | S(GS))
#define CODE_DATA_SEGS	(DATA_SEGS | S(CS) | S(SS))
#define ALL_SEGS	(CODE_DATA_SEGS | S(LDTR) | S(TR))

#define TYPE(ar)	((unsigned int)((ar) & 0xf))
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

static bool usable(struct probe *p)
{
	return !(guest_ar(p, p->seg) & TINYVMX_AR_UNUSABLE);
}

/*
 * RFLAGS.VM where it may be set. Where it may not, that is the fault to tell,
 * not what each segment register lacks for virtual-8086 mode.
 */
static bool v8086(struct probe *p)
{
	return probe_get(p, VMCS_GUEST_RFLAGS) & X86_RFLAGS_VM && !ia32e_or_real_mode(p);
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
	return TYPE(guest_ar(p, TINYVMX_CS));
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
	return !v8086(p) && (cs_type(p) == DATA_WRITABLE_ACCESSED ||
			     !(probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PE));
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
	return AR_DPL(p->value);
}

static bool dpl_differs_from_ss(struct probe *p)
{
	return AR_DPL(p->value) != guest_cpl(p);
}

static bool dpl_above_ss(struct probe *p)
{
	return AR_DPL(p->value) > guest_cpl(p);
}

static bool dpl_differs_from_rpl(struct probe *p)
{
	return AR_DPL(p->value) != RPL(selector(p, p->seg));
}

static bool dpl_1_or_2(struct probe *p)
{
	return AR_DPL(p->value) == 1 || AR_DPL(p->value) == 2;
}

static bool fred_ring_0(struct probe *p)
{
	return guest_fred(p) && !guest_cpl(p);
}

/* Conforming code, types 12 to 15, is exempt. */
static bool dpl_below_rpl(struct probe *p)
{
	return TYPE(p->value) <= 11 && AR_DPL(p->value) < RPL(selector(p, p->seg));
}

static bool long_and_32_bit(struct probe *p)
{
	return guest_64_bit(p) && p->value & TINYVMX_AR_DB;
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

/* --- the table, in the order of the SDM --- */

#define SEG(id_, field_, segs_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = SEGMENTS, .field = VMCS_GUEST_ES_##field_, \
	  .segs = (segs_), .when = (when_), .bad = (bad_), .arg = (arg_), \
	  .rule = (rule_), .mend = (mend_) }

#define TABLE(id_, field_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = TABLES, .field = VMCS_##field_, \
	  .bad = (bad_), .arg = (arg_), .rule = (rule_), .mend = (mend_) }

static const struct rule segment_rules[] = {
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
	SEG("ss.dpl.fred", AR, S(SS), guest_fred, dpl_1_or_2, 0,
	    "DPL (bits 6:5) of SS must be 0 or 3 where CR4.FRED is 1",
	    "make it 0 or 3: FRED has no rings 1 and 2"),
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
	SEG("cs.l.fred", AR, S(CS), fred_ring_0, bad_zeros, TINYVMX_AR_L,
	    "L (bit 13) of CS must be 1 in ring 0 where CR4.FRED is 1",
	    "set bit 13: with FRED only ring 3 has a compatibility mode"),
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
};

const struct rules explain_guest_segment_rules = { segment_rules, ARRAY_SIZE(segment_rules) };
