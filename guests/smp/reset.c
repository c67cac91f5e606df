// SPDX-License-Identifier: GPL-2.0-only
/*
 * reset: another CPU than the BSP resets the machine, in each way that a PC has. Afterwards the
 * same one is the BSP, and the others wait. CMOS RAM remembers which way is next.
 */
#include "../lib/cmos.h"
#include "../lib/smp.h"

#define CMOS_MAGIC	0x40	/* RAM that nobody else uses */
#define CMOS_NEXT	0x41
#define CMOS_BSP	0x42
#define MAGIC		0xa5

#define PORT_92		0x92
#define PORT_KBC	0x64
#define PORT_CF9	0xcf9
#define KBC_PULSE_RESET	0xfe

#define BASE_BSP	(1U << 8)

static void by_port_92(void *unused)
{
	(void)unused;
	outb(PORT_92, inb(PORT_92) | 1);
}

static void by_cf9(void *unused)
{
	(void)unused;
	outb(PORT_CF9, 0x02);
	outb(PORT_CF9, 0x06);
}

static void by_8042(void *unused)
{
	(void)unused;
	outb(PORT_KBC, KBC_PULSE_RESET);
}

static void by_triple_fault(void *unused)
{
	(void)unused;
	trap_load_idt(0);
	asm volatile("ud2");
}

static const struct {
	const char *name;
	void (*reset)(void *argument);
} ways[] = {
	{ "port 0x92", by_port_92 },
	{ "port 0xcf9", by_cf9 },
	{ "the 8042", by_8042 },
	{ "a triple fault", by_triple_fault },
	{ NULL, NULL }
};

/* The others are still at this when the machine is reset. */
static void spin(void *unused)
{
	(void)unused;
	for (;;)
		cpu_pause();
}

GUEST("reset")
{
	u8 next = cmos_read(CMOS_MAGIC) == MAGIC ? cmos_read(CMOS_NEXT) : 0;
	struct cpu *cpu;

	smp_init();
	check(rdmsr(MSR_APIC_BASE) & BASE_BSP);
	if (next)
		check_eq(cmos_read(CMOS_BSP), cpus[0].apic_id);
	for_each_other(cpu)
		check(!cpu->alive);
	smp_start_all();
	if (!ways[next].reset)
		return;
	step("CPU %u resets by %s", nr_cpus - 1, ways[next].name);
	cmos_write(CMOS_MAGIC, MAGIC);
	cmos_write(CMOS_NEXT, next + 1);
	cmos_write(CMOS_BSP, cpus[0].apic_id);
	console_drain();
	for_each_other(cpu)
		smp_run(cpu, cpu == cpus + nr_cpus - 1 ? ways[next].reset : spin, NULL);
	ap_delay(PATIENCE);
	check(!"reset");
}
