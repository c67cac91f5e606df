// SPDX-License-Identifier: GPL-2.0-only
/* 16550A UART: its state, saved and loaded. */
#include <errno.h>
#include <string.h>

#include "uart16550_regs.h"

void hv_uart16550_save(const struct hv_uart16550 *uart, struct hv_uart16550_state *state)
{
	struct hv_clock *clock = uart->config.clock;

	*state = uart->s;
	/* What has been handed out is nobody's business. */
	memset(state->batch + state->batch_len, 0, sizeof(state->batch) - state->batch_len);
	state->rx_timeout_left_ns = hv_timer_save(clock, &uart->rx_timeout);
	state->tx_empty_left_ns = hv_timer_save(clock, &uart->tx_empty);
	state->flush_left_ns = hv_timer_save(clock, &uart->flush);
	state->grace_left_ns = hv_timer_save(clock, &uart->grace);
}

static bool uart_flags_valid(const struct hv_uart16550_state *s)
{
	return (s->thre_pending | s->rx_timed_out | s->rls_pending | s->polled | s->mcr_written |
		s->rts_seen | s->rts_used | s->waited) <= 1 &&
	       s->lsr_polls <= POLLS_FOR_INPUT;
}

static bool uart_registers_valid(const struct hv_uart16550_state *s)
{
	return !(s->ier & ~IER_MASK) && !(s->fcr & ~FCR_KEPT) &&
	       (!s->fcr || (s->fcr & FCR_ENABLE)) && !(s->mcr & ~MCR_MASK) &&
	       !(s->overrun & ~LSR_OE) && !(s->lines & ~MSR_LINES);
}

static bool uart_rx_valid(const struct hv_uart16550_state *s)
{
	if (s->rx_head >= HV_UART16550_FIFO ||
	    s->rx_count > (s->fcr & FCR_ENABLE ? HV_UART16550_FIFO : 1))
		return false;
	for (size_t i = 0; i < HV_UART16550_FIFO; i++)
		if (s->rx[i] >> 8 & ~LSR_ERRORS)
			return false;
	/* A timeout without a character could never be acknowledged. */
	return !s->rx_timed_out || (s->rx_count && (s->fcr & FCR_ENABLE));
}

static bool runs(int64_t left_ns)
{
	return left_ns != HV_TIMER_UNARMED;
}

/* A timer runs only for a reason; what nothing but a timer ends must have it. */
static bool uart_timers_valid(const struct hv_uart16550_state *s)
{
	if (runs(s->rx_timeout_left_ns) && !(s->rx_count && (s->fcr & FCR_ENABLE)))
		return false;
	if (s->tx_count >= HV_UART16550_FIFO || (runs(s->tx_empty_left_ns) && !s->tx_count))
		return false;
	if (s->batch_len >= HV_UART16550_BATCH || runs(s->flush_left_ns) != !!s->batch_len)
		return false;
	return (runs(s->grace_left_ns) != s->waited) == uart_lacks_rts(s) &&
	       !(runs(s->grace_left_ns) && s->waited);
}

int hv_uart16550_check(const struct hv_uart16550 *uart, const struct hv_uart16550_state *state)
{
	(void)uart;
	return uart_flags_valid(state) && uart_registers_valid(state) && uart_rx_valid(state) &&
			       uart_timers_valid(state) ?
		       0 :
		       -EINVAL;
}

/* What the present owner has sent is handed out; the rest is forgotten. */
int hv_uart16550_load(struct hv_uart16550 *uart, const struct hv_uart16550_state *state)
{
	struct hv_clock *clock = uart->config.clock;
	int err = hv_uart16550_check(uart, state);

	if (err)
		return err;
	hv_uart16550_flush(uart);
	uart->s = *state;
	hv_timer_load(clock, &uart->rx_timeout, state->rx_timeout_left_ns);
	hv_timer_load(clock, &uart->tx_empty, state->tx_empty_left_ns);
	hv_timer_load(clock, &uart->flush, state->flush_left_ns);
	hv_timer_load(clock, &uart->grace, state->grace_left_ns);
	hv_uart16550_settle(uart);
	return 0;
}

HV_STATE_KIND(uart16550, HV_STATE_UART16550, 1);
