/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bzimage: the smallest kernel that is started as Linux is, by firmware that enters its setup
 * code in real mode (SeaBIOS, by hvctl's option ROM), or its 32-bit entry (qboot, or hvctl
 * itself). It says which, and what it was given: command line and initramfs, which is to be
 * text. The header is that of Documentation/arch/x86/boot.rst of the kernel.
 */
#define COM1 0x3f8
#define EXIT 0xf4
#define PASS 0x10
#define FAIL 0x11
#define SECTOR 512
#define KERNEL 0x100000
#define STACK 0x9f000
#define AT(label) ((label) - code32 + KERNEL)

#define MAGIC 0x202
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define CMD_LINE_PTR 0x228

	.text
	.globl _start
	.code16
_start:
	.org	0x1f1
	.byte	1			/* sectors of setup code behind the first */
	.word	0
	.long	(end - code32) / 16
	.org	0x1fe
	.word	0xaa55
	jmp	setup
	.ascii	"HdrS"
	.word	0x20c			/* protocol */
	.long	0
	.word	0, 0
	.byte	0			/* loader */
	.byte	1			/* loaded high */
	.word	0
	.long	KERNEL
	.long	0, 0			/* initramfs */
	.long	0
	.word	0, 0			/* heap */
	.long	0			/* command line */
	.long	0x7fffffff		/* highest address of an initramfs */
	.long	0x1000			/* alignment */
	.byte	0, 0
	.word	0
	.long	255			/* bytes of a command line */
	.long	0, 0, 0
	.long	0, 0
	.long	0, 0
	.quad	KERNEL
	.long	0x10000			/* what it needs to start */
	.long	0

/* DS is where the first sector is. */
setup:
	cli
	cld
	movw	$from_setup, %si
	movw	$from_setup_end - from_setup, %cx
	movw	$COM1, %dx
	rep outsb
	xorl	%esi, %esi
	movw	%ds, %si
	shll	$4, %esi
	leal	gdt(%esi), %eax
	movl	%eax, gdt_base
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x10, $AT(flat)

from_setup:
	.ascii	"bzimage: its setup code runs\n"
from_setup_end:
	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
gdt_base:
	.long	0

	.org	2 * SECTOR
	.code32
/* ESI: the boot parameters, which begin as the setup code does. */
code32:
	cli
	cld
	movl	$STACK, %esp
	movl	$AT(from_32), %ebx
	call	say
	jmp	both
flat:
	movw	$0x18, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$STACK, %esp
both:
	cmpl	$0x53726448, MAGIC(%esi)
	jne	failed
	movl	$AT(command_line), %ebx
	call	say
	movl	CMD_LINE_PTR(%esi), %ebx
	call	say
	movl	$AT(initramfs), %ebx
	call	say
	movl	RAMDISK_SIZE(%esi), %ecx
	movl	RAMDISK_IMAGE(%esi), %esi
	movw	$COM1, %dx
	rep outsb
	movl	$AT(done), %ebx
	call	say
	movb	$PASS, %al
	outb	%al, $EXIT
failed:
	movb	$FAIL, %al
	outb	%al, $EXIT
	hlt
	jmp	failed

/* The string at EBX */
say:
	movw	$COM1, %dx
	jmp	2f
1:	outb	%al, %dx
	incl	%ebx
2:	movb	(%ebx), %al
	testb	%al, %al
	jnz	1b
	ret

from_32:
	.asciz	"bzimage: entered in 32-bit mode\n"
command_line:
	.asciz	"bzimage: command line: "
initramfs:
	.asciz	"\nbzimage: initramfs: "
done:
	.asciz	"\nPASS bzimage\n"
	.org	4 * SECTOR		/* a loader may want room for a 64-bit entry */
end:
	.section .note.GNU-stack, "", @progbits
