/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BIOS stub as a guest's user may bring one (--bios): raw code linked at 0x8000, entered
 * in real mode with all segments and registers 0; it leaves for the kernel in flat 32-bit
 * protected mode, EAX the multiboot magic, EBX 0: no information.
 */
#include "layout.h"

#define STACK		0x7000
#define LOADED		0x2badb002
#define CODE		0x08
#define DATA		0x10
#define PORT_EXIT	0xf4
#define VERDICT_FAIL	0x11

	.text
	.code16
	.globl	_start
_start:
	/* Is the state what was promised? Any bit that is not 0 stays in EAX. */
	orl	%ebx, %eax
	orl	%ecx, %eax
	orl	%edx, %eax
	orl	%esi, %eax
	orl	%edi, %eax
	orl	%ebp, %eax
	orl	%esp, %eax
	movw	%cs, %bx
	orw	%bx, %ax
	movw	%ds, %bx
	orw	%bx, %ax
	movw	%es, %bx
	orw	%bx, %ax
	movw	%ss, %bx
	orw	%bx, %ax
	movw	%fs, %bx
	orw	%bx, %ax
	movw	%gs, %bx
	orw	%bx, %ax
	testl	%eax, %eax
	jnz	broken

	cli
	cld
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE, $protected

broken:
	movb	$VERDICT_FAIL, %al
	outb	%al, $PORT_EXIT

	.code32
protected:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$STACK, %esp
	movl	$LOADED, %eax
	xorl	%ebx, %ebx
	movl	$KERNEL_BASE, %ecx
	jmp	*%ecx

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE */
	.quad	0x00cf93000000ffff	/* DATA */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
	.section .note.GNU-stack, "", @progbits
