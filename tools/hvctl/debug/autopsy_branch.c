// SPDX-License-Identifier: GPL-2.0-only
/* What an instruction raises that loads a segment register, or goes somewhere. */
#include <string.h>

#include "autopsy_insn.h"
#include "emul/walk.h"

#define TYPE_CODE	8
#define TYPE_READABLE	2
#define TYPE_CONFORMING 4

/* ---------------------------------------------------------------- segments */

static enum hv_first bad(struct hv_ordeal *event, unsigned int vector, uint16_t selector,
			 const char *what, const char *why)
{
	hv_ordeal_set(event, vector, selector & ~3u, "%s, 0x%x, %s", what, selector, why);
	return HV_FIRST_CERTAIN;
}

static enum hv_first load_stack(const struct hv_last_insn *insn, uint16_t selector,
				const char *what, struct hv_ordeal *event)
{
	struct hv_segment_facts ss;
	unsigned int dpl;

	if (!(selector & ~3u) && insn->bits == 64 && insn->cpl != 3)
		return HV_FIRST_NOTHING;
	if (!hv_autopsy_descriptor(insn->view, selector, X86_VECTOR_GP, 0, what, &ss, event))
		return HV_FIRST_CERTAIN;
	dpl = ss.ar >> TINYVMX_AR_DPL_SHIFT & 3;
	if ((selector & 3u) != insn->cpl || dpl != insn->cpl)
		return bad(event, X86_VECTOR_GP, selector, what, "is not of the current ring");
	if ((ss.ar & (TINYVMX_AR_S | TYPE_CODE | TYPE_READABLE)) != (TINYVMX_AR_S | TYPE_READABLE))
		return bad(event, X86_VECTOR_GP, selector, what, "is not of writable data");
	if (!(ss.ar & TINYVMX_AR_P))
		return bad(event, X86_VECTOR_SS, selector, what,
			   "is of a segment that is not present");
	return HV_FIRST_NOTHING;
}

static enum hv_first load_data(const struct hv_last_insn *insn, uint16_t selector, const char *what,
			       struct hv_ordeal *event)
{
	struct hv_segment_facts ds;
	unsigned int dpl;
	bool conforming;

	if (!(selector & ~3u))
		return HV_FIRST_NOTHING;
	if (!hv_autopsy_descriptor(insn->view, selector, X86_VECTOR_GP, 0, what, &ds, event))
		return HV_FIRST_CERTAIN;
	dpl = ds.ar >> TINYVMX_AR_DPL_SHIFT & 3;
	conforming = (ds.ar & (TYPE_CODE | TYPE_CONFORMING)) == (TYPE_CODE | TYPE_CONFORMING);
	if (!(ds.ar & TINYVMX_AR_S) || (ds.ar & (TYPE_CODE | TYPE_READABLE)) == TYPE_CODE)
		return bad(event, X86_VECTOR_GP, selector, what, "is not of data");
	if (!conforming && (insn->cpl > dpl || (selector & 3u) > dpl))
		return bad(event, X86_VECTOR_GP, selector, what, "is of more privilege");
	if (!(ds.ar & TINYVMX_AR_P))
		return bad(event, X86_VECTOR_NP, selector, what,
			   "is of a segment that is not present");
	return HV_FIRST_NOTHING;
}

/* MOV and POP to a segment register; operand 0 is that, the value is another one. */
static enum hv_first segment_load(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	ZydisMnemonic mnemonic = insn->z.mnemonic;
	const ZydisDecodedOperand *to = &insn->operand[0];
	uint64_t selector = 0;
	char what[40];
	bool found = false;

	if ((mnemonic != ZYDIS_MNEMONIC_MOV && mnemonic != ZYDIS_MNEMONIC_POP) ||
	    to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    ZydisRegisterGetClass(to->reg.value) != ZYDIS_REGCLASS_SEGMENT)
		return HV_FIRST_NOTHING;
	for (unsigned int i = 1; i < insn->z.operand_count && !found; i++)
		if (insn->operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY ||
		    mnemonic == ZYDIS_MNEMONIC_MOV)
			found = hv_last_insn_value(insn, &insn->operand[i], &selector);
	if (!found)
		return HV_FIRST_NOTHING;
	snprintf(what, sizeof(what), "the selector for %s", ZydisRegisterGetString(to->reg.value));
	if (to->reg.value == ZYDIS_REGISTER_SS)
		return load_stack(insn, selector, what, event);
	return load_data(insn, selector, what, event);
}

/* --------------------------------------------------------------------- code */

static enum hv_first load_code(const struct hv_last_insn *insn, uint16_t selector,
			       struct hv_ordeal *event)
{
	static const char what[] = "the code selector";
	struct hv_segment_facts cs;

	if (!hv_autopsy_descriptor(insn->view, selector, X86_VECTOR_GP, 0, what, &cs, event))
		return HV_FIRST_CERTAIN;
	/* Gates and TSSs, which have rules of their own, are not looked into. */
	if (!(cs.ar & TINYVMX_AR_S))
		return HV_FIRST_NOTHING;
	if (!(cs.ar & TYPE_CODE))
		return bad(event, X86_VECTOR_GP, selector, what, "is not of a code segment");
	if (hv_view_is_long(insn->view) &&
	    (cs.ar & (TINYVMX_AR_L | TINYVMX_AR_DB)) == (TINYVMX_AR_L | TINYVMX_AR_DB))
		return bad(event, X86_VECTOR_GP, selector, what,
			   "is of a segment with L and D set");
	if (!(cs.ar & TINYVMX_AR_P))
		return bad(event, X86_VECTOR_NP, selector, what,
			   "is of a segment that is not present");
	return HV_FIRST_NOTHING;
}

/* From the stack, or from memory: the selector lies behind the offset. */
static enum hv_first far_from_memory(const struct hv_last_insn *insn, uint64_t gla,
				     unsigned int offset_bytes, struct hv_ordeal *event)
{
	uint16_t selector;

	if (hv_view_peek(insn->view, gla + offset_bytes, &selector, 2) < 2)
		return HV_FIRST_NOTHING;
	return load_code(insn, selector, event);
}

static uint64_t stack_top(const struct hv_last_insn *insn)
{
	const struct tinyvmx_segment *ss = &insn->view->sregs->seg[TINYVMX_SS];
	uint64_t rsp = insn->view->regs->gpr[TINYVMX_RSP];

	if (insn->bits == 64)
		return rsp;
	return (uint32_t)(ss->base + (ss->ar & TINYVMX_AR_DB ? (uint32_t)rsp : (uint16_t)rsp));
}

static bool is_iret(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_IRET || mnemonic == ZYDIS_MNEMONIC_IRETD ||
	       mnemonic == ZYDIS_MNEMONIC_IRETQ;
}

static enum hv_first far_branch(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const ZydisDecodedOperand *op = &insn->operand[0];
	bool far = insn->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	uint64_t gla;

	if (!hv_view_is_protected(insn->view) || hv_view_is_v86(insn->view))
		return HV_FIRST_NOTHING;
	if (is_iret(insn->z.mnemonic) || (far && insn->z.mnemonic == ZYDIS_MNEMONIC_RET))
		return far_from_memory(insn, stack_top(insn), insn->z.operand_width / 8, event);
	if (!far)
		return HV_FIRST_NOTHING;
	if (op->type == ZYDIS_OPERAND_TYPE_POINTER)
		return load_code(insn, op->ptr.segment, event);
	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || !hv_last_insn_address(insn, op, &gla))
		return HV_FIRST_NOTHING;
	return far_from_memory(insn, gla, insn->z.operand_width / 8, event);
}

/* ---------------------------------------------------------------- near ones */

/* A target that is mapped to nothing is found behind the branch, by the fetch. */
static enum hv_first near_branch(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const struct hv_paging paging = { .cr4 = insn->view->sregs->cr4,
					  .efer = insn->view->sregs->efer };
	ZydisMnemonic mnemonic = insn->z.mnemonic;
	uint64_t target = 0;

	if (insn->bits != 64 || insn->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return HV_FIRST_NOTHING;
	if (mnemonic == ZYDIS_MNEMONIC_RET) {
		if (hv_view_peek(insn->view, stack_top(insn), &target, 8) < 8)
			return HV_FIRST_NOTHING;
	} else if ((mnemonic != ZYDIS_MNEMONIC_JMP && mnemonic != ZYDIS_MNEMONIC_CALL) ||
		   insn->operand[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ||
		   !hv_last_insn_value(insn, &insn->operand[0], &target)) {
		return HV_FIRST_NOTHING;
	}
	if (hv_is_canonical(&paging, target))
		return HV_FIRST_NOTHING;
	hv_ordeal_set(event, X86_VECTOR_GP, 0, "%s to 0x%llx, which is not canonical", insn->name,
		      (unsigned long long)target);
	return HV_FIRST_CERTAIN;
}

enum hv_first hv_autopsy_branch(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	enum hv_first how = HV_FIRST_NOTHING;

	if (hv_view_is_protected(insn->view) && !hv_view_is_v86(insn->view))
		how = segment_load(insn, event);
	if (how == HV_FIRST_NOTHING)
		how = far_branch(insn, event);
	return how == HV_FIRST_NOTHING ? near_branch(insn, event) : how;
}
