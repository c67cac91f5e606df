// SPDX-License-Identifier: GPL-2.0-only
/* How a run ended, for people and for programs. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "lib/util.h"
#include "lib/x86.h"
#include "machine_test.h"
#include "vmm/exit.h"
#include "vmm/report.h"
#include "vmx/names.h"

static struct hv_machine *machine;
static char *text;			/* the last report */
static size_t text_len;

static int setup(void **state)
{
	(void)state;
	machine = test_machine_of(HV_MACHINE_BARE, 1, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	free(text);
	text = NULL;
	return 0;
}

/* To be closed before @text is looked at. */
static FILE *open_text(void)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	return out;
}

static void of_cpus(unsigned int cpus)
{
	hv_machine_destroy(machine);
	machine = test_machine_of(HV_MACHINE_PC, cpus, NULL);
}

/* ----------------------------------------------------------------- people */

static void report_vcpu(void)
{
	FILE *out = open_text();

	hv_report_vcpu(&machine->vcpus[0], out);
	fclose(out);
}

static void report_stats(void)
{
	FILE *out = open_text();

	hv_report_stats(machine, out);
	fclose(out);
}

static void assert_has(const char *line)
{
	if (!strstr(text, line))
		fail_msg("no \"%s\" in:\n%s", line, text);
}

static void assert_lacks(const char *line)
{
	if (strstr(text, line))
		fail_msg("\"%s\" in:\n%s", line, text);
}

static void test_registers(void **state)
{
	struct fake_vcpu *vcpu = &fake.vcpu[0];

	(void)state;
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		vcpu->regs.gpr[i] = 0xa000 + i;
	vcpu->regs.rip = 0x1000;
	vcpu->regs.rflags = 0x246;
	vcpu->sregs = (struct tinyvmx_sregs){ .cr0 = X86_CR0_PE, .cr2 = 0xdead };
	vcpu->sregs.seg[TINYVMX_CS] = (struct tinyvmx_segment){
		.selector = 8,
		.base = 0x100,
		.limit = 0xfffff,
		.ar = 0xc09b,
	};
	vcpu->sregs.seg[TINYVMX_LDTR].ar = TINYVMX_AR_UNUSABLE;
	vcpu->sregs.gdt_base = 0x7000;
	test_put(&machine->memory, 0x1100, "\xb8\x2a\x00\x00\x00", 5);
	report_vcpu();
	assert_has("registers of vCPU 0:\n");
	assert_has("  RAX    000000000000a000  RCX    000000000000a001");
	assert_has("  R15    000000000000a00f\n");
	assert_has("  RIP    0000000000001000  RFLAGS 0000000000000246 [PF ZF IF] IOPL 0\n");
	assert_has("  CS     0008  base 0000000000000100  limit 000fffff  access rights 0c09b\n");
	assert_has("access rights 10000 (unusable)\n");
	assert_has("GDTR   base 0000000000007000");
	assert_has("  CR0    0000000000000001 [PE]\n  CR2    000000000000dead");
	/* Where CS says that it is. */
	assert_has("code (32-bit):\n");
	assert_has(" => 0x1000  b8 2a 00 00 00  mov eax, ");
	/* There are no fields. */
	assert_has("VMCS:\n");
}

static void test_no_code(void **state)
{
	(void)state;
	fake.vcpu[0].regs.rip = 0x1000;
	fake.vcpu[0].sregs = (struct tinyvmx_sregs){ 0 };
	fake.vcpu[0].sregs.seg[TINYVMX_CS].base = 0xf0000000;
	report_vcpu();
	assert_has("code (16-bit):\n => 0x1000  there is no memory\n");
}

static void test_no_state(void **state)
{
	(void)state;
	fake.get_state_error = -EIO;
	report_vcpu();
	fake.get_state_error = 0;
	assert_string_equal(text, "");
}

static const struct tinyvmx_vmcs_field fields[] = {
	{ .encoding = VMCS_GUEST_ES_SELECTOR, .value = 0x1234 },
	{ .encoding = VMCS_GUEST_PHYSICAL_ADDR, .value = 0xd0000010 },
	{ .encoding = VMCS_INSTRUCTION_ERROR, .value = 7 },
	{ .encoding = VMCS_EXIT_REASON, .value = 30 },
	{ .encoding = VMCS_EXIT_INTR_INFO, .value = 0x30d },
	{ .encoding = VMCS_IDT_VECTORING_INFO, .value = 0x80000b0e },
	{ .encoding = VMCS_EXIT_INSTRUCTION_LEN, .value = 0 },
	{ .encoding = VMCS_EXIT_INSTRUCTION_INFO, .value = 0x99 },
	{ .encoding = VMCS_EXIT_QUALIFICATION, .value = 0x3f80008 },
};

/* Only fields that this exit has filled: others hold what an earlier one has left there. */
static void test_fields(void **state)
{
	struct tinyvmx_run *run = machine->vcpus[0].run;

	(void)state;
	fake.vmcs = fields;
	fake.vmcs_fields = ARRAY_SIZE(fields);
	run->exit_reason = 30;
	report_vcpu();
	assert_has("  exit reason                              0x1e  I/O instruction\n");
	assert_has("0x3f80008  ");
	assert_has("0x80000b0e\n");
	assert_has("0x99\n");
	assert_lacks("0x1234");
	assert_lacks("0xd0000010");
	assert_lacks("VM-instruction error");
	assert_lacks("0x30d");
	assert_lacks("VM-exit instruction length");
	run->exit_reason = 48;
	report_vcpu();
	assert_has("0xd0000010\n");
	run->reason = TINYVMX_EXIT_ENTRY_FAILED;
	run->entry_failed.instruction_error = 7;
	report_vcpu();
	assert_has("VM-instruction error");
	fake.get_vmcs_error = -EBUSY;
	report_vcpu();
	assert_has("registers of vCPU 0:\n");
	assert_lacks("VMCS:");
}

/* Only where somebody wants to look at it; with what has failed in its first line. */
static void test_dump_of_vmcs(void **state)
{
	static const struct tinyvmx_vmcs_field some[] = {
		{ .encoding = VMCS_GUEST_CR0, .value = 0x80000021 },
	};
	FILE *out;

	(void)state;
	fake.vmcs = some;
	fake.vmcs_fields = ARRAY_SIZE(some);
	machine->end.kind = HV_END_POWEROFF;
	out = open_text();
	assert_int_equal(hv_report_dump_vmcs(machine, out), 0);
	fclose(out);
	assert_string_equal(text, "");
	machine->end.kind = HV_END_ENTRY_FAILED;
	out = open_text();
	assert_int_equal(hv_report_dump_vmcs(machine, out), 0);
	fclose(out);
	assert_has("# the CPU refused to enter the guest");
	assert_has("\n# the VMCS of vCPU 0\n0x6800 0x0000000080000021  # guest CR0\n");
	fake.get_vmcs_error = -EBUSY;
	out = open_text();
	assert_int_equal(hv_report_dump_vmcs(machine, out), -EBUSY);
	fclose(out);
	out = fopen("/dev/full", "w");
	fake.get_vmcs_error = 0;
	assert_int_equal(hv_report_dump_vmcs(machine, out), -ENOSPC);
	fclose(out);
}

static json_t *report_json(void)
{
	FILE *out = open_text();
	json_t *report;

	assert_int_equal(hv_report_json(machine, out), 0);
	fclose(out);
	assert_ptr_equal(strchr(text, '\n'), text + text_len - 1);
	report = json_loads(text, 0, NULL);
	assert_non_null(report);
	return report;
}

static const char *string_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* ----------------------------------------------------------- its last exits */

/* @n of them: OUTs to port 0x80, of their number, of which the last has killed it. */
static void with_records(unsigned int n)
{
	struct hv_config config = test_config(HV_MACHINE_BARE);

	hv_machine_destroy(machine);
	config.records = 64;
	fake_reset(NULL);
	machine = test_machine(&config);
	for (unsigned int i = 1; i <= n; i++) {
		const struct tinyvmx_record record = {
			.entered = 1000 * i,
			.exited = 1000 * i + 300,
			.rip = 0x7c00 + i,
			.qualification = 0x800000,
			.detail = (uint64_t)i << 32,
			.reason = i == n ? 2 : 30,
		};

		fake_record(&fake.vcpu[0], &record);
	}
}

static void report_last_exits(void)
{
	FILE *out = open_text();

	hv_report_last_exits(machine, out);
	fclose(out);
}

static void test_last_exits(void **state)
{
	(void)state;
	with_records(3);
	report_last_exits();
	assert_string_equal(text, "");
	hv_machine_end(machine, HV_END_TRIPLE_FAULT, 0, "%s", "");
	report_last_exits();
	assert_string_equal(
		text,
		"the last VM exits of vCPU 0, with TSC ticks inside and outside of the guest:\n"
		"    exit     inside    outside  RIP                 why\n"
		"       1        300        700  0x7c01              I/O instruction: OUT port 0x80, 1 byte, DX, value 0x1\n"
		"       2        300        700  0x7c02              I/O instruction: OUT port 0x80, 1 byte, DX, value 0x2\n"
		"       3        300          -  0x7c03              triple fault\n");
}

/* Of many the last sixteen; of an end that somebody has wanted, none. */
static void test_last_exits_of_many(void **state)
{
	json_t *report, *exits;

	(void)state;
	with_records(100);
	hv_machine_end(machine, HV_END_PANIC, 0, "%s", "");
	report_last_exits();
	assert_null(strstr(text, "0x7c54 "));
	assert_non_null(strstr(text, "      85        300        700  0x7c55 "));
	assert_non_null(strstr(text, "     100        300          -  0x7c64 "));
	report = report_json();
	exits = json_object_get(json_array_get(json_object_get(report, "vcpus"), 0), "last_exits");
	assert_int_equal(json_array_size(exits), 16);
	assert_int_equal(number_of(json_array_get(exits, 0), "sequence"), 85);
	assert_string_equal(string_of(json_array_get(exits, 15), "name"), "triple fault");
	json_decref(report);
	with_records(3);
	hv_machine_end(machine, HV_END_KILLED, 0, "%s", "");
	report_last_exits();
	assert_string_equal(text, "");
}

/* ------------------------------------------------------------- statistics */

static void test_stats(void **state)
{
	struct tinyvmx_msr tsc = { .index = 0x10, .value = 5000 };

	(void)state;
	of_cpus(2);
	machine->vcpus[0].first_tsc = 1000;
	machine->vcpus[0].exits_before.count[30] = 2;
	tvx_set_state(fake.vcpu[0].fd, TINYVMX_STATE_MSRS, &tsc, sizeof(tsc));
	fake.vcpu[0].exits.count[30] = 40;
	fake.vcpu[1].exits.count[12] = 3;
	fake.vcpu[1].exits.count[30] = 100;
	report_stats();
	assert_string_equal(
		text,
		"vCPU 0: guest TSC 1000 at the first entry, 5000 at the end, 4000 ticks later\n"
		"        42  exits: 30 I/O instruction\n"
		"vCPU 1: guest TSC 0 at the first entry, 0 at the end, 0 ticks later\n"
		"         3  exits: 12 HLT\n"
		"       100  exits: 30 I/O instruction\n"
		"all 2 vCPUs:\n"
		"         3  exits: 12 HLT\n"
		"       142  exits: 30 I/O instruction\n");
}

/* One that could not be made again tells nothing. */
static void test_stats_without_vcpu(void **state)
{
	(void)state;
	machine->vcpus[0].first_tsc = 1000;
	hv_vcpu_destroy(&machine->vcpus[0]);
	report_stats();
	assert_string_equal(text, "");
}

/* ------------------------------------------------------------------- JSON */

static void test_json(void **state)
{
	json_t *report, *vcpu;

	(void)state;
	of_cpus(3);
	for (unsigned int i = 0; i < 3; i++) {
		machine->vcpus[i].exits[TINYVMX_EXIT_IO] = 5 + i;
		machine->vcpus[i].run->unknown_msrs = i;
		machine->vcpus[i].run->exit_reason = 30;
		fake.vcpu[i].regs.rip = 0x1000 * i;
		fake.vcpu[i].exits.count[30] = 100 + i;
		fake.vcpu[i].exits.count[12] = 1;
	}
	hv_machine_end(machine, HV_END_EXITED, 3, "%s", "");
	report = report_json();
	assert_string_equal(string_of(report, "image"), test_image());
	assert_string_equal(string_of(report, "end"), "exit");
	assert_int_equal(number_of(report, "status"), 7);
	assert_int_equal(number_of(report, "memory"), 4 * HV_MIB);
	assert_int_equal(json_array_size(json_object_get(report, "vcpus")), 3);
	vcpu = json_array_get(json_object_get(report, "vcpus"), 2);
	assert_int_equal(number_of(vcpu, "id"), 2);
	assert_int_equal(number_of(vcpu, "unknown_msrs"), 2);
	assert_int_equal(number_of(vcpu, "exits"), 103);
	assert_int_equal(number_of(json_object_get(vcpu, "exits_by_reason"), "I/O instruction"),
			 102);
	assert_int_equal(json_object_size(json_object_get(vcpu, "exits_by_reason")), 2);
	assert_int_equal(number_of(json_object_get(vcpu, "exits_to_hvctl"), "io"), 7);
	assert_int_equal(json_object_size(json_object_get(vcpu, "exits_to_hvctl")), 1);
	assert_string_equal(string_of(json_object_get(vcpu, "registers"), "RIP"), "0x2000");
	assert_string_equal(string_of(json_object_get(vcpu, "last_exit"), "name"),
			    "I/O instruction");
	json_decref(report);
}

/* Numbers of 64 bits, and a name that is no UTF-8. */
static void test_json_extremes(void **state)
{
	json_t *report, *vcpu;

	(void)state;
	machine->config.load.path = "/tmp/\xff\x01image";
	fake.vcpu[0].regs.rip = UINT64_MAX;
	machine->vcpus[0].run->exit_reason = 1U << 31 | 33;
	hv_machine_end(machine, HV_END_ERROR, 0, "bell \a %s", "\xc3\xa9");
	report = report_json();
	assert_string_equal(string_of(report, "image"), "/tmp/??image");
	assert_string_equal(string_of(report, "message"), "error: bell ? \xc3\xa9");
	assert_int_equal(number_of(report, "status"), 12);
	vcpu = json_array_get(json_object_get(report, "vcpus"), 0);
	assert_string_equal(string_of(json_object_get(vcpu, "registers"), "RIP"),
			    "0xffffffffffffffff");
	assert_string_equal(string_of(json_object_get(vcpu, "last_exit"), "reason"), "0x80000021");
	assert_int_equal(number_of(json_object_get(vcpu, "last_exit"), "basic_reason"), 33);
	json_decref(report);
}

/* One that has shut down: in words before all else, and in the report. */
static void test_autopsy(void **state)
{
	json_t *report, *autopsy, *chain;

	(void)state;
	machine->vcpus[0].run->exit_reason = 2;
	fake.vcpu[0].regs.rip = 0x1000;
	fake.vcpu[0].sregs = (struct tinyvmx_sregs){
		.cr0 = X86_CR0_PE,
		.seg[TINYVMX_CS] = { .limit = UINT32_MAX, .ar = 0xc09b },
	};
	test_put(&machine->memory, 0x1000, "\x0f\x0b", 2);
	report_vcpu();
	assert_has("how it came to the triple fault:\n  #UD at RIP 0x1000: ud2\n  -> #GP(0x33): ");
	assert_has("  -> shutdown\nregisters of vCPU 0:\n");
	report = report_json();
	autopsy = json_object_get(json_array_get(json_object_get(report, "vcpus"), 0), "autopsy");
	chain = json_object_get(autopsy, "chain");
	assert_int_equal(json_array_size(chain), 5);
	assert_string_equal(string_of(json_array_get(chain, 0), "event"), "#UD");
	json_decref(report);
	machine->vcpus[0].run->exit_reason = 30;
	report_vcpu();
	assert_lacks("triple fault");
}

/* Without what cannot be had, but still a report. */
static void test_json_without_state(void **state)
{
	json_t *report, *vcpu;

	(void)state;
	fake.get_state_error = -EIO;
	report = report_json();
	fake.get_state_error = 0;
	vcpu = json_array_get(json_object_get(report, "vcpus"), 0);
	assert_int_equal(json_object_size(json_object_get(vcpu, "registers")), 0);
	json_decref(report);
	hv_vcpu_destroy(&machine->vcpus[0]);
	report = report_json();
	assert_int_equal(json_array_size(json_object_get(report, "vcpus")), 0);
	json_decref(report);
}

static void test_json_cannot_be_written(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_not_equal(hv_report_json(machine, full), 0);
	fclose(full);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers),
		TEST(test_autopsy),
		TEST(test_no_code),
		TEST(test_no_state),
		TEST(test_fields),
		TEST(test_last_exits),
		TEST(test_last_exits_of_many),
		TEST(test_stats),
		TEST(test_dump_of_vmcs),
		TEST(test_stats_without_vcpu),
		TEST(test_json),
		TEST(test_json_extremes),
		TEST(test_json_without_state),
		TEST(test_json_cannot_be_written),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
