// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers, their copies in the virtual-APIC page, its modes.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/apicdef.h>

#include "../exit_controls.h"
#include "../msr_bitmap.h"
#include "../vmx_caps.h"
#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

/* What WRMSR and MOV can do with a register. */
#define REG_READ	BIT(0)
#define REG_WRITE	BIT(1)
#define REG_XAPIC	BIT(2)	/* both, in xAPIC mode */

static const struct {
	u32 writable;	/* bits; others are reserved */
	u8 access;
} lapic_regs[TVX_LAPIC_REGS] = {
	[LAPIC_ID] = { 0, REG_READ },
	[LAPIC_VERSION] = { 0, REG_READ },
	[LAPIC_TPR] = { 0xff, REG_READ | REG_WRITE },
	[LAPIC_PPR] = { 0, REG_READ },
	[LAPIC_EOI] = { 0, REG_WRITE },
	[LAPIC_LDR] = { 0xff000000, REG_READ | REG_XAPIC },
	[LAPIC_DFR] = { 0xffffffff, REG_XAPIC },
	[LAPIC_SVR] = { 0x1ff, REG_READ | REG_WRITE },
	[LAPIC_ISR ... LAPIC_ISR + 7] = { 0, REG_READ },
	[LAPIC_TMR ... LAPIC_TMR + 7] = { 0, REG_READ },
	[LAPIC_IRR ... LAPIC_IRR + 7] = { 0, REG_READ },
	[LAPIC_ESR] = { 0, REG_READ | REG_WRITE },
	[LAPIC_ICR] = { 0x000ccfff, REG_READ | REG_WRITE },
	[LAPIC_ICR_HIGH] = { 0xff000000, REG_XAPIC },
	[LAPIC_LVT_TIMER] = { 0x000700ff, REG_READ | REG_WRITE },
	[LAPIC_LVT_THERMAL] = { 0x000107ff, REG_READ | REG_WRITE },
	[LAPIC_LVT_PERF] = { 0x000107ff, REG_READ | REG_WRITE },
	[LAPIC_LVT_LINT0] = { 0x0001a7ff, REG_READ | REG_WRITE },
	[LAPIC_LVT_LINT1] = { 0x0001a7ff, REG_READ | REG_WRITE },
	[LAPIC_LVT_ERROR] = { 0x000100ff, REG_READ | REG_WRITE },
	[LAPIC_TIMER_INITIAL] = { 0xffffffff, REG_READ | REG_WRITE },
	[LAPIC_TIMER_CURRENT] = { 0, REG_READ },
	[LAPIC_TIMER_DIVIDE] = { 0xb, REG_READ | REG_WRITE },
	[LAPIC_SELF_IPI] = { 0xff, REG_WRITE },
};

u32 tvx_lapic_reserved(unsigned int reg)
{
	u8 access = lapic_regs[reg].access;

	/* What software cannot store is derived, or the processor's, as ESR is. */
	if (!(access & REG_READ) || !(access & (REG_WRITE | REG_XAPIC)) || reg == LAPIC_ESR)
		return 0;
	return ~lapic_regs[reg].writable;
}

/*
 * What the CPU can do itself in x2APIC mode (SDM, "Virtualizing MSR-Based APIC Accesses").
 * A read of the current count is computed, the others are in the page.
 */
static bool read_virtualized(unsigned int reg)
{
	return (lapic_regs[reg].access & REG_READ) && reg != LAPIC_TIMER_CURRENT;
}

static bool write_virtualized(const struct tvx_lapic *lapic, unsigned int reg)
{
	/* Software-disabled it accepts nothing, which the CPU does not look at. */
	if (reg == LAPIC_SELF_IPI)
		return lapic->regs[LAPIC_SVR] & LAPIC_SVR_ENABLE;
	return reg == LAPIC_TPR || reg == LAPIC_EOI;
}

/* The controls or SVR have changed: which x2APIC MSRs does the CPU virtualize now? */
static void update_x2apic_msrs(struct tvx_vcpu *vcpu)
{
	/* Without the control these MSRs are the host's. */
	bool on = vcpu->proc2 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	unsigned int reg;

	for (reg = 0; reg < TVX_LAPIC_REGS; reg++)
		tvx_msr_set_intercepts(vcpu, TVX_LAPIC_MSR_BASE + reg,
				       !(on && read_virtualized(reg)),
				       !(on && write_virtualized(&vcpu->lapic, reg)));
}

static u64 read_icr(const struct tvx_lapic *lapic)
{
	u64 high = *tvx_lapic_icr_high(lapic);

	if (!tvx_lapic_is_x2apic(lapic))
		high >>= 24;
	return *tvx_lapic_reg(lapic, LAPIC_ICR) | high << 32;
}

bool tvx_lapic_read(struct tvx_vcpu *vcpu, unsigned int reg, u64 *value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	bool x2apic = tvx_lapic_is_x2apic(lapic);

	if (!lapic->present || reg >= TVX_LAPIC_REGS)
		return false;
	reg = array_index_nospec(reg, TVX_LAPIC_REGS);
	if (!(lapic_regs[reg].access & (x2apic ? REG_READ : REG_READ | REG_XAPIC)))
		return false;
	switch (reg) {
	case LAPIC_ID:
		*value = x2apic ? vcpu->id : vcpu->id << 24;
		break;
	case LAPIC_VERSION:
		*value = LAPIC_VERSION_VALUE;
		break;
	case LAPIC_PPR:
		*value = tvx_lapic_processor_priority(lapic);
		break;
	case LAPIC_LDR:
		*value = x2apic ? tvx_lapic_x2apic_ldr(vcpu->id) : lapic->regs[reg];
		break;
	case LAPIC_IRR ... LAPIC_IRR + 7:
		tvx_lapic_take_posted(lapic);
		fallthrough;
	case LAPIC_TPR:
	case LAPIC_ISR ... LAPIC_ISR + 7:
	case LAPIC_TMR ... LAPIC_TMR + 7:
	case LAPIC_ICR_HIGH:
		*value = *tvx_lapic_reg(lapic, reg);
		break;
	case LAPIC_ICR:
		*value = read_icr(lapic);
		break;
	case LAPIC_TIMER_CURRENT:
		*value = tvx_lapic_timer_current(vcpu);
		break;
	default:
		*value = lapic->regs[reg];
	}
	return true;
}

/* Delivery status and remote IRR are read-only, not reserved: Linux writes them. */
static u64 read_only_bits(unsigned int reg)
{
	if (reg < LAPIC_LVT_TIMER || reg > LAPIC_LVT_ERROR)
		return 0;
	if (reg == LAPIC_LVT_LINT0 || reg == LAPIC_LVT_LINT1)
		return LAPIC_LVT_STATUS | LAPIC_LVT_REMOTE_IRR;
	return LAPIC_LVT_STATUS;
}

/* Reserved bits: WRMSR refuses them, a store to the xAPIC page loses them. */
static bool check_write(const struct tvx_lapic *lapic, unsigned int reg, u64 *value)
{
	bool x2apic = tvx_lapic_is_x2apic(lapic);
	u8 access = lapic_regs[reg].access;
	u64 writable = lapic_regs[reg].writable;

	if (!(access & REG_WRITE) && (x2apic || !(access & REG_XAPIC)))
		return false;
	if (reg == LAPIC_SELF_IPI && !x2apic)
		return false;
	if (reg == LAPIC_ICR)
		writable |= GENMASK_ULL(63, 32);
	if (x2apic && (*value & ~(writable | read_only_bits(reg))))
		return false;
	*value &= writable;
	return true;
}

/* SDM, "Local APIC State After It Has Been Software Disabled": LVTs are masked. */
static void write_svr(struct tvx_lapic *lapic, u32 value)
{
	unsigned int reg;

	WRITE_ONCE(lapic->regs[LAPIC_SVR], value);
	if (value & LAPIC_SVR_ENABLE)
		return;
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg++)
		lapic->regs[reg] |= LAPIC_LVT_MASKED;
}

static void write_lvt(struct tvx_vcpu *vcpu, unsigned int reg, u32 value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	if (!(lapic->regs[LAPIC_SVR] & LAPIC_SVR_ENABLE))
		value |= LAPIC_LVT_MASKED;
	if (reg == LAPIC_LVT_TIMER)
		tvx_lapic_timer_mode(vcpu, value);
	lapic->regs[reg] = value;
	/* LINT0 may let the 8259's interrupts through now. */
	vcpu->recheck = true;
}

/* What the guest reads without an exit. */
static void publish(struct tvx_vcpu *vcpu, unsigned int reg)
{
	u64 value;

	if (vmx_caps.apicv && tvx_lapic_read(vcpu, reg, &value))
		*tvx_lapic_reg(&vcpu->lapic, reg) = value;
}

static void publish_all(struct tvx_vcpu *vcpu)
{
	unsigned int reg;

	for (reg = 0; reg < TVX_LAPIC_REGS; reg++)
		publish(vcpu, reg);
}

static void write_register(struct tvx_vcpu *vcpu, unsigned int reg, u64 value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	switch (reg) {
	case LAPIC_EOI:
		tvx_lapic_end_of_interrupt(vcpu);
		break;
	case LAPIC_TPR:
		tvx_lapic_set_tpr(vcpu, value);
		break;
	case LAPIC_SVR:
		write_svr(lapic, value);
		update_x2apic_msrs(vcpu);
		publish_all(vcpu);
		break;
	case LAPIC_ESR:
		lapic->regs[LAPIC_ESR] = lapic->esr;
		lapic->esr = 0;
		break;
	case LAPIC_ICR:
		tvx_lapic_write_icr(vcpu, value);
		break;
	case LAPIC_ICR_HIGH:
		*tvx_lapic_icr_high(lapic) = value;
		break;
	case LAPIC_SELF_IPI:
		tvx_lapic_write_self_ipi(vcpu, value);
		break;
	case LAPIC_LVT_TIMER ... LAPIC_LVT_ERROR:
		write_lvt(vcpu, reg, value);
		break;
	case LAPIC_TIMER_INITIAL:
		tvx_lapic_timer_start(vcpu, value);
		break;
	case LAPIC_TIMER_DIVIDE:
		tvx_lapic_timer_divide(vcpu, value);
		break;
	case LAPIC_DFR:
		WRITE_ONCE(lapic->regs[reg], value | LAPIC_DFR_ONES);
		break;
	default:
		WRITE_ONCE(lapic->regs[reg], value);
	}
}

bool tvx_lapic_write(struct tvx_vcpu *vcpu, unsigned int reg, u64 value)
{
	if (!vcpu->lapic.present || reg >= TVX_LAPIC_REGS)
		return false;
	reg = array_index_nospec(reg, TVX_LAPIC_REGS);
	if (!check_write(&vcpu->lapic, reg, &value))
		return false;
	write_register(vcpu, reg, value);
	publish(vcpu, reg);
	return true;
}

void tvx_lapic_stored(struct tvx_vcpu *vcpu, unsigned int reg)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	u64 value = reg == LAPIC_ICR ? read_icr(lapic) : *tvx_lapic_reg(lapic, reg);

	/* A store to a read-only register: the copy in the page is no longer one. */
	if (!tvx_lapic_write(vcpu, reg, value))
		publish(vcpu, reg);
}

/* ------------------------------------------------------------------- base */

static void reset_registers(struct tvx_lapic *lapic)
{
	unsigned int reg;

	memset(lapic->page, 0, 16 * TVX_LAPIC_REGS);
	bitmap_zero(lapic->posted, 256);
	memset(lapic->regs, 0, sizeof(lapic->regs));
	lapic->regs[LAPIC_SVR] = 0xff;
	lapic->regs[LAPIC_DFR] = LAPIC_DFR_FLAT;
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg++)
		lapic->regs[reg] = LAPIC_LVT_MASKED;
}

/* Off: all is lost. Senders look at the base and SVR before they set a bit. */
static void disable(struct tvx_vcpu *vcpu)
{
	tvx_lapic_timer_stop(vcpu);
	reset_registers(&vcpu->lapic);
	vcpu->lapic.esr = 0;
}

void tvx_lapic_reload(struct tvx_vcpu *vcpu)
{
	vcpu->run->apic_page = tvx_lapic_page_gpa(&vcpu->lapic);
	vcpu->lapic.stale = true;
	vcpu->lapic.tmr_stale = true;
	vcpu->recheck = true;
	publish_all(vcpu);
	tvx_controls_update(vcpu);
	update_x2apic_msrs(vcpu);
}

/* SDM, "Local APIC Status and Location". */
bool tvx_lapic_base_valid(const struct tvx_vcpu *vcpu, u64 value)
{
	u64 known = GENMASK_ULL(vcpu->policy.gpa_bits - 1, 12) | LAPIC_BASE_BSP |
		    LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE;

	if (value & ~known)
		return false;
	return !(value & LAPIC_BASE_X2APIC) ||
	       ((value & LAPIC_BASE_ENABLE) && vcpu->policy.x2apic);
}

/* SDM, "x2APIC State Transitions": only these. */
bool tvx_lapic_write_base(struct tvx_vcpu *vcpu, u64 value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	bool was_enabled = lapic->base & LAPIC_BASE_ENABLE;
	bool was_x2apic = lapic->base & LAPIC_BASE_X2APIC;
	bool enable = value & LAPIC_BASE_ENABLE;
	bool x2apic = value & LAPIC_BASE_X2APIC;

	if (!tvx_lapic_base_valid(vcpu, value))
		return false;
	if ((x2apic && !was_enabled) || (was_x2apic && enable && !x2apic))
		return false;
	WRITE_ONCE(lapic->base, value);
	if (was_enabled && !enable)
		disable(vcpu);
	tvx_lapic_reload(vcpu);
	return true;
}

void tvx_lapic_take_init(struct tvx_vcpu *vcpu)
{
	disable(vcpu);
	tvx_lapic_reload(vcpu);
}

int tvx_lapic_init(struct tvx_vcpu *vcpu, bool present)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	lapic->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!lapic->page)
		return -ENOMEM;
	lapic->present = present;
	lapic->base = APIC_DEFAULT_PHYS_BASE | LAPIC_BASE_ENABLE | (vcpu->id ? 0 : LAPIC_BASE_BSP);
	reset_registers(lapic);
	publish_all(vcpu);
	lapic->stale = true;
	lapic->tmr_stale = true;
	tvx_lapic_timer_init(vcpu);
	return 0;
}

void tvx_lapic_destroy(struct tvx_vcpu *vcpu)
{
	tvx_lapic_timer_destroy(vcpu);
	free_page((unsigned long)vcpu->lapic.page);
}
