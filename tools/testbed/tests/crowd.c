// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tools/testbed/tests/crowd.sh: many idle VMs on one host. Starts them one by one, and says
 * what the first and the last cost to start, how much memory each has beyond its guest's RAM, and
 * what some of them do while nothing happens.
 *
 *	crowd COUNT GUEST_MIB COMMAND [ARGUMENT]...
 *
 * The command starts a VM and comes back when it runs; --name vN is added behind it. Whoever has
 * come to rest is paused: the ticks of two hundred guests are more than an emulated host can take.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define BOOT_S	1
#define QUIET_S	5
#define IDLE	4	/* so many are looked at while idle */
#define SOME	3	/* the first and the last so many stand for the others' time to start */

/* --------------------------------------------------------------------- starts */

static void run(char **argv)
{
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		err(1, "%s", argv[0]);
	if (waitpid(pid, &status, 0) < 0 || status)
		errx(1, "%s %s: status %#x", argv[0], argv[1], status);
}

/* In ticks. */
static unsigned long start(char **command, int number)
{
	unsigned long before = __rdtsc();
	char name[16], *argv[32];
	int count = 0;

	while (command[count] && count < 29) {
		argv[count] = command[count];
		count++;
	}
	snprintf(name, sizeof(name), "v%d", number);
	argv[count] = "--name";
	argv[count + 1] = name;
	argv[count + 2] = NULL;
	run(argv);
	return __rdtsc() - before;
}

static void rest(int number)
{
	char name[16], *argv[] = { "hvctl", "pause", name, NULL };

	snprintf(name, sizeof(name), "v%d", number);
	run(argv);
}

static int by_size(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* That in the middle: a host has other work now and then. */
static unsigned long median(const unsigned long *ticks)
{
	unsigned long sorted[SOME];

	memcpy(sorted, ticks, sizeof(sorted));
	qsort(sorted, SOME, sizeof(*sorted), by_size);
	return sorted[SOME / 2];
}

/* --------------------------------------------------------------------- memory */

/* KiB in the line "NAME: n kB" of a file, and of all such lines. */
static unsigned long sum_of(FILE *file, const char *name)
{
	unsigned long sum = 0, kib;
	char line[400];

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) &&
		    sscanf(line + strlen(name), ": %lu", &kib) == 1)
			sum += kib;
	return sum;
}

static unsigned long of_machine(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib;

	if (!file)
		err(1, "/proc/meminfo");
	kib = sum_of(file, name);
	fclose(file);
	return kib;
}

/* KiB; all but the first is not the guest's RAM. */
struct memory {
	unsigned long guest;
	unsigned long proportional;	/* of what is shared a part, by how many have it */
	unsigned long resident;		/* what is shared in full */
	unsigned long anonymous;	/* what is not in files */
};

/* A mapping of the guest's size is the guest's RAM. */
static void add_smaps(const char *pid, unsigned long guest_bytes, struct memory *memory)
{
	unsigned long from, to, kib;
	bool guests = false;
	char line[400];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%s/smaps", pid);
	file = fopen(line, "r");
	if (!file)
		err(1, "%s", line);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			guests = to - from == guest_bytes;
		else if (!guests && sscanf(line, "Pss: %lu", &kib) == 1)
			memory->proportional += kib;
		else if (!guests && sscanf(line, "Rss: %lu", &kib) == 1)
			memory->resident += kib;
		else if (sscanf(line, "Anonymous: %lu", &kib) == 1)
			*(guests ? &memory->guest : &memory->anonymous) += kib;
	}
	fclose(file);
}

/* ------------------------------------------------------------------- processes */

static bool is_vm(const char *pid)
{
	char path[300], name[32] = "";
	FILE *file;

	if (!isdigit(*pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	(void)!fgets(name, sizeof(name), file);
	fclose(file);
	return !strcmp(name, "hvctl\n");
}

/* So often they have waited, and run for so many ns. */
struct activity {
	unsigned long waits, ns;
};

static void add_activity(const char *pid, struct activity *activity)
{
	struct dirent *thread;
	unsigned long ns;
	char path[600];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (thread = readdir(dir))) {
		FILE *file;

		if (!isdigit(*thread->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%s/status", pid, thread->d_name);
		file = fopen(path, "r");
		if (file) {
			activity->waits += sum_of(file, "voluntary_ctxt_switches");
			fclose(file);
		}
		snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, thread->d_name);
		file = fopen(path, "r");
		if (file) {
			if (fscanf(file, "%lu", &ns) == 1)
				activity->ns += ns;
			fclose(file);
		}
	}
	if (dir)
		closedir(dir);
}

struct crowd {
	int vms;
	struct memory memory;
	struct activity activity;
	unsigned long free_kib;
};

static struct crowd look(unsigned long guest_bytes)
{
	struct crowd crowd = { 0 };
	struct dirent *process;
	DIR *proc = opendir("/proc");

	while (proc && (process = readdir(proc))) {
		if (!is_vm(process->d_name))
			continue;
		crowd.vms++;
		add_activity(process->d_name, &crowd.activity);
		add_smaps(process->d_name, guest_bytes, &crowd.memory);
	}
	if (proc)
		closedir(proc);
	crowd.free_kib = of_machine("MemFree");
	return crowd;
}

static struct crowd tell_idle(unsigned long guest_bytes)
{
	struct crowd first, last;
	double each;

	sleep(QUIET_S);
	first = look(guest_bytes);
	each = QUIET_S * first.vms;
	sleep(QUIET_S);
	last = look(guest_bytes);
	printf("idle_wakeups_s %.1f\n", (last.activity.waits - first.activity.waits) / each);
	printf("idle_us_s %.0f\n", (last.activity.ns - first.activity.ns) / each / 1000);
	return last;
}

/* What the kernel has spent since there were IDLE of them. */
static long kernel_kib(const struct crowd *first, const struct crowd *last)
{
	return (long)(first->free_kib - last->free_kib) -
	       (long)(last->memory.guest - first->memory.guest) -
	       (long)(last->memory.anonymous - first->memory.anonymous);
}

static int tell_all(const unsigned long *ticks, int count, struct crowd first, struct crowd crowd)
{
	const struct memory *memory = &crowd.memory;

	printf("vms %d\n", crowd.vms);
	printf("first_start %lu\n", median(ticks));
	printf("last_start %lu\n", median(ticks + count - SOME));
	printf("guest_kib %lu\n", memory->guest / count);
	printf("user_kib %lu\n", memory->proportional / count);
	printf("resident_kib %lu\n", memory->resident / count);
	if (count > IDLE)
		printf("kernel_kib %ld\n", kernel_kib(&first, &crowd) / (count - IDLE));
	return crowd.vms != count;
}

int main(int argc, char **argv)
{
	int count = argc > 3 ? atoi(argv[1]) : 0;
	unsigned long guest_bytes = argc > 3 ? strtoul(argv[2], NULL, 0) << 20 : 0;
	unsigned long *ticks = calloc(count + 1, sizeof(*ticks));
	struct crowd first = { 0 };

	if (count < IDLE || !ticks)
		errx(2, "usage: crowd COUNT GUEST_MIB COMMAND [ARGUMENT]...; at least %d", IDLE);
	for (int i = 0; i < count; i++) {
		ticks[i] = start(argv + 3, i);
		sleep(BOOT_S);
		if (i < IDLE - 1)
			continue;
		if (i == IDLE - 1) {
			first = tell_idle(guest_bytes);
			for (int k = 0; k < i; k++)
				rest(k);
		}
		rest(i);
	}
	return tell_all(ticks, count, first, look(guest_bytes));
}
