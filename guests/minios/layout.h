/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and vectors, for C, assembly and the linker script. */
#ifndef MINIOS_LAYOUT_H
#define MINIOS_LAYOUT_H

#define KERNEL_BASE	0x200000
#define USER_BASE	0x400000000000
#define USER_END	0x400040000000	/* 1 GiB: one entry of one table */
#define USER_STACK	0x4000		/* bytes, ending at USER_END */

#define TIMER_VECTOR	0xf0
#define RESCHEDULE_VECTOR 0xf1	/* there is a task for an idle CPU */
#define FLUSH_VECTOR	0xf2	/* an address space goes away */
#define SPURIOUS_VECTOR	0xff

/* struct cpu, at the kernel's GS base */
#define CPU_KERNEL_SP	0
#define CPU_USER_SP	8
#define CPU_SELF	16

#endif
