/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the MMIO emulation: an instruction and its operands. */
#ifndef HV_INSN_H
#define HV_INSN_H

#include <Zydis/Zydis.h>

#include "alu.h"
#include "mmio.h"
#include "x86.h"

/* The instruction at hand. */
struct insn {
	struct hv_mmio *m;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	unsigned int bits;		/* of the first operand */
};

/* General registers, and parts of them. */
uint64_t hv_insn_read_reg(struct insn *insn, ZydisRegister reg, unsigned int bits);
void hv_insn_write_reg(struct insn *insn, ZydisRegister reg, unsigned int bits, uint64_t value);

/* Addresses. */
uint64_t hv_insn_segment_base(struct insn *insn, ZydisRegister segment);
uint64_t hv_insn_linear(struct insn *insn, uint64_t base, uint64_t offset);
uint64_t hv_insn_address(struct insn *insn, const ZydisDecodedOperand *op);

/* Memory at a linear address; false: insn->m->fault is filled. */
bool hv_insn_memory(struct insn *insn, uint64_t gla, unsigned int bits, bool write, uint64_t *value);

/* Are all operands general registers, memory or immediates of a size that we can do? */
bool hv_insn_operands_are_plain(const struct insn *insn);

/* Operand @n; false: insn->m->fault is filled. */
bool hv_insn_read(struct insn *insn, unsigned int n, uint64_t *value);
bool hv_insn_write(struct insn *insn, unsigned int n, uint64_t value);
bool hv_insn_can_write(struct insn *insn, unsigned int n);

/* String instructions; @what is one of these. */
enum { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };
enum hv_mmio_result hv_insn_string(struct insn *insn, int what);

#endif
