// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSR bitmap: which MSRs the guest reaches without a VM exit.
 */
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/page.h>
#include <asm/vmx.h>

#include "msr_bitmap.h"
#include "vcpu_switch.h"
#include "vmcs.h"
#include "vmx_caps.h"

/* SDM, "MSR-Bitmap Address": reads low, reads high, writes low, writes high. */
void tvx_msr_set_intercepts(struct tvx_vcpu *vcpu, u32 index, bool read, bool write)
{
	unsigned long bit = index & 0x1fff;

	if (index >= 0xc0000000)
		bit += 0x2000;
	__assign_bit(bit, vcpu->msr_bitmap, read);
	__assign_bit(bit + 0x4000, vcpu->msr_bitmap, write);
}

static void set_intercept(struct tvx_vcpu *vcpu, u32 index, bool intercept)
{
	tvx_msr_set_intercepts(vcpu, index, intercept, intercept);
}

/* The VMCS switches these itself: they are the guest's own. */
static const u32 vmcs_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

void tvx_msr_bitmap_init(struct tvx_vcpu *vcpu)
{
	size_t i;

	memset(vcpu->msr_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(vmcs_msrs); i++)
		set_intercept(vcpu, vmcs_msrs[i], false);
	tvx_msr_update_wanted(vcpu);
}

#define SYSCALL_MSRS	(BIT(TVX_MSR_STAR) | BIT(TVX_MSR_LSTAR) | BIT(TVX_MSR_CSTAR) | \
			 BIT(TVX_MSR_SYSCALL_MASK))

void tvx_msr_update_wanted(struct tvx_vcpu *vcpu)
{
	u64 efer = vmcs_read64(GUEST_IA32_EFER);
	u32 wanted = 0;

	/* Without SCE, SYSCALL is invalid; without LME, there is no SWAPGS. */
	if (efer & EFER_SCE)
		wanted |= SYSCALL_MSRS;
	if (efer & EFER_LME)
		wanted |= BIT(TVX_MSR_KERNEL_GS_BASE);
	if (vcpu->policy.rdtscp &&
	    (vmx_caps.proc2_allowed & SECONDARY_EXEC_ENABLE_RDTSCP))
		wanted |= BIT(TVX_MSR_TSC_AUX);
	set_intercept(vcpu, MSR_KERNEL_GS_BASE, !(wanted & BIT(TVX_MSR_KERNEL_GS_BASE)));
	tvx_vcpu_update_msrs(vcpu, wanted);
}
