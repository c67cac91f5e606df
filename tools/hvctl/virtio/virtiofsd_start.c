// SPDX-License-Identifier: GPL-2.0-only
/* Start virtiofsd: what it inherits, who it is, and what it sees. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/util.h"
#include "virtiofsd.h"

/* File descriptors of the daemon's, beside standard input and output. */
#define LOG_FD	  2
#define SOCKET_FD 3
#define STATUS_FD 4	/* closed by a successful exec() */

/* Above all that are given out. */
#define ASIDE 10
#define EXEC_TIMEOUT_MS 5000

/* Where the daemon finds the folder: there always, root's, and of no use to it otherwise. */
#define FOLDER "/sys"

enum step { NO_STEP, DESCRIPTORS, USER_NAMESPACE, MOUNT, EXEC };

/* What kept it from starting. */
struct failure {
	enum step step;
	int error;
};

/* All that the child needs: what is between fork() and exec() must not allocate. */
struct start {
	const struct hv_virtiofsd *daemon;
	pid_t parent;
	int socket, log, status, null;
	bool user_namespace;
	char uid_map[32], gid_map[32];
	char *argv[10];
	char files[32];
	struct rlimit limit;
};

/* --------------------------------------------------------------- the child */

static void __attribute__((noreturn)) give_up(int status, enum step step)
{
	const struct failure failure = { step, errno };

	(void)!write(status, &failure, sizeof(failure));
	_exit(127);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		give_up(STATUS_FD, USER_NAMESPACE);
	close(fd);
}

/* There the user is root, and can do what he can do here. */
static void enter_user_namespace(const struct start *start)
{
	if (unshare(CLONE_NEWUSER))
		give_up(STATUS_FD, USER_NAMESPACE);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", start->uid_map);
	write_file("/proc/self/gid_map", start->gid_map);
}

/*
 * It is the folder where we are, whatever its path leads to by now: a guest that has another folder
 * around this one, or somebody else here, may have put a link in its place. Neither program needs
 * to be trusted with a folder that is read-only: it is mounted so.
 */
static void mount_folder(bool read_only)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	/* What is mounted in it later is seen, too; but not where that could be written to. */
	const unsigned long flags = MS_REC | (read_only ? MS_PRIVATE : MS_SLAVE);

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, flags, NULL) ||
	    mount(".", FOLDER, NULL, MS_BIND | MS_REC, NULL) || chdir("/"))
		give_up(STATUS_FD, MOUNT);
	if (read_only &&
	    syscall(SYS_mount_setattr, AT_FDCWD, FOLDER, AT_RECURSIVE, &attr, sizeof(attr)))
		give_up(STATUS_FD, MOUNT);
}

/* They may be anywhere, also in each other's way. */
static void place_fds(const struct start *start)
{
	int socket = fcntl(start->socket, F_DUPFD, ASIDE), log = fcntl(start->log, F_DUPFD, ASIDE);
	int status = fcntl(start->status, F_DUPFD, ASIDE),
	    null = fcntl(start->null, F_DUPFD, ASIDE);

	if (socket < 0 || log < 0 || status < 0 || null < 0)
		give_up(start->status, DESCRIPTORS);
	dup2(null, 0);
	dup2(null, 1);
	dup2(log, LOG_FD);
	dup2(socket, SOCKET_FD);
	dup3(status, STATUS_FD, O_CLOEXEC);
	syscall(SYS_close_range, STATUS_FD + 1, ~0u, 0);
}

/*
 * It ends with us: by the connection, by this signal, and in a session of its own no key of the
 * terminal's ends it before.
 */
static void __attribute__((noreturn)) be_daemon(const struct start *start)
{
	sigset_t none;

	if (fchdir(start->daemon->dir_fd))
		give_up(start->status, MOUNT);
	place_fds(start);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start->parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	(void)setrlimit(RLIMIT_NOFILE, &start->limit);
	if (start->user_namespace)
		enter_user_namespace(start);
	mount_folder(start->daemon->read_only);
	execv(start->daemon->program, start->argv);
	give_up(STATUS_FD, EXEC);
}

/* -------------------------------------------------------------- the parent */

static void make_arguments(struct start *start)
{
	const struct hv_virtiofsd *daemon = start->daemon;
	char **arg = start->argv;

	getrlimit(RLIMIT_NOFILE, &start->limit);
	start->limit.rlim_cur = start->limit.rlim_max;
	snprintf(start->files, sizeof(start->files), "--rlimit-nofile=%llu",
		 (unsigned long long)start->limit.rlim_max);
	*arg++ = (char *)daemon->program;
	*arg++ = "--fd=3";
	*arg++ = start->files;
	if (daemon->is_rust) {
		*arg++ = "--shared-dir";
		*arg++ = FOLDER;
		*arg++ = "--log-level=error";
	} else {
		*arg++ = "-o";
		*arg++ = "source=" FOLDER;
		*arg++ = "-o";
		*arg++ = "log_level=err";
	}
	*arg = NULL;
}

/* In a folder that is ours alone: nobody connects before us. Then it has no name any more. */
static int listen_and_connect(int *listener, int *connection)
{
	char dir[] = "/tmp/hvctl-share-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *any = (struct sockaddr *)&address;
	int error = 0;

	if (!mkdtemp(dir))
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listener < 0 || *connection < 0 || bind(*listener, any, sizeof(address)) ||
	    listen(*listener, 1) || connect(*connection, any, sizeof(address)))
		error = -errno;
	unlink(address.sun_path);
	rmdir(dir);
	return error;
}

static int fail_start(const struct start *start, const struct failure *failure,
		      struct hv_error *err)
{
	const char *why = strerror(failure->error);

	switch (failure->step) {
	case DESCRIPTORS:
		return hv_fail(err, failure->error,
			       "no file descriptors for virtiofsd: %s; raise ulimit -n", why);
	case USER_NAMESPACE:
		return hv_fail(
			err, failure->error,
			"virtiofsd needs a user namespace, and you may not make one (%s); allow it, or start it yourself and use --vhost-user fs:SOCKET,tag=TAG",
			why);
	case MOUNT:
		return hv_fail(err, failure->error, "cannot mount %s for virtiofsd: %s",
			       start->daemon->dir, why);
	default:
		return hv_fail(err, failure->error, "%s: %s; install virtiofsd anew",
			       start->daemon->program, why);
	}
}

/* It writes why it has not come to exec(); what came there has closed its end. */
static int wait_for_exec(const struct start *start, int fd, struct hv_error *err)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	struct failure failure;
	ssize_t got;

	/* What it shares may be on a file system that does not answer. */
	if (poll(&end, 1, EXEC_TIMEOUT_MS) == 0)
		return hv_fail(err, ETIMEDOUT,
			       "virtiofsd does not start within %d s; does %s answer?",
			       EXEC_TIMEOUT_MS / 1000, start->daemon->dir);
	do {
		got = read(fd, &failure, sizeof(failure));
	} while (got < 0 && errno == EINTR);
	return got == sizeof(failure) ? fail_start(start, &failure, err) : 0;
}

static int start_child(struct hv_virtiofsd *daemon, struct start *start, struct hv_error *err)
{
	int log[2], status[2], error;

	if (pipe2(log, O_CLOEXEC | O_NONBLOCK))
		return hv_fail(err, errno, "no pipe: %s; raise ulimit -n", strerror(errno));
	if (pipe2(status, O_CLOEXEC)) {
		error = errno;
		close(log[0]);
		close(log[1]);
		return hv_fail(err, error, "no pipe: %s; raise ulimit -n", strerror(error));
	}
	start->log = log[1];
	start->status = status[1];
	daemon->pid = fork();
	if (!daemon->pid)
		be_daemon(start);
	error = daemon->pid < 0 ? -errno : 0;
	close(log[1]);
	close(status[1]);
	hv_virtiofsd_listen(daemon, log[0]);
	if (error)
		hv_fail(err, -error, "cannot start virtiofsd: %s; raise ulimit -u",
			strerror(-error));
	else
		error = wait_for_exec(start, status[0], err);
	close(status[0]);
	return error;
}

static struct start *prepare(struct hv_virtiofsd *daemon)
{
	struct start *start = calloc(1, sizeof(*start));

	if (!start)
		return NULL;
	start->daemon = daemon;
	start->parent = getpid();
	start->socket = -1;
	start->user_namespace = geteuid() != 0;
	snprintf(start->uid_map, sizeof(start->uid_map), "0 %u 1", geteuid());
	snprintf(start->gid_map, sizeof(start->gid_map), "0 %u 1", getegid());
	start->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	make_arguments(start);
	return start;
}

/* The first time: it stays the same. */
static int open_folder(struct hv_virtiofsd *daemon, struct hv_error *err)
{
	if (daemon->dir_fd < 0)
		daemon->dir_fd = open(daemon->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return daemon->dir_fd >= 0 ? 0 :
				     hv_fail(err, errno, "%s: %s; name a folder that is there",
					     daemon->dir, strerror(errno));
}

int hv_virtiofsd_start(struct hv_virtiofsd *daemon, struct hv_error *err)
{
	int connection = -1, error = open_folder(daemon, err);
	struct start *start;

	if (error)
		return error;
	start = prepare(daemon);
	if (!start)
		return hv_fail(err, ENOMEM, "no memory to start virtiofsd; close something");
	error = listen_and_connect(&start->socket, &connection);
	if (error)
		hv_fail(err, -error, "no socket for virtiofsd in /tmp: %s; is there room?",
			strerror(-error));
	else
		error = start_child(daemon, start, err);
	hv_close(start->socket);
	hv_close(start->null);
	free(start);
	if (!error)
		return connection;
	hv_close(connection);
	hv_close(hv_virtiofsd_kill(daemon, NULL, 0));
	return error;
}
