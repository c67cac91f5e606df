/* SPDX-License-Identifier: GPL-2.0-only */
/* Where SYSCALL and SYSENTER lead, and the ring 3 side of them. */
#include "lib/segments.h"

/* struct area of syscall.c, at the kernel's GS base */
#define AREA_STACK	8
#define AREA_USER_SP	16

	.text
	.globl	syscall_entry
syscall_entry:
	swapgs
	mov	%rsp, %gs:AREA_USER_SP
	mov	%gs:AREA_STACK, %rsp
	push	%rcx
	push	%r11
	pushfq
	pop	%rsi
	call	syscall_handler		/* (argument, flags after FMASK) */
	pop	%r11
	pop	%rcx
	mov	%gs:AREA_USER_SP, %rsp
	swapgs
	sysretq

/* SYSENTER leaves neither RIP nor RSP: ring 3 gave them in RDX and RCX. */
	.globl	sysenter_entry
sysenter_entry:
	push	%rcx
	push	%rdx
	call	sysenter_handler
	pop	%rdx
	pop	%rcx
	sysexitq

/* long user_syscall(long argument, struct syscall_return *seen) */
	.globl	user_syscall
user_syscall:
	push	%rbx			/* the kernel side keeps it */
	mov	%rsi, %rbx
	syscall
1:	mov	%rcx, (%rbx)
	mov	%r11, 8(%rbx)
	pushfq
	popq	16(%rbx)
	lea	1b(%rip), %rcx
	mov	%rcx, 24(%rbx)
	pop	%rbx
	ret

/* long user_sysenter(long argument) */
	.globl	user_sysenter
user_sysenter:
	mov	%rsp, %rcx
	lea	1f(%rip), %rdx
	sysenter
1:	ret
	.section .note.GNU-stack, "", @progbits
