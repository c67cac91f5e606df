/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an application processor begins: copied to a page below 1 MiB, and entered there in
 * real mode, CS that page, IP 0. It goes to 64-bit mode in one step, with the control
 * registers that its starter has, takes the stack that is meant for it and calls ap_main().
 */
#include "segments.h"
#include "trampoline.h"

#define MSR_EFER	0xc0000080

	.section .rodata
	.balign	16
	.globl	trampoline_begin, trampoline_end
	.code16
trampoline_begin:
	cli
	cld
	jmp	1f

	.org	trampoline_begin + TRAMPOLINE_CR0
	.skip	16			/* ap_prepare() */
1:	movw	%cs, %ax
	movw	%ax, %ds
	movl	TRAMPOLINE_CR4, %eax
	movl	%eax, %cr4
	movl	TRAMPOLINE_CR3, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	TRAMPOLINE_EFER, %eax
	xorl	%edx, %edx
	wrmsr
	lgdtl	gdt_pointer - trampoline_begin
	/* Paging and protection at once. CS is still the real mode's until the jump. */
	movl	TRAMPOLINE_CR0, %eax
	movl	%eax, %cr0
	ljmpl	$KERNEL_CS, $ap_entry

gdt_pointer:
	.word	3 * 8 - 1
	.long	ap_gdt
trampoline_end:

	.balign	8
ap_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* KERNEL_CS */
	.quad	0x00cf93000000ffff	/* KERNEL_DS */

	.text
	.code64
ap_entry:
	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	/* Who am I? All may come at once: nothing is shared before each has its stack. */
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	ap_stacks(, %rbx, 8), %rsp
	mov	%ebx, %edi
	xor	%ebp, %ebp
	call	ap_main
	ud2
	.section .note.GNU-stack, "", @progbits
