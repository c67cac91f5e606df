// SPDX-License-Identifier: GPL-2.0-only
/* File descriptors that go to another process with a message: unix(7), "Ancillary messages". */
#include <string.h>
#include <sys/socket.h>

#include "fds.h"

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(HV_FDS_MAX * sizeof(int))];
};

static void attach(struct msghdr *msg, union control *control, const int *fds, unsigned int nr_fds)
{
	memset(control, 0, sizeof(*control));
	control->header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(nr_fds * sizeof(*fds)),
	};
	memcpy(CMSG_DATA(&control->header), fds, nr_fds * sizeof(*fds));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(nr_fds * sizeof(*fds));
}

ssize_t hv_send_fds(int socket, const void *data, size_t len, const int *fds, unsigned int nr_fds,
		    int flags)
{
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	if (nr_fds)
		attach(&msg, &control, fds, nr_fds);
	return sendmsg(socket, &msg, flags);
}

ssize_t hv_receive_fd(int socket, void *data, size_t len, int *fd, int flags)
{
	struct iovec iov = { data, len };
	union control control;
	/*
	 * No more than one: behind it there would be room for a second, which nobody would close.
	 */
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(*fd)),
	};
	ssize_t n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	*fd = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return n;
}
