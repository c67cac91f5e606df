/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch: guest registers in, VM entry, VM exit, guest registers out.
 *
 * bool tvx_vmenter(struct tvx_world *world, bool launched)
 *
 * The VMCS keeps RSP, RIP and RFLAGS, and everything the host needs but its
 * callee-saved registers, which go on the stack with the address of world.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#include "host_features.h"

#define VMCS_HOST_RSP	0x6c14

/* Offsets in struct tvx_world, checked by run.c: gpr[] and host_rsp. */
#define GPR(n)		((n) * 8)
#define WORLD_HOST_RSP	GPR(16)

	.section .rodata
	.balign 2
verw_selector:
	.word __KERNEL_DS

	.text

#ifdef TVX_FEATURE_CLEAR_BHB
/*
 * Push the guest out of the branch history: as many taken branches as Intel's "Branch
 * History Injection" asks for on CPUs that cannot do it otherwise (those get BHI_DIS_S
 * from the kernel). The RETs are in the upper half of a cache line, where they are safe
 * on CPUs with Indirect Target Selection. Clobbers EAX and ECX.
 */
SYM_FUNC_START_LOCAL(clear_branch_history)
	mov	$5, %ecx
	ANNOTATE_INTRA_FUNCTION_CALL
	call	1f
	jmp	5f
	.balign 64
	ANNOTATE_INTRA_FUNCTION_CALL
1:	call	2f
	.balign 32
	RET
	.balign 64
2:	mov	$5, %eax
3:	jmp	4f
	nop
4:	sub	$1, %eax
	jnz	3b
	sub	$1, %ecx
	jnz	1b
	.balign 32
	RET
	.balign 64
5:	lfence
	.balign 32
	RET
SYM_FUNC_END(clear_branch_history)
STACK_FRAME_NON_STANDARD(clear_branch_history)
#endif

SYM_FUNC_START(tvx_vmenter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi

	/* The stack is as deep as last time, as a rule: spare the VMWRITE. */
	cmp	%rsp, WORLD_HOST_RSP(%rdi)
	je	1f
	mov	%rsp, WORLD_HOST_RSP(%rdi)
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax
1:
	UNWIND_HINT_SAVE
	/* Nothing below changes CF. */
	bt	$0, %esi

	mov	GPR(0)(%rdi), %rax
	mov	GPR(1)(%rdi), %rcx
	mov	GPR(2)(%rdi), %rdx
	mov	GPR(3)(%rdi), %rbx
	mov	GPR(5)(%rdi), %rbp
	mov	GPR(6)(%rdi), %rsi
	mov	GPR(8)(%rdi), %r8
	mov	GPR(9)(%rdi), %r9
	mov	GPR(10)(%rdi), %r10
	mov	GPR(11)(%rdi), %r11
	mov	GPR(12)(%rdi), %r12
	mov	GPR(13)(%rdi), %r13
	mov	GPR(14)(%rdi), %r14
	mov	GPR(15)(%rdi), %r15
	mov	GPR(7)(%rdi), %rdi

	/* Buffers of the CPU that may hold the host's data; VERW changes ZF. */
	ALTERNATIVE "jmp 6f", "", TVX_FEATURE_VERW
	verw	verw_selector(%rip)
6:
	jnc	2f
1:	vmresume
	jmp	3f
2:	vmlaunch
	/* VMX is off after all: not entered, either. */
	_ASM_EXTABLE(1b, 3f)
	_ASM_EXTABLE(2b, 3f)
3:
	/* Not entered: the registers still hold the guest's values. */
	mov	(%rsp), %rdi
	mov	$1, %ebx
	jmp	4f

SYM_INNER_LABEL_ALIGN(tvx_vmexit, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, GPR(0)(%rdi)
	mov	%rcx, GPR(1)(%rdi)
	mov	%rdx, GPR(2)(%rdi)
	mov	%rbx, GPR(3)(%rdi)
	mov	%rbp, GPR(5)(%rdi)
	mov	%rsi, GPR(6)(%rdi)
	mov	%r8, GPR(8)(%rdi)
	mov	%r9, GPR(9)(%rdi)
	mov	%r10, GPR(10)(%rdi)
	mov	%r11, GPR(11)(%rdi)
	mov	%r12, GPR(12)(%rdi)
	mov	%r13, GPR(13)(%rdi)
	mov	%r14, GPR(14)(%rdi)
	mov	%r15, GPR(15)(%rdi)
	pop	GPR(7)(%rdi)
	xor	%ebx, %ebx
4:
	/* No guest value may be there to speculate with, even those reloaded below. */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

	/* Nor guest return addresses, where the CPU would use them. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
		X86_FEATURE_RSB_VMEXIT_LITE

	/*
	 * IBRS that is not enhanced must be written again after an exit, even though
	 * it has stayed on (SDM, "Indirect Branch Restricted Speculation"). The guest
	 * runs with the host's IA32_SPEC_CTRL and cannot change it.
	 */
	ALTERNATIVE "jmp 5f", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	PER_CPU_VAR(x86_spec_ctrl_current), %eax
	mov	PER_CPU_VAR(x86_spec_ctrl_current + 4), %edx
	wrmsr
5:
	/* Branch targets that the guest's history would choose. */
#ifdef TVX_FEATURE_CLEAR_BHB
	ALTERNATIVE "", "call clear_branch_history", TVX_FEATURE_CLEAR_BHB
#endif
	mov	%ebx, %eax

	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(tvx_vmenter)
