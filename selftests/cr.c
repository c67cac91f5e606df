// SPDX-License-Identifier: GPL-2.0-only
/* CR0, CR3, CR4, CR8 as the guest sees them: values, #GP, agreement with SREGS. */
#include "lib.h"

#define UD 6
#define NM 7

#define try_write(reg, value) \
	GUEST_TRY("mov %0, %%" reg, : : "r"((u64)(value)) : "memory")

static void cr0(void)
{
	u64 old = READ_REG("cr0");

	guest_is(old, 0x80010033);
	guest_is(try_write("cr0", old & ~1UL), GP);		/* PG without PE */
	guest_is(try_write("cr0", old | 0x20000000), GP);	/* NW without CD */
	guest_is(try_write("cr0", old | 1UL << 32), GP);
	guest_is(try_write("cr0", old | 1UL << 63), GP);
	guest_is(READ_REG("cr0"), old);
	guest_is(try_write("cr0", old & ~0x10000UL), -1);	/* WP */
	guest_is(READ_REG("cr0"), old & ~0x10000UL);
	guest_is(try_write("cr0", old | 0x40000000), -1);	/* CD */
	guest_is(READ_REG("cr0"), old | 0x40000000);
	guest_is(try_write("cr0", old | 0x60000000), -1);	/* CD, NW */
	guest_is(READ_REG("cr0"), old | 0x60000000);
	guest_is(try_write("cr0", old & ~0x10UL), -1);		/* ET is fixed */
	guest_is(READ_REG("cr0"), old);
	guest_is(try_write("cr0", old & ~0x20UL), -1);		/* NE */
	guest_is(READ_REG("cr0"), old & ~0x20UL);
	guest_is(try_write("cr0", old | 0x40000), -1);		/* AM */
	guest_is(READ_REG("cr0"), old | 0x40000);
	guest_is(try_write("cr0", old), -1);
}

static void task_switched(void)
{
	u64 old = READ_REG("cr0");
	u64 sw;

	guest_is(try_write("cr0", old | 8), -1);
	guest_is(GUEST_TRY("movups %%xmm0, %%xmm1", :), NM);
	guest_is(GUEST_TRY("clts", :), -1);
	guest_is(READ_REG("cr0"), old);
	guest_is(GUEST_TRY("movups %%xmm0, %%xmm1", :), -1);
	guest_is(GUEST_TRY("lmsw %%ax", : : "a"(0x3a)), -1);	/* TS; PE stays */
	guest_is(READ_REG("cr0"), (old & ~4UL & ~2UL) | 0xa);
	__asm__ volatile("smsw %0" : "=r"(sw));
	guest_is(sw & 0xffff, 0x3b);
	guest_is(try_write("cr0", old), -1);
}

static void cr3(void)
{
	u64 old = READ_REG("cr3");

	guest_is(try_write("cr3", old | 1UL << 52), GP);
	guest_is(try_write("cr3", old | 1UL << 63), GP);
	guest_is(try_write("cr3", old | 0x18), -1);		/* PCD, PWT */
	guest_is(READ_REG("cr3"), old | 0x18);
	guest_is(try_write("cr3", old), -1);
}

static volatile u64 cr4_mask;

static void cr4(void)
{
	u64 old = READ_REG("cr4");

	guest_is(old, 0x620);
	guest_is(try_write("cr4", old & ~0x20UL), GP);		/* PAE */
	guest_is(try_write("cr4", old | 1UL << 13), GP);	/* VMXE */
	guest_is(try_write("cr4", old | 1UL << 14), GP);	/* SMXE */
	guest_is(try_write("cr4", old | 1UL << 15), GP);
	guest_is(try_write("cr4", old | 1UL << 19), GP);
	guest_is(try_write("cr4", old | 1UL << 31), GP);
	guest_is(try_write("cr4", old | 1UL << 32), GP);
	guest_is(READ_REG("cr4"), old);
	for (u32 bit = 0; bit < 25; bit++) {
		u64 flip = old ^ (1UL << bit);

		/* PAE and LA57 cannot change here, PCIDE has rules of its own. */
		if (!(cr4_mask >> bit & 1) || bit == 5 || bit == 12 || bit == 17)
			continue;
		/* SMAP and SMEP fault at once: these pages are user pages. */
		if (bit == 20 || bit == 21 || bit == 23)
			continue;
		guest_is(try_write("cr4", flip), -1);
		guest_is(READ_REG("cr4"), flip);
		guest_is(try_write("cr4", old), -1);
	}
	guest_is(try_write("cr4", 0x20), -1);
	guest_is(READ_REG("cr4"), 0x20);
	guest_is(try_write("cr4", old), -1);
}

static void pcid(void)
{
	u64 old = READ_REG("cr4"), root = READ_REG("cr3");

	if (!(cr4_mask >> 17 & 1)) {
		guest_is(try_write("cr4", old | 1 << 17), GP);
		return;
	}
	WRITE_REG("cr3", root | 8);
	guest_is(try_write("cr4", old | 1 << 17), GP);		/* CR3[11:0] */
	WRITE_REG("cr3", root);
	guest_is(try_write("cr4", old | 1 << 17), -1);
	guest_is(try_write("cr3", root | 0x123 | 1UL << 63), -1);
	guest_is(READ_REG("cr3"), root | 0x123);
	guest_is(try_write("cr3", root), -1);
	guest_is(try_write("cr4", old), -1);
}

static void cr8(void)
{
	guest_is(READ_REG("cr8"), 0);
	for (u64 tpr = 0; tpr < 16; tpr++) {
		guest_is(try_write("cr8", tpr), -1);
		guest_is(READ_REG("cr8"), tpr);
	}
	guest_is(try_write("cr8", 16), GP);
	guest_is(try_write("cr8", 1UL << 32), GP);
	guest_is(READ_REG("cr8"), 15);
	WRITE_REG("cr8", 7UL);
}

static void no_such_register(void)
{
	guest_is(GUEST_TRY(".byte 0x0f, 0x20, 0xc8", : : : "rax"), UD);	/* CR1 */
	guest_is(GUEST_TRY(".byte 0x0f, 0x20, 0xe8", : : : "rax"), UD);	/* CR5 */
	guest_is(GUEST_TRY(".byte 0x0f, 0x22, 0xf8", :), UD);		/* CR7 */
	guest_is(GUEST_TRY(".byte 0x44, 0x0f, 0x20, 0xc8", : : : "rax"), UD);
}

/* What the guest wrote is what GET_STATE says. */
static void leaves_values(void)
{
	WRITE_REG("cr0", 0x80050033UL);
	WRITE_REG("cr2", 0x123456789abcUL);
	WRITE_REG("cr4", 0x6a0UL);
	WRITE_REG("cr8", 9UL);
	guest_sync(1);
	guest_is(READ_REG("cr0"), 0x80010033);
	guest_is(READ_REG("cr2"), 0xcba987654321);
	guest_is(READ_REG("cr4"), 0x620);
	guest_is(READ_REG("cr8"), 3);
}

static void test_state(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves_values);
	struct tinyvmx_sregs s;

	ok_sync(vcpu, 1, "the guest has written CR0, CR2, CR4, CR8");
	s = vcpu_sregs(vcpu);
	is(s.cr0, 0x80050033, "SREGS: CR0");
	is(s.cr2, 0x123456789abc, "SREGS: CR2");
	is(s.cr3, GUEST_PT_GPA, "SREGS: CR3");
	is(s.cr4, 0x6a0, "SREGS: CR4");
	is(s.cr8, 9, "SREGS: CR8");
	is(s.efer & 0xd00, 0xd00, "SREGS: EFER");
	s.cr0 = 0x80010033;
	s.cr2 = 0xcba987654321;
	s.cr4 = 0x620;
	s.cr8 = 3;
	vcpu_set_sregs(vcpu, &s);
	ok_done(vcpu, "the guest reads what SET_STATE wrote");
	vcpu_simple_destroy(vcpu);
}

/* CPUID policy takes bits away: without the feature, its bit is reserved. */
static void without_features(void)
{
	u64 old = READ_REG("cr4");

	guest_is(try_write("cr4", old | 1 << 18), GP);	/* OSXSAVE */
	guest_is(try_write("cr4", old | 1 << 20), GP);	/* SMEP */
	guest_is(try_write("cr4", old | 1 << 21), GP);	/* SMAP */
	guest_is(try_write("cr4", old | 1 << 11), GP);	/* UMIP */
	guest_is(try_write("cr4", old | 1 << 17), GP);	/* PCIDE */
	guest_is(try_write("cr4", old | 1 << 16), GP);	/* FSGSBASE */
}

static void test_without_features(void)
{
	struct vcpu *vcpu = vcpu_simple(without_features);
	struct tinyvmx_cpuid table[100];
	u32 n = host_cpuid(table, ARRAY_SIZE(table));

	for (u32 i = 0; i < n; i++) {
		if (table[i].function == 7)
			table[i].ebx = table[i].ecx = table[i].edx = 0;
		if (table[i].function == 1)
			table[i].ecx &= ~(1U << 26 | 1U << 17);
	}
	must(set_cpuid(vcpu->fd, table, n));
	ok_done(vcpu, "CR4 bits of features that CPUID does not show are #GP");
	vcpu_simple_destroy(vcpu);
}

static void run_one(void *fn, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(fn);

	G(vcpu->vm, cr4_mask) = info()->cr4_mask;
	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	run_one(cr0, "MOV CR0");
	run_one(task_switched, "CR0.TS: #NM, CLTS, LMSW, SMSW");
	run_one(cr3, "MOV CR3");
	run_one(cr4, "MOV CR4");
	run_one(pcid, "CR4.PCIDE");
	run_one(cr8, "MOV CR8");
	run_one(no_such_register, "CR1, CR5, CR7, CR9 are #UD");
	test_state();
	test_without_features();
	return tap_exit();
}
