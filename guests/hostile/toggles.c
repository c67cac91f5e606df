// SPDX-License-Identifier: GPL-2.0-only
/* Registers that are written all the time: what of them reaches the CPU must not reach the host. */
#include "hostile.h"

#define MSR_PAT		0x277
#define MSR_EFER	0xc0000080
#define MSR_DEBUGCTL	0x1d9
#define MSR_TSC_ADJUST	0x3b
#define MSR_SPEC_CTRL	0x48
#define MSR_PRED_CMD	0x49

static u64 seed = 88172645463325252;

static u64 random_word(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void pat(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		wrmsr(MSR_PAT, 0);			/* all of it uncacheable */
		wrmsr(MSR_PAT, 0x0007040600070406);
		try_wrmsr(MSR_PAT, 0x0203);
	}
}

/* Where there are none it is #GP, each time. */
static void mtrrs(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		try_wrmsr(0x2ff, n & 0xc06);
		try_wrmsr(0x200 + n % 16, n << 12);
		try_wrmsr(0x250, n);
		try_rdmsr(0xfe);
	}
}

static void cr0(u64 id)
{
	u64 value = READ_REG("cr0");

	(void)id;
	for (;; guest_alive++) {
		WRITE_REG("cr0", value ^ 1 << 16);	/* WP */
		WRITE_REG("cr0", value | 3 << 29);	/* CD, NW */
		WRITE_REG("cr0", value | 1 << 3);	/* TS */
		GUEST_TRY("mov %0, %%cr0", : : "r"(value | 1 << 29));
		WRITE_REG("cr0", value);
	}
}

static void cr4(u64 id)
{
	u64 value = READ_REG("cr4");

	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		WRITE_REG("cr4", value ^ 1 << 6);	/* MCE */
		/* All but SMEP and SMAP, which would end this: its pages are the user's. */
		if (n % 32 != 20 && n % 32 != 21)
			GUEST_TRY("mov %0, %%cr4", : : "r"(value ^ 1UL << n % 32));
		WRITE_REG("cr4", value);
	}
}

static void cr3(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		WRITE_REG("cr3", GUEST_PT_GPA | 0x18);
		WRITE_REG("cr3", GUEST_PT_GPA);
	}
}

static void watched(struct guest_frame *frame)
{
	frame->rflags |= 0x10000;
}

static void drs(u64 id)
{
	static volatile u64 word;

	(void)id;
	guest_hook = watched;
	guest_expect(1);
	for (u64 n = 0;; n++, guest_alive++) {
		WRITE_REG("db0", (uintptr_t)&word);
		WRITE_REG("db1", n);
		WRITE_REG("db2", ~n);
		WRITE_REG("db3", (uintptr_t)guest_vectors);
		WRITE_REG("db7", 0xd0401UL);
		word++;
		GUEST_TRY("mov %0, %%db7", : : "r"(n << 32 | 0x400));
		WRITE_REG("db7", 0x400UL);
		WRITE_REG("db6", 0UL);
	}
}

static void efer(u64 id)
{
	u64 value = rdmsr(MSR_EFER);

	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		try_wrmsr(MSR_EFER, value ^ 1);		/* SCE */
		try_wrmsr(MSR_EFER, value ^ 1 << 11);	/* NXE */
		try_wrmsr(MSR_EFER, value ^ 1UL << n % 64);
		wrmsr(MSR_EFER, value);
	}
}

static void prepare_xsave(struct vcpu *vcpu)
{
	vcpu_enable_xsave(vcpu, ~0UL);
}

/* With something in the registers, too. */
static void xcr0(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		GUEST_TRY("xsetbv", : : "a"(1), "c"(0), "d"(0));
		GUEST_TRY("xsetbv", : : "a"(3), "c"(0), "d"(0));
		__asm__ volatile("movd %0, %%xmm7; pinsrw $7, %k0, %%xmm6" : : "r"((u32)n));
		GUEST_TRY("xsetbv", : : "a"((u32)n & 0x2ff), "c"(0), "d"(0));
		GUEST_TRY("xsetbv", : : "a"(7), "c"(0), "d"(0));
	}
}

static void debugctl(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		try_wrmsr(MSR_DEBUGCTL, 2);
		try_wrmsr(MSR_DEBUGCTL, 1UL << n % 64);
		wrmsr(MSR_DEBUGCTL, 0);
	}
}

/* Time runs back and forth under its own deadlines. */
static void tsc(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		wrmsr(MSR_TSC, random_word());
		try_wrmsr(MSR_TSC_ADJUST, random_word());
		wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
		wrmsr(TSC_DEADLINE, rdtsc() + 100);
	}
}

static void speculation(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		try_wrmsr(MSR_SPEC_CTRL, n & 7);
		try_wrmsr(MSR_PRED_CMD, 1);
	}
}

/* Those that are the guest's own in the CPU: a host that takes them for its own jumps there. */
static void bases(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		u64 value = n * 0x123456789 % (1UL << 47);

		try_wrmsr(0xc0000100, value);	/* FS, GS, kernel GS */
		try_wrmsr(0xc0000101, value);
		try_wrmsr(0xc0000102, value);
		__asm__ volatile("swapgs");
		try_wrmsr(0xc0000081, value);	/* STAR, LSTAR, CSTAR, FMASK, TSC_AUX */
		try_wrmsr(0xc0000082, value);
		try_wrmsr(0xc0000083, value);
		try_wrmsr(0xc0000084, 0);
		try_wrmsr(0xc0000103, n);
		try_wrmsr(0x174, n);		/* SYSENTER */
		try_wrmsr(0x175, value);
		try_wrmsr(0x176, value);
	}
}

/* All that there are and are not, with what is there and with anything. */
static void every_msr(u64 id)
{
	static const u32 first[] = { 0, 0x40000000, 0xc0000000, 0xc0010000 };

	(void)id;
	for (u32 n = 0;; n = (n + 1) % 0x2000, guest_alive++)
		for (u32 i = 0; i < 4; i++) {
			u32 index = first[i] + n;

			/* What would end the attack itself. */
			if (index == MSR_EFER || index == APIC_BASE)
				continue;
			try_rdmsr(index);
			try_wrmsr(index, random_word() >> random_word() % 64);
		}
}

#define LEAKS "the host runs with the guest's value"

const struct attack attacks_toggles[] = {
	{ "PAT", "the host's memory becomes uncacheable", .guest = pat, .exit = BY(MSR_WRITE) },
	{ "MTRRs", "as before", .guest = mtrrs, .exit = BY(MSR_WRITE) },
	{ "CR0", "CD reaches the CPU; TS, WP the host", .guest = cr0, .exit = BY(CR_ACCESS) },
	{ "CR4", LEAKS, .guest = cr4, .exit = BY(CR_ACCESS) },
	{ "CR3", "each empties more than the guest's translations", .guest = cr3 },
	{ "debug registers", "the guest's breakpoints hit in the host", .guest = drs,
	  .exit = BY(DR_ACCESS) },
	{ "EFER", LEAKS, .guest = efer, .exit = BY(MSR_WRITE) },
	{ "XCR0", "the host saves its registers by the guest's value", .guest = xcr0,
	  .prepare = prepare_xsave, .exit = BY(XSETBV) },
	{ "DEBUGCTL", LEAKS, .guest = debugctl, .exit = BY(MSR_WRITE) },
	{ "TSC", "deadlines move in front of and behind the present", .guest = tsc,
	  .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC },
	{ "SPEC_CTRL, PRED_CMD", LEAKS, .guest = speculation, .exit = BY(MSR_WRITE) },
	{ "bases, SYSCALL MSRs", "the host's next system call ends where the guest said",
	  .guest = bases, .exit = BY(MSR_WRITE) },
	{ "every MSR", "one of them is not checked", .guest = every_msr, .exit = BY(MSR_WRITE),
	  .flags = ATTACK_LAPIC },
	{ }
};
