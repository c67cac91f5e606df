// SPDX-License-Identifier: GPL-2.0-only
/* Numbers in a configuration, each within limits of its own. */
#include "config_form.h"
#include "debug/flight.h"

static unsigned int *number_of(const struct hv_config *config, const struct hv_form_key *key)
{
	return (unsigned int *)((char *)config + key->offset);
}

static int take(struct hv_form_reader *reader, const struct hv_form_key *key,
		const struct hv_value *value, bool fits, const char *wanted)
{
	if (value->kind != HV_VALUE_INTEGER || !fits)
		return hv_form_refuse_element(reader, value, value, wanted);
	*number_of(reader->config, key) = (unsigned int)value->integer;
	return 0;
}

static void write_number(const struct hv_config *config, const struct hv_form_key *key,
			 const char *dir, struct hv_value *table)
{
	(void)dir;
	hv_value_add_integer(table, key->name, *number_of(config, key));
}

static int read_cpus(struct hv_form_reader *reader, const struct hv_form_key *key,
		     struct hv_value *value)
{
	return take(reader, key, value, value->integer >= 1 && value->integer <= HV_CONFIG_CPUS_MAX,
		    "a number of CPUs, 1 to 64");
}

const struct hv_form hv_form_cpus = { read_cpus, write_number };

static int read_records(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *value)
{
	return take(reader, key, value,
		    !value->integer || hv_flight_is_size((uint64_t)value->integer),
		    "0, or a power of two from 64 to 4096");
}

const struct hv_form hv_form_records = { read_records, write_number };
