// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs: how they come into being, and go.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <asm/fpu/xcr.h>

#include "cpuid.h"
#include "exit_record.h"
#include "host_power.h"
#include "irqchip/lapic.h"
#include "state_reset.h"
#include "vcpu.h"
#include "vcpu_switch.h"

/* KVM counts from 1: the same number would only cost the two flushes, but often. */
#define FIRST_VPID	0x8000

static DEFINE_IDA(vpids);

/* The FPU after RESET is not the XSAVE init state only in x87's control word. */
static void init_xsave(struct tvx_vcpu *vcpu)
{
	struct fxregs_state *fx = vcpu->xsave;
	u64 *xstate_bv = vcpu->xsave + VMX_FXSAVE_BYTES;

	fx->cwd = 0x40;
	fx->mxcsr = MXCSR_DEFAULT;
	*xstate_bv = XFEATURE_MASK_FPSSE;
}

static void free_parts(struct tvx_vcpu *vcpu)
{
	if (vcpu->lapic.hidden)
		tvx_memory_hide_apic_page(vcpu->memory, false);
	tvx_lapic_destroy(vcpu);
	if (vcpu->vpid)
		ida_free(&vpids, vcpu->vpid);
	if (vcpu->vmcs.page)
		vmx_vmcs_destroy(&vcpu->vmcs);
	ept_cache_destroy(&vcpu->memory->ept, &vcpu->ept_cache);
	tvx_record_destroy(vcpu);
	kfree(vcpu->xsave);
	kvfree(vcpu->cpuid);
	free_page((unsigned long)vcpu->msr_bitmap);
	free_page((unsigned long)vcpu->run);
}

static int alloc_parts(struct tvx_vcpu *vcpu)
{
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->xsave = tvx_fpu_alloc(GFP_KERNEL_ACCOUNT, NUMA_NO_NODE);
	if (!vcpu->run || !vcpu->msr_bitmap || !vcpu->xsave)
		return -ENOMEM;
	return vmx_vmcs_init(&vcpu->vmcs);
}

int tvx_vcpu_init(struct tvx_vcpu *vcpu, const struct tvx_vcpu_config *config)
{
	int err;

	vcpu->vm = config->vm;
	vcpu->memory = config->memory;
	vcpu->peers = config->peers;
	vcpu->ioeventfds = config->ioeventfds;
	vcpu->id = config->id;
	vcpu->loaded_cpu = -1;
	vcpu->has_ferr = config->ferr;
	vcpu->tsc_lost = tvx_host_tsc_lost();
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	err = tvx_lapic_init(vcpu, config->lapic);
	if (err)
		return err;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	tvx_cpuid_init(vcpu);
	err = alloc_parts(vcpu);
	if (err)
		goto free;
	init_xsave(vcpu);
	vcpu->run->apic_page = tvx_lapic_page_gpa(&vcpu->lapic);
	if (vmx_caps.has_vpid) {
		err = ida_alloc_range(&vpids, FIRST_VPID, U16_MAX, GFP_KERNEL);
		/* Out of VPIDs: go without, at the price of a flush per entry. */
		vcpu->vpid = max(err, 0);
	}
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		goto free;
	tvx_reset_vmcs(vcpu, vcpu->tsc_lost - config->tsc_start);
	tvx_vcpu_put_vmcs(vcpu);
	return 0;

free:
	free_parts(vcpu);
	return err;
}

void tvx_vcpu_destroy(struct tvx_vcpu *vcpu)
{
	free_parts(vcpu);
}
