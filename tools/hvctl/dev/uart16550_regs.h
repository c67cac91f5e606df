/* SPDX-License-Identifier: GPL-2.0-only */
/* The bits of the 16550A's registers, listed in uart16550.c, and what its files share. */
#ifndef HV_DEV_UART16550_REGS_H
#define HV_DEV_UART16550_REGS_H

#include "uart16550.h"

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RDA 0x01
#define IER_THRE 0x02
#define IER_RLS 0x04
#define IER_MSI 0x08
#define IER_MASK 0x0f

#define IIR_NONE 0x01
#define IIR_MSI 0x00
#define IIR_THRE 0x02
#define IIR_RDA 0x04
#define IIR_RLS 0x06
#define IIR_CTI 0x0c
#define IIR_FIFOS 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RCVR 0x02
#define FCR_KEPT 0xc9

#define LCR_DLAB 0x80

enum { MCR_DTR = 0x01, MCR_RTS = 0x02, MCR_OUT1 = 0x04, MCR_OUT2 = 0x08, MCR_LOOP = 0x10 };
#define MCR_MASK 0x1f

#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_BI 0x10
#define LSR_ERRORS 0x1c		/* the ones that travel with a character */
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define LSR_FIFO_ERROR 0x80

#define MSR_DELTAS 0x0f
#define MSR_LINES 0xf0

/* So many reads of LSR in a row, nothing sent in between, are a poll for input. */
#define POLLS_FOR_INPUT 8

/*
 * A driver that has receive interrupts on for so long, and has never raised RTS with them,
 * listens all the same: it writes 0 or OUT2 to MCR, and that was it.
 */
#define GRACE_NS 100000000ull

/* A guest that has filled a part of the FIFO and waits hears of it after this. */
#define TX_EMPTY_NS 50000ull

/* A terminal is not kept waiting longer than this; a line of a polling driver takes less. */
#define FLUSH_NS 10000000ull

/* Would a driver be ready for input but for RTS, which it may never raise? */
static inline bool uart_lacks_rts(const struct hv_uart16550_state *s)
{
	return (s->ier & IER_RDA) && s->mcr_written && !s->rts_used &&
	       !(s->mcr & (MCR_RTS | MCR_LOOP));
}

/* Everything has changed: drive the interrupt line, and say so if there is room. */
void hv_uart16550_settle(struct hv_uart16550 *uart);

#endif
