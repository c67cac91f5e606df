// SPDX-License-Identifier: GPL-2.0-only
/*
 * handover: what a kernel is told by multiboot 1 and 2, and by PVH. It wants the command line
 * "one two" and two modules, of which the second is skernel.bin.
 */
#include "lib/trap.h"

#define MULTIBOOT_LOADED	0x2badb002
#define MULTIBOOT_MEMORY	(1U << 0)
#define MULTIBOOT_CMDLINE	(1U << 2)
#define MULTIBOOT_MODULES	(1U << 3)
#define MULTIBOOT_MMAP		(1U << 6)
#define MULTIBOOT_LOADER	(1U << 9)
#define MULTIBOOT2_LOADED	0x36d76289
#define PVH_MAGIC		0x336ec578

#define KIND_RAM	1
#define MODULE_ALIGN	4096
#define SKERNEL_BYTES	13
#define HIGH		0x100000

struct multiboot {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	u32 syms[4];
	u32 mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};

struct multiboot_module {
	u32 begin, end, string, reserved;
};

struct multiboot_range {
	u32 size;
	u64 base, length;
	u32 kind;
} __packed;

enum tag_type {
	TAG_END,
	TAG_CMDLINE,
	TAG_LOADER,
	TAG_MODULE,
	TAG_MEMORY,
	TAG_MMAP = 6,
	TAG_NEW_ACPI = 15,
};

#define TAG_TYPES 32

struct tag {
	u32 type, size;
};

struct tag_module {
	struct tag tag;
	u32 begin, end;
	char string[];
};

struct tag_memory {
	struct tag tag;
	u32 lower, upper;
};

struct tag_mmap {
	struct tag tag;
	u32 entry_size, entry_version;
};

struct tag_range {
	u64 base, length;
	u32 kind, reserved;
};

struct pvh {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp, memmap;
	u32 memmap_entries, reserved;
};

struct pvh_module {
	u64 base, size, cmdline, reserved;
};

struct pvh_range {
	u64 base, length;
	u32 kind, reserved;
};

/* start32.S: what was in them at the first instruction */
extern u32 boot_eax, boot_ebx;
extern char image_end[];

static u64 ram_end, last_end;

/* One range of the map: they ascend and do not overlap. */
static void see_range(u64 base, u64 length, u32 kind)
{
	print("  0x%llx-0x%llx: %u\n", base, base + length - 1, kind);
	check(length && base >= last_end);
	last_end = base + length;
	if (kind == KIND_RAM)
		ram_end = last_end;
}

static u64 module_end;

static void see_module(u64 base, u64 size)
{
	print("  module at 0x%llx, %llu bytes\n", base, size);
	check(base >= (ulong)image_end && base >= module_end);
	check_eq(base % MODULE_ALIGN, 0);
	check(size && base + size <= ram_end);
	module_end = base + size;
}

/* skernel begins with MOV to SS and HLT; nobody must have changed it. */
static void see_skernel(u64 base, u64 size)
{
	const u8 *code = (const u8 *)(ulong)base;
	bool halts = false;
	u32 i;

	check_eq(size, SKERNEL_BYTES);
	for (i = 0; i < SKERNEL_BYTES; i++)
		halts |= code[i] == 0xf4;
	check(halts);
}

/* The image's name stands first, whatever folder it is in. */
static bool ends_with(const char *text, const char *end)
{
	while (*text && strcmp(text, end))
		text++;
	return *text;
}

static void check_multiboot(const struct multiboot *info)
{
	const struct multiboot_module *module = (const void *)(ulong)info->mods_addr;
	u32 wanted = MULTIBOOT_MEMORY | MULTIBOOT_CMDLINE | MULTIBOOT_MODULES | MULTIBOOT_MMAP |
		     MULTIBOOT_LOADER;
	u32 at = info->mmap_addr, i;

	step("multiboot: flags 0x%x, loader %s", info->flags,
	     (const char *)(ulong)info->boot_loader_name);
	require((info->flags & wanted) == wanted);
	check(ends_with((const char *)(ulong)info->cmdline, "handover.elf one two"));
	while (at < info->mmap_addr + info->mmap_length) {
		const struct multiboot_range *range = (const void *)(ulong)at;

		see_range(range->base, range->length, range->kind);
		at += range->size + sizeof(range->size);
	}
	check_eq(HIGH + 1024ULL * info->mem_upper, ram_end);
	check(info->mem_lower > 600 && info->mem_lower <= 640);
	require(info->mods_count == 2);
	for (i = 0; i < 2; i++)
		see_module(module[i].begin, module[i].end - module[i].begin);
	see_skernel(module[1].begin, module[1].end - module[1].begin);
	print("  %s\n", (const char *)(ulong)module[1].string);
}

static void see_map(const struct tag_mmap *map)
{
	const void *end = (const char *)map + map->tag.size;
	const char *at = (const char *)(map + 1);

	for (; at < (const char *)end; at += map->entry_size) {
		const struct tag_range *range = (const void *)at;

		see_range(range->base, range->length, range->kind);
	}
}

static u32 modules, mem_upper;

static void see_tag(const struct tag *tag)
{
	const struct tag_module *module = (const void *)tag;
	const char *text = (const char *)(tag + 1);

	switch (tag->type) {
	case TAG_CMDLINE:
		check(ends_with(text, "handover.elf one two"));
		break;
	case TAG_MODULE:
		see_module(module->begin, module->end - module->begin);
		if (++modules == 2)
			see_skernel(module->begin, module->end - module->begin);
		break;
	case TAG_MEMORY:
		mem_upper = ((const struct tag_memory *)tag)->upper;
		break;
	case TAG_MMAP:
		see_map((const void *)tag);
		break;
	case TAG_NEW_ACPI:
		check(!memcmp(text, "RSD PTR ", 8));
		break;
	}
}

/* The map first: modules lie in RAM. */
static void check_multiboot2(const u32 *info)
{
	u32 end = (ulong)info + info[0], found = 0, pass;
	u32 wanted = 1U << TAG_CMDLINE | 1U << TAG_LOADER | 1U << TAG_MODULE | 1U << TAG_MEMORY |
		     1U << TAG_MMAP | 1U << TAG_NEW_ACPI;
	const struct tag *tag;

	step("multiboot 2: %u bytes", info[0]);
	check_eq((ulong)info % 8, 0);
	for (pass = 0; pass < 2; pass++)
		for (tag = (const void *)(info + 2); tag->type != TAG_END;
		     tag = (const void *)(((ulong)tag + tag->size + 7) & ~7UL)) {
			bool map = tag->type == TAG_MMAP;

			require((ulong)tag < end && tag->type < TAG_TYPES);
			found |= 1U << tag->type;
			if (map != pass)
				see_tag(tag);
		}
	check_eq((ulong)tag + tag->size, end);
	check_eq(found & wanted, wanted);
	check_eq(HIGH + 1024ULL * mem_upper, ram_end);
	check_eq(modules, 2);
}

static void check_pvh(const struct pvh *info)
{
	const struct pvh_module *module = (const void *)(ulong)info->modules;
	const struct pvh_range *range = (const void *)(ulong)info->memmap;
	u32 i;

	step("PVH: version %u", info->version);
	check(info->version >= 1);
	check(!strcmp((const char *)(ulong)info->cmdline, "one two"));
	check(!memcmp((const void *)(ulong)info->rsdp, "RSD PTR ", 8));
	for (i = 0; i < info->memmap_entries; i++)
		see_range(range[i].base, range[i].length, range[i].kind);
	require(info->nr_modules == 2);
	for (i = 0; i < 2; i++)
		see_module(module[i].base, module[i].size);
	see_skernel(module[1].base, module[1].size);
}

GUEST("handover")
{
	check_eq(read_cr0() & (CR0_PE | CR0_PG), CR0_PE);
	check_eq(read_flags() & EFLAGS_IF, 0);
	if (boot_eax == MULTIBOOT_LOADED)
		check_multiboot((const void *)(ulong)boot_ebx);
	else if (boot_eax == MULTIBOOT2_LOADED)
		check_multiboot2((const void *)(ulong)boot_ebx);
	else if (boot_ebx && *(const u32 *)(ulong)boot_ebx == PVH_MAGIC)
		check_pvh((const void *)(ulong)boot_ebx);
	else
		skip_guest("by neither multiboot nor PVH");
	check(ram_end > HIGH);
}
