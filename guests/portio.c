// SPDX-License-Identifier: GPL-2.0-only
/*
 * portio: IN, OUT, INS and OUTS of each width.
 *
 * What is known to read back: the UART's scratch register, a byte; its line
 * control register, a byte; and a port with nothing behind it, all ones at any
 * width. A wide access to the UART is two or four byte accesses in a row.
 */
#include "lib/trap.h"
#include "lib/paging.h"

#define UART_LCR	(PORT_COM1 + 3)
#define UART_MCR	(PORT_COM1 + 4)
#define UART_SCRATCH	(PORT_COM1 + 7)
#define PORT_NOTHING	0x5a0

static u8 buffer[64] __aligned(16);

static void check_bytes(void)
{
	int i;

	step("OUT and IN of bytes: the scratch register keeps what it is given");
	for (i = 0; i < 256; i += 15) {
		outb(UART_SCRATCH, i);
		check_eq(inb(UART_SCRATCH), i);
	}
}

/* Only AL, AX, EAX change; the 32-bit form clears the upper half of RAX. */
static void check_registers(void)
{
	u64 rax = 0x1122334455667788;

	step("IN changes AL, AX, or EAX and the upper half");
	outb(UART_SCRATCH, 0x9a);
	asm volatile("inb %%dx, %%al" : "+a"(rax) : "d"(UART_SCRATCH));
	check_eq(rax, 0x112233445566779a);
	asm volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(PORT_NOTHING));
	check_eq(rax, 0x112233445566ffff);
	asm volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(PORT_NOTHING));
	check_eq(rax, 0xffffffff);
	rax = 0x1122334455667788;
	asm volatile("inb $0xe9, %%al" : "+a"(rax));
	check_eq(rax >> 8, 0x11223344556677);
}

static void check_nothing(void)
{
	step("an absent port reads as all ones, and swallows writes");
	outb(PORT_NOTHING, 0);
	outw(PORT_NOTHING, 0);
	outl(PORT_NOTHING, 0);
	check_eq(inb(PORT_NOTHING), 0xff);
	check_eq(inw(PORT_NOTHING), 0xffff);
	check_eq(inl(PORT_NOTHING), 0xffffffff);
	check_eq(inb(0xffff), 0xff);
}

static void check_debug_port(void)
{
	step("OUT to the debug port");
	outb(PORT_DEBUG, '.');
	asm volatile("outb %%al, $0xe9" : : "a"('\n'));
	check_eq(inb(PORT_DEBUG), 0xe9);
}

static void check_ins(void)
{
	u8 *to = buffer;
	ulong count = 3;

	step("INSB, INSW, INSL: memory, RDI, RCX, DF");
	memset(buffer, 0, sizeof(buffer));
	outb(UART_SCRATCH, 0x42);
	asm volatile("insb" : "+D"(to) : "d"(UART_SCRATCH) : "memory");
	check_eq(buffer[0], 0x42);
	check_eq(buffer[1], 0);
	check_eq(to - buffer, 1);
	asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(UART_SCRATCH) : "memory");
	check_eq(count, 0);
	check_eq(to - buffer, 4);
	check(buffer[3] == 0x42 && buffer[4] == 0);
	count = 2;
	asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"(PORT_NOTHING) : "memory");
	check_eq(to - buffer, 8);
	check(buffer[4] == 0xff && buffer[7] == 0xff && buffer[8] == 0);
	count = 2;
	asm volatile("std; rep insl; cld" : "+D"(to), "+c"(count) : "d"(PORT_NOTHING)
		     : "memory");
	check_eq(to - buffer, 0);
	check(buffer[11] == 0xff && buffer[12] == 0 && buffer[4] == 0xff);
	count = 0;
	asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(UART_SCRATCH) : "memory");
	check_eq(to - buffer, 0);
}

static void check_outs(void)
{
	static const char line[] = "  rep outsb\r\n";	/* fits into the FIFO */
	const char *from = line;
	ulong count = sizeof(line) - 1;

	step("OUTSB with and without REP, to the UART and the debug port");
	console_drain();
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_COM1) : "memory");
	check_eq(count, 0);
	check_eq(from - line, sizeof(line) - 1);
	buffer[0] = 0x77;
	from = (char *)buffer;
	asm volatile("outsb" : "+S"(from) : "d"(UART_SCRATCH) : "memory");
	check_eq(inb(UART_SCRATCH), 0x77);
	check_eq(from - (char *)buffer, 1);
	from = line;
	count = sizeof(line) - 1;
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_DEBUG) : "memory");
	check_eq(count, 0);
	step("OUTSW and OUTSL; a segment override and 32-bit registers");
	memcpy(buffer, "abcdefghij", 10);
	from = (char *)buffer;
	count = 2;
	asm volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(PORT_NOTHING) : "memory");
	check_eq(from - (char *)buffer, 8);
	asm volatile("outsw" : "+S"(from) : "d"(PORT_NOTHING) : "memory");
	check_eq(from - (char *)buffer, 10);
	wrmsr(MSR_GS_BASE, (ulong)buffer);
	asm volatile("outsb %%gs:(%%esi), %%dx" : : "S"(0xffffffff00000002), "d"(UART_SCRATCH)
		     : "memory");
	check_eq(inb(UART_SCRATCH), 'c');
}

/* The first page is there, the second not: what was done stays done. */
static void check_string_fault(void)
{
	static u8 page[4096] __aligned(4096);
	ulong va = 0x4000000000, to = va + 4094, count = 4;

	step("REP INSB into an absent page: #PF with RCX and RDI at the element");
	paging_map(va, (ulong)page, LEVEL_4K, PTE_W);
	outb(UART_SCRATCH, 0x21);
	trap_arm();
	asm volatile(TRY("rep insb") : "+D"(to), "+c"(count) : "d"(UART_SCRATCH) : "memory");
	trap_expect(__FILE__, __LINE__, "rep insb", TRAP_PF, PF_W, false);
	check_eq(last_trap.cr2, va + 4096);
	check_eq(count, 2);
	check_eq(to, va + 4096);
	check(page[4094] == 0x21 && page[4095] == 0x21);
}

static void check_wide(void)
{
	step("a 16-bit access to the UART reaches two registers");
	outw(UART_LCR, inb(UART_LCR) | 0x0300);
	check_eq(inb(UART_MCR), 3);
	check_eq(inw(UART_LCR), 0x0303);
}

GUEST("portio")
{
	check_bytes();
	check_registers();
	check_nothing();
	check_debug_port();
	check_wide();
	check_ins();
	check_outs();
	check_string_fault();
}
