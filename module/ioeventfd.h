/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports whose writes signal an eventfd.
 */
#ifndef TVX_IOEVENTFD_H
#define TVX_IOEVENTFD_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "../uapi/tinyvmx.h"

/* A queue for each CPU of a large guest, in each of as many devices as a PCI bus has. */
#define TVX_MAX_IOEVENTFDS	1024
#define TVX_IOEVENTFD_BUCKETS	256

struct tvx_memory;

/**
 * struct tvx_ioeventfds - those of a VM
 * @lock: held to change them
 * @count: how many there are
 * @memory: the VM's, which knows where exits may be under way
 * @bucket: by port; read in exits, without the lock
 */
struct tvx_ioeventfds {
	struct mutex lock;	/* count, changes of bucket */
	unsigned int count;
	struct tvx_memory *memory;
	struct hlist_head bucket[TVX_IOEVENTFD_BUCKETS];
};

/*
 * Make @events, of the VM with @memory, empty; release what is left when no vCPU exists any more.
 * May sleep.
 */
void tvx_ioeventfds_init(struct tvx_ioeventfds *events, struct tvx_memory *memory);
void tvx_ioeventfds_destroy(struct tvx_ioeventfds *events);

/* TINYVMX_IOEVENTFD on a copied-in argument. Return: 0, or -errno as the ABI says. May sleep. */
int tvx_ioeventfd_set(struct tvx_ioeventfds *events, const struct tinyvmx_ioeventfd *arg);

/*
 * tvx_ioeventfd_signal - the guest writes @data, @width bytes, to @port
 *
 * Interrupts disabled. Return: whether that was for an eventfd, which then is signalled.
 */
bool tvx_ioeventfd_signal(struct tvx_ioeventfds *events, u16 port, unsigned int width, u32 data);

#endif
