// SPDX-License-Identifier: GPL-2.0-only
/* VMs made, run and destroyed on all CPUs while CPUs go off- and online. */
#include "lib.h"

#define CYCLES 6

static volatile bool stop;

static bool cpu_online(int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return write_text(path, on ? "1" : "0");
}

static volatile u64 sum;

static void adds(void)
{
	for (u64 i = 0; i < 3000; i++)
		sum += i;
	guest_sync(1);
	guest_is(sum, 3000 * 2999 / 2);
}

struct worker {
	pthread_t thread;
	u32 rounds;
	u32 bad;
};

static void *creates_and_destroys(void *arg)
{
	struct worker *worker = arg;

	while (!stop) {
		struct vcpu *vcpu = vcpu_simple(adds);

		worker->bad += !run_until_port(vcpu, GUEST_SYNC + 1) ||
			       !run_until_port(vcpu, GUEST_DONE);
		vcpu_simple_destroy(vcpu);
		worker->rounds++;
	}
	return NULL;
}

/* One VM lives through all of it: VMX must be on where it wakes up. */
static void *spins_all_along(void *arg)
{
	struct vcpu *vcpu = arg;

	while (!stop) {
		if (vcpu_run(vcpu) && errno != EINTR)
			return (void *)1;
	}
	return NULL;
}

static u32 cycle(int cpu)
{
	u32 refused = 0;

	for (u32 i = 0; i < CYCLES; i++) {
		refused += !cpu_online(cpu, false);
		sleep_us(10000);
		refused += !cpu_online(cpu, true);
		sleep_us(10000);
	}
	return refused;
}

static void count_for_ever(void)
{
	for (;;) {
		guest_alive++;
		if (guest_alive % 1000 == 0)
			outl(0x80, 1);
	}
}

static void test_stress(int cpu)
{
	struct vcpu *vcpu = vcpu_simple(count_for_ever);
	struct worker worker[3];
	pthread_t spinner;
	void *result;
	u32 rounds = 0, bad = 0;

	memset(worker, 0, sizeof(worker));
	pthread_create(&spinner, NULL, spins_all_along, vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(worker); i++)
		pthread_create(&worker[i].thread, NULL, creates_and_destroys,
			       &worker[i]);
	is(cycle(cpu), 0, "CPU %d goes off- and online %u times", cpu, CYCLES);
	ok(wait_alive(vcpu->vm), "the guest that was there all along still runs");
	stop = true;
	pthread_join(spinner, &result);
	for (u32 i = 0; i < ARRAY_SIZE(worker); i++) {
		pthread_join(worker[i].thread, NULL);
		rounds += worker[i].rounds;
		bad += worker[i].bad;
	}
	is((uintptr_t)result, 0, "no RUN of it failed");
	ok(rounds > 3 && !bad, "%u VMs meanwhile, %u went wrong", rounds, bad);
	vcpu_simple_destroy(vcpu);
}

/* VMX goes on while a CPU is off; the CPU comes back without any VM's help. */
static void test_first_vm_while_off(int cpu)
{
	struct vcpu *vcpu;
	u32 good = 0;

	must(cpu_online(cpu, false) ? 0 : -1);
	vcpu = vcpu_simple(adds);
	must(cpu_online(cpu, true) ? 0 : -1);
	run_on_cpu(cpu);
	good += run_until_port(vcpu, GUEST_SYNC + 1);
	run_on_cpu(0);
	good += run_until_port(vcpu, GUEST_DONE);
	is(good, 2, "a VM made with the CPU off runs there when it is on");
	vcpu_simple_destroy(vcpu);

	vcpu = vcpu_simple(adds);
	run_on_cpu(cpu);
	good = run_until_port(vcpu, GUEST_SYNC + 1);
	run_on_cpu(0);
	must(cpu_online(cpu, false) ? 0 : -1);
	good += run_until_port(vcpu, GUEST_DONE);
	is(good, 2, "a vCPU whose CPU goes off runs on another one");
	vcpu_simple_destroy(vcpu);
	must(cpu_online(cpu, true) ? 0 : -1);
	vcpu = vcpu_simple(adds);
	run_on_cpu(cpu);
	ok(run_until_port(vcpu, GUEST_SYNC + 1),
	   "the last VM went with the CPU off: a new one runs there");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	int cpu;

	tap_init();
	info();
	cpu = online_cpus() - 1;
	if (cpu < 1)
		skip_all("one CPU only: none can go offline");
	if (!cpu_online(cpu, true))
		skip_all("CPU %d cannot be switched off here", cpu);
	test_first_vm_while_off(cpu);
	test_stress(cpu);
	return tap_exit();
}
