// SPDX-License-Identifier: GPL-2.0-only
/* rmmod and insmod: all of it goes, and it comes back. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "lib.h"

static void nothing(void)
{
}

static int module_file(void)
{
	char path[200];
	struct utsname name;
	const char *given = getenv("TINYVMX_KO");

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/tinyvmx.ko", name.release);
	return open(given ? given : path, O_RDONLY | O_CLOEXEC);
}

/* What must be gone with it. (/proc/kallsyms takes a minute under Bochs.) */
static void test_no_trace(void)
{
	err_is(open(TINYVMX_DEVICE, O_RDWR | O_CLOEXEC), ENOENT,
	       "the device is gone");
	err_is(access("/sys/module/tinyvmx", F_OK), ENOENT, "so is the module");
	err_is(access("/sys/kernel/tracing/events/tinyvmx", F_OK), ENOENT,
	       "so are its trace events");
	is(system("grep -q tinyvmx /proc/misc /proc/slabinfo"), 1 << 8,
	   "so are its slabs and its misc device");
}

static void ours_runs(const char *what)
{
	struct vcpu *vcpu = vcpu_simple(nothing);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	int ko, ret = 0;

	tap_init();
	info();
	ko = module_file();
	if (ko < 0)
		skip_all("no tinyvmx.ko found: set TINYVMX_KO");
	if (read_long("/sys/module/tinyvmx/refcnt") != 0)
		skip_all("the module is in use by someone else");
	for (u32 i = 0; i < 3; i++) {
		ours_runs("a guest runs");
		ret |= syscall(SYS_delete_module, "tinyvmx", O_NONBLOCK);
		if (!i)
			test_no_trace();
		ret |= syscall(SYS_finit_module, ko, "", 0);
		for (u32 k = 0; k < 100 && access(TINYVMX_DEVICE, F_OK); k++)
			sleep_us(10000);
	}
	is(ret, 0, "rmmod and insmod, three times");
	ours_runs("a guest runs at last");
	return tap_exit();
}
