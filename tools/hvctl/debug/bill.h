/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exit bill: what the exits of a VM have cost, summed up by what they were about, from the
 * records of its flight recorders.
 */
#ifndef HV_DEBUG_BILL_H
#define HV_DEBUG_BILL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tinyvmx.h"

struct hv_bill;

/* @tsc_khz: of the host, 0: not known, then nothing is told in seconds. NULL: no memory. */
struct hv_bill *hv_bill_new(uint32_t tsc_khz);
void hv_bill_free(struct hv_bill *bill);

/**
 * hv_bill_add() - one more exit
 * @bill: to be added to
 * @record: a record that changes no more, of any vCPU; of each vCPU in their order
 * @outside: TSC ticks from it to the next entry (hv_flight_outside()), 0: not known
 *
 * Rows are bounded: when a guest has exited for too many different things, the rest of a reason is
 * one row.
 */
void hv_bill_add(struct hv_bill *bill, const struct tinyvmx_record *record, uint64_t outside);

/* So many exits were overwritten before they could be read. */
void hv_bill_miss(struct hv_bill *bill, uint64_t count);

/**
 * hv_bill_json() - the bill, dearest row first
 * @bill: of any number of exits
 * @name: whose
 * @seconds: how long it has been watched
 *
 * In "rows" "ticks" are all that the row has cost: "switch" is what the module had of the cheapest
 * exit of the whole bill, times "count"; "kernel" and "user" what was spent in the module beyond
 * that and in userspace, "waiting" what a vCPU slept. "p50" and "p99" are exact to a 16th.
 * "over_time" are exits in steps of "step_ms". "advice" is what would make the largest row smaller;
 * waiting is no cost.
 *
 * Returns an object; NULL: no memory.
 */
json_t *hv_bill_json(const struct hv_bill *bill, const char *name, double seconds);

/**
 * hv_bill_advice() - what would remove exits of a kind
 * @reason: basic exit reason
 * @detail: port, MSR, or page of a device, as hv_bill_add() tells rows apart; 0
 *
 * Returns a clause, never NULL.
 */
const char *hv_bill_advice(uint32_t reason, uint64_t detail);

/*
 * The bill as a table of @rows rows at the most, and lines of @columns: a bill of hv_bill_json().
 */
void hv_bill_print(const json_t *bill, unsigned int rows, unsigned int columns, FILE *out);

/* The same as a page of HTML that needs nothing else, with plots. */
void hv_bill_print_html(const json_t *bill, FILE *out);

#endif
