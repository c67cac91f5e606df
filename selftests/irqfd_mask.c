// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vector is masked by deassigning its eventfd and unmasked by assigning that again, with another
 * message: no signal is lost, none comes twice, and none while it is masked.
 *
 * One signals, and waits for the guest to have taken it; another masks and unmasks all the time.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lapic.h"

#define VCPUS	2
#define VECTOR	0x51	/* the first of ... */
#define VECTORS	8	/* ... as many */
#define LAST	0x31	/* below them: taken when all of them have been */
#define ROUNDS	600
#define GPA	0x40000000UL
#define AT_GPA	((struct shared *)GPA)

/* Seen by the guest and by all processes. */
struct shared {
	volatile u64 taken;	/* interrupts of VECTORS */
	volatile u64 drained;	/* of LAST */
	volatile u64 sent;	/* signals */
	volatile u64 waited;	/* for so many of them */
	volatile bool stop;
	volatile bool lost;
};

/* --------------------------------------------------------------------- guest */

static void takes(struct guest_frame *frame)
{
	volatile u64 *count = frame->vector == LAST ? &AT_GPA->drained : &AT_GPA->taken;

	guest_eoi();
	__atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
}

static volatile u64 ready;

static void prepares(void)
{
	for (u32 i = 0; i < VECTORS; i++)
		guest_expect(VECTOR + i);
	guest_expect(LAST);
	guest_hook = takes;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
}

static void halts(void)
{
	prepares();
	for (;;)
		sti_hlt();
}

static void spins(void)
{
	prepares();
	sti();
	for (;;)
		relax();
}

/* ---------------------------------------------------------------- who signals */

struct signaller {
	struct shared *shared;
	int fd;
	u32 burst;	/* signals at a time, at most */
};

static void signal_fd(struct signaller *signaller)
{
	u64 one = 1;

	signaller->shared->sent++;
	if (write(signaller->fd, &one, sizeof(one)) != sizeof(one))
		bail("write to an eventfd: %m");
}

static bool wait_more(struct shared *shared, u64 before)
{
	for (u32 i = 0; i < 50000; i++) {
		if (shared->taken != before)
			return true;
		sleep_us(100);
	}
	return false;
}

static void *signals(void *arg)
{
	struct signaller *signaller = arg;
	struct shared *shared = signaller->shared;
	u32 random = 1;

	while (!shared->stop && !shared->lost) {
		u64 before;

		random = random * 1664525 + 1013904223;
		for (u32 i = 0; i < random >> 20; i++)
			relax();
		for (u32 i = 1; i < 1 + (random >> 8) % signaller->burst; i++)
			signal_fd(signaller);
		before = shared->taken;
		signal_fd(signaller);
		shared->waited++;
		shared->lost = !wait_more(shared, before);
	}
	return NULL;
}

static int signals_from_afar(void *arg)
{
	signals(arg);
	return 0;
}

/* ------------------------------------------------------------------ who masks */

struct target {
	struct vm *vm;
	struct vcpu *vcpu[VCPUS];
	struct runner *runner[VCPUS];
	struct shared *shared;
	int fd;
	u64 pending;	/* signals seen while it was masked */
	u64 early;	/* interrupts that came then */
};

static int set(struct target *target, u32 flags, u64 address, u32 data)
{
	struct tinyvmx_irqfd arg = {
		.size = sizeof(arg), .flags = flags, .fd = target->fd,
		.data = data, .address = address,
	};

	return ioctl(target->vm->fd, TINYVMX_IRQFD, &arg);
}

/* Wait until what was sent to the vCPUs has been taken. */
static void drain(struct target *target)
{
	u64 goal = target->shared->drained + VCPUS;

	for (u32 i = 0; i < VCPUS; i++)
		must(msi(target->vm, i, LAST));
	for (u32 i = 0; i < 50000 && target->shared->drained < goal; i++)
		sleep_us(100);
	if (target->shared->drained < goal)
		bail("vCPUs do not take their interrupts");
}

/* It is masked: whatever is signalled now stays where it is. */
static void watch(struct target *target)
{
	struct pollfd look = { .fd = target->fd, .events = POLLIN };
	u64 before;

	drain(target);
	before = target->shared->taken;
	sleep_us(300);
	drain(target);
	target->early += target->shared->taken - before;
	target->pending += poll(&look, 1, 0) == 1;
}

static void mask_and_unmask(struct target *target, u32 round)
{
	must(set(target, TINYVMX_IRQFD_DEASSIGN, 0, 0));
	if (round % 4 == 0)
		watch(target);
	must(set(target, 0, MSI_BASE | MSI_DEST(round % VCPUS), VECTOR + round % VECTORS));
	sleep_us(round % 5 * 60);
}

/* --------------------------------------------------------------------- tests */

static void start(struct target *target, void *fn)
{
	target->vm = lapic_vm();
	target->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			      0);
	if (target->shared == MAP_FAILED)
		bail("mmap: %m");
	must(set_memory(target->vm->fd, 1, 0, GPA, PAGE, target->shared));
	target->fd = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	must(set(target, 0, MSI_BASE, VECTOR));
	for (u32 i = 0; i < VCPUS; i++)
		target->vcpu[i] = lapic_vcpu(target->vm, i, fn);
	for (u32 i = 0; i < VCPUS; i++)
		target->runner[i] = runner_start(target->vcpu[i]);
	for (u32 i = 0; i < 5000 && G(target->vm, ready) < VCPUS; i++)
		sleep_us(1000);
	if (G(target->vm, ready) < VCPUS)
		bail("the guests do not start");
}

static void stop(struct target *target)
{
	for (u32 i = 0; i < VCPUS; i++)
		runner_stop(target->runner[i]);
	for (u32 i = 0; i < VCPUS; i++)
		vcpu_destroy(target->vcpu[i]);
	vm_destroy(target->vm);
	munmap(target->shared, PAGE);
	close(target->fd);
}

static void test(void *fn, bool afar, u32 burst, const char *what)
{
	struct target target = { 0 };
	struct signaller signaller;
	struct shared *shared;
	pthread_t thread;
	pid_t pid = 0;
	u32 round;

	start(&target, fn);
	shared = target.shared;
	signaller = (struct signaller){ .shared = shared, .fd = target.fd, .burst = burst };
	if (afar)
		pid = spawn(signals_from_afar, &signaller);
	else if (pthread_create(&thread, NULL, signals, &signaller))
		bail("pthread_create: %m");
	for (round = 0; !shared->lost && (round < ROUNDS || shared->waited < ROUNDS); round++)
		mask_and_unmask(&target, round);
	shared->stop = true;
	if (afar)
		reap(pid);
	else
		pthread_join(thread, NULL);
	drain(&target);
	diag("%s: masked %u times, %lu signals, %lu interrupts; seen pending while masked: %lu",
	     what, round, shared->sent, shared->taken, target.pending);
	ok(!shared->lost, "%s: no signal is lost", what);
	ok(shared->taken <= shared->sent, "... none comes twice");
	if (burst == 1)
		is(shared->taken, shared->sent, "... each is an interrupt");
	is(target.early, 0, "... none comes while it is masked");
	ok(target.pending > 0, "... and some were signalled then");
	stop(&target);
}

int main(void)
{
	tap_init();
	info();
	test(halts, false, 1, "a thread signals, vCPUs halt");
	test(spins, false, 1, "a thread signals, vCPUs spin");
	test(halts, false, 6, "... several times at once");
	test(halts, true, 1, "a process signals, vCPUs halt");
	return tap_exit();
}
