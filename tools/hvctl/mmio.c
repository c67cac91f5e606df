// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that touch memory with a chip behind it. */
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

typedef enum hv_mmio_result (*insn_fn)(struct insn *insn, int arg);

static enum hv_mmio_result unsupported(struct insn *insn, const char *why)
{
	insn->m->why = why;
	return HV_MMIO_UNSUPPORTED;
}

/* --------------------------------------------------------------- registers */

static bool is_high_byte(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

static __u64 *gpr(struct insn *insn, ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(insn->z.machine_mode, reg);
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

static uint64_t read_reg(struct insn *insn, ZydisRegister reg, unsigned int bits)
{
	uint64_t value = *gpr(insn, reg);

	return hv_low_bits(is_high_byte(reg) ? value >> 8 : value, bits);
}

/* 8 and 16 bits leave the rest alone, 32 bits clear the upper half. */
static void write_reg(struct insn *insn, ZydisRegister reg, unsigned int bits, uint64_t value)
{
	__u64 *whole = gpr(insn, reg);
	unsigned int shift = is_high_byte(reg) ? 8 : 0;
	uint64_t mask = bits >= 32 ? UINT64_MAX : hv_low_bits(UINT64_MAX, bits) << shift;

	*whole = (*whole & ~mask) | (hv_low_bits(value, bits) << shift & mask);
}

/* ------------------------------------------------------------------ memory */

static uint64_t segment_base(struct insn *insn, ZydisRegister segment)
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

static uint64_t linear(struct insn *insn, uint64_t base, uint64_t offset)
{
	uint64_t gla = base + hv_low_bits(offset, insn->z.address_width);

	return insn->m->code_bits == 64 ? gla : gla & UINT32_MAX;
}

static uint64_t effective_address(struct insn *insn, const ZydisDecodedOperand *op)
{
	uint64_t offset = address_register(insn, op->mem.base) +
			  address_register(insn, op->mem.index) * op->mem.scale +
			  (op->mem.disp.has_displacement ? (uint64_t)op->mem.disp.value : 0);

	return linear(insn, segment_base(insn, op->mem.segment), offset);
}

static bool access_memory(struct insn *insn, uint64_t gla, unsigned int bits, bool write, uint64_t *value)
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

static bool read_op(struct insn *insn, unsigned int n, uint64_t *value)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	*value = 0;
	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return access_memory(insn, effective_address(insn, op), op->size, false, value);
	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		*value = read_reg(insn, op->reg.value, op->size);
	else
		*value = op->imm.value.u;
	return true;
}

static bool write_op(struct insn *insn, unsigned int n, uint64_t value)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return access_memory(insn, effective_address(insn, op), op->size, true, &value);
	write_reg(insn, op->reg.value, op->size, value);
	return true;
}

/*
 * For what writes its register only when its memory operand has been written too:
 * will that write go through? Reading a chip for nothing is not harmless.
 */
static bool can_write(struct insn *insn, unsigned int n)
{
	const ZydisDecodedOperand *op = &insn->op[n];

	return op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	       hv_guest_check(&insn->m->guest, effective_address(insn, op), op->size / 8, true, &insn->m->fault);
}

/* ------------------------------------------------------------ instructions */

enum { MOVE_PLAIN, MOVE_SIGNED, MOVE_SWAPPED };

static enum hv_mmio_result do_move(struct insn *insn, int how)
{
	unsigned int from = insn->op[1].size;
	uint64_t value;

	if (!read_op(insn, 1, &value))
		return HV_MMIO_FAULT;
	if (how == MOVE_SIGNED)
		value = hv_sign_extend(value, from);
	if (how == MOVE_SWAPPED)
		value = __builtin_bswap64(value) >> (64 - from);
	return write_op(insn, 0, value) ? HV_MMIO_DONE : HV_MMIO_FAULT;
}

/* op[0] = op[0] OP op[1] */
static enum hv_mmio_result do_alu(struct insn *insn, int op)
{
	uint64_t a, b, rflags = insn->m->regs->rflags;

	if (!can_write(insn, 0) || !read_op(insn, 0, &a) || !read_op(insn, 1, &b))
		return HV_MMIO_FAULT;
	if (!write_op(insn, 0, hv_alu(op, a, b, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/* CMP and TEST: SUB and AND for the flags alone. */
static enum hv_mmio_result do_compare(struct insn *insn, int op)
{
	uint64_t a, b, rflags = insn->m->regs->rflags;

	if (!read_op(insn, 0, &a) || !read_op(insn, 1, &b))
		return HV_MMIO_FAULT;
	hv_alu(op, a, b, insn->bits, &rflags);
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_unary(struct insn *insn, int op)
{
	uint64_t a, rflags = insn->m->regs->rflags;

	if (!can_write(insn, 0) || !read_op(insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!write_op(insn, 0, hv_alu(op, a, 0, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_not(struct insn *insn, int arg)
{
	uint64_t a;

	(void)arg;
	if (!can_write(insn, 0) || !read_op(insn, 0, &a) || !write_op(insn, 0, ~a))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_neg(struct insn *insn, int arg)
{
	uint64_t a, rflags = insn->m->regs->rflags;

	(void)arg;
	if (!can_write(insn, 0) || !read_op(insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!write_op(insn, 0, hv_alu(HV_ALU_SUB, 0, a, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/* XCHG and XADD: the old value of op[0] goes to op[1], which is a register (or the other way round). */
static enum hv_mmio_result do_exchange(struct insn *insn, int add)
{
	uint64_t a, b, rflags = insn->m->regs->rflags, sum;

	if (!can_write(insn, 0) || !can_write(insn, 1) || !read_op(insn, 0, &a) || !read_op(insn, 1, &b))
		return HV_MMIO_FAULT;
	sum = add ? hv_alu(HV_ALU_ADD, a, b, insn->bits, &rflags) : b;
	/* Memory first, for it may refuse; the register cannot. */
	if (insn->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
		if (!write_op(insn, 0, sum))
			return HV_MMIO_FAULT;
		write_op(insn, 1, a);
	} else {
		if (!write_op(insn, 1, a))
			return HV_MMIO_FAULT;
		write_op(insn, 0, sum);
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
	if (!can_write(insn, 0) || !read_op(insn, 0, &old) || !read_op(insn, 1, &new))
		return HV_MMIO_FAULT;
	hv_alu(HV_ALU_SUB, rax, old, insn->bits, &rflags);
	equal = old == rax;
	/* The destination is written in any case, as hardware does. */
	if (!write_op(insn, 0, equal ? new : old))
		return HV_MMIO_FAULT;
	if (!equal && insn->bits == 8)
		write_reg(insn, ZYDIS_REGISTER_AL, 8, old);
	else if (!equal)
		write_reg(insn, ZYDIS_REGISTER_RAX, insn->bits, old);
	insn->m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* A bit number in a register reaches beyond the operand, in both directions. */
static uint64_t bit_string_address(struct insn *insn, int64_t bit)
{
	uint64_t gla = effective_address(insn, &insn->op[0]);
	uint64_t base = segment_base(insn, insn->op[0].mem.segment);
	int64_t units = bit >> (insn->bits == 64 ? 6 : insn->bits == 32 ? 5 : 4);

	return linear(insn, base, gla - base + units * (insn->bits / 8));
}

static enum hv_mmio_result do_bit(struct insn *insn, int how)
{
	uint64_t bit, gla, value, one;
	bool write = how != BIT_TEST;

	if (insn->op[0].type != ZYDIS_OPERAND_TYPE_MEMORY || insn->bits == 8)
		return unsupported(insn, "a bit test that does not touch memory");
	read_op(insn, 1, &bit);
	gla = effective_address(insn, &insn->op[0]);
	if (insn->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		gla = bit_string_address(insn, hv_sign_extend(bit, insn->bits));
	one = 1ULL << (bit & (insn->bits - 1));
	if (write && !hv_guest_check(&insn->m->guest, gla, insn->bits / 8, true, &insn->m->fault))
		return HV_MMIO_FAULT;
	if (!access_memory(insn, gla, insn->bits, false, &value))
		return HV_MMIO_FAULT;
	insn->m->regs->rflags &= ~X86_RFLAGS_CF;
	insn->m->regs->rflags |= value & one ? X86_RFLAGS_CF : 0;
	value = how == BIT_SET ? value | one : how == BIT_RESET ? value & ~one : value ^ one;
	if (write && !access_memory(insn, gla, insn->bits, true, &value))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* ----------------------------------------------------------------- strings */

enum { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };

struct string {
	struct insn *insn;
	unsigned int bits;		/* of an element */
	uint64_t src_base;		/* of DS or the segment given instead */
	uint64_t dst_base;		/* of ES */
	uint64_t step;
};

static ZydisRegister rax_of(unsigned int bits)
{
	return bits == 8 ? ZYDIS_REGISTER_AL : ZYDIS_REGISTER_RAX;
}

static bool access_source(struct string *s, uint64_t *value)
{
	uint64_t gla = linear(s->insn, s->src_base, s->insn->m->regs->gpr[TINYVMX_RSI]);

	return access_memory(s->insn, gla, s->bits, false, value);
}

static bool access_destination(struct string *s, bool write, uint64_t *value)
{
	uint64_t gla = linear(s->insn, s->dst_base, s->insn->m->regs->gpr[TINYVMX_RDI]);

	return access_memory(s->insn, gla, s->bits, write, value);
}

static void advance(struct string *s, unsigned int index)
{
	unsigned int width = s->insn->z.address_width;
	ZydisRegister reg = ZYDIS_REGISTER_RAX + index;
	uint64_t value = s->insn->m->regs->gpr[index] + s->step;

	write_reg(s->insn, reg, width, value);
}

static bool move_element(struct string *s)
{
	uint64_t value = 0;
	uint64_t to = linear(s->insn, s->dst_base, s->insn->m->regs->gpr[TINYVMX_RDI]);

	if (!hv_guest_check(&s->insn->m->guest, to, s->bits / 8, true, &s->insn->m->fault))
		return false;
	return access_source(s, &value) && access_destination(s, true, &value);
}

static bool compare_element(struct string *s, bool with_rax)
{
	uint64_t a = 0, b = 0, rflags = s->insn->m->regs->rflags;

	if (with_rax)
		a = s->insn->m->regs->gpr[TINYVMX_RAX];
	else if (!access_source(s, &a))
		return false;
	if (!access_destination(s, false, &b))
		return false;
	hv_alu(HV_ALU_SUB, a, b, s->bits, &rflags);
	s->insn->m->regs->rflags = rflags;
	return true;
}

static bool do_element(struct string *s, int what)
{
	uint64_t value = s->insn->m->regs->gpr[TINYVMX_RAX];
	bool ok = false;

	switch (what) {
	case STRING_MOVS:
		ok = move_element(s);
		break;
	case STRING_STOS:
		ok = access_destination(s, true, &value);
		break;
	case STRING_LODS:
		ok = access_source(s, &value);
		if (ok)
			write_reg(s->insn, rax_of(s->bits), s->bits, value);
		break;
	case STRING_CMPS:
	case STRING_SCAS:
		ok = compare_element(s, what == STRING_SCAS);
		break;
	}
	if (ok && what != STRING_STOS && what != STRING_SCAS)
		advance(s, TINYVMX_RSI);
	if (ok && what != STRING_LODS)
		advance(s, TINYVMX_RDI);
	return ok;
}

/* REPE and REPNE end a comparison when ZF is not what they want. */
static bool comparison_ends(const struct insn *insn, int what)
{
	bool zf = insn->m->regs->rflags & X86_RFLAGS_ZF;

	if (what != STRING_CMPS && what != STRING_SCAS)
		return false;
	return insn->z.attributes & ZYDIS_ATTRIB_HAS_REPNE ? zf : !zf;
}

/* The segment that DS: may be overridden with; ES: may not. */
static ZydisRegister source_segment(const struct insn *insn)
{
	static const struct { ZydisInstructionAttributes attribute; ZydisRegister segment; } overrides[] = {
		{ ZYDIS_ATTRIB_HAS_SEGMENT_CS, ZYDIS_REGISTER_CS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_SS, ZYDIS_REGISTER_SS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_ES, ZYDIS_REGISTER_ES },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_FS, ZYDIS_REGISTER_FS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_GS, ZYDIS_REGISTER_GS },
	};

	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++)
		if (insn->z.attributes & overrides[i].attribute)
			return overrides[i].segment;
	return ZYDIS_REGISTER_DS;
}

static bool has_rep(const struct insn *insn)
{
	return insn->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

/*
 * RCX counts down only with REP. When the batch is full RIP stays, the guest may
 * take an interrupt, and the instruction goes on from the registers.
 */
static enum hv_mmio_result do_string(struct insn *insn, int what)
{
	struct hv_mmio *m = insn->m;
	struct string s = {
		.insn = insn,
		.bits = insn->z.operand_width,
		.step = insn->z.operand_width / 8,
		.src_base = segment_base(insn, source_segment(insn)),
		.dst_base = segment_base(insn, ZYDIS_REGISTER_ES),
	};
	__u64 *rcx = &m->regs->gpr[TINYVMX_RCX];
	bool rep = has_rep(insn);

	if (m->regs->rflags & X86_RFLAGS_DF)
		s.step = -s.step;
	for (unsigned int i = 0; i < HV_MMIO_BATCH; i++) {
		if (rep && !hv_low_bits(*rcx, insn->z.address_width))
			return HV_MMIO_DONE;
		if (!do_element(&s, what))
			return HV_MMIO_FAULT;
		if (!rep)
			return HV_MMIO_DONE;
		write_reg(insn, ZYDIS_REGISTER_RCX, insn->z.address_width, *rcx - 1);
		if (comparison_ends(insn, what))
			return HV_MMIO_DONE;
	}
	if (hv_low_bits(*rcx, insn->z.address_width))
		m->regs->rip -= insn->z.length;	/* not complete: undo what our caller will do */
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
	{ ZYDIS_MNEMONIC_MOVSB, do_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSW, do_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSD, do_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_MOVSQ, do_string, STRING_MOVS, true },
	{ ZYDIS_MNEMONIC_STOSB, do_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSW, do_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSD, do_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_STOSQ, do_string, STRING_STOS, true },
	{ ZYDIS_MNEMONIC_LODSB, do_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSW, do_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSD, do_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_LODSQ, do_string, STRING_LODS, true },
	{ ZYDIS_MNEMONIC_CMPSB, do_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSW, do_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSD, do_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_CMPSQ, do_string, STRING_CMPS, true },
	{ ZYDIS_MNEMONIC_SCASB, do_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASW, do_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASD, do_string, STRING_SCAS, true },
	{ ZYDIS_MNEMONIC_SCASQ, do_string, STRING_SCAS, true },
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

static bool operands_are_plain(const struct insn *insn)
{
	for (unsigned int i = 0; i < insn->z.operand_count_visible; i++)
		if (!plain(&insn->op[i]))
			return false;
	return insn->z.operand_count_visible > 0;
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
	if (!row || (!row->string && !operands_are_plain(&insn)))
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
