/* SPDX-License-Identifier: GPL-2.0-only */
/* hello: the boot sector that every tutorial begins with. */
#include "sector.inc"

	mov	$message, %si
2:	lodsb
	test	%al, %al
	jz	3f
	mov	$0x0e, %ah		/* teletype */
	xor	%bx, %bx
	int	$0x10
	jmp	2b
3:	cli
	hlt
	jmp	3b

message:
	.asciz	"Hello from a boot sector\r\n"
	.org	510
	.word	0xaa55
	.section .note.GNU-stack, "", @progbits
