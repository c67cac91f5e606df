/* SPDX-License-Identifier: GPL-2.0-only */
/* unreal_enter(): through protected mode and back, for FS with a 4 GiB limit. */
	.text
	.code16
	.globl	unreal_enter
unreal_enter:
	lgdtw	unreal_gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %cx
	movw	%cx, %fs
	andb	$0xfe, %al
	movl	%eax, %cr0
	ljmp	$0, $1f
1:	xorw	%cx, %cx
	movw	%cx, %fs
	retl

	.data
	.balign	8
unreal_gdt:
	.quad	0, 0x00cf93000000ffff
unreal_gdt_pointer:
	.word	15
	.long	unreal_gdt
	.section .note.GNU-stack, "", @progbits
