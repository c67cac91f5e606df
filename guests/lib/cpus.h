/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs there are, by firmware's tables. */
#ifndef GUEST_CPUS_H
#define GUEST_CPUS_H

#include "types.h"

#define CPUS_MAX	64

/* APIC ids of all CPUs that may be used, of CPUS_MAX at the most; 0: no such table. */
u32 cpus_by_madt(u32 ids[]);
/* The same by the older MP table. */
u32 cpus_by_mp_table(u32 ids[]);

#endif
