// SPDX-License-Identifier: GPL-2.0-only
/* A flight recorder's ring, read while it is written, and its records in words. */
#include <pthread.h>
#include <stdlib.h>

#include "debug/flight.h"
#include "hv_test.h"
#include "lib/util.h"

#define RECORDS 64

static struct tinyvmx_record ring[RECORDS], got[2 * RECORDS];
static struct hv_flight flight;
static uint64_t missed;

static int setup(void **state)
{
	(void)state;
	memset(ring, 0, sizeof(ring));
	memset(got, 0xff, sizeof(got));
	flight = (struct hv_flight){ .ring = ring, .records = RECORDS };
	return 0;
}

/* Each word of record @n follows from n: what is of two records shows. */
static struct tinyvmx_record make(uint64_t n)
{
	return (struct tinyvmx_record){
		.sequence = n,
		.entered = n * 1000,
		.exited = n * 1000 + 300,
		.rip = n * 16,
		.qualification = n * 3,
		.detail = n * 5,
		.reason = (uint32_t)n,
		.injected = (uint32_t)n * 7,
		.handled = (uint32_t)n * 9,
		.user_ticks = (uint32_t)n * 11,
	};
}

/* As the module does: the number goes first and comes last. */
static void write_record(uint64_t n)
{
	const struct tinyvmx_record record = make(n);
	struct tinyvmx_record *at = &ring[n % RECORDS];

	__atomic_store_n(&at->sequence, 0, __ATOMIC_SEQ_CST);
	for (size_t i = 1; i < sizeof(record) / 8; i++)
		__atomic_store_n((uint64_t *)at + i, ((const uint64_t *)&record)[i],
				 __ATOMIC_RELEASE);
	__atomic_store_n(&at->sequence, n, __ATOMIC_RELEASE);
}

static void write_records(uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++)
		write_record(n);
}

/* All that there is from *@next on, up to @room; checks that each is in whole, and in order. */
static size_t read_up_to(uint64_t *next, size_t room)
{
	uint64_t from = *next, before = flight.before;
	size_t count = hv_flight_read(&flight, next, hv_flight_newest(&flight), got, room, &missed);

	for (size_t i = 0; i < count; i++) {
		struct tinyvmx_record wanted = make(got[i].sequence - before);

		wanted.sequence += before;
		assert_memory_equal(&got[i], &wanted, sizeof(wanted));
		assert_true(!i || got[i].sequence > got[i - 1].sequence);
	}
	/* Read, or told to be missed. */
	assert_int_equal(*next - from, count + missed);
	return count;
}

static void test_nothing(void **state)
{
	const struct hv_flight none = { .ring = NULL };
	uint64_t next = 1;

	(void)state;
	assert_int_equal(hv_flight_newest(&none), 0);
	assert_int_equal(hv_flight_read(&none, &next, 0, got, RECORDS, &missed), 0);
	assert_int_equal(read_up_to(&next, RECORDS), 0);
	assert_true(next == 1 && !missed);
}

static void test_in_pieces(void **state)
{
	uint64_t next = 1;

	(void)state;
	write_records(1, 10);
	assert_int_equal(hv_flight_newest(&flight), 10);
	assert_int_equal(read_up_to(&next, 4), 4);
	assert_int_equal(read_up_to(&next, 4), 4);
	assert_int_equal(read_up_to(&next, 4), 2);
	assert_int_equal(read_up_to(&next, 4), 0);
	assert_int_equal(next, 11);
	write_records(11, 11);
	assert_int_equal(read_up_to(&next, 4), 1);
	assert_int_equal(got[0].sequence, 11);
}

/* Who does not want the newest, which may still change. */
static void test_not_the_last(void **state)
{
	uint64_t next = 1;

	(void)state;
	write_records(1, 3);
	assert_int_equal(hv_flight_read(&flight, &next, 2, got, RECORDS, &missed), 2);
	assert_true(next == 3 && !missed && got[1].sequence == 2);
}

static void test_wraps(void **state)
{
	uint64_t next = 1;

	(void)state;
	write_records(1, 50);
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 50);
	/* Across the end of the ring, and nothing is missed. */
	write_records(51, 114);
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 64);
	assert_int_equal(missed, 0);
	/* Several times around. */
	write_records(115, 1000);
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 64);
	assert_int_equal(missed, 1000 - 114 - 64);
	assert_int_equal(got[0].sequence, 937);
}

/* The oldest is being overwritten: it is missed, and no other. */
static void test_torn(void **state)
{
	uint64_t next = 1;

	(void)state;
	write_records(1, 100);
	ring[101 % RECORDS].sequence = 0;
	ring[101 % RECORDS].rip = 12345;
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 63);
	assert_int_equal(missed, 37);
	assert_int_equal(got[0].sequence, 38);
	assert_int_equal(got[62].sequence, 100);
}

/* The module leaves a number out after a stop; twice, if nothing came between two of them. */
static void test_left_out(void **state)
{
	uint64_t next = 1;

	(void)state;
	write_records(1, 70);
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 64);
	write_records(73, 75);
	assert_int_equal(read_up_to(&next, 2 * RECORDS), 3);
	assert_int_equal(missed, 2);
	assert_int_equal(got[0].sequence, 73);
}

/* A vCPU that was made anew begins with a new ring; its numbers go on. */
static void test_after_a_reset(void **state)
{
	uint64_t next = 90;

	(void)state;
	write_records(1, 5);
	flight.before = 100;
	assert_int_equal(hv_flight_newest(&flight), 105);
	assert_int_equal(read_up_to(&next, RECORDS), 5);
	assert_int_equal(missed, 11);
	assert_int_equal(got[0].sequence, 101);
	assert_int_equal(next, 106);
}

static bool writing;

static void *writes(void *ctx)
{
	for (uint64_t n = 1; __atomic_load_n(&writing, __ATOMIC_RELAXED); n++)
		write_record(n);
	return ctx;
}

/* What is read is in whole, whoever writes meanwhile. read_up_to() looks. */
static void test_while_it_is_written(void **state)
{
	uint64_t next = 1, read = 0, lost = 0;
	pthread_t thread;

	(void)state;
	writing = true;
	assert_int_equal(pthread_create(&thread, NULL, writes, NULL), 0);
	for (unsigned int i = 0; i < 20000 || !read || !lost; i++) {
		read += read_up_to(&next, 1 + i % RECORDS);
		lost += missed;
	}
	__atomic_store_n(&writing, false, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(read + lost, next - 1);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_true(hv_flight_is_size(64) && hv_flight_is_size(4096) && hv_flight_is_size(1024));
	assert_false(hv_flight_is_size(0) || hv_flight_is_size(32) || hv_flight_is_size(8192) ||
		     hv_flight_is_size(96) || hv_flight_is_size(UINT64_MAX));
}

static void test_ticks(void **state)
{
	const struct tinyvmx_record one = make(1), two = make(2), four = make(4);
	struct tinyvmx_record early = two;

	(void)state;
	assert_int_equal(hv_flight_inside(&one), 300);
	assert_int_equal(hv_flight_outside(&one, &two), 700);
	assert_int_equal(hv_flight_outside(&one, &four), 0);
	assert_int_equal(hv_flight_outside(&one, NULL), 0);
	early.entered = one.exited - 1;
	assert_int_equal(hv_flight_outside(&one, &early), 0);
}

/* ------------------------------------------------------------------- words */

#define EAX(value) ((uint64_t)(value) << 32)

static const struct {
	struct tinyvmx_record record;
	const char *words;
} cases[] = {
	{ { .reason = 30, .qualification = 0x3f80000, .detail = EAX(0x12345648) },
	  "I/O instruction: OUT port 0x3f8, 1 byte, DX, value 0x48" },
	{ { .reason = 30, .qualification = 0x80000003, .detail = EAX(0xffffffff) },
	  "I/O instruction: OUT port 0x8000, 4 bytes, DX, value 0xffffffff" },
	{ { .reason = 30, .qualification = 0x600048, .detail = EAX(0xff),
	    .handled = TINYVMX_HANDLED_USER },
	  "I/O instruction: IN port 0x60, 1 byte, immediate; handled by hvctl" },
	{ { .reason = 30, .qualification = 0x1f00031, .detail = EAX(0xff) },
	  "I/O instruction: REP OUTS port 0x1f0, 2 bytes, DX" },
	{ { .reason = 28, .qualification = 0x104 },
	  "control-register access: MOV to CR4 from RCX" },
	{ { .reason = 32, .detail = EAX(0x501) | 0xc0000080 },
	  "WRMSR: MSR 0xc0000080 IA32_EFER, EAX 0x501" },
	{ { .reason = 31, .detail = EAX(7) | 0x277 }, "RDMSR: MSR 0x277 IA32_PAT" },
	{ { .reason = 31, .detail = 0x203 }, "RDMSR: MSR 0x203 IA32_MTRR_PHYSMASK1" },
	{ { .reason = 31, .detail = 0x812 }, "RDMSR: MSR 0x812 IA32_X2APIC_ISR2" },
	{ { .reason = 31, .detail = 0x480 }, "RDMSR: MSR 0x480 IA32_VMX_BASIC" },
	{ { .reason = 31, .detail = 0x12345678 }, "RDMSR: MSR 0x12345678" },
	{ .words =
		  "EPT violation: guest-physical 0xfee00300, write; page allows ---; linear address valid, access to the page itself; handled where the kernel may sleep",
	  .record = { .reason = 48, .qualification = 0x182, .detail = 0xfee00300,
	    .handled = TINYVMX_HANDLED_OUTSIDE } },
	{ { .reason = 49, .detail = 0x1000 }, "EPT misconfiguration: guest-physical 0x1000" },
	{ { .reason = 10, .detail = EAX(0x80000008) | 1 }, "CPUID: leaf 0x80000008, subleaf 0x1" },
	{ { .reason = 18, .detail = EAX(5) }, "VMCALL: EAX 0x5" },
	{ { .reason = 55, .detail = EAX(7) }, "XSETBV: XCR0, EAX 0x7" },
	{ .words =
		  "exception or NMI: hardware exception, vector 14 (#PF), with an error code 0x2, linear address 0xdead000",
	  .record = { .reason = 0, .qualification = 0xdead000, .detail = EAX(2) | 0x80000b0e } },
	{ { .reason = 0, .qualification = 0x4000, .detail = 0x80000301 },
	  "exception or NMI: hardware exception, vector 1 (#DB), DR6 bits 0x4000" },
	{ { .reason = 12, .handled = TINYVMX_HANDLED_OUTSIDE | TINYVMX_HANDLED_WAITED },
	  "HLT; handled where the kernel may sleep; waited for an event" },
	{ { .reason = 2, .injected = 0x80000b08 },
	  "triple fault; entered with hardware exception, vector 8 (#DF), with an error code" },
	{ { .reason = 1, .injected = 0x31 }, "external interrupt; interrupt 0x31 was pending" },
	{ { .reason = 0x80000021, .qualification = 4 },
	  "VM-entry failure due to invalid guest state: the VMCS link pointer" },
	{ { .reason = 0, .detail = 7, .handled = TINYVMX_HANDLED_NO_ENTRY },
	  "no VM entry: VM-instruction error 7: VM entry with invalid control field(s)" },
	{ { .reason = 0xffff }, "unknown exit reason" },
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char words[HV_FLIGHT_WORDS], some[10];

		assert_int_equal(hv_flight_describe(&cases[i].record, words, sizeof(words)),
				 strlen(cases[i].words));
		assert_string_equal(words, cases[i].words);
		hv_flight_describe(&cases[i].record, some, sizeof(some));
		assert_int_equal(strncmp(some, words, sizeof(some) - 1), 0);
		assert_int_equal(some[sizeof(some) - 1], 0);
	}
}

/* Words for all that a ring may hold, in HV_FLIGHT_WORDS. */
static void test_any_bytes(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		char words[HV_FLIGHT_WORDS];
		struct tinyvmx_record record;

		for (size_t j = 0; j < sizeof(record); j++)
			((uint8_t *)&record)[j] = (uint8_t)rand_r(&seed);
		record.reason &= i % 2 ? 0x8000007f : ~0u;
		assert_in_range(hv_flight_describe(&record, words, sizeof(words)), 1,
				sizeof(words) - 1);
	}
}

static void test_facts(void **state)
{
	const struct tinyvmx_record out = { .reason = 30, .qualification = 0x3f80003 },
				    in_refused = { .reason = 0x8000001e },
				    wrmsr = { .reason = 32, .detail = EAX(1) | 0x10 },
				    ept = { .reason = 48, .detail = 0x123456789 };
	unsigned int bytes;
	uint16_t port;
	uint32_t msr;
	uint64_t gpa;

	(void)state;
	assert_true(hv_flight_port(&out, &port, &bytes) && port == 0x3f8 && bytes == 4);
	assert_true(hv_flight_msr(&wrmsr, &msr) && msr == 0x10);
	assert_true(hv_flight_gpa(&ept, &gpa) && gpa == 0x123456789);
	assert_false(hv_flight_port(&in_refused, &port, &bytes) ||
		     hv_flight_port(&ept, &port, &bytes) || hv_flight_msr(&out, &msr) ||
		     hv_flight_gpa(&wrmsr, &gpa));
}

static void test_line(void **state)
{
	struct tinyvmx_record record = { .sequence = 12,
					 .entered = 1000,
					 .exited = 1345,
					 .rip = 0xffffffff81000000,
					 .reason = 12 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	hv_flight_print_head(out);
	hv_flight_print(&record, 77, out);
	hv_flight_print(&record, 0, out);
	fclose(out);
	assert_string_equal(text, "    exit     inside    outside  RIP                 why\n"
				  "      12        345         77  0xffffffff81000000  HLT\n"
				  "      12        345          -  0xffffffff81000000  HLT\n");
	free(text);
}

/* -------------------------------------------------------------------- JSON */

static void test_json(void **state)
{
	const struct tinyvmx_record record = {
		.sequence = 7,
		.entered = 1ULL << 40,
		.exited = (1ULL << 40) + 5,
		.rip = UINT64_MAX,
		.qualification = 0x3f80000,
		.detail = 0x4800000000,
		.reason = 30,
		.injected = 0x80000020,
		.handled = 15,
		.user_ticks = UINT32_MAX,
	};
	struct tinyvmx_record again;
	json_t *object = hv_flight_json(&record, 9);

	(void)state;
	assert_true(hv_flight_from_json(&again, object));
	assert_memory_equal(&again, &record, sizeof(record));
	assert_int_equal(json_integer_value(json_object_get(object, "outside_ticks")), 9);
	assert_string_equal(json_string_value(json_object_get(object, "name")), "I/O instruction");
	json_decref(object);
	object = hv_flight_json(&record, 0);
	assert_null(json_object_get(object, "outside_ticks"));
	json_decref(object);
}

static void test_other_json(void **state)
{
	static const char *const strange[] = { "\"0x\"",   "\"0xg\"",  "\"10\"", "\"0x1ffffffff\"",
					       "\"0x1 \"", "\"0x-1\"", "-1",     "null" };
	static const char *const keys[] = { "sequence", "entered",  "exited",  "user_ticks", "rip",
					    "reason",   "injected", "handled", "detail" };
	const struct tinyvmx_record record = make(1);
	struct tinyvmx_record again;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = 0; j < ARRAY_SIZE(strange); j++) {
			json_t *object = hv_flight_json(&record, 0);

			/* Of 64 bits it is no more than too long. */
			if (j == 3 && (i == 4 || i == 8))
				json_object_set_new(object, keys[i],
						    json_string("0x11111111111111111"));
			else
				json_object_set_new(object, keys[i],
						    json_loads(strange[j], JSON_DECODE_ANY, NULL));
			if (hv_flight_from_json(&again, object))
				fail_msg("%s: %s is taken", keys[i], strange[j]);
			json_decref(object);
		}
	assert_false(hv_flight_from_json(&again, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, setup),
		cmocka_unit_test_setup(test_in_pieces, setup),
		cmocka_unit_test_setup(test_not_the_last, setup),
		cmocka_unit_test_setup(test_wraps, setup),
		cmocka_unit_test_setup(test_torn, setup),
		cmocka_unit_test_setup(test_left_out, setup),
		cmocka_unit_test_setup(test_after_a_reset, setup),
		cmocka_unit_test_setup(test_while_it_is_written, setup),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_other_json),
	};

	return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
