/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the loaders share: files from memory, and payloads made of them. */
#ifndef HV_TESTS_LOAD_TEST_H
#define HV_TESTS_LOAD_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv_test.h"
#include "load/protocol.h"

/* e_ident of an ELF file of ELFCLASS32 or ELFCLASS64 */
#define ELF_IDENT(class) \
	{ ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, class, ELFDATA2LSB, EV_CURRENT }

struct test_file {
	int fd;
	char path[32];
};

static inline struct test_file test_file(const void *data, size_t size)
{
	struct test_file file = { .fd = memfd_create("test", 0) };

	assert_true(file.fd >= 0);
	assert_int_equal(write(file.fd, data, size), size);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static inline struct test_file test_blank_file(size_t size)
{
	struct test_file file = test_file("", 0);

	assert_int_equal(ftruncate(file.fd, size), 0);
	return file;
}

/* One machine's worth of loading. */
struct load_test {
	struct hv_memory memory;
	struct hv_payload_config config;
	struct hv_payload payload;
	struct hv_boot_env env;
	struct hv_boot boot;
	struct hv_error err;
	struct test_file file[16];
	unsigned int files;
};

static inline void load_test_begin(struct load_test *t, uint64_t ram)
{
	memset(t, 0, sizeof(*t));
	test_memory(&t->memory, ram);
	t->env.huge_1g = true;
	t->env.signature = 0x50654;
	t->config = (struct hv_payload_config)HV_PAYLOAD_CONFIG_DEFAULT;
}

static inline const char *load_test_file(struct load_test *t, const void *data, size_t size)
{
	t->file[t->files] = data ? test_file(data, size) : test_blank_file(size);
	return t->file[t->files++].path;
}

static inline void load_test_end(struct load_test *t)
{
	for (unsigned int i = 0; i < t->files; i++)
		close(t->file[i].fd);
	hv_payload_free(&t->payload);
	hv_memory_exit(&t->memory);
}

/* The machine @t of a program's tests, and what begins and ends each of them. */
#define DEFINE_LOAD_TEST(ram)                    \
	static struct load_test t;               \
	static int begin(void **state)           \
	{                                        \
		(void)state;                     \
		load_test_begin(&t, ram);        \
		return 0;                        \
	}                                        \
	static int end(void **state)             \
	{                                        \
		(void)state;                     \
		load_test_end(&t);               \
		return 0;                        \
	}

static inline void load_test_accept(struct load_test *t)
{
	hv_payload_free(&t->payload);
	if (hv_payload_read(&t->payload, &t->config, &t->memory, &t->err))
		fail_msg("refused: %s", t->err.text);
	hv_payload_start(&t->payload, &t->memory, &t->env, &t->boot);
}

/* It is refused in one line that has @with in it, and says how to mend it. */
static inline void load_test_refuse(struct load_test *t, const char *with)
{
	hv_payload_free(&t->payload);
	assert_true(hv_payload_read(&t->payload, &t->config, &t->memory, &t->err) < 0);
	if (!strstr(t->err.text, with))
		fail_msg("\"%s\" does not say \"%s\"", t->err.text, with);
	if (!strchr(t->err.text, ';'))
		fail_msg("\"%s\" does not say how to mend it", t->err.text);
	assert_null(strchr(t->err.text, '\n'));
	assert_non_null(t->payload.subject);
}

/* Guest RAM, wherever the guest is told to look. */
static inline uint64_t load_test_get(const struct load_test *t, uint64_t gpa, size_t len)
{
	return test_get(&t->memory, gpa, len);
}

static inline const char *load_test_string(const struct load_test *t, uint64_t gpa)
{
	const char *text = hv_memory_at(&t->memory, gpa, 1);

	assert_non_null(text);
	return text;
}

#endif
