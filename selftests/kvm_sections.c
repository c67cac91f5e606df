// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX on only while interrupts are off: KVM comes and goes under a VM of ours that runs all
 * the time.
 */
#include "kvm.h"

#define CYCLES 4

static void counts(void)
{
	for (u32 i = 1;; i++)
		outl(GUEST_PORT, i);
}

struct counter {
	pthread_t thread;
	struct vcpu *vcpu;
	u32 rounds;
	u32 wrong;
};

static volatile bool stop;

/* RUN upon RUN, on whatever CPU. */
static void *runs(void *arg)
{
	struct counter *counter = arg;

	while (!stop) {
		counter->rounds++;
		if (!run_until(counter->vcpu, TINYVMX_EXIT_IO) ||
		    counter->vcpu->run->io.data != counter->rounds)
			counter->wrong++;
	}
	return NULL;
}

/* Loaded, a guest run, unloaded. */
static bool kvm_comes_and_goes(void)
{
	struct kvm *kvm;
	bool good = kvm_load();

	if (!good)
		return false;
	kvm = kvm_create(kvm_guest_outs);
	for (long i = 1; i < 50; i++)
		good &= kvm_next(kvm) == i;
	kvm_destroy(kvm);
	return kvm_unload() && good;
}

int main(void)
{
	struct counter counter = { .vcpu = NULL }, spinner = { .vcpu = NULL };
	struct runner *runner;
	u32 good = 0;

	tap_init();
	if (!(info()->capabilities & TINYVMX_CAP_ROOT_SECTION))
		skip_all("the module keeps VMX on while it has VMs: load it with section=Y");
	unsetenv("TINYVMX_ROOT");
	if (!access("/sys/module/kvm_intel", F_OK) && !kvm_unload())
		skip_all("kvm_intel is in use");
	if (!kvm_load())
		skip_all("no kvm_intel here");
	ok(kvm_unload(), "kvm_intel can be loaded and unloaded");
	counter.vcpu = vcpu_simple(counts);
	spinner.vcpu = vcpu_simple(guest_spin);
	runner = runner_start(spinner.vcpu);
	pthread_create(&counter.thread, NULL, runs, &counter);
	for (u32 i = 0; i < CYCLES; i++)
		good += kvm_comes_and_goes();
	is(good, CYCLES, "KVM is loaded, runs a guest, is unloaded, while ours run");
	ok(wait_alive(spinner.vcpu->vm), "one that stays in the guest gets on");
	stop = true;
	pthread_join(counter.thread, NULL);
	runner_stop(runner);
	is(counter.wrong, 0, "one that comes out all the time has lived through it");
	ok(counter.rounds > 1000, "%u RUNs", counter.rounds);
	vcpu_simple_destroy(spinner.vcpu);
	vcpu_simple_destroy(counter.vcpu);
	return tap_exit();
}
