// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of exit reasons, VMCS fields, errors and exit qualifications.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <asm/vmx.h>

#include "lib/util.h"
#include "vmx/names.h"

static void test_exit_names(void **state)
{
	(void)state;
	assert_string_equal(vmx_exit_name(EXIT_REASON_HLT), "HLT");
	assert_string_equal(vmx_exit_name(EXIT_REASON_CPUID), "CPUID");
	assert_string_equal(vmx_exit_name(EXIT_REASON_EPT_VIOLATION), "EPT violation");
	assert_string_equal(vmx_exit_name(EXIT_REASON_IO_INSTRUCTION), "I/O instruction");
	assert_string_equal(vmx_exit_name(EXIT_REASON_TPAUSE), "TPAUSE");
	/* Bits 31:16 are flags, not part of the reason. */
	assert_string_equal(vmx_exit_name(0x80000021),
			    "VM-entry failure due to invalid guest state");
}

static void test_exit_names_unknown(void **state)
{
	static const uint32_t unknown[] = { 35, 38, 42, 71, 82, 1000, 0xffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_string_equal(vmx_exit_name(unknown[i]), "unknown exit reason");
}

static void test_every_field_is_found(void **state)
{
	static const struct {
		uint32_t encoding;
		const char *name;
	} fields[] = {
#define ROW(id, encoding, name) { (encoding), (name) },
		VMCS_FIELDS(ROW)
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		/* bisection needs the order; encodings have reserved bits */
		if (i)
			assert_true(fields[i - 1].encoding < fields[i].encoding);
		assert_int_equal(fields[i].encoding & 0xffff9001, 0);
		assert_string_equal(vmx_field_name(fields[i].encoding), fields[i].name);
	}
}

static void test_field_names(void **state)
{
	(void)state;
	assert_string_equal(vmx_field_name(0x0802), "guest CS selector");
	assert_string_equal(vmx_field_name(0x681e), "guest RIP");
	assert_string_equal(vmx_field_name(0x2801), "VMCS link pointer");
	assert_string_equal(vmx_field_name(0x6801), "unknown VMCS field");
	assert_string_equal(vmx_field_name(0xffffffff), "unknown VMCS field");
	assert_string_equal(vmx_field_name(0x7ffe), "unknown VMCS field");
}

static void test_instruction_errors(void **state)
{
	(void)state;
	assert_string_equal(vmx_instruction_error(0), "no error");
	assert_string_equal(vmx_instruction_error(7), "VM entry with invalid control field(s)");
	assert_string_equal(vmx_instruction_error(8), "VM entry with invalid host-state field(s)");
	assert_string_equal(vmx_instruction_error(14), "unknown VM-instruction error");
	assert_string_equal(vmx_instruction_error(29), "unknown VM-instruction error");
}

static const struct {
	uint32_t reason;
	uint64_t qual;
	const char *text;
} qualifications[] = {
	{ 12, 0, "" },
	{ 4, 0x99, "SIPI vector 0x99" },
	{ 9, 0xc0000028, "to TSS selector 0x0028 by task gate in IDT" },
	{ 14, 0x401000, "linear address 0x401000" },
	{ 28, 0x003, "MOV to CR3 from RAX" },
	{ 28, 0xf18, "MOV from CR8 to R15" },
	{ 28, 0x20, "CLTS" },
	{ 28, 0x00010030, "LMSW 0x0001 from a register" },
	{ 29, 0x117, "MOV from DR7, RCX" },
	{ 30, 0x03f80000, "OUT port 0x3f8, 1 byte, DX" },
	{ 30, 0x00e90040, "OUT port 0xe9, 1 byte, immediate" },
	{ 30, 0x01f0003b, "REP INS port 0x1f0, 4 bytes, DX" },
	{ 0x80000021, 4, "the VMCS link pointer" },
	{ 0x80000021, 1, "undefined" },
	{ 0x80000022, 3, "entry 3 of the VM-entry MSR-load area" },
	{ 44, 0x10b0, "offset 0x0b0, data write by an instruction" },
	{ 45, 0xec, "vector 0xec" },
	{ 48, 0x181,
	  "read; page allows ---; linear address valid, access to the page itself" },
	{
		48, 0x08a,
		"write; page allows r--; linear address valid, access to a paging-structure entry",
	},
	{ 48, 0x004, "fetch; page allows ---" },
	{ 56, 0x300, "APIC register offset 0x300" },
	{ 5000, 1, "" },
};

static void test_qualifications(void **state)
{
	char buf[128];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(qualifications); i++) {
		len = vmx_describe_qualification(qualifications[i].reason, qualifications[i].qual,
						 buf, sizeof(buf));
		assert_string_equal(buf, qualifications[i].text);
		assert_int_equal(len, strlen(qualifications[i].text));
	}
}

static void test_every_qualification_is_bounded(void **state)
{
	char buf[8];

	(void)state;
	for (uint32_t reason = 0; reason < 100; reason++) {
		memset(buf, 'x', sizeof(buf));
		vmx_describe_qualification(reason, UINT64_MAX, buf, 5);
		assert_non_null(memchr(buf, 0, 5));
		assert_int_equal(buf[5], 'x');
		vmx_describe_qualification(reason, 0, NULL, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_names),
		cmocka_unit_test(test_exit_names_unknown),
		cmocka_unit_test(test_every_field_is_found),
		cmocka_unit_test(test_field_names),
		cmocka_unit_test(test_instruction_errors),
		cmocka_unit_test(test_qualifications),
		cmocka_unit_test(test_every_qualification_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
