/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * modes_round_trip(): 64-bit -> compatibility -> protected -> 32-bit paging ->
 * PAE paging -> real -> protected -> compatibility -> 64-bit, with notes taken.
 *
 * The 16-bit part runs at REAL_BASE, where modes.c copies it; ESI points to the
 * notes (struct notes of modes.c) from the first 32-bit instruction on.
 */
#include "lib/segments.h"

#define REAL_BASE	0x8000
#define IN_REAL(label)	(REAL_BASE + label - modes_real)
#define REAL_STACK	0x7000
#define REAL_VECTOR	0x21

#define CR0_PE		0x1
#define CR0_WP		0x10000
#define CR0_PG		0x80000000
#define CR4_PSE		0x10
#define CR4_PAE		0x20
#define MSR_EFER	0xc0000080
#define EFER_LME	0x100

#define NOTE_COMPAT_EFER	0
#define NOTE_COMPAT_INC		4
#define NOTE_UNPAGED_EFER	8
#define NOTE_LEGACY_EFER	12
#define NOTE_LEGACY_CR0		16
#define NOTE_PAGED32		20
#define NOTE_PAGED_PAE		24
#define NOTE_REAL_CR0		28
#define NOTE_REAL_INT		32
#define NOTE_REAL_PORT		36
#define NOTE_ENABLED_EFER	40
#define NOTE_ACTIVE_EFER	44

	.macro	note_efer where
	mov	$MSR_EFER, %ecx
	rdmsr
	mov	%eax, \where(%esi)
	.endm

	.macro	paging_off
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	.endm

	/* Paging on, with @root; what it shows at @address goes to @where. */
	.macro	look_through root, address, where
	mov	$\root, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	mov	\address, %edx
	mov	%edx, \where(%esi)
	paging_off
	.endm

	.text
	.code64
	.globl	modes_round_trip
modes_round_trip:
	push	%rbx
	push	%rbp
	mov	%rsp, saved_rsp
	mov	%cr3, %rax
	mov	%rax, saved_cr3
	mov	%cr4, %rax
	mov	%rax, saved_cr4
	sidt	saved_idt
	mov	%edi, %esi
	ljmp	*compat_pointer

	.code32
compat:
	note_efer NOTE_COMPAT_EFER
	xor	%eax, %eax
	.byte	0x40			/* INC EAX here, a prefix in 64-bit mode */
	nop
	mov	%eax, NOTE_COMPAT_INC(%esi)
	paging_off
	note_efer NOTE_UNPAGED_EFER
	and	$~EFER_LME, %eax
	wrmsr
	note_efer NOTE_LEGACY_EFER
	mov	%cr0, %eax
	mov	%eax, NOTE_LEGACY_CR0(%esi)

	mov	%cr4, %eax
	and	$~CR4_PAE, %eax
	or	$CR4_PSE, %eax
	mov	%eax, %cr4
	look_through modes_pd32, 0x400000, NOTE_PAGED32
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	look_through modes_pdpt, 0x600000, NOTE_PAGED_PAE

	mov	$DATA16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	ljmp	$CODE16, $REAL_BASE

	.globl	back_in_32
back_in_32:
	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	saved_cr4, %eax
	mov	%eax, %cr4
	mov	saved_cr3, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	note_efer NOTE_ENABLED_EFER
	mov	%cr0, %eax
	or	$CR0_PG | CR0_WP, %eax
	mov	%eax, %cr0
	note_efer NOTE_ACTIVE_EFER
	ljmp	$KERNEL_CS, $back_in_64

	.code64
back_in_64:
	lidt	saved_idt
	mov	saved_rsp, %rsp
	pop	%rbp
	pop	%rbx
	ret

	.code16
	.globl	modes_real, modes_real_end
modes_real:
	mov	%cr0, %eax
	and	$~CR0_PE, %eax
	mov	%eax, %cr0
	ljmp	$0, $IN_REAL(1f)
1:	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$REAL_STACK, %esp
	lidtl	IN_REAL(2f)
	movw	$IN_REAL(3f), REAL_VECTOR * 4
	movw	$0, REAL_VECTOR * 4 + 2
	/* The notes lie above 1 MiB: keep them in registers till later. */
	mov	%cr0, %ebx
	xor	%ebp, %ebp
	int	$REAL_VECTOR
	mov	$0x3ff, %dx
	mov	$0xc3, %al
	outb	%al, %dx
	xor	%ecx, %ecx
	inb	%dx, %al
	mov	%al, %cl
	mov	%ebx, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32, $IN_REAL(4f)
2:	.word	0x3ff
	.long	0
3:	mov	$REAL_VECTOR, %ebp
	iretw
	.code32
4:	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%ebx, NOTE_REAL_CR0(%esi)
	mov	%ebp, NOTE_REAL_INT(%esi)
	mov	%ecx, NOTE_REAL_PORT(%esi)
	ljmp	$CODE32, $back_in_32
modes_real_end:

	.data
	.balign	8
compat_pointer:
	.long	compat
	.word	CODE32
	.balign	8
saved_rsp:
	.quad	0
saved_cr3:
	.quad	0
saved_cr4:
	.quad	0
saved_idt:
	.skip	16
	.section .note.GNU-stack, "", @progbits
