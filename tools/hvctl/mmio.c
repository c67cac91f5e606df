// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that touch memory with a chip behind it. */
#include "insn.h"

typedef enum hv_mmio_result (*insn_fn)(struct insn *insn, int arg);

static enum hv_mmio_result unsupported(struct insn *insn, const char *why)
{
	insn->m->why = why;
	return HV_MMIO_UNSUPPORTED;
}

/* ------------------------------------------------------------ instructions */

enum { MOVE_PLAIN, MOVE_SIGNED, MOVE_SWAPPED };

static enum hv_mmio_result do_move(struct insn *insn, int how)
{
	unsigned int from = insn->op[1].size;
	uint64_t value;

	if (!hv_insn_read(insn, 1, &value))
		return HV_MMIO_FAULT;
	if (how == MOVE_SIGNED)
		value = hv_sign_extend(value, from);
	if (how == MOVE_SWAPPED)
		value = __builtin_bswap64(value) >> (64 - from);
	return hv_insn_write(insn, 0, value) ? HV_MMIO_DONE : HV_MMIO_FAULT;
}

/* op[0] = op[0] OP op[1] */
static enum hv_mmio_result do_alu(struct insn *insn, int op)
{
	uint64_t a, b, rflags = insn->m->regs->rflags;

	if (!hv_insn_can_write(insn, 0) || !hv_insn_read(insn, 0, &a) || !hv_insn_read(insn, 1, &b))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(insn, 0, hv_alu(op, a, b, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/* CMP and TEST: SUB and AND for the flags alone. */
static enum hv_mmio_result do_compare(struct insn *insn, int op)
{
	uint64_t a, b, rflags = insn->m->regs->rflags;

	if (!hv_insn_read(insn, 0, &a) || !hv_insn_read(insn, 1, &b))
		return HV_MMIO_FAULT;
	hv_alu(op, a, b, insn->bits, &rflags);
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_unary(struct insn *insn, int op)
{
	uint64_t a, rflags = insn->m->regs->rflags;

	if (!hv_insn_can_write(insn, 0) || !hv_insn_read(insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(insn, 0, hv_alu(op, a, 0, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_not(struct insn *insn, int arg)
{
	uint64_t a;

	(void)arg;
	if (!hv_insn_can_write(insn, 0) || !hv_insn_read(insn, 0, &a) || !hv_insn_write(insn, 0, ~a))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_neg(struct insn *insn, int arg)
{
	uint64_t a, rflags = insn->m->regs->rflags;

	(void)arg;
	if (!hv_insn_can_write(insn, 0) || !hv_insn_read(insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(insn, 0, hv_alu(HV_ALU_SUB, 0, a, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/* XCHG and XADD: the old value of op[0] goes to op[1], which is a register (or the other way round). */
static enum hv_mmio_result do_exchange(struct insn *insn, int add)
{
	uint64_t a, b, rflags = insn->m->regs->rflags, sum;

	if (!hv_insn_can_write(insn, 0) || !hv_insn_can_write(insn, 1) ||
	    !hv_insn_read(insn, 0, &a) || !hv_insn_read(insn, 1, &b))
		return HV_MMIO_FAULT;
	sum = add ? hv_alu(HV_ALU_ADD, a, b, insn->bits, &rflags) : b;
	/* Memory first, for it may refuse; the register cannot. */
	if (insn->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
		if (!hv_insn_write(insn, 0, sum))
			return HV_MMIO_FAULT;
		hv_insn_write(insn, 1, a);
	} else {
		if (!hv_insn_write(insn, 1, a))
			return HV_MMIO_FAULT;
		hv_insn_write(insn, 0, sum);
	}
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_cmpxchg(struct insn *insn, int arg)
{
	uint64_t old, new, rflags = insn->m->regs->rflags;
	uint64_t rax = hv_low_bits(insn->m->regs->gpr[TINYVMX_RAX], insn->bits);
	bool equal;

	(void)arg;
	if (!hv_insn_can_write(insn, 0) || !hv_insn_read(insn, 0, &old) || !hv_insn_read(insn, 1, &new))
		return HV_MMIO_FAULT;
	hv_alu(HV_ALU_SUB, rax, old, insn->bits, &rflags);
	equal = old == rax;
	/* The destination is written in any case, as hardware does. */
	if (!hv_insn_write(insn, 0, equal ? new : old))
		return HV_MMIO_FAULT;
	if (!equal && insn->bits == 8)
		hv_insn_write_reg(insn, ZYDIS_REGISTER_AL, 8, old);
	else if (!equal)
		hv_insn_write_reg(insn, ZYDIS_REGISTER_RAX, insn->bits, old);
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* A bit number in a register reaches beyond the operand, in both directions. */
static uint64_t bit_string_address(struct insn *insn, int64_t bit)
{
	uint64_t gla = hv_insn_address(insn, &insn->op[0]);
	uint64_t base = hv_insn_segment_base(insn, insn->op[0].mem.segment);
	int64_t units = bit >> (insn->bits == 64 ? 6 : insn->bits == 32 ? 5 : 4);

	return hv_insn_linear(insn, base, gla - base + units * (insn->bits / 8));
}

static enum hv_mmio_result do_bit(struct insn *insn, int how)
{
	uint64_t bit, gla, value, one;
	bool write = how != BIT_TEST;

	if (insn->op[0].type != ZYDIS_OPERAND_TYPE_MEMORY || insn->bits == 8)
		return unsupported(insn, "a bit test that does not touch memory");
	hv_insn_read(insn, 1, &bit);
	gla = hv_insn_address(insn, &insn->op[0]);
	if (insn->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		gla = bit_string_address(insn, hv_sign_extend(bit, insn->bits));
	one = 1ULL << (bit & (insn->bits - 1));
	if (write && !hv_guest_check(&insn->m->guest, gla, insn->bits / 8, true, &insn->m->fault))
		return HV_MMIO_FAULT;
	if (!hv_insn_memory(insn, gla, insn->bits, false, &value))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags &= ~X86_RFLAGS_CF;
	insn->m->regs->rflags |= value & one ? X86_RFLAGS_CF : 0;
	value = how == BIT_SET ? value | one : how == BIT_RESET ? value & ~one : value ^ one;
	if (write && !hv_insn_memory(insn, gla, insn->bits, true, &value))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* ------------------------------------------------------------------- table */

struct row {
	ZydisMnemonic mnemonic;
	insn_fn fn;
	int arg;
	bool string;
};

static const struct row rows[] = {
	{ ZYDIS_MNEMONIC_MOV, do_move, MOVE_PLAIN, false },
	{ ZYDIS_MNEMONIC_MOVZX, do_move, MOVE_PLAIN, false },
	{ ZYDIS_MNEMONIC_MOVSX, do_move, MOVE_SIGNED, false },
	{ ZYDIS_MNEMONIC_MOVSXD, do_move, MOVE_SIGNED, false },
	{ ZYDIS_MNEMONIC_MOVBE, do_move, MOVE_SWAPPED, false },
	{ ZYDIS_MNEMONIC_MOVNTI, do_move, MOVE_PLAIN, false },
	{ ZYDIS_MNEMONIC_ADD, do_alu, HV_ALU_ADD, false },
	{ ZYDIS_MNEMONIC_ADC, do_alu, HV_ALU_ADC, false },
	{ ZYDIS_MNEMONIC_SUB, do_alu, HV_ALU_SUB, false },
	{ ZYDIS_MNEMONIC_SBB, do_alu, HV_ALU_SBB, false },
	{ ZYDIS_MNEMONIC_AND, do_alu, HV_ALU_AND, false },
	{ ZYDIS_MNEMONIC_OR, do_alu, HV_ALU_OR, false },
	{ ZYDIS_MNEMONIC_XOR, do_alu, HV_ALU_XOR, false },
	{ ZYDIS_MNEMONIC_CMP, do_compare, HV_ALU_SUB, false },
	{ ZYDIS_MNEMONIC_TEST, do_compare, HV_ALU_AND, false },
	{ ZYDIS_MNEMONIC_INC, do_unary, HV_ALU_INC, false },
	{ ZYDIS_MNEMONIC_DEC, do_unary, HV_ALU_DEC, false },
	{ ZYDIS_MNEMONIC_NOT, do_not, 0, false },
	{ ZYDIS_MNEMONIC_NEG, do_neg, 0, false },
	{ ZYDIS_MNEMONIC_XCHG, do_exchange, 0, false },
	{ ZYDIS_MNEMONIC_XADD, do_exchange, 1, false },
	{ ZYDIS_MNEMONIC_CMPXCHG, do_cmpxchg, 0, false },
	{ ZYDIS_MNEMONIC_BT, do_bit, BIT_TEST, false },
	{ ZYDIS_MNEMONIC_BTS, do_bit, BIT_SET, false },
	{ ZYDIS_MNEMONIC_BTR, do_bit, BIT_RESET, false },
	{ ZYDIS_MNEMONIC_BTC, do_bit, BIT_COMPLEMENT, false },
	{ ZYDIS_MNEMONIC_MOVSB, hv_insn_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSW, hv_insn_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSD, hv_insn_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSQ, hv_insn_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_STOSB, hv_insn_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSW, hv_insn_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSD, hv_insn_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSQ, hv_insn_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_LODSB, hv_insn_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSW, hv_insn_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSD, hv_insn_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSQ, hv_insn_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_CMPSB, hv_insn_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSW, hv_insn_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSD, hv_insn_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSQ, hv_insn_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_SCASB, hv_insn_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASW, hv_insn_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASD, hv_insn_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASQ, hv_insn_string, STRING_SCAS, true },
};

static const struct row *find_row(const struct insn *insn)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_string = insn->z.meta.category == ZYDIS_CATEGORY_STRINGOP;

		/* MOVSD and CMPSD are names of SSE instructions as well. */
		if (rows[i].mnemonic == insn->z.mnemonic && rows[i].string == is_string)
			return &rows[i];
	}
	return NULL;
}

static bool decode(struct insn *insn, const uint8_t *code, size_t len)
{
	unsigned int bits = insn->m->code_bits;
	ZydisDecoder decoder;

	if (bits == 64)
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (bits == 32)
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &insn->z, insn->op));
}

enum hv_mmio_result hv_mmio_emulate(struct hv_mmio *m)
{
	struct insn insn = { .m = m };
	uint64_t rip = m->cs_base + m->regs->rip;
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
	enum hv_mmio_result result;
	const struct row *row;
	size_t len;

	len = hv_peek(m->guest.memory, &m->guest.paging, m->code_bits == 64 ? rip : rip & UINT32_MAX,
		      code, sizeof(code));
	if (!decode(&insn, code, len))
		return unsupported(&insn, "bytes that are no instruction");
	row = find_row(&insn);
	if (!row || (!row->string && !hv_insn_operands_are_plain(&insn)))
		return unsupported(&insn, "an instruction that cannot be done on a device");
	insn.bits = insn.op[0].size;
	result = row->fn(&insn, row->arg);
	if (result != HV_MMIO_DONE)
		return result;
	m->regs->rip += insn.z.length;
	if (m->code_bits != 64)
		m->regs->rip &= m->code_bits == 32 ? UINT32_MAX : 0xffff;
	m->regs->rflags &= ~X86_RFLAGS_RF;
	return HV_MMIO_DONE;
}
