// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work on all CPUs at once. Each kind has a result that is known beforehand, and is wrong if an IPI is lost, a TLB
 * has what it should not, or the CPUs' clocks do not agree.
 */
#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "stress.h"

#define MAX_CPUS 64
#define PAGE 4096

static int nr_cpus, rounds;
static atomic_int faults;	/* of the kind of work that goes on */

static void fault(const char *what)
{
	if (!atomic_fetch_add(&faults, 1))
		printf("  %s\n", what);
}

static void expect(bool good, const char *what)
{
	if (!good)
		fault(what);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fault("a CPU does not take a thread");
}

/* A thread on each CPU does @work, and gets its number; @lead is done beside them. */
static void on_all(void *(*work)(void *cpu), void (*lead)(void))
{
	pthread_t thread[MAX_CPUS];

	for (long cpu = 0; cpu < nr_cpus; cpu++)
		if (pthread_create(&thread[cpu], NULL, work, (void *)cpu)) {
			puts("no thread");
			exit(1);
		}
	if (lead)
		lead();
	for (int cpu = 0; cpu < nr_cpus; cpu++)
		pthread_join(thread[cpu], NULL);
}

/* ------------------------------------------------------------------- locks */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count(void *cpu)
{
	run_on((long)cpu);
	for (int i = 0; i < 50 * rounds; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void stress_mutex(void)
{
	counter = 0;
	on_all(count, NULL);
	expect(counter == 50L * rounds * nr_cpus, "a count got lost");
}

/* A token goes around all CPUs; each sleeps until it has it. */
static pthread_cond_t token_moved[MAX_CPUS];
static long token;

static void *pass_token(void *arg)
{
	int cpu = (long)arg, next = (cpu + 1) % nr_cpus;

	run_on(cpu);
	for (int i = 0; i < 5 * rounds; i++) {
		pthread_mutex_lock(&mutex);
		while (token % nr_cpus != cpu)
			pthread_cond_wait(&token_moved[cpu], &mutex);
		token++;
		pthread_cond_signal(&token_moved[next]);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void stress_futex(void)
{
	token = 0;
	for (int cpu = 0; cpu < nr_cpus; cpu++)
		pthread_cond_init(&token_moved[cpu], NULL);
	on_all(pass_token, NULL);
	expect(token == 5L * rounds * nr_cpus, "the token got lost");
}

/* ------------------------------------------------------------------ clocks */

static atomic_flag clock_lock = ATOMIC_FLAG_INIT;
static uint64_t last_tsc;
static int64_t last_ns;

/* Who has the lock after another reads no earlier time. */
static void *read_clocks(void *cpu)
{
	run_on((long)cpu);
	for (int i = 0; i < 100 * rounds; i++) {
		struct timespec now;
		uint64_t tsc;
		int64_t ns;

		while (atomic_flag_test_and_set(&clock_lock))
			sched_yield();
		tsc = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = now.tv_sec * 1000000000LL + now.tv_nsec;
		expect(tsc >= last_tsc, "the TSC went back from CPU to CPU");
		expect(ns >= last_ns, "the clock went back from CPU to CPU");
		expect(sched_getcpu() == (long)cpu, "a thread is on another CPU");
		last_tsc = tsc;
		last_ns = ns;
		atomic_flag_clear(&clock_lock);
	}
	return NULL;
}

static void stress_clocks(void)
{
	on_all(read_clocks, NULL);
}

#define TICK_NS 2000000

/* Timers go off on each CPU, as often as they should, and not early. */
static void *wait_for_timers(void *cpu)
{
	struct itimerspec period = { { 0, TICK_NS }, { 0, TICK_NS } };
	struct timespec began, now;
	uint64_t ticks = 0, more;
	int fd, want = rounds;

	run_on((long)cpu);
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	clock_gettime(CLOCK_MONOTONIC, &began);
	expect(!timerfd_settime(fd, 0, &period, NULL), "no timer");
	while (ticks < (uint64_t)want && read(fd, &more, sizeof(more)) == sizeof(more))
		ticks += more;
	clock_gettime(CLOCK_MONOTONIC, &now);
	expect((now.tv_sec - began.tv_sec) * 1000000000LL + now.tv_nsec - began.tv_nsec >= (int64_t)ticks * TICK_NS,
	       "a timer was early");
	close(fd);
	return NULL;
}

static void stress_timers(void)
{
	on_all(wait_for_timers, NULL);
}

/* ----------------------------------------------------------------- memory */

static atomic_intptr_t *page;	/* shared by the threads */
static atomic_bool done;
static __thread bool faulted;

/* The store is done again: the page will be writable. */
static void on_segv(int sig)
{
	(void)sig;
	faulted = true;
	sched_yield();
}

static void *write_page(void *cpu)
{
	run_on((long)cpu);
	while (!atomic_load(&done)) {
		atomic_fetch_add(page, 1);
		if (faulted)
			sched_yield();
		faulted = false;
	}
	return NULL;
}

/* Once mprotect() has come back, no CPU writes there any more. */
static void protect_page(void)
{
	for (int i = 0; i < rounds; i++) {
		long before;

		expect(!mprotect((void *)page, PAGE, PROT_READ), "no mprotect()");
		before = atomic_load(page);
		for (int j = 0; j < 20; j++)
			expect(atomic_load(page) == before, "a CPU wrote to a page that is protected");
		expect(!mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), "no mprotect()");
		usleep(100);
	}
	atomic_store(&done, true);
}

static void *map_page(void *where)
{
	return mmap(where, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);
}

static void stress_mprotect(void)
{
	page = map_page(NULL);
	atomic_store(&done, false);
	on_all(write_page, protect_page);
	munmap((void *)page, PAGE);
}

static atomic_long generation;

/* What is at the address is as new as the last mapping there, or newer. */
static void *read_page(void *cpu)
{
	run_on((long)cpu);
	while (!atomic_load(&done)) {
		long least = atomic_load(&generation);

		for (int i = 0; i < 20; i++)
			expect(atomic_load(page) >= least, "a CPU read a page that is unmapped");
		sched_yield();
	}
	return NULL;
}

/* A page takes the place of another in one step: nobody finds nothing there. */
static void replace_page(void)
{
	for (int i = 1; i <= rounds; i++) {
		atomic_intptr_t *new = map_page(NULL);

		atomic_store(new, i);
		expect(mremap((void *)new, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page, "no mremap()");
		atomic_store(&generation, i);
	}
	atomic_store(&done, true);
}

static void stress_mremap(void)
{
	page = map_page(NULL);
	atomic_store(&generation, 0);
	atomic_store(&done, false);
	on_all(read_page, replace_page);
	munmap((void *)page, PAGE);
}

/* --------------------------------------------------------------- processes */

static void *fork_children(void *arg)
{
	int cpu = (long)arg;

	run_on(cpu);
	for (int i = 0; i < rounds / 4 + 1; i++) {
		pid_t pid = fork();
		int status = -1;

		if (!pid)
			_exit((cpu + i) & 0x7f);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			fault("no child");
		else
			expect(WIFEXITED(status) && WEXITSTATUS(status) == ((cpu + i) & 0x7f),
			       "a child has another status");
	}
	return NULL;
}

static void stress_fork(void)
{
	on_all(fork_children, NULL);
}

/* As hackbench: everybody writes to everybody, each message by its own number. */
static int pipes[MAX_CPUS][2];

struct message {
	long from, number;
	char text[84];
};

static void *send_all(void *arg)
{
	struct message message = { .from = (long)arg };

	run_on(message.from);
	for (message.number = 0; message.number < rounds; message.number++)
		for (int to = 0; to < nr_cpus; to++)
			if (write(pipes[to][1], &message, sizeof(message)) != sizeof(message))
				fault("a pipe takes no message");
	return NULL;
}

static void *receive_all(void *arg)
{
	long next[MAX_CPUS] = { 0 }, cpu = (long)arg;
	struct message message;
	pthread_t sender;

	if (pthread_create(&sender, NULL, send_all, arg)) {
		fault("no thread");
		return NULL;
	}
	run_on((cpu + 1) % nr_cpus);
	for (int i = 0; i < rounds * nr_cpus; i++) {
		if (read(pipes[cpu][0], &message, sizeof(message)) != sizeof(message)) {
			fault("a pipe gives no message");
			break;
		}
		expect(message.number == next[message.from]++, "a message got lost");
	}
	pthread_join(sender, NULL);
	return NULL;
}

static void stress_pipes(void)
{
	for (int cpu = 0; cpu < nr_cpus; cpu++)
		if (pipe(pipes[cpu]))
			fault("no pipe");
	on_all(receive_all, NULL);
	for (int cpu = 0; cpu < nr_cpus; cpu++) {
		close(pipes[cpu][0]);
		close(pipes[cpu][1]);
	}
}

/* --------------------------------------------------------------------- all */

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "mutex", stress_mutex },
	{ "futex", stress_futex },
	{ "clocks", stress_clocks },
	{ "timers", stress_timers },
	{ "mprotect", stress_mprotect },
	{ "mremap", stress_mremap },
	{ "fork", stress_fork },
	{ "pipes", stress_pipes },
};

int cmd_stress(int times)
{
	int bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGSEGV, on_segv);
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	rounds = times;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		atomic_store(&faults, 0);
		kinds[i].run();
		printf("%s: %d wrong\n", kinds[i].name, atomic_load(&faults));
		bad += !!atomic_load(&faults);
	}
	printf("<stress on %d CPUs: %d of %zu went wrong>\n", nr_cpus, bad, sizeof(kinds) / sizeof(kinds[0]));
	return bad;
}

/* hvctl numbers them from 0 on, and so does Linux. */
int cmd_cpus(void)
{
	unsigned int eax, ebx, ecx, edx, bad = 0;

	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	for (int cpu = 0; cpu < nr_cpus; cpu++) {
		run_on(cpu);
		__cpuid(1, eax, ebx, ecx, edx);
		bad += (int)(ebx >> 24) != cpu;
		for (unsigned int leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
			__cpuid_count(leaf, 1, eax, ebx, ecx, edx);
			bad += (int)edx != cpu || (int)ebx != nr_cpus;
		}
	}
	printf("<%d CPUs, %u of their ids wrong>\n", nr_cpus, bad + atomic_load(&faults));
	return bad;
}
