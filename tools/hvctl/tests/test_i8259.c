// SPDX-License-Identifier: GPL-2.0-only
/* The 8259A pair: priorities, every kind of EOI, and what goes wrong in between. */
#include "dev_test.h"

#include "dev/i8259.h"

struct fixture {
	struct bench bench;
	struct hv_i8259 pic;
};

static struct fixture fixture;

/* As Linux does it, but with the vectors at 0x20 and 0x28 and nothing masked. */
static void program(struct bench *b, uint8_t icw4)
{
	outb(b, 0x20, 0x11);
	outb(b, 0x21, 0x20);
	outb(b, 0x21, 0x04);
	outb(b, 0x21, icw4);
	outb(b, 0xa0, 0x11);
	outb(b, 0xa1, 0x28);
	outb(b, 0xa1, 0x02);
	outb(b, 0xa1, icw4);
}

static int setup(void **state)
{
	struct hv_i8259_config config = {
		.bus = &fixture.bench.bus,
		.intr = bench_irq(&fixture.bench, 0),
	};
	int err;

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	err = hv_i8259_init(&fixture.pic, &config);
	program(&fixture.bench, 0x01);
	return err;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_i8259_exit(&f->pic);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

static void set(struct fixture *f, unsigned int line, bool level)
{
	hv_i8259_set_irq(&f->pic, line, level);
}

static void pulse(struct fixture *f, unsigned int line)
{
	set(f, line, true);
	set(f, line, false);
}

static bool intr(struct fixture *f)
{
	assert_int_equal(f->bench.level[0], hv_i8259_pending(&f->pic));
	return f->bench.level[0];
}

static uint8_t isr(struct fixture *f, uint16_t port)
{
	outb(&f->bench, port, 0x0b);
	return inb(&f->bench, port);
}

static uint8_t irr(struct fixture *f, uint16_t port)
{
	outb(&f->bench, port, 0x0a);
	return inb(&f->bench, port);
}

static void test_masked_after_reset(void **state)
{
	struct fixture *f = *state;

	hv_i8259_reset(&f->pic);
	assert_int_equal(inb(&f->bench, 0x21), 0xff);
	assert_int_equal(inb(&f->bench, 0xa1), 0xff);
	for (unsigned int i = 0; i < 16; i++)
		set(f, i, true);
	assert_false(intr(f));
}

static void test_edge(void **state)
{
	struct fixture *f = *state;

	set(f, 4, true);
	assert_true(intr(f));
	assert_int_equal(irr(f, 0x20), 0x10);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x24);
	assert_false(intr(f));
	assert_int_equal(irr(f, 0x20), 0);
	assert_int_equal(isr(f, 0x20), 0x10);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0);
	/* Still high, but no new edge. */
	set(f, 4, true);
	assert_false(intr(f));
	set(f, 4, false);
	set(f, 4, true);
	assert_true(intr(f));
}

static void test_level(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x4d0, 0x20);
	set(f, 5, true);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x25);
	assert_false(intr(f));
	outb(&f->bench, 0x20, 0x20);
	assert_true(intr(f));
	set(f, 5, false);
	assert_false(intr(f));
}

static void test_elcr_keeps_isa_lines_edge(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x4d0, 0xff);
	outb(&f->bench, 0x4d1, 0xff);
	assert_int_equal(inw(&f->bench, 0x4d0), 0xdef8);
}

static void test_slave(void **state)
{
	struct fixture *f = *state;

	set(f, 8, true);
	set(f, 12, true);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x28);
	assert_int_equal(isr(f, 0x20), 0x04);
	assert_int_equal(isr(f, 0xa0), 0x01);
	assert_false(intr(f));
	outb(&f->bench, 0xa0, 0x20);
	/* The slave asks again, the master still serves it. */
	assert_false(intr(f));
	outb(&f->bench, 0x20, 0x20);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x2c);
}

static void test_cascade_input_is_not_a_line(void **state)
{
	struct fixture *f = *state;

	set(f, 2, true);
	set(f, 16, true);
	assert_false(intr(f));
}

static void test_priority_and_nesting(void **state)
{
	struct fixture *f = *state;

	pulse(f, 5);
	pulse(f, 3);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x23);
	assert_false(intr(f));
	pulse(f, 1);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	assert_int_equal(isr(f, 0x20), 0x0a);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0x08);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x25);
}

/* Each input alone is served; held back by a higher one, not by a lower one. */
static void test_every_pair(void **state)
{
	struct fixture *f = *state;

	for (unsigned int served = 0; served < 8; served++) {
		for (unsigned int asks = 0; asks < 8; asks++) {
			if (served == 2 || asks == 2)
				continue;
			program(&f->bench, 0x01);
			pulse(f, served);
			assert_true(intr(f));
			assert_int_equal(hv_i8259_ack(&f->pic), 0x20 + served);
			pulse(f, asks);
			assert_int_equal(intr(f), asks < served);
		}
	}
}

static void test_mask(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x21, 0x10);
	pulse(f, 4);
	assert_false(intr(f));
	assert_int_equal(irr(f, 0x20), 0x10);
	outb(&f->bench, 0x21, 0x00);
	assert_true(intr(f));
}

static void test_spurious_master(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x4d0, 0x08);
	set(f, 3, true);
	assert_true(intr(f));
	set(f, 3, false);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x27);
	assert_int_equal(isr(f, 0x20), 0);
}

static void test_spurious_slave(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x4d1, 0x02);
	set(f, 9, true);
	assert_true(intr(f));
	outb(&f->bench, 0xa1, 0x02);
	/* The cascade's edge is latched in the master; the slave has nothing to say. */
	assert_int_equal(hv_i8259_ack(&f->pic), 0x2f);
	assert_int_equal(isr(f, 0x20), 0x04);
	assert_int_equal(isr(f, 0xa0), 0);
}

static void test_specific_eoi(void **state)
{
	struct fixture *f = *state;

	pulse(f, 6);
	hv_i8259_ack(&f->pic);
	pulse(f, 1);
	hv_i8259_ack(&f->pic);
	outb(&f->bench, 0x20, 0x66);
	assert_int_equal(isr(f, 0x20), 0x02);
	/* Nothing in service there: no effect. */
	outb(&f->bench, 0x20, 0x63);
	assert_int_equal(isr(f, 0x20), 0x02);
	outb(&f->bench, 0x20, 0x20);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0);
}

static void test_aeoi(void **state)
{
	struct fixture *f = *state;

	program(&f->bench, 0x03);
	pulse(f, 4);
	pulse(f, 5);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x24);
	assert_int_equal(isr(f, 0x20), 0);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x25);
	assert_false(intr(f));
}

static void test_aeoi_both_of_slave(void **state)
{
	struct fixture *f = *state;

	program(&f->bench, 0x03);
	pulse(f, 9);
	pulse(f, 10);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x29);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x2a);
	assert_false(intr(f));
}

static void test_rotate_in_aeoi(void **state)
{
	struct fixture *f = *state;

	program(&f->bench, 0x03);
	outb(&f->bench, 0x20, 0x80);
	pulse(f, 1);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	pulse(f, 1);
	pulse(f, 7);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x27);
	outb(&f->bench, 0x20, 0x00);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	pulse(f, 0);
	pulse(f, 6);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x20);
}

static void test_rotate_on_eoi(void **state)
{
	struct fixture *f = *state;

	pulse(f, 3);
	hv_i8259_ack(&f->pic);
	outb(&f->bench, 0x20, 0xa0);
	pulse(f, 3);
	pulse(f, 4);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x24);
	outb(&f->bench, 0x20, 0xe4);
	pulse(f, 5);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x25);
}

static void test_set_priority(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x20, 0xc3);
	pulse(f, 0);
	pulse(f, 4);
	pulse(f, 3);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x24);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x20);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x23);
}

static void test_special_mask(void **state)
{
	struct fixture *f = *state;

	pulse(f, 3);
	hv_i8259_ack(&f->pic);
	pulse(f, 6);
	assert_false(intr(f));
	outb(&f->bench, 0x21, 0x08);
	assert_false(intr(f));
	outb(&f->bench, 0x20, 0x68);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x26);
	/* A plain EOI leaves the masked one in service. */
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0x08);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0x08);
	outb(&f->bench, 0x20, 0x48);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0);
}

static void test_special_fully_nested(void **state)
{
	struct fixture *f = *state;

	program(&f->bench, 0x11);
	pulse(f, 12);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x2c);
	pulse(f, 9);
	assert_true(intr(f));
	assert_int_equal(hv_i8259_ack(&f->pic), 0x29);
	/* Only to itself: what is below it at the master still waits, what is above does not. */
	pulse(f, 5);
	assert_false(intr(f));
	pulse(f, 1);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	pulse(f, 8);
	assert_false(intr(f));
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x28);
	for (int i = 0; i < 3; i++)
		outb(&f->bench, 0xa0, 0x20);
	assert_false(intr(f));
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x25);
}

static void test_poll(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x20, 0x0c);
	assert_int_equal(inb(&f->bench, 0x20), 0x00);
	pulse(f, 10);
	outb(&f->bench, 0x20, 0x0c);
	assert_int_equal(inb(&f->bench, 0x20), 0x82);
	assert_false(intr(f));
	outb(&f->bench, 0xa0, 0x0c);
	assert_int_equal(inb(&f->bench, 0xa1), 0x82);
	/* One read only: the next one is IMR again. */
	assert_int_equal(inb(&f->bench, 0xa1), 0x00);
	assert_int_equal(isr(f, 0xa0), 0x04);
	outb(&f->bench, 0xa0, 0x20);
	outb(&f->bench, 0x20, 0x20);
	pulse(f, 0);
	outb(&f->bench, 0x20, 0x0c);
	assert_int_equal(inb(&f->bench, 0x20), 0x80);
	/* A poll that finds nothing is over, too. */
	outb(&f->bench, 0x20, 0x0c);
	assert_int_equal(inb(&f->bench, 0x20), 0x00);
	assert_int_equal(inb(&f->bench, 0x21), 0x00);
	assert_int_equal(isr(f, 0x20), 0x01);
}

static void test_icw_sequences(void **state)
{
	struct fixture *f = *state;

	/* Single, no ICW4: ICW2 is the last. */
	outb(&f->bench, 0x20, 0x12);
	outb(&f->bench, 0x21, 0x47);
	outb(&f->bench, 0x21, 0xfe);
	assert_int_equal(inb(&f->bench, 0x21), 0xfe);
	pulse(f, 0);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x40);
	/* ICW1 forgets masks, service and edges. */
	pulse(f, 0);
	outb(&f->bench, 0x20, 0x11);
	assert_int_equal(inb(&f->bench, 0x21), 0);
	assert_int_equal(isr(f, 0x20), 0);
	assert_int_equal(irr(f, 0x20), 0);
	assert_false(intr(f));
}

static void test_icw1_forgets_modes(void **state)
{
	struct fixture *f = *state;

	/* Automatic EOI with rotation, special mask, ISR to be read; then ICW1 without ICW4. */
	program(&f->bench, 0x03);
	outb(&f->bench, 0x20, 0x80);
	outb(&f->bench, 0x20, 0x6b);
	outb(&f->bench, 0x20, 0x12);
	outb(&f->bench, 0x21, 0x20);
	pulse(f, 1);
	assert_int_equal(inb(&f->bench, 0x20), 0x02);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	assert_int_equal(isr(f, 0x20), 0x02);
	outb(&f->bench, 0x21, 0x02);
	pulse(f, 3);
	assert_false(intr(f));
	/* With it, the rotation is still forgotten. */
	program(&f->bench, 0x03);
	pulse(f, 1);
	hv_i8259_ack(&f->pic);
	pulse(f, 1);
	pulse(f, 7);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
}

static void test_edge_turned_level_is_gone(void **state)
{
	struct fixture *f = *state;

	pulse(f, 5);
	outb(&f->bench, 0x4d0, 0x20);
	assert_false(intr(f));
	outb(&f->bench, 0x4d0, 0x00);
	assert_false(intr(f));
}

static void test_icw1_needs_a_new_edge(void **state)
{
	struct fixture *f = *state;

	set(f, 4, true);
	program(&f->bench, 0x01);
	assert_false(intr(f));
	set(f, 4, false);
	set(f, 4, true);
	assert_true(intr(f));
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_i8259_state saved, again;

	pulse(f, 3);
	hv_i8259_ack(&f->pic);
	set(f, 1, true);
	set(f, 14, true);
	hv_i8259_save(&f->pic, &saved);
	set(f, 1, false);
	hv_i8259_reset(&f->pic);
	assert_false(intr(f));
	assert_int_equal(hv_i8259_load(&f->pic, &saved), 0);
	hv_i8259_save(&f->pic, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_true(intr(f));
	/* A device that reports the same level after the load makes no edge. */
	set(f, 1, true);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x21);
	outb(&f->bench, 0x20, 0x20);
	assert_int_equal(hv_i8259_ack(&f->pic), 0x2e);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_i8259_state good, s;

	hv_i8259_save(&f->pic, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_i8259_load(&f->pic, &s), -EINVAL); \
	} while (0)
	REFUSE(s.chip[0].lowest = 8);
	REFUSE(s.chip[1].base = 1);
	REFUSE(s.chip[0].elcr = 1);
	REFUSE(s.chip[1].elcr = 0x20);
	REFUSE(s.chip[1].icw_step = 5);
	REFUSE(s.chip[1].icw_step = 1);
	REFUSE(s.chip[0].icw4 = 0x20);
	REFUSE(s.chip[0].poll = 2);
	REFUSE(s.chip[0].pad = 1);
#undef REFUSE
	assert_int_equal(hv_i8259_load(&f->pic, &good), 0);
}

static void test_taken_ports(void **state)
{
	struct fixture *f = *state;
	struct hv_i8259_config config = { .bus = &f->bench.bus };
	struct hv_i8259 other;

	assert_int_equal(hv_i8259_init(&other, &config), -EEXIST);
	hv_bus_unregister(&f->bench.bus, &f->pic.chip[0].region);
	assert_int_equal(hv_i8259_init(&other, &config), -EEXIST);
	/* The half that was registered is gone again. */
	assert_int_equal(hv_bus_register(&f->bench.bus, &f->pic.chip[0].region), 0);
}

#define PIC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PIC_TEST(test_masked_after_reset),
		PIC_TEST(test_edge),
		PIC_TEST(test_level),
		PIC_TEST(test_elcr_keeps_isa_lines_edge),
		PIC_TEST(test_slave),
		PIC_TEST(test_cascade_input_is_not_a_line),
		PIC_TEST(test_priority_and_nesting),
		PIC_TEST(test_every_pair),
		PIC_TEST(test_mask),
		PIC_TEST(test_spurious_master),
		PIC_TEST(test_spurious_slave),
		PIC_TEST(test_specific_eoi),
		PIC_TEST(test_aeoi),
		PIC_TEST(test_aeoi_both_of_slave),
		PIC_TEST(test_rotate_in_aeoi),
		PIC_TEST(test_rotate_on_eoi),
		PIC_TEST(test_set_priority),
		PIC_TEST(test_special_mask),
		PIC_TEST(test_special_fully_nested),
		PIC_TEST(test_poll),
		PIC_TEST(test_icw_sequences),
		PIC_TEST(test_icw1_forgets_modes),
		PIC_TEST(test_edge_turned_level_is_gone),
		PIC_TEST(test_icw1_needs_a_new_edge),
		PIC_TEST(test_save_load),
		PIC_TEST(test_load_refuses),
		PIC_TEST(test_taken_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
