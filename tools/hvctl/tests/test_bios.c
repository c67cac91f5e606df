// SPDX-License-Identifier: GPL-2.0-only
/* The BIOS but for its disk: start, calls that are none, memory, time, keys, the screen. */
#include "bios_test.h"
#include "lib/util.h"

static struct bios_bench b;

static int begin(void **state)
{
	static const uint8_t image[512];

	(void)state;
	bios_begin(&b, image, sizeof(image));
	return 0;
}

static int end(void **state)
{
	(void)state;
	bios_end(&b);
	return 0;
}

/* ------------------------------------------------------------------- calls */

static void test_start(void **state)
{
	const uint8_t *rom = hv_memory_at(&b.memory, HV_BIOS_GPA, HV_BIOS_SIZE);

	(void)state;
	b.bios.drive = 0x80;
	b.regs.gpr[TINYVMX_RDX] = 0x1234;
	hv_bios_install(&b.bios, &b.regs);
	assert_int_equal(b.regs.gpr[TINYVMX_RDX], 0x1280);
	assert_memory_equal(rom, hv_bios_rom, HV_BIOS_SIZE);
	/* Entry 10H pushes that; the reset vector is a far jump; an AT. */
	assert_int_equal(test_get(&b.memory, 4 * 0x10, 4), 0xf000e080);
	assert_int_equal(test_get(&b.memory, 0xfe080, 2), 0x106a);
	assert_int_equal(test_get(&b.memory, 0xffff0, 1), 0xea);
	assert_int_equal(test_get(&b.memory, 0xffffe, 1), 0xfc);
	assert_int_equal(test_get(&b.memory, 0x410, 2) & 1, 1);
}

static void test_only_the_rom(void **state)
{
	(void)state;
	bios_int(&b, 0x12, 0);
	assert_int_equal(bios_ax(&b), 639);
	/* Elsewhere in the segment, in another, in protected mode. */
	b.regs.gpr[TINYVMX_RAX] = 1;
	b.regs.rip++;
	hv_bios_serve(&b.bios, &b.guest, &b.regs, &b.sregs);
	b.regs.rip--;
	b.sregs.seg[TINYVMX_CS].selector = 0xf001;
	hv_bios_serve(&b.bios, &b.guest, &b.regs, &b.sregs);
	b.sregs.seg[TINYVMX_CS].selector = HV_BIOS_SEGMENT;
	b.sregs.cr0 = X86_CR0_PE;
	hv_bios_serve(&b.bios, &b.guest, &b.regs, &b.sregs);
	assert_int_equal(b.regs.gpr[TINYVMX_RAX], 1);
	/* ... but in virtual-8086 mode. */
	b.regs.rflags |= X86_RFLAGS_VM;
	hv_bios_serve(&b.bios, &b.guest, &b.regs, &b.sregs);
	assert_int_equal(bios_ax(&b), 639);
	assert_string_equal(b.said, "");
}

static void test_not_there(void **state)
{
	(void)state;
	bios_int(&b, 0x21, 0x4c00);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ax(&b), 0x8600);
	assert_string_equal(b.said, "there is no INT 21H with AX=4C00H here (at 1234:5678)\n");
	bios_int(&b, 0x21, 0x4c00);
	bios_int(&b, 0x21, 0x4c01);
	assert_true(bios_failed(&b));
	assert_string_equal(b.said, "there is no INT 21H with AX=4C00H here (at 1234:5678)\n");
	bios_int(&b, 0x21, 0x0900);
	assert_non_null(strstr(b.said, "AX=0900H"));
	bios_int(&b, 0x10, 0x4f00);
	assert_non_null(strstr(b.said, "INT 10H with AX=4F00H"));
}

/* Registers have halves that no 16-bit service knows. */
static void test_upper_halves(void **state)
{
	(void)state;
	b.regs.gpr[TINYVMX_RBX] = 0x1111222233334444;
	bios_int(&b, 0x10, 0x0f00);
	assert_true(b.regs.gpr[TINYVMX_RBX] == 0x1111222233330044);
}

static void test_faults(void **state)
{
	(void)state;
	bios_int(&b, 0x00, 0);
	assert_string_equal(
		b.said,
		"at 1234:5678, a division by zero, or one with too large a quotient (exception 0); the guest stops there\n");
	assert_int_equal(test_get(&b.memory, STACK + STACK_SP + 2, 4),
			 (uint32_t)HV_BIOS_SEGMENT << 16 | hv_bios_at(hv_bios_rom_stop));
	assert_int_equal(bios_flags(&b) & X86_RFLAGS_IF, 0);
	bios_int(&b, 0x18, 0);
	assert_non_null(strstr(b.said, "no boot device"));
	/* Who comes again stops again, and says no more. */
	b.said[0] = '\0';
	bios_int(&b, 0x00, 0);
	bios_int(&b, 0x18, 0);
	assert_string_equal(b.said, "");
	assert_int_equal(test_get(&b.memory, STACK + STACK_SP + 4, 2), HV_BIOS_SEGMENT);
}

static void set_pic(uint16_t port, uint8_t vector, uint8_t cascade)
{
	outb(&b.bench, port, 0x11);
	outb(&b.bench, port + 1, vector);
	outb(&b.bench, port + 1, cascade);
	outb(&b.bench, port + 1, 1);
	outb(&b.bench, port + 1, 0);
}

/* An interrupt is being served, or it was a fault: vector 0DH is both. */
static void test_interrupts_that_nobody_wants(void **state)
{
	struct hv_irq line5 = hv_pc_irq(&b.pc, 5), line14 = hv_pc_irq(&b.pc, 14);

	(void)state;
	set_pic(0x20, 0x08, 4);
	set_pic(0xa0, 0x70, 2);
	hv_irq_set(&line5, true);
	assert_int_equal(hv_i8259_ack(&b.pc.pic), 0x0d);
	hv_irq_set(&line5, false);
	bios_int(&b, 0x0d, 0);
	assert_string_equal(b.said, "");
	hv_irq_set(&line14, true);
	assert_int_equal(hv_i8259_ack(&b.pc.pic), 0x76);
	hv_irq_set(&line14, false);
	bios_int(&b, 0x76, 0);
	assert_string_equal(b.said, "");
	/* Both have ended: another one comes through. */
	hv_irq_set(&line5, true);
	assert_int_equal(hv_i8259_ack(&b.pc.pic), 0x0d);
	bios_int(&b, 0x0d, 0);
	bios_int(&b, 0x0d, 0);
	assert_non_null(strstr(b.said, "(exception 13)"));
	bios_int(&b, 0x77, 0);
	assert_non_null(strstr(b.said, "no INT 77H"));
}

/* ------------------------------------------------------------------- memory */

static void test_memory_sizes(void **state)
{
	(void)state;
	bios_int(&b, 0x15, 0x8800);
	assert_int_equal(bios_ax(&b), 31 * 1024);
	bios_int(&b, 0x15, 0xe801);
	assert_int_equal(bios_ax(&b), 15 * 1024);
	assert_int_equal(bios_word(&b, TINYVMX_RBX), 16 * 16);
	bios_int(&b, 0x15, 0xc100);
	assert_int_equal(b.sregs.seg[TINYVMX_ES].base, 0x9fc00);
	bios_int(&b, 0x15, 0xc000);
	assert_int_equal(test_get(&b.memory, 0xf0000 + bios_word(&b, TINYVMX_RBX), 3), 0xfc0008);
	bios_int(&b, 0x15, 0x8900);
	assert_true(bios_failed(&b));
}

/* As boot sectors turn a machine off. */
static void test_apm(void **state)
{
	(void)state;
	bios_set(&b, TINYVMX_RBX, 0);
	bios_int(&b, 0x15, 0x5300);
	assert_int_equal(bios_ax(&b), 0x0102);
	assert_int_equal(bios_word(&b, TINYVMX_RBX), 0x504d);
	bios_int(&b, 0x15, 0x5301);
	assert_false(bios_failed(&b));
	bios_set(&b, TINYVMX_RBX, 1);
	bios_set(&b, TINYVMX_RCX, 2);
	bios_int(&b, 0x15, 0x5307);
	assert_true(bios_failed(&b));
	assert_int_equal(b.offs, 0);
	bios_set(&b, TINYVMX_RCX, 3);
	bios_int(&b, 0x15, 0x5307);
	assert_int_equal(b.offs, 1);
	/* There is no other way in than from real mode. */
	bios_int(&b, 0x15, 0x5303);
	assert_true(bios_failed(&b));
}

static void e820(uint32_t index, uint32_t magic, uint32_t size)
{
	b.regs.gpr[TINYVMX_RBX] = index;
	b.regs.gpr[TINYVMX_RDX] = magic;
	b.regs.gpr[TINYVMX_RCX] = size;
	b.regs.gpr[TINYVMX_RDI] = 0;
	bios_int(&b, 0x15, 0xe820);
}

static void test_memory_map(void **state)
{
	unsigned int count = 0;
	uint32_t next = 0;

	(void)state;
	do {
		e820(next, 0x534d4150, 20);
		assert_false(bios_failed(&b));
		assert_true(b.regs.gpr[TINYVMX_RAX] == 0x534d4150);
		next = b.regs.gpr[TINYVMX_RBX];
		count++;
	} while (next);
	assert_true(count > 3);
	e820(0, 0x534d4150, 20);
	assert_int_equal(test_get(&b.memory, BUFFER, 8), 0);
	assert_int_equal(test_get(&b.memory, BUFFER + 8, 8), 0x9fc00);
	assert_int_equal(test_get(&b.memory, BUFFER + 16, 4), 1);
	e820(count, 0x534d4150, 20);
	assert_true(bios_failed(&b));
	e820(0, 0x534d4151, 20);
	assert_true(bios_failed(&b));
	e820(0, 0x534d4150, 19);
	assert_true(bios_failed(&b));
	assert_int_equal(bios_ah(&b), 0x86);
}

static void move(uint32_t from, uint32_t to, uint16_t words)
{
	test_put64(&b.memory, BUFFER + 0x10,
		   0xffff | (uint64_t)(from & 0xffffff) << 16 | (uint64_t)(from >> 24) << 56);
	test_put64(&b.memory, BUFFER + 0x18,
		   0xffff | (uint64_t)(to & 0xffffff) << 16 | (uint64_t)(to >> 24) << 56);
	bios_set(&b, TINYVMX_RSI, 0);
	bios_set(&b, TINYVMX_RCX, words);
	bios_int(&b, 0x15, 0x8700);
}

static void test_move_block(void **state)
{
	(void)state;
	test_put64(&b.memory, 0x1ff0000, 0x1122334455667788);
	move(0x1ff0000, 0x40000, 3);
	assert_false(bios_failed(&b));
	assert_true(test_get(&b.memory, 0x40000, 8) == 0x334455667788);
	move(0x1ff0000, 0x1fffffe, 2);
	assert_true(bios_failed(&b));
	move(0xfffffff0, 0x40000, 1);
	assert_true(bios_failed(&b));
	move(0x1ff0000, 0x40000, 0x8001);
	assert_true(bios_failed(&b));
	move(0x100000, 0x180000, 0x8000);
	assert_false(bios_failed(&b));
}

static void test_a20(void **state)
{
	(void)state;
	bios_int(&b, 0x15, 0x2400);
	bios_int(&b, 0x15, 0x2402);
	assert_int_equal(bios_ax(&b), 0);
	bios_int(&b, 0x15, 0x2401);
	bios_int(&b, 0x15, 0x2402);
	assert_int_equal(bios_ax(&b), 1);
	bios_int(&b, 0x15, 0x2403);
	assert_int_equal(bios_word(&b, TINYVMX_RBX), 3);
	assert_false(bios_failed(&b));
	bios_int(&b, 0x15, 0x2404);
	assert_true(bios_failed(&b));
}

/* --------------------------------------------------------------------- time */

static void wait_for(uint32_t us)
{
	bios_set(&b, TINYVMX_RCX, us >> 16);
	bios_set(&b, TINYVMX_RDX, us);
	bios_int(&b, 0x15, 0x8600);
}

/* Halted while there is more than a tick to wait, then without. */
static void test_wait(void **state)
{
	(void)state;
	wait_for(100000);
	assert_true(bios_again(&b));
	assert_false(b.regs.rflags & X86_RFLAGS_ZF);
	b.bench.now_ns += 50000000;
	wait_for(100000);
	assert_true(bios_again(&b));
	assert_true(b.regs.rflags & X86_RFLAGS_ZF);
	b.bench.now_ns += 50000000;
	wait_for(100000);
	assert_false(bios_again(&b));
	assert_false(bios_failed(&b));
	wait_for(1);
	assert_true(bios_again(&b));
}

static void test_clock(void **state)
{
	(void)state;
	bios_set(&b, TINYVMX_RCX, 0x0012);
	bios_set(&b, TINYVMX_RDX, 0x3456);
	bios_int(&b, 0x1a, 0x0100);
	test_put(&b.memory, 0x470, "\1", 1);
	bios_int(&b, 0x1a, 0x0000);
	assert_int_equal(bios_ax(&b), 1);
	bios_int(&b, 0x1a, 0x0000);
	assert_int_equal(bios_ax(&b), 0);
	assert_int_equal(bios_word(&b, TINYVMX_RCX), 0x0012);
	assert_int_equal(bios_word(&b, TINYVMX_RDX), 0x3456);
	bios_int(&b, 0x1a, 0x0200);
	assert_int_equal(bios_word(&b, TINYVMX_RCX), 0x2213);
	assert_int_equal(bios_word(&b, TINYVMX_RDX), 0x2000);
	bios_int(&b, 0x1a, 0x0400);
	assert_int_equal(bios_word(&b, TINYVMX_RCX), 0x2023);
	assert_int_equal(bios_word(&b, TINYVMX_RDX), 0x1114);
	assert_string_equal(b.said, "");
	bios_int(&b, 0x1a, 0xb101);
	assert_true(bios_failed(&b));
}

/* --------------------------------------------------------------------- keys */

static const struct {
	char key;
	uint8_t shifts;
	uint16_t word;
} keys[] = {
	{ 0x1e, 0, 0x1e61 },
	{ 0x1e, HV_BIOS_SHIFT, 0x1e41 },
	{ 0x1e, HV_BIOS_CTRL, 0x1e01 },
	{ 0x1e, HV_BIOS_ALT, 0x1e00 },
	{ 0x1e, 0x40, 0x1e41 },
	{ 0x1e, 0x41, 0x1e61 },
	{ 0x02, 0, 0x0231 },
	{ 0x02, HV_BIOS_SHIFT, 0x0221 },
	{ 0x02, HV_BIOS_ALT, 0x7800 },
	{ 0x1c, 0, 0x1c0d },
	{ 0x1c, HV_BIOS_CTRL, 0x1c0a },
	{ (char)0x9c, 0, 0x1c0d },
	{ 0x0e, 0, 0x0e08 },
	{ 0x0e, HV_BIOS_CTRL, 0x0e7f },
	{ 0x01, 0, 0x011b },
	{ 0x0f, 0, 0x0f09 },
	{ 0x0f, HV_BIOS_SHIFT, 0x0f00 },
	{ 0x39, 0, 0x3920 },
	{ 0x3b, 0, 0x3b00 },
	{ 0x44, HV_BIOS_SHIFT, 0x5d00 },
	{ 0x3c, HV_BIOS_CTRL, 0x5f00 },
	{ 0x3b, HV_BIOS_ALT, 0x6800 },
	{ 0x57, 0, 0x8500 },
	{ (char)0xc8, 0, 0x4800 },
	{ (char)0xcb, HV_BIOS_CTRL, 0x7300 },
	{ (char)0xd3, 0, 0x5300 },
	{ 0x48, 0, 0x4800 },
	{ 0x48, 0x20, 0x4838 },
	{ 0x48, 0x21, 0x4800 },
	{ (char)0xc8, 0x20, 0x4800 },
};

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char key[] = { keys[i].key, 0 };

		b.keys = key;
		b.shifts = keys[i].shifts;
		bios_int(&b, 0x16, 0x0000);
		assert_false(bios_again(&b));
		if (bios_ax(&b) != keys[i].word)
			fail_msg("key %02x with %02x: %04x", keys[i].key & 0xff, keys[i].shifts,
				 bios_ax(&b));
	}
}

static void test_wait_for_key(void **state)
{
	(void)state;
	bios_int(&b, 0x16, 0x1100);
	assert_true(bios_flags(&b) & X86_RFLAGS_ZF);
	bios_int(&b, 0x16, 0x1000);
	assert_true(bios_again(&b));
	assert_false(b.regs.rflags & X86_RFLAGS_ZF);
	b.keys = "\x30";
	bios_int(&b, 0x16, 0x1100);
	assert_false(bios_flags(&b) & X86_RFLAGS_ZF);
	assert_int_equal(bios_ax(&b), 0x3062);
	bios_int(&b, 0x16, 0x1000);
	assert_false(bios_again(&b));
	assert_int_equal(bios_ax(&b), 0x3062);
	/* A key that means nothing is none. */
	b.keys = "\x7f";
	bios_int(&b, 0x16, 0x0100);
	assert_true(bios_flags(&b) & X86_RFLAGS_ZF);
	bios_int(&b, 0x16, 0x4200);
	assert_true(bios_failed(&b));
}

static void test_full_buffer(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		bios_set(&b, TINYVMX_RCX, 0x1e61 + i);
		bios_int(&b, 0x16, 0x0500);
		assert_int_equal(bios_ax(&b) & 0xff, i == 15);
	}
	for (unsigned int i = 0; i < 15; i++) {
		bios_int(&b, 0x16, 0x0000);
		assert_int_equal(bios_ax(&b), 0x1e61 + i);
	}
	bios_int(&b, 0x16, 0x0000);
	assert_true(bios_again(&b));
}

static void press(uint8_t key, bool down)
{
	assert_true(hv_i8042_key(&b.pc.kbc, key, down));
	for (unsigned int i = 0; i < 4; i++) {
		bench_run_ns(&b.bench, 2000000);
		if (inb(&b.bench, 0x64) & 1)
			bios_int(&b, 0x09, 0);
	}
}

/* From the keyboard itself: locks, what is held down, keys behind E0. */
static void test_keyboard(void **state)
{
	(void)state;
	press(0x2a, true);
	bios_int(&b, 0x16, 0x0200);
	assert_int_equal(bios_ax(&b), 0x0202);
	press(0x1e, true);
	press(0x1e, false);
	press(0x2a, false);
	press(0x3a, true);
	press(0x3a, false);
	press(0x30, true);
	press(0xc8, true);
	press(0xc8, false);
	bios_int(&b, 0x16, 0x1200);
	assert_int_equal(bios_ax(&b), 0x0040);
	bios_int(&b, 0x16, 0x0000);
	assert_int_equal(bios_ax(&b), 0x1e41);
	bios_int(&b, 0x16, 0x0000);
	assert_int_equal(bios_ax(&b), 0x3042);
	bios_int(&b, 0x16, 0x0000);
	assert_int_equal(bios_ax(&b), 0x4800);
	bios_int(&b, 0x16, 0x0000);
	assert_true(bios_again(&b));
}

/* ------------------------------------------------------------------- screen */

static void print(const char *text)
{
	for (; *text; text++)
		bios_int(&b, 0x10, 0x0e00 | (uint8_t)*text);
}

static void move_cursor(uint8_t row, uint8_t column)
{
	bios_set(&b, TINYVMX_RBX, 0);
	bios_set(&b, TINYVMX_RDX, row << 8 | column);
	bios_int(&b, 0x10, 0x0200);
}

static uint16_t cell(unsigned int row, unsigned int column)
{
	return test_get(&b.memory, 0xb8000 + 2 * (80 * row + column), 2);
}

static void test_stream(void **state)
{
	(void)state;
	print("one\r\ntwo");
	move_cursor(7, 2);
	print("three");
	/* As programs write in colour: the character, then once more to move on. */
	bios_set(&b, TINYVMX_RBX, 0x4f);
	bios_set(&b, TINYVMX_RCX, 1);
	bios_int(&b, 0x10, 0x0900 | '!');
	print("!");
	/* In place of the last one; many of them are a background. */
	bios_set(&b, TINYVMX_RCX, 1);
	move_cursor(7, 7);
	bios_int(&b, 0x10, 0x0a00 | '?');
	bios_set(&b, TINYVMX_RCX, 200);
	bios_int(&b, 0x10, 0x0900 | ' ');
	assert_string_equal(b.out, "one\r\ntwo\r\n  three!\b?");
	assert_int_equal(cell(7, 7) & 0xff, ' ');
}

static void test_cursor_off_the_screen(void **state)
{
	uint16_t before = cell(30, 0);

	(void)state;
	test_put(&b.memory, 0x450, "\0\x1e", 2); /* column 0, row 30 */
	bios_set(&b, TINYVMX_RCX, 100);
	bios_int(&b, 0x10, 0x0900 | 'Z');
	assert_int_equal(cell(30, 0), before);
	/* The last cell of the screen is one. */
	move_cursor(24, 79);
	bios_int(&b, 0x10, 0x0900 | 'Z');
	assert_int_equal(cell(24, 79) & 0xff, 'Z');
	assert_int_equal(cell(25, 0) & 0xff, ' ');
}

static bool is_told(unsigned int row, unsigned int column)
{
	return hv_bios_has_streamed(&b.bios, 80 * row + column, cell(row, column));
}

/* What the stream has said need not be told again, in the same order and where it was. */
static void test_told(void **state)
{
	(void)state;
	print("a\r\nb");
	assert_true(is_told(0, 0) && is_told(1, 0));
	/* By another way: the guest's own, or many at once. */
	test_put(&b.memory, 0xb8000, "c", 1);
	bios_set(&b, TINYVMX_RBX, 0x1f);
	bios_set(&b, TINYVMX_RCX, 2);
	move_cursor(2, 0);
	bios_int(&b, 0x10, 0x0900 | 'd');
	assert_false(is_told(0, 0) || is_told(2, 0) || is_told(2, 1));
	/* It goes along when the screen scrolls, */
	move_cursor(24, 0);
	print("e\r\n");
	assert_int_equal(cell(23, 0) & 0xff, 'e');
	assert_true(is_told(0, 0) && is_told(23, 0));
	assert_false(is_told(24, 0));
	/* and what is written above it makes a picture, not a text. */
	move_cursor(5, 0);
	print("f");
	assert_true(is_told(5, 0));
	assert_false(is_told(23, 0));
	hv_bios_install(&b.bios, &b.regs);
	assert_false(is_told(5, 0));
}

/* Colours of text mode, by number and by the old call for the border. */
static void test_palette(void **state)
{
	(void)state;
	bios_set(&b, TINYVMX_RBX, 0x0004);
	bios_int(&b, 0x10, 0x0b00);
	assert_int_equal(b.pc.vga.s.attribute[0x11], 4);
	bios_set(&b, TINYVMX_RBX, 0x0101);
	bios_int(&b, 0x10, 0x0b00);
	assert_int_equal(b.pc.vga.s.attribute[0x11], 4);
	bios_set(&b, TINYVMX_RBX, 0x3a01);
	bios_int(&b, 0x10, 0x1000);
	assert_int_equal(b.pc.vga.s.attribute[0x01], 0x3a);
	bios_int(&b, 0x10, 0x1001);
	assert_int_equal(b.pc.vga.s.attribute[0x11], 0x3a);
	bios_set(&b, TINYVMX_RBX, 0x0001);
	bios_int(&b, 0x10, 0x1003);
	assert_int_equal(b.pc.vga.s.attribute[0x10] & 8, 8);
	bios_set(&b, TINYVMX_RBX, 0x0210);
	bios_int(&b, 0x10, 0x1000);
	assert_int_equal(b.pc.vga.s.attribute[0x10] & 0xa, 8);
	assert_string_equal(b.said, "");
	bios_set(&b, TINYVMX_RBX, 0x0200);
	bios_int(&b, 0x10, 0x0b00);
	bios_int(&b, 0x10, 0x1002);
	bios_int(&b, 0x10, 0x1002);
	assert_string_equal(b.said, "there is no INT 10H with AX=0B00H here (at 1234:5678)\n"
				    "there is no INT 10H with AX=1002H here (at 1234:5678)\n");
}

/* ------------------------------------------------------------------ serial ports */

/* A 16550 where the board has COM1: two bytes come, and none goes while it is full. */
struct fake_port {
	struct hv_region region;
	uint8_t reg[8];
	uint8_t in, out;
};

static void access_fake_port(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	struct fake_port *port = dev;

	(void)width;
	if (write && !offset && !(port->reg[3] & 0x80))
		port->out = *value;
	else if (write && !offset)
		port->reg[7] = *value;
	else if (write)
		port->reg[offset] = *value;
	else if (!offset)
		port->reg[5] &= ~0x01;
	if (!write)
		*value = offset ? port->reg[offset] : port->in;
}

static void test_serial(void **state)
{
	struct fake_port port = {
		.region = { .name = "COM1",
			    .space = HV_PORT,
			    .base = 0x3f8,
			    .len = 8,
			    .access = access_fake_port,
			    .dev = &port },
		.reg = { [1] = 0xff, [5] = 0x60, [6] = 0xb0 },
	};

	(void)state;
	assert_int_equal(hv_bus_register(&b.bench.bus, &port.region), 0);
	/* 9600 baud, 8 bits; what the last word of the divisor is, nobody hears. */
	bios_int(&b, 0x14, 0x00e3);
	assert_int_equal(bios_ax(&b), 0x60b0);
	assert_int_equal(port.reg[3], 3);
	assert_int_equal(port.reg[7], 12);
	assert_int_equal(port.reg[4], 3);
	assert_int_equal(port.reg[1], 0);
	bios_int(&b, 0x14, 0x0100 | 'x');
	assert_int_equal(port.out, 'x');
	assert_int_equal(bios_ax(&b), 0x6000 | 'x');
	/* One waits, with an overrun before it. */
	port.in = 'y';
	port.reg[5] = 0x63;
	bios_int(&b, 0x14, 0x0300);
	assert_int_equal(bios_ax(&b), 0x63b0);
	bios_int(&b, 0x14, 0x0200);
	assert_int_equal(bios_ax(&b), 0x0200 | 'y');
	/* None comes, and none goes: a second each. */
	for (unsigned int ah = 0x01; ah < 0x03; ah++) {
		port.reg[5] = 0;
		bios_int(&b, 0x14, ah << 8);
		assert_true(bios_again(&b));
		bench_run_ns(&b.bench, 999999999);
		bios_int(&b, 0x14, ah << 8);
		assert_true(bios_again(&b));
		bench_run_ns(&b.bench, 1);
		bios_int(&b, 0x14, ah << 8);
		assert_false(bios_again(&b));
		assert_int_equal(bios_ah(&b), 0x80);
	}
	assert_string_equal(b.said, "");
	bios_int(&b, 0x14, 0x0400);
	assert_true(bios_failed(&b));
	assert_non_null(strstr(b.said, "INT 14H with AX=0400H"));
	hv_bus_unregister(&b.bench.bus, &port.region);
}

/* No port there; and an address that the guest has put there, be it the BIOS' own. */
static void test_no_serial(void **state)
{
	uint16_t base = HV_BIOS_PORT;

	(void)state;
	bios_set(&b, TINYVMX_RDX, 1);
	bios_int(&b, 0x14, 0x0141);
	assert_int_equal(bios_ax(&b), 0x8041);
	bios_set(&b, TINYVMX_RDX, 4);
	bios_int(&b, 0x14, 0x0300);
	assert_int_equal(bios_ah(&b), 0x80);
	test_put(&b.memory, 0x400, &base, 2);
	bios_set(&b, TINYVMX_RDX, 0);
	bios_int(&b, 0x14, 0x0300);
	assert_int_equal(bios_ah(&b), 0x80);
}

static void test_long_line(void **state)
{
	char line[101] = "";

	(void)state;
	memset(line, 'x', 100);
	print(line);
	assert_string_equal(b.out, line);
	assert_int_equal(cell(1, 19), 0x0778);
	assert_int_equal(cell(1, 20), 0x0720);
	assert_int_equal(test_get(&b.memory, 0x450, 2), 0x0114);
	/* The VGA's cursor is there, too. */
	outb(&b.bench, 0x3d4, 0x0f);
	assert_int_equal(inb(&b.bench, 0x3d5), 100);
}

static void test_scrolling(void **state)
{
	(void)state;
	move_cursor(24, 79);
	test_put(&b.memory, 0xb8000 + 2 * 80 * 24, "a\x1f", 2);
	print("z");
	assert_int_equal(cell(23, 79), 0x077a);
	assert_int_equal(cell(23, 0), 0x1f61);
	assert_int_equal(cell(24, 0), 0x1f20);
	/* Down in a window, and nothing where it is upside down. */
	bios_set(&b, TINYVMX_RBX, 0x2000);
	bios_set(&b, TINYVMX_RCX, 22 << 8 | 78);
	bios_set(&b, TINYVMX_RDX, 24 << 8 | 200);
	bios_int(&b, 0x10, 0x0701);
	assert_int_equal(cell(24, 79), 0x077a);
	assert_int_equal(cell(22, 79), 0x2020);
	assert_int_equal(cell(22, 77), 0x0720);
	bios_set(&b, TINYVMX_RCX, 24 << 8);
	bios_set(&b, TINYVMX_RDX, 22 << 8);
	bios_int(&b, 0x10, 0x0600);
	assert_int_equal(cell(24, 79), 0x077a);
}

static void test_modes(void **state)
{
	(void)state;
	print("x");
	bios_int(&b, 0x10, 0x0013);
	bios_int(&b, 0x10, 0x0012);
	assert_string_equal(b.said,
			    "the guest asks for video mode 13H; there is text mode 3 alone\n");
	assert_int_equal(cell(0, 0), 0x0778);
	bios_int(&b, 0x10, 0x0083);
	assert_int_equal(cell(0, 0), 0x0778);
	bios_int(&b, 0x10, 0x0003);
	assert_int_equal(cell(0, 0), 0x0720);
	assert_int_equal(b.screens, 2);
	/* 50 rows, and back. */
	bios_int(&b, 0x10, 0x1112);
	assert_int_equal(test_get(&b.memory, 0x484, 1), 49);
	bios_int(&b, 0x10, 0x1114);
	assert_int_equal(test_get(&b.memory, 0x484, 1), 24);
	bios_int(&b, 0x10, 0x1130);
	assert_true(bios_failed(&b));
	/* Page 1 is shown; its cursor is its own. */
	bios_int(&b, 0x10, 0x0501);
	print("y");
	assert_int_equal(test_get(&b.memory, 0xb9000, 2), 0x0779);
	outb(&b.bench, 0x3d4, 0x0c);
	assert_int_equal(inb(&b.bench, 0x3d5), 0x08);
}

static void test_string(void **state)
{
	(void)state;
	test_put(&b.memory, BUFFER + 0xfffe, "a\x12", 2);
	test_put(&b.memory, BUFFER, "b\x34", 2);
	bios_set(&b, TINYVMX_RBP, 0xfffe);
	bios_set(&b, TINYVMX_RBX, 0);
	bios_set(&b, TINYVMX_RCX, 2);
	bios_set(&b, TINYVMX_RDX, 3 << 8);
	bios_int(&b, 0x10, 0x1302);
	assert_int_equal(cell(3, 0), 0x1261);
	assert_int_equal(cell(3, 1), 0x3462);
	assert_int_equal(test_get(&b.memory, 0x450, 2), 0);
}

/* Numbers that a guest may put there. */
static void test_mad_data_area(void **state)
{
	(void)state;
	for (unsigned int value = 0; value < 256; value += 255) {
		memset(hv_memory_at(&b.memory, 0x400, 0x100), value, 0x100);
		b.out[0] = '\0';
		print("x\r\ny");
		bios_set(&b, TINYVMX_RCX, 0xffff);
		bios_set(&b, TINYVMX_RDX, 0xffff);
		bios_int(&b, 0x10, 0x0600);
		bios_int(&b, 0x10, 0x0941);
		bios_int(&b, 0x10, 0x1300);
		bios_int(&b, 0x16, 0x0500);
		bios_int(&b, 0x16, 0x0000);
		b.out[0] = '\0';
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_start),
		T(test_only_the_rom),
		T(test_not_there),
		T(test_upper_halves),
		T(test_faults),
		T(test_interrupts_that_nobody_wants),
		T(test_memory_sizes),
		T(test_memory_map),
		T(test_apm),
		T(test_move_block),
		T(test_a20),
		T(test_wait),
		T(test_clock),
		T(test_keys),
		T(test_wait_for_key),
		T(test_full_buffer),
		T(test_keyboard),
		T(test_stream),
		T(test_long_line),
		T(test_scrolling),
		T(test_modes),
		T(test_string),
		T(test_mad_data_area),
		T(test_told),
		T(test_cursor_off_the_screen),
		T(test_palette),
		T(test_serial),
		T(test_no_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
