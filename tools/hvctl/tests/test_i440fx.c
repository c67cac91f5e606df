// SPDX-License-Identifier: GPL-2.0-only
/* The board's own PCI functions: who they say they are, what moves with their registers. */
#include "dev_test.h"

#include "dev/pc.h"
#include "lib/util.h"

struct fixture {
	struct bench bench;
	struct hv_pc pc;
	struct hv_pci_device device;
	unsigned int offs;
};

static struct fixture fixture;

static uint64_t wall(void *ctx)
{
	return ((struct fixture *)ctx)->bench.now_ns;
}

static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	(void)ctx;
	(void)message;
}

static void power_off(void *ctx)
{
	((struct fixture *)ctx)->offs++;
}

static int setup(void **state)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };
	struct hv_pc_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.ram_below_4g = 128 << 20,
		.cpus = 1,
		.wall_ns = wall,
		.deliver = deliver,
		.power_off = power_off,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	hv_pci_device_init(&fixture.device, &ids);
	return hv_pc_init(&fixture.pc, &config) ||
	       hv_pci_add(&fixture.pc.pci, &fixture.device, 2 * 8);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_pc_exit(&f->pc);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

static uint32_t get(struct fixture *f, unsigned int devfn, unsigned int reg, unsigned int width)
{
	outl(&f->bench, 0xcf8, 0x80000000u | devfn << 8 | (reg & 0xfc));
	return (uint32_t)bench_read(&f->bench, HV_PORT, 0xcfc + (reg & 3), width);
}

static void put(struct fixture *f, unsigned int devfn, unsigned int reg, unsigned int width,
		uint32_t value)
{
	outl(&f->bench, 0xcf8, 0x80000000u | devfn << 8 | (reg & 0xfc));
	bench_write(&f->bench, HV_PORT, 0xcfc + (reg & 3), width, value);
}

/* By these, firmware and kernels know the board. */
static void test_identity(void **state)
{
	static const struct {
		uint8_t devfn;
		uint32_t id, class_revision;
		uint8_t header;
	} functions[] = {
		{ 0x00, 0x12378086, 0x06000002, 0x00 },
		{ 0x08, 0x70008086, 0x06010000, 0x80 },
		{ 0x0b, 0x71138086, 0x06800003, 0x00 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		uint8_t devfn = functions[i].devfn;

		assert_int_equal(get(f, devfn, 0x00, 4), functions[i].id);
		assert_int_equal(get(f, devfn, 0x08, 4), functions[i].class_revision);
		assert_int_equal(get(f, devfn, 0x0e, 1), functions[i].header);
		assert_int_equal(get(f, devfn, 0x2c, 4), 0x11001af4);
		assert_int_equal(get(f, devfn, 0x3d, 1), 0);
		put(f, devfn, 0x00, 4, 0);
		assert_int_equal(get(f, devfn, 0x00, 4), functions[i].id);
		put(f, devfn, 0x10, 4, 0xffffffff);
		assert_int_equal(get(f, devfn, 0x10, 4), 0);
	}
	assert_int_equal(get(f, 0x09, 0x00, 4), 0xffffffff);
}

/* PAM, SMRAM, SMBus: kept, and gone by a reset. */
static void test_plain_registers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0, 0x58, 4), 0);
	assert_int_equal(get(f, 0, 0x72, 1), 0x02);
	put(f, 0, 0x58, 4, 0x33333000);
	put(f, 0, 0x5c, 4, 0x33333333);
	assert_int_equal(get(f, 0, 0x59, 1), 0x30);
	assert_int_equal(get(f, 0, 0x5f, 1), 0x33);
	put(f, 0x0b, 0x90, 4, 0xffffffff);
	assert_int_equal(get(f, 0x0b, 0x90, 4), 0x0000fff1);
	put(f, 0x0b, 0xd2, 1, 0x09);
	assert_int_equal(get(f, 0x0b, 0xd2, 1), 0x09);
	/* SeaBIOS would wait for an SMI without end if this did not say that it has set it up. */
	assert_int_equal(get(f, 0x0b, 0x5b, 1), 0x02);
	hv_pc_reset(&f->pc);
	assert_int_equal(get(f, 0, 0x58, 4), 0);
	assert_int_equal(get(f, 0, 0x5f, 1), 0);
	assert_int_equal(get(f, 0x0b, 0x90, 4), 1);
	assert_int_equal(get(f, 0x0b, 0xd2, 1), 0);
}

static void test_pm_moves(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state saved;

	assert_int_equal(hv_i440fx_pm_base(&f->pc.chipset), 0x600);
	assert_int_equal(get(f, 0x0b, 0x40, 4), 0x601);
	assert_int_equal(inw(&f->bench, 0x604), 1);
	put(f, 0x0b, 0x40, 4, 0xb000);
	assert_int_equal(hv_i440fx_pm_base(&f->pc.chipset), 0xb000);
	assert_int_equal(inw(&f->bench, 0x604), 0xffff);
	assert_int_equal(inw(&f->bench, 0xb004), 1);
	outw(&f->bench, 0x604, 0x2000);
	assert_int_equal(f->offs, 0);
	outw(&f->bench, 0xb004, 0x2000);
	assert_int_equal(f->offs, 1);
	/* Where a chip is that does not move, it is nowhere. */
	put(f, 0x0b, 0x40, 4, 0x40);
	assert_int_equal(inl(&f->bench, 0x48), 0xffffffff);
	put(f, 0x0b, 0x40, 4, 0xe400);
	assert_int_equal(inw(&f->bench, 0xe404), 1);
	hv_pci_device_save(&f->pc.chipset.pm, &saved);
	put(f, 0x0b, 0x80, 1, 0);
	assert_int_equal(hv_i440fx_pm_base(&f->pc.chipset), 0);
	assert_int_equal(inw(&f->bench, 0xe404), 0xffff);
	hv_pc_reset(&f->pc);
	assert_int_equal(inw(&f->bench, 0x604), 1);
	assert_int_equal(hv_pci_device_load(&f->pc.chipset.pm, &saved), 0);
	assert_int_equal(inw(&f->bench, 0xe404), 1);
	assert_int_equal(inw(&f->bench, 0x604), 0xffff);
}

/* Device 2's INTA is line B: input 11 of the 8259s at first. */
static bool input(struct fixture *f, unsigned int n)
{
	outb(&f->bench, n < 8 ? 0x20 : 0xa0, 0x0a);
	return inb(&f->bench, n < 8 ? 0x20 : 0xa0) >> n % 8 & 1;
}

static void test_pirq(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state saved;

	outw(&f->bench, 0x4d0, 0xdef8);
	assert_int_equal(get(f, 0x08, 0x60, 4), 0x07050b0a);
	hv_pci_set_intx(&f->device, true);
	assert_true(input(f, 11));
	hv_pci_device_save(&f->pc.chipset.isa, &saved);
	put(f, 0x08, 0x61, 1, 0x05);
	assert_false(input(f, 11));
	assert_true(input(f, 5));
	/* Not routed; to an input that no PCI line can reach; both lines to one. */
	put(f, 0x08, 0x61, 1, 0x8b);
	assert_false(input(f, 11));
	put(f, 0x08, 0x61, 1, 0x08);
	assert_false(input(f, 8));
	put(f, 0x08, 0x61, 1, 0x0a);
	assert_true(input(f, 10));
	hv_pci_set_intx(&f->device, false);
	assert_false(input(f, 10));
	hv_pci_set_intx(&f->device, true);
	assert_int_equal(hv_pci_device_load(&f->pc.chipset.isa, &saved), 0);
	assert_false(input(f, 10));
	assert_true(input(f, 11));
	put(f, 0x08, 0x61, 1, 0x80);
	assert_false(input(f, 11));
	hv_i440fx_reset(&f->pc.chipset);
	assert_true(input(f, 11));
}

/* The SCI's input, shared: it falls when the last of them has. */
static void test_shared_input(void **state)
{
	struct fixture *f = *state;
	struct hv_irq sci = hv_pc_irq(&f->pc, HV_PC_SCI), timer = hv_pc_irq(&f->pc, 0);

	put(f, 0x08, 0x61, 1, HV_PC_SCI);
	hv_irq_set(&sci, true);
	hv_pci_set_intx(&f->device, true);
	hv_irq_set(&sci, false);
	assert_true(input(f, HV_PC_SCI));
	hv_irq_set(&sci, true);
	hv_pci_set_intx(&f->device, false);
	assert_true(input(f, HV_PC_SCI));
	/* Routed elsewhere, it leaves the SCI there. */
	hv_pci_set_intx(&f->device, true);
	put(f, 0x08, 0x61, 1, 11);
	assert_true(input(f, 11));
	assert_true(input(f, HV_PC_SCI));
	hv_irq_set(&sci, false);
	assert_false(input(f, HV_PC_SCI));
	/* Routed nowhere, it is not the timer's either. */
	put(f, 0x08, 0x61, 1, 0x80);
	hv_irq_set(&timer, true);
	hv_irq_set(&timer, false);
	assert_int_equal(f->pc.pic.chip[0].s.lines, 0);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state s;

	hv_pci_device_save(&f->pc.chipset.pm, &s);
	s.config[0x40] = 0;
	assert_int_equal(hv_pci_device_load(&f->pc.chipset.pm, &s), -EINVAL);
	hv_pci_device_save(&f->pc.chipset.host, &s);
	s.config[0x90] = 1;
	assert_int_equal(hv_pci_device_load(&f->pc.chipset.host, &s), -EINVAL);
}

#define I440FX_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		I440FX_TEST(test_identity),     I440FX_TEST(test_plain_registers),
		I440FX_TEST(test_pm_moves),     I440FX_TEST(test_pirq),
		I440FX_TEST(test_shared_input), I440FX_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
