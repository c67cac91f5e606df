// SPDX-License-Identifier: GPL-2.0-only
/* Records in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"

static const char magic[8] = "tinyvmx";

#define ALIGN8(len) (((len) + 7) & ~(uint64_t)7)

static bool make_room(struct hv_state *state, size_t len)
{
	size_t room = state->room ? state->room : 65536;
	uint8_t *data;

	while (room - state->len < len)
		room *= 2;
	if (room == state->room)
		return true;
	data = realloc(state->data, room);
	if (!data)
		return false;
	state->data = data;
	state->room = room;
	return true;
}

static void begin(struct hv_state *state)
{
	if (state->len || !make_room(state, sizeof(magic)))
		return;
	memcpy(state->data, magic, sizeof(magic));
	state->len = sizeof(magic);
}

void *hv_records_add(struct hv_state *state, uint32_t type, uint32_t instance, uint32_t version,
		     size_t len)
{
	size_t size = sizeof(struct hv_record) + ALIGN8(len);
	struct hv_record *record;

	begin(state);
	if (!state->len || !make_room(state, size))
		return NULL;
	record = (void *)(state->data + state->len);
	memset(record, 0, size);
	*record = (struct hv_record){ type, instance, version, 0, len };
	state->len += size;
	return record + 1;
}

const struct hv_record *hv_records_next(const struct hv_state *state,
					const struct hv_record *record)
{
	size_t at = sizeof(magic);

	if (record)
		at = (const uint8_t *)hv_record_data(record) + ALIGN8(record->len) - state->data;
	return at < state->len ? (const void *)(state->data + at) : NULL;
}

int hv_records_check(const struct hv_state *state, struct hv_error *err)
{
	size_t at = sizeof(magic);

	if (state->len < at || memcmp(state->data, magic, at))
		return hv_fail(err, EINVAL,
			       "this is no saved machine; give one that hvctl has saved");
	while (at < state->len) {
		const struct hv_record *record = (const void *)(state->data + at);
		size_t left = state->len - at;

		if (left < sizeof(*record) || record->pad || record->len > left - sizeof(*record) ||
		    ALIGN8(record->len) > left - sizeof(*record))
			return hv_fail(err, EINVAL,
				       "the saved machine is damaged at byte %zu; save it again",
				       at);
		at += sizeof(*record) + ALIGN8(record->len);
	}
	return 0;
}

const void *hv_records_find(const struct hv_state *state, uint32_t type, uint32_t instance,
			    uint32_t version, size_t len, size_t *found, struct hv_error *err)
{
	const struct hv_record *record = NULL, *one = NULL;
	const char *why = "is missing";

	while ((record = hv_records_next(state, record))) {
		if (record->type != type || record->instance != instance)
			continue;
		why = one ? "is there twice" : NULL;
		if (why)
			break;
		one = record;
		if (record->version != version)
			why = "is of another version";
		else if (len && record->len != len)
			why = "has a wrong length";
		if (why)
			break;
	}
	if (one && !why) {
		if (found)
			*found = one->len;
		return hv_record_data(one);
	}
	hv_fail(err, EINVAL,
		"record 0x%x.%u of the saved machine %s; save it again with this hvctl", type,
		instance, why);
	return NULL;
}
