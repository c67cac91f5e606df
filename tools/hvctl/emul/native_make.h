/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's instruction made over for this CPU to execute. */
#ifndef HV_EMUL_NATIVE_MAKE_H
#define HV_EMUL_NATIVE_MAKE_H

#include "decode.h"

struct hv_native_code {
	uint8_t code[HV_INSN_MAX + 4];
	unsigned int len;
};

/*
 * Make of the instruction in @code, @len bytes of @code_bits code, one for this CPU that will be
 * at @at, within 2 GiB of its memory operand at @operand. Fills @made, and of @insn the operand
 * that it has in the guest, op[0], and what becomes of that. Returns NULL, or why it is not to
 * be executed; @made is then of no use.
 */
const char *hv_native_make(struct hv_native_code *made, struct hv_insn *insn, const uint8_t *code,
			   size_t len, unsigned int code_bits, const void *at, const void *operand);

/*
 * The same of a store under the mask of a masked load, @insn, that hv_native_make() has made of
 * @code.
 */
const char *hv_native_make_twin(struct hv_native_code *made, const struct hv_insn *insn,
				const uint8_t *code, size_t len, unsigned int code_bits,
				const void *at, const void *operand);

#endif
