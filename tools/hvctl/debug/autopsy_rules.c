// SPDX-License-Identifier: GPL-2.0-only
/* What an instruction raises whatever its operands are: privileges, modes, units that are off. */
#include "autopsy_insn.h"
#include "lib/util.h"

static enum hv_first certain(struct hv_ordeal *event, unsigned int vector, const char *name,
			     const char *why)
{
	hv_ordeal_set(event, vector, 0, "%s%s", name, why);
	return HV_FIRST_CERTAIN;
}

static enum hv_first software(struct hv_ordeal *event, unsigned int vector, const char *name)
{
	hv_ordeal_set(event, vector, 0, "%s", name);
	event->kind = HV_ORDEAL_SOFTWARE;
	return HV_FIRST_CERTAIN;
}

/* ---------------------------------------------------- those that are events */

static enum hv_first traps(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return certain(event, X86_VECTOR_UD, insn->name, "");
	case ZYDIS_MNEMONIC_INT3:
		return software(event, 3, insn->name);
	case ZYDIS_MNEMONIC_INT1:
		return certain(event, 1, insn->name, "");
	case ZYDIS_MNEMONIC_INT:
		return software(event, insn->operand[0].imm.value.u & 0xff, insn->name);
	case ZYDIS_MNEMONIC_INTO:
		if (insn->view->regs->rflags & X86_RFLAGS_OF)
			return software(event, 4, insn->name);
		return HV_FIRST_NOTHING;
	default:
		return HV_FIRST_NOTHING;
	}
}

/* -------------------------------------------------------------- privileges */

static bool is_port_access(const struct hv_last_insn *insn)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_IN:
	case ZYDIS_MNEMONIC_OUT:
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_INSD:
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSW:
	case ZYDIS_MNEMONIC_OUTSD:
		return true;
	default:
		return false;
	}
}

/* The bitmap behind the TSS may allow it. */
static enum hv_first port_rights(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	unsigned int iopl = insn->view->regs->rflags >> 12 & 3;

	if (insn->cpl <= iopl && !hv_view_is_v86(insn->view))
		return HV_FIRST_NOTHING;
	hv_ordeal_set(event, X86_VECTOR_GP, 0,
		      "%s in ring %u with IOPL %u, if the TSS' I/O bitmap forbids the port",
		      insn->name, insn->cpl, iopl);
	return HV_FIRST_MAYBE;
}

static enum hv_first privileges(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const struct hv_view *view = insn->view;
	unsigned int iopl = view->regs->rflags >> 12 & 3;
	ZydisMnemonic mnemonic = insn->z.mnemonic;

	if (!insn->cpl)
		return HV_FIRST_NOTHING;
	if (is_port_access(insn))
		return port_rights(insn, event);
	if ((mnemonic == ZYDIS_MNEMONIC_CLI || mnemonic == ZYDIS_MNEMONIC_STI) && iopl < insn->cpl)
		return certain(event, X86_VECTOR_GP, insn->name, " in ring 3, which IOPL forbids");
	if (insn->z.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return certain(event, X86_VECTOR_GP, insn->name, " in ring 3");
	return HV_FIRST_NOTHING;
}

/* ------------------------------------------------------------------- modes */

static enum hv_first system_calls(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	bool is_call = insn->z.mnemonic == ZYDIS_MNEMONIC_SYSCALL ||
		       insn->z.mnemonic == ZYDIS_MNEMONIC_SYSRET;

	if (is_call && !(insn->view->sregs->efer & X86_EFER_SCE))
		return certain(event, X86_VECTOR_UD, insn->name, ", which EFER.SCE does not allow");
	return HV_FIRST_NOTHING;
}

static bool uses(const struct hv_last_insn *insn, ZydisRegisterClass a, ZydisRegisterClass b)
{
	for (unsigned int i = 0; i < insn->z.operand_count; i++) {
		const ZydisDecodedOperand *op = &insn->operand[i];
		ZydisRegisterClass kind;

		if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		kind = ZydisRegisterGetClass(op->reg.value);
		if (kind == a || kind == b)
			return true;
	}
	return false;
}

static enum hv_first vector_unit(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const struct tinyvmx_sregs *sregs = insn->view->sregs;
	bool legacy = insn->z.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;

	if (!legacy && !(sregs->cr4 & 1ULL << 18))
		return certain(event, X86_VECTOR_UD, insn->name, " without CR4.OSXSAVE");
	if (legacy && sregs->cr0 & X86_CR0_EM)
		return certain(event, X86_VECTOR_UD, insn->name, " with CR0.EM");
	if (legacy && !(sregs->cr4 & X86_CR4_OSFXSR))
		return certain(event, X86_VECTOR_UD, insn->name, " without CR4.OSFXSR");
	if (sregs->cr0 & X86_CR0_TS)
		return certain(event, X86_VECTOR_NM, insn->name, " with CR0.TS");
	return HV_FIRST_NOTHING;
}

static enum hv_first units(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const struct tinyvmx_sregs *sregs = insn->view->sregs;

	if (uses(insn, ZYDIS_REGCLASS_XMM, ZYDIS_REGCLASS_YMM) ||
	    uses(insn, ZYDIS_REGCLASS_ZMM, ZYDIS_REGCLASS_ZMM))
		return vector_unit(insn, event);
	if (uses(insn, ZYDIS_REGCLASS_MMX, ZYDIS_REGCLASS_MMX)) {
		if (sregs->cr0 & X86_CR0_EM)
			return certain(event, X86_VECTOR_UD, insn->name, " with CR0.EM");
		if (sregs->cr0 & X86_CR0_TS)
			return certain(event, X86_VECTOR_NM, insn->name, " with CR0.TS");
	}
	if (insn->z.meta.category == ZYDIS_CATEGORY_X87_ALU &&
	    sregs->cr0 & (X86_CR0_EM | X86_CR0_TS))
		return certain(event, X86_VECTOR_NM, insn->name, " with CR0.EM or CR0.TS");
	return HV_FIRST_NOTHING;
}

/* ---------------------------------------------------- what cannot be seen */

/* Reads of them are never refused to ring 0. */
static bool writes_control(const ZydisDecodedOperand *to)
{
	ZydisRegisterClass kind;

	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	kind = ZydisRegisterGetClass(to->reg.value);
	return kind == ZYDIS_REGCLASS_CONTROL || kind == ZYDIS_REGCLASS_DEBUG;
}

/* A value that the CPU, or the module in its place, may not take. */
static enum hv_first refused_values(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const struct tinyvmx_regs *regs = insn->view->regs;

	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_WRMSR:
	case ZYDIS_MNEMONIC_RDMSR:
		hv_ordeal_set(event, X86_VECTOR_GP, 0, "%s of MSR 0x%x, which is refused",
			      insn->name, (uint32_t)regs->gpr[TINYVMX_RCX]);
		return HV_FIRST_MAYBE;
	case ZYDIS_MNEMONIC_XSETBV:
		hv_ordeal_set(event, X86_VECTOR_GP, 0, "%s, which is refused", insn->name);
		return HV_FIRST_MAYBE;
	case ZYDIS_MNEMONIC_MOV:
		if (!writes_control(&insn->operand[0]))
			return HV_FIRST_NOTHING;
		hv_ordeal_set(event, X86_VECTOR_GP, 0, "%s to %s, which is refused", insn->name,
			      ZydisRegisterGetString(insn->operand[0].reg.value));
		return HV_FIRST_MAYBE;
	default:
		return HV_FIRST_NOTHING;
	}
}

enum hv_first hv_autopsy_rules(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	static enum hv_first (*const rules[])(const struct hv_last_insn *insn,
					      struct hv_ordeal *event) = {
		traps, privileges, system_calls, units, refused_values,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		enum hv_first how = rules[i](insn, event);

		if (how != HV_FIRST_NOTHING)
			return how;
	}
	return HV_FIRST_NOTHING;
}
