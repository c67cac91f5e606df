// SPDX-License-Identifier: GPL-2.0-only
/* What waits for clients of the control channel to be read: bounded, and as long as that lasts. */
#include <stdlib.h>
#include <string.h>

#include "control.h"

bool hv_control_make_room(struct hv_control_client *client, size_t size)
{
	char *out;

	if (size < HV_CONTROL_OUT)
		size = HV_CONTROL_OUT;
	if (size <= client->out_room)
		return true;
	out = size > HV_CONTROL_OUT_MAX ? NULL : realloc(client->out, size);
	if (!out)
		return false;
	client->out = out;
	client->out_room = size;
	return true;
}

void hv_control_give_room_back(struct hv_control_client *client)
{
	if (client->out_room <= HV_CONTROL_OUT)
		return;
	free(client->out);
	client->out = NULL;
	client->out_room = 0;
}

void hv_control_send(struct hv_control_client *client, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(line);
	/* Without memory, too: one that has no answer would wait for it. */
	if (!text || len + 1 > HV_CONTROL_REPLY_MAX ||
	    !hv_control_make_room(client, client->out_len + len + 1)) {
		client->dropped = true;
	} else {
		memcpy(client->out + client->out_len, text, len);
		client->out[client->out_len + len] = '\n';
		client->out_len += len + 1;
	}
	free(text);
}

void hv_control_refuse(struct hv_control_client *client, const char *request, json_t *id,
		       const char *code, const char *text)
{
	hv_control_send(client, json_pack("{s:s?, s:O*, s:b, s:s, s:s}", "reply", request, "id", id,
					  "ok", 0, "code", code, "error", text));
}

void hv_control_send_raw(struct hv_control_client *client, const void *data, size_t len)
{
	if (!hv_control_make_room(client, client->out_len + len)) {
		client->dropped = true;
		return;
	}
	memcpy(client->out + client->out_len, data, len);
	client->out_len += len;
}
