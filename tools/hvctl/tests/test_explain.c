// SPDX-License-Identifier: GPL-2.0-only
/*
 * What explain says of a dump, and of what it could not check.
 */
#include "explain_test.h"

static struct vmx_cpu cpu;
static char *text;

/* A CPU, and a VMCS that it takes. */
static int setup(void **state)
{
	(void)state;
	cpu = make_cpu();
	make_vmcs(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void blank_host(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		if ((vmcs[i].encoding >> 10 & 3) == 3)
			vmcs[i].value = 0;
	set_field(VMCS_MSR_BITMAP, 0);
	set_field(VMCS_EPTP, 0);
}

static void test_blanked_host(void **state)
{
	struct explain_gaps gaps;

	(void)state;
	blank_host();
	assert_int_equal(find(&cpu, &gaps), 0);
	assert_true(gaps.blanked >= 20);
	assert_int_equal(gaps.missing, 0);

	set_field(VMCS_GUEST_RFLAGS, 0);
	assert_int_equal(find(&cpu, &gaps), 1);
	assert_string_equal(found[0].id, "guest.rflags.one");
}

static void test_missing_fields(void **state)
{
	struct explain_gaps gaps;

	(void)state;
	assert_int_equal(explain_find(&cpu, NULL, 0, NULL, 0, &gaps), 0);
	assert_true(gaps.missing > 100);
}

static void test_more_findings_than_room(void **state)
{
	(void)state;
	set_field(VMCS_GUEST_RFLAGS, 8);
	assert_int_equal(explain_find(&cpu, vmcs, ARRAY_SIZE(vmcs), found, 1, NULL), 2);
	assert_string_equal(found[0].id, "guest.rflags.reserved");
}

static void test_control_bit_is_named(void **state)
{
	(void)state;
	set_limits(&cpu, VMX_WORD_PROC2, 0);
	cpu.msr[MSR_VMX_PROC2 - TINYVMX_VMX_MSR_BASE] &= ~(BIT(PROC2_UNRESTRICTED) << 32);
	assert_int_equal(find(&cpu, NULL), 1);
	assert_string_equal(found[0].id, "ctl.proc2");
	assert_non_null(strstr(found[0].text, "bit 7 (unrestricted guest) must be 0"));
}

static const struct tinyvmx_run *run_page;	/* for print() */

/* Into @text; how many rules it found violated. */
static size_t print(const struct vmx_cpu *of)
{
	struct explain_gaps gaps;
	size_t size, count;
	FILE *out;

	free(text);
	out = open_memstream(&text, &size);
	count = explain_print(of, run_page, vmcs, ARRAY_SIZE(vmcs), out, &gaps);
	fclose(out);
	return count;
}

static void test_printed(void **state)
{
	(void)state;
	set_field(VMCS_EXIT_REASON, 0x80000021);
	set_field(VMCS_GUEST_CS_AR, 0xa093 | 0x6);
	assert_int_equal(print(&cpu), 1);
	assert_non_null(strstr(text, "invalid guest state"));
	assert_non_null(strstr(text, "guest CS access rights = 0xa097: the type of CS"));
	assert_non_null(strstr(text, "Checks on Guest Segment Registers"));
}

static void test_printed_likewise(void **state)
{
	(void)state;
	set_field(VMCS_GUEST_DS_AR, 0xc092);
	set_field(VMCS_GUEST_FS_AR, 0xc092);
	assert_int_equal(print(&cpu), 2);
	assert_non_null(strstr(text, "guest DS access rights = 0xc092: the type of DS"));
	assert_non_null(strstr(text, "guest FS access rights = 0xc092: likewise"));
}

static void test_printed_mending(void **state)
{
	(void)state;
	set_field(VMCS_GUEST_DS_AR, 0xc092);
	print(&cpu);
	assert_non_null(
		strstr(text, "\n    mend: set bit 0, or make DS unusable (bit 16)\n    (SDM, "));
}

/* A control word that is wrong by itself comes before what may hang on it, ... */
static void test_most_likely_first(void **state)
{
	struct explain_report report;

	(void)state;
	set_field(VMCS_VPID, 0);
	set_field(VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VPID));
	set_field(VMCS_ENTRY_CTLS, ENTRY64 | BIT(31));
	set_field(VMCS_GUEST_RFLAGS, 0);
	explain_report(&cpu, NULL, vmcs, ARRAY_SIZE(vmcs), &report);
	assert_int_equal(report.count, 3);
	assert_string_equal(report.findings[0].id, "ctl.entry");
	assert_string_equal(report.findings[1].id, "guest.rflags.one");
	assert_string_equal(report.findings[2].id, "ctl.vpid");
	assert_non_null(strstr(report.findings[0].detail, "bit 31 must be 0"));
	assert_false(report.has_area);

	/* ... but where the CPU says that it is, before all. */
	set_field(VMCS_EXIT_REASON, 0x80000021);
	explain_report(&cpu, NULL, vmcs, ARRAY_SIZE(vmcs), &report);
	assert_string_equal(report.findings[0].id, "guest.rflags.one");
	assert_true(report.has_area && report.findings[0].blamed && !report.findings[1].blamed);
	assert_int_equal(report.blamed, 1);
	assert_string_equal(report.findings[1].id, "ctl.entry");
}

static void count_rule(const struct explain_rule *rule, void *context)
{
	assert_true(*rule->id && *rule->section && *rule->rule && *rule->mend);
	*(unsigned int *)context += rule->instances;
}

static void test_each_rule(void **state)
{
	unsigned int instances = 0;

	(void)state;
	explain_each_rule(count_rule, &instances);
	assert_true(instances >= 200);
}

static void test_printed_outside_of_verdict(void **state)
{
	(void)state;
	set_field(VMCS_INSTRUCTION_ERROR, 7);
	set_field(VMCS_GUEST_RFLAGS, 0);
	assert_int_equal(print(&cpu), 1);
	assert_non_null(strstr(text, "VM-instruction error 7"));
	assert_non_null(strstr(text, "no violated rule found in this area"));
	assert_non_null(strstr(text, "also, though the CPU did not say so"));
}

/* Neither field is cleared when the other is written: it is not told which is old. */
static void test_two_verdicts(void **state)
{
	(void)state;
	set_field(VMCS_INSTRUCTION_ERROR, 7);
	set_field(VMCS_EXIT_REASON, 0x80000021);
	set_field(VMCS_VPID, 0);
	set_field(VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VPID));
	assert_int_equal(print(&cpu), 1);
	assert_non_null(strstr(text, "VM-instruction error 7"));
	assert_non_null(strstr(text, "exit reason 0x80000021"));
	assert_non_null(strstr(text, "rule ctl.vpid"));
	assert_null(strstr(text, "the CPU did not say so"));
}

/* What RUN said counts more than what an older failure left in the VMCS. */
static void test_verdict_of_run(void **state)
{
	struct tinyvmx_run run = { .reason = TINYVMX_EXIT_ENTRY_FAILED };

	(void)state;
	set_field(VMCS_INSTRUCTION_ERROR, 12);
	set_field(VMCS_EXIT_REASON, 0x80000021);
	run.entry_failed.instruction_error = 7;
	run_page = &run;
	print(&cpu);
	assert_string_equal(text, "VM-instruction error 7: VM entry with invalid control field(s)\n"
				  "  no violated rule found in this area\n");
	run.entry_failed.instruction_error = 0;
	run.exit_reason = 0x80000021;
	run.exit_qualification = 4;
	print(&cpu);
	assert_non_null(strstr(text, "exit reason 0x80000021"));
	assert_non_null(strstr(text, "the VMCS link pointer"));
	run_page = NULL;
}

static void test_printed_gaps(void **state)
{
	(void)state;
	blank_host();
	set_field(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	set_field(VMCS_EXIT_REASON, 0x80000022);
	set_field(VMCS_EXIT_QUALIFICATION, 1);
	assert_int_equal(print(NULL), 0);
	assert_non_null(strstr(text, "entry 1 of the VM-entry MSR-load area"));
	assert_non_null(strstr(text, "run as root"));
	assert_non_null(strstr(text, "that need to know the CPU"));
	assert_non_null(strstr(text, "entries of the VM-entry MSR-load area"));
}

/* --- what no dump shows --- */

static bool is_unseen(const char *what)
{
	struct explain_gaps gaps;

	find(NULL, &gaps);
	for (size_t i = 0; i < gaps.nr_unseen; i++)
		if (strstr(gaps.unseen[i], what))
			return true;
	return false;
}

/* Each alone: applies with @on, and not any more with @off. */
static const struct {
	const char *what;
	const struct set *mode;
	struct set on[3];
	struct set off;
} unseen[] = {
	{ "TPR threshold", NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) }, { VMCS_TPR_THRESHOLD, 1 } },
	  { VMCS_TPR_THRESHOLD, 0 } },
	{ "TPR threshold", NULL,
	  { { VMCS_PROC_CTLS, PROC | BIT(PROC_TPR_SHADOW) }, { VMCS_TPR_THRESHOLD, 1 } },
	  { VMCS_PROC2_CTLS, PROC2 | BIT(PROC2_VIRTUAL_INTR) } },
	{ "link pointer", NULL,
	  { { VMCS_LINK_POINTER, 0x5000 } }, { VMCS_LINK_POINTER, UINT64_MAX } },
	{ "MSR-load area", NULL,
	  { { VMCS_ENTRY_MSR_LOAD_COUNT, 1 } }, { VMCS_ENTRY_MSR_LOAD_COUNT, 0 } },
	{ "PDPTEs", pae_mode, { { VMCS_PROC2_CTLS, 0 } }, { VMCS_GUEST_CR0, 0x50033 } },
	{ "PDPTEs", pae_mode, { { VMCS_PROC2_CTLS, 0 } }, { VMCS_GUEST_CR4, 0x2000 } },
	{ "PDPTEs", pae_mode, { { VMCS_PROC2_CTLS, 0 } }, { VMCS_PROC2_CTLS, BIT(PROC2_EPT) } },
	{ "PDPTEs", pae_mode, { { VMCS_PROC2_CTLS, 0 } }, { VMCS_ENTRY_CTLS, ENTRY64 } },
	{ "TraceEn", NULL, { { VMCS_ENTRY_CTLS, ENTRY64 | BIT(ENTRY_LOAD_RTIT) } },
	  { VMCS_ENTRY_CTLS, ENTRY64 } },
};

static void test_unseen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++) {
		make_vmcs(unseen[i].mode);
		assert_false(is_unseen(""));
		apply(unseen[i].on, ARRAY_SIZE(unseen[i].on));
		assert_true(is_unseen(unseen[i].what));
		apply(&unseen[i].off, 1);
		assert_false(is_unseen(unseen[i].what));
	}
}

/* Nothing is made up from fields that are not there. */
static void test_unseen_of_nothing(void **state)
{
	struct tinyvmx_vmcs_field rflags = { .encoding = VMCS_GUEST_RFLAGS, .value = 2 };
	struct explain_gaps gaps;

	(void)state;
	assert_int_equal(explain_find(NULL, &rflags, 1, NULL, 0, &gaps), 0);
	assert_int_equal(gaps.nr_unseen, 0);
	assert_true(gaps.missing > 100);
}

static void test_has_gaps(void **state)
{
	static const struct explain_gaps some[] = {
		{ .blanked = 1 },
		{ .missing = 1 },
		{ .unknown = 1 },
		{ .nr_unseen = 1 },
	};
	static const struct explain_gaps none;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_true(explain_has_gaps(&some[i]));
	assert_false(explain_has_gaps(&none));
}

static void test_printed_nothing_found(void **state)
{
	(void)state;
	assert_int_equal(print(&cpu), 0);
	assert_string_equal(text, "  all rules were checked, none is violated\n");
	set_field(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	assert_int_equal(print(&cpu), 0);
	assert_string_equal(text,
			    "  no violated rule found, but not all were checked\n"
			    "  not visible in a dump: entries of the VM-entry MSR-load area\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_blanked_host),
		T(test_missing_fields),
		T(test_more_findings_than_room),
		T(test_control_bit_is_named),
		T(test_printed),
		T(test_printed_likewise),
		T(test_printed_mending),
		T(test_most_likely_first),
		T(test_each_rule),
		T(test_printed_outside_of_verdict),
		T(test_two_verdicts),
		T(test_verdict_of_run),
		T(test_printed_gaps),
		T(test_unseen),
		T(test_unseen_of_nothing),
		T(test_has_gaps),
		T(test_printed_nothing_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
