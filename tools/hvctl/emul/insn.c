// SPDX-License-Identifier: GPL-2.0-only
/* The operands of an emulated instruction: registers and memory. */
#include "insn.h"

void hv_insn_write_reg(struct hv_mmio *m, unsigned int reg, unsigned int bits, uint64_t value)
{
	uint64_t keep = bits >= 32 ? 0 : UINT64_MAX << bits;

	m->regs->gpr[reg] = (m->regs->gpr[reg] & keep) | hv_low_bits(value, bits);
}

uint64_t hv_insn_segment_base(struct hv_mmio *m, unsigned int segment)
{
	return segment == HV_NO_SEGMENT ? 0 : m->segment_base(m->ctx, segment);
}

uint64_t hv_insn_linear(struct hv_mmio *m, const struct hv_insn *insn, uint64_t base,
			uint64_t offset)
{
	uint64_t gla = base + hv_low_bits(offset, insn->address_bits);

	return m->code_bits == 64 ? gla : gla & UINT32_MAX;
}

uint64_t hv_insn_address(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op)
{
	const struct tinyvmx_regs *regs = m->regs;
	uint64_t offset = op->displacement;

	if (op->reg != HV_NO_REGISTER)
		offset += regs->gpr[op->reg];
	if (op->index != HV_NO_REGISTER)
		offset += regs->gpr[op->index] * op->scale;
	if (op->rip_relative)
		offset += regs->rip + insn->length;
	return hv_insn_linear(m, insn, hv_insn_segment_base(m, op->segment), offset);
}

__attribute__((flatten)) bool hv_insn_memory(struct hv_mmio *m, const struct hv_insn *insn,
					     const struct hv_operand *op, bool write,
					     uint64_t *value)
{
	return hv_guest_access(&m->guest, hv_insn_address(m, insn, op), op->bits / 8, write, value);
}

bool hv_insn_can_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n)
{
	const struct hv_operand *op = &insn->op[n];

	return op->kind != HV_OPERAND_MEMORY ||
	       hv_guest_check(&m->guest, hv_insn_address(m, insn, op), op->bits / 8, true);
}
