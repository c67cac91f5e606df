// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed files: one row a format. A library that was not there when hvctl was built costs
 * its format; the row says what to do then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

#include "lib/memory.h"
#include "lib/progress.h"
#include "lib/util.h"
#include "unpack.h"

#define ROOM_FIRST (256 * HV_KIB)		/* bytes for what comes out, at first */
#define PIECE (4 * HV_MIB)		/* what comes out at once: then one hears of it */

enum result { DONE, DAMAGED, TRUNCATED, TOO_LARGE, NO_MEMORY };

/* Where what comes out goes. */
struct out {
	struct hv_file file;
	size_t room;
	uint64_t max;
	struct hv_progress progress;
};

/* Room for more; one byte above the maximum, so that the one too many shows. */
static __attribute__((unused)) enum result grow(struct out *out)
{
	size_t room = out->room ? out->room * 2 : ROOM_FIRST;
	void *data;

	if (out->file.size > out->max)
		return TOO_LARGE;
	if (room > out->max + 1)
		room = out->max + 1;
	data = realloc(out->file.data, room);
	if (!data)
		return NO_MEMORY;
	out->file.data = data;
	out->room = room;
	return DONE;
}

/* Bytes of the next piece of what comes out; 0: @result says why there is no room for it. */
static __attribute__((unused)) size_t next_piece(struct out *out, enum result *result)
{
	size_t room;

	hv_progress_tell(&out->progress, out->file.size, 0);
	if (out->file.size == out->room)
		*result = grow(out);
	if (*result != DONE)
		return 0;
	room = out->room - out->file.size;
	return room < PIECE ? room : PIECE;
}

static __attribute__((unused)) void move_behind(struct hv_file *in, size_t len)
{
	in->data += len;
	in->size -= len;
}

/* ------------------------------------------------------- one function a library */

/* Unpack one piece, from the first byte of @in, which moves behind it. */

#ifdef HV_HAVE_ZLIB
#define ZLIB unpack_zlib
static enum result unpack_zlib(struct hv_file *in, struct out *out)
{
	z_stream stream = { .next_in = in->data };
	enum result result = DONE;
	int status;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return NO_MEMORY;
	do {
		size_t left = in->data + in->size - stream.next_in;

		stream.avail_out = next_piece(out, &result);
		if (!stream.avail_out)
			break;
		stream.avail_in = left < HV_GIB ? left : HV_GIB;
		stream.next_out = out->file.data + out->file.size;
		status = inflate(&stream, Z_NO_FLUSH);
		out->file.size = stream.next_out - out->file.data;
		/* There is room: it is more of the file that it wants. */
		if (status == Z_BUF_ERROR)
			result = TRUNCATED;
		else if (status != Z_OK && status != Z_STREAM_END)
			result = status == Z_MEM_ERROR ? NO_MEMORY : DAMAGED;
	} while (result == DONE && status != Z_STREAM_END);
	inflateEnd(&stream);
	move_behind(in, stream.next_in - in->data);
	return result;
}
#else
#define ZLIB NULL
#endif

#ifdef HV_HAVE_LZMA
#define LZMA unpack_lzma
#define LZMA_MEMORY_MAX HV_GIB		/* of its dictionary */

static enum result lzma_result(lzma_ret status)
{
	switch (status) {
	case LZMA_OK:
	case LZMA_STREAM_END:
		return DONE;
	case LZMA_BUF_ERROR:
		return TRUNCATED;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return NO_MEMORY;
	default:
		return DAMAGED;
	}
}

/* Both of its formats: xz, and lzma alone. */
static enum result unpack_lzma(struct hv_file *in, struct out *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret status = lzma_auto_decoder(&stream, LZMA_MEMORY_MAX, 0);
	enum result result = lzma_result(status);

	stream.next_in = in->data;
	stream.avail_in = in->size;
	while (result == DONE && status != LZMA_STREAM_END) {
		stream.avail_out = next_piece(out, &result);
		if (!stream.avail_out)
			break;
		stream.next_out = out->file.data + out->file.size;
		status = lzma_code(&stream, LZMA_RUN);
		out->file.size = stream.next_out - out->file.data;
		result = lzma_result(status);
		/* It tells of missing input only when it was asked for more in vain. */
		if (status == LZMA_OK && !stream.avail_in && stream.avail_out)
			result = TRUNCATED;
	}
	lzma_end(&stream);
	move_behind(in, in->size - stream.avail_in);
	return result;
}
#else
#define LZMA NULL
#endif

#ifdef HV_HAVE_BZLIB
#define BZLIB unpack_bzlib
static enum result unpack_bzlib(struct hv_file *in, struct out *out)
{
	bz_stream stream = { .next_in = (char *)in->data };
	char *end = (char *)in->data + in->size;
	enum result result = DONE;
	int status;

	if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
		return NO_MEMORY;
	do {
		size_t left = end - stream.next_in;

		stream.avail_out = next_piece(out, &result);
		if (!stream.avail_out)
			break;
		stream.avail_in = left < HV_GIB ? left : HV_GIB;
		stream.next_out = (char *)out->file.data + out->file.size;
		status = BZ2_bzDecompress(&stream);
		out->file.size = (uint8_t *)stream.next_out - out->file.data;
		if (status == BZ_OK && stream.next_in == end && stream.avail_out)
			result = TRUNCATED;
		else if (status != BZ_OK && status != BZ_STREAM_END)
			result = status == BZ_MEM_ERROR ? NO_MEMORY : DAMAGED;
	} while (result == DONE && status != BZ_STREAM_END);
	BZ2_bzDecompressEnd(&stream);
	move_behind(in, in->size - (end - stream.next_in));
	return result;
}
#else
#define BZLIB NULL
#endif

#ifdef HV_HAVE_ZSTD
#define ZSTD unpack_zstd
static enum result unpack_zstd(struct hv_file *in, struct out *out)
{
	ZSTD_inBuffer from = { in->data, in->size, 0 };
	ZSTD_DStream *stream = ZSTD_createDStream();
	enum result result = stream ? DONE : NO_MEMORY;
	size_t left = 1;

	while (result == DONE && left) {
		size_t room = next_piece(out, &result);
		ZSTD_outBuffer to;

		if (!room)
			break;
		to = (ZSTD_outBuffer){ out->file.data, out->file.size + room, out->file.size };
		left = ZSTD_decompressStream(stream, &to, &from);
		out->file.size = to.pos;
		if (ZSTD_isError(left))
			result = DAMAGED;
		else if (left && from.pos == from.size && to.pos < to.size)
			result = TRUNCATED;
	}
	ZSTD_freeDStream(stream);
	move_behind(in, from.pos);
	return result;
}
#else
#define ZSTD NULL
#endif

#ifdef HV_HAVE_LZ4
#define LZ4 unpack_lz4
#define LZ4_LEGACY unpack_lz4_legacy
static enum result unpack_lz4(struct hv_file *in, struct out *out)
{
	LZ4F_dctx *context;
	enum result result = DONE;
	size_t at = 0, left = 1;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return NO_MEMORY;
	while (result == DONE && left) {
		size_t from = in->size - at, room = next_piece(out, &result), to = room;

		if (!room)
			break;
		left = LZ4F_decompress(context, out->file.data + out->file.size, &to, in->data + at,
				       &from, NULL);
		at += from;
		out->file.size += to;
		if (LZ4F_isError(left))
			result = DAMAGED;
		else if (left && at == in->size && to < room)
			result = TRUNCATED;
	}
	LZ4F_freeDecompressionContext(context);
	move_behind(in, at);
	return result;
}

#define LEGACY_BLOCK (8 * HV_MIB)	/* what one has unpacked, at most */

/*
 * Blocks behind their sizes, to the end of the file. A kernel that is cut out of its bzImage
 * ends with its unpacked size, which may look like one more.
 */
static enum result unpack_lz4_legacy(struct hv_file *in, struct out *out)
{
	size_t at = 4;

	while (in->size - at > 4) {
		size_t size = hv_file_field(in, at, 4);
		int got;

		hv_progress_tell(&out->progress, out->file.size, 0);
		if (!size || size > (size_t)LZ4_compressBound(LEGACY_BLOCK))
			break;
		at += 4;
		if (size > in->size - at)
			return TRUNCATED;
		while (out->room - out->file.size < LEGACY_BLOCK && out->room <= out->max) {
			enum result result = grow(out);

			if (result != DONE)
				return result;
		}
		got = out->room - out->file.size < LEGACY_BLOCK ?
			      (int)(out->room - out->file.size) :
			      (int)LEGACY_BLOCK;
		got = LZ4_decompress_safe((const char *)in->data + at,
					  (char *)out->file.data + out->file.size, size, got);
		if (got < 0)
			return out->room > out->max ? TOO_LARGE : DAMAGED;
		out->file.size += got;
		at += size;
	}
	if (at == 4)
		return in->size - at > 4 ? DAMAGED : TRUNCATED;
	move_behind(in, at);
	return DONE;
}
#else
#define LZ4 NULL
#define LZ4_LEGACY NULL
#endif

/* ------------------------------------------------------------------- formats */

static const struct format {
	const char *name;
	const char *magic;
	size_t len;
	const char *library;		/* what it takes, as it is packaged */
	const char *command;		/* what unpacks it without */
	/* NULL: hvctl was built without */
	enum result (*unpack)(struct hv_file *in, struct out *out);
} formats[] = {
	{ "gzip", "\x1f\x8b\x08", 3, "zlib", "gunzip", ZLIB },
	{ "xz", "\xfd\x37zXZ\0", 6, "liblzma", "unxz", LZMA },
	{ "lzma", "\x5d\0\0", 3, "liblzma", "unlzma", LZMA },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, "libzstd", "unzstd", ZSTD },
	{ "lz4", "\x04\x22\x4d\x18", 4, "liblz4", "unlz4", LZ4 },
	{ "lz4", "\x02\x21\x4c\x18", 4, "liblz4", "unlz4", LZ4_LEGACY },
	{ "bzip2", "BZh", 3, "libbz2", "bunzip2", BZLIB },
};

/* Three bytes say little: what else there must be. */
#define LZMA_SIZE 5			/* unpacked; all ones: not told */
#define LZMA_DATA 13
#define BZIP2_BLOCK 4

static bool is_likely(const struct format *format, const struct hv_file *file)
{
	uint64_t size;

	if (format->magic[0] == 'B')
		return hv_file_has(file, BZIP2_BLOCK, "\x31\x41\x59\x26\x53\x59", 6);
	if (format->magic[0] != 0x5d)
		return true;
	if (file->size <= LZMA_DATA || file->data[LZMA_DATA])
		return false;
	size = hv_file_field(file, LZMA_SIZE, 8);
	return size == UINT64_MAX || size < 1024 * HV_GIB;
}

static const struct format *find_format(const struct hv_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (hv_file_has(file, 0, formats[i].magic, formats[i].len) &&
		    is_likely(&formats[i], file))
			return &formats[i];
	return NULL;
}

const char *hv_unpack_format(const struct hv_file *file)
{
	const struct format *format = find_format(file);

	return format ? format->name : NULL;
}

static int refuse(const struct format *format, enum result result, uint64_t max,
		  struct hv_error *err)
{
	switch (result) {
	case TRUNCATED:
		return hv_fail(err, ENOEXEC, "is compressed by %s and ends too early; get it again",
			       format->name);
	case TOO_LARGE:
		return hv_fail(
			err, EFBIG,
			"is compressed by %s, and more than %llu MiB are in it; use a larger --mem, or see whether it is a kernel by %s",
			format->name, (unsigned long long)(max / HV_MIB), format->command);
	case NO_MEMORY:
		return hv_fail(
			err, ENOMEM,
			"is compressed by %s, and there is not enough memory to unpack it; close something",
			format->name);
	default:
		return hv_fail(err, ENOEXEC, "is compressed by %s and damaged; get it again",
			       format->name);
	}
}

/* Behind a kernel that is cut out of its bzImage is its size, which may look like a magic. */
#define SIZE_BEHIND 4

static bool goes_on(const struct format *format, const struct hv_file *rest)
{
	return rest->size > SIZE_BEHIND && find_format(rest) == format;
}

int hv_unpack(struct hv_file *file, uint64_t max, struct hv_error *err)
{
	const struct format *format = find_format(file);
	struct out out = { .max = max, .progress = hv_progress_begin("unpacking") };
	struct hv_file rest = *file;
	enum result result;

	if (!format->unpack)
		return hv_fail(
			err, EOPNOTSUPP,
			"is compressed by %s, and this hvctl is built without %s; unpack it by %s first",
			format->name, format->library, format->command);
	do
		result = format->unpack(&rest, &out);
	while (result == DONE && goes_on(format, &rest));
	hv_progress_end(&out.progress);
	if (result == DONE && out.file.size > max)
		result = TOO_LARGE;
	if (result == DONE && !out.file.size) {
		hv_file_free(&out.file);
		return hv_fail(err, EINVAL,
			       "is compressed by %s, and nothing is in it; make it anew",
			       format->name);
	}
	if (result != DONE) {
		hv_file_free(&out.file);
		return refuse(format, result, max, err);
	}
	hv_file_free(file);
	*file = out.file;
	hv_file_give_back(file);
	return 0;
}
