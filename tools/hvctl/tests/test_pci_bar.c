// SPDX-License-Identifier: GPL-2.0-only
/* BARs of many devices: of 64 bits, in each other's way, and who hears that they have moved. */
#include "dev_test.h"

#include "dev/pci.h"
#include "lib/util.h"

#define DEVICES 30
#define FIRST_SLOT 2

/* Each with ports in BAR 0, other ports in BAR 1, and 64-bit memory in BAR 2. */
struct card {
	struct hv_pci_device device;
	unsigned int moved[HV_PCI_BARS];	/* calls */
	uint64_t told[HV_PCI_BARS];		/* where moved() found the BAR; 0: nowhere */
	unsigned int answers;
};

struct fixture {
	struct bench bench;
	struct hv_pci pci;
	struct card card[DEVICES];
};

static struct fixture fixture;

/* Who comes finds nobody there who has not heard yet that he has gone. */
static void moved(void *dev, unsigned int n, uint64_t where)
{
	struct card *card = dev;

	card->moved[n]++;
	card->told[n] = where;
	for (unsigned int i = 0; where && i < DEVICES; i++)
		if (&fixture.card[i] != card)
			assert_int_not_equal(fixture.card[i].told[n], where);
}

static void bar_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct card *card = dev;

	(void)width;
	card->answers++;
	if (!write)
		*value = card->device.devfn << 16 | offset;
}

static void make(struct card *card, uint64_t ports)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };
	struct hv_pci_device *device = &card->device;

	hv_pci_device_init(device, &ids);
	device->moved = moved;
	device->dev = card;
	assert_int_equal(hv_pci_device_set_bar(device, 0, HV_PORT, ports, bar_access, card), 0);
	assert_int_equal(hv_pci_device_set_bar(device, 1, HV_PORT, 64, bar_access, card), 0);
	assert_int_equal(hv_pci_device_set_bar64(device, 2, 4096, bar_access, card), 0);
}

static int setup(void **state)
{
	struct hv_pci_config config = {
		.bus = &fixture.bench.bus,
		.intx = bench_irq(&fixture.bench, 16),
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_pci_init(&fixture.pci, &config);
}

/* Whoever was told a place is told that it is gone. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_pci_exit(&f->pci);
	for (unsigned int i = 0; i < DEVICES; i++)
		for (unsigned int n = 0; n < HV_PCI_BARS; n++)
			assert_int_equal(f->card[i].told[n], 0);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	return 0;
}

/* The first @count cards, with BAR 0 of @ports ports. */
static void plug(struct fixture *f, unsigned int count, uint64_t ports)
{
	for (unsigned int i = 0; i < count; i++) {
		make(&f->card[i], ports);
		assert_int_equal(hv_pci_add(&f->pci, &f->card[i].device, (FIRST_SLOT + i) * 8), 0);
	}
}

static void select_reg(struct fixture *f, unsigned int card, unsigned int reg)
{
	outl(&f->bench, 0xcf8, 0x80000000u | (FIRST_SLOT + card) << 11 | (reg & 0xfc));
}

static uint32_t get(struct fixture *f, unsigned int card, unsigned int reg)
{
	select_reg(f, card, reg);
	return inl(&f->bench, 0xcfc);
}

static void put(struct fixture *f, unsigned int card, unsigned int reg, uint32_t value)
{
	select_reg(f, card, reg);
	outl(&f->bench, 0xcfc, value);
}

static void set_command(struct fixture *f, unsigned int card, uint16_t command)
{
	select_reg(f, card, 4);
	outw(&f->bench, 0xcfc, command);
}

/* Who answers at this port? -1: nobody. */
static int at_port(struct fixture *f, uint16_t port)
{
	uint32_t value = inl(&f->bench, port);

	return value == UINT32_MAX ? -1 : (int)(value >> 19) - FIRST_SLOT;
}

static int at_memory(struct fixture *f, uint64_t gpa)
{
	uint64_t value = bench_read(&f->bench, HV_MMIO, gpa, 4);

	return value == UINT32_MAX ? -1 : (int)(value >> 19) - FIRST_SLOT;
}

/* ----------------------------------------------------------------- 64 bits */

static void test_wide_sizing(void **state)
{
	struct fixture *f = *state;

	plug(f, 1, 64);
	assert_int_equal(get(f, 0, 0x18), 0x00000004);
	put(f, 0, 0x18, 0xffffffff);
	put(f, 0, 0x1c, 0xffffffff);
	assert_int_equal(get(f, 0, 0x18), 0xfffff004);
	assert_int_equal(get(f, 0, 0x1c), 0xffffffff);
	put(f, 0, 0x18, 0);
	put(f, 0, 0x1c, 0);
	assert_int_equal(get(f, 0, 0x18), 0x00000004);
}

/* With decoding on it follows each half, as on hardware. */
static void test_wide_halves(void **state)
{
	struct fixture *f = *state;
	uint64_t base;

	plug(f, 1, 64);
	set_command(f, 0, 2);
	put(f, 0, 0x1c, 4);
	assert_true(hv_pci_bar_where(&f->card[0].device, 2, &base));
	assert_int_equal(base, 4ull << 32);
	put(f, 0, 0x18, 0xe0000000);
	assert_int_equal(at_memory(f, 0x4e0000ffcull), 0);
	assert_int_equal(at_memory(f, 0x400000000ull), -1);
	assert_int_equal(at_memory(f, 0xe0000000ull), -1);
	put(f, 0, 0x1c, 0);
	assert_int_equal(at_memory(f, 0xe0000000ull), 0);
	assert_int_equal(at_memory(f, 0x4e0000000ull), -1);
	assert_int_equal(f->card[0].moved[2], 5);
	assert_int_equal(f->card[0].told[2], 0xe0000000);
	set_command(f, 0, 1);
	assert_false(hv_pci_bar_where(&f->card[0].device, 2, &base));
	assert_int_equal(f->card[0].moved[2], 6);
}

static void test_wide_where_no_address_is(void **state)
{
	struct fixture *f = *state;
	uint64_t base;

	plug(f, 1, 64);
	put(f, 0, 0x18, 0xfffff000);
	put(f, 0, 0x1c, 0x000fffff);
	set_command(f, 0, 2);
	assert_int_equal(at_memory(f, 0x000ffffffffff000ull), 0);
	put(f, 0, 0x1c, 0x00100000);
	assert_false(hv_pci_bar_where(&f->card[0].device, 2, &base));
	put(f, 0, 0x1c, 0xffffffff);
	assert_int_equal(at_memory(f, 0xfffffffffffff000ull), -1);
}

static void test_wide_takes_two(void **state)
{
	struct hv_pci_device *d = &fixture.card[0].device;
	static const struct hv_pci_ids ids = { .vendor = 1 };

	(void)state;
	hv_pci_device_init(d, &ids);
	assert_int_equal(hv_pci_device_set_bar64(d, 5, 4096, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 6, 4096, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 0, 8, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 0, 4097, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 0, 1ull << 32, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 1, 4096, bar_access, NULL), 0);
	assert_int_equal(hv_pci_device_set_bar(d, 2, HV_PORT, 64, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar64(d, 2, 4096, bar_access, NULL), -EINVAL);
	/* The one behind is taken. */
	assert_int_equal(hv_pci_device_set_bar64(d, 0, 4096, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_window(d, 2, 0x40, 0x80, 64, bar_access, NULL), -EINVAL);
	assert_int_equal(hv_pci_device_set_bar(d, 3, HV_PORT, 64, bar_access, NULL), 0);
}

/* ------------------------------------------------- in each other's way */

static void test_those_who_stay_hear_nothing(void **state)
{
	struct fixture *f = *state;

	plug(f, 3, 64);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000), 0);
	for (unsigned int n = 0; n < 3; n++)
		for (unsigned int i = 0; i < 3; i++)
			assert_int_equal(f->card[i].moved[n], 1);
	put(f, 1, 0x10, 0xd000);
	put(f, 1, 0x10, 0xd000);
	assert_int_equal(f->card[1].moved[0], 3);
	assert_int_equal(f->card[1].told[0], 0xd000);
	/* To where it was: all have moved, and none has. */
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000), 0);
	assert_int_equal(f->card[1].moved[0], 5);
	assert_int_equal(f->card[1].moved[1] + f->card[1].moved[2], 2);
	assert_int_equal(f->card[0].moved[0] + f->card[0].moved[1] + f->card[0].moved[2], 3);
	assert_int_equal(f->card[2].moved[0] + f->card[2].moved[1] + f->card[2].moved[2], 3);
}

/* The first evicts the second, on which the third waits: that one's place is free then. */
static void test_place_freed_by_an_eviction(void **state)
{
	struct fixture *f = *state;

	plug(f, 3, 32);
	for (unsigned int i = 0; i < 3; i++)
		set_command(f, i, 1);
	put(f, 1, 0x14, 0xc000);
	put(f, 2, 0x10, 0xc000);
	assert_int_equal(at_port(f, 0xc000), 1);
	assert_int_equal(f->card[2].moved[0], 0);
	put(f, 0, 0x10, 0xc020);
	assert_int_equal(at_port(f, 0xc020), 0);
	assert_int_equal(at_port(f, 0xc000), 2);
	assert_int_equal(f->card[1].told[1], 0);
	assert_int_equal(f->card[2].told[0], 0xc000);
	set_command(f, 0, 0);
	assert_int_equal(at_port(f, 0xc020), 1);
	assert_int_equal(f->card[1].told[1], 0xc000);
	assert_int_equal(f->card[2].told[0], 0);
	hv_pci_remove(&f->card[1].device);
	assert_int_equal(f->card[1].told[1], 0);
	assert_int_equal(at_port(f, 0xc000), 2);
}

/* Two BARs of one device: the lower one answers. */
static void test_own_bars_collide(void **state)
{
	struct fixture *f = *state;

	plug(f, 1, 64);
	set_command(f, 0, 1);
	put(f, 0, 0x14, 0xc000);
	put(f, 0, 0x10, 0xc000);
	assert_int_equal(f->card[0].told[0], 0xc000);
	assert_int_equal(f->card[0].told[1], 0);
	put(f, 0, 0x10, 0);
	assert_int_equal(f->card[0].told[0], 0);
	assert_int_equal(f->card[0].told[1], 0xc000);
}

/* Who is no PCI device is there first, whenever decoding goes on and off. */
static void test_chip_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct card chip = { .device = { .devfn = 0xf8 } };
	struct hv_region region = { "chip", HV_PORT, 0xc010, 8, bar_access, &chip };
	uint64_t base;

	plug(f, 1, 64);
	assert_int_equal(hv_bus_register(&f->bench.bus, &region), 0);
	put(f, 0, 0x10, 0xc000);
	for (unsigned int i = 0; i < 2; i++) {
		set_command(f, 0, 1);
		assert_false(hv_pci_bar_where(&f->card[0].device, 0, &base));
		inl(&f->bench, 0xc010);
		assert_int_equal(chip.answers, i + 1);
		assert_int_equal(at_port(f, 0xc000), -1);
		set_command(f, 0, 0);
	}
	assert_int_equal(f->card[0].moved[0], 0);
	set_command(f, 0, 1);
	put(f, 0, 0x10, 0xc040);
	assert_int_equal(at_port(f, 0xc040), 0);
	put(f, 0, 0x10, 0xc000);
	assert_int_equal(f->card[0].told[0], 0);
	hv_bus_unregister(&f->bench.bus, &region);
	set_command(f, 0, 0);
	set_command(f, 0, 1);
	assert_int_equal(at_port(f, 0xc010), 0);
}

static void test_decoding_off_and_on(void **state)
{
	struct fixture *f = *state;

	plug(f, 2, 64);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000), 0);
	set_command(f, 0, 0);
	assert_int_equal(f->card[0].told[0] | f->card[0].told[1] | f->card[0].told[2], 0);
	assert_int_equal(at_port(f, 0xc000), -1);
	assert_int_equal(at_memory(f, 0xe0000000), -1);
	set_command(f, 0, 2);
	assert_int_equal(at_port(f, 0xc000), -1);
	assert_int_equal(at_memory(f, 0xe0000000), 0);
	set_command(f, 0, 3);
	assert_int_equal(at_port(f, 0xc000), 0);
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(f->card[0].moved[n], 3);
		assert_int_equal(f->card[1].moved[n], 1);
	}
}

/* Where BAR @n of the card should answer, by its registers alone; 0: nowhere. */
static uint64_t wanted(struct fixture *f, unsigned int card, unsigned int n)
{
	const struct hv_pci_device *d = &f->card[card].device;
	uint32_t bit = n == 2 ? 2 : 1;

	if (!(hv_pci_config_read(d, 4, 2) & bit))
		return 0;
	return hv_pci_config_read(d, 0x10 + 4 * n, 4) & (n == 2 ? ~0xfu : ~3u);
}

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* The rule by the letter: in order of functions and BARs each takes its place if that is free. */
static void check_all(struct fixture *f, unsigned int cards)
{
	struct {
		uint64_t base, len;
		bool ports;
	} placed[16];
	unsigned int count = 0;

	for (unsigned int i = 0; i < cards; i++)
		for (unsigned int n = 0; n < 3; n++) {
			uint64_t base = wanted(f, i, n), len = f->card[i].device.bar[n].region.len;
			bool ports = n != 2;

			for (unsigned int k = 0; base && k < count; k++)
				if (placed[k].ports == ports &&
				    overlap(base, len, placed[k].base, placed[k].len))
					base = 0;
			assert_int_equal(f->card[i].told[n], base);
			if (!base)
				continue;
			placed[count].base = base;
			placed[count].len = len;
			placed[count++].ports = ports;
		}
}

static void test_any_order(void **state)
{
	struct fixture *f = *state;

	plug(f, 5, 32);
	for (unsigned int step = 0; step < 5000; step++) {
		unsigned int card = (unsigned int)bench_random(&f->bench, 5);
		unsigned int n = (unsigned int)bench_random(&f->bench, 4);

		if (n == 3)
			set_command(f, card, (uint16_t)bench_random(&f->bench, 4));
		else
			put(f, card, 0x10 + 4 * n,
			    n == 2 ? 0xe0000000 + 4096 * (uint32_t)bench_random(&f->bench, 3) :
				     0xc000 + 32 * (uint32_t)bench_random(&f->bench, 6));
		check_all(f, 5);
	}
}

/* ------------------------------------------------------------------- others */

/* As many as there is room for behind the board's own two, with more ports than they will want. */
static void test_full_bus(void **state)
{
	struct fixture *f = *state;

	plug(f, DEVICES, 256);
	assert_int_equal(hv_pci_slots(&f->pci), 32);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xc0000000, 0xfec00000), 0);
	for (unsigned int i = 0; i < DEVICES; i++) {
		for (unsigned int n = 0; n < 3; n++)
			assert_true(f->card[i].told[n]);
		assert_int_equal(at_port(f, (uint16_t)(f->card[i].told[0] + 0xfc)), i);
		assert_int_equal(at_port(f, (uint16_t)(f->card[i].told[1] + 0x3c)), i);
		assert_int_equal(at_memory(f, f->card[i].told[2] + 0xffc), i);
	}
	hv_pci_remove(&f->card[DEVICES - 1].device);
	assert_int_equal(hv_pci_slots(&f->pci), 31);
}

/* What a reset leaves of the command register is what firmware would have set. */
static void test_reset(void **state)
{
	struct fixture *f = *state;

	plug(f, 1, 64);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000), 0);
	set_command(f, 0, 0x407);
	hv_pci_set_intx(&f->card[0].device, true);
	assert_false(f->bench.level[17]);
	hv_pci_reset(&f->pci);
	assert_true(f->bench.level[17]);
	assert_int_equal(get(f, 0, 4) & 0xffff, 0x0003);
	assert_int_equal(at_port(f, 0xc000), 0);
	assert_int_equal(f->card[0].moved[0] + f->card[0].moved[1] + f->card[0].moved[2], 3);
}

static void test_load_moves(void **state)
{
	struct fixture *f = *state;
	struct hv_pci_device_state saved;

	plug(f, 1, 64);
	assert_int_equal(hv_pci_assign(&f->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000), 0);
	hv_pci_device_save(&f->card[0].device, &saved);
	put(f, 0, 0x1c, 1);
	assert_int_equal(f->card[0].told[2], 0x1e0000000);
	assert_int_equal(hv_pci_device_load(&f->card[0].device, &saved), 0);
	assert_int_equal(f->card[0].told[2], 0xe0000000);
	assert_int_equal(f->card[0].moved[0], 1);
}

/* A capability whose data are made while the guest reads them. */
static void reading(void *dev, unsigned int offset, unsigned int width)
{
	struct card *card = dev;

	card->answers++;
	hv_pci_config_set(&card->device, 0x40, 4, offset << 8 | width);
}

static void test_reading(void **state)
{
	struct fixture *f = *state;

	plug(f, 1, 64);
	f->card[0].device.reading = reading;
	assert_int_equal(get(f, 0, 0x40), 0x4004);
	select_reg(f, 0, 0x40);
	assert_int_equal(inb(&f->bench, 0xcfd), 0x41);
	assert_int_equal(f->card[0].answers, 2);
	put(f, 0, 0x40, 0);
	assert_int_equal(hv_pci_config_read(&f->card[0].device, 0x40, 4), 0x4101);
}

#define BAR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BAR_TEST(test_wide_sizing),
		BAR_TEST(test_wide_halves),
		BAR_TEST(test_wide_where_no_address_is),
		BAR_TEST(test_wide_takes_two),
		BAR_TEST(test_those_who_stay_hear_nothing),
		BAR_TEST(test_place_freed_by_an_eviction),
		BAR_TEST(test_own_bars_collide),
		BAR_TEST(test_chip_in_the_way),
		BAR_TEST(test_decoding_off_and_on),
		BAR_TEST(test_any_order),
		BAR_TEST(test_full_bus),
		BAR_TEST(test_reset),
		BAR_TEST(test_load_moves),
		BAR_TEST(test_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
