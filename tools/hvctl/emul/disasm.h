/* SPDX-License-Identifier: GPL-2.0-only */
/* Machine code as text. */
#ifndef HV_EMUL_DISASM_H
#define HV_EMUL_DISASM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Disassemble one instruction. @bits: 16, 32 or 64: the code size; @rip: its
 * address, for branch targets. Returns its length, or 0 and "(bad)".
 */
size_t hv_disasm(const uint8_t *code, size_t len, unsigned int bits, uint64_t rip, char *text,
		 size_t text_len);

#endif
