/* SPDX-License-Identifier: GPL-2.0-only */
/* Zydis, set up for what a guest executes. */
#ifndef HV_EMUL_ZYDIS_H
#define HV_EMUL_ZYDIS_H

#include <Zydis/Zydis.h>

#include "decode.h"

/* A memory operand as decode.h has it. */
void hv_decode_memory(struct hv_operand *op, const ZydisDecodedOperand *from,
		      unsigned int code_bits);

/* @code_bits: 16 (real mode, too), 32 or 64. */
static inline void hv_zydis_init(ZydisDecoder *decoder, unsigned int code_bits)
{
	if (code_bits == 64)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (code_bits == 32)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

#endif
