// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions that come of exceptions. */
#include "event.h"
#include "lib/x86.h"

static bool is_contributory(unsigned int vector)
{
	return vector == X86_VECTOR_DE || (vector >= X86_VECTOR_TS && vector <= X86_VECTOR_GP);
}

/* SDM, "Conditions for Generating a Double Fault", for a second one of those classes. */
static bool makes_double_fault(unsigned int first, unsigned int second)
{
	return first == X86_VECTOR_PF || (is_contributory(first) && is_contributory(second));
}

void hv_event_inject(struct tinyvmx_events *events, uint32_t info, uint32_t error_code)
{
	events->pending |= TINYVMX_PENDING_EVENT;
	events->event_info = HV_EVENT_VALID | HV_EVENT_EXCEPTION << 8 | info;
	events->event_error_code = error_code;
	events->event_instruction_len = 0;
}

void hv_event_raise(struct tinyvmx_events *events, uint32_t during, const struct hv_fault *fault)
{
	bool nested = during & HV_EVENT_VALID && HV_EVENT_TYPE(during) == HV_EVENT_EXCEPTION;
	unsigned int first = during & HV_EVENT_VECTOR;

	if (nested && first == X86_VECTOR_DF)
		events->activity = TINYVMX_ACTIVITY_SHUTDOWN;
	else if (nested && makes_double_fault(first, fault->vector))
		hv_event_inject(events, HV_EVENT_ERROR_CODE | X86_VECTOR_DF, 0);
	else
		hv_event_inject(events, HV_EVENT_ERROR_CODE | fault->vector, fault->error_code);
}
