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
#include <unistd.h>

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

static void name_holder(long pid, char *to, size_t room)
{
	char path[64], name[32] = "?";
	FILE *comm;

	snprintf(to, room, "another program");
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

/* Is it somebody else's? A file system without locks has none to refuse. */
static bool is_refused(int fd, const struct flock *lock)
{
	return fcntl(fd, F_OFD_SETLK, lock) && (errno == EAGAIN || errno == EACCES);
}

/*
 * Who was killed with I/O under way is gone before its io_uring lets go of the file, which the
 * kernel does behind its back: then the lock is nobody's, and free in a moment.
 */
#define NOBODYS_MS 2000
#define STEP_MS	   10

int hv_disk_lock(int fd, bool read_only, const char *path, struct hv_error *err)
{
	const struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};
	struct stat image;
	char holder[80];
	long pid = 0;

	for (unsigned int ms = 0; ms < NOBODYS_MS && !pid; ms += STEP_MS) {
		if (!is_refused(fd, &lock))
			return 0;
		if (!ms && !fstat(fd, &image))
			pid = find_holder(&image);
		if (!pid)
			usleep(STEP_MS * 1000);
	}
	name_holder(pid, holder, sizeof(holder));
	return hv_fail(err, EBUSY, "%.150s is in use by %s; end that first%s", path, holder,
		       read_only ? "" : ", or have both say ro");
}
