/* SPDX-License-Identifier: GPL-2.0-only */
/* What others have written, made fit to be shown: a guest's words, a file's name. */
#ifndef HV_LIB_TEXT_H
#define HV_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * hv_text_clean() - make bytes from elsewhere a string for terminals, logs and JSON
 * @out: where to, NUL-terminated
 * @room: of @out in bytes, at least 1; what does not fit is cut off between characters
 * @in: any bytes
 * @len: how many
 *
 * Well-formed UTF-8 stays; control characters (C0, DEL, and C1, which terminals obey as
 * well) and bytes that are no UTF-8 become '?'. @out may be @in. Returns the length.
 */
size_t hv_text_clean(char *out, size_t room, const char *in, size_t len);

/*
 * How many slips make @word of @known: a character too many, too few, another, or two exchanged;
 * its case counts nothing, an abbreviation as one. Both without what is behind 32 bytes.
 */
unsigned int hv_text_distance(const char *word, const char *known);

/* Is it likely that who wrote @word meant @known? */
bool hv_text_is_like(const char *word, const char *known);

#endif
