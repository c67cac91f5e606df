// SPDX-License-Identifier: GPL-2.0-only
/* The ACPI power management block: events and their interrupt, the timer, power-off. */
#include "dev_test.h"

#include "dev/acpi_pm.h"

#define BASE 0xb000
#define STS BASE
#define EN (BASE + 2)
#define CNT (BASE + 4)
#define TMR (BASE + 8)
#define GPE (BASE + 0xc)
#define END (BASE + 0x40)

struct fixture {
	struct bench bench;
	struct hv_acpi_pm pm;
	struct hv_region region;
	unsigned int offs;
};

static struct fixture fixture;

static void power_off(void *ctx)
{
	((struct fixture *)ctx)->offs++;
}

static int setup(void **state)
{
	struct hv_acpi_pm_config config = {
		.clock = &fixture.bench.clock,
		.sci = bench_irq(&fixture.bench, 9),
		.power_off = power_off,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	hv_acpi_pm_init(&fixture.pm, &config);
	fixture.region = (struct hv_region){
		"acpi-pm", HV_PORT, BASE, HV_ACPI_PM_LEN, hv_acpi_pm_access, &fixture.pm,
	};
	return hv_bus_register(&fixture.bench.bus, &fixture.region);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_acpi_pm_exit(&f->pm);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

static void test_registers(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	assert_int_equal(inl(b, STS), 0);
	assert_int_equal(inw(b, CNT), 1);
	outw(b, EN, 0xffff);
	assert_int_equal(inw(b, EN), 0x0721);
	outb(b, EN + 1, 0);
	assert_int_equal(inw(b, EN), 0x0021);
	assert_int_equal(inl(b, STS), 0x00210000);
	outw(b, CNT, 0x1c02);
	assert_int_equal(inw(b, CNT), 0x1c03);
	assert_int_equal(inw(b, BASE + 6), 0);
	/* The rest of the PIIX4's block is there and does nothing. */
	bench_run_ns(b, 1000000000);
	for (uint16_t port = TMR + 8; port < END; port += 4) {
		outl(b, port, 0xffffffff);
		assert_int_equal(inl(b, port), 0);
	}
	assert_int_equal(inb(b, END - 1), 0);
}

static void test_timer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inl(&f->bench, TMR), 0);
	bench_run_ns(&f->bench, 1000000000);
	assert_in_range(inl(&f->bench, TMR), 3579544, 3579545);
	/* No drift in a day, and it wraps at 32 bits. */
	bench_run_ns(&f->bench, 86399ull * 1000000000);
	assert_in_range(inl(&f->bench, TMR), (uint32_t)(86400 * 3579545ull) - 1,
			(uint32_t)(86400 * 3579545ull));
	assert_int_equal(inw(&f->bench, TMR + 2), inl(&f->bench, TMR) >> 16);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
}

static void test_timer_status(void **state)
{
	struct fixture *f = *state;

	bench_run_ns(&f->bench, 599ull * 1000000000);
	assert_int_equal(inw(&f->bench, STS), 0);
	bench_run_ns(&f->bench, 2ull * 1000000000);
	assert_int_equal(inw(&f->bench, STS), 1);
	assert_int_equal(f->bench.rises[9], 0);
	outw(&f->bench, STS, 0);
	assert_int_equal(inw(&f->bench, STS), 1);
	outw(&f->bench, STS, 1);
	assert_int_equal(inw(&f->bench, STS), 0);
}

static void test_timer_interrupt(void **state)
{
	struct fixture *f = *state;

	outw(&f->bench, EN, 1);
	/* 2^31 ticks */
	bench_run_ns(&f->bench, 599932015788ull);
	assert_int_equal(f->bench.rises[9], 0);
	bench_run_ns(&f->bench, 1);
	assert_true(f->bench.level[9]);
	outw(&f->bench, STS, 1);
	assert_false(f->bench.level[9]);
	bench_run_ns(&f->bench, 599932015940ull);
	assert_int_equal(f->bench.rises[9], 2);
}

static void test_power_button(void **state)
{
	struct fixture *f = *state;

	hv_acpi_pm_power_button(&f->pm);
	assert_false(f->bench.level[9]);
	assert_int_equal(inw(&f->bench, STS), 0x100);
	outw(&f->bench, EN, 0x100);
	assert_true(f->bench.level[9]);
	outb(&f->bench, STS, 0xff);
	assert_true(f->bench.level[9]);
	outb(&f->bench, STS + 1, 0x01);
	assert_false(f->bench.level[9]);
}

/* Bit 5 alone is there: its status is cleared by a 1, and asserts the SCI while it is enabled. */
static void test_general_purpose_event(void **state)
{
	struct fixture *f = *state;

	outl(&f->bench, GPE, 0xffffffff);
	assert_int_equal(inl(&f->bench, GPE), 0x00200000);
	outw(&f->bench, GPE + 2, 0);
	hv_acpi_pm_event(&f->pm, HV_ACPI_PM_GPE_GENERATION);
	assert_int_equal(inw(&f->bench, GPE), 0x20);
	assert_int_equal(inw(&f->bench, STS), 0);
	assert_false(f->bench.level[9]);
	outb(&f->bench, GPE + 2, 0x20);
	assert_true(f->bench.level[9]);
	outb(&f->bench, GPE, 0xdf);
	assert_true(f->bench.level[9]);
	/* What is enabled stays so, and a second event is one. */
	outb(&f->bench, GPE, 0x20);
	assert_false(f->bench.level[9]);
	assert_int_equal(inb(&f->bench, GPE + 2), 0x20);
	hv_acpi_pm_event(&f->pm, HV_ACPI_PM_GPE_GENERATION);
	assert_int_equal(f->bench.rises[9], 2);
	/* The SCI is high as long as one of the two blocks has something. */
	hv_acpi_pm_power_button(&f->pm);
	outw(&f->bench, EN, 0x100);
	outb(&f->bench, GPE, 0x20);
	assert_true(f->bench.level[9]);
	outw(&f->bench, STS, 0x100);
	assert_false(f->bench.level[9]);
	hv_acpi_pm_event(&f->pm, HV_ACPI_PM_GPE_GENERATION);
	hv_acpi_pm_reset(&f->pm);
	assert_int_equal(inl(&f->bench, GPE), 0);
	assert_false(f->bench.level[9]);
}

/* Registers side by side, in one access. */
static void test_unaligned(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outl(b, GPE + 1, 0xffffffff);
	assert_int_equal(inl(b, GPE + 1), 0x00002000);
	assert_int_equal(inw(b, GPE + 1), 0x2000);
	/* From beside the timer: it is not looked at by the byte. */
	bench_run_ns(b, 1000000000);
	assert_int_equal(inl(b, TMR - 2), 0);
}

static void test_power_off(void **state)
{
	struct fixture *f = *state;

	outw(&f->bench, CNT, 0);
	outw(&f->bench, CNT, 4 << 10 | 0x2000);
	assert_int_equal(f->offs, 0);
	assert_int_equal(inw(&f->bench, CNT), 4 << 10 | 1);
	outw(&f->bench, CNT, 0x2001);
	assert_int_equal(f->offs, 1);
	assert_int_equal(inw(&f->bench, CNT), 1);
	outb(&f->bench, CNT + 1, 0x20);
	assert_int_equal(f->offs, 2);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_acpi_pm_state saved, again;

	outw(&f->bench, EN, 0x101);
	bench_run_ns(&f->bench, 599000000000ull);
	hv_acpi_pm_power_button(&f->pm);
	outw(&f->bench, GPE + 2, 0x20);
	hv_acpi_pm_event(&f->pm, HV_ACPI_PM_GPE_GENERATION);
	hv_acpi_pm_save(&f->pm, &saved);
	hv_acpi_pm_reset(&f->pm);
	assert_false(f->bench.level[9]);
	bench_run_ns(&f->bench, 1234567890123ull);
	assert_int_equal(hv_acpi_pm_load(&f->pm, &saved), 0);
	hv_acpi_pm_save(&f->pm, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_true(f->bench.level[9]);
	outw(&f->bench, STS, 0x100);
	assert_true(f->bench.level[9]);
	outw(&f->bench, GPE, 0x20);
	assert_false(f->bench.level[9]);
	bench_run_ns(&f->bench, 933000000);
	assert_true(f->bench.level[9]);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_acpi_pm_state good, s;

	hv_acpi_pm_save(&f->pm, &good);
#define REFUSE(change)                                                  \
	do {                                                            \
		s = good;                                               \
		change;                                                 \
		assert_int_equal(hv_acpi_pm_load(&f->pm, &s), -EINVAL); \
	} while (0)
	REFUSE(s.status = 2);
	REFUSE(s.enable = 0x8000);
	REFUSE(s.control = 1);
	REFUSE(s.unseen = 2);
	REFUSE(s.gpe_status = 0x40);
	REFUSE(s.gpe_enable = 0x8000);
	REFUSE(s.pad = 1);
	REFUSE(s.ticks = UINT64_MAX);
#undef REFUSE
}

#define PM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PM_TEST(test_registers),    PM_TEST(test_timer),
		PM_TEST(test_timer_status), PM_TEST(test_timer_interrupt),
		PM_TEST(test_power_button), PM_TEST(test_general_purpose_event),
		PM_TEST(test_unaligned),    PM_TEST(test_power_off),
		PM_TEST(test_save_load),    PM_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
