/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio balloon: the guest gives memory back to the host. What it does not use it reports by
 * itself; how much more it shall do without, somebody tells it.
 */
#ifndef HV_VIRTIO_BALLOON_H
#define HV_VIRTIO_BALLOON_H

#include "table.h"

/* What a guest counts: see hv_balloon_counts. A row each, by the specification's tags. */
#define HV_BALLOON_COUNTS 10

struct hv_balloon_count {
	const char *name;
	uint64_t unit;			/* bytes in one; 0: it counts no memory */
};

extern const struct hv_balloon_count hv_balloon_counts[HV_BALLOON_COUNTS];

/**
 * struct hv_balloon_facts - how a balloon is
 * @target: bytes that it shall have
 * @actual: ... and has, by what the guest says
 * @known: which of @count the guest has told: one bit each
 * @count: what it has counted
 * @asked_ns: when it told them, by the clock of hv_monotonic_ns(); 0: never
 */
struct hv_balloon_facts {
	uint64_t target, actual;
	uint32_t known;
	uint64_t count[HV_BALLOON_COUNTS];
	uint64_t told_ns;
};

/* The following: any thread, without locks; @dev is a balloon. */

/* Shall have @bytes, which may take the guest a while, or be more than it can spare. */
void hv_balloon_set(struct hv_virtio *dev, uint64_t bytes);
void hv_balloon_look(struct hv_virtio *dev, struct hv_balloon_facts *facts);
/* Have the guest count anew. */
void hv_balloon_ask(struct hv_virtio *dev);
bool hv_is_balloon(const struct hv_virtio *dev);

struct hv_virtio *hv_virtio_balloon_create(const struct hv_virtio_env *env, const char *options,
					   struct hv_error *err);

#endif
