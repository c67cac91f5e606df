// SPDX-License-Identifier: GPL-2.0-only
/* fpu: x87, SSE, AVX and AVX-512 registers survive every way out of the guest. */
#include "lib/fpu.h"
#include "lib/guest.h"

#define REGISTERS	32
#define BUSY_TICKS	20000000ULL
#define NOWHERE		0xd0000000UL
#define FRESH_MEMORY	(48 * MIB)

void sse_load(const void *from);	/* fpu-asm.S */
void sse_save(void *to);
void avx_load(const void *from);
void avx_save(void *to);
void avx512_load(const void *from);
void avx512_save(void *to);
void mask_load(const void *from);
void mask_save(void *to);
void x87_load(const void *from);
void x87_save(void *to);

struct state {
	u8 vector[REGISTERS][64];
	u64 x87[8];
	u16 mask[8];
	u32 mxcsr;
};

/* What there is: registers, and how many bytes of each. */
struct shape {
	const char *name;
	u64 xcr0;
	int registers, bytes;
	void (*load)(const void *from);
	void (*save)(void *to);
};

static const struct shape shapes[] = {
	{ "AVX-512", XCR0_AVX512, 32, 64, avx512_load, avx512_save },
	{ "AVX", XCR0_AVX, 16, 32, avx_load, avx_save },
	{ "SSE", 0, 16, 16, sse_load, sse_save },
};

static const struct shape *shape;
static struct state want, got;

static void pick_shape(void)
{
	u64 xcr0 = fpu_enable_all();

	shape = shapes;
	while ((shape->xcr0 & xcr0) != shape->xcr0)
		shape++;
	step("XCR0 0x%llx: testing with %s", xcr0, shape->name);
}

static void make_pattern(u32 seed)
{
	u8 *bytes = want.vector[0];
	u32 i;

	for (i = 0; i < sizeof(want.vector); i++)
		bytes[i] = (seed + i) * 167 + (i >> 6);
	for (i = 0; i < 8; i++) {
		want.x87[i] = (u64)seed << 32 | i * 77;
		want.mask[i] = seed * 31 + i * 4099;
	}
	want.mxcsr = MXCSR_DEFAULT | (seed & 3) << 13;
}

static void load_state(void)
{
	shape->load(want.vector);
	x87_load(want.x87);
	if (shape->xcr0 == XCR0_AVX512)
		mask_load(want.mask);
	ldmxcsr(want.mxcsr);
}

static void save_state(void)
{
	memset(&got, 0, sizeof(got));
	shape->save(got.vector);
	x87_save(got.x87);
	if (shape->xcr0 == XCR0_AVX512)
		mask_save(got.mask);
	got.mxcsr = stmxcsr();
}

static void compare_state(void)
{
	int i;

	for (i = 0; i < shape->registers; i++) {
		if (memcmp(got.vector[i], want.vector[i], shape->bytes))
			print("    register %d differs\n", i);
		check(!memcmp(got.vector[i], want.vector[i], shape->bytes));
	}
	check(!memcmp(got.x87, want.x87, sizeof(got.x87)));
	if (shape->xcr0 == XCR0_AVX512)
		check(!memcmp(got.mask, want.mask, sizeof(got.mask)));
	check_eq(got.mxcsr, want.mxcsr);
}

static void by_cpuid(int i)
{
	cpuid(i & 1, 0);
}

static void by_msr(int i)
{
	wrmsr(MSR_KERNEL_GS_BASE, i);
	rdmsr(MSR_PAT);
}

static void by_port(int i)
{
	outb(PORT_COM1 + 7, i);
	inb(PORT_COM1 + 7);
}

static void by_mmio(int i)
{
	volatile u32 *nowhere = (u32 *)NOWHERE;

	nowhere[i] = nowhere[i + 1];
}

/* Memory that was never touched: the host allocates, and may sleep. */
static void by_fresh_memory(int i)
{
	static ulong next = FRESH_MEMORY;

	*(volatile u8 *)next = i;
	next += 64 * KIB;
}

static void by_control_register(int i)
{
	write_cr4(read_cr4() ^ (i & 1 ? CR4_TSD : CR4_DE));
}

/* Long enough for the host's timer, and for whatever else wants this CPU. */
static void by_time(int i)
{
	u64 start = rdtsc();

	(void)i;
	while (rdtsc() - start < BUSY_TICKS)
		cpu_pause();
}

static const struct way {
	const char *name;
	void (*leave)(int i);
	int times;
} ways[] = {
	{ "CPUID", by_cpuid, 50 },
	{ "RDMSR and WRMSR", by_msr, 50 },
	{ "port I/O", by_port, 50 },
	{ "MMIO", by_mmio, 20 },
	{ "EPT violations", by_fresh_memory, 50 },
	{ "MOV to CR4", by_control_register, 20 },
	{ "time passing", by_time, 2 },
};

static void check_way(const struct way *way, u32 seed)
{
	int i;

	step("kept across %s", way->name);
	make_pattern(seed);
	load_state();
	for (i = 0; i < way->times; i++)
		way->leave(i);
	save_state();
	compare_state();
}

/* RESET leaves the vector registers 0: anything else is another program's. */
static void check_initial(void)
{
	int i;

	step("registers are as RESET leaves them");
	memset(&want, 0, sizeof(want));
	memset(&got, 0, sizeof(got));
	shape->save(got.vector);
	for (i = 0; i < shape->registers; i++)
		check(!memcmp(got.vector[i], want.vector[i], shape->bytes));
	check_eq(stmxcsr(), MXCSR_DEFAULT);
}

static void check_lazy(void)
{
	u32 half = 0;

	step("XCR0 without AVX, and back: the upper halves stay");
	if (shape->bytes == 16) {
		skipped("SSE alone");
		return;
	}
	make_pattern(99);
	load_state();
	xsetbv(0, XCR0_X87 | XCR0_SSE);
	cpuid(0, 0);
	outb(PORT_DEBUG, '\n');
	check_eq(xgetbv(0), XCR0_X87 | XCR0_SSE);
	half = cpuid(0xd, 0).ebx;
	check_eq(half, 512 + 64);
	xsetbv(0, xcr0_supported() & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512));
	save_state();
	compare_state();
}

GUEST("fpu")
{
	u32 i;

	pick_shape();
	check_initial();
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		check_way(&ways[i], i + 1);
	check_lazy();
}
