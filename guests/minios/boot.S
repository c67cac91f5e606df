/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the boot loader's 32-bit protected mode to kernel_main() in 64-bit mode.
 *
 * Entered at KERNEL_BASE, either by multiboot or by a stub that knows the
 * address: EAX is the multiboot magic, EBX the information or 0; no stack.
 */
#include "../lib/segments.h"
#include "layout.h"

#define MULTIBOOT_MAGIC		0x1badb002
#define MULTIBOOT_MEMORY	(1 << 1)	/* tell us how much there is */
#define MULTIBOOT_ADDRESSES	(1 << 16)	/* take the fields below, not ELF */
#define MULTIBOOT_FLAGS		(MULTIBOOT_MEMORY | MULTIBOOT_ADDRESSES)

#define CR0_PE_WP_PG	0x80010001
#define CR4_PAE_PGE	0xa0
#define MSR_EFER	0xc0000080
#define EFER_SCE_LME_NXE 0x901
#define PAGE_FLAGS	0x3		/* present, writable */
#define LARGE_FLAGS	0x83		/* ... and large */

	.section .boot, "ax"
	.code32
	.globl	_start
_start:
	jmp	1f

	.balign	4
multiboot_header:
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long	multiboot_header
	.long	_start			/* where the file begins in memory */
	.long	data_end
	.long	bss_end
	.long	_start

1:	cli
	cld
	mov	%eax, %ebp
	/* Not every loader clears the BSS; the page tables below lie in it. */
	mov	$bss_begin, %edi
	mov	$bss_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	rep stosb

	/* The first GiB one to one, until memory.c makes better tables. */
	movl	$boot_pdpt + PAGE_FLAGS, boot_pml4
	movl	$boot_pd + PAGE_FLAGS, boot_pdpt
	mov	$LARGE_FLAGS, %eax
	xor	%ecx, %ecx
2:	mov	%eax, boot_pd(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$512, %ecx
	jne	2b

	mov	$CR4_PAE_PGE, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_SCE_LME_NXE, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PE_WP_PG, %eax
	mov	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$KERNEL_CS, $3f

	.code64
3:	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$boot_stack_top, %esp
	mov	%ebp, %edi
	mov	%ebx, %esi
	xor	%ebp, %ebp
	call	kernel_main
	ud2

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* KERNEL_CS */
	.quad	0x00cf93000000ffff	/* KERNEL_DS */
boot_gdt_pointer:
	.word	. - boot_gdt - 1
	.long	boot_gdt

	.bss
	.balign	4096
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4096
	.skip	8192
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
