// SPDX-License-Identifier: GPL-2.0-only
/* Port writes that signal an eventfd: which, which not, errors, lifetimes, races. */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "lib.h"

#define PORT	0x5a0
#define MATCH	TINYVMX_IOEVENTFD_DATAMATCH
#define DEASSIGN TINYVMX_IOEVENTFD_DEASSIGN
#define MANY	0x4000		/* ports of many, 4 apart, as queues of a device are */

static int set(int vm, u32 flags, int fd, u16 port, u16 width, u32 data)
{
	struct tinyvmx_ioeventfd arg = {
		.size = sizeof(arg), .flags = flags, .fd = fd,
		.port = port, .width = width, .data = data,
	};

	return ioctl(vm, TINYVMX_IOEVENTFD, &arg);
}

static int make_eventfd(void)
{
	return must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* How often it was signalled since the last look. */
static u64 count(int fd)
{
	u64 n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* ------------------------------------------------------------------ guest */

static void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void three_widths(void)
{
	outb(PORT, 1);
	outw(PORT + 4, 2);
	outw(PORT + 4, 3);
	outl(PORT + 8, 4);
}

static void two_values(void)
{
	outl(PORT, 7);
	outl(PORT, 8);
	outl(PORT, 7);
	outl(PORT, 9);
}

static void one_write(void)
{
	outl(PORT, 7);
}

/* None of these is an OUT of 2 bytes to PORT. */
static void near_misses(void)
{
	static const u16 word = 7;
	const u16 *from = &word;

	outb(PORT, 7);
	outl(PORT, 7);
	outw(PORT + 1, 7);
	outw(PORT - 1, 7);
	inl(PORT);
	__asm__ volatile("outsw" : "+S"(from) : "d"((u16)PORT) : "memory");
}

static volatile u64 writes;

static void writes_for_ever(void)
{
	for (;;) {
		writes++;
		outl(PORT, 7);
	}
}

/* ------------------------------------------------------------------ tests */

static void test_widths(void)
{
	struct vcpu *vcpu = vcpu_simple(three_widths);
	int fd[3];

	for (u32 i = 0; i < 3; i++) {
		fd[i] = make_eventfd();
		err_is(set(vcpu->vm->fd, 0, fd[i], PORT + 4 * i, 1 << i, 0), 0,
		       "assign %u bytes", 1 << i);
	}
	ok_done(vcpu, "writes do not come out");
	is(count(fd[0]), 1, "1 byte: signalled");
	is(count(fd[1]), 2, "2 bytes, twice: two signals");
	is(count(fd[2]), 1, "4 bytes: signalled");
	for (u32 i = 0; i < 3; i++)
		close(fd[i]);
	vcpu_simple_destroy(vcpu);
}

static void test_near_misses(void)
{
	struct vcpu *vcpu = vcpu_simple(near_misses);
	int fd = make_eventfd();

	must(set(vcpu->vm->fd, 0, fd, PORT, 2, 0));
	for (u32 i = 0; i < 6; i++)
		ok_exit(vcpu, TINYVMX_EXIT_IO, "near miss %u comes out", i);
	is(count(fd), 0, "... and is not signalled");
	close(fd);
	vcpu_simple_destroy(vcpu);
}

static void test_match(void)
{
	struct vcpu *vcpu = vcpu_simple(two_values);
	int vm = vcpu->vm->fd, seven = make_eventfd(), eight = make_eventfd();

	must(set(vm, MATCH, seven, PORT, 4, 7));
	err_is(set(vm, MATCH, eight, PORT, 4, 8), 0, "another value of the same port");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "a value that nobody wants comes out");
	is(vcpu->run->io.data, 9, "... it is that one");
	is(count(seven), 2, "two writes of 7");
	is(count(eight), 1, "one write of 8");
	err_is(set(vm, MATCH, eight, PORT, 4, 7), EEXIST, "a value that is taken");
	err_is(set(vm, 0, eight, PORT, 4, 0), EEXIST, "any value, when some are taken");
	err_is(set(vm, MATCH, eight, PORT, 1, 7), 0, "another width is another thing");
	close(seven);
	close(eight);
	vcpu_simple_destroy(vcpu);
}

static void test_errors(void)
{
	struct tinyvmx_ioeventfd arg = { .size = sizeof(arg), .port = PORT, .width = 4 };
	struct vcpu *vcpu = vcpu_simple(one_write);
	int vm = vcpu->vm->fd, fd = make_eventfd(), file = must(open("/dev/null", O_RDWR));

	for (u32 width = 0; width < 10; width++)
		if (width != 1 && width != 2 && width != 4)
			err_is(set(vm, 0, fd, PORT, width, 0), EINVAL, "width %u", width);
	err_is(set(vm, 0, fd, 0xffff, 2, 0), EINVAL, "beyond the last port");
	err_is(set(vm, 0, fd, 0xfffd, 4, 0), EINVAL, "... by a byte");
	err_is(set(vm, 0, fd, 0xfffc, 4, 0), 0, "the last four ports");
	err_is(set(vm, 0, fd, PORT, 4, 1), EINVAL, "data without DATAMATCH");
	err_is(set(vm, MATCH, fd, PORT, 1, 0x100), EINVAL, "data wider than a byte");
	err_is(set(vm, MATCH, fd, PORT, 2, 0x10000), EINVAL, "... than a word");
	err_is(set(vm, MATCH, fd, PORT, 4, ~0U), 0, "32 bits of data");
	err_is(set(vm, 0, -1, PORT, 2, 0), EBADF, "no fd");
	err_is(set(vm, 0, 1000, PORT, 2, 0), EBADF, "an fd that is not open");
	err_is(set(vm, 0, file, PORT, 2, 0), EINVAL, "a file that is no eventfd");
	err_is(set(vm, 0, vm, PORT, 2, 0), EINVAL, "the VM itself");
	err_is(set(vm, 4, fd, PORT, 2, 0), EOPNOTSUPP, "an unknown flag");
	err_is(set(vm, DEASSIGN, fd, PORT, 2, 0), ENOENT, "deassigning what is not there");
	err_is(set(vcpu->fd, 0, fd, PORT, 2, 0), ENOTTY, "on a vCPU");
	arg.fd = fd;
	arg.pad = 1;
	err_is(ioctl(vm, TINYVMX_IOEVENTFD, &arg), EINVAL, "non-zero padding");
	arg.pad = 0;
	arg.size = sizeof(arg) - 4;
	err_is(ioctl(vm, TINYVMX_IOEVENTFD, &arg), EINVAL, "too small a struct");
	err_is(ioctl(vm, TINYVMX_IOEVENTFD, NULL), EFAULT, "no struct");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "nothing of it was assigned to the port");
	close(fd);
	close(file);
	vcpu_simple_destroy(vcpu);
}

static void test_deassign(void)
{
	struct vcpu *vcpu = vcpu_simple(one_write);
	int vm = vcpu->vm->fd, fd = make_eventfd(), other = make_eventfd(), again;

	must(set(vm, MATCH, fd, PORT, 4, 7));
	err_is(set(vm, MATCH | DEASSIGN, other, PORT, 4, 7), ENOENT, "another eventfd");
	err_is(set(vm, MATCH | DEASSIGN, fd, PORT, 4, 8), ENOENT, "another value");
	err_is(set(vm, DEASSIGN, fd, PORT, 4, 0), ENOENT, "without a value");
	err_is(set(vm, MATCH | DEASSIGN, fd, PORT, 2, 7), ENOENT, "another width");
	err_is(set(vm, MATCH | DEASSIGN, fd, PORT + 4, 4, 7), ENOENT, "another port");
	ok_done(vcpu, "it is still there");
	is(count(fd), 1, "... and signalled");
	again = must(dup(fd));
	err_is(set(vm, MATCH | DEASSIGN, again, PORT, 4, 7), 0, "deassigned by a duplicate");
	vcpu_call(vcpu, one_write, 0);
	ok_exit(vcpu, TINYVMX_EXIT_IO, "the write comes out");
	is(count(fd), 0, "... and is not signalled");
	err_is(set(vm, MATCH | DEASSIGN, fd, PORT, 4, 7), ENOENT, "not twice");
	must(set(vm, 0, fd, PORT, 4, 0));
	vcpu_call(vcpu, one_write, 0);
	ok_done(vcpu, "assigned again, to any value");
	is(count(fd), 1, "... it is signalled");
	close(fd);
	close(other);
	close(again);
	vcpu_simple_destroy(vcpu);
}

static volatile u64 ports;

static void every_port(void)
{
	for (u32 i = 0; i < ports; i++)
		outb(MANY + i * 4, 0);
}

static void test_limit(void)
{
	struct vcpu *vcpu = vcpu_simple(every_port);
	u32 most = info()->max_eventfds, made = 0;
	int vm = vcpu->vm->fd, fd = make_eventfd();

	ok(most >= 30 * 33, "max_eventfds %u: 30 devices with 33 queues each", most);
	for (u32 i = 0; i < most; i++)
		made += !set(vm, 0, fd, MANY + i * 4, 1, 0);
	G(vcpu->vm, ports) = most;
	is(made, most, "as many can be made");
	err_is(set(vm, 0, fd, PORT, 1, 0), ENOSPC, "one more");
	ok_done(vcpu, "a guest that writes to all of them");
	is(count(fd), most, "... all are signalled");
	must(set(vm, DEASSIGN, fd, MANY, 1, 0));
	err_is(set(vm, 0, fd, PORT, 1, 0), 0, "one gone, one more");
	close(fd);
	vcpu_simple_destroy(vcpu);
}

static volatile u64 all_ports;	/* ticks, of the fastest write of three to each */

static void measures(void)
{
	for (u32 i = 0; i < ports; i++) {
		u64 least = ~0UL;

		for (u32 n = 0; n < 3; n++) {
			u64 start = rdtsc();

			outb(MANY + i * 4, 0);
			least = MIN(least, rdtsc() - start);
		}
		all_ports += least;
	}
}

/*
 * An exit looks its port up among as many as there can be. The mean tells: a search from one end
 * to the other would show in it, and an interrupt in three writes to one port does not.
 */
static void test_cost(void)
{
	const u32 numbers[] = { 64, info()->max_eventfds };
	struct vcpu *vcpu = vcpu_simple(measures);
	int fd = make_eventfd();
	u64 mean[2];

	for (u32 i = 0, made = 0; i < 2; i++) {
		for (; made < numbers[i]; made++)
			must(set(vcpu->vm->fd, 0, fd, MANY + made * 4, 1, 0));
		G(vcpu->vm, ports) = made;
		G(vcpu->vm, all_ports) = 0;
		vcpu_call(vcpu, measures, 0);
		must_done(vcpu);
		mean[i] = G(vcpu->vm, all_ports) / made;
		diag("%u ports: a write takes %lu ticks", made, mean[i]);
	}
	ok(mean[1] < mean[0] + mean[0] / 2, "a write costs with %u ports what it costs with %u",
	   numbers[1], numbers[0]);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

/* Who takes a port away waits for an exit that is under way, not for all CPUs of the host. */
static void test_deassign_cost(void)
{
	struct vcpu *vcpu = vcpu_simple(writes_for_ever);
	struct runner *runner = runner_start(vcpu);
	u64 least = ~0UL, sum = 0;
	int fd = make_eventfd();

	for (u32 i = 0; i < 20; i++) {
		u64 start;

		must(set(vcpu->vm->fd, 0, fd, PORT + 8, 4, 0));
		start = rdtsc();
		must(set(vcpu->vm->fd, DEASSIGN, fd, PORT + 8, 4, 0));
		start = rdtsc() - start;
		least = MIN(least, start);
		sum += start;
	}
	diag("to deassign takes %lu ticks, at least %lu", sum / 20, least);
	ok(least < ms_to_tsc(1), "to deassign takes less than a millisecond");
	runner_stop(runner);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

/* The kernel holds the eventfd, not the fd. */
static void test_closed(void)
{
	struct vcpu *vcpu = vcpu_simple(one_write);
	int vm = vcpu->vm->fd, fd = make_eventfd(), again = must(dup(fd));
	u64 full = ~0UL - 1;

	must(set(vm, 0, fd, PORT, 4, 0));
	close(fd);
	ok_done(vcpu, "its fd is closed");
	is(count(again), 1, "... a duplicate hears of it");
	must(write(again, &full, sizeof(full)));
	for (u32 i = 0; i < 3; i++) {
		vcpu_call(vcpu, one_write, 0);
		must_done(vcpu);
	}
	ok(count(again) > full, "a full counter does not hold the guest up");
	close(again);
	vcpu_call(vcpu, one_write, 0);
	ok_done(vcpu, "nobody has it any more: the guest does not see that");
	fd = make_eventfd();
	err_is(set(vm, DEASSIGN, fd, PORT, 4, 0), ENOENT, "... nor can it be named");
	must(set(vm, 0, fd, PORT + 8, 4, 0));
	close(vm);
	vcpu->vm->fd = must(open("/dev/null", O_RDWR));
	vcpu_call(vcpu, three_widths, 0);
	ok_exit(vcpu, TINYVMX_EXIT_IO, "the VM's fd is closed");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "...");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "...");
	ok_done(vcpu, "... a vCPU keeps the assignments");
	is(count(fd), 1, "... and signals");
	close(fd);
	vcpu_simple_destroy(vcpu);
}

/* The one who waits for it gets the CPU at once, though no interrupt tells the guest's. */
static void test_wakes(void)
{
	struct vcpu *vcpu = vcpu_simple(writes_for_ever);
	int fd = must(eventfd(0, EFD_CLOEXEC));
	struct runner *runner;
	u64 start, worst = 0;

	must(set(vcpu->vm->fd, 0, fd, PORT, 4, 0));
	runner = runner_start(vcpu);
	for (u32 i = 0; i < 20; i++) {
		start = G(vcpu->vm, writes);
		ok(count(fd) > 0, "the guest's writes wake a reader");
		start = G(vcpu->vm, writes) - start;
		if (start > worst)
			worst = start;
		sleep_us(1000);
	}
	diag("at most %lu writes until the reader ran", worst);
	ok(!runner->ended, "RUN has not come back");
	runner_stop(runner);
	close(fd);
	vcpu_simple_destroy(vcpu);
}

static volatile bool stop_changing;

struct changer {
	int vm, fd;
	u64 rounds;
};

static void *changes(void *arg)
{
	struct changer *changer = arg;

	while (!stop_changing) {
		changer->rounds++;
		must(set(changer->vm, 0, changer->fd, PORT, 4, 0));
		sleep_us(changer->rounds % 7 * 100);
		must(set(changer->vm, DEASSIGN, changer->fd, PORT, 4, 0));
		/* On one CPU nobody else gets on between the two. */
		sleep_us(changer->rounds % 3 * 100);
	}
	return NULL;
}

/* While another thread assigns and deassigns, a write is either signalled or comes out. */
static void test_race(void)
{
	struct vcpu *vcpu = vcpu_simple(writes_for_ever);
	struct changer changer = { .vm = vcpu->vm->fd, .fd = make_eventfd() };
	u64 out = 0, signalled, written;
	pthread_t thread;

	pthread_create(&thread, NULL, changes, &changer);
	for (u32 i = 0; i < 3000 || changer.rounds < 30; i++, out++)
		if (!run_until(vcpu, TINYVMX_EXIT_IO))
			break;
	stop_changing = true;
	pthread_join(thread, NULL);
	signalled = count(changer.fd);
	written = G(vcpu->vm, writes);
	diag("%lu changes, %lu writes signalled, %lu came out", changer.rounds, signalled, out);
	is(signalled + out, written, "no write is lost or seen twice");
	close(changer.fd);
	vcpu_simple_destroy(vcpu);
}

/* The eventfd is the parent's; the VM dies with the child. */
static int dies(void *arg)
{
	struct vcpu *vcpu = vcpu_simple(writes_for_ever);

	must(set(vcpu->vm->fd, 0, *(int *)arg, PORT, 4, 0));
	vcpu_run(vcpu);
	return 1;
}

static void test_death(void)
{
	long before = read_long("/sys/module/tinyvmx/refcnt");
	int fd = make_eventfd();
	u32 killed = 0;

	for (u32 i = 0; i < 10; i++) {
		pid_t pid = spawn(dies, &fd);

		for (u32 k = 0; k < 5000 && !count(fd); k++)
			sleep_us(1000);
		kill(pid, SIGKILL);
		killed += reap(pid) == -SIGKILL;
	}
	is(killed, 10, "10 processes killed while their guests signal");
	for (u32 k = 0; k < 1000 && read_long("/sys/module/tinyvmx/refcnt") != before; k++)
		sleep_us(1000);
	is(read_long("/sys/module/tinyvmx/refcnt"), before, "nothing is left of them");
	count(fd);
	sleep_us(10000);
	is(count(fd), 0, "nobody signals any more");
	close(fd);
}

int main(void)
{
	tap_init();
	test_widths();
	test_near_misses();
	test_match();
	test_errors();
	test_deassign();
	test_limit();
	test_cost();
	test_deassign_cost();
	test_closed();
	test_wakes();
	test_race();
	test_death();
	return tap_exit();
}
