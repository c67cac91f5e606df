// SPDX-License-Identifier: GPL-2.0-only
/*
 * init: INIT and start-up IPIs to a CPU in each condition, and what INIT resets and what it keeps
 * (SDM, "Processor State After Reset" and "Local APIC State After It Receives an INIT-Deassert
 * IPI" and neighbours).
 */
#include "../lib/fpu.h"
#include "../lib/smp.h"
#include "probe.h"

#define PROBE_PAGE	0x9000UL
#define CR0_RESET	(CR0_ET | CR0_CD | CR0_NW)
#define DR6_RESET	0xffff0ff0
#define DR7_RESET	0x400
#define TPR		0x60
#define PENDING		0x61	/* never taken: sent to a CPU with interrupts off */
#define TIMER		0x62
#define MOMENT		2000000ULL	/* ticks: what does not happen in it does not happen */

extern u8 probe_begin[], probe_end[];

static struct cpu *ap;

static u32 found(u32 offset)
{
	return *(volatile u32 *)(PROBE_PAGE + offset);
}

static void set_probe(void)
{
	memset((void *)PROBE_PAGE, 0, PROBE_BYTES);
	memcpy((void *)PROBE_PAGE, probe_begin, probe_end - probe_begin);
}

/* ----------------------------------------------------------- what it sends */

static void send_init(void)
{
	apic_send(ap->apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	apic_send(ap->apic_id, ICR_INIT | ICR_LEVEL);
}

static void send_startup(ulong page)
{
	apic_send(ap->apic_id, ICR_STARTUP | AP_VECTOR(page));
}

/* Does it come by the probe? It is there then, as behind smp_start(). */
static bool start_by_probe(void)
{
	set_probe();
	ap->alive = false;
	ap->work = NULL;
	send_init();
	ap_delay(MOMENT / 10);
	send_startup(PROBE_PAGE);
	return wait_until(ap->alive);
}

/* ------------------------------------------------------- its own registers */

static void check_start_state(ulong cr0)
{
	check_eq(found(PROBE_DONE), 1);
	check_eq(found(PROBE_CS), PROBE_PAGE >> 4);
	check_eq(found(PROBE_DS), 0);
	check_eq(found(PROBE_ES), 0);
	check_eq(found(PROBE_SS), 0);
	check_eq(found(PROBE_FS), 0);
	check_eq(found(PROBE_GS), 0);
	check_eq(found(PROBE_FLAGS), EFLAGS_FIXED);
	check_eq(found(PROBE_AX) | found(PROBE_CX) | found(PROBE_BX) | found(PROBE_SP) |
		 found(PROBE_BP) | found(PROBE_SI) | found(PROBE_DI), 0);
	check_eq(found(PROBE_DX), cpuid(1, 0).eax);
	check_eq(found(PROBE_CR0), cr0);
	check_eq(found(PROBE_CR2), 0);
	check_eq(found(PROBE_CR3), 0);
	check_eq(found(PROBE_CR4), 0);
	check_eq(found(PROBE_EFER) & (EFER_LME | EFER_LMA), 0);
	check_eq(found(PROBE_DR0), 0);
	check_eq(found(PROBE_DR6), DR6_RESET);
	check_eq(found(PROBE_DR7), DR7_RESET);
	check_eq(found(PROBE_GDT) & 0xffff, 0xffff);
	check_eq(found(PROBE_GDT + 2), 0);
	check_eq(found(PROBE_IDT) & 0xffff, 0xffff);
	check_eq(found(PROBE_IDT + 2), 0);
}

/* ------------------------------------------------------------ what is kept */

static const struct {
	u32 index;
	u64 value;
} msrs[] = {
	{ MSR_SYSENTER_CS, 0x18 },
	{ MSR_SYSENTER_ESP, 0x123456789000 },
	{ MSR_SYSENTER_EIP, 0x123456789010 },
	{ MSR_PAT, 0x0007040600070401 },
	{ MSR_STAR, 0x0010001800000000 },
	{ MSR_LSTAR, 0x123456789020 },
	{ MSR_FMASK, 0x40700 },
	{ MSR_KERNEL_GS_BASE, 0x123456789030 },
};

#define FCW		0x027f	/* 53 bits; FNINIT makes it 037FH */
#define MXCSR		0x3f80	/* round down */
#define XMM_PATTERN	0x0123456789abcdefULL

/* What was there behind the start. */
static struct {
	u64 msr[ARRAY_SIZE(msrs)];
	u64 xcr0, xmm, tsc;
	u32 mxcsr;
	u16 fcw;
} kept;

static u64 xcr0;

/* Values that no reset makes, in what it must reset, too. */
static void spoil(void *unused)
{
	u32 i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		wrmsr(msrs[i].index, msrs[i].value);
	xcr0 = fpu_enable_all();
	ldmxcsr(MXCSR);
	asm volatile("fldcw %0" : : "m"((u16){ FCW }));
	asm volatile("movq %0, %%xmm5" : : "r"(XMM_PATTERN));
	write_dr0(PROBE_PAGE);
	write_dr7(DR7_RESET | 2);
	write_cr2(PROBE_PAGE);
	apic_write(APIC_TPR, TPR);
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_INITIAL_COUNT, 0xffffffff);
	kept.tsc = rdtsc();
}

/* No FNINIT: what is looked for lies behind it. */
static void look(void *unused)
{
	u32 i;

	(void)unused;
	write_cr4(read_cr4() | CR4_OSFXSR | (xcr0 ? CR4_OSXSAVE : 0));
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		kept.msr[i] = rdmsr(msrs[i].index);
	kept.xcr0 = xcr0 ? xgetbv(0) : 0;
	kept.mxcsr = stmxcsr();
	asm volatile("fnstcw %0" : "=m"(kept.fcw));
	asm volatile("movq %%xmm5, %0" : "=r"(kept.xmm));
}

static void check_kept(void)
{
	u64 tsc = kept.tsc;
	u32 i;

	smp_run(ap, look, NULL);
	smp_join(ap);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		check_eq(kept.msr[i], msrs[i].value);
	check_eq(kept.xcr0, xcr0);
	check_eq(kept.xmm, XMM_PATTERN);
	check_eq(kept.mxcsr, MXCSR);
	check_eq(kept.fcw, FCW);
	check(rdtsc() > tsc);
}

/* --------------------------------------------------------- the local APIC */

static struct {
	u64 base;
	u32 id, spurious, tpr, ldr, dfr, lvt, count, divide, esr, bits;
} apic;

/* Before smp.c enables it again. */
static void look_at_apic(struct cpu *cpu)
{
	u32 i;

	(void)cpu;
	apic.base = rdmsr(MSR_APIC_BASE);
	apic.id = apic_id();
	apic.spurious = apic_read(APIC_SPURIOUS);
	apic.tpr = apic_read(APIC_TPR);
	apic.ldr = apic_read(APIC_LDR);
	apic.dfr = x2apic ? 0xffffffff : apic_read(APIC_DFR);
	apic.lvt = apic_read(APIC_LVT_TIMER) & apic_read(APIC_LVT_LINT0) &
		   apic_read(APIC_LVT_LINT1) & apic_read(APIC_LVT_ERROR);
	apic.count = apic_read(APIC_INITIAL_COUNT) | apic_read(APIC_CURRENT_COUNT);
	apic.divide = apic_read(APIC_DIVIDE);
	apic.bits = 0;
	for (i = 0; i < 8; i++)
		apic.bits |= apic_read(APIC_IRR + 16 * i) | apic_read(APIC_ISR + 16 * i);
}

static void check_apic(void)
{
	u32 id = ap->apic_id;

	check_eq(apic.base & (BASE_ENABLE | BASE_X2APIC), BASE_ENABLE | (x2apic ? BASE_X2APIC : 0));
	check_eq(apic.id, id);
	check_eq(apic.spurious, 0xff);
	check_eq(apic.tpr, 0);
	check_eq(apic.ldr, x2apic ? id >> 4 << 16 | 1U << (id & 15) : 0);
	check_eq(apic.dfr, 0xffffffff);
	check_eq(apic.lvt, LVT_MASKED);
	check_eq(apic.count, 0);
	check_eq(apic.divide, 0);
	check_eq(apic.bits, 0);
}

/* ------------------------------------------------ in whatever it is doing */

static volatile u64 beats;
static volatile bool stop;

static void beat(void *unused)
{
	(void)unused;
	while (!stop)
		beats++;
}

static void halt_deaf(void *unused)
{
	(void)unused;
	beats++;
	cpu_halt_forever();
}

/* Sleeps as idle CPUs do, with interrupts on. */
static void nothing(void *unused)
{
	(void)unused;
	beats++;
}

static bool beats_on(void)
{
	u64 before = beats;

	return wait_until(beats > before + 1);
}

static void check_ignored(void)
{
	step("start-up IPIs and INIT level de-assert to a CPU that runs are ignored");
	set_probe();
	stop = false;
	smp_run(ap, beat, NULL);
	check(beats_on());
	send_startup(PROBE_PAGE);
	apic_send(ap->apic_id, ICR_INIT | ICR_LEVEL);
	/* To all, as the books have it for the Pentium. */
	apic_send(0, ICR_ALL | ICR_INIT | ICR_LEVEL);
	ap_delay(MOMENT);
	check(beats_on());
	check_eq(found(PROBE_DONE), 0);
	stop = true;
	smp_join(ap);
}

static void check_waits(void)
{
	u64 before;

	step("behind INIT it waits: no interrupt and no second INIT starts it");
	set_probe();
	stop = false;
	smp_run(ap, beat, NULL);
	check(beats_on());
	ap->alive = false;
	send_init();
	ap_delay(MOMENT);
	before = beats;
	apic_send(ap->apic_id, SMP_WAKE_VECTOR);
	send_init();
	ap_delay(MOMENT);
	check_eq(beats, before);
	check_eq(found(PROBE_DONE), 0);
	check(!ap->alive);
	ap->work = NULL;
	send_startup(PROBE_PAGE);
	check(wait_until(ap->alive));
	check_eq(found(PROBE_DONE), 1);
}

static void check_state(void)
{
	step("what INIT resets, and what it keeps");
	smp_at_start = look_at_apic;
	smp_run(ap, spoil, NULL);
	smp_join(ap);
	apic_send(ap->apic_id, PENDING);	/* held back: its class is not above TPR's */
	check(start_by_probe());
	smp_at_start = NULL;
	check_start_state(CR0_ET);
	check_kept();
	check_apic();
}

static void disable_cache(void *unused)
{
	(void)unused;
	write_cr0(read_cr0() | CR0_CD);
}

static void check_cd(void)
{
	step("CR0.CD and NW are kept");
	smp_run(ap, disable_cache, NULL);
	smp_join(ap);
	check(start_by_probe());
	check_start_state(CR0_ET | CR0_CD);
}

static void check_conditions(void)
{
	static const struct {
		const char *name;
		void (*work)(void *argument);
	} conditions[] = {
		{ "runs with interrupts off", beat },
		{ "halts with interrupts off", halt_deaf },
		{ "halts with interrupts on", nothing },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++) {
		u64 before = beats;

		step("INIT and start-up IPI to a CPU that %s", conditions[i].name);
		stop = false;
		smp_run(ap, conditions[i].work, NULL);
		check(wait_until(beats > before));
		ap_delay(MOMENT / 10);
		check(start_by_probe());
		check_start_state(CR0_ET);
	}
}

/* At instants that have nothing to do with what it does. */
static void check_often(void)
{
	u32 i, failed = 0;

	step("a hundred times, after more and more of a loop");
	stop = false;
	for (i = 0; i < 100 && !failed; i++) {
		smp_run(ap, beat, NULL);
		ap_delay(i * 997);
		failed += !start_by_probe();
	}
	check_eq(failed, 0);
}

static void check_mode(void)
{
	check_ignored();
	check_waits();
	check_state();
	check_cd();
	check_conditions();
	check_often();
}

GUEST("init")
{
	smp_init();
	ap = &cpus[nr_cpus - 1];
	step("by xAPIC: the first start, as power-on has left the CPU");
	check(start_by_probe());
	check_start_state(CR0_RESET);
	check_mode();
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		skipped("no x2APIC");
		return;
	}
	step("by x2APIC");
	require(smp_switch_to_x2apic());
	check_mode();
}
