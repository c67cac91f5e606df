// SPDX-License-Identifier: GPL-2.0-only
/* The exit bill, of records that a test has made up. */
#include <stdlib.h>

#include "debug/bill.h"
#include "hv_test.h"
#include "lib/util.h"

#define KHZ 1000000U		/* a tick is a nanosecond */

#define CPUID 10
#define HLT   12
#define IO    30
#define WRMSR 32
#define EPT   48

static struct hv_bill *bill;
static uint64_t now, sequence;

static int setup(void **state)
{
	(void)state;
	bill = hv_bill_new(KHZ);
	now = 5000000;
	sequence = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_bill_free(bill);
	return 0;
}

/* 100 ticks in the guest, then an exit that takes @outside, of which @user in userspace. */
static void add(uint32_t reason, uint64_t qualification, uint64_t detail, uint32_t handled,
		uint64_t outside, uint32_t user)
{
	struct tinyvmx_record record = {
		.sequence = ++sequence,
		.entered = now,
		.exited = now + 100,
		.reason = reason,
		.qualification = qualification,
		.detail = detail,
		.handled = handled,
		.user_ticks = user,
	};

	hv_bill_add(bill, &record, outside);
	now += 100 + outside;
}

static void out(uint16_t port, uint64_t outside, uint32_t user)
{
	add(IO, (uint64_t)port << 16, 0, user ? TINYVMX_HANDLED_USER : 0, outside, user);
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const json_t *row_of(const json_t *json, const char *what)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(json, "rows"), i, row)
		if (!strcmp(json_string_value(json_object_get(row, "what")), what))
			return row;
	fail_msg("no row \"%s\"", what);
	return NULL;
}

static void ticks_are(const json_t *row, long long world, long long kernel, long long user,
		      long long waiting)
{
	const json_t *ticks = json_object_get(row, "ticks");

	assert_int_equal(number(ticks, "switch"), world);
	assert_int_equal(number(ticks, "kernel"), kernel);
	assert_int_equal(number(ticks, "user"), user);
	assert_int_equal(number(ticks, "waiting"), waiting);
}

static void test_nothing(void **state)
{
	json_t *json = hv_bill_json(bill, "web", 1);

	(void)state;
	assert_int_equal(number(json, "exits"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "rows")), 0);
	assert_null(json_object_get(json, "advice"));
	hv_bill_print(json, 10, 80, stderr);
	hv_bill_print_html(json, stderr);
	json_decref(json);
}

/* The cheapest exit that went straight back is what a switch costs; the rest is shared out. */
static void test_split(void **state)
{
	json_t *json;

	(void)state;
	for (int i = 0; i < 9; i++)
		add(CPUID, 0, 0, 0, 200, 0);
	add(CPUID, 0, 0, 0, 1000, 0);
	out(0x3f8, 5000, 4000);
	add(HLT, 0, 0, TINYVMX_HANDLED_OUTSIDE | TINYVMX_HANDLED_WAITED, 1000000, 0);
	json = hv_bill_json(bill, "web", 2);
	assert_int_equal(number(json, "exits"), 12);
	assert_int_equal(number(json, "inside_ticks"), 1200);
	assert_int_equal(number(json, "switch_ticks"), 200);
	assert_int_equal(number(json, "outside_ticks"), 9 * 200 + 1000 + 5000);
	assert_int_equal(number(json, "waiting_ticks"), 1000000);
	ticks_are(row_of(json, "CPUID"), 2000, 800, 0, 0);
	ticks_are(row_of(json, "I/O instruction, port 0x3f8"), 200, 800, 4000, 0);
	ticks_are(row_of(json, "HLT"), 0, 0, 0, 1000000);
	/* Waiting is no cost: the dearest is the port. */
	assert_ptr_equal(json_array_get(json_object_get(json, "rows"), 0),
			 row_of(json, "I/O instruction, port 0x3f8"));
	assert_non_null(
		strstr(json_string_value(json_object_get(json_object_get(json, "advice"), "text")),
		       "--device console"));
	assert_true(json_real_value(json_object_get(row_of(json, "CPUID"), "per_second")) == 5);
	json_decref(json);
}

/* To a 16th, whatever the size. */
static void test_percentiles(void **state)
{
	json_t *json;
	long long p50, p99;

	(void)state;
	for (int i = 1; i <= 100; i++)
		add(CPUID, 0, 0, 0, i == 100 ? 1ULL << 62 : (uint64_t)i * 1000, 0);
	for (int i = 1; i <= 20; i++)
		add(WRMSR, 0, 0x830, 0, i, 0);
	json = hv_bill_json(bill, "web", 1);
	p50 = number(row_of(json, "CPUID"), "p50");
	p99 = number(row_of(json, "CPUID"), "p99");
	assert_in_range(p50, 50000 * 15 / 16, 50000 * 17 / 16);
	assert_in_range(p99, 99000 * 15 / 16, 99000 * 17 / 16);
	p50 = number(row_of(json, "WRMSR, 0x830 IA32_X2APIC_ICR"), "p50");
	assert_int_equal(p50, 10);
	json_decref(json);
}

static void test_rows(void **state)
{
	json_t *json;

	(void)state;
	add(WRMSR, 0, 0x6e0 | 7ULL << 32, 0, 300, 0);
	add(EPT, 0x182, 0x1234567, TINYVMX_HANDLED_OUTSIDE, 900, 0);
	add(EPT, 0x182, 0x2234567, TINYVMX_HANDLED_OUTSIDE, 900, 0);
	add(EPT, 0x182, 0xfec00010, TINYVMX_HANDLED_USER, 9000, 5000);
	add(0, 0, 0x80000306, 0, 500, 0);
	add(28, 0x3, 0, 0, 500, 0);
	/* All ones: in userspace, as long as it took. */
	add(IO, 0x70 << 16, 0, TINYVMX_HANDLED_USER, 1ULL << 33, UINT32_MAX);
	json = hv_bill_json(bill, "web", 1);
	row_of(json, "WRMSR, 0x6e0 IA32_TSC_DEADLINE");
	assert_int_equal(number(row_of(json, "EPT violation"), "count"), 2);
	row_of(json, "EPT violation, device at 0xfec00000");
	row_of(json, "exception or NMI, vector 6");
	row_of(json, "control-register access, MOV to CR3");
	ticks_are(row_of(json, "I/O instruction, port 0x70"), 0, 0, 1LL << 33, 0);
	json_decref(json);
}

/* A guest that asks all ports has not all memory of ours. */
static void test_many(void **state)
{
	json_t *json;
	long long sum = 0;
	json_t *row;
	size_t i;

	(void)state;
	for (unsigned int port = 0; port < 0x10000; port++)
		out(port, 1000, 0);
	add(CPUID, 0, 0, 0, 100, 0);
	json = hv_bill_json(bill, "web", 1);
	assert_in_range(json_array_size(json_object_get(json, "rows")), 100, 256);
	json_array_foreach(json_object_get(json, "rows"), i, row)
		sum += number(row, "count");
	assert_int_equal(sum, 0x10001);
	assert_true(number(row_of(json, "I/O instruction, others"), "count") > 0xff00);
	row_of(json, "CPUID, others");
	json_decref(json);
}

static long long exits_in(const json_t *row)
{
	long long sum = 0;
	json_t *n;
	size_t i;

	json_array_foreach(json_object_get(row, "over_time"), i, n)
		sum += json_integer_value(n);
	return sum;
}

static void test_over_time(void **state)
{
	json_t *json;

	(void)state;
	add(CPUID, 0, 0, 0, 100, 0);
	now += 100000000; /* 0.1 s */
	add(CPUID, 0, 0, 0, 100, 0);
	json = hv_bill_json(bill, "web", 1);
	assert_int_equal(json_array_size(json_object_get(row_of(json, "CPUID"), "over_time")), 101);
	assert_true(json_real_value(json_object_get(json, "step_ms")) == 1);
	json_decref(json);
	now += 3600000000000; /* an hour */
	out(0x80, 100, 0);
	/* Another vCPU's, from before. */
	now = 1000;
	add(CPUID, 0, 0, 0, 100, 0);
	json = hv_bill_json(bill, "web", 1);
	assert_int_equal(exits_in(row_of(json, "CPUID")), 3);
	assert_int_equal(exits_in(row_of(json, "I/O instruction, port 0x80")), 1);
	assert_in_range(json_array_size(json_object_get(row_of(json, "CPUID"), "over_time")), 50,
			120);
	json_decref(json);
}

/* Its cost is not known: it is counted all the same. */
static void test_unknown_cost(void **state)
{
	json_t *json;

	(void)state;
	add(CPUID, 0, 0, 0, 0, 0);
	hv_bill_miss(bill, 17);
	json = hv_bill_json(bill, "web", 1);
	assert_int_equal(number(row_of(json, "CPUID"), "count"), 1);
	assert_int_equal(number(row_of(json, "CPUID"), "p99"), 0);
	assert_int_equal(number(json, "missed"), 17);
	json_decref(json);
}

/* ------------------------------------------------------------------ printed */

static char *text;
static size_t len;

static void some_exits(void)
{
	for (int i = 0; i < 20000; i++)
		out(0x3f8, 12345, 12000);
	add(CPUID, 0, 0, 0, 200, 0);
	add(28, 0x3, 0, 0, 500, 0);
}

static void test_table(void **state)
{
	FILE *file = open_memstream(&text, &len);
	json_t *json;

	(void)state;
	some_exits();
	hv_bill_miss(bill, 3);
	json = hv_bill_json(bill, "web", 10);
	hv_bill_print(json, 2, 80, file);
	fclose(file);
	assert_string_equal(
		text,
		"web: 20.0k exits in 10.0 s, 2000 a second; in the guest 0.8 % of the time, waiting 0.0 %, exits 99.2 %\n"
		"3 of them came faster than they could be read: they have no row\n"
		" exits     /s   cost    p50    p99 world kern. hvctl what\n"
		" 20.0k   2000 100.0%  12.5k  12.5k    2%    1%   97% I/O instruction, port 0x3f8\n"
		"     1      0   0.0%    504    504   40%   60%    0% control-register access, MO\n"
		"the dearest, I/O instruction, port 0x3f8: a serial port exits for each byte: --device console, console=hvc0\n");
	free(text);
	json_decref(json);
}

static void test_page(void **state)
{
	FILE *file = open_memstream(&text, &len);
	json_t *json;

	(void)state;
	some_exits();
	json = hv_bill_json(bill, "a<b>&c", 10);
	hv_bill_print_html(json, file);
	fclose(file);
	assert_non_null(strstr(text, "<title>Exits of a&lt;b&gt;&amp;c</title>"));
	assert_non_null(strstr(text, "<td>I/O instruction, port 0x3f8</td><td>20000</td>"));
	/* Nothing comes from elsewhere. */
	assert_null(strstr(text, "http"));
	assert_null(strstr(text, "src="));
	assert_non_null(strstr(text, "<polygon class=\"band\""));
	assert_null(strstr(text, "nan"));
	free(text);
	json_decref(json);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing),      T(test_split), T(test_percentiles),
		T(test_rows),         T(test_many),  T(test_over_time),
		T(test_unknown_cost), T(test_table), T(test_page),
	};

	return cmocka_run_group_tests_name("bill", tests, NULL, NULL);
}
