// SPDX-License-Identifier: GPL-2.0-only
/* Machine code as text, by Zydis. */
#include <stdio.h>

#include "disasm.h"
#include "zydis.h"

size_t hv_disasm(const uint8_t *code, size_t len, unsigned int bits, uint64_t rip, char *text,
		 size_t text_len)
{
	ZydisDecoder decoder;
	ZydisFormatter formatter;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	hv_zydis_init(&decoder, bits);
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &insn, operands)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &insn, operands,
							 insn.operand_count_visible, text, text_len,
							 rip, NULL)))
		return insn.length;
	snprintf(text, text_len, "(bad)");
	return 0;
}
