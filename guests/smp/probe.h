/* SPDX-License-Identifier: GPL-2.0-only */
/* Where init-asm.S leaves what it finds, in its page. */
#ifndef GUEST_SMP_PROBE_H
#define GUEST_SMP_PROBE_H

#define PROBE_BYTES	0x1000

#define PROBE_DONE	0x400
#define PROBE_AX	0x404
#define PROBE_CX	0x408
#define PROBE_DX	0x40c
#define PROBE_BX	0x410
#define PROBE_SP	0x414
#define PROBE_BP	0x418
#define PROBE_SI	0x41c
#define PROBE_DI	0x420
#define PROBE_CS	0x424
#define PROBE_DS	0x428
#define PROBE_ES	0x42c
#define PROBE_SS	0x430
#define PROBE_FS	0x434
#define PROBE_GS	0x438
#define PROBE_FLAGS	0x43c
#define PROBE_CR0	0x440
#define PROBE_CR2	0x444
#define PROBE_CR3	0x448
#define PROBE_CR4	0x44c
#define PROBE_DR0	0x450
#define PROBE_DR6	0x454
#define PROBE_DR7	0x458
#define PROBE_EFER	0x45c
#define PROBE_GDT	0x460	/* limit, base */
#define PROBE_IDT	0x468

#endif
