// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a new VMCS, as tables.
 */
#include <linux/array_size.h>
#include <linux/kernel.h>
#include <asm/desc.h>
#include <asm/io.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/trapnr.h>

#include "cpuid.h"
#include "cr.h"
#include "host.h"
#include "msr.h"
#include "reset.h"
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
	{ GUEST_DR7, TVX_DR7_FIXED },
	{ GUEST_IA32_PAT, PAT_RESET },
	{ VMCS_LINK_POINTER, ~0ULL },
};

/*
 * #DB and #AC can be raised without end by microcode, which would hang the host
 * (CVE-2015-5307, CVE-2015-8104); machine checks are the host's.
 */
#define EXCEPTION_BITMAP_ALWAYS \
	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

static const struct field host_fields[] = {
	{ HOST_CS_SELECTOR, __KERNEL_CS },
	{ HOST_SS_SELECTOR, __KERNEL_DS },
	{ HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8 },
};

static void write_fields(const struct field *fields, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		__vmcs_write(fields[i].encoding, fields[i].value);
}

static void write_controls(struct tvx_vcpu *vcpu, u64 tsc_offset)
{
	vmcs_write32(PIN_BASED_VM_EXEC_CONTROL, vmx_caps.pin);
	vmcs_write32(CPU_BASED_VM_EXEC_CONTROL, vmx_caps.proc);
	vcpu->proc = vmx_caps.proc;
	vmcs_write32(VM_EXIT_CONTROLS, vmx_caps.exit);
	vmcs_write32(VM_ENTRY_CONTROLS, vmx_caps.entry);
	vmcs_write32(EXCEPTION_BITMAP, EXCEPTION_BITMAP_ALWAYS);
	vmcs_write64(MSR_BITMAP, __pa(vcpu->msr_bitmap));
	vmcs_write64(EPT_POINTER, vcpu->memory->ept.eptp);
	vmcs_write64(TSC_OFFSET, tsc_offset);
	if (vmx_caps.has_vpid)
		vmcs_write16(VIRTUAL_PROCESSOR_ID, vcpu->vpid);
	vmcs_writen(CR0_GUEST_HOST_MASK, ~(unsigned long)TVX_CR0_GUEST_OWNED);
}

static void write_host(void)
{
	write_fields(host_fields, ARRAY_SIZE(host_fields));
	vmcs_writen(HOST_RIP, (unsigned long)tvx_vmexit);
	vmcs_writen(HOST_CR0, read_cr0() & ~X86_CR0_TS);
	vmcs_write64(HOST_IA32_EFER, tvx_rdmsr(MSR_EFER));
	vmcs_write64(HOST_IA32_PAT, tvx_rdmsr(MSR_IA32_CR_PAT));
	vmcs_write32(HOST_IA32_SYSENTER_CS, tvx_rdmsr(MSR_IA32_SYSENTER_CS));
}

void tvx_reset_host_cpu(void)
{
	struct desc_ptr table;

	native_store_gdt(&table);
	vmcs_writen(HOST_GDTR_BASE, table.address);
	store_idt(&table);
	vmcs_writen(HOST_IDTR_BASE, table.address);
	vmcs_writen(HOST_TR_BASE, tvx_host_tss_base());
	vmcs_writen(HOST_GS_BASE, tvx_rdmsr(MSR_GS_BASE));
	vmcs_writen(HOST_IA32_SYSENTER_ESP, tvx_rdmsr(MSR_IA32_SYSENTER_ESP));
	vmcs_writen(HOST_IA32_SYSENTER_EIP, tvx_rdmsr(MSR_IA32_SYSENTER_EIP));
}

void tvx_reset_vmcs(struct tvx_vcpu *vcpu, u64 tsc_offset)
{
	write_controls(vcpu, tsc_offset);
	write_host();
	write_fields(reset_fields, ARRAY_SIZE(reset_fields));
	tvx_cpuid_replace(vcpu, NULL, 0);
	tvx_cr0_write(vcpu, X86_CR0_CD | X86_CR0_NW | X86_CR0_ET);
	tvx_cr4_write(vcpu, 0);
	tvx_msr_init(vcpu);
	vcpu->dr6 = TVX_DR6_FIXED;
	vcpu->world.gpr[TINYVMX_RDX] = 0x600;	/* family 6, as after RESET */
}
