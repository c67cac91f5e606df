// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ours in KVM's VMX root, beside KVM's guests on the same CPU. "spin": a KVM guest on each CPU,
 * for ever.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kvm.h"

static int create_with(int kvm_fd)
{
	struct tinyvmx_create_vm arg = {
		.size = sizeof(arg), .flags = TINYVMX_VM_KVM, .kvm_fd = kvm_fd,
	};
	int dev = dev_open(), fd = ioctl(dev, TINYVMX_CREATE_VM, &arg), err = errno;

	close(dev);
	errno = err;
	return fd;
}

static void our_outs(void)
{
	for (u32 i = 1;; i++)
		outl(GUEST_PORT, i);
}

static long our_next(struct vcpu *vcpu)
{
	return run_until(vcpu, TINYVMX_EXIT_IO) ? (long)vcpu->run->io.data : -1;
}

static bool rmmod_refused(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) &&
	       (errno == EWOULDBLOCK || errno == EBUSY);
}

/* ------------------------------------------------------------------- errors */

static void refused(int fd, const char *what)
{
	err_is(create_with(fd), EINVAL, "CREATE_VM with %s", what);
	close(fd);
}

static void test_wrong_fds(void)
{
	struct tinyvmx_create_vm arg = { .size = sizeof(arg), .kvm_fd = 1 };
	int vm = must(kvm_create_vm_fd()), dev = dev_open(), named;
	char path[] = "/tmp/kvm-vm";

	err_is(create_with(-1), EBADF, "CREATE_VM with no fd");
	err_is(create_with(1000), EBADF, "CREATE_VM with a closed fd");
	err_is(ioctl(dev, TINYVMX_CREATE_VM, &arg), EINVAL, "CREATE_VM with an fd, but without the flag");
	close(dev);
	refused(kvm_open(), "/dev/kvm itself");
	refused(must(ioctl(vm, KVM_CREATE_VCPU, 0)), "a vCPU of KVM's");
	refused(eventfd(0, 0), "another anonymous inode");
	refused(memfd_create("kvm-vm", 0), "a memfd with that name");
	named = open(path, O_RDWR | O_CREAT, 0600);
	unlink(path);
	refused(named, "a file with that name");
	close(vm);
}

/* ------------------------------------------------------- who holds what when */

static void test_pin(void)
{
	struct vcpu *vcpu = vcpu_simple(our_outs);
	int vm = must(kvm_create_vm_fd()), ours = create_with(vm), again;

	/* The process has one open for its other VMs: that is not what is looked at here. */
	close(vm);
	ok(ours >= 0, "CREATE_VM with a VM of KVM's");
	ok(rmmod_refused("kvm_intel"), "rmmod kvm_intel is refused");
	is(our_next(vcpu), 1, "ours runs, KVM's being closed");
	again = kvm_create_vm_fd();
	ok(again >= 0, "KVM goes on making VMs");
	close(again);
	if (info()->capabilities & TINYVMX_CAP_ROOT_OWN) {
		struct tinyvmx_create_vm arg = { .size = sizeof(arg) };
		int dev = dev_open();

		err_is(ioctl(dev, TINYVMX_CREATE_VM, &arg), EBUSY, "CREATE_VM without KVM's while those live");
		close(dev);
	}
	close(ours);
	is(our_next(vcpu), 2, "another one runs on");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------ both on one CPU */

static void test_in_turn(void)
{
	struct vcpu *vcpu = vcpu_simple(our_outs), *second = vcpu_simple(our_outs);
	struct kvm *kvm = kvm_create(kvm_guest_outs);
	u32 wrong = 0, n = 500;

	run_on_cpu(0);
	for (u32 i = 1; i <= n && wrong < 5; i++) {
		long theirs = kvm_next(kvm), ours = our_next(vcpu), others = our_next(second);

		if (theirs == i && ours == i && others == i)
			continue;
		wrong++;
		diag("round %u: KVM's %ld, ours %ld and %ld", i, theirs, ours, others);
	}
	is(wrong, 0, "in turn, %u times: all go on where they were", n);
	kvm_destroy(kvm);
	is(our_next(vcpu), n + 1, "KVM's guest is gone: ours goes on");
	vcpu_simple_destroy(second);
	vcpu_simple_destroy(vcpu);
}

/* How often of @n both counters have got on, 20 ms each. */
static u32 both_alive(volatile u64 *theirs, volatile u64 *ours, u32 n)
{
	u64 old_theirs = *theirs, old_ours = *ours;
	u32 alive = 0;

	for (u32 i = 0; i < n; i++) {
		sleep_us(20000);
		alive += *theirs != old_theirs && *ours != old_ours;
		old_theirs = *theirs;
		old_ours = *ours;
	}
	return alive;
}

struct pair {
	struct kvm *kvm;
	struct kvm_thread *theirs;
	struct vcpu *vcpu;
	struct runner *ours;
};

static struct pair pair_start(void *our_fn)
{
	struct pair pair = { .kvm = kvm_create(kvm_guest_spins), .vcpu = vcpu_simple(our_fn) };

	run_on_cpu(0);
	pair.ours = runner_start(pair.vcpu);	/* inherits CPU 0 */
	pair.theirs = kvm_thread_start(pair.kvm, 0);
	if (online_cpus() > 1)
		run_on_cpu(1);
	return pair;
}

static void pair_stop(struct pair *pair, const char *what)
{
	bool good = kvm_thread_stop(pair->theirs);

	runner_stop(pair->ours);
	ok(good && pair->ours->ret && pair->ours->err == EINTR, "%s: neither has come out", what);
	kvm_destroy(pair->kvm);
	vcpu_simple_destroy(pair->vcpu);
}

static void test_preempted(void)
{
	struct pair pair = pair_start(guest_spin);
	u32 n = 30, alive = both_alive(&G(&pair.kvm->ram, guest_alive),
				       &G(pair.vcpu->vm, guest_alive), n);

	ok(alive > n / 2, "both spin on one CPU and get on: in %u of %u looks", alive, n);
	pair_stop(&pair, "on one CPU");
}

/*
 * Ours arrives at a CPU whose MSRs are still those of KVM's guest, since its thread is in the
 * kernel. Without tvx_host_return_msrs() in vmx_vmcs.c its LSTAR passes for the host's, and
 * the machine dies of a double fault there, at KVM_GUEST_LSTAR, within a few rounds.
 */
static void test_late_msrs(void)
{
	struct pair pair;
	cpu_set_t set;

	if (online_cpus() < 2) {
		skip("one CPU: nobody arrives", "MSRs that KVM restores late");
		return;
	}
	pair = pair_start(guest_spin);
	for (u32 i = 0; i < 40; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % 2, &set);
		must(pthread_setaffinity_np(pair.ours->thread, sizeof(set), &set));
		sleep_us(10000);
		for (u32 j = 0; j < 30; j++) {		/* runs that begin and end here */
			pthread_kill(pair.ours->thread, SIGUSR1);
			sleep_us(100);
		}
	}
	ok(both_alive(&G(&pair.kvm->ram, guest_alive), &G(pair.vcpu->vm, guest_alive), 10) > 2,
	   "MSRs that KVM restores late: both get on");
	pair_stop(&pair, "late MSRs");
}

/* KVM's vCPU leaves CPU 0, by IPI, while ours is there with interrupts open now and then. */
static void test_vcpu_goes(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct runner *runner;
	u32 good = 0, rounds = 15;

	if (online_cpus() < 2) {
		skip("one CPU: its vCPU goes nowhere", "a vCPU of KVM's that moves or dies");
		vcpu_simple_destroy(vcpu);
		return;
	}
	run_on_cpu(0);
	runner = runner_start(vcpu);
	for (u32 i = 0; i < rounds; i++) {
		struct kvm *kvm = kvm_create(kvm_guest_outs);
		bool right = true;

		for (long n = 1; n < 7; n++) {
			run_on_cpu((n / 2) % 2);
			right &= kvm_next(kvm) == n;
		}
		run_on_cpu(1);
		kvm_destroy(kvm);	/* active on CPU 1 in even rounds, on CPU 0 in others */
		kvm = kvm_create(kvm_guest_outs);
		run_on_cpu(0);
		right &= kvm_next(kvm) == 1;
		run_on_cpu(1);
		kvm_destroy(kvm);
		good += right;
	}
	is(good, rounds, "a vCPU of KVM's moves away and dies under ours");
	ok(wait_alive(vcpu->vm), "ours gets on");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

static void test_hotplug(void)
{
	static const char path[] = "/sys/devices/system/cpu/cpu1/online";
	struct pair pair;
	bool good = true;

	if (online_cpus() < 2 || access(path, W_OK)) {
		skip("one CPU", "a CPU that goes away and comes back");
		return;
	}
	pair = pair_start(guest_spin);
	kvm_thread_move(pair.theirs, 1);
	for (u32 i = 0; i < 3; i++) {
		cpu_set_t both;

		CPU_ZERO(&both);
		CPU_SET(0, &both);
		CPU_SET(1, &both);
		must(pthread_setaffinity_np(pair.ours->thread, sizeof(both), &both));
		good &= write_text(path, "0");
		good &= wait_alive(pair.vcpu->vm) && wait_alive(&pair.kvm->ram);
		good &= write_text(path, "1");
		kvm_thread_move(pair.theirs, 1);
		good &= wait_alive(pair.vcpu->vm) && wait_alive(&pair.kvm->ram);
	}
	ok(good, "a CPU goes away and comes back: both get on");
	pair_stop(&pair, "hotplug");
}

static void spin(void)
{
	if (nice(10) < 0)	/* what it is beside shall get on, too */
		bail("nice: %m");
	for (int cpu = 0; cpu < online_cpus(); cpu++)
		kvm_thread_start(kvm_create(kvm_guest_spins), cpu);
	printf("spinning on %d CPUs\n", online_cpus());
	fflush(stdout);
	for (;;)
		pause();
}

static int run_tests(void)
{
	tap_init();
	if (!(info()->capabilities & TINYVMX_CAP_ROOT_KVM))
		skip_all("KVM's VMX root cannot be shared here");
	if (kvm_open() < 0)
		skip_all("no kvm_intel here");
	setenv("TINYVMX_ROOT", "kvm", 1);
	test_wrong_fds();
	test_pin();
	test_in_turn();
	test_preempted();
	test_late_msrs();
	test_vcpu_goes();
	test_hotplug();
	return tap_exit();
}

/* The tests hold VMs of KVM's to the end: in a process of their own, so that KVM can go then. */
int main(int argc, char **argv)
{
	bool was_there = !access("/sys/module/kvm_intel", F_OK);
	int status;
	pid_t pid;

	if (argc > 1 && !strcmp(argv[1], "spin"))
		spin();
	pid = must(fork());
	if (!pid)
		return run_tests();
	must(waitpid(pid, &status, 0));
	if (!was_there && !kvm_unload()) {
		puts("# kvm_intel cannot be unloaded");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
