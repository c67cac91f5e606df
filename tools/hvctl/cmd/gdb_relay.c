// SPDX-License-Identifier: GPL-2.0-only
/* Bytes to and fro between a debugger and a VM. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "gdb_relay.h"

bool hv_gdb_send(int fd, const char *data, size_t len)
{
	while (len) {
		struct pollfd room = { fd, POLLOUT, 0 };
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN)
			(void)poll(&room, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* What there is. False: no more will come, or nobody takes it. */
static bool pass(int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n && hv_gdb_send(to, data, (size_t)n);
}

void hv_gdb_relay(int in, int out, struct hv_client *client)
{
	struct pollfd fds[] = { { in, POLLIN, 0 }, { client->fd, POLLIN, 0 } };

	/* It may have come with the reply. */
	if (!hv_gdb_send(out, client->in, client->len))
		return;
	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[1].revents && !pass(client->fd, out))
			return;
		if (fds[0].revents && !pass(in, client->fd))
			return;
	}
}

int hv_gdb_ask(struct hv_client *client, const char *arch, struct hv_error *err)
{
	json_t *reply = NULL;
	int error = hv_client_call(client, json_pack("{s:s, s:s*}", "request", "gdb", "arch", arch),
				   &reply, err);

	json_decref(reply);
	return error;
}
