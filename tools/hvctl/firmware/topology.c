// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID's words about topology: SDM, "Hierarchical Mapping of Shared Resources".
 *
 * APIC ids are 0 to cpus - 1, in one package. Fields that count APIC ids, unlike those that count
 * CPUs, are to be powers of two: so many as the bits that tell the CPUs apart can make.
 */
#include <stdint.h>

#include "topology.h"

#define LEAF1_HTT (1U << 28) /* EDX: there may be more than one CPU in the package */

/* Levels of leaves 0BH and 1FH, by sub-leaf. */
#define LEVEL_END    0
#define LEVEL_THREAD 1
#define LEVEL_CORE   2

/* Caches, leaf 4: what level they are of, and from which on all cores have one together. */
#define CACHE_TYPE(eax)  ((eax) & 0x1f)
#define CACHE_LEVEL(eax) ((eax) >> 5 & 7)
#define SHARED_LEVEL     3

/* Bits of an APIC id that tell the CPUs of the package apart. */
static unsigned int id_bits(unsigned int cpus)
{
	unsigned int bits = 0;

	while (1U << bits < cpus)
		bits++;
	return bits;
}

static void tell_package(struct tinyvmx_cpuid *row, unsigned int cpus)
{
	row->ebx |= 1U << id_bits(cpus) << 16;
	if (cpus > 1)
		row->edx |= LEAF1_HTT;
}

/* Ids of cores in the package, and of CPUs that share the cache, each less one. */
static void tell_cache(struct tinyvmx_cpuid *row, unsigned int cpus)
{
	uint32_t others = (1U << id_bits(cpus)) - 1;

	if (!CACHE_TYPE(row->eax))
		return;
	row->eax |= others << 26;
	if (CACHE_LEVEL(row->eax) >= SHARED_LEVEL)
		row->eax |= others << 14;
}

/* How far to shift an APIC id for the id of the level above, and how many CPUs there are. */
static void tell_level(struct tinyvmx_cpuid *row, unsigned int cpus)
{
	static const uint8_t levels[HV_TOPOLOGY_LEVELS] = { LEVEL_THREAD, LEVEL_CORE, LEVEL_END };
	uint8_t level = levels[row->index];

	row->eax = level == LEVEL_CORE ? id_bits(cpus) : 0;
	row->ebx = level == LEVEL_CORE ? cpus : level == LEVEL_THREAD;
	row->ecx = row->index | level << 8;
}

void hv_topology_tell(struct tinyvmx_cpuid *row, unsigned int cpus)
{
	switch (row->function) {
	case 1:
		tell_package(row, cpus);
		break;
	case 4:
		tell_cache(row, cpus);
		break;
	case HV_TOPOLOGY_LEAF:
	case HV_TOPOLOGY_LEAF_V2:
		tell_level(row, cpus);
		break;
	}
}

void hv_topology_set_id(struct tinyvmx_cpuid *table, size_t count, unsigned int id)
{
	for (struct tinyvmx_cpuid *row = table; row < table + count; row++) {
		if (row->function == 1)
			row->ebx = (row->ebx & 0x00ffffff) | id << 24;
		if (row->function == HV_TOPOLOGY_LEAF || row->function == HV_TOPOLOGY_LEAF_V2)
			row->edx = id;
	}
}
