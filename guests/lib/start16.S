/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry of a real-mode guest, linked and loaded at 0x8000: all segments 0. */
	.section .start, "ax"
	.code16
	.globl	_start
_start:
	cli
	cld
	ljmp	$0, $1f			/* whatever CS and IP made up the address */
1:	xor	%eax, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%ax, %fs
	mov	%ax, %gs
	mov	$0x8000, %esp		/* down from the image */
	calll	trap16_init
	calll	console_init
	calll	guest_main
	calll	guest_finish
	.section .note.GNU-stack, "", @progbits
