// SPDX-License-Identifier: GPL-2.0-only
/* bios: the services that a boot sector's second stage asks its BIOS for. */
#include "../lib/guest.h"

#define BOOT_SECTOR 0x7c00
#define BUFFER 0x20000			/* for sectors, by ES:BX */
#define BUFFER_SEGMENT (BUFFER >> 4)
#define SECTOR 512
#define HARD_DISK 0x80
#define SMAP 0x534d4150
#define BDA_TICKS 0x46c
#define SCREEN 0xb8000

/* The stack of a call: somewhere, with what begins below it in use. */
#define STACK_SEGMENT 0x3000
#define STACK_POINTER 0x0100
#define SENTINEL 0xa5c3a5c3

/* Offsets are in start.S, too. */
struct bios_call {
	u32 eax, ebx, ecx, edx, esi, edi, ebp;
	u16 ds, es, ss, sp, flags;
};

void bios_int(u8 vector);	/* start.S */
void tick_hook(void);
struct bios_call bios_call;
volatile u32 hooked_ticks;
u8 boot_drive;

#define call bios_call

/* Memory by its address, the first page too, where C sees null pointers. */
static u32 peek32(u32 address)
{
	u32 value;

	asm volatile("movw %1, %%fs; movl %%fs:(%2), %0"
		     : "=r"(value)
		     : "r"((u16)(address >> 16 << 12)), "r"(address & 0xffff) : "memory");
	return value;
}

static void poke32(u32 address, u32 value)
{
	asm volatile("movw %1, %%fs; movl %0, %%fs:(%2)"
		     : : "r"(value), "r"((u16)(address >> 16 << 12)), "r"(address & 0xffff)
		     : "memory");
}

static u16 peek16(u32 address)
{
	return peek32(address);
}

static bool failed(void)
{
	return call.flags & EFLAGS_CF;
}

static u8 ah(void)
{
	return call.eax >> 8;
}

/* All that the service has no business with keeps what it had. */
static void int_n(u8 vector, u32 eax)
{
	call.eax = eax;
	call.ss = STACK_SEGMENT;
	call.sp = STACK_POINTER;
	call.flags = EFLAGS_FIXED | EFLAGS_IF | EFLAGS_DF;
	bios_int(vector);
	check_eq(call.ss, STACK_SEGMENT);
	check_eq(call.sp, STACK_POINTER);
	check_eq(call.flags & (EFLAGS_IF | EFLAGS_DF), EFLAGS_IF | EFLAGS_DF);
}

static void clear_call(void)
{
	call = (struct bios_call){
		.ebx = SENTINEL, .ecx = SENTINEL, .edx = SENTINEL, .esi = SENTINEL,
		.edi = SENTINEL, .ebp = SENTINEL, .ds = 0x4321, .es = 0x1234,
	};
}

static void check_registers(void)
{
	step("a service changes what it answers with and nothing else, wherever the stack is");
	clear_call();
	int_n(0x12, SENTINEL);
	check_eq(call.eax, (SENTINEL & 0xffff0000) | 639);
	check_eq(call.ebx, SENTINEL);
	check_eq(call.ecx, SENTINEL);
	check_eq(call.edx, SENTINEL);
	check_eq(call.esi, SENTINEL);
	check_eq(call.edi, SENTINEL);
	check_eq(call.ebp, SENTINEL);
	check_eq(call.ds, 0x4321);
	check_eq(call.es, 0x1234);
	step("one that is not there says so, by CF and AH");
	int_n(0x21, 0x4c00);
	check(failed());
	check_eq(ah(), 0x86);
	int_n(0x21, 0x4c00);	/* it is told once */
	int_n(0x15, 0x8900);
	check(failed());
	check_eq(ah(), 0x86);
}

/* ------------------------------------------------------------------- memory */

static void check_memory(void)
{
	u32 low = 0, kib, ranges = 0;

	step("INT 15H, E820H: the memory map");
	clear_call();
	call.ebx = 0;
	do {
		call.ecx = 24;
		call.edx = SMAP;
		call.es = BUFFER_SEGMENT;
		call.edi = 0;
		int_n(0x15, 0xe820);
		require(!failed());
		check_eq(call.eax, SMAP);
		check_eq(call.ecx, 20);
		if (peek32(BUFFER + 16) == 1 && peek32(BUFFER) == 0x100000)
			low = peek32(BUFFER + 8);
		ranges++;
	} while (call.ebx && ranges < 100);
	check(ranges > 2 && ranges < 100);
	check(low);
	call.ebx = 99;
	call.edx = SMAP;
	call.ecx = 24;
	int_n(0x15, 0xe820);
	check(failed());

	step("88H and E801H say the same");
	int_n(0x15, 0x8800);
	kib = call.eax & 0xffff;
	check_eq(kib, low / 1024 < 0xffff ? low / 1024 : 0xffff);
	int_n(0x15, 0xe801);
	check(!failed());
	check_eq(call.eax & 0xffff, call.ecx & 0xffff);
	check_eq((call.eax & 0xffff) + (call.ebx & 0xffff) * 64, low / 1024);

	step("87H copies to above 1 MiB and back; A20 is open");
	poke32(BUFFER, SENTINEL);
	poke32(BUFFER + 0x112, (BUFFER & 0xffffff));
	poke32(BUFFER + 0x11a, 0x200000);
	call.es = BUFFER_SEGMENT;
	call.esi = 0x100;
	call.ecx = 2;
	int_n(0x15, 0x8700);
	check(!failed());
	poke32(BUFFER, 0);
	poke32(BUFFER + 0x112, 0x200000);
	poke32(BUFFER + 0x11a, BUFFER & 0xffffff);
	int_n(0x15, 0x8700);
	check_eq(peek32(BUFFER), SENTINEL);
	call.ecx = 0x8001;
	int_n(0x15, 0x8700);
	check(failed());
	int_n(0x15, 0x2401);
	check(!failed());
	int_n(0x15, 0x2402);
	check_eq(call.eax & 0xff, 1);
}

/* --------------------------------------------------------------------- disk */

static void read_sector(u16 cx, u16 dx, u32 eax)
{
	call.es = BUFFER_SEGMENT;
	call.ebx = 0;
	call.ecx = cx;
	call.edx = dx;
	int_n(0x13, eax);
}

static void check_disk(void)
{
	step("INT 13H: drive %xh", boot_drive);
	clear_call();
	read_sector(1, boot_drive, 0x0201);
	check(!failed());
	check_eq(call.eax & 0xffff, 1);
	check_eq(peek16(BUFFER + 510), 0xaa55);
	check_eq(peek32(BUFFER), peek32(BOOT_SECTOR));
	step("no sector 0, no drive 42H, no writing, and the status of the last command");
	read_sector(0, boot_drive, 0x0201);
	check(failed());
	check_eq(ah(), 0x04);
	int_n(0x13, 0x0100);
	check(failed());
	check_eq(ah(), 0x04);
	read_sector(1, 0x42, 0x0201);
	check(failed());
	check_eq(ah(), 0x01);
	read_sector(1, boot_drive, 0x0301);
	check(failed());
	check_eq(ah(), 0x03);
	int_n(0x13, 0x7700);
	check(failed());
	check_eq(ah(), 0x01);
	int_n(0x13, 0x0000);
	check(!failed());
	int_n(0x13, 0x0100);
	check(!failed());
	check_eq(ah(), 0);
	int_n(0x13, 0x1500);
	check_eq(ah(), boot_drive ? 3 : 1);
}

static void check_packets(void)
{
	clear_call();
	call.ebx = 0x55aa;
	call.edx = boot_drive;
	int_n(0x13, 0x4100);
	if (boot_drive < HARD_DISK) {
		step("a floppy has no packets");
		check(failed());
		return;
	}
	step("packets: LBA 0, and one behind the end");
	check(!failed());
	check_eq(call.ebx & 0xffff, 0xaa55);
	poke32(BUFFER + 0x400, 0x00010010);
	poke32(BUFFER + 0x404, (u32)BUFFER_SEGMENT << 16);
	poke32(BUFFER + 0x408, 0);
	poke32(BUFFER + 0x40c, 0);
	poke32(BUFFER, 0);
	call.ds = BUFFER_SEGMENT;
	call.esi = 0x400;
	int_n(0x13, 0x4200);
	check(!failed());
	check_eq(peek32(BUFFER), peek32(BOOT_SECTOR));
	poke32(BUFFER + 0x408, 0x00ffffff);
	int_n(0x13, 0x4200);
	check(failed());
	check_eq(peek16(BUFFER + 0x402), 0);
}

/* ------------------------------------------------------------------- screen */

static u16 cursor(void)
{
	call.ebx = 0;
	int_n(0x10, 0x0300);
	return call.edx;
}

static void set_cursor(u16 at)
{
	call.ebx = 0;
	call.edx = at;
	int_n(0x10, 0x0200);
}

static void check_screen(void)
{
	step("INT 10H: text mode 3, empty");
	clear_call();
	int_n(0x10, 0x0003);
	int_n(0x10, 0x0f00);
	check_eq(call.eax & 0xffff, 80 << 8 | 3);
	check_eq(cursor(), 0);
	check_eq(peek16(SCREEN), 0x0720);
	step("teletype: the cursor goes along, to the next row and over the end of the last");
	set_cursor(24 << 8 | 79);
	int_n(0x10, 0x0e00 | 'x');
	check_eq(cursor(), 24 << 8);
	check_eq(peek16(SCREEN + 23 * 160 + 79 * 2), 0x0700 | 'x');
	int_n(0x10, 0x0e00 | '\b');
	check_eq(cursor(), 24 << 8);
	step("characters with attributes, read back; the cursor stays");
	set_cursor(2 << 8 | 3);
	call.ebx = 0x1f;
	call.ecx = 2;
	int_n(0x10, 0x0900 | 'y');
	check_eq(peek32(SCREEN + 2 * 160 + 3 * 2), 0x1f791f79);
	int_n(0x10, 0x0800);
	check_eq(call.eax & 0xffff, 0x1f79);
	check_eq(cursor(), 2 << 8 | 3);
	step("strings");
	poke32(BUFFER, 'o' << 8 | 'k');
	call.es = BUFFER_SEGMENT;
	call.ebp = 0;
	call.ebx = 0x2e;
	call.ecx = 2;
	call.edx = 5 << 8;
	int_n(0x10, 0x1301);
	check_eq(peek32(SCREEN + 5 * 160), 0x2e6f2e6b);
	check_eq(cursor(), 5 << 8 | 2);
	step("the border's colour");
	call.ebx = 4;
	int_n(0x10, 0x0b00);
	check(!failed());
	step("scrolling a window; graphics modes are refused");
	call.ecx = 4 << 8;
	call.edx = 5 << 8 | 0;
	call.ebx = 0x4e00;
	int_n(0x10, 0x0601);
	check_eq(peek32(SCREEN + 4 * 160), 0x07202e6b);
	check_eq(peek32(SCREEN + 5 * 160), 0x2e6f4e20);
	int_n(0x10, 0x0013);
	int_n(0x10, 0x0f00);
	check_eq(call.eax & 0xff, 3);
}

static void check_serial(void)
{
	static const char text[] = "by INT 14H\r\n";
	u32 i;

	step("INT 14H: 9600 baud, out and in");
	clear_call();
	call.edx = 0;
	int_n(0x14, 0x00e3);
	check_eq(ah() & 0xe1, 0x60);
	for (i = 0; i < sizeof(text) - 1; i++) {
		int_n(0x14, 0x0100 | text[i]);
		check_eq(call.eax & 0x80ff, text[i]);
	}
	int_n(0x14, 0x0200);
	check_eq(call.eax & 0xffff, 's');
	step("there is no COM2");
	call.edx = 1;
	int_n(0x14, 0x0300);
	check_eq(ah(), 0x80);
}

/* ------------------------------------------------------------ keys and time */

static void check_keys(void)
{
	step("INT 16H: what was typed, waiting for it");
	clear_call();
	int_n(0x16, 0x0000);
	check_eq(call.eax & 0xffff, 0x1e61);
	int_n(0x16, 0x1000);
	check_eq(call.eax & 0xffff, 0x3042);
	int_n(0x16, 0x0000);
	check_eq(call.eax & 0xffff, 0x1c0d);
	int_n(0x16, 0x0000);
	check_eq(call.eax & 0xffff, 0x4800);	/* up */
	step("nothing more; a key put there by a program");
	int_n(0x16, 0x0100);
	check(call.flags & (1 << 6));
	call.ecx = 0x3b00;
	int_n(0x16, 0x0500);
	check_eq(call.eax & 0xff, 0);
	int_n(0x16, 0x0100);
	check(!(call.flags & (1 << 6)));
	check_eq(call.eax & 0xffff, 0x3b00);
	int_n(0x16, 0x0000);
	check_eq(call.eax & 0xffff, 0x3b00);
}

static bool is_bcd(u8 value, u8 max)
{
	return (value & 0xf) < 10 && value <= max;
}

static void check_time(void)
{
	u32 before, hook_before, old = peek32(0x1c * 4);

	step("the timer ticks, and INT 1CH is called; INT 15H, 86H waits");
	clear_call();
	poke32(0x1c * 4, (u32)(ulong)tick_hook);
	before = peek32(BDA_TICKS);
	hook_before = hooked_ticks;
	call.ecx = 3;		/* 200 ms */
	call.edx = 0x0d40;
	int_n(0x15, 0x8600);
	check(!failed());
	int_n(0x1a, 0x0000);
	check(((call.ecx & 0xffff) << 16 | (call.edx & 0xffff)) - before >= 3);
	check(hooked_ticks - hook_before >= 3);
	poke32(0x1c * 4, old);
	step("the real-time clock: BCD");
	int_n(0x1a, 0x0200);
	check(!failed());
	check(is_bcd(call.ecx >> 8, 0x23) && is_bcd(call.ecx, 0x59) && is_bcd(call.edx >> 8, 0x59));
	int_n(0x1a, 0x0400);
	check(!failed());
	check(is_bcd(call.ecx >> 8, 0x99) && is_bcd(call.edx >> 8, 0x12) && is_bcd(call.edx, 0x31));
	check((u8)(call.ecx >> 8) >= 0x19);
}

GUEST("bios")
{
	check_registers();
	check_memory();
	check_disk();
	check_packets();
	check_screen();
	check_serial();
	check_keys();
	check_time();
}
