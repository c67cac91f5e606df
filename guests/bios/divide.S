/* SPDX-License-Identifier: GPL-2.0-only */
/* divide: a boot sector that ends by a mistake. */
	.code16
	.globl	_start
_start:
	ljmp	$0, $1f
1:	xor	%cx, %cx
	.balign	16, 0x90
	div	%cx			/* at 0000:7c10 */
	jmp	.
	.org	510
	.word	0xaa55
	.section .note.GNU-stack, "", @progbits
