/* SPDX-License-Identifier: GPL-2.0-only */
/* One message for one failure: what is wrong, and after a semicolon how to mend it. */
#ifndef HV_LIB_ERROR_H
#define HV_LIB_ERROR_H

struct hv_error {
	char text[400];
	const char *subject;		/* what it is about: an option, a file; NULL: not said */
};

/* Store the message; returns -@errnum, so that "return hv_fail(...)" reads well. */
int hv_fail(struct hv_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
