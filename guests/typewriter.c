// SPDX-License-Identifier: GPL-2.0-only
/*
 * typewriter: a kernel as the books on writing one in Rust or C arrive at. It writes in the
 * screen's last row, which scrolls; has the 8259s at 20H with the masks that a BIOS left; a
 * dot for each tick of the timer, which nobody has programmed; and keys by IRQ 1, in set 1.
 * It wants --display text and somebody there who types "Hi 2U", a correction, and Enter.
 */
#include "lib/screen.h"
#include "lib/trap.h"

#define DATA		0x60
#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1
#define PIC_EOI		0x20
#define PORT_POST	0x80		/* a write to it takes time enough for a PIC */
#define BASE		0x20
#define IRQ_TIMER	0
#define IRQ_KEYBOARD	1
#define YELLOW		0x0e
#define LAST		((SCREEN_ROWS - 1) * SCREEN_COLUMNS)
#define DOTS		3
#define PATIENCE	2000000000ULL	/* ticks: a person's */

#define SHIFT_LEFT	0x2a
#define SHIFT_RIGHT	0x36
#define RELEASED	0x80

static const char plain[] =
	"\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static u32 column;
static volatile u32 ticks;
static bool shift;
static char line[SCREEN_COLUMNS];
static volatile u32 length;
static volatile bool entered;

static void new_line(void)
{
	screen_scroll();
	column = 0;
}

static void put(char c)
{
	if (c == '\n' || column == SCREEN_COLUMNS)
		new_line();
	if (c != '\n')
		screen[LAST + column++] = YELLOW << 8 | (u8)c;
}

static void print_screen(const char *words)
{
	while (*words)
		put(*words++);
}

static bool on_tick(struct trap_frame *frame)
{
	(void)frame;
	if (ticks++ < DOTS)
		put('.');
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static void take(char c)
{
	if (c == '\n') {
		entered = true;
	} else if (c == '\b' && length) {
		length--;
		screen[LAST + --column] = YELLOW << 8 | ' ';
	} else if (c >= ' ' && length < sizeof(line) - 1) {
		line[length++] = c;
		put(c);
	}
}

static bool on_key(struct trap_frame *frame)
{
	u8 code = inb(DATA), key = code & ~RELEASED;

	(void)frame;
	if (key == SHIFT_LEFT || key == SHIFT_RIGHT)
		shift = code == key;
	else if (code == key && key < sizeof(plain) - 1)
		take(shift ? shifted[key] : plain[key]);
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static void pic_write(u16 port, u8 value)
{
	outb(port, value);
	outb(PORT_POST, 0);
}

/* Other vectors; the masks as they were. */
static void pic_init(void)
{
	u8 mask1 = inb(PIC1_DATA), mask2 = inb(PIC2_DATA);

	pic_write(PIC1_COMMAND, 0x11);
	pic_write(PIC2_COMMAND, 0x11);
	pic_write(PIC1_DATA, BASE);
	pic_write(PIC2_DATA, BASE + 8);
	pic_write(PIC1_DATA, 4);
	pic_write(PIC2_DATA, 2);
	pic_write(PIC1_DATA, 1);
	pic_write(PIC2_DATA, 1);
	outb(PIC1_DATA, mask1);
	outb(PIC2_DATA, mask2);
}

static void wait_ticks(void)
{
	u64 start = rdtsc();

	step("the timer ticks, though nobody has told it to");
	while (ticks < DOTS && rdtsc() - start < PATIENCE)
		asm volatile("sti; hlt; cli" : : : "memory");
	check(ticks >= DOTS);
}

static void wait_line(void)
{
	static const char want[] = "Hi 2U";
	u64 start = rdtsc();
	u32 i;

	step("what is typed comes to the screen");
	print_screen("\nType: ");
	while (!entered && rdtsc() - start < PATIENCE)
		asm volatile("sti; hlt; cli" : : : "memory");
	require(entered);
	check_eq(length, sizeof(want) - 1);
	for (i = 0; i < length; i++)
		check_eq(line[i], want[i]);
}

GUEST("typewriter")
{
	if (inb(PIC1_DATA) & (1 << IRQ_TIMER | 1 << IRQ_KEYBOARD))
		skip_guest("no BIOS has left the timer's and the keyboard's lines open");
	print_screen("Hello World!\n");
	step("a breakpoint, and back from it");
	expect_trap(TRAP_BP, "int3");
	pic_init();
	trap_hook(BASE + IRQ_TIMER, on_tick);
	trap_hook(BASE + IRQ_KEYBOARD, on_key);
	wait_ticks();
	wait_line();
	outb(PIC1_DATA, 0xff);
	print_screen("\nIt did not crash!");
}
