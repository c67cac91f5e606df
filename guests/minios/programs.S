/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs, as the Makefile built them, and the table that names them. */
	.macro	program name
	.pushsection .rodata
	.balign	8
program_\name:
	.incbin	"\name"
	.popsection
1:	.asciz	"\name"
	.org	1b + 16
	.quad	program_\name
	.endm

	.section .rodata.programs, "a"
	.balign	8
	.globl	programs, programs_end
programs:
	program	shell
	program	hello
	program	count
	program	primes
	program	race
	program	cpus
	program	tree
	program	fault
	program	input
	program	usertests
programs_end:
	.section .note.GNU-stack, "", @progbits
