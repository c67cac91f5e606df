// SPDX-License-Identifier: GPL-2.0-only
/* Several processes with VMs at once: none sees anything of the others. */
#include "lib.h"

static volatile u64 sum, secret;

static void adds(u64 mine)
{
	secret = mine;
	for (u64 i = 0; i < 20000; i++) {
		sum += mine;
		if (i % 4000 == 0)
			guest_sync(0);
		if (secret != mine)
			guest_is(secret, mine);
	}
}

static int one_process(void *arg)
{
	u64 mine = (uintptr_t)arg;
	struct vcpu *vcpu = vcpu_simple(adds);

	vcpu_call(vcpu, adds, mine);
	do {
		if (!run_until(vcpu, TINYVMX_EXIT_IO))
			return 1;
	} while (vcpu->run->io.data == GUEST_SYNC);
	if (vcpu->run->io.data != GUEST_DONE)
		return 2;
	return G(vcpu->vm, sum) != mine * 20000;
}

/* exec() closes the fds: the program that comes has none. */
static int execs(void *arg)
{
	(void)arg;
	vcpu_simple(adds);
	execl("/bin/sh", "sh", "-c",
	      "exit $(ls -l /proc/self/fd/ 2>/dev/null | grep -c tinyvmx)", NULL);
	return 99;
}

int main(void)
{
	pid_t pid[4];

	tap_init();
	info();
	for (u64 i = 0; i < 4; i++)
		pid[i] = spawn(one_process, (void *)(uintptr_t)(i + 3));
	for (u32 i = 0; i < 4; i++)
		is(reap(pid[i]), 0, "process %u: its guest's memory is its own", i);
	is(reap(spawn(execs, NULL)), 0, "exec() closes all fds of ours");
	return tap_exit();
}
