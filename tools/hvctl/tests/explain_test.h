/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of explain share: a CPU, and a VMCS that it enters. */
#ifndef HV_TESTS_EXPLAIN_TEST_H
#define HV_TESTS_EXPLAIN_TEST_H

#include <stdlib.h>

#include "explain/explain.h"
#include "explain/rules.h"
#include "hv_test.h"
#include "lib/util.h"
#include "lib/x86.h"

/* --- a CPU: Skylake-like, with all controls that have a name --- */

static inline uint64_t all_named(enum vmx_word_id id)
{
	const struct vmx_bits *bits = &vmx_words[id].bits;
	uint64_t mask = 0;

	for (size_t i = 0; i < bits->count; i++)
		mask |= 1ULL << bits->bit[i].bit;
	return mask;
}

static inline void set_msr(struct vmx_cpu *cpu, uint32_t msr, uint64_t value)
{
	cpu->msr[msr - TINYVMX_VMX_MSR_BASE] = value;
	cpu->msr_valid |= 1U << (msr - TINYVMX_VMX_MSR_BASE);
}

static inline void set_limits(struct vmx_cpu *cpu, enum vmx_word_id id, uint32_t one)
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

static inline struct vmx_cpu make_cpu(void)
{
	struct vmx_cpu cpu = {
		.phys_bits = 39,
		.linear_bits = 48,
		.perf_global = 0x70000000f, /* four counters and three fixed ones */
		.lbr_ctl = 0x7,
		.rtit_ctl = 0x2c0d,
	};

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
	set_msr(&cpu, MSR_VMX_CR4_FIXED1, X86_CR4_FRED | 0xf77fff);
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

static inline void set_field(uint32_t field, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++) {
		if (vmcs[i].encoding != field)
			continue;
		vmcs[i].value = value;
		return;
	}
	fail_msg("no field 0x%x", field);
}

static inline void apply(const struct set *sets, size_t max)
{
	for (size_t i = 0; i < max && (sets[i].field || sets[i].value); i++)
		set_field(sets[i].field, sets[i].value);
}

/* Start anew from @mode; NULL: long mode. */
static inline void make_vmcs(const struct set *mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		vmcs[i].value = 0;
	apply(long_mode, ARRAY_SIZE(long_mode));
	if (mode)
		apply(mode, 64);
}

static struct explain_finding found[8];

static inline size_t find(const struct vmx_cpu *cpu, struct explain_gaps *gaps)
{
	return explain_find(cpu, vmcs, ARRAY_SIZE(vmcs), found, ARRAY_SIZE(found), gaps);
}

static inline void complain(const char *id, size_t n)
{
	fprintf(stderr, "wanted %s only, got %zu:\n", id, n);
	for (size_t i = 0; i < n && i < ARRAY_SIZE(found); i++)
		fprintf(stderr, "  %s %s\n", found[i].id, found[i].text);
}

#endif
