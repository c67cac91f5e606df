// SPDX-License-Identifier: GPL-2.0-only
/* triple: another CPU than the BSP has a triple fault. */
#include "../lib/smp.h"

static void die(void *unused)
{
	(void)unused;
	trap_load_idt(0);
	asm volatile("ud2");
}

GUEST("triple")
{
	smp_init();
	smp_start_all();
	print("CPU %u: no IDT, and UD2\n", nr_cpus - 1);
	smp_run(&cpus[nr_cpus - 1], die, NULL);
	ap_delay(PATIENCE);
	check(!"shut down");
}
