// SPDX-License-Identifier: GPL-2.0-only
/* The GDB stub: its state, its commands, stops and what makes vCPUs go on. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "gdb_parts.h"
#include "lib/util.h"

#define SIGNAL_INT  2
#define SIGNAL_TRAP 5

/* ------------------------------------------------------------------ answers */

void hv_gdb_put(struct hv_gdb *gdb, const char *fmt, ...)
{
	size_t room = sizeof(gdb->body) - gdb->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(gdb->body + gdb->len, room, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room)
		gdb->overflow = true;
	else
		gdb->len += (size_t)len;
}

void hv_gdb_put_bytes(struct hv_gdb *gdb, const void *bytes, size_t len)
{
	if (2 * len >= sizeof(gdb->body) - gdb->len) {
		gdb->overflow = true;
		return;
	}
	hv_gdb_hex(gdb->body + gdb->len, bytes, len);
	gdb->len += 2 * len;
}

void hv_gdb_put_result(struct hv_gdb *gdb, int error)
{
	if (error)
		hv_gdb_put(gdb, "E%02x", (unsigned int)-error & 0xff);
	else
		hv_gdb_put(gdb, "OK");
}

static void send_frame(struct hv_gdb *gdb)
{
	gdb->ops->send(gdb->ctx, gdb->frame, gdb->frame_len);
}

void hv_gdb_reply(struct hv_gdb *gdb)
{
	gdb->frame_len = gdb->overflow ? 0 : hv_gdb_frame(gdb->frame, gdb->body, gdb->len);
	if (!gdb->frame_len)
		gdb->frame_len = hv_gdb_frame(gdb->frame, "E07", 3); /* E2BIG */
	gdb->len = 0;
	gdb->overflow = false;
	send_frame(gdb);
}

void hv_gdb_say(struct hv_gdb *gdb, const char *text)
{
	const size_t piece = HV_GDB_MEMORY_MAX;

	for (size_t left = strlen(text), n; left; left -= n, text += n) {
		n = left < piece ? left : piece;
		hv_gdb_put(gdb, "O");
		hv_gdb_put_bytes(gdb, text, n);
		hv_gdb_reply(gdb);
	}
}

/* -------------------------------------------------------------------- words */

bool hv_gdb_skip(struct hv_gdb_text *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

bool hv_gdb_skip_word(struct hv_gdb_text *text, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len))
		return false;
	text->at += len;
	return true;
}

bool hv_gdb_number(struct hv_gdb_text *text, uint64_t *value)
{
	const char *begin = text->at;
	uint8_t byte;

	for (*value = 0; text->at < text->end; text->at++) {
		const char two[] = { '0', *text->at };

		if (!hv_gdb_unhex(&byte, two, 1))
			break;
		if (*value >> 60)
			return false;
		*value = *value << 4 | byte;
	}
	return text->at > begin;
}

bool hv_gdb_thread(struct hv_gdb *gdb, struct hv_gdb_text *text, int any, int *vcpu)
{
	uint64_t id;

	*vcpu = -1;
	if (hv_gdb_skip_word(text, "-1"))
		return true;
	if (!hv_gdb_number(text, &id) || id > gdb->ops->count(gdb->ctx))
		return false;
	*vcpu = id ? (int)id - 1 : any;
	return true;
}

/* -------------------------------------------------------------------- stops */

static void put_stop(struct hv_gdb *gdb)
{
	const struct hv_gdb_stop *stop = &gdb->stop;

	hv_gdb_put(gdb, "T%02x", stop->why == HV_GDB_INTERRUPTED ? SIGNAL_INT : SIGNAL_TRAP);
	if (stop->why == HV_GDB_AT_BREAK && gdb->swbreak)
		hv_gdb_put(gdb, "swbreak:;");
	if (stop->why == HV_GDB_AT_HBREAK && gdb->hwbreak)
		hv_gdb_put(gdb, "hwbreak:;");
	if (stop->why == HV_GDB_AT_WATCH || stop->why == HV_GDB_AT_AWATCH)
		hv_gdb_put(gdb, "%s:%llx;", stop->why == HV_GDB_AT_WATCH ? "watch" : "awatch",
			   (unsigned long long)stop->address);
	hv_gdb_put(gdb, "thread:%x;", stop->vcpu + 1);
}

void hv_gdb_stopped(struct hv_gdb *gdb, const struct hv_gdb_stop *stop)
{
	bool awaited = gdb->state == HV_GDB_RUNNING;

	gdb->state = HV_GDB_STOPPED;
	gdb->stop = *stop;
	gdb->vcpu = stop->vcpu;
	if (!awaited)
		return;
	put_stop(gdb);
	hv_gdb_reply(gdb);
}

void hv_gdb_ended(struct hv_gdb *gdb, int status)
{
	bool awaited = gdb->state == HV_GDB_RUNNING;

	gdb->state = HV_GDB_DONE;
	if (!awaited)
		return;
	hv_gdb_put(gdb, "W%02x", (unsigned int)status & 0xff);
	hv_gdb_reply(gdb);
}

/* ----------------------------------------------------------------- resuming */

/* The answer is a stop, later. */
static void resume(struct hv_gdb *gdb, const enum hv_gdb_action action[HV_GDB_VCPUS_MAX])
{
	int error = gdb->ops->resume(gdb->ctx, action);

	if (error)
		hv_gdb_put_result(gdb, error);
	else
		gdb->state = HV_GDB_RUNNING;
}

/* "c", "s": by Hc; to go on elsewhere is a matter of P. */
static void resume_old(struct hv_gdb *gdb, struct hv_gdb_text text, enum hv_gdb_action what)
{
	enum hv_gdb_action action[HV_GDB_VCPUS_MAX] = { HV_GDB_STAND };

	if (text.at != text.end) {
		hv_gdb_put_result(gdb, -EOPNOTSUPP);
		return;
	}
	for (unsigned int i = 0; i < gdb->ops->count(gdb->ctx); i++)
		action[i] = what == HV_GDB_STEP ? HV_GDB_CONTINUE : what;
	if (what == HV_GDB_STEP)
		action[gdb->moves < 0 ? gdb->vcpu : (unsigned int)gdb->moves] = what;
	resume(gdb, action);
}

static void cmd_continue(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	resume_old(gdb, text, HV_GDB_CONTINUE);
}

static void cmd_step(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	resume_old(gdb, text, HV_GDB_STEP);
}

/* A vCPU takes no signals: what of them is said is left out. */
static bool parse_action(struct hv_gdb_text *text, enum hv_gdb_action *action)
{
	char c = text->at < text->end ? *text->at++ : 0;
	uint64_t signal;

	switch (c) {
	case 'C':
		*action = HV_GDB_CONTINUE;
		return hv_gdb_number(text, &signal);
	case 'c':
		*action = HV_GDB_CONTINUE;
		return true;
	case 'S':
		*action = HV_GDB_STEP;
		return hv_gdb_number(text, &signal);
	case 's':
		*action = HV_GDB_STEP;
		return true;
	case 't':
		*action = HV_GDB_STAND;
		return true;
	default:
		return false;
	}
}

/* ";ACTION[:THREAD]...": of those for a thread the first counts; who has none stands. */
static bool parse_actions(struct hv_gdb *gdb, struct hv_gdb_text text,
			  enum hv_gdb_action action[HV_GDB_VCPUS_MAX])
{
	unsigned int count = gdb->ops->count(gdb->ctx);
	bool set[HV_GDB_VCPUS_MAX] = { false };

	while (hv_gdb_skip(&text, ';')) {
		enum hv_gdb_action what;
		int vcpu = -1;

		if (!parse_action(&text, &what))
			return false;
		if (hv_gdb_skip(&text, ':') && !hv_gdb_thread(gdb, &text, (int)gdb->vcpu, &vcpu))
			return false;
		for (unsigned int i = 0; i < count; i++) {
			if (set[i] || (vcpu >= 0 && (unsigned int)vcpu != i))
				continue;
			action[i] = what;
			set[i] = true;
		}
	}
	return text.at == text.end;
}

static void resume_by_actions(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	enum hv_gdb_action action[HV_GDB_VCPUS_MAX] = { HV_GDB_STAND };
	bool any = false;

	if (!parse_actions(gdb, text, action)) {
		hv_gdb_put_result(gdb, -EINVAL);
		return;
	}
	for (unsigned int i = 0; i < HV_GDB_VCPUS_MAX; i++)
		any |= action[i] != HV_GDB_STAND;
	if (any)
		resume(gdb, action);
	else
		hv_gdb_put_result(gdb, -EINVAL);
}

static void do_kill(struct hv_gdb *gdb)
{
	gdb->state = HV_GDB_DONE;
	gdb->ops->kill(gdb->ctx);
}

static void cmd_kill(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	do_kill(gdb);
}

static void cmd_v(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	if (hv_gdb_skip_word(&text, "Cont?")) {
		hv_gdb_put(gdb, "vCont;c;C;s;S;t");
	} else if (hv_gdb_skip_word(&text, "Cont")) {
		resume_by_actions(gdb, text);
	} else if (hv_gdb_skip_word(&text, "Kill")) {
		hv_gdb_put(gdb, "OK");
		hv_gdb_reply(gdb);
		do_kill(gdb);
	} else {
		hv_gdb_reply(gdb); /* what is not known has an empty answer */
	}
}

static void cmd_detach(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	hv_gdb_put(gdb, "OK");
	hv_gdb_reply(gdb);
	gdb->state = HV_GDB_DONE;
	gdb->ops->detach(gdb->ctx);
}

/* ------------------------------------------------------------------ threads */

static void cmd_why(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	(void)text;
	put_stop(gdb);
}

static void cmd_choose(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	bool moves = hv_gdb_skip(&text, 'c');
	int vcpu;

	if (!moves && !hv_gdb_skip(&text, 'g')) {
		hv_gdb_put_result(gdb, -EINVAL);
		return;
	}
	if (!hv_gdb_thread(gdb, &text, (int)gdb->vcpu, &vcpu) || text.at != text.end) {
		hv_gdb_put_result(gdb, -ESRCH);
		return;
	}
	if (moves)
		gdb->moves = vcpu;
	else if (vcpu >= 0)
		gdb->vcpu = (unsigned int)vcpu;
	hv_gdb_put_result(gdb, 0);
}

static void cmd_is_alive(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	int vcpu;

	hv_gdb_put_result(gdb, hv_gdb_thread(gdb, &text, -1, &vcpu) && vcpu >= 0 ? 0 : -ESRCH);
}

/* ------------------------------------------------------------------- points */

static bool parse_point(struct hv_gdb_text *text, uint64_t *kind, uint64_t *address, uint64_t *len)
{
	return hv_gdb_number(text, kind) && *kind <= HV_GDB_AWATCH && hv_gdb_skip(text, ',') &&
	       hv_gdb_number(text, address) && hv_gdb_skip(text, ',') && hv_gdb_number(text, len) &&
	       text->at == text->end;
}

static void change_point(struct hv_gdb *gdb, struct hv_gdb_text text, bool insert)
{
	uint64_t kind, address, len;
	int error;

	if (!parse_point(&text, &kind, &address, &len))
		error = -EINVAL;
	else if (insert)
		error = gdb->ops->insert(gdb->ctx, gdb->vcpu, (enum hv_gdb_point)kind, address,
					 len);
	else
		error = gdb->ops->remove(gdb->ctx, (enum hv_gdb_point)kind, address, len);
	/* No answer: there are none of that kind, gdb tries another. */
	if (error != -EOPNOTSUPP)
		hv_gdb_put_result(gdb, error);
	else
		hv_gdb_reply(gdb);
}

static void cmd_insert(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	change_point(gdb, text, true);
}

static void cmd_remove(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	change_point(gdb, text, false);
}

/* ----------------------------------------------------------------- commands */

/* What they put is sent; one that puts nothing has sent its answer, or has none yet. */
static const struct {
	char c;
	void (*run)(struct hv_gdb *gdb, struct hv_gdb_text text);
} commands[] = {
	{ '?', cmd_why },
	{ 'c', cmd_continue },
	{ 'D', cmd_detach },
	{ 'g', hv_gdb_cmd_read_all },
	{ 'G', hv_gdb_cmd_write_all },
	{ 'H', cmd_choose },
	{ 'k', cmd_kill },
	{ 'm', hv_gdb_cmd_read_memory },
	{ 'M', hv_gdb_cmd_write_memory },
	{ 'p', hv_gdb_cmd_read_register },
	{ 'P', hv_gdb_cmd_write_register },
	{ 'q', hv_gdb_cmd_query },
	{ 'Q', hv_gdb_cmd_set },
	{ 's', cmd_step },
	{ 'T', cmd_is_alive },
	{ 'v', cmd_v },
	{ 'X', hv_gdb_cmd_write_binary },
	{ 'z', cmd_remove },
	{ 'Z', cmd_insert },
};

static void run(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	char c = text.at < text.end ? *text.at++ : 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].c != c)
			continue;
		commands[i].run(gdb, text);
		if (gdb->len || gdb->overflow)
			hv_gdb_reply(gdb);
		return;
	}
	hv_gdb_reply(gdb);
}

static void on_packet(struct hv_gdb *gdb)
{
	const char *body = gdb->parser.body;
	struct hv_gdb_text text = { body, body + gdb->parser.len };

	if (!gdb->no_ack)
		gdb->ops->send(gdb->ctx, "+", 1);
	/* To one that runs nothing can be said but this. */
	if (gdb->state == HV_GDB_STOPPED || *body == 'k')
		run(gdb, text);
}

static void on_token(struct hv_gdb *gdb, enum hv_gdb_token token)
{
	switch (token) {
	case HV_GDB_PACKET:
		on_packet(gdb);
		break;
	case HV_GDB_BROKEN:
		if (!gdb->no_ack)
			gdb->ops->send(gdb->ctx, "-", 1);
		break;
	case HV_GDB_NAK:
		if (!gdb->no_ack)
			send_frame(gdb);
		break;
	case HV_GDB_INTERRUPT:
		if (gdb->state == HV_GDB_RUNNING)
			gdb->ops->interrupt(gdb->ctx);
		break;
	case HV_GDB_ACK:
	case HV_GDB_NOTHING:
		break;
	}
}

size_t hv_gdb_take(struct hv_gdb *gdb, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (gdb->state == HV_GDB_STOPPING)
		return 0;
	for (size_t i = 0; i < len && gdb->state != HV_GDB_DONE; i++)
		on_token(gdb, hv_gdb_parse(&gdb->parser, bytes[i]));
	return len;
}

void hv_gdb_init(struct hv_gdb *gdb, const struct hv_gdb_ops *ops, void *ctx)
{
	gdb->ops = ops;
	gdb->ctx = ctx;
	gdb->state = HV_GDB_STOPPING;
	gdb->moves = -1;
}
