/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a debugger wants to be told: INT3 planted in guest memory, and debug registers. While vCPUs
 * are in the guest nothing here changes.
 */
#ifndef HV_DEBUG_GDB_POINTS_H
#define HV_DEBUG_GDB_POINTS_H

#include "gdb.h"
#include "lib/memory.h"

#define HV_GDB_PLANTS_MAX 256
#define HV_GDB_DEBUG_REGS 4

/* An INT3. The guest may have written over it since: then it is none. */
struct hv_gdb_plant {
	uint64_t gva;			/* as gdb knows it */
	uint64_t gpa;			/* where it lies */
	uint8_t original;		/* what was there */
};

/* A debug register; one that watches more than it can takes several. */
struct hv_gdb_debug_reg {
	bool used;
	enum hv_gdb_point kind;
	uint64_t wanted, len;		/* what was asked for */
	uint64_t address;		/* its part of that: */
	unsigned int bytes;		/* 1, 2, 4 or 8, aligned to that */
};

struct hv_gdb_points {
	const struct hv_memory *memory;
	bool lost;			/* a reset has taken some away */
	unsigned int plants;
	struct hv_gdb_plant plant[HV_GDB_PLANTS_MAX];
	struct hv_gdb_debug_reg reg[HV_GDB_DEBUG_REGS];
};

/*
 * An INT3 at @gva, which stands for @gpa now. Returns 0, also if there is one; -EFAULT: it is no
 * memory; -ENOSPC: there are too many.
 */
int hv_gdb_plant(struct hv_gdb_points *points, uint64_t gva, uint64_t gpa);
/* -ENOENT: there is none. */
int hv_gdb_unplant(struct hv_gdb_points *points, uint64_t gva);

/*
 * Debug registers for @len bytes. Returns 0; -EOPNOTSUPP: this CPU cannot watch so; -ENOSPC: too
 * few are free; -EINVAL: a length that makes no sense.
 */
int hv_gdb_watch(struct hv_gdb_points *points, enum hv_gdb_point kind, uint64_t address,
		 uint64_t len);
int hv_gdb_unwatch(struct hv_gdb_points *points, enum hv_gdb_point kind, uint64_t address,
		   uint64_t len);

/* None of them any more. */
void hv_gdb_points_clear(struct hv_gdb_points *points);

/* RAM was filled anew: plant them again where the same byte is. The others are lost. */
void hv_gdb_replant(struct hv_gdb_points *points);

/* Is one planted at @gpa, or for @gva? Is there an INT3, whosever? */
bool hv_gdb_is_planted(const struct hv_gdb_points *points, uint64_t gpa);
bool hv_gdb_is_planted_for(const struct hv_gdb_points *points, uint64_t gva);
bool hv_gdb_has_int3(const struct hv_gdb_points *points, uint64_t gpa);

/* What was read from @gpa on: without them. */
void hv_gdb_hide(const struct hv_gdb_points *points, uint64_t gpa, uint8_t *bytes, size_t len);
/* What is to be written from @gpa on: with them; what they hide is kept. */
void hv_gdb_merge(struct hv_gdb_points *points, uint64_t gpa, uint8_t *bytes, size_t len);

/* What the module is to be asked for, for them: flags, registers. */
void hv_gdb_points_ask(const struct hv_gdb_points *points, struct tinyvmx_set_debug *arg);

/* Does a debug register stop execution at @address? */
bool hv_gdb_stops_at(const struct hv_gdb_points *points, uint64_t address);

/* Which of those that the bits of @dr6 name is there, the first; NULL: none any more. */
const struct hv_gdb_debug_reg *hv_gdb_hit(const struct hv_gdb_points *points, uint64_t dr6);

#endif
