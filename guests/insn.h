/* SPDX-License-Identifier: GPL-2.0-only */
/* insn: what its C and its assembly share. */
#ifndef GUEST_INSN_H
#define GUEST_INSN_H

/* What an instruction needs of the CPU: bits. */
#define FEATURE_POPCNT		(1 << 0)
#define FEATURE_LZCNT		(1 << 1)
#define FEATURE_BMI1		(1 << 2)
#define FEATURE_BMI2		(1 << 3)
#define FEATURE_ADX		(1 << 4)
#define FEATURE_MOVBE		(1 << 5)
#define FEATURE_SSE42		(1 << 6)
#define FEATURE_CLFLUSHOPT	(1 << 7)
#define FEATURE_CLWB		(1 << 8)
#define FEATURE_VECTORS		(1 << 9)

#define EFLAGS_CF_	0x001
#define EFLAGS_PF_	0x004
#define EFLAGS_AF_	0x010
#define EFLAGS_ZF_	0x040
#define EFLAGS_SF_	0x080
#define EFLAGS_OF_	0x800
#define EFLAGS_ARITHMETIC (EFLAGS_CF_ | EFLAGS_PF_ | EFLAGS_AF_ | EFLAGS_ZF_ | EFLAGS_SF_ | \
			   EFLAGS_OF_)

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct insn_form {
	u32 code, end;
	u16 needs, undefined;
};

/* What a form starts with, and what it leaves. */
struct insn_regs {
	ulong ax, cx, dx, bx, si, di, flags;
};

extern const struct insn_form insn_forms[], insn_forms_end[];
void insn_run(struct insn_regs *regs, ulong code);
#endif
#endif
