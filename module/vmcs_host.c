// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host-state area of the VMCS.
 */
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "host.h"
#include "vmcs.h"
#include "vmcs_host.h"
#include "vmx_caps.h"

void vmcs_host_write_constant(unsigned long rip)
{
	vmcs_write16(HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write16(HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write16(HOST_DS_SELECTOR, 0);
	vmcs_write16(HOST_ES_SELECTOR, 0);
	vmcs_write16(HOST_FS_SELECTOR, 0);
	vmcs_write16(HOST_GS_SELECTOR, 0);
	vmcs_write16(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmcs_writen(HOST_RIP, rip);
	vmcs_writen(HOST_CR0, read_cr0() & ~X86_CR0_TS);
}

void vmcs_host_write_cpu(struct vmcs_host *host)
{
	struct desc_ptr table;

	native_store_gdt(&table);
	vmcs_writen(HOST_GDTR_BASE, table.address);
	store_idt(&table);
	vmcs_writen(HOST_IDTR_BASE, table.address);
	vmcs_writen(HOST_TR_BASE, tvx_host_tss_base());
	vmcs_writen(HOST_GS_BASE, tvx_rdmsr(MSR_GS_BASE));
	vmcs_write64(HOST_IA32_EFER, tvx_rdmsr(MSR_EFER));
	vmcs_write64(HOST_IA32_PAT, tvx_rdmsr(MSR_IA32_CR_PAT));
	vmcs_write32(HOST_IA32_SYSENTER_CS, tvx_rdmsr(MSR_IA32_SYSENTER_CS));
	vmcs_writen(HOST_IA32_SYSENTER_ESP, tvx_rdmsr(MSR_IA32_SYSENTER_ESP));
	vmcs_writen(HOST_IA32_SYSENTER_EIP, tvx_rdmsr(MSR_IA32_SYSENTER_EIP));
	vmcs_writen(HOST_FS_BASE, 0);
	*host = (struct vmcs_host){ .counters_stopped = host->counters_stopped };
	/* Now, too: whoever dumps the VMCS before the first run shall see true values. */
	vmcs_host_write_cr(host, tvx_host_cr3(), tvx_host_cr4());
}

void vmcs_host_write_thread(struct vmcs_host *host, u64 fs_base)
{
	if (fs_base == host->fs_base)
		return;
	vmcs_writen(HOST_FS_BASE, fs_base);
	host->fs_base = fs_base;
}

void vmcs_host_stop_counters(struct vmcs_host *host, const struct tvx_host_regs *regs)
{
	bool stop = regs->pebs_enable && vmx_caps.can_stop_counters;

	if (stop) {
		vmcs_write64(GUEST_IA32_PERF_GLOBAL_CTRL, 0);
		vmcs_write64(HOST_IA32_PERF_GLOBAL_CTRL,
			     regs->perf_global_ctrl & ~regs->pebs_enable);
	}
	if (stop == host->counters_stopped)
		return;
	host->counters_stopped = stop;
	vmcs_write32(VM_ENTRY_CONTROLS,
		     vmcs_read32(VM_ENTRY_CONTROLS) ^ VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL);
	vmcs_write32(VM_EXIT_CONTROLS,
		     vmcs_read32(VM_EXIT_CONTROLS) ^ VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL);
}

void vmcs_host_write_cr(struct vmcs_host *host, u64 cr3, u64 cr4)
{
	vmcs_writen(HOST_CR3, cr3);
	vmcs_writen(HOST_CR4, cr4);
	host->cr3 = cr3;
	host->cr4 = cr4;
}
