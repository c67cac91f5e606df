// SPDX-License-Identifier: GPL-2.0-only
/* testdev: the PC test device that test suites for VMMs drive a machine by. */
#include "lib/pic.h"
#include "lib/trap.h"

#define PORT_VALUE	0xe0
#define PORT_FLUSH	0xe4
#define PORT_BYTES	0xe8
#define PORT_LINES	0x2000
#define MEMORY		0xff000000UL
#define MEMORY_END	0xff010000UL

#define ELCR		0x4d0

static void check_value(void)
{
	step("a value that is read back, in all widths");
	outl(PORT_VALUE, 0x12345678);
	check_eq(inl(PORT_VALUE), 0x12345678);
	check_eq(inw(PORT_VALUE + 2), 0x1234);
	check_eq(inb(PORT_VALUE + 1), 0x56);
	outb(PORT_VALUE + 3, 0xab);
	check_eq(inl(PORT_BYTES), 0xab345678);
	outw(PORT_BYTES, 0x9999);
	check_eq(inl(PORT_VALUE), 0xab349999);
}

static void check_memory(void)
{
	volatile u64 *first = (volatile u64 *)MEMORY;
	volatile u8 *bytes = (volatile u8 *)MEMORY;

	step("64 KiB of memory on the bus");
	*first = 0x1122334455667788;
	check_eq(*first, 0x1122334455667788);
	check_eq(bytes[7], 0x11);
	bytes[1] = 0xff;
	check_eq(*first, 0x112233445566ff88);
	*(volatile u32 *)(MEMORY_END - 4) = 0xabcdef01;
	check_eq(*(volatile u32 *)(MEMORY_END - 4), 0xabcdef01);
	check_eq(*(volatile u32 *)MEMORY_END, 0xffffffff);
}

static bool waits(int line)
{
	u16 port = line < 8 ? PIC1_COMMAND : PIC2_COMMAND;

	outb(port, PIC_READ_IRR);
	return inb(port) >> line % 8 & 1;
}

static void check_line(int line)
{
	check(!waits(line));
	outb(PORT_LINES + line, 1);
	check(waits(line));
	outb(PORT_LINES + line, 0);
	check(!waits(line));
}

static void check_lines(void)
{
	step("interrupt lines, as the 8259s see them");
	outb(ELCR, 1 << 5);
	outb(ELCR + 1, 1 << 2);
	check_line(5);
	check_line(10);
}

static void check_flush(void)
{
	static volatile u32 page[1024] __attribute__((aligned(4096)));

	step("a page that the host takes away and gives back");
	for (u32 i = 0; i < 10; i++) {
		page[i] = i + 1;
		outl(PORT_FLUSH, (u32)(ulong)page);
		check_eq(page[i], i + 1);
	}
	page[0] = 77;
	check_eq(page[0], 77);
}

GUEST("testdev")
{
	outl(PORT_VALUE, 0x5aa5a55a);
	if (inl(PORT_VALUE) != 0x5aa5a55a)
		skip_guest("there is no test device");
	check_value();
	check_memory();
	check_lines();
	check_flush();
}
