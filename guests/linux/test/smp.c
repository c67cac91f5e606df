// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest with several CPUs: it finds them, takes them off and on, and works with all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "tap.h"

#define STRESS_S 200

/* Does @command, of which %d is the number of CPUs, print that number and nothing else? */
static bool prints_cpus(const char *command, int cpus)
{
	char line[200];
	const char *got;

	snprintf(line, sizeof(line), command, cpus);
	got = guest(line, COMMAND_S);
	if (atoi(got) != cpus)
		diag("'%s' printed '%s'", line, got);
	return atoi(got) == cpus;
}

static void test_topology(int cpus)
{
	ok(prints_cpus("nproc", cpus), "all %d CPUs are there", cpus);
	ok(prints_cpus("grep -c 'cpu cores.*: %d$' /proc/cpuinfo", cpus), "... as cores");
	ok(prints_cpus("grep -c 'siblings.*: %d$' /proc/cpuinfo", cpus), "... without threads");
	ok(prints_cpus("grep 'core id' /proc/cpuinfo | sort -u | wc -l", cpus), "... that are different");
	ok(prints_cpus("grep -c 'physical id.*: 0$' /proc/cpuinfo", cpus), "... in one package");
	ok(prints("probe cpus", " 0 of their ids wrong>"), "CPUID tells each its own id");
}

/* As long as one is off it halts with interrupts disabled; the others go on. */
static void test_hotplug(int cpus)
{
	char command[200];
	bool good = true;

	/* The kernel tells of each that comes, amid what is read here. */
	guest("dmesg -n 4", COMMAND_S);
	for (int cpu = 1; cpu < cpus; cpu++) {
		snprintf(command, sizeof(command), "cd /sys/devices/system/cpu/cpu%d; echo 0 >online; nproc", cpu);
		good &= atoi(guest(command, COMMAND_S)) == cpus - 1;
		good &= prints_cpus("echo 1 >online; nproc", cpus);
	}
	ok(good, "each but the first can be taken off and on again");
	for (int cpu = 1; cpu < cpus; cpu++) {
		snprintf(command, sizeof(command), "echo 0 >/sys/devices/system/cpu/cpu%d/online", cpu);
		guest(command, COMMAND_S);
	}
	ok(prints_cpus("nproc", 1), "all but the first can be off at once");
	ok(prints_cpus("for i in ../cpu[1-9]*; do echo 1 >$i/online; done; nproc", cpus), "... and come on again");
	guest("dmesg -n 7", COMMAND_S);
}

static void test_ticks(int cpus)
{
	const char *text = guest("grep LOC: /proc/interrupts", COMMAND_S), *end = strstr(text, "LOC:");
	int ticking = 0;

	for (char *next; end && ticking < cpus && strtol(end + 4 * !ticking, &next, 10) > 0; end = next)
		ticking++;
	is(ticking, cpus, "the timer of each CPU's local APIC ticks");
}

static void test_stress(void)
{
	const char *text = guest("probe stress 40", STRESS_S);

	if (!ok(strstr(text, " 0 of 8 went wrong>"), "locks, clocks, timers, TLBs, forks, pipes on all CPUs"))
		diag("%s", text);
	ok(prints("cat /sys/devices/system/clocksource/clocksource0/cur*", "tsc"), "the TSCs are in step");
}

void test_smp(int cpus)
{
	test_topology(cpus);
	test_ticks(cpus);
	test_hotplug(cpus);
	test_stress();
}
