/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in the guest's program is an address? */
#ifndef HV_LOAD_SYMBOLS_H
#define HV_LOAD_SYMBOLS_H

#include "file.h"

/*
 * Find the function at @address, a virtual one or, before the guest has turned paging
 * on, a physical one: in the symbol table of an ELF file, or in a System.map. Writes
 * "name+0x10" to @text. False if neither knows it.
 */
bool hv_symbols_in_elf(const struct hv_file *file, uint64_t address, char *text, size_t len);
bool hv_symbols_in_map(const struct hv_file *file, uint64_t address, char *text, size_t len);

/* Is there anything in it that a System.map is made of? */
bool hv_symbols_is_map(const struct hv_file *file);

#endif
