/* SPDX-License-Identifier: GPL-2.0-only */
/* What is read of an object that somebody else has made. */
#ifndef HV_DEBUG_FACTS_H
#define HV_DEBUG_FACTS_H

#include <jansson.h>
#include <stdio.h>

/* 0 and "" for what is not there. */
static inline json_int_t hv_fact_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline double hv_fact_real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static inline const char *hv_fact_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

/* An array of words: "[P W]". */
static inline void hv_fact_print_words(const json_t *words, FILE *out)
{
	json_t *word;
	size_t i;

	fputc('[', out);
	json_array_foreach(words, i, word)
		fprintf(out, "%s%s", i ? " " : "", json_string_value(word) ?: "");
	fputc(']', out);
}

#endif
