/* SPDX-License-Identifier: GPL-2.0-only */
/* To be included: macros for the ways into a kernel, for the bare guests and minios. */

	/* One stub a vector, 16 bytes each, which all go on at trap_common. */
	.macro	vector_stubs
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
	.endm

#ifdef __x86_64__
	.macro	push_registers
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
	.endm

	.macro	pop_registers
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
	.endm
#endif
