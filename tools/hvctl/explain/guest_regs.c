// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on the Guest State Area": control registers, debug registers and MSRs.
 */
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

#define REGISTERS	"Checks on Guest Control Registers, Debug Registers, and MSRs"

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
	return loads_efer(p) && probe_get(p, VMCS_GUEST_CR0) & X86_CR0_PG;
}

static bool loads_bndcfgs(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_BNDCFGS);
}

static bool loads_rtit(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_RTIT);
}

static bool loads_lbr(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_LBR);
}

static bool loads_fred(struct probe *p)
{
	return ia32e_on(p) && entry_on(p, ENTRY_LOAD_FRED);
}

static bool loads_uinv(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_UINV);
}

static bool loads_pkrs(struct probe *p)
{
	return entry_on(p, ENTRY_LOAD_PKRS);
}

static bool not_ia32e_guest(struct probe *p)
{
	return !ia32e_on(p);
}

/* Without unrestricted guest the fixed bits demand PE already. */
static bool paging_without_protection(struct probe *p)
{
	return (p->value & (X86_CR0_PG | X86_CR0_PE)) == X86_CR0_PG;
}

static bool lma_differs_from_control(struct probe *p)
{
	return !(p->value & X86_EFER_LMA) != !ia32e_on(p);
}

static bool lma_differs_from_lme(struct probe *p)
{
	return !(p->value & X86_EFER_LMA) != !(p->value & X86_EFER_LME);
}

static bool bad_bndcfgs(struct probe *p)
{
	return p->value & 0xffc || bad_canonical(p);
}

/* Bit 2, bus-lock detection, is not on each CPU. */
static bool bad_debugctl(struct probe *p)
{
	if (bad_ones(p))
		return true;
	return p->value & 1 << 2 && probe_cpu(p) && !p->dump->cpu->bus_lock_detect;
}

/* --- the table, in the order of the SDM --- */

#define REG(id_, field_, when_, bad_, arg_, rule_, mend_) \
	{ .id = "guest." id_, .section = REGISTERS, .field = VMCS_##field_, \
	  .when = (when_), .bad = (bad_), .arg = (arg_), .rule = (rule_), \
	  .mend = (mend_) }

static const struct rule register_rules[] = {
	REG("cr0", GUEST_CR0, NULL, bad_cr0, X86_CR0_PE | X86_CR0_PG,
	    "must have the bits that IA32_VMX_CR0_FIXED0 and FIXED1 demand (PE and PG are free with \"unrestricted guest\")",
	    "change the bits named"),
	REG("cr0.pg", GUEST_CR0, NULL, paging_without_protection, 0,
	    "PG (bit 31) requires PE (bit 0)", "set PE, or clear PG"),
	REG("cr4", GUEST_CR4, NULL, bad_cr4, 0,
	    "must have the bits that IA32_VMX_CR4_FIXED0 and FIXED1 demand",
	    "change the bits named"),
	REG("cr4.cet", GUEST_CR4, NULL, bad_cet_without_wp, VMCS_GUEST_CR0,
	    "CET (bit 23) requires CR0.WP", "set CR0.WP, or clear CET"),
	REG("debugctl", GUEST_DEBUGCTL, loads_debug, bad_debugctl,
	    ~0xffffULL | 0x38,
	    "reserved bits (63:16, 5:3; without bus-lock detection 2, too) must be 0",
	    "clear them"),
	REG("cr0.ia32e", GUEST_CR0, ia32e_on, bad_zeros, X86_CR0_PG,
	    "PG (bit 31) must be 1 for an \"IA-32e mode guest\"",
	    "set PG, or clear EFER.LMA and the control"),
	REG("cr4.ia32e", GUEST_CR4, ia32e_on, bad_zeros, X86_CR4_PAE,
	    "PAE (bit 5) must be 1 for an \"IA-32e mode guest\"",
	    "set PAE, or clear EFER.LMA and the control"),
	REG("cr4.pcide", GUEST_CR4, not_ia32e_guest, bad_ones, X86_CR4_PCIDE,
	    "PCIDE (bit 17) must be 0 outside IA-32e mode", "clear PCIDE"),
	REG("cr4.fred", GUEST_CR4, not_ia32e_guest, bad_ones, X86_CR4_FRED,
	    "FRED (bit 32) must be 0 outside IA-32e mode", "clear FRED"),
	REG("cr3", GUEST_CR3, NULL, bad_cr3, 0,
	    "bits beyond the physical-address width must be 0", "clear them"),
	REG("dr7", GUEST_DR7, loads_debug, bad_ones, 0xffffffffULL << 32,
	    "bits 63:32 must be 0", "clear them"),
	REG("sysenter_esp", GUEST_SYSENTER_ESP, NULL, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	REG("sysenter_eip", GUEST_SYSENTER_EIP, NULL, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	REG("s_cet", GUEST_S_CET, loads_guest_cet, bad_s_cet, 0,
	    "bits 9:6 must be 0, bits 10 and 11 not both 1, the bitmap's address canonical",
	    "change these bits"),
	REG("ssp_table", GUEST_SSP_TABLE, loads_guest_cet, bad_canonical, 0,
	    "must be a canonical address", "copy the top address bit upwards"),
	REG("perf_global", GUEST_PERF_GLOBAL_CTRL, loads_perf, bad_perf_global,
	    PERF_GLOBAL_BITS, "bits of counters that the CPU does not have must be 0",
	    "clear them"),
	REG("pat", GUEST_PAT, loads_pat, bad_pat, 0,
	    "each byte must be a memory type: 0, 1, 4, 5, 6 or 7",
	    "0007040600070406H is the value after reset"),
	REG("efer.reserved", GUEST_EFER, loads_efer, bad_ones, ~X86_EFER_DEFINED,
	    "bits other than SCE, LME, LMA, NXE must be 0", "clear them"),
	REG("efer.lma", GUEST_EFER, loads_efer, lma_differs_from_control, 0,
	    "LMA (bit 10) must equal the VM-entry control \"IA-32e mode guest\"",
	    "make both what the guest's mode is"),
	REG("efer.lme", GUEST_EFER, loads_efer_paging, lma_differs_from_lme, 0,
	    "LME (bit 8) must equal LMA (bit 10) where CR0.PG is 1",
	    "set both or none"),
	REG("bndcfgs", GUEST_BNDCFGS, loads_bndcfgs, bad_bndcfgs, 0,
	    "bits 11:2 must be 0 and the address canonical", "change these bits"),
	/* All but bits 18, 23, 30:28, 54:48 and 63:57 */
	REG("rtit_ctl", GUEST_RTIT_CTL, loads_rtit, bad_rtit_ctl, 0x0180ffff8f7bffff,
	    "reserved bits must be 0: those of what CPUID 14H does not list, and 18, 23, 30:28, 54:48, 63:57",
	    "clear them"),
	/* LBREn, OS, USR, CALL_STACK, and the kinds of branches */
	REG("lbr_ctl", GUEST_LBR_CTL, loads_lbr, bad_lbr_ctl, 0x7f000f,
	    "reserved bits must be 0: those of what CPUID 1CH does not list, and 15:4, 63:23",
	    "clear them"),
	REG("uinv", GUEST_UINV, loads_uinv, bad_ones, 0xff00,
	    "bits 15:8 must be 0", "give a vector, 0 to 255"),
	REG("pkrs", GUEST_PKRS, loads_pkrs, bad_ones, 0xffffffffULL << 32,
	    "bits 63:32 must be 0", "clear them"),
	FRED_ROWS("guest.", GUEST, REGISTERS, loads_fred),
};

const struct rules explain_guest_register_rules = { register_rules, ARRAY_SIZE(register_rules) };
