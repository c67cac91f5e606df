// SPDX-License-Identifier: GPL-2.0-only
/* The 8042, the keyboard behind it, and the mouse that is not there. */
#include "dev_test.h"

#include "dev/i8042.h"

#define MS 1000000ull

struct fixture {
	struct bench bench;
	struct hv_ps2kbd keyboard;
	struct hv_i8042 kbc;
	unsigned int resets, rooms;
};

static struct fixture fixture;

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void room(void *ctx)
{
	((struct fixture *)ctx)->rooms++;
}

static int setup(void **state)
{
	struct hv_i8042_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.keyboard = &fixture.keyboard,
		.room = room,
		.irq = bench_irq(&fixture.bench, 1),
		.aux_irq = bench_irq(&fixture.bench, 12),
		.reset = reset,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_i8042_init(&fixture.kbc, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_i8042_exit(&f->kbc);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

/* Send a command; returns the answer, or -1 if none came. The status at that time is kept. */
static uint8_t status_seen;

static int command(struct fixture *f, uint8_t value)
{
	outb(&f->bench, 0x64, value);
	status_seen = inb(&f->bench, 0x64);
	return status_seen & 1 ? inb(&f->bench, 0x60) : -1;
}

static int data(struct fixture *f, uint8_t value)
{
	outb(&f->bench, 0x60, value);
	status_seen = inb(&f->bench, 0x64);
	return status_seen & 1 ? inb(&f->bench, 0x60) : -1;
}

static void test_reset_state(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(&f->bench, 0x64), 0x14);
	assert_int_equal(command(f, 0x20), 0x65);
	assert_int_equal(status_seen, 0x1d);
	assert_int_equal(inb(&f->bench, 0x64), 0x1c);
}

static void test_self_tests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0xaa), 0x55);
	assert_int_equal(command(f, 0xab), 0x00);
	assert_int_equal(command(f, 0xa9), 0x01);
	assert_int_equal(command(f, 0xc0), 0x80);
	assert_int_equal(command(f, 0xd0), 0x03);
	assert_int_equal(command(f, 0x00), -1);
	assert_int_equal(f->resets, 0);
}

static void test_command_byte(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0x60), -1);
	assert_int_equal(data(f, 0x45), -1);
	assert_int_equal(command(f, 0x20), 0x45);
	command(f, 0xad);
	command(f, 0xa7);
	assert_int_equal(command(f, 0x20), 0x75);
	command(f, 0xae);
	command(f, 0xa8);
	assert_int_equal(command(f, 0x20), 0x45);
}

static void test_mouse_times_out_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0xd4), -1);
	assert_int_equal(data(f, 0xf2), 0xfe);
	assert_int_equal(status_seen & 0x61, 0x61);
	assert_int_equal(inb(&f->bench, 0x64) & 0x61, 0);
}

static void test_no_mouse_port(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0xd3), -1);
	assert_int_equal(data(f, 0x5a), 0x5a);
	assert_int_equal(status_seen & 0x20, 0);
	assert_int_equal(command(f, 0xd2), -1);
	assert_int_equal(data(f, 0xa5), 0xa5);
}

static void test_new_command_forgets_old(void **state)
{
	struct fixture *f = *state;

	command(f, 0x60);
	command(f, 0xab);
	assert_int_equal(data(f, 0x00), -1);
	assert_int_equal(command(f, 0x20), 0x65);
}

static void test_interrupts(void **state)
{
	struct fixture *f = *state;

	command(f, 0x60);
	data(f, 0x03);
	outb(&f->bench, 0x60, 0xee);
	bench_run_ns(&f->bench, MS);
	assert_true(f->bench.level[1]);
	inb(&f->bench, 0x60);
	assert_false(f->bench.level[1]);
	outb(&f->bench, 0x64, 0xd4);
	outb(&f->bench, 0x60, 0xff);
	assert_true(f->bench.level[12]);
	assert_false(f->bench.level[1]);
	inb(&f->bench, 0x60);
	assert_false(f->bench.level[12]);
	assert_int_equal(f->bench.rises[1], 1);
}

/* ------------------------------------------------------------ the keyboard */

/* All that comes within a while, as one number: the first byte is the highest. */
static uint64_t listen(struct fixture *f)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < 50; i++) {
		bench_run_ns(&f->bench, MS);
		if (inb(&f->bench, 0x64) & 1)
			bytes = bytes << 8 | inb(&f->bench, 0x60);
	}
	return bytes;
}

static uint64_t tell(struct fixture *f, uint8_t byte)
{
	outb(&f->bench, 0x60, byte);
	return listen(f);
}

static void translate(struct fixture *f, bool on)
{
	outb(&f->bench, 0x64, 0x60);
	outb(&f->bench, 0x60, on ? 0x65 : 0x25);
}

static uint64_t key(struct fixture *f, uint8_t code, bool down)
{
	assert_true(hv_i8042_key(&f->kbc, code, down));
	return listen(f);
}

/* What a BIOS leaves: set 1, by translation; an interrupt for each byte. */
static void test_set_1_by_translation(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(key(f, 0x1e, true), 0x1e);
	assert_int_equal(key(f, 0x1e, false), 0x9e);
	assert_int_equal(key(f, 0x48 | HV_KEY_E0, true), 0xe048);
	assert_int_equal(key(f, 0x48 | HV_KEY_E0, false), 0xe0c8);
	assert_int_equal(key(f, 0x41, true), 0x41);
	assert_int_equal(key(f, 0x41, false), 0xc1);
	assert_int_equal(f->bench.rises[1], 8);
}

static void test_set_2(void **state)
{
	struct fixture *f = *state;

	translate(f, false);
	assert_int_equal(key(f, 0x1e, true), 0x1c);
	assert_int_equal(key(f, 0x1e, false), 0xf01c);
	assert_int_equal(key(f, 0x48 | HV_KEY_E0, false), 0xe0f075);
	assert_int_equal(key(f, 0x41, true), 0x83);
}

/* The keyboard itself in set 1, which nobody may translate once more. */
static void test_set_1(void **state)
{
	struct fixture *f = *state;

	translate(f, false);
	assert_int_equal(tell(f, 0xf0), 0xfa);
	assert_int_equal(tell(f, 0x01), 0xfa);
	assert_int_equal(key(f, 0x1e, true), 0x1e);
	assert_int_equal(key(f, 0x1e, false), 0x9e);
	assert_int_equal(tell(f, 0xf0), 0xfa);
	assert_int_equal(tell(f, 0x00), 0xfa01);
	/* There is no set 3. */
	assert_int_equal(tell(f, 0xf0), 0xfa);
	assert_int_equal(tell(f, 0x03), 0xfe);
	assert_int_equal(tell(f, 0xf6), 0xfa);
	assert_int_equal(tell(f, 0xf0), 0xfa);
	assert_int_equal(tell(f, 0x00), 0xfa02);
	translate(f, true);
	assert_int_equal(tell(f, 0xf0), 0xfa);
	assert_int_equal(tell(f, 0x00), 0xfa41);
}

/* Each key has a code of its own in set 2, and the 8042 finds the way back. */
static void test_every_key(void **state)
{
	struct fixture *f = *state;
	unsigned int keys = 0;
	bool seen[256] = { false };

	for (unsigned int code = 0; code < 0x80; code++) {
		uint64_t set2;

		if (!hv_i8042_key(&f->kbc, code, true))
			continue;
		keys++;
		assert_int_equal(listen(f), code);
		translate(f, false);
		set2 = key(f, code, true);
		assert_in_range(set2, 1, 0x84);
		assert_false(seen[set2]);
		seen[set2] = true;
		assert_int_equal(hv_ps2kbd_translate(set2), code);
		translate(f, true);
	}
	/* 84 of the AT, with the key beside the left shift, F11, F12 and three of Windows. */
	assert_int_equal(keys, 0x54 + 3 + 3);
}

static void test_keyboard_commands(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(tell(f, 0xee), 0xee);
	assert_int_equal(tell(f, 0xfe), 0xee);
	assert_int_equal(tell(f, 0xed), 0xfa);
	assert_int_equal(tell(f, 0x07), 0xfa);
	assert_int_equal(f->keyboard.s.leds, 7);
	assert_int_equal(tell(f, 0xf3), 0xfa);
	assert_int_equal(tell(f, 0x20), 0xfa);
	assert_int_equal(f->keyboard.s.typematic, 0x20);
	assert_int_equal(tell(f, 0xff), 0xfaaa);
	assert_int_equal(f->keyboard.s.leds, 0);
	assert_int_equal(tell(f, 0xf2), 0xfaab41);
	translate(f, false);
	assert_int_equal(tell(f, 0xf2), 0xfaab83);
	/* Of set 3, and nobody's. */
	assert_int_equal(tell(f, 0xf8), 0xfe);
	assert_int_equal(tell(f, 0x12), 0xfe);
	/* A command where a parameter is due. */
	assert_int_equal(tell(f, 0xed), 0xfa);
	assert_int_equal(tell(f, 0xee), 0xee);
	assert_int_equal(tell(f, 0x07), 0xfe);
}

static void test_scanning(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(tell(f, 0xf5), 0xfa);
	assert_int_equal(key(f, 0x1e, true), 0);
	assert_int_equal(tell(f, 0xf6), 0xfa);
	assert_int_equal(key(f, 0x1e, true), 0);
	assert_int_equal(tell(f, 0xf4), 0xfa);
	assert_int_equal(key(f, 0x1e, true), 0x1e);
}

/* Keys wait while the interface is off; a byte to the keyboard turns it on. */
static void test_interface_off(void **state)
{
	struct fixture *f = *state;

	command(f, 0xad);
	assert_int_equal(key(f, 0x1e, true), 0);
	command(f, 0xae);
	assert_int_equal(listen(f), 0x1e);
	command(f, 0xad);
	assert_int_equal(tell(f, 0xee), 0xee);
	assert_int_equal(command(f, 0x20), 0x65);
}

/* A second read before the next byte has come gives the same one again. */
static void test_bytes_come_one_by_one(void **state)
{
	struct fixture *f = *state;

	assert_true(hv_i8042_key(&f->kbc, 0x1e, true));
	assert_true(hv_i8042_key(&f->kbc, 0x30, true));
	assert_int_equal(inb(&f->bench, 0x64) & 1, 0);
	bench_run_ns(&f->bench, MS);
	assert_int_equal(inb(&f->bench, 0x60), 0x1e);
	assert_int_equal(inb(&f->bench, 0x60), 0x1e);
	assert_int_equal(inb(&f->bench, 0x64) & 1, 0);
	bench_run_ns(&f->bench, MS - 1);
	assert_int_equal(inb(&f->bench, 0x64) & 1, 0);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(inb(&f->bench, 0x60), 0x30);
}

static void test_nobody_reads(void **state)
{
	struct fixture *f = *state;

	assert_true(hv_i8042_wants_key(&f->kbc));
	assert_true(hv_i8042_key(&f->kbc, 0x1e, true));
	assert_false(hv_i8042_wants_key(&f->kbc));
	bench_run_ns(&f->bench, MS);
	assert_int_equal(f->rooms, 1);
	for (unsigned int i = 0; i < HV_PS2KBD_CODES; i++)
		assert_true(hv_i8042_key(&f->kbc, 0x30, true));
	assert_false(hv_i8042_key(&f->kbc, 0x30, true));
	/* An answer does not wait behind them. */
	assert_int_equal(inb(&f->bench, 0x60), 0x1e);
	outb(&f->bench, 0x60, 0xee);
	bench_run_ns(&f->bench, MS);
	assert_int_equal(inb(&f->bench, 0x60), 0xee);
	listen(f);
	assert_int_equal(f->rooms, 2);
	assert_false(hv_i8042_key(&f->kbc, 0x00, true));
	assert_false(hv_i8042_key(&f->kbc, 0x55, true));
	assert_false(hv_i8042_key(&f->kbc, 0x7f, true));
}

static void test_cpu_reset(void **state)
{
	struct fixture *f = *state;

	command(f, 0xff);
	command(f, 0xf1);
	assert_int_equal(f->resets, 0);
	command(f, 0xfe);
	assert_int_equal(f->resets, 1);
	command(f, 0xd1);
	data(f, 0x03);
	assert_int_equal(f->resets, 1);
	command(f, 0xd1);
	data(f, 0x02);
	assert_int_equal(f->resets, 2);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_i8042_state saved;

	command(f, 0x60);
	data(f, 0x41);
	outb(&f->bench, 0x64, 0xaa);
	outb(&f->bench, 0x64, 0x60);
	hv_i8042_key(&f->kbc, 0x1e, false);
	hv_i8042_save(&f->kbc, &saved);
	hv_i8042_reset(&f->kbc);
	assert_false(f->bench.level[1]);
	assert_int_equal(hv_i8042_load(&f->kbc, &saved), 0);
	assert_true(f->bench.level[1]);
	assert_int_equal(inb(&f->bench, 0x60), 0x55);
	assert_int_equal(data(f, 0x77), -1);
	assert_int_equal(command(f, 0x20), 0x77);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_i8042_state good, s;

	hv_i8042_save(&f->kbc, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_i8042_load(&f->kbc, &s), -EINVAL); \
	} while (0)
	REFUSE(s.status |= 0x82);
	REFUSE(s.output_port = 0);
	REFUSE(s.command = 0xd0);
	REFUSE(s.command = 0xd5);
	REFUSE(s.command = 0x5f);
	REFUSE(s.command = 0x80);
	REFUSE(s.released = 1);
	REFUSE(s.pad[1] = 1);
	REFUSE(s.pad[2] = 1);
#undef REFUSE
}

/* 31 bytes behind the command byte, for whoever wants them; a reset clears them. */
static void test_ram(void **state)
{
	struct fixture *f = *state;
	struct hv_i8042_state saved;

	for (unsigned int i = 1; i < 32; i++) {
		assert_int_equal(command(f, 0x60 + i), -1);
		assert_int_equal(data(f, 0xc0 + i), -1);
	}
	assert_int_equal(command(f, 0x20), 0x65);
	assert_int_equal(command(f, 0x7f), -1);
	hv_i8042_save(&f->kbc, &saved);
	assert_int_equal(data(f, 0), -1);
	assert_int_equal(command(f, 0x3f), 0);
	/* As it was, the command before its byte. */
	assert_int_equal(hv_i8042_load(&f->kbc, &saved), 0);
	assert_int_equal(data(f, 0x11), -1);
	assert_int_equal(command(f, 0x3f), 0x11);
	for (unsigned int i = 1; i < 31; i++)
		assert_int_equal(command(f, 0x20 + i), 0xc0 + i);
	hv_i8042_reset(&f->kbc);
	assert_int_equal(command(f, 0x21), 0);
}

static void test_load_refuses_keyboards(void **state)
{
	struct fixture *f = *state;
	struct hv_ps2kbd_state good, s;

	hv_ps2kbd_save(&f->keyboard, &good);
	assert_int_equal(hv_ps2kbd_load(&f->keyboard, &good), 0);
#define REFUSE(change)                                                       \
	do {                                                                 \
		s = good;                                                    \
		change;                                                      \
		assert_int_equal(hv_ps2kbd_load(&f->keyboard, &s), -EINVAL); \
	} while (0)
	REFUSE(s.set = 0);
	REFUSE(s.set = 3);
	REFUSE(s.scanning = 2);
	REFUSE(s.leds = 8);
	REFUSE(s.typematic = 0x80);
	REFUSE(s.command = 0xf2);
	REFUSE(s.answers = HV_PS2KBD_ANSWERS + 1);
	REFUSE(s.codes = HV_PS2KBD_CODES + 1);
	REFUSE(s.pad[3] = 1);
#undef REFUSE
}

#define KBC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		KBC_TEST(test_reset_state),
		KBC_TEST(test_self_tests),
		KBC_TEST(test_command_byte),
		KBC_TEST(test_mouse_times_out_at_once),
		KBC_TEST(test_no_mouse_port),
		KBC_TEST(test_new_command_forgets_old),
		KBC_TEST(test_interrupts),
		KBC_TEST(test_cpu_reset),
		KBC_TEST(test_save_load),
		KBC_TEST(test_load_refuses),
		KBC_TEST(test_ram),
		KBC_TEST(test_set_1_by_translation),
		KBC_TEST(test_set_2),
		KBC_TEST(test_set_1),
		KBC_TEST(test_every_key),
		KBC_TEST(test_keyboard_commands),
		KBC_TEST(test_scanning),
		KBC_TEST(test_interface_off),
		KBC_TEST(test_bytes_come_one_by_one),
		KBC_TEST(test_nobody_reads),
		KBC_TEST(test_load_refuses_keyboards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
