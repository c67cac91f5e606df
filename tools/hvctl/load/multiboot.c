// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiboot 1 kernels: entered in 32-bit protected mode, EAX a magic number, EBX the
 * address of the information. As in the Multiboot Specification 0.6.96.
 */
#include <errno.h>
#include <string.h>

#include "elf.h"
#include "firmware/layout.h"
#include "info.h"
#include "multiboot.h"
#include "place.h"
#include "protocol.h"

/* Offsets in the header */
#define FLAGS 4
#define HEADER_ADDR 12
#define LOAD_ADDR 16
#define LOAD_END_ADDR 20
#define BSS_END_ADDR 24
#define ENTRY_ADDR 28

#define HEADER_SIZE_ADDRESSES 32

/* Flags: the low half is what the kernel insists on. */
#define WANT_ADDRESSES 0x10000
#define KNOWN_DEMANDS 0x7		/* page-aligned modules, memory, a video mode if any */
#define DEMANDS 0xffff

struct information {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};

_Static_assert(sizeof(struct information) == 68, "multiboot information");

#define INFO_MEMORY 0x001
#define INFO_CMDLINE 0x004
#define INFO_MODS 0x008
#define INFO_ELF 0x020
#define INFO_MMAP 0x040
#define INFO_LOADER_NAME 0x200

struct mmap_entry {
	uint32_t size;			/* of what follows */
	uint64_t gpa, len;
	uint32_t kind;
} __attribute__((packed));

struct module_entry {
	uint32_t begin, end, string, reserved;
};

const struct hv_multiboot_kind hv_multiboot_1 = {
	.name = "multiboot",
	.magic = 0x1badb002,
	.search = 8192,
	.align = 4,
	.size = 12,
	.flags_known = 0x1ffff,
};

static uint32_t header_field(const struct hv_file *file, size_t header, size_t offset)
{
	return hv_file_field(file, header + offset, 4);
}

static bool find_header(const struct hv_file *file, size_t *header)
{
	return hv_multiboot_find(&hv_multiboot_1, file, header);
}

static const char *recognise(const struct hv_file *file)
{
	size_t header;

	return find_header(file, &header) ? "multiboot header" : NULL;
}

static int load_by_addresses(struct hv_image *image, const struct hv_file *file, size_t header,
			     struct hv_error *err)
{
	if (file->size < header + HEADER_SIZE_ADDRESSES)
		return hv_fail(err, ENOEXEC, "ends in its multiboot header; the file is truncated");
	image->entry = header_field(file, header, ENTRY_ADDR);
	return hv_multiboot_load_by_addresses(
		image, file, header,
		(struct hv_multiboot_addresses){
			.header = header_field(file, header, HEADER_ADDR),
			.load = header_field(file, header, LOAD_ADDR),
			.load_end = header_field(file, header, LOAD_END_ADDR),
			.bss_end = header_field(file, header, BSS_END_ADDR),
		},
		err);
}

static int load_elf(struct hv_image *image, const struct hv_file *file,
		    const struct hv_load_options *options, struct hv_error *err)
{
	int error;

	if (!hv_is_elf(file))
		return hv_multiboot_refuse_unplaced(&hv_multiboot_1, file, err);
	error = hv_elf_load(image, file, options, err);
	if (!error)
		hv_elf_add_symbols(image, file);
	return error;
}

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	uint32_t flags;
	size_t header;
	int error;

	*image = (struct hv_image){ .file_size = file->size };
	if (!find_header(file, &header))
		return hv_fail(err, ENOEXEC,
			       "has no multiboot header in its first %zu bytes; leave out --boot",
			       hv_multiboot_1.search);
	flags = header_field(file, header, FLAGS);
	if (flags & DEMANDS & ~KNOWN_DEMANDS)
		return hv_fail(
			err, ENOEXEC,
			"multiboot header demands what hvctl has not (flags 0x%x); mend the header",
			flags & DEMANDS & ~KNOWN_DEMANDS);
	error = hv_multiboot_check_options(options, err);
	if (error)
		return error;
	error = flags & WANT_ADDRESSES ? load_by_addresses(image, file, header, err) :
					 load_elf(image, file, options, err);
	if (error)
		return error;
	image->kind = flags & WANT_ADDRESSES ? "multiboot kernel (address fields)" :
					       "multiboot kernel (ELF)";
	image->mode = HV_MODE_PROTECTED;
	if (options->entry != HV_UNSET)
		image->entry = options->entry;
	return 0;
}

static void add_modules(struct hv_info *info, struct information *mbi,
			const struct hv_payload *payload)
{
	struct module_entry table[HV_PAYLOAD_MAX_MODULES] = { 0 };

	for (unsigned int i = 0; i < payload->modules; i++) {
		const struct hv_module *module = &payload->module[i];

		table[i] = (struct module_entry){
			.begin = module->gpa,
			.end = module->gpa + module->file.size,
			.string = hv_info_add_module_string(info, module),
		};
	}
	mbi->flags |= INFO_MODS;
	mbi->mods_count = payload->modules;
	mbi->mods_addr = hv_info_add(info, table, payload->modules * sizeof(table[0]), 4);
}

static void add_mmap(struct hv_info *info, struct information *mbi, const struct hv_memory *memory)
{
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(memory, range, HV_LAYOUT_MAX_RANGES);
	struct mmap_entry mmap[HV_LAYOUT_MAX_RANGES];

	for (size_t i = 0; i < count; i++)
		mmap[i] = (struct mmap_entry){
			.size = sizeof(struct mmap_entry) - sizeof(uint32_t),
			.gpa = range[i].gpa,
			.len = range[i].len,
			.kind = range[i].kind,
		};
	mbi->flags |= INFO_MEMORY | INFO_MMAP;
	mbi->mmap_length = count * sizeof(mmap[0]);
	mbi->mmap_addr = hv_info_add(info, mmap, count * sizeof(mmap[0]), 4);
	mbi->mem_lower = HV_LAYOUT_EBDA / HV_KIB;
	mbi->mem_upper = (hv_memory_low_end(memory) - HV_LAYOUT_HIGH) / HV_KIB;
}

/* The headers of an ELF kernel's sections: so it finds its symbols. */
static void add_sections(struct hv_info *info, struct information *mbi,
			 const struct hv_payload *payload)
{
	const struct hv_elf_sections *sections = &payload->image.sections;

	if (!sections->count)
		return;
	mbi->flags |= INFO_ELF;
	mbi->syms[0] = sections->count;
	mbi->syms[1] = sections->entry_size;
	mbi->syms[2] = hv_info_add_sections(info, payload, 4);
	mbi->syms[3] = sections->names;
}

/* @memory also where nothing is to be written: its map is counted. */
static void make_info(struct hv_info *info, const struct hv_payload *payload,
		      const struct hv_memory *memory)
{
	struct information mbi = {
		.flags = INFO_CMDLINE | INFO_LOADER_NAME,
		.cmdline = payload->areas.area[HV_BOOT_THE_CMDLINE].gpa,
	};
	uint64_t first = hv_info_reserve(info, sizeof(mbi), 4);

	/* A stub in real mode is given no room for words that there are not. */
	if (!mbi.cmdline)
		mbi.cmdline = hv_info_add_string(info, "");
	add_modules(info, &mbi, payload);
	add_sections(info, &mbi, payload);
	add_mmap(info, &mbi, memory);
	mbi.boot_loader_name = hv_info_add_string(info, "hvctl");
	hv_info_set(info, first, &mbi, sizeof(mbi));
}

int hv_multiboot_place(struct hv_payload *payload, const struct hv_memory *memory,
		       struct hv_error *err)
{
	struct hv_info info = { 0 };

	make_info(&info, payload, memory);
	return hv_place_by_pages(payload, memory, info.len, err);
}

void hv_multiboot_write_info(const struct hv_payload *payload, const struct hv_memory *memory)
{
	struct hv_info info = hv_info_begin(payload, memory);

	make_info(&info, payload, memory);
}

void hv_multiboot_set_regs(const struct hv_payload *payload, uint32_t eax, struct hv_boot *boot)
{
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.gpr[TINYVMX_RAX] = eax;
	boot->regs.gpr[TINYVMX_RBX] = payload->areas.area[HV_BOOT_THE_INFO].gpa;
	boot->regs.gpr[TINYVMX_RSP] = hv_boot_stack(&payload->areas);
}

static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	(void)env;
	hv_multiboot_write_info(payload, memory);
	hv_multiboot_set_regs(payload, HV_MULTIBOOT_EAX, boot);
}

const struct hv_protocol hv_protocol_multiboot = {
	.name = "multiboot",
	.recognise = recognise,
	.load = load,
	.place = hv_multiboot_place,
	.start = start,
	.advice = HV_MULTIBOOT_ADVICE,
	.names_image = true,
	.module_args = true,
	.after_bios = true,
	.pc = true,
};
