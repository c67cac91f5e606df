/* SPDX-License-Identifier: GPL-2.0-only */
/* One message for one failure: what is wrong, and after a semicolon how to mend it. */
#ifndef HV_LIB_ERROR_H
#define HV_LIB_ERROR_H

/**
 * struct hv_error - a failure
 * @text: what is wrong; how to mend it
 * @subject: what it is about, an option, a file; the caller's, as long as the message. NULL: the
 *	text says so itself
 * @line: of that file; 0: not said
 */
struct hv_error {
	char text[400];
	const char *subject;
	unsigned int line;
};

/* Store the message; returns -@errnum, so that "return hv_fail(...)" reads well. */
int hv_fail(struct hv_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same about a line. */
int hv_fail_at(struct hv_error *err, unsigned int line, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "@who: subject:line: text" on standard error; a file's name may be anything. */
void hv_error_print(const char *who, const struct hv_error *err);

#endif
