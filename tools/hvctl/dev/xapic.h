/* SPDX-License-Identifier: GPL-2.0-only */
/* The register page of the local APIC, for guests that do not use the x2APIC MSRs. */
#ifndef HV_XAPIC_H
#define HV_XAPIC_H

#include "bus.h"

#define HV_XAPIC_BASE 0xfee00000ULL
#define HV_XAPIC_LEN 0x1000

/* Where a register is kept: by its number, offset / 16. Returns 0 or -errno. */
struct hv_xapic_ops {
	int (*read)(unsigned int reg, uint64_t *value);
	int (*write)(unsigned int reg, uint64_t value);
};

struct hv_xapic {
	struct hv_region region;
	struct hv_xapic_ops ops;
};

/* Put the page on @bus; it shows the local APIC of the vCPU whose thread looks at it. */
int hv_xapic_init(struct hv_xapic *xapic, struct hv_bus *bus, const struct hv_xapic_ops *ops);

#endif
