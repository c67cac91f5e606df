/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An option ROM that starts the Linux kernel of fw_cfg, for a BIOS that cannot do it itself:
 * SeaBIOS runs it as a boot device (a PnP boot entry vector). It fetches setup code, command
 * line, kernel and initramfs by DMA, which reaches all of memory from real mode, and enters the
 * setup code as the kernel's Documentation/arch/x86/boot.rst has it. hv_linux_rom() fills in
 * the checksums.
 */
#define SECTOR 512
#define PNP_LEN 32

#define DMA_PORT 0x518
#define DMA_READ_SELECTED 0x0a
#define DMA_FAILED 0x01000000		/* what there is of control behind a request: big endian */

#define KERNEL_ADDR 0x07
#define KERNEL_SIZE 0x08
#define INITRD_ADDR 0x0a
#define INITRD_SIZE 0x0b
#define KERNEL_DATA 0x11
#define INITRD_DATA 0x12
#define CMDLINE_ADDR 0x13
#define CMDLINE_SIZE 0x14
#define CMDLINE_DATA 0x15
#define SETUP_ADDR 0x16
#define SETUP_SIZE 0x17
#define SETUP_DATA 0x18

/* Of the memory that is free while a BIOS boots: the request, and the number it asks for. */
#define SCRATCH 0x8000
#define REQUEST_CONTROL (SCRATCH + 0)
#define REQUEST_LENGTH (SCRATCH + 4)
#define REQUEST_ADDRESS (SCRATCH + 8)
#define NUMBER (SCRATCH + 16)

	.section .rodata
	.globl hv_linux_rom_begin, hv_linux_rom_end
	.code16
hv_linux_rom_begin:
	.byte	0x55, 0xaa
	.byte	(hv_linux_rom_end - hv_linux_rom_begin) / SECTOR
	lret				/* initialisation, at offset 3: nothing to do */
	.org	hv_linux_rom_begin + 0x1a
	.word	pnp - hv_linux_rom_begin

	.balign	16
pnp:
	.ascii	"$PnP"
	.byte	1, PNP_LEN / 16		/* revision, length */
	.word	0			/* no other header */
	.byte	0, 0			/* reserved, checksum */
	.long	0			/* device */
	.word	0			/* manufacturer */
	.word	product - hv_linux_rom_begin
	.byte	0, 0, 0			/* kind of device */
	.byte	0x04			/* an initial program load device */
	.word	0, 0			/* boot connection, disconnect */
	.word	boot - hv_linux_rom_begin
	.word	0, 0
product:
	.asciz	"Linux (fw_cfg)"

boot:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$SETUP_SIZE << 8 | SETUP_ADDR, %dx
	movb	$SETUP_DATA, %cl
	call	fetch
	shrl	$4, %ebp
	pushw	%bp			/* the setup code's segment */
	movw	$CMDLINE_SIZE << 8 | CMDLINE_ADDR, %dx
	movb	$CMDLINE_DATA, %cl
	call	fetch
	movw	$KERNEL_SIZE << 8 | KERNEL_ADDR, %dx
	movb	$KERNEL_DATA, %cl
	call	fetch
	movw	$INITRD_SIZE << 8 | INITRD_ADDR, %dx
	movb	$INITRD_DATA, %cl
	call	fetch
	popw	%ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$0xfff0, %esp
	addw	$0x20, %ax
	pushw	%ax
	pushw	$0
	lret

/* Item CL, of the size in item DH, to the address in item DL; EBP: that address. */
fetch:
	movb	%dl, %al
	call	number
	pushl	%ebx
	movb	%dh, %al
	call	number
	movl	%ebx, %edi
	popl	%ebp
	movb	%cl, %al
	jmp	dma

/* EBX: the number in item AL. Takes EDI and EBP. */
number:
	movl	$4, %edi
	movl	$NUMBER, %ebp
	call	dma
	movl	NUMBER, %ebx
	ret

/* EDI bytes of item AL to EBP. */
dma:
	movzbl	%al, %eax
	shll	$16, %eax
	orb	$DMA_READ_SELECTED, %al
	bswapl	%eax
	movl	%eax, REQUEST_CONTROL
	movl	%edi, %eax
	bswapl	%eax
	movl	%eax, REQUEST_LENGTH
	movl	$0, REQUEST_ADDRESS
	movl	%ebp, %eax
	bswapl	%eax
	movl	%eax, REQUEST_ADDRESS + 4
	movl	$SCRATCH, %eax
	bswapl	%eax
	pushw	%dx
	movw	$DMA_PORT, %dx
	outl	%eax, %dx
	popw	%dx
1:	movl	REQUEST_CONTROL, %eax
	testl	%eax, %eax
	jz	2f
	cmpl	$DMA_FAILED, %eax
	je	failed
	pause
	jmp	1b
2:	ret

/* The next boot device's turn. */
failed:
	sti
	int	$0x18
	hlt
	jmp	failed

	.balign	SECTOR
hv_linux_rom_end:

	.section .note.GNU-stack, "", @progbits
