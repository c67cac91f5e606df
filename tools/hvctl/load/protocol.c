// SPDX-License-Identifier: GPL-2.0-only
/* Which boot protocol is it? By the file's content, or as the user says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "multiboot.h"
#include "protocol.h"
#include "stranger.h"
#include "unpack.h"

/* In the order in which they are looked for. */
static const struct hv_protocol *const protocols[] = {
	&hv_protocol_linux,
	&hv_protocol_bios,		/* a boot loader behind it may have a multiboot header */
	&hv_protocol_multiboot,
	&hv_protocol_multiboot2,
	&hv_protocol_pvh,
	&hv_protocol_elf,
	&hv_protocol_nimbos,
	&hv_protocol_firmware,
	&hv_protocol_flat,
};

const struct hv_protocol *hv_protocol_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (!strcmp(protocols[i]->name, name))
			return protocols[i];
	return NULL;
}

const char *hv_protocol_names(void)
{
	static char names[120];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
				protocols[i]->name);
	return names;
}

/* What is not known by a boot protocol, and has a header of one that does not count. */
static bool is_spoilt(const struct hv_file *file, struct hv_error *err)
{
	return hv_multiboot_find_bad(&hv_multiboot_1, file, err) ||
	       hv_multiboot_find_bad(&hv_multiboot_2, file, err);
}

/* The first protocol that knows the file, or NULL. */
static const struct hv_protocol *look_for(const struct hv_file *file, const char **why)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		*why = protocols[i]->recognise ? protocols[i]->recognise(file) : NULL;
		if (*why)
			return protocols[i];
	}
	return NULL;
}

const struct hv_protocol *hv_protocol_recognise(const struct hv_file *file, const char **why,
						struct hv_error *err)
{
	const struct hv_protocol *protocol = look_for(file, why);
	const char *stranger = protocol ? NULL : hv_stranger(file);

	if (!protocol && hv_unpack_format(file)) {
		hv_fail(err, ENOEXEC, "is compressed by %s, more than once; unpack it first",
			hv_unpack_format(file));
		return NULL;
	}
	if (stranger) {
		hv_fail(err, ENOEXEC, "%s", stranger);
		return NULL;
	}
	if (protocol && protocol != &hv_protocol_elf)
		return protocol;
	if (is_spoilt(file, err))
		return NULL;
	if (hv_pvh_is_missing(file)) {
		hv_fail(err, ENOEXEC,
			"is a kernel for Xen's paravirtual guests alone; give one with a PVH entry, or use --boot elf");
		return NULL;
	}
	if (protocol)
		return protocol;
	*why = "no magic number";
	return &hv_protocol_flat;
}
