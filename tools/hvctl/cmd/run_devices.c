// SPDX-License-Identifier: GPL-2.0-only
/* The part of "hvctl run"'s command line that adds devices to a PC. */
#include <stdlib.h>
#include <string.h>

#include "lib/status.h"
#include "lib/util.h"
#include "run_devices.h"
#include "vmm/devices.h"

enum { OPT_FIRST = 0x300, OPT_HELP_DEVICES = 0x380, OPT_CDROM };

#define DEVICE(n, name, arg, help) \
	{ name, OPT_FIRST + (n), arg, OPTION_HIDDEN, help, HV_DEVICES_GROUP }

/* In the order in which they are told of. */
static const struct argp_option options[] = {
	DEVICE(0, "disk", "FILE[,...]", "a disk: an image, or a block device"),
	DEVICE(1, "net", "BACKEND[,...]", "a network card"),
	DEVICE(2, "share", "DIR[:TAG][,ro]", "a folder of the host's, for virtiofs to mount"),
	DEVICE(3, "vsock", "CID", "sockets between guest and host"),
	DEVICE(4, "vhost-user", "KIND:SOCKET", "a device that another process serves"),
	DEVICE(5, "device", "NAME[,...]", "one more device"),
	{ "cdrom", OPT_CDROM, "ISO", OPTION_HIDDEN, "a CD-ROM drive, with an ISO image in it",
	  HV_DEVICES_GROUP },
	{ "help-devices", OPT_HELP_DEVICES, NULL, 0, "tell of the options that add devices", 0 },
	{ 0 }
};

_Static_assert(ARRAY_SIZE(options) == HV_DEVICE_OPTIONS + 3, "a word for each");

/* What is behind the option: a row of the table of devices each. */
static void describe(const char *option)
{
	for (const struct hv_virtio_row *row = hv_virtio_rows; row->name; row++) {
		const char *argument = row->argument ? row->argument : "";

		if (row->option && !strcmp(row->option, option))
			printf("          %s\n            %s\n", argument, row->help);
		else if (!row->option && !strcmp(option, "device"))
			printf("          %s%s%s\n            %s\n", row->name,
			       *argument ? "," : "", argument, row->help);
	}
	if (!strcmp(option, "device"))
		puts("          pvpanic\n            a panic of the guest's kernel ends the VM\n"
		     "          testdev\n            the test device that kvm-unit-tests want\n"
		     "          vmgenid\n            an ID that tells the guest when it is a copy of itself");
}

static void __attribute__((noreturn)) help(void)
{
	puts("Devices of a PC; each option may be repeated. docs/devices.md has examples.\n");
	for (unsigned int n = 0; n < HV_DEVICE_OPTIONS; n++) {
		printf("      --%s=%s\n", options[n].name, options[n].arg);
		describe(options[n].name);
	}
	puts("      --cdrom=ISO\n            a CD-ROM drive on IDE, with an image in it");
	exit(fflush(stdout) ? HV_STATUS_ERROR : HV_STATUS_OK);
}

static void add(struct argp_state *state, struct hv_device_words *words, unsigned int n,
		const char *arg)
{
	const char *option = options[n].name;
	struct hv_error err;

	if (!words->said[n])
		hv_config_drop_devices(words->config, option);
	words->said[n] = true;
	if (hv_config_add_device(words->config, option, arg, &err))
		argp_failure(state, HV_STATUS_USAGE, 0, "--%s %s: %s", option, arg, err.text);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	unsigned int n = (unsigned int)key - OPT_FIRST;
	struct hv_device_words *words = state->input;

	if (key == OPT_HELP_DEVICES)
		help();
	if (key == OPT_CDROM) {
		words->config->cdrom = arg;
		return 0;
	}
	if (n >= HV_DEVICE_OPTIONS)
		return ARGP_ERR_UNKNOWN;
	add(state, words, n, arg);
	return 0;
}

const struct argp hv_devices_argp = {
	.options = options,
	.parser = parse_option,
};
