/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user hears of errors of the host: only he can mend them. */
#ifndef HV_DISK_COMPLAINT_H
#define HV_DISK_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

#define HV_DISK_COMPLAINTS_MAX 8

/**
 * struct hv_disk_complaint - what was said of a disk
 * @path: its image
 * @count: how often, up to HV_DISK_COMPLAINTS_MAX
 * @last: errno, of what was said last
 */
struct hv_disk_complaint {
	char path[128];
	unsigned int count;
	int last;
};

/**
 * hv_disk_complain() - is there something to be said of how a request ended?
 * @complaint: of its disk
 * @result: of the request: 0 or -errno
 * @text: filled in, if there is: one line
 * @size: of @text; 256 is enough
 *
 * Not if it was the driver that asked for what there is not (EINVAL, EROFS), or that took the
 * request back (ECANCELED). The same is said once, and nothing for ever: the guest can do again
 * what fails.
 */
bool hv_disk_complain(struct hv_disk_complaint *complaint, int result, char *text, size_t size);

#endif
