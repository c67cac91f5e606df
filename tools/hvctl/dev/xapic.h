/* SPDX-License-Identifier: GPL-2.0-only */
/* The register page of the local APIC, for guests that do not use the x2APIC MSRs. */
#ifndef HV_DEV_XAPIC_H
#define HV_DEV_XAPIC_H

#include "bus.h"

#define HV_XAPIC_BASE 0xfee00000ULL
#define HV_XAPIC_LEN 0x1000

struct hv_xapic_config {
	struct hv_bus *bus;		/* the CPU's own, whose page begins at 0 */
	/* Where a register is kept: by its number, offset / 16. Both return 0 or -errno. */
	int (*read)(unsigned int reg, uint64_t *value);
	int (*write)(unsigned int reg, uint64_t value);
};

/* The registers are the kernel's, which resets them, and has the state. */
struct hv_xapic {
	struct hv_xapic_config config;
	struct hv_region region;
};

/*
 * Put the page on the bus; it shows the local APIC of the vCPU whose thread looks at it.
 * Returns 0 or the error of hv_bus_register().
 */
int hv_xapic_init(struct hv_xapic *xapic, const struct hv_xapic_config *config);
void hv_xapic_exit(struct hv_xapic *xapic);

#endif
