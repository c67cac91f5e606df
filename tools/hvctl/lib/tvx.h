/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/tinyvmx as typed functions; nobody else calls ioctl().
 * All return 0 (or a file descriptor) or -errno, as the ABI header lists it.
 */
#ifndef HV_TVX_H
#define HV_TVX_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "tinyvmx.h"

/* On /dev/tinyvmx */
int tvx_open(void);
int tvx_get_info(int device, struct tinyvmx_info *info);
/* With TINYVMX_VM_KVM in @flags: by a VM fd of KVM's. */
int tvx_create_vm(int device, uint32_t flags, int kvm_vm);
/* An empty VM of KVM's: its fd, or -errno of /dev/kvm or of KVM. */
int tvx_create_kvm_vm(void);

/* On a VM */
int tvx_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t len, void *hva);
int tvx_get_use(int vm, uint32_t flags, uint64_t gpa, uint64_t len, void *used, void *written);
int tvx_get_ept(int vm, uint64_t gpa, struct tinyvmx_get_ept *ept);
int tvx_create_vcpu(int vm, uint32_t id);
int tvx_msi(int vm, uint64_t address, uint32_t data);
int tvx_ioeventfd(int vm, uint32_t flags, int fd, uint16_t port, uint16_t width, uint32_t data);
int tvx_irqfd(int vm, uint32_t flags, int fd, uint64_t address, uint32_t data);

/* On a vCPU */
int tvx_map_run(int vcpu, size_t len, struct tinyvmx_run **run);
int tvx_run(int vcpu);
int tvx_get_state(int vcpu, uint32_t type, void *blob, size_t len);
int tvx_set_state(int vcpu, uint32_t type, const void *blob, size_t len);
int tvx_set_cpuid(int vcpu, const struct tinyvmx_cpuid *entries, uint32_t count);
int tvx_inject(int vcpu, const struct tinyvmx_inject *inject);

/* *count: in: room in @fields, out: what the VMCS has (also with -ENOSPC). */
int tvx_get_vmcs(int vcpu, struct tinyvmx_vmcs_field *fields, uint32_t *count);

/* Record its last @records exits; 0: no more. -ENOTTY: the module knows no recorder. */
int tvx_set_record(int vcpu, uint32_t records);
/* Map the ring of as many: munmap() it. */
int tvx_map_record(int vcpu, uint32_t records, const struct tinyvmx_record **ring);

/* What a debugger wants to be told of; @arg->size is filled in. */
int tvx_set_debug(int vcpu, struct tinyvmx_set_debug *arg);

/* Lab mode; @lab->size is filled in. */
int tvx_lab(int vcpu, struct tinyvmx_lab *lab);

/*
 * Create a VM in KVM's VMX root if the module can share it, by its TINYVMX_CAP_*, and KVM gives
 * a VM to whoever asks; else in one of the module's own. The fd, or -errno; *shared: which it is.
 */
static inline int tvx_create_vm_beside_kvm(int device, uint64_t capabilities, uint32_t flags,
					   bool *shared)
{
	int kvm_vm = capabilities & TINYVMX_CAP_ROOT_KVM ? tvx_create_kvm_vm() : -EOPNOTSUPP, fd;

	*shared = kvm_vm >= 0;
	if (!*shared)
		return tvx_create_vm(device, flags, 0);
	fd = tvx_create_vm(device, flags | TINYVMX_VM_KVM, kvm_vm);
	close(kvm_vm); /* the module holds it now */
	return fd;
}

static inline int tvx_get_regs(int vcpu, struct tinyvmx_regs *regs)
{
	return tvx_get_state(vcpu, TINYVMX_STATE_REGS, regs, sizeof(*regs));
}

static inline int tvx_set_regs(int vcpu, const struct tinyvmx_regs *regs)
{
	return tvx_set_state(vcpu, TINYVMX_STATE_REGS, regs, sizeof(*regs));
}

static inline int tvx_get_sregs(int vcpu, struct tinyvmx_sregs *sregs)
{
	return tvx_get_state(vcpu, TINYVMX_STATE_SREGS, sregs, sizeof(*sregs));
}

static inline int tvx_set_sregs(int vcpu, const struct tinyvmx_sregs *sregs)
{
	return tvx_set_state(vcpu, TINYVMX_STATE_SREGS, sregs, sizeof(*sregs));
}

static inline int tvx_get_msr(int vcpu, uint32_t index, uint64_t *value)
{
	struct tinyvmx_msr msr = { .index = index };
	int err = tvx_get_state(vcpu, TINYVMX_STATE_MSRS, &msr, sizeof(msr));

	*value = msr.value;
	return err;
}

static inline int tvx_set_msr(int vcpu, uint32_t index, uint64_t value)
{
	struct tinyvmx_msr msr = { .index = index, .value = value };

	return tvx_set_state(vcpu, TINYVMX_STATE_MSRS, &msr, sizeof(msr));
}

#endif
