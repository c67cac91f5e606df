/* SPDX-License-Identifier: GPL-2.0-only */
/* tinyvmm's guest: 16-bit code that says hello on COM1 and halts; data to who links it. */
	.section .rodata
	.code16
	.globl	tinyguest, tinyguest_end
tinyguest:
	call	1f			/* pushes the address of the text: the stack works */
	.asciz	"hello from real mode\n"
1:	pop	%si
	mov	$0x3f8, %dx
2:	lodsb
	test	%al, %al
	jz	3f
	out	%al, %dx		/* a VM exit each */
	jmp	2b
3:	hlt
tinyguest_end:
	.section .note.GNU-stack, "", %progbits
