/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM of /dev/tinyvmx and its RAM. */
#ifndef HV_VM_H
#define HV_VM_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/memory.h"
#include "tinyvmx.h"

struct hv_vm {
	int device;			/* -1: not open */
	int fd;				/* -1: not created */
	bool shared;			/* VMX root is KVM's */
	struct tinyvmx_info info;
	unsigned int pieces;		/* slots behind those of whole ranges, hv_vm_hide()'s */
	unsigned int split;		/* bit n: RAM range n is in pieces */
};

/* Open the device and ask what it can do; nothing is started. */
int hv_vm_open(struct hv_vm *vm, struct hv_error *err);
/* Create the VM, with TINYVMX_VM_* flags, beside KVM's if there is KVM: from here on VMX is on. */
int hv_vm_create(struct hv_vm *vm, uint32_t flags, struct hv_error *err);
int hv_vm_map(struct hv_vm *vm, const struct hv_memory *memory, struct hv_error *err);

/* Pages of RAM that hv_vm_hide() hides at most: it takes two slots for each. */
#define HV_VM_HIDDEN_MAX 24

/**
 * hv_vm_hide() - have the guest execute some pages of RAM, but not read or write them
 * @vm: has TINYVMX_CAP_EXECUTE_ONLY; no vCPU is in the guest
 * @memory: as it was mapped
 * @page: guest-physical addresses of pages of RAM, ascending; all others are ordinary again
 * @count: up to HV_VM_HIDDEN_MAX
 *
 * What the guest reads and writes there exits as MMIO. Returns 0 or -errno: RAM is missing then.
 */
int hv_vm_hide(struct hv_vm *vm, const struct hv_memory *memory, const uint64_t *page,
	       unsigned int count);

/* Undo whatever of the above was done. */
void hv_vm_destroy(struct hv_vm *vm);

#endif
