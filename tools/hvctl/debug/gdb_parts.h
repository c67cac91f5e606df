/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the GDB stub share. */
#ifndef HV_DEBUG_GDB_PARTS_H
#define HV_DEBUG_GDB_PARTS_H

#include "gdb.h"

/* What a packet says: its body, of which some was read. Behind the end there is a 0. */
struct hv_gdb_text {
	const char *at, *end;
};

/* Add to the answer, which may become too long. */
void hv_gdb_put(struct hv_gdb *gdb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hv_gdb_put_bytes(struct hv_gdb *gdb, const void *bytes, size_t len);
/* "OK" for 0, "E.." for -errno */
void hv_gdb_put_result(struct hv_gdb *gdb, int error);
/* Send what was put. */
void hv_gdb_reply(struct hv_gdb *gdb);

/* Take what is next: a character, a word, a number in hexadecimal, a thread. False: it is not. */
bool hv_gdb_skip(struct hv_gdb_text *text, char c);
bool hv_gdb_skip_word(struct hv_gdb_text *text, const char *word);
bool hv_gdb_number(struct hv_gdb_text *text, uint64_t *value);
/* *vcpu: -1: all. 0, which is any, is @any. */
bool hv_gdb_thread(struct hv_gdb *gdb, struct hv_gdb_text *text, int any, int *vcpu);

/* gdb_memory.c: each puts an answer. */
void hv_gdb_cmd_read_memory(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_write_memory(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_write_binary(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_read_all(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_write_all(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_read_register(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_write_register(struct hv_gdb *gdb, struct hv_gdb_text text);

/* gdb_query.c: likewise. */
void hv_gdb_cmd_query(struct hv_gdb *gdb, struct hv_gdb_text text);
void hv_gdb_cmd_set(struct hv_gdb *gdb, struct hv_gdb_text text);

#endif
