// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs: one row each, with the rule that WRMSR checks.
 *
 * An MSR without a row does not exist: RDMSR and WRMSR give #GP(0), as on
 * hardware.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <asm/msr-index.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "irqchip/lapic.h"
#include "msr.h"
#include "msr_spec_ctrl.h"
#include "state_cr.h"
#include "trace.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"

struct tvx_msr_row {
	u32 index;
	u32 arg;	/* of read and write: a VMCS field, a switched MSR */
	bool (*read)(struct tvx_vcpu *vcpu, u32 arg, u64 *value);
	bool (*write)(struct tvx_vcpu *vcpu, u32 arg, u64 value);
	u64 reserved;	/* writing one of these bits gives #GP */
	bool canonical;	/* the value is a linear address */
};

/* ------------------------------------------------------------ accessors */

static bool read_field(struct tvx_vcpu *vcpu, u32 field, u64 *value)
{
	*value = __vmcs_read(field);
	return true;
}

static bool write_field(struct tvx_vcpu *vcpu, u32 field, u64 value)
{
	__vmcs_write(field, value);
	return true;
}

static bool read_switched(struct tvx_vcpu *vcpu, u32 n, u64 *value)
{
	*value = tvx_vcpu_read_msr(vcpu, n);
	return true;
}

static bool write_switched(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	tvx_vcpu_write_msr(vcpu, n, value);
	return true;
}

static bool read_tsc_aux(struct tvx_vcpu *vcpu, u32 n, u64 *value)
{
	return vcpu->policy.rdtscp && read_switched(vcpu, n, value);
}

static bool write_tsc_aux(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	return vcpu->policy.rdtscp && write_switched(vcpu, n, value);
}

static bool read_tsc(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = rdtsc() + vcpu->tsc_offset;
	return true;
}

/* SDM, "IA32_TSC_ADJUST Register Support": either MSR moves the other by as much. */
static void move_tsc(struct tvx_vcpu *vcpu, u64 by)
{
	vcpu->tsc_offset += by;
	vcpu->tsc_adjust += by;
	vmcs_write64(TSC_OFFSET, vcpu->tsc_offset);
	tvx_lapic_tsc_changed(vcpu);
}

static bool write_tsc(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	move_tsc(vcpu, value - (rdtsc() + vcpu->tsc_offset));
	return true;
}

static bool read_tsc_adjust(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vcpu->tsc_adjust;
	return vcpu->policy.tsc_adjust;
}

static bool write_tsc_adjust(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if (!vcpu->policy.tsc_adjust)
		return false;
	move_tsc(vcpu, value - vcpu->tsc_adjust);
	return true;
}

static bool read_efer(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vmcs_read64(GUEST_IA32_EFER);
	return true;
}

/* SDM, "Extended Feature Enable Register": LMA is read-only, LME needs paging off. */
static bool write_efer(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	u64 old = vmcs_read64(GUEST_IA32_EFER);

	if (value & ~vcpu->policy.efer)
		return false;
	if (((old ^ value) & EFER_LME) && (vmcs_readn(GUEST_CR0) & X86_CR0_PG))
		return false;
	tvx_efer_write(vcpu, (value & ~(u64)EFER_LMA) | (old & EFER_LMA));
	return true;
}

/*
 * SDM, "IA32_PAT MSR": eight memory types, at most 7 and not 2 or 3: bit 1 of each
 * comes with bit 2. All at once.
 */
#define PAT_EACH(byte)	((byte) * 0x0101010101010101ULL)

static bool write_pat(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if ((value & PAT_EACH(2)) << 1 & ~value)
		return false;
	vmcs_write64(GUEST_IA32_PAT, value);
	return true;
}

static bool read_apic_base(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vcpu->lapic.base;
	return true;
}

/* Without a local APIC there is nothing to move or to turn off. */
static bool write_apic_base(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if (!vcpu->lapic.present)
		return value == vcpu->lapic.base;
	return tvx_lapic_write_base(vcpu, value);
}

static bool read_tsc_deadline(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = tvx_lapic_read_deadline(vcpu);
	return vcpu->lapic.present && vcpu->policy.tsc_deadline;
}

static bool write_tsc_deadline(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	if (!vcpu->lapic.present || !vcpu->policy.tsc_deadline)
		return false;
	tvx_lapic_write_deadline(vcpu, value);
	return true;
}

static bool read_constant(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = arg;
	return true;
}

static bool read_nothing(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	return false;
}

static bool ignore_write(struct tvx_vcpu *vcpu, u32 arg, u64 value)
{
	return true;
}

/* -------------------------------------------------------------- the table */

#define FIELD(_msr, _field) \
	{ .index = _msr, .arg = _field, .read = read_field, .write = write_field }
#define ADDRESS(_msr, _field)	{ .index = _msr, .arg = _field, .read = read_field, \
				  .write = write_field, .canonical = true }
#define SWITCHED(_msr, _n) \
	{ .index = _msr, .arg = _n, .read = read_switched, .write = write_switched }
#define SWITCHED_ADDRESS(_msr, _n) { .index = _msr, .arg = _n, .read = read_switched, \
				     .write = write_switched, .canonical = true }

#define MISC_ENABLE_RESET	(MSR_IA32_MISC_ENABLE_FAST_STRING |	\
				 MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |	\
				 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

static const struct tvx_msr_row rows[] = {
	/* First those that a guest uses while it runs, not only while it boots. */
	{ .index = MSR_IA32_TSC_DEADLINE, .read = read_tsc_deadline,
	  .write = write_tsc_deadline },
	{ .index = MSR_IA32_SPEC_CTRL, .read = tvx_spec_ctrl_read, .write = tvx_spec_ctrl_write },
	{ .index = MSR_IA32_PRED_CMD, .read = read_nothing, .write = tvx_pred_cmd_write },
	{ .index = MSR_EFER, .read = read_efer, .write = write_efer },
	{ .index = MSR_IA32_CR_PAT, .arg = GUEST_IA32_PAT, .read = read_field,
	  .write = write_pat, .reserved = PAT_EACH(0xf8) },
	{ .index = MSR_IA32_TSC, .read = read_tsc, .write = write_tsc },
	{ .index = MSR_IA32_TSC_ADJUST, .read = read_tsc_adjust, .write = write_tsc_adjust },
	{ .index = MSR_IA32_APICBASE, .read = read_apic_base, .write = write_apic_base },
	{ .index = MSR_IA32_PLATFORM_ID, .read = read_constant },
	{ .index = MSR_IA32_UCODE_REV, .read = read_constant, .write = ignore_write },
	{ .index = MSR_IA32_MISC_ENABLE, .arg = MISC_ENABLE_RESET, .read = read_constant,
	  .write = ignore_write },
	/* A machine-check architecture without a bank: nothing is ever reported. */
	{ .index = MSR_IA32_MCG_CAP, .read = read_constant },
	{ .index = MSR_IA32_MCG_STATUS, .read = read_constant, .write = ignore_write,
	  .reserved = ~0ULL },
	{ .index = MSR_IA32_ARCH_CAPABILITIES, .read = tvx_arch_capabilities_read },
	FIELD(MSR_IA32_SYSENTER_CS, GUEST_SYSENTER_CS),
	ADDRESS(MSR_IA32_SYSENTER_ESP, GUEST_SYSENTER_ESP),
	ADDRESS(MSR_IA32_SYSENTER_EIP, GUEST_SYSENTER_EIP),
	{ .index = MSR_IA32_DEBUGCTLMSR, .arg = GUEST_IA32_DEBUGCTL, .read = read_field,
	  .write = write_field, .reserved = ~(u64)DEBUGCTLMSR_BTF },
	SWITCHED(MSR_STAR, TVX_MSR_STAR),
	SWITCHED_ADDRESS(MSR_LSTAR, TVX_MSR_LSTAR),
	SWITCHED_ADDRESS(MSR_CSTAR, TVX_MSR_CSTAR),
	{ .index = MSR_SYSCALL_MASK, .arg = TVX_MSR_SYSCALL_MASK, .read = read_switched,
	  .write = write_switched, .reserved = GENMASK_ULL(63, 32) },
	ADDRESS(MSR_FS_BASE, GUEST_FS_BASE),
	ADDRESS(MSR_GS_BASE, GUEST_GS_BASE),
	SWITCHED_ADDRESS(MSR_KERNEL_GS_BASE, TVX_MSR_KERNEL_GS_BASE),
	{ .index = MSR_TSC_AUX, .arg = TVX_MSR_TSC_AUX, .read = read_tsc_aux,
	  .write = write_tsc_aux, .reserved = GENMASK_ULL(63, 32) },
};

static const struct tvx_msr_row *find_row(u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].index == index)
			return &rows[i];
	return NULL;
}

/* SDM, "x2APIC Register Address Space": 800H to 8FFH. */
static bool is_x2apic_msr(u32 index)
{
	return index >> 8 == TVX_LAPIC_MSR_BASE >> 8;
}

bool tvx_msr_read(struct tvx_vcpu *vcpu, u32 index, u64 *value)
{
	const struct tvx_msr_row *row;

	if (is_x2apic_msr(index))
		return tvx_lapic_is_x2apic(&vcpu->lapic) &&
		       tvx_lapic_read(vcpu, index - TVX_LAPIC_MSR_BASE, value);
	row = find_row(index);
	return row && row->read(vcpu, row->arg, value);
}

static bool is_canonical(u64 address)
{
	unsigned int bits = tvx_cr4_read() & X86_CR4_LA57 ? 57 : 48;

	return (u64)((s64)(address << (64 - bits)) >> (64 - bits)) == address;
}

bool tvx_msr_write(struct tvx_vcpu *vcpu, u32 index, u64 value)
{
	const struct tvx_msr_row *row;

	if (is_x2apic_msr(index))
		return tvx_lapic_is_x2apic(&vcpu->lapic) &&
		       tvx_lapic_write(vcpu, index - TVX_LAPIC_MSR_BASE, value);
	row = find_row(index);
	if (!row || !row->write || (value & row->reserved))
		return false;
	if (row->canonical && !is_canonical(value))
		return false;
	return row->write(vcpu, row->arg, value);
}

/*
 * To userspace the two are state: each is what it was set to, whatever becomes of the other.
 * To the guest, one moves with the other.
 */
bool tvx_msr_restore(struct tvx_vcpu *vcpu, u32 index, u64 value)
{
	u64 adjust = vcpu->tsc_adjust;
	bool done;

	if (index == MSR_IA32_TSC_ADJUST && vcpu->policy.tsc_adjust) {
		vcpu->tsc_adjust = value;
		return true;
	}
	done = tvx_msr_write(vcpu, index, value);
	if (index == MSR_IA32_TSC)
		vcpu->tsc_adjust = adjust;
	return done;
}

/* Each index is traced once; behind the last slot, none. */
static bool is_news(struct tvx_vcpu *vcpu, u32 index)
{
	unsigned int i;

	for (i = 0; i < vcpu->unknown_msrs_traced; i++)
		if (vcpu->unknown_msr[i] == index)
			return false;
	if (i == ARRAY_SIZE(vcpu->unknown_msr))
		return false;
	vcpu->unknown_msr[i] = index;
	vcpu->unknown_msrs_traced++;
	return true;
}

void tvx_msr_refused(struct tvx_vcpu *vcpu, u32 index, bool write)
{
	if (is_x2apic_msr(index) || find_row(index))
		return;
	vcpu->unknown_msrs++;
	if (is_news(vcpu, index))
		trace_tinyvmx_unknown_msr(vcpu->id, index, write);
}
