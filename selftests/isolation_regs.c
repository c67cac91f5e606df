// SPDX-License-Identifier: GPL-2.0-only
/* General, segment and syscall registers: the guest has its own, the host keeps its. */
#include <sched.h>

#include "lib.h"

static volatile u64 at_entry[16];
extern char read_gprs[];

/* The first instruction of the guest stores all GPRs; no C in between. */
__asm__(".pushsection .text\n"
	"read_gprs:\n"
	"	mov	%rax, at_entry(%rip)\n"
	"	mov	%rcx, at_entry+8(%rip)\n"
	"	mov	%rdx, at_entry+16(%rip)\n"
	"	mov	%rbx, at_entry+24(%rip)\n"
	"	mov	%rsp, at_entry+32(%rip)\n"
	"	mov	%rbp, at_entry+40(%rip)\n"
	"	mov	%rsi, at_entry+48(%rip)\n"
	"	mov	%rdi, at_entry+56(%rip)\n"
	"	mov	%r8, at_entry+64(%rip)\n"
	"	mov	%r9, at_entry+72(%rip)\n"
	"	mov	%r10, at_entry+80(%rip)\n"
	"	mov	%r11, at_entry+88(%rip)\n"
	"	mov	%r12, at_entry+96(%rip)\n"
	"	mov	%r13, at_entry+104(%rip)\n"
	"	mov	%r14, at_entry+112(%rip)\n"
	"	mov	%r15, at_entry+120(%rip)\n"
	"	mov	$0x100, %eax\n"
	"	mov	$0x7e0, %edx\n"
	"	out	%eax, %dx\n"
	"	ud2\n"
	".popsection\n");

static void test_gprs_in(void)
{
	struct vcpu *vcpu = vcpu_simple(read_gprs);
	u32 bad = 0;

	vcpu_get_regs(vcpu);
	for (u32 i = 0; i < 16; i++)
		vcpu->regs.gpr[i] = 0x1000000000000001UL * (i + 1);
	vcpu_set_regs(vcpu);
	ok_sync(vcpu, 0, "the guest has read its registers");
	for (u32 i = 0; i < 16; i++)
		bad += G(vcpu->vm, at_entry[i]) != 0x1000000000000001UL * (i + 1);
	is(bad, 0, "they are those of SET_STATE");
	vcpu_simple_destroy(vcpu);
}

/* Everything that a world switch could forget to put back. */
static void dirties_all(void)
{
	wrmsr(0xc0000100, 0x1111000);
	wrmsr(0xc0000101, 0x2222000);
	wrmsr(0xc0000102, 0x3333000);
	wrmsr(0xc0000081, 0x0018001000000000);
	wrmsr(0xc0000082, 0x4444000);
	wrmsr(0xc0000083, 0x5555000);
	wrmsr(0xc0000084, ~0U);
	wrmsr(0x174, 0x6666);
	wrmsr(0x175, 0x7777000);
	wrmsr(0x176, 0x8888000);
	WRITE_REG("cr2", 0x999UL);
	__asm__ volatile("std; swapgs; mov %0, %%fs; mov %0, %%gs; mov %0, %%es;"
			 "mov %0, %%ds; outl %1, %2; cld"
			 : : "r"((u64)SEL_DS), "a"(GUEST_SYNC), "Nd"((u16)GUEST_PORT)
			 : "memory");
}

struct host {
	u64 fs_base, flags;
	u16 sel[6];
};

static struct host host_now(void)
{
	struct host h;
	u16 *s = h.sel;

	memset(&h, 0, sizeof(h));
	__asm__ volatile("pushfq; pop %0" : "=r"(h.flags));
	h.flags &= ~0x8d5UL;	/* arithmetic flags */
	__asm__ volatile("mov %%es, %0" : "=m"(s[0]));
	__asm__ volatile("mov %%cs, %0" : "=m"(s[1]));
	__asm__ volatile("mov %%ss, %0" : "=m"(s[2]));
	__asm__ volatile("mov %%ds, %0" : "=m"(s[3]));
	__asm__ volatile("mov %%fs, %0" : "=m"(s[4]));
	__asm__ volatile("mov %%gs, %0" : "=m"(s[5]));
	__asm__ volatile("mov %%fs:0, %0" : "=r"(h.fs_base));
	return h;
}

static void test_host(void)
{
	struct vcpu *vcpu = vcpu_simple(dirties_all);
	struct host before = host_now(), after;
	int ret = vcpu_run(vcpu);

	after = host_now();
	is(ret, 0, "RUN of a guest that dirties segments and MSRs");
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "it came to its OUT");
	ok(!memcmp(&before, &after, sizeof(before)),
	   "the host's selectors, flags and FS base are as before");
	is(vcpu_msr(vcpu, 0xc0000101), 0, "SWAPGS then MOV GS: GS base is 0");
	is(vcpu_msr(vcpu, 0xc0000102), 0x2222000, "KERNEL_GS_BASE");
	is(vcpu_msr(vcpu, 0xc0000082), 0x4444000, "LSTAR");
	is(getpid() > 0, 1, "the host still makes system calls");
	vcpu_simple_destroy(vcpu);
}

/* Each vCPU has values of its own in MSRs that the host switches lazily. */
static void checks_its_own(u64 mine)
{
	u64 star = mine << 48 | mine << 32;

	wrmsr(0xc0000081, star);
	wrmsr(0xc0000082, mine << 20);
	wrmsr(0xc0000102, mine << 24);
	for (u32 i = 0; i < 300; i++) {
		guest_is(rdmsr(0xc0000081), star);
		guest_is(rdmsr(0xc0000082), mine << 20);
		guest_is(rdmsr(0xc0000102), mine << 24);
		__asm__ volatile("swapgs");
		guest_is(rdmsr(0xc0000101), mine << 24);
		__asm__ volatile("swapgs");
		if (i % 16 == 0)
			guest_sync(0);
	}
}

struct work {
	pthread_t thread;
	struct vcpu *vcpu;
	bool good;
};

static void *to_the_end(void *arg)
{
	struct work *work = arg;

	do {
		if (!run_until(work->vcpu, TINYVMX_EXIT_IO))
			return NULL;
		sched_yield();
	} while (work->vcpu->run->io.data == GUEST_SYNC);
	work->good = work->vcpu->run->io.data == GUEST_DONE;
	return NULL;
}

static void test_threads(void)
{
	struct vm *vm = vm_create();
	struct work work[4];
	u32 n = info()->max_vcpus < 4 ? info()->max_vcpus : 4, good = 0;

	memset(work, 0, sizeof(work));
	for (u32 i = 0; i < n; i++) {
		work[i].vcpu = vcpu_create(vm, i, checks_its_own, i + 1);
		pthread_create(&work[i].thread, NULL, to_the_end, &work[i]);
	}
	for (u32 i = 0; i < n; i++) {
		pthread_join(work[i].thread, NULL);
		good += work[i].good;
		vcpu_destroy(work[i].vcpu);
	}
	is(good, n, "%u vCPUs in threads: each keeps its MSRs", n);
	vm_destroy(vm);
}

int main(void)
{
	tap_init();
	test_gprs_in();
	test_host();
	test_threads();
	return tap_exit();
}
