/* SPDX-License-Identifier: GPL-2.0-only */
/* How a guest's CPUs share a package, as CPUID tells it: each is a core with one thread. */
#ifndef HV_FIRMWARE_TOPOLOGY_H
#define HV_FIRMWARE_TOPOLOGY_H

#include <stddef.h>

#include "tinyvmx.h"

/* The leaves of topology, and how many sub-leaves they have; the last one tells of the end. */
#define HV_TOPOLOGY_LEAF    0xb
#define HV_TOPOLOGY_LEAF_V2 0x1f
#define HV_TOPOLOGY_LEVELS  3

/* Put into a row what follows from the number of CPUs: into leaves 1, 4, 0BH and 1FH. */
void hv_topology_tell(struct tinyvmx_cpuid *row, unsigned int cpus);

/* Make it the table of the CPU with that APIC id. */
void hv_topology_set_id(struct tinyvmx_cpuid *table, size_t count, unsigned int id);

#endif
