// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that raise an interrupt, signalled from where that is delicate: by another VM's exit,
 * which is answered by an exit of that one; by a timer's interrupt; within the signal of another
 * eventfd, where the kernel allows none.
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "lapic.h"

#define VECTOR	0x51
#define PORT	0x5a0
#define ROUNDS	300
#define TIMES	50

static int make_eventfd(void)
{
	return must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* Writes to PORT in @vm signal @fd. */
static void writes_signal(struct vm *vm, int fd)
{
	struct tinyvmx_ioeventfd arg = {
		.size = sizeof(arg), .fd = fd, .port = PORT, .width = 4,
	};

	must(ioctl(vm->fd, TINYVMX_IOEVENTFD, &arg));
}

/* @fd interrupts vCPU 0 of @vm. */
static void interrupts(struct vm *vm, int fd)
{
	struct tinyvmx_irqfd arg = {
		.size = sizeof(arg), .fd = fd, .data = VECTOR, .address = MSI_BASE,
	};

	must(ioctl(vm->fd, TINYVMX_IRQFD, &arg));
}

/* --------------------------------------------------------------------- guest */

static volatile u64 stage, rounds;

/* Halt until so many interrupts have come. */
static void halt_for(u32 count)
{
	cli();
	while (guest_taken[VECTOR] < count) {
		sti_hlt();
		cli();
	}
}

static void asks(void)
{
	guest_expect(VECTOR);
	guest_hook = guest_hook_eoi;
	for (u32 n = 1; n <= rounds; n++) {
		outl(PORT, n);
		halt_for(n);
	}
}

static void answer(struct guest_frame *frame)
{
	guest_hook_eoi(frame);
	outl(PORT, 0);
}

static void answers(void)
{
	guest_expect(VECTOR);
	guest_hook = answer;
	for (stage = 1;;)
		sti_hlt();
}

static void halts(void)
{
	guest_expect(VECTOR);
	guest_hook = guest_hook_eoi;
	for (stage = 1;;)
		sti_hlt();
}

static void spins(void)
{
	guest_expect(VECTOR);
	guest_hook = guest_hook_eoi;
	sti();
	for (stage = 1;;)
		relax();
}

/* ---------------------------------------------------------------------- host */

static struct runner *start(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);

	if (!wait_change(&G(vcpu->vm, stage), 0))
		bail("the guest does not start");
	return runner;
}

/* Each one's exit interrupts the other. All fds are closed: the VMs alone have the eventfds. */
static void test_two_vms(void)
{
	struct vcpu *one = lapic_simple(asks), *other = lapic_simple(answers);
	int there = make_eventfd(), back = make_eventfd();
	struct runner *runner;

	writes_signal(one->vm, there);
	interrupts(other->vm, there);
	writes_signal(other->vm, back);
	interrupts(one->vm, back);
	close(there);
	close(back);
	runner = start(other);
	G(one->vm, rounds) = ROUNDS;
	ok_done(one, "two VMs: each write is answered by the other one's");
	is(G(one->vm, guest_taken[VECTOR]), ROUNDS, "... as often as it was written");
	is(G(other->vm, guest_taken[VECTOR]), ROUNDS, "... and the other has taken as many");
	runner_stop(runner);
	vcpu_simple_destroy(one);
	vcpu_simple_destroy(other);
}

/* ------------------------------------------------------ signalled by the kernel */

static aio_context_t aio;

static bool have_aio(void)
{
	return !syscall(SYS_io_setup, 8, &aio);
}

/* When @watched becomes readable the kernel signals @fd, once. */
static void relay(int watched, int fd)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = watched, .aio_buf = POLLIN,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = fd,
	};
	struct iocb *list[] = { &cb };

	must(syscall(SYS_io_submit, aio, 1, list));
}

/* What the last relay() has left. */
static void relayed(int watched)
{
	struct io_event event;
	u64 count;

	must(syscall(SYS_io_getevents, aio, 1, 1, &event, NULL));
	if (read(watched, &count, sizeof(count)) != sizeof(count))
		bail("nothing to read: %m");
}

/* A timer's interrupt, on the CPU where the vCPU is. */
static void test_timer(void *fn, const char *what)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct vcpu *vcpu = lapic_simple(fn);
	int fd = make_eventfd(), timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	struct runner *runner;
	u32 taken = 0;

	run_on_cpu(0);
	interrupts(vcpu->vm, fd);
	runner = start(vcpu);
	for (u32 i = 1; i <= TIMES; i++) {
		relay(timer, fd);
		must(timerfd_settime(timer, 0, &soon, NULL));
		taken += wait_taken(vcpu->vm, VECTOR, i);
		relayed(timer);
	}
	is(taken, TIMES, "a timer's interrupt signals, the vCPU %s", what);
	is(G(vcpu->vm, guest_taken[VECTOR]), TIMES, "... once each time");
	runner_stop(runner);
	close(timer);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

/* In an exit, within the signal of another eventfd. */
static void test_nested(void)
{
	struct vcpu *vcpu = lapic_simple(asks);
	int fd = make_eventfd(), watched = make_eventfd();
	u32 done = 0;

	writes_signal(vcpu->vm, watched);
	interrupts(vcpu->vm, fd);
	G(vcpu->vm, rounds) = 1;
	for (u32 i = 1; i <= TIMES; i++) {
		relay(watched, fd);
		G(vcpu->vm, guest_taken[VECTOR]) = 0;
		vcpu_call(vcpu, asks, 0);
		done += run_until_port(vcpu, GUEST_DONE);
		relayed(watched);
	}
	is(done, TIMES, "an exit signals an eventfd, which signals one that interrupts");
	close(watched);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	info();
	test_two_vms();
	if (have_aio()) {
		test_nested();
		test_timer(halts, "halts");
		test_timer(spins, "spins");
	} else {
		skip("a kernel without AIO", "signalled by the kernel");
	}
	return tap_exit();
}
