// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not be reachable at CPL 3. Some of it exits before the CPU has looked at the
 * privilege level (VMCALL, the VMX instructions), so it is the module that must refuse it.
 */
#include "hostile.h"

static struct result {
	const char *what;
	int want;
	int got;
} results[96];
static volatile u32 nr_results;

#define IS(insn, vector) do {						\
	results[n].what = insn;						\
	results[n].want = vector;					\
	results[n++].got = RING3_TRY(insn);				\
} while (0)

/* RING3_TRY: EAX = 1, ECX = EDX = 0. */
static u32 registers(u32 n)
{
	IS("mov %%cr0, %%rax", GP);
	IS("mov %%cr2, %%rax", GP);
	IS("mov %%cr3, %%rax", GP);
	IS("mov %%cr4, %%rax", GP);
	IS("mov %%cr8, %%rax", GP);
	IS("mov %%rax, %%cr0", GP);
	IS("mov %%rax, %%cr2", GP);
	IS("mov %%rax, %%cr3", GP);
	IS("mov %%rax, %%cr4", GP);
	IS("mov %%rax, %%cr8", GP);
	IS("clts", GP);
	IS("lmsw %%ax", GP);
	IS("mov %%db0, %%rax", GP);
	IS("mov %%db6, %%rax", GP);
	IS("mov %%db7, %%rax", GP);
	IS("mov %%rax, %%db0", GP);
	IS("mov %%rax, %%db6", GP);
	IS("mov %%rax, %%db7", GP);
	IS("mov $0x10, %%ecx; rdmsr", GP);
	IS("mov $0x174, %%ecx; wrmsr", GP);
	IS("mov $0xc0000080, %%ecx; rdmsr", GP);
	IS("mov $0xc0000102, %%ecx; wrmsr", GP);
	IS("mov $0x80b, %%ecx; wrmsr", GP);
	IS("mov $0x830, %%ecx; wrmsr", GP);
	IS("mov $0x83f, %%ecx; wrmsr", GP);
	IS("xsetbv", GP);
	IS("swapgs", GP);
	return n;
}

static u32 instructions(u32 n)
{
	IS("hlt", GP);
	IS("cli", GP);
	IS("sti", GP);
	IS("invd", GP);
	IS("wbinvd", GP);
	IS("invlpg (%%rsp)", GP);
	IS("rdpmc", GP);
	IS("lgdt (%%rsp)", GP);
	IS("lidt (%%rsp)", GP);
	IS("lldt %%cx", GP);
	IS("ltr %%cx", GP);
	IS("sysretq", GP);
	IS("sysexitq", GP);
	IS("in $0x80, %%al", GP);
	IS("out %%al, $0x80", GP);
	IS("in %%dx, %%eax", GP);
	IS("out %%eax, %%dx", GP);
	IS("lea (%%rsp), %%rdi; insb", GP);
	IS("lea (%%rsp), %%rsi; outsb", GP);
	IS("int $0x80", GP);	/* a gate of ring 0 */
	IS("int $2", GP);
	IS("int3", GP);
	IS("monitor", UD);
	IS("mwait", UD);
	IS("rsm", UD);
	IS("getsec", UD);
	IS(".byte 0x0f, 0x01, 0xcf", UD);	/* ENCLS */
	IS("clac", UD);
	IS("stac", UD);
	return n;
}

static u32 vmx(u32 n)
{
	IS("vmcall", UD);
	IS("vmlaunch", UD);
	IS("vmresume", UD);
	IS("vmxoff", UD);
	IS("vmxon (%%rsp)", UD);
	IS("vmclear (%%rsp)", UD);
	IS("vmptrld (%%rsp)", UD);
	IS("vmptrst (%%rsp)", UD);
	IS("vmread %%rax, %%rax", UD);
	IS("vmwrite %%rax, %%rax", UD);
	IS("invept (%%rsp), %%rax", UD);
	IS("invvpid (%%rsp), %%rax", UD);
	IS(".byte 0x0f, 0x01, 0xd4", UD);	/* VMFUNC */
	return n;
}

/* Memory of ring 0's; and what ring 3 may do, so that the rest says something. */
static u32 others(u32 n)
{
	IS("mov $0x3ff000, %%eax; mov (%%rax), %%al", PF);
	IS("mov $0x3ff000, %%eax; mov %%al, (%%rax)", PF);
	/* POPF leaves IF as it is. */
	IS("pushfq; orq $0x200, (%%rsp); popfq; pushfq; pop %%rax; bt $9, %%eax; jnc 3f; ud2; 3:",
	   RING3_PASSED);
	IS("rdtsc", RING3_PASSED);
	IS("cpuid", RING3_PASSED);
	IS("xgetbv", RING3_PASSED);
	IS("pause", RING3_PASSED);
	IS("smsw %%eax", RING3_PASSED);
	return n;
}

static void leave_ring3(struct guest_frame *frame)
{
	frame->cs = SEL_CS64;
	frame->ss = SEL_DS;
}

static void tries_all(u64 id)
{
	volatile u64 *directory = (volatile u64 *)(GUEST_PT_GPA + 2 * PAGE);

	(void)id;
	guest_hook = leave_ring3;
	directory[1] &= ~4UL;	/* from 2 to 4 MiB: ring 0's */
	WRITE_REG("cr3", GUEST_PT_GPA);
	for (;; guest_alive++)
		nr_results = others(vmx(instructions(registers(0))));
}

static void prepare(struct vcpu *vcpu)
{
	vcpu_enable_xsave(vcpu, 1);
}

static void check(struct vcpu *vcpu)
{
	u32 count = G(vcpu->vm, nr_results);

	for (u32 i = 0; i < count; i++) {
		struct result result = G(vcpu->vm, results[i]);

		is(result.got, result.want, "ring 3: %s", result.what);
	}
}

const struct attack attacks_ring3[] = {
	{ "ring 3", "a program in the guest does what its kernel alone may", .guest = tries_all,
	  .prepare = prepare, .check = check, .flags = ATTACK_LAPIC },
	{ }
};
