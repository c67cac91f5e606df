// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's interrupts: priorities, messages, errors.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <asm/apicdef.h>

#include "../kick.h"
#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

/* ------------------------------------------------------------ priorities */

/* Of the 256 bits in @first and the seven registers behind it; -1: none. */
static noinline int highest(const struct tvx_lapic *lapic, unsigned int first)
{
	int word;

#pragma GCC unroll 8
	for (word = 7; word >= 0; word--) {
		u32 bits = *tvx_lapic_reg(lapic, first + word);

		if (bits)
			return word * 32 + __fls(bits);
	}
	return -1;
}

static u32 *vector_word(const struct tvx_lapic *lapic, unsigned int first, u8 vector)
{
	return tvx_lapic_reg(lapic, first + vector / 32);
}

u8 tvx_lapic_tpr(const struct tvx_lapic *lapic)
{
	return *tvx_lapic_reg(lapic, LAPIC_TPR);
}

void tvx_lapic_set_tpr(struct tvx_vcpu *vcpu, u8 tpr)
{
	*tvx_lapic_reg(&vcpu->lapic, LAPIC_TPR) = tpr;
	vcpu->recheck = true;
}

/* SDM, "Task and Processor Priorities". */
u8 tvx_lapic_processor_priority(const struct tvx_lapic *lapic)
{
	int in_service = highest(lapic, LAPIC_ISR);
	u8 isr_class = in_service < 0 ? 0 : in_service & 0xf0;
	u8 tpr = tvx_lapic_tpr(lapic);

	return (tpr & 0xf0) >= isr_class ? tpr : isr_class;
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

int tvx_lapic_next(const struct tvx_lapic *lapic)
{
	int vector;

	/* Software-disabled, it still delivers what is pending. */
	if (!is_present(lapic))
		return -1;
	vector = highest(lapic, LAPIC_IRR);
	if (vector < 0 || (vector & 0xf0) <= (tvx_lapic_processor_priority(lapic) & 0xf0))
		return -1;
	return vector;
}

void tvx_lapic_ack(struct tvx_vcpu *vcpu, u8 vector)
{
	*vector_word(&vcpu->lapic, LAPIC_IRR, vector) &= ~BIT(vector % 32);
	*vector_word(&vcpu->lapic, LAPIC_ISR, vector) |= BIT(vector % 32);
}

/* Exit when the TPR no longer holds back what is pending (SDM, "TPR Virtualization"). */
u32 tvx_lapic_tpr_threshold(const struct tvx_lapic *lapic)
{
	int vector = is_present(lapic) ? highest(lapic, LAPIC_IRR) : -1;

	return vector < 0 || vector >> 4 > tvx_lapic_tpr(lapic) >> 4 ? 0 : vector >> 4;
}

/* SDM, "Guest Non-Register State": SVI and RVI. */
u16 tvx_lapic_interrupt_status(const struct tvx_lapic *lapic)
{
	return max(highest(lapic, LAPIC_ISR), 0) << 8 | max(highest(lapic, LAPIC_IRR), 0);
}

u64 tvx_lapic_eoi_exits(const struct tvx_lapic *lapic, unsigned int n)
{
	return *tvx_lapic_reg(lapic, LAPIC_TMR + 2 * n) |
	       (u64)*tvx_lapic_reg(lapic, LAPIC_TMR + 2 * n + 1) << 32;
}

bool tvx_lapic_accepts_extint(const struct tvx_lapic *lapic)
{
	u32 lint0 = lapic->regs[LAPIC_LVT_LINT0];

	if (!is_present(lapic))
		return true;	/* LINT0 is the INTR pin */
	return !(lint0 & LAPIC_LVT_MASKED) && LAPIC_LVT_MODE(lint0) == TVX_DM_EXTINT;
}

bool tvx_lapic_lint0_is_nmi(const struct tvx_lapic *lapic)
{
	u32 lint0 = lapic->regs[LAPIC_LVT_LINT0];

	return is_present(lapic) && !(lint0 & LAPIC_LVT_MASKED) &&
	       LAPIC_LVT_MODE(lint0) == TVX_DM_NMI;
}

void tvx_lapic_ended(struct tvx_vcpu *vcpu, u8 vector)
{
	vcpu->lapic.eoi = vector;
	vcpu->recheck = true;
}

void tvx_lapic_end_of_interrupt(struct tvx_vcpu *vcpu)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	int vector = highest(lapic, LAPIC_ISR);

	if (vector < 0)
		return;
	*vector_word(lapic, LAPIC_ISR, vector) &= ~BIT(vector % 32);
	lapic->stale = true;
	if (*vector_word(lapic, LAPIC_TMR, vector) & BIT(vector % 32))
		tvx_lapic_ended(vcpu, vector);
	else if (highest(lapic, LAPIC_IRR) >= 0)
		vcpu->recheck = true;
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

static bool is_broadcast(const struct tvx_message *message)
{
	return message->dest == (message->x2apic ? LAPIC_DEST_ALL : 0xff);
}

static bool matches(const struct tvx_vcpu *vcpu, const struct tvx_message *message)
{
	u32 ldr = tvx_lapic_x2apic_ldr(vcpu->id);

	if (is_broadcast(message))
		return true;
	if (!message->logical)
		return message->dest == vcpu->id;
	if (!tvx_lapic_is_x2apic(&vcpu->lapic))
		return matches_xapic_logical(&vcpu->lapic, message->dest);
	return (message->dest >> 16) == (ldr >> 16) && (message->dest & ldr & 0xffff);
}

/* Put @bits of word @n into the IRR. On the vCPU's thread. */
static void request(struct tvx_lapic *lapic, unsigned int n, u32 bits, u32 level)
{
	u32 *tmr = tvx_lapic_reg(lapic, LAPIC_TMR + n);
	u32 old = *tmr;

	*tmr = (old & ~bits) | (level & bits);
	if (*tmr != old)
		lapic->tmr_stale = true;
	*tvx_lapic_reg(lapic, LAPIC_IRR + n) |= bits;
	lapic->stale = true;
}

/* An interrupt of its own: an edge. */
static void accept_own(struct tvx_vcpu *vcpu, u8 vector)
{
	request(&vcpu->lapic, vector / 32, BIT(vector % 32), 0);
	vcpu->recheck = true;
}

/*
 * Any thread. The CPU may be at work on the virtual-APIC page, so the vector has to
 * wait until the vCPU's thread has it there.
 */
static void post(struct tvx_vcpu *vcpu, u8 vector, bool level)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	if (level)
		set_bit(vector, lapic->level);
	else
		clear_bit(vector, lapic->level);
	/* The request is seen no earlier than its trigger mode. */
	smp_mb__after_atomic();
	set_bit(vector, lapic->posted);
	/* "Outstanding" is seen, and looked at, no earlier than the vector. */
	smp_mb__after_atomic();
	/*
	 * Who has set it before has kicked, or is about to, without being preempted; and who
	 * clears it looks at the vectors afterwards. A kick for each would keep a vCPU from its
	 * next instruction for as long as another sends.
	 */
	preempt_disable();
	if (!READ_ONCE(lapic->outstanding)) {
		WRITE_ONCE(lapic->outstanding, true);
		tvx_vcpu_kick(vcpu);
	}
	preempt_enable();
}

void tvx_lapic_take_outstanding(struct tvx_lapic *lapic)
{
	unsigned int n;

	WRITE_ONCE(lapic->outstanding, false);
	/* Before the look at the vectors: the next one sets it again. */
	smp_mb();
	for (n = 0; n < ARRAY_SIZE(lapic->posted); n++) {
		u64 bits, level;

		if (!READ_ONCE(lapic->posted[n]))
			continue;
		bits = xchg(&lapic->posted[n], 0);
		level = READ_ONCE(lapic->level[n]);
		request(lapic, 2 * n, bits, level);
		request(lapic, 2 * n + 1, bits >> 32, level >> 32);
	}
}

/*
 * Any thread. An INIT undoes the SIPI before it; of several SIPIs the first one counts. Whether
 * the vCPU waits for one is seen when it takes them.
 */
static void post_startup(struct tvx_vcpu *vcpu, const struct tvx_message *message)
{
	u32 old = READ_ONCE(vcpu->startup);

	if (message->mode == TVX_DM_INIT)
		WRITE_ONCE(vcpu->startup, TVX_STARTUP_INIT);
	else
		while (!(old & TVX_STARTUP_SIPI) &&
		       !try_cmpxchg(&vcpu->startup, &old,
				    old | TVX_STARTUP_SIPI | message->vector))
			;
	/* Setting the bit orders what it is about before it. */
	tvx_vcpu_request(vcpu, TVX_REQUEST_STARTUP);
}

static bool accept(struct tvx_vcpu *vcpu, const struct tvx_message *message)
{
	if (message->mode <= TVX_DM_LOWEST) {
		if (!is_enabled(&vcpu->lapic))
			return false;
		post(vcpu, message->vector, message->level);
		return true;
	}
	if (!is_present(&vcpu->lapic))
		return false;
	if (message->mode == TVX_DM_NMI)
		tvx_vcpu_request(vcpu, TVX_REQUEST_NMI);
	else
		post_startup(vcpu, message);
	return true;
}

static bool is_deliverable(const struct tvx_message *message)
{
	return message->mode <= TVX_DM_LOWEST ||
	       (message->mode >= TVX_DM_NMI && message->mode <= TVX_DM_STARTUP);
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

int tvx_lapic_send_ipi(struct tvx_vcpu *vcpu, u64 id, u32 icr)
{
	struct tvx_message message = {
		.dest = id,
		.x2apic = true,
		.mode = LAPIC_LVT_MODE(icr),
		.vector = icr,
	};

	if (message.mode != TVX_DM_NMI && (message.mode > TVX_DM_LOWEST || message.vector < 16))
		return -EINVAL;
	/* Not the one that means all. */
	return id < TVX_MAX_VCPUS ? tvx_lapic_send(vcpu->peers, &message) : 0;
}

void tvx_lapic_unhalt(struct tvx_vcpu_set *set, u64 id)
{
	struct tvx_vcpu *vcpu;

	if (id >= TVX_MAX_VCPUS)
		return;
	rcu_read_lock();
	vcpu = rcu_dereference(set->vcpu[array_index_nospec(id, TVX_MAX_VCPUS)]);
	if (vcpu && is_present(&vcpu->lapic))
		tvx_vcpu_request(vcpu, TVX_REQUEST_UNHALT);
	rcu_read_unlock();
}

/* SDM, "Message Address Register Format" and "Message Data Register Format". */
int tvx_lapic_parse_msi(const struct tinyvmx_msi *msi, struct tvx_message *message)
{
	if (msi->pad || (msi->address & GENMASK_ULL(39, 20)) != APIC_DEFAULT_PHYS_BASE)
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
		accept_own(vcpu, lvt);
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
		accept_own(vcpu, lvt);
}

void tvx_lapic_write_icr(struct tvx_vcpu *vcpu, u64 icr)
{
	bool x2apic = tvx_lapic_is_x2apic(&vcpu->lapic);
	struct tvx_message message = {
		.dest = icr >> 32,
		.x2apic = x2apic,
		.logical = icr & LAPIC_ICR_LOGICAL,
		.mode = LAPIC_LVT_MODE(icr),
		.vector = icr,
	};
	/* For these the shorthands that mean the sender, too, are invalid. */
	bool starts = message.mode == TVX_DM_INIT || message.mode == TVX_DM_STARTUP;

	*tvx_lapic_reg(&vcpu->lapic, LAPIC_ICR) = icr;
	*tvx_lapic_icr_high(&vcpu->lapic) = x2apic ? icr >> 32 : icr >> 32 << 24;
	if (message.mode <= TVX_DM_LOWEST && message.vector < 16) {
		raise_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
		return;
	}
	/* INIT level de-assert, which has set arbitration ids once. */
	if (message.mode == TVX_DM_INIT && (icr & LAPIC_ICR_LEVEL_TRIGGERED) &&
	    !(icr & LAPIC_ICR_LEVEL_ASSERT))
		return;
	switch (LAPIC_ICR_SHORTHAND(icr)) {
	case LAPIC_TO_DEST:
		tvx_lapic_send(vcpu->peers, &message);
		tvx_vcpu_woke(vcpu);
		break;
	case LAPIC_TO_SELF:
		if (!starts && is_deliverable(&message))
			accept(vcpu, &message);
		break;
	case LAPIC_TO_OTHERS:
	case LAPIC_TO_ALL:
		if (starts || LAPIC_ICR_SHORTHAND(icr) == LAPIC_TO_OTHERS)
			message.except = vcpu;
		message.dest = LAPIC_DEST_ALL;
		message.x2apic = true;
		tvx_lapic_send(vcpu->peers, &message);
		tvx_vcpu_woke(vcpu);
		break;
	}
}

void tvx_lapic_write_self_ipi(struct tvx_vcpu *vcpu, u8 vector)
{
	if (vector < 16)
		raise_error(vcpu, LAPIC_ESR_SEND_ILLEGAL);
	else if (is_enabled(&vcpu->lapic))
		accept_own(vcpu, vector);
}
