/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "mark begin", "mark end": tell the Bochs of tools/testbed/instrument where to start and stop counting. Elsewhere
 * it does nothing.
 */
	.globl _start
_start:
	mov 16(%rsp), %rax		/* argv[1] */
	mov $1, %edi			/* one operation */
	cmpb $'b', (%rax)
	jne end
	xchg %bx, %bx
	jmp exit
end:	xchg %cx, %cx
exit:	mov $60, %eax
	xor %edi, %edi
	syscall
