/* SPDX-License-Identifier: GPL-2.0-only */
/* 16550A UART with FIFOs: the guest's serial port. */
#ifndef HV_DEV_UART16550_H
#define HV_DEV_UART16550_H

#include "dev.h"

#define HV_UART16550_FIFO 16
#define HV_UART16550_BATCH 256
#define HV_UART16550_LEN 8

/* Modem input lines, as in the upper half of MSR. */
#define HV_UART16550_CTS 0x10
#define HV_UART16550_DSR 0x20
#define HV_UART16550_RI 0x40
#define HV_UART16550_DCD 0x80

struct hv_uart16550_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	struct hv_irq irq;
	uint16_t base;			/* 0x3f8 for COM1 */
	/* What the guest sent; in batches, see hv_uart16550_flush(). May be NULL. */
	void (*output)(void *ctx, const uint8_t *data, size_t len);
	/*
	 * There is room for input again, after hv_uart16550_room() said 0 or
	 * hv_uart16550_input() took less than offered. It may call
	 * hv_uart16550_input() right away. May be NULL.
	 */
	void (*room)(void *ctx);
	void *ctx;
};

struct hv_uart16550_state {
	uint8_t ier, fcr, lcr, mcr, msr, scr;
	uint8_t dll, dlm;
	uint8_t lines;			/* modem inputs, HV_UART16550_* */
	uint8_t overrun;		/* LSR.OE */
	uint8_t thre_pending;		/* THRE interrupt raised, not yet acknowledged */
	uint8_t rx_timed_out;		/* character timeout interrupt */
	uint8_t rls_pending;		/* receiver line status interrupt */
	/* Who is listening: see uart_listens(). */
	uint8_t lsr_polls, polled, mcr_written, rts_seen, rts_used, waited;
	uint8_t rx_head, rx_count;
	uint8_t tx_count;		/* sent since the THRE interrupt was last raised */
	uint16_t batch_len;
	uint16_t rx[HV_UART16550_FIFO];	/* LSR's error bits in the high byte, data in the low */
	uint8_t batch[HV_UART16550_BATCH];	/* sent, and not handed out yet */
	/* Only in a saved state: */
	int64_t rx_timeout_left_ns, tx_empty_left_ns, flush_left_ns, grace_left_ns;
};

struct hv_uart16550 {
	struct hv_uart16550_config config;
	struct hv_region region;
	struct hv_timer rx_timeout;
	struct hv_timer tx_empty;
	struct hv_timer flush;
	struct hv_timer grace;
	struct hv_uart16550_state s;
	bool irq_level;
	bool starved;			/* the input side waits for config.room */
};

/* Returns 0 or the error of hv_bus_register(). */
int hv_uart16550_init(struct hv_uart16550 *uart, const struct hv_uart16550_config *config);
void hv_uart16550_exit(struct hv_uart16550 *uart);
void hv_uart16550_reset(struct hv_uart16550 *uart);

/* How many bytes hv_uart16550_input() would take now; 0 also while nobody listens. */
size_t hv_uart16550_room(struct hv_uart16550 *uart);

/* Receive up to @len bytes; returns how many were taken, the rest waits for config.room. */
size_t hv_uart16550_input(struct hv_uart16550 *uart, const uint8_t *data, size_t len);

/* Receive a break condition; false if there is no room for it. */
bool hv_uart16550_break(struct hv_uart16550 *uart);

/* Set the modem inputs; they are CTS, DSR and DCD from the start. */
void hv_uart16550_set_lines(struct hv_uart16550 *uart, uint8_t lines);

/* Hand out what is batched: before the VM stops, before a message of our own. */
void hv_uart16550_flush(struct hv_uart16550 *uart);

/*
 * What LSR reads as long as the guest only writes THR, 0 if that or the writes would
 * have other effects: interrupts, input. Then something is batched, and its timer runs.
 */
uint8_t hv_uart16550_steady_lsr(const struct hv_uart16550 *uart);

/* What is batched is in the state, too: flush before, if it shall not be seen twice. */
void hv_uart16550_save(const struct hv_uart16550 *uart, struct hv_uart16550_state *state);
int hv_uart16550_check(const struct hv_uart16550 *uart, const struct hv_uart16550_state *state);
int hv_uart16550_load(struct hv_uart16550 *uart, const struct hv_uart16550_state *state);
extern const struct hv_state_kind hv_uart16550_kind;

#endif
