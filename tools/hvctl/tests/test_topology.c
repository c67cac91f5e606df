// SPDX-License-Identifier: GPL-2.0-only
/*
 * What software makes of the leaves of topology by the SDM's rules ("Hierarchical Mapping of
 * Shared Resources"), for each number of CPUs: all leaves say the same.
 */
#include "firmware/cpuid.h"
#include "firmware/topology.h"
#include "hv_test.h"
#include "lib/util.h"

#define CPUS_MAX 64

/* Of a host with 24 cores of two threads: L1 of data and code, L2, L3. */
static const uint32_t caches[] = { 0xfc004121, 0xfc004122, 0xfc004143, 0xfc07c163 };

static void host(uint32_t function, uint32_t index, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	if (function == 0)
		out[0] = 0x16;
	if (function == 1)
		out[1] = 0x07300800;
	if (function == 4 && index < ARRAY_SIZE(caches))
		out[0] = caches[index];
}

static struct tinyvmx_cpuid table[HV_CPUID_MAX];
static size_t count;

static void build(unsigned int cpus, unsigned int id)
{
	const struct tinyvmx_info info = { .gpa_bits = 40 };
	const struct hv_cpuid_config config = {
		.host = host, .info = &info, .cpus = cpus, .lapic = true
	};

	count = hv_cpuid_build(table, &config);
	hv_topology_set_id(table, count, id);
}

static const struct tinyvmx_cpuid *row(uint32_t function, uint32_t index)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].function == function && table[i].index == index)
			return &table[i];
	fail_msg("no row %x.%x", function, index);
	return NULL;
}

/* Bits that tell so many ids apart. */
static unsigned int width(unsigned int ids)
{
	return ids > 1 ? 32 - __builtin_clz(ids - 1) : 0;
}

/* A CPU's place, of which bits of the APIC id are what. */
struct place {
	unsigned int thread, core, package;
};

static struct place split(unsigned int id, unsigned int thread_bits, unsigned int package_shift)
{
	return (struct place){
		.thread = id & ((1 << thread_bits) - 1),
		.core = (id & ((1 << package_shift) - 1)) >> thread_bits,
		.package = id >> package_shift,
	};
}

/* By leaves 1 and 4, as software did before there was leaf 0BH. */
static struct place by_legacy_leaves(void)
{
	unsigned int id = row(1, 0)->ebx >> 24, package, cores;

	if (!(row(1, 0)->edx >> 28 & 1))
		return split(id, 0, 0);
	package = width(row(1, 0)->ebx >> 16 & 0xff);
	cores = width((row(4, 0)->eax >> 26) + 1);
	return split(id, package - cores, package);
}

/* By leaf 0BH or 1FH; also how many CPUs there are. */
static struct place by_levels(uint32_t leaf, unsigned int *cpus)
{
	unsigned int thread_bits = 0, package_shift = 0, type, i = 0;

	for (; (type = row(leaf, i)->ecx >> 8 & 0xff); i++) {
		assert_int_equal(row(leaf, i)->ecx & 0xff, i);
		assert_int_equal(row(leaf, i)->edx, row(leaf, 0)->edx);
		if (type == 1)
			thread_bits = row(leaf, i)->eax & 0x1f;
		package_shift = row(leaf, i)->eax & 0x1f;
		*cpus = row(leaf, i)->ebx;
	}
	assert_int_equal(row(leaf, i)->ecx, i);
	assert_int_equal(row(leaf, i)->eax | row(leaf, i)->ebx, 0);
	return split(row(leaf, 0)->edx, thread_bits, package_shift);
}

static void is_core(struct place place, unsigned int core)
{
	assert_int_equal(place.package, 0);
	assert_int_equal(place.core, core);
	assert_int_equal(place.thread, 0);
}

static void test_every_cpu_has_its_place(void **state)
{
	(void)state;
	for (unsigned int cpus = 1; cpus <= CPUS_MAX; cpus++)
		for (unsigned int id = 0; id < cpus; id++) {
			unsigned int told;

			build(cpus, id);
			is_core(by_legacy_leaves(), id);
			is_core(by_levels(0xb, &told), id);
			assert_int_equal(told, cpus);
			is_core(by_levels(0x1f, &told), id);
			assert_int_equal(told, cpus);
			assert_int_equal(row(1, 0)->edx >> 28 & 1, cpus > 1);
		}
}

/* Caches whose ids, which are APIC ids without the bits of who shares them, are the same. */
static void test_caches(void **state)
{
	(void)state;
	for (unsigned int cpus = 1; cpus <= CPUS_MAX; cpus++)
		for (unsigned int i = 0; i < ARRAY_SIZE(caches); i++) {
			unsigned int shift;

			build(cpus, 0);
			shift = width((row(4, i)->eax >> 14 & 0xfff) + 1);
			assert_int_equal(row(4, i)->eax & 0x3fff, caches[i] & 0x3fff);
			if (i < 3)
				assert_int_equal(shift, 0);
			else
				assert_int_equal((cpus - 1) >> shift, 0);
			assert_int_equal(width((row(4, i)->eax >> 26) + 1), width(cpus));
		}
	assert_int_equal(row(4, 4)->eax, 0);
}

/* Nothing of the host's number of CPUs, nor of where hvctl has run, is left. */
static void test_host_is_hidden(void **state)
{
	(void)state;
	build(1, 0);
	assert_int_equal(row(1, 0)->ebx, 0x00010800);
	assert_int_equal(row(4, 3)->eax, 0x00000163);
	build(3, 2);
	assert_int_equal(row(1, 0)->ebx, 0x02040800);
	assert_int_equal(row(4, 3)->eax, 0x0c00c163);
	assert_int_equal(row(4, 2)->eax, 0x0c000143);
	assert_int_equal(row(0, 0)->eax, 0x1f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cpu_has_its_place),
		cmocka_unit_test(test_caches),
		cmocka_unit_test(test_host_is_hidden),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
