/* SPDX-License-Identifier: GPL-2.0-only */
/* The stubs of all vectors, and their common way into trap_dispatch(). */
#include "entry.S"
#include "segments.h"

	.text
	.balign	16
	.globl	trap_stubs
trap_stubs:
	vector_stubs

#ifdef __x86_64__
trap_common:
	push_registers
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp
	pop_registers
	add	$16, %rsp		/* vector and error code */
	iretq

/* long user_enter(long (*fn)(long), long arg, void *stack) */
	.globl	user_enter
user_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, user_return_sp
	mov	%rdi, %rax
	mov	%rsi, %rdi
	push	$USER_DS
	push	%rdx
	push	$2			/* RFLAGS: nothing but the fixed bit */
	push	$USER_CS
	push	$1f
	iretq
1:	call	*%rax
	int	$USER_EXIT_VECTOR

/* Where USER_EXIT_VECTOR leads: drop its frame, return from user_enter(). */
	.globl	user_leave
user_leave:
	mov	user_return_sp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	cld
	ret
#else
trap_common:
	pusha
	cld
	mov	$KERNEL_DS, %eax	/* ring 3 has its own */
	mov	%eax, %ds
	mov	%eax, %es
	mov	%esp, %ebx
	push	%esp
	call	trap_dispatch
	mov	%ebx, %esp
	testb	$3, 44(%esp)		/* going back to ring 3? */
	jz	1f
	mov	$USER_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
1:	popa
	add	$8, %esp		/* vector and error code */
	iret

/* long user_enter(long (*fn)(long), long arg, void *stack) */
	.globl	user_enter
user_enter:
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	mov	%esp, user_return_sp
	mov	20(%esp), %eax
	mov	24(%esp), %ecx
	mov	28(%esp), %edx
	mov	$USER_DS, %ebx
	mov	%ebx, %ds
	mov	%ebx, %es
	push	$USER_DS
	push	%edx
	push	$2			/* EFLAGS: nothing but the fixed bit */
	push	$USER_CS
	push	$1f
	iret
1:	push	%ecx
	call	*%eax
	int	$USER_EXIT_VECTOR

	.globl	user_leave
user_leave:
	mov	$KERNEL_DS, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	mov	user_return_sp, %esp
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	cld
	ret
#endif

	.bss
	.balign	8
user_return_sp:
	.skip	8
	.section .note.GNU-stack, "", @progbits
