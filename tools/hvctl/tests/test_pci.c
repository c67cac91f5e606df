// SPDX-License-Identifier: GPL-2.0-only
/* Configuration mechanism #1, BARs that move, shared INTx, and CF9h in its midst. */
#include "dev_test.h"

#include "dev/cf9.h"
#include "dev/pci.h"
#include "lib/util.h"

struct fixture {
	struct bench bench;
	struct hv_cf9 cf9;
	struct hv_pci pci;
	struct hv_pci_device a, b;
	unsigned int resets;
	unsigned int written_offset, written_width;
	uint64_t last_offset;	/* of an access to a BAR */
};

static struct fixture fixture;

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void bar_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct fixture *f = dev;

	(void)width;
	f->last_offset = offset;
	if (!write)
		*value = 0x5a5a5a5a;
}

static void written(void *dev, unsigned int offset, unsigned int width)
{
	struct fixture *f = dev;

	f->written_offset = offset;
	f->written_width = width;
}

static int setup(void **state)
{
	static const struct hv_pci_ids ids = {
		.vendor = 0x1af4,
		.device = 0x1042,
		.subsystem_vendor = 0x1af4,
		.subsystem = 2,
		.class_code = 0x010000,
		.revision = 1,
		.intx = 1,
	};
	struct hv_cf9_config cf9 = { .reset = reset, .ctx = &fixture };
	struct hv_pci_config config = {
		.bus = &fixture.bench.bus,
		.cf9 = &fixture.cf9,
		.intx = bench_irq(&fixture.bench, 16),
		.legacy_irq = { 10, 11, 5, 7 },
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	hv_cf9_init(&fixture.cf9, &cf9);
	hv_pci_device_init(&fixture.a, &ids);
	hv_pci_device_init(&fixture.b, &ids);
	fixture.a.written = written;
	fixture.a.dev = &fixture;
	if (hv_pci_device_set_bar(&fixture.a, 0, HV_PORT, 64, bar_access, &fixture) ||
	    hv_pci_device_set_bar(&fixture.a, 1, HV_MMIO, 4096, bar_access, &fixture) ||
	    hv_pci_device_set_bar(&fixture.b, 0, HV_PORT, 32, bar_access, &fixture))
		return -1;
	return hv_pci_init(&fixture.pci, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_pci_exit(&f->pci);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	return 0;
}

static void select_reg(struct fixture *f, unsigned int devfn, unsigned int reg)
{
	outl(&f->bench, 0xcf8, 0x80000000u | devfn << 8 | (reg & 0xfc));
}

static uint32_t get(struct fixture *f, unsigned int devfn, unsigned int reg, unsigned int width)
{
	select_reg(f, devfn, reg);
	return (uint32_t)bench_read(&f->bench, HV_PORT, 0xcfc + (reg & 3), width);
}

static void put(struct fixture *f, unsigned int devfn, unsigned int reg, unsigned int width,
		uint32_t value)
{
	select_reg(f, devfn, reg);
	bench_write(&f->bench, HV_PORT, 0xcfc + (reg & 3), width, value);
}

/* How Linux finds out that this is mechanism #1. */
static void test_probe_like_linux(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0xcfb, 0x01);
	outl(&f->bench, 0xcf8, 0x80000000);
	assert_int_equal(inl(&f->bench, 0xcf8), 0x80000000);
}

static void test_absent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 8, 0x00, 4), 0xffffffff);
	assert_int_equal(get(f, 1, 0x00, 2), 0xffff);
	put(f, 8, 0x04, 4, 0);
	outl(&f->bench, 0xcf8, 0x80010000); /* bus 1 */
	assert_int_equal(inl(&f->bench, 0xcfc), 0xffffffff);
	outl(&f->bench, 0xcf8, 0x00000000); /* not enabled */
	assert_int_equal(inl(&f->bench, 0xcfc), 0xffffffff);
	outl(&f->bench, 0xcf8, 0xffffffff);
	assert_int_equal(inl(&f->bench, 0xcf8), 0x80fffffc);
}

static void test_lanes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	put(f, 0x10, 0x3c, 1, 0x0b);
	assert_int_equal(get(f, 0x10, 0x3c, 4), 0x0000010b);
	assert_int_equal(get(f, 0x10, 0x3d, 1), 0x01);
	select_reg(f, 0x10, 0x2c);
	assert_int_equal(inw(&f->bench, 0xcfd), 0x021a);
	/* Across the end of the data port: bytes */
	assert_int_equal(inw(&f->bench, 0xcff), 0xff00);
	assert_int_equal(inw(&f->bench, 0xcf8), 0xffff);
}

static void test_cf9(void **state)
{
	struct fixture *f = *state;

	outl(&f->bench, 0xcf8, 0x80000600);
	assert_int_equal(f->resets, 0);
	outb(&f->bench, 0xcf9, 0x02);
	assert_int_equal(inb(&f->bench, 0xcf9), 0x02);
	assert_int_equal(f->resets, 0);
	outb(&f->bench, 0xcf9, 0x06);
	assert_int_equal(f->resets, 1);
	outb(&f->bench, 0xcf9, 0x0e);
	assert_int_equal(f->resets, 1);
	outb(&f->bench, 0xcf9, 0x00);
	outb(&f->bench, 0xcf9, 0xff);
	assert_int_equal(f->resets, 2);
	assert_int_equal(inb(&f->bench, 0xcf9), 0x0e);
	assert_int_equal(inl(&f->bench, 0xcf8), 0x80000600);
	hv_cf9_reset(&f->cf9);
	assert_int_equal(inb(&f->bench, 0xcf9), 0x00);
}

static void test_bar_sizing_and_moving(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	assert_int_equal(get(f, 0x10, 0x10, 4), 0x00000001);
	put(f, 0x10, 0x10, 4, 0xffffffff);
	assert_int_equal(get(f, 0x10, 0x10, 4), 0xffffffc1);
	put(f, 0x10, 0x14, 4, 0xffffffff);
	assert_int_equal(get(f, 0x10, 0x14, 4), 0xfffff000);
	put(f, 0x10, 0x18, 4, 0xffffffff);
	assert_int_equal(get(f, 0x10, 0x18, 4), 0);
	put(f, 0x10, 0x10, 4, 0xc000);
	put(f, 0x10, 0x14, 4, 0xe0000000);
	assert_int_equal(inl(&f->bench, 0xc010), 0xffffffff);
	put(f, 0x10, 0x04, 2, 0x0001);
	assert_int_equal(inl(&f->bench, 0xc010), 0x5a5a5a5a);
	assert_int_equal(f->last_offset, 0x10);
	assert_int_equal(bench_read(&f->bench, HV_MMIO, 0xe0000000, 4), 0xffffffff);
	put(f, 0x10, 0x04, 2, 0x0003);
	assert_int_equal(bench_read(&f->bench, HV_MMIO, 0xe0000ffc, 4), 0x5a5a5a5a);
	assert_int_equal(f->last_offset, 0xffc);
	put(f, 0x10, 0x11, 1, 0xd0);
	assert_int_equal(inl(&f->bench, 0xc010), 0xffffffff);
	assert_int_equal(inl(&f->bench, 0xd03c), 0x5a5a5a5a);
	put(f, 0x10, 0x04, 2, 0);
	assert_int_equal(inl(&f->bench, 0xd000), 0xffffffff);
}

static void test_bar_on_top_of_another(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	put(f, 0x10, 0x04, 2, 0x0001);
	/* Where CONFIG_ADDRESS is: the chip that was there first stays. */
	put(f, 0x10, 0x10, 4, 0x0cc0);
	assert_int_equal(get(f, 0x10, 0x10, 4), 0x0cc1);
	put(f, 0x10, 0x10, 4, 0xc000);
	assert_int_equal(inl(&f->bench, 0xc000), 0x5a5a5a5a);
	/* Beyond the end of port space, and nowhere. */
	put(f, 0x10, 0x10, 4, 0x10000);
	assert_int_equal(f->bench.bus.count[HV_PORT], 2);
	put(f, 0x10, 0x10, 4, 0);
	assert_int_equal(f->bench.bus.count[HV_PORT], 2);
}

/* A chipset's own ports: with a switch of their own, and out of reach for hv_pci_assign(). */
static void test_window(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_device_set_window(&f->b, 1, 0x40, 0x80, 64, bar_access, f), 0);
	assert_int_equal(hv_pci_add(&f->pci, &f->b, 0x0b), 0);
	assert_int_equal(get(f, 0x0b, 0x40, 4), 1);
	put(f, 0x0b, 0x40, 4, 0xffff0bff);
	assert_int_equal(get(f, 0x0b, 0x40, 4), 0x0bc1);
	inl(&f->bench, 0x0bc0);
	assert_int_equal(inl(&f->bench, 0x0bc0), 0xffffffff);
	put(f, 0x0b, 0x80, 1, 0xff);
	assert_int_equal(get(f, 0x0b, 0x80, 1), 1);
	assert_int_equal(inl(&f->bench, 0x0bfc), 0x5a5a5a5a);
	assert_int_equal(f->last_offset, 0x3c);
	put(f, 0x0b, 0x40, 2, 0xe400);
	assert_int_equal(inl(&f->bench, 0x0bfc), 0xffffffff);
	assert_int_equal(inl(&f->bench, 0xe404), 0x5a5a5a5a);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0xc100, 0xe0000000, 0xe0001000), 0);
	assert_int_equal(get(f, 0x0b, 0x40, 4), 0xe401);
	put(f, 0x0b, 0x80, 1, 0);
	assert_int_equal(inl(&f->bench, 0xe404), 0xffffffff);
}

static void test_bad_windows(void **state)
{
	static const struct {
		unsigned int n;
		uint8_t reg, enable;
		uint16_t size;
	} bad[] = {
		{ 6, 0x40, 0x80, 64 }, { 0, 0x40, 0x80, 64 }, { 1, 0x3c, 0x80, 64 },
		{ 1, 0xfd, 0x80, 64 }, { 1, 0x40, 0x04, 64 }, { 1, 0x40, 0x80, 2 },
		{ 1, 0x40, 0x80, 65 },
	};
	struct hv_pci_device *b = &((struct fixture *)*state)->b;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(hv_pci_device_set_window(b, bad[i].n, bad[i].reg, bad[i].enable,
							  bad[i].size, bar_access, NULL),
				 -EINVAL);
}

static void test_bad_bars(void **state)
{
	struct hv_pci_device *b = &((struct fixture *)*state)->b;

	assert_int_equal(hv_pci_device_set_bar(b, 0, HV_PORT, 32, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 6, HV_PORT, 32, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_PORT, 33, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_PORT, 2, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_PORT, 512, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_MMIO, 8, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_MMIO, 0, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(b, 1, HV_MMIO, 1ull << 32, bar_access, NULL),
			 -EINVAL);
}

static void test_assign(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->b, 0x08), 0);
	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0xc100, 0xe0000000, 0xe0001000), 0);
	assert_int_equal(get(f, 0x08, 0x10, 4), 0xc001);
	assert_int_equal(get(f, 0x10, 0x10, 4), 0xc041);
	assert_int_equal(get(f, 0x10, 0x14, 4), 0xe0000000);
	assert_int_equal(get(f, 0x10, 0x04, 2), 0x0003);
	assert_int_equal(inl(&f->bench, 0xc07c), 0x5a5a5a5a);
	assert_int_equal(f->last_offset, 0x3c);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0xc07f, 0xe0000000, 0xe0001000), -ENOSPC);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0xc100, 0xe0000001, 0xe0001000), -ENOSPC);
}

static void test_add_and_remove(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 256), -EINVAL);
	assert_int_equal(hv_pci_add(&f->pci, &f->a, 255), 0);
	assert_int_equal(hv_pci_add(&f->pci, &f->b, 255), -EEXIST);
	assert_int_equal(get(f, 255, 0x00, 4), 0x10421af4);
	hv_pci_set_intx(&f->a, true);
	assert_true(f->bench.level[16 + 30 % 4]);
	hv_pci_remove(&f->a);
	assert_false(f->bench.level[16 + 30 % 4]);
	assert_int_equal(get(f, 255, 0x00, 4), 0xffffffff);
	hv_pci_remove(&f->a);
}

static void test_intx_is_shared(void **state)
{
	struct fixture *f = *state;

	/* Devices 1 and 5 have their INTA on the same line. */
	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x08), 0);
	assert_int_equal(hv_pci_add(&f->pci, &f->b, 0x28), 0);
	assert_int_equal(get(f, 0x28, 0x3c, 1), 10);
	hv_pci_set_intx(&f->a, true);
	hv_pci_set_intx(&f->b, true);
	hv_pci_set_intx(&f->b, true);
	assert_int_equal(f->bench.rises[16], 1);
	assert_int_equal(get(f, 0x08, 0x06, 2), 0x0008);
	hv_pci_set_intx(&f->a, false);
	assert_true(f->bench.level[16]);
	put(f, 0x28, 0x04, 2, 0x0400);
	assert_false(f->bench.level[16]);
	assert_int_equal(get(f, 0x28, 0x06, 2), 0x0008);
	put(f, 0x28, 0x04, 2, 0x0000);
	assert_true(f->bench.level[16]);
	hv_pci_set_intx(&f->b, false);
	assert_false(f->bench.level[16]);
}

static void test_capabilities(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x09, 16), 0x40);
	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x11, 13), 0x50);
	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x05, 14), 0x60);
	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x05, 146), -ENOSPC);
	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x05, 144), 0x70);
	assert_int_equal(hv_pci_device_add_capability(&f->a, 0x05, 4), -ENOSPC);
	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	assert_int_equal(get(f, 0x10, 0x06, 2), 0x0010);
	assert_int_equal(get(f, 0x10, 0x34, 1), 0x70);
	assert_int_equal(get(f, 0x10, 0x70, 2), 0x6005);
	assert_int_equal(get(f, 0x10, 0x60, 2), 0x5005);
	assert_int_equal(get(f, 0x10, 0x50, 2), 0x4011);
	assert_int_equal(get(f, 0x10, 0x40, 2), 0x0009);
}

static void test_write_masks_and_hook(void **state)
{
	struct fixture *f = *state;

	f->a.clearable[7] = 0xf9;
	f->a.config[7] = 0x09;
	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	put(f, 0x10, 0x04, 4, 0x01000000 | 0xffff);
	assert_int_equal(get(f, 0x10, 0x04, 4), 0x08000407);
	assert_int_equal(f->written_offset, 4);
	assert_int_equal(f->written_width, 4);
	put(f, 0x10, 0xff, 1, 0xff);
	assert_int_equal(f->written_offset, 0xff);
	assert_int_equal(get(f, 0x10, 0xff, 1), 0);
}

/* One BAR lies on another's place until that one moves away: then it answers there. */
static void test_bar_whose_place_becomes_free(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	assert_int_equal(hv_pci_add(&f->pci, &f->b, 0x18), 0);
	put(f, 0x10, 0x04, 2, 0x0001);
	put(f, 0x18, 0x04, 2, 0x0001);
	put(f, 0x10, 0x10, 4, 0xc000);
	put(f, 0x18, 0x10, 4, 0xc020);
	put(f, 0x10, 0x10, 4, 0xc100);
	f->last_offset = 99;
	inl(&f->bench, 0xc020);
	assert_int_equal(f->last_offset, 0);
	put(f, 0x10, 0x10, 4, 0xc000);
	inl(&f->bench, 0xc024);
	assert_int_equal(f->last_offset, 0x24);
	put(f, 0x10, 0x04, 2, 0x0000);
	inl(&f->bench, 0xc024);
	assert_int_equal(f->last_offset, 4);
	put(f, 0x10, 0x04, 2, 0x0001);
	hv_pci_remove(&f->a);
	inl(&f->bench, 0xc028);
	assert_int_equal(f->last_offset, 8);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state saved;
	struct hv_pci_state bus;

	assert_int_equal(hv_pci_add(&f->pci, &f->a, 0x10), 0);
	put(f, 0x10, 0x10, 4, 0xc000);
	put(f, 0x10, 0x04, 2, 0x0001);
	hv_pci_set_intx(&f->a, true);
	hv_pci_device_save(&f->a, &saved);
	hv_pci_save(&f->pci, &bus);
	put(f, 0x10, 0x04, 2, 0x0000);
	hv_pci_set_intx(&f->a, false);
	hv_pci_reset(&f->pci);
	assert_int_equal(hv_pci_load(&f->pci, &bus), 0);
	assert_int_equal(inl(&f->bench, 0xcf8), 0x80001004);
	assert_int_equal(hv_pci_device_load(&f->a, &saved), 0);
	assert_int_equal(inl(&f->bench, 0xc000), 0x5a5a5a5a);
	assert_true(f->bench.level[16 + 1]);
	/* Who listens to writes hears of it. */
	assert_int_equal(f->written_width, HV_PCI_CONFIG);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state device;
	struct hv_pci_state bus;
	struct hv_cf9_state cf9;

	hv_pci_save(&f->pci, &bus);
	bus.address = 1;
	assert_int_equal(hv_pci_load(&f->pci, &bus), -EINVAL);
	bus.address = 0;
	bus.pad = 1;
	assert_int_equal(hv_pci_load(&f->pci, &bus), -EINVAL);
	hv_pci_device_save(&f->a, &device);
	device.config[0]++;
	assert_int_equal(hv_pci_device_load(&f->a, &device), -EINVAL);
	device.config[0]--;
	device.config[0x10] |= 0x20;
	assert_int_equal(hv_pci_device_load(&f->a, &device), -EINVAL);
	device.config[0x10] &= ~0x20;
	assert_int_equal(hv_pci_device_load(&f->a, &device), 0);
	hv_cf9_save(&f->cf9, &cf9);
	assert_int_equal(hv_cf9_load(&f->cf9, &cf9), 0);
	cf9.value = 1;
	assert_int_equal(hv_cf9_load(&f->cf9, &cf9), -EINVAL);
	cf9.value = 0;
	cf9.pad = 1;
	assert_int_equal(hv_cf9_load(&f->cf9, &cf9), -EINVAL);
}

#define PCI_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PCI_TEST(test_probe_like_linux),
		PCI_TEST(test_absent),
		PCI_TEST(test_lanes),
		PCI_TEST(test_cf9),
		PCI_TEST(test_bar_sizing_and_moving),
		PCI_TEST(test_bar_on_top_of_another),
		PCI_TEST(test_bad_bars),
		PCI_TEST(test_window),
		PCI_TEST(test_bad_windows),
		PCI_TEST(test_assign),
		PCI_TEST(test_add_and_remove),
		PCI_TEST(test_intx_is_shared),
		PCI_TEST(test_capabilities),
		PCI_TEST(test_write_masks_and_hook),
		PCI_TEST(test_bar_whose_place_becomes_free),
		PCI_TEST(test_save_load),
		PCI_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
