/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is to be loaded, and how, as its user says it: plain data, which can be copied,
 * compared and written down. Strings are the caller's; NULL: not said.
 */
#ifndef HV_LOAD_CONFIG_H
#define HV_LOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

enum hv_mode {
	HV_MODE_DEFAULT,		/* not said: the image decides */
	HV_MODE_REAL,
	HV_MODE_PROTECTED,
	HV_MODE_LONG,
};

/* An address that was not said. */
#define HV_UNSET UINT64_MAX

struct hv_load_options {
	uint64_t load;			/* guest-physical address of a flat image */
	uint64_t entry;			/* guest-physical address of the first instruction */
	enum hv_mode mode;
};

#define HV_PAYLOAD_MAX_MODULES 16

/* A file that firmware and kernels find in fw_cfg. */
struct hv_fw_file_config {
	const char *name;		/* there */
	const char *path;		/* here */
};

#define HV_PAYLOAD_MAX_FW_FILES 16

struct hv_payload_config {
	const char *path;		/* of the image */
	const char *kernel;		/* for firmware, which is the image then, to start */
	const char *boot;		/* name of the protocol; NULL: by the image's content */
	const char *cmdline;		/* instead of the protocol's */
	const char *append;		/* behind it */
	bool desk;			/* somebody looks at the screen and types */
	const char *bios;		/* a stub instead of our own */
	uint64_t bios_gpa;		/* where it goes */
	const char *system_map;
	const char *initrd[HV_PAYLOAD_MAX_MODULES];
	unsigned int initrds;
	struct hv_fw_file_config fw_file[HV_PAYLOAD_MAX_FW_FILES];
	unsigned int fw_files;
	struct hv_load_options options;
};

#define HV_LOAD_OPTIONS_DEFAULT { .load = HV_UNSET, .entry = HV_UNSET, .mode = HV_MODE_DEFAULT }
#define HV_PAYLOAD_CONFIG_DEFAULT { .bios_gpa = HV_UNSET, .options = HV_LOAD_OPTIONS_DEFAULT }

extern const char *const hv_mode_names[];	/* in their order, NULL behind the last */
const char *hv_mode_name(enum hv_mode mode);

/* The mode that a user calls @name. False: there is none. */
bool hv_mode_find(const char *name, enum hv_mode *mode);

/* The options that made the command line what it is, for messages. */
const char *hv_payload_config_who_said(const struct hv_payload_config *config);

/* One more initramfs or module; file for fw_cfg. False: there are too many. */
bool hv_payload_config_add_initrd(struct hv_payload_config *config, const char *path);
bool hv_payload_config_add_fw_file(struct hv_payload_config *config, const char *name,
				   const char *path);

#endif
