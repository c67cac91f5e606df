// SPDX-License-Identifier: GPL-2.0-only
/*
 * CR4.UMIP, which the module does for CPUs that have none: SGDT, SIDT, SLDT and STR are #GP
 * outside of ring 0, and nothing is different in it.
 */
#include "lib.h"

#define DB	1
#define PF	14
#define MTF	37	/* exit reasons */
#define GDTR_IDTR 46
#define LDTR_TR	47
#define UMIP	(1UL << 11)
#define RFLAGS_RF (1UL << 16)

static volatile bool emulated;	/* in the guest, too */

struct __attribute__((packed)) table {
	u16 limit;
	u64 base;
};

static volatile struct table gdt, idt;
static volatile u64 ldtr, tr;

static void set_umip(bool on)
{
	u64 cr4 = READ_REG("cr4");

	WRITE_REG("cr4", on ? cr4 | UMIP : cr4 & ~UMIP);
	guest_is(READ_REG("cr4") & UMIP, on ? UMIP : 0);
}

static void leave_ring3(struct guest_frame *frame)
{
	if ((frame->cs & 3) == 3) {
		frame->cs = SEL_CS64;
		frame->ss = SEL_DS;
	}
}

static void from_ring3(int want)
{
	guest_is(RING3_TRY("sgdt gdt"), want);
	guest_is(RING3_TRY("sidt idt"), want);
	guest_is(RING3_TRY("sldt ldtr"), want);
	guest_is(RING3_TRY("sldt %%ebx"), want);
	guest_is(RING3_TRY("str tr"), want);
	guest_is(RING3_TRY("str %%ebx"), want);
	guest_is(RING3_TRY("lgdt gdt"), GP);
	guest_is(RING3_TRY("ltr tr"), GP);
}

static void ring3(void)
{
	guest_hook = leave_ring3;
	from_ring3(RING3_PASSED);
	set_umip(true);
	from_ring3(GP);
	guest_is(guest_trap.error, 0);
	/* SMSW never exits: without UMIP in the CPU nobody can keep it back. */
	guest_is(RING3_TRY("smsw %%ebx"), emulated ? RING3_PASSED : GP);
	set_umip(false);
	from_ring3(RING3_PASSED);
}

static void ring0(void)
{
	volatile u64 *tss = (u64 *)(GUEST_GDT_GPA + SEL_TSS);
	struct table small = { 0x27, 0x123456789abc };
	u64 word;

	set_umip(true);
	for (u32 i = 0; i < 100; i++) {
		__asm__ volatile("sgdt gdt; sidt idt; sldt ldtr; str tr" : : : "memory");
		guest_is(gdt.base, GUEST_GDT_GPA);
		guest_is(gdt.limit, 8 * 8 - 1);
		guest_is(idt.base, GUEST_IDT_GPA);
		guest_is(ldtr & 0xffff, 0);
		guest_is(tr & 0xffff, SEL_TSS);
	}
	*tss &= ~(2UL << 40);	/* not busy */
	__asm__ volatile("lldt %w0; ltr %w1; lidt idt" : : "r"(0), "r"(SEL_TSS) : "memory");
	guest_ok(*tss & 2UL << 40);
	__asm__ volatile("lgdt %1; sgdt gdt; sgdt %0" : "=m"(small) : "m"(small) : "memory");
	guest_is(gdt.base, 0x123456789abc);
	gdt.base = GUEST_GDT_GPA;
	gdt.limit = 8 * 8 - 1;
	__asm__ volatile("lgdt gdt; str %0" : "=r"(word) : : "memory");
	guest_is(word, SEL_TSS);
	/* Faults of the instruction itself. */
	guest_is(GUEST_TRY("lldt %w0", : : "r"(SEL_DS)), GP);
	guest_is(guest_trap.error, SEL_DS);
	guest_is(GUEST_TRY("sgdt (%0)", : : "r"(1UL << 63)), GP);
	guest_is(GUEST_TRY("sidt (%0)", : : "r"(1UL << 40)), PF);
	guest_is(guest_trap.cr2, 1UL << 40);
	guest_is(GUEST_TRY("ltr %w0", : : "r"(0)), GP);
}

/* After the one instruction, and once; with a breakpoint on it, once before. */
static void traps(void)
{
	u64 at;

	set_umip(true);
	guest_expect(DB);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n\t"
			 "sgdt gdt\n\t"
			 "1: lea 1b(%%rip), %0" : "=r"(at) : : "memory", "cc");
	guest_is(guest_taken[DB], 1);
	guest_is(guest_trap.rip, at);
	guest_is(READ_REG("db6") & 0xffff, 0x4ff0);
	WRITE_REG("db6", 0xffff0ff0);
	__asm__ volatile("lea 1f(%%rip), %0; mov %0, %%db0; mov %1, %%db7\n\t"
			 "1: sgdt gdt\n\t"
			 "mov %2, %%db7" : "=&r"(at) : "r"(0x401UL), "r"(0x400UL) : "memory");
	guest_is(guest_taken[DB], 2);
	guest_is(guest_trap.rip, at);
	guest_is(READ_REG("db6") & 0xffff, 0x0ff1);
}

static void sets_rf(struct guest_frame *frame)
{
	frame->rflags |= RFLAGS_RF;
}

/* The operand has no memory: an exit in the middle. */
static void stores_to_device(void)
{
	set_umip(true);
	__asm__ volatile("sgdt (%0)" : : "r"((u64)GUEST_MMIO_GPA) : "memory");
	guest_is(1, 0);
}

__attribute__((naked)) static void ring3_stores(void)
{
	__asm__ volatile("sgdt gdt; hlt");
}

static void caught(void)
{
	guest_is(guest_trap.vector, GP);
	guest_is(guest_trap.rip, (uintptr_t)ring3_stores);
	outl(GUEST_PORT, GUEST_DONE);
}

/* -------------------------------------------------------------- the host */

static struct vcpu *create(void *fn)
{
	struct vcpu *vcpu = vcpu_simple(fn);

	G(vcpu->vm, emulated) = emulated;
	return vcpu;
}

static u64 exits(const struct vcpu *vcpu, u32 reason)
{
	struct tinyvmx_exits exits;

	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	return exits.count[reason];
}

static void test_ring3(void)
{
	struct vcpu *vcpu = create(ring3);

	ok_done(vcpu, "in ring 3 SGDT, SIDT, SLDT and STR are #GP while CR4.UMIP is set");
	is(exits(vcpu, GDTR_IDTR) + exits(vcpu, LDTR_TR) > 0, emulated, "they exit if the CPU has none");
	vcpu_simple_destroy(vcpu);
}

static void test_ring0(void)
{
	struct vcpu *vcpu = create(ring0);

	ok_done(vcpu, "in ring 0 they work, as LGDT, LIDT, LLDT and LTR do");
	if (emulated)
		ok(exits(vcpu, MTF) >= 400, "one exit behind each");
	vcpu_simple_destroy(vcpu);
}

static void test_traps(void)
{
	struct vcpu *vcpu = create(traps);

	G(vcpu->vm, guest_hook) = sets_rf;
	ok_done(vcpu, "single step and breakpoint: each once");
	vcpu_simple_destroy(vcpu);
}

/* What comes instead of the instruction is not let through in its place. */
static void test_moved(void)
{
	struct vcpu *vcpu = create(stores_to_device);
	struct tinyvmx_sregs s;

	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "SGDT to a device exits");
	is(vcpu->run->mmio.gpa, GUEST_MMIO_GPA, "there");
	s = vcpu_sregs(vcpu);
	ok(s.cr4 & UMIP, "SREGS: CR4.UMIP");
	s.seg[TINYVMX_CS].selector = SEL_USER_CS64;
	s.seg[TINYVMX_CS].ar |= 0x60;
	s.seg[TINYVMX_SS].selector = SEL_USER_DS;
	s.seg[TINYVMX_SS].ar |= 0x60;
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = (uintptr_t)ring3_stores;
	vcpu_set_regs(vcpu);
	G(vcpu->vm, guest_hook) = leave_ring3;
	G(vcpu->vm, guest_trap).resume = (uintptr_t)caught;
	ok_done(vcpu, "from ring 3 it is #GP, though an exit has cut one in ring 0 short");
	vcpu_simple_destroy(vcpu);
}

static void test_off(void)
{
	struct vcpu *vcpu = create(stores_to_device);
	struct tinyvmx_sregs s;

	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "SGDT to a device exits");
	s = vcpu_sregs(vcpu);
	s.cr4 &= ~UMIP;
	vcpu_set_sregs(vcpu, &s);
	vcpu_call(vcpu, guest_spin, 0);
	is(vcpu_sregs(vcpu).cr4 & UMIP, 0, "SET_STATE: CR4.UMIP is off");
	s.cr4 |= UMIP;
	vcpu_set_sregs(vcpu, &s);
	is(vcpu_sregs(vcpu).cr4 & UMIP, UMIP, "SET_STATE: CR4.UMIP is on");
	vcpu_call(vcpu, ring0, 0);
	ok_done(vcpu, "and goes on");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	if (!(info()->cr4_mask & UMIP))
		skip_all("a CPU without UMIP, descriptor-table exiting or monitor trap flag");
	emulated = !(info()->vmx_msrs[9] & UMIP);	/* IA32_VMX_CR4_FIXED1 */
	diag("UMIP is %s", emulated ? "emulated" : "the CPU's");
	test_ring3();
	test_ring0();
	test_traps();
	test_moved();
	test_off();
	return tap_exit();
}
