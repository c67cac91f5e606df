// SPDX-License-Identifier: GPL-2.0-only
/*
 * 16550A UART: the guest's serial port, with exact interrupts and no baud pacing.
 *
 *  off  DLAB  read                        write
 *   0    0    RBR  receiver buffer        THR  transmitter holding
 *   1    0    IER  3 modem, 2 line status, 1 THR empty, 0 data available
 *   0    1    DLL  divisor, low           (115200 / baud rate)
 *   1    1    DLM  divisor, high
 *   2         IIR  7:6 FIFOs on, 3:0 id   FCR  7:6 trigger 1/4/8/14, 2 clear XMIT,
 *                                              1 clear RCVR, 0 FIFOs on
 *   3         LCR  7 DLAB, 6 break, 5:3 parity, 2 stop bits, 1:0 word length - 5
 *   4         MCR  4 loop, 3 OUT2, 2 OUT1, 1 RTS, 0 DTR
 *   5         LSR  7 error in FIFO, 6 TEMT, 5 THRE, 4 BI, 3 FE, 2 PE, 1 OE, 0 DR
 *   6         MSR  7 DCD, 6 RI, 5 DSR, 4 CTS, 3 DDCD, 2 TERI, 1 DDSR, 0 DCTS
 *   7         SCR  scratch
 *
 * Interrupt ids, highest priority first, and what clears them:
 *   0110  receiver line status    read LSR
 *   0100  data available          FIFO below its trigger level
 *   1100  character timeout       read RBR
 *   0010  THR empty               read IIR when it shows this id, or write THR
 *   0000  modem status            read MSR
 *
 * A PC gates the interrupt pin with OUT2. Guests written on emulators often
 * forget it, and none relies on the gate, so it is left out.
 */
#include <string.h>

#include "uart16550_regs.h"

static bool uart_has_fifo(const struct hv_uart16550 *uart)
{
	return uart->s.fcr & FCR_ENABLE;
}

static size_t uart_capacity(const struct hv_uart16550 *uart)
{
	return uart_has_fifo(uart) ? HV_UART16550_FIFO : 1;
}

static size_t uart_trigger(const struct hv_uart16550 *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return uart_has_fifo(uart) ? levels[uart->s.fcr >> 6] : 1;
}

/* The time of four characters: after it, data below the trigger level is reported too. */
static uint64_t uart_timeout_ns(const struct hv_uart16550 *uart)
{
	unsigned int divisor = uart->s.dlm << 8 | uart->s.dll;
	unsigned int bits =
		1 + 5 + (uart->s.lcr & 3) + !!(uart->s.lcr & 8) + 1 + !!(uart->s.lcr & 4);

	return hv_muldiv(4ull * bits * (divisor ? divisor : 1), HV_NSEC_PER_SEC, 115200);
}

/* The errors that LSR shows: those of the character at the top of the FIFO. */
static uint8_t uart_top_errors(const struct hv_uart16550 *uart)
{
	return uart->s.rx_count ? uart->s.rx[uart->s.rx_head] >> 8 : 0;
}

static uint8_t uart_iir(const struct hv_uart16550 *uart)
{
	if ((uart->s.ier & IER_RLS) && uart->s.rls_pending)
		return IIR_RLS;
	if ((uart->s.ier & IER_RDA) && uart->s.rx_count >= uart_trigger(uart))
		return IIR_RDA;
	if ((uart->s.ier & IER_RDA) && uart->s.rx_timed_out)
		return IIR_CTI;
	if ((uart->s.ier & IER_THRE) && uart->s.thre_pending)
		return IIR_THRE;
	if ((uart->s.ier & IER_MSI) && (uart->s.msr & MSR_DELTAS))
		return IIR_MSI;
	return IIR_NONE;
}

static void uart_update_irq(struct hv_uart16550 *uart)
{
	bool level = uart_iir(uart) != IIR_NONE;

	if (level == uart->irq_level)
		return;
	uart->irq_level = level;
	hv_irq_set(&uart->config.irq, level);
}

/*
 * Does the guest want input now? Anything that arrives before its driver has
 * cleared the FIFO for the last time would be lost, and a script piped into
 * hvctl is there from the first instant. So wait like a terminal with hardware
 * handshake does: a driver that uses interrupts must have enabled them and, if
 * it touches MCR at all, raise RTS (Linux does so last when it opens the port), or
 * leave all as it is for a while. A guest that polls LSR is listening too; RTS
 * matters only if it uses it.
 */
static bool uart_listens(const struct hv_uart16550 *uart)
{
	bool rts = uart->s.mcr & MCR_RTS;

	if (uart->s.mcr & MCR_LOOP)
		return false;
	if ((uart->s.ier & IER_RDA) && (rts || !uart->s.mcr_written || uart->s.waited))
		return true;
	return uart->s.polled && (rts || !uart->s.rts_seen);
}

/* Say once that there is room: not for each byte but when the FIFO has run empty. */
static void uart_tell_room(struct hv_uart16550 *uart)
{
	if (!uart->starved || uart->s.rx_count || !uart_listens(uart))
		return;
	uart->starved = false;
	if (uart->config.room)
		uart->config.room(uart->config.ctx);
}

static void uart_grace_over(void *dev)
{
	struct hv_uart16550 *uart = dev;

	uart->s.waited = true;
	uart_tell_room(uart);
}

/* After a write to a register of control; @anew: what went before does not count. */
static void uart_update_grace(struct hv_uart16550 *uart, bool anew)
{
	struct hv_clock *clock = uart->config.clock;
	struct hv_uart16550_state *s = &uart->s;
	bool lacks_rts = uart_lacks_rts(s);

	if ((s->ier & IER_RDA) && (s->mcr & MCR_RTS) && !(s->mcr & MCR_LOOP))
		s->rts_used = true;
	if (anew || !lacks_rts) {
		s->waited = false;
		hv_timer_cancel(clock, &uart->grace);
	}
	if (lacks_rts && !s->waited && !uart->grace.armed)
		hv_timer_arm(clock, &uart->grace, hv_now_ns(clock) + GRACE_NS);
}

static void uart_rx_restart_timeout(struct hv_uart16550 *uart)
{
	struct hv_clock *clock = uart->config.clock;

	uart->s.rx_timed_out = false;
	if (uart->s.rx_count && uart_has_fifo(uart))
		hv_timer_arm(clock, &uart->rx_timeout, hv_now_ns(clock) + uart_timeout_ns(uart));
	else
		hv_timer_cancel(clock, &uart->rx_timeout);
}

static void uart_rx_timeout(void *dev)
{
	struct hv_uart16550 *uart = dev;

	uart->s.rx_timed_out = uart->s.rx_count > 0;
	uart_update_irq(uart);
}

static void uart_rx_clear(struct hv_uart16550 *uart)
{
	uart->s.rx_head = 0;
	uart->s.rx_count = 0;
	uart_rx_restart_timeout(uart);
}

/* A character has come in, from the line or from our own transmitter in loopback. */
static void uart_rx_push(struct hv_uart16550 *uart, uint8_t data, uint8_t errors)
{
	uint16_t entry = (uint16_t)(errors << 8 | data);

	if (uart->s.rx_count == uart_capacity(uart)) {
		uart->s.overrun = LSR_OE;
		uart->s.rls_pending = true;
		/* A full FIFO keeps what it has; without FIFO the new character wins. */
		if (!uart_has_fifo(uart))
			uart->s.rx[uart->s.rx_head] = entry;
		return;
	}
	uart->s.rx[(uart->s.rx_head + uart->s.rx_count) % HV_UART16550_FIFO] = entry;
	uart->s.rx_count++;
	if (uart->s.rx_count == 1 && errors)
		uart->s.rls_pending = true;
}

static uint8_t uart_read_rbr(struct hv_uart16550 *uart)
{
	uint8_t data;

	if (!uart->s.rx_count)
		return 0;
	data = (uint8_t)uart->s.rx[uart->s.rx_head];
	uart->s.rx_head = (uart->s.rx_head + 1) % HV_UART16550_FIFO;
	uart->s.rx_count--;
	uart_rx_restart_timeout(uart);
	if (uart_top_errors(uart))
		uart->s.rls_pending = true;
	return data;
}

static void uart_flush(void *dev)
{
	struct hv_uart16550 *uart = dev;
	size_t len = uart->s.batch_len;

	hv_timer_cancel(uart->config.clock, &uart->flush);
	uart->s.batch_len = 0;
	if (len && uart->config.output)
		uart->config.output(uart->config.ctx, uart->s.batch, len);
}

void hv_uart16550_flush(struct hv_uart16550 *uart)
{
	uart_flush(uart);
}

/* A line, a full batch, or FLUSH_NS, whichever is first. */
static void uart_send(struct hv_uart16550 *uart, uint8_t data)
{
	struct hv_clock *clock = uart->config.clock;

	uart->s.batch[uart->s.batch_len++] = data;
	if (data == '\n' || uart->s.batch_len == HV_UART16550_BATCH)
		hv_uart16550_flush(uart);
	else if (uart->s.batch_len == 1)
		hv_timer_arm(clock, &uart->flush, hv_now_ns(clock) + FLUSH_NS);
}

/* The transmitter FIFO has run empty. */
static void uart_tx_empty(struct hv_uart16550 *uart)
{
	hv_timer_cancel(uart->config.clock, &uart->tx_empty);
	uart->s.tx_count = 0;
	uart->s.thre_pending = true;
}

static void uart_tx_empty_timer(void *dev)
{
	uart_tx_empty(dev);
	uart_update_irq(dev);
}

/*
 * The character leaves at once, and THR is empty again before the guest can look.
 * Its interrupt falls with the first character and rises when the FIFO is empty:
 * that is when sixteen have been written, or when the guest does something else,
 * or soon. So a FIFO full costs one edge and not sixteen.
 */
static void uart_write_thr(struct hv_uart16550 *uart, uint8_t data)
{
	struct hv_clock *clock = uart->config.clock;

	uart->s.lsr_polls = 0;
	uart->s.thre_pending = false;
	uart_update_irq(uart);
	if (uart->s.mcr & MCR_LOOP) {
		uart_rx_push(uart, data, 0);
		uart_rx_restart_timeout(uart);
	} else {
		uart_send(uart, data);
	}
	if (++uart->s.tx_count >= uart_capacity(uart))
		uart_tx_empty(uart);
	else if ((uart->s.ier & IER_THRE) && !uart->tx_empty.armed)
		hv_timer_arm(clock, &uart->tx_empty, hv_now_ns(clock) + TX_EMPTY_NS);
}

/* Enabling the THRE interrupt while THR is empty raises it: drivers start sending so. */
static void uart_write_ier(struct hv_uart16550 *uart, uint8_t value)
{
	if ((value & ~uart->s.ier) & IER_THRE)
		uart->s.thre_pending = true;
	uart->s.ier = value & IER_MASK;
	uart_update_grace(uart, false);
}

static void uart_write_fcr(struct hv_uart16550 *uart, uint8_t value)
{
	bool clear = (value ^ uart->s.fcr) & FCR_ENABLE;

	/* The other bits are programmed only together with the enable bit. */
	if (!(value & FCR_ENABLE))
		value = 0;
	uart->s.polled = false;
	uart->s.lsr_polls = 0;
	uart_update_grace(uart, true);
	uart->s.fcr = value & FCR_KEPT;
	if (clear || (value & FCR_CLEAR_RCVR))
		uart_rx_clear(uart);
}

/* In loopback, the modem outputs come back as the modem inputs. */
static uint8_t uart_lines(const struct hv_uart16550 *uart)
{
	uint8_t mcr = uart->s.mcr;

	if (!(mcr & MCR_LOOP))
		return uart->s.lines;
	return (mcr & MCR_RTS ? HV_UART16550_CTS : 0) | (mcr & MCR_DTR ? HV_UART16550_DSR : 0) |
	       (mcr & MCR_OUT1 ? HV_UART16550_RI : 0) | (mcr & MCR_OUT2 ? HV_UART16550_DCD : 0);
}

/* Each line's delta bit is four below it; RI counts only when it goes away. */
static void uart_update_lines(struct hv_uart16550 *uart)
{
	uint8_t lines = uart_lines(uart);
	uint8_t changed = (lines ^ uart->s.msr) & MSR_LINES;

	if (lines & HV_UART16550_RI)
		changed &= ~HV_UART16550_RI;
	uart->s.msr = lines | (uart->s.msr & MSR_DELTAS) | changed >> 4;
}

static void uart_write_mcr(struct hv_uart16550 *uart, uint8_t value)
{
	uart->s.mcr = value & MCR_MASK;
	uart->s.mcr_written = true;
	/* In loopback the RTS pin is not driven. */
	if ((value & MCR_RTS) && !(value & MCR_LOOP))
		uart->s.rts_seen = true;
	uart_update_grace(uart, false);
	uart_update_lines(uart);
}

static bool uart_fifo_has_error(const struct hv_uart16550 *uart)
{
	for (size_t i = 0; i < uart->s.rx_count; i++)
		if (uart->s.rx[(uart->s.rx_head + i) % HV_UART16550_FIFO] >> 8)
			return uart_has_fifo(uart);
	return false;
}

static uint8_t uart_read_lsr(struct hv_uart16550 *uart)
{
	uint8_t lsr = LSR_THRE | LSR_TEMT | uart->s.overrun | uart_top_errors(uart);

	if (uart->s.rx_count)
		lsr |= LSR_DR;
	if (uart_fifo_has_error(uart))
		lsr |= LSR_FIFO_ERROR;
	if (uart->s.rx_count)
		uart->s.rx[uart->s.rx_head] &= 0xff;
	uart->s.overrun = 0;
	uart->s.rls_pending = false;
	if (uart->s.lsr_polls < POLLS_FOR_INPUT)
		uart->s.lsr_polls++;
	else
		uart->s.polled = true;
	return lsr;
}

static uint8_t uart_read_iir(struct hv_uart16550 *uart)
{
	uint8_t iir = uart_iir(uart);

	if (iir == IIR_THRE)
		uart->s.thre_pending = false;
	return iir | (uart_has_fifo(uart) ? IIR_FIFOS : 0);
}

static uint8_t uart_read(struct hv_uart16550 *uart, uint64_t offset)
{
	bool dlab = uart->s.lcr & LCR_DLAB;
	uint8_t msr = uart->s.msr;

	switch (offset) {
	case RBR_THR:
		return dlab ? uart->s.dll : uart_read_rbr(uart);
	case IER:
		return dlab ? uart->s.dlm : uart->s.ier;
	case IIR_FCR:
		return uart_read_iir(uart);
	case LCR:
		return uart->s.lcr;
	case MCR:
		return uart->s.mcr;
	case LSR:
		return uart_read_lsr(uart);
	case MSR:
		uart->s.msr &= MSR_LINES;
		return msr;
	default:
		return uart->s.scr;
	}
}

static void uart_write(struct hv_uart16550 *uart, uint64_t offset, uint8_t value)
{
	if ((uart->s.lcr & LCR_DLAB) && offset <= IER) {
		*(offset == RBR_THR ? &uart->s.dll : &uart->s.dlm) = value;
		return;
	}
	switch (offset) {
	case RBR_THR:
		uart_write_thr(uart, value);
		break;
	case IER:
		uart_write_ier(uart, value);
		break;
	case IIR_FCR:
		uart_write_fcr(uart, value);
		break;
	case LCR:
		uart->s.lcr = value;
		break;
	case MCR:
		uart_write_mcr(uart, value);
		break;
	case SCR:
		uart->s.scr = value;
		break;
	default: /* LSR and MSR: factory test only */
		break;
	}
}

static uint8_t uart_read8(void *dev, uint64_t offset)
{
	struct hv_uart16550 *uart = dev;
	uint8_t value;

	if (uart->s.tx_count)
		uart_tx_empty(uart);
	value = uart_read(uart, offset);
	uart_update_irq(uart);
	uart_tell_room(uart);
	return value;
}

static void uart_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_uart16550 *uart = dev;

	if (uart->s.tx_count && offset != RBR_THR)
		uart_tx_empty(uart);
	uart_write(uart, offset, value);
	uart_update_irq(uart);
	uart_tell_room(uart);
}

static void uart_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, uart_read8, uart_write8);
}

uint8_t hv_uart16550_steady_lsr(const struct hv_uart16550 *uart)
{
	const struct hv_uart16550_state *s = &uart->s;

	if (!s->batch_len || s->rx_count || s->overrun || s->rls_pending || (s->ier & IER_THRE) ||
	    (s->lcr & LCR_DLAB) || (s->mcr & MCR_LOOP))
		return 0;
	return LSR_THRE | LSR_TEMT;
}

size_t hv_uart16550_room(struct hv_uart16550 *uart)
{
	size_t room = uart_listens(uart) ? uart_capacity(uart) - uart->s.rx_count : 0;

	if (!room)
		uart->starved = true;
	return room;
}

size_t hv_uart16550_input(struct hv_uart16550 *uart, const uint8_t *data, size_t len)
{
	size_t room = hv_uart16550_room(uart);

	if (len > room) {
		uart->starved = true;
		len = room;
	}
	if (!len)
		return 0;
	for (size_t i = 0; i < len; i++)
		uart_rx_push(uart, data[i], 0);
	uart_rx_restart_timeout(uart);
	uart_update_irq(uart);
	return len;
}

bool hv_uart16550_break(struct hv_uart16550 *uart)
{
	if (!hv_uart16550_room(uart))
		return false;
	uart_rx_push(uart, 0, LSR_BI);
	uart_rx_restart_timeout(uart);
	uart_update_irq(uart);
	return true;
}

void hv_uart16550_set_lines(struct hv_uart16550 *uart, uint8_t lines)
{
	uart->s.lines = lines & MSR_LINES;
	uart_update_lines(uart);
	uart_update_irq(uart);
}

/* Nothing is batched, and no timer runs. */
static void uart_quiet(struct hv_uart16550 *uart)
{
	hv_uart16550_flush(uart);
	hv_timer_cancel(uart->config.clock, &uart->rx_timeout);
	hv_timer_cancel(uart->config.clock, &uart->tx_empty);
	hv_timer_cancel(uart->config.clock, &uart->grace);
}

/* Master reset leaves the divisor, the scratch register and the wires as they are. */
void hv_uart16550_reset(struct hv_uart16550 *uart)
{
	uart_quiet(uart);
	uart->s = (struct hv_uart16550_state){
		.dll = uart->s.dll,
		.dlm = uart->s.dlm,
		.scr = uart->s.scr,
		.lines = uart->s.lines,
		.msr = uart->s.lines,
	};
	uart_update_irq(uart);
}

int hv_uart16550_init(struct hv_uart16550 *uart, const struct hv_uart16550_config *config)
{
	memset(uart, 0, sizeof(*uart));
	uart->config = *config;
	uart->rx_timeout = (struct hv_timer){ .fn = uart_rx_timeout, .dev = uart };
	uart->tx_empty = (struct hv_timer){ .fn = uart_tx_empty_timer, .dev = uart };
	uart->flush = (struct hv_timer){ .fn = uart_flush, .dev = uart };
	uart->grace = (struct hv_timer){ .fn = uart_grace_over, .dev = uart };
	uart->s.lines = HV_UART16550_CTS | HV_UART16550_DSR | HV_UART16550_DCD;
	uart->s.dll = 1;
	hv_uart16550_reset(uart);
	uart->region = (struct hv_region){
		.name = "uart16550",
		.space = HV_PORT,
		.base = config->base,
		.len = HV_UART16550_LEN,
		.access = uart_access,
		.dev = uart,
	};
	return hv_bus_register(config->bus, &uart->region);
}

void hv_uart16550_exit(struct hv_uart16550 *uart)
{
	uart_quiet(uart);
	hv_bus_unregister(uart->config.bus, &uart->region);
}

void hv_uart16550_settle(struct hv_uart16550 *uart)
{
	uart_update_irq(uart);
	uart_tell_room(uart);
}
