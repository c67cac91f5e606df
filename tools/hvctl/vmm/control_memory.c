// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the control channel about a VM's memory: "walk" and "memory". */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "debug/ept_walk.h"
#include "debug/page_walk.h"
#include "debugger.h"
#include "emul/decode.h"
#include "emul/disasm.h"
#include "examine.h"
#include "lib/tvx.h"
#include "lib/util.h"

#define IA32_PAT 0x277
/* Bytes, and instructions, of one reply. */
#define BYTES_MAX 0x8000
#define INSNS_MAX 128
#define APIC_PAGE 0xfee00000ULL

static int no_registers(int error, struct hv_error *err)
{
	return hv_fail(err, -error,
		       "the module does not give its registers: %s; see 'dmesg | tail'",
		       strerror(-error));
}

/* "0x1000", "4096", or the name of a register that has it. */
static bool parse_address(const char *text, const struct hv_registers *registers, uint64_t *address)
{
	char name[16], *end;
	json_t *all, *value;

	errno = 0;
	*address = strtoull(text, &end, 0);
	if (isdigit((unsigned char)*text))
		return !*end && !errno;
	snprintf(name, sizeof(name), "%s", text);
	for (char *c = name; *c; c++)
		*c = toupper((unsigned char)*c);
	all = hv_registers_json(registers);
	value = json_object_get(all, name);
	if (json_is_string(value))
		*address = strtoull(json_string_value(value), NULL, 16);
	end = json_is_string(value) ? end : NULL;
	json_decref(all);
	return end;
}

static int read_address(const json_t *line, const struct hv_registers *registers, uint64_t *address,
			struct hv_error *err)
{
	const char *text = json_string_value(json_object_get(line, "address"));

	if (text && parse_address(text, registers, address))
		return 0;
	return hv_fail(
		err, EINVAL,
		"\"address\" is no number and no register; give one like \"0x1000\" or \"rsp\"");
}

/* -------------------------------------------------------------------- walk */

/* Who answers at a guest-physical address that is no memory; NULL: nobody. */
static const char *find_chip(struct hv_machine *machine, uint64_t gpa)
{
	const struct hv_bus *bus = &machine->bus;
	const char *name = NULL;

	pthread_mutex_lock(&machine->lock);
	for (size_t i = 0; i < bus->count[HV_MMIO] && !name; i++)
		if (gpa - bus->regions[HV_MMIO][i]->base < bus->regions[HV_MMIO][i]->len)
			name = bus->regions[HV_MMIO][i]->name;
	pthread_mutex_unlock(&machine->lock);
	if (!name && machine->pc && (gpa & ~0xfffULL) == APIC_PAGE)
		name = "the local APIC, if it is at its usual address";
	return name;
}

static json_t *backing(struct hv_machine *machine, uint64_t gpa)
{
	const struct hv_memory *memory = &machine->memory;
	const char *chip;

	for (unsigned int i = 0; i < memory->count; i++)
		if (hv_ram_range_has(&memory->range[i], gpa, 1))
			return json_sprintf("RAM, slot %u (0x%llx-0x%llx), offset 0x%llx", i,
					    (unsigned long long)memory->range[i].gpa,
					    (unsigned long long)memory->range[i].gpa +
						    memory->range[i].len - 1,
					    (unsigned long long)gpa - memory->range[i].gpa);
	if (hv_memory_is_rom(memory, gpa))
		return json_string("ROM");
	chip = find_chip(machine, gpa);
	return chip ? json_sprintf("a device, %s", chip) :
		      json_string("nothing: reads give all ones there");
}

/* Have @object tell how EPT translates @gpa, or null: the module does not say. */
static void add_ept(struct hv_machine *machine, json_t *object, uint64_t gpa)
{
	struct tinyvmx_get_ept ept;

	json_object_set_new(object, "ept",
			    tvx_get_ept(machine->vm.fd, gpa, &ept) ? json_null() :
								     hv_ept_walk_json(&ept));
}

/* The CPU needs one for each entry that it reads, but for PAE's registers, and for the page. */
static void add_second_dimension(struct hv_machine *machine, const struct hv_page_walk *walk,
				 json_t *reply)
{
	json_t *steps = json_object_get(reply, "steps");

	for (unsigned int i = 0; i < walk->count; i++)
		if (!walk->step[i].is_register)
			add_ept(machine, json_array_get(steps, i), walk->step[i].gpa);
	if (walk->mapped)
		add_ept(machine, json_object_get(reply, "mapping"), walk->gpa);
}

int hv_control_look_at_walk(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
			    json_t *reply, struct hv_error *err)
{
	struct hv_registers registers;
	struct hv_page_walk walk;
	uint64_t gva, pat = 0;
	json_t *facts;
	int error = hv_vcpu_registers(vcpu, &registers);

	if (!error)
		error = tvx_get_msr(vcpu->fd, IA32_PAT, &pat);
	if (error)
		return no_registers(error, err);
	if (read_address(line, &registers, &gva, err))
		return -EINVAL;
	hv_page_walk(&walk, &machine->memory, &registers.sregs, machine->vm.info.gpa_bits, gva);
	facts = hv_page_walk_json(&walk, gva, pat);
	if (!facts || json_object_update(reply, facts)) {
		json_decref(facts);
		return hv_fail(err, ENOMEM, "no memory for a reply; close something");
	}
	json_decref(facts);
	add_second_dimension(machine, &walk, reply);
	if (walk.mapped)
		json_object_set_new(reply, "backing", backing(machine, walk.gpa));
	return 0;
}

int hv_control_walk(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err)
{
	return hv_control_examine(client->control, line, reply, hv_control_look_at_walk, err);
}

/* ------------------------------------------------------------------ memory */

/* What is to be looked at. */
struct window {
	const struct hv_vcpu *vcpu;
	struct hv_registers registers;
	struct hv_view view;
	uint64_t address;
	unsigned int count;		/* bytes, or instructions */
	bool physical;
	bool code;
};

static bool read_flag(const json_t *line, const char *key, bool *flag)
{
	const json_t *value = json_object_get(line, key);

	*flag = json_is_true(value);
	return !value || json_is_boolean(value);
}

static int read_window(struct window *window, const json_t *line, struct hv_error *err)
{
	const json_t *count = json_object_get(line, "count");
	json_int_t value = json_integer_value(count), max;

	if (!read_flag(line, "physical", &window->physical) ||
	    !read_flag(line, "disassemble", &window->code))
		return hv_fail(err, EINVAL,
			       "\"physical\" or \"disassemble\" is not true or false; mend it");
	max = window->code ? INSNS_MAX : BYTES_MAX;
	window->count = count ? value : window->code ? 16 : 128;
	if (count && (!json_is_integer(count) || value < 1 || value > max))
		return hv_fail(err, EINVAL, "\"count\" is not 1 to %lld; ask for less",
			       (long long)max);
	return read_address(line, &window->registers, &window->address, err);
}

static unsigned int read_bytes(const struct window *window, uint64_t address, void *buf,
			       unsigned int bytes)
{
	if (!window->physical)
		return hv_view_peek(&window->view, address, buf, bytes);
	for (unsigned int i = 0; i < bytes; i++)
		if (hv_memory_read(window->view.memory, address + i, (uint8_t *)buf + i, 1))
			return i;
	return bytes;
}

/* A debugger's breakpoints are none of the guest's bytes. */
static void hide_points(const struct window *window, uint64_t address, uint8_t *buf, size_t bytes)
{
	const struct hv_debugger *debugger = window->vcpu->machine->debugger;

	for (size_t done = 0, piece; debugger && done < bytes; done += piece) {
		uint64_t gpa = address + done;

		piece = bytes;
		if (!window->physical &&
		    !hv_debugger_translate(window->vcpu, &window->registers.sregs, address + done,
					   &gpa, &piece))
			return;
		piece = piece < bytes - done ? piece : bytes - done;
		hv_gdb_hide(&debugger->points, gpa, buf + done, piece);
	}
}

static unsigned int peek(const struct window *window, uint64_t address, void *buf,
			 unsigned int bytes)
{
	unsigned int there = read_bytes(window, address, buf, bytes);

	hide_points(window, address, buf, there);
	return there;
}

/* Two digits a byte; what cannot be read is "??". */
static json_t *bytes_json(const struct window *window)
{
	char *text = malloc(2 * window->count + 1), *to = text;
	json_t *string;

	if (!text)
		return NULL;
	for (unsigned int i = 0; i < window->count; i++, to += 2) {
		uint8_t byte;

		if (peek(window, window->address + i, &byte, 1))
			sprintf(to, "%02x", byte);
		else
			strcpy(to, "??");
	}
	string = json_string(text);
	free(text);
	return string;
}

/* One instruction, and how long it is; what cannot be read counts as one byte. */
static json_t *insn_json(const struct window *window, uint64_t address, unsigned int *len)
{
	const struct hv_view *view = &window->view;
	uint8_t code[HV_INSN_MAX];
	char text[128] = "(cannot be read)", bytes[2 * HV_INSN_MAX + 1] = "??";
	unsigned int there = peek(window, address, code, sizeof(code));

	*len = there ? hv_disasm(code, there, hv_view_bits(view), address, text, sizeof(text)) : 0;
	if (!*len)
		*len = 1;
	for (unsigned int i = 0; i < *len && there; i++)
		sprintf(bytes + 2 * i, "%02x", code[i]);
	return json_pack("{s:o, s:s, s:s}", "address",
			 json_sprintf("0x%llx", (unsigned long long)address), "bytes", bytes,
			 "text", text);
}

static json_t *code_json(const struct window *window)
{
	uint64_t address = window->address;
	json_t *array = json_array();

	for (unsigned int i = 0, len; i < window->count; i++, address += len)
		json_array_append_new(array, insn_json(window, address, &len));
	return array;
}

static int look_at_memory(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
			  json_t *reply, struct hv_error *err)
{
	struct window window = { .vcpu = vcpu };
	int error = hv_vcpu_registers(vcpu, &window.registers);

	(void)machine;
	if (error)
		return no_registers(error, err);
	window.view = hv_vcpu_view(vcpu, &window.registers);
	error = read_window(&window, line, err);
	if (error)
		return error;
	json_object_set_new(reply, "address",
			    json_sprintf("0x%llx", (unsigned long long)window.address));
	if (window.code)
		error = json_object_set_new(reply, "code", code_json(&window));
	else
		error = json_object_set_new(reply, "bytes", bytes_json(&window));
	return error ? hv_fail(err, ENOMEM, "no memory for a reply; close something") : 0;
}

int hv_control_memory(struct hv_control_client *client, const json_t *line, json_t *reply,
		      struct hv_error *err)
{
	int error = hv_control_examine(client->control, line, reply, look_at_memory, err);

	if (!error)
		hv_control_add_symbols(client->control, json_object_get(reply, "code"), "address");
	return error;
}
