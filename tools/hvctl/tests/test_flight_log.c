// SPDX-License-Identifier: GPL-2.0-only
/* Recorded exits: which are wanted, and the three forms in which they are told. */
#include <stdlib.h>

#include "debug/flight.h"
#include "debug/flight_filter.h"
#include "debug/flight_log.h"
#include "hv_test.h"
#include "lib/util.h"

static const struct tinyvmx_record outb = { .sequence = 1, .entered = 1000, .exited = 3000,
					    .rip = 0x7c00, .qualification = 0x3f80000,
					    .detail = 0x4800000000, .reason = 30,
					    .handled = TINYVMX_HANDLED_USER, .user_ticks = 500 },
				   wrmsr = { .sequence = 2, .entered = 5000, .exited = 6000,
					     .rip = 0x7d00, .detail = 0xc0000080, .reason = 32 },
				   ept = { .sequence = 5, .entered = 7000, .exited = 9000,
					   .rip = 0xffffffff81000000, .detail = 0xfee00300,
					   .reason = 48 },
				   refused = { .sequence = 6, .reason = 0x80000021 };

/* ------------------------------------------------------------------- filter */

static struct hv_flight_filter filter;

static int setup(void **state)
{
	(void)state;
	filter = (struct hv_flight_filter){ 0 };
	return 0;
}

/* Of the four above, a bit each. */
static unsigned int taken(void)
{
	return hv_flight_filter_takes(&filter, 0, &outb) |
	       hv_flight_filter_takes(&filter, 1, &wrmsr) << 1 |
	       hv_flight_filter_takes(&filter, 2, &ept) << 2 |
	       hv_flight_filter_takes(&filter, 3, &refused) << 3;
}

static void range(struct hv_range *which, const char *text)
{
	struct hv_error err;

	assert_int_equal(hv_range_parse(which, text, UINT64_MAX, &err), 0);
}

static void reasons(const char *text, unsigned int wanted)
{
	struct hv_error err = { .text = "" };

	filter = (struct hv_flight_filter){ 0 };
	if (hv_flight_filter_add_reasons(&filter, text, &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(taken(), wanted);
}

static void test_reason_words(void **state)
{
	static const char *const bad[] = { "",    "io,", ",io", "nonsense",
					   "128", "-1",  "3x",  "unknown" };
	struct hv_error err;

	(void)state;
	assert_int_equal(taken(), 15);
	reasons("io", 1);
	reasons("IOinstruction", 1);
	reasons("wrmsr,EPT", 6);
	reasons("30,0x20", 3);
	reasons("vmentryfailure", 8);
	reasons("33", 8);
	reasons("cpuid", 0);
	/* One that the SDM leaves out is a number all the same. */
	reasons("35", 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setup(NULL);
		if (!hv_flight_filter_add_reasons(&filter, bad[i], &err))
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

static void test_ranges(void **state)
{
	(void)state;
	range(&filter.port, "0x3f8");
	assert_int_equal(taken(), 1);
	range(&filter.port, "0x3f0-0x3ff");
	assert_int_equal(taken(), 1);
	range(&filter.port, "0x3f9-0x3ff");
	assert_int_equal(taken(), 0);
	setup(NULL);
	range(&filter.msr, "0xc0000000-0xc0000fff");
	assert_int_equal(taken(), 2);
	setup(NULL);
	range(&filter.gpa, "0xfee00000-0xfee00fff");
	assert_int_equal(taken(), 4);
	setup(NULL);
	range(&filter.rip, "0x7c00-0x7dff");
	assert_int_equal(taken(), 3);
	/* Of several all must be so. */
	range(&filter.vcpu, "1-3");
	assert_int_equal(taken(), 2);
	range(&filter.port, "0x3f8");
	assert_int_equal(taken(), 0);
}

/* A wide access reaches ports above the first. */
static void test_wide_port(void **state)
{
	const struct tinyvmx_record out32 = { .reason = 30, .qualification = 0xcf80003 };

	(void)state;
	range(&filter.port, "0xcfb");
	assert_true(hv_flight_filter_takes(&filter, 0, &out32));
	range(&filter.port, "0xcfc");
	assert_false(hv_flight_filter_takes(&filter, 0, &out32));
	range(&filter.port, "0xcf0-0xcf7");
	assert_false(hv_flight_filter_takes(&filter, 0, &out32));
}

static void test_bad_ranges(void **state)
{
	static const char *const bad[] = { "",
					   "-",
					   "1-",
					   "-1",
					   "2-1",
					   "x",
					   "1 ",
					   "0x10000",
					   "1-2-3",
					   "0-0x10000",
					   "99999999999999999999" };
	struct hv_range range_of = { 0 };
	struct hv_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!hv_range_parse(&range_of, bad[i], 0xffff, &err))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_non_null(strchr(err.text, ';'));
}

/* --------------------------------------------------------------------- log */

static char *text;
static size_t text_len;

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

/* Two vCPUs, and two exits of the second that were missed. */
static void write_log(enum hv_flight_form form)
{
	struct hv_flight_log log = { .form = form, .khz = 1000000 };

	log.out = open_memstream(&text, &text_len);
	hv_flight_log_begin(&log, "web", 2);
	hv_flight_log_add(&log, 0, &outb, 2000);
	hv_flight_log_add(&log, 1, &wrmsr, 0);
	hv_flight_log_miss(&log, 1, 2);
	hv_flight_log_add(&log, 1, &ept, 70);
	hv_flight_log_end(&log);
	fclose(log.out);
}

static void test_text(void **state)
{
	(void)state;
	write_log(HV_FLIGHT_TEXT);
	assert_string_equal(
		text,
		"vCPU             us     exit     inside    outside  RIP                 why\n"
		"   0          0.000        1       2000       2000  0x7c00              I/O instruction: OUT port 0x3f8, 1 byte, DX, value 0x48; handled by hvctl\n"
		"   1          3.000        2       1000          -  0x7d00              WRMSR: MSR 0xc0000080 IA32_EFER, EAX 0x0\n"
		"   1              - (2 exits were missed)\n"
		"   1          6.000        5       2000         70  0xffffffff81000000  EPT violation: guest-physical 0xfee00300, page allows ---\n");
}

/* As Perfetto reads it: one document, whose slices have microseconds. */
static void test_chrome(void **state)
{
	json_t *root, *events, *event;

	(void)state;
	write_log(HV_FLIGHT_CHROME);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	events = json_object_get(root, "traceEvents");
	assert_int_equal(json_array_size(events), 3 + 2 * 3);
	event = json_array_get(events, 2);
	assert_string_equal(json_string_value(json_object_get(event, "ph")), "M");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(event, "args"), "name")),
		"vCPU 1");
	event = json_array_get(events, 3);
	assert_string_equal(json_string_value(json_object_get(event, "name")), "guest");
	assert_true(json_real_value(json_object_get(event, "ts")) == 1.0);
	assert_true(json_real_value(json_object_get(event, "dur")) == 2.0);
	event = json_array_get(events, 4);
	assert_string_equal(json_string_value(json_object_get(event, "name")), "I/O instruction");
	assert_string_equal(json_string_value(json_object_get(event, "ph")), "X");
	assert_true(json_real_value(json_object_get(event, "ts")) == 3.0);
	assert_true(json_real_value(json_object_get(event, "dur")) == 2.0);
	assert_int_equal(json_integer_value(json_object_get(event, "tid")), 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(root, "otherData"), "missed")),
		2);
	json_decref(root);
}

/* What is read again is written again the same. */
static struct hv_flight_log copy;

static void copy_begin(void *ctx, const char *name, unsigned int vcpus, uint64_t khz)
{
	copy.khz = khz;
	assert_ptr_equal(ctx, &copy);
	hv_flight_log_begin(&copy, name, vcpus);
}

static bool copy_add(void *ctx, unsigned int vcpu, const struct tinyvmx_record *record,
		     uint64_t outside)
{
	hv_flight_log_add(ctx, vcpu, record, outside);
	return true;
}

static void copy_miss(void *ctx, unsigned int vcpu, uint64_t missed)
{
	hv_flight_log_miss(ctx, vcpu, missed);
}

static const struct hv_flight_reader copier = { &copy, copy_begin, copy_add, copy_miss };

/* Read @saved, written again as @form into @again, to be freed. */
static int copy_log(char *saved, enum hv_flight_form form, char **again, struct hv_error *err)
{
	FILE *in = fmemopen(saved, strlen(saved), "r");
	size_t len;
	int error;

	*again = NULL;
	copy = (struct hv_flight_log){ .form = form, .out = open_memstream(again, &len) };
	error = hv_flight_log_read(in, &copier, err);
	hv_flight_log_end(&copy);
	fclose(copy.out);
	fclose(in);
	return error;
}

static void test_saved(void **state)
{
	char *again, *saved;
	struct hv_error err;

	(void)state;
	write_log(HV_FLIGHT_SAVED);
	saved = text;
	assert_int_equal(copy_log(saved, HV_FLIGHT_SAVED, &again, &err), 0);
	assert_string_equal(again, saved);
	free(again);
	/* ... and in the other forms as if it was told at once. */
	write_log(HV_FLIGHT_TEXT);
	assert_int_equal(copy_log(saved, HV_FLIGHT_TEXT, &again, &err), 0);
	assert_string_equal(again, text);
	free(again);
	free(text);
	write_log(HV_FLIGHT_CHROME);
	assert_int_equal(copy_log(saved, HV_FLIGHT_CHROME, &again, &err), 0);
	assert_string_equal(again, text);
	free(again);
	free(saved);
}

#define HEAD "{\"hvctl-trace\":1,\"name\":\"x\",\"vcpus\":1,\"tsc_khz\":1}\n"

static void test_other_files(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} cases[] = {
		{ "\n", 1 },
		{ "{}\n", 1 },
		{ "[1]\n", 1 },
		{ "{\"hvctl-trace\":2,\"name\":\"x\",\"vcpus\":1,\"tsc_khz\":1}\n", 1 },
		{ "{\"hvctl-trace\":1,\"vcpus\":1,\"tsc_khz\":1}\n", 1 },
		{ HEAD "{\"vcpu\":0}\n", 2 },
		{ HEAD "{\"vcpu\":-1,\"missed\":1}\n", 2 },
		{ HEAD "{\"vcpu\":1000000,\"missed\":1}\n", 2 },
		{ HEAD "{\"vcpu\":0,\"missed\":1}\n{\"vcpu\":0,\"missed\":-1}\n", 3 },
		{ HEAD "{\"vcpu\":0,\"missed\":1}\n{\"vcpu\":0,", 3 },
		{ HEAD HEAD, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *again, *input = strdup(cases[i].text);
		struct hv_error err = { .text = "" };

		if (!copy_log(input, HV_FLIGHT_TEXT, &again, &err))
			fail_msg("taken: %s", input);
		assert_int_equal(err.line, cases[i].line);
		assert_non_null(strstr(err.text, "hvctl trace --save"));
		free(again);
		free(input);
	}
}

/* A name is a terminal's to show. */
static void test_unclean_name(void **state)
{
	char input[] = "{\"hvctl-trace\":1,\"name\":\"a\\u001b[2J\",\"vcpus\":1,\"tsc_khz\":1}\n";
	struct hv_error err;
	char *again;

	(void)state;
	assert_int_equal(copy_log(input, HV_FLIGHT_SAVED, &again, &err), 0);
	assert_non_null(strstr(again, "\"a?[2J\""));
	free(again);
}

static void test_packed(void **state)
{
	const struct tinyvmx_record records[] = { outb, wrmsr, ept };
	struct tinyvmx_record again[3];
	json_t *packed = hv_flight_pack(records, 3);

	(void)state;
	assert_int_equal(hv_flight_unpack(again, 3, packed), 3);
	assert_memory_equal(again, records, sizeof(records));
	assert_int_equal(hv_flight_unpack(again, 2, packed), -1);
	assert_int_equal(hv_flight_unpack(again, 3, NULL), -1);
	json_string_set(packed, "0g");
	assert_int_equal(hv_flight_unpack(again, 3, packed), -1);
	json_string_set(packed, "00");
	assert_int_equal(hv_flight_unpack(again, 3, packed), -1);
	json_string_set(packed, "");
	assert_int_equal(hv_flight_unpack(again, 3, packed), 0);
	json_decref(packed);
	packed = hv_flight_pack(records, 1);
	((char *)json_string_value(packed))[5] = 'X';
	assert_int_equal(hv_flight_unpack(again, 3, packed), -1);
	json_decref(packed);
}

#define FILTER(test) cmocka_unit_test_setup(test, setup)
#define LOG(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILTER(test_reason_words), FILTER(test_ranges),   FILTER(test_wide_port),
		FILTER(test_bad_ranges),   LOG(test_text),        LOG(test_chrome),
		LOG(test_saved),           LOG(test_other_files), LOG(test_unclean_name),
		LOG(test_packed),
	};

	return cmocka_run_group_tests_name("flight_log", tests, NULL, NULL);
}
