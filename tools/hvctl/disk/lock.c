// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks of open file descriptions: they belong to the descriptor, not to the process, which may
 * thus not have an image twice, nor lose its lock by closing a copy.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lock.h"

/* Is descriptor @name of process @pid this file, and has it a lock? */
static bool has_lock(const char *pid, const char *name, const struct stat *image)
{
	char path[64], line[256];
	bool locked = false;
	struct stat st;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, name);
	if (stat(path, &st) || st.st_dev != image->st_dev || st.st_ino != image->st_ino)
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", pid, name);
	info = fopen(path, "re");
	while (info && !locked && fgets(line, sizeof(line), info))
		locked = !strncmp(line, "lock:", 5);
	if (info)
		fclose(info);
	return locked;
}

static bool process_has_lock(const char *pid, const struct stat *image)
{
	const struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds)))
		found = has_lock(pid, entry->d_name, image);
	if (fds)
		closedir(fds);
	return found;
}

/*
 * F_OFD_GETLK does not tell the process: such a lock belongs to none. Look for one with such a
 * descriptor; those of other users hide them. Returns 0 if none is found.
 */
static long find_holder(const struct stat *image)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");
	long holder = 0;

	while (proc && !holder && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && process_has_lock(entry->d_name, image))
			holder = pid;
	}
	if (proc)
		closedir(proc);
	return holder;
}

static void name_holder(int fd, char *to, size_t room)
{
	char path[64], name[32] = "?";
	struct stat image;
	FILE *comm;
	long pid;

	snprintf(to, room, "another program");
	if (fstat(fd, &image))
		return;
	pid = find_holder(&image);
	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	comm = fopen(path, "re");
	if (comm && fgets(name, sizeof(name), comm))
		name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
	snprintf(to, room, "process %ld (%s)", pid, name);
}

int hv_disk_lock(int fd, bool read_only, const char *path, struct hv_error *err)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};
	char holder[80];

	if (!fcntl(fd, F_OFD_SETLK, &lock) || (errno != EAGAIN && errno != EACCES))
		return 0;
	name_holder(fd, holder, sizeof(holder));
	return hv_fail(err, EBUSY, "%.150s is in use by %s; end that first%s", path, holder,
		       read_only ? "" : ", or have both say ro");
}
