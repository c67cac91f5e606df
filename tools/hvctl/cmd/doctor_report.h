/* SPDX-License-Identifier: GPL-2.0-only */
/* What "hvctl doctor --report" tells of a machine, for those who cannot sit at it. */
#ifndef HV_CMD_DOCTOR_REPORT_H
#define HV_CMD_DOCTOR_REPORT_H

#include <stdio.h>

#include "doctor/doctor.h"

/**
 * doctor_report - write all that is worth knowing of this machine, but not whose it is
 * @out: where to
 * @facts: as doctor_examine() found them
 * @results: as doctor_run() found them
 * @selftests: the folder of the selftests, which are run, or NULL
 *
 * Takes minutes if the device can be opened: it measures. No host or user name is in it, of the
 * kernel's command line only what has to do with the CPU.
 */
void doctor_report(FILE *out, const struct doctor_facts *facts, const struct doctor_result *results,
		   const char *selftests);

/* The same words that the terminal gets */
void doctor_print(FILE *out, const struct doctor_result *results);

#endif
