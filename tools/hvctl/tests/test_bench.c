// SPDX-License-Identifier: GPL-2.0-only
/* The bench's reports: JSON written and read back, comparison with older numbers, verdicts. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/report.h"
#include "hv_test.h"

static struct hv_bench_result *results;
static char path[] = "/tmp/hv-bench-XXXXXX";

static const struct hv_bench_number *set(unsigned int i, unsigned int backend, double ticks,
					 double spread)
{
	results[i].wanted = true;
	results[i].number[backend] =
		(struct hv_bench_number){ .valid = true, .ticks = ticks, .spread = spread };
	return &results[i].number[backend];
}

static unsigned int index_of(const char *name)
{
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		if (!strcmp(hv_bench_cases[i].name, name))
			return i;
	fail_msg("no case %s", name);
	return 0;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/hv-bench-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	results = calloc(hv_bench_nr_cases, sizeof(*results));
	return results ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(results);
	return unlink(path);
}

static void save(void)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(hv_bench_print_json(file, results), 0);
	fclose(file);
}

static int compare(void)
{
	FILE *nowhere = fopen("/dev/null", "w");
	struct hv_error err;
	int slower;

	assert_non_null(nowhere);
	slower = hv_bench_compare(path, results, 3, nowhere, &err);
	fclose(nowhere);
	return slower;
}

static void test_merge(void **state)
{
	unsigned int cpuid = index_of("cpuid");
	struct hv_error err;

	(void)state;
	set(cpuid, HV_BENCH_TINYVMX, 250.06, 1);
	set(cpuid, HV_BENCH_KVM, 1000, 0);
	save();
	results[cpuid].number[HV_BENCH_KVM].valid = false;
	set(cpuid, HV_BENCH_TINYVMX, 300, 0);
	assert_int_equal(hv_bench_merge(path, results, &err), 0);
	assert_true(results[cpuid].number[HV_BENCH_KVM].valid);
	assert_true(results[cpuid].number[HV_BENCH_KVM].ticks == 1000);
	/* What was measured now stays. */
	assert_true(results[cpuid].number[HV_BENCH_TINYVMX].ticks == 300);
}

static void test_compare(void **state)
{
	unsigned int cpuid = index_of("cpuid"), ipi = index_of("ipi-halted");

	(void)state;
	set(cpuid, HV_BENCH_TINYVMX, 200, 0);
	set(ipi, HV_BENCH_TINYVMX, 4000, 400);
	save();
	assert_int_equal(compare(), 0);
	set(cpuid, HV_BENCH_TINYVMX, 206, 0);
	assert_int_equal(compare(), 0);
	set(cpuid, HV_BENCH_TINYVMX, 207, 0);
	assert_int_equal(compare(), 1);
	/* Within its own spread it is not slower. */
	set(ipi, HV_BENCH_TINYVMX, 4390, 0);
	assert_int_equal(compare(), 1);
	set(ipi, HV_BENCH_TINYVMX, 4530, 0);
	assert_int_equal(compare(), 2);
}

static void test_verdict(void **state)
{
	unsigned int in8 = index_of("in8"), wp = index_of("cr0-wp");

	(void)state;
	assert_int_equal(hv_bench_judge(&hv_bench_cases[wp], &results[wp]), HV_BENCH_NO_TARGET);
	set(in8, HV_BENCH_TINYVMX, 900, 0);
	assert_int_equal(hv_bench_judge(&hv_bench_cases[in8], &results[in8]), HV_BENCH_UNKNOWN);
	set(in8, HV_BENCH_KVM, 2000, 0);
	assert_int_equal(hv_bench_judge(&hv_bench_cases[in8], &results[in8]), HV_BENCH_MET);
	set(in8, HV_BENCH_KVM, 1500, 0);
	assert_int_equal(hv_bench_judge(&hv_bench_cases[in8], &results[in8]), HV_BENCH_MISSED);
}

static bool table_has(const struct hv_bench_result *before, bool markdown, const char *text)
{
	char *written = NULL;
	size_t len;
	FILE *file = open_memstream(&written, &len);
	bool has;

	assert_non_null(file);
	if (markdown)
		hv_bench_print_markdown(file, results);
	else
		hv_bench_print_table(file, results, before);
	fclose(file);
	has = strstr(written, text);
	free(written);
	return has;
}

static void test_before_stands_beside(void **state)
{
	struct hv_bench_result *before = calloc(hv_bench_nr_cases, sizeof(*before));
	unsigned int cpuid = index_of("cpuid");

	(void)state;
	assert_non_null(before);
	set(cpuid, HV_BENCH_TINYVMX, 250, 0);
	before[cpuid].number[HV_BENCH_TINYVMX] =
		(struct hv_bench_number){ .valid = true, .ticks = 200 };
	assert_true(table_has(before, false, "200  +25.0%"));
	assert_false(table_has(NULL, false, "+25.0%"));
	set(index_of("wbinvd"), HV_BENCH_TINYVMX, 170, 0); /* a case that is new */
	assert_true(table_has(before, false, "wbinvd"));
	free(before);
}

static void test_markdown(void **state)
{
	unsigned int poweroff = index_of("linux-poweroff");

	(void)state;
	set(poweroff, HV_BENCH_TINYVMX, 1234567, 0);
	assert_true(table_has(NULL, true, "| 1,234,567 | - | | x 0.6 | ? |"));
	set(poweroff, HV_BENCH_KVM, 2000000, 0);
	assert_true(table_has(NULL, true, "| 1,234,567 | 2,000,000 | 0.62 | x 0.6 | **missed** |"));
	assert_false(table_has(NULL, true, "cpuid"));
}

static void test_no_linux_guest(void **state)
{
	struct hv_error err;
	uint64_t ticks;

	(void)state;
	hv_bench_linux_dir = "/nonexistent";
	assert_int_equal(hv_bench_host_linux_init(&hv_bench_tinyvmx, &ticks, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent has no vmlinuz"));
	assert_int_equal(hv_bench_host_linux_poweroff(&hv_bench_kvm, &ticks, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before_stands_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_markdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_linux_guest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
