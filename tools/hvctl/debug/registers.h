/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of a vCPU: for people, and as JSON to and from other processes. */
#ifndef HV_DEBUG_REGISTERS_H
#define HV_DEBUG_REGISTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "tinyvmx.h"

struct hv_registers {
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	struct tinyvmx_debug debug;
	struct tinyvmx_events events;
};

/* General registers, segments, tables and control registers, with their flags by name. */
void hv_registers_print(const struct hv_registers *registers, FILE *out);

/* What those lines leave out: debug registers, what is under way or pending. */
void hv_registers_print_rest(const struct hv_registers *registers, FILE *out);

/* All of them: "RAX": "0x..." and so on, segments and events as objects. NULL: no memory. */
json_t *hv_registers_json(const struct hv_registers *registers);

/* What that has made, again. False: it has not. */
bool hv_registers_from_json(struct hv_registers *registers, const json_t *object);

/* "active", "halted", "shut down", "waits for a start-up IPI" */
const char *hv_activity_name(unsigned int activity);

#endif
