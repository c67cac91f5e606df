/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reader: a boot sector, of a disk or of a CD without emulation, that prints the text in block
 * BLOCK of the drive that it was started from: who sees it knows that it was read from there.
 * To COM1 by itself, for not every BIOS has a screen.
 */
#define BUFFER 0x8000
#define COM1 0x3f8
#define COM1_LSR (COM1 + 5)
#define LSR_EMPTY 0x20

#include "sector.inc"

	mov	$packet, %si
	mov	$0x42, %ah		/* extended read; DL is the drive still */
	int	$0x13
	mov	$message, %si
	jc	say
	mov	$BUFFER, %si
say:
	lodsb
	test	%al, %al
	jz	done
	mov	%al, %ah
	mov	$COM1_LSR, %dx
2:	in	%dx, %al
	test	$LSR_EMPTY, %al
	jz	2b
	mov	%ah, %al
	mov	$COM1, %dx
	out	%al, %dx
	jmp	say
done:
	cli
	hlt
	jmp	done

message:
	.asciz	"cannot read the drive\r\n"
	.balign	4
packet:
	.byte	16, 0
	.word	1			/* blocks */
	.word	BUFFER, 0		/* offset, segment */
	.quad	BLOCK
	.org	510
	.word	0xaa55
	.section .note.GNU-stack, "", @progbits
