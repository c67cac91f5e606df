/* SPDX-License-Identifier: GPL-2.0-only */
/* Vector registers to and from memory, 64 bytes each: (%rdi) is register 0. */
	.text
	.globl	sse_load, sse_save, avx_load, avx_save, avx512_load, avx512_save
	.globl	x87_load, x87_save, mask_load, mask_save

	.macro	each16 load, reg, from_memory
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.if	\from_memory
	\load	64*\n(%rdi), %\reg\n
	.else
	\load	%\reg\n, 64*\n(%rdi)
	.endif
	.endr
	.endm

	.macro	upper16 load, reg, from_memory
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.if	\from_memory
	\load	64*\n(%rdi), %\reg\n
	.else
	\load	%\reg\n, 64*\n(%rdi)
	.endif
	.endr
	.endm

sse_load:
	each16	movups, xmm, 1
	ret
sse_save:
	each16	movups, xmm, 0
	ret
avx_load:
	each16	vmovups, ymm, 1
	ret
avx_save:
	each16	vmovups, ymm, 0
	ret
avx512_load:
	each16	vmovups, zmm, 1
	upper16	vmovups, zmm, 1
	ret
avx512_save:
	each16	vmovups, zmm, 0
	upper16	vmovups, zmm, 0
	ret

/* AVX512F has the low 16 bits of the mask registers. */
mask_load:
	.irp	n, 0,1,2,3,4,5,6,7
	kmovw	2*\n(%rdi), %k\n
	.endr
	ret
mask_save:
	.irp	n, 0,1,2,3,4,5,6,7
	kmovw	%k\n, 2*\n(%rdi)
	.endr
	ret

/* Eight integers; the last one loaded is ST(0). */
x87_load:
	fninit
	.irp	n, 7,6,5,4,3,2,1,0
	fildll	8*\n(%rdi)
	.endr
	ret
x87_save:
	.irp	n, 0,1,2,3,4,5,6,7
	fistpll	8*\n(%rdi)
	.endr
	ret
	.section .note.GNU-stack, "", @progbits
