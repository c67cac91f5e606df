// SPDX-License-Identifier: GPL-2.0-only
/* The TSCs of several vCPUs stay in step when time stands still. */
#include "machine_test.h"

#define VCPUS 3
#define TSC   0x10

static void set_tsc(unsigned int id, uint64_t tsc)
{
	assert_int_equal(tvx_set_msr(fake.vcpu[id].fd, TSC, tsc), 0);
}

static uint64_t tsc_of(unsigned int id)
{
	uint64_t tsc = 0;

	assert_int_equal(tvx_get_msr(fake.vcpu[id].fd, TSC, &tsc), 0);
	return tsc;
}

/* However long it takes to get from one vCPU to the next. */
static void test_in_step(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, fake_compute);
	/* From the one moment to the other: a step a vCPU, and one more. */
	const uint64_t lost = 1000000 + 7 * (VCPUS + 1);

	(void)state;
	set_tsc(1, 5000000);
	fake.host_step = 7;
	hv_machine_pause(machine);
	pthread_mutex_lock(&machine->lock);
	assert_int_equal(hv_machine_stop_time(machine), 0);
	fake.host_tsc += 1000000;
	assert_int_equal(hv_machine_start_time(machine), 0);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_resume(machine);
	assert_int_equal(tsc_of(0), -lost);
	assert_int_equal(tsc_of(1), 5000000 - lost);
	assert_int_equal(tsc_of(2), -lost);
	hv_machine_destroy(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_step) };

	return cmocka_run_group_tests_name("tsc", tests, NULL, NULL);
}
