// SPDX-License-Identifier: GPL-2.0-only
/* The VGA's registers, one rule after the other; and what they say is on the screen. */
#include "dev_test.h"

#include "dev/vga.h"
#include "lib/util.h"

#define MS 1000000ull
#define FRAME_NS (449 * 31778ull)

struct fixture {
	struct bench bench;
	struct hv_vga vga;
	unsigned int graphics;
};

static struct fixture fixture;

static void graphics(void *ctx)
{
	((struct fixture *)ctx)->graphics++;
}

static int setup(void **state)
{
	struct hv_vga_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.graphics = graphics,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_vga_init(&fixture.vga, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_vga_exit(&f->vga);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

static uint8_t get(struct bench *b, uint16_t port, uint8_t index)
{
	outb(b, port, index);
	return inb(b, port + 1);
}

static void set(struct bench *b, uint16_t port, uint8_t index, uint8_t value)
{
	outb(b, port, index);
	outb(b, port + 1, value);
}

static uint8_t get_attribute(struct bench *b, uint8_t index)
{
	uint8_t value;

	inb(b, 0x3da);
	outb(b, 0x3c0, index);
	value = inb(b, 0x3c1);
	inb(b, 0x3da);
	return value;
}

static void set_attribute(struct bench *b, uint8_t index, uint8_t value)
{
	inb(b, 0x3da);
	outb(b, 0x3c0, index);
	outb(b, 0x3c0, value);
}

static struct hv_vga_screen screen(struct fixture *f)
{
	struct hv_vga_screen result;

	hv_vga_get_screen(&f->vga, &result);
	return result;
}

static void test_as_a_bios_leaves_it(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;
	struct hv_vga_screen now = screen(f);

	assert_int_equal(inb(b, 0x3cc), 0x67);
	assert_int_equal(get(b, 0x3d4, 14) << 8 | get(b, 0x3d4, 15), 0);
	assert_int_equal(get(b, 0x3d4, 10), 13);
	assert_int_equal(get(b, 0x3d4, 11), 14);
	assert_int_equal(inb(b, 0x3c0), 0x20);
	assert_false(now.graphics || now.blank);
	assert_true(now.blink && now.cursor_on);
	assert_int_equal(now.gpa, 0xb8000);
	assert_int_equal(now.columns, 80);
	assert_int_equal(now.rows, 25);
	assert_int_equal(now.stride, 80);
	assert_int_equal(now.start, 0);
	assert_int_equal(now.cursor, 0);
}

/* Each register of a bank reads back its bits and no others; one that is not there, nothing. */
static void check_bank(struct bench *b, uint16_t port, const uint8_t *bits, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		set(b, port, i, 0xff);
		assert_int_equal(inb(b, port), i);
		assert_int_equal(get(b, port, i), bits[i]);
		set(b, port, i, 0x00);
		assert_int_equal(get(b, port, i), 0);
	}
	for (unsigned int i = count; i < 256; i++) {
		set(b, port, i, 0xff);
		assert_int_equal(inb(b, port), i);
		assert_int_equal(get(b, port, i), 0);
	}
}

static void test_banks(void **state)
{
	static const uint8_t sequencer[] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
	static const uint8_t graphics_controller[] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03,
						       0x7b, 0x0f, 0x0f, 0xff };
	static const uint8_t crtc[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
					0xff, 0x3f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff };
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	check_bank(b, 0x3c4, sequencer, ARRAY_SIZE(sequencer));
	check_bank(b, 0x3ce, graphics_controller, ARRAY_SIZE(graphics_controller));
	set(b, 0x3d4, 0x11, 0);
	check_bank(b, 0x3d4, crtc, ARRAY_SIZE(crtc));
}

static void test_words_are_index_and_data(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outw(b, 0x3d4, 0x120e);
	outw(b, 0x3d4, 0x340f);
	assert_int_equal(get(b, 0x3d4, 14), 0x12);
	assert_int_equal(get(b, 0x3d4, 15), 0x34);
	assert_int_equal(inw(b, 0x3d4), 0x340f);
	assert_int_equal(screen(f).cursor, 0x1234);
}

static void test_crtc_protects_its_timing(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	set(b, 0x3d4, 0x00, 0x11);
	assert_int_equal(get(b, 0x3d4, 0x00), 0x5f);
	set(b, 0x3d4, 0x07, 0x00);
	assert_int_equal(get(b, 0x3d4, 0x07), 0x0f);
	set(b, 0x3d4, 0x08, 0x11);
	assert_int_equal(get(b, 0x3d4, 0x08), 0x11);
	set(b, 0x3d4, 0x11, 0x0e);
	set(b, 0x3d4, 0x00, 0x11);
	set(b, 0x3d4, 0x07, 0x1e);
	assert_int_equal(get(b, 0x3d4, 0x00), 0x11);
	assert_int_equal(get(b, 0x3d4, 0x07), 0x1e);
}

/* The CRTC is at 3Dx or at 3Bx, never at both. */
static void test_color_and_monochrome_addresses(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	set(b, 0x3d4, 15, 0x55);
	assert_int_equal(get(b, 0x3b4, 15), 0xff);
	assert_int_equal(inb(b, 0x3ba), 0xff);
	outb(b, 0x3c2, 0x66);
	assert_int_equal(inb(b, 0x3cc), 0x66);
	assert_int_equal(get(b, 0x3b4, 15), 0x55);
	set(b, 0x3d4, 15, 0xaa);
	assert_int_equal(get(b, 0x3b4, 15), 0x55);
	assert_int_equal(inb(b, 0x3d4), 0xff);
	assert_int_equal(inb(b, 0x3da), 0xff);
	outb(b, 0x3c2, 0xff);
	assert_int_equal(inb(b, 0x3cc), 0xef);
	assert_int_equal(inb(b, 0x3c2), 0x10);
}

static void test_attribute_flip_flop(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	inb(b, 0x3da);
	outb(b, 0x3c0, 0x13);
	assert_int_equal(inb(b, 0x3c0), 0x13);
	outb(b, 0x3c0, 0xff);
	assert_int_equal(inb(b, 0x3c0), 0x13);
	assert_int_equal(inb(b, 0x3c1), 0x0f);
	/* An index again; reading does not change whose turn it is, status 1 does. */
	outb(b, 0x3c0, 0xf4);
	assert_int_equal(inb(b, 0x3c0), 0x34);
	inb(b, 0x3c1);
	inb(b, 0x3da);
	outb(b, 0x3c0, 0x12);
	assert_int_equal(inb(b, 0x3c0), 0x12);
	assert_int_equal(get_attribute(b, 0x14), 0x00);
}

static void test_attribute_registers(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	for (unsigned int i = 0; i < 32; i++) {
		static const uint8_t bits[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f };
		uint8_t want = i < 16 ? 0x3f : i < 21 ? bits[i - 16] : 0;

		set_attribute(b, i, 0xff);
		assert_int_equal(get_attribute(b, i), want);
		set_attribute(b, i, 0);
		assert_int_equal(get_attribute(b, i), 0);
	}
	set_attribute(b, 0x10, 0x08);
	assert_true(screen(f).blink && screen(f).blank);
	set_attribute(b, 0x30, 0x04);
	assert_false(screen(f).blink || screen(f).blank);
}

static void test_dac(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	assert_int_equal(inb(b, 0x3c6), 0xff);
	outb(b, 0x3c6, 0x0f);
	assert_int_equal(inb(b, 0x3c6), 0x0f);
	/* Colour 14H of the EGA: brown. */
	outb(b, 0x3c7, 0x14);
	assert_int_equal(inb(b, 0x3c7), 3);
	assert_int_equal(inb(b, 0x3c9), 0x2a);
	assert_int_equal(inb(b, 0x3c9), 0x15);
	assert_int_equal(inb(b, 0x3c9), 0x00);
	/* Behind blue comes the next colour's red. */
	assert_int_equal(inb(b, 0x3c9), 0x2a);
	outb(b, 0x3c8, 0xff);
	assert_int_equal(inb(b, 0x3c7), 0);
	for (unsigned int i = 0; i < 5; i++)
		outb(b, 0x3c9, 0xf1 + i);
	/* The second colour is not complete: it stays as it was. */
	assert_int_equal(inb(b, 0x3c8), 0x00);
	outb(b, 0x3c7, 0xff);
	assert_int_equal(inb(b, 0x3c9), 0x31);
	assert_int_equal(inb(b, 0x3c9), 0x32);
	assert_int_equal(inb(b, 0x3c9), 0x33);
	assert_int_equal(inb(b, 0x3c9), 0x00);
	assert_int_equal(inb(b, 0x3c9), 0x00);
}

static void test_feature_control(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x3da, 0xff);
	assert_int_equal(inb(&f->bench, 0x3ca), 0x0b);
}

/* As often as a monitor would, whether the guest polls fast ... */
static void test_retrace_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	unsigned int retraces = 0;
	bool was = inb(&f->bench, 0x3da) & 0x08, drawing = false;

	for (unsigned int us = 0; us < 100000; us += 10) {
		uint8_t status = inb(&f->bench, 0x3da);
		bool now = status & 0x08;

		retraces += now && !was;
		was = now;
		drawing |= !(status & 0x01);
		assert_false(now && !(status & 0x01));
		bench_run_ns(&f->bench, 10000);
	}
	assert_int_equal(retraces, 100 * MS / FRAME_NS);
	assert_true(drawing);
}

/* ... or slowly: none is missed, and none is seen twice. */
static void test_retrace_waits_for_slow_guests(void **state)
{
	struct fixture *f = *state;
	unsigned int retraces = 0;

	inb(&f->bench, 0x3da);
	for (unsigned int i = 0; i < 1000; i++) {
		bench_run_ns(&f->bench, MS);
		retraces += !!(inb(&f->bench, 0x3da) & 0x08);
	}
	assert_in_range(retraces, 1000 * MS / FRAME_NS, 1000 * MS / FRAME_NS + 1);
}

static void test_horizontal_blanking(void **state)
{
	struct fixture *f = *state;

	inb(&f->bench, 0x3da);
	bench_run_ns(&f->bench, 100 * 31778 + 1000);
	assert_int_equal(inb(&f->bench, 0x3da), 0x00);
	bench_run_ns(&f->bench, 26000);
	assert_int_equal(inb(&f->bench, 0x3da), 0x01);
	bench_run_ns(&f->bench, 340 * 31778);
	assert_int_equal(inb(&f->bench, 0x3da), 0x01);
}

static void test_start_and_cursor(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	set(b, 0x3d4, 0x0c, 0xff);
	set(b, 0x3d4, 0x0d, 0x50);
	assert_int_equal(screen(f).start, 0x3f50);
	set(b, 0x3d4, 0x0a, 0x2d);
	assert_false(screen(f).cursor_on);
	set(b, 0x3d4, 0x0a, 0x0f);
	assert_false(screen(f).cursor_on);
	set(b, 0x3d4, 0x0b, 0x0f);
	assert_true(screen(f).cursor_on);
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	/* 8 by 8 dots: 50 rows */
	set(b, 0x3d4, 0x09, 0x47);
	assert_int_equal(screen(f).rows, 50);
	set(b, 0x3d4, 0x09, 0xc7);
	assert_int_equal(screen(f).rows, 25);
	/* 40 columns */
	set(b, 0x3d4, 0x11, 0x0e);
	set(b, 0x3d4, 0x01, 0x27);
	set(b, 0x3d4, 0x13, 0x14);
	assert_int_equal(screen(f).columns, 40);
	assert_int_equal(screen(f).stride, 40);
	/* Whatever is written, it is a screen. */
	set(b, 0x3d4, 0x01, 0xff);
	set(b, 0x3d4, 0x07, 0xff);
	set(b, 0x3d4, 0x09, 0x00);
	assert_int_equal(screen(f).columns, HV_VGA_MAX_COLUMNS);
	assert_int_equal(screen(f).rows, HV_VGA_MAX_ROWS);
	set(b, 0x3d4, 0x07, 0x00);
	set(b, 0x3d4, 0x12, 0x00);
	set(b, 0x3d4, 0x09, 0x1f);
	assert_int_equal(screen(f).rows, 1);
}

static void test_memory_map_and_graphics(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	set(b, 0x3ce, 6, 0x0a);
	assert_int_equal(screen(f).gpa, 0xb0000);
	set(b, 0x3ce, 6, 0x06);
	assert_int_equal(screen(f).gpa, 0xa0000);
	assert_int_equal(f->graphics, 0);
	set(b, 0x3ce, 6, 0x05);
	set(b, 0x3ce, 5, 0x40);
	assert_true(screen(f).graphics);
	assert_int_equal(f->graphics, 1);
	set(b, 0x3ce, 6, 0x0e);
	assert_false(screen(f).graphics);
	set(b, 0x3ce, 6, 0x0f);
	assert_int_equal(f->graphics, 2);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;
	struct hv_vga_state fresh, again;

	hv_vga_save(&f->vga, &fresh);
	for (uint16_t port = 0x3c0; port < 0x3e0; port++)
		outb(&f->bench, port, 0x5a);
	hv_vga_reset(&f->vga);
	hv_vga_save(&f->vga, &again);
	assert_memory_equal(&fresh, &again, sizeof(fresh));
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_vga_state good, s;

	hv_vga_save(&f->vga, &good);
	assert_int_equal(hv_vga_load(&f->vga, &good), 0);
#define REFUSE(change)                                               \
	do {                                                         \
		s = good;                                            \
		change;                                              \
		assert_int_equal(hv_vga_load(&f->vga, &s), -EINVAL); \
	} while (0)
	REFUSE(s.retrace_due = 2);
	REFUSE(s.misc |= 0x10);
	REFUSE(s.feature = 0x04);
	REFUSE(s.attribute_index = 0x40);
	REFUSE(s.attribute_data = 2);
	REFUSE(s.dac_reading = 2);
	REFUSE(s.dac_component = 3);
	REFUSE(s.dac_latch[1] = 0x40);
	REFUSE(s.sequencer[1] = 0x02);
	REFUSE(s.graphics[4] = 0x04);
	REFUSE(s.crtc[23] = 0x10);
	REFUSE(s.attribute[15] = 0x40);
	REFUSE(s.pad[4] = 1);
	REFUSE(s.dac[767] = 0x40);
#undef REFUSE
}

static void test_init_unwinds(void **state)
{
	struct hv_region other = { .name = "other", .space = HV_PORT, .base = 0x3c5, .len = 1 };
	struct fixture *f = *state;
	struct hv_bus bus = { 0 };
	struct hv_vga_config config = f->vga.config;
	struct hv_vga vga;

	config.bus = &bus;
	assert_int_equal(hv_bus_register(&bus, &other), 0);
	assert_int_equal(hv_vga_init(&vga, &config), -EEXIST);
	assert_int_equal(bus.count[HV_PORT], 1);
}

#define VGA_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		VGA_TEST(test_as_a_bios_leaves_it),
		VGA_TEST(test_banks),
		VGA_TEST(test_words_are_index_and_data),
		VGA_TEST(test_crtc_protects_its_timing),
		VGA_TEST(test_color_and_monochrome_addresses),
		VGA_TEST(test_attribute_flip_flop),
		VGA_TEST(test_attribute_registers),
		VGA_TEST(test_dac),
		VGA_TEST(test_feature_control),
		VGA_TEST(test_retrace_comes_and_goes),
		VGA_TEST(test_retrace_waits_for_slow_guests),
		VGA_TEST(test_horizontal_blanking),
		VGA_TEST(test_start_and_cursor),
		VGA_TEST(test_sizes),
		VGA_TEST(test_memory_map_and_graphics),
		VGA_TEST(test_reset),
		VGA_TEST(test_load_refuses),
		VGA_TEST(test_init_unwinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
