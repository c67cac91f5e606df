// SPDX-License-Identifier: GPL-2.0-only
/* String instructions on memory with a chip behind it. */
#include "insn.h"

struct string {
	struct hv_mmio *m;
	const struct hv_insn *insn;
	unsigned int src_segment;	/* DS or the segment given instead */
	unsigned int dst_segment;	/* ES */
	uint64_t step;
};

/* Of the element that the string is at. */
static bool find(struct string *s, bool source, bool write, uint64_t *gla)
{
	uint64_t index = s->m->regs->gpr[source ? TINYVMX_RSI : TINYVMX_RDI];

	return hv_insn_linear(s->m, source ? s->src_segment : s->dst_segment,
			      hv_low_bits(index, s->insn->address_bits), s->insn->bits / 8, write,
			      gla);
}

static bool access_source(struct string *s, uint64_t *value)
{
	uint64_t gla;

	return find(s, true, false, &gla) &&
	       hv_guest_access(&s->m->guest, gla, s->insn->bits / 8, false, value);
}

static bool access_destination(struct string *s, bool write, uint64_t *value)
{
	uint64_t gla;

	return find(s, false, write, &gla) &&
	       hv_guest_access(&s->m->guest, gla, s->insn->bits / 8, write, value);
}

/*
 * Will the accesses to both go through? A source that is a chip must not be read for
 * nothing. Its faults come first.
 */
static bool check_both(struct string *s, bool write)
{
	struct hv_guest *guest = &s->m->guest;
	unsigned int width = s->insn->bits / 8;
	uint64_t from, to;

	return find(s, true, false, &from) && hv_guest_check(guest, from, width, false) &&
	       find(s, false, write, &to) && hv_guest_check(guest, to, width, write);
}

static void advance(struct string *s, unsigned int index)
{
	hv_insn_write_reg(s->m, index, s->insn->address_bits, s->m->regs->gpr[index] + s->step);
}

static bool move_element(struct string *s)
{
	uint64_t value = 0;

	return check_both(s, true) && access_source(s, &value) &&
	       access_destination(s, true, &value);
}

static bool compare_element(struct string *s, bool with_rax)
{
	uint64_t a = 0, b = 0, rflags = s->m->regs->rflags;

	if (with_rax)
		a = s->m->regs->gpr[TINYVMX_RAX];
	else if (!check_both(s, false) || !access_source(s, &a))
		return false;
	if (!access_destination(s, false, &b))
		return false;
	hv_alu(HV_ALU_SUB, a, b, s->insn->bits, &rflags);
	s->m->regs->rflags = rflags;
	return true;
}

static bool do_element(struct string *s, int what)
{
	uint64_t value = s->m->regs->gpr[TINYVMX_RAX];
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
			hv_insn_write_reg(s->m, TINYVMX_RAX, s->insn->bits, value);
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
static bool comparison_ends(const struct string *s, int what)
{
	bool zf = s->m->regs->rflags & X86_RFLAGS_ZF;

	if (what != STRING_CMPS && what != STRING_SCAS)
		return false;
	return s->insn->repne ? zf : !zf;
}

/*
 * RCX counts down only with REP. When the batch is full RIP stays, the guest may
 * take an interrupt, and the instruction goes on from the registers.
 */
enum hv_mmio_result hv_insn_string(struct hv_mmio *m, const struct hv_insn *insn, int what)
{
	struct string s = {
		.m = m,
		.insn = insn,
		.step = insn->bits / 8,
		.src_segment = insn->source_segment,
		.dst_segment = m->code_bits == 64 ? HV_NO_SEGMENT : TINYVMX_ES,
	};
	__u64 *rcx = &m->regs->gpr[TINYVMX_RCX];

	if (m->regs->rflags & X86_RFLAGS_DF)
		s.step = -s.step;
	for (unsigned int i = 0; i < HV_MMIO_BATCH; i++) {
		if (insn->rep && !hv_low_bits(*rcx, insn->address_bits))
			return HV_MMIO_DONE;
		if (!do_element(&s, what))
			return HV_MMIO_FAULT;
		if (!insn->rep)
			return HV_MMIO_DONE;
		hv_insn_write_reg(m, TINYVMX_RCX, insn->address_bits, *rcx - 1);
		if (comparison_ends(&s, what))
			return HV_MMIO_DONE;
		/* Traps come behind single elements: steps, and breakpoints. */
		if (m->regs->rflags & X86_RFLAGS_TF || m->guest.dr6)
			break;
	}
	if (hv_low_bits(*rcx, insn->address_bits))
		m->regs->rip -= insn->length; /* not complete: undo what our caller will do */
	return HV_MMIO_DONE;
}
