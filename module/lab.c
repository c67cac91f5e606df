// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab mode: a VM entry with fields of the VMCS as somebody wants them.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "exit.h"
#include "host.h"
#include "lab.h"
#include "lab_safe.h"
#include "run.h"
#include "vmcs.h"
#include "vmx_caps.h"

static bool lab;
module_param(lab, bool, 0444);
MODULE_PARM_DESC(lab, "let root try VM entries with any VMCS fields (default: N)");

/**
 * struct try - a VM entry that is tried
 * @lab: what the caller wants, and what it is told
 * @wanted: fields to write
 * @good: all fields as they were
 * @good_count: how many they are
 * @dump: all fields as they were tried, beside @good
 * @perf_global_ctrl: IA32_PERF_GLOBAL_CTRL as it was, if VMX knows it
 * @err: 0 or -errno
 */
struct try {
	struct tinyvmx_lab *lab;
	struct tinyvmx_vmcs_field *wanted;
	struct tinyvmx_vmcs_field *good;
	u32 good_count;
	struct tinyvmx_vmcs_field *dump;
	u64 perf_global_ctrl;
	int err;
};

bool tvx_lab_is_on(void)
{
	return lab;
}

/* ------------------------------------------------------------------ fields */

static bool fits(unsigned long field, u64 value)
{
	switch (vmcs_width(field)) {
	case VMCS_WIDTH_16:
		return value <= U16_MAX;
	case VMCS_WIDTH_32:
		return value <= U32_MAX;
	default:
		return true;
	}
}

/* What vmcs_dump() goes through has no other bits: tvx_lab_judge() must see all that is written. */
#define ENCODING_BITS	0x6c7e

static int check_fields(const struct tinyvmx_vmcs_field *field, u32 count)
{
	for (; count; count--, field++)
		if (field->pad || (field->encoding & ~ENCODING_BITS) ||
		    vmcs_kind(field->encoding) == VMCS_INFO ||
		    !fits(field->encoding, field->value))
			return -EINVAL;
	return 0;
}

static int write_wanted(const struct try *try)
{
	u32 n;

	for (n = 0; n < try->lab->count; n++)
		if (!vmcs_try_write(try->wanted[n].encoding, try->wanted[n].value))
			return -ENOENT;
	return 0;
}

static u64 good_value(const struct try *try, unsigned long field)
{
	u32 n;

	for (n = 0; n < try->good_count; n++)
		if (try->good[n].encoding == field)
			return try->good[n].value;
	return 0;
}

/* HOST_RSP may be another since: vmenter.S keeps it. */
static void write_good(const struct try *try)
{
	u32 n;

	for (n = 0; n < try->good_count; n++)
		if (vmcs_kind(try->good[n].encoding) != VMCS_INFO)
			vmcs_try_write(try->good[n].encoding, try->good[n].value);
}

/* --------------------------------------------------------------- the entry */

/* The checks on guest state fail for sure (SDM, "Checks on Guest RIP, RFLAGS, and SSP"). */
static void spoil_guest(void)
{
	vmcs_writen(GUEST_RFLAGS, vmcs_readn(GUEST_RFLAGS) & ~X86_EFLAGS_FIXED);
	/*
	 * Without EPT the CPU would read PDPTEs from the host's memory. And a hypervisor below may
	 * leave RFLAGS to the CPU, and load MSRs before that; VMXE it must check by itself.
	 */
	vmcs_writen(GUEST_CR4, vmcs_readn(GUEST_CR4) & ~(X86_CR4_PAE | X86_CR4_VMXE));
}

/* The guest is left again before its first instruction. */
static void leave_at_once(void)
{
	if (!vmx_caps.has_timer)
		return;
	vmcs_write32(PIN_BASED_VM_EXEC_CONTROL,
		     vmcs_read32(PIN_BASED_VM_EXEC_CONTROL) | PIN_BASED_VMX_PREEMPTION_TIMER);
	vmcs_write32(VMX_PREEMPTION_TIMER_VALUE, 0);
}

/* A hypervisor may offer the controls without the MSR, which version 2 of the counters has. */
static bool has_perf_global_ctrl(void)
{
	u32 eax, ebx, ecx, edx;

	tvx_cpuid(0, 0, &eax, &ebx, &ecx, &edx);
	if (!vmx_caps.can_stop_counters || eax < 0xa)
		return false;
	tvx_cpuid(0xa, 0, &eax, &ebx, &ecx, &edx);
	return (eax & 0xff) >= 2;
}

/* What tvx_lab_judge() lets VM exits load from fields that are not ours. */
static void mend_host(const struct try *try)
{
	tvx_wrmsr(MSR_IA32_SYSENTER_CS, good_value(try, HOST_IA32_SYSENTER_CS));
	tvx_wrmsr(MSR_IA32_SYSENTER_ESP, good_value(try, HOST_IA32_SYSENTER_ESP));
	tvx_wrmsr(MSR_IA32_SYSENTER_EIP, good_value(try, HOST_IA32_SYSENTER_EIP));
	tvx_wrmsr(MSR_FS_BASE, good_value(try, HOST_FS_BASE));
	if (has_perf_global_ctrl())
		tvx_wrmsr(MSR_CORE_PERF_GLOBAL_CTRL, try->perf_global_ctrl);
}

static void note(struct tvx_vcpu *vcpu, struct try *try, bool failed, bool spoilt)
{
	struct tinyvmx_lab *lab = try->lab;

	lab->verdict = TINYVMX_LAB_REFUSED;
	if (failed) {
		lab->instruction_error = vmcs_instruction_error();
		if (!lab->instruction_error)
			try->err = -EIO;	/* VMX is off */
		return;
	}
	lab->exit_reason = vmcs_read32(VM_EXIT_REASON);
	lab->exit_qualification = vmcs_readn(EXIT_QUALIFICATION);
	if (lab->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY) {
		if (!spoilt)
			return;
		lab->verdict = TINYVMX_LAB_CHECKED;
		lab->exit_reason = 0;
		lab->exit_qualification = 0;
		return;
	}
	lab->verdict = TINYVMX_LAB_ENTERED;
	vcpu->vmcs.launched = true;
}

static void enter(struct tvx_vcpu *vcpu, struct try *try, bool spoilt)
{
	u32 intr_info;
	bool failed;

	if (spoilt)
		spoil_guest();
	else
		leave_at_once();
	failed = tvx_vcpu_enter(vcpu);
	mend_host(try);
	note(vcpu, try, failed, spoilt);
	/* Translations by paging that is not the guest's. */
	vcpu->flush_vpid = true;
	intr_info = vmcs_read32(VM_EXIT_INTR_INFO);
	write_good(try);
	if (!failed)
		tvx_exit_give_host(vcpu, vmcs_read32(VM_EXIT_REASON), intr_info);
}

/* With the CPU lent, see tvx_vcpu_lend(). */
static void try_entry(struct tvx_vcpu *vcpu, void *arg)
{
	struct try *try = arg;
	enum tvx_lab_way way;

	if (has_perf_global_ctrl())
		try->perf_global_ctrl = tvx_rdmsr(MSR_CORE_PERF_GLOBAL_CTRL);
	try->good_count = vmcs_dump(try->good, VMCS_MAX_FIELDS, true);
	if (try->good_count > try->lab->dump_count) {
		try->lab->dump_count = try->good_count;
		try->err = -ENOSPC;
		return;
	}
	try->err = write_wanted(try);
	if (try->err) {
		write_good(try);
		return;
	}
	try->lab->dump_count = vmcs_dump(try->dump, VMCS_MAX_FIELDS, true);
	way = tvx_lab_judge(try->good, try->good_count, &try->lab->field);
	if (way == TVX_LAB_NEVER) {
		try->lab->verdict = TINYVMX_LAB_UNSAFE;
		write_good(try);
	} else {
		enter(vcpu, try, way == TVX_LAB_CHECK);
	}
	/* vmenter.S compares, and the field may have been somebody's. */
	vcpu->world.host_rsp = 0;
}

static int run_try(struct tvx_vcpu *vcpu, struct try *try)
{
	struct tinyvmx_lab *lab = try->lab;
	int err;

	if (copy_from_user(try->wanted, u64_to_user_ptr(lab->fields),
			   lab->count * sizeof(*try->wanted)))
		return -EFAULT;
	err = check_fields(try->wanted, lab->count);
	if (!err)
		err = tvx_vcpu_lend(vcpu, try_entry, try);
	/* What the last exit has told is lost: a fault that waits to be resolved comes again. */
	tvx_vcpu_forget_fault(vcpu);
	if (err || try->err)
		return err ?: try->err;
	if (copy_to_user(u64_to_user_ptr(lab->dump), try->dump,
			 lab->dump_count * sizeof(*try->dump)))
		return -EFAULT;
	return 0;
}

int tvx_lab_try(struct tvx_vcpu *vcpu, struct tinyvmx_lab *arg)
{
	struct try try = { .lab = arg };
	int err = -ENOMEM;

	if (!lab)
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->count > VMCS_MAX_FIELDS)
		return -EINVAL;
	arg->dump_count = min_t(u32, arg->dump_count, VMCS_MAX_FIELDS);
	arg->verdict = 0;
	arg->field = 0;
	arg->instruction_error = 0;
	arg->exit_reason = 0;
	arg->exit_qualification = 0;
	/* Written, as they were and as they were tried. */
	try.wanted = kvcalloc(3 * VMCS_MAX_FIELDS, sizeof(*try.wanted), GFP_KERNEL_ACCOUNT);
	if (try.wanted) {
		try.good = try.wanted + VMCS_MAX_FIELDS;
		try.dump = try.good + VMCS_MAX_FIELDS;
		err = run_try(vcpu, &try);
	}
	kvfree(try.wanted);
	return err;
}
