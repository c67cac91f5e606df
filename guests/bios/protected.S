/* SPDX-License-Identifier: GPL-2.0-only */
/* protected: a boot sector that opens A20, goes to protected mode and writes to the screen. */
#define CODE 0x08
#define DATA 0x10
#define SCREEN 0xb8000
#define EXIT_PORT 0xf4
#define PASS 0x10

	.code16
	.globl	_start
_start:
	ljmp	$0, $1f
1:	xor	%ax, %ax
	mov	%ax, %ds
	mov	$0x2401, %ax
	int	$0x15
	jc	.
	mov	$0x0003, %ax		/* text mode; the screen is empty */
	int	$0x10
	cli
	lgdtw	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$CODE, $2f

	.code32
2:	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	$message, %esi
	mov	$SCREEN, %edi
	mov	$0x0f, %ah		/* white on black */
3:	lodsb
	test	%al, %al
	jz	4f
	stosw
	jmp	3b
4:	mov	$PASS, %al
	out	%al, $EXIT_PORT
	jmp	.

message:
	.asciz	"in protected mode"
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE */
	.quad	0x00cf93000000ffff	/* DATA */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
	.org	510
	.word	0xaa55
	.section .note.GNU-stack, "", @progbits
