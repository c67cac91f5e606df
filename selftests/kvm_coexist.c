// SPDX-License-Identifier: GPL-2.0-only
/* KVM and tinyvmx: who comes second gets EBUSY, and nobody is harmed. */
#include "kvm.h"

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

int main(void)
{
	int kvm, probe;

	tap_init();
	info();
	unsetenv("TINYVMX_ROOT");
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
	}
	return tap_exit();
}
