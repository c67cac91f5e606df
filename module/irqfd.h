/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds that raise an interrupt.
 */
#ifndef TVX_IRQFD_H
#define TVX_IRQFD_H

#include <linux/list.h>
#include <linux/mutex.h>

#include "../uapi/tinyvmx.h"

/* A vector for each queue, and one more, in each of as many devices as a PCI bus has. */
#define TVX_MAX_IRQFDS	1024
#define TVX_IRQFD_BUCKETS	256

struct tvx_vcpu_set;

/**
 * struct tvx_irqfds - those of a VM
 * @lock: protects the rest
 * @bucket: by eventfd
 * @count: how many there are
 * @vcpus: whom they interrupt
 */
struct tvx_irqfds {
	struct mutex lock;	/* bucket, count */
	struct hlist_head bucket[TVX_IRQFD_BUCKETS];
	unsigned int count;
	struct tvx_vcpu_set *vcpus;
};

/* Make @irqfds empty; release what is left, @vcpus being empty. May sleep. */
void tvx_irqfds_init(struct tvx_irqfds *irqfds, struct tvx_vcpu_set *vcpus);
void tvx_irqfds_destroy(struct tvx_irqfds *irqfds);

/* TINYVMX_IRQFD on a copied-in argument. Return: 0, or -errno as the ABI says. May sleep. */
int tvx_irqfd_set(struct tvx_irqfds *irqfds, const struct tinyvmx_irqfd *arg);

#endif
