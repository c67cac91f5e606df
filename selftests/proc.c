// SPDX-License-Identifier: GPL-2.0-only
/* Host side: processes, files, memory, descriptors over sockets. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib.h"

void *map_anon(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap of %zu bytes: %m", bytes);
	return p;
}

int online_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

u64 ms_to_tsc(u64 ms)
{
	u32 khz = info()->tsc_khz;

	return ms * (khz ? khz : 50000);
}

long read_long(const char *path)
{
	FILE *f = fopen(path, "re");
	long value = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

pid_t spawn(int (*child)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = must(fork());
	if (!pid)
		_exit(child(arg));
	return pid;
}

int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			bail("waitpid: %m");
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

union fd_message {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

void send_fd(int sock, int fd)
{
	union fd_message control = { };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	must(sendmsg(sock, &msg, 0));
}

int recv_fd(int sock)
{
	union fd_message control = { };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd;

	must(recvmsg(sock, &msg, 0));
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}
