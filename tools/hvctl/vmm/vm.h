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
};

/* Open the device and ask what it can do; nothing is started. */
int hv_vm_open(struct hv_vm *vm, struct hv_error *err);
/* Create the VM, with TINYVMX_VM_* flags, beside KVM's if there is KVM: from here on VMX is on. */
int hv_vm_create(struct hv_vm *vm, uint32_t flags, struct hv_error *err);
int hv_vm_map(struct hv_vm *vm, const struct hv_memory *memory, struct hv_error *err);
/* Undo whatever of the above was done. */
void hv_vm_destroy(struct hv_vm *vm);

#endif
