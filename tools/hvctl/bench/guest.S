/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench's guests: one loop a case, run at GUEST_CODE in 64-bit mode.
 *
 * In: RDI iterations, RSI the case's argument. Each case measures an empty loop,
 * then its own, by RDTSC, and leaves the difference in GUEST_RESULT.
 */
#include "guest.h"

#define X2APIC_EOI	0x80b
#define X2APIC_SVR	0x80f
#define X2APIC_ICR	0x830
#define X2APIC_LVT_TIMER 0x832
#define X2APIC_SELF_IPI	0x83f
#define APIC_BASE	0x1b
#define APIC_BASE_X2APIC_ENABLED 0xc00
#define TSC_DEADLINE	0x6e0
#define TIMER_TSC_DEADLINE 0x40000
#define ICR_OTHERS	0xc0000
#define PAT		0x277
#define CR0_CD		0x40000000
#define CR0_WP		0x10000
#define CR4_MCE		0x40
#define CR4_OSXSAVE	0x40000
#define PAGE_4K		0x1000
#define PAGE_2M		0x200000
#define PTE_AVAILABLE	0x200
#define PDE_REMAPPED	(GUEST_PT + 2 * PAGE_4K + (GUEST_REMAPPED >> 21) * 8)
/* Far enough apart that no fault-around helps. */
#define STRIDE_4K	0x40000

	.section .rodata
	.balign 4096
	.globl hv_bench_guest_begin, hv_bench_guest_end
hv_bench_guest_begin:

/* RDTSC into \reg; RAX and RDX are lost. */
	.macro TSC reg
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, \reg
	.endm

/* Nothing, but for the profile of tools/testbed/profile: it looks between these. */
	.macro MARK_BEGIN
	xchg	%bx, %bx
	.endm
	.macro MARK_END
	xchg	%cx, %cx
	.endm

/* A case of that name begins; what is between it and LOOP is not measured. */
	.macro CASE name
	.balign 16
	.globl hv_bench_guest_\name
hv_bench_guest_\name:
	call	empty_loop
	.endm

/*
 * R12, R13 and R15 are the loop's, RDI and RSI hold the arguments. RAX and RDX start as RBX
 * and RBP.
 */
	.macro LOOP
	MARK_BEGIN
	mov	%rdi, %r12
	TSC	%r13
	mov	%rbx, %rax
	mov	%rbp, %rdx
77:
	.endm

	.macro ENDLOOP
	dec	%r12
	jnz	77b
	jmp	finish
	.endm

	.macro WRITE_MSR index, value
	mov	$\index, %ecx
	mov	$\value, %eax
	xor	%edx, %edx
	wrmsr
	.endm

/* The ticks of a loop with nothing in it, in R15. */
empty_loop:
	mov	%rdi, %r12
	TSC	%r13
	mov	%rbx, %rax
	mov	%rbp, %rdx
1:	dec	%r12
	jnz	1b
	TSC	%r15
	sub	%r13, %r15
	ret

finish:
	TSC	%rbx
	MARK_END
	sub	%r13, %rbx
	sub	%r15, %rbx
	mov	%rbx, GUEST_RESULT
	mov	$GUEST_PORT_DONE, %edx
	out	%eax, %dx
	ud2

	.globl hv_bench_guest_isr_trap, hv_bench_guest_isr_plain, hv_bench_guest_isr_eoi
	.globl hv_bench_guest_isr_count, hv_bench_guest_isr_back
	.globl hv_bench_guest_isr_ack, hv_bench_guest_isr_flush
hv_bench_guest_isr_trap:
	mov	$GUEST_PORT_TRAP, %edx
	out	%eax, %dx
	jmp	hv_bench_guest_isr_trap

hv_bench_guest_isr_plain:
	iretq

hv_bench_guest_isr_count:
	incq	GUEST_SHARED
hv_bench_guest_isr_eoi:
	push	%rax
	push	%rcx
	push	%rdx
	WRITE_MSR X2APIC_EOI, 0
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

hv_bench_guest_isr_flush:
	invlpg	GUEST_REMAPPED + GUEST_SHARED
hv_bench_guest_isr_ack:
	lock incq GUEST_SHARED
	jmp	hv_bench_guest_isr_eoi

hv_bench_guest_isr_back:
	push	%rax
	push	%rcx
	push	%rdx
	WRITE_MSR X2APIC_ICR, GUEST_VECTOR_COUNT
	pop	%rdx
	pop	%rcx
	pop	%rax
	jmp	hv_bench_guest_isr_eoi

x2apic_on:
	mov	$APIC_BASE, %ecx
	rdmsr
	or	$APIC_BASE_X2APIC_ENABLED, %eax
	wrmsr
	WRITE_MSR X2APIC_SVR, 0x1ff
	ret

avx_on:
	mov	%cr4, %rax
	or	$CR4_OSXSAVE, %rax
	mov	%rax, %cr4
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$7, %eax
	xsetbv
	vpcmpeqb %xmm0, %xmm0, %xmm0
	vinsertf128 $1, %xmm0, %ymm0, %ymm0
	ret

/* ----------------------------------------------- exits the kernel finishes */

	CASE cpuid
	LOOP
	xor	%eax, %eax
	cpuid
	ENDLOOP

	CASE wbinvd
	LOOP
	wbinvd
	ENDLOOP

	CASE rdmsr
	mov	$PAT, %ecx
	LOOP
	rdmsr
	ENDLOOP

	CASE wrmsr
	mov	$PAT, %ecx
	rdmsr
	mov	%eax, %ebx
	mov	%edx, %ebp
	LOOP
	wrmsr
	ENDLOOP

	CASE cr0_cd
	mov	%cr0, %rbx
	LOOP
	xor	$CR0_CD, %rbx
	mov	%rbx, %cr0
	ENDLOOP

	CASE cr0_wp
	mov	%cr0, %rbx
	LOOP
	xor	$CR0_WP, %rbx
	mov	%rbx, %cr0
	ENDLOOP

	CASE cr4_mce
	mov	%cr4, %rbx
	LOOP
	xor	$CR4_MCE, %rbx
	mov	%rbx, %cr4
	ENDLOOP

	CASE dr_read
	LOOP
	mov	%dr6, %rax
	ENDLOOP

	CASE dr_write
	mov	$0x400, %ebx
	LOOP
	mov	%rbx, %dr7
	ENDLOOP

	CASE cpuid_avx
	call	avx_on
	LOOP
	vaddps	%ymm0, %ymm0, %ymm1
	xor	%eax, %eax
	cpuid
	ENDLOOP

/* --------------------------------------------------------------- userspace */

	CASE out8
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	out	%al, %dx
	ENDLOOP

	CASE out16
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	out	%ax, %dx
	ENDLOOP

	CASE out32
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	out	%eax, %dx
	ENDLOOP

	CASE in8
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	in	%dx, %al
	ENDLOOP

	CASE in16
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	in	%dx, %ax
	ENDLOOP

	CASE in32
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	in	%dx, %eax
	ENDLOOP

	CASE in32_avx
	call	avx_on
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	vaddps	%ymm0, %ymm0, %ymm1
	in	%dx, %eax
	ENDLOOP

	CASE outsb
	mov	$GUEST_PORT_DEVICE, %ebp
	LOOP
	mov	$GUEST_BUFFER, %esi
	mov	$4096, %ecx
	rep outsb
	ENDLOOP

	CASE out_event
	mov	$GUEST_PORT_EVENT, %ebp
	LOOP
	out	%eax, %dx
	ENDLOOP

	CASE mmio_event
	mov	$GUEST_MMIO_EVENT, %ebx
	LOOP
	mov	%eax, (%rbx)
	ENDLOOP

	CASE mmio_read
	mov	$GUEST_MMIO, %ebx
	LOOP
	mov	(%rbx), %eax
	ENDLOOP

	CASE mmio_write
	mov	$GUEST_MMIO, %ebx
	LOOP
	mov	%eax, (%rbx)
	ENDLOOP

	CASE hlt_inject
	LOOP
	sti
	hlt
	cli
	ENDLOOP

/* ---------------------------------------------------------- EPT violations */

	CASE touch
	mov	$GUEST_HIGH, %ebx
	LOOP
	mov	%eax, (%rbx)
	add	%rsi, %rbx
	ENDLOOP

/* --------------------------------------------------- the local APIC's work */

	CASE eoi
	call	x2apic_on
	mov	$X2APIC_EOI, %ecx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	LOOP
	wrmsr
	ENDLOOP

	CASE self_ipi
	call	x2apic_on
	mov	$X2APIC_SELF_IPI, %ecx
	mov	$GUEST_VECTOR_EOI, %ebx
	xor	%ebp, %ebp
	sti
	LOOP
	wrmsr
	nop
	ENDLOOP

	CASE self_ipi_hlt
	call	x2apic_on
	mov	$X2APIC_SELF_IPI, %ecx
	mov	$GUEST_VECTOR_EOI, %ebx
	xor	%ebp, %ebp
	LOOP
	cli
	wrmsr
	sti
	hlt
	ENDLOOP

/* RSI: how far away the deadline is. */
	.macro ARM_DEADLINE
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	add	%rsi, %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$TSC_DEADLINE, %ecx
	wrmsr
	.endm

	CASE deadline_set
	call	x2apic_on
	WRITE_MSR X2APIC_LVT_TIMER, (TIMER_TSC_DEADLINE + GUEST_VECTOR_COUNT)
	LOOP
	ARM_DEADLINE
	ENDLOOP

	CASE deadline_running
	call	x2apic_on
	WRITE_MSR X2APIC_LVT_TIMER, (TIMER_TSC_DEADLINE + GUEST_VECTOR_COUNT)
	sti
	LOOP
	mov	GUEST_SHARED, %rbx
	ARM_DEADLINE
1:	cmp	GUEST_SHARED, %rbx
	je	1b
	ENDLOOP

	CASE deadline_hlt
	call	x2apic_on
	WRITE_MSR X2APIC_LVT_TIMER, (TIMER_TSC_DEADLINE + GUEST_VECTOR_COUNT)
	LOOP
	cli
	ARM_DEADLINE
	sti
	hlt
	ENDLOOP

/* The other vCPUs: wait for interrupts, running or halted, or reading what is mapped anew. */
	.globl hv_bench_guest_other_running, hv_bench_guest_other_halted
	.globl hv_bench_guest_other_reading
hv_bench_guest_other_running:
	call	x2apic_on
	lock incq GUEST_READY
	sti
1:	nop
	jmp	1b

hv_bench_guest_other_reading:
	call	x2apic_on
	mov	$GUEST_REMAPPED + GUEST_SHARED, %ebx
	lock incq GUEST_READY
	sti
1:	mov	(%rbx), %rax
	jmp	1b

hv_bench_guest_other_halted:
	call	x2apic_on
	lock incq GUEST_READY
	sti
1:	hlt
	jmp	1b

	.macro WAIT_FOR_OTHERS
	call	x2apic_on
	mov	GUEST_OTHERS, %rax
1:	cmp	GUEST_READY, %rax
	jne	1b
	.endm

/* RSI turns, until the others have halted. Their time goes to what is subtracted in the end. */
	.macro WAIT_BEFORE
	TSC	%r14
	mov	%rsi, %rax
1:	dec	%rax
	jnz	1b
	TSC	%rbx
	sub	%r14, %rbx
	add	%rbx, %r15
	.endm

/* To vCPU 1, and until GUEST_SHARED is counted up. */
	.macro SEND_IPI vector
	WAIT_FOR_OTHERS
	LOOP
	WAIT_BEFORE
	mov	GUEST_SHARED, %rbx
	mov	$X2APIC_ICR, %ecx
	mov	$\vector, %eax
	mov	$1, %edx
	wrmsr
1:	cmp	GUEST_SHARED, %rbx
	je	1b
	ENDLOOP
	.endm

	CASE ipi
	SEND_IPI GUEST_VECTOR_COUNT

	CASE ipi_back
	sti
	SEND_IPI GUEST_VECTOR_BACK

/* To all others, and until each has counted GUEST_SHARED up. */
	.macro BROADCAST vector
	mov	GUEST_SHARED, %rbx
	add	GUEST_OTHERS, %rbx
	WRITE_MSR X2APIC_ICR, (ICR_OTHERS + \vector)
1:	cmp	GUEST_SHARED, %rbx
	jne	1b
	.endm

	CASE ipi_all
	WAIT_FOR_OTHERS
	LOOP
	WAIT_BEFORE
	BROADCAST GUEST_VECTOR_ACK
	ENDLOOP

/* A bit that the CPU does not look at makes it another mapping for whoever has the old one. */
	CASE shootdown
	WAIT_FOR_OTHERS
	LOOP
	WAIT_BEFORE
	lock xorq $PTE_AVAILABLE, PDE_REMAPPED
	invlpg	GUEST_REMAPPED + GUEST_SHARED
	BROADCAST GUEST_VECTOR_FLUSH
	ENDLOOP
hv_bench_guest_end:

	.section .note.GNU-stack, "", @progbits
