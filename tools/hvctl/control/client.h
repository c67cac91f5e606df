/* SPDX-License-Identifier: GPL-2.0-only */
/* Our end of a VM's control channel: find the VM, ask, wait. */
#ifndef HV_CONTROL_CLIENT_H
#define HV_CONTROL_CLIENT_H

#include <jansson.h>

#include "claim.h"
#include "protocol.h"

struct hv_client {
	int fd;				/* -1: not connected */
	int file;			/* goes with the next request, and stays ours; -1: none */
	pid_t pid;
	char name[HV_NAME_MAX + 1];
	size_t len;			/* what has come and not been looked at */
	char in[HV_CONTROL_LINE_MAX];
};

/**
 * hv_client_find() - which VM is it?
 * @dir: where
 * @word: its name, its process, or the beginning of its name alone; NULL: the one that runs
 * @name: filled in
 * @err: filled in on failure: there is none, or there are several, which it lists
 *
 * Returns 0 or -errno.
 */
int hv_client_find(const struct hv_runtime_dir *dir, const char *word, char name[HV_NAME_MAX + 1],
		   struct hv_error *err);

/* Connect to the VM of that very name, and hear its greeting. Returns 0 or -errno. */
int hv_client_open(struct hv_client *client, const struct hv_runtime_dir *dir, const char *name,
		   struct hv_error *err);
/* The same on a socket that was there before the VM, which may take its time to begin. */
int hv_client_adopt(struct hv_client *client, int fd, struct hv_error *err);
void hv_client_close(struct hv_client *client);

/**
 * hv_client_receive() - the next line
 * @client: connected
 * @timeout_ms: how long to wait for it; -1: for ever
 * @line: filled in: json_decref() it
 * @err: filled in on failure
 *
 * Its strings are fit for a terminal, whoever has got at the VM: hv_text_clean().
 *
 * Returns 0 or -errno: -EPIPE when the VM has gone.
 */
int hv_client_receive(struct hv_client *client, int timeout_ms, json_t **line,
		      struct hv_error *err);

/**
 * hv_client_call() - ask and have the answer
 * @client: connected
 * @request: what json_pack() has made, which goes; NULL: there was no memory
 * @reply: filled in: json_decref() it
 * @err: filled in on failure: also what the VM has refused it with
 *
 * Returns 0 or -errno: -EPROTO if the VM said no, also to the client itself, as the 33rd one.
 */
int hv_client_call(struct hv_client *client, json_t *request, json_t **reply, struct hv_error *err);

#endif
