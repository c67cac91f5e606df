/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot sector of bios.c: reads that from the sectors behind itself to 0x8000, a sector
 * at a time, as the drive's geometry counts them. DISK: it is a hard disk's.
 */
#define STAGE2 0x8000
#define SECTORS 64

#include "sector.inc"

	mov	%dl, drive

	mov	$0x08, %ah		/* geometry: CL 5:0 sectors of a track, DH last head */
	int	$0x13
	jc	failed
	and	$0x3f, %cx
	mov	%cl, sectors
	movzbw	%dh, %ax
	inc	%ax
	mov	%ax, heads

	xor	%ax, %ax
	mov	%ax, %es
	mov	$STAGE2, %bx
	mov	$1, %si			/* LBA: the sector behind this one */
read:
	mov	%si, %ax
	xor	%dx, %dx
	divw	sectors			/* track; sector - 1 */
	lea	1(%edx), %cx
	xor	%dx, %dx
	divw	heads			/* cylinder; head */
	mov	%dl, %dh
	mov	%al, %ch
	mov	drive, %dl
	mov	$0x0201, %ax
	int	$0x13
	jc	failed
	add	$512, %bx
	inc	%si
	cmp	$SECTORS, %si
	jbe	read
	mov	drive, %dl
	ljmp	$0, $STAGE2

failed:
	mov	$message, %si
1:	lodsb
	test	%al, %al
	jz	2f
	mov	$0x0e, %ah
	int	$0x10
	jmp	1b
2:	cli
	hlt

message:
	.asciz	"cannot read the disk\r\n"
drive:	.byte	0
	.balign	2
sectors:
	.word	0
heads:	.word	0
#ifdef DISK
	.org	0x1be
	.byte	0x80, 0, 2, 0, 0x83, 15, 63, 0	/* one partition, bootable: 16 heads, 63 sectors */
	.long	1, 1007
#endif
	.org	510
	.word	0xaa55
	.section .note.GNU-stack, "", @progbits
