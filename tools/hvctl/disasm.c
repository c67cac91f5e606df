// SPDX-License-Identifier: GPL-2.0-only
/* Machine code as text, by Zydis. */
#include <stdio.h>

#include <Zydis/Zydis.h>

#include "disasm.h"

static void init_decoder(ZydisDecoder *decoder, unsigned int bits)
{
	if (bits == 64)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (bits == 32)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
}

size_t hv_disasm(const uint8_t *code, size_t len, unsigned int bits, uint64_t rip,
		 char *text, size_t text_len)
{
	ZydisDecoder decoder;
	ZydisFormatter formatter;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	init_decoder(&decoder, bits);
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &insn, operands)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &insn, operands, insn.operand_count_visible,
							 text, text_len, rip, NULL)))
		return insn.length;
	snprintf(text, text_len, "(bad)");
	return 0;
}
