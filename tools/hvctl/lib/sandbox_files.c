// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files, by Landlock. All that the command line names is open when threads are confined, and
 * stays so: what is left is to remove the VM's own files. --net user reads the addresses of the
 * host's resolvers again when they change.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_parts.h"
#include "util.h"

/* linux/landlock.h; that of the oldest host that hvctl is built on does not have them all. */
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule	     445
#define __NR_landlock_restrict_self  446
#endif
#define GET_VERSION 1U
#define PATH_BENEATH 1
#define READ_FILE   (1ull << 2)
#define REMOVE_FILE (1ull << 5)
#define BIND_TCP    (1ull << 0)
#define CONNECT_TCP (1ull << 1)
#define ABSTRACT_SOCKETS (1ull << 0)

#define RESOLVER "/etc/resolv.conf"

struct ruleset {
	uint64_t files, net, scoped;
};

struct rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static int ruleset_fd = -1;

/* All rights on files that a version knows; what it does not know it cannot take away. */
static uint64_t all_of_files(int version)
{
	static const unsigned int bits[] = { 0, 13, 14, 15, 15, 16 };
	unsigned int known = (unsigned int)version < ARRAY_SIZE(bits) ? (unsigned int)version :
									ARRAY_SIZE(bits) - 1;

	return (1ull << bits[known]) - 1;
}

static int create(int version, const struct hv_sandbox_config *config)
{
	const struct ruleset attributes = {
		.files = all_of_files(version),
		.net = config->user_net ? BIND_TCP : BIND_TCP | CONNECT_TCP,
		.scoped = ABSTRACT_SOCKETS,
	};
	size_t len = version < 4 ? offsetof(struct ruleset, net) :
		     version < 6 ? offsetof(struct ruleset, scoped) :
				   sizeof(attributes);

	ruleset_fd = (int)syscall(__NR_landlock_create_ruleset, &attributes, len, 0);
	return ruleset_fd < 0 ? -errno : 0;
}

static int allow_fd(int fd, uint64_t rights)
{
	const struct rule rule = { rights, fd };

	return syscall(__NR_landlock_add_rule, ruleset_fd, PATH_BENEATH, &rule, 0) ? -errno : 0;
}

/* What is not there need not be allowed. */
static int allow_path(const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC), error;

	if (fd < 0)
		return 0;
	error = allow_fd(fd, rights);
	close(fd);
	return error;
}

static int allow_folder_of(const char *path, uint64_t rights)
{
	char folder[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(folder))
		return -ENAMETOOLONG;
	strcpy(folder, path);
	slash = strrchr(folder, '/');
	if (!slash)
		return allow_path(".", rights);
	slash[slash == folder] = '\0';
	return allow_path(folder, rights);
}

/*
 * Who changes it puts another file in its place: so its folder. That of root's would be all that
 * there is in /etc, keys and passwords: root's VM keeps to the file that is there now.
 */
static int allow_resolver(void)
{
	char real[PATH_MAX];

	if (!realpath(RESOLVER, real))
		return 0;
	if (!geteuid() && !strcmp(real, RESOLVER))
		return allow_path(real, READ_FILE);
	return allow_folder_of(real, READ_FILE);
}

static int add_rules(const struct hv_sandbox_config *config)
{
	int error = config->dir_fd >= 0 ? allow_fd(config->dir_fd, REMOVE_FILE) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(config->removable) && !error; i++)
		if (config->removable[i])
			error = allow_folder_of(config->removable[i], REMOVE_FILE);
	if (!error && config->user_net)
		error = allow_resolver();
	return error;
}

int hv_sandbox_files_prepare(const struct hv_sandbox_config *config)
{
	int version = (int)syscall(__NR_landlock_create_ruleset, NULL, 0, GET_VERSION), error;

	/* Not built in, or not turned on. */
	if (version <= 0)
		return 0;
	error = create(version, config);
	if (!error)
		error = add_rules(config);
	return error ? error : version;
}

int hv_sandbox_files_enter(void)
{
	if (ruleset_fd < 0)
		return 0;
	return syscall(__NR_landlock_restrict_self, ruleset_fd, 0) ? -errno : 0;
}
