// SPDX-License-Identifier: GPL-2.0-only
/* What -v tells of a guest that says nothing. */
#include <sys/mman.h>
#include <unistd.h>

#include "lib/x86.h"
#include "machine_test.h"
#include "vmm/silence.h"

#define EXIT_HLT 12
#define EXIT_IO	 30

static struct hv_machine *machine;
static struct hv_silence silence;
static int real_stderr, heard;

/* Standard error is a file from now on. */
static int begin(void **state)
{
	(void)state;
	heard = memfd_create("heard", 0);
	real_stderr = dup(STDERR_FILENO);
	assert_true(heard >= 0 && real_stderr >= 0);
	assert_int_equal(dup2(heard, STDERR_FILENO), STDERR_FILENO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hv_silence_forget(&silence);
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	hv_machine_join(machine);
	hv_machine_destroy(machine);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(heard);
	return 0;
}

static void start(unsigned int cpus, unsigned int verbose)
{
	struct hv_error err = { .text = "" };

	machine = test_machine_of(HV_MACHINE_PC, cpus, fake_compute);
	machine->config.verbose = verbose;
	hv_silence_watch(&silence, machine);
	if (hv_machine_start(machine, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < cpus; i++)
		while (!fake.vcpu[i].inside)
			test_sleep_ms(1);
}

/* A wait is over: has it told this, and nothing before it? NULL: nothing at all. */
static void tells(const char *line)
{
	char text[2000];
	ssize_t len;

	assert_int_equal(ftruncate(heard, 0), 0);
	assert_int_equal(lseek(heard, 0, SEEK_SET), 0);
	hv_silence_look(&silence);
	hv_console_drain(&machine->messages);
	len = pread(heard, text, sizeof(text) - 1, 0);
	assert_true(len >= 0);
	text[len] = 0;
	if (line ? !strstr(text, line) : len != 0)
		fail_msg("not \"%s\" but \"%s\"", line ? line : "", text);
}

static void test_silent_guest(void **state)
{
	(void)state;
	start(1, 1);
	assert_true(silence.timer.armed);
	assert_int_equal(silence.wait_ns, HV_SILENCE_NS);
	tells("no output for 10 s: no VM exits meanwhile\n");
	fake.vcpu[0].exits.count[EXIT_HLT] = 10;
	fake.vcpu[0].exits.count[EXIT_IO] = 3;
	tells("no output for 20 s: 13 VM exits meanwhile, most of them HLT (10)\n");
	fake.vcpu[0].exits.count[EXIT_IO] += 2;
	tells("no output for 40 s: 2 VM exits meanwhile, most of them I/O instruction (2)\n");
	/* The guest goes on. */
	while (!fake.vcpu[0].inside)
		test_sleep_ms(1);
}

static void test_talking_guest(void **state)
{
	(void)state;
	start(1, 1);
	tells("no output for 10 s");
	hv_console_output(&machine->console, (const uint8_t *)"x", 1);
	tells(NULL);
	assert_true(silence.timer.armed);
	/* From then on. */
	tells("no output for 10 s");
}

/* As hvctl pause does it, by the thread that looks. */
static void test_paused_guest(void **state)
{
	(void)state;
	start(1, 1);
	hv_machine_pause(machine);
	test_with_lock(machine, assert_int_equal(hv_machine_stop_time(machine), 0));
	tells(NULL);
	assert_true(silence.timer.armed);
	assert_int_equal(silence.wait_ns, HV_SILENCE_NS);
	test_with_lock(machine, assert_int_equal(hv_machine_start_time(machine), 0));
	hv_machine_resume(machine);
	tells("no output for 10 s");
}

static void test_vcpus(void **state)
{
	(void)state;
	start(3, 1);
	fake.vcpu[0].regs.rip = 0x1234;
	fake.vcpu[0].regs.rflags = X86_RFLAGS_IF;
	fake.vcpu[0].events.activity = TINYVMX_ACTIVITY_HLT;
	fake.vcpu[0].sregs.seg[TINYVMX_CS].ar = 0x9b;
	fake.vcpu[1].regs.rip = 0x5678;
	fake.vcpu[1].regs.rflags = 0;
	fake.vcpu[1].events.activity = TINYVMX_ACTIVITY_ACTIVE;
	fake.vcpu[1].sregs.seg[TINYVMX_CS].ar = 0xc09b;
	fake.vcpu[1].sregs.efer = 0;
	tells("vCPU 0 halts, with RIP 0x1234, 16-bit code, interrupts enabled\n"
	      "vCPU 1 executes at 0x5678, 32-bit code, interrupts disabled\n"
	      "vCPU 2 waits for a start-up IPI\n");
	fake.get_state_error = -5;
	tells("no VM exits meanwhile\n");
	fake.get_state_error = 0;
}

/* Nobody asked. */
static void test_not_verbose(void **state)
{
	(void)state;
	start(1, 0);
	assert_null(silence.machine);
	assert_false(silence.timer.armed);
}

/* Somebody ends it while we look. */
static void test_ended(void **state)
{
	(void)state;
	start(1, 1);
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	hv_silence_look(&silence);
	hv_silence_forget(&silence);
	assert_false(silence.timer.armed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silent_guest), TEST(test_talking_guest), TEST(test_paused_guest),
		TEST(test_vcpus),        TEST(test_not_verbose),   TEST(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
