/* SPDX-License-Identifier: GPL-2.0-only */
/* What O_DIRECT does not take as it is, by way of a buffer. Between disk/queue.c and itself. */
#ifndef HV_DISK_BOUNCE_H
#define HV_DISK_BOUNCE_H

#include "method.h"

#define HV_DISK_BOUNCE 65536	/* bytes of the buffer, and its alignment; the most that we take */

/* Does it not go as it is? It is to be under way alone then. */
bool hv_disk_bounces(const struct hv_disk *disk, const struct hv_disk_request *request);

/* Plan the next piece of a read, of a write, or of zeroes that are written. */
void hv_disk_plan_bounce(struct hv_disk_queue *queue, struct hv_disk_request *request);

/* A step of it was done. 1: there is another one; 0: all was moved; or -errno. */
int hv_disk_bounced(struct hv_disk_queue *queue, struct hv_disk_request *request, int64_t result);

#endif
