// SPDX-License-Identifier: GPL-2.0-only
/* The state of a whole machine: who has a part in it, saved and loaded in order. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"
#include "machine_ide.h"
#include "machine_pc.h"
#include "records.h"
#include "serial.h"
#include "shortcut.h"
#include "state.h"
#include "vcpu_state.h"

static int no_memory(struct hv_error *err)
{
	return hv_fail(err, ENOMEM, "no memory to save the machine; close something");
}

/* ------------------------------------------------------------------- chips */

static int save_row(struct hv_state *state, const struct hv_state_row *row, uint32_t instance,
		    const void *holder, struct hv_error *err)
{
	const struct hv_state_kind *kind = row->kind;
	void *record = hv_records_add(state, kind->type, instance, kind->version, kind->size);

	if (!record)
		return no_memory(err);
	kind->save((const char *)holder + row->offset, record);
	return 0;
}

static const void *find_row(const struct hv_state *state, const struct hv_state_row *row,
			    uint32_t instance, struct hv_error *err)
{
	const struct hv_state_kind *kind = row->kind;

	return hv_records_find(state, kind->type, instance, kind->version, kind->size, NULL, err);
}

static const struct hv_state_row port_states[] = {
	{ &hv_uart16550_kind, 0, offsetof(struct hv_serial, uart) },
	{ &hv_panic_kind, 0, offsetof(struct hv_serial, panic) },
};

static const struct hv_state_row pc_state = { &hv_machine_pc_kind, 0, 0 };

static const struct hv_state_row testdev_state = { &hv_testdev_kind, 0, 0 };

static const struct hv_state_row ide_states[] = {
	{ &hv_pci_device_kind, HV_PIIX_IDE, offsetof(struct hv_piix_ide, function) },
	{ &hv_piix_ide_kind, 0, 0 },
};

static bool has_port(const struct hv_machine *machine, unsigned int port)
{
	return machine->serial[port].end.choice.kind != HV_SERIAL_NONE;
}

static int save_ide(const struct hv_machine *machine, struct hv_state *state, struct hv_error *err)
{
	const struct hv_piix_ide *ide = hv_machine_ide_chip(machine);
	int error = 0;

	if (ide && hv_piix_ide_is_busy(ide))
		return hv_fail(err, EBUSY, "a disk is at work; let it come to rest first");
	for (unsigned int i = 0; ide && i < ARRAY_SIZE(ide_states) && !error; i++)
		error = save_row(state, &ide_states[i], ide_states[i].instance, ide, err);
	return error;
}

static int save_chips(const struct hv_machine *machine, struct hv_state *state,
		      struct hv_error *err)
{
	int error = 0;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS * ARRAY_SIZE(port_states) && !error; i++) {
		unsigned int port = i / ARRAY_SIZE(port_states);

		if (has_port(machine, port))
			error = save_row(state, &port_states[i % ARRAY_SIZE(port_states)], port,
					 &machine->serial[port], err);
	}
	if (!machine->pc)
		return error;
	for (unsigned int i = 0; i < HV_PC_STATES && !error; i++)
		error = save_row(state, &hv_pc_states[i], hv_pc_states[i].instance,
				 &machine->pc->board, err);
	if (!error)
		error = save_ide(machine, state, err);
	if (!error && machine->pc->testdev)
		error = save_row(state, &testdev_state, 0, machine->pc->testdev, err);
	return error ? error : save_row(state, &pc_state, 0, machine->pc, err);
}

/* The records of a machine's chips, found and checked before anything is loaded. */
struct chips {
	const void *port[HV_PC_COM_PORTS][ARRAY_SIZE(port_states)];
	const void *board[HV_PC_STATES];
	const void *ide[ARRAY_SIZE(ide_states)];
	const void *testdev;
	const void *pc;
};

static int bad_record(const struct hv_state_row *row, struct hv_error *err)
{
	return hv_fail(err, EINVAL,
		       "record 0x%x of the saved machine is no state of its chip; save it again",
		       row->kind->type);
}

static int find_ports(const struct hv_machine *machine, const struct hv_state *state,
		      struct chips *chips, struct hv_error *err)
{
	for (unsigned int port = 0; port < HV_PC_COM_PORTS; port++)
		for (unsigned int i = 0; has_port(machine, port) && i < ARRAY_SIZE(port_states);
		     i++) {
			const struct hv_state_row *row = &port_states[i];
			const void *record = find_row(state, row, port, err);

			if (!record)
				return -EINVAL;
			if (row->kind->check((char *)&machine->serial[port] + row->offset, record))
				return bad_record(row, err);
			chips->port[port][i] = record;
		}
	return 0;
}

static int find_ide(const struct hv_machine *machine, const struct hv_state *state,
		    struct chips *chips, struct hv_error *err)
{
	const struct hv_piix_ide *ide = hv_machine_ide_chip(machine);

	for (unsigned int i = 0; ide && i < ARRAY_SIZE(ide_states); i++) {
		const struct hv_state_row *row = &ide_states[i];

		chips->ide[i] = find_row(state, row, row->instance, err);
		if (!chips->ide[i])
			return -EINVAL;
		if (row->kind->check((const char *)ide + row->offset, chips->ide[i]))
			return bad_record(row, err);
	}
	return 0;
}

static int find_board(const struct hv_machine *machine, const struct hv_state *state,
		      struct chips *chips, struct hv_error *err)
{
	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		chips->board[i] = find_row(state, &hv_pc_states[i], hv_pc_states[i].instance, err);
		if (!chips->board[i])
			return -EINVAL;
	}
	if (hv_pc_check(&machine->pc->board, chips->board))
		return hv_fail(
			err, EINVAL,
			"the chips' records of the saved machine do not fit each other; save it again");
	if (machine->pc->testdev) {
		chips->testdev = find_row(state, &testdev_state, 0, err);
		if (!chips->testdev)
			return -EINVAL;
		if (hv_testdev_kind.check(machine->pc->testdev, chips->testdev))
			return bad_record(&testdev_state, err);
	}
	chips->pc = find_row(state, &pc_state, 0, err);
	if (!chips->pc)
		return -EINVAL;
	return hv_machine_pc_kind.check(machine->pc, chips->pc) ? bad_record(&pc_state, err) : 0;
}

/* All have been checked: nothing can fail. Sources of interrupts before the controllers. */
static void load_chips(struct hv_machine *machine, const struct chips *chips)
{
	if (machine->pc)
		hv_pc_quiet(&machine->pc->board);
	for (unsigned int port = 0; port < HV_PC_COM_PORTS; port++)
		for (unsigned int i = 0; has_port(machine, port) && i < ARRAY_SIZE(port_states);
		     i++) {
			const struct hv_state_row *row = &port_states[i];

			(void)row->kind->load((char *)&machine->serial[port] + row->offset,
					      chips->port[port][i]);
		}
	if (!machine->pc)
		return;
	for (unsigned int i = 0; machine->ide && i < ARRAY_SIZE(ide_states); i++)
		(void)ide_states[i].kind->load(
			(char *)hv_machine_ide_chip(machine) + ide_states[i].offset, chips->ide[i]);
	(void)hv_pc_load(&machine->pc->board, chips->board);
	if (chips->testdev)
		(void)hv_testdev_kind.load(machine->pc->testdev, chips->testdev);
	(void)hv_machine_pc_kind.load(machine->pc, chips->pc);
}

/* ---------------------------------------------------------------- consoles */

/* The terminal's, and those of the ports that have their own. NULL: no such one. */
static struct hv_console *console_at(struct hv_machine *machine, unsigned int index)
{
	struct hv_serial *port = &machine->serial[index - 1];

	if (!index)
		return &machine->console;
	return port->console == &port->own ? &port->own : NULL;
}

static int save_consoles(struct hv_machine *machine, struct hv_state *state, struct hv_error *err)
{
	for (unsigned int i = 0; i <= HV_PC_COM_PORTS; i++) {
		struct hv_console *console = console_at(machine, i);
		uint8_t buf[HV_CONSOLE_STATE_MAX];
		size_t len = console ? hv_console_save(console, buf) : 0;
		void *record;

		if (!console)
			continue;
		record = hv_records_add(state, HV_STATE_CONSOLE, i, HV_CONSOLE_STATE_VERSION, len);
		if (!record)
			return no_memory(err);
		memcpy(record, buf, len);
	}
	return 0;
}

/* Each by its own check and load; what is in them comes from outside, and any of it is good. */
static int for_consoles(struct hv_machine *machine, const struct hv_state *state,
			int (*act)(struct hv_console *console, const void *data, size_t len),
			struct hv_error *err)
{
	for (unsigned int i = 0; i <= HV_PC_COM_PORTS; i++) {
		struct hv_console *console = console_at(machine, i);
		const void *record;
		size_t len;

		if (!console)
			continue;
		record = hv_records_find(state, HV_STATE_CONSOLE, i, HV_CONSOLE_STATE_VERSION, 0,
					 &len, err);
		if (!record)
			return -EINVAL;
		if (act(console, record, len))
			return hv_fail(
				err, EINVAL,
				"the console's record of the saved machine is damaged; save it again");
	}
	return 0;
}

/* ------------------------------------------------------------------ memory */

#define PAGE 4096
#define RAM_VERSION 1
/* Bytes in a record, at most: what is copied twice while the buffer grows. */
#define RAM_PIECE (1024 * 1024)

struct ram_record {
	uint64_t gpa;
	uint8_t data[];
};

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

/* Bytes from @offset on, in whole pages, that are all zeroes, or all not. */
static uint64_t run_length(const struct hv_ram_range *range, uint64_t offset, bool zero)
{
	uint64_t end = offset;

	while (end < range->len && end - offset < RAM_PIECE && is_zero(range->hva + end) == zero)
		end += PAGE;
	return end - offset;
}

/*
 * From @offset on, where the memfd that @range lies in from @base on has something at all:
 * looking at a hole would fill it.
 */
static uint64_t skip_hole(int fd, uint64_t base, const struct hv_ram_range *range, uint64_t offset)
{
	off_t data = fd < 0 ? -1 : lseek(fd, base + offset, SEEK_DATA);

	if (data < 0)
		return fd < 0 || errno != ENXIO ? offset : range->len;
	offset = (data & ~(PAGE - 1ULL)) - base;
	return offset < range->len ? offset : range->len;
}

static int save_range(const struct hv_ram_range *range, int fd, uint64_t base,
		      struct hv_state *state, struct hv_error *err)
{
	uint64_t offset;

	for (offset = 0; (offset = skip_hole(fd, base, range, offset)) < range->len;) {
		bool zero = is_zero(range->hva + offset);
		uint64_t len = run_length(range, offset, zero);
		struct ram_record *record;

		if (!zero) {
			record = hv_records_add(state, HV_STATE_RAM, 0, RAM_VERSION,
						sizeof(*record) + len);
			if (!record)
				return no_memory(err);
			record->gpa = range->gpa + offset;
			memcpy(record->data, range->hva + offset, len);
		}
		offset += len;
	}
	return 0;
}

static int save_memory(const struct hv_machine *machine, unsigned int flags, struct hv_state *state,
		       struct hv_error *err)
{
	const struct hv_memory *memory = &machine->memory;
	int error = 0;

	for (unsigned int i = 0; i < memory->roms && !error; i++)
		error = save_range(&memory->rom[i], -1, 0, state, err);
	if (!error && flags & HV_SAVE_MEMORY_BY_FD) {
		if (memory->fd < 0)
			return hv_fail(err, EINVAL,
				       "guest RAM is in no memfd; ask for shared memory");
		state->memory_fd = fcntl(memory->fd, F_DUPFD_CLOEXEC, 0);
		return state->memory_fd < 0 ?
			       hv_fail(err, errno,
				       "no file descriptor for guest RAM; raise ulimit -n") :
			       0;
	}
	for (unsigned int i = 0; i < memory->count && !error; i++)
		error = save_range(&memory->range[i], memory->fd,
				   memory->range[i].hva - memory->range[0].hva, state, err);
	return error;
}

/* Each record of RAM lies in the machine's memory. */
static int check_memory(const struct hv_machine *machine, const struct hv_state *state,
			struct hv_error *err)
{
	const struct hv_record *record = NULL;

	while ((record = hv_records_next(state, record))) {
		const struct ram_record *ram = hv_record_data(record);

		if (record->type != HV_STATE_RAM)
			continue;
		if (record->version != RAM_VERSION || record->len < sizeof(*ram) ||
		    !hv_memory_at(&machine->memory, ram->gpa, record->len - sizeof(*ram)))
			return hv_fail(err, EINVAL,
				       "the memory of the saved machine is damaged; save it again");
	}
	return 0;
}

/* It is all zeroes, or what was left in the memfd. */
static void load_memory(struct hv_machine *machine, const struct hv_state *state)
{
	const struct hv_record *record = NULL;

	while ((record = hv_records_next(state, record))) {
		const struct ram_record *ram = hv_record_data(record);

		if (record->type == HV_STATE_RAM)
			(void)hv_memory_write(&machine->memory, ram->gpa, ram->data,
					      record->len - sizeof(*ram));
	}
}

/* -------------------------------------------------------------------- save */

static int save_config(const struct hv_machine *machine, struct hv_state *state,
		       struct hv_error *err)
{
	char *text = hv_config_to_json(&machine->config);
	void *record;

	if (!text)
		return hv_fail(err, EINVAL, "a path of the machine is no UTF-8; rename the file");
	record = hv_records_add(state, HV_STATE_CONFIG, 0, HV_CONFIG_VERSION, strlen(text) + 1);
	if (record)
		memcpy(record, text, strlen(text) + 1);
	free(text);
	return record ? 0 : no_memory(err);
}

/* What is under way between hvctl and the module becomes state of the one or the other. */
static int synchronise(struct hv_machine *machine, struct hv_error *err)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct hv_vcpu *vcpu = &machine->vcpus[i];
		int error;

		hv_shortcut_close(vcpu);
		error = hv_vcpu_synchronise(vcpu);
		if (error)
			return hv_fail(err, -error,
				       "vCPU %u does not come to rest: %s; see 'dmesg | tail'", i,
				       strerror(-error));
	}
	return 0;
}

int hv_machine_save(struct hv_machine *machine, unsigned int flags, struct hv_state *state,
		    struct hv_error *err)
{
	int error;

	assert(machine->paused && machine->time_stopped_ns);
	*state = (struct hv_state){ .memory_fd = -1 };
	if (machine->nr_devices)
		return hv_fail(
			err, EOPNOTSUPP,
			"the state of disks, networks and the like is not saved; leave them out");
	error = synchronise(machine, err);
	if (!error)
		error = save_config(machine, state, err);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_save(&machine->vcpus[i], state, err);
	if (!error)
		error = save_chips(machine, state, err);
	if (!error)
		error = save_consoles(machine, state, err);
	return error ? error : save_memory(machine, flags, state, err);
}

void hv_state_free(struct hv_state *state)
{
	hv_close(state->memory_fd);
	free(state->data);
	*state = (struct hv_state){ .memory_fd = -1 };
}

/* ----------------------------------------------------------------- restore */

static struct hv_config *read_config(const struct hv_state *state, struct hv_error *err)
{
	size_t len;
	const char *text =
		hv_records_find(state, HV_STATE_CONFIG, 0, HV_CONFIG_VERSION, 0, &len, err);

	if (!text)
		return NULL;
	if (!len || text[len - 1]) {
		hv_fail(err, EINVAL,
			"the configuration of the saved machine is damaged; save it again");
		return NULL;
	}
	return hv_config_from_json(text, err);
}

/* A machine as it is made; its vCPUs first, since the module checks what they are given. */
static int load(struct hv_machine *machine, const struct hv_state *state, struct hv_error *err)
{
	struct chips chips = { 0 };
	int error = find_ports(machine, state, &chips, err);

	if (!error && machine->pc)
		error = find_board(machine, state, &chips, err);
	if (!error)
		error = find_ide(machine, state, &chips, err);
	if (!error)
		error = check_memory(machine, state, err);
	if (!error)
		error = for_consoles(machine, state, hv_console_check, err);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_load(&machine->vcpus[i], state, err);
	if (error)
		return error;
	load_memory(machine, state);
	load_chips(machine, &chips);
	return for_consoles(machine, state, hv_console_load, err);
}

/* A copy of the one that was saved, of which there may be others: the guest is told. */
static int tell_generation(struct hv_machine *machine, struct hv_error *err)
{
	int error = hv_machine_pc_new_generation(machine, err);

	if (!error && machine->config.vmgenid)
		hv_acpi_pm_event(&machine->pc->board.pm, HV_ACPI_PM_GPE_GENERATION);
	return error;
}

/* What it is about may be a path of the configuration, which goes. */
static void keep_subject(struct hv_error *err)
{
	struct hv_error copy = *err;

	hv_fail(err, EINVAL, "%s: %s", copy.subject, copy.text);
	err->subject = "restore";
}

struct hv_machine *hv_machine_restore(const struct hv_state *state, struct hv_error *err)
{
	struct hv_machine *machine;
	struct hv_config *config;
	int error;

	err->subject = "restore";
	if (hv_records_check(state, err))
		return NULL;
	config = read_config(state, err);
	if (!config)
		return NULL;
	machine = hv_machine_create_empty(config, state->memory_fd, err);
	if (!machine) {
		keep_subject(err);
		hv_config_free(config);
		return NULL;
	}
	machine->owned_config = config;
	err->subject = "restore";
	pthread_mutex_lock(&machine->lock);
	machine->time_stopped_ns = hv_now_ns(&machine->clock);
	error = load(machine, state, err);
	if (!error)
		error = tell_generation(machine, err);
	pthread_mutex_unlock(&machine->lock);
	if (!error)
		return machine;
	hv_machine_destroy(machine);
	return NULL;
}
