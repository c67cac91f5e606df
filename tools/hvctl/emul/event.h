/* SPDX-License-Identifier: GPL-2.0-only */
/* Events in the format of the VMCS: SDM, "VM-Exit Information Fields". */
#ifndef HV_EMUL_EVENT_H
#define HV_EMUL_EVENT_H

#include "tinyvmx.h"
#include "walk.h"

#define HV_EVENT_VECTOR		0xffU
#define HV_EVENT_TYPE(info)	((info) >> 8 & 7)
#define HV_EVENT_ERROR_CODE	(1U << 11)
#define HV_EVENT_VALID		(1U << 31)

enum {
	HV_EVENT_EXTINT = 0,
	HV_EVENT_NMI = 2,
	HV_EVENT_EXCEPTION = 3,
	HV_EVENT_INT_N = 4,
	HV_EVENT_INT1 = 5,
	HV_EVENT_INT3 = 6,		/* and INTO */
};

/* Returns behind an instruction that has raised it. */
static inline bool hv_event_is_software(uint32_t info)
{
	return HV_EVENT_TYPE(info) >= HV_EVENT_INT_N && HV_EVENT_TYPE(info) <= HV_EVENT_INT3;
}

/* What makes the EXT bit of an error code: SDM, "Error Code". */
static inline bool hv_event_is_external(uint32_t info)
{
	return info & HV_EVENT_VALID && HV_EVENT_TYPE(info) != HV_EVENT_INT_N &&
	       HV_EVENT_TYPE(info) != HV_EVENT_INT3;
}

/*
 * The guest takes @fault, one of #TS, #NP, #SS, #GP and #PF, which was raised while the event
 * @during (0: none) was delivered: by itself, or as a double fault; or it shuts down.
 */
void hv_event_raise(struct tinyvmx_events *events, uint32_t during, const struct hv_fault *fault);

/* The next VM entry delivers that exception; @info without the bit "valid". */
void hv_event_inject(struct tinyvmx_events *events, uint32_t info, uint32_t error_code);

#endif
