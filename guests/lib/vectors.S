/* SPDX-License-Identifier: GPL-2.0-only */
/* One stub a vector, 16 bytes each, and the common way into trap_dispatch(). */
#include "segments.h"

	.text
	.balign	16
	.globl	trap_stubs
trap_stubs:
	vector = 0
	.rept	256
	.balign	16
	/* #DF #TS #NP #SS #GP #PF #AC #CP push an error code themselves. */
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || \
		  vector == 17 || vector == 21)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

#ifdef __x86_64__
trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
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
