// SPDX-License-Identifier: GPL-2.0-only
/* The features of a guest's CPU by name, and what each of them needs. */
#include <errno.h>
#include <string.h>

#include "cpu_features.h"
#include "lib/util.h"

enum { EAX, EBX, ECX, EDX };

struct feature {
	const char *name;
	uint32_t function, index;
	unsigned int reg, bit;
	const char *needs;		/* names, a space between them; NULL: nothing */
};

/* What cpuid.c may show, by the names of /proc/cpuinfo where Linux has one. */
static const struct feature features_known[] = {
	/* leaf 1 */
	{ "fpu", 1, 0, EDX, 0, NULL },
	{ "vme", 1, 0, EDX, 1, NULL },
	{ "de", 1, 0, EDX, 2, NULL },
	{ "pse", 1, 0, EDX, 3, NULL },
	{ "tsc", 1, 0, EDX, 4, NULL },
	{ "msr", 1, 0, EDX, 5, NULL },
	{ "pae", 1, 0, EDX, 6, NULL },
	{ "mce", 1, 0, EDX, 7, NULL },
	{ "cx8", 1, 0, EDX, 8, NULL },
	{ "apic", 1, 0, EDX, 9, NULL },
	{ "sep", 1, 0, EDX, 11, NULL },
	{ "mtrr", 1, 0, EDX, 12, NULL },
	{ "pge", 1, 0, EDX, 13, NULL },
	{ "mca", 1, 0, EDX, 14, NULL },
	{ "cmov", 1, 0, EDX, 15, NULL },
	{ "pat", 1, 0, EDX, 16, NULL },
	{ "pse36", 1, 0, EDX, 17, "pse" },
	{ "clflush", 1, 0, EDX, 19, NULL },
	{ "mmx", 1, 0, EDX, 23, "fpu" },
	{ "fxsr", 1, 0, EDX, 24, "fpu" },
	{ "sse", 1, 0, EDX, 25, "fxsr" },
	{ "sse2", 1, 0, EDX, 26, "sse" },
	{ "ss", 1, 0, EDX, 27, NULL },
	{ "pni", 1, 0, ECX, 0, "sse2" },
	{ "pclmulqdq", 1, 0, ECX, 1, "sse2" },
	{ "ssse3", 1, 0, ECX, 9, "pni" },
	{ "fma", 1, 0, ECX, 12, "avx" },
	{ "cx16", 1, 0, ECX, 13, "lm" },
	{ "pcid", 1, 0, ECX, 17, "lm" },
	{ "sse4_1", 1, 0, ECX, 19, "ssse3" },
	{ "sse4_2", 1, 0, ECX, 20, "sse4_1" },
	{ "x2apic", 1, 0, ECX, 21, "apic" },
	{ "movbe", 1, 0, ECX, 22, NULL },
	{ "popcnt", 1, 0, ECX, 23, NULL },
	{ "tsc-deadline", 1, 0, ECX, 24, "apic" },
	{ "aes", 1, 0, ECX, 25, "sse2" },
	{ "xsave", 1, 0, ECX, 26, "fxsr" },
	{ "avx", 1, 0, ECX, 28, "xsave sse4_2" },
	{ "f16c", 1, 0, ECX, 29, "avx" },
	{ "rdrand", 1, 0, ECX, 30, NULL },
	{ "hypervisor", 1, 0, ECX, 31, NULL },
	/* leaf 6 */
	{ "arat", 6, 0, EAX, 2, "apic" },
	/* leaf 7 */
	{ "fsgsbase", 7, 0, EBX, 0, "lm" },
	{ "bmi1", 7, 0, EBX, 3, NULL },
	{ "avx2", 7, 0, EBX, 5, "avx" },
	{ "smep", 7, 0, EBX, 7, NULL },
	{ "bmi2", 7, 0, EBX, 8, NULL },
	{ "erms", 7, 0, EBX, 9, NULL },
	{ "invpcid", 7, 0, EBX, 10, "pcid" },
	{ "avx512f", 7, 0, EBX, 16, "avx2" },
	{ "avx512dq", 7, 0, EBX, 17, "avx512f" },
	{ "rdseed", 7, 0, EBX, 18, NULL },
	{ "adx", 7, 0, EBX, 19, NULL },
	{ "smap", 7, 0, EBX, 20, NULL },
	{ "avx512ifma", 7, 0, EBX, 21, "avx512f" },
	{ "clflushopt", 7, 0, EBX, 23, NULL },
	{ "clwb", 7, 0, EBX, 24, NULL },
	{ "avx512pf", 7, 0, EBX, 26, "avx512f" },
	{ "avx512er", 7, 0, EBX, 27, "avx512f" },
	{ "avx512cd", 7, 0, EBX, 28, "avx512f" },
	{ "sha_ni", 7, 0, EBX, 29, "sse2" },
	{ "avx512bw", 7, 0, EBX, 30, "avx512f" },
	{ "avx512vl", 7, 0, EBX, 31, "avx512f" },
	{ "prefetchwt1", 7, 0, ECX, 0, NULL },
	{ "avx512vbmi", 7, 0, ECX, 1, "avx512bw" },
	{ "umip", 7, 0, ECX, 2, NULL },
	{ "avx512_vbmi2", 7, 0, ECX, 6, "avx512bw" },
	{ "gfni", 7, 0, ECX, 8, "sse2" },
	{ "vaes", 7, 0, ECX, 9, "avx aes" },
	{ "vpclmulqdq", 7, 0, ECX, 10, "avx pclmulqdq" },
	{ "avx512_vnni", 7, 0, ECX, 11, "avx512f" },
	{ "avx512_bitalg", 7, 0, ECX, 12, "avx512bw" },
	{ "avx512_vpopcntdq", 7, 0, ECX, 14, "avx512f" },
	{ "la57", 7, 0, ECX, 16, "lm" },
	{ "rdpid", 7, 0, ECX, 22, NULL },
	{ "movdiri", 7, 0, ECX, 27, NULL },
	{ "movdir64b", 7, 0, ECX, 28, NULL },
	{ "avx512_4vnniw", 7, 0, EDX, 2, "avx512f" },
	{ "avx512_4fmaps", 7, 0, EDX, 3, "avx512f" },
	{ "fsrm", 7, 0, EDX, 4, NULL },
	{ "avx512_vp2intersect", 7, 0, EDX, 8, "avx512f" },
	{ "md_clear", 7, 0, EDX, 10, NULL },
	{ "serialize", 7, 0, EDX, 14, NULL },
	{ "ibrs", 7, 0, EDX, 26, NULL },
	{ "stibp", 7, 0, EDX, 27, NULL },
	{ "arch_capabilities", 7, 0, EDX, 29, NULL },
	{ "ssbd", 7, 0, EDX, 31, NULL },
	{ "avx_vnni", 7, 1, EAX, 4, "avx2" },
	{ "avx512_bf16", 7, 1, EAX, 5, "avx512bw" },
	{ "fzrm", 7, 1, EAX, 10, NULL },
	{ "fsrs", 7, 1, EAX, 11, NULL },
	{ "fsrc", 7, 1, EAX, 12, NULL },
	/* leaf DH */
	{ "xsaveopt", 0xd, 1, EAX, 0, "xsave" },
	{ "xsavec", 0xd, 1, EAX, 1, "xsave" },
	{ "xgetbv1", 0xd, 1, EAX, 2, "xsave" },
	/* extended leaves */
	{ "lahf_lm", 0x80000001, 0, ECX, 0, "lm" },
	{ "abm", 0x80000001, 0, ECX, 5, NULL },
	{ "3dnowprefetch", 0x80000001, 0, ECX, 8, NULL },
	{ "syscall", 0x80000001, 0, EDX, 11, NULL },
	{ "nx", 0x80000001, 0, EDX, 20, "pae" },
	{ "pdpe1gb", 0x80000001, 0, EDX, 26, "lm" },
	{ "rdtscp", 0x80000001, 0, EDX, 27, NULL },
	{ "lm", 0x80000001, 0, EDX, 29, "pae" },
	{ "invtsc", 0x80000007, 0, EDX, 8, NULL },
};

#define NR_FEATURES ARRAY_SIZE(features_known)
_Static_assert(NR_FEATURES <= HV_CPU_FEATURES_MAX, "a bit for each");

static bool is_in(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

static void put_in(uint64_t *set, size_t i, bool in)
{
	uint64_t bit = 1ULL << i % 64;

	set[i / 64] = in ? set[i / 64] | bit : set[i / 64] & ~bit;
}

/* The number of the feature, or NR_FEATURES. */
static size_t find(const char *name, size_t len)
{
	size_t i = 0;

	while (i < NR_FEATURES &&
	       (strlen(features_known[i].name) != len || memcmp(features_known[i].name, name, len)))
		i++;
	return i;
}

/* All names are too many: those that begin alike. */
static int fail_unknown(const char *name, size_t len, struct hv_error *err)
{
	char names[200] = "";

	for (size_t i = 0; i < NR_FEATURES; i++) {
		const char *known = features_known[i].name;

		if (!len || *known != *name || strlen(names) + strlen(known) + 2 > sizeof(names))
			continue;
		strcat(names, *names ? " " : "");
		strcat(names, known);
	}
	return hv_fail(err, EINVAL, "'%.*s' is no feature; names are those of /proc/cpuinfo%s%s",
		       (int)len, name, *names ? ", such as " : "", names);
}

int hv_cpu_features_parse(struct hv_cpu_features *features, const char *text, struct hv_error *err)
{
	for (;;) {
		bool off = *text == '-';
		const char *name = text + (off || *text == '+');
		size_t len = strcspn(name, ",");
		size_t i = find(name, len);

		if (i == NR_FEATURES)
			return fail_unknown(name, len, err);
		put_in(features->off, i, off);
		put_in(features->on, i, !off);
		if (!name[len])
			return 0;
		text = name + len + 1;
	}
}

/* What the feature needs and does not get: a number, or NR_FEATURES. */
static size_t missing_need(const struct feature *feature, const uint64_t *off)
{
	const char *name = feature->needs;

	while (name && *name) {
		size_t len = strcspn(name, " "), i = find(name, len);

		if (is_in(off, i))
			return i;
		name += len + strspn(name + len, " ");
	}
	return NR_FEATURES;
}

/* Without what it needs a feature goes, too; unless the user insists on it. */
static int close_over_needs(struct hv_cpu_features *features, struct hv_error *err)
{
	bool changed;

	do {
		changed = false;
		for (size_t i = 0; i < NR_FEATURES; i++) {
			size_t need = missing_need(&features_known[i], features->off);

			if (need == NR_FEATURES || is_in(features->off, i))
				continue;
			if (is_in(features->on, i))
				return hv_fail(err, EINVAL,
					       "%s needs %s; take one of them out of --cpu",
					       features_known[i].name, features_known[need].name);
			put_in(features->off, i, true);
			changed = true;
		}
	} while (changed);
	return 0;
}

static uint32_t *find_register(struct tinyvmx_cpuid *table, size_t count,
			       const struct feature *feature)
{
	for (size_t i = 0; i < count; i++) {
		struct tinyvmx_cpuid *row = &table[i];
		uint32_t *reg[] = { &row->eax, &row->ebx, &row->ecx, &row->edx };

		if (row->function == feature->function && row->index == feature->index)
			return reg[feature->reg];
	}
	return NULL;
}

int hv_cpu_features_apply(const struct hv_cpu_features *features, struct tinyvmx_cpuid *table,
			  size_t count, struct hv_error *err)
{
	struct hv_cpu_features all = *features;
	int error = close_over_needs(&all, err);

	for (size_t i = 0; i < NR_FEATURES && !error; i++) {
		const struct feature *feature = &features_known[i];
		uint32_t *reg = find_register(table, count, feature);
		uint32_t bit = 1U << feature->bit;

		if (is_in(all.off, i) && reg)
			*reg &= ~bit;
		if (is_in(all.on, i) && !(reg && *reg & bit))
			error = hv_fail(
				err, EOPNOTSUPP,
				"there is no %s here; leave it out, or use another CPU (hvctl info)",
				feature->name);
	}
	if (!error)
		hv_cpuid_trim_xsave(table, count);
	return error;
}
