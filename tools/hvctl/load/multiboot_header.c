// SPDX-License-Identifier: GPL-2.0-only
/* Multiboot headers of both versions: finding them, and what they have in common. */
#include <errno.h>

#include "multiboot_header.h"
#include "stranger.h"

static uint32_t sum(const struct hv_multiboot_kind *kind, const struct hv_file *file, size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < kind->size; i += 4)
		sum += hv_file_field(file, at + i, 4);
	return sum;
}

static bool has_magic(const struct hv_multiboot_kind *kind, const struct hv_file *file, size_t at)
{
	return hv_file_field(file, at, 4) == kind->magic &&
	       !(hv_file_field(file, at + 4, 4) & ~(uint64_t)kind->flags_known);
}

static size_t search_end(const struct hv_file *file, size_t limit)
{
	return file->size < limit ? file->size : limit;
}

bool hv_multiboot_find(const struct hv_multiboot_kind *kind, const struct hv_file *file,
		       size_t *header)
{
	size_t end = search_end(file, kind->search);

	for (*header = 0; *header + kind->size <= end; *header += kind->align)
		if (hv_file_field(file, *header, 4) == kind->magic && !sum(kind, file, *header))
			return true;
	return false;
}

static bool refuse_checksum(const struct hv_multiboot_kind *kind, const struct hv_file *file,
			    size_t at, struct hv_error *err)
{
	uint32_t checksum = hv_file_field(file, at + kind->size - 4, 4);

	hv_fail(err, ENOEXEC,
		"has a %s header at 0x%zx with checksum 0x%x, which would have to be 0x%x; mend the header, or ignore it by --boot elf or flat",
		kind->name, at, checksum, checksum - sum(kind, file, at));
	return true;
}

static bool refuse_place(const struct hv_multiboot_kind *kind, size_t at, struct hv_error *err)
{
	if (at + kind->size > kind->search)
		hv_fail(err, ENOEXEC,
			"has its %s header at 0x%zx, behind the first %zu bytes, where it counts; link its section first, with -z max-page-size=0x1000, or use --boot elf or flat",
			kind->name, at, kind->search);
	else
		hv_fail(err, ENOEXEC,
			"has its %s header at 0x%zx, which is no multiple of %zu, as it has to be; align it, or use --boot elf or flat",
			kind->name, at, kind->align);
	return true;
}

bool hv_multiboot_find_bad(const struct hv_multiboot_kind *kind, const struct hv_file *file,
			   struct hv_error *err)
{
	/* Where none should be, too */
	size_t end = search_end(file, HV_FILE_HEAD);

	for (size_t at = 0; at + kind->size <= end; at += 4) {
		bool placed = at % kind->align == 0 && at + kind->size <= kind->search;

		if (!has_magic(kind, file, at))
			continue;
		if (placed)
			return refuse_checksum(kind, file, at, err);
		/* Elsewhere the magic may be a number in the code. */
		if (!sum(kind, file, at))
			return refuse_place(kind, at, err);
	}
	return false;
}

int hv_multiboot_refuse_unplaced(const struct hv_multiboot_kind *kind, const struct hv_file *file,
				 struct hv_error *err)
{
	const char *stranger = hv_stranger(file);

	if (stranger)
		return hv_fail(err, ENOEXEC, "%s", stranger);
	return hv_fail(err, ENOEXEC,
		       "is neither ELF nor are there addresses in its %s header; mend the header",
		       kind->name);
}

int hv_multiboot_load_by_addresses(struct hv_image *image, const struct hv_file *file,
				   size_t header, struct hv_multiboot_addresses a,
				   struct hv_error *err)
{
	uint64_t offset;

	if (a.load > a.header || a.header - a.load > header)
		return hv_fail(
			err, ENOEXEC,
			"multiboot load address 0x%llx does not fit its header at 0x%llx; mend the header",
			(unsigned long long)a.load, (unsigned long long)a.header);
	offset = header - (a.header - a.load);
	if (!a.load_end)
		a.load_end = a.load + (file->size - offset);
	if (a.load_end <= a.load || (a.bss_end && a.bss_end < a.load_end))
		return hv_fail(
			err, ENOEXEC,
			"multiboot addresses 0x%llx, 0x%llx, 0x%llx do not ascend; mend the header",
			(unsigned long long)a.load, (unsigned long long)a.load_end,
			(unsigned long long)a.bss_end);
	if (a.load_end - a.load > file->size - offset)
		return hv_fail(
			err, ENOEXEC,
			"is %llu bytes short of what its multiboot header says; the file is truncated",
			(unsigned long long)(a.load_end - a.load - (file->size - offset)));
	image->count = 1;
	image->segment[0] = (struct hv_image_segment){
		.gpa = a.load,
		.mem_size = (a.bss_end ? a.bss_end : a.load_end) - a.load,
		.file_offset = offset,
		.file_size = a.load_end - a.load,
	};
	return 0;
}

int hv_multiboot_check_options(const struct hv_load_options *options, struct hv_error *err)
{
	if (options->load != HV_UNSET)
		return hv_fail(
			err, EINVAL,
			"is a multiboot kernel, which says itself where it belongs; leave out --load");
	if (options->mode != HV_MODE_DEFAULT && options->mode != HV_MODE_PROTECTED)
		return hv_fail(
			err, EINVAL,
			"is entered in protected mode by multiboot; leave out --mode, or use --boot elf or flat");
	return 0;
}
