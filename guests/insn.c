// SPDX-License-Identifier: GPL-2.0-only
/*
 * insn: each instruction form on RAM, where this CPU does it, and on a device, where hvctl does:
 * registers, flags and the operand must come out alike. The device is a comparator of the HPET,
 * which keeps 8 bytes while the counter stands still; the 8 bytes behind them are zero.
 */
#include "insn.h"
#include "lib/fpu.h"
#include "lib/guest.h"

#ifdef REAL_MODE
void unreal_enter(void);	/* real-asm.S */
#else
#include "lib/trap.h"
#endif

#define HPET		0xfed00000UL
#define HPET_CONFIG	(HPET + 0x010)
#define OPERAND		(HPET + 0x108)

#define NEAR		64		/* a register this close to the operand is an address */

static u8 ram[64] __aligned(64);
static u8 vectors_before[512] __aligned(16), vectors[2][512] __aligned(16);
static u32 features;

/* Bytes anywhere: in real mode DS does not reach the device. */
static u8 get(ulong address)
{
	u8 value;

#ifdef REAL_MODE
	asm volatile("movb %%fs:(%1), %0" : "=q"(value) : "r"(address) : "memory");
#else
	value = *(volatile u8 *)address;
#endif
	return value;
}

static void put(ulong address, u8 value)
{
#ifdef REAL_MODE
	asm volatile("movb %0, %%fs:(%1)" : : "q"(value), "r"(address) : "memory");
#else
	*(volatile u8 *)address = value;
#endif
}

static void find_features(void)
{
	struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0), extended = cpuid(0x80000001, 0);

	features = FEATURE_VECTORS;
	features |= one.ecx >> 23 & 1 ? FEATURE_POPCNT : 0;
	features |= one.ecx >> 22 & 1 ? FEATURE_MOVBE : 0;
	features |= one.ecx >> 20 & 1 ? FEATURE_SSE42 : 0;
	features |= extended.ecx >> 5 & 1 ? FEATURE_LZCNT : 0;
	features |= seven.ebx >> 3 & 1 ? FEATURE_BMI1 : 0;
	features |= seven.ebx >> 8 & 1 ? FEATURE_BMI2 : 0;
	features |= seven.ebx >> 19 & 1 ? FEATURE_ADX : 0;
	features |= seven.ebx >> 23 & 1 ? FEATURE_CLFLUSHOPT : 0;
	features |= seven.ebx >> 24 & 1 ? FEATURE_CLWB : 0;
}

/* Something in each register that a form may use: 1.0 and a pattern on top of the FPU's stack. */
static void make_vectors(void)
{
	static const u64 pattern[2] = { 0x3ff8000000000000, 0x4008123456789abc };
	u32 i;

	asm volatile("fninit; fld1; fldl %0; fxsave %1"
		     : : "m"(pattern[1]), "m"(vectors_before) : "memory");
	for (i = 160; i < 416; i++)
		vectors_before[i] = ((const u8 *)pattern)[i % 16] ^ (i / 16 & 7);
}

/* One form at @address, which holds @operand. */
static void run(const struct insn_form *form, ulong address, u64 operand, u8 *vector_state,
		struct insn_regs *regs)
{
	u32 i;

	for (i = 0; i < 16; i++)
		put(address + i, i < 8 ? operand >> (8 * i) : 0);
	regs->bx = address;
	regs->si = address;
	regs->di = address;
	if (form->needs & FEATURE_VECTORS)
		asm volatile("fxrstor %0" : : "m"(*(const u8(*)[512])vectors_before));
	insn_run(regs, form->code);
	if (form->needs & FEATURE_VECTORS)
		asm volatile("fxsave %0; fninit" : "=m"(*(u8(*)[512])vector_state) : : "memory");
}

static ulong relative(ulong value, ulong address)
{
	return value - address < NEAR ? value - address : value;
}

/* What differs; NULL: nothing. FIP and FDP, bytes 8 to 23 of FXSAVE, are other addresses. */
static const char *difference(const struct insn_form *form, const struct insn_regs *mine,
			      const struct insn_regs *theirs)
{
	u32 i;

	if (mine->ax != theirs->ax || mine->cx != theirs->cx || mine->dx != theirs->dx)
		return "AX, CX or DX";
	if (relative(mine->bx, (ulong)ram) != relative(theirs->bx, OPERAND) ||
	    relative(mine->si, (ulong)ram) != relative(theirs->si, OPERAND) ||
	    relative(mine->di, (ulong)ram) != relative(theirs->di, OPERAND))
		return "BX, SI or DI";
	if ((mine->flags ^ theirs->flags) & (EFLAGS_ARITHMETIC & ~form->undefined))
		return "flags";
	for (i = 0; i < 8; i++)
		if (ram[i] != get(OPERAND + i))
			return "the operand";
	if (form->needs & FEATURE_VECTORS &&
	    (memcmp(vectors[0], vectors[1], 8) ||
	     memcmp(vectors[0] + 24, vectors[1] + 24, 416 - 24)))
		return "vectors";
	return NULL;
}

static const struct {
	ulong ax, cx, dx, flags;
	u64 operand;
} starts[] = {
	{ 0x12345678, 0x0badcafe, 0x5a5a5a5a, 0x002, 0x4010203040506070 },
	{ (ulong)-1, 1, 0, 0x8d7, 0xffffffffffffffff },
	{ 0x80808080, 0x7fff7f9d, 1, 0x003, 0x8080808080808080 },
	{ 2, (ulong)-13, (ulong)-7, 0x0d6, 0x0000000100000001 },
};

static void tell(const struct insn_form *form, u32 start, const char *what)
{
	u32 at;

	print("form %u, start %u: %s:", (u32)(form - insn_forms), start, what);
	for (at = form->code; at < form->end; at++)
		print(" %02x", *(const u8 *)(ulong)at);
	print("\n");
}

static bool same(const struct insn_form *form)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		struct insn_regs mine = { .ax = starts[i].ax, .cx = starts[i].cx,
					  .dx = starts[i].dx, .flags = starts[i].flags };
		struct insn_regs theirs = mine;
		const char *what;

		run(form, (ulong)ram, starts[i].operand, vectors[0], &mine);
		run(form, OPERAND, starts[i].operand, vectors[1], &theirs);
		what = difference(form, &mine, &theirs);
		if (!what)
			continue;
		tell(form, i, what);
		print("    AX %lx %lx, CX %lx %lx, DX %lx %lx, flags %lx %lx\n", mine.ax, theirs.ax,
		      mine.cx, theirs.cx, mine.dx, theirs.dx, mine.flags, theirs.flags);
		return false;
	}
	return true;
}

GUEST("insn")
{
	const struct insn_form *form;
	u32 count = 0, left = 0;

#ifdef REAL_MODE
	unreal_enter();
#endif
	fpu_enable();
	find_features();
	make_vectors();
	put(HPET_CONFIG, 0);
	step("each instruction form on RAM and on a device");
	for (form = insn_forms; form < insn_forms_end; form++) {
		if (form->needs & ~features) {
			left++;
			continue;
		}
		count++;
		check(same(form));
	}
	if (left)
		skipped("%u forms that this CPU has not", left);
	print("%u forms\n", count);
}
