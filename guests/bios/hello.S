/* SPDX-License-Identifier: GPL-2.0-only */
/* hello: the boot sector that every tutorial begins with. */
	.code16
	.globl	_start
_start:
	ljmp	$0, $1f			/* whatever CS and IP made up the address */
1:	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	sti
	cld
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
