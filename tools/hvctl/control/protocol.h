/* SPDX-License-Identifier: GPL-2.0-only */
/* What both ends of a control channel agree upon; docs/control.md tells the rest. */
#ifndef HV_CONTROL_PROTOCOL_H
#define HV_CONTROL_PROTOCOL_H

/* Grows when something that others rely on changes; what is added does not count. */
#define HV_CONTROL_PROTOCOL 1

/* The longest line that is sent to a VM, and that comes from one; its end included. */
#define HV_CONTROL_LINE_MAX  8192
#define HV_CONTROL_REPLY_MAX (256 << 10)

/* Bytes that a `copy` may have. */
#define HV_CONTROL_COPY_MAX (2 << 20)

/* How long `stop` gives the guest, in seconds, and at most. */
#define HV_CONTROL_STOP_DEFAULT 30
#define HV_CONTROL_STOP_MAX     86400

#endif
