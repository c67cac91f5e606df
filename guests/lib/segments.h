/* SPDX-License-Identifier: GPL-2.0-only */
/* Selectors of the guests' GDT, for C and assembly; the order suits SYSRET. */
#ifndef GUEST_SEGMENTS_H
#define GUEST_SEGMENTS_H

#define KERNEL_CS	0x08	/* of the guest's own width */
#define KERNEL_DS	0x10
#define USER_CS32	0x1b
#define USER_DS		0x23
#define USER_CS		0x2b	/* of the guest's own width */
#define TSS_SELECTOR	0x30	/* two slots in long mode */
#define CODE32		0x40	/* compatibility mode on the way down */
#define CODE16		0x48
#define DATA16		0x50
#define GDT_FREE	0x58	/* first slot for the guest itself */
#define GDT_SLOTS	16

#define USER_EXIT_VECTOR	0x40
#define USER_PRINT_VECTOR	0x41

#endif
