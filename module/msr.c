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
#include "msr_mtrr.h"
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
	tvx_add_to_tsc(vcpu, by);
	vcpu->tsc_adjust += by;
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

/* As KVM answers: a multiplier, and the present one in units that nobody agrees on. */
static bool read_perf_status(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = 4ULL << 40 | 1000;
	return true;
}

static bool read_misc_enable(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = vcpu->misc_enable;
	return true;
}

/* The other bits that are not reserved tell what there is, and cannot be written. */
static bool write_misc_enable(struct tvx_vcpu *vcpu, u32 writable, u64 value)
{
	u64 mask = writable | MSR_IA32_MISC_ENABLE_XD_DISABLE;

	vcpu->misc_enable = (vcpu->misc_enable & ~mask) | (value & mask);
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
#define CONSTANT(_msr, _value)	{ .index = _msr, .arg = _value, .read = read_constant }
#define MTRR_FIXED(_msr, _n) \
	{ .index = _msr, .arg = _n, .read = tvx_mtrr_read, .write = tvx_mtrr_write_fixed }
#define MTRR_BASE(_n)	{ .index = 0x200 + 2 * (_n), .arg = TVX_MTRR_VARIABLE + 2 * (_n), \
			  .read = tvx_mtrr_read, .write = tvx_mtrr_write_base }
#define MTRR_MASK(_n)	{ .index = 0x201 + 2 * (_n), .arg = TVX_MTRR_VARIABLE + 2 * (_n) + 1, \
			  .read = tvx_mtrr_read, .write = tvx_mtrr_write_mask }

#define MISC_ENABLE_READ_ONLY	(MSR_IA32_MISC_ENABLE_EMON |		\
				 MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |	\
				 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)
#define MISC_ENABLE_WRITABLE	(MSR_IA32_MISC_ENABLE_FAST_STRING |	\
				 MSR_IA32_MISC_ENABLE_LIMIT_CPUID)
#define MISC_ENABLE_RESERVED	(~(MISC_ENABLE_READ_ONLY | MISC_ENABLE_WRITABLE | \
				   MSR_IA32_MISC_ENABLE_XD_DISABLE))

/*
 * The comment of a row tells the MSR's name in the SDM and what its rule rests on;
 * tools/check/msrs makes docs/msrs.md of it.
 */
static const struct tvx_msr_row rows[] = {
	/* First those that a guest uses while it runs, not only while it boots. */

	/* IA32_TSC_DEADLINE: "TSC-Deadline Mode"; with TINYVMX_VM_LAPIC and CPUID.1:ECX[24] */
	{ .index = MSR_IA32_TSC_DEADLINE, .read = read_tsc_deadline, .write = write_tsc_deadline },
	/* IA32_SPEC_CTRL: volume 4; the bits that CPUID.7:EDX[26,27,31] offer */
	{ .index = MSR_IA32_SPEC_CTRL, .read = tvx_spec_ctrl_read, .write = tvx_spec_ctrl_write },
	/* IA32_PRED_CMD: volume 4; with IA32_SPEC_CTRL */
	{ .index = MSR_IA32_PRED_CMD, .read = read_nothing, .write = tvx_pred_cmd_write },
	/* IA32_EFER: "Extended Feature Enable Register"; bits of CPUID's, LME without paging */
	{ .index = MSR_EFER, .read = read_efer, .write = write_efer },
	/* IA32_PAT: "IA32_PAT MSR": eight memory types */
	{ .index = MSR_IA32_CR_PAT, .arg = GUEST_IA32_PAT, .read = read_field,
	  .write = write_pat, .reserved = PAT_EACH(0xf8) },
	/* IA32_TIME_STAMP_COUNTER: "Time-Stamp Counter" */
	{ .index = MSR_IA32_TSC, .read = read_tsc, .write = write_tsc },
	/* IA32_TSC_ADJUST: "Time-Stamp Counter Adjustment"; with CPUID.7:EBX[1] */
	{ .index = MSR_IA32_TSC_ADJUST, .read = read_tsc_adjust, .write = write_tsc_adjust },
	/* IA32_APIC_BASE: "Local APIC Status and Location", "x2APIC State Transitions" */
	{ .index = MSR_IA32_APICBASE, .read = read_apic_base, .write = write_apic_base },
	/* IA32_PLATFORM_ID: volume 4 */
	CONSTANT(MSR_IA32_PLATFORM_ID, 0),
	/* IA32_BIOS_SIGN_ID: "Determining the Signature": no update has been loaded */
	{ .index = MSR_IA32_UCODE_REV, .read = read_constant, .write = ignore_write },
	/* IA32_MISC_ENABLE: volume 4; no monitoring, no SpeedStep, no MONITOR: as in CPUID */
	{ .index = MSR_IA32_MISC_ENABLE, .arg = MISC_ENABLE_WRITABLE, .read = read_misc_enable,
	  .write = write_misc_enable, .reserved = MISC_ENABLE_RESERVED },
	/* IA32_MCG_CAP: "IA32_MCG_CAP MSR": no bank, so nothing is ever reported */
	CONSTANT(MSR_IA32_MCG_CAP, 0),
	/* IA32_MCG_STATUS: "IA32_MCG_STATUS MSR" */
	{ .index = MSR_IA32_MCG_STATUS, .read = read_constant, .write = ignore_write,
	  .reserved = ~0ULL },
	/* IA32_ARCH_CAPABILITIES: volume 4; with CPUID.7:EDX[29] */
	{ .index = MSR_IA32_ARCH_CAPABILITIES, .read = tvx_arch_capabilities_read },
	/* IA32_SYSENTER_CS: volume 2, SYSENTER */
	FIELD(MSR_IA32_SYSENTER_CS, GUEST_SYSENTER_CS),
	/* IA32_SYSENTER_ESP: volume 2, SYSENTER */
	ADDRESS(MSR_IA32_SYSENTER_ESP, GUEST_SYSENTER_ESP),
	/* IA32_SYSENTER_EIP: volume 2, SYSENTER */
	ADDRESS(MSR_IA32_SYSENTER_EIP, GUEST_SYSENTER_EIP),
	/* IA32_DEBUGCTL: "IA32_DEBUGCTL MSR": BTF alone */
	{ .index = MSR_IA32_DEBUGCTLMSR, .arg = GUEST_IA32_DEBUGCTL, .read = read_field,
	  .write = write_field, .reserved = ~(u64)DEBUGCTLMSR_BTF },
	/* IA32_STAR: volume 2, SYSCALL */
	SWITCHED(MSR_STAR, TVX_MSR_STAR),
	/* IA32_LSTAR: volume 2, SYSCALL */
	SWITCHED_ADDRESS(MSR_LSTAR, TVX_MSR_LSTAR),
	/* IA32_CSTAR: volume 4; SYSCALL does not use it */
	SWITCHED_ADDRESS(MSR_CSTAR, TVX_MSR_CSTAR),
	/* IA32_FMASK: volume 2, SYSCALL */
	{ .index = MSR_SYSCALL_MASK, .arg = TVX_MSR_SYSCALL_MASK, .read = read_switched,
	  .write = write_switched, .reserved = GENMASK_ULL(63, 32) },
	/* IA32_FS_BASE: "Segment Loading Instructions in IA-32e Mode" */
	ADDRESS(MSR_FS_BASE, GUEST_FS_BASE),
	/* IA32_GS_BASE: "Segment Loading Instructions in IA-32e Mode" */
	ADDRESS(MSR_GS_BASE, GUEST_GS_BASE),
	/* IA32_KERNEL_GS_BASE: volume 2, SWAPGS */
	SWITCHED_ADDRESS(MSR_KERNEL_GS_BASE, TVX_MSR_KERNEL_GS_BASE),
	/* IA32_TSC_AUX: volume 2, RDTSCP; with CPUID.80000001H:EDX[27] */
	{ .index = MSR_TSC_AUX, .arg = TVX_MSR_TSC_AUX, .read = read_tsc_aux,
	  .write = write_tsc_aux, .reserved = GENMASK_ULL(63, 32) },

	/* IA32_MTRRCAP: "IA32_MTRRCAP MSR"; with CPUID.1:EDX[12], as all MTRRs */
	{ .index = MSR_MTRRcap, .read = tvx_mtrr_read_cap },
	/* IA32_MTRR_DEF_TYPE: "IA32_MTRR_DEF_TYPE MSR" */
	{ .index = MSR_MTRRdefType, .arg = TVX_MTRR_DEFAULT, .read = tvx_mtrr_read,
	  .write = tvx_mtrr_write_default },
	/* IA32_MTRR_FIX*: "Fixed Range MTRRs": eight memory types */
	MTRR_FIXED(MSR_MTRRfix64K_00000, TVX_MTRR_FIXED_64K),
	MTRR_FIXED(MSR_MTRRfix16K_80000, TVX_MTRR_FIXED_16K),
	MTRR_FIXED(MSR_MTRRfix16K_A0000, TVX_MTRR_FIXED_16K + 1),
	MTRR_FIXED(MSR_MTRRfix4K_C0000, TVX_MTRR_FIXED_4K),
	MTRR_FIXED(MSR_MTRRfix4K_C8000, TVX_MTRR_FIXED_4K + 1),
	MTRR_FIXED(MSR_MTRRfix4K_D0000, TVX_MTRR_FIXED_4K + 2),
	MTRR_FIXED(MSR_MTRRfix4K_D8000, TVX_MTRR_FIXED_4K + 3),
	MTRR_FIXED(MSR_MTRRfix4K_E0000, TVX_MTRR_FIXED_4K + 4),
	MTRR_FIXED(MSR_MTRRfix4K_E8000, TVX_MTRR_FIXED_4K + 5),
	MTRR_FIXED(MSR_MTRRfix4K_F0000, TVX_MTRR_FIXED_4K + 6),
	MTRR_FIXED(MSR_MTRRfix4K_F8000, TVX_MTRR_FIXED_4K + 7),
	/* IA32_MTRR_PHYSBASE*: "Variable Range MTRRs": memory type, address of MAXPHYADDR bits */
	MTRR_BASE(0), MTRR_BASE(1), MTRR_BASE(2), MTRR_BASE(3),
	MTRR_BASE(4), MTRR_BASE(5), MTRR_BASE(6), MTRR_BASE(7),
	/* IA32_MTRR_PHYSMASK*: "Variable Range MTRRs": the valid bit, a mask of MAXPHYADDR bits */
	MTRR_MASK(0), MTRR_MASK(1), MTRR_MASK(2), MTRR_MASK(3),
	MTRR_MASK(4), MTRR_MASK(5), MTRR_MASK(6), MTRR_MASK(7),

	/* For guests that take them for granted by the CPU's model; the values are KVM's. */

	/* IA32_P5_MC_ADDR: "Pentium Processor Machine-Check Exception Handling" */
	CONSTANT(MSR_IA32_P5_MC_ADDR, 0),
	/* IA32_P5_MC_TYPE: "Pentium Processor Machine-Check Exception Handling" */
	CONSTANT(MSR_IA32_P5_MC_TYPE, 0),
	/* MSR_EBL_CR_POWERON: volume 4; as KVM */
	CONSTANT(MSR_IA32_EBL_CR_POWERON, 0),
	/* MSR_FSB_FREQ: volume 4; as KVM */
	CONSTANT(MSR_FSB_FREQ, 3),
	/* MSR_PLATFORM_INFO: volume 4: no ratio, no CPUID faulting */
	CONSTANT(MSR_PLATFORM_INFO, 0),
	/* IA32_PERF_STATUS: volume 4; as KVM */
	{ .index = MSR_IA32_PERF_STATUS, .read = read_perf_status },
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

void tvx_msr_init(struct tvx_vcpu *vcpu)
{
	vcpu->misc_enable = MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			    MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
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

void tvx_tsc_restore(struct tvx_vcpu *vcpu, u64 offset)
{
	tvx_add_to_tsc(vcpu, offset - vcpu->tsc_offset);
	tvx_lapic_tsc_changed(vcpu);
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
