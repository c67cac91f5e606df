// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets between a host and its guests: vsock PORT, or vsock CID PORT.
 *
 * Waits for one connection to PORT, or makes one to PORT of CID; sends standard input there and prints
 * what comes back, until each side has said all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "vsock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void copy(int from, int to)
{
	char data[65536];
	ssize_t len;

	while ((len = read(from, data, sizeof(data))) > 0)
		check(write(to, data, len) == len ? 0 : -1, "write");
	check(len, "read");
}

static int wait_for_peer(unsigned int port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	check(fd, "socket");
	check(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	check(listen(fd, 1), "listen");
	return accept(fd, NULL, NULL);
}

static int connect_to(unsigned int cid, unsigned int port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	check(fd, "socket");
	check(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

int main(int argc, char **argv)
{
	int fd, status;
	pid_t sender;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: vsock PORT, vsock CID PORT\n");
		return 2;
	}
	fd = argc == 2 ? wait_for_peer(atoi(argv[1])) : connect_to(atoi(argv[1]), atoi(argv[2]));
	check(fd, "accept");
	sender = fork();
	check(sender, "fork");
	if (!sender) {
		copy(STDIN_FILENO, fd);
		shutdown(fd, SHUT_WR);
		return 0;
	}
	copy(fd, STDOUT_FILENO);
	check(waitpid(sender, &status, 0), "wait");
	return status != 0;
}
