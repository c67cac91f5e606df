/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks: where they begin, what they call, and their way back to who is behind the link. */
	.text

/* Each time it is entered; the link, or a jump, decides where it goes on from here. */
	.globl	task_entry, task_return
task_entry:
	call	task_visited
task_return:
	iret
	jmp	task_entry

/* The same by a jump to the main task. */
	.globl	task_jumps
task_jumps:
	call	task_visited
	ljmp	$0x30, $0		/* TSS_SELECTOR */
	jmp	task_jumps

/* For exceptions with an error code: it is on this task's stack. */
	.globl	task_with_code
task_with_code:
	pop	task_error_code
	call	task_visited
	iret
	jmp	task_with_code

/* A task of 16 bits, in a code and a stack segment of its own. */
	.globl	task16_code
task16_code:
	mov	%esp, task16_sp
	mov	%eax, task16_ax
	push	%esp
	pop	%ecx
	mov	%fs, task16_fs
	incl	task16_visits
	iret
	jmp	task16_code

/* A task in virtual-8086 mode. */
	.globl	task_v86_code, task_v86_code_end
	.code16
task_v86_code:
	mov	%ds, %bx
	movw	%bx, 0
	ud2
task_v86_code_end:

	.bss
	.balign	4
	.globl	task_error_code, task16_sp, task16_ax, task16_fs, task16_visits
task_error_code:
	.skip	4
task16_sp:
	.skip	4
task16_ax:
	.skip	4
task16_fs:
	.skip	4
task16_visits:
	.skip	4
	.section .note.GNU-stack, "", @progbits
