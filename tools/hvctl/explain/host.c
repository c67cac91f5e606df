// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SDM's "Checks on Host-State Area": failures with VM-instruction error 8.
 */
#include "lib/util.h"
#include "lib/x86.h"
#include "rules.h"

#define REGISTERS	"Checks on Host Control Registers, MSRs, and SSP"
#define SEGMENTS	"Checks on Host Segment and Descriptor-Table Registers"
#define SPACE		"Checks Related to Address-Space Size"

static bool loads_pat(struct probe *p)
{
	return exit_on(p, EXIT_LOAD_PAT);
}

static bool loads_efer(struct probe *p)
{
	return exit_on(p, EXIT_LOAD_EFER);
}

static bool loads_cet(struct probe *p)
{
	return exit_on(p, EXIT_LOAD_CET);
}

static bool loads_pkrs(struct probe *p)
{
	return exit_on(p, EXIT_LOAD_PKRS);
}

static bool loads_perf_global(struct probe *p)
{
	return exit_on(p, EXIT_LOAD_PERF_GLOBAL);
}

static bool host_64(struct probe *p)
{
	return exit_on(p, EXIT_HOST_64);
}

static bool loads_fred(struct probe *p)
{
	return host_64(p) && exit2_on(p, EXIT2_LOAD_FRED);
}

static bool bad_efer_mode(struct probe *p)
{
	uint64_t both = X86_EFER_LMA | X86_EFER_LME;

	return (p->value & both) != (host_64(p) ? both : 0);
}

#define CANONICAL(id_, section_, field_) \
	{ .id = "host." id_, .section = (section_), .field = VMCS_##field_, \
	  .bad = bad_canonical, .rule = "must be a canonical address", \
	  .mend = "load it from the host's register" }

/* RPL and TI, bits 2:0, of a selector */
#define SELECTOR(id_, field_) \
	{ .id = "host." id_, .section = SEGMENTS, .field = VMCS_##field_, \
	  .bad = bad_ones, .arg = 7, .rule = "RPL and TI (bits 2:0) must be 0", \
	  .mend = "give a GDT selector with RPL 0, or 0 and reload it after the exit" }

static const struct rule host_rules[] = {
	{ .id = "host.cr0", .section = REGISTERS, .field = VMCS_HOST_CR0,
	  .bad = bad_cr0,
	  .rule = "must have the bits that IA32_VMX_CR0_FIXED0 and FIXED1 demand",
	  .mend = "load it from the host's CR0" },
	{ .id = "host.cr4", .section = REGISTERS, .field = VMCS_HOST_CR4,
	  .bad = bad_cr4,
	  .rule = "must have the bits that IA32_VMX_CR4_FIXED0 and FIXED1 demand",
	  .mend = "load it from the host's CR4" },
	{ .id = "host.cr4.cet", .section = REGISTERS, .field = VMCS_HOST_CR4,
	  .bad = bad_cet_without_wp, .arg = VMCS_HOST_CR0, .rule = "CR4.CET requires CR0.WP",
	  .mend = "set CR0.WP, or clear CR4.CET" },
	{ .id = "host.cr3", .section = REGISTERS, .field = VMCS_HOST_CR3,
	  .bad = bad_cr3,
	  .rule = "must be within the physical-address width",
	  .mend = "load it from the host's CR3" },
	CANONICAL("sysenter_esp", REGISTERS, HOST_SYSENTER_ESP),
	CANONICAL("sysenter_eip", REGISTERS, HOST_SYSENTER_EIP),
	{ .id = "host.perf_global", .section = REGISTERS,
	  .field = VMCS_HOST_PERF_GLOBAL_CTRL, .when = loads_perf_global,
	  .bad = bad_perf_global, .arg = PERF_GLOBAL_BITS,
	  .rule = "bits of counters that the CPU does not have must be 0",
	  .mend = "load it from the host's IA32_PERF_GLOBAL_CTRL" },
	{ .id = "host.pat", .section = REGISTERS, .field = VMCS_HOST_PAT,
	  .when = loads_pat, .bad = bad_pat,
	  .rule = "each byte must be a memory type: 0, 1, 4, 5, 6 or 7",
	  .mend = "load it from the host's IA32_PAT" },
	{ .id = "host.efer.reserved", .section = REGISTERS,
	  .field = VMCS_HOST_EFER, .when = loads_efer, .bad = bad_ones,
	  .arg = ~X86_EFER_DEFINED, .rule = "bits other than SCE, LME, LMA, NXE must be 0",
	  .mend = "load it from the host's IA32_EFER" },
	{ .id = "host.efer.mode", .section = REGISTERS,
	  .field = VMCS_HOST_EFER, .when = loads_efer, .bad = bad_efer_mode,
	  .rule = "LMA (bit 10) and LME (bit 8) must both equal \"host address-space size\"",
	  .mend = "load it from the host's IA32_EFER" },
	{ .id = "host.s_cet", .section = REGISTERS, .field = VMCS_HOST_S_CET,
	  .when = loads_cet, .bad = bad_s_cet,
	  .rule = "bits 9:6 must be 0, bits 10 and 11 not both 1, the bitmap's address canonical",
	  .mend = "load it from the host's IA32_S_CET" },
	{ .id = "host.ssp", .section = REGISTERS, .field = VMCS_HOST_SSP,
	  .when = loads_cet, .bad = bad_ones, .arg = 3,
	  .rule = "bits 1:0 must be 0", .mend = "align the shadow stack" },
	{ .id = "host.ssp.canonical", .section = REGISTERS, .field = VMCS_HOST_SSP,
	  .when = loads_cet, .bad = bad_canonical,
	  .rule = "must be a canonical address",
	  .mend = "give the host's shadow-stack pointer" },
	{ .id = "host.ssp_table", .section = REGISTERS,
	  .field = VMCS_HOST_SSP_TABLE, .when = loads_cet, .bad = bad_canonical,
	  .rule = "must be a canonical address",
	  .mend = "load it from the host's IA32_INTERRUPT_SSP_TABLE_ADDR" },
	{ .id = "host.pkrs", .section = REGISTERS, .field = VMCS_HOST_PKRS,
	  .when = loads_pkrs, .bad = bad_ones, .arg = 0xffffffffULL << 32,
	  .rule = "bits 63:32 must be 0", .mend = "load it from the host's IA32_PKRS" },
	FRED_ROWS("host.", HOST, REGISTERS, loads_fred),

	SELECTOR("es", HOST_ES_SELECTOR),
	SELECTOR("cs", HOST_CS_SELECTOR),
	SELECTOR("ss", HOST_SS_SELECTOR),
	SELECTOR("ds", HOST_DS_SELECTOR),
	SELECTOR("fs", HOST_FS_SELECTOR),
	SELECTOR("gs", HOST_GS_SELECTOR),
	SELECTOR("tr", HOST_TR_SELECTOR),
	{ .id = "host.cs.null", .section = SEGMENTS,
	  .field = VMCS_HOST_CS_SELECTOR, .bad = bad_null,
	  .rule = "must not be 0", .mend = "give the host's code segment" },
	{ .id = "host.tr.null", .section = SEGMENTS,
	  .field = VMCS_HOST_TR_SELECTOR, .bad = bad_null,
	  .rule = "must not be 0", .mend = "give the host's task register (STR)" },
	CANONICAL("fs.base", SEGMENTS, HOST_FS_BASE),
	CANONICAL("gs.base", SEGMENTS, HOST_GS_BASE),
	CANONICAL("tr.base", SEGMENTS, HOST_TR_BASE),
	CANONICAL("gdtr.base", SEGMENTS, HOST_GDTR_BASE),
	CANONICAL("idtr.base", SEGMENTS, HOST_IDTR_BASE),

	{ .id = "host.space", .section = SPACE, .field = VMCS_EXIT_CTLS,
	  .bad = bad_zeros, .arg = 1 << EXIT_HOST_64,
	  .rule = "\"host address-space size\" (bit 9) must be 1, as the host is in IA-32e mode",
	  .mend = "set bit 9" },
	{ .id = "host.cr4.pae", .section = SPACE, .field = VMCS_HOST_CR4,
	  .when = host_64, .bad = bad_zeros, .arg = X86_CR4_PAE,
	  .rule = "PAE (bit 5) must be 1 for a 64-bit host",
	  .mend = "load it from the host's CR4" },
	{ .id = "host.rip", .section = SPACE, .field = VMCS_HOST_RIP,
	  .when = host_64, .bad = bad_canonical,
	  .rule = "must be a canonical address",
	  .mend = "give the address of the VM-exit entry point" },
};

const struct rules explain_host_rules = { host_rules, ARRAY_SIZE(host_rules) };
