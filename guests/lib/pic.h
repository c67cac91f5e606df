/* SPDX-License-Identifier: GPL-2.0-only */
/* A PC's two 8259s: their ports, and how to start them. */
#ifndef GUEST_PIC_H
#define GUEST_PIC_H

#include "x86.h"

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1
#define PIC_EOI		0x20
#define PIC_READ_IRR	0x0a

/* Vectors from @base on, the second one at input 2 of the first, and all inputs masked. */
static inline void pic_start(u8 base)
{
	outb(PIC1_COMMAND, 0x11);
	outb(PIC1_DATA, base);
	outb(PIC1_DATA, 1 << 2);
	outb(PIC1_DATA, 1);
	outb(PIC2_COMMAND, 0x11);
	outb(PIC2_DATA, base + 8);
	outb(PIC2_DATA, 2);
	outb(PIC2_DATA, 1);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

#endif
