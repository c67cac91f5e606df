// SPDX-License-Identifier: GPL-2.0-only
/* MSRs as the guest sees them: round trips, #GP, agreement with GET_STATE. */
#include "lib.h"

#define EFER		0xc0000080
#define TSC_AUX		0xc0000103

struct row {
	u32 index;
	u64 good[2];
	u64 bad;	/* 0: no value is refused */
};

#define NON_CANONICAL	0x0000800000000000
#define HIGH		0xffffa000deadb000
#define LOW		0x00007fff12345678

/* volatile: the compiler must not look into the guest's copy. */
static const volatile struct row rows[] = {
	{ 0xc0000081, { 0x001b000800000000, 0 }, 0 },			/* STAR */
	{ 0xc0000082, { HIGH, LOW }, NON_CANONICAL },			/* LSTAR */
	{ 0xc0000083, { HIGH, LOW }, NON_CANONICAL },			/* CSTAR */
	{ 0xc0000084, { 0x47700, 0 }, 0 },				/* SFMASK */
	{ 0xc0000100, { HIGH, 0 }, NON_CANONICAL },			/* FS_BASE */
	{ 0xc0000101, { HIGH, 0 }, NON_CANONICAL },			/* GS_BASE */
	{ 0xc0000102, { HIGH, LOW }, NON_CANONICAL },			/* KERNEL_GS_BASE */
	{ 0x174, { 0x10, 0 }, 0 },					/* SYSENTER_CS */
	{ 0x175, { HIGH, LOW }, NON_CANONICAL },			/* SYSENTER_ESP */
	{ 0x176, { HIGH, LOW }, NON_CANONICAL },			/* SYSENTER_EIP */
	{ 0x277, { 0x0007040600070406, 0x0606060606060606 }, 2 },	/* PAT */
};

static void round_trips(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 index = rows[i].index;

		for (u32 k = 0; k < 2; k++) {
			guest_is(try_wrmsr(index, rows[i].good[k]), -1);
			guest_is(rdmsr(index), rows[i].good[k]);
		}
		if (rows[i].bad)
			guest_is(try_wrmsr(index, rows[i].bad), GP);
		guest_is(rdmsr(index), rows[i].good[1]);
		wrmsr(index, rows[i].good[0]);
	}
}

static void test_round_trips(void)
{
	struct vcpu *vcpu = vcpu_simple(round_trips);
	u32 bad = 0;

	ok_done(vcpu, "the guest's writes and reads, and #GP for bad values");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 value = vcpu_msr(vcpu, rows[i].index);

		if (value == rows[i].good[0])
			continue;
		diag("MSR %#x: %#lx", rows[i].index, value);
		bad++;
	}
	is(bad, 0, "GET_STATE says what the guest wrote");
	is(vcpu_sregs(vcpu).seg[TINYVMX_FS].base, HIGH, "FS base is in SREGS");
	is(vcpu_sregs(vcpu).seg[TINYVMX_GS].base, HIGH, "GS base is in SREGS");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------------------ MTRRs */

#define MTRR_CAP	0xfe
#define MTRR_DEF_TYPE	0x2ff
#define PAIRS		8
#define EACH(type)	((type) * 0x0101010101010101UL)

static volatile u32 phys_bits;

static const volatile u32 fixed[] = {
	0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
};

static bool is_type(u32 type)
{
	return type < 7 && type != 2 && type != 3;
}

static void mtrr_types(void)
{
	guest_is(rdmsr(MTRR_CAP), 0x508);
	guest_is(try_wrmsr(MTRR_CAP, 0x508), GP);
	for (u32 type = 0; type < 256; type++) {
		int want = is_type(type) ? -1 : GP;

		guest_is(try_wrmsr(MTRR_DEF_TYPE, 0xc00 | type), want);
		guest_is(try_wrmsr(0x200, type), want);
		for (u32 n = 0; n < 64; n += 8)
			guest_is(try_wrmsr(0x250, (EACH(6UL) & ~(0xffUL << n)) |
					   (u64)type << n), want);
	}
}

static void mtrr_bits(void)
{
	u64 address = (1UL << phys_bits) - 0x1000;

	for (u32 bit = 0; bit < 64; bit++) {
		u64 one = 1UL << bit;
		bool is_address = address & one;

		if (bit > 7) {
			guest_is(try_wrmsr(MTRR_DEF_TYPE, one), bit == 10 || bit == 11 ? -1 : GP);
			guest_is(try_wrmsr(0x20e, one), is_address ? -1 : GP);
		}
		guest_is(try_wrmsr(0x20f, one), is_address || bit == 11 ? -1 : GP);
	}
}

/* All of them are there, and each keeps its own value; those beside them are not there. */
static void mtrr_values(void)
{
	for (u32 n = 0; n < PAIRS; n++) {
		wrmsr(0x200 + 2 * n, (u64)n << 20 | 6);
		wrmsr(0x201 + 2 * n, (u64)n << 24 | 0x800);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fixed); i++)
		wrmsr(fixed[i], EACH((u64)i % 3 + 4));
	wrmsr(MTRR_DEF_TYPE, 0xc06);
	for (u32 n = 0; n < PAIRS; n++) {
		guest_is(rdmsr(0x200 + 2 * n), (u64)n << 20 | 6);
		guest_is(rdmsr(0x201 + 2 * n), (u64)n << 24 | 0x800);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fixed); i++)
		guest_is(rdmsr(fixed[i]), EACH((u64)i % 3 + 4));
	guest_is(rdmsr(MTRR_DEF_TYPE), 0xc06);
	guest_is(try_rdmsr(0x210), GP);
	guest_is(try_rdmsr(0x24f), GP);
	guest_is(try_rdmsr(0x270), GP);
}

static void test_mtrr(void *fn, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(fn);
	u32 leaf[4];

	cpuid(0x80000008, 0, leaf);
	G(vcpu->vm, phys_bits) = leaf[0] & 0xff;
	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

static void test_mtrr_state(void)
{
	struct vcpu *vcpu = vcpu_simple(mtrr_values);
	struct tinyvmx_msr bad = { .index = 0x20e, .value = 0x100 };

	is(vcpu_msr(vcpu, MTRR_DEF_TYPE), 0, "after RESET the MTRRs are off");
	ok_done(vcpu, "each MTRR keeps its value");
	is(vcpu_msr(vcpu, MTRR_DEF_TYPE), 0xc06, "GET_STATE has the default type");
	is(vcpu_msr(vcpu, 0x20f), 7UL << 24 | 0x800, "... and the last mask");
	vcpu_set_msr(vcpu, 0x20e, 0x12340000);
	is(vcpu_msr(vcpu, 0x20e), 0x12340000, "SET_STATE sets a base");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &bad, sizeof(bad)), EINVAL,
	       "... not with a reserved bit");
	vcpu_simple_destroy(vcpu);
}

static void no_mtrr(void)
{
	guest_is(try_rdmsr(MTRR_CAP), GP);
	guest_is(try_rdmsr(MTRR_DEF_TYPE), GP);
	guest_is(try_wrmsr(MTRR_DEF_TYPE, 0), GP);
	guest_is(try_rdmsr(0x200), GP);
	guest_is(try_wrmsr(0x201, 0), GP);
	guest_is(try_wrmsr(0x250, 0), GP);
}

static void test_no_mtrr(void)
{
	struct vcpu *vcpu = vcpu_simple(no_mtrr);
	struct tinyvmx_cpuid table[100];
	u32 count = host_cpuid(table, ARRAY_SIZE(table));

	for (u32 i = 0; i < count; i++)
		if (table[i].function == 1)
			table[i].edx &= ~(1U << 12);
	must(set_cpuid(vcpu->fd, table, count));
	ok_done(vcpu, "without MTRR in CPUID there are none");
	vcpu_simple_destroy(vcpu);
}

#define MISC_ENABLE	0x1a0

static void misc_enable(void)
{
	u64 reset = rdmsr(MISC_ENABLE);

	guest_is(reset, 0x1801);
	/* No MONITOR, no SpeedStep: nothing to turn on. */
	guest_is(try_wrmsr(MISC_ENABLE, reset | 1UL << 18), GP);
	guest_is(try_wrmsr(MISC_ENABLE, reset | 1UL << 16), GP);
	guest_is(try_wrmsr(MISC_ENABLE, reset | 1UL << 63), GP);
	/* Read-only bits stay, the others are kept. */
	guest_is(try_wrmsr(MISC_ENABLE, 1UL << 7 | 1UL << 22), -1);
	guest_is(rdmsr(MISC_ENABLE), 0x1800 | 1UL << 22);
	guest_is(try_wrmsr(MISC_ENABLE, 1UL << 34), -1);
	guest_is(rdmsr(MISC_ENABLE), 0x1800 | 1UL << 34);
	guest_is(try_wrmsr(MISC_ENABLE, reset), -1);
}

/* Read by guests that go by the CPU's model. */
static void model_specific(void)
{
	static const volatile struct {
		u32 index;
		u64 value;
	} there[] = {
		{ 0, 0 }, { 1, 0 }, { 0x2a, 0 }, { 0xcd, 3 }, { 0xce, 0 },
		{ 0x198, 4UL << 40 | 1000 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(there); i++) {
		guest_is(rdmsr(there[i].index), there[i].value);
		guest_is(try_wrmsr(there[i].index, there[i].value), GP);
	}
}

static volatile u32 refused;

/* Each is #GP both ways: the VM has no such MSR. */
static void unknown(void)
{
	static const volatile u32 index[] = {
		0x12345678, 0x2, 0x480, 0x48a, 0x491, 0x1fff, 0x2000,
		0xbfffffff, 0xc0001fff, 0xc0002000, 0xc0010015, 0xffffffff,
		0x4b564d00, 0x7fffffff, 0xc0000000, 0x309,
	};

	for (u32 i = 0; i < ARRAY_SIZE(index); i++) {
		refused = index[i];
		guest_is(try_rdmsr(index[i]), GP);
		guest_is(guest_trap.error, 0);
		guest_is(try_wrmsr(index[i], 0), GP);
		guest_is(guest_trap.error, 0);
	}
}

#define TRACING	"/sys/kernel/tracing/"
#define EVENT	TRACING "events/tinyvmx/tinyvmx_unknown_msr/enable"

static u32 count_traced(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[400];
	u32 count = 0;

	while (trace && fgets(line, sizeof(line), trace))
		count += !!strstr(line, "tinyvmx_unknown_msr: ");
	if (trace)
		fclose(trace);
	return count;
}

#define NR_UNKNOWN	16

static void test_unknown(void)
{
	bool tracing = write_text(TRACING "trace", "") && write_text(EVENT, "1");
	struct vcpu *vcpu = vcpu_simple(unknown);

	if (!ok_done(vcpu, "unknown MSRs are #GP(0)"))
		diag("MSR %#x", G(vcpu->vm, refused));
	is(vcpu->run->unknown_msrs, 2 * NR_UNKNOWN, "each access is counted");
	if (tracing)
		is(count_traced(), NR_UNKNOWN, "each MSR is traced, once");
	else
		skip("no tracefs here", "each MSR is traced, once");
	write_text(EVENT, "0");
	vcpu_simple_destroy(vcpu);
}

/* More of them than the module remembers: counted all the same, and nothing is lost but traces. */
static void many_unknown(void)
{
	for (u32 i = 0; i < 100; i++)
		guest_is(try_rdmsr(0x12340000 + i), GP);
	/* These are there, and refuse a value. */
	guest_is(try_wrmsr(EFER, 2), GP);
	guest_is(try_wrmsr(0x179, 0), GP);
	guest_is(try_wrmsr(0x17a, 4), GP);
	guest_is(rdmsr(0x179), 0);
	guest_is(rdmsr(0x17a), 0);
	guest_is(try_wrmsr(0x17a, 0), -1);
}

static void test_many_unknown(void)
{
	struct vcpu *vcpu = vcpu_simple(many_unknown);

	ok_done(vcpu, "a hundred unknown MSRs; machine checks without a bank");
	is(vcpu->run->unknown_msrs, 100, "the known ones are not counted");
	vcpu_simple_destroy(vcpu);
}

static void efer(void)
{
	u64 old = rdmsr(EFER);

	guest_is(old & 0xd00, 0xd00);
	guest_is(try_wrmsr(EFER, old ^ 0x100), GP);	/* LME with CR0.PG */
	guest_is(try_wrmsr(EFER, old | 2), GP);
	guest_is(try_wrmsr(EFER, old | 1UL << 16), GP);
	guest_is(try_wrmsr(EFER, old | 1UL << 32), GP);
	guest_is(rdmsr(EFER), old);
	guest_is(try_wrmsr(EFER, old & ~1UL), -1);
	guest_is(GUEST_TRY("syscall", : : : "rcx", "r11"), 6);
	guest_is(try_wrmsr(EFER, old | 1), -1);
	guest_is(rdmsr(EFER), old | 1);
	/* WRMSR ignores LMA: hardware computes it. */
	guest_is(try_wrmsr(EFER, (old | 1) & ~0x400UL), -1);
	guest_is(rdmsr(EFER), old | 1);
}

static void tsc_aux(void)
{
	guest_is(try_wrmsr(TSC_AUX, 0x55aa55aa), -1);
	guest_is(rdmsr(TSC_AUX), 0x55aa55aa);
	guest_is(try_wrmsr(TSC_AUX, 1UL << 32), GP);
	guest_is(rdmsr(TSC_AUX), 0x55aa55aa);
}

static void tsc(void)
{
	u64 a = rdtsc();
	u64 b = rdmsr(0x10);

	guest_ok(b > a);
	guest_ok(b - a < 1000000);
	guest_ok(rdtsc() > b);
}

/* SYSCALL lands where LSTAR says, with RFLAGS masked and RCX, R11 set. */
static void syscall_insn(void)
{
	u64 rcx, r11, cs;

	wrmsr(0xc0000081, (u64)SEL_CS64 << 32);
	wrmsr(0xc0000084, 0x400);
	__asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %%rdx\n\t"
			 "shr $32, %%rdx; mov $0xc0000082, %%ecx; wrmsr\n\t"
			 "std; syscall\n"
			 "2: ud2\n"
			 "1: lea 2b(%%rip), %%rax; sub %%rax, %%rcx\n\t"
			 "mov %%cs, %%rax"
			 : "=c"(rcx), "=a"(cs) : : "rdx", "r11");
	__asm__ volatile("pushfq; pop %0" : "=r"(r11));
	guest_is(rcx, 0);
	guest_is(cs, SEL_CS64);
	guest_is(r11 & 0x400, 0);
}

static void swapgs(void)
{
	wrmsr(0xc0000101, 0x1111);
	wrmsr(0xc0000102, 0x2222);
	__asm__ volatile("swapgs");
	guest_is(rdmsr(0xc0000101), 0x2222);
	guest_is(rdmsr(0xc0000102), 0x1111);
	guest_sync(1);
	guest_is(rdmsr(0xc0000101), 0x2222);
	guest_is(rdmsr(0xc0000102), 0x1111);
}

static volatile u64 tsc_seen;

static void reads_tsc(void)
{
	tsc_seen = rdtsc();
}

static void test_tsc_state(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_tsc);
	u64 now;

	ok_done(vcpu, "a guest reads its TSC");
	now = G(vcpu->vm, tsc_seen);
	ok(now < ms_to_tsc(1000), "it started from 0 with the VM: %lu", now);
	ok(vcpu_msr(vcpu, 0x10) > now, "GET_STATE sees it go on");
	vcpu_set_msr(vcpu, 0x10, 1UL << 50);
	vcpu_call(vcpu, reads_tsc, 0);
	ok_done(vcpu, "SET_STATE moves it");
	now = G(vcpu->vm, tsc_seen) - (1UL << 50);
	ok(now < ms_to_tsc(1000), "the guest goes on from there: + %lu", now);
	vcpu_set_msr(vcpu, 0x3b, 1UL << 40);
	now = vcpu_msr(vcpu, 0x10) - (1UL << 50);
	ok(now < ms_to_tsc(1000), "SET_STATE of TSC_ADJUST does not move it: + %lu", now);
	vcpu_set_msr(vcpu, 0x10, 1UL << 51);
	is(vcpu_msr(vcpu, 0x3b), 1UL << 40, "nor does it move TSC_ADJUST");
	vcpu_simple_destroy(vcpu);
}

static void run_one(void *fn, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

static void test_swapgs(void)
{
	struct vcpu *vcpu = vcpu_simple(swapgs);

	ok_sync(vcpu, 1, "SWAPGS");
	is(vcpu_msr(vcpu, 0xc0000102), 0x1111, "GET_STATE sees it");
	is(vcpu_sregs(vcpu).seg[TINYVMX_GS].base, 0x2222, "... in SREGS too");
	ok_done(vcpu, "and it stays across the exit");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_round_trips();
	test_unknown();
	test_many_unknown();
	test_mtrr(mtrr_types, "MTRRs take the memory types that exist");
	test_mtrr(mtrr_bits, "... and their addresses' bits");
	test_mtrr_state();
	test_no_mtrr();
	run_one(misc_enable, "MISC_ENABLE: what is kept, what is read-only, what is reserved");
	run_one(model_specific, "MSRs of the model, for those who read them unasked");
	run_one(efer, "EFER");
	if (info()->capabilities & TINYVMX_CAP_RDTSCP)
		run_one(tsc_aux, "TSC_AUX");
	else
		skip("the CPU has no RDTSCP for guests", "TSC_AUX");
	run_one(tsc, "the TSC MSR counts as RDTSC does");
	run_one(syscall_insn, "SYSCALL");
	test_swapgs();
	test_tsc_state();
	return tap_exit();
}
