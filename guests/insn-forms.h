/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instruction forms with a memory operand: FORM(needs, undefined, instruction), for insn-asm.S.
 * MEM is the operand, REG32 and so on registers that hold something. @needs: FEATURE_*;
 * @undefined: arithmetic flags that the SDM leaves undefined.
 */
#include "insn.h"

#define NO_FLAGS	0
#define AF		EFLAGS_AF_
#define LOGIC		AF		/* AND, OR, XOR, TEST */
#define SHIFT_1		AF
#define SHIFT_N		(AF | OF)
#define ROTATE_N	OF
#define OF		EFLAGS_OF_
#define MULTIPLY	(AF | EFLAGS_SF_ | EFLAGS_ZF_ | EFLAGS_PF_)
#define ALL		(MULTIPLY | OF | EFLAGS_CF_)
#define SCAN		(ALL & ~EFLAGS_ZF_)
#define BITS		(AF | OF | EFLAGS_SF_ | EFLAGS_PF_)
#define BMI		(AF | EFLAGS_PF_)

/* At 8, 16 and 32 bits; in 64-bit code at 64, too. */
#ifdef __x86_64__
#define EACH_WIDE(macro)	macro(w, %ax, %cx) macro(l, %eax, %ecx) macro(q, %rax, %rcx)
#define EACH_GPR(macro)		macro(l, %eax, %ecx) macro(q, %rax, %rcx)
#else
#define EACH_WIDE(macro)	macro(w, %ax, %cx) macro(l, %eax, %ecx)
#define EACH_GPR(macro)		macro(l, %eax, %ecx)
#endif
#define EACH(macro)		macro(b, %al, %cl) EACH_WIDE(macro)

#define TWO_OPERANDS(op, flags, s, a, c)	\
	FORM(0, flags, op##s a, MEM)		\
	FORM(0, flags, op##s MEM, c)		\
	FORM(0, flags, op##s $0x55, MEM)
#define LOCKED(op, flags, s, a, c)		\
	FORM(0, flags, lock op##s c, MEM)	\
	FORM(0, flags, lock op##s $0x35, MEM)

#define MOVES(s, a, c)					\
	FORM(0, 0, mov##s c, MEM)			\
	FORM(0, 0, mov##s MEM, a)			\
	FORM(0, 0, mov##s $0x5a, MEM)			\
	FORM(0, 0, xchg##s c, MEM)

#define ARITHMETIC(s, a, c)				\
	TWO_OPERANDS(add, 0, s, a, c)			\
	TWO_OPERANDS(adc, 0, s, a, c)			\
	TWO_OPERANDS(sub, 0, s, a, c)			\
	TWO_OPERANDS(sbb, 0, s, a, c)			\
	TWO_OPERANDS(cmp, 0, s, a, c)			\
	TWO_OPERANDS(and, LOGIC, s, a, c)		\
	TWO_OPERANDS(or, LOGIC, s, a, c)		\
	TWO_OPERANDS(xor, LOGIC, s, a, c)		\
	LOCKED(add, 0, s, a, c)				\
	LOCKED(and, LOGIC, s, a, c)			\
	FORM(0, LOGIC, test##s c, MEM)			\
	FORM(0, LOGIC, test##s $0x13, MEM)		\
	FORM(0, 0, inc##s MEM)				\
	FORM(0, 0, lock dec##s MEM)			\
	FORM(0, 0, not##s MEM)				\
	FORM(0, 0, lock neg##s MEM)			\
	FORM(0, 0, lock xadd##s c, MEM)			\
	FORM(0, 0, lock cmpxchg##s c, MEM)		\
	FORM(0, 0, mov MEM_##s, a; cmpxchg##s c, MEM)

#define MEM_b	MEM
#define MEM_w	MEM
#define MEM_l	MEM
#define MEM_q	MEM

#define SHIFTS_OF(op, one, many, s)			\
	FORM(0, one, op##s MEM)				\
	FORM(0, many, op##s $3, MEM)			\
	FORM(0, many, op##s %cl, MEM)
#define SHIFTS(s, a, c)					\
	SHIFTS_OF(shl, SHIFT_1, SHIFT_N, s)		\
	SHIFTS_OF(shr, SHIFT_1, SHIFT_N, s)		\
	SHIFTS_OF(sar, SHIFT_1, SHIFT_N, s)		\
	SHIFTS_OF(rol, 0, ROTATE_N, s)			\
	SHIFTS_OF(ror, 0, ROTATE_N, s)			\
	SHIFTS_OF(rcl, 0, ROTATE_N, s)			\
	SHIFTS_OF(rcr, 0, ROTATE_N, s)

#define PRODUCTS(s, a, c)				\
	FORM(0, MULTIPLY, mul##s MEM)			\
	FORM(0, MULTIPLY, imul##s MEM)			\
	FORM(0, ALL, mov $5, %eax; xor %edx, %edx; div##s MEM)	\
	FORM(0, ALL, mov $5, %eax; xor %edx, %edx; idiv##s MEM)

#define WIDE(s, a, c)					\
	FORM(0, SHIFT_N, shld##s $3, c, MEM)		\
	FORM(0, SHIFT_N, shrd##s %cl, a, MEM)		\
	FORM(0, MULTIPLY, imul##s MEM, c)		\
	FORM(0, MULTIPLY, imul##s $7, MEM, c)		\
	FORM(0, MULTIPLY, imul##s $0x1234, MEM, c)	\
	FORM(0, SCAN, bsf##s MEM, c)			\
	FORM(0, SCAN, bsr##s MEM, c)			\
	FORM(0, BITS, bt##s $5, MEM)			\
	FORM(0, BITS, bts##s $6, MEM)			\
	FORM(0, BITS, lock btr##s $7, MEM)		\
	FORM(0, BITS, btc##s $9, MEM)			\
	FORM(0, BITS, mov $13, %ecx; bts##s c, MEM)	\
	FORM(0, 0, cmove##s MEM, c)			\
	FORM(0, 0, cmovne##s MEM, c)			\
	FORM(0, 0, cmovg##s MEM, c)			\
	FORM(0, 0, movzb##s MEM, c)			\
	FORM(0, 0, movsb##s MEM, c)			\
	FORM(FEATURE_POPCNT, 0, popcnt##s MEM, c)	\
	FORM(FEATURE_LZCNT, BITS, lzcnt##s MEM, c)	\
	FORM(FEATURE_BMI1, BITS, tzcnt##s MEM, c)	\
	FORM(FEATURE_MOVBE, 0, movbe##s MEM, c)		\
	FORM(FEATURE_MOVBE, 0, movbe##s c, MEM)		\
	FORM(FEATURE_SSE42, 0, crc32##s MEM, CRC_##s)

#define CRC_w	%eax
#define CRC_l	%eax
#define CRC_q	%rax

#define GPR_ONLY(s, a, c)				\
	FORM(0, 0, movnti c, MEM)			\
	FORM(FEATURE_BMI1, BMI, andn MEM, a, c)		\
	FORM(FEATURE_BMI1, BMI, bextr a, MEM, c)	\
	FORM(FEATURE_BMI1, BMI, blsr MEM, c)		\
	FORM(FEATURE_BMI1, BMI, blsi MEM, c)		\
	FORM(FEATURE_BMI1, BMI, blsmsk MEM, c)		\
	FORM(FEATURE_BMI2, BMI, bzhi a, MEM, c)		\
	FORM(FEATURE_BMI2, 0, shlx a, MEM, c)		\
	FORM(FEATURE_BMI2, 0, sarx a, MEM, c)		\
	FORM(FEATURE_BMI2, 0, shrx a, MEM, c)		\
	FORM(FEATURE_BMI2, 0, rorx $3, MEM, c)		\
	FORM(FEATURE_BMI2, 0, mulx MEM, a, c)		\
	FORM(FEATURE_BMI2, 0, pdep MEM, a, c)		\
	FORM(FEATURE_BMI2, 0, pext MEM, a, c)		\
	FORM(FEATURE_ADX, 0, adcx MEM, c)		\
	FORM(FEATURE_ADX, 0, adox MEM, c)

EACH(MOVES)
EACH(ARITHMETIC)
EACH(SHIFTS)
EACH(PRODUCTS)
EACH_WIDE(WIDE)
#ifndef REAL_MODE		/* VEX is not known in real mode */
EACH_GPR(GPR_ONLY)
#endif

FORM(0, 0, sete MEM)
FORM(0, 0, setc MEM)
FORM(0, 0, setg MEM)
FORM(0, 0, seto MEM)
FORM(0, 0, setp MEM)
FORM(0, 0, movzwl MEM, %ecx)
FORM(0, 0, movswl MEM, %ecx)
FORM(0, 0, movb MEM, %ah)
FORM(0, 0, addb %ch, MEM)
FORM(0, 0, lock cmpxchg8b MEM)
FORM(0, 0, mov %ds, MEM)
FORM(0, 0, xchg %bx, %bx; pushw MEM; popw %cx)
FORM(0, 0, pushw %cx; popw MEM)
#ifdef __x86_64__
FORM(0, 0, pushq MEM; popq %rcx)
FORM(0, 0, pushq %rcx; popq MEM)
FORM(0, 0, movslq MEM, %rcx)
FORM(0, 0, mov MEM, %r15d; mov %r15d, %ecx)
FORM(0, 0, mov %rsp, %rdi; movl MEM, %esp; mov %esp, %ecx; mov %rdi, %rsp)
#else
FORM(0, 0, pushl MEM; popl %ecx)
FORM(0, 0, pushl %ecx; popl MEM)
#endif
#ifndef REAL_MODE
FORM(0, 0, sldt MEM)
FORM(0, 0, str MEM)
#endif
FORM(0, 0, smsw MEM)
FORM(0, 0, clflush MEM)
FORM(FEATURE_CLFLUSHOPT, 0, clflushopt MEM)
FORM(FEATURE_CLWB, 0, clwb MEM)
FORM(0, 0, prefetcht0 MEM)

/* x87 and vectors: what they leave in their registers is compared, too. */
FORM(FEATURE_VECTORS, 0, flds MEM)
FORM(FEATURE_VECTORS, 0, fldl MEM)
FORM(FEATURE_VECTORS, 0, fsts MEM)
FORM(FEATURE_VECTORS, 0, fstpl MEM)
FORM(FEATURE_VECTORS, 0, filds MEM)
FORM(FEATURE_VECTORS, 0, fildl MEM)
FORM(FEATURE_VECTORS, 0, fildll MEM)
FORM(FEATURE_VECTORS, 0, fistps MEM)
FORM(FEATURE_VECTORS, 0, fistl MEM)
FORM(FEATURE_VECTORS, 0, fistpll MEM)
FORM(FEATURE_VECTORS, 0, fadds MEM)
FORM(FEATURE_VECTORS, 0, fmull MEM)
FORM(FEATURE_VECTORS, 0, fcoml MEM)
FORM(FEATURE_VECTORS, 0, fnstcw MEM)
FORM(FEATURE_VECTORS, 0, fnstsw MEM)
FORM(FEATURE_VECTORS, 0, stmxcsr MEM)
FORM(FEATURE_VECTORS, 0, movd %xmm1, MEM)
FORM(FEATURE_VECTORS, 0, movd MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, movq %xmm1, MEM)
FORM(FEATURE_VECTORS, 0, movq MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, movss MEM, %xmm2)
FORM(FEATURE_VECTORS, 0, movsd MEM, %xmm2)
FORM(FEATURE_VECTORS, 0, movsd %xmm2, MEM)
FORM(FEATURE_VECTORS, 0, movups MEM, %xmm3)
FORM(FEATURE_VECTORS, 0, movups %xmm3, MEM)
FORM(FEATURE_VECTORS, 0, movdqu MEM, %xmm3)
FORM(FEATURE_VECTORS, 0, movdqu %xmm3, MEM)
FORM(FEATURE_VECTORS, 0, movlps MEM, %xmm4)
FORM(FEATURE_VECTORS, 0, movhpd %xmm4, MEM)
FORM(FEATURE_VECTORS, 0, addss MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, mulsd MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, ucomisd MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, cvtsi2sdl MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, cvttsd2si MEM, %ecx)
FORM(FEATURE_VECTORS, 0, pinsrw $1, MEM, %xmm1)
FORM(FEATURE_VECTORS, 0, movq MEM, %mm1)
FORM(FEATURE_VECTORS, 0, movq %mm1, MEM)
FORM(FEATURE_VECTORS, 0, paddw MEM, %mm2)
#ifdef __x86_64__
FORM(FEATURE_VECTORS, 0, movdqu MEM, %xmm11)
FORM(FEATURE_VECTORS, 0, movq %xmm9, MEM)
FORM(FEATURE_VECTORS, 0, cvtsi2sdq MEM, %xmm1)
#endif

/* Strings: RSI and RDI are at the operand, too. ES is not flat in real mode. */
#ifndef REAL_MODE
#define STRINGS(s, a, c)				\
	FORM(0, 0, lods##s)				\
	FORM(0, 0, stos##s)				\
	FORM(0, 0, scas##s)				\
	FORM(0, 0, movs##s)				\
	FORM(0, 0, cmps##s)
EACH(STRINGS)
FORM(0, 0, mov $3, %ecx; rep lodsb)
FORM(0, 0, mov $5, %ecx; rep stosb)
FORM(0, 0, mov $8, %ecx; repe cmpsb)
FORM(0, 0, mov $8, %ecx; repne scasb)
#endif
