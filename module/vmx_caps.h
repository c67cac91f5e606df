/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What VMX on this machine can do: the capability MSRs, read once, and the
 * control words that follow from them.
 */
#ifndef TVX_VMX_CAPS_H
#define TVX_VMX_CAPS_H

#include <linux/cache.h>
#include <linux/types.h>

#include "../uapi/tinyvmx.h"

/**
 * struct vmx_caps - frozen at module load
 * @msrs: IA32_VMX_BASIC and those after it, as read
 * @valid: bit n: msrs[n] exists
 * @feature_control: IA32_FEATURE_CONTROL as read
 * @pin: pin-based controls that every VMCS starts with
 * @proc: primary processor-based controls, likewise
 * @proc2: secondary processor-based controls, likewise
 * @exit: VM-exit controls, likewise
 * @entry: VM-entry controls, likewise
 * @proc2_allowed: secondary controls that may be 1
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP
 * @cr0_fixed: CR0 bits that must be 1 in a guest (PE and PG excepted)
 * @cr4_fixed: CR4 bits that must be 1 in a guest
 * @cr4_mask: CR4 bits a guest can have: the CPU has them and we handle them
 * @cr4_emulated: those of them that the CPU does not have: UMIP, by descriptor-table exiting
 * @cr0_mask: CR0 bits a guest can have
 * @host_xcr0: XCR0 of the host, the same on all CPUs and for ever
 * @xcr0_mask: XCR0 bits a guest can have
 * @spec_ctrl_mask: IA32_SPEC_CTRL bits a guest can have
 * @arch_capabilities: IA32_ARCH_CAPABILITIES as guests see it
 * @mxcsr_mask: MXCSR bits that exist
 * @xsave_bytes: length of an XSAVE image for @xcr0_mask, standard format
 * @small_code: guests execute from 4 KiB pages of EPT only
 * @can_stop_counters: VM entries and exits can load IA32_PERF_GLOBAL_CTRL
 * @has_vpid: VPIDs are used
 * @has_timer: the VMX-preemption timer is used
 * @has_step: the monitor trap flag is there
 * @timer_shift: log2 of how many TSC ticks one count of it takes
 * @apicv: APIC virtualization is used: registers in the virtual-APIC page,
 *	virtual-interrupt delivery, and the page or the MSRs as the guest's mode has it
 */
struct vmx_caps {
	u64 msrs[TINYVMX_VMX_MSR_COUNT];
	u32 valid;
	u64 feature_control;
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u32 proc2_allowed;
	u64 ept_vpid;
	u64 cr0_fixed;
	u64 cr4_fixed;
	u64 cr4_mask;
	u64 cr4_emulated;
	u64 cr0_mask;
	u64 host_xcr0;
	u64 xcr0_mask;
	u64 spec_ctrl_mask;
	u64 arch_capabilities;
	u32 mxcsr_mask;
	u32 xsave_bytes;
	bool small_code;
	bool can_stop_counters;
	bool has_vpid;
	bool has_timer;
	bool has_step;
	u8 timer_shift;
	bool apicv;
};

/* The XSAVE image: legacy region and header (SDM volume 1, "XSAVE Area"). */
#define VMX_FXSAVE_BYTES	512
#define VMX_XSAVE_HEADER_BYTES	64

extern struct vmx_caps vmx_caps;

static inline u64 vmx_cap(u32 msr)
{
	return vmx_caps.msrs[msr - TINYVMX_VMX_MSR_BASE];
}

static inline u32 vmx_revision(void)
{
	return vmx_caps.msrs[0] & 0x7fffffff;
}

/**
 * vmx_caps_init - read the capabilities and refuse what we cannot work with
 *
 * Logs one line that names the cause and the remedy when it refuses.
 * Return: 0; -ENODEV: no VMX; -EPERM: firmware forbids it; -EOPNOTSUPP: the CPU
 * lacks a feature, named in the log.
 */
int vmx_caps_init(void);

/*
 * Whether the calling CPU is like the one that was first in all that is used. In what is not,
 * the cores of a hybrid CPU may differ.
 */
bool vmx_caps_match(void);

/* Fill the VMX part of @info. */
void vmx_caps_info(struct tinyvmx_info *info);

#endif
