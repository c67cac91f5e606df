/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX capability MSRs: which bits they have, what those are called, and what
 * they allow a VMCS to say.
 */
#ifndef HV_VMX_CAPS_H
#define HV_VMX_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

enum vmx_msr {
	MSR_FEATURE_CONTROL = 0x3a,
	MSR_VMX_BASIC = 0x480,
	MSR_VMX_PIN = 0x481,
	MSR_VMX_PROC = 0x482,
	MSR_VMX_EXIT = 0x483,
	MSR_VMX_ENTRY = 0x484,
	MSR_VMX_MISC = 0x485,
	MSR_VMX_CR0_FIXED0 = 0x486,
	MSR_VMX_CR0_FIXED1 = 0x487,
	MSR_VMX_CR4_FIXED0 = 0x488,
	MSR_VMX_CR4_FIXED1 = 0x489,
	MSR_VMX_VMCS_ENUM = 0x48a,
	MSR_VMX_PROC2 = 0x48b,
	MSR_VMX_EPT_VPID = 0x48c,
	MSR_VMX_TRUE_PIN = 0x48d,
	MSR_VMX_TRUE_PROC = 0x48e,
	MSR_VMX_TRUE_EXIT = 0x48f,
	MSR_VMX_TRUE_ENTRY = 0x490,
	MSR_VMX_VMFUNC = 0x491,
	MSR_VMX_PROC3 = 0x492,
	MSR_VMX_EXIT2 = 0x493,
};

/* What the rules of VMX depend on in a CPU. */
struct vmx_cpu {
	uint32_t msr_valid;		/* bit n: msr[n] is known */
	uint64_t msr[TINYVMX_VMX_MSR_COUNT];
	unsigned int phys_bits;		/* CPUID 80000008H; 0: not known */
	unsigned int linear_bits;
	bool sgx;			/* CPUID 7 */
	bool rtm;
	bool bus_lock_detect;
	bool hybrid;			/* cores of more than one kind */
	/* the bits that these MSRs have */
	uint64_t perf_global;		/* IA32_PERF_GLOBAL_CTRL but bit 48: CPUID 0AH */
	uint64_t lbr_ctl;		/* IA32_LBR_CTL: CPUID 1CH */
	uint64_t rtit_ctl;		/* IA32_RTIT_CTL: CPUID 14H */
};

/* CPUID: @regs gets EAX, EBX, ECX, EDX, zeros for a leaf that is not there. */
typedef void vmx_cpuid_fn(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/**
 * vmx_cpuid - run CPUID on this CPU
 * @leaf: EAX
 * @subleaf: ECX
 * @regs: gets EAX, EBX, ECX, EDX
 */
void vmx_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/**
 * vmx_cpu_from_cpuid - fill in what CPUID tells: everything but the MSRs
 * @cpu: to be filled
 * @ask: how to get at CPUID
 */
void vmx_cpu_from_cpuid(struct vmx_cpu *cpu, vmx_cpuid_fn *ask);

/**
 * vmx_cpu_probe - the same for the CPU we run on
 * @cpu: to be filled
 */
void vmx_cpu_probe(struct vmx_cpu *cpu);

/**
 * vmx_cpu_from_info - take the MSRs from GET_INFO and the rest from CPUID
 * @cpu: to be filled
 * @info: what GET_INFO said
 */
void vmx_cpu_from_info(struct vmx_cpu *cpu, const struct tinyvmx_info *info);

/**
 * vmx_cpu_read - find out about the CPU that we run on
 * @cpu: to be filled
 *
 * Return: @cpu, or NULL if /dev/tinyvmx cannot be asked.
 */
const struct vmx_cpu *vmx_cpu_read(struct vmx_cpu *cpu);

/**
 * vmx_cpu_msr - get a capability MSR
 * @cpu: the CPU
 * @msr: number of the MSR
 * @value: gets it; 0 if it is not known
 *
 * Return: whether it is known.
 */
bool vmx_cpu_msr(const struct vmx_cpu *cpu, uint32_t msr, uint64_t *value);

/* A named bit of a register. */
struct vmx_bit {
	unsigned int bit;
	const char *name;
};

struct vmx_bits {
	const struct vmx_bit *bit;
	size_t count;
};

/* A control word of the VMCS. */
enum vmx_word_id {
	VMX_WORD_PIN,
	VMX_WORD_PROC,
	VMX_WORD_PROC2,
	VMX_WORD_PROC3,
	VMX_WORD_EXIT,
	VMX_WORD_EXIT2,
	VMX_WORD_ENTRY,
	VMX_NR_WORDS
};

struct vmx_word {
	const char *key;		/* short, for programs */
	const char *name;		/* the SDM's */
	const char *msr_name;
	uint32_t field;			/* VMCS encoding */
	uint32_t msr;
	uint32_t true_msr;		/* 0: has none */
	bool allowed1_only;		/* 64-bit word: the MSR is its allowed 1-settings */
	struct vmx_bits bits;
};

extern const struct vmx_word vmx_words[VMX_NR_WORDS];

/* What a control word may be: @must_be_1 and nothing outside of @may_be_1. */
struct vmx_limits {
	uint64_t must_be_1;
	uint64_t may_be_1;
	uint64_t default_1;	/* free by the true MSR, fixed 1 by the older one */
};

/**
 * vmx_word_limits - what a CPU lets a control word be
 * @cpu: the CPU
 * @word: one of vmx_words
 * @limits: gets that; zeros if it is not known
 *
 * Return: false if the CPU does not have the word, or its MSR is not known.
 */
bool vmx_word_limits(const struct vmx_cpu *cpu, const struct vmx_word *word,
		     struct vmx_limits *limits);

/* "fixed 0", "fixed 1", "free" */
const char *vmx_setting_name(const struct vmx_limits *limits, unsigned int bit);

/* Names of the bits of other registers */
extern const struct vmx_bits vmx_cr0_bits;
extern const struct vmx_bits vmx_cr4_bits;
extern const struct vmx_bits vmx_basic_bits;
extern const struct vmx_bits vmx_misc_bits;
extern const struct vmx_bits vmx_ept_vpid_bits;
extern const struct vmx_bits vmx_vmfunc_bits;
extern const struct vmx_bits vmx_feature_control_bits;
extern const struct vmx_bits tinyvmx_cap_bits;

/**
 * vmx_bit_name - the name of a bit
 * @bits: the register's names
 * @bit: number of the bit
 *
 * Return: the name, NULL if it has none.
 */
const char *vmx_bit_name(const struct vmx_bits *bits, unsigned int bit);

/* The short name of capability MSR number @index, counted from IA32_VMX_BASIC. */
const char *vmx_msr_name(unsigned int index);

/* "uncacheable (UC)", "write-back (WB)", ... */
const char *vmx_memory_type_name(unsigned int type);

#endif
