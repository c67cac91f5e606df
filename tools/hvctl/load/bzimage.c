// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux bzImage: the setup code stays away, the compressed kernel goes to 1 MiB and is
 * entered there, in 64-bit mode if it can be, with the address of its boot_params in
 * RSI. What has no such entry, or with --mode real, is entered by its setup code, with a
 * BIOS (bios/). As in the kernel's Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#include <errno.h>
#include <string.h>

#include "bzimage.h"
#include "firmware/layout.h"
#include "place.h"
#include "protocol.h"

#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define BOOT_FLAG 0x1fe
#define JUMP 0x200
#define MAGIC 0x202
#define KERNEL_VERSION 0x20e		/* a string's offset, less 0x200 */
#define CODE32_START 0x214
#define INITRD_ADDR_MAX 0x22c
#define XLOADFLAGS 0x236
#define CMDLINE_SIZE 0x238
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260

#define HEADER_BEGIN SETUP_SECTS
#define HEADER_MIN 0x230		/* to the end of protocol 2.03 */
#define HEADER_MAX 0x290		/* boot_params has more behind */

/* Of boot_params alone: screen_info, whose cursor is at home, first */
#define VIDEO_MODE 0x006
#define VIDEO_COLUMNS 0x007
#define VIDEO_EGA_BX 0x00a		/* what INT 10H, AH=12H tells of an EGA's memory */
#define VIDEO_ROWS 0x00e
#define VIDEO_IS_VGA 0x00f
#define VIDEO_LINES 0x010		/* of a character */
#define ACPI_RSDP_ADDR 0x070
#define E820_ENTRIES 0x1e8
#define E820_TABLE 0x2d0
#define E820_ENTRY 20
#define BOOT_PARAMS_SIZE 0x1000

#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x0001
#define LOAD_ADDRESS 0x100000
#define ENTRY_64 0x200
#define SECTOR 512

/* For the setup code: its segment, where its heap ends and its stack begins. */
#define SETUP_SEGMENT 0x1000
#define SETUP_ENTRY (SETUP_SEGMENT + 0x20)
#define SETUP_HEAP_END 0xe000
#define SETUP_MAX 0x8000		/* the rest is heap and stack */
#define SETUP_HEAP_SLACK 0x200		/* heap_end_ptr is short of it by so much */

#define BOOT_CS 0x10			/* __BOOT_DS follows */

static unsigned int version(const struct hv_file *file)
{
	return hv_file_field(file, HV_BZIMAGE_VERSION, 2);
}

/* A field that older protocols did not have. */
static uint64_t field(const struct hv_file *file, size_t offset, unsigned int bytes,
		      unsigned int since, uint64_t otherwise)
{
	if (version(file) < since || offset + bytes > file->size)
		return otherwise;
	return hv_file_field(file, offset, bytes);
}

size_t hv_bzimage_setup_size(const struct hv_file *file)
{
	unsigned int sectors = file->data[SETUP_SECTS];

	return ((sectors ? sectors : 4) + 1) * SECTOR;
}

static const char *recognise(const struct hv_file *file)
{
	return hv_file_has(file, BOOT_FLAG, "\x55\xaa", 2) && hv_file_has(file, MAGIC, "HdrS", 4) ?
		       "HdrS at 0x202" :
		       NULL;
}

static int check_header(const struct hv_file *file, const char *remedy, struct hv_error *err)
{
	if (!recognise(file))
		return hv_fail(
			err, ENOEXEC,
			"is no Linux bzImage: there is no HdrS at 0x202; give arch/x86/boot/bzImage, or %s",
			remedy);
	if (file->size < HEADER_MIN)
		return hv_fail(err, ENOEXEC,
			       "ends in the kernel's setup header; the file is truncated");
	if (version(file) < 0x203)
		return hv_fail(
			err, ENOEXEC,
			"speaks boot protocol %u.%02u; use a kernel with 2.03 (Linux 2.4.18) or newer",
			version(file) >> 8, version(file) & 0xff);
	if (!(file->data[HV_BZIMAGE_LOADFLAGS] & LOADED_HIGH))
		return hv_fail(err, ENOEXEC,
			       "is a zImage, which runs below 1 MiB; build a bzImage");
	return 0;
}

/* All that the header promises must be in the file. */
static int check_size(const struct hv_file *file, struct hv_error *err)
{
	uint64_t setup = hv_bzimage_setup_size(file), rest;
	uint64_t syssize = field(file, SYSSIZE, 4, 0x204, hv_file_field(file, SYSSIZE, 2)) * 16;
	uint64_t payload =
		field(file, PAYLOAD_OFFSET, 4, 0x208, 0) + field(file, PAYLOAD_LENGTH, 4, 0x208, 0);

	if (file->size <= setup)
		return hv_fail(err, ENOEXEC,
			       "ends in the kernel's setup code; the file is truncated");
	rest = file->size - setup;
	/* It counts units of 16 bytes, the last of which need not be whole. */
	if (rest + 15 < syssize || rest < payload || rest <= ENTRY_64)
		return hv_fail(
			err, ENOEXEC,
			"has %llu KiB of the kernel's %llu KiB; the file is truncated",
			(unsigned long long)rest / 1024,
			(unsigned long long)((syssize > payload ? syssize : payload) + 1023) /
				1024);
	return 0;
}

int hv_bzimage_check(const struct hv_file *file, const char *remedy, struct hv_error *err)
{
	int error = check_header(file, remedy, err);

	return error ? error : check_size(file, err);
}

/* @alone: it is not Linux, but in its form. */
static int choose_setup(struct hv_image *image, const struct hv_file *file, bool alone,
			struct hv_error *err)
{
	if (hv_bzimage_setup_size(file) > SETUP_MAX)
		return hv_fail(
			err, ENOEXEC,
			"has setup code of %zu KiB, and there is room for %u; the file is damaged",
			hv_bzimage_setup_size(file) / 1024, SETUP_MAX / 1024);
	image->kind = "Linux bzImage (16-bit entry)";
	image->mode = HV_MODE_REAL;
	image->bios = true;
	image->foreign = alone;
	image->entry = SETUP_ENTRY << 4;
	return 0;
}

/* SYSLINUX's MEMDISK names a 32-bit entry, where it waits for what its setup code leaves there. */
static bool has_setup_alone(const struct hv_file *file)
{
	size_t name = hv_file_field(file, KERNEL_VERSION, 2) + JUMP;

	return !hv_file_field(file, CODE32_START, 4) || hv_file_has(file, name, "MEMDISK ", 8);
}

/* An x86-64 kernel says so since boot protocol 2.12; before, only its 32-bit entry is certain. */
static int choose_mode(struct hv_image *image, const struct hv_file *file, enum hv_mode wanted,
		       struct hv_error *err)
{
	bool has_64 = field(file, XLOADFLAGS, 2, 0x20c, 0) & XLF_KERNEL_64;
	bool setup_alone = has_setup_alone(file);

	if (wanted == HV_MODE_REAL || (setup_alone && wanted == HV_MODE_DEFAULT))
		return choose_setup(image, file, setup_alone, err);
	if (setup_alone)
		return hv_fail(err, EINVAL, "has a 16-bit entry alone; leave out --mode");
	if (version(file) >= 0x20c && !has_64 && wanted == HV_MODE_LONG)
		return hv_fail(err, ENOEXEC,
			       "is a 32-bit kernel; use one for x86-64, or leave out --mode");
	if (wanted == HV_MODE_LONG && !has_64)
		return hv_fail(err, EINVAL, "has no %s-mode entry point; leave out --mode",
			       hv_mode_name(wanted));
	image->mode = wanted == HV_MODE_PROTECTED || !has_64 ? HV_MODE_PROTECTED : HV_MODE_LONG;
	image->kind = image->mode == HV_MODE_LONG ? "Linux bzImage (64-bit entry)" :
						    "Linux bzImage (32-bit entry)";
	if (version(file) >= 0x20c && !has_64 && wanted == HV_MODE_DEFAULT)
		image->note = "is a 32-bit kernel: started in protected mode";
	image->entry = LOAD_ADDRESS + (image->mode == HV_MODE_LONG ? ENTRY_64 : 0);
	return 0;
}

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	int error;

	*image = (struct hv_image){ .file_size = file->size };
	error = hv_bzimage_check(file, "leave out --boot", err);
	if (error)
		return error;
	if (options->load != HV_UNSET || options->entry != HV_UNSET)
		return hv_fail(
			err, EINVAL,
			"is a Linux kernel, which says itself where it belongs; leave out --load and --entry");
	error = choose_mode(image, file, options->mode, err);
	if (error)
		return error;
	image->code_selector = BOOT_CS;
	image->count = image->bios ? 2 : 1;
	image->segment[0] = (struct hv_image_segment){
		.gpa = LOAD_ADDRESS,
		.mem_size = file->size - hv_bzimage_setup_size(file),
		.file_offset = hv_bzimage_setup_size(file),
		.file_size = file->size - hv_bzimage_setup_size(file),
	};
	image->segment[1] = (struct hv_image_segment){
		.gpa = SETUP_SEGMENT << 4,
		.mem_size = SETUP_HEAP_END,
		.file_size = hv_bzimage_setup_size(file),
	};
	return 0;
}

/*
 * Where the kernel's RAM ends while it unpacks itself: a relocatable one does that
 * at its preferred address or above, at its alignment.
 */
uint64_t hv_bzimage_end(const struct hv_file *file)
{
	uint64_t end = LOAD_ADDRESS + file->size - hv_bzimage_setup_size(file);
	uint64_t start = field(file, PREF_ADDRESS, 8, 0x20a, LOAD_ADDRESS);
	uint64_t size = field(file, INIT_SIZE, 4, 0x20a, 0);

	if (start < LOAD_ADDRESS)
		start = LOAD_ADDRESS;
	/* A preferred address that no RAM can have is damage, not a wish. */
	if (start > UINT64_MAX - size || start + size < end)
		return start > UINT64_MAX - size ? UINT64_MAX : end;
	return start + size;
}

uint64_t hv_bzimage_initrd_limit(const struct hv_file *file)
{
	return hv_file_field(file, INITRD_ADDR_MAX, 4) + 1;
}

int hv_bzimage_check_cmdline(const struct hv_payload *payload, const struct hv_file *file,
			     struct hv_error *err)
{
	uint64_t max = field(file, CMDLINE_SIZE, 4, 0x206, 255);

	if (strlen(payload->text) <= max)
		return 0;
	return hv_fail(err, E2BIG,
		       "takes a command line of %llu bytes, and this one has %zu; shorten %s",
		       (unsigned long long)max, strlen(payload->text),
		       hv_payload_config_who_said(payload->config));
}

static int place(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	const struct hv_file *file = &payload->file;
	uint64_t ram = hv_memory_low_end(memory), end = hv_bzimage_end(file);
	/* The kernel unpacks archives that follow each other, zeroes between them skipped. */
	const struct hv_place_room room = { end, hv_bzimage_initrd_limit(file), 4, true };
	char remedy[HV_REMEDY_MAX];
	int error;

	if (end > ram)
		return hv_fail(
			err, ENOSPC,
			"needs RAM up to 0x%llx to start (init_size), and there are %llu MiB; %s",
			(unsigned long long)end, (unsigned long long)(ram / HV_MIB),
			hv_image_more_ram(remedy, LOAD_ADDRESS, end - LOAD_ADDRESS,
					  "the file is damaged"));
	error = hv_bzimage_check_cmdline(payload, file, err);
	if (!error)
		error = hv_boot_take(&payload->areas, HV_BOOT_THE_INFO, BOOT_PARAMS_SIZE,
				     &payload->image, err);
	return error ? error : hv_place_modules(payload, memory, &room, err);
}

static void put_e820(uint8_t *params, const struct hv_memory *memory)
{
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(memory, range, HV_LAYOUT_MAX_RANGES);

	for (size_t i = 0; i < count; i++) {
		size_t at = E820_TABLE + i * E820_ENTRY;

		hv_put_le(params + at, range[i].gpa, 8);
		hv_put_le(params + at + 8, range[i].len, 8);
		hv_put_le(params + at + 16, range[i].kind, 4);
	}
	params[E820_ENTRIES] = count;
}

/* Text mode 3, as its setup code would find it; else Linux looks for no screen. */
static void put_screen_info(uint8_t *params)
{
	params[VIDEO_MODE] = 3;
	params[VIDEO_COLUMNS] = 80;
	hv_put_le(params + VIDEO_EGA_BX, 0x0003, 2); /* colours, 256 KiB */
	params[VIDEO_ROWS] = 25;
	params[VIDEO_IS_VGA] = 1;
	hv_put_le(params + VIDEO_LINES, 16, 2);
}

static void put_initrd(uint8_t *params, const struct hv_payload *payload)
{
	const struct hv_module *first = &payload->module[0], *last = first + payload->modules - 1;

	if (!payload->modules)
		return;
	hv_put_le(params + HV_BZIMAGE_RAMDISK_IMAGE, first->gpa, 4);
	hv_put_le(params + HV_BZIMAGE_RAMDISK_SIZE, last->gpa + last->file.size - first->gpa, 4);
}

/* Real mode with all segments but CS at the setup code, interrupts off. */
static void start_setup(const struct hv_payload *payload, const struct hv_memory *memory,
			struct hv_boot *boot)
{
	uint8_t header[HEADER_MIN];

	memcpy(header, payload->file.data, sizeof(header));
	header[HV_BZIMAGE_TYPE_OF_LOADER] = HV_BZIMAGE_LOADER;
	header[HV_BZIMAGE_LOADFLAGS] |= HV_BZIMAGE_CAN_USE_HEAP;
	hv_put_le(header + HV_BZIMAGE_HEAP_END_PTR, SETUP_HEAP_END - SETUP_HEAP_SLACK, 2);
	hv_put_le(header + HV_BZIMAGE_CMD_LINE_PTR, payload->areas.area[HV_BOOT_THE_CMDLINE].gpa,
		  4);
	put_initrd(header, payload);
	hv_image_put(memory, SETUP_SEGMENT << 4, header, sizeof(header));
	for (unsigned int i = 0; i <= TINYVMX_GS; i++) {
		struct tinyvmx_segment *segment = &boot->sregs.seg[i];

		segment->selector = i == TINYVMX_CS ? SETUP_ENTRY : SETUP_SEGMENT;
		segment->base = segment->selector << 4;
	}
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.rip = 0;
	boot->regs.gpr[TINYVMX_RSP] = SETUP_HEAP_END;
}

static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	const struct hv_file *file = &payload->file;
	uint8_t params[BOOT_PARAMS_SIZE] = { 0 };
	size_t end = JUMP + 2 + file->data[JUMP + 1];

	if (payload->image.bios) {
		start_setup(payload, memory, boot);
		return;
	}
	if (end > HEADER_MAX)
		end = HEADER_MAX;
	if (end > file->size)
		end = file->size;
	memcpy(params + HEADER_BEGIN, file->data + HEADER_BEGIN, end - HEADER_BEGIN);
	params[HV_BZIMAGE_TYPE_OF_LOADER] = HV_BZIMAGE_LOADER;
	hv_put_le(params + HV_BZIMAGE_CMD_LINE_PTR, payload->areas.area[HV_BOOT_THE_CMDLINE].gpa,
		  4);
	put_initrd(params, payload);
	put_e820(params, memory);
	if (env->screen)
		put_screen_info(params);
	hv_put_le(params + ACPI_RSDP_ADDR, env->rsdp, 8);
	hv_image_put(memory, payload->areas.area[HV_BOOT_THE_INFO].gpa, params, sizeof(params));
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.gpr[TINYVMX_RSI] = payload->areas.area[HV_BOOT_THE_INFO].gpa;
	boot->regs.gpr[TINYVMX_RSP] = hv_boot_stack(&payload->areas);
}

/*
 * The kernel's messages and its shell on COM1. A panic resets at once: hvctl has its
 * last lines and tells it from a reboot.
 */
const struct hv_protocol hv_protocol_linux = {
	.name = "linux",
	.recognise = recognise,
	.load = load,
	.place = place,
	.start = start,
	.cmdline = "console=ttyS0 panic=-1",
	/* The last one is where its first process reads and writes. */
	.desk_cmdline = "console=ttyS0 console=tty0 panic=-1",
	.advice =
		"if it said nothing, see its first messages by --append earlyprintk=serial,ttyS0; with --system-map also --append nokaslr",
	.pc = true,
};
