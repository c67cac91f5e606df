/* SPDX-License-Identifier: GPL-2.0-only */
/* Into virtual-8086 mode and out of it, and the 16-bit code that runs there. */
#include "lib/segments.h"

#define V86_BASE	0x9000
#define V86_STACK	0x7000
#define V86_NOTES	0x8f00		/* struct notes of v86.c */
#define FLAGS_VM_IOPL3	0x23002
#define LEAVE_VECTOR	0x42

	.text
/* void v86_run(void) */
	.globl	v86_run
v86_run:
	pusha
	mov	%esp, return_sp
	xor	%eax, %eax
	push	%eax			/* GS, FS, DS, ES */
	push	%eax
	push	%eax
	push	%eax
	push	%eax			/* SS */
	push	$V86_STACK
	push	$FLAGS_VM_IOPL3
	push	%eax			/* CS */
	push	$V86_BASE
	iret

/* Where LEAVE_VECTOR leads. */
	.globl	v86_leave
v86_leave:
	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	return_sp, %esp
	popa
	ret

	.code16
	.globl	v86_code, v86_code_end
v86_code:
	mov	$0x1234, %ax
	mov	%ax, %ds
	movw	$0x5a5a, 8		/* linear 0x12348 */
	xor	%ax, %ax
	mov	%ax, %ds
	pushf
	popw	V86_NOTES
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid				/* leaves the guest */
	mov	%eax, V86_NOTES + 4
	mov	$0x1111, %ax
	mov	%ax, %fs
	mov	$0x3ff, %dx
	in	%dx, %al		/* #GP: no I/O permission map */
	mov	%al, V86_NOTES + 2
	mov	%fs, V86_NOTES + 8
	int3
	ud2
	int	$LEAVE_VECTOR
v86_code_end:

	.bss
	.balign	4
return_sp:
	.skip	4
	.section .note.GNU-stack, "", @progbits
