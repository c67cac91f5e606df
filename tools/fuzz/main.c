// SPDX-License-Identifier: GPL-2.0-only
/*
 * tinyvmx-fuzz: run random programs and random guests in several processes.
 *
 * One process in two runs programs, the other guests, until there were enough of both.
 * Now and then one is killed, in the midst of whatever it does, and another begins.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MOST_PROCESSES	16

struct shared *shared;
int device;

static struct {
	u64 ioctls, guests, seed;
	u32 processes;
	const char *corpus, *programs;
	bool verbose;
} options = { .processes = 4, .seed = 1 };

u64 noise(u64 *state)
{
	u64 n = *state += 0x9e3779b97f4a7c15;

	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

u64 number(u64 *state)
{
	static const u64 special[] = {
		0, 1, 2, 0x10, 0x80, 0xff, 0x1000, 0xffff, 0x80000000, 0xffffffff, 0xfee00000,
		1UL << 47, ~0UL << 47, ~0UL, 0x00007fffffffffff, 0xd0000000, 0x20000,
	};
	u64 n = noise(state);

	if (n & 1)
		return special[(n >> 8) % ARRAY_SIZE(special)];
	return noise(state) >> (n >> 8) % 64;
}

int counted_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	atomic_fetch_add(&shared->ioctls, 1);
	if (ret >= 0)
		atomic_fetch_add(&shared->done[cmd % NR_IOCTLS], 1);
	return ret;
}

/* Each RUN has a quarter of a millisecond; later ticks are for a first one that came too early. */
#define RUN_NS		250000
#define LATER_NS	1000000

static _Thread_local timer_t timer;

static void set_timer(u64 first_ns)
{
	struct itimerspec when = { .it_value.tv_nsec = first_ns, .it_interval.tv_nsec = LATER_NS };

	/* A forked child has none; no RUN of its lasts. */
	timer_settime(timer, 0, &when, NULL);
}

void thread_timer_stop(void)
{
	set_timer(0);
}

void thread_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	event._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		err(1, "timer");
}

int counted_run(int fd, const struct tinyvmx_run *run)
{
	u32 reason;

	set_timer(RUN_NS);
	if (counted_ioctl(fd, TINYVMX_RUN, NULL)) {
		if (errno == EINTR)
			atomic_fetch_add(&shared->reason[TINYVMX_EXIT_INTR], 1);
		return -1;
	}
	if (!run)
		return 0;
	reason = run->reason;
	atomic_fetch_add(&shared->reason[reason % NR_REASONS], 1);
	return reason;
}

void *map_anonymous(void *at, u64 len)
{
	void *memory = mmap(at, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	return memory;
}

static void nothing(int signal)
{
	(void)signal;
}

/* The other thread took the page away: bring one back. */
static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (info->si_addr < (void *)PAGE)
		_exit(70);	/* no page: a bug of ours */
	map_anonymous((void *)((uintptr_t)info->si_addr & ~(PAGE - 1)), PAGE);
}

static void print_program(FILE *file, const struct program *program)
{
	for (u32 n = 0; n < program->count; n++)
		fprintf(file, "%s%lx", n ? " " : "", program->seed[n]);
	fputc('\n', file);
	fflush(file);
}

static void add_program(const struct program *program)
{
	u32 n = atomic_fetch_add(&shared->corpus_count, 1);

	shared->corpus[n % CORPUS_PROGRAMS] = *program;
}

static void read_corpus(void)
{
	FILE *file = options.corpus ? fopen(options.corpus, "r") : NULL;
	char line[PROGRAM_CALLS * 18];

	while (file && fgets(line, sizeof(line), file)) {
		struct program program = { 0 };
		char *at = strtok(line, " \n");

		for (; at && program.count < PROGRAM_CALLS; at = strtok(NULL, " \n"))
			program.seed[program.count++] = strtoul(at, NULL, 16);
		if (program.count)
			add_program(&program);
	}
	if (file)
		fclose(file);
}

static u32 corpus_size(void)
{
	u32 count = shared->corpus_count;

	return count < CORPUS_PROGRAMS ? count : CORPUS_PROGRAMS;
}

static void write_corpus(void)
{
	FILE *file = options.corpus ? fopen(options.corpus, "w") : NULL;

	if (!file)
		return;
	for (u32 n = 0; n < corpus_size(); n++)
		print_program(file, &shared->corpus[n]);
	fclose(file);
}

/* A new one, or one that was worth keeping, changed a little. */
static void make_program(u64 *random, struct program *program)
{
	u32 known = corpus_size();

	if (known)
		*program = shared->corpus[noise(random) % known];
	/* Another process may be about to write that one. */
	if (!program->count || one_in(random, 4)) {
		program->count = PROGRAM_CALLS;
		for (u32 n = 0; n < PROGRAM_CALLS; n++)
			program->seed[n] = noise(random);
		return;
	}
	for (u32 times = 1 + noise(random) % 8; times; times--) {
		u32 at = noise(random) % program->count;

		program->seed[at] = noise(random);
		if (one_in(random, 4))
			program->seed[noise(random) % program->count] = program->seed[at];
		else if (program->count < PROGRAM_CALLS && one_in(random, 4))
			program->seed[program->count++] = noise(random);
	}
}

static void one_program(void)
{
	u64 random = options.seed + (atomic_fetch_add(&shared->programs, 1) << 32);
	struct program program = { 0 };

	make_program(&random, &program);
	if (options.verbose)
		print_program(stdout, &program);
	if (calls_run(&program))
		add_program(&program);
}

/* A guest's seed is the first one and its number: "-g 1 -p 1 -s SUM" runs a batch again. */
static void some_guests(void)
{
	u64 seed = options.seed + atomic_fetch_add(&shared->guests, GUESTS_BATCH);

	if (options.verbose)
		printf("guests %lu to %lu\n", seed, seed + GUESTS_BATCH - 1);
	coverage_start();
	guests_run(seed);
	coverage_is_new();
}

static void worker(u32 id)
{
	bool for_guests = id % 2;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (options.guests)
		guests_init();
	if (options.ioctls)
		calls_init();
	thread_timer();
	coverage_init();
	for (;;) {
		bool programs = shared->ioctls < options.ioctls;
		bool guests = shared->guests < options.guests;

		if (guests && (for_guests || !programs))
			some_guests();
		else if (programs)
			one_program();
		else
			exit(0);
	}
}

static void replay(const char *name)
{
	options.corpus = name;
	read_corpus();
	calls_init();
	thread_timer();
	coverage_init();
	for (u32 n = 0; n < corpus_size(); n++) {
		print_program(stdout, &shared->corpus[n]);
		calls_run(&shared->corpus[n]);
	}
}

static pid_t start_worker(u32 id)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		worker(id);
	return pid;
}

static u32 worker_of(const pid_t *pids, pid_t pid)
{
	u32 id = 0;

	while (id < options.processes && pids[id] != pid)
		id++;
	return id;
}

static void progress(void)
{
	printf("%lu ioctls, %lu guests, %lu programs; ",
	       shared->ioctls, shared->guests, shared->programs);
	printf("%lu ioctls for guests; %u places reached, %u programs kept\n",
	       shared->for_guests, shared->covered, shared->corpus_count);
	fflush(stdout);
}

/* Returns how many workers ended in another way than they should. */
static u32 run_workers(void)
{
	u64 random = options.seed, rounds = 0;
	pid_t pids[MOST_PROCESSES], pid, killed = 0;
	u32 left = options.processes, bad = 0;
	int status;

	for (u32 id = 0; id < options.processes; id++)
		pids[id] = start_worker(id);
	while (left) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0) {
			usleep(10000);
			if (++rounds % 40 == 0)
				killed = pids[noise(&random) % options.processes];
			if (killed && rounds % 40 == 0)
				kill(killed, SIGKILL);
			if (rounds % 1000 == 0)
				progress();
			continue;
		}
		u32 id = worker_of(pids, pid);

		if (WIFEXITED(status) && !WEXITSTATUS(status)) {
			pids[id] = 0;
			left--;
			continue;
		}
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			printf("a process ended with status %#x\n", status);
			bad++;
		}
		pids[id] = start_worker(id);
	}
	return bad;
}

static void report(void)
{
	static const char *const reasons[NR_REASONS] = {
		"UNKNOWN", "IO", "MMIO", "HLT", "SHUTDOWN", "INTR", "INTR_WINDOW", "ENTRY_FAILED",
		"MEMORY_FAULT", "CR", "EOI",
	};

	progress();
	for (u32 n = 0; n < NR_IOCTLS; n++)
		if (shared->done[n])
			printf("ioctl %#x: %lu succeeded\n", n, shared->done[n]);
	for (u32 n = 0; n < NR_REASONS; n++)
		if (shared->reason[n])
			printf("RUN: %lu times %s\n", shared->reason[n], reasons[n] ? reasons[n] : "?");
}

static void usage(void)
{
	fputs("usage: tinyvmx-fuzz [-i IOCTLS] [-g GUESTS] [-s SEED] [-p PROCESSES] [-c CORPUS] [-v]\n"
	      "       tinyvmx-fuzz -r PROGRAMS\n", stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "i:g:s:p:c:r:v")) != -1) {
		u64 value = optarg ? strtoul(optarg, NULL, 0) : 0;

		if (c == 'i')
			options.ioctls = value;
		else if (c == 'g')
			options.guests = value;
		else if (c == 's')
			options.seed = value;
		else if (c == 'p')
			options.processes = value;
		else if (c == 'c')
			options.corpus = optarg;
		else if (c == 'r')
			options.programs = optarg;
		else if (c == 'v')
			options.verbose = true;
		else
			usage();
	}
	if (optind != argc || !options.processes || options.processes > MOST_PROCESSES)
		usage();
}

int main(int argc, char **argv)
{
	struct sigaction nop = { .sa_handler = nothing };
	struct sigaction repair = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	u32 bad;

	parse(argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	device = open(TINYVMX_DEVICE, O_RDWR | O_CLOEXEC);
	if (shared == MAP_FAILED || device < 0)
		err(1, TINYVMX_DEVICE);
	sigaction(SIGUSR1, &nop, NULL);
	sigaction(SIGSEGV, &repair, NULL);
	sigaction(SIGBUS, &repair, NULL);
	if (options.programs) {
		replay(options.programs);
		return 0;
	}
	read_corpus();
	printf("seed %lu, %u processes, %u programs known\n", options.seed, options.processes,
	       corpus_size());
	fflush(stdout);
	bad = run_workers();
	report();
	write_corpus();
	return bad != 0;
}
