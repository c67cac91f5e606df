/* SPDX-License-Identifier: GPL-2.0-only */
/* insn: the forms as routines of their own, a table of them, and what calls one. */
#include "insn.h"

#if defined(__x86_64__)
#define MEM	(%rbx)
#define AX	%rax
#define CX	%rcx
#define DX	%rdx
#define BX	%rbx
#define SI	%rsi
#define DI	%rdi
#define BP	%rbp
#define WORD	8
#define PUSHF	pushfq
#define POPF	popfq
#define RET	ret
#elif defined(REAL_MODE)
#define MEM	%fs:(%ebx)	/* FS reaches all of 4 GiB */
#else
#define MEM	(%ebx)
#endif
#ifndef __x86_64__
#define AX	%eax
#define CX	%ecx
#define DX	%edx
#define BX	%ebx
#define SI	%esi
#define DI	%edi
#define BP	%ebp
#define WORD	4
#define PUSHF	pushfl
#define POPF	popfl
#define RET	retl
#endif
#ifdef REAL_MODE
	.code16gcc
#endif

#define FORM(needs, undefined, ...)			\
	1: __VA_ARGS__; 2: RET;				\
	.pushsection .rodata.forms, "a";		\
	.long 1b, 2b; .short needs, undefined;		\
	.popsection;

	.section .rodata.forms, "a"
	.globl	insn_forms
	.balign	4
insn_forms:
	.text
#include "insn-forms.inc"
	.section .rodata.forms, "a"
	.globl	insn_forms_end
insn_forms_end:

/* void insn_run(struct insn_regs *regs, ulong code) */
	.text
	.globl	insn_run
insn_run:
	push	BX
	push	BP
#ifdef __x86_64__
	push	%r15
#else
	push	SI
	push	DI
	mov	20(%esp), DI
	mov	24(%esp), SI
#endif
	push	DI			/* regs */
	push	SI			/* code */
	push	6*WORD(DI)
	POPF
	mov	(DI), AX
	mov	WORD(DI), CX
	mov	2*WORD(DI), DX
	mov	3*WORD(DI), BX
	mov	4*WORD(DI), SI
	mov	5*WORD(DI), DI
#ifdef __x86_64__
	call	*(%rsp)
	xchg	DI, 8(%rsp)
#else
	calll	*(%esp)
	xchg	DI, 4(%esp)
#endif
	mov	AX, (DI)
	mov	CX, WORD(DI)
	mov	DX, 2*WORD(DI)
	mov	BX, 3*WORD(DI)
	mov	SI, 4*WORD(DI)
	PUSHF
	pop	6*WORD(DI)
	pop	CX			/* code */
	pop	5*WORD(DI)		/* what DI was */
	cld
#ifdef __x86_64__
	pop	%r15
#else
	pop	DI
	pop	SI
#endif
	pop	BP
	pop	BX
	RET
	.section .note.GNU-stack, "", @progbits
