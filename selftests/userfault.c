// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory under userfaultfd: pages come when the process provides them. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "lib.h"

#define GPA	GUEST_MMIO_GPA
#define PAGES	8UL

static int uffd;
static u8 *memory;
static volatile u64 sum;

static void adds(void)
{
	for (u64 i = 0; i < PAGES; i++)
		sum += *(volatile u64 *)(GPA + i * PAGE);
}

static bool open_userfault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)memory, PAGES * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api) &&
	       !ioctl(uffd, UFFDIO_REGISTER, &reg);
}

/* Whether a fault comes within @ms. */
static bool is_asked(int ms)
{
	struct pollfd asked = { .fd = uffd, .events = POLLIN };

	return poll(&asked, 1, ms) == 1 && asked.revents == POLLIN;
}

/* Wait for a fault and give the page, which holds its number plus @base. */
static bool serve_one(u64 base)
{
	static u64 page[512] __attribute__((aligned(4096)));
	struct uffd_msg msg;
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };

	if (!is_asked(5000) || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		return false;
	copy.dst = msg.arg.pagefault.address & -PAGE;
	page[0] = base + (copy.dst - (uintptr_t)memory) / PAGE;
	return !ioctl(uffd, UFFDIO_COPY, &copy);
}

static void test_served(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);
	u32 served = 0;

	for (u64 i = 0; i < PAGES; i++)
		served += serve_one(100);
	is(served, PAGES, "each page is asked for once");
	for (u32 i = 0; i < 5000 && !runner->ended; i++)
		sleep_us(1000);
	runner_stop(runner);
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "the guest comes to its end");
	is(G(vcpu->vm, sum), PAGES * 100 + PAGES * (PAGES - 1) / 2,
	   "it has read what was provided");
}

/* Before 6.2 the kernel's page faults for others can be ended by a fatal signal alone. */
static bool faults_are_interruptible(void)
{
	struct utsname name;
	unsigned int major, minor;

	uname(&name);
	return sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

/* Ends a run that waits for a page; true if that is how it ended. */
static bool interrupt_fault(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);

	must(!is_asked(5000));
	runner->stop = true;
	for (u32 i = 0; i < 2000 && !runner->ended; i++) {
		pthread_kill(runner->thread, SIGUSR1);
		sleep_us(1000);
	}
	if (!runner->ended)
		serve_one(300);
	pthread_join(runner->thread, NULL);
	return runner->ret && runner->err == EINTR;
}

static void test_interrupted(struct vcpu *vcpu)
{
	static const char what[] = "a signal ends the wait for a page";
	struct runner *runner;

	if (!faults_are_interruptible()) {
		skip("this kernel cannot", "%s", what);
		skip("this kernel cannot", "RUN goes on");
		return;
	}
	must(madvise(memory, PAGES * PAGE, MADV_DONTNEED));
	G(vcpu->vm, sum) = 0;
	vcpu_call(vcpu, adds, 0);
	ok(interrupt_fault(vcpu), "%s", what);
	runner = runner_start(vcpu);
	while (!runner->ended)
		if (is_asked(1))
			serve_one(200);
	pthread_join(runner->thread, NULL);
	is(G(vcpu->vm, sum), PAGES * 200 + PAGES * (PAGES - 1) / 2, "RUN goes on");
}

static void touches_nothing(void)
{
}

/* A guest that has been set to do something else does not wait for the page. */
static void test_forgotten(struct vcpu *vcpu)
{
	static const char what[] = "SET_STATE makes a pending fault forgotten";
	struct runner *runner;

	if (!faults_are_interruptible()) {
		skip("this kernel cannot", "%s", what);
		return;
	}
	must(madvise(memory, PAGES * PAGE, MADV_DONTNEED));
	vcpu_call(vcpu, adds, 0);
	if (!interrupt_fault(vcpu))
		bail("the fault has not been interrupted");
	vcpu_call(vcpu, touches_nothing, 0);
	runner = runner_start(vcpu);
	for (u32 i = 0; i < 2000 && !runner->ended; i++)
		sleep_us(1000);
	runner_stop(runner);
	ok(!runner->ret && vcpu->run->reason == TINYVMX_EXIT_IO, "%s", what);
}

static int waits_for_ever(void *arg)
{
	struct vcpu *vcpu = vcpu_simple(adds);

	(void)arg;
	memory = map_anon(PAGES * PAGE);
	if (!open_userfault())
		return 1;
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, memory));
	vcpu_run(vcpu);
	return 2;
}

int main(void)
{
	struct vcpu *vcpu;
	pid_t pid;

	tap_init();
	vcpu = vcpu_simple(adds);
	memory = map_anon(PAGES * PAGE);
	if (!open_userfault())
		skip_all("no userfaultfd here: %s", strerror(errno));
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, memory));
	test_served(vcpu);
	test_interrupted(vcpu);
	test_forgotten(vcpu);

	pid = spawn(waits_for_ever, NULL);
	sleep_us(50000);
	kill(pid, 9);
	is(reap(pid), -9, "a guest whose page never comes can be killed");
	return tap_exit();
}
