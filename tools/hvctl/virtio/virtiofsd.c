// SPDX-License-Identifier: GPL-2.0-only
/* virtiofsd: found, asked which of the two it is, and started. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/text.h"
#include "lib/util.h"
#include "virtiofsd.h"

#define HELP_TIMEOUT_MS 5000
#define END_TIMEOUT_MS	1000

/* -------------------------------------------------------------------- find */

static const char *find_program(void)
{
	static const char *const places[] = {
		"/usr/libexec/virtiofsd",
		"/usr/lib/virtiofsd",
		"/usr/lib/qemu/virtiofsd",
	};
	const char *program = getenv("HVCTL_VIRTIOFSD");

	if (program)
		return program;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		if (!access(places[i], X_OK))
			return places[i];
	return NULL;
}

/* What comes out of @fd, until it ends or the time is over. */
static void read_text(int fd, char *text, size_t room)
{
	const uint64_t end = hv_monotonic_ns() + HELP_TIMEOUT_MS * 1000000ull;
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len + 1 < room && hv_monotonic_ns() < end) {
		ssize_t got = 0;

		if (poll(&poller, 1, HELP_TIMEOUT_MS) > 0)
			got = read(fd, text + len, room - len - 1);
		if (got <= 0)
			break;
		len += got;
	}
	text[len] = '\0';
}

/* Run "PROGRAM --help". Returns 0 or -errno. */
static int read_help(const char *program, char *text, size_t room)
{
	char *const argv[] = { (char *)program, "--help", NULL }, *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	error = posix_spawn(&pid, program, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!error) {
		read_text(ends[0], text, room);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
	return -error;
}

static int find_dialect(struct hv_virtiofsd *daemon, struct hv_error *err)
{
	char help[16384];
	int error = read_help(daemon->program, help, sizeof(help));

	if (error)
		return hv_fail(err, -error, "%s: %s; install virtiofsd anew", daemon->program,
			       strerror(-error));
	daemon->is_rust = strstr(help, "--shared-dir");
	if (!daemon->is_rust && !strstr(help, "-o source="))
		return hv_fail(err, ENOEXEC, "%s is no virtiofsd: --help tells no --shared-dir",
			       daemon->program);
	return 0;
}

static int find_dir(struct hv_virtiofsd *daemon, const char *dir, struct hv_error *err)
{
	struct stat st;

	daemon->dir = realpath(dir, NULL);
	if (!daemon->dir || stat(daemon->dir, &st))
		return hv_fail(err, errno, "%s: %s; name a folder that is there", dir,
			       strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return hv_fail(err, ENOTDIR, "%s is no folder; name the one that it is in", dir);
	if (access(daemon->dir, R_OK | X_OK))
		return hv_fail(err, errno, "%s: %s; you must be able to read it yourself", dir,
			       strerror(errno));
	return 0;
}

int hv_virtiofsd_init(struct hv_virtiofsd *daemon, const char *dir, bool read_only,
		      struct hv_error *err)
{
	int error;

	*daemon = (struct hv_virtiofsd){
		.read_only = read_only,
		.program = find_program(),
		.dir_fd = -1,
		.pid = -1,
		.log.fd = -1,
	};
	error = find_dir(daemon, dir, err);
	if (error)
		return error;
	if (!daemon->program)
		return hv_fail(
			err, ENOENT,
			"there is no virtiofsd; install the package virtiofsd (Debian 12: qemu-system-common)");
	return find_dialect(daemon, err);
}

void hv_virtiofsd_exit(struct hv_virtiofsd *daemon)
{
	hv_close(hv_virtiofsd_kill(daemon, NULL, 0));
	hv_close(daemon->dir_fd);
	daemon->dir_fd = -1;
	free(daemon->dir);
	daemon->dir = NULL;
}

/* --------------------------------------------------------------------- log */

static void take_byte(struct hv_virtiofsd *daemon, char byte)
{
	if (byte == '\n' && daemon->len) {
		hv_text_clean(daemon->last, sizeof(daemon->last), daemon->line, daemon->len);
		daemon->len = 0;
	} else if (byte != '\n' && daemon->len < sizeof(daemon->line)) {
		daemon->line[daemon->len++] = byte;
	}
}

/* Of what it says the last line is kept: when it ends, that may be why. */
static void on_log(void *ctx, short revents)
{
	struct hv_virtiofsd *daemon = ctx;
	char piece[512];
	ssize_t got = read(daemon->log.fd, piece, sizeof(piece));

	(void)revents;
	for (ssize_t i = 0; i < got; i++)
		take_byte(daemon, piece[i]);
	if (!got || (got < 0 && errno != EAGAIN)) {
		hv_close(daemon->log.fd);
		daemon->log.fd = -1;
	}
}

void hv_virtiofsd_listen(struct hv_virtiofsd *daemon, int fd)
{
	daemon->last[0] = '\0';
	daemon->len = 0;
	daemon->log.fd = fd;
	daemon->log.ready = on_log;
	daemon->log.ctx = daemon;
}

/* --------------------------------------------------------------------- end */

/* Until there is nothing more to be read now. */
static void drain(struct hv_virtiofsd *daemon)
{
	struct pollfd poller = { .fd = daemon->log.fd, .events = POLLIN };

	for (unsigned int i = 0; i < 64 && daemon->log.fd >= 0 && poll(&poller, 1, 0) > 0; i++)
		on_log(daemon, POLLIN);
}

/* Who hangs in the kernel, on a dead NFS, say, is left to it: nobody waits for him. */
static void reap(pid_t pid)
{
	for (unsigned int ms = 0; ms < END_TIMEOUT_MS; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		poll(NULL, 0, 10);
	}
}

int hv_virtiofsd_kill(struct hv_virtiofsd *daemon, char *why, size_t room)
{
	int fd;

	if (daemon->pid >= 0) {
		kill(-daemon->pid, SIGKILL);
		reap(daemon->pid);
	}
	daemon->pid = -1;
	drain(daemon);
	fd = daemon->log.fd;
	daemon->log.fd = -1;
	if (why && daemon->last[0]) {
		size_t len = strlen(why);

		snprintf(why + len, room - len, " (%s)", daemon->last);
	}
	return fd;
}
