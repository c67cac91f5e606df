// SPDX-License-Identifier: GPL-2.0-only
/* vga: a screen in text mode as a BIOS leaves it: text memory, cursor, scrolling, retrace. */
#include "lib/screen.h"
#include "lib/trap.h"

#define ATTRIBUTE	0x3c0
#define ATTRIBUTE_DATA	0x3c1
#define MISC_READ	0x3cc
#define STATUS1		0x3da
#define RETRACE		0x08
#define MODE_CONTROL	0x10
#define PALETTE_ON	0x20
#define BLINK		0x08
#define BLANK		0x0720
#define PATIENCE	2000000000ULL	/* ticks */
#define BDA_CRTC	0x463
#define BDA_COLUMNS	0x44a

static u16 bda(ulong address)
{
	/* The compiler takes the first page for no memory. */
	asm("" : "+r"(address));
	return *(volatile u16 *)address;
}

static void fresh(void)
{
	int i;

	step("a BIOS has cleared it, and left the cursor at home");
	check_eq(inb(MISC_READ), 0x67);
	check_eq(cursor_get(), 0);
	for (i = 0; i < SCREEN_COLUMNS * SCREEN_ROWS && screen[i] == BLANK; i++)
		;
	check_eq(i, SCREEN_COLUMNS * SCREEN_ROWS);
	check_eq(bda(BDA_CRTC), CRTC);
	check_eq(bda(BDA_COLUMNS), SCREEN_COLUMNS);
}

static void moving(void)
{
	step("the cursor is where it was put");
	cursor_set(1999);
	check_eq(cursor_get(), 1999);
	outw(CRTC, 0x120e);
	outw(CRTC, 0x340f);
	check_eq(cursor_get(), 0x1234);
	check_eq(inb(CRTC), CRTC_CURSOR_LOW);
	cursor_set(0);
}

static void blinking(void)
{
	u8 mode;

	step("the attribute controller takes index and data by turns");
	inb(STATUS1);
	outb(ATTRIBUTE, MODE_CONTROL | PALETTE_ON);
	mode = inb(ATTRIBUTE_DATA);
	check(mode & BLINK);
	outb(ATTRIBUTE, mode & ~BLINK);
	inb(STATUS1);
	outb(ATTRIBUTE, MODE_CONTROL | PALETTE_ON);
	check_eq(inb(ATTRIBUTE_DATA), mode & ~BLINK);
	inb(STATUS1);
}

static bool wait_retrace(bool on)
{
	u64 start = rdtsc();

	while (!(inb(STATUS1) & RETRACE) == on)
		if (rdtsc() - start > PATIENCE)
			return false;
	return true;
}

static void monitor(void)
{
	int i;

	step("a retrace comes, and goes, and comes again");
	for (i = 0; i < 3; i++)
		require(wait_retrace(true) && wait_retrace(false));
}

static void scrolling(void)
{
	char line[] = "line 00\n";
	int i;

	step("thirty lines, of which five scroll away");
	for (i = 1; i <= 30; i++) {
		line[5] = '0' + i / 10;
		line[6] = '0' + i % 10;
		screen_print(line);
	}
	check_eq(cursor_get(), SCREEN_COLUMNS * (SCREEN_ROWS - 1));
	check_eq((u8)screen[5], '0');
	check_eq((u8)screen[6], '7');
	check_eq((u8)screen[SCREEN_COLUMNS * (SCREEN_ROWS - 2) + 5], '3');
	screen_print("\xc9\xcd\xbb");
}

GUEST("vga")
{
	if (inb(MISC_READ) == 0xff)
		skip_guest("there is no screen");
	fresh();
	moving();
	blinking();
	monitor();
	scrolling();
}
