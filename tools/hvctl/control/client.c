// SPDX-License-Identifier: GPL-2.0-only
/* The asking end of a control channel. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "lib/fds.h"
#include "lib/text.h"
#include "lib/util.h"
#include "socket.h"

/* A VM answers at once, unless it is stopped (SIGSTOP), or still reads its image. */
#define ANSWER_MS 5000

/* --------------------------------------------------------------------- find */

static bool is_pid_of(const struct hv_runtime_dir *dir, const char *word, const char *name)
{
	char *end;
	long pid = strtol(word, &end, 10);

	return pid > 0 && !*end && pid == hv_claim_pid(dir, name);
}

/* "web-1, web-2", as many as there is room for */
static void list(char *text, size_t room, const struct hv_name *names, int count,
		 const char *prefix)
{
	size_t len = 0;

	*text = '\0';
	for (int i = 0; i < count && len < room; i++)
		if (!strncmp(names[i].text, prefix, strlen(prefix)))
			len += snprintf(text + len, room - len, "%s%s", len ? ", " : "",
					names[i].text);
}

/* The index of the one that @word means, or -1: @matches says how many it begins. */
static int find(const struct hv_runtime_dir *dir, const char *word, const struct hv_name *names,
		int count, int *matches)
{
	int found = -1;

	*matches = 0;
	if (!word)
		return count == 1 ? 0 : -1;
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i].text, word))
			return i;
	for (int i = 0; i < count; i++)
		if (is_pid_of(dir, word, names[i].text))
			return i;
	for (int i = 0; i < count; i++)
		if (*word && !strncmp(names[i].text, word, strlen(word))) {
			found = i;
			++*matches;
		}
	return *matches == 1 ? found : -1;
}

int hv_client_find(const struct hv_runtime_dir *dir, const char *word, char name[HV_NAME_MAX + 1],
		   struct hv_error *err)
{
	struct hv_name *names;
	char text[200];
	int matches, count = hv_claim_list(dir, &names, err), found;

	if (count < 0) {
		free(names);
		return count;
	}
	found = find(dir, word, names, count, &matches);
	if (found >= 0)
		strcpy(name, names[found].text);
	list(text, sizeof(text), names, count, matches ? word : "");
	free(names);
	if (found >= 0)
		return 0;
	if (!word && count)
		return hv_fail(err, EINVAL, "there are several; which of %s?", text);
	if (matches)
		return hv_fail(err, EINVAL, "begins the names of several; which of %s?", text);
	if (count)
		return hv_fail(err, ENOENT, "no such VM; there are %s", text);
	return hv_fail(err, ENOENT, "no such VM; there is none");
}

/* ----------------------------------------------------------------- transfer */

static int gone(const struct hv_client *client, struct hv_error *err)
{
	return hv_fail(err, EPIPE, "process %d has gone; 'hvctl ps' lists those that are left",
		       client->pid);
}

static int wait_for(const struct hv_client *client, short events, int timeout_ms,
		    struct hv_error *err)
{
	struct pollfd fd = { client->fd, events, 0 };
	int ready;

	do
		ready = poll(&fd, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	return hv_fail(
		err, ETIMEDOUT,
		"process %d does not answer; it may be starting, or stopped: see 'ps %d', 'kill -CONT %d'",
		client->pid, client->pid, client->pid);
}

static int send_all(struct hv_client *client, const char *text, size_t len, struct hv_error *err)
{
	while (len) {
		ssize_t n = hv_send_fds(client->fd, text, len, &client->file, client->file >= 0,
					MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			int error = wait_for(client, POLLOUT, ANSWER_MS, err);

			if (error)
				return error;
			continue;
		}
		if (n < 0)
			return gone(client, err);
		client->file = -1;
		text += n;
		len -= n;
	}
	return 0;
}

/* More of what comes; there is room. */
static int receive_some(struct hv_client *client, int timeout_ms, struct hv_error *err)
{
	int error = wait_for(client, POLLIN, timeout_ms, err);
	ssize_t n;

	if (error)
		return error;
	n = recv(client->fd, client->in + client->len, sizeof(client->in) - client->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return gone(client, err);
	client->len += n;
	return 0;
}

/* A key of more than printable ASCII is none of ours. */
static bool is_clean_key(const char *key)
{
	for (; *key; key++)
		if (*key < ' ' || *key > '~')
			return false;
	return true;
}

static bool clean(json_t *value);

static bool clean_string(json_t *string)
{
	const char *text = json_string_value(string);
	size_t len = json_string_length(string);
	char *copy = malloc(len + 1);
	int error;

	if (!copy)
		return false;
	len = hv_text_clean(copy, len + 1, text, len);
	error = json_string_setn(string, copy, len);
	free(copy);
	return !error;
}

static bool clean_object(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
		if (!is_clean_key(key) || !clean(value))
			return false;
	return true;
}

/*
 * What a VM says is for terminals, and its guest may have got at the VM: an escaped control
 * character must not reach them. json_loadb() has made sure that this is not too deep.
 */
static bool clean(json_t *value)
{
	json_t *element;
	size_t i;

	if (json_is_string(value))
		return clean_string(value);
	if (json_is_object(value))
		return clean_object(value);
	json_array_foreach(value, i, element)
		if (!clean(element))
			return false;
	return true;
}

/* NULL: it is no object, or not of our words. */
static json_t *parse_line(const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(line) && clean(line))
		return line;
	json_decref(line);
	return NULL;
}

/* The line that @client->in begins with, which goes. */
static json_t *take_line(struct hv_client *client, const char *end)
{
	size_t len = end + 1 - client->in;
	json_t *line = parse_line(client->in, len - 1);

	client->len -= len;
	memmove(client->in, end + 1, client->len);
	return line;
}

/* The first pieces of a line that @client->in has no room for. */
struct long_line {
	char *text;
	size_t len;
};

/* False: it is too long for any line, or there is no memory for it. */
static bool keep_piece(struct long_line *line, struct hv_client *client, size_t len)
{
	char *text = line->len + len > HV_CONTROL_REPLY_MAX ? NULL :
							      realloc(line->text, line->len + len);

	if (!text)
		return false;
	memcpy(text + line->len, client->in, len);
	line->text = text;
	line->len += len;
	client->len -= len;
	memmove(client->in, client->in + len, client->len);
	return true;
}

/* Its last piece ends at @end; NULL: it is no object. */
static json_t *take_long_line(struct long_line *line, struct hv_client *client, const char *end)
{
	if (!line->len)
		return take_line(client, end);
	if (!keep_piece(line, client, end + 1 - client->in))
		return NULL;
	return parse_line(line->text, line->len - 1);
}

int hv_client_receive(struct hv_client *client, int timeout_ms, json_t **line, struct hv_error *err)
{
	struct long_line kept = { .text = NULL };
	const char *end;
	int error = 0;

	*line = NULL;
	while (!(end = memchr(client->in, '\n', client->len)) && !error) {
		if (client->len == sizeof(client->in) && !keep_piece(&kept, client, client->len))
			break;
		error = receive_some(client, timeout_ms, err);
	}
	if (end)
		*line = take_long_line(&kept, client, end);
	free(kept.text);
	if (error || *line)
		return error;
	return hv_fail(err, EBADMSG, "process %d does not say what hvctl says; end it",
		       client->pid);
}

/* ----------------------------------------------------------------- together */

/* By what name we know it is ours to say, unless we have none. */
static void take_name(struct hv_client *client, const json_t *hello)
{
	const char *name = json_string_value(json_object_get(hello, "name"));

	if (!*client->name && name && hv_name_is_valid(name))
		snprintf(client->name, sizeof(client->name), "%s", name);
}

static int greet(struct hv_client *client, int timeout_ms, struct hv_error *err)
{
	json_t *hello;
	int error = hv_client_receive(client, timeout_ms, &hello, err), protocol;

	if (error)
		return error;
	take_name(client, hello);
	protocol = json_integer_value(json_object_get(hello, "protocol"));
	json_decref(hello);
	if (protocol == HV_CONTROL_PROTOCOL)
		return 0;
	return hv_fail(err, EPROTO,
		       "it speaks protocol %d, not %d; use the hvctl that it was started with",
		       protocol, HV_CONTROL_PROTOCOL);
}

int hv_client_open(struct hv_client *client, const struct hv_runtime_dir *dir, const char *name,
		   struct hv_error *err)
{
	*client = (struct hv_client){ .file = -1, .pid = hv_claim_pid(dir, name) };
	snprintf(client->name, sizeof(client->name), "%s", name);
	client->fd = hv_socket_connect(dir, name);
	if (client->fd < 0)
		return hv_fail(err, -client->fd,
			       "process %d cannot be reached: %s; it may be starting or ending",
			       client->pid, strerror(-client->fd));
	if (!hv_socket_is_friend(client->fd, &client->pid))
		return hv_fail(err, EPERM, "it is another user's; see who has written to %s",
			       dir->path);
	return greet(client, ANSWER_MS, err);
}

int hv_client_adopt(struct hv_client *client, int fd, struct hv_error *err)
{
	*client = (struct hv_client){ .fd = fd };
	return greet(client, -1, err);
}

void hv_client_close(struct hv_client *client)
{
	hv_close(client->fd);
	client->fd = -1;
}

static int send_request(struct hv_client *client, json_t *request, struct hv_error *err)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int error;

	json_decref(request);
	if (!text)
		return hv_fail(err, ENOMEM, "no memory for a request; close something");
	error = send_all(client, text, strlen(text), err);
	free(text);
	return error ? error : send_all(client, "\n", 1, err);
}

int hv_client_call(struct hv_client *client, json_t *request, json_t **reply, struct hv_error *err)
{
	int error = send_request(client, request, err);

	/* One that turns a client away says why, and does not wait for what it wants. */
	if (error == -EPIPE)
		error = 0;
	/* What comes unasked is not it. */
	for (*reply = NULL; !error && !json_object_get(*reply, "reply");) {
		json_decref(*reply);
		*reply = NULL;
		error = hv_client_receive(client, ANSWER_MS, reply, err);
	}
	if (error || json_is_true(json_object_get(*reply, "ok")))
		return error;
	hv_fail(err, EPROTO, "%s", json_string_value(json_object_get(*reply, "error")) ?: "no");
	json_decref(*reply);
	*reply = NULL;
	return -EPROTO;
}
