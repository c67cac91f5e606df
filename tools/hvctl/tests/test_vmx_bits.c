// SPDX-License-Identifier: GPL-2.0-only
/* What VMCS fields say in words, held against the SDM's tables; and a VMCS as text and JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "debug/vmcs.h"
#include "hv_test.h"
#include "lib/util.h"
#include "vmx/bits.h"
#include "vmx/names.h"

/* --- words --- */

static const struct {
	uint32_t field;
	uint64_t value;
	const char *words;
} rows[] = {
	{ VMCS_PIN_CTLS, 0x3f,
	  "external-interrupt exiting, bits 2:1, NMI exiting, bit 4, virtual NMIs" },
	{ VMCS_PROC2_CTLS, 0xa2, "enable EPT, enable VPID, unrestricted guest" },
	{ VMCS_EXIT_CTLS, 1 << 9 | 1 << 15,
	  "host address-space size, acknowledge interrupt on exit" },
	{ VMCS_PROC3_CTLS, 1ULL << 63 | 1 << 4, "IPI virtualization, bit 63" },
	{ VMCS_GUEST_CR0, 0x80000021, "PE, NE, PG" },
	{ VMCS_CR0_MASK, UINT64_MAX,
	  "PE, MP, EM, TS, ET, NE, bits 15:6, WP, bit 17, AM, bits 28:19, NW, CD, PG, bits 63:32" },
	{ VMCS_HOST_CR4, 0x2020, "PAE, VMXE" },
	{ VMCS_GUEST_EFER, 0xd01, "SCE, LME, LMA, NXE" },
	{ VMCS_GUEST_RFLAGS, 0x3202, "1, IF, IOPL 3" },
	{ VMCS_GUEST_RFLAGS, 0x20002, "1, VM, IOPL 0" },
	{ VMCS_GUEST_DR7, 0x400, "1" },
	{ VMCS_GUEST_DR7, 0xd0401, "L0, 1, DR0: write of 4" },
	{ VMCS_GUEST_CS_AR, 0xa09b, "code readable accessed, DPL 0, present, 64-bit, G" },
	{ VMCS_GUEST_SS_AR, 0xc0f3, "data writable accessed, DPL 3, present, D/B, G" },
	{ VMCS_GUEST_TR_AR, 0x8b, "system: busy TSS, DPL 0, present" },
	{ VMCS_GUEST_LDTR_AR, 0x10000, "unusable: system: reserved type, DPL 0" },
	{ VMCS_GUEST_CS_SELECTOR, 0x10, "GDT[2], RPL 0" },
	{ VMCS_GUEST_TR_SELECTOR, 0x2f, "LDT[5], RPL 3" },
	{ VMCS_HOST_DS_SELECTOR, 0, "null" },
	{ VMCS_ENTRY_INTR_INFO, 0x80000b0e,
	  "hardware exception, vector 14 (#PF), with an error code" },
	{ VMCS_ENTRY_INTR_INFO, 0xb0e, "not valid" },
	{ VMCS_IDT_VECTORING_INFO, 0x80000030, "external interrupt, vector 48" },
	{ VMCS_EXIT_INTR_INFO, 0x80001202, "NMI, vector 2, NMI unblocking due to IRET" },
	{ VMCS_ENTRY_INTR_INFO, 0x80000603, "software exception, vector 3 (#BP)" },
	{ VMCS_EXIT_REASON, 0x80000021,
	  "VM-entry failure due to invalid guest state, VM-entry failure" },
	{ VMCS_EXIT_REASON, 48, "EPT violation" },
	{ VMCS_INSTRUCTION_ERROR, 7, "VM entry with invalid control field(s)" },
	{ VMCS_GUEST_INTERRUPTIBILITY, 0x9, "blocking by STI, blocking by NMI" },
	{ VMCS_GUEST_ACTIVITY, 1, "HLT" },
	{ VMCS_GUEST_ACTIVITY, 4, "no such state" },
	{ VMCS_GUEST_PENDING_DEBUG, 0x5001, "B0, enabled breakpoint, BS" },
	{ VMCS_GUEST_PAT, 0x0007040600070406, "WB WT UC- UC WB WT UC- UC" },
	{ VMCS_EPTP, 0x1234505e,
	  "table at 0x12345000, 4 levels, write-back (WB), accessed and dirty flags" },
	{ VMCS_LINK_POINTER, UINT64_MAX, "none" },
	{ VMCS_LINK_POINTER, 0x1000, "" },
	{ VMCS_GUEST_INTR_STATUS, 0x2130, "RVI 0x30, SVI 0x21" },
	{ VMCS_EXCEPTION_BITMAP, 0x60042, "#DB, #UD, #AC, #MC" },
	{ VMCS_VM_FUNCTION_CTLS, 1, "EPTP switching" },
	{ VMCS_GUEST_DEBUGCTL, 3, "LBR, BTF" },
	{ VMCS_GUEST_S_CET, 0x7fff00000405,
	  "SH_STK_EN, ENDBR_EN, SUPPRESS, legacy code bitmap at 0x7fff00000000" },
	{ VMCS_GUEST_RIP, 0x1000, "" },
	{ VMCS_VPID, 1, "" },
};

static void test_words(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len =
			vmx_describe_field(rows[i].field, rows[i].value, 0, text, sizeof(text));

		if (strcmp(text, rows[i].words))
			fail_msg("%s 0x%" PRIx64 ": \"%s\", not \"%s\"",
				 vmx_field_name(rows[i].field), rows[i].value, text, rows[i].words);
		assert_int_equal(len, strlen(text));
	}
}

static void test_qualification(void **state)
{
	char text[200];

	(void)state;
	vmx_describe_field(VMCS_EXIT_QUALIFICATION, 4, 0x80000021, text, sizeof(text));
	assert_string_equal(text, "the VMCS link pointer");
	vmx_describe_field(VMCS_EXIT_QUALIFICATION, 0x3f80008, 30, text, sizeof(text));
	assert_non_null(strstr(text, "port 0x3f8"));
}

/* What does not fit is cut off, and counted. */
static void test_small_buffers(void **state)
{
	char text[16] = "untouched";

	(void)state;
	assert_int_equal(vmx_describe_field(VMCS_GUEST_CR0, 0x80000021, 0, text, 0), 10);
	assert_string_equal(text, "untouched");
	assert_int_equal(vmx_describe_field(VMCS_GUEST_CR0, 0x80000021, 0, text, 7), 10);
	assert_string_equal(text, "PE, NE");
}

/* No value of any field makes more than fits, or anything but a text. */
static void test_any_value(void **state)
{
	static const struct {
		uint32_t encoding;
	} fields[] = {
#define FIELD(id, number, name) { number },
		VMCS_FIELDS(FIELD)
#undef FIELD
	};
	static const uint64_t values[] = { 0, 1, UINT64_MAX, 0x5555555555555555, 1ULL << 63 };
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		for (size_t j = 0; j < ARRAY_SIZE(values); j++)
			assert_in_range(vmx_describe_field(fields[i].encoding, values[j], 48, text,
							   sizeof(text)),
					0, sizeof(text) - 1);
}

/* --- groups --- */

static void test_groups(void **state)
{
	static const struct {
		uint32_t field;
		enum vmx_group group;
		bool host;
	} groups[] = {
		{ VMCS_VPID, VMX_GROUP_EXECUTION, false },
		{ VMCS_EPTP, VMX_GROUP_EXECUTION, true },
		{ VMCS_TSC_OFFSET, VMX_GROUP_EXECUTION, false },
		{ VMCS_EXIT_CTLS, VMX_GROUP_EXIT, false },
		{ VMCS_EXIT_MSR_LOAD_ADDR, VMX_GROUP_EXIT, true },
		{ VMCS_ENTRY_INTR_INFO, VMX_GROUP_ENTRY, false },
		{ VMCS_ENTRY_MSR_LOAD_ADDR, VMX_GROUP_ENTRY, true },
		{ VMCS_EXIT_REASON, VMX_GROUP_INFORMATION, false },
		{ VMCS_GUEST_PHYSICAL_ADDR, VMX_GROUP_INFORMATION, false },
		{ VMCS_GUEST_PENDING_DEBUG, VMX_GROUP_GUEST, false },
		{ VMCS_LINK_POINTER, VMX_GROUP_GUEST, false },
		{ VMCS_HOST_RIP, VMX_GROUP_HOST, true },
		{ VMCS_HOST_ES_SELECTOR, VMX_GROUP_HOST, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		assert_int_equal(vmx_field_group(groups[i].field), groups[i].group);
		assert_int_equal(vmx_field_is_host(groups[i].field), groups[i].host);
	}
	assert_string_equal(vmx_group_name(VMX_GROUP_ENTRY), "VM-entry control fields");
}

/* --- the bare fields of a control channel --- */

static void test_pack(void **state)
{
	struct tinyvmx_vmcs_field fields[] = {
		{ .encoding = VMCS_VPID, .value = 1 },
		{ .encoding = VMCS_LINK_POINTER, .value = UINT64_MAX },
		{ .encoding = VMCS_HOST_RIP, .value = 0 },
	};
	struct hv_vmcs vmcs = { fields, ARRAY_SIZE(fields) }, again;
	json_t *packed = hv_vmcs_pack(&vmcs);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(packed, "0x2800")),
			    "0xffffffffffffffff");
	assert_true(hv_vmcs_unpack(&again, packed));
	assert_int_equal(again.n, ARRAY_SIZE(fields));
	assert_memory_equal(again.fields, fields, sizeof(fields));
	hv_vmcs_free(&again);
	json_decref(packed);
}

static void test_bad_packs(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"null",
		"{\"x\":\"0x1\"}",
		"{\"0x0\":1}",
		"{\"0x0\":\"1\"}",
		"{\"0x0\":\"0x\"}",
		"{\"0x10000\":\"0x1\"}",
		"{\"0x0\":\"0x1 \"}",
		"{\"0x0\":\"0x1ffffffffffffffff\"}",
	};
	struct hv_vmcs vmcs;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = json_loads(bad[i], JSON_DECODE_ANY, NULL);

		assert_false(hv_vmcs_unpack(&vmcs, json));
		assert_null(vmcs.fields);
		json_decref(json);
	}
	assert_false(hv_vmcs_unpack(&vmcs, NULL));
}

/* --- differences --- */

/* Fields that differ, that only one has; what is not shown says nothing. */
static void test_diff(void **state)
{
	struct tinyvmx_vmcs_field old[] = {
		{ .encoding = VMCS_VPID, .value = 1 },
		{ .encoding = VMCS_GUEST_CR0, .value = 0x21 },
		{ .encoding = VMCS_HOST_CR0, .value = 0 },
		{ .encoding = VMCS_HOST_CR3, .value = 0 },
		{ .encoding = VMCS_HOST_RIP, .value = 0 },
	};
	struct tinyvmx_vmcs_field now[] = {
		{ .encoding = VMCS_GUEST_CR0, .value = 0x80000021 },
		{ .encoding = VMCS_GUEST_CR3, .value = 0x1000 },
		{ .encoding = VMCS_HOST_CR0, .value = 0x80050033 },
		{ .encoding = VMCS_HOST_CR3, .value = 0x1000 },
		{ .encoding = VMCS_HOST_RIP, .value = 0xffffffff81000000 },
	};
	struct hv_vmcs one = { old, ARRAY_SIZE(old) }, other = { now, ARRAY_SIZE(now) };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *array;

	(void)state;
	assert_int_equal(hv_vmcs_print_diff(&one, &other, out), 3);
	assert_int_equal(hv_vmcs_print_diff(&other, &other, out), 0);
	fclose(out);
	assert_string_equal(text, "guest CR0\n  - 0x21  PE, NE\n  + 0x80000021  PE, NE, PG\n"
				  "guest CR3\n  - not there\n  + 0x1000\n"
				  "virtual-processor identifier (VPID)\n  - 0x1\n  + not there\n");
	free(text);
	array = hv_vmcs_diff_json(&one, &other);
	assert_int_equal(json_array_size(array), 3);
	assert_true(json_is_null(json_object_get(json_array_get(array, 1), "old")));
	assert_string_equal(json_string_value(json_object_get(json_array_get(array, 0), "new")),
			    "0x80000021");
	json_decref(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),         cmocka_unit_test(test_qualification),
		cmocka_unit_test(test_small_buffers), cmocka_unit_test(test_any_value),
		cmocka_unit_test(test_groups),        cmocka_unit_test(test_pack),
		cmocka_unit_test(test_bad_packs),     cmocka_unit_test(test_diff),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
