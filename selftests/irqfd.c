// SPDX-License-Identifier: GPL-2.0-only
/* Eventfds that raise an interrupt: delivery, errors, lifetimes, races. */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "lapic.h"

#define VECTOR	0x51
#define PORT	0x5a0
#define DEASSIGN TINYVMX_IRQFD_DEASSIGN

static int set(int vm, u32 flags, int fd, u64 address, u32 data)
{
	struct tinyvmx_irqfd arg = {
		.size = sizeof(arg), .flags = flags, .fd = fd,
		.data = data, .address = address,
	};

	return ioctl(vm, TINYVMX_IRQFD, &arg);
}

static int assign(struct vm *vm, int fd, u8 vector)
{
	return set(vm->fd, 0, fd, MSI_BASE, vector);
}

static int deassign(struct vm *vm, int fd)
{
	return set(vm->fd, DEASSIGN, fd, 0, 0);
}

static int make_eventfd(void)
{
	return must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static void signal_fd(int fd)
{
	u64 one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		bail("write to an eventfd: %m");
}

static u64 count(int fd)
{
	u64 n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static volatile u64 stage;

static void halts(void)
{
	guest_expect(VECTOR);
	guest_expect(VECTOR + 1);
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

static struct runner *start(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);

	if (!wait_change(&G(vcpu->vm, stage), 0))
		bail("the guest does not start");
	return runner;
}

static void test_delivery(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);
	struct vm *vm = vcpu->vm;
	int fd = make_eventfd();
	struct runner *runner = start(vcpu);
	u32 n = 0;

	err_is(assign(vm, fd, VECTOR), 0, "assign; a guest that %s", what);
	for (u32 i = 1; i <= 50; i++) {
		signal_fd(fd);
		n += wait_taken(vm, VECTOR, i);
	}
	is(n, 50, "each signal is an interrupt");
	is(count(fd), 0, "the kernel has taken what was counted");
	ok(!runner->ended, "RUN has not come back");
	err_is(deassign(vm, fd), 0, "deassign");
	signal_fd(fd);
	sleep_us(5000);
	is(G(vm, guest_taken[VECTOR]), 50, "deassigned: no interrupt");
	is(count(fd), 1, "... and the count is there to be read");
	runner_stop(runner);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

/* What was signalled before, and what comes while the vCPU does not run. */
static void test_before(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	struct vm *vm = vcpu->vm;
	int fd = make_eventfd(), other = make_eventfd();
	struct runner *runner;

	signal_fd(fd);
	signal_fd(fd);
	must(assign(vm, fd, VECTOR));
	is(count(fd), 0, "signalled before: taken by the assignment");
	must(assign(vm, other, VECTOR + 1));
	signal_fd(other);
	runner = start(vcpu);
	ok(wait_taken(vm, VECTOR, 1), "... the interrupt comes");
	ok(wait_taken(vm, VECTOR + 1, 1), "so does one signalled before RUN");
	sleep_us(5000);
	is(G(vm, guest_taken[VECTOR]), 1, "... once");
	runner_stop(runner);
	close(fd);
	close(other);
	vcpu_simple_destroy(vcpu);
}

static void writes_port(void)
{
	guest_expect(VECTOR);
	guest_hook = guest_hook_eoi;
	sti();
	for (u32 n = 1; n <= 20; n++) {
		outl(PORT, n);
		guest_is(guest_taken[VECTOR], n);
	}
}

/* A port write, an eventfd, an interrupt: all in one exit. */
static void test_both_ways(void)
{
	struct tinyvmx_ioeventfd io = { .size = sizeof(io), .port = PORT, .width = 4 };
	struct vcpu *vcpu = lapic_simple(writes_port);

	io.fd = make_eventfd();
	must(ioctl(vcpu->vm->fd, TINYVMX_IOEVENTFD, &io));
	must(assign(vcpu->vm, io.fd, VECTOR));
	ok_done(vcpu, "a port write interrupts the one who writes");
	close(io.fd);
	vcpu_simple_destroy(vcpu);
}

static void test_errors(void)
{
	struct tinyvmx_irqfd arg = { .size = sizeof(arg), .data = VECTOR, .address = MSI_BASE };
	struct vcpu *vcpu = lapic_simple(halts);
	struct vm *plain = vm_create(), *vm = vcpu->vm;
	int fd = make_eventfd(), again = must(dup(fd)), file = must(open("/dev/null", O_RDWR));

	err_is(assign(plain, fd, VECTOR), EOPNOTSUPP, "a VM without local APICs");
	err_is(set(vm->fd, 0, fd, MSI_BASE, 0x200 | VECTOR), EOPNOTSUPP, "SMI");
	err_is(set(vm->fd, 2, fd, MSI_BASE, VECTOR), EOPNOTSUPP, "an unknown flag");
	err_is(set(vm->fd, 0, fd, 0, VECTOR), EINVAL, "an address that is none");
	err_is(assign(vm, fd, 15), EINVAL, "vector 15");
	err_is(assign(vm, file, VECTOR), EINVAL, "a file that is no eventfd");
	err_is(assign(vm, vm->fd, VECTOR), EINVAL, "the VM itself");
	err_is(assign(vm, -1, VECTOR), EBADF, "no fd");
	err_is(assign(vm, 1000, VECTOR), EBADF, "an fd that is not open");
	err_is(deassign(vm, fd), ENOENT, "deassigning what is not there");
	err_is(assign(vm, fd, VECTOR), 0, "all well");
	err_is(assign(vm, fd, VECTOR + 1), EEXIST, "the same eventfd");
	err_is(assign(vm, again, VECTOR + 1), EEXIST, "... by a duplicate");
	err_is(set(vm->fd, DEASSIGN, fd, MSI_BASE, 0), EINVAL, "deassigning with an address");
	err_is(set(vm->fd, DEASSIGN, fd, 0, VECTOR), EINVAL, "... with data");
	err_is(deassign(vm, file), EINVAL, "... what is no eventfd");
	err_is(deassign(vm, again), 0, "deassigned by a duplicate");
	err_is(deassign(vm, fd), ENOENT, "not twice");
	arg.fd = fd;
	err_is(ioctl(vcpu->fd, TINYVMX_IRQFD, &arg), ENOTTY, "on a vCPU");
	arg.size = sizeof(arg) - 4;
	err_is(ioctl(vm->fd, TINYVMX_IRQFD, &arg), EINVAL, "too small a struct");
	err_is(ioctl(vm->fd, TINYVMX_IRQFD, NULL), EFAULT, "no struct");
	close(fd);
	close(again);
	close(file);
	vm_destroy(plain);
	vcpu_simple_destroy(vcpu);
}

static void allow_fds(u64 fds)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = MAX(limit.rlim_cur, fds);
	limit.rlim_max = MAX(limit.rlim_max, fds);
	must(setrlimit(RLIMIT_NOFILE, &limit));
}

/* To mask a vector and unmask it again: ticks, the least of three. */
static u64 mask_cost(struct vm *vm, int fd)
{
	u64 least = ~0UL;

	for (u32 i = 0; i < 3; i++) {
		u64 start = rdtsc();

		must(deassign(vm, fd));
		must(assign(vm, fd, VECTOR));
		least = MIN(least, rdtsc() - start);
	}
	return least;
}

static void test_limit(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	u32 most = info()->max_eventfds, made = 0;
	int *fd = calloc(most + 1, sizeof(*fd));
	u64 alone, last, first;

	allow_fds(most + 100);
	for (u32 i = 0; i <= most; i++)
		fd[i] = make_eventfd();
	must(assign(vcpu->vm, fd[0], VECTOR));
	alone = mask_cost(vcpu->vm, fd[0]);
	for (made = 1; made < most && !assign(vcpu->vm, fd[made], VECTOR);)
		made++;
	is(made, most, "max_eventfds can be made");
	last = mask_cost(vcpu->vm, fd[most - 1]);
	first = mask_cost(vcpu->vm, fd[1]);
	diag("deassign and assign: %lu ticks; one of %u: %lu, %lu", alone, most, first, last);
	ok(MAX(first, last) < 2 * alone, "to change one of many costs what it costs alone");
	err_is(assign(vcpu->vm, fd[most], VECTOR), ENOSPC, "one more");
	must(deassign(vcpu->vm, fd[0]));
	err_is(assign(vcpu->vm, fd[most], VECTOR), 0, "one gone, one more");
	for (u32 i = 0; i <= most; i++)
		close(fd[i]);
	free(fd);
	vcpu_simple_destroy(vcpu);
}

/* Nobody there to take it, then nobody there at all. */
static void test_lifetime(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	struct vm *vm = vcpu->vm;
	int fd = make_eventfd(), lost = make_eventfd();

	must(set(vm->fd, 0, fd, MSI_BASE | MSI_DEST(5), VECTOR));
	signal_fd(fd);
	is(count(fd), 0, "a message to nobody is lost");
	must(assign(vm, lost, VECTOR));
	close(lost);
	ok(true, "an eventfd whose fds are closed");
	vcpu_destroy(vcpu);
	signal_fd(fd);
	is(count(fd), 0, "the vCPU is gone, the VM is not");
	vm_destroy(vm);
	signal_fd(fd);
	is(count(fd), 1, "the VM is gone: nobody takes it");
	close(fd);
}

static volatile bool stop_changing;

struct changer {
	struct vm *vm;
	int fd;
	u64 rounds;
};

static void *changes(void *arg)
{
	struct changer *changer = arg;

	while (!stop_changing) {
		changer->rounds++;
		must(assign(changer->vm, changer->fd, VECTOR));
		sleep_us(changer->rounds % 5 * 100);
		must(deassign(changer->vm, changer->fd));
	}
	return NULL;
}

static void test_race(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	struct changer changer = { .vm = vcpu->vm, .fd = make_eventfd() };
	struct runner *runner = start(vcpu);
	pthread_t thread;

	pthread_create(&thread, NULL, changes, &changer);
	for (u32 i = 0; i < 2000 || changer.rounds < 50; i++)
		signal_fd(changer.fd);
	stop_changing = true;
	pthread_join(thread, NULL);
	ok(G(vcpu->vm, guest_taken[VECTOR]) > 0, "%lu changes while it is signalled, %u interrupts",
	   changer.rounds, G(vcpu->vm, guest_taken[VECTOR]));
	runner_stop(runner);
	close(changer.fd);
	vcpu_simple_destroy(vcpu);
}

/* The eventfd is the parent's; the VM dies with the child, under its signals. */
static int dies(void *arg)
{
	struct vcpu *vcpu = lapic_simple(halts);

	must(assign(vcpu->vm, *(int *)arg, VECTOR));
	vcpu_run(vcpu);
	return 1;
}

static void test_death(void)
{
	long before = read_long("/sys/module/tinyvmx/refcnt");
	u32 killed = 0, taken = 0;
	int fd = make_eventfd();

	for (u32 i = 0; i < 10; i++) {
		pid_t pid = spawn(dies, &fd);
		bool was_taken = false;

		for (u32 k = 0; k < 2000 && !was_taken; k++) {
			signal_fd(fd);
			was_taken = !count(fd);
			sleep_us(500);
		}
		taken += was_taken;
		kill(pid, SIGKILL);
		for (u32 k = 0; k < 100; k++)
			signal_fd(fd);
		killed += reap(pid) == -SIGKILL;
		count(fd);
	}
	is(taken, 10, "10 processes take the parent's signals");
	is(killed, 10, "... and are killed under them");
	for (u32 k = 0; k < 1000 && read_long("/sys/module/tinyvmx/refcnt") != before; k++)
		sleep_us(1000);
	is(read_long("/sys/module/tinyvmx/refcnt"), before, "nothing is left of them");
	signal_fd(fd);
	is(count(fd), 1, "nobody takes it any more");
	close(fd);
}

int main(void)
{
	tap_init();
	test_delivery(halts, "halts");
	test_delivery(spins, "spins");
	test_before();
	test_both_ways();
	test_errors();
	test_limit();
	test_lifetime();
	test_race();
	test_death();
	return tap_exit();
}
