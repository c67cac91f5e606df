// SPDX-License-Identifier: GPL-2.0-only
/* What the words of a command line mean for a machine. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "control/name.h"
#include "debug/flight.h"
#include "firmware/cpu_features.h"

const char *const hv_machine_names[] = { "default", "pc", "bare", NULL };
const char *const hv_serial_names[] = { "none", "null", "stdio", "pty", "file", "unix", NULL };
const char *const hv_display_names[] = { "none", "text", NULL };

/* The first of @names, from @value on, that is @name; if there is none, where they end. */
static unsigned int find_name(const char *const *names, unsigned int value, const char *name)
{
	while (names[value] && strcmp(name, names[value]))
		value++;
	return value;
}

bool hv_machine_kind_find(const char *name, enum hv_machine_kind *kind)
{
	unsigned int found = find_name(hv_machine_names, HV_MACHINE_PC, name);

	if (found == HV_NR_MACHINE_KINDS)
		return false;
	*kind = found;
	return true;
}

bool hv_display_kind_find(const char *name, enum hv_display_kind *kind)
{
	unsigned int found = find_name(hv_display_names, HV_DISPLAY_NONE, name);

	if (found == HV_NR_DISPLAY_KINDS)
		return false;
	*kind = found;
	return true;
}

int hv_config_set_cpus(struct hv_config *config, const char *text, struct hv_error *err)
{
	char *end = NULL;
	/* strtoul() would take a sign and white space. */
	unsigned long cpus = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	if (!cpus || *end || cpus > HV_CONFIG_CPUS_MAX)
		return hv_fail(err, EINVAL, "not a number of CPUs; give 1 to %u",
			       HV_CONFIG_CPUS_MAX);
	config->cpus = cpus;
	return 0;
}

int hv_config_set_records(struct hv_config *config, const char *text, struct hv_error *err)
{
	char *end = NULL;
	unsigned long records;

	if (!text) {
		config->records = HV_FLIGHT_RECORDS;
		return 0;
	}
	records = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	if (!end || *end || !hv_flight_is_size(records))
		return hv_fail(err, EINVAL, "no power of two from %u to %u; give %u",
			       TINYVMX_MIN_RECORDS, TINYVMX_MAX_RECORDS, HV_FLIGHT_RECORDS);
	config->records = records;
	return 0;
}

int hv_config_add_cpu(struct hv_config *config, const char *text, struct hv_error *err)
{
	struct hv_cpu_features features = { 0 };
	size_t len = strlen(config->cpu), room = sizeof(config->cpu) - len;
	int error = hv_cpu_features_parse(&features, text, err);

	if (error)
		return error;
	if ((size_t)snprintf(config->cpu + len, room, "%s%s", len ? "," : "", text) < room)
		return 0;
	config->cpu[len] = '\0';
	return hv_fail(err, E2BIG, "all of them together are too long; say each feature once");
}

/* "COM1:" to "COM4:", and what is behind it. */
static const char *parse_port(const char *text, unsigned int *port)
{
	*port = text[0] && text[1] && text[2] ? text[3] - '1' : HV_PC_COM_PORTS;
	if (strncasecmp(text, "COM", 3) || *port >= HV_PC_COM_PORTS || text[4] != ':')
		return NULL;
	return text + 5;
}

bool hv_serial_choice_parse(struct hv_serial_choice *choice, const char *text)
{
	unsigned int found = find_name(hv_serial_names, HV_SERIAL_NULL, text);

	if (found < HV_SERIAL_FILE) {
		*choice = (struct hv_serial_choice){ found, NULL };
		return true;
	}
	if ((strncmp(text, "file:", 5) && strncmp(text, "unix:", 5)) || !text[5])
		return false;
	*choice = (struct hv_serial_choice){ *text == 'f' ? HV_SERIAL_FILE : HV_SERIAL_UNIX,
					     text + 5 };
	return true;
}

/* Who writes into that file already, or NULL; not @self. */
static const char *writer_of(const struct hv_config *config, const struct hv_serial_choice *choice,
			     const struct hv_serial_choice *self)
{
	const struct hv_serial_choice *ports = config->serial;

	if (choice->kind != HV_SERIAL_FILE)
		return NULL;
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (&ports[i] != self && ports[i].kind == choice->kind &&
		    !strcmp(ports[i].path, choice->path))
			return hv_pc_com[i].name;
	if (&config->console != self && config->console.kind == choice->kind &&
	    !strcmp(config->console.path, choice->path))
		return "the console";
	return NULL;
}

/* One file a writer. */
static int set_backend(struct hv_config *config, struct hv_serial_choice *where, const char *text,
		       struct hv_error *err)
{
	struct hv_serial_choice choice;
	const char *writer;

	if (!hv_serial_choice_parse(&choice, text))
		return hv_fail(
			err, EINVAL,
			"no such thing to connect it to; use null, stdio, pty, file:NAME or, for the console, unix:PATH");
	if (choice.kind == HV_SERIAL_UNIX && where != &config->console)
		return hv_fail(
			err, EINVAL,
			"only the console can be a socket; connect the port to stdio, and use --console");
	writer = writer_of(config, &choice, where);
	if (writer)
		return hv_fail(err, EINVAL,
			       "%s writes into that file already; give each one of its own",
			       writer);
	*where = choice;
	return 0;
}

int hv_config_set_console(struct hv_config *config, const char *text, struct hv_error *err)
{
	return set_backend(config, &config->console, text, err);
}

int hv_config_set_name(struct hv_config *config, const char *name, struct hv_error *err)
{
	if (!hv_name_is_valid(name))
		return hv_fail(err, EINVAL, "not a name; give " HV_NAME_RULES);
	config->name = name;
	return 0;
}

int hv_config_set_serial(struct hv_config *config, const char *text, struct hv_error *err)
{
	struct hv_serial_choice *ports = config->serial;
	unsigned int port;
	const char *backend = parse_port(text, &port);
	int error;

	if (!backend)
		return hv_fail(
			err, EINVAL,
			"no such port; give COM1: to COM4:, and null, stdio, pty or file:NAME");
	error = set_backend(config, &ports[port], backend, err);
	if (error || ports[port].kind != HV_SERIAL_STDIO)
		return error;
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (i != port && ports[i].kind == HV_SERIAL_STDIO)
			ports[i].kind = HV_SERIAL_NULL;
	return 0;
}
