// SPDX-License-Identifier: GPL-2.0-only
/* From the command line's files to a guest's RAM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "symbols.h"

static int parse_image(struct hv_payload *payload, struct hv_error *err)
{
	const struct hv_payload_config *config = payload->config;
	const struct hv_protocol *protocol = NULL;

	if (config->boot) {
		payload->subject = "--boot";
		protocol = hv_protocol_find(config->boot);
		if (!protocol)
			return hv_fail(err, EINVAL, "%s: no such boot protocol; use one of %s",
				       config->boot, hv_protocol_names());
	}
	payload->subject = config->path;
	return hv_image_parse(&payload->image, &payload->file, protocol, &config->options, err);
}

/* What the user says replaces the protocol's own words; --append goes behind either. */
static int make_cmdline(struct hv_payload *payload, struct hv_error *err)
{
	const struct hv_payload_config *config = payload->config;
	const char *own = payload->image.protocol->cmdline;
	const char *first = config->cmdline ? config->cmdline : own ? own : "";
	const char *append = config->append ? config->append : "";
	size_t len = snprintf(payload->text, sizeof(payload->text), "%s%s%s", first,
			      *first && *append ? " " : "", append);

	if (len >= sizeof(payload->text))
		return hv_fail(
			err, E2BIG,
			"the command line is longer than %d bytes; shorten --cmdline or --append",
			HV_BOOT_CMDLINE_MAX - 1);
	return 0;
}

static int read_modules(struct hv_payload *payload, uint64_t max, struct hv_error *err)
{
	for (unsigned int i = 0; i < payload->config->initrds; i++) {
		struct hv_module *module = &payload->module[i];
		int error;

		payload->subject = module->path = payload->config->initrd[i];
		payload->modules++;
		error = hv_file_read(&module->file, module->path, max, err);
		if (error)
			return error;
	}
	return 0;
}

static int read_map(struct hv_payload *payload, struct hv_error *err)
{
	const char *path = payload->config->system_map;

	if (!path)
		return 0;
	payload->subject = path;
	return hv_file_read(&payload->map, path, UINT64_MAX, err);
}

static int place(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	const struct hv_protocol *protocol = payload->image.protocol;

	if (payload->config->bios && protocol != &hv_protocol_nimbos) {
		payload->subject = "--bios";
		return hv_fail(err, EINVAL,
			       "has no meaning with the boot protocol '%s'; add --boot nimbos",
			       protocol->name);
	}
	if (protocol->place)
		return protocol->place(payload, memory, err);
	if (!payload->modules)
		return 0;
	payload->subject = payload->module[0].path;
	return hv_fail(err, EINVAL,
		       "the boot protocol '%s' takes no initrd; leave out --initrd, or see --boot",
		       protocol->name);
}

int hv_payload_plan(struct hv_payload *payload, const struct hv_payload_config *config,
		    struct hv_memory *memory, struct hv_error *err)
{
	int error;

	payload->config = config;
	error = parse_image(payload, err);
	if (!error && payload->image.rom_size)
		error = hv_memory_add_rom(memory, payload->image.rom_size, err);
	if (!error)
		error = hv_image_check(&payload->image, memory, err);
	if (!error)
		error = make_cmdline(payload, err);
	if (!error)
		error = hv_boot_check(&payload->image, payload->text, err);
	return error ? error : place(payload, memory, err);
}

int hv_payload_read(struct hv_payload *payload, const struct hv_payload_config *config,
		    struct hv_memory *memory, struct hv_error *err)
{
	int error;

	*payload = (struct hv_payload){ .config = config, .subject = config->path };
	error = hv_file_read(&payload->file, config->path, memory->size, err);
	if (!error)
		error = read_modules(payload, memory->size, err);
	if (!error)
		error = read_map(payload, err);
	return error ? error : hv_payload_plan(payload, config, memory, err);
}

void hv_payload_start(const struct hv_payload *payload, const struct hv_memory *memory,
		      bool huge_1g, struct hv_boot *boot)
{
	const struct hv_image *image = &payload->image;

	hv_image_copy(image, &payload->file, memory);
	for (unsigned int i = 0; i < payload->modules; i++) {
		const struct hv_module *module = &payload->module[i];

		memcpy(hv_memory_at(memory, module->gpa, module->file.size), module->file.data,
		       module->file.size);
	}
	hv_boot_prepare(boot, image, memory, payload->text, huge_1g);
	if (image->protocol->start)
		image->protocol->start(payload, memory, boot);
}

bool hv_payload_find_symbol(const struct hv_payload *payload, uint64_t rip, char *text, size_t len)
{
	return hv_symbols_in_map(&payload->map, rip, text, len) ||
	       hv_symbols_in_elf(&payload->file, rip, text, len);
}

void hv_payload_free(struct hv_payload *payload)
{
	hv_file_free(&payload->file);
	hv_file_free(&payload->stub);
	hv_file_free(&payload->map);
	for (unsigned int i = 0; i < payload->modules; i++)
		hv_file_free(&payload->module[i].file);
	*payload = (struct hv_payload){ 0 };
}

int hv_place_modules(struct hv_payload *payload, uint64_t floor, uint64_t limit, uint64_t align,
		     struct hv_error *err)
{
	uint64_t total = 0, gpa;

	for (unsigned int i = 0; i < payload->modules; i++)
		total += (payload->module[i].file.size + align - 1) & ~(align - 1);
	/* The first begins a page, whatever lies between them. */
	gpa = limit < total ? 0 : (limit - total) & ~0xfffULL;
	if (total && gpa < floor) {
		payload->subject = payload->module[0].path;
		return hv_fail(
			err, ENOSPC,
			"initrd: %llu KiB do not fit into guest RAM between the kernel's end at 0x%llx and 0x%llx; use a larger --mem",
			(unsigned long long)(total + 1023) / 1024, (unsigned long long)floor,
			(unsigned long long)limit);
	}
	for (unsigned int i = 0; i < payload->modules; i++) {
		payload->module[i].gpa = gpa;
		gpa += (payload->module[i].file.size + align - 1) & ~(align - 1);
	}
	return 0;
}

int hv_check_info_area(const struct hv_image *image, struct hv_error *err)
{
	if (!hv_image_uses(image, HV_BOOT_INFO, HV_BOOT_INFO_SIZE))
		return 0;
	return hv_fail(
		err, EINVAL,
		"covers 0x%x-0x%x, where hvctl puts what the boot protocol tells; link it elsewhere, e.g. at 0x100000",
		HV_BOOT_INFO, HV_BOOT_INFO + HV_BOOT_INFO_SIZE - 1);
}
