// SPDX-License-Identifier: GPL-2.0-only
/* The CPUID table of a guest, made by a table of what works. */
#include <cpuid.h>
#include <stdbool.h>
#include <string.h>

#include "cpuid.h"
#include "lib/util.h"
#include "topology.h"

#define HYPERVISOR_LEAF 0x40000000
#define TIMING_LEAF 0x40000010
#define KVM_LEAF 0x40000100
#define EXTENDED_LEAF 0x80000000
#define HIGHEST_BASIC 0x16
#define HIGHEST_BASIC_PC HV_TOPOLOGY_LEAF_V2
#define HIGHEST_EXTENDED 0x80000008

#define BIT(n) (1U << (n))

enum { EAX, EBX, ECX, EDX };

void hv_cpuid_host(uint32_t function, uint32_t index, uint32_t out[4])
{
	__cpuid_count(function, index, out[EAX], out[EBX], out[ECX], out[EDX]);
}

/* Leaf 1. Not there: MONITOR, VMX, SMX, EIST, TM, DS, PDCM, DCA: nothing behind them. */
#define LEAF1_ECX (BIT(0) /* SSE3 */ | BIT(1) /* PCLMULQDQ */ | BIT(9) /* SSSE3 */ | \
	BIT(12) /* FMA */ | BIT(13) /* CX16 */ | BIT(17) /* PCID */ | BIT(19) /* SSE4.1 */ | \
	BIT(20) /* SSE4.2 */ | BIT(22) /* MOVBE */ | BIT(23) /* POPCNT */ | BIT(25) /* AES */ | \
	BIT(26) /* XSAVE */ | BIT(28) /* AVX */ | BIT(29) /* F16C */ | BIT(30) /* RDRAND */)
#define LEAF1_EDX (BIT(0) /* FPU */ | BIT(1) /* VME */ | BIT(2) /* DE */ | BIT(3) /* PSE */ | \
	BIT(4) /* TSC */ | BIT(5) /* MSR */ | BIT(6) /* PAE */ | BIT(7) /* MCE */ | \
	BIT(8) /* CX8 */ | BIT(11) /* SEP */ | BIT(13) /* PGE */ | BIT(14) /* MCA */ | \
	BIT(15) /* CMOV */ | BIT(16) /* PAT */ | BIT(17) /* PSE-36 */ | BIT(19) /* CLFSH */ | \
	BIT(23) /* MMX */ | BIT(24) /* FXSR */ | BIT(25) /* SSE */ | BIT(26) /* SSE2 */ | \
	BIT(27) /* self snoop */)
/* What the module's local APIC can do, whatever the host's can. */
#define LAPIC_ECX (BIT(21) /* x2APIC */ | BIT(24) /* TSC deadline */)
#define LAPIC_EDX BIT(9) /* APIC */
#define ARAT BIT(2) /* leaf 6: the APIC timer never stops */

/*
 * Leaf 7. Not there: what needs MSRs or VMCS controls that the module has not (PT, SGX, PKU,
 * CET, WAITPKG).
 */
#define LEAF7_EBX (BIT(0) /* FSGSBASE */ | BIT(3) /* BMI1 */ | BIT(5) /* AVX2 */ | \
	BIT(6) /* FDP_EXCPTN_ONLY */ | BIT(7) /* SMEP */ | BIT(8) /* BMI2 */ | \
	BIT(9) /* ERMS */ | BIT(10) /* INVPCID */ | BIT(13) /* no FPU CS/DS */ | \
	BIT(16) /* AVX512F */ | BIT(17) /* DQ */ | BIT(18) /* RDSEED */ | BIT(19) /* ADX */ | \
	BIT(20) /* SMAP */ | BIT(21) /* IFMA */ | BIT(23) /* CLFLUSHOPT */ | \
	BIT(24) /* CLWB */ | BIT(26) /* PF */ | BIT(27) /* ER */ | BIT(28) /* CD */ | \
	BIT(29) /* SHA */ | BIT(30) /* BW */ | BIT(31) /* VL */)
#define LEAF7_ECX (BIT(0) /* PREFETCHWT1 */ | BIT(1) /* VBMI */ | BIT(2) /* UMIP */ | \
	BIT(6) /* VBMI2 */ | BIT(8) /* GFNI */ | BIT(9) /* VAES */ | BIT(10) /* VPCLMULQDQ */ | \
	BIT(11) /* VNNI */ | BIT(12) /* BITALG */ | BIT(14) /* VPOPCNTDQ */ | \
	BIT(16) /* LA57 */ | BIT(22) /* RDPID */ | BIT(27) /* MOVDIRI */ | \
	BIT(28) /* MOVDIR64B */)
#define LEAF7_EDX (BIT(2) /* 4VNNIW */ | BIT(3) /* 4FMAPS */ | BIT(4) /* FSRM */ | \
	BIT(8) /* VP2INTERSECT */ | BIT(10) /* MD_CLEAR */ | BIT(14) /* SERIALIZE */ | \
	BIT(26) /* IBRS, IBPB */ | BIT(27) /* STIBP */ | BIT(29) /* ARCH_CAPABILITIES */ | \
	BIT(31) /* SSBD */)
#define LEAF7_1_EAX (BIT(4) /* AVX-VNNI */ | BIT(5) /* AVX512_BF16 */ | BIT(10) /* FZRM */ | \
	BIT(11) /* FSRS */ | BIT(12) /* FSRCS */)

#define EXT1_ECX (BIT(0) /* LAHF */ | BIT(5) /* LZCNT */ | BIT(8) /* PREFETCHW */)
#define EXT1_EDX (BIT(11) /* SYSCALL */ | BIT(20) /* NX */ | BIT(26) /* 1 GiB pages */ | \
	BIT(27) /* RDTSCP */ | BIT(29) /* long mode */)
#define INVARIANT_TSC BIT(8)
#define XSAVE_1_EAX (BIT(0) /* XSAVEOPT */ | BIT(1) /* XSAVEC */ | BIT(2) /* XGETBV with ECX=1 */)

#define ALL 0xffffffffU

/*
 * A leaf that the guest may see, and which of its bits. Sub-leaf tables with a meaning are made
 * by code.
 */
struct leaf {
	uint32_t function;
	uint32_t index;
	bool indexed;
	uint32_t mask[4];
};

static const struct leaf leaves[] = {
	{ 0, 0, false, { ALL, ALL, ALL, ALL } },
	{ 1, 0, false, { 0x0fff3fff, 0x0000ff00, LEAF1_ECX, LEAF1_EDX } },
	{ 2, 0, false, { ALL, ALL, ALL, ALL } },
	/* Caches, less how many threads and cores of the host share them. */
	{ 4, 0, true, { 0x000003ff, ALL, ALL, ALL } },
	{ 4, 1, true, { 0x000003ff, ALL, ALL, ALL } },
	{ 4, 2, true, { 0x000003ff, ALL, ALL, ALL } },
	{ 4, 3, true, { 0x000003ff, ALL, ALL, ALL } },
	{ 4, 4, true, { 0, 0, 0, 0 } },
	{ 6, 0, false, { 0, 0, 0, 0 } },
	{ 7, 0, true, { ALL, LEAF7_EBX, LEAF7_ECX, LEAF7_EDX } },
	{ 7, 1, true, { LEAF7_1_EAX, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF, 0, true, { 0, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF, 1, true, { 0, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF, 2, true, { 0, 0, 0, 0 } },
	{ 0xd, 0, true, { ALL, ALL, ALL, ALL } },
	{ 0xd, 1, true, { XSAVE_1_EAX, 0, 0, 0 } },
	{ 0x15, 0, false, { 0, 0, 0, 0 } },
	{ 0x16, 0, false, { 0, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF_V2, 0, true, { 0, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF_V2, 1, true, { 0, 0, 0, 0 } },
	{ HV_TOPOLOGY_LEAF_V2, 2, true, { 0, 0, 0, 0 } },
	{ EXTENDED_LEAF, 0, false, { ALL, 0, 0, 0 } },
	{ EXTENDED_LEAF + 1, 0, false, { 0, 0, EXT1_ECX, EXT1_EDX } },
	{ EXTENDED_LEAF + 2, 0, false, { ALL, ALL, ALL, ALL } },
	{ EXTENDED_LEAF + 3, 0, false, { ALL, ALL, ALL, ALL } },
	{ EXTENDED_LEAF + 4, 0, false, { ALL, ALL, ALL, ALL } },
	{ EXTENDED_LEAF + 5, 0, false, { ALL, ALL, ALL, ALL } },
	{ EXTENDED_LEAF + 6, 0, false, { ALL, ALL, ALL, ALL } },
	{ EXTENDED_LEAF + 7, 0, false, { 0, 0, 0, INVARIANT_TSC } },
	{ EXTENDED_LEAF + 8, 0, false, { 0xffff, 0, 0, 0 } },
};

/*
 * Features that are worth nothing without a CR4 bit, an XCR0 component or something of the
 * module.
 */
struct need {
	uint32_t function, index;
	unsigned int reg;
	uint32_t bits;
	uint64_t cr4, xcr0, efer, capabilities;
};

#define CR4(n) .cr4 = 1ULL << (n)
#define AVX .xcr0 = 0x6
#define AVX512 .xcr0 = 0xe6

static const struct need needs[] = {
	{ 1, 0, EDX, BIT(1), CR4(0) },				/* VME */
	{ 1, 0, EDX, BIT(2), CR4(3) },				/* DE */
	{ 1, 0, EDX, BIT(3) | BIT(17), CR4(4) },		/* PSE */
	{ 1, 0, EDX, BIT(6), CR4(5) },				/* PAE */
	{ 1, 0, EDX, BIT(7) | BIT(14), CR4(6) },		/* MCE, MCA */
	{ 1, 0, EDX, BIT(13), CR4(7) },				/* PGE */
	{ 1, 0, EDX, BIT(24) | BIT(25) | BIT(26), CR4(9) },	/* FXSR, SSE, SSE2 */
	{ 1, 0, ECX, BIT(17), CR4(17) },			/* PCID */
	{ 1, 0, ECX, BIT(26), CR4(18), .xcr0 = 0x3 },		/* XSAVE */
	{ 1, 0, ECX, BIT(12) | BIT(28) | BIT(29), CR4(18), AVX },	/* FMA, AVX, F16C */
	{ 7, 0, EBX, BIT(0), CR4(16) },				/* FSGSBASE */
	{ 7, 0, EBX, BIT(7), CR4(20) },				/* SMEP */
	{ 7, 0, EBX, BIT(20), CR4(21) },			/* SMAP */
	{ 7, 0, EBX, BIT(10), CR4(17), .capabilities = TINYVMX_CAP_INVPCID },
	{ 7, 0, EBX, BIT(5), AVX },				/* AVX2 */
	{ 7, 0, EBX, BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28), AVX512 },
	{ 7, 0, EBX, BIT(30) | BIT(31), AVX512 },
	{ 7, 0, ECX, BIT(2), CR4(11) },				/* UMIP */
	{ 7, 0, ECX, BIT(16), CR4(12) },			/* LA57 */
	{ 7, 0, ECX, BIT(22), .capabilities = TINYVMX_CAP_RDTSCP },	/* RDPID */
	{ 7, 0, ECX, BIT(9) | BIT(10), AVX },			/* VAES, VPCLMULQDQ */
	{ 7, 0, ECX, BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14), AVX512 },
	{ 7, 0, EDX, BIT(2) | BIT(3) | BIT(8), AVX512 },
	{ 7, 0, EDX, BIT(26) | BIT(27) | BIT(29) | BIT(31), .capabilities = TINYVMX_CAP_SPEC_CTRL },
	{ 7, 1, EAX, BIT(4), AVX },
	{ 7, 1, EAX, BIT(5), AVX512 },
	{ EXTENDED_LEAF + 1, 0, EDX, BIT(27), .capabilities = TINYVMX_CAP_RDTSCP },
	{ EXTENDED_LEAF + 1, 0, EDX, BIT(11), .efer = 1 << 0 },
	{ EXTENDED_LEAF + 1, 0, EDX, BIT(29), .efer = 1 << 8 },
	{ EXTENDED_LEAF + 1, 0, EDX, BIT(20), .efer = 1 << 11 },
};

static void get(const struct tinyvmx_cpuid *row, uint32_t out[4])
{
	out[EAX] = row->eax;
	out[EBX] = row->ebx;
	out[ECX] = row->ecx;
	out[EDX] = row->edx;
}

static void put(struct tinyvmx_cpuid *row, const uint32_t in[4])
{
	row->eax = in[EAX];
	row->ebx = in[EBX];
	row->ecx = in[ECX];
	row->edx = in[EDX];
}

static bool has(uint64_t have, uint64_t need)
{
	return (have & need) == need;
}

static void drop_what_lacks(struct tinyvmx_cpuid *row, const struct tinyvmx_info *info)
{
	uint32_t reg[4];

	get(row, reg);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct need *need = &needs[i];

		if (need->function != row->function || need->index != row->index)
			continue;
		if (!has(info->cr4_mask, need->cr4) || !has(info->xcr0_mask, need->xcr0) ||
		    !has(info->efer_mask, need->efer) ||
		    !has(info->capabilities, need->capabilities))
			reg[need->reg] &= ~need->bits;
	}
	put(row, reg);
}

/* Kilohertz of the TSC, as leaf 15H (a crystal of the same frequency) and leaf 16H tell it. */
static void tell_frequency(struct tinyvmx_cpuid *row, const struct tinyvmx_info *info)
{
	uint64_t hz = info->tsc_khz * 1000ULL;

	if (row->function == 0x15 && hz && hz <= UINT32_MAX) {
		row->eax = 1;
		row->ebx = 1;
		row->ecx = hz;
	}
	if (row->function == 0x16)
		row->eax = row->ebx = info->tsc_khz / 1000;
}

/* Leaves that tell of the local APIC. */
static void tell_lapic(struct tinyvmx_cpuid *row)
{
	switch (row->function) {
	case 0:
		row->eax = HIGHEST_BASIC_PC;
		break;
	case 1:
		row->ecx |= LAPIC_ECX;
		row->edx |= LAPIC_EDX;
		break;
	case 6:
		row->eax |= ARAT;
		break;
	}
}

/*
 * The module has these on any host: the MTRRs, and IA32_TSC_ADJUST, with which Linux takes a TSC
 * for reliable.
 */
#define MTRR BIT(12)
#define TSC_ADJUST BIT(1)
/* What the module may do for a CPU that has it not. */
#define UMIP BIT(2)
#define CR4_UMIP (1 << 11)

/* Leaves that say something of this guest and not of the host. */
static void adapt(struct tinyvmx_cpuid *row, const struct tinyvmx_info *info)
{
	switch (row->function) {
	case 0:
		row->eax = row->eax < HIGHEST_BASIC && !info->tsc_khz ? row->eax : HIGHEST_BASIC;
		break;
	case 1:
		row->ecx |= 1U << 31; /* a hypervisor is present */
		row->edx |= MTRR;
		break;
	case 7:
		if (row->index == 0) {
			row->eax = row->eax ? 1 : 0; /* the highest sub-leaf */
			row->ebx |= TSC_ADJUST;
			if (info->cr4_mask & CR4_UMIP)
				row->ecx |= UMIP;
		}
		break;
	case 0xd:
		if (row->index == 0) {
			row->eax &= (uint32_t)info->xcr0_mask;
			row->edx &= (uint32_t)(info->xcr0_mask >> 32);
		}
		break;
	case EXTENDED_LEAF:
		row->eax = row->eax < HIGHEST_EXTENDED ? row->eax : HIGHEST_EXTENDED;
		break;
	case EXTENDED_LEAF + 8:
		if ((row->eax & 0xff) > info->gpa_bits)
			row->eax = (row->eax & ~0xffU) | info->gpa_bits;
		break;
	}
	tell_frequency(row, info);
}

static void make_row(struct tinyvmx_cpuid *row, const struct leaf *leaf,
		     const struct hv_cpuid_config *config)
{
	uint32_t reg[4];

	config->host(leaf->function, leaf->index, reg);
	for (unsigned int i = 0; i < 4; i++)
		reg[i] &= leaf->mask[i];
	*row = (struct tinyvmx_cpuid){
		.function = leaf->function,
		.index = leaf->index,
		.flags = leaf->indexed ? TINYVMX_CPUID_INDEXED : 0,
	};
	put(row, reg);
	drop_what_lacks(row, config->info);
	adapt(row, config->info);
	hv_topology_tell(row, config->cpus);
	if (config->lapic)
		tell_lapic(row);
}

#define XSAVE_AVX 0x04
#define XSAVE_AVX512 0xe0
#define XSAVE_LEGACY (512 + 64) /* bytes */

/* XSAVE components: their sizes and offsets, for those the guest can have; also the size of all. */
static size_t make_xsave_rows(struct tinyvmx_cpuid *table, size_t count,
			      struct tinyvmx_cpuid *leaf_d, hv_cpuid_fn host,
			      const struct tinyvmx_info *info)
{
	uint32_t size = XSAVE_LEGACY;

	for (uint32_t i = 2; i < 63 && count < HV_CPUID_MAX - 4; i++) {
		uint32_t reg[4];

		if (!(info->xcr0_mask >> i & 1))
			continue;
		host(0xd, i, reg);
		if (reg[EAX] + reg[EBX] > size)
			size = reg[EAX] + reg[EBX];
		reg[ECX] &= BIT(1); /* aligned in the compact format; no supervisor state */
		reg[EDX] = 0;
		table[count] = (struct tinyvmx_cpuid){ .function = 0xd,
						       .index = i,
						       .flags = TINYVMX_CPUID_INDEXED };
		put(&table[count++], reg);
	}
	leaf_d->ecx = size;
	leaf_d->ebx = size; /* the module keeps it true to XCR0 */
	return count;
}

static void make_signature(struct tinyvmx_cpuid *row, uint32_t function, uint32_t last,
			   const char signature[12])
{
	*row = (struct tinyvmx_cpuid){ .function = function, .eax = last };
	memcpy(&row->ebx, signature, 4);
	memcpy(&row->ecx, signature + 4, 4);
	memcpy(&row->edx, signature + 8, 4);
}

/*
 * Our own leaves: who we are, and, as other hypervisors tell it, the kilohertz of TSC and APIC
 * timer.
 */
static size_t make_own_rows(struct tinyvmx_cpuid *row, const struct tinyvmx_info *info)
{
	uint32_t khz = info->tsc_khz;

	make_signature(&row[0], HYPERVISOR_LEAF, khz ? TIMING_LEAF : HYPERVISOR_LEAF,
		       "tinyvmx\0\0\0\0");
	row[1] = (struct tinyvmx_cpuid){ .function = TIMING_LEAF, .eax = khz, .ebx = khz };
	return khz ? 2 : 1;
}

#define KVM_NOP_IO_DELAY BIT(1)

/*
 * KVM's signature makes Linux use x2APIC without interrupt remapping. Of KVM's
 * features there is only the one that asks for nothing: no delay by port 80H. Kicks and IPIs
 * by call, which the module has, do not pay off: docs/performance.md.
 */
static size_t make_kvm_rows(struct tinyvmx_cpuid *row)
{
	make_signature(&row[0], KVM_LEAF, KVM_LEAF + 1, "KVMKVMKVM\0\0");
	row[1] = (struct tinyvmx_cpuid){ .function = KVM_LEAF + 1, .eax = KVM_NOP_IO_DELAY };
	return 2;
}

/* Rows that are made for the guest are there though the host's CPU may not have them. */
static bool has_leaf(const struct leaf *leaf, const uint32_t basic[4], const uint32_t extended[4],
		     const struct hv_cpuid_config *config)
{
	const struct tinyvmx_info *info = config->info;

	if (leaf->function == 6 || leaf->function == HV_TOPOLOGY_LEAF ||
	    leaf->function == HV_TOPOLOGY_LEAF_V2)
		return config->lapic;
	if (leaf->function >= EXTENDED_LEAF)
		return leaf->function <= extended[EAX];
	if (leaf->function == 0xd)
		return leaf->function <= basic[EAX] && info->xcr0_mask;
	return leaf->function <= basic[EAX] || ((leaf->function | 3) == 0x17 && info->tsc_khz);
}

size_t hv_cpuid_build(struct tinyvmx_cpuid table[HV_CPUID_MAX],
		      const struct hv_cpuid_config *config)
{
	struct tinyvmx_cpuid *leaf_d = NULL;
	uint32_t basic[4], extended[4];
	size_t count = 0;

	config->host(0, 0, basic);
	config->host(EXTENDED_LEAF, 0, extended);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (!has_leaf(&leaves[i], basic, extended, config))
			continue;
		make_row(&table[count], &leaves[i], config);
		if (table[count].function == 0xd && table[count].index == 0)
			leaf_d = &table[count];
		count++;
	}
	if (leaf_d)
		count = make_xsave_rows(table, count, leaf_d, config->host, config->info);
	count += make_own_rows(&table[count], config->info);
	if (config->lapic)
		count += make_kvm_rows(&table[count]);
	return count;
}

/* The components that no feature of the table needs. */
static uint64_t unneeded_components(const struct tinyvmx_cpuid *table, size_t count)
{
	uint64_t unneeded = 0;

	for (size_t i = 0; i < count; i++) {
		if (table[i].function == 1 && !(table[i].ecx & BIT(26)))
			return UINT64_MAX;
		if (table[i].function == 1 && !(table[i].ecx & BIT(28)))
			unneeded |= XSAVE_AVX;
		if (table[i].function == 7 && !table[i].index && !(table[i].ebx & BIT(16)))
			unneeded |= XSAVE_AVX512;
	}
	return unneeded;
}

void hv_cpuid_trim_xsave(struct tinyvmx_cpuid *table, size_t count)
{
	uint64_t unneeded = unneeded_components(table, count);
	struct tinyvmx_cpuid *leaf_d = NULL;
	uint32_t size = XSAVE_LEGACY;

	for (size_t i = 0; i < count; i++) {
		struct tinyvmx_cpuid *row = &table[i];

		if (row->function == 0xd && !row->index)
			leaf_d = row;
		if (row->function != 0xd || row->index < 2)
			continue;
		if (unneeded >> row->index & 1)
			row->eax = row->ebx = row->ecx = 0;
		if (row->eax + row->ebx > size)
			size = row->eax + row->ebx;
	}
	if (!leaf_d)
		return;
	leaf_d->eax &= ~(uint32_t)unneeded;
	leaf_d->edx &= ~(uint32_t)(unneeded >> 32);
	leaf_d->ebx = leaf_d->ecx = leaf_d->eax ? size : 0;
}

static const struct tinyvmx_cpuid *find_row(const struct tinyvmx_cpuid *table, size_t count,
					    uint32_t function)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].function == function)
			return &table[i];
	return NULL;
}

uint32_t hv_cpuid_signature(const struct tinyvmx_cpuid *table, size_t count)
{
	const struct tinyvmx_cpuid *row = find_row(table, count, 1);

	return row ? row->eax : 0;
}

int hv_cpuid_has_1g_pages(const struct tinyvmx_cpuid *table, size_t count)
{
	const struct tinyvmx_cpuid *row = find_row(table, count, EXTENDED_LEAF + 1);

	return row && row->edx & BIT(26);
}

bool hv_cpuid_has_mtrr(const struct tinyvmx_cpuid *table, size_t count)
{
	const struct tinyvmx_cpuid *row = find_row(table, count, 1);

	return row && row->edx & MTRR;
}

/* SDM, CPUID: 36 where nothing tells. */
unsigned int hv_cpuid_gpa_bits(const struct tinyvmx_cpuid *table, size_t count)
{
	const struct tinyvmx_cpuid *row = find_row(table, count, EXTENDED_LEAF + 8);

	return row ? row->eax & 0xff : 36;
}
