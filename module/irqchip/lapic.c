// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: priorities, registers, messages.
 */
#include <linux/errno.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "../vcpu.h"
#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

/* ------------------------------------------------------------ priorities */

static int highest(const unsigned long *bitmap)
{
	int word;

	for (word = 256 / BITS_PER_LONG - 1; word >= 0; word--) {
		unsigned long bits = READ_ONCE(bitmap[word]);

		if (bits)
			return word * BITS_PER_LONG + __fls(bits);
	}
	return -1;
}

/* SDM, "Task and Processor Priorities". */
static u8 processor_priority(const struct tvx_vcpu *vcpu)
{
	int in_service = highest(vcpu->lapic.isr);
	u8 isr_class = in_service < 0 ? 0 : in_service & 0xf0;

	return (vcpu->tpr & 0xf0) >= isr_class ? vcpu->tpr : isr_class;
}

/* Globally enabled: else the processor is as one without a local APIC. */
static bool is_present(const struct tvx_lapic *lapic)
{
	return lapic->present && (READ_ONCE(lapic->base) & LAPIC_BASE_ENABLE);
}

static bool is_enabled(const struct tvx_lapic *lapic)
{
	return is_present(lapic) && (READ_ONCE(lapic->regs[LAPIC_SVR]) & LAPIC_SVR_ENABLE);
}

int tvx_lapic_next(struct tvx_vcpu *vcpu)
{
	int vector;

	/* Software-disabled, it still delivers what is pending. */
	if (!is_present(&vcpu->lapic))
		return -1;
	vector = highest(vcpu->lapic.irr);
	if (vector < 0 || (vector & 0xf0) <= (processor_priority(vcpu) & 0xf0))
		return -1;
	return vector;
}

void tvx_lapic_ack(struct tvx_vcpu *vcpu, u8 vector)
{
	clear_bit(vector, vcpu->lapic.irr);
	__set_bit(vector, vcpu->lapic.isr);
}

bool tvx_lapic_accepts_extint(const struct tvx_lapic *lapic)
{
	u32 lint0 = lapic->regs[LAPIC_LVT_LINT0];

	if (!is_present(lapic))
		return true;	/* LINT0 is the INTR pin */
	return !(lint0 & LAPIC_LVT_MASKED) && LAPIC_LVT_MODE(lint0) == TVX_DM_EXTINT;
}

static void end_of_interrupt(struct tvx_vcpu *vcpu)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	int vector = highest(lapic->isr);

	if (vector < 0)
		return;
	__clear_bit(vector, lapic->isr);
	if (test_bit(vector, lapic->tmr)) {
		lapic->eoi = vector;
		vcpu->recheck = true;
	} else if (highest(lapic->irr) >= 0) {
		vcpu->recheck = true;
	}
}

/* -------------------------------------------------------------- messages */

/* The destination of xAPIC's eight bits (SDM, "Logical Destination Mode"). */
static bool matches_xapic_logical(const struct tvx_lapic *lapic, u8 dest)
{
	u8 ldr = READ_ONCE(lapic->regs[LAPIC_LDR]) >> 24;

	if (READ_ONCE(lapic->regs[LAPIC_DFR]) == LAPIC_DFR_FLAT)
		return dest & ldr;
	return (dest >> 4) == (ldr >> 4) && (dest & ldr & 0xf);
}

static u32 x2apic_ldr(unsigned int id)
{
	return ((id >> 4) << 16) | BIT(id & 0xf);
}

static bool is_broadcast(const struct tvx_message *message)
{
	return message->dest == (message->x2apic ? LAPIC_DEST_ALL : 0xff);
}

static bool matches(const struct tvx_vcpu *vcpu, const struct tvx_message *message)
{
	u32 ldr = x2apic_ldr(vcpu->id);

	if (is_broadcast(message))
		return true;
	if (!message->logical)
		return message->dest == vcpu->id;
	if (!tvx_lapic_is_x2apic(&vcpu->lapic))
		return matches_xapic_logical(&vcpu->lapic, message->dest);
	return (message->dest >> 16) == (ldr >> 16) && (message->dest & ldr & 0xffff);
}

/* Make @vector pending. Any thread. */
static void accept_vector(struct tvx_vcpu *vcpu, u8 vector, bool level)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	if (level)
		set_bit(vector, lapic->tmr);
	else
		clear_bit(vector, lapic->tmr);
	/* The request is seen no earlier than its trigger mode. */
	smp_mb__after_atomic();
	set_bit(vector, lapic->irr);
	tvx_vcpu_kick(vcpu);
}

static bool accept(struct tvx_vcpu *vcpu, const struct tvx_message *message)
{
	if (message->mode == TVX_DM_NMI) {
		if (is_present(&vcpu->lapic))
			tvx_vcpu_request(vcpu, TVX_REQUEST_NMI);
		return is_present(&vcpu->lapic);
	}
	if (!is_enabled(&vcpu->lapic))
		return false;
	accept_vector(vcpu, message->vector, message->level);
	return true;
}

static bool is_deliverable(const struct tvx_message *message)
{
	return message->mode <= TVX_DM_LOWEST || message->mode == TVX_DM_NMI;
}

int tvx_lapic_send(struct tvx_vcpu_set *set, const struct tvx_message *message)
{
	unsigned int id = 0, end = TVX_MAX_VCPUS;
	int taken = 0;

	if (!is_deliverable(message))
		return -EOPNOTSUPP;
	/* A physical destination is one id: no need to ask them all. */
	if (!message->logical && !is_broadcast(message)) {
		if (message->dest >= TVX_MAX_VCPUS)
			return 0;
		id = array_index_nospec(message->dest, TVX_MAX_VCPUS);
		end = id + 1;
	}
	rcu_read_lock();
	for (; id < end; id++) {
		struct tvx_vcpu *vcpu = rcu_dereference(set->vcpu[id]);

		if (!vcpu || vcpu == message->except)
			continue;
		if (!matches(vcpu, message) || !accept(vcpu, message))
			continue;
		taken++;
		if (message->mode == TVX_DM_LOWEST)
			break;
	}
	rcu_read_unlock();
	return taken;
}

/* SDM, "Message Address Register Format" and "Message Data Register Format". */
int tvx_lapic_parse_msi(const struct tinyvmx_msi *msi, struct tvx_message *message)
{
	if (msi->pad || (msi->address & GENMASK_ULL(39, 20)) != LAPIC_BASE_ADDRESS)
		return -EINVAL;
	message->except = NULL;
	message->dest = ((msi->address >> 12) & 0xff) | (msi->address >> 40 << 8);
	message->x2apic = msi->address >> 40;
	message->logical = msi->address & BIT(2);
	message->level = msi->data & BIT(15);
	message->mode = (msi->data >> 8) & 7;
	message->vector = msi->data;
	if (message->mode <= TVX_DM_LOWEST)
		return message->vector < 16 ? -EINVAL : 0;
	return message->mode == TVX_DM_NMI ? 0 : -EOPNOTSUPP;
}

static void raise_error(struct tvx_vcpu *vcpu, u32 error)
{
	u32 lvt = vcpu->lapic.regs[LAPIC_LVT_ERROR];

	vcpu->lapic.esr |= error;
	if (lvt & LAPIC_LVT_MASKED)
		return;
	if ((lvt & 0xff) < 16)
		vcpu->lapic.esr |= LAPIC_ESR_RECV_ILLEGAL;
	else
		accept_vector(vcpu, lvt, false);
}

void tvx_lapic_timer_interrupt(struct tvx_vcpu *vcpu)
{
	u32 lvt = vcpu->lapic.regs[LAPIC_LVT_TIMER];

	/* The timer's entry has no delivery mode: it is fixed. */
	if (!is_enabled(&vcpu->lapic) || (lvt & LAPIC_LVT_MASKED))
		return;
	if ((lvt & 0xff) < 16)
		raise_error(vcpu, LAPIC_ESR_RECV_ILLEGAL);
	else
		accept_vector(vcpu, lvt, false);
}

static bool write_icr(struct tvx_vcpu *vcpu, u64 icr)
{
	struct tvx_message message = {
		.dest = icr >> 32,
		.x2apic = tvx_lapic_is_x2apic(&vcpu->lapic),
		.logical = icr & LAPIC_ICR_LOGICAL,
		.mode = LAPIC_LVT_MODE(icr),
		.vector = icr,
	};

	vcpu->lapic.regs[LAPIC_ICR] = icr;
	vcpu->lapic.regs[LAPIC_ICR_HIGH] = icr >> 32;
	if (message.mode <= TVX_DM_LOWEST && message.vector < 16) {
		raise_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
		return true;
	}
	switch (LAPIC_ICR_SHORTHAND(icr)) {
	case LAPIC_TO_DEST:
		tvx_lapic_send(vcpu->peers, &message);
		tvx_vcpu_woke(vcpu);
		break;
	case LAPIC_TO_SELF:
		if (is_deliverable(&message))
			accept(vcpu, &message);
		break;
	case LAPIC_TO_OTHERS:
		message.except = vcpu;
		fallthrough;
	case LAPIC_TO_ALL:
		message.dest = LAPIC_DEST_ALL;
		message.x2apic = true;
		tvx_lapic_send(vcpu->peers, &message);
		tvx_vcpu_woke(vcpu);
		break;
	}
	return true;
}

/* ------------------------------------------------------------- registers */

/* What WRMSR and MOV can do with a register. */
#define REG_READ	BIT(0)
#define REG_WRITE	BIT(1)
#define REG_XAPIC	BIT(2)	/* writable in xAPIC mode only */

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

static u32 bitmap_word(const unsigned long *bitmap, unsigned int n)
{
	return bitmap[n / 2] >> (n % 2 * 32);
}

bool tvx_lapic_read(struct tvx_vcpu *vcpu, unsigned int reg, u64 *value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	bool x2apic = tvx_lapic_is_x2apic(lapic);

	if (!lapic->present || reg >= TVX_LAPIC_REGS)
		return false;
	reg = array_index_nospec(reg, TVX_LAPIC_REGS);
	if (!(lapic_regs[reg].access & REG_READ) && !(reg == LAPIC_DFR && !x2apic))
		return false;
	switch (reg) {
	case LAPIC_ID:
		*value = x2apic ? vcpu->id : vcpu->id << 24;
		break;
	case LAPIC_VERSION:
		*value = LAPIC_VERSION_VALUE;
		break;
	case LAPIC_TPR:
		*value = vcpu->tpr;
		break;
	case LAPIC_PPR:
		*value = processor_priority(vcpu);
		break;
	case LAPIC_LDR:
		*value = x2apic ? x2apic_ldr(vcpu->id) : lapic->regs[reg];
		break;
	case LAPIC_ISR ... LAPIC_ISR + 7:
		*value = bitmap_word(lapic->isr, reg - LAPIC_ISR);
		break;
	case LAPIC_TMR ... LAPIC_TMR + 7:
		*value = bitmap_word(lapic->tmr, reg - LAPIC_TMR);
		break;
	case LAPIC_IRR ... LAPIC_IRR + 7:
		*value = bitmap_word(lapic->irr, reg - LAPIC_IRR);
		break;
	case LAPIC_ICR:
		*value = lapic->regs[reg] | ((u64)lapic->regs[LAPIC_ICR_HIGH] << 32);
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

static bool write_self_ipi(struct tvx_vcpu *vcpu, u8 vector)
{
	if (vector < 16)
		raise_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
	else if (is_enabled(&vcpu->lapic))
		accept_vector(vcpu, vector, false);
	return true;
}

bool tvx_lapic_write(struct tvx_vcpu *vcpu, unsigned int reg, u64 value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	if (!lapic->present || reg >= TVX_LAPIC_REGS)
		return false;
	reg = array_index_nospec(reg, TVX_LAPIC_REGS);
	if (!check_write(lapic, reg, &value))
		return false;
	switch (reg) {
	case LAPIC_EOI:
		end_of_interrupt(vcpu);
		break;
	case LAPIC_TPR:
		tvx_vcpu_set_tpr(vcpu, value);
		break;
	case LAPIC_SVR:
		write_svr(lapic, value);
		break;
	case LAPIC_ESR:
		lapic->regs[LAPIC_ESR] = lapic->esr;
		lapic->esr = 0;
		break;
	case LAPIC_ICR:
		return write_icr(vcpu, value);
	case LAPIC_SELF_IPI:
		return write_self_ipi(vcpu, value);
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
	return true;
}

/* ------------------------------------------------------------------- base */

static void reset_registers(struct tvx_lapic *lapic)
{
	unsigned int reg;

	memset(lapic->regs, 0, sizeof(lapic->regs));
	lapic->regs[LAPIC_SVR] = 0xff;
	lapic->regs[LAPIC_DFR] = LAPIC_DFR_FLAT;
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg++)
		lapic->regs[reg] = LAPIC_LVT_MASKED;
}

/* Off: all is lost. Senders look at the base and SVR before they set a bit. */
static void disable(struct tvx_vcpu *vcpu)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	tvx_lapic_timer_stop(vcpu);
	reset_registers(lapic);
	bitmap_zero(lapic->irr, 256);
	bitmap_zero(lapic->tmr, 256);
	bitmap_zero(lapic->isr, 256);
	lapic->esr = 0;
	tvx_vcpu_set_tpr(vcpu, 0);
}

/* SDM, "x2APIC State Transitions": only these, and the page stays where it is. */
bool tvx_lapic_write_base(struct tvx_vcpu *vcpu, u64 value)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	bool was_enabled = lapic->base & LAPIC_BASE_ENABLE;
	bool was_x2apic = lapic->base & LAPIC_BASE_X2APIC;
	bool enable = value & LAPIC_BASE_ENABLE;
	bool x2apic = value & LAPIC_BASE_X2APIC;

	if ((value & ~(LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)) !=
	    (lapic->base & ~(LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)))
		return false;
	if (x2apic && (!enable || !vcpu->policy.x2apic))
		return false;
	if ((x2apic && !was_enabled) || (was_x2apic && enable && !x2apic))
		return false;
	WRITE_ONCE(lapic->base, value);
	if (was_enabled && !enable)
		disable(vcpu);
	vcpu->recheck = true;
	return true;
}

void tvx_lapic_init(struct tvx_vcpu *vcpu, bool present)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	lapic->present = present;
	lapic->base = LAPIC_BASE_ADDRESS | LAPIC_BASE_ENABLE | (vcpu->id ? 0 : LAPIC_BASE_BSP);
	reset_registers(lapic);
	tvx_lapic_timer_init(vcpu);
}

void tvx_lapic_destroy(struct tvx_vcpu *vcpu)
{
	tvx_lapic_timer_destroy(vcpu);
}
