// SPDX-License-Identifier: GPL-2.0-only
/* The map of a PC's guest-physical memory. */
#include "acpi.h"
#include "layout.h"

struct map {
	struct hv_range *out;
	size_t max, count;
};

static void add(struct map *map, uint64_t begin, uint64_t end, enum hv_range_kind kind)
{
	if (begin >= end)
		return;
	if (map->count < map->max)
		map->out[map->count] = (struct hv_range){ begin, end - begin, kind };
	map->count++;
}

size_t hv_layout_map(const struct hv_memory *memory, struct hv_range *out, size_t max)
{
	struct map map = { .out = out, .max = max };

	add(&map, 0, HV_LAYOUT_EBDA, HV_RANGE_RAM);
	add(&map, HV_LAYOUT_EBDA, HV_LAYOUT_LOW_END, HV_RANGE_RESERVED);
	add(&map, HV_ACPI_GPA, HV_ACPI_GPA + HV_ACPI_SIZE, HV_RANGE_ACPI);
	add(&map, HV_ACPI_GPA + HV_ACPI_SIZE, HV_LAYOUT_HIGH, HV_RANGE_RESERVED);
	add(&map, HV_LAYOUT_HIGH, hv_memory_low_end(memory), HV_RANGE_RAM);
	add(&map, HV_LAYOUT_CHIPS, HV_GAP_END, HV_RANGE_RESERVED);
	for (unsigned int i = 1; i < memory->count; i++)
		add(&map, memory->range[i].gpa, memory->range[i].gpa + memory->range[i].len,
		    HV_RANGE_RAM);
	return map.count;
}
