// SPDX-License-Identifier: GPL-2.0-only
/* VMCSs in the logs of KVM, Xen and VirtualBox: what is read of them, and what explain finds. */
#include <errno.h>

#include "explain_test.h"
#include "vmcs_logs.h"
#include "vmx/vmcs_dump.h"

static struct tinyvmx_vmcs_field *fields;
static size_t n;
static struct vmcs_source source;
static struct hv_error err;

static int read_bytes(const char *text, size_t len)
{
	FILE *in = fmemopen((void *)text, len, "r");
	int ret = vmcs_dump_read(in, &fields, &n, &source, &err);

	fclose(in);
	return ret;
}

static int read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static bool has_field(uint32_t encoding, uint64_t *value)
{
	for (size_t i = 0; i < n; i++) {
		if (fields[i].encoding != encoding)
			continue;
		*value = fields[i].value;
		return true;
	}
	return false;
}

static void assert_field(uint32_t encoding, uint64_t value)
{
	uint64_t got;

	if (!has_field(encoding, &got))
		fail_msg("no %s", vmx_field_name(encoding));
	if (got != value)
		fail_msg("%s is 0x%llx, not 0x%llx", vmx_field_name(encoding),
			 (unsigned long long)got, (unsigned long long)value);
}

static void assert_no_field(uint32_t encoding)
{
	uint64_t value;

	if (has_field(encoding, &value))
		fail_msg("%s is there", vmx_field_name(encoding));
}

/* --- each of the logs --- */

static const struct {
	const char *name;
	const char *text;
	size_t fields;
	const char *rule;	/* the one that the log's VMCS breaks */
} logs[] = {
	{ "KVM", log_kvm, 109, "guest.cs.type" },
	{ "KVM", log_kvm_old, 108, "guest.cs.db" },
	{ "KVM", log_kvm_autoload, 107, "guest.cs.type" },
	{ "Xen", log_xen, 109, "guest.blocking.sti" },
	{ "VirtualBox", log_virtualbox, 14, "ctl.save_timer" },
	{ "VirtualBox", log_virtualbox_debug, 10, "host.cs" },
};

/* One finding, the right one, also where any line is lost. */
static void test_each(void **state)
{
	struct explain_gaps gaps;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		size_t count;

		if (read_text(logs[i].text))
			fail_msg("%s", err.text);
		assert_string_equal(source.name, logs[i].name);
		assert_int_equal(source.dumps, 1);
		count = explain_find(NULL, fields, n, found, ARRAY_SIZE(found), &gaps);
		if (count != 1 || strcmp(found[0].id, logs[i].rule))
			complain(logs[i].rule, count);
		assert_int_equal(count, 1);
		assert_string_equal(found[0].id, logs[i].rule);
		assert_int_equal(n, logs[i].fields);
		assert_true(gaps.missing > 0 && !gaps.blanked);
		free(fields);
	}
}

static void lose_line(size_t i, size_t at, size_t len)
{
	char *text = strdup(logs[i].text);
	size_t count;

	memmove(text + at, text + at + len, strlen(text + at + len) + 1);
	if (*text && !read_text(text)) {
		count = explain_find(NULL, fields, n, found, ARRAY_SIZE(found), NULL);
		if (count > 1 || (count && strcmp(found[0].id, logs[i].rule))) {
			complain(logs[i].rule, count);
			fail_msg("%s without '%.*s'", logs[i].name, (int)len, logs[i].text + at);
		}
		free(fields);
	}
	free(text);
}

static void test_lost_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		for (size_t at = 0; logs[i].text[at];) {
			size_t len = strcspn(logs[i].text + at, "\n") + 1;

			lose_line(i, at, len);
			at += len;
		}
	}
}

/* --- what stands where --- */

static void test_kvm_fields(void **state)
{
	(void)state;
	assert_int_equal(read_text(log_kvm), 0);
	assert_field(VMCS_GUEST_CR0, 0x80050033);
	assert_field(VMCS_CR4_SHADOW, 0x3706f0);
	assert_field(VMCS_CR4_MASK, 0xfffffffffffef871);
	assert_field(VMCS_GUEST_CR3, 0x102a0e000);
	assert_field(VMCS_HOST_CR3, 0x10a1b4004);
	assert_field(VMCS_GUEST_RIP, 0xffffffff81c01d2f);
	assert_field(VMCS_HOST_RIP, 0xffffffffc0b4d7a0);
	assert_field(VMCS_GUEST_SYSENTER_CS, 0x10);
	assert_field(VMCS_GUEST_SYSENTER_EIP, 0xffffffff81e01620);
	assert_field(VMCS_HOST_SYSENTER_EIP, 0xffffffffb3401860);
	assert_field(VMCS_GUEST_GS_BASE, 0xffff88807dc00000);
	assert_field(VMCS_GUEST_TR_LIMIT, 0x4087);
	assert_field(VMCS_GUEST_IDTR_LIMIT, 0xfff);
	assert_field(VMCS_HOST_TR_SELECTOR, 0x40);
	assert_field(VMCS_GUEST_EFER, 0xd01);
	assert_field(VMCS_PIN_CTLS, 0xff);
	assert_field(VMCS_PROC3_CTLS, 0);
	assert_field(VMCS_EXIT_REASON, 0x80000021);
	assert_field(VMCS_VIRTUAL_APIC_ADDR, 0x105bcd000);
	assert_field(VMCS_PLE_WINDOW, 0x1000);
	assert_field(VMCS_VPID, 1);
	assert_no_field(VMCS_LINK_POINTER);
	assert_no_field(VMCS_INSTRUCTION_ERROR);
	free(fields);
}

/* An IA32_EFER that is in no field must not be taken for one. */
static void test_efer_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(read_text(log_kvm_autoload), 0);
	assert_no_field(VMCS_GUEST_EFER);
	assert_field(VMCS_HOST_EFER, 0xd01);
	free(fields);
	assert_int_equal(read_text("*** Guest State ***\nEFER= 0x00 (effective)\n"
				   "EFER(MSR LL) = 0x01  PAT = 0x06\n"),
			 0);
	assert_no_field(VMCS_GUEST_EFER);
	assert_field(VMCS_GUEST_PAT, 6);
	free(fields);
}

static void test_xen_fields(void **state)
{
	(void)state;
	assert_int_equal(read_text(log_xen), 0);
	assert_field(VMCS_GUEST_CS_AR, 0xa09b);
	assert_field(VMCS_GUEST_TR_BASE, 0xffff88001f406b80);
	assert_field(VMCS_GUEST_GDTR_BASE, 0xffff88001f40c000);
	assert_field(VMCS_GUEST_RIP, 0xffffffff8184f058);
	assert_field(VMCS_HOST_RSP, 0xffff830c3c287f70);
	assert_field(VMCS_GUEST_EFER, 0xd01);
	assert_field(VMCS_HOST_PAT, 0x0000050100070406);
	assert_field(VMCS_PROC_CTLS, 0xb6a075fe);
	assert_field(VMCS_VM_FUNCTION_CTLS, 0);
	free(fields);
}

static void test_xen_errors(void **state)
{
	(void)state;
	assert_int_equal(read_text("(XEN) d1v0 VMRESUME error: 0x7\n"
				   "(XEN) *** Guest State ***\n(XEN) CR3 = 0x1000\n"
				   "(XEN) *** Control State ***\n(XEN) PinBased=16\n"),
			 0);
	assert_field(VMCS_INSTRUCTION_ERROR, 7);
	assert_field(VMCS_GUEST_CR3, 0x1000);
	assert_field(VMCS_PIN_CTLS, 0x16);
	free(fields);
}

static void test_virtualbox_fields(void **state)
{
	(void)state;
	assert_int_equal(read_text(log_virtualbox), 0);
	assert_field(VMCS_INSTRUCTION_ERROR, 7);
	assert_field(VMCS_PROC2_CTLS, 0x10ea);
	assert_field(VMCS_ENTRY_MSR_LOAD_COUNT, 10);
	assert_field(VMCS_EXIT_MSR_LOAD_ADDR, 0x412a40000);
	free(fields);
	assert_int_equal(read_text(log_virtualbox_debug), 0);
	assert_field(VMCS_INSTRUCTION_ERROR, 8);
	assert_field(VMCS_PROC_CTLS, 0xb6a065fa);
	assert_field(VMCS_PROC2_CTLS, 0x10ea);
	assert_field(VMCS_HOST_CS_SELECTOR, 0x13);
	free(fields);
}

/* The virtual CPU that has failed counts, wherever it stands. */
static void test_virtualbox_cpus(void **state)
{
	(void)state;
	assert_int_equal(read_text("HM: CPU[0] Instruction error 0\nHM: CPU[0] PinCtls 0x16\n"
				   "HM: CPU[1] Instruction error 0x7\nHM: CPU[1] PinCtls 0x17\n"
				   "HM: CPU[2] Instruction error 0\nHM: CPU[2] PinCtls 0x18\n"),
			 0);
	assert_field(VMCS_INSTRUCTION_ERROR, 7);
	assert_field(VMCS_PIN_CTLS, 0x17);
	assert_int_equal(source.dumps, 1);
	free(fields);
}

/* --- several dumps, and none --- */

static void test_last_counts(void **state)
{
	static const char two[] = "*** Guest State ***\nCR3 = 0x1000\nRIP = 0x1\n"
				  "*** Control State ***\nPinBased=16\n"
				  "*** Guest State ***\nCR3 = 0x2000\n";

	(void)state;
	assert_int_equal(read_text(two), 0);
	assert_int_equal(source.dumps, 2);
	assert_int_equal(n, 1);
	assert_field(VMCS_GUEST_CR3, 0x2000);
	free(fields);
	assert_int_equal(read_text("*** Guest State ***\nCR3 = 1000\n*** Control State ***\n"
				   "(XEN) VMLAUNCH error: 7\n(XEN) *** Guest State ***\nRIP = 1\n"),
			 0);
	assert_int_equal(n, 2);
	assert_field(VMCS_INSTRUCTION_ERROR, 7);
	assert_no_field(VMCS_GUEST_CR3);
	free(fields);
}

/* Two CPUs' lines in one another are no VMCS; the same line twice is. */
static void test_mixed(void **state)
{
	(void)state;
	assert_int_equal(read_text("*** Guest State ***\nCR3 = 0x1000\nCR3 = 0x1000\n"), 0);
	assert_int_equal(n, 1);
	free(fields);
	assert_int_equal(read_text("*** Guest State ***\nCR3 = 0x1000\nCR3 = 0x2000\n"), -EINVAL);
	assert_string_equal(err.text, "line 3: guest CR3 is 0x1000 and 0x2000 in one dump; "
				      "cut out the lines of one");
	assert_null(fields);
}

static void test_nothing_in_it(void **state)
{
	static const char *const empty[] = {
		"*** Guest State ***\n",
		"*** Guest State ***\nCR3 = 0x\nRIP = zero\nCR3 = 0x12345678901234567\nCR3 = 1g\n",
		"HM: CPU[0] nothing\n",
		"VMX_VMCS32_CTRL_PIN_EXECUTION = 0x1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		assert_int_equal(read_text(empty[i]), -EINVAL);
		assert_null(fields);
		assert_non_null(strstr(err.text, " without a field of a VMCS; give one of"));
	}
}

static void test_odd_bytes(void **state)
{
	static const char zeros[] = "*** Guest State ***\nCR3 = 0x1000\0\0\0\nRIP = 0x2\r\n";
	char *text = malloc(100000);

	(void)state;
	assert_int_equal(read_bytes(zeros, sizeof(zeros) - 1), 0);
	assert_field(VMCS_GUEST_CR3, 0x1000);
	assert_field(VMCS_GUEST_RIP, 2);
	free(fields);
	/* A line without end, and one behind it */
	memset(text, 'x', 100000);
	memcpy(text, "*** Guest State ***\n", 20);
	memcpy(text + 99980, "\nCR3 = 0x1000\n     ", 20);
	assert_int_equal(read_text(text), 0);
	assert_int_equal(n, 1);
	free(fields);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_lost_lines),
		cmocka_unit_test(test_kvm_fields),
		cmocka_unit_test(test_efer_elsewhere),
		cmocka_unit_test(test_xen_fields),
		cmocka_unit_test(test_xen_errors),
		cmocka_unit_test(test_virtualbox_fields),
		cmocka_unit_test(test_virtualbox_cpus),
		cmocka_unit_test(test_last_counts),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_nothing_in_it),
		cmocka_unit_test(test_odd_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
