/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry of a 32-bit guest: flat protected mode, no paging, no stack to rely on. */
#include "segments.h"

	.section .start, "ax"
	.globl	_start
_start:
	cli
	cld
	/* What a boot protocol hands over. */
	mov	%eax, boot_eax
	mov	%ebx, boot_ebx
	mov	$stack_top, %esp
	lgdt	gdt_pointer
	ljmp	$KERNEL_CS, $1f
1:	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	xor	%ebp, %ebp
	call	trap_init
	call	console_init
	call	guest_main
	call	guest_finish

	.data
	.globl	boot_eax, boot_ebx
boot_eax:
	.long	0
boot_ebx:
	.long	0
	.balign	16
	.globl	gdt
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* KERNEL_CS */
	.quad	0x00cf93000000ffff	/* KERNEL_DS */
	.quad	0x00cffb000000ffff	/* USER_CS32 */
	.quad	0x00cff3000000ffff	/* USER_DS */
	.quad	0x00cffb000000ffff	/* USER_CS */
	.quad	0, 0			/* TSS_SELECTOR: trap_init() */
	.quad	0x00cf9b000000ffff	/* CODE32 */
	.quad	0x00009b000000ffff	/* CODE16 */
	.quad	0x000093000000ffff	/* DATA16 */
	.skip	GDT_SLOTS * 8 - GDT_FREE
	.globl	gdt_pointer
gdt_pointer:
	.word	GDT_SLOTS * 8 - 1
	.long	gdt

	.bss
	.balign	16
	.skip	16384
	.globl	stack_top
stack_top:
	.section .note.GNU-stack, "", @progbits
