/* SPDX-License-Identifier: GPL-2.0-only */
/* Real mode: one stub for each of the first 32 vectors, and INT 0x42. */
	.text
	.code16
	.balign	8
	.globl	trap16_stubs
trap16_stubs:
	vector = 0
	.rept	256
	.balign	8
	pushw	$vector
	jmp	trap16_common
	vector = vector + 1
	.endr

trap16_common:
	pushal
	cld
	movl	%esp, %eax
	pushl	%eax
	calll	trap16_dispatch
	addl	$4, %esp
	popal
	addw	$2, %sp			/* the vector */
	iretw
	.section .note.GNU-stack, "", @progbits
