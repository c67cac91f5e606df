// SPDX-License-Identifier: GPL-2.0-only
/* RFLAGS.TF across exits: one #DB behind each instruction, none lost or doubled. */
#include "lib.h"

#define STEPS 16

static volatile u64 rip[STEPS], dr6[STEPS];
static volatile u32 steps;

extern char s0[], s1[], s2[], s3[], s4[], s5[], s6[], s7[];

/* Keeps TF set in the frame, which guest_trap_handler() has cleared. */
static void notes(struct guest_frame *frame)
{
	if (frame->vector != 1)
		return;
	if (steps < STEPS) {
		rip[steps] = frame->rip;
		dr6[steps] = READ_REG("dr6");
	}
	steps++;
	WRITE_REG("dr6", 0xffff0ff0UL);
	/* The POPFQ at the end has cleared it: that #DB was the last. */
	if (frame->rip != (uintptr_t)s7)
		frame->rflags |= 0x100;
}

static void code(void)
{
	guest_expect(1);
	guest_hook = notes;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
			 "s0: nop\n\t"
			 "s1: xor %%eax, %%eax; cpuid\n\t"
			 "s2: mov $0x10, %%ecx; rdmsr\n\t"
			 "s3: out %%al, $0x80\n\t"
			 "s4: in $0x81, %%al\n\t"
			 "s5: wbinvd\n\t"
			 "s6: pushfq; andq $~0x100, (%%rsp); popfq\n\t"
			 "s7:"
			 : : : "rax", "rbx", "rcx", "rdx", "memory");
}

static const struct {
	char *at;
	const char *what;
} want[] = {
	{ s1, "NOP" }, { s1 + 2, "XOR" }, { s2, "CPUID" }, { s2 + 5, "MOV" },
	{ s3, "RDMSR" }, { s4, "OUT" }, { s5, "IN" }, { s6, "WBINVD" },
	{ s6 + 1, "PUSHFQ" }, { s7 - 1, "ANDQ" }, { s7, "POPFQ" },
};

int main(void)
{
	struct vcpu *vcpu;

	tap_init();
	vcpu = vcpu_simple(code);
	ok_exit(vcpu, TINYVMX_EXIT_IO, "the OUT");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "the IN");
	ok_done(vcpu, "the end");
	is(G(vcpu->vm, steps), ARRAY_SIZE(want), "steps");
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		is(G(vcpu->vm, rip[i]), (uintptr_t)want[i].at,
		   "#DB behind %s", want[i].what);
		is(G(vcpu->vm, dr6[i]), 0xffff4ff0, "DR6 behind %s: BS",
		   want[i].what);
	}
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
