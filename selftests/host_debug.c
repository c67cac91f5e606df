// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints of the host that come and go by an interrupt while a guest with its own is
 * running: the CPU ends up with the host's last word, and never breaks at an address of
 * the guest's.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "lib.h"

#define CPU	1	/* where the guest runs; this program is on CPU 0 meanwhile */

static volatile u64 watched, other;
static volatile u64 guest_dr0;

/* A breakpoint on all that runs on @CPU. Linux sets it there by an interrupt. */
static int breakpoint_open(u32 type, const volatile void *at)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr),
		.bp_type = type, .bp_addr = (uintptr_t)at, .bp_len = 8,
	};

	return syscall(SYS_perf_event_open, &attr, -1, CPU, -1, 0);
}

static u64 hits(int fd)
{
	u64 count = 0;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		bail("read of a perf event: %m");
	return count;
}

static void spins(void)
{
	WRITE_REG("db0", guest_dr0);
	WRITE_REG("db1", guest_dr0);
	WRITE_REG("db2", guest_dr0);
	WRITE_REG("db3", guest_dr0);
	WRITE_REG("db7", 0x4aaUL);
	guest_spin();
}

static struct runner *start(u64 dr0)
{
	struct vcpu *vcpu = vcpu_simple(spins);
	struct runner *runner;

	G(vcpu->vm, guest_dr0) = dr0;
	run_on_cpu(CPU);
	runner = runner_start(vcpu);
	run_on_cpu(0);
	if (!wait_alive(vcpu->vm))
		bail("the guest does not run");
	return runner;
}

static void stop(struct runner *runner)
{
	struct vcpu *vcpu = runner->vcpu;

	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

static void test_set(void)
{
	struct runner *runner = start(0x1234);
	int fd = breakpoint_open(HW_BREAKPOINT_W, &watched);

	stop(runner);
	if (!ok(fd >= 0, "a breakpoint is set on the CPU that a guest runs on"))
		return;
	run_on_cpu(CPU);
	for (u32 i = 0; i < 3; i++)
		watched = i;
	is(hits(fd), 3, "it hits behind the run");
	close(fd);
}

/* Ticks that a write takes, at best: a breakpoint makes it a thousand more. */
static u64 cost_of_write(void)
{
	u64 best = ~0ULL;

	for (u32 i = 0; i < 10; i++) {
		u64 start = rdtsc(), ticks;

		watched = i;
		ticks = rdtsc() - start;
		best = ticks < best ? ticks : best;
	}
	return best;
}

/* Linux finds that nobody wants to know of the breakpoint, and goes on. */
static void test_removed(void)
{
	struct runner *runner;
	u64 ticks;
	int fd;

	run_on_cpu(0);
	fd = breakpoint_open(HW_BREAKPOINT_W, &watched);
	runner = start(0x1234);
	close(fd);
	stop(runner);
	run_on_cpu(CPU);
	ticks = cost_of_write();
	ok(ticks < 300, "one that is removed while the guest runs does not come back (%llu ticks)",
	   (unsigned long long)ticks);
}

/* Where interrupt handlers pass by, in the kernel; 0: it does not tell. */
static u64 kernel_symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	u64 address = 0;
	char line[256];

	while (file && !address && fgets(line, sizeof(line), file))
		if (strstr(line, name))
			address = strtoull(line, NULL, 16);
	if (file)
		fclose(file);
	return address;
}

static void never_called(void)
{
	other = 1;
}

/*
 * An instruction breakpoint stays in DR0 while another is taken away, for which Linux writes
 * DR7. No address of the guest's may stand in DR0 then.
 */
static void test_guest_address(void)
{
	u64 address = kernel_symbol(" irq_exit_rcu\n");
	struct runner *runner;
	int stays, goes;

	if (!address) {
		skip("no irq_exit_rcu() in /proc/kallsyms", "breakpoints at the guest's addresses");
		return;
	}
	run_on_cpu(0);
	stays = breakpoint_open(HW_BREAKPOINT_X, (void *)never_called);
	goes = breakpoint_open(HW_BREAKPOINT_W, &watched);
	runner = start(address);
	err_is(ioctl(goes, PERF_EVENT_IOC_DISABLE, 0), 0, "one of two breakpoints goes");
	sleep_us(20000);
	stop(runner);
	is(hits(stays), 0, "the other one never hits at an address of the guest's");
	close(goes);
	close(stays);
}

int main(void)
{
	int fd;

	tap_init();
	dev_open();
	if (online_cpus() < 2)
		skip_all("needs 2 CPUs");
	fd = breakpoint_open(HW_BREAKPOINT_W, &watched);
	if (fd < 0)
		skip_all("no hardware breakpoints through perf here");
	close(fd);
	test_set();
	test_removed();
	test_guest_address();
	return tap_exit();
}
