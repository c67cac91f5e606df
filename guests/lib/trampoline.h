/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the trampoline goes, and what ap.c leaves there for those who come by. */
#ifndef GUEST_TRAMPOLINE_H
#define GUEST_TRAMPOLINE_H

/* A start-up IPI names a page below 1 MiB. */
#define TRAMPOLINE_PAGE	0x8000

/* Offsets in it, 4 bytes each. */
#define TRAMPOLINE_CR0	0x08
#define TRAMPOLINE_CR3	0x0c
#define TRAMPOLINE_CR4	0x10
#define TRAMPOLINE_EFER	0x14

#endif
