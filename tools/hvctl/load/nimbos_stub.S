/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entered at 0x8000 in real mode with all registers and segments 0; leaves for 2 MiB in
 * flat 32-bit protected mode, EAX the multiboot magic, EBX the information.
 */
#include "nimbos_stub.h"

#define AT(label) ((label) - hv_nimbos_stub + HV_NIMBOS_STUB_GPA)
#define CODE 0x08
#define DATA 0x10

	.section .rodata
	.globl hv_nimbos_stub, hv_nimbos_stub_end
	.balign 16
	.code16
hv_nimbos_stub:
	cli
	cld
	lgdtl	AT(gdt_pointer)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE, $AT(protected)

	.code32
protected:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$HV_NIMBOS_ESP, %esp
	movl	$HV_NIMBOS_EAX, %eax
	movl	$HV_NIMBOS_EBX, %ebx
	ljmpl	$CODE, $HV_NIMBOS_KERNEL_GPA

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE */
	.quad	0x00cf93000000ffff	/* DATA */
gdt_pointer:
	.word	. - gdt - 1
	.long	AT(gdt)
hv_nimbos_stub_end:

	.section .note.GNU-stack, "", @progbits
