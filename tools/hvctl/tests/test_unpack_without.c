// SPDX-License-Identifier: GPL-2.0-only
/* hvctl as it is built where no library for compressed files is: it knows them all the same. */
#undef HV_HAVE_BZLIB
#undef HV_HAVE_LZ4
#undef HV_HAVE_LZMA
#undef HV_HAVE_ZLIB
#undef HV_HAVE_ZSTD
#include "load/unpack.c"

#include "load_test.h"

struct sample {
	const char *bytes;
	size_t len;
	const char *format, *library, *command;
};

#define BYTES(b) b, sizeof(b) - 1

static const struct sample samples[] = {
	{ BYTES("\x1f\x8b\x08"), "gzip", "zlib", "gunzip" },
	{ BYTES("\xfd\x37zXZ\0"), "xz", "liblzma", "unxz" },
	{ BYTES("\x5d\0\0\1\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), "lzma", "liblzma", "unlzma" },
	{ BYTES("\x28\xb5\x2f\xfd"), "zstd", "libzstd", "unzstd" },
	{ BYTES("\x04\x22\x4d\x18"), "lz4", "liblz4", "unlz4" },
	{ BYTES("\x02\x21\x4c\x18"), "lz4", "liblz4", "unlz4" },
	{ BYTES("BZh91AY&SY"), "bzip2", "libbz2", "bunzip2" },
};

static void test_without(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(samples), ARRAY_SIZE(formats));
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		struct load_test t;
		char with[100];

		load_test_begin(&t, 2 * HV_MIB);
		t.config.path = load_test_file(&t, s->bytes, s->len);
		snprintf(
			with, sizeof(with),
			"is compressed by %s, and this hvctl is built without %s; unpack it by %s first",
			s->format, s->library, s->command);
		load_test_refuse(&t, with);
		assert_string_equal(t.payload.subject, t.config.path);
		load_test_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests_name("unpack without libraries", tests, NULL, NULL);
}
