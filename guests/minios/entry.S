/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the kernel and out of it: exceptions, interrupts, SYSCALL, task switches. */
#include "../lib/entry.S"
#include "../lib/segments.h"
#include "layout.h"

	/* GS belongs to the program while that runs. CS is at @offset of RSP. */
	.macro	swapgs_if_user offset
	testb	$3, \offset(%rsp)
	jz	.Lkernel\@
	swapgs
.Lkernel\@:
	.endm

	.text
	.balign	16
	.globl	trap_stubs
trap_stubs:
	vector_stubs

trap_common:
	swapgs_if_user 24
	push_registers
	mov	%rsp, %rdi
	call	trap_handle
	jmp	trap_return

/* Where a task begins: in the kernel, with a struct frame on its stack. */
	.globl	task_begin
task_begin:
	call	kernel_leave
trap_return:
	pop_registers
	swapgs_if_user 24
	add	$16, %rsp		/* vector and error code */
	iretq

/*
 * The same struct frame as above, so that fork() need not care. FMASK keeps
 * interrupts off; SYSRET is safe, as no program's RIP leaves USER_BASE..USER_END.
 */
	.globl	syscall_entry
syscall_entry:
	swapgs
	mov	%rsp, %gs:CPU_USER_SP
	mov	%gs:CPU_KERNEL_SP, %rsp
	push	$USER_DS
	push	%gs:CPU_USER_SP
	push	%r11			/* RFLAGS */
	push	$USER_CS
	push	%rcx			/* RIP */
	push	$0
	push	$-1
	push_registers
	mov	%rsp, %rdi
	call	syscall_handle
	pop_registers
	add	$16, %rsp
	pop	%rcx
	add	$8, %rsp
	pop	%r11
	pop	%rsp
	swapgs
	sysretq

/* void switch_stacks(u64 *save, u64 load): returns in the other task. */
	.globl	switch_stacks
switch_stacks:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.section .note.GNU-stack, "", @progbits
