// SPDX-License-Identifier: GPL-2.0-only
/* Guests in KVM. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kvm.h"

#define KICK	SIGUSR2
#define CPUID_ROWS	256

struct kvm_thread {
	pthread_t thread;
	struct kvm *kvm;
	int cpu;
	volatile pid_t tid;
	volatile bool stop;
	volatile bool ended;
	bool failed;
};

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	/* The node may need a moment behind the module. */
	for (u32 i = 0; i < 20 && fd < 0 && kvm_load(); i++) {
		sleep_us(10000);
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	}
	return fd;
}

int kvm_create_vm_fd(void)
{
	int dev = kvm_open(), fd, err;

	if (dev < 0)
		return -1;
	fd = ioctl(dev, KVM_CREATE_VM, 0);
	err = errno;
	close(dev);
	errno = err;
	return fd;
}

bool kvm_load(void)
{
	return !access("/sys/module/kvm_intel", F_OK) || !system("modprobe kvm_intel 2>/dev/null");
}

bool kvm_unload(void)
{
	return access("/sys/module/kvm_intel", F_OK) || !system("rmmod kvm_intel 2>/dev/null");
}

/* ------------------------------------------------------------------- guests */

static void set_syscall_msrs(void)
{
	wrmsr(0xc0000081, KVM_GUEST_STAR);
	wrmsr(0xc0000082, KVM_GUEST_LSTAR);
	wrmsr(0xc0000084, 0x12345);
}

void kvm_guest_outs(void)
{
	set_syscall_msrs();
	for (u32 i = 1;; i++)
		outl(GUEST_PORT, i);
}

void kvm_guest_spins(void)
{
	set_syscall_msrs();
	guest_spin();
}

/* -------------------------------------------------------------------- setup */

static void set_cpuid_as_supported(int dev, int vcpu)
{
	struct kvm_cpuid2 *table = calloc(1, sizeof(*table) +
					  CPUID_ROWS * sizeof(table->entries[0]));

	table->nent = CPUID_ROWS;
	must(ioctl(dev, KVM_GET_SUPPORTED_CPUID, table));
	must(ioctl(vcpu, KVM_SET_CPUID2, table));
	free(table);
}

static void set_registers(int vcpu, void *fn)
{
	static const struct kvm_segment data = {
		.selector = SEL_DS, .type = 3, .s = 1, .present = 1, .db = 1, .g = 1, .limit = ~0U,
	};
	struct kvm_regs regs = {
		.rip = (uintptr_t)fn, .rflags = 2, .rsp = GUEST_STACK_TOP - 64 - 8,
	};
	struct kvm_sregs s;

	must(ioctl(vcpu, KVM_GET_SREGS, &s));
	s.es = s.ss = s.ds = s.fs = s.gs = data;
	s.cs = (struct kvm_segment){ .selector = SEL_CS64, .type = 11, .s = 1, .present = 1, .l = 1,
				     .g = 1, .limit = ~0U };
	s.ldt = (struct kvm_segment){ .unusable = 1 };
	s.tr = (struct kvm_segment){ .selector = SEL_TSS, .type = 11, .present = 1,
				     .base = GUEST_TSS_GPA, .limit = 0x67 };
	s.gdt = (struct kvm_dtable){ .base = GUEST_GDT_GPA, .limit = 8 * 8 - 1 };
	s.idt = (struct kvm_dtable){ .base = GUEST_IDT_GPA, .limit = 256 * 16 - 1 };
	s.cr0 = 0x80010033;
	s.cr3 = GUEST_PT_GPA;
	s.cr4 = 0x620;
	s.efer = 0xd01;
	must(ioctl(vcpu, KVM_SET_SREGS, &s));
	must(ioctl(vcpu, KVM_SET_REGS, &regs));
}

struct kvm *kvm_create(void *fn)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_RAM_BYTES };
	struct kvm *kvm = calloc(1, sizeof(*kvm));
	int dev = kvm_open();

	if (dev < 0)
		skip_all("no kvm_intel here");
	kvm->ram.fd = -1;
	kvm->ram.ram = map_guest_ram();
	kvm->vm = must(ioctl(dev, KVM_CREATE_VM, 0));
	region.userspace_addr = (uintptr_t)kvm->ram.ram;
	must(ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region));
	kvm->vcpu = must(ioctl(kvm->vm, KVM_CREATE_VCPU, 0));
	kvm->run_bytes = must(ioctl(dev, KVM_GET_VCPU_MMAP_SIZE, 0));
	kvm->run = mmap(NULL, kvm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kvm->vcpu, 0);
	if (kvm->run == MAP_FAILED)
		bail("mmap of KVM's run page: %m");
	set_cpuid_as_supported(dev, kvm->vcpu);
	set_registers(kvm->vcpu, fn);
	close(dev);
	return kvm;
}

void kvm_destroy(struct kvm *kvm)
{
	munmap(kvm->run, kvm->run_bytes);
	close(kvm->vcpu);
	close(kvm->vm);
	munmap(kvm->ram.ram, GUEST_RAM_BYTES);
	free(kvm);
}

/* ---------------------------------------------------------------------- run */

long kvm_next(struct kvm *kvm)
{
	int ret;

	do
		ret = ioctl(kvm->vcpu, KVM_RUN, 0);
	while (ret < 0 && errno == EINTR);
	if (ret < 0) {
		diag("KVM_RUN: %s", strerror(errno));
		return -1;
	}
	if (kvm->run->exit_reason == KVM_EXIT_IO)
		return *(u32 *)((u8 *)kvm->run + kvm->run->io.data_offset);
	diag("KVM: exit reason %u, hardware's %#llx", kvm->run->exit_reason,
	     (unsigned long long)kvm->run->hw.hardware_exit_reason);
	return -1;
}

static void *runs(void *arg)
{
	struct kvm_thread *thread = arg;

	run_on_cpu(thread->cpu);
	thread->tid = (pid_t)syscall(SYS_gettid);
	while (!thread->stop) {
		if (ioctl(thread->kvm->vcpu, KVM_RUN, 0) < 0 && errno == EINTR)
			continue;
		diag("KVM's guest came out: exit reason %u, %s", thread->kvm->run->exit_reason,
		     strerror(errno));
		thread->failed = true;
		break;
	}
	thread->ended = true;
	return NULL;
}

struct kvm_thread *kvm_thread_start(struct kvm *kvm, int cpu)
{
	struct kvm_thread *thread = calloc(1, sizeof(*thread));

	ignore_signal(KICK);
	thread->kvm = kvm;
	thread->cpu = cpu;
	if (pthread_create(&thread->thread, NULL, runs, thread))
		bail("pthread_create: %m");
	while (!thread->tid)
		sleep_us(1000);
	return thread;
}

void kvm_thread_kick(struct kvm_thread *thread)
{
	pthread_kill(thread->thread, KICK);
}

bool kvm_thread_move(struct kvm_thread *thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(thread->tid, sizeof(set), &set);
}

bool kvm_thread_stop(struct kvm_thread *thread)
{
	bool good;

	thread->stop = true;
	thread->kvm->run->immediate_exit = 1;
	while (!thread->ended) {
		pthread_kill(thread->thread, KICK);
		sleep_us(1000);
	}
	pthread_join(thread->thread, NULL);
	thread->kvm->run->immediate_exit = 0;
	good = !thread->failed;
	free(thread);
	return good;
}
