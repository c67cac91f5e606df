// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs that move between CPUs keep registers, memory and TLBs right. */
#include <sched.h>
#include <sys/mman.h>

#include "lib.h"

#define GPA GUEST_MMIO_GPA

/*
 * Memory: the host changes the page behind GPA between exits and tells the
 * value that must be there. XMM5 and KERNEL_GS_BASE: the guest's own count.
 */
static volatile u64 want;

static void checks(void)
{
	u64 count = 0, xmm;

	for (;;) {
		count++;
		__asm__ volatile("movq %0, %%xmm5" : : "r"(count) : "xmm5");
		wrmsr(0xc0000102, count << 12);
		guest_sync(0);
		__asm__ volatile("movq %%xmm5, %0" : "=r"(xmm));
		guest_is(xmm, count);
		guest_is(rdmsr(0xc0000102), count << 12);
		guest_is(*(volatile u64 *)GPA, want);
	}
}

static void test_hops(void)
{
	struct vcpu *vcpu = vcpu_simple(checks);
	u64 *page = map_anon(PAGE);
	u32 cpus = online_cpus(), good = 0;

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, page));
	for (u32 i = 0; i < 300; i++) {
		run_on_cpu(i / 2 % cpus);
		/* Zap on one CPU what another one's TLB may still hold. */
		if (i % 3 == 0)
			must(madvise(page, PAGE, MADV_DONTNEED));
		page[0] = i;
		G(vcpu->vm, want) = i;
		good += run_until_port(vcpu, GUEST_SYNC);
		if (good != i + 1)
			break;
	}
	is(good, 300, "300 exits, hopping between CPUs");
	vcpu_simple_destroy(vcpu);
}

static volatile bool stop;

static void *moves(void *arg)
{
	pthread_t thread = *(pthread_t *)arg;
	u32 cpus = online_cpus();
	cpu_set_t set;

	for (u32 i = 0; !stop; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % cpus, &set);
		pthread_setaffinity_np(thread, sizeof(set), &set);
		sleep_us(500);
	}
	return NULL;
}

static void runs_long(void)
{
	for (u64 i = 1; i <= 300; i++) {
		u64 xmm;

		__asm__ volatile("movq %0, %%xmm7" : : "r"(i) : "xmm7");
		wrmsr(0xc0000082, i << 12);
		for (u64 k = 0; k < 10000; k++)
			__asm__ volatile("");
		__asm__ volatile("movq %%xmm7, %0" : "=r"(xmm));
		guest_is(xmm, i);
		guest_is(rdmsr(0xc0000082), i << 12);
	}
}

/* Moved while in the guest, by another thread. */
static void test_moved(void)
{
	struct vcpu *vcpu = vcpu_simple(runs_long);
	pthread_t me = pthread_self(), mover;

	pthread_create(&mover, NULL, moves, &me);
	ok_done(vcpu, "a guest that is moved every 500 us");
	stop = true;
	pthread_join(mover, NULL);
	vcpu_simple_destroy(vcpu);
}

/* One vCPU, many threads in turn: each RUN comes from another one. */
static void *one_run(void *arg)
{
	return (void *)(uintptr_t)run_until_port(arg, GUEST_SYNC);
}

static void test_threads(void)
{
	struct vcpu *vcpu = vcpu_simple(checks);
	u32 good = 0;

	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, map_anon(PAGE)));
	for (u32 i = 0; i < 30; i++) {
		pthread_t thread;
		void *result;

		pthread_create(&thread, NULL, one_run, vcpu);
		pthread_join(thread, &result);
		good += !!result;
	}
	is(good, 30, "30 threads run one vCPU in turn");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_threads();
	if (online_cpus() < 2) {
		skip("one CPU only", "hops between CPUs");
		return tap_exit();
	}
	test_hops();
	test_moved();
	return tap_exit();
}
