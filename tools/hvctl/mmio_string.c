// SPDX-License-Identifier: GPL-2.0-only
/* String instructions on memory with a chip behind it. */
#include "insn.h"

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
	uint64_t gla = hv_insn_linear(s->insn, s->src_base, s->insn->m->regs->gpr[TINYVMX_RSI]);

	return hv_insn_memory(s->insn, gla, s->bits, false, value);
}

static bool access_destination(struct string *s, bool write, uint64_t *value)
{
	uint64_t gla = hv_insn_linear(s->insn, s->dst_base, s->insn->m->regs->gpr[TINYVMX_RDI]);

	return hv_insn_memory(s->insn, gla, s->bits, write, value);
}

static void advance(struct string *s, unsigned int index)
{
	unsigned int width = s->insn->z.address_width;
	ZydisRegister reg = ZYDIS_REGISTER_RAX + index;
	uint64_t value = s->insn->m->regs->gpr[index] + s->step;

	hv_insn_write_reg(s->insn, reg, width, value);
}

static bool move_element(struct string *s)
{
	uint64_t value = 0;
	uint64_t to = hv_insn_linear(s->insn, s->dst_base, s->insn->m->regs->gpr[TINYVMX_RDI]);

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
			hv_insn_write_reg(s->insn, rax_of(s->bits), s->bits, value);
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
enum hv_mmio_result hv_insn_string(struct insn *insn, int what)
{
	struct hv_mmio *m = insn->m;
	struct string s = {
		.insn = insn,
		.bits = insn->z.operand_width,
		.step = insn->z.operand_width / 8,
		.src_base = hv_insn_segment_base(insn, source_segment(insn)),
		.dst_base = hv_insn_segment_base(insn, ZYDIS_REGISTER_ES),
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
		hv_insn_write_reg(insn, ZYDIS_REGISTER_RCX, insn->z.address_width, *rcx - 1);
		if (comparison_ends(insn, what))
			return HV_MMIO_DONE;
		/* Single steps are single elements. */
		if (m->regs->rflags & X86_RFLAGS_TF)
			break;
	}
	if (hv_low_bits(*rcx, insn->z.address_width))
		m->regs->rip -= insn->z.length;	/* not complete: undo what our caller will do */
	return HV_MMIO_DONE;
}

