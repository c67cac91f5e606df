// SPDX-License-Identifier: GPL-2.0-only
/* The part of "hvctl run"'s command line that says what is loaded, and how. */
#include <string.h>
#include <unistd.h>

#include "lib/args.h"
#include "lib/status.h"
#include "load/config.h"
#include "run_load.h"

enum {
	OPT_LOAD = 0x200,
	OPT_ENTRY,
	OPT_MODE,
	OPT_CMDLINE,
	OPT_APPEND,
	OPT_INITRD,
	OPT_BOOT,
	OPT_BIOS,
	OPT_FIRMWARE,
	OPT_FW_CFG,
	OPT_SYSTEM_MAP
};

/* A line each on a screen of 80 columns: hvctl(1) tells more. */
static const struct argp_option options[] = {
	{ "append", OPT_APPEND, "STR", 0, "more of the command line, behind the default", 0 },
	{ "bios", OPT_BIOS, "FILE[@GPA]", 0, "with --boot nimbos: a stub of one's own", 0 },
	{ "boot", OPT_BOOT, "linux|multiboot|multiboot2|pvh|elf|nimbos|firmware|flat", 0,
	  "how IMAGE starts (default: by its content)", 0 },
	{ "cmdline", OPT_CMDLINE, "STR", 0, "the guest's command line", 0 },
	{ "entry", OPT_ENTRY, "GPA", 0, "the first instruction", 0 },
	{ "firmware", OPT_FIRMWARE, "FILE", 0, "start firmware; IMAGE is a Linux kernel for it",
	  0 },
	{ "fw-cfg", OPT_FW_CFG, "NAME=FILE", 0, "a file in fw_cfg, e.g. opt/NAME; repeatable", 0 },
	{ "initrd", OPT_INITRD, "FILE[,ARGS]", 0, "an initramfs, or a module; repeatable", 0 },
	{ "load", OPT_LOAD, "GPA", 0, "where a flat image goes (default 0x100000)", 0 },
	{ "mode", OPT_MODE, "real|protected|long", 0, "in which it starts", 0 },
	{ "system-map", OPT_SYSTEM_MAP, "FILE", 0, "a kernel's symbols, to say where it has died",
	  0 },
	{ 0 }
};

static void parse_address(struct argp_state *state, const char *option, const char *arg,
			  uint64_t *value)
{
	if (!hv_parse_size(arg, 1, value) || *value == HV_UNSET)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "%s %s: not a size or address; give a number like 0x100000 or 16M",
			     option, arg);
}

/* FILE or FILE@GPA: a name with an @ in it is taken as such if there is such a file. */
static void parse_bios(struct hv_payload_config *config, char *arg)
{
	char *at = strrchr(arg, '@');

	config->bios = arg;
	config->bios_gpa = HV_UNSET;
	if (at && access(arg, F_OK) && hv_parse_size(at + 1, 1, &config->bios_gpa))
		*at = 0;
}

static enum hv_mode parse_mode(struct argp_state *state, const char *arg)
{
	enum hv_mode mode = HV_MODE_DEFAULT;

	if (!hv_mode_find(arg, &mode))
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--mode %s: no such mode; use real, protected or long", arg);
	return mode;
}

/* Those of the command line instead of the file's. */
static void add_initrd(struct argp_state *state, struct hv_payload_words *words, const char *arg)
{
	struct hv_payload_config *config = words->config;

	if (!words->initrd)
		config->initrds = 0;
	words->initrd = true;
	if (!hv_payload_config_add_initrd(config, arg))
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--initrd %s: one too many; give at most %d", arg,
			     HV_PAYLOAD_MAX_MODULES);
}

/* NAME=FILE */
static void add_fw_file(struct argp_state *state, struct hv_payload_words *words, char *arg)
{
	struct hv_payload_config *config = words->config;
	char *equals = strchr(arg, '=');

	if (!words->fw_cfg)
		config->fw_files = 0;
	words->fw_cfg = true;
	if (!equals || equals == arg || !equals[1])
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--fw-cfg %s: not of the form NAME=FILE; give one like opt/NAME=FILE",
			     arg);
	*equals = 0;
	if (!hv_payload_config_add_fw_file(config, arg, equals + 1))
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--fw-cfg %s: one too many; give at most %d", arg,
			     HV_PAYLOAD_MAX_FW_FILES);
}

static void set_firmware(struct argp_state *state, struct hv_payload_words *words, const char *arg)
{
	if (words->firmware)
		argp_failure(state, HV_STATUS_USAGE, 0, "--firmware %s: one too many; give one",
			     arg);
	words->firmware = arg;
}

static void set_image(struct argp_state *state, struct hv_payload_words *words, const char *arg)
{
	if (words->image)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "%s: one image too many; give one, and quote --cmdline", arg);
	words->image = arg;
}

static bool is_firmware(const struct hv_payload_config *config)
{
	return config->boot && !strcmp(config->boot, "firmware");
}

/* What is no option is the image, or the kernel for firmware: that of an option, or of a file. */
static void take_image(struct hv_payload_words *words)
{
	struct hv_payload_config *config = words->config;
	bool had_firmware = words->had_firmware && is_firmware(config);

	if (words->had_firmware && !is_firmware(config))
		config->kernel = NULL;
	if (words->firmware) {
		if (!had_firmware)
			config->kernel = config->path;
		config->path = words->firmware;
		config->boot = "firmware";
		if (words->image)
			config->kernel = words->image;
	} else if (words->image && had_firmware) {
		config->kernel = words->image;
	} else if (words->image) {
		config->path = words->image;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct hv_payload_words *words = state->input;
	struct hv_payload_config *config = words->config;

	switch (key) {
	case ARGP_KEY_INIT:
		words->had_firmware = is_firmware(config);
		return 0;
	case OPT_LOAD:
		parse_address(state, "--load", arg, &config->options.load);
		return 0;
	case OPT_ENTRY:
		parse_address(state, "--entry", arg, &config->options.entry);
		return 0;
	case OPT_MODE:
		config->options.mode = parse_mode(state, arg);
		return 0;
	case OPT_CMDLINE:
		config->cmdline = arg;
		return 0;
	case OPT_APPEND:
		config->append = arg;
		return 0;
	case OPT_BOOT:
		config->boot = arg;
		return 0;
	case OPT_BIOS:
		parse_bios(config, arg);
		return 0;
	case OPT_SYSTEM_MAP:
		config->system_map = arg;
		return 0;
	case OPT_INITRD:
		add_initrd(state, words, arg);
		return 0;
	case OPT_FIRMWARE:
		set_firmware(state, words, arg);
		return 0;
	case OPT_FW_CFG:
		add_fw_file(state, words, arg);
		return 0;
	case ARGP_KEY_ARG:
		set_image(state, words, arg);
		return 0;
	case ARGP_KEY_END:
		take_image(words);
		if (!config->path)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "no image given; 'hvctl run IMAGE', or see 'hvctl help run'");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_payload_argp = {
	.options = options,
	.parser = parse_option,
};
