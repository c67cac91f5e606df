// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that a host does to memory, one after the other, under guests that write to every page
 * all the time and look for what they wrote.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define GPA	0x80000000UL
#define BYTES	(4 * MIB)
#define PAGES	(BYTES / PAGE)
#define WORDS	(PAGE / 8)
#define MAX_VCPUS	2U

/* What vCPU n is at; how many there are. */
static volatile u64 rounds[MAX_VCPUS], vcpus;

static u64 word(u64 page, u64 round)
{
	return round ? page << 32 | round : 0;
}

/* vCPU n has every n-th page: its first and last word. */
static void writes_and_checks(u64 n)
{
	for (u64 round = 0;; round++) {
		for (u64 i = n; i < PAGES; i += vcpus) {
			volatile u64 *p = (volatile u64 *)(GPA + i * PAGE);

			guest_is(p[0], word(i, round));
			guest_is(p[WORDS - 1], word(i, round));
			p[0] = word(i, round + 1);
			p[WORDS - 1] = word(i, round + 1);
		}
		rounds[n] = round + 1;
	}
}

/* A thread that runs a vCPU. That memory is not there for a while is told, and no more. */
struct worker {
	pthread_t thread;
	struct vcpu *vcpu;
	volatile bool stop;
	volatile u64 faults;
	volatile bool ended;	/* by something else */
};

static void *works(void *arg)
{
	struct worker *worker = arg;
	struct tinyvmx_run *run = worker->vcpu->run;

	while (!worker->stop) {
		int ret = vcpu_run(worker->vcpu);

		if (ret && errno == EINTR)
			continue;
		if (ret || run->reason != TINYVMX_EXIT_MEMORY_FAULT || run->mmio.error != EFAULT)
			break;
		worker->faults++;
		sleep_us(200);
	}
	worker->ended = !worker->stop;
	return NULL;
}

static struct vm *vm;
static struct worker workers[MAX_VCPUS];
static u8 *ram;		/* behind GPA, aligned to 2 MiB */
static u8 *elsewhere;	/* as many addresses, not mapped */

/* Each vCPU gets through all of its pages. */
static bool get_on(void)
{
	bool good = true;

	for (u64 n = 0; n < G(vm, vcpus); n++) {
		volatile u64 *round = &G(vm, rounds[n]);

		good &= wait_change(round, *round) && wait_change(round, *round);
		good &= !workers[n].ended;
	}
	return good;
}

static u8 *reserve(void)
{
	u8 *p = map_anon(BYTES + 2 * MIB);

	p += -(uintptr_t)p % (2 * MIB);
	return p;
}

static void start(void)
{
	vm = vm_create();
	ram = reserve();
	elsewhere = reserve();
	must(set_memory(vm->fd, 1, 0, GPA, BYTES, ram));
	G(vm, vcpus) = MAX_VCPUS;
	for (u32 n = 0; n < MAX_VCPUS; n++) {
		workers[n].vcpu = vcpu_create(vm, n, writes_and_checks, n);
		if (pthread_create(&workers[n].thread, NULL, works, &workers[n]))
			bail("pthread_create: %m");
	}
}

static void stop(void)
{
	for (u32 n = 0; n < MAX_VCPUS; n++) {
		workers[n].stop = true;
		workers[n].vcpu->run->immediate_exit = 1;
	}
	for (u32 n = 0; n < MAX_VCPUS; n++) {
		pthread_kill(workers[n].thread, SIGUSR1);
		pthread_join(workers[n].thread, NULL);
	}
}

/* ----------------------------------------------------------- what is done to it */

static bool pages_out(void)
{
	return !madvise(ram, BYTES, MADV_PAGEOUT);
}

static bool ages(void)
{
	return !madvise(ram, BYTES, MADV_COLD);
}

static bool collapses(void)
{
	return !madvise(ram, BYTES, MADV_HUGEPAGE) && !madvise(ram, BYTES, MADV_COLLAPSE);
}

static bool splits(void)
{
	char text[96];

	snprintf(text, sizeof(text), "%d,0x%lx,0x%lx", getpid(), (uintptr_t)ram,
		 (uintptr_t)ram + BYTES);
	return write_text("/sys/kernel/debug/split_huge_pages", text);
}

/* The kernel moves the page to another frame, and never uses that one again. */
static bool moves(void)
{
	for (u32 i = 0; i < 4; i++)
		if (madvise(ram + (i * 250 + 1) * PAGE, PAGE, MADV_SOFT_OFFLINE))
			return false;
	return true;
}

static bool compacts(void)
{
	return write_text("/proc/sys/vm/compact_memory", "1");
}

static bool merges(void)
{
	static const char * const knob = "/sys/kernel/mm/ksm/run";
	bool good;

	if (madvise(ram, BYTES, MADV_MERGEABLE) || !write_text(knob, "1"))
		return false;
	write_text("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	write_text("/sys/kernel/mm/ksm/sleep_millisecs", "2");
	good = get_on();
	return write_text(knob, "2") && !madvise(ram, BYTES, MADV_UNMERGEABLE) && good;
}

static bool goes_elsewhere(void)
{
	int how = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (mremap(ram, BYTES, BYTES, how, elsewhere) != elsewhere)
		return false;
	sleep_us(1000);
	return mremap(elsewhere, BYTES, BYTES, how, ram) == ram;
}

static bool protects(void)
{
	if (mprotect(ram, BYTES, PROT_READ))
		return false;
	sleep_us(1000);
	if (mprotect(ram, BYTES, PROT_NONE))
		return false;
	sleep_us(1000);
	return !mprotect(ram, BYTES, PROT_READ | PROT_WRITE);
}

static int writes_its_copy(void *arg)
{
	(void)arg;
	memset(ram, 0xff, BYTES);
	return 0;
}

static bool forks(void)
{
	return !reap(spawn(writes_its_copy, NULL));
}

static int execs(void *arg)
{
	(void)arg;
	execl("/proc/self/exe", "memory_pressure", "exit", NULL);
	return 1;
}

static bool forks_and_execs(void)
{
	return !reap(spawn(execs, NULL));
}

static const struct {
	const char *what;
	bool (*do_it)(void);
} things[] = {
	{ "MADV_PAGEOUT", pages_out },
	{ "MADV_COLD", ages },
	{ "MADV_COLLAPSE", collapses },
	{ "huge pages out", pages_out },
	{ "MADV_COLLAPSE of what is out", collapses },
	{ "huge pages split", splits },
	{ "MADV_SOFT_OFFLINE", moves },
	{ "compaction", compacts },
	{ "KSM, and no more", merges },
	{ "mremap() there and back", goes_elsewhere },
	{ "mprotect() and back", protects },
	{ "fork(), and a child that writes", forks },
	{ "fork() and exec()", forks_and_execs },
};

static void test_things(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(things); i++) {
		bool done = true;

		for (u32 again = 0; again < 3 && done; again++)
			done = things[i].do_it();
		if (done)
			ok(get_on(), "%s: the guests find what they wrote", things[i].what);
		else
			skip("not here", "%s (%s)", things[i].what, strerror(errno));
	}
}

static void test_unmap(void)
{
	u64 before[MAX_VCPUS];
	bool good = true;

	for (u32 n = 0; n < MAX_VCPUS; n++)
		before[n] = workers[n].faults;
	must(munmap(ram, BYTES));
	for (u32 n = 0; n < MAX_VCPUS; n++)
		good &= wait_change(&workers[n].faults, before[n]) && !workers[n].ended;
	ok(good, "munmap(): each vCPU comes out with MEMORY_FAULT");
}

/* ------------------------------------------------------------------------ exec */

static int execs_with_vm(void *arg)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);

	runner_start(vcpu);
	sleep_us(*(u32 *)arg);
	return execs(NULL);
}

/* exec() ends the other threads, in RUN as well, and then the memory. */
static void test_exec(void)
{
	u32 bad = 0;

	for (u32 us = 0; us < 10000; us += 1000)
		bad += reap(spawn(execs_with_vm, &us)) != 0;
	is(bad, 0, "a VMM that does exec() while its guest runs");
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;	/* after exec() */
	tap_init();
	info();
	ignore_signal(SIGUSR1);
	start();
	ok(get_on(), "%u vCPUs write to %lu pages", MAX_VCPUS, PAGES);
	test_things();
	test_unmap();
	stop();
	test_exec();
	return tap_exit();
}
