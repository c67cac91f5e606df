// SPDX-License-Identifier: GPL-2.0-only
/* The module cannot be unloaded while an fd or a run page is in use. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lib.h"

static long rmmod(void)
{
	return syscall(SYS_delete_module, "tinyvmx", O_NONBLOCK);
}

/* delete_module() of a module in use is EWOULDBLOCK with O_NONBLOCK. */
#define in_use(what) err_is(rmmod(), EWOULDBLOCK, "rmmod with " what)

int main(void)
{
	struct tinyvmx_create_vm arg = create_vm_arg(0);
	struct tinyvmx_run *run;
	int dev, vm, vcpu;

	tap_init();
	dev = dev_open();
	if (access("/sys/module/tinyvmx/refcnt", R_OK))
		skip_all("tinyvmx is not a module that can be unloaded here");
	if (geteuid())
		skip_all("only root may try to unload it");
	in_use("the device open");
	vm = must(ioctl(dev, TINYVMX_CREATE_VM, &arg));
	close(dev);
	in_use("a VM open");
	vcpu = must(create_vcpu_fd(vm, 0));
	run = map_run(vcpu);
	close(vm);
	in_use("a vCPU open");
	close(vcpu);
	in_use("a run page mapped");
	munmap(run, info()->run_bytes);
	is(read_long("/sys/module/tinyvmx/refcnt"), 0, "refcnt is 0 at last");
	return tap_exit();
}
