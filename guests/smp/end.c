// SPDX-License-Identifier: GPL-2.0-only
/* end: another CPU than the BSP ends the guest, while all others run. */
#include "../lib/smp.h"

static void finish(void *unused)
{
	(void)unused;
	check(this_cpu()->index == nr_cpus - 1);
	guest_finish();
}

GUEST("end")
{
	smp_init();
	smp_start_all();
	smp_run(&cpus[nr_cpus - 1], finish, NULL);
	ap_delay(PATIENCE);
	check(!"ended");
}
