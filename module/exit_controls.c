// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM-execution, VM-exit and VM-entry controls, computed in one place.
 */
#include <linux/bits.h>
#include <asm/io.h>
#include <asm/trapnr.h>

#include "exit_controls.h"
#include "state_cr.h"
#include "vmcs.h"
#include "vmx_caps.h"
#include "vmx_timer.h"

/*
 * The delivery of #DB and #AC can raise them again without end. Only if they exit does
 * the host get its interrupts in between (CVE-2015-5307, CVE-2015-8104; event.c has the
 * rest of it). Machine checks are the host's.
 */
#define EXCEPTION_BITMAP_ALWAYS \
	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/* PAUSEs that are at most so many TSC ticks apart are a loop; one that lasts so long exits. */
#define SPIN_GAP	128
#define SPIN_WINDOW	4096

/* Without a local APIC there is nothing to time. */
static u32 pin_controls(const struct tvx_vcpu *vcpu)
{
	return vcpu->lapic.present ? vmx_caps.pin : vmx_caps.pin & ~PIN_BASED_VMX_PREEMPTION_TIMER;
}

static u32 primary_controls(const struct tvx_vcpu *vcpu)
{
	u32 proc = vmx_caps.proc;

	if (vcpu->intr_window)
		proc |= CPU_BASED_INTR_WINDOW_EXITING;
	if (vcpu->nmi_window)
		proc |= CPU_BASED_NMI_WINDOW_EXITING;
	if (!vcpu->debug.owned)
		proc |= CPU_BASED_MOV_DR_EXITING;
	if (vcpu->stepping || vcpu->ignne || (vcpu->debugger.flags & TINYVMX_DEBUG_STEP))
		proc |= CPU_BASED_MONITOR_TRAP_FLAG;
	return proc;
}

/* How the guest reaches its local APIC (SDM, "APIC Virtualization and Virtual Interrupts"). */
static u32 apic_mode(const struct tvx_lapic *lapic)
{
	if (!vmx_caps.apicv)
		return 0;
	if (tvx_lapic_is_x2apic(lapic))
		return SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	return tvx_lapic_is_xapic(lapic) ? SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES : 0;
}

static u32 secondary_controls(const struct tvx_vcpu *vcpu)
{
	u32 proc2 = vmx_caps.proc2 | apic_mode(&vcpu->lapic);

	if (!vcpu->vpid)
		proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	if (vcpu->policy.rdtscp)
		proc2 |= vmx_caps.proc2_allowed & SECONDARY_EXEC_ENABLE_RDTSCP;
	if (vcpu->policy.invpcid)
		proc2 |= vmx_caps.proc2_allowed & SECONDARY_EXEC_ENABLE_INVPCID;
	if (vcpu->umip && !vcpu->stepping)
		proc2 |= SECONDARY_EXEC_DESC;
	return proc2;
}

static u32 exception_bitmap(const struct tvx_vcpu *vcpu)
{
	u32 exceptions = EXCEPTION_BITMAP_ALWAYS;

	if (vcpu->ferr)
		exceptions |= BIT(X86_TRAP_MF);
	if (vcpu->debugger.flags & TINYVMX_DEBUG_INT3)
		exceptions |= BIT(X86_TRAP_BP);
	return exceptions;
}

void tvx_controls_update(struct tvx_vcpu *vcpu)
{
	u32 proc = primary_controls(vcpu);
	u32 proc2 = secondary_controls(vcpu);
	u32 exceptions = exception_bitmap(vcpu);

	vcpu->controls_stale = false;
	if (proc != vcpu->proc) {
		vmcs_write32(CPU_BASED_VM_EXEC_CONTROL, proc);
		vcpu->proc = proc;
	}
	if (proc2 != vcpu->proc2) {
		vmcs_write32(SECONDARY_VM_EXEC_CONTROL, proc2);
		vcpu->proc2 = proc2;
	}
	if (exceptions != vcpu->exceptions) {
		vmcs_write32(EXCEPTION_BITMAP, exceptions);
		vcpu->exceptions = exceptions;
	}
}

void tvx_controls_init(struct tvx_vcpu *vcpu, u64 tsc_offset)
{
	vmcs_write32(PIN_BASED_VM_EXEC_CONTROL, pin_controls(vcpu));
	if (vmx_caps.has_timer)
		vmx_timer_clear();
	vmcs_write32(VM_EXIT_CONTROLS, vmx_caps.exit);
	vmcs_write32(VM_ENTRY_CONTROLS, vmx_caps.entry);
	vmcs_write64(MSR_BITMAP, __pa(vcpu->msr_bitmap));
	vmcs_write64(EPT_POINTER, vcpu->memory->ept.eptp);
	/* All leaves: a guest that SGX is hidden from must not come to the host's EPC. */
	if (vmx_caps.proc2 & SECONDARY_EXEC_ENCLS_EXITING)
		vmcs_write64(ENCLS_EXITING_BITMAP, ~0ULL);
	if (vmx_caps.proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmcs_write32(PLE_GAP, SPIN_GAP);
		vmcs_write32(PLE_WINDOW, SPIN_WINDOW);
	}
	vmcs_write64(VIRTUAL_APIC_PAGE_ADDR, __pa(vcpu->lapic.page));
	vmcs_write32(TPR_THRESHOLD, 0);
	if (vcpu->memory->apic_page)
		vmcs_write64(APIC_ACCESS_ADDR, __pa(vcpu->memory->apic_page));
	vmcs_write64(TSC_OFFSET, tsc_offset);
	vcpu->tsc_offset = tsc_offset;
	if (vmx_caps.has_vpid)
		vmcs_write16(VIRTUAL_PROCESSOR_ID, vcpu->vpid);
	vmcs_writen(CR0_GUEST_HOST_MASK, ~(unsigned long)TVX_CR0_GUEST_OWNED);
	/* None is 0: all are written. */
	vcpu->proc = 0;
	vcpu->proc2 = 0;
	vcpu->exceptions = 0;
	tvx_controls_update(vcpu);
}
