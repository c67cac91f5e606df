// SPDX-License-Identifier: GPL-2.0-only
/*
 * The testbed's man inside the machine: fetch the payload, run the command, pass everything out.
 *
 * It talks to vtbox through the plainest devices that Bochs and QEMU share, by port I/O, so that the machine's
 * kernel needs no driver: bytes go out through debug port 0xe9, the payload comes in from the first ATA disk.
 * The command's input comes in through the second serial port, a chunk at a time and only when asked for.
 *
 *   agent disk                 write the payload (after its header sector) to standard output
 *   agent fail TEXT            tell vtbox that the machine could not be set up
 *   agent run [-t] COMMAND...  as process 1: run COMMAND, then /etc/finish, then report the exit status
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT_OUT	0xe9
#define ATA_DATA	0x1f0
#define ATA_COUNT	0x1f2
#define ATA_LBA		0x1f3
#define ATA_DRIVE	0x1f6
#define ATA_COMMAND	0x1f7
#define ATA_CONTROL	0x3f6
#define ATA_BUSY	0x80
#define ATA_DRQ		0x08
#define ATA_ERR		0x01
#define ATA_READ	0x20
#define SECTOR		512
#define MAGIC		"TVXPAYLOAD"
#define MAGIC_OFFSET	256

/* The kinds of frames that go out: kind, length (16 bits, little endian), data. */
enum frame {
	FRAME_KERNEL = 'K',	/* a record of /dev/kmsg */
	FRAME_START = 'S',	/* the command starts now */
	FRAME_OUTPUT = 'O',	/* its output */
	FRAME_READY = 'R',	/* send me a chunk of input */
	FRAME_FILES = 'T',	/* a piece of the tar with the files asked for */
	FRAME_FAIL = 'F',	/* the machine could not be set up: why */
	FRAME_EXIT = 'X',	/* exit status, in decimal */
};

/* Not outsb() of sys/io.h, which does not tell the compiler that it reads memory. */
static void put_bytes(const void *data, size_t len)
{
	asm volatile("rep outsb" : "+S"(data), "+c"(len) : "d"(PORT_OUT) : "memory");
}

static void get_words(void *data, size_t count)
{
	asm volatile("rep insw" : "+D"(data), "+c"(count) : "d"(ATA_DATA) : "memory");
}

static void send_frame(enum frame kind, const void *data, size_t len)
{
	uint8_t head[3] = { kind, len & 0xff, len >> 8 };

	put_bytes(head, sizeof(head));
	put_bytes(data, len);
}

static void fail(const char *text)
{
	send_frame(FRAME_FAIL, text, strlen(text));
	/* vtbox ends the machine now; returning from process 1 would only add a panic to its log. */
	for (;;)
		pause();
}

/* Read count (1 to 256) sectors from the first disk, by polling. */
static int disk_read(uint32_t lba, unsigned int count, void *buf)
{
	uint8_t status;
	unsigned int i;

	outb(0xe0 | lba >> 24, ATA_DRIVE);
	outb(count & 0xff, ATA_COUNT);
	for (i = 0; i < 3; i++)
		outb(lba >> (8 * i), ATA_LBA + i);
	outb(ATA_READ, ATA_COMMAND);
	for (i = 0; i < count; i++) {
		do {
			status = inb(ATA_COMMAND);
			if (status == 0xff || (!(status & ATA_BUSY) && status & ATA_ERR))
				return -1;
		} while (status & ATA_BUSY || !(status & ATA_DRQ));
		get_words((char *)buf + i * SECTOR, SECTOR / 2);
	}
	return 0;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
	return 0;
}

static int cmd_disk(void)
{
	static char buf[256 * SECTOR];
	unsigned long long left;
	uint32_t lba = 1;

	outb(2, ATA_CONTROL);	/* no interrupts: nobody would take them */
	if (disk_read(0, 1, buf) || memcmp(buf + MAGIC_OFFSET, MAGIC, strlen(MAGIC))) {
		fprintf(stderr, "agent: no payload on the first disk\n");
		return 1;
	}
	left = strtoull(buf + MAGIC_OFFSET + strlen(MAGIC), NULL, 10);
	while (left) {
		size_t len = left < sizeof(buf) ? left : sizeof(buf);
		unsigned int count = (len + SECTOR - 1) / SECTOR;

		if (disk_read(lba, count, buf) || write_all(STDOUT_FILENO, buf, len))
			return 1;
		lba += count;
		left -= len;
	}
	return 0;
}

/* Pass on new records of the kernel's log. */
static void pass_kernel_log(int fd)
{
	char buf[8192];
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			send_frame(FRAME_KERNEL, buf, n);
		else if (n == 0 || errno != EPIPE)	/* EPIPE: records were overwritten, read on */
			return;
	}
}

/* Pass on what is there; 0 once the other end is closed (a pty says EIO then). */
static int pass_output(int fd, enum frame kind)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		send_frame(kind, buf, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int open_input(void)
{
	struct termios tio;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &tio))
		return -1;
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tio.c_cflag |= CLOCAL | CREAD;
	tcsetattr(fd, TCSANOW, &tio);
	return fd;
}

/* The command's input: chunks of a length (16 bits, little endian) and data. Length 0 is the end. */
struct input {
	int from, to;
	uint8_t buf[2 + 1024];
	size_t have;
	int asked;	/* a chunk is under way */
};

static void input_close(struct input *in, int is_tty)
{
	if (!is_tty && in->to >= 0)
		close(in->to);
	in->to = -1;
}

/* Ask for a chunk when there is none under way; hand over a complete one. */
static void input_pump(struct input *in, int is_tty)
{
	size_t len;
	ssize_t n;

	if (in->to < 0 || in->from < 0)
		return;
	if (!in->asked) {
		struct pollfd fd = { .fd = in->to, .events = POLLOUT };

		/* Room for one chunk, which is less than PIPE_BUF: writing it will not block. */
		if (poll(&fd, 1, 0) <= 0)
			return;
		if (fd.revents & (POLLERR | POLLHUP)) {
			input_close(in, is_tty);
			return;
		}
		send_frame(FRAME_READY, "", 0);
		in->asked = 1;
	}
	n = read(in->from, in->buf + in->have, sizeof(in->buf) - in->have);
	if (n > 0)
		in->have += n;
	if (in->have < 2)
		return;
	len = in->buf[0] | in->buf[1] << 8;
	if (len == 0) {
		if (is_tty)
			write_all(in->to, "\4", 1);	/* ^D */
		input_close(in, is_tty);
		return;
	}
	if (in->have < 2 + len)
		return;
	if (write_all(in->to, (char *)in->buf + 2, len))
		input_close(in, is_tty);
	in->have = 0;
	in->asked = 0;
}

/*
 * Start argv with its input and output on pipes, or all on a new terminal; *in and *out are our ends.
 * With file, its input is that.
 */
static pid_t spawn(char **argv, int is_tty, int file, int *in, int *out)
{
	int to[2], from[2];
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	sigset_t none;
	pid_t pid;

	if (getenv("LINES") && getenv("COLUMNS")) {
		size.ws_row = atoi(getenv("LINES"));
		size.ws_col = atoi(getenv("COLUMNS"));
	}
	if (is_tty) {
		pid = forkpty(out, NULL, NULL, &size);
		*in = *out;
	} else {
		if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
			fail("no pipe");
		pid = fork();
		if (pid == 0) {
			setsid();
			dup2(file >= 0 ? file : to[0], 0);
			dup2(from[1], 1);
			dup2(from[1], 2);
		} else {
			close(to[0]);
			close(from[1]);
			*in = to[1];
			*out = from[0];
		}
	}
	if (pid < 0)
		fail("no process");
	if (pid == 0) {
		/* The ports are ours, not the command's; and who has none switches faster. */
		ioperm(PORT_OUT, 1, 0);
		ioperm(ATA_DATA, 8, 0);
		ioperm(ATA_CONTROL, 1, 0);
		unsetenv("LINES");
		unsetenv("COLUMNS");
		signal(SIGPIPE, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	fcntl(*out, F_SETFL, O_NONBLOCK);
	fcntl(*out, F_SETFD, FD_CLOEXEC);
	return pid;
}

/* Reap what ended; 1 and its status when that was pid. */
static int reap(pid_t pid, int *status)
{
	int s, found = 0;
	pid_t p;

	while ((p = waitpid(-1, &s, WNOHANG)) > 0) {
		if (p == pid) {
			*status = WIFSIGNALED(s) ? 128 + WTERMSIG(s) : WEXITSTATUS(s);
			found = 1;
		}
	}
	return found;
}

/* Run argv to its end, passing its output on as kind. */
static int run(char **argv, enum frame kind, int is_tty, int file, int kmsg, int serial)
{
	struct input in = { .from = serial };
	int out, status = 0, open = 1, ended = 0;
	sigset_t none;
	pid_t pid = spawn(argv, is_tty, file, &in.to, &out);

	sigemptyset(&none);
	if (serial < 0 || file >= 0)
		input_close(&in, is_tty);
	while (!ended) {
		struct pollfd fds[] = {
			{ .fd = kmsg, .events = POLLIN },
			{ .fd = open ? out : -1, .events = POLLIN },
			{ .fd = in.to >= 0 ? serial : -1, .events = POLLIN },
			{ .fd = in.asked ? -1 : in.to, .events = POLLOUT },
		};

		/* SIGCHLD is blocked everywhere but here. */
		ppoll(fds, 4, NULL, &none);
		input_pump(&in, is_tty);
		ended = reap(pid, &status);
		if (open && fds[1].revents)
			open = pass_output(out, kind);
		if (fds[0].revents)
			pass_kernel_log(kmsg);
	}
	/* What it wrote before it ended; a child that it left behind does not keep us. */
	while (open) {
		struct pollfd fd = { .fd = out, .events = POLLIN };

		open = poll(&fd, 1, 0) > 0 && pass_output(out, kind);
	}
	input_close(&in, is_tty);
	close(out);
	return status;
}

static void nothing(int sig)
{
	(void)sig;
}

/* End whatever the command left running, so that /etc/finish can unload the module. */
static void kill_rest(void)
{
	int i, status;

	kill(-1, SIGKILL);
	for (i = 0; i < 100 && !(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD); i++)
		usleep(10000);
}

static _Noreturn void cmd_run(int argc, char **argv)
{
	struct sigaction chld = { .sa_handler = nothing };
	static char *finish[] = { "/bin/sh", "/etc/finish", NULL };
	int is_tty = argc > 1 && !strcmp(argv[1], "-t");
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int serial = open_input();
	int file = open("/etc/stdin", O_RDONLY | O_CLOEXEC);
	sigset_t blocked;
	char text[16];
	int status;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaction(SIGCHLD, &chld, NULL);
	signal(SIGPIPE, SIG_IGN);
	send_frame(FRAME_START, "", 0);
	status = run(argv + 1 + is_tty, FRAME_OUTPUT, is_tty, file, kmsg, serial);
	kill_rest();
	run(finish, FRAME_FILES, 0, -1, kmsg, -1);
	pass_kernel_log(kmsg);
	send_frame(FRAME_EXIT, text, snprintf(text, sizeof(text), "%d", status));
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (ioperm(PORT_OUT, 1, 1) || ioperm(ATA_DATA, 8, 1) || ioperm(ATA_CONTROL, 1, 1)) {
		perror("agent: ioperm");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "disk"))
		return cmd_disk();
	if (argc > 2 && !strcmp(argv[1], "fail"))
		fail(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "run"))
		cmd_run(argc - 1, argv + 1);
	return 1;
}
