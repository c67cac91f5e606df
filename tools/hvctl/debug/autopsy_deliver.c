// SPDX-License-Identifier: GPL-2.0-only
/*
 * An event's way through IDT, code segment, TSS and stack, as a CPU goes it, to the first thing
 * that is wrong there: SDM, "Interrupt and Exception Handling", and INT n.
 */
#include <string.h>

#include "autopsy_parts.h"
#include "emul/event.h"
#include "emul/walk.h"

#define GATE_TASK	5
#define TYPE_CODE	8
#define TYPE_WRITABLE	2
#define TYPE_CONFORMING 4
#define TYPE_EXPAND	4
#define TSS_32		8

/* What is under way. */
struct delivery {
	const struct hv_view *view;
	const struct hv_ordeal *event;
	struct hv_ordeal *fault;
	uint32_t ext;			/* X86_ERROR_EXT, if no INT n has begun this */
	uint32_t idt_code;		/* an error code with the IDT's entry */
	unsigned int type;		/* of the gate */
	unsigned int ist;
	uint16_t selector;
	uint64_t offset;
	unsigned int cpl;		/* of the handler */
	struct hv_segment_facts cs;
};

static bool has_code(const struct delivery *d)
{
	return d->event->kind == HV_ORDEAL_EXCEPTION && d->event->vector < 32 &&
	       X86_VECTORS_WITH_CODE >> d->event->vector & 1;
}

static bool fail(struct delivery *d, unsigned int vector, uint32_t code, const char *words)
{
	return hv_ordeal_set(d->fault, vector, code, "IDT[%u]%s", d->event->vector, words);
}

/* -------------------------------------------------------------------- gate */

static bool is_gate(const struct delivery *d, const uint8_t raw[16])
{
	unsigned int type = raw[5] & 0x1f;

	if (type == 0xe || type == 0xf)
		return true;
	return !hv_view_is_long(d->view) && (type == 6 || type == 7 || type == GATE_TASK);
}

static void unpack_gate(struct delivery *d, const uint8_t raw[16])
{
	uint32_t high;

	d->type = raw[5] & 0xf;
	d->selector = raw[2] | raw[3] << 8;
	d->offset = raw[0] | raw[1] << 8;
	if (d->type >= TSS_32)
		d->offset |= (uint32_t)(raw[6] | raw[7] << 8) << 16;
	if (!hv_view_is_long(d->view))
		return;
	memcpy(&high, raw + 8, sizeof(high));
	d->offset |= (uint64_t)high << 32;
	d->ist = raw[4] & 7;
}

static bool read_gate(struct delivery *d)
{
	const struct tinyvmx_sregs *sregs = d->view->sregs;
	unsigned int bytes = hv_view_is_long(d->view) ? 16 : 8, at = d->event->vector * bytes;
	uint8_t raw[16] = { 0 };
	char text[100], what[24];

	snprintf(what, sizeof(what), "IDT[%u]", d->event->vector);
	if (at + bytes - 1 > sregs->idt_limit) {
		snprintf(text, sizeof(text), " is beyond the IDT's limit, 0x%x", sregs->idt_limit);
		return fail(d, X86_VECTOR_GP, d->idt_code, text);
	}
	if (!hv_autopsy_read(d->view, sregs->idt_base + at, raw, bytes, what, d->fault))
		return false;
	if (!is_gate(d, raw)) {
		snprintf(text, sizeof(text), " is no gate: its type is 0x%x", raw[5] & 0x1f);
		return fail(d, X86_VECTOR_GP, d->idt_code, text);
	}
	if (d->event->kind == HV_ORDEAL_SOFTWARE && (raw[5] >> 5 & 3u) < hv_view_cpl(d->view))
		return fail(d, X86_VECTOR_GP, d->idt_code, " has a DPL that forbids INT to ring 3");
	if (!(raw[5] & 0x80))
		return fail(d, X86_VECTOR_NP, d->idt_code, " is not present");
	unpack_gate(d, raw);
	return true;
}

/* -------------------------------------------------------------------- code */

static bool code_is_bad(const struct delivery *d, const char **why)
{
	unsigned int cpl = hv_view_cpl(d->view), dpl = d->cs.ar >> TINYVMX_AR_DPL_SHIFT & 3;
	uint32_t ar = d->cs.ar;

	if (!(ar & TINYVMX_AR_S) || !(ar & TYPE_CODE))
		*why = "is not of a code segment";
	else if (dpl > cpl)
		*why = "is of code of less privilege";
	else if (hv_view_is_long(d->view) && (ar & (TINYVMX_AR_L | TINYVMX_AR_DB)) != TINYVMX_AR_L)
		*why = "is not of a 64-bit code segment";
	else if (hv_view_is_v86(d->view) && (ar & TYPE_CONFORMING || dpl))
		*why = "is not of code of ring 0, which virtual-8086 mode wants";
	else
		return false;
	return true;
}

static bool load_code(struct delivery *d)
{
	char what[60];
	const char *why;
	uint32_t code = (d->selector & ~3u) | d->ext;

	snprintf(what, sizeof(what), "IDT[%u]'s code selector", d->event->vector);
	if (!hv_autopsy_descriptor(d->view, d->selector, X86_VECTOR_GP, d->ext, what, &d->cs,
				   d->fault))
		return false;
	if (code_is_bad(d, &why))
		return hv_ordeal_set(d->fault, X86_VECTOR_GP, code, "%s, 0x%x, %s", what,
				     d->selector, why);
	if (!(d->cs.ar & TINYVMX_AR_P))
		return hv_ordeal_set(d->fault, X86_VECTOR_NP, code,
				     "%s, 0x%x, is of a segment that is not present", what,
				     d->selector);
	d->cpl = d->cs.ar & TYPE_CONFORMING ? hv_view_cpl(d->view) :
					      d->cs.ar >> TINYVMX_AR_DPL_SHIFT & 3;
	return true;
}

/* --------------------------------------------------------------------- TSS */

static bool read_tss(struct delivery *d, unsigned int at, void *buf, unsigned int bytes,
		     const char *what)
{
	const struct tinyvmx_segment *tr = &d->view->sregs->seg[TINYVMX_TR];
	char place[60];

	if (at + bytes - 1 > tr->limit || tr->ar & TINYVMX_AR_UNUSABLE)
		return hv_ordeal_set(d->fault, X86_VECTOR_TS, (tr->selector & ~3u) | d->ext,
				     "the TSS has no %s: it is at 0x%x, and TR's limit is 0x%x",
				     what, at, tr->limit);
	snprintf(place, sizeof(place), "%s in the TSS", what);
	return hv_autopsy_read(d->view, tr->base + at, buf, bytes, place, d->fault);
}

/* @words of @bytes, down from @top. The first that fails is the one that CR2 tells of. */
static bool push_words(struct delivery *d, uint64_t top, unsigned int words, unsigned int bytes,
		       const char *what)
{
	unsigned int access = HV_ACCESS_WRITE | (d->cpl == 3 ? HV_ACCESS_USER : 0);

	for (unsigned int i = 1; i <= words; i++)
		if (!hv_autopsy_access(d->view, top - i * bytes, bytes, access, what, d->fault))
			return false;
	return true;
}

/* ------------------------------------------------------------ 64-bit stacks */

static bool push_long(struct delivery *d)
{
	bool switched = d->cpl < hv_view_cpl(d->view);
	uint64_t rsp = d->view->regs->gpr[TINYVMX_RSP];
	const struct hv_paging paging = { .cr4 = d->view->sregs->cr4,
					  .efer = d->view->sregs->efer };
	char what[40] = "the stack";

	if (d->ist) {
		snprintf(what, sizeof(what), "IST%u", d->ist);
		if (!read_tss(d, 36 + (d->ist - 1) * 8, &rsp, 8, what))
			return false;
	} else if (switched) {
		snprintf(what, sizeof(what), "RSP%u", d->cpl);
		if (!read_tss(d, 4 + d->cpl * 8, &rsp, 8, what))
			return false;
	}
	if (d->ist || switched)
		snprintf(what + strlen(what), sizeof(what) - strlen(what), "'s stack");
	if (!hv_is_canonical(&paging, rsp))
		return hv_ordeal_set(d->fault, X86_VECTOR_SS, d->ext,
				     "%s, at 0x%llx, is not canonical", what,
				     (unsigned long long)rsp);
	if (push_words(d, rsp & ~15ULL, has_code(d) ? 6 : 5, 8, what))
		return true;
	/* Below the lowest canonical address are none. */
	if (d->fault->vector == X86_VECTOR_GP)
		d->fault->vector = X86_VECTOR_SS;
	return false;
}

static bool enter_long(struct delivery *d)
{
	const struct hv_paging paging = { .cr4 = d->view->sregs->cr4,
					  .efer = d->view->sregs->efer };

	if (!push_long(d))
		return false;
	if (hv_is_canonical(&paging, d->offset))
		return true;
	return fail(d, X86_VECTOR_GP, d->ext, "'s handler has an address that is not canonical");
}

/* ---------------------------------------------------- 16- and 32-bit stacks */

struct stack {
	struct hv_segment_facts ss;
	uint32_t esp;
};

/* Are @bytes below its pointer within its limits? */
static bool has_room(const struct stack *stack, unsigned int bytes)
{
	bool big = stack->ss.ar & TINYVMX_AR_DB;
	uint32_t mask = big ? UINT32_MAX : UINT16_MAX, top = (stack->esp - 1) & mask,
		 low = (stack->esp - bytes) & mask;

	if (stack->ss.ar & TYPE_EXPAND && !(stack->ss.ar & TYPE_CODE))
		return low > stack->ss.limit && low <= top;
	return low <= top && top <= stack->ss.limit;
}

static bool load_inner_ss(struct delivery *d, uint16_t selector, struct stack *stack)
{
	uint32_t code = (selector & ~3u) | d->ext;
	char what[40];

	snprintf(what, sizeof(what), "SS%u in the TSS", d->cpl);
	if (!hv_autopsy_descriptor(d->view, selector, X86_VECTOR_TS, d->ext, what, &stack->ss,
				   d->fault))
		return false;
	if ((selector & 3u) != d->cpl || (stack->ss.ar >> TINYVMX_AR_DPL_SHIFT & 3) != d->cpl)
		return hv_ordeal_set(d->fault, X86_VECTOR_TS, code, "%s, 0x%x, is not of ring %u",
				     what, selector, d->cpl);
	if ((stack->ss.ar & (TINYVMX_AR_S | TYPE_CODE | TYPE_WRITABLE)) !=
	    (TINYVMX_AR_S | TYPE_WRITABLE))
		return hv_ordeal_set(d->fault, X86_VECTOR_TS, code,
				     "%s, 0x%x, is not of writable data", what, selector);
	if (stack->ss.ar & TINYVMX_AR_P)
		return true;
	return hv_ordeal_set(d->fault, X86_VECTOR_SS, code,
			     "%s, 0x%x, is of a segment that is not present", what, selector);
}

/* The handler's ring has a stack of its own. */
static bool find_inner_stack(struct delivery *d, struct stack *stack)
{
	bool wide = d->view->sregs->seg[TINYVMX_TR].ar & TSS_32;
	unsigned int pointer = wide ? 4 : 2, at = pointer + d->cpl * 2 * pointer;
	uint16_t selector = 0;
	char what[16];

	stack->esp = 0;
	snprintf(what, sizeof(what), "%s%u", wide ? "ESP" : "SP", d->cpl);
	if (!read_tss(d, at, &stack->esp, pointer, what))
		return false;
	snprintf(what, sizeof(what), "SS%u", d->cpl);
	return read_tss(d, at + pointer, &selector, 2, what) && load_inner_ss(d, selector, stack);
}

static void have_current_stack(const struct delivery *d, struct stack *stack)
{
	const struct tinyvmx_segment *ss = &d->view->sregs->seg[TINYVMX_SS];

	stack->esp = d->view->regs->gpr[TINYVMX_RSP];
	stack->ss = (struct hv_segment_facts){ ss->selector, ss->base, ss->limit, ss->ar };
}

/* Within 64 KiB a pointer of 0 goes on at the upper end. */
static bool push_narrow(struct delivery *d, const struct stack *stack, uint32_t mask,
			unsigned int words, unsigned int bytes)
{
	for (unsigned int i = 0; i < words; i++) {
		uint32_t low = (stack->esp - (i + 1) * bytes) & mask;

		if (!push_words(d, stack->ss.base + low + bytes, 1, bytes, "the stack"))
			return false;
	}
	return true;
}

static bool push(struct delivery *d, const struct stack *stack, unsigned int words,
		 unsigned int bytes, bool inner)
{
	uint32_t mask = stack->ss.ar & TINYVMX_AR_DB ? UINT32_MAX : UINT16_MAX;

	if (!has_room(stack, words * bytes))
		return hv_ordeal_set(d->fault, X86_VECTOR_SS,
				     (inner ? stack->ss.selector & ~3u : 0) | d->ext,
				     "the stack, at 0x%x, has no room: SS's limit is 0x%x",
				     stack->esp & mask, stack->ss.limit);
	return push_narrow(d, stack, mask, words, bytes);
}

static bool enter_protected(struct delivery *d)
{
	bool inner = d->cpl < hv_view_cpl(d->view);
	unsigned int words = 3 + (has_code(d) ? 1 : 0) + (inner ? 2 : 0);
	struct stack stack;

	if (hv_view_is_v86(d->view))
		words += 4;
	if (!inner)
		have_current_stack(d, &stack);
	else if (!find_inner_stack(d, &stack))
		return false;
	if (!push(d, &stack, words, d->type & TSS_32 ? 4 : 2, inner))
		return false;
	if (d->offset <= d->cs.limit)
		return true;
	return fail(d, X86_VECTOR_GP, d->ext, "'s handler is beyond its code segment's limit");
}

/* --------------------------------------------------------------- real mode */

static bool deliver_real(struct delivery *d)
{
	const struct tinyvmx_sregs *sregs = d->view->sregs;
	unsigned int at = d->event->vector * 4;
	struct stack stack;
	uint32_t vector;

	if (at + 3 > sregs->idt_limit)
		return hv_ordeal_set(d->fault, X86_VECTOR_GP, 0,
				     "interrupt vector %u is beyond the table's limit, 0x%x",
				     d->event->vector, sregs->idt_limit);
	if (!hv_autopsy_read(d->view, sregs->idt_base + at, &vector, sizeof(vector),
			     "an interrupt vector", d->fault))
		return false;
	have_current_stack(d, &stack);
	return push(d, &stack, 3, 2, false);
}

bool hv_autopsy_deliver(const struct hv_view *view, const struct hv_ordeal *event,
			struct hv_ordeal *fault)
{
	uint32_t ext = event->kind == HV_ORDEAL_SOFTWARE ? 0 : X86_ERROR_EXT;
	struct delivery d = {
		.view = view,
		.event = event,
		.fault = fault,
		.ext = ext,
		.idt_code = event->vector * 8 | 2 | ext,
	};

	if (!hv_view_is_protected(view))
		return deliver_real(&d);
	if (!read_gate(&d))
		return false;
	/* Another task: that is an exit of its own, and no triple fault. */
	if (d.type == GATE_TASK && !hv_view_is_long(view))
		return true;
	if (!load_code(&d))
		return false;
	return hv_view_is_long(view) ? enter_long(&d) : enter_protected(&d);
}
