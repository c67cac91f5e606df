// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states after RESET, with a new VMCS, after INIT, and after a start-up IPI. Fields of a new
 * VMCS that are not named are 0.
 */
#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "cpuid.h"
#include "exit_controls.h"
#include "exit_info.h"
#include "irqchip/lapic.h"
#include "msr.h"
#include "msr_bitmap.h"
#include "msr_spec_ctrl.h"
#include "state_cr.h"
#include "state_reset.h"
#include "vcpu_switch.h"
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

static const u32 segment_ar[TINYVMX_NR_SEG] = {
	[TINYVMX_ES] = AR_DATA,
	[TINYVMX_CS] = AR_CODE,
	[TINYVMX_SS ... TINYVMX_GS] = AR_DATA,
	[TINYVMX_LDTR] = AR_LDT,
	[TINYVMX_TR] = AR_TSS,
};

/* What RESET and INIT have in common, beside the segments. */
static const struct field init_fields[] = {
	{ GUEST_CS_SELECTOR, 0xf000 }, { GUEST_CS_BASE, 0xffff0000 },
	{ GUEST_GDTR_BASE, 0 }, { GUEST_GDTR_LIMIT, 0xffff },
	{ GUEST_IDTR_BASE, 0 }, { GUEST_IDTR_LIMIT, 0xffff },
	{ GUEST_RIP, 0xfff0 }, { GUEST_RFLAGS, X86_EFLAGS_FIXED },
	{ GUEST_RSP, 0 }, { GUEST_CR3, 0 },
	{ GUEST_INTERRUPTIBILITY_INFO, 0 }, { GUEST_PENDING_DBG_EXCEPTIONS, 0 },
	{ VM_ENTRY_INTR_INFO_FIELD, 0 },
};

static const struct field reset_fields[] = {
	{ GUEST_IA32_PAT, PAT_RESET },
	{ VMCS_LINK_POINTER, ~0ULL },
};

static void write_fields(const struct field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		__vmcs_write(fields[i].encoding, fields[i].value);
}

static void reset_registers(struct tvx_vcpu *vcpu)
{
	unsigned int n;

	for (n = 0; n < TINYVMX_NR_SEG; n++) {
		vmcs_write16(GUEST_ES_SELECTOR + 2 * n, 0);
		vmcs_writen(GUEST_ES_BASE + 2 * n, 0);
		vmcs_write32(GUEST_ES_LIMIT + 2 * n, 0xffff);
		vmcs_write32(GUEST_ES_AR_BYTES + 2 * n, segment_ar[n]);
	}
	write_fields(init_fields, ARRAY_SIZE(init_fields));
	tvx_exit_forget(vcpu);
	memset(vcpu->world.gpr, 0, sizeof(vcpu->world.gpr));
	vcpu->world.gpr[TINYVMX_RDX] = tvx_cpuid_signature(vcpu);
	memset(vcpu->debug.dr, 0, sizeof(vcpu->debug.dr));
	vcpu->debug.dr6 = TVX_DR6_FIXED;
	tvx_dr7_write(vcpu, 0);
	vcpu->cr2 = 0;
}

void tvx_reset_vmcs(struct tvx_vcpu *vcpu, u64 tsc_offset)
{
	vmcs_zero();
	tvx_controls_init(vcpu, tsc_offset);
	vmcs_host_write_constant((unsigned long)tvx_vmexit);
	write_fields(reset_fields, ARRAY_SIZE(reset_fields));
	reset_registers(vcpu);
	tvx_cpuid_replace(vcpu, NULL, 0);
	tvx_cr0_write(vcpu, X86_CR0_CD | X86_CR0_NW | X86_CR0_ET);
	tvx_cr4_write(vcpu, 0);
	tvx_msr_init(vcpu);
	tvx_spec_ctrl_init(vcpu);
	tvx_msr_bitmap_init(vcpu);
}

/* What was under way when the INIT came: an NMI or a kick that was sent before it, too. */
static void forget_events(struct tvx_vcpu *vcpu)
{
	clear_bit(TVX_REQUEST_NMI, &vcpu->requests);
	clear_bit(TVX_REQUEST_UNHALT, &vcpu->requests);
	vcpu->pending = 0;
	vcpu->event_held = false;
	vcpu->ignne = false;
	vcpu->in_width = 0;
	vcpu->halt_wait = false;
	vcpu->controls_stale = true;
	tvx_vcpu_forget_fault(vcpu);
}

/* FPU, TSC and MSRs stay as they are, but for IA32_EFER; so do CD and NW. */
static void take_init(struct tvx_vcpu *vcpu)
{
	u64 cr0 = (tvx_cr0_read() & (X86_CR0_CD | X86_CR0_NW)) | X86_CR0_ET;

	forget_events(vcpu);
	reset_registers(vcpu);
	tvx_cr0_write(vcpu, cr0);
	tvx_cr4_write(vcpu, 0);
	tvx_efer_write(vcpu, 0);
	vcpu->flush_vpid = true;
	tvx_lapic_take_init(vcpu);
	vcpu->activity = tvx_lapic_is_bsp(&vcpu->lapic) ? TINYVMX_ACTIVITY_ACTIVE :
							  TINYVMX_ACTIVITY_WAIT_FOR_SIPI;
}

/* SDM, "MP Initialization Protocol Algorithm": on in real mode, at the vector's page. */
static void take_sipi(struct tvx_vcpu *vcpu, u8 vector)
{
	if (vcpu->activity != TINYVMX_ACTIVITY_WAIT_FOR_SIPI)
		return;
	vmcs_write16(GUEST_CS_SELECTOR, vector << 8);
	vmcs_writen(GUEST_CS_BASE, vector << 12);
	vmcs_writen(GUEST_RIP, 0);
	vcpu->activity = TINYVMX_ACTIVITY_ACTIVE;
	/* It was about to sleep, perhaps, and has looked for events the last time. */
	vcpu->halt_wait = false;
}

int tvx_reset_startup(struct tvx_vcpu *vcpu)
{
	u32 startup;
	int err;

	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		return err;
	/* What comes from here on asks again: this orders the two. */
	test_and_clear_bit(TVX_REQUEST_STARTUP, &vcpu->requests);
	startup = xchg(&vcpu->startup, 0);
	if (startup & TVX_STARTUP_INIT)
		take_init(vcpu);
	if (startup & TVX_STARTUP_SIPI)
		take_sipi(vcpu, startup & TVX_STARTUP_VECTOR);
	tvx_vcpu_put_vmcs(vcpu);
	return 0;
}
