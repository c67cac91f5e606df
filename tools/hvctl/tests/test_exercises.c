// SPDX-License-Identifier: GPL-2.0-only
/* The exercises of hvctl lab, and the commands by which they are solved, without a CPU to ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain_test.h"
#include "vmm/lab.h"

static struct hv_lab lab;

/* A VMCS of a 64-bit guest; the CPU has all controls that have a name. */
static int setup(void **state)
{
	(void)state;
	make_vmcs(NULL);
	lab = (struct hv_lab){ .device = -1, .vm = -1, .vcpu = -1, .cpu = make_cpu() };
	lab.count = ARRAY_SIZE(vmcs);
	memcpy(lab.good, vmcs, sizeof(vmcs));
	hv_lab_reset(&lab);
	return 0;
}

static size_t find_in_lab(void)
{
	return explain_find(&lab.cpu, lab.field, lab.count, found, ARRAY_SIZE(found), NULL);
}

/* Each breaks a rule, and is whole with its solution; its goal needs no more. */
static void test_each(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < hv_nr_exercises; i++) {
		const struct hv_exercise *exercise = &hv_exercises[i];

		hv_lab_reset(&lab);
		hv_lab_change(&lab, exercise->broken, HV_LAB_MOST);
		if (!find_in_lab())
			fail_msg("exercise %u is not broken", i + 1);
		hv_lab_change(&lab, exercise->solution, ARRAY_SIZE(exercise->solution));
		if (find_in_lab())
			fail_msg("exercise %u, solved: %s", i + 1, found[0].text);
		assert_true(hv_exercise_reached(exercise, lab.field, lab.count));
		assert_true(strlen(exercise->hint) && strlen(exercise->title));
	}
	assert_int_equal(hv_nr_exercises, 20);
}

/* What the CPU takes is not the goal: exercise 2 without 64-bit mode */
static void test_not_the_goal(void **state)
{
	static const struct hv_lab_change no_long = { VMCS_GUEST_CS_AR, HV_LAB_OFF, TINYVMX_AR_L };

	(void)state;
	assert_true(hv_exercise_reached(&hv_exercises[1], lab.field, lab.count));
	hv_lab_change(&lab, &no_long, 1);
	assert_false(hv_exercise_reached(&hv_exercises[1], lab.field, lab.count));
	assert_false(hv_exercise_reached(&hv_exercises[1], lab.field, 0));
}

/* Run commands; the output must have @text. */
static void expect(const char *commands, const char *text)
{
	struct hv_error err = { .text = "" };
	char *said = NULL;
	size_t len;
	FILE *in = fmemopen((void *)(uintptr_t)commands, strlen(commands), "r"),
	     *out = open_memstream(&said, &len);
	bool solved = true;

	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(hv_lab_session(&lab, 3, in, out, false, &solved, &err), 0);
	fclose(in);
	fclose(out);
	if (!strstr(said, text))
		fail_msg("%s: no \"%s\" in: %s", commands, text, said);
	assert_false(solved);
	free(said);
}

static void test_commands(void **state)
{
	(void)state;
	expect("\n", "exercise 3: compatibility mode\nmake it enter 32-bit code");
	expect("help\n", "FIELD VALUE  write it\n");
	expect("hint\n", "How far can 32-bit code be");
	expect("show guest RIP\n",
	       "  681e  guest RIP                                0x100000000\n");
	expect("show\n", "  6820  guest RFLAGS");
	expect("show 681e\n", "guest RIP");
	expect("show SYSENTER_CS\n", "2 fields have that in their names; say more of it\n");
	expect("show ept pointer (eptp)\n", "  201a  EPT pointer (EPTP)");
	expect("set guest RIP 0x1000\n", "guest RIP                                0x1000\n");
	expect("on guest RFLAGS 0x200\n", "guest RFLAGS                             0x202\n");
	expect("  off   guest CS access rights   0x4000\t\n", " 0x809b\n");
	expect("set guest RIP 0x1000\nreset\nshow guest RIP\n", "0x100000000\n");
	expect("# a comment\nquit\nset guest RIP x\n", "compatibility mode");
}

static void test_errors(void **state)
{
	(void)state;
	expect("solve\n", "solve: no such command; 'help' lists them\n");
	expect("set RIP\n", "give a field and a value, as in: set guest RFLAGS 0x2\n");
	expect("set\n", "give a field and a value");
	expect("set guest RIP 0x\n", "0x is no number; give one like 0x2\n");
	expect("set guest RIP -1\n", "-1 is no number");
	expect("set guest RIP 0x10000000000000000\n", "is no number");
	expect("set guest RIPS 1\n", "guest RIPS: this CPU has no such field; 'show' lists them\n");
	expect("set exit reason 1\n", "exit reason is written by VM exits; choose another\n");
}

/* Without a device each try fails as a whole, and says so. */
static void test_no_device(void **state)
{
	struct hv_error err = { .text = "" };
	char commands[] = "try\n";
	FILE *in = fmemopen(commands, strlen(commands), "r"), *out = fopen("/dev/null", "w");
	bool solved;

	(void)state;
	assert_int_equal(hv_lab_session(&lab, 3, in, out, false, &solved, &err), -EBADF);
	assert_non_null(strstr(err.text, "the VM entry cannot be tried: Bad file descriptor"));
	fclose(in);
	fclose(out);
}

static void test_solution(void **state)
{
	char *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	(void)state;
	hv_lab_print_solution(18, out);
	fclose(out);
	assert_string_equal(said, "off EPT pointer (EPTP) 0x7\non EPT pointer (EPTP) 0x6\ntry\n");
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each, setup),
		cmocka_unit_test_setup(test_not_the_goal, setup),
		cmocka_unit_test_setup(test_commands, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_no_device, setup),
		cmocka_unit_test_setup(test_solution, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
