// SPDX-License-Identifier: GPL-2.0-only
/* Host side: a memory cgroup. */
#include <sys/mount.h>
#include <sys/stat.h>

#include "cgroup.h"

#define ROOT	"/tmp/selftests-cgroup"
#define GROUP	ROOT "/vms"

bool cgroup_create(void)
{
	mkdir(ROOT, 0700);
	if (!mount("cgroup", ROOT, "cgroup2", 0, NULL) &&
	    write_text(ROOT "/cgroup.subtree_control", "+memory") && !mkdir(GROUP, 0700))
		return true;
	cgroup_destroy();
	return false;
}

void cgroup_destroy(void)
{
	/* The last page that is charged may take a moment. */
	for (u32 i = 0; i < 1000 && rmdir(GROUP) && errno == EBUSY; i++)
		sleep_us(1000);
	umount(ROOT);
	rmdir(ROOT);
}

static const char *path(const char *file)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), GROUP "/%s", file);
	return buf;
}

bool cgroup_enter(void)
{
	return cgroup_write("cgroup.procs", "0");
}

bool cgroup_write(const char *file, const char *text)
{
	return write_text(path(file), text);
}

long cgroup_read(const char *file)
{
	return read_long(path(file));
}

long cgroup_read_line(const char *file, const char *name)
{
	return read_line(path(file), name);
}
