/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hv_native_enter(frame): load the registers of a struct hv_native_frame, call its code, store
 * them again. The stack stays ours: signals may come at any time.
 */
#define FRAME_RFLAGS	128
#define FRAME_CODE	136
#define FRAME_IMAGE	144
#define FRAME_MASK	152

	.text
	.globl	hv_native_enter
	.type	hv_native_enter, @function
hv_native_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	call	load_image
	push	%rdi
	push	FRAME_CODE(%rdi)
	push	FRAME_RFLAGS(%rdi)
	popf
	mov	(%rdi), %rax
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
	mov	24(%rdi), %rbx
	mov	40(%rdi), %rbp
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	88(%rdi), %r11
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
	call	*(%rsp)
	xchg	%rdi, 8(%rsp)
	mov	%rax, (%rdi)
	mov	%rcx, 8(%rdi)
	mov	%rdx, 16(%rdi)
	mov	%rbx, 24(%rdi)
	mov	%rbp, 40(%rdi)
	mov	%rsi, 48(%rdi)
	mov	%r8, 64(%rdi)
	mov	%r9, 72(%rdi)
	mov	%r10, 80(%rdi)
	mov	%r11, 88(%rdi)
	mov	%r12, 96(%rdi)
	mov	%r13, 104(%rdi)
	mov	%r14, 112(%rdi)
	mov	%r15, 120(%rdi)
	pushf
	pop	FRAME_RFLAGS(%rdi)
	mov	8(%rsp), %rax
	mov	%rax, 56(%rdi)
	add	$16, %rsp
	call	store_image
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	hv_native_enter, . - hv_native_enter

/* All that an instruction can name: what the image does not have becomes 0, and is not ours. */
load_image:
	mov	FRAME_IMAGE(%rdi), %rsi
	test	%rsi, %rsi
	jz	1f
	cmpl	$0, FRAME_MASK(%rdi)
	je	2f
	mov	$0xe7, %eax		/* HV_NATIVE_STATES */
	xor	%edx, %edx
	xrstor64 (%rsi)
1:	ret
2:	fxrstor64 (%rsi)
	ret

/* Nothing of the guest's is left in the FPU; exceptions that are pending there stay its own. */
store_image:
	mov	FRAME_IMAGE(%rdi), %rsi
	test	%rsi, %rsi
	jz	1f
	mov	FRAME_MASK(%rdi), %eax
	xor	%edx, %edx
	test	%eax, %eax
	jz	2f
	xsave64	(%rsi)
	fninit
	test	$4, %al
	jz	1f
	vzeroupper
1:	ret
2:	fxsave64 (%rsi)
	fninit
	ret
	.section .note.GNU-stack, "", @progbits
