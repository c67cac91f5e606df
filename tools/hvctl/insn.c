// SPDX-License-Identifier: GPL-2.0-only
/* The operands of an emulated instruction: registers, memory, immediates. */
#include "insn.h"

/* --------------------------------------------------------------- registers */

static bool is_high_byte(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

static __u64 *gpr(struct insn *insn, ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	int id = ZydisRegisterGetId(whole);

	if (is_high_byte(reg))
		id = reg - ZYDIS_REGISTER_AH;
	if (id < 0 || id >= TINYVMX_NR_GPR)
		return NULL;
	return &insn->m->regs->gpr[id];
}

static bool is_gpr(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16 ||
	       class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
}

uint64_t hv_insn_read_reg(struct insn *insn, ZydisRegister reg, unsigned int bits)
{
	uint64_t value = *gpr(insn, reg);

	return hv_low_bits(is_high_byte(reg) ? value >> 8 : value, bits);
}

/* 8 and 16 bits leave the rest alone, 32 bits clear the upper half. */
void hv_insn_write_reg(struct insn *insn, ZydisRegister reg, unsigned int bits, uint64_t value)
{
	__u64 *whole = gpr(insn, reg);
	unsigned int shift = is_high_byte(reg) ? 8 : 0;
	uint64_t mask = bits >= 32 ? UINT64_MAX : hv_low_bits(UINT64_MAX, bits) << shift;

	*whole = (*whole & ~mask) | (hv_low_bits(value, bits) << shift & mask);
}

/* ------------------------------------------------------------------ memory */

uint64_t hv_insn_segment_base(struct insn *insn, ZydisRegister segment)
{
	bool flat = insn->m->code_bits == 64 && segment != ZYDIS_REGISTER_FS && segment != ZYDIS_REGISTER_GS;

	if (flat || segment == ZYDIS_REGISTER_NONE)
		return 0;
	/* Both orders are the instruction encoding's. */
	return insn->m->segment_base(insn->m->ctx, segment - ZYDIS_REGISTER_ES);
}

static uint64_t address_register(struct insn *insn, ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return 0;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP || reg == ZYDIS_REGISTER_IP)
		return insn->m->regs->rip + insn->z.length;
	return *gpr(insn, reg);
}

uint64_t hv_insn_linear(struct insn *insn, uint64_t base, uint64_t offset)
{
	uint64_t gla = base + hv_low_bits(offset, insn->z.address_width);

	return insn->m->code_bits == 64 ? gla : gla & UINT32_MAX;
}

uint64_t hv_insn_address(struct insn *insn, const ZydisDecodedOperand *op)
{
	uint64_t offset = address_register(insn, op->mem.base) +
			  address_register(insn, op->mem.index) * op->mem.scale +
			  (op->mem.disp.has_displacement ? (uint64_t)op->mem.disp.value : 0);

	return hv_insn_linear(insn, hv_insn_segment_base(insn, op->mem.segment), offset);
}

bool hv_insn_memory(struct insn *insn, uint64_t gla, unsigned int bits, bool write, uint64_t *value)
{
	return hv_guest_access(&insn->m->guest, gla, bits / 8, write, value, &insn->m->fault);
}

/* ---------------------------------------------------------------- operands */

/* Can we do operands like this at all? Sizes of vector registers, say, we cannot. */
static bool plain(const ZydisDecodedOperand *op)
{
	bool size_ok = op->size == 8 || op->size == 16 || op->size == 32 || op->size == 64;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return size_ok && is_gpr(op->reg.value);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return size_ok && op->mem.type == ZYDIS_MEMOP_TYPE_MEM;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		return true;
	default:
		return false;
	}
}

bool hv_insn_read(struct insn *insn, unsigned int n, uint64_t *value)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	*value = 0;
	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return hv_insn_memory(insn, hv_insn_address(insn, op), op->size, false, value);
	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		*value = hv_insn_read_reg(insn, op->reg.value, op->size);
	else
		*value = op->imm.value.u;
	return true;
}

bool hv_insn_write(struct insn *insn, unsigned int n, uint64_t value)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return hv_insn_memory(insn, hv_insn_address(insn, op), op->size, true, &value);
	hv_insn_write_reg(insn, op->reg.value, op->size, value);
	return true;
}

/*
 * For what writes its register only when its memory operand has been written too:
 * will that write go through? Reading a chip for nothing is not harmless.
 */
bool hv_insn_can_write(struct insn *insn, unsigned int n)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	return op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	       hv_guest_check(&insn->m->guest, hv_insn_address(insn, op), op->size / 8, true, &insn->m->fault);
}

bool hv_insn_operands_are_plain(const struct insn *insn)
{
	for (unsigned int i = 0; i < insn->z.operand_count_visible; i++)
		if (!plain(&insn->op[i]))
			return false;
	return insn->z.operand_count_visible > 0;
}
