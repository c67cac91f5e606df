// SPDX-License-Identifier: GPL-2.0-only
/* Running VMs, as commands reach them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/status.h"
#include "lib/text.h"
#include "reach.h"

int hv_reach_fail(const char *command, const char *name, const struct hv_error *err)
{
	char text[sizeof(err->text) + HV_NAME_MAX];

	snprintf(text, sizeof(text), "%s%s%s", name ? name : "", name ? ": " : "", err->text);
	hv_text_clean(text, sizeof(text), text, strlen(text));
	fprintf(stderr, "%s: %s\n", command, text);
	return HV_STATUS_USAGE;
}

static int open_dir(struct hv_runtime_dir *dir, struct hv_error *err)
{
	int error = hv_runtime_dir_open(dir, false, err);

	return error == -ENOENT ? hv_fail(err, ENOENT, "no such VM; there is none") : error;
}

int hv_reach(struct hv_client *client, const char *word, struct hv_error *err)
{
	struct hv_runtime_dir dir;
	char name[HV_NAME_MAX + 1];
	int error;

	client->fd = -1;
	error = open_dir(&dir, err);
	if (!error)
		error = hv_client_find(&dir, word, name, err);
	if (!error)
		error = hv_client_open(client, &dir, name, err);
	hv_runtime_dir_close(&dir);
	return error;
}

int hv_reach_named(struct hv_client *client, const char *name, struct hv_error *err)
{
	struct hv_runtime_dir dir;
	int error;

	client->fd = -1;
	error = open_dir(&dir, err);
	if (!error)
		error = hv_client_open(client, &dir, name, err);
	hv_runtime_dir_close(&dir);
	return error;
}

int hv_reach_end(struct hv_client *client, int *status, struct hv_error *err)
{
	json_t *event;
	int error;

	*status = HV_STATUS_ERROR;
	do
		error = hv_client_receive(client, -1, &event, err);
	while (!error && !json_object_get(event, "event") && (json_decref(event), true));
	if (error)
		return error == -EPIPE ?
			       hv_fail(err, EPIPE,
				       "process %d has gone without a word; it was killed",
				       client->pid) :
			       error;
	*status = json_integer_value(json_object_get(event, "status"));
	printf("%s: %s\n", client->name,
	       json_string_value(json_object_get(event, "text")) ?: "ended");
	json_decref(event);
	return 0;
}
