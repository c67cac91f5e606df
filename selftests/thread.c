// SPDX-License-Identifier: GPL-2.0-only
/* Host side: threads that run vCPUs, kicks, waiting. */
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "lib.h"

#define KICK SIGUSR1

static void nothing(int sig)
{
	(void)sig;
}

void ignore_signal(int sig)
{
	struct sigaction action = { .sa_handler = nothing };

	must(sigaction(sig, &action, NULL));
}

void sleep_us(u32 us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	nanosleep(&ts, NULL);
}

bool run_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void *runs(void *arg)
{
	struct runner *runner = arg;

	do {
		runner->ret = vcpu_run(runner->vcpu);
		runner->err = errno;
		/* EBUSY: see test_calls() in busy.c. */
	} while (runner->ret && (runner->err == EINTR || runner->err == EBUSY) && !runner->stop);
	runner->ended = true;
	return NULL;
}

struct runner *runner_start(struct vcpu *vcpu)
{
	struct runner *runner = calloc(1, sizeof(*runner));

	ignore_signal(KICK);
	runner->vcpu = vcpu;
	if (pthread_create(&runner->thread, NULL, runs, runner))
		bail("pthread_create: %m");
	return runner;
}

void runner_stop(struct runner *runner)
{
	runner->stop = true;
	runner->vcpu->run->immediate_exit = 1;
	while (!runner->ended) {
		pthread_kill(runner->thread, KICK);
		sleep_us(1000);
	}
	pthread_join(runner->thread, NULL);
	runner->vcpu->run->immediate_exit = 0;
}

bool wait_change(volatile u64 *word, u64 old)
{
	for (u32 i = 0; i < 5000; i++) {
		if (*word != old)
			return true;
		sleep_us(1000);
	}
	return false;
}

bool wait_alive(struct vm *vm)
{
	volatile u64 *alive = &G(vm, guest_alive);

	return wait_change(alive, *alive);
}
