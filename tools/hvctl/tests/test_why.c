// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts on guests that seem to hang, by samples that a test has made up. */
#include "debug/why.h"
#include "hv_test.h"

static json_t *samples;

static int setup(void **state)
{
	(void)state;
	samples = json_array();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(samples);
	return 0;
}

/* Ten looks, 10 ms apart; from one to the next so many exits come, and RIP goes on so far. */
static void look_ten_times(const char *activity, bool enabled, const char *reason, int exits,
			   unsigned int stride)
{
	json_array_clear(samples);
	for (int i = 0; i < 10; i++) {
		json_t *vcpu = json_pack("{s:o, s:s, s:s, s:b, s:{s:i, s:i}}", "rip",
					 json_sprintf("0x%x", 0x1000 + i * stride), "symbol",
					 "f+0x1", "activity", activity, "interrupts", enabled,
					 "exits", reason, 5 + i * exits, "external interrupt",
					 1000 * i);
		json_array_append_new(samples,
				      json_pack("{s:s, s:I, s:[o]}", "state", "running", "time_ns",
						(json_int_t)i * 10000000, "vcpus", vcpu));
	}
}

static void set_at(size_t look, const char *key, json_t *value)
{
	json_t *sample = json_array_get(samples, look);

	json_object_set_new(json_array_get(json_object_get(sample, "vcpus"), 0), key, value);
}

static void set(const char *key, json_t *value)
{
	set_at(9, key, value);
}

static void says(const char *verdict, const char *text)
{
	json_t *why = hv_why(samples);
	json_t *one = json_array_get(json_object_get(why, "vcpus"), 0);

	assert_non_null(one);
	assert_string_equal(json_string_value(json_object_get(one, "verdict")), verdict);
	assert_string_equal(json_string_value(json_object_get(one, "text")), text);
	json_decref(why);
}

static void test_spins(void **state)
{
	(void)state;
	look_ten_times("active", false, "HLT", 0, 2);
	says("spins", "spins at 0x1012, f+0x1 (within 19 bytes), with interrupts disabled");
	look_ten_times("active", true, "HLT", 0, 0);
	says("spins", "spins at 0x1000, f+0x1 (within 1 bytes)");
	look_ten_times("active", true, "HLT", 0, 0x100);
	says("executes", "executes, last at 0x1900, f+0x1, between 0x1000 and 0x1900");
}

static void test_halted(void **state)
{
	(void)state;
	look_ten_times("halted", false, "HLT", 0, 0);
	says("halted",
	     "halted with interrupts disabled, RIP 0x1000, f+0x1: only an NMI, an INIT or a reset wakes it");
	look_ten_times("halted", true, "HLT", 0, 0);
	says("waits",
	     "halted, waits for an interrupt, RIP 0x1000, f+0x1: nothing is requested, and the local APIC's timer is not armed");
	set("timer_ms", json_integer(12));
	says("waits",
	     "halted, waits for an interrupt, RIP 0x1000, f+0x1: the local APIC's timer goes off in 12 ms");
	set("requested", json_string("0x31"));
	says("waits",
	     "halted, waits for an interrupt, RIP 0x1000, f+0x1: vector 0x31 is requested, but its priority is too low");
	look_ten_times("waits for a start-up IPI", false, "HLT", 0, 0);
	says("parked", "waits for a start-up IPI: no other CPU has started it");
}

static void test_storm(void **state)
{
	(void)state;
	look_ten_times("active", false, "I/O instruction", 50, 0);
	set("exit_at", json_string("port 0x60"));
	says("storm",
	     "exit storm: 5000 a second of I/O instruction, port 0x60, last at RIP 0x1000, f+0x1, with interrupts disabled");
	/* The last look has found it behind an exit that has not come to us. */
	look_ten_times("active", true, "I/O instruction", 50, 0);
	set_at(3, "exit_at", json_string("port 0x61"));
	set_at(8, "exit_at", json_string("port 0x60"));
	says("storm",
	     "exit storm: 5000 a second of I/O instruction, port 0x60, last at RIP 0x1000, f+0x1");
	/* Those of the host's interrupts are none of the guest's. */
	look_ten_times("active", true, "external interrupt", 50, 0);
	says("spins", "spins at 0x1000, f+0x1 (within 1 bytes)");
	look_ten_times("active", true, "I/O instruction", 5, 0);
	says("spins", "spins at 0x1000, f+0x1 (within 1 bytes)");
}

static void whole(const char *state, bool held_back, const char *text)
{
	json_t *sample = json_array_get(samples, 9), *why;

	json_object_set_new(sample, "state", json_string(state));
	json_object_set_new(sample, "held_back", json_boolean(held_back));
	why = hv_why(samples);
	assert_non_null(strstr(json_string_value(json_object_get(why, "text")), text));
	json_decref(why);
}

static void test_of_vm(void **state)
{
	(void)state;
	look_ten_times("active", false, "HLT", 0, 0);
	whole("paused", false, "paused: ");
	whole("ending", false, "has ended, and waits for its console");
	whole("running", true, "held back: ");
}

/* What comes from another version, or from nobody. */
static void test_strange(void **state)
{
	(void)state;
	look_ten_times("active", false, "HLT", 0, 0);
	json_object_set_new(json_array_get(samples, 3), "vcpus", json_array());
	assert_null(hv_why(samples));
	json_array_clear(samples);
	json_decref(hv_why(samples));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_spins), T(test_halted), T(test_storm), T(test_of_vm), T(test_strange),
	};

	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
