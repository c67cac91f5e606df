/* SPDX-License-Identifier: GPL-2.0-only */
/* Between config_keys.c and forms of values that have files of their own. Private to them. */
#ifndef HV_VMM_CONFIG_FORM_H
#define HV_VMM_CONFIG_FORM_H

#include "config.h"
#include "lib/value.h"

/* Where a configuration comes to. */
struct hv_form_reader {
	struct hv_config *config;
	const char *dir;		/* that paths are relative to; NULL: as we are */
	struct hv_error *err;
};

struct hv_form_key;

/* What a key's value looks like. @write: NULL: somebody else does. */
struct hv_form {
	int (*read)(struct hv_form_reader *reader, const struct hv_form_key *key,
		    struct hv_value *value);
	void (*write)(const struct hv_config *config, const struct hv_form_key *key,
		      const char *dir, struct hv_value *table);
};

struct hv_form_key {
	const char *name;
	const struct hv_form *form;
	size_t offset;			/* in struct hv_config */
	const char *const *choices;	/* names of the values from 0 on, NULL behind the last */
};

/* A string, or an array of them, for each device of an option. */
extern const struct hv_form hv_form_devices;

/* An integer, in a field that is an unsigned int. */
extern const struct hv_form hv_form_cpus, hv_form_records;

/* About an element, which has no name: about its array, in its own line. */
int hv_form_refuse_element(const struct hv_form_reader *reader, const struct hv_value *array,
			   const struct hv_value *element, const char *wanted);

/* What hv_fail() has said, about @value. */
int hv_form_refuse_as_said(const struct hv_form_reader *reader, const struct hv_value *value,
			   int error);

int hv_form_no_memory(const struct hv_form_reader *reader);

#endif
