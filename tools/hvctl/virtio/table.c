// SPDX-License-Identifier: GPL-2.0-only
/* The virtio devices that there are. */
#include <string.h>

#include "table.h"

const struct hv_virtio_row hv_virtio_rows[] = {
	{ 0 },
};

const struct hv_virtio_row *hv_virtio_find(const char *option)
{
	const struct hv_virtio_row *row = hv_virtio_rows;

	for (; row->name; row++)
		if (!strcmp(hv_virtio_word(row), option))
			return row;
	return NULL;
}
