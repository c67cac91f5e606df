// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that touch memory with a chip behind it. */
#include <stdio.h>
#include <string.h>

#include <Zydis/Mnemonic.h>

#include "disasm.h"
#include "insn.h"
#include "lib/util.h"

enum hv_mmio_result hv_insn_unsupported(struct hv_mmio *m, const char *why)
{
	m->why = why;
	return HV_MMIO_UNSUPPORTED;
}

/* ------------------------------------------------------------ instructions */

static enum hv_mmio_result do_move(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t value;

	(void)arg;
	if (!hv_insn_read(m, insn, 1, &value) || !hv_insn_write(m, insn, 0, value))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* A selector in memory has 16 bits. */
static enum hv_mmio_result do_move_segment(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	if (insn->op[0].kind == HV_OPERAND_SEGMENT)
		return hv_insn_do_load_segment(m, insn, arg);
	return do_move(m, insn, arg);
}

enum { CONVERT_SIGNED, CONVERT_SWAPPED };

static enum hv_mmio_result do_convert(struct hv_mmio *m, const struct hv_insn *insn, int how)
{
	unsigned int from = insn->op[1].bits;
	uint64_t value;

	if (!hv_insn_read(m, insn, 1, &value))
		return HV_MMIO_FAULT;
	value = how == CONVERT_SIGNED ? hv_sign_extend(value, from) :
					__builtin_bswap64(value) >> (64 - from);
	return hv_insn_write(m, insn, 0, value) ? HV_MMIO_DONE : HV_MMIO_FAULT;
}

/* op[0] = op[0] OP op[1] */
static enum hv_mmio_result do_alu(struct hv_mmio *m, const struct hv_insn *insn, int op)
{
	uint64_t a, b, rflags = m->regs->rflags;

	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_read(m, insn, 0, &a) ||
	    !hv_insn_read(m, insn, 1, &b))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(m, insn, 0, hv_alu(op, a, b, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/* CMP and TEST: SUB and AND for the flags alone. */
static enum hv_mmio_result do_compare(struct hv_mmio *m, const struct hv_insn *insn, int op)
{
	uint64_t a, b, rflags = m->regs->rflags;

	if (!hv_insn_read(m, insn, 0, &a) || !hv_insn_read(m, insn, 1, &b))
		return HV_MMIO_FAULT;
	hv_alu(op, a, b, insn->bits, &rflags);
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_unary(struct hv_mmio *m, const struct hv_insn *insn, int op)
{
	uint64_t a, rflags = m->regs->rflags;

	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_read(m, insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(m, insn, 0, hv_alu(op, a, 0, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_not(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t a;

	(void)arg;
	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_read(m, insn, 0, &a) ||
	    !hv_insn_write(m, insn, 0, ~a))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_neg(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t a, rflags = m->regs->rflags;

	(void)arg;
	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_read(m, insn, 0, &a))
		return HV_MMIO_FAULT;
	if (!hv_insn_write(m, insn, 0, hv_alu(HV_ALU_SUB, 0, a, insn->bits, &rflags)))
		return HV_MMIO_FAULT;
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

/*
 * XCHG and XADD: the old value of op[0] goes to op[1], which is a register (or the other way
 * round).
 */
static enum hv_mmio_result do_exchange(struct hv_mmio *m, const struct hv_insn *insn, int add)
{
	uint64_t a, b, rflags = m->regs->rflags, sum;

	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_can_write(m, insn, 1) ||
	    !hv_insn_read(m, insn, 0, &a) || !hv_insn_read(m, insn, 1, &b))
		return HV_MMIO_FAULT;
	sum = add ? hv_alu(HV_ALU_ADD, a, b, insn->bits, &rflags) : b;
	/* Memory first, for it may refuse; the register cannot. */
	if (insn->op[0].kind == HV_OPERAND_MEMORY) {
		if (!hv_insn_write(m, insn, 0, sum))
			return HV_MMIO_FAULT;
		hv_insn_write(m, insn, 1, a);
	} else {
		if (!hv_insn_write(m, insn, 1, a))
			return HV_MMIO_FAULT;
		hv_insn_write(m, insn, 0, sum);
	}
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

static enum hv_mmio_result do_cmpxchg(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t old, new, rflags = m->regs->rflags;
	uint64_t rax = hv_low_bits(m->regs->gpr[TINYVMX_RAX], insn->bits);
	bool equal;

	(void)arg;
	if (!hv_insn_can_write(m, insn, 0) || !hv_insn_read(m, insn, 0, &old) ||
	    !hv_insn_read(m, insn, 1, &new))
		return HV_MMIO_FAULT;
	hv_alu(HV_ALU_SUB, rax, old, insn->bits, &rflags);
	equal = old == rax;
	/* The destination is written in any case, as hardware does. */
	if (!hv_insn_write(m, insn, 0, equal ? new : old))
		return HV_MMIO_FAULT;
	if (!equal)
		hv_insn_write_reg(m, TINYVMX_RAX, insn->bits, old);
	m->regs->rflags = rflags;
	return HV_MMIO_DONE;
}

enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* A bit number in a register reaches beyond the operand, in both directions. */
static uint64_t bit_offset(struct hv_mmio *m, const struct hv_insn *insn, int64_t bit)
{
	uint64_t offset = hv_insn_offset(m, insn, &insn->op[0]);
	int64_t units = bit >> (insn->bits == 64 ? 6 : insn->bits == 32 ? 5 : 4);

	if (insn->op[1].kind != HV_OPERAND_REGISTER)
		return offset;
	return hv_low_bits(offset + units * (insn->bits / 8), insn->address_bits);
}

static enum hv_mmio_result do_bit(struct hv_mmio *m, const struct hv_insn *insn, int how)
{
	unsigned int width = insn->bits / 8;
	uint64_t bit, offset, gla, value, one;
	bool write = how != BIT_TEST;

	if (insn->op[0].kind != HV_OPERAND_MEMORY)
		return hv_insn_unsupported(m, "does not touch memory");
	hv_insn_read(m, insn, 1, &bit);
	offset = bit_offset(m, insn, hv_sign_extend(bit, insn->bits));
	one = 1ULL << (bit & (insn->bits - 1));
	if (!hv_insn_linear(m, insn->op[0].segment, offset, width, write, &gla) ||
	    (write && !hv_guest_check(&m->guest, gla, width, true)) ||
	    !hv_guest_access(&m->guest, gla, width, false, &value))
		return hv_insn_refused(m, &insn->op[0]);
	m->regs->rflags &= ~X86_RFLAGS_CF;
	m->regs->rflags |= value & one ? X86_RFLAGS_CF : 0;
	value = how == BIT_SET ? value | one : how == BIT_RESET ? value & ~one : value ^ one;
	if (write && !hv_guest_access(&m->guest, gla, width, true, &value))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* ------------------------------------------------------------------- table */

struct hv_mmio_row {
	ZydisMnemonic mnemonic;
	hv_insn_fn *fn;
	int arg;
	enum hv_form form;
};

static const struct hv_mmio_row rows[] = {
	{ ZYDIS_MNEMONIC_MOV, do_move, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOV, do_move_segment, 0, HV_FORM_SEGMENT },
	{ ZYDIS_MNEMONIC_MOVZX, do_move, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOVSX, do_convert, CONVERT_SIGNED, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOVSXD, do_convert, CONVERT_SIGNED, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOVBE, do_convert, CONVERT_SWAPPED, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOVNTI, do_move, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_ADD, do_alu, HV_ALU_ADD, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_ADC, do_alu, HV_ALU_ADC, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SUB, do_alu, HV_ALU_SUB, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SBB, do_alu, HV_ALU_SBB, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_AND, do_alu, HV_ALU_AND, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_OR, do_alu, HV_ALU_OR, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_XOR, do_alu, HV_ALU_XOR, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CMP, do_compare, HV_ALU_SUB, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_TEST, do_compare, HV_ALU_AND, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_INC, do_unary, HV_ALU_INC, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_DEC, do_unary, HV_ALU_DEC, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_NOT, do_not, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_NEG, do_neg, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_XCHG, do_exchange, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_XADD, do_exchange, 1, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CMPXCHG, do_cmpxchg, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_BT, do_bit, BIT_TEST, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_BTS, do_bit, BIT_SET, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_BTR, do_bit, BIT_RESET, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_BTC, do_bit, BIT_COMPLEMENT, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PUSH, hv_insn_do_push, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PUSH, hv_insn_do_push, 0, HV_FORM_SEGMENT },
	{ ZYDIS_MNEMONIC_POP, hv_insn_do_pop, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PUSHF, hv_insn_do_pushf, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PUSHFD, hv_insn_do_pushf, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PUSHFQ, hv_insn_do_pushf, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_ENTER, hv_insn_do_enter, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LEAVE, hv_insn_do_leave, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_JMP, hv_insn_do_jmp, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_JMP, hv_insn_do_jmp_far, 0, HV_FORM_FAR },
	{ ZYDIS_MNEMONIC_CALL, hv_insn_do_call, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CALL, hv_insn_do_call_far, 0, HV_FORM_FAR },
	{ ZYDIS_MNEMONIC_RET, hv_insn_do_ret, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_XLAT, hv_insn_do_xlat, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CLFLUSH, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CLFLUSHOPT, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CLWB, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_CLDEMOTE, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCH, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHNTA, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHT0, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHT1, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHT2, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHW, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_PREFETCHWT1, hv_insn_do_nothing, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LES, hv_insn_do_load_far, TINYVMX_ES, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LDS, hv_insn_do_load_far, TINYVMX_DS, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LFS, hv_insn_do_load_far, TINYVMX_FS, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LGS, hv_insn_do_load_far, TINYVMX_GS, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SGDT, hv_insn_do_store_table, TABLE_GDT, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SIDT, hv_insn_do_store_table, TABLE_IDT, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LGDT, hv_insn_do_load_table, TABLE_GDT, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LIDT, hv_insn_do_load_table, TABLE_IDT, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_LTR, hv_insn_do_load_task, 0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SLDT, hv_insn_do_store_word, WORD_LDTR, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_STR, hv_insn_do_store_word, WORD_TR, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_SMSW, hv_insn_do_store_word, WORD_CR0, HV_FORM_PLAIN },
	{ ZYDIS_MNEMONIC_MOVSB, hv_insn_string, STRING_MOVS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_MOVSW, hv_insn_string, STRING_MOVS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_MOVSD, hv_insn_string, STRING_MOVS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_MOVSQ, hv_insn_string, STRING_MOVS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_STOSB, hv_insn_string, STRING_STOS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_STOSW, hv_insn_string, STRING_STOS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_STOSD, hv_insn_string, STRING_STOS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_STOSQ, hv_insn_string, STRING_STOS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_LODSB, hv_insn_string, STRING_LODS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_LODSW, hv_insn_string, STRING_LODS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_LODSD, hv_insn_string, STRING_LODS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_LODSQ, hv_insn_string, STRING_LODS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_CMPSB, hv_insn_string, STRING_CMPS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_CMPSW, hv_insn_string, STRING_CMPS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_CMPSD, hv_insn_string, STRING_CMPS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_CMPSQ, hv_insn_string, STRING_CMPS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_SCASB, hv_insn_string, STRING_SCAS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_SCASW, hv_insn_string, STRING_SCAS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_SCASD, hv_insn_string, STRING_SCAS, HV_FORM_STRING },
	{ ZYDIS_MNEMONIC_SCASQ, hv_insn_string, STRING_SCAS, HV_FORM_STRING },
};

/* What is in none of these rows the CPU does on a copy of the operand. */
static const struct hv_mmio_row native_row = { 0, hv_insn_native, 0, HV_FORM_PLAIN };

static const struct hv_mmio_row *find_row(const struct hv_insn *insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].mnemonic == insn->mnemonic && rows[i].form == insn->form)
			return &rows[i];
	return NULL;
}

/* ---------------------------------------------------- fetching and decoding */

/* Bytes of code, and how many of them may belong to one instruction. */
struct code {
	union {
		uint8_t byte[16];
		uint64_t word[2];
	};
	size_t len;
};

/* The guest may be changing it: the compiler must not read it twice. */
static uint64_t read_once(const void *at)
{
	typedef uint64_t word __attribute__((aligned(1), may_alias));

	return *(const volatile word *)at;
}

static uint64_t code_address(const struct hv_mmio *m)
{
	uint64_t gla = m->cs_base + m->regs->rip;

	return m->code_bits == 64 ? gla : gla & UINT32_MAX;
}

static void fetch(struct hv_mmio *m, uint64_t gla, struct code *code)
{
	const uint8_t *at = hv_guest_code(&m->guest, gla, sizeof(code->byte));

	if (at) {
		code->word[0] = read_once(at);
		code->word[1] = read_once(at + 8);
		code->len = HV_INSN_MAX;
		return;
	}
	/* It may go on in another page, or end with the RAM. */
	*code = (struct code){ 0 };
	code->len = hv_peek(m->guest.memory, &m->guest.paging, gla, code->byte, HV_INSN_MAX);
}

static bool is_that(const struct hv_mmio_insn *known, const struct code *code,
		    unsigned int code_bits)
{
	return known->code_bits == code_bits && known->insn.length <= code->len &&
	       !((known->code[0] ^ code->word[0]) & known->mask[0]) &&
	       !((known->code[1] ^ code->word[1]) & known->mask[1]);
}

/* Names the instruction. */
static void explain(struct hv_mmio *m, const struct code *code, const char *why)
{
	char text[96];

	hv_disasm(code->byte, code->len, m->code_bits, m->regs->rip, text, sizeof(text));
	snprintf(m->why_text, sizeof(m->why_text), "%s %s, and hvctl does not do that on a device",
		 text, why);
	m->why = m->why_text;
}

static void explain_known(struct hv_mmio *m, const struct hv_mmio_insn *known)
{
	struct code code = { .word = { known->code[0], known->code[1] },
			     .len = known->insn.length };

	explain(m, &code, m->why);
}

/* The place of @into is free then: what was there, if anything, is no more. */
static bool find_way(struct hv_mmio *m, struct hv_mmio_insn *into, const struct code *code)
{
	enum hv_decode_result result = hv_decode(&into->insn, code->byte, code->len, m->code_bits);
	const char *why;

	if (result == HV_DECODE_BAD) {
		m->why = "bytes that are no instruction";
		return false;
	}
	into->row = result == HV_DECODE_DONE ? find_row(&into->insn) : NULL;
	if (into->row)
		return true;
	into->row = &native_row;
	why = hv_native_build(&m->native, into - m->insns, &into->insn, code->byte, code->len,
			      m->code_bits);
	if (why)
		explain(m, code, why);
	return !why;
}

static bool __attribute__((noinline))
decode(struct hv_mmio *m, struct hv_mmio_insn *into, const struct code *code)
{
	struct code mask = { 0 };

	into->code_bits = 0;
	if (!find_way(m, into, code))
		return false;
	memset(mask.byte, 0xff, into->insn.length);
	memcpy(into->mask, mask.word, sizeof(mask.word));
	memcpy(into->code, code->word, sizeof(code->word));
	into->code_bits = m->code_bits;
	return true;
}

const char *hv_mmio_why_not(struct hv_mmio *m, const uint8_t *bytes, size_t len)
{
	struct code code = { .len = len < HV_INSN_MAX ? len : HV_INSN_MAX };

	memcpy(code.byte, bytes, code.len);
	return decode(m, &m->insns[0], &code) ? NULL : m->why;
}

/* The instruction at RIP; NULL: m->why says what is wrong with it. */
static const struct hv_mmio_insn *find_insn(struct hv_mmio *m)
{
	uint64_t gla = code_address(m);
	struct hv_mmio_insn *known = &m->insns[(gla ^ gla >> 6) % HV_MMIO_INSNS];
	struct code code;

	fetch(m, gla, &code);
	if (is_that(known, &code, m->code_bits) || decode(m, known, &code))
		return known;
	return NULL;
}

enum hv_mmio_result hv_mmio_emulate(struct hv_mmio *m)
{
	const struct hv_mmio_insn *found = find_insn(m);
	enum hv_mmio_result result;

	if (!found)
		return HV_MMIO_UNSUPPORTED;
	result = found->row->fn(m, &found->insn, found->row->arg);
	if (result == HV_MMIO_UNSUPPORTED)
		explain_known(m, found);
	if (result != HV_MMIO_DONE)
		return result;
	m->regs->rip += found->insn.length;
	if (m->code_bits != 64)
		m->regs->rip &= m->code_bits == 32 ? UINT32_MAX : 0xffff;
	m->regs->rflags &= ~X86_RFLAGS_RF;
	return HV_MMIO_DONE;
}

void hv_mmio_load_breakpoints(struct hv_mmio *m)
{
	if (!m->get_state(m->ctx, TINYVMX_STATE_DEBUG, &m->debug, sizeof(m->debug)))
		m->guest.debug = &m->debug;
}

/* What is remembered may be code that is no more. */
void hv_mmio_free(struct hv_mmio *m)
{
	hv_native_free(&m->native);
	memset(m->insns, 0, sizeof(m->insns));
	m->again = 0;
}

/* The CPU's translation is of no use where an access has more to it. */
static void __attribute__((noinline)) know_nothing(struct hv_mmio *m, uint32_t flags)
{
	if (flags & TINYVMX_MMIO_BREAKPOINTS)
		hv_mmio_load_breakpoints(m);
	m->guest.known = 0;
}

enum hv_mmio_result hv_mmio_exit(struct hv_mmio *m, struct tinyvmx_run *run)
{
	const struct tinyvmx_exit_mmio *exit = &run->mmio;
	uint32_t flags = exit->flags;

	hv_guest_set_paging(&m->guest, &exit->paging, &run->regs);
	m->guest.known = HV_KNOWN_READ | (flags & TINYVMX_MMIO_WRITE ? HV_KNOWN_WRITE : 0);
	m->guest.known_gla = exit->gla;
	m->guest.known_gpa = exit->gpa;
	m->sregs_read = false;
	m->regs = &run->regs;
	m->code_bits = hv_code_bits(exit->paging.efer, exit->cs_ar);
	m->cs_base = exit->cs_base;
	if ((flags & (TINYVMX_MMIO_GLA_VALID | TINYVMX_MMIO_BREAKPOINTS)) !=
		    TINYVMX_MMIO_GLA_VALID ||
	    m->guest.aligned)
		know_nothing(m, flags);
	return hv_mmio_emulate(m);
}
