// SPDX-License-Identifier: GPL-2.0-only
/* The devices that a user adds: from what he says to a PCI slot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/name.h"
#include "devices.h"
#include "lib/lock.h"
#include "lib/tvx.h"
#include "machine_ide.h"
#include "machine_pc.h"
#include "ports.h"
#include "virtio/pci.h"

#define DEVICE	   "device"	/* --device NAME[,...] */
#define TESTDEV	   "testdev"
#define PVPANIC	   "pvpanic"
#define VMGENID	   "vmgenid"
#define FIRST_SLOT 2		/* behind the chipset */

/* ----------------------------------------------------------- configuration */

static void list_names(char *text, size_t room)
{
	*text = '\0';
	for (const struct hv_virtio_row *row = hv_virtio_rows; row->name; row++)
		if (!row->option)
			snprintf(text + strlen(text), room - strlen(text), "%s, ", row->name);
}

/* NAME, and what is behind a comma. */
static const struct hv_virtio_row *find_named(const char *text, const char **options)
{
	size_t len = strcspn(text, ",");
	const struct hv_virtio_row *row = hv_virtio_rows;

	*options = text[len] ? text + len + 1 : text + len;
	for (; row->name; row++)
		if (!row->option && strlen(row->name) == len && !strncmp(row->name, text, len))
			return row;
	return NULL;
}

static int add_choice(struct hv_config *config, struct hv_device_choice choice,
		      struct hv_error *err)
{
	if (config->devices == HV_CONFIG_DEVICES_MAX)
		return hv_fail(err, ENOSPC, "one too many; a machine has room for %d devices",
			       HV_CONFIG_DEVICES_MAX);
	config->device[config->devices++] = choice;
	return 0;
}

static int add(struct hv_config *config, const struct hv_virtio_row *row, const char *text,
	       struct hv_error *err)
{
	int error = row->check ? row->check(text, err) : 0;

	return error ? error :
		       add_choice(config, (struct hv_device_choice){ hv_virtio_word(row), text },
				  err);
}

/* Those of the board itself, which are on no bus that they could be found on. */
static bool add_to_board(struct hv_config *config, const char *name)
{
	if (!strcmp(name, TESTDEV))
		config->testdev = true;
	else if (!strcmp(name, PVPANIC))
		config->pvpanic = true;
	else if (!strcmp(name, VMGENID))
		config->vmgenid = true;
	else
		return false;
	return true;
}

int hv_config_add_device(struct hv_config *config, const char *option, const char *text,
			 struct hv_error *err)
{
	const struct hv_device_choice choice = { option, text };
	const struct hv_virtio_row *row;
	char names[100];

	if (hv_machine_ide_takes(&choice))
		return add_choice(config, choice, err);
	row = hv_virtio_find(option);
	if (row)
		return add(config, row, text, err);
	if (strcmp(option, DEVICE))
		return hv_fail(err, EINVAL, "this hvctl was built without such devices");
	if (add_to_board(config, text))
		return 0;
	row = find_named(text, &text);
	if (row)
		return add(config, row, text, err);
	list_names(names, sizeof(names));
	return hv_fail(err, EINVAL,
		       "no such device; there are %s" PVPANIC ", " TESTDEV ", " VMGENID, names);
}

static bool is_of(const struct hv_device_choice *choice, const char *option)
{
	const struct hv_virtio_row *row = hv_virtio_find(choice->option);

	return !strcmp(option, row && !row->option ? DEVICE : choice->option);
}

void hv_config_drop_devices(struct hv_config *config, const char *option)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < config->devices; i++)
		if (!is_of(&config->device[i], option))
			config->device[kept++] = config->device[i];
	config->devices = kept;
	if (!strcmp(option, DEVICE))
		config->testdev = config->pvpanic = config->vmgenid = false;
}

const char *hv_devices_of_board(const struct hv_config *config)
{
	if (config->pvpanic)
		return "--device " PVPANIC;
	if (config->vmgenid)
		return "--device " VMGENID;
	return config->testdev ? "--device " TESTDEV : NULL;
}

bool hv_devices_share_memory(const struct hv_config *config)
{
	for (unsigned int i = 0; i < config->devices; i++) {
		const struct hv_virtio_row *row = hv_virtio_find(config->device[i].option);

		if (row && row->shared_memory)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ create */

static int set_ioeventfd(void *ctx, bool on, int fd, uint16_t port)
{
	const struct hv_machine *machine = ctx;

	return tvx_ioeventfd(machine->vm.fd, on ? 0 : TINYVMX_IOEVENTFD_DEASSIGN, fd, port, 2, 0);
}

static int set_irqfd(void *ctx, bool on, int fd, uint64_t address, uint32_t data)
{
	const struct hv_machine *machine = ctx;

	return tvx_irqfd(machine->vm.fd, on ? 0 : TINYVMX_IRQFD_DEASSIGN, fd, address, data);
}

static void note(void *ctx, const char *text)
{
	hv_machine_note(ctx, "hvctl run: %s", text);
}

/* How many of its kind come before. */
static unsigned int index_of(const struct hv_config *config, unsigned int n)
{
	unsigned int index = 0;

	for (unsigned int i = 0; i < n; i++)
		index += !strcmp(config->device[i].option, config->device[n].option) &&
			 !hv_machine_ide_takes(&config->device[i]);
	return index;
}

static struct hv_virtio *make(struct hv_machine *machine, unsigned int n, struct hv_error *err)
{
	const struct hv_device_choice *choice = &machine->config.device[n];
	char name[HV_NAME_MAX + 1];
	const struct hv_virtio_env env = {
		.memory = &machine->memory,
		.loop = &machine->loop,
		.name = machine->config.name ?: name,
		.cpus = machine->config.cpus,
		.index = index_of(&machine->config, n),
		.connect = hv_port_connect,
		.note = note,
		.ctx = machine,
	};

	/* The name that others call it by then: no two of them have the same MAC. */
	hv_name_make(name, machine->config.load.path, getpid());
	return hv_virtio_find(choice->option)->create(&env, choice->text, err);
}

static int create(struct hv_machine *machine, unsigned int n, struct hv_error *err)
{
	const struct hv_virtio_pci_config config = {
		.pci = &machine->pc->board.pci,
		.devfn = (FIRST_SLOT + n) * 8,
		.loop = &machine->loop,
		.lock = &machine->lock,
		.ioeventfd = set_ioeventfd,
		.irqfd = set_irqfd,
		.ctx = machine,
	};
	struct hv_virtio *dev;
	int error;

	err->subject = machine->config.device[n].text;
	dev = make(machine, n, err);
	if (!dev)
		return -EINVAL;
	error = hv_virtio_pci_create(&machine->devices[machine->nr_devices], &config, dev, err);
	if (!error)
		machine->nr_devices++;
	return error;
}

/* An eventfd for each queue and for each vector: thirty devices want more than a shell gives. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int hv_devices_create(struct hv_machine *machine, struct hv_error *err)
{
	int error = 0;

	hv_lock_assert_held(&machine->lock);
	if (machine->config.devices)
		raise_fd_limit();
	machine->devices = calloc(machine->config.devices + 1, sizeof(*machine->devices));
	if (!machine->devices)
		return hv_fail(err, ENOMEM, "no memory for devices; close something");
	for (unsigned int n = 0; n < machine->config.devices && !error; n++)
		if (!hv_machine_ide_takes(&machine->config.device[n]))
			error = create(machine, n, err);
	return error;
}

void hv_devices_destroy(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	while (machine->nr_devices)
		hv_virtio_pci_destroy(&machine->devices[--machine->nr_devices]);
	free(machine->devices);
	machine->devices = NULL;
}

/* From one look at whether the machine has ended to the next. */
#define LOOK_MS 50

static bool has_stopped(struct hv_machine *machine, struct hv_virtio *dev)
{
	while (!hv_virtio_wait_reset(dev, LOOK_MS))
		if (hv_machine_has_ended(machine))
			return false;
	return true;
}

bool hv_devices_stop(struct hv_machine *machine)
{
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		hv_virtio_begin_reset(machine->devices[n].dev);
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		if (!has_stopped(machine, machine->devices[n].dev))
			return false;
	return true;
}

void hv_devices_reset(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		hv_virtio_pci_reset(&machine->devices[n]);
}

void hv_devices_confine(struct hv_machine *machine)
{
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		hv_worker_confine(&machine->devices[n].dev->worker);
}

bool hv_devices_have(const struct hv_machine *machine, enum hv_sandbox_kind kind)
{
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		if (machine->devices[n].dev->worker.sandbox == kind)
			return true;
	return false;
}
