// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that always exit, or could: what the guest sees of them. */
#include "lib.h"

#define UD 6

static u64 operand[2] __attribute__((aligned(4096)));

static void vmx(void)
{
	u64 type = 1, value;

	guest_is(GUEST_TRY("vmcall", :), UD);
	guest_is(GUEST_TRY("vmlaunch", :), UD);
	guest_is(GUEST_TRY("vmresume", :), UD);
	guest_is(GUEST_TRY("vmxoff", :), UD);
	guest_is(GUEST_TRY("vmxon %0", : : "m"(operand)), UD);
	guest_is(GUEST_TRY("vmclear %0", : : "m"(operand)), UD);
	guest_is(GUEST_TRY("vmptrld %0", : : "m"(operand)), UD);
	guest_is(GUEST_TRY("vmptrst %0", : : "m"(operand)), UD);
	guest_is(GUEST_TRY("vmread %1, %0", : "=r"(value) : "r"(type)), UD);
	guest_is(GUEST_TRY("vmwrite %0, %1", : : "r"(type), "r"(type)), UD);
	guest_is(GUEST_TRY("invept %0, %1", : : "m"(operand), "r"(type)), UD);
	guest_is(GUEST_TRY("invvpid %0, %1", : : "m"(operand), "r"(type)), UD);
	guest_is(GUEST_TRY(".byte 0x0f, 0x01, 0xd4", : : "a"(0), "c"(0)), UD);
}

static void nothing_there(void)
{
	guest_is(GUEST_TRY("monitor", : : "a"(operand), "c"(0), "d"(0)), UD);
	guest_is(GUEST_TRY("mwait", : : "a"(0), "c"(0)), UD);
	guest_is(GUEST_TRY("rsm", :), UD);
	guest_is(GUEST_TRY("getsec", : : "a"(0)), UD);
	guest_is(GUEST_TRY("xsetbv", : : "a"(1), "d"(0), "c"(0)), UD);
	guest_is(GUEST_TRY("xgetbv", : : "c"(0) : "rax", "rdx"), UD);
}

static void pmc(void)
{
	guest_is(GUEST_TRY("rdpmc", : : "c"(0) : "rax", "rdx"), GP);
	guest_is(GUEST_TRY("rdpmc", : : "c"(0x40000000) : "rax", "rdx"), GP);
	guest_is(GUEST_TRY("rdpmc", : : "c"(0x7fffffff) : "rax", "rdx"), GP);
}

static void harmless(void)
{
	u64 before = rdtsc();

	guest_is(GUEST_TRY("wbinvd", :), -1);
	guest_is(GUEST_TRY("invd", :), -1);
	guest_is(GUEST_TRY("invlpg %0", : : "m"(operand)), -1);
	guest_is(GUEST_TRY("pause", :), -1);
	guest_is(GUEST_TRY("clflush %0", : : "m"(operand)), -1);
	guest_is(GUEST_TRY("clts", :), -1);
	guest_is(GUEST_TRY("rdtsc", : : : "rax", "rdx"), -1);
	guest_ok(rdtsc() > before);
}

static volatile bool has_rdtscp, has_invpcid;

static void optional(void)
{
	u32 aux = 0;
	u64 all = 2;

	if (has_rdtscp) {
		wrmsr(0xc0000103, 0x1234);
		guest_is(GUEST_TRY("rdtscp", : "=c"(aux) : : "rax", "rdx"), -1);
		guest_is(aux, 0x1234);
	} else {
		guest_is(GUEST_TRY("rdtscp", : "=c"(aux) : : "rax", "rdx"), UD);
	}
	guest_is(GUEST_TRY("invpcid %0, %1", : : "m"(operand), "r"(all)),
		 has_invpcid ? -1 : UD);
}

static volatile u64 xcr0_mask;

static int xsetbv(u32 index, u64 value)
{
	return GUEST_TRY("xsetbv", : : "a"((u32)value),
			 "d"((u32)(value >> 32)), "c"(index));
}

static u64 xgetbv(void)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (u64)hi << 32;
}

static void xcr0(void)
{
	u32 reg[4];

	guest_is(xgetbv(), 1);
	guest_is(xsetbv(0, 0), GP);
	guest_is(xsetbv(0, 2), GP);
	guest_is(xsetbv(0, 5), GP);
	guest_is(xsetbv(0, 0x21), GP);
	guest_is(xsetbv(0, 1UL << 63 | 1), GP);
	guest_is(xsetbv(0, 1UL << 62 | 1), GP);
	guest_is(xsetbv(0, ~xcr0_mask | 1), GP);
	guest_is(xsetbv(1, 1), GP);
	guest_is(xsetbv(~0U, 1), GP);
	guest_is(xgetbv(), 1);
	guest_is(xsetbv(0, 3), -1);
	guest_is(xgetbv(), 3);
	cpuid(0xd, 0, reg);
	guest_is(reg[1], 576);
	if (xcr0_mask & 4) {
		guest_is(xsetbv(0, 7), -1);
		guest_is(xgetbv(), 7);
		cpuid(0xd, 0, reg);
		guest_is(reg[1], 832);
	}
	if ((xcr0_mask & 0xe0) == 0xe0) {
		guest_is(xsetbv(0, 0xe3), GP);
		guest_is(xsetbv(0, 0x67), GP);
		guest_is(xsetbv(0, 0xe7), -1);
	}
}

static long call(long number)
{
	__asm__ volatile("vmcall" : "+a"(number) : : "memory");
	return number;
}

/* In compatibility mode it is 32 bits that count. */
static long call32(long number)
{
	__asm__ volatile("push %1; lea 1f(%%rip), %%rcx; push %%rcx; lretq\n\t"
			 ".code32\n"
			 "1: vmcall; ljmp %2, $2f\n\t"
			 ".code64\n"
			 "2:"
			 : "+a"(number) : "i"(SEL_CS32), "i"(SEL_CS64) : "rcx", "memory");
	return number;
}

#define POLL_IRQ	1
#define ENOSYS_KVM	1000
#define HIGH		0x100000000L

static volatile long user_answer;

static void kvm_calls(void)
{
	guest_is(call(0), -ENOSYS_KVM);
	guest_is(call(POLL_IRQ), 0);
	guest_is(call(HIGH + POLL_IRQ), -ENOSYS_KVM);
	guest_is(call(-1), -ENOSYS_KVM);
	guest_is(call32(HIGH + POLL_IRQ), 0);
	guest_is(call32(7), (u32)-ENOSYS_KVM);
	guest_is(RING3_TRY("vmcall; mov %%rax, user_answer"), RING3_PASSED);
	guest_is(user_answer, -1);	/* -KVM_EPERM */
}

static void leave_ring3(struct guest_frame *frame)
{
	frame->cs = SEL_CS64;
	frame->ss = SEL_DS;
}

/* KVM's signature, where this module's guests see it and where it stands alone. */
static void test_kvm_calls(u32 leaf, bool there)
{
	struct vcpu *vcpu = vcpu_simple(there ? kvm_calls : vmx);
	struct tinyvmx_cpuid table[101];
	u32 count = host_cpuid(table, ARRAY_SIZE(table) - 1);

	table[count++] = (struct tinyvmx_cpuid){
		.function = leaf, .eax = leaf,
		.ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d,
	};
	must(set_cpuid(vcpu->fd, table, count));
	G(vcpu->vm, guest_hook) = leave_ring3;
	ok_done(vcpu, "KVM's signature in leaf %#x: VMCALL %s", leaf,
		there ? "answers as KVM does" : "is #UD");
	vcpu_simple_destroy(vcpu);
}

static void run_all(void *fn, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(fn);
	u64 caps = info()->capabilities;

	G(vcpu->vm, has_rdtscp) = !!(caps & TINYVMX_CAP_RDTSCP);
	G(vcpu->vm, has_invpcid) = !!(caps & TINYVMX_CAP_INVPCID);
	G(vcpu->vm, xcr0_mask) = info()->xcr0_mask;
	if (fn == xcr0)
		vcpu_enable_xsave(vcpu, 1);
	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	run_all(vmx, "VMX instructions are #UD");
	run_all(nothing_there, "MONITOR, MWAIT, RSM, GETSEC, XSETBV are #UD");
	run_all(pmc, "RDPMC is #GP");
	run_all(harmless, "WBINVD, INVD, INVLPG, PAUSE, CLTS go through");
	run_all(optional, "RDTSCP, INVPCID are there or #UD, as GET_INFO says");
	run_all(xcr0, "XSETBV: what the SDM refuses, and what CPUID says then");
	test_kvm_calls(0x40000000, true);
	test_kvm_calls(0x40000100, true);
	test_kvm_calls(0x40000101, false);
	test_kvm_calls(0x40010000, false);
	return tap_exit();
}
