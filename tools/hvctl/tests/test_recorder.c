// SPDX-License-Identifier: GPL-2.0-only
/* The flight recorders of a machine: switched on and off, read while vCPUs run, across resets. */
#include <errno.h>

#include "lib/util.h"
#include "machine_test.h"
#include "vmm/recorder.h"

#define RECORDS 64

static struct tinyvmx_record got[TINYVMX_MAX_RECORDS];

/* One whose exits to us have reasons that count up, and that ends after so many of them. */
static uint32_t exits_left;

static int counts_down(struct fake_vcpu *vcpu)
{
	vcpu->run->exit_reason = exits_left;
	if (!--exits_left)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	return fake_out(vcpu, 0x80, 1, 0);
}

static struct hv_machine *make(enum hv_machine_kind kind, unsigned int records, fake_guest_fn guest)
{
	struct hv_config config = test_config(kind);

	config.records = records;
	fake_reset(guest);
	return test_machine(&config);
}

static void run(struct hv_machine *machine)
{
	struct hv_error err;

	assert_int_equal(hv_machine_start(machine, &err), 0);
	hv_machine_serve(machine);
	hv_machine_join(machine);
}

/* All of the first vCPU's from @next on; returns how many. */
static size_t read_all(struct hv_machine *machine, uint64_t next, uint64_t *missed)
{
	const struct hv_flight *flight = &hv_machine_bsp(machine)->flight;
	size_t count;

	pthread_mutex_lock(&machine->lock);
	count = hv_flight_read(flight, &next, hv_flight_newest(flight), got, ARRAY_SIZE(got),
			       missed);
	pthread_mutex_unlock(&machine->lock);
	return count;
}

static void test_off(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_BARE, 0, counts_down);
	uint64_t missed;

	(void)state;
	exits_left = 3;
	run(machine);
	assert_null(hv_machine_bsp(machine)->flight.ring);
	assert_int_equal(read_all(machine, 1, &missed), 0);
	hv_machine_destroy(machine);
}

static void test_from_the_first_exit(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_BARE, RECORDS, counts_down);
	uint64_t missed;

	(void)state;
	exits_left = 5;
	run(machine);
	assert_int_equal(read_all(machine, 1, &missed), 5);
	assert_int_equal(missed, 0);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(got[i].reason, 5 - i);
	hv_machine_destroy(machine);
}

static void test_the_last_ones(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_BARE, RECORDS, counts_down);
	uint64_t missed;

	(void)state;
	exits_left = 1000;
	run(machine);
	assert_int_equal(read_all(machine, 1, &missed), RECORDS);
	assert_int_equal(missed, 1000 - RECORDS);
	assert_int_equal(got[RECORDS - 1].reason, 1);
	hv_machine_destroy(machine);
}

/* Twice three exits, the last a reset's: the numbers go on. */
static int resets(struct fake_vcpu *vcpu)
{
	vcpu->run->exit_reason = exits_left;
	if (!--exits_left)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	return exits_left == 3 ? fake_out(vcpu, 0xcf9, 1, 6) : fake_out(vcpu, 0x80, 1, 0);
}

static void test_reset(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_PC, RECORDS, resets);
	uint64_t missed;

	(void)state;
	exits_left = 6;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(fake.vcpu[0].made, 2);
	/* Those before it went with their ring. */
	assert_int_equal(read_all(machine, 1, &missed), 3);
	assert_int_equal(missed, 3);
	assert_int_equal(got[0].sequence, 4);
	assert_int_equal(got[2].reason, 1);
	hv_machine_destroy(machine);
}

static int switch_record(struct hv_machine *machine, bool on, struct hv_error *err)
{
	int error;

	test_with_lock(machine, error = hv_machine_record(machine, on, err));
	return error;
}

static void test_switch(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_BARE, 0, counts_down);
	struct fake_vcpu *vcpu = &fake.vcpu[0];
	const struct tinyvmx_record record = { .reason = 7 };
	struct hv_error err = { .text = "" };
	uint64_t missed;

	(void)state;
	fake_record(vcpu, &record);
	assert_int_equal(switch_record(machine, true, &err), 0);
	fake_record(vcpu, &record);
	assert_int_equal(switch_record(machine, false, &err), 0);
	fake_record(vcpu, &record);
	assert_int_equal(read_all(machine, 1, &missed), 1);
	assert_int_equal(got[0].reason, 7);
	/* On again: in the same ring, and what came in between is missed. */
	assert_int_equal(switch_record(machine, true, &err), 0);
	fake_record(vcpu, &record);
	assert_int_equal(read_all(machine, 2, &missed), 1);
	assert_int_equal(missed, 1);
	assert_int_equal(got[0].sequence, 3);
	hv_machine_destroy(machine);
}

/* One whose size the user has given keeps it. */
static void test_switch_a_small_one(void **state)
{
	struct hv_machine *machine = make(HV_MACHINE_BARE, RECORDS, counts_down);
	struct hv_error err = { .text = "" };

	(void)state;
	assert_int_equal(switch_record(machine, false, &err), 0);
	assert_int_equal(switch_record(machine, true, &err), 0);
	assert_int_equal(hv_machine_bsp(machine)->flight.records, RECORDS);
	hv_machine_destroy(machine);
}

static void test_refused(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_BARE);
	struct hv_error err = { .text = "" };
	struct hv_machine *machine;

	(void)state;
	config.records = RECORDS;
	fake_reset(counts_down);
	fake.record_error = -ENOTTY;
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.text,
			    "this module has no flight recorder; load that of this hvctl");
	machine = make(HV_MACHINE_BARE, 0, counts_down);
	fake.record_error = -ENOMEM;
	assert_int_equal(switch_record(machine, true, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "cannot record the exits of vCPU 0"));
	assert_int_equal(machine->records, 0);
	hv_machine_destroy(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),           cmocka_unit_test(test_from_the_first_exit),
		cmocka_unit_test(test_the_last_ones), cmocka_unit_test(test_reset),
		cmocka_unit_test(test_switch),        cmocka_unit_test(test_switch_a_small_one),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
