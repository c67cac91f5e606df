// SPDX-License-Identifier: GPL-2.0-only
/* What Zydis says of an instruction, boiled down to what the MMIO emulation wants. */
#include "alu.h"
#include "decode.h"
#include "guest.h"
#include "tinyvmx.h"
#include "zydis.h"
#include "lib/util.h"

/* The number of a general register, whole or in part, in the instruction encoding. */
static uint8_t gpr_number(ZydisRegister reg)
{
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		return reg - ZYDIS_REGISTER_AH;
	return ZydisRegisterGetId(
		ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg));
}

static bool is_gpr(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16 ||
	       class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
}

/* In 64-bit mode FS and GS alone have a base. Both orders are the instruction encoding's. */
static uint8_t segment_number(ZydisRegister segment, unsigned int code_bits)
{
	bool flat = code_bits == 64 && segment != ZYDIS_REGISTER_FS && segment != ZYDIS_REGISTER_GS;

	return flat || segment == ZYDIS_REGISTER_NONE ? HV_NO_SEGMENT : segment - ZYDIS_REGISTER_ES;
}

static bool is_segment(ZydisRegister reg)
{
	return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_SEGMENT;
}

static void take_segment(struct hv_operand *op, ZydisRegister reg)
{
	op->kind = HV_OPERAND_SEGMENT;
	op->reg = reg - ZYDIS_REGISTER_ES;
}

static void take_register(struct hv_operand *op, ZydisRegister reg)
{
	op->kind = HV_OPERAND_REGISTER;
	op->reg = gpr_number(reg);
	op->shift = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH ? 8 : 0;
	op->mask = hv_low_bits(UINT64_MAX, op->bits) << op->shift;
}

void hv_decode_memory(struct hv_operand *op, const ZydisDecodedOperand *from,
		      unsigned int code_bits)
{
	const ZydisDecodedOperandMem *mem = &from->mem;

	op->bits = from->size;
	op->kind = HV_OPERAND_MEMORY;
	op->rip_relative = mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP;
	op->reg = is_gpr(mem->base) ? gpr_number(mem->base) : HV_NO_REGISTER;
	op->index = is_gpr(mem->index) ? gpr_number(mem->index) : HV_NO_REGISTER;
	op->scale = mem->scale;
	op->segment = segment_number(mem->segment, code_bits);
	op->stack = mem->segment == ZYDIS_REGISTER_SS;
	op->displacement = mem->disp.has_displacement ? (uint64_t)mem->disp.value : 0;
}

/* Those of vector registers, say, we cannot do. */
static bool take_operand(struct hv_operand *op, const ZydisDecodedOperand *from,
			 unsigned int code_bits)
{
	op->bits = from->size;
	switch (from->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (is_segment(from->reg.value))
			take_segment(op, from->reg.value);
		else if (is_gpr(from->reg.value))
			take_register(op, from->reg.value);
		else
			return false;
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (from->mem.type != ZYDIS_MEMOP_TYPE_MEM)
			return false;
		hv_decode_memory(op, from, code_bits);
		return !(from->size % 8) && from->size <= 8 * HV_GUEST_MAX_BYTES;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		op->kind = HV_OPERAND_IMMEDIATE;
		op->immediate = from->imm.value.u;
		return true;
	default:
		return false;
	}
	return from->size == 8 || from->size == 16 || from->size == 32 || from->size == 64;
}

static bool take_operands(struct hv_insn *insn, const ZydisDecodedInstruction *z,
			  const ZydisDecodedOperand *operands, unsigned int code_bits)
{
	if (z->operand_count_visible > 2)
		return false;
	for (unsigned int i = 0; i < z->operand_count_visible; i++) {
		if (!take_operand(&insn->op[i], &operands[i], code_bits))
			return false;
		if (insn->op[i].kind == HV_OPERAND_SEGMENT)
			insn->form = HV_FORM_SEGMENT;
	}
	if (z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		insn->form = HV_FORM_FAR;
	insn->count = z->operand_count_visible;
	insn->bits = insn->op[0].bits;
	return true;
}

/* The segment that DS: may be overridden with; ES: may not. */
static uint8_t source_segment(const ZydisDecodedInstruction *z, unsigned int code_bits)
{
	static const struct {
		ZydisInstructionAttributes attribute;
		ZydisRegister segment;
	} overrides[] = {
		{ ZYDIS_ATTRIB_HAS_SEGMENT_CS, ZYDIS_REGISTER_CS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_SS, ZYDIS_REGISTER_SS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_ES, ZYDIS_REGISTER_ES },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_FS, ZYDIS_REGISTER_FS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_GS, ZYDIS_REGISTER_GS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(overrides); i++)
		if (z->attributes & overrides[i].attribute)
			return segment_number(overrides[i].segment, code_bits);
	return segment_number(ZYDIS_REGISTER_DS, code_bits);
}

static void take_string(struct hv_insn *insn, const ZydisDecodedInstruction *z)
{
	insn->form = HV_FORM_STRING;
	insn->bits = z->operand_width;
	insn->rep = z->attributes &
		    (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	insn->repne = z->attributes & ZYDIS_ATTRIB_HAS_REPNE;
}

enum hv_decode_result hv_decode(struct hv_insn *insn, const uint8_t *code, size_t len,
				unsigned int code_bits)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	hv_zydis_init(&decoder, code_bits);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &z, operands)))
		return HV_DECODE_BAD;
	*insn = (struct hv_insn){ .mnemonic = z.mnemonic,
				  .length = z.length,
				  .operand_bits = z.operand_width,
				  .source_segment = source_segment(&z, code_bits),
				  .address_bits = z.address_width };
	if (z.meta.category == ZYDIS_CATEGORY_STRINGOP ||
	    z.meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
		take_string(insn, &z);
	else if (!take_operands(insn, &z, operands, code_bits))
		return HV_DECODE_FOREIGN;
	return HV_DECODE_DONE;
}
