// SPDX-License-Identifier: GPL-2.0-only
/* What users say of a disk. */
#include <errno.h>
#include <string.h>

#include "disk.h"

enum { RO, CACHE, SERIAL, INTERFACE, FORMAT };

static const struct hv_option keys[] = {
	[RO] = HV_FLAG("ro"),
	[CACHE] = HV_WORD("cache", "writeback|writethrough|none"),	/* enum hv_disk_cache */
	[SERIAL] = HV_TEXT("serial", "TEXT"),
	[INTERFACE] = HV_WORD("if", "virtio|ide"),	/* enum hv_disk_interface */
	[FORMAT] = HV_WORD("format", "raw"),
	HV_OPTIONS_END,
};

/* What guests show, in files of /dev and in tables. */
static int check_serial(const char *serial, struct hv_error *err)
{
	size_t len = strlen(serial);

	if (len > HV_DISK_SERIAL_MAX)
		return hv_fail(err, EINVAL, "serial=%s has %zu characters; %d is the most", serial,
			       len, HV_DISK_SERIAL_MAX);
	for (; *serial; serial++)
		if (*serial <= ' ' || *serial > '~')
			return hv_fail(err, EINVAL,
				       "serial: only printable ASCII without blanks is a serial");
	return 0;
}

static int take(struct hv_disk_options *options, struct hv_error *err)
{
	struct hv_disk_config *config = &options->config;
	const struct hv_options *parsed = &options->parsed;

	switch (parsed->key) {
	case RO:
		config->read_only = parsed->number;
		return 0;
	case CACHE:
		config->cache = (enum hv_disk_cache)parsed->number;
		return 0;
	case SERIAL:
		config->serial = parsed->text;
		return check_serial(parsed->text, err);
	case INTERFACE:
		options->interface = (enum hv_disk_interface)parsed->number;
		return 0;
	default:
		config->raw = true;
		return 0;
	}
}

int hv_disk_options_parse(struct hv_disk_options *options, const char *text, struct hv_error *err)
{
	int error;

	*options = (struct hv_disk_options){ 0 };
	error = hv_options_begin(&options->parsed, text, "FILE", keys, err);
	options->config.path = options->parsed.first;
	while (!error && (error = hv_options_next(&options->parsed, err)) > 0)
		error = take(options, err);
	return error;
}

void hv_disk_options_end(struct hv_disk_options *options)
{
	hv_options_end(&options->parsed);
	*options = (struct hv_disk_options){ 0 };
}
