// SPDX-License-Identifier: GPL-2.0-only
/* The directory of a user's VMs: found, made, and checked. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "runtime_dir.h"

static bool is_our_dir(const char *path)
{
	struct stat st;

	return path && *path == '/' && !stat(path, &st) && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid();
}

/* Returns whether it fits. */
static bool choose(char *path, size_t room)
{
	const char *said = getenv(HV_RUNTIME_DIR_VARIABLE), *xdg = getenv("XDG_RUNTIME_DIR");
	uid_t uid = geteuid();
	char of_user[32];

	snprintf(of_user, sizeof(of_user), "/run/user/%u", uid);
	if (said && *said)
		return (size_t)snprintf(path, room, "%s", said) < room;
	/* What sudo has left in the environment is another user's. */
	if (!uid && is_our_dir("/run"))
		return (size_t)snprintf(path, room, "/run/hvctl") < room;
	if (uid && is_our_dir(xdg))
		return (size_t)snprintf(path, room, "%s/hvctl", xdg) < room;
	if (uid && is_our_dir(of_user))
		return (size_t)snprintf(path, room, "%s/hvctl", of_user) < room;
	return (size_t)snprintf(path, room, "/tmp/hvctl-%u", uid) < room;
}

/* Of what is open: nobody can put another in its place any more. */
static int check(const struct hv_runtime_dir *dir, struct hv_error *err)
{
	struct stat st;

	if (fstat(dir->fd, &st))
		return hv_fail(err, errno, "%s: %s; set " HV_RUNTIME_DIR_VARIABLE, dir->path,
			       strerror(errno));
	if (st.st_uid != geteuid())
		return hv_fail(err, EPERM,
			       "%s: belongs to user %u, not to us; remove it, or set %s", dir->path,
			       st.st_uid, HV_RUNTIME_DIR_VARIABLE);
	if (st.st_mode & 077)
		return hv_fail(err, EPERM, "%s: is open to others (mode %o); chmod 700 it",
			       dir->path, st.st_mode & 0777);
	return 0;
}

int hv_runtime_dir_open(struct hv_runtime_dir *dir, bool make, struct hv_error *err)
{
	dir->fd = -1;
	err->subject = NULL;
	if (!choose(dir->path, sizeof(dir->path)) || *dir->path != '/')
		return hv_fail(err, EINVAL, "%s: is no absolute path; set " HV_RUNTIME_DIR_VARIABLE,
			       dir->path);
	if (make && mkdir(dir->path, 0700) && errno != EEXIST)
		return hv_fail(err, errno, "%s: cannot be made: %s; set " HV_RUNTIME_DIR_VARIABLE,
			       dir->path, strerror(errno));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0)
		return hv_fail(err, errno, "%s: is no directory that we can read: %s; remove it",
			       dir->path, strerror(errno));
	return check(dir, err);
}

/* loginctl(1), enable-linger: systemd-logind has a file for each such user. */
bool hv_runtime_dir_is_of_session(const struct hv_runtime_dir *dir)
{
	const struct passwd *user;
	char file[PATH_MAX];

	if (strncmp(dir->path, "/run/user/", 10))
		return false;
	user = getpwuid(geteuid());
	if (!user)
		return true;
	snprintf(file, sizeof(file), "/var/lib/systemd/linger/%s", user->pw_name);
	return access(file, F_OK);
}

void hv_runtime_dir_close(struct hv_runtime_dir *dir)
{
	hv_close(dir->fd);
	dir->fd = -1;
}
