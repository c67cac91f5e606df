// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the first exception to the shutdown: each is delivered, and what comes of that is the next
 * one, or a double fault: SDM, "Double Fault Exception".
 */
#include <string.h>

#include "autopsy_parts.h"

enum severity { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum severity severity_of(const struct hv_ordeal *event)
{
	if (event->kind != HV_ORDEAL_EXCEPTION)
		return BENIGN;
	switch (event->vector) {
	case X86_VECTOR_DE:
	case X86_VECTOR_TS:
	case X86_VECTOR_NP:
	case X86_VECTOR_SS:
	case X86_VECTOR_GP:
		return CONTRIBUTORY;
	case X86_VECTOR_PF:
		return PAGE_FAULT;
	}
	return BENIGN;
}

static bool is_double_fault(const struct hv_ordeal *event)
{
	return event->kind == HV_ORDEAL_EXCEPTION && event->vector == X86_VECTOR_DF;
}

static bool makes_double_fault(const struct hv_ordeal *first, const struct hv_ordeal *second)
{
	if (severity_of(first) == PAGE_FAULT)
		return severity_of(second) != BENIGN;
	return severity_of(first) == CONTRIBUTORY && severity_of(second) == CONTRIBUTORY;
}

static void add(struct hv_autopsy *autopsy, const struct hv_ordeal *event)
{
	autopsy->event[autopsy->count++] = *event;
}

/*
 * What comes of @first. The longest way there is: benign, contributory, page fault, double fault,
 * shutdown, so the room is enough; that it ends is made sure of all the same.
 */
static void follow(struct hv_autopsy *autopsy, const struct hv_view *view,
		   const struct hv_ordeal *first)
{
	*autopsy = (struct hv_autopsy){ .count = 0 };
	add(autopsy, first);
	while (autopsy->count + 2 <= HV_AUTOPSY_EVENTS) {
		const struct hv_ordeal *event = &autopsy->event[autopsy->count - 1];
		struct hv_ordeal fault = { .vector = 0 };

		if (hv_autopsy_deliver(view, event, &fault))
			return;
		if (is_double_fault(event)) {
			autopsy->last = fault;
			autopsy->shutdown = true;
			return;
		}
		if (makes_double_fault(event, &fault)) {
			add(autopsy, &fault);
			fault = (struct hv_ordeal){ .vector = X86_VECTOR_DF };
		}
		add(autopsy, &fault);
	}
}

/* ------------------------------------------------------------- from outside */

/* One that nothing at RIP tells of: is there any that cannot be delivered? */
static bool try_interrupts(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	for (unsigned int vector = 32; vector < 256; vector++) {
		struct hv_ordeal interrupt = { .kind = HV_ORDEAL_INTERRUPT, .vector = vector };

		snprintf(interrupt.cause, sizeof(interrupt.cause),
			 "from outside, as interrupts are enabled");
		follow(autopsy, view, &interrupt);
		if (autopsy->shutdown)
			return true;
	}
	return false;
}

static bool try_nmi(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	struct hv_ordeal nmi = { .kind = HV_ORDEAL_INTERRUPT, .vector = 2 };

	snprintf(nmi.cause, sizeof(nmi.cause), "from outside");
	follow(autopsy, view, &nmi);
	return autopsy->shutdown;
}

/* A step is taken behind the instruction, so RIP is the next one's. */
static bool try_step(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	struct hv_ordeal step;

	if (!(view->regs->rflags & X86_RFLAGS_TF))
		return false;
	hv_ordeal_set(&step, 1, 0, "a single step (RFLAGS.TF)");
	follow(autopsy, view, &step);
	return autopsy->shutdown;
}

static void guess(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	bool enabled = view->regs->rflags & X86_RFLAGS_IF;

	if (try_step(autopsy, view))
		return;
	if ((enabled && try_interrupts(autopsy, view)) || try_nmi(autopsy, view)) {
		autopsy->guessed = true;
		snprintf(
			autopsy->doubt, sizeof(autopsy->doubt),
			"the instruction at RIP raises nothing, so this came from outside; its vector is one of those that are not delivered");
		return;
	}
	*autopsy = (struct hv_autopsy){ .guessed = true };
	snprintf(
		autopsy->doubt, sizeof(autopsy->doubt),
		"nothing that the registers and the memory show now: the instruction at RIP raises nothing, and each interrupt could be delivered");
}

/* The last page fault is the one that CR2 is of. */
static void check_cr2(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	const struct hv_ordeal *fault = NULL;

	for (unsigned int i = 0; i < autopsy->count; i++)
		if (severity_of(&autopsy->event[i]) == PAGE_FAULT)
			fault = &autopsy->event[i];
	if (autopsy->shutdown && severity_of(&autopsy->last) == PAGE_FAULT)
		fault = &autopsy->last;
	if (!fault || fault->cr2 == view->sregs->cr2 || *autopsy->doubt)
		return;
	autopsy->guessed = true;
	snprintf(autopsy->doubt, sizeof(autopsy->doubt),
		 "CR2 is 0x%llx, not 0x%llx: its memory or its page tables have changed since",
		 (unsigned long long)view->sregs->cr2, (unsigned long long)fault->cr2);
}

void hv_autopsy(struct hv_autopsy *autopsy, const struct hv_view *view)
{
	struct hv_ordeal first = { .vector = 0 };
	enum hv_first how = hv_autopsy_first(view, &first);

	if (how != HV_FIRST_NOTHING) {
		follow(autopsy, view, &first);
		if (autopsy->shutdown) {
			autopsy->guessed = how == HV_FIRST_MAYBE;
			check_cr2(autopsy, view);
			return;
		}
	}
	if (how == HV_FIRST_CERTAIN) {
		autopsy->guessed = true;
		snprintf(
			autopsy->doubt, sizeof(autopsy->doubt),
			"all that is said here can be delivered by what the memory shows now: it has changed since");
		return;
	}
	guess(autopsy, view);
}
