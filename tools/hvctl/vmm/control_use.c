// SPDX-License-Identifier: GPL-2.0-only
/* The control channel's request "use": which parts of its RAM the guest has used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "lib/tvx.h"

#define PAGE 4096ULL
#define CELLS_DEFAULT 1024
#define CELLS_MAX 4096

/* What there is to be counted, and room for as much as the module tells at once. */
struct survey {
	const struct hv_machine *machine;
	bool forget;
	uint64_t cell_pages;
	uint8_t used[TINYVMX_MAX_USE_BYTES / PAGE / 8];
	uint8_t written[TINYVMX_MAX_USE_BYTES / PAGE / 8];
};

static uint64_t count_cells(const struct hv_memory *memory, uint64_t cell_pages)
{
	uint64_t cell = cell_pages * PAGE, sum = 0;

	for (unsigned int i = 0; i < memory->count; i++)
		sum += (memory->range[i].len + cell - 1) / cell;
	return sum;
}

/* The smallest cells, a power of two of pages, of which there are no more than @cells. */
static uint64_t choose_cell(const struct hv_memory *memory, uint64_t cells)
{
	uint64_t pages = 1;

	while (count_cells(memory, pages) > cells && pages < TINYVMX_MAX_USE_BYTES / PAGE)
		pages *= 2;
	return pages;
}

static unsigned int count_bits(const uint8_t *map, uint64_t from, uint64_t to)
{
	unsigned int n = 0;

	while (from < to) {
		uint64_t word, end = (from | 63) + 1 < to ? (from | 63) + 1 : to;

		memcpy(&word, map + from / 64 * 8, sizeof(word));
		word = word >> from % 64 << (64 - (end - from));
		n += __builtin_popcountll(word);
		from = end;
	}
	return n;
}

/* A piece of a range that is a whole number of cells, but at the end: append what they have. */
static int count_piece(struct survey *survey, uint64_t gpa, uint64_t len, json_t *used,
		       json_t *written)
{
	uint64_t pages = len / PAGE;
	int error = tvx_get_use(survey->machine->vm.fd, survey->forget ? TINYVMX_USE_FORGET : 0,
				gpa, len, survey->used, survey->written);

	if (error)
		return error;
	for (uint64_t from = 0; from < pages; from += survey->cell_pages) {
		uint64_t to = from + survey->cell_pages < pages ? from + survey->cell_pages : pages;

		json_array_append_new(used, json_integer(count_bits(survey->used, from, to)));
		json_array_append_new(written, json_integer(count_bits(survey->written, from, to)));
	}
	return 0;
}

static int count_range(struct survey *survey, const struct hv_ram_range *range, json_t *ranges)
{
	json_t *used = json_array(), *written = json_array();
	int error = 0;

	for (uint64_t at = 0; at < range->len && !error; at += TINYVMX_MAX_USE_BYTES) {
		uint64_t left = range->len - at;

		error = count_piece(survey, range->gpa + at,
				    left < TINYVMX_MAX_USE_BYTES ? left : TINYVMX_MAX_USE_BYTES,
				    used, written);
	}
	json_array_append_new(
		ranges, json_pack("{s:o, s:I, s:o, s:o}", "gpa",
				  json_sprintf("0x%llx", (unsigned long long)range->gpa), "bytes",
				  (json_int_t)range->len, "used", used, "written", written));
	return error;
}

static int fail_use(int error, struct hv_error *err)
{
	if (error == -EOPNOTSUPP)
		return hv_fail(err, EOPNOTSUPP,
			       "EPT has no accessed flags here: see docs/hosts.md");
	return hv_fail(err, -error, "asking what memory it uses: %s", strerror(-error));
}

static int read_survey(struct survey *survey, const json_t *line, struct hv_error *err)
{
	const json_t *forget = json_object_get(line, "forget");
	const json_t *cells = json_object_get(line, "cells");
	json_int_t max = cells ? json_integer_value(cells) : CELLS_DEFAULT;

	if (forget && !json_is_boolean(forget))
		return hv_fail(err, EINVAL, "\"forget\" is not true or false; mend it");
	if (cells && (!json_is_integer(cells) || max < HV_MEMORY_MAX_RANGES || max > CELLS_MAX))
		return hv_fail(err, EINVAL, "\"cells\" is not %d to %d; mend it",
			       HV_MEMORY_MAX_RANGES, CELLS_MAX);
	survey->forget = json_is_true(forget);
	survey->cell_pages = choose_cell(&survey->machine->memory, max);
	return 0;
}

int hv_control_use(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	const struct hv_memory *memory = &client->control->machine->memory;
	struct survey *survey = calloc(1, sizeof(*survey));
	json_t *ranges = json_array();
	int error;

	if (!survey || !ranges) {
		free(survey);
		json_decref(ranges);
		return hv_fail(err, ENOMEM, "no memory for a reply; close something");
	}
	survey->machine = client->control->machine;
	error = read_survey(survey, line, err);
	for (unsigned int i = 0; i < memory->count && !error; i++) {
		error = count_range(survey, &memory->range[i], ranges);
		if (error)
			fail_use(error, err);
	}
	json_object_set_new(reply, "page_bytes", json_integer(PAGE));
	json_object_set_new(reply, "cell_pages", json_integer(survey->cell_pages));
	json_object_set_new(reply, "ranges", ranges);
	free(survey);
	return error;
}
