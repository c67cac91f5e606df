/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/tinyvmx as typed functions; nobody else calls ioctl().
 * All return 0 (or a file descriptor) or -errno, as the ABI header lists it.
 */
#ifndef HV_TVX_H
#define HV_TVX_H

#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

/* On /dev/tinyvmx */
int tvx_open(void);
int tvx_get_info(int device, struct tinyvmx_info *info);
int tvx_create_vm(int device, uint32_t flags);

/* On a VM */
int tvx_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t len, void *hva);
int tvx_create_vcpu(int vm, uint32_t id);
int tvx_msi(int vm, uint64_t address, uint32_t data);
int tvx_ioeventfd(int vm, uint32_t flags, int fd, uint16_t port, uint16_t width, uint32_t data);

/* On a vCPU */
int tvx_map_run(int vcpu, size_t len, struct tinyvmx_run **run);
int tvx_run(int vcpu);
int tvx_get_state(int vcpu, uint32_t type, void *blob, size_t len);
int tvx_set_state(int vcpu, uint32_t type, const void *blob, size_t len);
int tvx_set_cpuid(int vcpu, const struct tinyvmx_cpuid *entries, uint32_t count);
int tvx_inject(int vcpu, const struct tinyvmx_inject *inject);

/* *count: in: room in @fields, out: what the VMCS has (also with -ENOSPC). */
int tvx_get_vmcs(int vcpu, struct tinyvmx_vmcs_field *fields, uint32_t *count);

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
