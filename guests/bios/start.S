/* SPDX-License-Identifier: GPL-2.0-only */
/* Where boot.S jumps to, DL the drive; and calls of the BIOS, for C. */
	.section .start, "ax"
	.code16
	.globl	_start
_start:
	cli
	cld
	xor	%eax, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%ax, %fs
	mov	%ax, %gs
	mov	$0x7c00, %esp
	mov	%dl, boot_drive
	calll	console_init
	sti
	calll	guest_main
	calll	guest_finish

/*
 * void bios_int(u8 vector): registers, flags and the stack from the struct bios_call
 * bios_call, and back to it. CS is 0, as is our DS: so CS finds them again.
 */
	.text
	.code16
	.globl	bios_int
bios_int:
	pushal
	pushf
	movb	38(%esp), %al
	movb	%al, 1f + 1
	mov	%sp, our_sp
	mov	bios_call + 28, %ds
	mov	%cs:bios_call + 30, %es
	mov	%cs:bios_call + 32, %ss
	mov	%cs:bios_call + 34, %sp
	pushw	%cs:bios_call + 36
	popfw
	movl	%cs:bios_call + 0, %eax
	movl	%cs:bios_call + 4, %ebx
	movl	%cs:bios_call + 8, %ecx
	movl	%cs:bios_call + 12, %edx
	movl	%cs:bios_call + 16, %esi
	movl	%cs:bios_call + 20, %edi
	movl	%cs:bios_call + 24, %ebp
1:	int	$0
	movl	%eax, %cs:bios_call + 0
	movl	%ebx, %cs:bios_call + 4
	movl	%ecx, %cs:bios_call + 8
	movl	%edx, %cs:bios_call + 12
	movl	%esi, %cs:bios_call + 16
	movl	%edi, %cs:bios_call + 20
	movl	%ebp, %cs:bios_call + 24
	mov	%ds, %cs:bios_call + 28
	mov	%es, %cs:bios_call + 30
	mov	%ss, %cs:bios_call + 32
	mov	%sp, %cs:bios_call + 34
	pushfw
	popw	%cs:bios_call + 36
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	our_sp, %sp
	popf
	popal
	retl

/* Hooks INT 1CH: counts. */
	.globl	tick_hook
tick_hook:
	incl	%cs:hooked_ticks
	iretw

	.data
our_sp:	.word	0
	.section .note.GNU-stack, "", @progbits
