// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF kernels with a PVH entry point, an uncompressed vmlinux among them: entered in
 * 32-bit protected mode without paging, EBX the address of hvm_start_info. As in Xen's
 * docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h.
 */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "elf.h"
#include "firmware/layout.h"
#include "info.h"
#include "lib/util.h"
#include "place.h"
#include "protocol.h"

#define NOTE_OWNER "Xen"
#define NOTE_GUEST_OS 6
#define NOTE_PHYS32_ENTRY 18
#define NOTE_HEADER 12

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info");

#define START_INFO_MAGIC 0x336ec578
#define START_INFO_VERSION 1

struct module_entry {
	uint64_t gpa, size, cmdline, reserved;
};

struct memmap_entry {
	uint64_t gpa, size;
	uint32_t kind, reserved;
};

/* Look through a segment of notes; @notes is all of the file from its first byte on. */
static bool find_note(const struct hv_file *notes, uint64_t align, uint32_t type,
		      struct hv_file *found)
{
	for (uint64_t at = 0; at + NOTE_HEADER <= notes->size;) {
		uint64_t name_size = hv_file_field(notes, at, 4),
			 size = hv_file_field(notes, at + 4, 4);
		uint64_t name = at + NOTE_HEADER, value = name + hv_align_up(name_size, align);

		if (value + size > notes->size)
			return false;
		if (hv_file_field(notes, at + 8, 4) == type && name_size == sizeof(NOTE_OWNER) &&
		    !memcmp(notes->data + name, NOTE_OWNER, sizeof(NOTE_OWNER))) {
			*found = (struct hv_file){ notes->data + value, size };
			return true;
		}
		at = value + hv_align_up(size, align);
	}
	return false;
}

/* A note of Xen's of this @type: its value. */
static bool find_xen_note(const struct hv_file *file, uint32_t type, struct hv_file *value)
{
	size_t count = 0, segments = 0;
	bool found = false;
	GElf_Phdr ph;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = hv_is_elf(file) ? elf_memory((char *)file->data, file->size) : NULL;
	if (!elf || elf_getphdrnum(elf, &count))
		count = 0;
	for (size_t i = 0; i < count && !found && gelf_getphdr(elf, i, &ph); i++) {
		struct hv_file notes;

		if (ph.p_type != PT_NOTE || ph.p_filesz > HV_ELF_NOTES_MAX ||
		    ph.p_offset > file->size || ph.p_filesz > file->size - ph.p_offset ||
		    segments++ >= HV_ELF_NOTE_SEGMENTS_MAX)
			continue;
		notes = (struct hv_file){ file->data + ph.p_offset, ph.p_filesz };
		found = find_note(&notes, ph.p_align == 8 ? 8 : 4, type, value);
	}
	elf_end(elf);
	return found;
}

static bool find_entry(const struct hv_file *file, uint64_t *entry)
{
	struct hv_file value;

	if (!find_xen_note(file, NOTE_PHYS32_ENTRY, &value) || (value.size != 4 && value.size != 8))
		return false;
	*entry = hv_file_field(&value, 0, value.size);
	return true;
}

bool hv_pvh_is_missing(const struct hv_file *file)
{
	struct hv_file value;
	uint64_t entry;

	return find_xen_note(file, NOTE_GUEST_OS, &value) && !find_entry(file, &entry);
}

static const char *recognise(const struct hv_file *file)
{
	uint64_t entry;

	return find_entry(file, &entry) ? "ELF note XEN_ELFNOTE_PHYS32_ENTRY" : NULL;
}

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	uint64_t entry;
	int error;

	*image = (struct hv_image){ 0 };
	if (!find_entry(file, &entry))
		return hv_fail(
			err, ENOEXEC,
			"has no PVH entry point (ELF note XEN_ELFNOTE_PHYS32_ENTRY); build it with CONFIG_PVH, or leave out --boot");
	if (options->mode != HV_MODE_DEFAULT && options->mode != HV_MODE_PROTECTED)
		return hv_fail(
			err, EINVAL,
			"is entered in protected mode by PVH; leave out --mode, or use --boot elf");
	error = hv_elf_read(image, file, options, err);
	if (error)
		return error;
	image->kind = "ELF kernel with PVH entry";
	image->mode = HV_MODE_PROTECTED;
	if (options->entry == HV_UNSET)
		image->entry = entry;
	return 0;
}

/* @memory also where nothing is to be written: its map is counted. */
static void make_info(struct hv_info *info, const struct hv_payload *payload,
		      const struct hv_memory *memory, uint64_t rsdp)
{
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(memory, range, HV_LAYOUT_MAX_RANGES);
	struct memmap_entry memmap[HV_LAYOUT_MAX_RANGES];
	struct module_entry module[HV_PAYLOAD_MAX_MODULES];
	struct start_info start = {
		.magic = START_INFO_MAGIC,
		.version = START_INFO_VERSION,
		.nr_modules = payload->modules,
		.cmdline = *payload->text ? payload->areas.area[HV_BOOT_THE_CMDLINE].gpa : 0,
		.rsdp = rsdp,
		.memmap_entries = count,
	};
	uint64_t first = hv_info_reserve(info, sizeof(start), 8);

	for (unsigned int i = 0; i < payload->modules; i++) {
		const struct hv_module *m = &payload->module[i];

		module[i] = (struct module_entry){ .gpa = m->gpa, .size = m->file.size };
		if (m->args)
			module[i].cmdline = hv_info_add_string(info, m->path + m->args);
	}
	for (size_t i = 0; i < count; i++)
		memmap[i] = (struct memmap_entry){ range[i].gpa, range[i].len, range[i].kind, 0 };
	if (payload->modules)
		start.modlist = hv_info_add(info, module, payload->modules * sizeof(module[0]), 8);
	start.memmap = hv_info_add(info, memmap, count * sizeof(memmap[0]), 8);
	hv_info_set(info, first, &start, sizeof(start));
}

static int place(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	struct hv_info info = { 0 };

	make_info(&info, payload, memory, 0);
	return hv_place_by_pages(payload, memory, info.len, err);
}

static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	struct hv_info info = hv_info_begin(payload, memory);

	make_info(&info, payload, memory, env->rsdp);
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.gpr[TINYVMX_RBX] = info.gpa;
	boot->regs.gpr[TINYVMX_RSP] = hv_boot_stack(&payload->areas);
	boot->sregs.cr4 = 0;
}

/* It may be any kernel, but nearly always it is Linux. */
const struct hv_protocol hv_protocol_pvh = {
	.name = "pvh",
	.recognise = recognise,
	.load = load,
	.place = place,
	.module_args = true,
	.start = start,
	.cmdline = "console=ttyS0 panic=-1",
	.advice = "if it said nothing, see its first messages by --append earlyprintk=serial,ttyS0, and add nokaslr for true symbols",
	.pc = true,
};
