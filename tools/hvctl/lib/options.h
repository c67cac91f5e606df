/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of one thing in one argument: "FIRST[,key=value][,flag]...", as in
 * "--disk FILE,ro,cache=none". A comma that belongs to a value, or to FIRST, is doubled.
 */
#ifndef HV_LIB_OPTIONS_H
#define HV_LIB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum hv_option_type {
	HV_OPTION_FLAG,		/* "key", "key=on" or "key=off": @number is 1 or 0 */
	HV_OPTION_TEXT,		/* "key=text", which is not empty */
	HV_OPTION_WORD,		/* one of @form, which is "this|that": @number is which */
	HV_OPTION_NUMBER,	/* from @min to @max */
	HV_OPTION_SIZE,		/* the same in bytes, with an optional K, M, G or T */
};

/**
 * struct hv_option - a key that there is
 * @name: "cache"; NULL behind the last
 * @type: what its value is
 * @form: of the value, for who reads the error: "TEXT"; of HV_OPTION_WORD: the words
 * @min: of numbers
 * @max: ... and sizes
 * @repeats: may be given more than once
 */
struct hv_option {
	const char *name;
	enum hv_option_type type;
	const char *form;
	uint64_t min, max;
	bool repeats;
};

#define HV_OPTIONS_MAX 32	/* keys of a table */

/* Rows of a table; HV_OPTIONS_END is the last. */
#define HV_FLAG(key)		   { .name = (key), .type = HV_OPTION_FLAG }
#define HV_TEXT(key, shown)	   { .name = (key), .type = HV_OPTION_TEXT, .form = (shown) }
#define HV_TEXTS(key, shown) \
	{ .name = (key), .type = HV_OPTION_TEXT, .form = (shown), .repeats = true }
#define HV_WORD(key, words)	   { .name = (key), .type = HV_OPTION_WORD, .form = (words) }
#define HV_NUMBER(key, least, most) \
	{ .name = (key), .type = HV_OPTION_NUMBER, .form = "N", .min = (least), .max = (most) }
#define HV_SIZE(key, least, most) \
	{ .name = (key), .type = HV_OPTION_SIZE, .form = "SIZE", .min = (least), .max = (most) }
#define HV_OPTIONS_END { .name = NULL }

/**
 * struct hv_options - where somebody is in such a text
 * @first: what stands before the first comma; NULL: there is no such thing
 * @key: of the last hv_options_next(): which one in the table, ...
 * @text: ... its value as it stands there, "" where there is none, ...
 * @number: ... and as a number
 * @keys: the table
 * @rest: what is not parsed yet; NULL: nothing
 * @seen: keys that were there: one bit each
 * @copy: where all texts are
 */
struct hv_options {
	const char *first;
	unsigned int key;
	const char *text;
	uint64_t number;

	const struct hv_option *keys;
	char *rest;
	uint32_t seen;
	char *copy;
};

/**
 * hv_options_begin() - begin to parse
 * @options: filled in; to be given to hv_options_end(), also after a failure
 * @text: all of it; NULL is ""
 * @first: what comes first, "FILE", for the error when it is missing; NULL: keys come first
 * @keys: those that there are
 * @err: filled in on failure
 *
 * Returns 0, -EINVAL or -ENOMEM. Then:
 *
 *	while ((result = hv_options_next(&options, err)) > 0)
 *		switch (options.key) {
 */
int hv_options_begin(struct hv_options *options, const char *text, const char *first,
		     const struct hv_option *keys, struct hv_error *err);

/*
 * The next one: 1; 0: there are no more; or -EINVAL: it is none, has no such value, or was there
 * before. Its text is there until hv_options_end().
 */
int hv_options_next(struct hv_options *options, struct hv_error *err);

/* All texts are gone. */
void hv_options_end(struct hv_options *options);

#endif
