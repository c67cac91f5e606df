/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot sector of the payload disk: load what its table lists, if anything, and start the Linux kernel whose
 * real-mode part lies at 0x90000 then.
 *
 * Bochs 3.0 puts the kernel into RAM by itself and the table is empty; for the packaged Bochs 2.7, which cannot put
 * large files there, the BIOS reads them from this disk.
 */
	.code16
	.set TABLE, 0x7c00 + 0x140	/* of { lba, sectors, address }, 32 bits each, up to sectors = 0 */
	.set BOUNCE, 0x10000
	.set CHUNK, 32			/* sectors at once; more would reach from 0x90000 into the BIOS data */

	.globl _start
_start:
	cli
	cld
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	mov $TABLE, %bp
	sti
image:
	mov 0(%bp), %eax
	mov %eax, lba
	mov 4(%bp), %ebx		/* sectors left */
	mov 8(%bp), %edi		/* where to */
	add $12, %bp
	test %ebx, %ebx
	jz start
chunk:
	movw $CHUNK, count
	mov $packet, %si
	mov $0x80, %dl
	mov $0x42, %ah			/* read sectors */
	push %ebx
	push %edi
	push %bp
	int $0x13
	pop %bp
	pop %edi
	jc .				/* vtbox tells that the machine does not come up */
	mov %edi, %eax
	mov %ax, to_low
	shr $16, %eax
	mov %al, to_mid
	mov %ah, to_high
	mov $gdt, %si
	mov $(CHUNK * 512 / 2), %cx
	mov $0x87, %ah			/* move to extended memory, in words */
	push %edi
	push %bp
	int $0x15
	pop %bp
	pop %edi
	pop %ebx
	jc .
	add $(CHUNK * 512), %edi
	addl $CHUNK, lba
	sub $CHUNK, %ebx
	ja chunk
	jmp image
start:
	cli
	mov $0x9000, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov $0x9800, %sp
	ljmp $0x9020, $0

packet:	.byte 16, 0
count:	.word 0
	.word BOUNCE & 0xf, BOUNCE >> 4
lba:	.long 0, 0
gdt:	.fill 16
	.word 0xffff, BOUNCE & 0xffff
	.byte BOUNCE >> 16, 0x93
	.word 0
	.word 0xffff
to_low:	.word 0
to_mid:	.byte 0, 0x93
	.byte 0
to_high: .byte 0
	.fill 16
	.org 256			/* fails if the code is longer: the rest of the sector is data */
