// SPDX-License-Identifier: GPL-2.0-only
/* Options of one thing in one argument. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "options.h"

/*
 * Cut off what stands before the first comma that is not doubled, and make single ones of those
 * that are. @rest: what is behind that comma; NULL: there was none.
 */
static char *cut(char **rest)
{
	char *piece = *rest, *to = piece;

	for (const char *from = piece; *from; from++) {
		if (*from == ',' && *++from != ',') {
			*rest = (char *)from;
			*to = '\0';
			return piece;
		}
		*to++ = *from;
	}
	*to = '\0';
	*rest = NULL;
	return piece;
}

int hv_options_begin(struct hv_options *options, const char *text, const char *first,
		     const struct hv_option *keys, struct hv_error *err)
{
	text = text ?: "";
	*options = (struct hv_options){ .keys = keys, .text = "", .copy = strdup(text) };
	if (!options->copy)
		return hv_fail(err, ENOMEM, "out of memory");
	options->rest = first || *text ? options->copy : NULL;
	if (!first)
		return 0;
	options->first = cut(&options->rest);
	if (!*options->first)
		return hv_fail(err, EINVAL, "%s is missing; it comes before the first comma",
			       first);
	return 0;
}

void hv_options_end(struct hv_options *options)
{
	free(options->copy);
	*options = (struct hv_options){ 0 };
}

/* ------------------------------------------------------------------ values */

static int fail_value(const struct hv_option *key, const char *value, struct hv_error *err)
{
	const char *unit = key->type == HV_OPTION_SIZE ? " bytes" : "";

	switch (key->type) {
	case HV_OPTION_FLAG:
		return hv_fail(err, EINVAL, "%s=%s: say %s, %s=on or %s=off", key->name, value,
			       key->name, key->name, key->name);
	case HV_OPTION_TEXT:
		return hv_fail(err, EINVAL, "%s wants a value: %s=%s", key->name, key->name,
			       key->form);
	case HV_OPTION_WORD:
		return hv_fail(err, EINVAL, "%s=%s: there is %s=%s", key->name, value, key->name,
			       key->form);
	default:
		return hv_fail(err, EINVAL, "%s=%s: it must be a number from %llu to %llu%s",
			       key->name, value, (unsigned long long)key->min,
			       (unsigned long long)key->max, unit);
	}
}

/* Which one of "this|that" it is. */
static bool find_word(const char *words, const char *word, uint64_t *which)
{
	size_t len = strlen(word);

	for (*which = 0;; ++*which) {
		size_t end = strcspn(words, "|");

		if (end == len && !memcmp(words, word, len))
			return true;
		if (!words[end])
			return false;
		words += end + 1;
	}
}

static bool find_flag(const char *value, uint64_t *on)
{
	*on = strcmp(value, "off") != 0;
	return !*on || !*value || !strcmp(value, "on");
}

/* Without a suffix where it counts no bytes. */
static bool find_number(const struct hv_option *key, const char *value, uint64_t *number)
{
	if (key->type == HV_OPTION_NUMBER && value[strspn(value, "0123456789")])
		return false;
	return hv_parse_size(value, 1, number) && *number >= key->min && *number <= key->max;
}

static bool take_value(const struct hv_option *key, const char *value, uint64_t *number)
{
	switch (key->type) {
	case HV_OPTION_FLAG:
		return find_flag(value, number);
	case HV_OPTION_TEXT:
		return *value;
	case HV_OPTION_WORD:
		return find_word(key->form, value, number);
	default:
		return find_number(key, value, number);
	}
}

/* -------------------------------------------------------------------- keys */

/* All that there are, as one gives them. */
static void list(const struct hv_option *keys, char *to, size_t room)
{
	size_t len = 0;

	*to = '\0';
	for (const struct hv_option *key = keys; key->name && len < room; key++) {
		bool flag = key->type == HV_OPTION_FLAG;

		len += snprintf(to + len, room - len, "%s%s%s%s", len ? ", " : "", key->name,
				flag ? "" : "=", flag ? "" : key->form);
	}
}

static int fail_key(const struct hv_option *keys, const char *name, struct hv_error *err)
{
	char all[300];

	list(keys, all, sizeof(all));
	if (!*name)
		return hv_fail(err, EINVAL, "an option is missing behind a comma; there is: %s",
			       all);
	return hv_fail(err, EINVAL, "no option \"%s\"; there is: %s", name, all);
}

int hv_options_next(struct hv_options *options, struct hv_error *err)
{
	const struct hv_option *key = options->keys;
	char *name, *value;

	if (!options->rest)
		return 0;
	name = cut(&options->rest);
	value = strchr(name, '=');
	if (value)
		*value++ = '\0';
	while (key->name && strcmp(key->name, name))
		key++;
	if (!key->name)
		return fail_key(options->keys, name, err);

	options->key = (unsigned int)(key - options->keys);
	options->text = value ?: "";
	if (options->seen & 1u << options->key && !key->repeats)
		return hv_fail(err, EINVAL, "%s is there twice; once is enough", name);
	options->seen |= 1u << options->key;
	return take_value(key, options->text, &options->number) ?
		       1 :
		       fail_value(key, options->text, err);
}
