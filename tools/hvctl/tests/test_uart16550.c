// SPDX-License-Identifier: GPL-2.0-only
/* The 16550A, driven through the bus as a driver would. */
#include "dev_test.h"

#include "dev/uart16550.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

struct fixture {
	struct bench bench;
	struct hv_uart16550 uart;
	uint8_t out[1024];
	size_t out_len;
	unsigned int outputs, rooms;
};

static void output(void *ctx, const uint8_t *data, size_t len)
{
	struct fixture *f = ctx;

	assert_true(f->out_len + len <= sizeof(f->out));
	memcpy(f->out + f->out_len, data, len);
	f->out_len += len;
	f->outputs++;
}

static void room(void *ctx)
{
	((struct fixture *)ctx)->rooms++;
}

static struct fixture fixture;

static struct hv_uart16550_config config_for(struct fixture *f)
{
	return (struct hv_uart16550_config){
		.bus = &f->bench.bus,
		.clock = &f->bench.clock,
		.irq = bench_irq(&f->bench, 4),
		.base = DATA,
		.output = output,
		.room = room,
		.ctx = f,
	};
}

static int setup(void **state)
{
	struct hv_uart16550_config config = config_for(&fixture);

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_uart16550_init(&fixture.uart, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_uart16550_exit(&f->uart);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

static bool irq(struct fixture *f)
{
	return f->bench.level[4];
}

static size_t input(struct fixture *f, const char *text)
{
	return hv_uart16550_input(&f->uart, (const uint8_t *)text, strlen(text));
}

/* What an interrupt-driven driver leaves behind: FIFOs on, RTS, receiver enabled. */
static void open_port(struct fixture *f, uint8_t fcr)
{
	outb(&f->bench, IIR, fcr);
	outb(&f->bench, IER, 0x05);
	outb(&f->bench, MCR, 0x0b);
}

static void test_reset_values(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	assert_int_equal(inb(b, IER), 0);
	assert_int_equal(inb(b, IIR), 0x01);
	assert_int_equal(inb(b, LCR), 0);
	assert_int_equal(inb(b, MCR), 0);
	assert_int_equal(inb(b, LSR), 0x60);
	assert_int_equal(inb(b, MSR), 0xb0);
	assert_int_equal(inb(b, DATA), 0);
	assert_false(b->level[4]);
}

static void test_registers_keep_what_they_have(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outb(b, SCR, 0x5a);
	assert_int_equal(inb(b, SCR), 0x5a);
	outb(b, IER, 0xff);
	assert_int_equal(inb(b, IER), 0x0f);
	outb(b, MCR, 0xff);
	assert_int_equal(inb(b, MCR), 0x1f);
	outb(b, LCR, 0x7f);
	assert_int_equal(inb(b, LCR), 0x7f);
	outb(b, LSR, 0x00);
	assert_int_equal(inb(b, LSR), 0x60);
}

static void test_dlab(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, LCR, 0x83);
	outw(b, DATA, 0x0180);
	assert_int_equal(inb(b, DATA), 0x80);
	assert_int_equal(inb(b, IER), 0x01);
	assert_int_equal(inw(b, DATA), 0x0180);
	outb(b, LCR, 0x03);
	assert_int_equal(inb(b, IER), 0);
	hv_uart16550_flush(&f->uart);
	assert_int_equal(f->out_len, 0);
}

static void test_fcr_needs_enable(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outb(b, IIR, 0xc0);
	assert_int_equal(inb(b, IIR), 0x01);
	outb(b, IIR, 0xc1);
	assert_int_equal(inb(b, IIR), 0xc1);
	/* No 64-byte FIFO: a driver must not take this for a 16750. */
	outb(b, LCR, 0x80);
	outb(b, IIR, 0x21);
	assert_int_equal(inb(b, IIR), 0xc1);
}

static void test_output_is_batched(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, DATA, 'a');
	outb(&f->bench, DATA, 'b');
	assert_int_equal(f->outputs, 0);
	outb(&f->bench, DATA, '\n');
	assert_int_equal(f->outputs, 1);
	outb(&f->bench, DATA, '#');
	bench_run_ns(&f->bench, 9999999);
	assert_int_equal(f->outputs, 1);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(f->outputs, 2);
	outb(&f->bench, DATA, '!');
	hv_uart16550_flush(&f->uart);
	hv_uart16550_flush(&f->uart);
	assert_int_equal(f->outputs, 3);
	assert_memory_equal(f->out, "ab\n#!", 5);
	assert_int_equal(f->out_len, 5);
}

static void test_output_batch_full(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < HV_UART16550_BATCH + 1; i++)
		outb(&f->bench, DATA, 'x');
	assert_int_equal(f->outputs, 1);
	assert_int_equal(f->out_len, HV_UART16550_BATCH);
}

static void test_steady_lsr(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0); /* nothing batched: no timer runs */
	outb(b, DATA, 'a');
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), inb(b, LSR));
	outb(b, IER, 0x02);
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0);
	outb(b, IER, 0x05);
	outb(b, MCR, 0x1b);
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0);
	outb(b, MCR, 0x0b);
	outb(b, LCR, 0x83);
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0);
	outb(b, LCR, 0x03);
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0x60);
	input(f, "x");
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0);
	inb(b, DATA);
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0x60);
	outb(b, DATA, '\n');
	assert_int_equal(hv_uart16550_steady_lsr(&f->uart), 0);
}

static void test_thre_interrupt(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, IER, 0x02);
	assert_true(irq(f));
	assert_int_equal(inb(b, IIR), 0x02);
	assert_false(irq(f));
	assert_int_equal(inb(b, IIR), 0x01);
	/* Reasserted by enabling it again: else Linux sees UART_BUG_THRE. */
	outb(b, IER, 0x00);
	outb(b, IER, 0x02);
	assert_int_equal(inb(b, IIR), 0x02);
	/* Writing the same IER does not. */
	outb(b, IER, 0x02);
	assert_int_equal(inb(b, IIR), 0x01);
	outb(b, DATA, 'x');
	assert_int_equal(inb(b, IIR), 0x02);
}

static void test_thre_edge_without_iir(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, IER, 0x02);
	outb(&f->bench, DATA, 'a');
	outb(&f->bench, DATA, 'b');
	assert_int_equal(f->bench.rises[4], 3);
	assert_true(irq(f));
}

static void test_thre_when_the_fifo_is_empty(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, IIR, 0x01);
	outb(b, IER, 0x02);
	/* A FIFO full at a time is one interrupt each. */
	for (int burst = 1; burst < 4; burst++) {
		assert_int_equal(inb(b, IIR), 0xc2);
		for (int i = 0; i < 16; i++) {
			assert_false(irq(f));
			outb(b, DATA, 'x');
		}
		assert_true(irq(f));
		assert_int_equal(b->rises[4], burst + 1);
	}
	/* Less than that: when the guest looks, */
	outb(b, DATA, 'x');
	assert_false(irq(f));
	assert_int_equal(inb(b, LSR), 0x60);
	assert_true(irq(f));
	assert_int_equal(inb(b, IIR), 0xc2);
	/* and soon if it does not. */
	outb(b, DATA, 'x');
	bench_run_ns(b, 49999);
	assert_false(irq(f));
	bench_run_ns(b, 1);
	assert_true(irq(f));
	/* A driver that polls needs no timer for it. */
	outb(b, IER, 0x00);
	outb(b, DATA, '\n');
	assert_int_equal(hv_clock_next(&b->clock), UINT64_MAX);
	outb(b, IER, 0x02);
	assert_true(irq(f));
}

static void test_thre_across_a_snapshot(void **state)
{
	struct fixture *f = *state;
	struct hv_uart16550_state saved;

	outb(&f->bench, IIR, 0x01);
	outb(&f->bench, IER, 0x02);
	outb(&f->bench, DATA, 'x');
	hv_uart16550_save(&f->uart, &saved);
	hv_uart16550_reset(&f->uart);
	assert_int_equal(hv_uart16550_load(&f->uart, &saved), 0);
	assert_false(irq(f));
	bench_run_ns(&f->bench, 50000);
	assert_true(irq(f));
}

static void test_iir_of_higher_source_keeps_thre(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	open_port(f, 0x01);
	outb(b, IER, 0x07);
	assert_int_equal(input(f, "x"), 1);
	assert_int_equal(inb(b, IIR), 0xc4);
	assert_int_equal(inb(b, DATA), 'x');
	assert_int_equal(inb(b, IIR), 0xc2);
	assert_int_equal(inb(b, IIR), 0xc1);
}

static void test_priorities(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	open_port(f, 0x01);
	outb(b, IER, 0x0f);
	hv_uart16550_set_lines(&f->uart, 0);
	assert_true(hv_uart16550_break(&f->uart));
	assert_int_equal(inb(b, IIR), 0xc6);
	assert_int_equal(inb(b, LSR), 0xf1);
	assert_int_equal(inb(b, LSR), 0x61);
	assert_int_equal(inb(b, IIR), 0xc4);
	assert_int_equal(inb(b, DATA), 0);
	assert_int_equal(inb(b, IIR), 0xc2);
	assert_int_equal(inb(b, IIR), 0xc0);
	assert_true(irq(f));
	assert_int_equal(inb(b, MSR), 0x0b);
	assert_false(irq(f));
	assert_int_equal(inb(b, IIR), 0xc1);
}

static void test_trigger_levels(void **state)
{
	static const struct {
		uint8_t fcr;
		unsigned int level;
	} rows[] = {
		{ 0x01, 1 },
		{ 0x41, 4 },
		{ 0x81, 8 },
		{ 0xc1, 14 },
	};
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 4; i++) {
		open_port(f, rows[i].fcr | 0x02);
		for (unsigned int n = 1; n <= rows[i].level; n++) {
			assert_false(irq(f));
			assert_int_equal(input(f, "x"), 1);
		}
		assert_true(irq(f));
		assert_int_equal(inb(&f->bench, IIR), 0xc4);
		inb(&f->bench, DATA);
		assert_false(irq(f));
	}
}

static void test_rx_timeout(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, LCR, 0x83);
	outw(b, DATA, 1);
	outb(b, LCR, 0x03);
	open_port(f, 0x81);
	assert_int_equal(input(f, "ab"), 2);
	/* 40 bits at 115200 baud */
	bench_run_ns(b, 347221);
	assert_false(irq(f));
	bench_run_ns(b, 2);
	assert_true(irq(f));
	assert_int_equal(inb(b, IIR), 0xcc);
	assert_int_equal(inb(b, IIR), 0xcc);
	assert_int_equal(inb(b, DATA), 'a');
	assert_false(irq(f));
	bench_run_ns(b, 400000);
	assert_int_equal(inb(b, IIR), 0xcc);
	assert_int_equal(inb(b, DATA), 'b');
	bench_run_ns(b, 400000);
	assert_int_equal(inb(b, IIR), 0xc1);
}

static void test_no_timeout_without_fifo(void **state)
{
	struct fixture *f = *state;

	open_port(f, 0x00);
	assert_int_equal(hv_uart16550_room(&f->uart), 1);
	assert_int_equal(input(f, "ab"), 1);
	assert_int_equal(inb(&f->bench, IIR), 0x04);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	assert_int_equal(inb(&f->bench, DATA), 'a');
	assert_int_equal(f->rooms, 1);
}

static void test_flow_control_loses_nothing(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	struct fixture *f = *state;
	char got[sizeof(text)] = "";
	size_t sent = 0, n = 0;

	open_port(f, 0xc1);
	while (sent < strlen(text)) {
		size_t taken = input(f, text + sent);

		sent += taken;
		assert_true(taken > 0 && taken <= 16);
		assert_int_equal(f->rooms, 0);
		while (inb(&f->bench, LSR) & 0x01)
			got[n++] = (char)inb(&f->bench, DATA);
		assert_int_equal(f->rooms, sent < strlen(text) ? 1 : 0);
		f->rooms = 0;
	}
	assert_string_equal(got, text);
	assert_int_equal(hv_uart16550_room(&f->uart), 16);
}

static void test_nobody_listens_at_boot(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	assert_int_equal(input(f, "x"), 0);
	/* The order of Linux: interrupts, then FIFOs cleared, then RTS. */
	outb(b, MCR, 0x01);
	outb(b, IER, 0x05);
	assert_int_equal(input(f, "x"), 0);
	outb(b, IIR, 0x81);
	assert_int_equal(f->rooms, 0);
	outb(b, MCR, 0x0b);
	assert_int_equal(f->rooms, 1);
	assert_int_equal(input(f, "x"), 1);
}

#define GRACE_NS 100000000ull

/* What xv6 does: MCR 0, receive interrupts on, and that was it. */
static void test_driver_without_rts_is_heard(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, IIR, 0x00);
	outb(b, LCR, 0x03);
	outb(b, MCR, 0x00);
	outb(b, IER, 0x01);
	assert_int_equal(input(f, "x"), 0);
	bench_run_ns(b, GRACE_NS - 1);
	assert_int_equal(f->rooms, 0);
	assert_int_equal(input(f, "x"), 0);
	bench_run_ns(b, 1);
	assert_int_equal(f->rooms, 1);
	assert_int_equal(input(f, "x"), 1);
	assert_true(irq(f));
	assert_int_equal(inb(b, DATA), 'x');
	/* It goes on so, whatever it does to the other interrupts. */
	outb(b, IER, 0x03);
	outb(b, MCR, 0x08);
	assert_int_equal(input(f, "y"), 1);
	assert_int_equal(inb(b, DATA), 'y');
	outb(b, IER, 0x02);
	assert_int_equal(input(f, "z"), 0);
	outb(b, IER, 0x03);
	assert_int_equal(input(f, "z"), 0);
	bench_run_ns(b, GRACE_NS);
	assert_int_equal(input(f, "z"), 1);
}

/* RTS of a boot loader that polled, or of a kernel's first words, says nothing about its driver. */
static void test_rts_of_a_poller_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, MCR, 0x03);
	outb(b, MCR, 0x00);
	outb(b, IER, 0x01);
	assert_int_equal(input(f, "x"), 0);
	bench_run_ns(b, GRACE_NS);
	assert_int_equal(input(f, "x"), 1);
}

/* A driver that clears the FIFO is not done; one that has lowered RTS wants nothing. */
static void test_grace_begins_anew_or_never(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, MCR, 0x08);
	outb(b, IER, 0x01);
	bench_run_ns(b, GRACE_NS - 1);
	outb(b, IIR, 0x03);
	bench_run_ns(b, GRACE_NS - 1);
	assert_int_equal(input(f, "x"), 0);
	bench_run_ns(b, 1);
	assert_int_equal(input(f, "x"), 1);
	outb(b, IIR, 0x03);
	assert_int_equal(input(f, "x"), 0);
	outb(b, MCR, 0x0b);
	assert_int_equal(input(f, "x"), 1);
	outb(b, IIR, 0x03);
	outb(b, MCR, 0x09);
	bench_run_ns(b, 2 * GRACE_NS);
	assert_int_equal(input(f, "x"), 0);
	assert_int_equal(hv_clock_next(&b->clock), UINT64_MAX);
}

static void test_poller_is_heard(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(input(f, "x"), 0);
	for (int i = 0; i < 8; i++) {
		inb(&f->bench, LSR);
		outb(&f->bench, DATA, '.'); /* polls for sending do not count */
	}
	assert_int_equal(f->rooms, 0);
	for (int i = 0; i < 9; i++)
		inb(&f->bench, LSR);
	assert_int_equal(f->rooms, 1);
	assert_int_equal(input(f, "x"), 1);
	assert_int_equal(inb(&f->bench, LSR), 0x61);
}

static void test_fifo_clear(void **state)
{
	struct fixture *f = *state;

	open_port(f, 0x01);
	input(f, "abc");
	assert_true(irq(f));
	outb(&f->bench, IIR, 0x03);
	assert_false(irq(f));
	assert_int_equal(inb(&f->bench, LSR), 0x60);
	input(f, "abc");
	outb(&f->bench, IIR, 0x00);
	assert_int_equal(inb(&f->bench, LSR), 0x60);
}

static void test_loopback(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, IIR, 0x01);
	outb(b, MCR, 0x10);
	assert_int_equal(inb(b, MSR), 0x0b);
	outb(b, MCR, 0x1f);
	assert_int_equal(inb(b, MSR), 0xfb);
	outb(b, MCR, 0x1a);
	assert_int_equal(inb(b, MSR), 0x96);
	outb(b, DATA, 'q');
	assert_int_equal(inb(b, LSR), 0x61);
	assert_int_equal(inb(b, DATA), 'q');
	for (int i = 0; i < 17; i++)
		outb(b, DATA, (uint8_t)i);
	assert_int_equal(inb(b, LSR), 0x63);
	assert_int_equal(inb(b, LSR), 0x61);
	assert_int_equal(inb(b, DATA), 0);
	assert_int_equal(input(f, "x"), 0);
	hv_uart16550_flush(&f->uart);
	assert_int_equal(f->out_len, 0);
}

static void test_overrun_without_fifo(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outb(b, IER, 0x04);
	outb(b, MCR, 0x10);
	outb(b, DATA, 'a');
	assert_int_equal(inb(b, IIR), 0x01);
	outb(b, DATA, 'b');
	assert_int_equal(inb(b, IIR), 0x06);
	assert_int_equal(inb(b, LSR), 0x63);
	assert_int_equal(inb(b, DATA), 'b');
}

static void test_ring_trailing_edge(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, IER, 0x08);
	hv_uart16550_set_lines(&f->uart, 0xf0);
	assert_false(irq(f));
	hv_uart16550_set_lines(&f->uart, 0xb0);
	assert_true(irq(f));
	assert_int_equal(inb(&f->bench, MSR), 0xb4);
}

static void test_break_inside_fifo(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	open_port(f, 0x01);
	input(f, "a");
	hv_uart16550_break(&f->uart);
	assert_int_equal(inb(b, LSR), 0xe1);
	assert_int_equal(inb(b, IIR), 0xc4);
	inb(b, DATA);
	assert_int_equal(inb(b, IIR), 0xc6);
	assert_int_equal(inb(b, LSR), 0xf1);
	/* Where nobody listens, a break is refused. */
	outb(b, MCR, 0x00);
	assert_false(hv_uart16550_break(&f->uart));
}

static void test_reset_is_complete(void **state)
{
	struct fixture *f = *state;
	struct hv_uart16550_state fresh, again;

	hv_uart16550_save(&f->uart, &fresh);
	open_port(f, 0xc1);
	for (int i = 0; i < 20; i++)
		inb(&f->bench, LSR);
	input(f, "abc");
	hv_uart16550_break(&f->uart);
	outb(&f->bench, IER, 0x0f);
	outb(&f->bench, DATA, 'x');
	outb(&f->bench, LCR, 0x1b);
	hv_uart16550_set_lines(&f->uart, 0);
	hv_uart16550_set_lines(&f->uart, 0xb0);
	bench_run_ns(&f->bench, 100000000);
	hv_uart16550_reset(&f->uart);
	assert_false(irq(f));
	hv_uart16550_save(&f->uart, &again);
	assert_memory_equal(&fresh, &again, sizeof(fresh));
	assert_int_equal(f->out[0], 'x');
}

static void test_timeout_follows_the_format(void **state)
{
	/* Bits of a character: start, data, parity, stop */
	static const struct {
		uint8_t lcr, bits;
	} rows[] = {
		{ 0x00, 7 }, { 0x03, 10 }, { 0x07, 11 }, { 0x0b, 11 }, { 0x1f, 12 },
	};
	struct fixture *f = *state;

	open_port(f, 0x81);
	for (unsigned int i = 0; i < 5; i++) {
		outb(&f->bench, LCR, rows[i].lcr);
		input(f, "a");
		assert_int_equal(hv_clock_next(&f->bench.clock) - f->bench.now_ns,
				 rows[i].bits * 4 * 1000000000ull / 115200);
		inb(&f->bench, DATA);
	}
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_uart16550_state saved, again;

	outb(&f->bench, LCR, 0x03);
	open_port(f, 0x81);
	input(f, "ab");
	bench_run_ns(&f->bench, 100000);
	hv_uart16550_save(&f->uart, &saved);
	hv_uart16550_reset(&f->uart);
	assert_int_equal(inb(&f->bench, IER), 0);
	f->bench.now_ns += 5000000;
	assert_int_equal(hv_uart16550_load(&f->uart, &saved), 0);
	hv_uart16550_save(&f->uart, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	bench_run_ns(&f->bench, 247220);
	assert_false(irq(f));
	bench_run_ns(&f->bench, 5);
	assert_int_equal(inb(&f->bench, IIR), 0xcc);
	assert_int_equal(inb(&f->bench, DATA), 'a');
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_uart16550_state good, s;

	hv_uart16550_save(&f->uart, &good);
#define REFUSE(change)                                                      \
	do {                                                                \
		s = good;                                                   \
		change;                                                     \
		assert_int_equal(hv_uart16550_load(&f->uart, &s), -EINVAL); \
	} while (0)
	REFUSE(s.ier = 0x10);
	REFUSE(s.fcr = 0xc0);
	REFUSE(s.fcr = 0x03);
	REFUSE(s.mcr = 0x20);
	REFUSE(s.overrun = 1);
	REFUSE(s.lines = 1);
	REFUSE(s.rx_head = 16);
	REFUSE(s.rx_count = 2);
	REFUSE(s.fcr = 1; s.rx_count = 17);
	REFUSE(s.rx[0] = 0x8000);
	REFUSE(s.rx[15] = 0x0100);
	REFUSE(s.rx_timed_out = 1);
	REFUSE(s.polled = 2);
	REFUSE(s.lsr_polls = 200);
	REFUSE(s.tx_count = 16);
	REFUSE(s.waited = 2);
	REFUSE(s.waited = 1);
	REFUSE(s.rts_used = 2);
	REFUSE(s.rx_timeout_left_ns = 1);
	REFUSE(s.tx_empty_left_ns = 1);
	REFUSE(s.flush_left_ns = 1);
	REFUSE(s.batch_len = 1);
	REFUSE(s.batch_len = 256; s.flush_left_ns = 1);
	REFUSE(s.grace_left_ns = 1);
	REFUSE(s.ier = 1; s.mcr_written = 1);
	REFUSE(s.ier = 1; s.mcr_written = 1; s.waited = 1; s.grace_left_ns = 1);
#undef REFUSE
	good.fcr = 1;
	good.rx_count = 16;
	good.rx_timeout_left_ns = INT64_MAX - 1;
	assert_int_equal(hv_uart16550_load(&f->uart, &good), 0);
}

static void test_second_one_at_same_base(void **state)
{
	struct fixture *f = *state;
	struct hv_uart16550_config config = config_for(f);
	struct hv_uart16550 other;

	assert_int_equal(hv_uart16550_init(&other, &config), -EEXIST);
}

#define UART_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UART_TEST(test_reset_values),
		UART_TEST(test_registers_keep_what_they_have),
		UART_TEST(test_dlab),
		UART_TEST(test_fcr_needs_enable),
		UART_TEST(test_output_is_batched),
		UART_TEST(test_output_batch_full),
		UART_TEST(test_steady_lsr),
		UART_TEST(test_thre_interrupt),
		UART_TEST(test_thre_edge_without_iir),
		UART_TEST(test_thre_when_the_fifo_is_empty),
		UART_TEST(test_thre_across_a_snapshot),
		UART_TEST(test_iir_of_higher_source_keeps_thre),
		UART_TEST(test_priorities),
		UART_TEST(test_trigger_levels),
		UART_TEST(test_rx_timeout),
		UART_TEST(test_no_timeout_without_fifo),
		UART_TEST(test_flow_control_loses_nothing),
		UART_TEST(test_nobody_listens_at_boot),
		UART_TEST(test_driver_without_rts_is_heard),
		UART_TEST(test_rts_of_a_poller_does_not_count),
		UART_TEST(test_grace_begins_anew_or_never),
		UART_TEST(test_poller_is_heard),
		UART_TEST(test_fifo_clear),
		UART_TEST(test_loopback),
		UART_TEST(test_overrun_without_fifo),
		UART_TEST(test_ring_trailing_edge),
		UART_TEST(test_break_inside_fifo),
		UART_TEST(test_reset_is_complete),
		UART_TEST(test_timeout_follows_the_format),
		UART_TEST(test_save_load),
		UART_TEST(test_load_refuses),
		UART_TEST(test_second_one_at_same_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
