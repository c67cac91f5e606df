// SPDX-License-Identifier: GPL-2.0-only
/* Compressed files: whole, cut off, damaged, too large, by each library that there is. */
#ifdef HV_HAVE_BZLIB
#include <bzlib.h>
#endif
#ifdef HV_HAVE_LZ4
#include <lz4.h>
#include <lz4frame.h>
#endif
#ifdef HV_HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HV_HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HV_HAVE_ZSTD
#include <zstd.h>
#endif

#include "lib/util.h"
#include "load/unpack.h"
#include "load_test.h"

#define LARGE (600 * HV_KIB)		/* more than there is room for at first */
#define ROOM (2 * HV_MIB)
#define SMALL 300

/* A function a format: compress @size bytes at @data into ROOM bytes at @out, return how many. */
#ifdef HV_HAVE_ZLIB
static size_t pack_gzip(const uint8_t *data, size_t size, uint8_t *out)
{
	z_stream stream = {
		.next_in = (uint8_t *)data,
		.avail_in = size,
		.next_out = out,
		.avail_out = ROOM,
	};

	assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}
#else
#define pack_gzip NULL
#endif

#ifdef HV_HAVE_LZMA
static size_t pack_xz(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t len = 0;

	assert_int_equal(
		lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, size, out, &len, ROOM),
		LZMA_OK);
	return len;
}

static size_t pack_lzma(const uint8_t *data, size_t size, uint8_t *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 0);
	options.dict_size = 1 << 16;
	assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
	stream.next_in = data;
	stream.avail_in = size;
	stream.next_out = out;
	stream.avail_out = ROOM;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&stream);
	return ROOM - stream.avail_out;
}
#else
#define pack_xz NULL
#define pack_lzma NULL
#endif

#ifdef HV_HAVE_ZSTD
static size_t pack_zstd(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t len = ZSTD_compress(out, ROOM, data, size, 1);

	assert_false(ZSTD_isError(len));
	return len;
}
#else
#define pack_zstd NULL
#endif

#ifdef HV_HAVE_LZ4
static size_t pack_lz4(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t len = LZ4F_compressFrame(out, ROOM, data, size, NULL);

	assert_false(LZ4F_isError(len));
	return len;
}

static size_t pack_lz4_legacy(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t at = 4;

	memcpy(out, "\x02\x21\x4c\x18", 4);
	while (size) {
		size_t part = size < 8 * HV_MIB ? size : 8 * HV_MIB;
		int len = LZ4_compress_default((const char *)data, (char *)out + at + 4, part,
					       ROOM - at - 4);

		assert_true(len > 0);
		memcpy(out + at, &len, 4);
		at += 4 + len;
		data += part;
		size -= part;
	}
	return at;
}
#else
#define pack_lz4 NULL
#define pack_lz4_legacy NULL
#endif

#ifdef HV_HAVE_BZLIB
static size_t pack_bzip2(const uint8_t *data, size_t size, uint8_t *out)
{
	unsigned int len = ROOM;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &len, (char *)data, size, 1, 0, 0),
			 BZ_OK);
	return len;
}
#else
#define pack_bzip2 NULL
#endif

static const struct packer {
	const char *name;
	size_t (*pack)(const uint8_t *data, size_t size, uint8_t *out);
	bool sums;			/* there is a checksum: what is wrong shows */
} packers[] = {
	{ "gzip", pack_gzip, true },
	{ "xz", pack_xz, true },
	{ "lzma", pack_lzma, false },
	{ "zstd", pack_zstd, false },
	{ "lz4", pack_lz4, false },
	{ "lz4", pack_lz4_legacy, false },
	{ "bzip2", pack_bzip2, true },
};

static uint8_t *plain, *packed;

/* Little of it repeats: what comes out is larger than any buffer in between. */
static int begin(void **state)
{
	uint32_t value = 1;

	(void)state;
	plain = malloc(LARGE);
	packed = malloc(ROOM);
	if (!plain || !packed)
		return -1;
	for (size_t i = 0; i < LARGE; i++) {
		value = value * 1664525 + 1013904223;
		plain[i] = i % 16 < 2 ? value >> 24 : i >> 10;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(plain);
	free(packed);
	return 0;
}

/* A copy, so that ASan sees its end. */
static struct hv_file file_of(const uint8_t *data, size_t size)
{
	struct hv_file file = { malloc(size), size };

	assert_non_null(file.data);
	memcpy(file.data, data, size);
	return file;
}

static void accept(const char *name, size_t packed_size, size_t size, uint64_t max)
{
	struct hv_file file = file_of(packed, packed_size);
	struct hv_error err;

	assert_string_equal(hv_unpack_format(&file), name);
	if (hv_unpack(&file, max, &err))
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(file.size, size);
	assert_memory_equal(file.data, plain, size);
	hv_file_free(&file);
}

static void refuse(const char *name, size_t packed_size, uint64_t max, const char *with)
{
	struct hv_file file = file_of(packed, packed_size);
	uint8_t *before = file.data;
	struct hv_error err = { .text = "" };

	assert_string_equal(hv_unpack_format(&file), name);
	assert_true(hv_unpack(&file, max, &err) < 0);
	if (!strstr(err.text, with) || !strstr(err.text, name) || !strchr(err.text, ';'))
		fail_msg("\"%s\" does not say \"%s\", \"%s\" and how to mend it", err.text, name,
			 with);
	/* It is as it was. */
	assert_ptr_equal(file.data, before);
	assert_int_equal(file.size, packed_size);
	hv_file_free(&file);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];
		size_t len;

		if (!p->pack) {
			print_message("skipped: built without the library for %s\n", p->name);
			continue;
		}
		len = p->pack(plain, LARGE, packed);
		accept(p->name, len, LARGE, LARGE);
		/* A kernel that is cut out of a bzImage has its size behind it. */
		memcpy(packed + len, "\xff\xff\xff\x7f", 4);
		accept(p->name, len + 4, LARGE, UINT32_MAX);
		len = p->pack(plain, 1, packed);
		accept(p->name, len, 1, 1);
	}
}

/* In pieces, one behind the other, as those make them that compress on several CPUs. */
static void test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];
		size_t first, len;

		if (!p->pack)
			continue;
		first = p->pack(plain, SMALL, packed);
		len = first + p->pack(plain + SMALL, LARGE - SMALL, packed + first);
		accept(p->name, len, LARGE, LARGE);
		refuse(p->name, len, LARGE - 1, "more than 0 MiB are in it");
		refuse(p->name, len - 5, LARGE, "ends too early");
		/* The magic number alone is a kernel's size. */
		memcpy(packed + first, packed, 4);
		accept(p->name, first + 4, SMALL, LARGE);
	}
}

static void test_too_large(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];
		size_t len;

		if (!p->pack)
			continue;
		len = p->pack(plain, LARGE, packed);
		refuse(p->name, len, LARGE - 1, "more than 0 MiB are in it");
		len = p->pack(plain, 1000, packed);
		refuse(p->name, len, 999, "more than 0 MiB are in it");
	}
}

/* Cut off anywhere, nobody takes it for the whole. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];
		size_t len = p->pack ? p->pack(plain, SMALL, packed) : 0;

		for (size_t size = 14; size < len; size++)
			refuse(p->name, size, LARGE, "ends too early");
	}
}

/* With a byte changed, it is refused, or read as what it then is: by a checksum, the same. */
static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		const struct packer *p = &packers[i];
		size_t len = p->pack ? p->pack(plain, SMALL, packed) : 0;
		unsigned int refused = 0;

		for (size_t at = 14; at < len; at++) {
			struct hv_file file = file_of(packed, len);
			struct hv_error err = { .text = "" };

			file.data[at] ^= 0x41;
			if (hv_unpack(&file, LARGE, &err)) {
				refused++;
				assert_non_null(strchr(err.text, ';'));
			} else if (p->sums) {
				assert_int_equal(file.size, SMALL);
				assert_memory_equal(file.data, plain, SMALL);
			}
			hv_file_free(&file);
		}
		if (len)
			assert_true(refused > 0);
	}
}

/* Of lz4's old format: more than one block of 8 MiB. */
static void test_legacy_blocks(void **state)
{
	size_t size = 8 * HV_MIB + 1, len;
	uint8_t *zeroes = calloc(1, size);
	struct hv_file file;
	struct hv_error err;

	(void)state;
	if (!packers[5].pack) {
		free(zeroes);
		skip();
	}
	assert_non_null(zeroes);
	len = packers[5].pack(zeroes, size, packed);
	file = file_of(packed, len);
	assert_int_equal(hv_unpack(&file, size, &err), 0);
	assert_int_equal(file.size, size);
	assert_memory_equal(file.data, zeroes, size);
	hv_file_free(&file);
	refuse("lz4", len, size - 1, "more than 8 MiB");
	free(zeroes);
}

static void test_empty(void **state)
{
	size_t len;

	(void)state;
	if (!packers[0].pack)
		skip();
	len = packers[0].pack(plain, 0, packed);
	refuse("gzip", len, LARGE, "nothing is in it");
}

static void check_none(const void *data, size_t size)
{
	struct hv_file file = file_of(data, size);

	assert_null(hv_unpack_format(&file));
	hv_file_free(&file);
}

/* What only begins like one. */
static void test_others(void **state)
{
	(void)state;
	check_none("\x1f\x8b", 2);
	check_none("BZh9 is no bzip2 file", 21);
	check_none("\x5d\0\0\0\1AAAAAAAA\0", 14);
	check_none("\x5d\0\0\0\1\0\0\0\0\0\0\0\0\1", 14);
	check_none("\x5d\0\0\0\1\0\0\0\0\0\0\0\0", 13);
}

/* The image is unpacked, and then is what it is. */
static void test_payload(void **state)
{
	struct load_test t;
	size_t len;

	(void)state;
	if (!packers[0].pack)
		skip();
	load_test_begin(&t, 2 * HV_MIB);
	len = packers[0].pack((const uint8_t *)"\xf4\xf4", 2, packed);
	t.config.path = load_test_file(&t, packed, len);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	assert_string_equal(t.payload.packed, "gzip");
	assert_int_equal(t.payload.image.file_size, 2);
	assert_int_equal(load_test_get(&t, 0x100000, 3), 0xf4f4);
	/* Meant as it is */
	t.config.boot = "flat";
	load_test_accept(&t);
	assert_null(t.payload.packed);
	assert_int_equal(t.payload.image.file_size, len);
	/* A module is the guest's own affair. */
	t.config.boot = NULL;
	t.config.path = load_test_file(&t, packed, len - 1);
	load_test_refuse(&t, "ends too early");
	assert_string_equal(t.payload.subject, t.config.path);
	memcpy(plain + LARGE - len, packed, len);
	len = packers[0].pack(plain + LARGE - len, len, packed);
	t.config.path = load_test_file(&t, packed, len);
	load_test_refuse(&t, "more than once");
	load_test_end(&t);
}

/* More than is read at first: behind a name of 16 MiB, which unpackers do not care about. */
static void test_large_payload(void **state)
{
	size_t size = HV_FILE_HEAD + HV_MIB, len;
	uint8_t *bytes = malloc(size);
	struct load_test t;

	(void)state;
	assert_non_null(bytes);
	if (!packers[0].pack) {
		free(bytes);
		skip();
	}
	len = packers[0].pack(plain, LARGE, packed);
	memset(bytes, 'n', size);
	memcpy(bytes, "\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
	bytes[HV_FILE_HEAD] = 0;
	memcpy(bytes + HV_FILE_HEAD + 1, packed + 10, len - 10);
	load_test_begin(&t, 2 * HV_MIB);
	t.config.path = load_test_file(&t, bytes, size);
	free(bytes);
	load_test_accept(&t);
	assert_memory_equal(hv_memory_at(&t.memory, 0x100000, LARGE), plain, LARGE);
	load_test_end(&t);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_whole),   T(test_pieces),        T(test_too_large), T(test_truncated),
		T(test_damaged), T(test_legacy_blocks), T(test_empty),     T(test_others),
		T(test_payload), T(test_large_payload),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
