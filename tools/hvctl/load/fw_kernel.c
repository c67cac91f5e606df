// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bzImage for firmware. The header of its setup code is filled in as a boot loader would,
 * for those who enter it as it is (Documentation/arch/x86/boot.rst of the kernel); OVMF puts
 * both parts together again and starts them as an EFI program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bzimage.h"
#include "fw_kernel.h"
#include "lib/util.h"
#include "place.h"

/* At the end of RAM firmware keeps its own things: ACPI tables, stacks, itself. */
#define FIRMWARE_ROOM (4 * HV_MIB)
#define INITRD_ALIGN 4

static int check_room(const struct hv_file *file, const struct hv_memory *memory,
		      struct hv_error *err)
{
	uint64_t end = hv_bzimage_end(file), ram = hv_memory_low_end(memory);
	char remedy[HV_REMEDY_MAX];

	if (end <= ram && ram - end >= FIRMWARE_ROOM)
		return 0;
	return hv_fail(err, ENOSPC,
		       "needs RAM up to 0x%llx to start, and %llu MiB for the firmware; %s",
		       (unsigned long long)end, FIRMWARE_ROOM / HV_MIB,
		       hv_image_more_ram(remedy, end, FIRMWARE_ROOM, "the file is damaged"));
}

/* One behind the other, as the kernel unpacks them. */
static int join_initrds(struct hv_payload *payload, struct hv_error *err)
{
	struct hv_file *all = &payload->initrd;
	size_t size = 0;

	for (unsigned int i = 0; i < payload->modules; i++)
		size += hv_align_up(payload->module[i].file.size, INITRD_ALIGN);
	if (!size)
		return 0;
	all->data = calloc(1, size);
	if (!all->data)
		return hv_fail(err, ENOMEM, "no memory for the initramfs; close something");
	for (unsigned int i = 0; i < payload->modules; i++) {
		const struct hv_file *file = &payload->module[i].file;

		if (file->size)
			memcpy(all->data + all->size, file->data, file->size);
		all->size += hv_align_up(file->size, INITRD_ALIGN);
	}
	return 0;
}

static int place_initrd(struct hv_payload *payload, const struct hv_memory *memory,
			struct hv_error *err)
{
	const struct hv_file *file = &payload->kernel;
	uint64_t highest = hv_bzimage_initrd_limit(file);
	uint64_t limit = hv_memory_low_end(memory) - FIRMWARE_ROOM;
	const struct hv_place_room room = {
		hv_bzimage_end(file),
		highest < limit ? highest : limit,
		INITRD_ALIGN,
		true,
	};
	int error = hv_place_modules(payload, memory, &room, err);

	return error ? error : join_initrds(payload, err);
}

static int make_setup(struct hv_payload *payload, struct hv_error *err)
{
	size_t size = hv_bzimage_setup_size(&payload->kernel);
	uint8_t *setup = malloc(size);

	if (!setup)
		return hv_fail(err, ENOMEM, "no memory for the kernel; close something");
	payload->setup = (struct hv_file){ .data = setup, .size = size };
	memcpy(setup, payload->kernel.data, size);
	hv_put_le(setup + HV_BZIMAGE_TYPE_OF_LOADER, HV_BZIMAGE_LOADER, 1);
	setup[HV_BZIMAGE_LOADFLAGS] |= HV_BZIMAGE_CAN_USE_HEAP;
	hv_put_le(setup + HV_BZIMAGE_HEAP_END_PTR, HV_FW_CMDLINE_GPA - HV_FW_SETUP_GPA - 0x200, 2);
	hv_put_le(setup + HV_BZIMAGE_CMD_LINE_PTR, HV_FW_CMDLINE_GPA, 4);
	hv_put_le(setup + HV_BZIMAGE_RAMDISK_IMAGE, payload->modules ? payload->module[0].gpa : 0,
		  4);
	hv_put_le(setup + HV_BZIMAGE_RAMDISK_SIZE, payload->initrd.size, 4);
	return 0;
}

static struct hv_fw_bytes bytes_of(const struct hv_file *file, size_t from)
{
	return (struct hv_fw_bytes){ file->data + from, (uint32_t)(file->size - from) };
}

static int plan(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	const struct hv_file *kernel = &payload->kernel;
	int error;

	payload->subject = payload->config->kernel;
	error = hv_bzimage_check(kernel, "leave out --firmware", err);
	if (!error)
		error = check_room(kernel, memory, err);
	if (!error)
		error = hv_bzimage_check_cmdline(payload, kernel, err);
	if (!error)
		error = place_initrd(payload, memory, err);
	if (!error)
		error = make_setup(payload, err);
	if (error)
		return error;
	payload->fw_kernel = (struct hv_fw_kernel){
		.setup = bytes_of(&payload->setup, 0),
		.kernel = bytes_of(kernel, payload->setup.size),
		.initrd_gpa = payload->modules ? (uint32_t)payload->module[0].gpa : 0,
		.cmdline = payload->text,
	};
	if (payload->initrd.size)
		payload->fw_kernel.initrd = bytes_of(&payload->initrd, 0);
	return 0;
}

int hv_fw_kernel_plan(struct hv_payload *payload, const struct hv_memory *memory,
		      struct hv_error *err)
{
	if (payload->config->kernel)
		return plan(payload, memory, err);
	if (!payload->modules)
		return 0;
	payload->subject = payload->module[0].path;
	return hv_fail(
		err, EINVAL,
		"firmware hands an initrd to a kernel only; name the kernel, or leave out --initrd");
}
