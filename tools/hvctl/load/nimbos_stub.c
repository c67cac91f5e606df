// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entered at 0x8000 in real mode with all registers and segments 0; leaves for 0x200000
 * in flat 32-bit protected mode, ESP 0x7000, EAX the multiboot magic, EBX the information.
 */
#include "boot.h"
#include "load.h"
#include "nimbos_stub.h"

#define STR(x) #x
#define XSTR(x) STR(x)
#define AT(label) "(" label " - hv_nimbos_stub + " XSTR(HV_NIMBOS_STUB_GPA) ")"

asm(".pushsection .rodata.nimbos_stub, \"a\"\n"
    ".globl hv_nimbos_stub, hv_nimbos_stub_end\n"
    ".balign 16\n"
    "hv_nimbos_stub:\n"
    "	.code16\n"
    "	cli\n"
    "	cld\n"
    "	lgdtl " AT(".Lgdt_pointer") "\n"
    "	movl %cr0, %eax\n"
    "	orl $1, %eax\n"
    "	movl %eax, %cr0\n"
    "	ljmpl $0x08, $" AT(".Lprotected") "\n"
    "	.code32\n"
    ".Lprotected:\n"
    "	movl $0x10, %eax\n"
    "	movl %eax, %ds\n"
    "	movl %eax, %es\n"
    "	movl %eax, %ss\n"
    "	movl %eax, %fs\n"
    "	movl %eax, %gs\n"
    "	movl $" XSTR(HV_BOOT_STACK_REAL) ", %esp\n"
    "	movl $" XSTR(HV_MULTIBOOT_EAX) ", %eax\n"
    "	movl $" XSTR(HV_BOOT_INFO) ", %ebx\n"
    "	ljmpl $0x08, $0x200000\n"
    "	.balign 8\n"
    ".Lgdt:\n"
    "	.quad 0\n"
    "	.quad 0x00cf9b000000ffff\n"
    "	.quad 0x00cf93000000ffff\n"
    ".Lgdt_pointer:\n"
    "	.word . - .Lgdt - 1\n"
    "	.long " AT(".Lgdt") "\n"
    "hv_nimbos_stub_end:\n"
    "	.code64\n"
    "	.popsection\n");
