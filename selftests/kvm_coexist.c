// SPDX-License-Identifier: GPL-2.0-only
/* KVM and tinyvmx: who comes second gets EBUSY, and nobody is harmed. */
#include "kvm.h"

#define ROUNDS	10

static bool kvm_loaded_by_us;

static void nothing(void)
{
}

static void ours_runs(const char *what)
{
	struct vcpu *vcpu = vcpu_simple(nothing);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

/* Since Linux 6.12 KVM turns VMX on as soon as it is loaded. */
static void test_kvm_first(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (!ok(vm >= 0, "KVM_CREATE_VM without a VM of ours (%m)"))
		return;
	err_is(create_vm_fd(), EBUSY, "CREATE_VM while a KVM guest lives");
	err_is(create_vm_fd(), EBUSY, "and again");
	close(vm);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ok(vm >= 0, "KVM is as it was");
	close(vm);
}

static void test_ours_first(int kvm)
{
	struct vcpu *vcpu = vcpu_simple(nothing);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	err_is(vm, EBUSY, "KVM_CREATE_VM while ours lives");
	ok_done(vcpu, "ours runs all the same");
	vcpu_simple_destroy(vcpu);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ok(vm >= 0, "ours is gone: KVM_CREATE_VM (%m)");
	close(vm);
	ours_runs("KVM's is gone: ours runs");
}

/* KVM holds VMX for good: it must be unloaded for us to get it. */
static void test_always_on(int kvm)
{
	err_is(create_vm_fd(), EBUSY, "CREATE_VM with KVM loaded");
	test_kvm_first(kvm);
	skip("KVM holds VMX from the moment it is loaded", "both in turn");
}

/* The other order: our VM lives, KVM is loaded. */
static void test_load_under_ours(void)
{
	struct vcpu *vcpu = vcpu_simple(nothing);
	int kvm = kvm_open(), vm = -1;

	if (kvm >= 0)
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ok(vm < 0, "KVM comes second: it gets no VM");
	if (kvm >= 0)
		close(kvm);
	ok_done(vcpu, "ours runs on");
	vcpu_simple_destroy(vcpu);
}

struct contest {
	volatile bool over;
	volatile u32 ours;
	u32 wrong;
};

/* A VM of ours over and over again: it is there, or refused. */
static void *ours_come_and_go(void *arg)
{
	struct contest *contest = arg;

	run_on_cpu(online_cpus() - 1);
	while (!contest->over) {
		int vm = create_vm_fd();

		contest->wrong += vm < 0 && errno != EBUSY;
		contest->ours += vm >= 0;
		close(vm);
	}
	return NULL;
}

/*
 * Both come at once. From Linux 6.12 on KVM looks at CR4.VMXE, sets it and does VMXON with
 * interrupts enabled. Were ours to come in between, KVM would not notice, and lose VMX with
 * our last VM: its own VMXOFF is a BUG then. So few instructions are met by rare chance only.
 */
static void test_both_at_once(void)
{
	struct contest contest = { .over = false };
	u32 theirs = 0;
	pthread_t thread;

	/* Else KVM would come with its module alone, which takes long; older ones warn of it. */
	if (system("rmmod kvm; modprobe kvm enable_virt_at_load=0") || !kvm_load())
		bail("kvm_intel does not load again");
	run_on_cpu(0);
	pthread_create(&thread, NULL, ours_come_and_go, &contest);
	for (u32 i = 0; i < ROUNDS || (i < 100 * ROUNDS && !(contest.ours && theirs)); i++) {
		int vm = kvm_create_vm_fd();

		contest.wrong += vm < 0 && errno != EBUSY && errno != EIO;
		theirs += vm >= 0;
		close(vm);
		sleep_us(1000);		/* ours may have the CPU, too */
	}
	contest.over = true;
	pthread_join(thread, NULL);
	is(contest.wrong, 0, "both come and go: who is not there is refused");
	ok(contest.ours && theirs, "ours were there %u times, theirs %u", contest.ours, theirs);
	/* With its parameter: the next test shall find the usual one. */
	ok(kvm_unload() && !system("rmmod kvm"), "kvm_intel and kvm can be unloaded");
	ours_runs("ours runs");
}

int main(void)
{
	int kvm, probe;

	tap_init();
	info();
	unsetenv("TINYVMX_ROOT");
	if (!(info()->capabilities & TINYVMX_CAP_ROOT_OWN)) {
		skip("VMX is on in sections only, beside KVM (kvm_root)", "who comes second");
		return tap_exit();
	}
	kvm_loaded_by_us = access("/sys/module/kvm_intel", F_OK);
	if (access("/dev/kvm", F_OK))
		test_load_under_ours();
	kvm = kvm_open();
	if (kvm < 0) {
		skip("no kvm_intel here", "KVM first, ours first");
		return tap_exit();
	}
	probe = create_vm_fd();
	if (probe < 0 && errno == EBUSY) {
		test_always_on(kvm);
	} else {
		close(probe);
		test_kvm_first(kvm);
		test_ours_first(kvm);
	}
	close(kvm);
	if (kvm_loaded_by_us) {
		is(system("rmmod kvm_intel"), 0, "kvm_intel can be unloaded");
		ours_runs("without KVM ours runs");
		test_both_at_once();
	}
	return tap_exit();
}
