// SPDX-License-Identifier: GPL-2.0-only
/* Names of VMs that run: who has one, and what the dead have left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "claim.h"
#include "lib/util.h"

#define LOCK_SUFFIX ".lock"

/* Who looks whether a VM is dead has its lock for a moment: that is no reason to give up. */
#define TRIES	     20
#define RETRY_NS     5000000

static void file_name(char file[HV_CLAIM_FILE_MAX], const char *name, const char *suffix)
{
	snprintf(file, HV_CLAIM_FILE_MAX, "%s%s", name, suffix);
}

/* Is what is open still what has the name? */
static bool is_current(int dir_fd, const char *file, int fd)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !fstatat(dir_fd, file, &named, AT_SYMLINK_NOFOLLOW) &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* The locked file, or -errno: -EWOULDBLOCK if somebody else has it. */
static int lock(int dir_fd, const char *file, int flags)
{
	for (;;) {
		int fd = openat(dir_fd, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			int error = -errno;

			close(fd);
			return error;
		}
		if (is_current(dir_fd, file, fd))
			return fd;
		close(fd);
	}
}

static int lock_patiently(int dir_fd, const char *file)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	int fd = lock(dir_fd, file, O_CREAT);

	for (unsigned int i = 1; i < TRIES && fd == -EWOULDBLOCK; i++) {
		nanosleep(&pause, NULL);
		fd = lock(dir_fd, file, O_CREAT);
	}
	return fd;
}

/* What hv_claim_take() writes, or not yet: others' programs have files of such names, too. */
static bool is_ours(int fd)
{
	char text[16];
	ssize_t len = pread(fd, text, sizeof(text), 0);

	for (ssize_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < '0' || text[i] > '9'))
			return false;
	return len >= 0 && len < (ssize_t)sizeof(text);
}

/* By who holds the lock; it goes last. */
static void remove_files(int dir_fd, const char *name)
{
	static const char *const suffixes[] = { ".sock", LOCK_SUFFIX };
	char file[HV_CLAIM_FILE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		file_name(file, name, suffixes[i]);
		(void)unlinkat(dir_fd, file, 0);
	}
}

static int refuse(const struct hv_runtime_dir *dir, const char *name, struct hv_error *err)
{
	return hv_fail(
		err, EBUSY,
		"%s: is the name of a VM that runs, in process %d; choose another, or 'hvctl stop %s'",
		name, hv_claim_pid(dir, name), name);
}

int hv_claim_take(struct hv_claim *claim, const struct hv_runtime_dir *dir, const char *name,
		  struct hv_error *err)
{
	char file[HV_CLAIM_FILE_MAX], pid[16];
	int fd, len = snprintf(pid, sizeof(pid), "%d\n", getpid());

	*claim = (struct hv_claim)HV_CLAIM_NONE;
	err->subject = NULL;
	file_name(file, name, LOCK_SUFFIX);
	fd = lock_patiently(dir->fd, file);
	if (fd == -EWOULDBLOCK)
		return refuse(dir, name, err);
	if (fd >= 0 && !is_ours(fd)) {
		close(fd);
		return hv_fail(err, EEXIST,
			       "%s/%s is no file of hvctl's; choose another name, or set %s",
			       dir->path, file, HV_RUNTIME_DIR_VARIABLE);
	}
	if (fd >= 0 && (ftruncate(fd, 0) || pwrite(fd, pid, len, 0) != len)) {
		int error = -errno;

		close(fd);
		fd = error;
	}
	if (fd < 0)
		return hv_fail(err, -fd, "%s/%s cannot be written: %s; make room there", dir->path,
			       file, strerror(-fd));
	claim->dir = dir;
	claim->lock_fd = fd;
	snprintf(claim->name, sizeof(claim->name), "%s", name);
	file_name(file, name, ".sock");
	(void)unlinkat(dir->fd, file, 0);
	return 0;
}

void hv_claim_release(struct hv_claim *claim)
{
	if (claim->lock_fd < 0)
		return;
	remove_files(claim->dir->fd, claim->name);
	close(claim->lock_fd);
	claim->lock_fd = -1;
}

/* 1: it is alive, 0: it is dead, and its files have gone; or -errno: nobody can tell. */
static int look(int dir_fd, const char *name)
{
	char file[HV_CLAIM_FILE_MAX];
	int fd;

	file_name(file, name, LOCK_SUFFIX);
	fd = lock(dir_fd, file, 0);
	if (fd >= 0) {
		if (is_ours(fd))
			remove_files(dir_fd, name);
		close(fd);
	}
	if (fd == -EWOULDBLOCK)
		return 1;
	return fd < 0 && fd != -ENOENT ? fd : 0;
}

bool hv_claim_is_alive(const struct hv_runtime_dir *dir, const char *name)
{
	return look(dir->fd, name);
}

pid_t hv_claim_pid(const struct hv_runtime_dir *dir, const char *name)
{
	char file[HV_CLAIM_FILE_MAX], text[16] = "";
	int fd;

	file_name(file, name, LOCK_SUFFIX);
	fd = openat(dir->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	return atoi(text);
}

/* NAME of "NAME.lock"; false: the file is none. */
static bool take_name(char name[HV_NAME_MAX + 1], const char *file)
{
	const char *dot = strrchr(file, '.');

	if (!dot || strcmp(dot, LOCK_SUFFIX) || dot - file > HV_NAME_MAX)
		return false;
	snprintf(name, HV_NAME_MAX + 1, "%.*s", (int)(dot - file), file);
	return hv_name_is_valid(name);
}

static int compare(const void *one, const void *other)
{
	return strcmp(((const struct hv_name *)one)->text, ((const struct hv_name *)other)->text);
}

static int cannot_look(const struct hv_runtime_dir *dir, const char *file, int error,
		       struct hv_error *err)
{
	if (error == -EMFILE || error == -ENFILE)
		return hv_fail(err, -error,
			       "no file descriptors: %s; close something, or raise ulimit -n",
			       strerror(-error));
	return hv_fail(err, -error, "%s/%s: %s; see who has put it there", dir->path, file,
		       strerror(-error));
}

/* Returns how many there are then, or -errno. */
static int add_name(struct hv_name **names, int count, const char *name, struct hv_error *err)
{
	struct hv_name *grown = reallocarray(*names, count + 1, sizeof(*grown));

	if (!grown)
		return hv_fail(err, ENOMEM, "no memory for names; close something");
	*names = grown;
	strcpy(grown[count].text, name);
	return count + 1;
}

/* The same, with @name if there is a process that has it. */
static int add_living(struct hv_name **names, int count, const struct hv_runtime_dir *dir,
		      const char *name, struct hv_error *err)
{
	int alive = look(dir->fd, name);
	char file[HV_CLAIM_FILE_MAX];

	file_name(file, name, LOCK_SUFFIX);
	if (alive < 0)
		return cannot_look(dir, file, alive, err);
	return alive ? add_name(names, count, name, err) : count;
}

int hv_claim_list(const struct hv_runtime_dir *dir, struct hv_name **names, struct hv_error *err)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char name[HV_NAME_MAX + 1];

	*names = NULL;
	if (!files) {
		int error = -errno;

		hv_close(fd);
		return cannot_look(dir, ".", error, err);
	}
	while (count >= 0 && (entry = readdir(files)))
		if (take_name(name, entry->d_name))
			count = add_living(names, count, dir, name, err);
	closedir(files);
	if (count > 0)
		qsort(*names, count, sizeof(**names), compare);
	return count;
}
