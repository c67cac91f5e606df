/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * skernel: the smallest guest worth explaining: it halts, or dies, by its mode.
 *
 * The same bytes run in every mode. The instruction that zeroes AX is spelled
 * out, because 16-bit code reads its five bytes as MOV $0,%AX followed by
 * ADD %AL,(%BX,%SI), which adds nothing.
 *
 *   real, 64-bit  a null SS is fine; HLT at offset 0xa, and still under
 *                 blocking by MOV SS
 *   protected     loading SS with 0 is #GP(0); there is no IDT: triple fault
 */
	.text
	.code64
	.globl	_start
_start:
	push	%rax
	.byte	0xb8, 0, 0, 0, 0	/* mov $0,%eax */
	.byte	0x8e, 0xd8		/* mov %eax,%ds: no prefix in any mode */
	.byte	0x8e, 0xd0		/* mov %eax,%ss */
	hlt
	ud2				/* nothing may wake this guest */
