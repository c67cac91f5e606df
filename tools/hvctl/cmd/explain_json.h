/* SPDX-License-Identifier: GPL-2.0-only */
/* What hvctl explain says to programs. */
#ifndef HV_CMD_EXPLAIN_JSON_H
#define HV_CMD_EXPLAIN_JSON_H

#include "explain/explain.h"
#include "vmx/vmcs_log.h"

/* On standard output. Returns 0, or -1 without memory. */
int hv_explain_json(const struct explain_report *report, const struct vmcs_source *source);

/* All rules, a line each or, for programs, as an array. */
void hv_explain_rules(void);
int hv_explain_rules_json(void);

#endif
