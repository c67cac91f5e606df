/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CPU is like behind INIT and a start-up IPI: a page of real-mode code that stores all
 * registers there are, in itself, before it goes on to the trampoline. probe.h has the offsets.
 */
#include "../lib/trampoline.h"
#include "probe.h"

#define MSR_EFER	0xc0000080

	/* A control or debug register, by way of EAX. */
	.macro	store register, offset
	movl	%\register, %eax
	movl	%eax, %cs:\offset
	.endm

	/* A segment register. */
	.macro	store_segment register, offset
	movw	%\register, %ax
	movw	%ax, %cs:\offset
	.endm

	.section .rodata
	.balign	16
	.globl	probe_begin, probe_end
	.code16
probe_begin:
	movl	%eax, %cs:PROBE_AX
	movl	%ecx, %cs:PROBE_CX
	movl	%edx, %cs:PROBE_DX
	movl	%ebx, %cs:PROBE_BX
	movl	%esp, %cs:PROBE_SP
	movl	%ebp, %cs:PROBE_BP
	movl	%esi, %cs:PROBE_SI
	movl	%edi, %cs:PROBE_DI
	store_segment cs, PROBE_CS
	store_segment ds, PROBE_DS
	store_segment es, PROBE_ES
	store_segment ss, PROBE_SS
	store_segment fs, PROBE_FS
	store_segment gs, PROBE_GS
	/* A stack at the end of this page: flags have no other way. */
	movw	%cs, %ax
	movw	%ax, %ss
	movl	$PROBE_BYTES, %esp
	pushfl
	popl	%eax
	movl	%eax, %cs:PROBE_FLAGS
	store	cr0, PROBE_CR0
	store	cr2, PROBE_CR2
	store	cr3, PROBE_CR3
	store	cr4, PROBE_CR4
	store	dr0, PROBE_DR0
	store	dr6, PROBE_DR6
	store	dr7, PROBE_DR7
	sgdtl	%cs:PROBE_GDT
	sidtl	%cs:PROBE_IDT
	movl	$MSR_EFER, %ecx
	rdmsr
	movl	%eax, %cs:PROBE_EFER
	movl	$1, %cs:PROBE_DONE
	ljmp	$TRAMPOLINE_PAGE >> 4, $0
probe_end:
	.section .note.GNU-stack, "", @progbits
