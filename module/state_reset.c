// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a new VMCS, as tables. Control and guest fields not named are 0.
 */
#include <linux/array_size.h>
#include <asm/processor-flags.h>

#include "cpuid.h"
#include "exit_controls.h"
#include "msr.h"
#include "msr_bitmap.h"
#include "msr_spec_ctrl.h"
#include "state_cr.h"
#include "state_reset.h"
#include "vmcs_host.h"
#include "vmenter.h"
#include "vmx_caps.h"

struct field {
	u32 encoding;
	u64 value;
};

#define PAT_RESET	0x0007040600070406ULL

/* SDM, "Processor State After Reset"; access rights in the VMCS format. */
#define AR_CODE		0x9b	/* present, code, execute/read, accessed */
#define AR_DATA		0x93	/* present, data, read/write, accessed */
#define AR_LDT		0x82
#define AR_TSS		0x8b	/* busy 32-bit: VM entry takes nothing else */

static const struct field reset_fields[] = {
	{ GUEST_CS_SELECTOR, 0xf000 }, { GUEST_CS_BASE, 0xffff0000 },
	{ GUEST_CS_LIMIT, 0xffff }, { GUEST_CS_AR_BYTES, AR_CODE },
	{ GUEST_DS_LIMIT, 0xffff }, { GUEST_DS_AR_BYTES, AR_DATA },
	{ GUEST_ES_LIMIT, 0xffff }, { GUEST_ES_AR_BYTES, AR_DATA },
	{ GUEST_FS_LIMIT, 0xffff }, { GUEST_FS_AR_BYTES, AR_DATA },
	{ GUEST_GS_LIMIT, 0xffff }, { GUEST_GS_AR_BYTES, AR_DATA },
	{ GUEST_SS_LIMIT, 0xffff }, { GUEST_SS_AR_BYTES, AR_DATA },
	{ GUEST_LDTR_LIMIT, 0xffff }, { GUEST_LDTR_AR_BYTES, AR_LDT },
	{ GUEST_TR_LIMIT, 0xffff }, { GUEST_TR_AR_BYTES, AR_TSS },
	{ GUEST_GDTR_LIMIT, 0xffff }, { GUEST_IDTR_LIMIT, 0xffff },
	{ GUEST_RIP, 0xfff0 }, { GUEST_RFLAGS, X86_EFLAGS_FIXED },
	{ GUEST_IA32_PAT, PAT_RESET },
	{ VMCS_LINK_POINTER, ~0ULL },
};

static void write_fields(const struct field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		__vmcs_write(fields[i].encoding, fields[i].value);
}

void tvx_reset_vmcs(struct tvx_vcpu *vcpu, u64 tsc_offset)
{
	vmcs_zero();
	tvx_controls_init(vcpu, tsc_offset);
	vmcs_host_write_constant((unsigned long)tvx_vmexit);
	write_fields(reset_fields, ARRAY_SIZE(reset_fields));
	tvx_cpuid_replace(vcpu, NULL, 0);
	tvx_cr0_write(vcpu, X86_CR0_CD | X86_CR0_NW | X86_CR0_ET);
	tvx_cr4_write(vcpu, 0);
	tvx_msr_init(vcpu);
	tvx_spec_ctrl_init(vcpu);
	tvx_msr_bitmap_init(vcpu);
	vcpu->debug.dr6 = TVX_DR6_FIXED;
	tvx_dr7_write(vcpu, 0);
	vcpu->world.gpr[TINYVMX_RDX] = 0x600;	/* family 6, as after RESET */
}
