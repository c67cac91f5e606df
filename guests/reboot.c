// SPDX-License-Identifier: GPL-2.0-only
/* reboot: each way to reset a PC, one after the other; CMOS RAM remembers which is next. */
#include "lib/acpi.h"
#include "lib/cmos.h"
#include "lib/trap.h"

#define CMOS_MAGIC	0x40	/* RAM that nobody else uses */
#define CMOS_NEXT	0x41
#define MAGIC		0x5a

#define PORT_92		0x92
#define PORT_KBC	0x64
#define PORT_CF9	0xcf9
#define PIC1_DATA	0x21
#define PIC2_DATA	0xa1

#define KBC_PULSE_RESET	0xfe
#define ELSEWHERE	(48UL << 20)	/* RAM beyond the image */
#define PATTERN		0x123456789abcdef0

#define FADT_RESET	116		/* generic address, then the value */
#define SPACE_PORT	1

/* --------------------------------------------------------------- the ways */

static void by_port_92(void)
{
	outb(PORT_92, inb(PORT_92) | 1);
}

static void by_cf9(void)
{
	outb(PORT_CF9, 0x02);
	outb(PORT_CF9, 0x06);
}

static void by_8042(void)
{
	outb(PORT_KBC, KBC_PULSE_RESET);
}

static void by_acpi(void)
{
	u64 fadt = acpi_find_table("FACP");

	require(fadt);
	check_eq(acpi_field(fadt + FADT_RESET, 1), SPACE_PORT);
	outb(acpi_field(fadt + FADT_RESET + 4, 8), acpi_field(fadt + FADT_RESET + 12, 1));
}

static void by_triple_fault(void)
{
	trap_load_idt(0);
	asm volatile("ud2");
}

static const struct {
	const char *name;
	void (*reset)(void);
} ways[] = {
	{ "port 0x92", by_port_92 },
	{ "port 0xcf9", by_cf9 },
	{ "the 8042", by_8042 },
	{ "the FADT's reset register", by_acpi },
	{ "a triple fault", by_triple_fault },
	{ NULL, NULL }
};

/* What was behind us is gone. */
static void check_fresh(void)
{
	check_eq(acpi_field(ELSEWHERE, 8), 0);
	/* As a BIOS leaves them: the timer, the keyboard and the slave are open. */
	check_eq(inb(PIC1_DATA), 0xf8);
	check_eq(inb(PIC2_DATA), 0xff);
	check_eq(read_dr7(), 0x400);
	check_eq(rdmsr(MSR_LSTAR), 0);
	check_eq(inb(PORT_92) & 1, 0);
	check_eq(inb(PORT_CF9), 0);
}

static void spoil(void)
{
	memcpy((void *)ELSEWHERE, &(u64){ PATTERN }, 8);
	outb(PIC1_DATA, 0xfb);
	outb(PIC2_DATA, 0);
	write_dr0(ELSEWHERE);
	write_dr7(0x402);
	wrmsr(MSR_LSTAR, ELSEWHERE);
}

GUEST("reboot")
{
	u8 next = cmos_read(CMOS_MAGIC) == MAGIC ? cmos_read(CMOS_NEXT) : 0;

	check_fresh();
	if (!ways[next].reset)
		return;
	step("reset by %s", ways[next].name);
	cmos_write(CMOS_MAGIC, MAGIC);
	cmos_write(CMOS_NEXT, next + 1);
	spoil();
	ways[next].reset();
	check(!"reset");
}
