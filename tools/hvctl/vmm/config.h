/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine is: plain data, made from a command line, a file or a saved machine, and all
 * that hv_machine_create() asks for.
 */
#ifndef HV_VMM_CONFIG_H
#define HV_VMM_CONFIG_H

#include "dev/pc.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "load/config.h"

/* Of what hv_config_to_json() writes; hv_config_from_json() refuses others. */
#define HV_CONFIG_VERSION 1
#define HV_CONFIG_MEMORY  (128 * HV_MIB) /* where nothing else is said */
#define HV_CONFIG_CPU_MAX 512
#define HV_CONFIG_CPUS_MAX 64
#define HV_CONFIG_DEVICES_MAX 30 /* as many as PCI has slots for, besides the board's own */

enum hv_machine_kind {
	HV_MACHINE_DEFAULT,		/* what the boot protocol expects */
	HV_MACHINE_PC,
	HV_MACHINE_BARE,
	HV_NR_MACHINE_KINDS
};

enum hv_serial_kind {
	HV_SERIAL_NONE,			/* the machine has no such port */
	HV_SERIAL_NULL,			/* there, and unplugged */
	HV_SERIAL_STDIO,		/* the console; of it: standard input and output */
	HV_SERIAL_PTY,			/* a new pseudo-terminal */
	HV_SERIAL_FILE,			/* output only, into a file */
	HV_SERIAL_UNIX,			/* of the console only: a socket that others come to */
	HV_NR_SERIAL_KINDS
};

/* Names of them, in the order of their values, NULL behind the last. */
extern const char *const hv_machine_names[], *const hv_serial_names[], *const hv_display_names[];

enum hv_display_kind {
	HV_DISPLAY_NONE,		/* the screen is told at the end */
	HV_DISPLAY_TEXT,		/* drawn on the terminal, which has the keyboard, too */
	HV_NR_DISPLAY_KINDS
};

struct hv_serial_choice {
	enum hv_serial_kind kind;
	const char *path;		/* of a file, or of a socket */
};

/* One more device: what kind, by the name of an option, and what was said of it. */
struct hv_device_choice {
	const char *option;		/* of a table, see devices.h */
	const char *text;
};

/**
 * struct hv_config - a machine
 * @name: what others call it by; NULL: hv_name_make() has one
 * @memory: guest RAM in bytes
 * @cpus: vCPUs, 1 to HV_CONFIG_CPUS_MAX. The first one begins; a PC's others wait for it
 * @machine: with or without the chips of a PC
 * @cpu: "[+-]FEATURE,...": what the user takes from the CPU or insists on
 * @serial: COM1 to COM4
 * @console: what the console is connected to, which is where the first serial port and the debug
 *	port go; HV_SERIAL_NONE: not said
 * @display: where the screen is seen; what wants one makes a machine a PC by default
 * @device: disks, networks and the like, in the order of their PCI slots; @devices of them
 * @testdev: with the PC test device
 * @pvpanic: with the port by which a guest says that it has panicked
 * @vmgenid: with an ID in memory that changes when a saved machine is made again
 * @cdrom: an ISO image; NULL: no drive
 * @no_reboot: end when the guest reboots
 * @shared_memory: RAM in a memfd, whatever that costs
 * @records: how many of the last exits of each vCPU are kept, hv_flight_is_size(); 0: none
 * @sandbox: hvctl gives up what it does not need before the guest starts
 * @load: what is loaded, and how
 * @verbose: how much of its life is told: 1 a line a step, 2 each VM exit of a PC, too. A
 *	matter of who watches it, so hv_config_to_json() leaves it out.
 *
 * Strings belong to whoever made it: to argv, or to hv_config_from_json().
 */
struct hv_config {
	const char *name;
	uint64_t memory;
	unsigned int cpus;
	enum hv_machine_kind machine;
	char cpu[HV_CONFIG_CPU_MAX];
	struct hv_serial_choice serial[HV_PC_COM_PORTS];
	struct hv_serial_choice console;
	enum hv_display_kind display;
	struct hv_device_choice device[HV_CONFIG_DEVICES_MAX];
	unsigned int devices;
	bool testdev;
	bool pvpanic;
	bool vmgenid;
	const char *cdrom;
	bool no_reboot;
	bool shared_memory;
	unsigned int records;
	bool sandbox;
	struct hv_payload_config load;
	unsigned int verbose;
};

#define HV_CONFIG_DEFAULT                                  \
	{                                                  \
		.memory = HV_CONFIG_MEMORY,                \
		.cpus = 1,                                 \
		.serial[0] = { HV_SERIAL_STDIO, NULL },    \
		.sandbox = true,                           \
		.load = HV_PAYLOAD_CONFIG_DEFAULT,         \
	}

/* "pc" or "bare". False: there is no such kind. */
bool hv_machine_kind_find(const char *name, enum hv_machine_kind *kind);

/* "null", "file:NAME" ...; the path is in @text. False: there is no such thing. */
bool hv_serial_choice_parse(struct hv_serial_choice *choice, const char *text);

/* "none" or "text". False: there is no such kind. */
bool hv_display_kind_find(const char *name, enum hv_display_kind *kind);

/* A number in decimal. Returns 0 or -EINVAL. */
int hv_config_set_cpus(struct hv_config *config, const char *text, struct hv_error *err);

/* A number in decimal; NULL: as many as is usual. Returns 0 or -EINVAL. */
int hv_config_set_records(struct hv_config *config, const char *text, struct hv_error *err);

/* More of --cpu, which is checked. Returns 0, -EINVAL or -E2BIG. */
int hv_config_add_cpu(struct hv_config *config, const char *text, struct hv_error *err);

/* One COMn:BACKEND; stdio moves to whom it is given last. Returns 0 or -EINVAL. */
int hv_config_set_serial(struct hv_config *config, const char *text, struct hv_error *err);

/* A BACKEND for the console. Returns 0 or -EINVAL. */
int hv_config_set_console(struct hv_config *config, const char *text, struct hv_error *err);

/* A name, which is checked. Returns 0 or -EINVAL. */
int hv_config_set_name(struct hv_config *config, const char *name, struct hv_error *err);

/* As one object of JSON; free() it. NULL: no memory, or a string is not UTF-8. */
char *hv_config_to_json(const struct hv_config *config);

/**
 * hv_config_from_json() - read what hv_config_to_json() has written, or somebody else
 * @text: one object; keys that are not there keep their default, unknown ones are an error
 * @err: filled in on failure: which key, and why
 *
 * Returns the configuration, to be given to hv_config_free(), or NULL.
 */
struct hv_config *hv_config_from_json(const char *text, struct hv_error *err);
void hv_config_free(struct hv_config *config);

#endif
