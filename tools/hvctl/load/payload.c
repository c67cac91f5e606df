// SPDX-License-Identifier: GPL-2.0-only
/* From the command line's files to a guest's RAM. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf.h"
#include "lib/util.h"
#include "payload.h"
#include "protocol.h"
#include "stranger.h"
#include "symbols.h"
#include "unpack.h"

/* What comes by a pipe or is unpacked may be larger than what of it goes into RAM. */
#define FILE_MAX (2 * HV_GIB)

static uint64_t file_max(const struct hv_memory *memory)
{
	return memory->size > FILE_MAX ? memory->size : FILE_MAX;
}

/* With an address of its own a boot sector is flat code, which with that of one is one. */
static void heed_options(struct hv_payload *payload)
{
	bool may_be = hv_bootsector_may_be(&payload->config->options);

	if (payload->protocol == &hv_protocol_bios && !may_be) {
		payload->protocol = &hv_protocol_flat;
		payload->why = "--load, --mode";
	} else if (payload->protocol == &hv_protocol_flat && may_be &&
		   payload->config->options.load != HV_UNSET) {
		payload->protocol = &hv_protocol_bios;
		payload->why = "--load 0x7c00";
	}
}

static int choose_protocol(struct hv_payload *payload, struct hv_error *err)
{
	const char *boot = payload->config->boot;

	if (!boot) {
		payload->protocol = hv_protocol_recognise(&payload->file, &payload->why, err);
		if (!payload->protocol)
			return -ENOEXEC;
		heed_options(payload);
		return 0;
	}
	payload->why = "--boot";
	payload->protocol = hv_protocol_find(boot);
	if (payload->protocol)
		return 0;
	payload->subject = "--boot";
	return hv_fail(err, EINVAL, "%s: no such boot protocol; use one of %s", boot,
		       hv_protocol_names());
}

/* With --boot flat and the like the bytes are meant as they are. */
static int unpack_image(struct hv_payload *payload, int fd, uint64_t max, struct hv_error *err)
{
	const char *boot = payload->config->boot;
	const struct hv_protocol *protocol = boot ? hv_protocol_find(boot) : NULL;
	int error;

	if (protocol && !protocol->recognise)
		return 0;
	payload->packed = hv_unpack_format(&payload->file);
	if (!payload->packed)
		return 0;
	error = hv_file_fetch(&payload->file, fd, 0, payload->file.size, err);
	return error ? error : hv_unpack(&payload->file, max, err);
}

/*
 * As much of the image as its protocol looks at. Disks and the like are larger than anything
 * that is read: they are known by their first bytes.
 */
static int open_image(struct hv_payload *payload, int *fd, uint64_t max, struct hv_error *err)
{
	int error = hv_file_open(&payload->file, fd, payload->config->path, max, err);
	const char *stranger = error == -EFBIG || error == -ENOMEM ? hv_stranger(&payload->file) :
								     NULL;

	if (stranger)
		return hv_fail(err, ENOEXEC, "%s", stranger);
	if (!error)
		error = unpack_image(payload, *fd, max, err);
	/* What was in a compressed file is whole. */
	if (!error && !payload->packed && hv_is_elf(&payload->file))
		error = hv_elf_fetch(&payload->file, *fd, err);
	return error;
}

/* The rest of it, when it is known what of it is loaded. */
static int fetch_segments(struct hv_payload *payload, int fd, struct hv_error *err)
{
	int error = 0;

	payload->subject = payload->config->path;
	for (size_t i = 0; i < payload->image.count && !error && !payload->packed; i++)
		error = hv_file_fetch(&payload->file, fd, payload->image.segment[i].file_offset,
				      payload->image.segment[i].file_size, err);
	return error;
}

/* What the user says replaces the protocol's own words; --append goes behind either. */
static int make_cmdline(struct hv_payload *payload, struct hv_error *err)
{
	const struct hv_payload_config *config = payload->config;
	/* Firmware's is that of the kernel that it starts. */
	const struct hv_protocol *protocol = config->kernel ? &hv_protocol_linux :
							      payload->protocol;
	bool desk = config->desk && !config->kernel && protocol->desk_cmdline;
	const char *own = payload->image.foreign ? NULL :
			  desk                   ? protocol->desk_cmdline :
						   protocol->cmdline;
	const char *first = config->cmdline ? config->cmdline : own ? own : "";
	const char *append = config->append ? config->append : "";
	const char *name = payload->protocol->names_image ? config->path : "";
	size_t len = snprintf(payload->text, sizeof(payload->text), "%s%s%s%s%s", name,
			      *name && (*first || *append) ? " " : "", first,
			      *first && *append ? " " : "", append);

	if (len >= sizeof(payload->text))
		return hv_fail(err, E2BIG, "the command line is longer than %d bytes; shorten %s",
			       HV_BOOT_CMDLINE_MAX - 1, hv_payload_config_who_said(config));
	return 0;
}

static int read_one(struct hv_payload *payload, struct hv_file *file, const char *path,
		    uint64_t max, struct hv_error *err)
{
	payload->subject = path;
	return hv_file_read(file, path, max, err);
}

static int read_map(struct hv_payload *payload, uint64_t max, struct hv_error *err)
{
	int error = read_one(payload, &payload->map, payload->config->system_map, max, err);

	if (error || hv_symbols_is_map(&payload->map))
		return error;
	return hv_fail(err, ENOEXEC,
		       "is no System.map: no line of it is ADDRESS t NAME; make one by nm VMLINUX");
}

/* FILE or FILE,ARGS: a name with a comma in it is taken as such if there is such a file. */
static int read_module(struct hv_payload *payload, struct hv_module *module, uint64_t max,
		       struct hv_error *err)
{
	const char *comma = access(module->path, F_OK) ? strchr(module->path, ',') : NULL;
	char file[PATH_MAX];

	if (!comma)
		return read_one(payload, &module->file, module->path, max, err);
	module->args = comma + 1 - module->path;
	snprintf(file, sizeof(file), "%.*s", (int)(comma - module->path), module->path);
	payload->subject = module->path;
	return hv_file_read(&module->file, file, max, err);
}

static int read_modules(struct hv_payload *payload, uint64_t max, struct hv_error *err)
{
	for (unsigned int i = 0; i < payload->config->initrds; i++) {
		struct hv_module *module = &payload->module[i];
		int error;

		module->path = payload->config->initrd[i];
		payload->modules++;
		error = read_module(payload, module, max, err);
		if (error)
			return error;
	}
	return 0;
}

/* fw_cfg's sizes have 32 bits. */
static int read_fw_files(struct hv_payload *payload, uint64_t max, struct hv_error *err)
{
	const struct hv_payload_config *config = payload->config;
	int error = 0;

	if (max > UINT32_MAX)
		max = UINT32_MAX;
	for (unsigned int i = 0; i < config->fw_files && !error; i++)
		error = read_one(payload, &payload->fw_file[i], config->fw_file[i].path, max, err);
	if (!error && config->kernel)
		error = read_one(payload, &payload->kernel, config->kernel, max, err);
	return error;
}

static int place(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	const struct hv_protocol *protocol = payload->protocol;

	if (payload->config->bios && !protocol->takes_bios) {
		payload->subject = "--bios";
		return hv_fail(err, EINVAL,
			       "has no meaning with the boot protocol '%s'; add --boot nimbos",
			       protocol->name);
	}
	for (unsigned int i = 0; i < payload->modules && !protocol->module_args; i++)
		if (payload->module[i].args) {
			payload->subject = payload->module[i].path;
			return hv_fail(
				err, EINVAL,
				"the boot protocol '%s' tells an initrd nothing; leave out what is behind the comma",
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
	payload->subject = config->path;
	error = choose_protocol(payload, err);
	if (!error)
		error = payload->protocol->load(&payload->image, &payload->file, &config->options,
						err);
	if (!error && payload->image.rom_size)
		error = hv_memory_add_rom(memory, payload->image.rom_size, err);
	if (!error)
		error = hv_image_check(&payload->image, memory, err);
	if (!error)
		error = make_cmdline(payload, err);
	if (!error)
		error = hv_boot_plan(&payload->areas, &payload->image, payload->text, err);
	return error ? error : place(payload, memory, err);
}

static int read_others(struct hv_payload *payload, uint64_t max, struct hv_error *err)
{
	int error = read_modules(payload, max, err);

	if (!error && payload->config->bios)
		error = read_one(payload, &payload->stub, payload->config->bios, max, err);
	if (!error && payload->config->system_map)
		error = read_map(payload, max, err);
	return error ? error : read_fw_files(payload, max, err);
}

int hv_payload_read(struct hv_payload *payload, const struct hv_payload_config *config,
		    struct hv_memory *memory, struct hv_error *err)
{
	uint64_t max = file_max(memory);
	int error, fd;

	*payload = (struct hv_payload){ .config = config, .subject = config->path };
	error = open_image(payload, &fd, max, err);
	if (!error)
		error = read_others(payload, max, err);
	if (!error)
		error = hv_payload_plan(payload, config, memory, err);
	if (!error)
		error = fetch_segments(payload, fd, err);
	/* The BIOS reads on where the guest asks it to. */
	payload->is_open = !error && fd >= 0 && payload->image.bios && !payload->packed;
	payload->fd = fd;
	if (!payload->is_open)
		hv_close(fd);
	return error;
}

void hv_payload_start(const struct hv_payload *payload, const struct hv_memory *memory,
		      const struct hv_boot_env *env, struct hv_boot *boot)
{
	const struct hv_image *image = &payload->image;

	hv_image_copy(image, &payload->file, memory);
	/* Firmware fetches them itself. */
	for (unsigned int i = 0; i < payload->modules && !image->rom_size; i++) {
		const struct hv_module *module = &payload->module[i];

		hv_image_put(memory, module->gpa, module->file.data, module->file.size);
	}
	hv_boot_prepare(boot, &payload->areas, image, memory, image->rom_size ? "" : payload->text,
			env);
	if (payload->protocol->start)
		payload->protocol->start(payload, memory, env, boot);
}

bool hv_payload_read_image(const struct hv_payload *payload, uint64_t offset, void *data,
			   size_t len)
{
	const struct hv_file *file = &payload->file;

	if (offset > file->size || len > file->size - offset)
		return false;
	if (payload->is_open)
		return pread(payload->fd, data, len, offset) == (ssize_t)len;
	memcpy(data, file->data + offset, len);
	return true;
}

bool hv_payload_find_symbol(const struct hv_payload *payload, uint64_t rip, char *text, size_t len)
{
	return hv_symbols_in_map(&payload->map, rip, text, len) ||
	       hv_symbols_in_elf(&payload->file, rip, text, len);
}

void hv_payload_free(struct hv_payload *payload)
{
	if (payload->is_open)
		close(payload->fd);
	hv_file_free(&payload->file);
	hv_file_free(&payload->stub);
	hv_file_free(&payload->map);
	hv_file_free(&payload->kernel);
	hv_file_free(&payload->setup);
	hv_file_free(&payload->initrd);
	for (unsigned int i = 0; i < HV_PAYLOAD_MAX_FW_FILES; i++)
		hv_file_free(&payload->fw_file[i]);
	for (unsigned int i = 0; i < payload->modules; i++)
		hv_file_free(&payload->module[i].file);
	*payload = (struct hv_payload){ 0 };
}
