// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a System.map and as an ELF file with symbols; the first ones are the address. */
#include <string.h>

#include "load/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_file file;
	uint64_t address;
	char text[64];

	if (size < sizeof(address))
		return 0;
	memcpy(&address, data, sizeof(address));
	file.data = (uint8_t *)data + sizeof(address);
	file.size = size - sizeof(address);
	hv_symbols_in_map(&file, address, text, sizeof(text));
	hv_symbols_in_elf(&file, address, text, sizeof(text));
	return 0;
}
