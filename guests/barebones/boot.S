/* SPDX-License-Identifier: GPL-2.0-only */
/* Multiboot 1, and as little as it takes to come to C. The header comes first in the image. */
#define MAGIC		0x1badb002
#define FLAGS		3		/* modules on pages, memory */

	.text
	.balign	4
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)

	.globl	_start
_start:
	mov	$stack_top, %esp
	call	kernel_main
	cli
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	16384
stack_top:
	.section .note.GNU-stack, "", @progbits
