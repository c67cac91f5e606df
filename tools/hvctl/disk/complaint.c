// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "complaint.h"

bool hv_disk_complain(struct hv_disk_complaint *complaint, int result, char *text, size_t size)
{
	if (!result || result == -EINVAL || result == -EROFS || result == -ECANCELED)
		return false;
	if (-result == complaint->last || complaint->count == HV_DISK_COMPLAINTS_MAX)
		return false;
	complaint->last = -result;
	complaint->count++;
	snprintf(text, size, "%s: %s; the guest was told of an I/O error", complaint->path,
		 strerror(-result));
	return true;
}
