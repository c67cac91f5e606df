/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tree of values: what JSON and TOML have in common, and in which line each of them stands, so
 * that whoever reads a configuration can say where something is wrong.
 */
#ifndef HV_LIB_VALUE_H
#define HV_LIB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hv_error;

enum hv_value_kind {
	HV_VALUE_OTHER,			/* a date, a fraction, a null: nobody here wants those */
	HV_VALUE_BOOL,
	HV_VALUE_INTEGER,
	HV_VALUE_STRING,
	HV_VALUE_ARRAY,
	HV_VALUE_TABLE			/* JSON calls it an object */
};

/* How TOML writes an integer. */
enum hv_value_form {
	HV_VALUE_DECIMAL,
	HV_VALUE_ADDRESS,		/* 0x100000 */
	HV_VALUE_SIZE			/* "128M", or decimal where there is no suffix for it */
};

struct hv_value {
	enum hv_value_kind kind;
	enum hv_value_form form;
	unsigned int line;		/* from 1 on; 0: not known */
	char *key;			/* in a table; NULL in an array, and for the root */
	bool boolean;
	int64_t integer;
	char *string;
	struct hv_value *first, *last;	/* of an array or a table, in the order of their lines */
	struct hv_value *next;
	struct hv_value *root;
	bool is_incomplete;		/* of the root: there was no memory for some of it */
};

#ifdef __cplusplus
extern "C" {
#endif

/* An empty table; hv_value_free() it. NULL: no memory. */
struct hv_value *hv_value_new(void);
void hv_value_free(struct hv_value *root);

/*
 * Add a value to a table, or with @key NULL to an array; it is copied. Without memory they return
 * NULL, which they all take for @parent, and the root remembers: look there once, at the end.
 */
struct hv_value *hv_value_add(struct hv_value *parent, enum hv_value_kind kind, const char *key);
struct hv_value *hv_value_add_string(struct hv_value *parent, const char *key, const char *string);
struct hv_value *hv_value_add_integer(struct hv_value *parent, const char *key, int64_t integer);
struct hv_value *hv_value_add_bool(struct hv_value *parent, const char *key, bool boolean);

/* Replace a string by @string, which is malloc()ed and belongs to @value then; NULL: no memory. */
void hv_value_take_string(struct hv_value *value, char *string);

/* Of a table; NULL: there is none of this name. */
struct hv_value *hv_value_find(const struct hv_value *table, const char *key);

/* A table with no more than these keys, of which the last is NULL. */
bool hv_value_has_only(const struct hv_value *table, const char *const *keys);

/* Its string; NULL: it is there not, or no string. */
const char *hv_value_string(const struct hv_value *value);

/**
 * hv_value_from_json(), hv_value_from_toml() - read a text
 * @text: one object of JSON; a document of TOML
 * @len: of it in bytes
 * @err: filled in on failure, with the line
 *
 * A key that is there twice is an error, and so is a string with a NUL in it.
 * Returns the root, a table, to be given to hv_value_free(), or NULL. JSON's values have no lines.
 */
struct hv_value *hv_value_from_json(const char *text, struct hv_error *err);
struct hv_value *hv_value_from_toml(const char *text, size_t len, struct hv_error *err);

/*
 * Write a table: in one line, keys sorted; as a document of several. free() it.
 * NULL: no memory, or a string is not UTF-8.
 */
char *hv_value_to_json(const struct hv_value *root);
char *hv_value_to_toml(const struct hv_value *root);

#ifdef __cplusplus
}
#endif

#endif
