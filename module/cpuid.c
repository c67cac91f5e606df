// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID: looking leaves up, and the policy that the leaves imply.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>
#include <uapi/asm/kvm_para.h>

#include "cpuid.h"
#include "exit_controls.h"
#include "state_cr.h"
#include "msr.h"
#include "msr_bitmap.h"
#include "vmx_caps.h"

#define FAMILY_6	0x600
#define LEAF_FEATURES	1
#define LEAF_STRUCTURED	7
#define LEAF_XSAVE	0xd
#define LEAF_EXTENDED	0x80000001
#define LEAF_ADDRESSES	0x80000008
#define LEAF_HYPERVISOR	0x40000000
#define LEAF_HYPERVISOR_END 0x40010000

#define FEATURES_ECX_OSXSAVE	BIT(27)
#define FEATURES_EBX_APIC_ID	GENMASK(31, 24)
#define FEATURES_EDX_APIC	BIT(9)

enum cpuid_reg { EAX, EBX, ECX, EDX };

/* What a feature flag lets the guest do beyond running its instructions. */
static const struct {
	u32 leaf;
	u8 reg;
	u8 bit;
	u64 cr4;
	u64 efer;
} grants[] = {
	{ LEAF_FEATURES, EDX, 1, X86_CR4_VME | X86_CR4_PVI, 0 },
	{ LEAF_FEATURES, EDX, 2, X86_CR4_DE, 0 },
	{ LEAF_FEATURES, EDX, 3, X86_CR4_PSE, 0 },
	{ LEAF_FEATURES, EDX, 4, X86_CR4_TSD, 0 },
	{ LEAF_FEATURES, EDX, 6, X86_CR4_PAE, 0 },
	{ LEAF_FEATURES, EDX, 7, X86_CR4_MCE, 0 },
	{ LEAF_FEATURES, EDX, 13, X86_CR4_PGE, 0 },
	{ LEAF_FEATURES, EDX, 24, X86_CR4_OSFXSR, 0 },
	{ LEAF_FEATURES, EDX, 25, X86_CR4_OSXMMEXCPT, 0 },
	{ LEAF_FEATURES, ECX, 17, X86_CR4_PCIDE, 0 },
	{ LEAF_FEATURES, ECX, 26, X86_CR4_OSXSAVE, 0 },
	{ LEAF_STRUCTURED, EBX, 0, X86_CR4_FSGSBASE, 0 },
	{ LEAF_STRUCTURED, EBX, 7, X86_CR4_SMEP, 0 },
	{ LEAF_STRUCTURED, EBX, 20, X86_CR4_SMAP, 0 },
	{ LEAF_STRUCTURED, ECX, 2, X86_CR4_UMIP, 0 },
	{ LEAF_STRUCTURED, ECX, 16, X86_CR4_LA57, 0 },
	{ LEAF_EXTENDED, EDX, 11, 0, EFER_SCE },
	{ LEAF_EXTENDED, EDX, 20, 0, EFER_NX },
	{ LEAF_EXTENDED, EDX, 29, 0, EFER_LME | EFER_LMA },
};

static int compare(const struct tinyvmx_cpuid *a, u32 function, u32 index)
{
	if (a->function != function)
		return a->function < function ? -1 : 1;
	if (a->index != index)
		return a->index < index ? -1 : 1;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct tinyvmx_cpuid *second = b;

	return compare(a, second->function, second->index);
}

int tvx_cpuid_check(struct tinyvmx_cpuid *entries, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (entries[i].flags & ~TINYVMX_CPUID_INDEXED)
			return -EOPNOTSUPP;
		if (entries[i].pad)
			return -EINVAL;
		if (!(entries[i].flags & TINYVMX_CPUID_INDEXED))
			entries[i].index = 0;
	}
	sort(entries, count, sizeof(*entries), compare_entries, NULL);
	for (i = 1; i < count; i++) {
		const struct tinyvmx_cpuid *before = &entries[i - 1];

		if (!compare_entries(before, &entries[i]))
			return -EEXIST;
		/* A row without an index serves every index already. */
		if (before->function == entries[i].function &&
		    !(before->flags & entries[i].flags & TINYVMX_CPUID_INDEXED))
			return -EEXIST;
	}
	return 0;
}

/* The first row at or behind (@function, @index); count when there is none. */
static unsigned int lower_bound(const struct tvx_vcpu *vcpu, u32 function, u32 index)
{
	unsigned int low = 0, high = vcpu->cpuid_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (compare(&vcpu->cpuid[middle], function, index) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row of @function, @index; one without an index serves every @index. */
static const struct tinyvmx_cpuid *find(const struct tvx_vcpu *vcpu, u32 function, u32 index)
{
	const struct tinyvmx_cpuid *row;
	unsigned int n = lower_bound(vcpu, function, 0);

	if (n == vcpu->cpuid_count || vcpu->cpuid[n].function != function)
		return NULL;
	row = &vcpu->cpuid[n];
	if (!(row->flags & TINYVMX_CPUID_INDEXED) || row->index == index)
		return row;
	n = lower_bound(vcpu, function, index);
	if (n == vcpu->cpuid_count)
		return NULL;
	row = &vcpu->cpuid[n];
	return compare(row, function, index) ? NULL : row;
}

static u32 reg_of(const struct tinyvmx_cpuid *row, enum cpuid_reg reg)
{
	switch (reg) {
	case EAX:
		return row->eax;
	case EBX:
		return row->ebx;
	case ECX:
		return row->ecx;
	default:
		return row->edx;
	}
}

static bool has_feature(const struct tvx_vcpu *vcpu, u32 leaf, enum cpuid_reg reg, u8 bit)
{
	const struct tinyvmx_cpuid *row = find(vcpu, leaf, 0);

	return row && (reg_of(row, reg) & BIT(bit));
}

/* KVM's guests look for its signature from 4000_0000H on, in steps of 100H. Behind it: features. */
static void find_kvm(const struct tvx_vcpu *vcpu, struct tvx_policy *policy)
{
	unsigned int n = lower_bound(vcpu, LEAF_HYPERVISOR, 0);
	const struct tinyvmx_cpuid *row;

	policy->kvm_calls = false;
	policy->kvm_features = 0;
	for (; n < vcpu->cpuid_count && vcpu->cpuid[n].function < LEAF_HYPERVISOR_END; n++) {
		row = &vcpu->cpuid[n];
		if ((row->function & 0xff) || memcmp(&row->ebx, KVM_SIGNATURE, 12))
			continue;
		policy->kvm_calls = true;
		row = find(vcpu, row->function + 1, 0);
		policy->kvm_features = row ? row->eax : 0;
		return;
	}
}

u32 tvx_cpuid_signature(const struct tvx_vcpu *vcpu)
{
	const struct tinyvmx_cpuid *row = find(vcpu, LEAF_FEATURES, 0);

	return row ? row->eax : FAMILY_6;
}

static u64 xcr0_of_table(const struct tvx_vcpu *vcpu)
{
	const struct tinyvmx_cpuid *row = find(vcpu, LEAF_XSAVE, 0);
	u64 xcr0 = row ? row->eax | ((u64)row->edx << 32) : 0;

	return (xcr0 & vmx_caps.xcr0_mask) | XFEATURE_MASK_FP;
}

/* SDM, CPUID: without the leaf it is 36 bits. */
static u8 gpa_bits_of_table(const struct tvx_vcpu *vcpu)
{
	const struct tinyvmx_cpuid *row = find(vcpu, LEAF_ADDRESSES, 0);

	return row ? clamp_t(u32, row->eax & 0xff, 32, boot_cpu_data.x86_phys_bits) : 36;
}

static void find_policy(const struct tvx_vcpu *vcpu, struct tvx_policy *policy)
{
	unsigned int i;

	policy->cr4 = X86_CR4_PCE;
	policy->efer = 0;
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		if (!has_feature(vcpu, grants[i].leaf, grants[i].reg, grants[i].bit))
			continue;
		policy->cr4 |= grants[i].cr4;
		policy->efer |= grants[i].efer;
	}
	policy->cr4 &= vmx_caps.cr4_mask;
	policy->xcr0 = xcr0_of_table(vcpu);
	policy->rdtscp = has_feature(vcpu, LEAF_EXTENDED, EDX, 27);
	policy->invpcid = has_feature(vcpu, LEAF_STRUCTURED, EBX, 10);
	policy->x2apic = has_feature(vcpu, LEAF_FEATURES, ECX, 21);
	policy->tsc_deadline = has_feature(vcpu, LEAF_FEATURES, ECX, 24);
	policy->tsc_adjust = has_feature(vcpu, LEAF_STRUCTURED, EBX, 1);
	policy->arch_capabilities = has_feature(vcpu, LEAF_STRUCTURED, EDX, 29);
	policy->mtrr = has_feature(vcpu, LEAF_FEATURES, EDX, 12);
	policy->gpa_bits = gpa_bits_of_table(vcpu);
	find_kvm(vcpu, policy);
	policy->spec_ctrl = 0;
	if (has_feature(vcpu, LEAF_STRUCTURED, EDX, 26))
		policy->spec_ctrl |= SPEC_CTRL_IBRS | SPEC_CTRL_STIBP;
	if (has_feature(vcpu, LEAF_STRUCTURED, EDX, 31))
		policy->spec_ctrl |= SPEC_CTRL_SSBD;
	policy->spec_ctrl &= vmx_caps.spec_ctrl_mask;
}

static void all_allowed(struct tvx_policy *policy)
{
	policy->cr4 = vmx_caps.cr4_mask;
	policy->efer = TVX_EFER_KNOWN;
	policy->xcr0 = vmx_caps.xcr0_mask;
	policy->rdtscp = true;
	policy->invpcid = true;
	policy->x2apic = true;
	policy->tsc_deadline = true;
	policy->tsc_adjust = true;
	policy->arch_capabilities = vmx_caps.spec_ctrl_mask;
	policy->mtrr = true;
	policy->gpa_bits = boot_cpu_data.x86_phys_bits;
	policy->kvm_calls = false;
	policy->kvm_features = 0;
	policy->spec_ctrl = vmx_caps.spec_ctrl_mask;
}

void tvx_cpuid_init(struct tvx_vcpu *vcpu)
{
	all_allowed(&vcpu->policy);
}

struct tinyvmx_cpuid *tvx_cpuid_replace(struct tvx_vcpu *vcpu,
					struct tinyvmx_cpuid *entries, unsigned int count)
{
	struct tinyvmx_cpuid *old = vcpu->cpuid;

	vcpu->cpuid = entries;
	vcpu->cpuid_count = count;
	memset(vcpu->cpuid_last, 0, sizeof(vcpu->cpuid_last));
	if (count)
		find_policy(vcpu, &vcpu->policy);
	else
		all_allowed(&vcpu->policy);
	tvx_controls_update(vcpu);
	tvx_cr4_update_owner(vcpu);
	tvx_msr_update_wanted(vcpu);
	return old;
}

bool tvx_xcr0_valid(const struct tvx_vcpu *vcpu, u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP) || (xcr0 & ~vcpu->policy.xcr0))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && (xcr0 & XFEATURE_MASK_YMM));
}

#define COMPONENT_ECX_ALIGNED	BIT(1)

/*
 * Bytes that XSAVE needs for the components in @xcr0: each where leaf 0DH says,
 * or one behind the other in the compacted format (SDM volume 1, "XSAVE Area").
 */
static u32 xsave_size(const struct tvx_vcpu *vcpu, u64 xcr0, bool compacted)
{
	u32 size = VMX_FXSAVE_BYTES + VMX_XSAVE_HEADER_BYTES;
	unsigned int n;

	for (n = 2; n < 32; n++) {
		const struct tinyvmx_cpuid *row =
			xcr0 & BIT_ULL(n) ? find(vcpu, LEAF_XSAVE, n) : NULL;

		if (!row)
			continue;
		if (!compacted)
			size = max(size, row->eax + row->ebx);
		else if (row->ecx & COMPONENT_ECX_ALIGNED)
			size = ALIGN(size, 64) + row->eax;
		else
			size += row->eax;
	}
	return size;
}

/* What the table cannot say because it depends on the guest's registers. */
static void make_true(struct tvx_vcpu *vcpu, struct tinyvmx_cpuid *row, u32 index)
{
	if (row->function == LEAF_FEATURES) {
		row->ecx &= ~FEATURES_ECX_OSXSAVE;
		if (tvx_cr4_read() & X86_CR4_OSXSAVE)
			row->ecx |= FEATURES_ECX_OSXSAVE;
		row->ebx = (row->ebx & ~FEATURES_EBX_APIC_ID) | (vcpu->id << 24);
		if (!(vcpu->lapic.base & MSR_IA32_APICBASE_ENABLE))
			row->edx &= ~FEATURES_EDX_APIC;
	} else if (row->function == LEAF_XSAVE && index <= 1) {
		row->ebx = xsave_size(vcpu, vcpu->xcr0, index);
	}
}

/*
 * SDM, CPUID: above the highest basic leaf Intel processors answer as that leaf
 * does. The hypervisor's range (4000_0000H) and the extended one have their own ends.
 */
static const struct tinyvmx_cpuid *find_or_highest(const struct tvx_vcpu *vcpu,
						   u32 function, u32 index)
{
	const struct tinyvmx_cpuid *row = find(vcpu, function, index);
	const struct tinyvmx_cpuid *base;

	if (row || (function >> 28) == 4)
		return row;
	base = find(vcpu, function & 0x80000000, 0);
	if (base && function <= base->eax)
		return NULL;
	base = find(vcpu, 0, 0);
	return base ? find(vcpu, base->eax, index) : NULL;
}

/* Guests ask for a few leaves over and over. */
static const struct tinyvmx_cpuid *find_again(struct tvx_vcpu *vcpu, u32 function, u32 index)
{
	struct tvx_cpuid_hit *hit = &vcpu->cpuid_last[function % TVX_CPUID_HITS];

	if (unlikely(hit->function != function || hit->index != index || !hit->valid)) {
		hit->row = find_or_highest(vcpu, function, index);
		hit->function = function;
		hit->index = index;
		hit->valid = true;
	}
	return hit->row;
}

void tvx_cpuid_execute(struct tvx_vcpu *vcpu)
{
	unsigned long *gpr = vcpu->world.gpr;
	u32 index = gpr[TINYVMX_RCX];
	const struct tinyvmx_cpuid *found = find_again(vcpu, gpr[TINYVMX_RAX], index);
	struct tinyvmx_cpuid row = {};

	if (found) {
		row = *found;
		make_true(vcpu, &row, index);
	}
	gpr[TINYVMX_RAX] = row.eax;
	gpr[TINYVMX_RBX] = row.ebx;
	gpr[TINYVMX_RCX] = row.ecx;
	gpr[TINYVMX_RDX] = row.edx;
}
