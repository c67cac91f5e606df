/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook "code32_start" of the Linux boot protocol: writes the TSC at the kernel's entry to port 0xe9, as 16 hex
 * digits and a newline, and goes on there. ESI, the kernel's parameters, is left alone.
 */
	.code32
	.globl _start
_start:
	rdtsc
	mov %eax, %ebp
	mov %edx, %ebx			/* EBX:EBP */
	mov $16, %ecx
digit:	mov %ebx, %eax
	shr $28, %eax
	add $'0', %al
	cmp $'9', %al
	jbe print
	add $('a' - '9' - 1), %al
print:	outb %al, $0xe9
	shld $4, %ebp, %ebx
	shl $4, %ebp
	loop digit
	mov $'\n', %al
	outb %al, $0xe9
	xor %ebx, %ebx			/* as the kernel's real-mode part leaves them */
	xor %ebp, %ebp
	mov $0x100000, %eax
	jmp *%eax
