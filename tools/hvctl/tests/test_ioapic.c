// SPDX-License-Identifier: GPL-2.0-only
/* The I/O APIC: edges, levels and their EOIs, and entries that change meanwhile. */
#include "dev_test.h"

#include "dev/ioapic.h"

#define BASE 0xfec00000ull
#define MASKED 0x10000u
#define LEVEL 0x8000u
#define REMOTE_IRR 0x4000u
#define LOW_ACTIVE 0x2000u

struct fixture {
	struct bench bench;
	struct hv_ioapic ioapic;
	struct hv_ioapic_message last;
	unsigned int sent;
	bool eoi_within;	/* the CPU is so fast that its EOI comes back at once */
};

static struct fixture fixture;

static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	struct fixture *f = ctx;

	f->last = *message;
	f->sent++;
	if (f->eoi_within && f->sent < 3)
		hv_ioapic_eoi(&f->ioapic, message->vector);
}

static int setup(void **state)
{
	struct hv_ioapic_config config = {
		.bus = &fixture.bench.bus,
		.base = BASE,
		.id = 3,
		.deliver = deliver,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_ioapic_init(&fixture.ioapic, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_ioapic_exit(&f->ioapic);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	return 0;
}

static uint32_t get(struct fixture *f, uint8_t index)
{
	bench_write(&f->bench, HV_MMIO, BASE, 4, index);
	return (uint32_t)bench_read(&f->bench, HV_MMIO, BASE + 0x10, 4);
}

static void put(struct fixture *f, uint8_t index, uint32_t value)
{
	bench_write(&f->bench, HV_MMIO, BASE, 4, index);
	bench_write(&f->bench, HV_MMIO, BASE + 0x10, 4, value);
}

static void set_low(struct fixture *f, unsigned int pin, uint32_t value)
{
	put(f, (uint8_t)(0x10 + 2 * pin), value);
}

static uint32_t low(struct fixture *f, unsigned int pin)
{
	return get(f, (uint8_t)(0x10 + 2 * pin));
}

static void set(struct fixture *f, unsigned int pin, bool level)
{
	hv_ioapic_set_irq(&f->ioapic, pin, level);
}

static void test_registers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0), 0x03000000);
	assert_int_equal(get(f, 1), 0x00170020);
	assert_int_equal(get(f, 2), 0x03000000);
	put(f, 0, 0xffffffff);
	assert_int_equal(get(f, 0), 0x0f000000);
	put(f, 1, 0);
	assert_int_equal(get(f, 1), 0x00170020);
	for (unsigned int pin = 0; pin < 24; pin++)
		assert_int_equal(low(f, pin), MASKED);
	put(f, 0x10, 0xffffffff);
	put(f, 0x11, 0xffffffff);
	assert_int_equal(get(f, 0x10), 0x0001afff);
	assert_int_equal(get(f, 0x11), 0xff000000);
	assert_int_equal(get(f, 0x40), 0);
	put(f, 0x40, 0xffffffff);
	assert_int_equal(get(f, 0x0f), 0);
	assert_int_equal(bench_read(&f->bench, HV_MMIO, BASE + 0x20, 4), 0);
}

static void test_edge(void **state)
{
	struct fixture *f = *state;

	put(f, 0x19, 0x05000000);
	set_low(f, 4, 0x31);
	set(f, 4, true);
	assert_int_equal(f->sent, 1);
	assert_int_equal(f->last.vector, 0x31);
	assert_int_equal(f->last.dest, 5);
	assert_int_equal(f->last.delivery, HV_DELIVERY_FIXED);
	assert_false(f->last.logical);
	assert_false(f->last.level);
	set(f, 4, true);
	hv_ioapic_eoi(&f->ioapic, 0x31);
	assert_int_equal(f->sent, 1);
	set(f, 4, false);
	set(f, 4, true);
	assert_int_equal(f->sent, 2);
}

static void test_masked_edge_is_lost(void **state)
{
	struct fixture *f = *state;

	set(f, 4, true);
	set_low(f, 4, 0x31);
	assert_int_equal(f->sent, 0);
}

static void test_level(void **state)
{
	struct fixture *f = *state;

	set_low(f, 20, LEVEL | LOW_ACTIVE | 0x52);
	set(f, 20, true);
	assert_int_equal(f->sent, 1);
	assert_true(f->last.level);
	assert_int_equal(low(f, 20), LEVEL | LOW_ACTIVE | REMOTE_IRR | 0x52);
	set(f, 20, false);
	set(f, 20, true);
	assert_int_equal(f->sent, 1);
	hv_ioapic_eoi(&f->ioapic, 0x51);
	assert_int_equal(f->sent, 1);
	/* Still asserted: once more. */
	hv_ioapic_eoi(&f->ioapic, 0x52);
	assert_int_equal(f->sent, 2);
	set(f, 20, false);
	hv_ioapic_eoi(&f->ioapic, 0x52);
	assert_int_equal(f->sent, 2);
	assert_int_equal(low(f, 20), LEVEL | LOW_ACTIVE | 0x52);
}

static void test_level_while_masked(void **state)
{
	struct fixture *f = *state;

	set_low(f, 20, LEVEL | MASKED | 0x52);
	set(f, 20, true);
	assert_int_equal(f->sent, 0);
	set_low(f, 20, LEVEL | 0x52);
	assert_int_equal(f->sent, 1);
	/* Masked in service: the EOI counts, the interrupt waits. */
	set_low(f, 20, LEVEL | MASKED | 0x52);
	hv_ioapic_eoi(&f->ioapic, 0x52);
	assert_int_equal(f->sent, 1);
	assert_int_equal(low(f, 20), LEVEL | MASKED | 0x52);
	set_low(f, 20, LEVEL | 0x52);
	assert_int_equal(f->sent, 2);
}

static void test_eoi_register(void **state)
{
	struct fixture *f = *state;

	set_low(f, 20, LEVEL | 0x52);
	set(f, 20, true);
	set(f, 20, false);
	bench_write(&f->bench, HV_MMIO, BASE + 0x40, 4, 0x52);
	assert_int_equal(low(f, 20), LEVEL | 0x52);
}

static void test_edge_and_back_clears_remote_irr(void **state)
{
	struct fixture *f = *state;

	set_low(f, 20, LEVEL | 0x52);
	set(f, 20, true);
	set(f, 20, false);
	set_low(f, 20, MASKED | 0x52);
	set_low(f, 20, LEVEL | MASKED | 0x52);
	assert_int_equal(low(f, 20), LEVEL | MASKED | 0x52);
}

static void test_two_pins_one_vector(void **state)
{
	struct fixture *f = *state;

	set_low(f, 20, LEVEL | 0x52);
	set_low(f, 21, LEVEL | 0x52);
	set(f, 20, true);
	set(f, 21, true);
	assert_int_equal(f->sent, 2);
	hv_ioapic_eoi(&f->ioapic, 0x52);
	assert_int_equal(f->sent, 4);
}

static void test_eoi_from_within_delivery(void **state)
{
	struct fixture *f = *state;

	f->eoi_within = true;
	set_low(f, 20, LEVEL | 0x52);
	set(f, 20, true);
	assert_int_equal(f->sent, 3);
	assert_int_equal(low(f, 20), LEVEL | REMOTE_IRR | 0x52);
}

static void test_modes_and_msi(void **state)
{
	struct fixture *f = *state;

	put(f, 0x1f, 0xab000000);
	set_low(f, 7, 0x0900 | 0x44);
	set(f, 7, true);
	assert_int_equal(f->last.delivery, HV_DELIVERY_LOWEST);
	assert_true(f->last.logical);
	assert_int_equal(hv_ioapic_msi_address(&f->last), 0xfeeab00c);
	assert_int_equal(hv_ioapic_msi_data(&f->last), 0x0144);
	set_low(f, 9, 0x400);
	set(f, 9, true);
	assert_int_equal(f->last.delivery, HV_DELIVERY_NMI);
	put(f, 0x11, 0x01000000);
	set_low(f, 0, LEVEL | 0x700);
	set(f, 0, true);
	assert_int_equal(f->last.delivery, HV_DELIVERY_EXTINT);
	set_low(f, 1, LEVEL | 0x77);
	set(f, 1, true);
	assert_int_equal(hv_ioapic_msi_address(&f->last), 0xfee00000);
	assert_int_equal(hv_ioapic_msi_data(&f->last), 0xc077);
}

static void test_no_such_pin(void **state)
{
	struct fixture *f = *state;

	set(f, 24, true);
	set(f, 32, true);
	set(f, UINT32_MAX, true);
	assert_int_equal(f->ioapic.s.lines, 0);
}

static void test_level_vectors(void **state)
{
	struct fixture *f = *state;
	uint64_t bitmap[4];

	set_low(f, 4, 0x31);
	set_low(f, 5, LEVEL | MASKED | 0x32);
	set_low(f, 6, LEVEL | 0xff);
	set_low(f, 7, LEVEL | 0x40);
	set(f, 7, true);
	set_low(f, 7, LEVEL | MASKED | 0x40);
	hv_ioapic_level_vectors(&f->ioapic, bitmap);
	assert_int_equal(bitmap[0], 0);
	assert_int_equal(bitmap[1], 1);
	assert_int_equal(bitmap[2], 0);
	assert_int_equal(bitmap[3], 1ull << 63);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_ioapic_state saved, again;

	set_low(f, 20, LEVEL | 0x52);
	set(f, 20, true);
	hv_ioapic_save(&f->ioapic, &saved);
	hv_ioapic_reset(&f->ioapic);
	set(f, 20, false);
	f->sent = 0;
	assert_int_equal(hv_ioapic_load(&f->ioapic, &saved), 0);
	hv_ioapic_save(&f->ioapic, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	set(f, 20, true);
	assert_int_equal(f->sent, 0);
	hv_ioapic_eoi(&f->ioapic, 0x52);
	assert_int_equal(f->sent, 1);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_ioapic_state good, s;

	hv_ioapic_save(&f->ioapic, &good);
#define REFUSE(change)                                                     \
	do {                                                               \
		s = good;                                                  \
		change;                                                    \
		assert_int_equal(hv_ioapic_load(&f->ioapic, &s), -EINVAL); \
	} while (0)
	REFUSE(s.id = 16);
	REFUSE(s.pad[0] = 1);
	REFUSE(s.lines = 1u << 24);
	REFUSE(s.entry[3] |= REMOTE_IRR);
	REFUSE(s.entry[3] |= 0x1000);
	REFUSE(s.entry[23] |= 1ull << 40);
#undef REFUSE
}

#define IOAPIC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IOAPIC_TEST(test_registers),
		IOAPIC_TEST(test_edge),
		IOAPIC_TEST(test_masked_edge_is_lost),
		IOAPIC_TEST(test_level),
		IOAPIC_TEST(test_level_while_masked),
		IOAPIC_TEST(test_eoi_register),
		IOAPIC_TEST(test_edge_and_back_clears_remote_irr),
		IOAPIC_TEST(test_two_pins_one_vector),
		IOAPIC_TEST(test_eoi_from_within_delivery),
		IOAPIC_TEST(test_modes_and_msi),
		IOAPIC_TEST(test_no_such_pin),
		IOAPIC_TEST(test_level_vectors),
		IOAPIC_TEST(test_save_load),
		IOAPIC_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
