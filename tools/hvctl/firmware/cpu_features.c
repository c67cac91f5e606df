// SPDX-License-Identifier: GPL-2.0-only
/* The names of CPUID features, as Linux has them in /proc/cpuinfo. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu_features.h"

enum { EAX, EBX, ECX, EDX };

struct feature {
	const char *name;
	uint32_t function;
	unsigned int reg;
	unsigned int bit;
};

/* Those that change what a guest does, and are worth trying without. */
static const struct feature features_known[] = {
	{ "apic", 1, EDX, 9 },
	{ "x2apic", 1, ECX, 21 },
	{ "tsc-deadline", 1, ECX, 24 },
	{ "hypervisor", 1, ECX, 31 },
	{ "arat", 6, EAX, 2 },
	{ "invtsc", 0x80000007, EDX, 8 },
	{ "pcid", 1, ECX, 17 },
	{ "invpcid", 7, EBX, 10 },
	{ "fsgsbase", 7, EBX, 0 },
	{ "smep", 7, EBX, 7 },
	{ "smap", 7, EBX, 20 },
	{ "umip", 7, ECX, 2 },
	{ "la57", 7, ECX, 16 },
	{ "rdrand", 1, ECX, 30 },
	{ "rdseed", 7, EBX, 18 },
	{ "rdtscp", 0x80000001, EDX, 27 },
	{ "nx", 0x80000001, EDX, 20 },
	{ "pdpe1gb", 0x80000001, EDX, 26 },
	{ "lm", 0x80000001, EDX, 29 },
	{ "xsave", 1, ECX, 26 },
	{ "aes", 1, ECX, 25 },
	{ "fma", 1, ECX, 12 },
	{ "avx", 1, ECX, 28 },
	{ "avx2", 7, EBX, 5 },
	{ "avx512f", 7, EBX, 16 },
	{ "ibrs", 7, EDX, 26 },
	{ "stibp", 7, EDX, 27 },
	{ "arch_capabilities", 7, EDX, 29 },
	{ "ssbd", 7, EDX, 31 },
};

#define NR_FEATURES (sizeof(features_known) / sizeof(features_known[0]))
_Static_assert(NR_FEATURES <= 64, "a bit for each");

static const struct feature *find(const char *name, size_t len)
{
	for (size_t i = 0; i < NR_FEATURES; i++)
		if (strlen(features_known[i].name) == len &&
		    !memcmp(features_known[i].name, name, len))
			return &features_known[i];
	return NULL;
}

static int fail_unknown(const char *name, size_t len, struct hv_error *err)
{
	char names[400];
	size_t used = 0;

	for (size_t i = 0; i < NR_FEATURES && used < sizeof(names); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", i ? " " : "",
				 features_known[i].name);
	return hv_fail(err, EINVAL, "'%.*s' is no feature; known are %s", (int)len, name, names);
}

int hv_cpu_features_parse(struct hv_cpu_features *features, const char *text, struct hv_error *err)
{
	for (;;) {
		bool off = *text == '-';
		const char *name = text + (off || *text == '+');
		size_t len = strcspn(name, ",");
		const struct feature *feature = find(name, len);
		uint64_t bit;

		if (!feature)
			return fail_unknown(name, len, err);
		bit = 1ULL << (feature - features_known);
		features->off = off ? features->off | bit : features->off & ~bit;
		features->on = off ? features->on & ~bit : features->on | bit;
		if (!name[len])
			return 0;
		text = name + len + 1;
	}
}

static uint32_t *find_register(struct tinyvmx_cpuid *table, size_t count,
			       const struct feature *feature)
{
	for (size_t i = 0; i < count; i++) {
		struct tinyvmx_cpuid *row = &table[i];
		uint32_t *reg[] = { &row->eax, &row->ebx, &row->ecx, &row->edx };

		if (row->function == feature->function && !row->index)
			return reg[feature->reg];
	}
	return NULL;
}

int hv_cpu_features_apply(const struct hv_cpu_features *features, struct tinyvmx_cpuid *table,
			  size_t count, struct hv_error *err)
{
	for (size_t i = 0; i < NR_FEATURES; i++) {
		const struct feature *feature = &features_known[i];
		uint32_t *reg = find_register(table, count, feature);
		uint32_t bit = 1U << feature->bit;

		if (features->off >> i & 1 && reg)
			*reg &= ~bit;
		if (features->on >> i & 1 && !(reg && *reg & bit))
			return hv_fail(
				err, EOPNOTSUPP,
				"there is no %s here; leave it out, or use another CPU (hvctl info)",
				feature->name);
	}
	return 0;
}
