/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROBE_H
#define PROBE_H

#define PROBE_TIMES 6	/* how often "probe sleep" and "probe spin" tell the time before and after */

#endif
