// SPDX-License-Identifier: GPL-2.0-only
/* The board: interrupts from source to CPU, resets, power-off, and a snapshot of it all. */
#include "dev_test.h"

#include "dev/pc.h"
#include "dev/uart16550.h"
#include "lib/util.h"

struct fixture {
	struct bench bench;
	struct hv_pc pc;
	struct hv_uart16550 com1;
	unsigned int sent[256];		/* messages by vector */
	unsigned int resets, offs, ignored;
};

static struct fixture fixture;

static uint64_t wall(void *ctx)
{
	return 1700000000000000000ull + ((struct fixture *)ctx)->bench.now_ns;
}

static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	((struct fixture *)ctx)->sent[message->vector]++;
}

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void power_off(void *ctx)
{
	((struct fixture *)ctx)->offs++;
}

static void ignore_x87_error(void *ctx)
{
	((struct fixture *)ctx)->ignored++;
}

static struct hv_pc_config config_for(struct fixture *f)
{
	return (struct hv_pc_config){
		.bus = &f->bench.bus,
		.clock = &f->bench.clock,
		.ram_below_4g = 128 << 20,
		.cpus = 1,
		.ioapic_id = 1,
		.intr = bench_irq(&f->bench, 31),
		.wall_ns = wall,
		.deliver = deliver,
		.reset = reset,
		.power_off = power_off,
		.ignore_x87_error = ignore_x87_error,
		.ctx = f,
	};
}

static int setup(void **state)
{
	struct hv_pc_config config = config_for(&fixture);
	struct hv_uart16550_config com1 = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.base = 0x3f8,
		.irq = hv_pc_irq(&fixture.pc, 4),
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_pc_init(&fixture.pc, &config) || hv_uart16550_init(&fixture.com1, &com1);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_uart16550_exit(&f->com1);
	hv_pc_exit(&f->pc);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

static void ioapic_pin(struct fixture *f, unsigned int pin, uint32_t low)
{
	bench_write(&f->bench, HV_MMIO, HV_IOAPIC_BASE, 4, 0x10 + 2 * pin);
	bench_write(&f->bench, HV_MMIO, HV_IOAPIC_BASE + 0x10, 4, low);
}

static void program_pic(struct bench *b)
{
	outb(b, 0x20, 0x11);
	outb(b, 0x21, 0x20);
	outb(b, 0x21, 0x04);
	outb(b, 0x21, 0x01);
	outb(b, 0xa0, 0x11);
	outb(b, 0xa1, 0x28);
	outb(b, 0xa1, 0x02);
	outb(b, 0xa1, 0x01);
}

static void start_pit(struct bench *b)
{
	outb(b, 0x43, 0x34);
	outb(b, 0x40, 0xa9);
	outb(b, 0x40, 0x04);
}

/* FERR# to IRQ 13, until port F0h is written to, or there is a reset. */
static void test_x87_error(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	program_pic(b);
	assert_false(hv_i8259_pending(&f->pc.pic));
	hv_ferr_assert(&f->pc.ferr);
	hv_ferr_assert(&f->pc.ferr);
	assert_int_equal(hv_i8259_ack(&f->pc.pic), 0x28 + 5);
	assert_int_equal(f->pc.pic.chip[1].s.lines, 1 << 5);
	assert_int_equal(inb(b, 0xf0), 0xff);
	assert_int_equal(f->ignored, 0);
	outb(b, 0xf0, 0x12);
	assert_int_equal(f->ignored, 1);
	assert_int_equal(f->pc.pic.chip[1].s.lines, 0);
	hv_ferr_assert(&f->pc.ferr);
	hv_pc_reset(&f->pc);
	assert_int_equal(f->pc.pic.chip[1].s.lines, 0);
	assert_int_equal(f->ignored, 1);
}

static void test_timer_to_both_controllers(void **state)
{
	struct fixture *f = *state;

	program_pic(&f->bench);
	ioapic_pin(f, 2, 0x30);
	start_pit(&f->bench);
	f->sent[0x30] = 0;
	bench_run_ns(&f->bench, 1001000);
	assert_true(f->bench.level[31]);
	assert_int_equal(hv_i8259_ack(&f->pc.pic), 0x20);
	assert_int_equal(f->sent[0x30], 1);
}

static void test_nothing_before_the_guest_asks(void **state)
{
	struct fixture *f = *state;

	start_pit(&f->bench);
	bench_run_ns(&f->bench, 10000000);
	assert_int_equal(f->bench.rises[31], 0);
}

static void test_hpet_takes_the_timer(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	ioapic_pin(f, 2, 0x30);
	start_pit(b);
	bench_write(b, HV_MMIO, HV_HPET_BASE + 0x100, 8, 0x4c);
	bench_write(b, HV_MMIO, HV_HPET_BASE + 0x108, 8, 1000000);
	bench_write(b, HV_MMIO, HV_HPET_BASE + 0x10, 8, 3);
	f->sent[0x30] = 0;
	bench_run_ns(b, 100000000);
	assert_int_equal(f->sent[0x30], 10);
	bench_write(b, HV_MMIO, HV_HPET_BASE + 0x10, 8, 0);
	bench_run_ns(b, 100000000);
	assert_in_range(f->sent[0x30], 108, 112);
}

static void test_com1(void **state)
{
	struct fixture *f = *state;

	ioapic_pin(f, 4, 0x34);
	outb(&f->bench, 0x3f9, 0x02);
	assert_int_equal(f->sent[0x34], 1);
	outb(&f->bench, 0x3f8, 'x');
	assert_int_equal(f->sent[0x34], 2);
}

static void test_sci_is_level(void **state)
{
	struct fixture *f = *state;

	ioapic_pin(f, 9, 0x8039);
	outw(&f->bench, HV_PC_PM_BASE + 2, 0x100);
	hv_acpi_pm_power_button(&f->pc.pm);
	assert_int_equal(f->sent[0x39], 1);
	hv_ioapic_eoi(&f->pc.ioapic, 0x39);
	assert_int_equal(f->sent[0x39], 2);
	outw(&f->bench, HV_PC_PM_BASE, 0x100);
	hv_ioapic_eoi(&f->pc.ioapic, 0x39);
	assert_int_equal(f->sent[0x39], 2);
	assert_int_equal(inw(&f->bench, 0x4d0), 0x0ea0);
}

static void test_pci_line(void **state)
{
	static const struct hv_pci_ids ids = { .vendor = 1, .device = 2, .intx = 1 };
	struct fixture *f = *state;
	struct hv_pci_device device;

	program_pic(&f->bench);
	ioapic_pin(f, 17, 0x8041);
	hv_pci_device_init(&device, &ids);
	assert_int_equal(hv_pci_add(&f->pc.pci, &device, 2 << 3), 0);
	assert_int_equal(device.config[0x3c], 11);
	hv_pci_set_intx(&device, true);
	assert_int_equal(f->sent[0x41], 1);
	assert_int_equal(hv_i8259_ack(&f->pc.pic), 0x2b);
	hv_pci_set_intx(&device, false);
	hv_pci_remove(&device);
}

static void test_ways_to_reset_and_off(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x64, 0xfe);
	assert_int_equal(f->resets, 1);
	outb(&f->bench, 0x92, 0x01);
	assert_int_equal(f->resets, 2);
	outb(&f->bench, 0xcf9, 0x06);
	assert_int_equal(f->resets, 3);
	outw(&f->bench, HV_PC_PM_BASE + 4, 0x2000);
	assert_int_equal(f->offs, 1);
}

/* The records of the board, one behind the other. */
struct snapshot {
	size_t used;
	uint64_t bytes[512];
	void *record[HV_PC_STATES];
};

static void take(struct snapshot *s, const struct hv_pc *pc)
{
	memset(s->bytes, 0, sizeof(s->bytes));
	s->used = 0;
	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		const struct hv_state_row *row = &hv_pc_states[i];

		s->record[i] = (uint8_t *)s->bytes + s->used;
		s->used += row->kind->size;
		assert_true(s->used <= sizeof(s->bytes));
		row->kind->save((const uint8_t *)pc + row->offset, s->record[i]);
	}
}

static int give(const struct snapshot *s, struct hv_pc *pc)
{
	return hv_pc_load(pc, (const void *const *)s->record);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;
	static struct snapshot fresh, again;

	program_pic(&f->bench);
	hv_pc_reset(&f->pc);
	take(&fresh, &f->pc);
	program_pic(&f->bench);
	ioapic_pin(f, 2, 0x30);
	start_pit(&f->bench);
	bench_write(&f->bench, HV_MMIO, HV_HPET_BASE + 0x100, 8, 0x4c);
	bench_write(&f->bench, HV_MMIO, HV_HPET_BASE + 0x10, 8, 3);
	outb(&f->bench, 0x61, 0x03);
	outb(&f->bench, 0x92, 0x00);
	hv_pc_reset(&f->pc);
	take(&again, &f->pc);
	assert_memory_equal(fresh.bytes, again.bytes, fresh.used);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
}

/* What a kernel finds that neither programs the timer nor opens a line. */
static void test_after_bios(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(&f->bench, 0x21), 0xff);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	hv_pc_after_bios(&f->pc);
	assert_int_equal(inb(&f->bench, 0x21), 0xf8);
	assert_int_equal(inb(&f->bench, 0xa1), 0xff);
	assert_false(f->bench.level[31]);
	program_pic(&f->bench);
	outb(&f->bench, 0x21, 0xf8);
	assert_false(f->bench.level[31]);
	bench_run_ns(&f->bench, 54930000);
	assert_true(f->bench.level[31]);
	outb(&f->bench, 0x21, 0xfd);
	assert_false(f->bench.level[31]);
	assert_true(hv_i8042_key(&f->pc.kbc, 0x1e, true));
	bench_run_ns(&f->bench, 2000000);
	assert_true(f->bench.level[31]);
	hv_pc_reset(&f->pc);
}

/* Something to lose in each of the chips. */
static void make_busy(struct fixture *f)
{
	program_pic(&f->bench);
	ioapic_pin(f, 2, 0x30);
	start_pit(&f->bench);
	bench_write(&f->bench, HV_MMIO, HV_HPET_BASE + 0x108, 8, 500000);
	bench_write(&f->bench, HV_MMIO, HV_HPET_BASE + 0x100, 8, 4);
	bench_write(&f->bench, HV_MMIO, HV_HPET_BASE + 0x10, 8, 3);
	hv_acpi_pm_power_button(&f->pc.pm);
	outw(&f->bench, HV_PC_PM_BASE + 2, 0x100);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	static struct snapshot saved, again;

	make_busy(f);
	take(&saved, &f->pc);
	hv_pc_reset(&f->pc);
	memset(f->sent, 0, sizeof(f->sent));
	assert_int_equal(give(&saved, &f->pc), 0);
	take(&again, &f->pc);
	assert_memory_equal(saved.bytes, again.bytes, saved.used);
	assert_int_equal(f->sent[0x30], 0);
	assert_true(f->bench.level[31]);
	bench_run_ns(&f->bench, 5000000);
	assert_int_equal(f->sent[0x30], 1);
}

/* With whatever is wrong, in whichever record: the machine is as it was, and none the wiser. */
static void test_load_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	static struct snapshot saved, before, after;
	unsigned int refused[HV_PC_STATES] = { 0 };
	static const uint8_t damage[] = { 0x01, 0x08, 0x40, 0x80 };

	hv_pc_reset(&f->pc);
	take(&saved, &f->pc);
	make_busy(f);
	take(&before, &f->pc);
	memset(f->sent, 0, sizeof(f->sent));
	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		for (size_t at = 0; at < hv_pc_states[i].kind->size * sizeof(damage); at++) {
			uint8_t *byte = (uint8_t *)saved.record[i] + at / sizeof(damage);
			uint8_t was = *byte;

			*byte ^= damage[at % sizeof(damage)];
			if (hv_pc_check(&f->pc, (const void *const *)saved.record)) {
				assert_int_equal(give(&saved, &f->pc), -EINVAL);
				refused[i]++;
			}
			*byte = was;
		}
		assert_int_not_equal(refused[i], 0);
	}
	take(&after, &f->pc);
	assert_memory_equal(before.bytes, after.bytes, before.used);
	assert_true(f->bench.level[31]);
	for (unsigned int vector = 0; vector < 256; vector++)
		assert_int_equal(f->sent[vector], 0);
	assert_int_equal(give(&saved, &f->pc), 0);
	assert_false(f->bench.level[31]);
}

/* Each of two chips may be in such a state, but not together. */
static void test_load_refuses_chips_that_disagree(void **state)
{
	struct fixture *f = *state;
	static struct snapshot saved;

	take(&saved, &f->pc);
	((struct hv_i8254_state *)saved.record[1])->connected = 0;
	assert_int_equal(hv_i8254_check(&f->pc.pit, saved.record[1]), 0);
	assert_int_equal(give(&saved, &f->pc), -EINVAL);
	take(&saved, &f->pc);
	((struct hv_cmos_state *)saved.record[2])->connected = 0;
	assert_int_equal(hv_cmos_check(&f->pc.cmos, saved.record[2]), 0);
	assert_int_equal(give(&saved, &f->pc), -EINVAL);
}

/* Which records there are: numbers in files, which nobody may change. */
static void test_records(void **state)
{
	static const struct {
		uint32_t type, instance, version, size;
	} rows[HV_PC_STATES] = {
		{ 0x105, 0, 1, 120 }, { 0x103, 0, 1, 136 }, { 0x104, 0, 1, 152 },
		{ 0x106, 0, 2, 24 },  { 0x10e, 0, 1, 32 },  { 0x107, 0, 3, 48 },
		{ 0x108, 0, 1, 8 },   { 0x109, 0, 1, 8 },   { 0x10a, 0, 1, 8 },
		{ 0x10b, 0, 1, 256 }, { 0x10b, 8, 1, 256 }, { 0x10b, 11, 1, 256 },
		{ 0x10d, 0, 1, 856 }, { 0x120, 0, 3, 64 },  { 0x102, 0, 1, 200 },
		{ 0x101, 0, 1, 32 },
	};

	(void)state;
	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		assert_int_equal(hv_pc_states[i].kind->type, rows[i].type);
		assert_int_equal(hv_pc_states[i].instance, rows[i].instance);
		assert_int_equal(hv_pc_states[i].kind->version, rows[i].version);
		assert_int_equal(hv_pc_states[i].kind->size, rows[i].size);
	}
	assert_int_equal(hv_uart16550_kind.type, 0x10c);
	assert_int_equal(hv_uart16550_kind.version, 1);
	assert_int_equal(hv_uart16550_kind.size, 344);
}

/* Each place taken by somebody else in turn: init fails and leaves nothing behind. */
static void test_init_unwinds(void **state)
{
	static const struct {
		enum hv_space space;
		uint64_t base;
	} taken[] = {
		{ HV_PORT, 0x20 },         { HV_PORT, 0x4d1 },         { HV_MMIO, HV_IOAPIC_BASE },
		{ HV_PORT, 0x40 },         { HV_PORT, 0x61 },          { HV_PORT, 0x70 },
		{ HV_MMIO, HV_HPET_BASE }, { HV_PORT, HV_PC_PM_BASE }, { HV_PORT, 0x60 },
		{ HV_PORT, 0x64 },         { HV_PORT, 0x92 },          { HV_PORT, 0xcf8 },
		{ HV_PORT, 0xcff },        { HV_PORT, 0x3b4 },         { HV_PORT, 0x3d5 },
		{ HV_PORT, 0x51b },
	};
	struct fixture *f = *state;
	struct hv_pc_config config = config_for(f);
	static struct hv_bus bus;
	static struct hv_pc pc;

	config.bus = &bus;
	for (unsigned int i = 0; i < ARRAY_SIZE(taken); i++) {
		struct hv_region other = {
			.name = "other", .space = taken[i].space, .base = taken[i].base, .len = 1
		};

		memset(&bus, 0, sizeof(bus));
		assert_int_equal(hv_bus_register(&bus, &other), 0);
		assert_int_equal(hv_pc_init(&pc, &config), -EEXIST);
		assert_int_equal(bus.count[HV_PORT] + bus.count[HV_MMIO], 1);
	}
}

#define PC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PC_TEST(test_x87_error),
		PC_TEST(test_timer_to_both_controllers),
		PC_TEST(test_nothing_before_the_guest_asks),
		PC_TEST(test_hpet_takes_the_timer),
		PC_TEST(test_com1),
		PC_TEST(test_sci_is_level),
		PC_TEST(test_pci_line),
		PC_TEST(test_ways_to_reset_and_off),
		PC_TEST(test_reset),
		PC_TEST(test_after_bios),
		PC_TEST(test_save_load),
		PC_TEST(test_load_all_or_nothing),
		PC_TEST(test_load_refuses_chips_that_disagree),
		PC_TEST(test_records),
		PC_TEST(test_init_unwinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
