/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X of a PCI device: its capability, and a 64-bit memory BAR with the table and the pending
 * bits.
 *
 * A vector is an eventfd of the owner's, which any thread signals, without a lock and without
 * knowing what the guest has done to the vector. While the guest wants its message the eventfd is
 * routed: somebody (TINYVMX_IRQFD) delivers the message whenever it is signalled, and for what it
 * has counted before. Else it just counts, and that is the pending bit. So no interrupt is lost
 * while a vector is masked, or its message changes.
 *
 * hv_msix_init() before hv_pci_add(); the device's written() calls hv_msix_written().
 */
#ifndef HV_DEV_MSIX_H
#define HV_DEV_MSIX_H

#include "pci.h"

#define HV_MSIX_VECTORS 128		/* of a device, at the most */
#define HV_MSIX_BAR_LEN 4096

/**
 * struct hv_msix_config - of what a device's MSI-X is made
 * @device: initialized and not added yet
 * @bar: that it gets, and the one behind it
 * @vectors: 1 to HV_MSIX_VECTORS
 * @route: have @vector's eventfd deliver this message from now on, or (@on false) nothing any more.
 *	Turned off before it is turned on with another message. If it fails the message is one that
 *	nobody takes: it is not tried again before the guest changes or unmasks it, nor turned off
 * @pending: has @vector's eventfd been signalled while it was not routed?
 * @set_pending: signal it, or take what it has counted. NULL: what is pending outlives a reset, and
 *	is no part of the state
 * @enabled_changed: the guest uses MSI-X from now on, or INTx again; routes are as they shall be.
 *	May be NULL
 * @ctx: for all of them
 */
struct hv_msix_config {
	struct hv_pci_device *device;
	unsigned int bar;
	unsigned int vectors;
	int (*route)(void *ctx, unsigned int vector, bool on, uint64_t address, uint32_t data);
	bool (*pending)(void *ctx, unsigned int vector);
	void (*set_pending)(void *ctx, unsigned int vector, bool pending);
	void (*enabled_changed)(void *ctx, bool enabled);
	void *ctx;
};

/* As the guest sees it in the table. */
struct hv_msix_entry {
	uint64_t address;
	uint32_t data;
	uint32_t control;		/* bit 0: masked */
};

struct hv_msix_route {
	bool wanted;			/* by the guest, with this message */
	bool refused;			/* ... which nobody takes */
	uint64_t address;
	uint32_t data;
};

struct hv_msix {
	struct hv_msix_config config;
	unsigned int capability;	/* its offset */
	bool enabled;
	struct hv_msix_entry entry[HV_MSIX_VECTORS];
	struct hv_msix_route route[HV_MSIX_VECTORS];
};

struct hv_msix_state {
	uint32_t vectors;
	uint32_t pad;
	uint64_t pending[HV_MSIX_VECTORS / 64];
	struct hv_msix_entry entry[HV_MSIX_VECTORS];
};

/* Returns 0; -EINVAL: no such BAR, or too many vectors; -ENOSPC: no room for the capability. */
int hv_msix_init(struct hv_msix *msix, const struct hv_msix_config *config);

/* Nothing is routed any more, and no callback comes. */
void hv_msix_exit(struct hv_msix *msix);

/* Off, all vectors masked, none pending. Nobody signals meanwhile. */
void hv_msix_reset(struct hv_msix *msix);

/* Configuration space was written there: the device's written(). */
void hv_msix_written(struct hv_msix *msix, unsigned int offset, unsigned int width);

/* Does the guest use it, in place of INTx? Vectors may be masked all the same. */
static inline bool hv_msix_is_enabled(const struct hv_msix *msix)
{
	return msix->enabled;
}

static inline unsigned int hv_msix_vectors(const struct hv_msix *msix)
{
	return msix->config.vectors;
}

/* The table and the pending bits; what is in configuration space is in the device's record. */
void hv_msix_save(const struct hv_msix *msix, struct hv_msix_state *state);
int hv_msix_check(const struct hv_msix *msix, const struct hv_msix_state *state);
int hv_msix_load(struct hv_msix *msix, const struct hv_msix_state *state);
extern const struct hv_state_kind hv_msix_kind;

#endif
