/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to look at of a vCPU that does not run. */
#ifndef HV_VMM_EXAMINE_H
#define HV_VMM_EXAMINE_H

#include "debug/registers.h"
#include "debug/view.h"
#include "debug/vmcs.h"
#include "machine.h"

/* All registers. Returns 0 or -errno. */
int hv_vcpu_registers(const struct hv_vcpu *vcpu, struct hv_registers *registers);

/**
 * hv_vcpu_xsave() - its FPU and vector registers
 * @vcpu: it
 * @xsave: an image of info.xsave_bytes, or HV_GDB_FPU_SSE if that is more; to be freed
 *
 * Returns 0 or -errno, and then *xsave is NULL.
 */
int hv_vcpu_xsave(const struct hv_vcpu *vcpu, struct tinyvmx_xsave **xsave);

/* Its memory and its program's symbols, by @registers, which stay where they are. */
struct hv_view hv_vcpu_view(const struct hv_vcpu *vcpu, const struct hv_registers *registers);

/* Its VMCS, as far as we may see it; to be freed. Returns 0 or -errno. */
int hv_vcpu_vmcs(const struct hv_vcpu *vcpu, struct hv_vmcs *vmcs);

#endif
