/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the MMIO emulation: an instruction and its operands. */
#ifndef HV_EMUL_INSN_H
#define HV_EMUL_INSN_H

#include "alu.h"
#include "decode.h"
#include "lib/x86.h"
#include "mmio.h"

/*
 * The low @bits of a general register, as an operand of that size is written; @reg is
 * TINYVMX_RAX ...
 */
void hv_insn_write_reg(struct hv_mmio *m, unsigned int reg, unsigned int bits, uint64_t value);

/* Addresses: the base of a segment, a linear address in it, the address of a memory operand. */
uint64_t hv_insn_segment_base(struct hv_mmio *m, unsigned int segment);
uint64_t hv_insn_linear(struct hv_mmio *m, const struct hv_insn *insn, uint64_t base,
			uint64_t offset);
uint64_t hv_insn_address(struct hv_mmio *m, const struct hv_insn *insn,
			 const struct hv_operand *op);

/* A memory operand; false: m->guest.fault is filled. */
bool hv_insn_memory(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op,
		    bool write, uint64_t *value);

/* Operand @n; false as above. */
static inline bool hv_insn_read(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n,
				uint64_t *value)
{
	const struct hv_operand *op = &insn->op[n];

	if (op->kind == HV_OPERAND_MEMORY)
		return hv_insn_memory(m, insn, op, false, value);
	if (op->kind == HV_OPERAND_REGISTER)
		*value = (m->regs->gpr[op->reg] & op->mask) >> op->shift;
	else
		*value = op->immediate;
	return true;
}

/* 8 and 16 bits of a register leave the rest alone, 32 bits clear the upper half. */
static inline bool hv_insn_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n,
				 uint64_t value)
{
	const struct hv_operand *op = &insn->op[n];
	__u64 *reg;

	if (op->kind == HV_OPERAND_MEMORY)
		return hv_insn_memory(m, insn, op, true, &value);
	reg = &m->regs->gpr[op->reg];
	*reg = (op->bits >= 32 ? 0 : *reg & ~op->mask) | (value << op->shift & op->mask);
	return true;
}

/*
 * For what writes its register only when its memory operand has been written too:
 * will that write go through? Reading a chip for nothing is not harmless.
 */
bool hv_insn_can_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n);

/* String instructions; @what is one of these. */
enum { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };
enum hv_mmio_result hv_insn_string(struct hv_mmio *m, const struct hv_insn *insn, int what);

#endif
