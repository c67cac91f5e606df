// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of APIC virtualization: what the CPU could not finish in the virtual-APIC page.
 */
#include <linux/bits.h>
#include <asm/apicdef.h>

#include "exit_handlers.h"
#include "irqchip/lapic.h"

/* Exit qualification (SDM, "Exit Qualification for APIC-Access VM Exits"). */
#define APIC_OFFSET(qual)	((qual) & 0xfff)
#define APIC_ACCESS(qual)	(((qual) >> 12) & 0xf)

/* What is not an instruction's own access comes from a page walk or an event's delivery. */
static const u32 access_flags[16] = {
	[0] = TINYVMX_MMIO_READ,
	[1] = TINYVMX_MMIO_WRITE,
	[2] = TINYVMX_MMIO_FETCH,
	[3 ... 15] = TINYVMX_MMIO_WALK,
};

/* The operands are in the instruction, which userspace decodes. */
enum tvx_result tvx_exit_apic_access(struct tvx_vcpu *vcpu)
{
	unsigned long qual = tvx_exit_qualification(vcpu);

	return tvx_exit_mmio(vcpu, APIC_DEFAULT_PHYS_BASE + APIC_OFFSET(qual),
			     access_flags[APIC_ACCESS(qual)]);
}

/* These three are traps: the instruction is done. */
enum tvx_result tvx_exit_apic_write(struct tvx_vcpu *vcpu)
{
	tvx_debug_count_step(vcpu);
	tvx_lapic_stored(vcpu, APIC_OFFSET(tvx_exit_qualification(vcpu)) >> 4);
	return TVX_RESUME;
}

enum tvx_result tvx_exit_eoi_induced(struct tvx_vcpu *vcpu)
{
	tvx_debug_count_step(vcpu);
	tvx_lapic_ended(vcpu, tvx_exit_qualification(vcpu));
	return TVX_RESUME;
}

enum tvx_result tvx_exit_tpr_below_threshold(struct tvx_vcpu *vcpu)
{
	tvx_debug_count_step(vcpu);
	vcpu->recheck = true;
	return TVX_RESUME;
}
