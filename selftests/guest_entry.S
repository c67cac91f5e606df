/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest-side entry points: 256 interrupt stubs of 16 bytes, and the way out. */
	.text
	.balign 16
	.globl guest_vectors
guest_vectors:
	vector = 0
	.rept 256
	.balign 16
	.if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
	pushq	$0			/* no error code: keep the frame alike */
	.endif
	.byte	0x6a, vector		/* push imm8, sign-extended: C masks it */
	jmp	guest_vector_common
	vector = vector + 1
	.endr

/* The layout on the stack is struct guest_frame. */
guest_vector_common:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	mov	%rsp, %rdi
	cld
	call	guest_trap_handler
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$16, %rsp
	iretq

/* Where a guest function returns to: its result goes out with GUEST_DONE. */
	.globl guest_return
guest_return:
	mov	%rax, guest_result(%rip)
	mov	$1, %eax
	mov	$0x7e0, %edx
	out	%eax, %dx
	jmp	guest_return

	.section .note.GNU-stack, "", @progbits
