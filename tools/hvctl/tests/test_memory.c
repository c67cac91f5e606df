// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: its size, the gap below 4 GiB, what lies inside. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv_test.h"
#include "lib/util.h"

static void test_one_range(void **state)
{
	struct hv_memory memory;

	(void)state;
	test_memory(&memory, 16 * HV_MIB);
	assert_int_equal(memory.count, 1);
	assert_int_equal((uintptr_t)memory.range[0].hva % (2 * HV_MIB), 0);
	assert_ptr_equal(hv_memory_at(&memory, 0, 16 * HV_MIB), memory.range[0].hva);
	assert_ptr_equal(hv_memory_at(&memory, 16 * HV_MIB - 1, 1),
			 memory.range[0].hva + 16 * HV_MIB - 1);
	assert_null(hv_memory_at(&memory, 16 * HV_MIB - 1, 2));
	assert_null(hv_memory_at(&memory, 16 * HV_MIB, 1));
	assert_null(hv_memory_at(&memory, 8, UINT64_MAX));
	assert_null(hv_memory_at(&memory, UINT64_MAX, 1));
	assert_null(hv_memory_at(&memory, UINT64_MAX, 2));
	hv_memory_exit(&memory);
	assert_null(hv_memory_at(&memory, 0, 1));
}

static void test_gap(void **state)
{
	struct hv_memory memory;
	struct hv_error err;

	(void)state;
	/* Nothing of it is touched: no host is too small for that. */
	assert_int_equal(hv_memory_init(&memory, 4 * HV_GIB, &err), 0);
	assert_int_equal(memory.count, 2);
	assert_int_equal(hv_memory_low_end(&memory), 3 * HV_GIB);
	assert_non_null(hv_memory_at(&memory, 3 * HV_GIB - 8, 8));
	assert_null(hv_memory_at(&memory, 3 * HV_GIB - 4, 8));
	assert_null(hv_memory_at(&memory, 0xfee00000, 4));
	assert_ptr_equal(hv_memory_at(&memory, 4 * HV_GIB, HV_GIB),
			 memory.range[0].hva + 3 * HV_GIB);
	assert_null(hv_memory_at(&memory, 4 * HV_GIB, HV_GIB + 1));
	assert_null(hv_memory_at(&memory, 5 * HV_GIB, 1));
	hv_memory_exit(&memory);
}

static void test_more_than_the_host_has(void **state)
{
	uint64_t host = hv_memory_of_host();
	struct hv_memory memory;
	struct hv_error err;

	(void)state;
	assert_true(host >= 64 * HV_MIB);
	test_memory(&memory, (2 * host + HV_GIB) & ~(HV_MIB - 1));
	hv_memory_exit(&memory);
	assert_int_equal(hv_memory_init_shared(&memory, 2 * host & ~(HV_MIB - 1), &err), 0);
	assert_int_equal(hv_memory_write(&memory, HV_MIB, "x", 1), 0);
	hv_memory_exit(&memory);
}

static void test_sizes_refused(void **state)
{
	static const uint64_t sizes[] = { 0,          1,          4096,       HV_MIB - 4096,
					  HV_MIB + 1, 1ULL << 60, UINT64_MAX, ~0xfffULL };
	struct hv_memory memory;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct hv_error err = { .text = "" };

		assert_true(hv_memory_init(&memory, sizes[i], &err) < 0);
		assert_non_null(strchr(err.text, ';'));
		hv_memory_exit(&memory);
	}
}

/* ------------------------------------------------------------ from outside */

static uint64_t dirty_gpa, dirty_len;
static unsigned int dirtied;

static void note(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	dirty_gpa = gpa;
	dirty_len = len;
	dirtied++;
}

static void test_accessor(void **state)
{
	struct hv_memory memory;
	struct hv_error err;
	uint32_t value = 1;

	(void)state;
	test_memory(&memory, HV_MIB);
	assert_int_equal(hv_memory_add_rom(&memory, 4096, &err), 0);
	memory.dirtied = note;
	dirtied = 0;
	assert_int_equal(hv_memory_write(&memory, HV_MIB - 4, "abc", 4), 0);
	assert_int_equal(dirtied, 1);
	assert_int_equal(dirty_gpa, HV_MIB - 4);
	assert_int_equal(dirty_len, 4);
	assert_int_equal(hv_memory_read(&memory, HV_MIB - 4, &value, 4), 0);
	assert_int_equal(value, 0x636261);
	/* Half of it is not there: nothing is done. */
	assert_int_equal(hv_memory_write(&memory, HV_MIB - 2, "xyz", 4), -EFAULT);
	assert_int_equal(hv_memory_read(&memory, HV_MIB - 2, &value, 4), -EFAULT);
	assert_int_equal(hv_memory_read(&memory, UINT64_MAX, &value, 4), -EFAULT);
	assert_int_equal(value, 0x636261);
	assert_int_equal(dirtied, 1);
	assert_int_equal(hv_memory_write(&memory, 0xfffffffc, "rom", 4), 0);
	assert_int_equal(hv_memory_read(&memory, 0xfffffffc, &value, 4), 0);
	assert_int_equal(value, 0x6d6f72);
	hv_memory_clear(&memory);
	assert_int_equal(dirty_len, HV_MIB);
	assert_int_equal(hv_memory_read(&memory, HV_MIB - 4, &value, 4), 0);
	assert_int_equal(value, 0);
	hv_memory_exit(&memory);
}

/* /proc/self/pagemap: the page is in this process's page tables. */
static bool is_mapped(const void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, 8, (uintptr_t)page / 4096 * 8), 8);
	close(fd);
	return entry >> 63;
}

#define WRITES 20000

static atomic_bool written;

/* A vCPU at the page that is being flushed. */
static void *writer(void *page)
{
	for (uint32_t i = 1; i <= WRITES; i++)
		*(volatile uint32_t *)page = i;
	atomic_store(&written, true);
	return NULL;
}

static void test_flush(void **state)
{
	struct hv_memory memory;
	struct hv_error err;
	pthread_t thread;
	uint8_t *page;

	(void)state;
	assert_int_equal(hv_memory_init_shared(&memory, 2 * HV_MIB, &err), 0);
	assert_int_equal(hv_memory_add_rom(&memory, 4096, &err), 0);
	assert_int_equal(hv_memory_write(&memory, 0x1000, "kept", 5), 0);
	page = hv_memory_at(&memory, 0x1000, 4096);
	assert_true(is_mapped(page));
	hv_memory_flush_page(&memory, 0x1000);
	assert_false(is_mapped(page));
	assert_string_equal(page, "kept");

	atomic_store(&written, false);
	assert_int_equal(pthread_create(&thread, NULL, writer, page), 0);
	while (!atomic_load(&written))
		hv_memory_flush_page(&memory, 0x1000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(*(uint32_t *)page, WRITES);
	/* What is no RAM. */
	assert_int_equal(hv_memory_write(&memory, 0xfffff000, "rom", 4), 0);
	hv_memory_flush_page(&memory, 0xfffff000);
	assert_string_equal(hv_memory_at(&memory, 0xfffff000, 4), "rom");
	hv_memory_flush_page(&memory, 2 * HV_MIB);
	hv_memory_flush_page(&memory, UINT64_MAX & ~0xfffULL);
	hv_memory_exit(&memory);
}

static void test_shared(void **state)
{
	struct hv_memory memory, other, small;
	struct hv_error err = { .text = "" };
	char text[8] = "";
	int fd;

	(void)state;
	assert_int_equal(hv_memory_init_shared(&memory, 2 * HV_MIB, &err), 0);
	assert_int_equal(hv_memory_write(&memory, 0x1000, "kept", 5), 0);
	assert_int_equal(hv_memory_init_fd(&small, memory.fd, HV_MIB, &err), -EINVAL);
	assert_non_null(strchr(err.text, ';'));
	fd = dup(memory.fd);
	assert_int_equal(ftruncate(fd, 0), -1);
	hv_memory_exit(&memory);
	assert_int_equal(hv_memory_init_fd(&other, fd, 2 * HV_MIB, &err), 0);
	assert_int_equal(hv_memory_read(&other, 0x1000, text, 5), 0);
	assert_string_equal(text, "kept");
	hv_memory_clear(&other);
	assert_int_equal(hv_memory_read(&other, 0x1000, text, 5), 0);
	assert_string_equal(text, "");
	hv_memory_exit(&other);
	hv_memory_exit(&other);
	close(fd);
}

static void check_discard(struct hv_memory *memory)
{
	uint8_t *page = hv_memory_at(memory, 0x3000, 4096);
	struct hv_error err;

	assert_int_equal(hv_memory_add_rom(memory, 4096, &err), 0);
	/* Pages of 4 KiB: the host may give more at once. */
	(void)madvise(memory->range[0].hva, memory->size, MADV_NOHUGEPAGE);
	memory->dirtied = note;
	for (uint64_t gpa = 0; gpa < memory->size; gpa += 4096)
		memset(hv_memory_at(memory, gpa, 4096), 0x5a, 4096);
	assert_int_equal(hv_memory_resident(memory), memory->size);
	dirtied = 0;
	assert_int_equal(hv_memory_discard(memory, 0x3000, 0x2000), 0);
	assert_int_equal(dirtied, 1);
	assert_int_equal(dirty_gpa, 0x3000);
	assert_int_equal(dirty_len, 0x2000);
	assert_int_equal(hv_memory_resident(memory), memory->size - 0x2000);
	assert_int_equal(page[0], 0);
	assert_int_equal(page[0x1fff], 0);
	assert_int_equal(page[-1], 0x5a);
	assert_int_equal(page[0x2000], 0x5a);
	/* Twice, and what is no RAM. */
	assert_int_equal(hv_memory_discard(memory, 0x3000, 0x1000), 0);
	dirtied = 0;
	assert_int_equal(hv_memory_write(memory, 0xfffff000, "rom", 4), 0);
	assert_int_equal(hv_memory_discard(memory, 0xfffff000, 0x1000), -EFAULT);
	assert_string_equal(hv_memory_at(memory, 0xfffff000, 4), "rom");
	assert_int_equal(hv_memory_discard(memory, memory->size, 0x1000), -EFAULT);
	assert_int_equal(hv_memory_discard(memory, memory->size - 0x1000, 0x2000), -EFAULT);
	assert_int_equal(hv_memory_discard(memory, 0x1000, ~0xfffull), -EFAULT);
	assert_int_equal(*(uint8_t *)hv_memory_at(memory, memory->size - 1, 1), 0x5a);
	assert_int_equal(dirtied, 1);
}

static void test_discard(void **state)
{
	struct hv_memory memory;
	struct hv_error err;

	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	check_discard(&memory);
	hv_memory_exit(&memory);
	assert_int_equal(hv_memory_init_shared(&memory, 2 * HV_MIB, &err), 0);
	check_discard(&memory);
	/* Locked memory cannot go. */
	if (!mlock(hv_memory_at(&memory, 0x8000, 0x1000), 0x1000)) {
		assert_int_equal(hv_memory_discard(&memory, 0x8000, 0x1000), 0);
		assert_int_equal(test_get(&memory, 0x8ff8, 8), 0);
	}
	hv_memory_exit(&memory);
}

static void test_find(void **state)
{
	struct hv_memory memory;
	uint64_t gpa;

	(void)state;
	test_memory(&memory, HV_GAP_BEGIN + HV_MIB);
	assert_true(hv_memory_find(&memory, hv_memory_at(&memory, 0x1234, 1), &gpa));
	assert_int_equal(gpa, 0x1234);
	assert_true(hv_memory_find(&memory, hv_memory_at(&memory, HV_GAP_END + 0x1234, 1), &gpa));
	assert_int_equal(gpa, HV_GAP_END + 0x1234);
	assert_false(hv_memory_find(&memory, memory.range[0].hva - 1, &gpa));
	assert_false(hv_memory_find(&memory, memory.range[1].hva + HV_MIB, &gpa));
	hv_memory_exit(&memory);
}

/* More than there are addresses: refused, and nothing is left open. */
static void test_no_addresses(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC), next = dup(fd);
	struct hv_error err = { .text = "" };
	struct hv_memory memory;

	(void)state;
	close(next);
	assert_int_equal(ftruncate(fd, 1LL << 60), 0);
	assert_int_equal(hv_memory_init_fd(&memory, fd, 1ULL << 60, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "no address space"));
	hv_memory_exit(&memory);
	assert_int_equal(dup(fd), next);
	close(next);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_range),     cmocka_unit_test(test_gap),
		cmocka_unit_test(test_sizes_refused), cmocka_unit_test(test_more_than_the_host_has),
		cmocka_unit_test(test_accessor),      cmocka_unit_test(test_shared),
		cmocka_unit_test(test_no_addresses),  cmocka_unit_test(test_flush),
		cmocka_unit_test(test_discard),       cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
