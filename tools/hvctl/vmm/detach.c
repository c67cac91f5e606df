// SPDX-License-Identifier: GPL-2.0-only
/* VMs without a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detach.h"
#include "lib/status.h"
#include "lib/util.h"

/* Its name comes when it runs, and nothing if it does not. */
static int wait_for(int fd, pid_t pid)
{
	char name[HV_NAME_MAX + 2] = "";
	int status;

	if (read(fd, name, sizeof(name) - 1) > 0) {
		printf("%s\n", name);
		if (!fflush(stdout))
			return HV_STATUS_OK;
		fprintf(stderr,
			"hvctl run: cannot write its name; mend standard output: it runs as %s\n",
			name);
		return HV_STATUS_ERROR;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return HV_STATUS_ERROR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int hv_detach_fork(struct hv_detach *detach, int *status, struct hv_error *err)
{
	int fds[2];
	pid_t pid;

	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC))
		return hv_fail(err, errno, "no pipe: %s; close something", strerror(errno));
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return hv_fail(err, error, "no process: %s; see ulimit -u", strerror(error));
	}
	close(fds[pid ? 1 : 0]);
	if (pid) {
		*status = wait_for(fds[0], pid);
		close(fds[0]);
		return 1;
	}
	setsid();
	*detach = (struct hv_detach){
		.told_fd = fds[1],
		.stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1),
		.log_fd = -1,
	};
	return 0;
}

static void log_name(char file[HV_CLAIM_FILE_MAX], const struct hv_control *control)
{
	snprintf(file, HV_CLAIM_FILE_MAX, "%s.log", control->claim.name);
}

int hv_detach_open_log(struct hv_detach *detach, struct hv_control *control, struct hv_error *err)
{
	char file[HV_CLAIM_FILE_MAX];

	if (detach->told_fd < 0)
		return 0;
	log_name(file, control);
	(void)unlinkat(control->dir.fd, file, 0);
	detach->log_fd = openat(control->dir.fd, file,
				O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
				0600);
	if (detach->log_fd < 0)
		return hv_fail(err, errno, "cannot write %s/%s: %s; make room there",
			       control->dir.path, file, strerror(errno));
	control->detached = true;
	dup2(detach->log_fd, STDOUT_FILENO);
	dup2(detach->log_fd, STDERR_FILENO);
	return 0;
}

/* All that is in the log, for who waits. */
static void show_log(const struct hv_detach *detach)
{
	off_t at = 0;
	char text[1024];
	ssize_t n;

	while (detach->log_fd >= 0 && (n = pread(detach->log_fd, text, sizeof(text), at)) > 0) {
		(void)!write(detach->stderr_fd, text, n);
		at += n;
	}
}

static void let_go(struct hv_detach *detach)
{
	hv_close(detach->told_fd);
	hv_close(detach->stderr_fd);
	detach->told_fd = detach->stderr_fd = -1;
}

static void close_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	close(fd);
}

static void tell_where(const struct hv_detach *detach, const struct hv_control *control)
{
	if (hv_runtime_dir_is_of_session(&control->dir))
		dprintf(detach->stderr_fd,
			"hvctl run: %s: hvctl finds it until you log out; 'loginctl enable-linger' keeps %s\n",
			control->claim.name, control->dir.path);
}

bool hv_detach_tell(struct hv_detach *detach, const struct hv_control *control)
{
	const char *name = control ? control->claim.name : "";
	bool told;

	if (detach->told_fd < 0)
		return true;
	show_log(detach);
	if (control)
		tell_where(detach, control);
	close_stdin();
	told = write(detach->told_fd, name, strlen(name)) > 0;
	let_go(detach);
	return told;
}

void hv_detach_fail(struct hv_detach *detach)
{
	if (detach->told_fd < 0)
		return;
	show_log(detach);
	/* Once is enough. */
	if (detach->log_fd >= 0)
		(void)!ftruncate(detach->log_fd, 0);
	let_go(detach);
}

void hv_detach_close_log(struct hv_detach *detach, const struct hv_control *control)
{
	char file[HV_CLAIM_FILE_MAX];
	struct stat st;

	if (detach->log_fd < 0)
		return;
	log_name(file, control);
	fflush(NULL);
	if (!fstat(detach->log_fd, &st) && !st.st_size)
		(void)unlinkat(control->dir.fd, file, 0);
	hv_close(detach->log_fd);
	detach->log_fd = -1;
}
