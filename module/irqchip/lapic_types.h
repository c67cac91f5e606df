/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of a vCPU, as data (SDM, "Advanced Programmable Interrupt Controller").
 */
#ifndef TVX_LAPIC_TYPES_H
#define TVX_LAPIC_TYPES_H

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define TVX_LAPIC_REGS		64	/* 16 bytes apart; x2APIC: an MSR each */
#define TVX_LAPIC_MSR_BASE	0x800
#define TVX_LAPIC_LVT_TIMER	0x32
#define LAPIC_TIMER_MODE(lvt)	(((lvt) >> 17) & 3)
enum { LAPIC_TIMER_ONE_SHOT, LAPIC_TIMER_PERIODIC, LAPIC_TIMER_DEADLINE };

/**
 * struct tvx_lapic - one local APIC
 * @present: the VM has local APICs; without, only the TPR (CR8) counts
 * @base: IA32_APIC_BASE
 * @page: the virtual-APIC page, in the layout of the xAPIC's. The CPU reads and writes
 *	it for the guest. TPR, ISR, TMR, IRR and ICR are here alone
 * @regs: the other registers, by offset / 16; @page has copies of what the guest can
 *	read, onto which an xAPIC's guest stores before anybody checks the value
 * @posted: vectors that any thread has sent and that are not in the IRR yet
 * @level: their trigger modes, each set before the bit in @posted
 * @outstanding: there may be some in @posted; set after the bit there
 * @stale: RVI and SVI in the VMCS are not what @page says
 * @tmr_stale: nor is the EOI-exit bitmap
 * @hidden: the VM must not have the APIC-access page: the registers are not there
 * @esr: errors since the last write to the error status register
 * @deadline: TSC of the next timer interrupt, 0: none: the guest's TSC in TSC-deadline
 *	mode, else the host's, which nobody sets
 * @exit_at: host's TSC at which the VMX-preemption timer is to end a run for
 *	@deadline, 0: none
 * @timer: fires at @deadline, where the VMX-preemption timer does not: where there
 *	is none, and while the vCPU waits in HLT
 * @eoi: level-triggered vector whose EOI userspace is still to be told, 0: none
 *
 * All but @posted, @level and @outstanding belong to the vCPU's thread; others read @base and the
 * spurious-vector and destination registers, which are single words.
 */
struct tvx_lapic {
	bool present;
	u64 base;
	void *page;
	u32 regs[TVX_LAPIC_REGS];
	DECLARE_BITMAP(posted, 256);
	DECLARE_BITMAP(level, 256);
	bool outstanding;
	bool stale;
	bool tmr_stale;
	bool hidden;
	u32 esr;
	u64 deadline;
	u64 exit_at;
	struct hrtimer timer;
	u8 eoi;
};

/* @time by a TSC that has gone back by @ticks since; 0 is none. */
static inline u64 tvx_lapic_time_back(u64 time, u64 ticks)
{
	return time ? max(time, ticks + 1) - ticks : 0;
}

/* The host's TSC has gone back by @ticks. The guest's, in TSC-deadline mode, has not. */
static inline void tvx_lapic_tsc_back(struct tvx_lapic *lapic, u64 ticks)
{
	lapic->exit_at = tvx_lapic_time_back(lapic->exit_at, ticks);
	if (LAPIC_TIMER_MODE(lapic->regs[TVX_LAPIC_LVT_TIMER]) != LAPIC_TIMER_DEADLINE)
		lapic->deadline = tvx_lapic_time_back(lapic->deadline, ticks);
}

static inline bool tvx_lapic_is_x2apic(const struct tvx_lapic *lapic)
{
	return lapic->present && (lapic->base & BIT(10));
}

static inline bool tvx_lapic_is_bsp(const struct tvx_lapic *lapic)
{
	return lapic->base & BIT(8);
}

static inline bool tvx_lapic_is_xapic(const struct tvx_lapic *lapic)
{
	return lapic->present && (lapic->base & (BIT(10) | BIT(11))) == BIT(11);
}

/* The guest-physical address of its register page; ~0: it answers nowhere. */
static inline u64 tvx_lapic_page_gpa(const struct tvx_lapic *lapic)
{
	return tvx_lapic_is_xapic(lapic) ? lapic->base & ~0xfffULL : ~0ULL;
}

#endif
