/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BIOS as the guest's CPU sees it. INT n comes to entry n, which tells hvctl so by a
 * write to a port: services are written in C (bios.c), and find the caller's registers,
 * stack and flags just as the INT has left them. What is done here is what must be: to
 * wait with interrupts on, and to take the timer's.
 */
#include "rom.h"

#define AT(label) ((label) - hv_bios_rom + HV_BIOS_OFFSET)

#define BDA 0x40			/* the segment of the BIOS data area */
#define TICKS 0x6c			/* since midnight, */
#define MIDNIGHT 0x70			/* ... which has passed */
#define TICKS_A_DAY 0x1800b0

	.section .rodata
	.balign 16
	.code16
	.globl hv_bios_rom
hv_bios_rom:
	.set	vector, 0
	.rept	256
	.balign	8
	pushw	$vector
	jmp	call
	.set	vector, vector + 1
	.endr

/*
 * The interrupt's number is on the stack, IP, CS and flags of the caller behind it. With
 * CF hvctl wants to be asked again: with ZF at once, else after the next interrupt.
 */
	.balign	8
call:
	out	%al, $HV_BIOS_PORT
	.globl	hv_bios_rom_called
hv_bios_rom_called:
	jc	again
	add	$2, %sp
	iret
again:
	jz	again_at_once
	sti				/* not before HLT: nothing is missed */
	hlt
	jmp	call
again_at_once:
	sti
	nop
	jmp	call

/* 18.2 times a second: count, and give programs their turn. */
	.globl	hv_bios_rom_irq0
hv_bios_rom_irq0:
	push	%ax
	push	%ds
	mov	$BDA, %ax
	mov	%ax, %ds
	incl	TICKS
	cmpl	$TICKS_A_DAY, TICKS
	jb	1f
	movl	$0, TICKS
	movb	$1, MIDNIGHT
1:
	int	$0x1c
	mov	$0x20, %al		/* end of interrupt */
	out	%al, $0x20
	pop	%ds
	pop	%ax
	.globl	hv_bios_rom_nothing
hv_bios_rom_nothing:
	iret

/* A program has come to its end here. */
	.globl	hv_bios_rom_stop
hv_bios_rom_stop:
	cli
	hlt
	jmp	hv_bios_rom_stop

/* INT 1EH: what a floppy drive needs; only the sectors of a track (4) mean something here. */
	.globl	hv_bios_rom_floppy
hv_bios_rom_floppy:
	.byte	0xdf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

/* INT 15H, AH=C0H: an AT, with two 8259s, an RTC and an extended BIOS data area. */
	.globl	hv_bios_rom_config
hv_bios_rom_config:
	.word	8
	.byte	0xfc, 0, 1, 0x64, 0, 0, 0, 0

reset:
	mov	$0xfe, %al		/* 8042: pulse the reset line */
	out	%al, $0x64
	jmp	hv_bios_rom_stop

/* What programs jump to for a reset, with the ROM's date and the PC's model behind it. */
	.org	hv_bios_rom + 0xfff0 - HV_BIOS_OFFSET
	ljmp	$HV_BIOS_SEGMENT, $AT(reset)
	.ascii	"11/29/26"
	.org	hv_bios_rom + 0xfffe - HV_BIOS_OFFSET
	.byte	0xfc
	.org	hv_bios_rom + HV_BIOS_SIZE

	.section .note.GNU-stack, "", @progbits
