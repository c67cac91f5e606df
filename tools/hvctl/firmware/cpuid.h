/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUID table of a guest: the host's CPUID, less what does not work in a VM. */
#ifndef HV_FIRMWARE_CPUID_H
#define HV_FIRMWARE_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

#define HV_CPUID_MAX 128

/* Order of @out: EAX, EBX, ECX, EDX. */
typedef void (*hv_cpuid_fn)(uint32_t function, uint32_t index, uint32_t out[4]);

/* CPUID of the CPU that we are on. */
void hv_cpuid_host(uint32_t function, uint32_t index, uint32_t out[4]);

struct hv_cpuid_config {
	hv_cpuid_fn host;
	const struct tinyvmx_info *info;
	unsigned int cpus;
	/* A PC: local APIC with x2APIC and TSC deadline, topology, the KVM signature. */
	bool lapic;
};

/*
 * Fill @table for the first of @cpus, see hv_topology_set_id() for the others; returns the number
 * of rows, at most HV_CPUID_MAX.
 */
size_t hv_cpuid_build(struct tinyvmx_cpuid table[HV_CPUID_MAX],
		      const struct hv_cpuid_config *config);

/* Features have been taken out: leaf DH is to have the components of the others only. */
void hv_cpuid_trim_xsave(struct tinyvmx_cpuid *table, size_t count);

/* What the table says the CPU is: EAX of leaf 1; 0 without one. */
uint32_t hv_cpuid_signature(const struct tinyvmx_cpuid *table, size_t count);

/* Does the table say that the guest has 1 GiB pages? MTRRs? How wide physical addresses are? */
int hv_cpuid_has_1g_pages(const struct tinyvmx_cpuid *table, size_t count);
bool hv_cpuid_has_mtrr(const struct tinyvmx_cpuid *table, size_t count);
unsigned int hv_cpuid_gpa_bits(const struct tinyvmx_cpuid *table, size_t count);

#endif
