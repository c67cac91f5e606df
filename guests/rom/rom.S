/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rom: firmware of 4 KiB with its GDT and IDT in ROM, as some have them until RAM works.
 *
 * Every way to load a segment register finds a descriptor of its own that has not been accessed
 * yet, so that the CPU wants to write there. It goes on as if that had worked.
 */
#define COM1 0x3f8
#define EXIT_PORT 0xf4
#define PASS 0x10
#define FAIL 0x11
#define STACK 0x8000

/* Descriptors, none of them accessed. */
#define CODE_JMP 0x08
#define CODE_CALL 0x10
#define CODE_RET 0x18
#define CODE_IRET 0x20
#define CODE_INT 0x28
#define CODE_FAULT 0x30
#define DATA_SS 0x38
#define DATA_DS 0x40
#define DATA_ES 0x48
#define DATA_FS 0x50
#define DATA_GS 0x58

#define VECTOR_BP 3
#define VECTOR_UD 6

/* The segment register holds this selector; EBX: which check it is. */
#define HOLDS(segment, selector)	\
	inc	%ebx;			\
	movw	%segment, %ax;		\
	cmp	$selector, %ax;		\
	jne	fail

	.code16
	.globl	_start
_start:
	cli
	lgdtl	%cs:gdt_pointer - _start + 0xf000
	lidtl	%cs:idt_pointer - _start + 0xf000
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CODE_JMP, $1f

	.code32
1:	xor	%ebx, %ebx
	mov	$DATA_DS, %eax
	mov	%eax, %ds
	mov	$DATA_SS, %eax
	mov	%eax, %ss
	mov	$STACK, %esp
	push	$DATA_ES
	pop	%es
	lfs	far_fs, %eax
	lgs	far_gs, %eax
	HOLDS(cs, CODE_JMP)
	HOLDS(ds, DATA_DS)
	HOLDS(ss, DATA_SS)
	HOLDS(es, DATA_ES)
	HOLDS(fs, DATA_FS)
	HOLDS(gs, DATA_GS)

	lcall	$CODE_CALL, $called
	HOLDS(cs, CODE_RET)
	pushf
	push	$CODE_IRET
	push	$2f
	iret
2:	HOLDS(cs, CODE_IRET)
	xor	%edx, %edx
	int3
	HOLDS(dx, CODE_INT)
	ud2
	HOLDS(dx, CODE_FAULT)

	/* Who writes there itself finds it to be ROM. */
	inc	%ebx
	movb	$0, gdt + DATA_DS + 5
	testb	$0x10, gdt + DATA_DS + 5
	jz	fail

	mov	$passed, %esi
	mov	$PASS, %ecx
	jmp	say

called:
	HOLDS(cs, CODE_CALL)
	movl	$CODE_RET, 4(%esp)
	lret

breakpoint:
	mov	%cs, %edx
	iret

undefined:
	mov	%cs, %edx
	addl	$2, (%esp)
	iret

fail:
	lea	'a'-1(%ebx), %eax
	mov	$COM1, %edx
	out	%al, %dx
	mov	$failed, %esi
	mov	$FAIL, %ecx
say:
	mov	$COM1, %edx
3:	lodsb
	test	%al, %al
	jz	4f
	out	%al, %dx
	jmp	3b
4:	mov	%ecx, %eax
	out	%al, $EXIT_PORT
	jmp	.

passed:	.asciz	"PASS rom\n"
failed:	.asciz	": FAIL rom\n"

	.balign	8
gdt:
	.quad	0
	.rept	6
	.quad	0x00cf9a000000ffff
	.endr
	.rept	5
	.quad	0x00cf92000000ffff
	.endr
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
far_fs:	.long	0
	.word	DATA_FS
far_gs:	.long	0
	.word	DATA_GS

/* Interrupt gates; the handlers lie in the ROM's last 64 KiB. */
	.balign	8
idt:
	.fill	VECTOR_BP, 8, 0
	.word	breakpoint - _start + 0xf000, CODE_INT, 0x8e00, 0xffff
	.fill	VECTOR_UD - VECTOR_BP - 1, 8, 0
	.word	undefined - _start + 0xf000, CODE_FAULT, 0x8e00, 0xffff
idt_pointer:
	.word	. - idt - 1
	.long	idt

/* The reset vector. */
	.org	0xff0
	.code16
	jmp	_start
	.org	0x1000
	.section .note.GNU-stack, "", @progbits
