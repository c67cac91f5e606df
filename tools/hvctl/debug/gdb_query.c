// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GDB stub: what it can do, which threads there are, its description, commands of the user's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gdb_parts.h"
#include "lib/util.h"

/* ----------------------------------------------------------------- features */

/* "NAME+", "NAME-" or "NAME=VALUE", with semicolons between them */
static bool names(struct hv_gdb_text text, const char *feature)
{
	while (text.at < text.end) {
		struct hv_gdb_text word = text;

		if (hv_gdb_skip_word(&word, feature) && (word.at == word.end || *word.at == ';'))
			return true;
		while (text.at < text.end && *text.at != ';')
			text.at++;
		hv_gdb_skip(&text, ';');
	}
	return false;
}

static void supported(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	hv_gdb_skip(&text, ':');
	gdb->swbreak = names(text, "swbreak+");
	gdb->hwbreak = names(text, "hwbreak+");
	hv_gdb_put(gdb,
		   "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;"
		   "swbreak+;hwbreak+",
		   HV_GDB_BODY_MAX);
}

static void attached(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	/* It was there before: at gdb's end it is left, not killed. */
	hv_gdb_put(gdb, "1");
}

/* ------------------------------------------------------------------ threads */

/* As many as go into a packet. */
static void put_threads(struct hv_gdb *gdb)
{
	unsigned int count = gdb->ops->count(gdb->ctx);

	if (gdb->listed >= count) {
		hv_gdb_put(gdb, "l");
		return;
	}
	for (const char *before = "m"; gdb->listed < count; before = ",")
		hv_gdb_put(gdb, "%s%x", before, ++gdb->listed);
}

static void first_threads(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	gdb->listed = 0;
	put_threads(gdb);
}

static void more_threads(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	put_threads(gdb);
}

static void describe_thread(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	char words[100];
	int vcpu;

	if (!hv_gdb_thread(gdb, &text, -1, &vcpu) || vcpu < 0) {
		hv_gdb_put_result(gdb, -ESRCH);
		return;
	}
	snprintf(words, sizeof(words), "vCPU %d, %s", vcpu,
		 gdb->ops->describe(gdb->ctx, (unsigned int)vcpu));
	hv_gdb_put_bytes(gdb, words, strlen(words));
}

static void current_thread(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	hv_gdb_put(gdb, "QC%x", gdb->vcpu + 1);
}

/* -------------------------------------------------------------- description */

/* A piece of it: "m" and the bytes, "l" if they are the last. */
static void put_piece(struct hv_gdb *gdb, const char *whole, uint64_t offset, uint64_t len)
{
	size_t size = strlen(whole), left = offset < size ? size - offset : 0;

	/* Each byte may need an escape. */
	if (len > HV_GDB_MEMORY_MAX)
		len = HV_GDB_MEMORY_MAX;
	hv_gdb_put(gdb, "%c%.*s", len < left ? 'm' : 'l', (int)(len < left ? len : left),
		   offset < size ? whole + offset : "");
}

static void describe_registers(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint64_t offset, len;
	char *xml;

	if (!hv_gdb_skip_word(&text, "target.xml:")) {
		hv_gdb_put(gdb, "E00");
		return;
	}
	if (!hv_gdb_number(&text, &offset) || !hv_gdb_skip(&text, ',') ||
	    !hv_gdb_number(&text, &len) || text.at != text.end) {
		hv_gdb_put_result(gdb, -EINVAL);
		return;
	}
	xml = hv_gdb_regs_describe(&gdb->regs);
	if (xml)
		put_piece(gdb, xml, offset, len);
	else
		hv_gdb_put_result(gdb, -ENOMEM);
	free(xml);
}

/* ------------------------------------------------------------------ monitor */

static void say_monitor(struct hv_gdb *gdb, const char *command)
{
	char *words = NULL;
	size_t len;
	FILE *out = open_memstream(&words, &len);

	if (!out) {
		hv_gdb_put_result(gdb, -ENOMEM);
		return;
	}
	gdb->ops->monitor(gdb->ctx, gdb->vcpu, command, out);
	if (!fclose(out)) {
		hv_gdb_say(gdb, words);
		hv_gdb_put_result(gdb, 0);
	} else {
		hv_gdb_put_result(gdb, -ENOMEM);
	}
	free(words);
}

static void monitor(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	char command[HV_GDB_BODY_MAX / 2 + 1] = "";
	size_t digits = (size_t)(text.end - text.at);

	if (digits % 2 || !hv_gdb_unhex(command, text.at, digits / 2)) {
		hv_gdb_put_result(gdb, -EINVAL);
		return;
	}
	command[digits / 2] = 0;
	say_monitor(gdb, command);
}

/* ------------------------------------------------------------------- tables */

struct query {
	const char *name;
	void (*answer)(struct hv_gdb *gdb, struct hv_gdb_text text);
};

/* What is not here has an empty answer. */
static const struct query queries[] = {
	{ "Supported", supported },
	{ "Attached", attached },
	{ "fThreadInfo", first_threads },
	{ "sThreadInfo", more_threads },
	{ "ThreadExtraInfo,", describe_thread },
	{ "Xfer:features:read:", describe_registers },
	{ "Rcmd,", monitor },
};

void hv_gdb_cmd_query(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	/* "qC" alone: there are words that begin so. */
	if (text.end - text.at == 1 && *text.at == 'C') {
		current_thread(gdb, text);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		if (!hv_gdb_skip_word(&text, queries[i].name))
			continue;
		queries[i].answer(gdb, text);
		return;
	}
	hv_gdb_reply(gdb);
}

void hv_gdb_cmd_set(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	if (!hv_gdb_skip_word(&text, "StartNoAckMode")) {
		hv_gdb_reply(gdb);
		return;
	}
	/* This answer is still acknowledged. */
	hv_gdb_put_result(gdb, 0);
	gdb->no_ack = true;
}
