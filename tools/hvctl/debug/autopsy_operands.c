// SPDX-License-Identifier: GPL-2.0-only
/* What an instruction's memory operands raise, and its arithmetic. */
#include <string.h>

#include "autopsy_insn.h"
#include "emul/segment.h"
#include "emul/walk.h"

/* -------------------------------------------------------------------- values */

bool hv_last_insn_register(const struct hv_last_insn *insn, ZydisRegister reg, uint64_t *value)
{
	ZyanI8 id = ZydisRegisterGetId(reg);
	ZydisRegisterClass kind = ZydisRegisterGetClass(reg);
	const struct hv_view *view = insn->view;

	*value = 0;
	if (reg == ZYDIS_REGISTER_NONE)
		return true;
	switch (kind) {
	case ZYDIS_REGCLASS_GPR8:
		/* AH, CH, DH and BH come before SPL in Zydis' numbering. */
		if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
			*value = view->regs->gpr[reg - ZYDIS_REGISTER_AH] >> 8 & 0xff;
		else
			*value =
				view->regs->gpr[ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(
					ZYDIS_MACHINE_MODE_LONG_64, reg))] &
				0xff;
		return true;
	case ZYDIS_REGCLASS_GPR16:
		*value = (uint16_t)view->regs->gpr[id];
		return true;
	case ZYDIS_REGCLASS_GPR32:
		*value = (uint32_t)view->regs->gpr[id];
		return true;
	case ZYDIS_REGCLASS_GPR64:
		*value = view->regs->gpr[id];
		return true;
	case ZYDIS_REGCLASS_IP:
		*value = view->regs->rip + insn->z.length;
		return true;
	case ZYDIS_REGCLASS_SEGMENT:
		*value = view->sregs->seg[id].selector;
		return true;
	default:
		return false;
	}
}

static int segment_of(const ZydisDecodedOperand *op)
{
	ZyanI8 id = ZydisRegisterGetId(op->mem.segment);

	return op->mem.segment == ZYDIS_REGISTER_NONE || id < 0 ? TINYVMX_DS : id;
}

static bool is_stack_pointer(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_ESP || reg == ZYDIS_REGISTER_SP;
}

/* A memory operand that is to be looked at. */
struct place {
	int segment;			/* TINYVMX_ES ... */
	uint64_t offset;
	uint64_t gla;
	unsigned int bytes;
	bool write;
	bool stack;			/* through SS: #SS */
};

/* Where the stack's pointer counts down first; Zydis has the pointer as it is before. */
static bool is_push(const struct hv_last_insn *insn, const ZydisDecodedOperand *op)
{
	return op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       is_stack_pointer(op->mem.base) && op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
	       insn->z.mnemonic != ZYDIS_MNEMONIC_RET;
}

static uint64_t address_mask(const struct hv_last_insn *insn, const ZydisDecodedOperand *op)
{
	unsigned int width = insn->z.address_width;

	/* The stack's own accesses are as wide as the stack is. */
	if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && is_stack_pointer(op->mem.base))
		width = insn->bits == 64                                      ? 64 :
			insn->view->sregs->seg[TINYVMX_SS].ar & TINYVMX_AR_DB ? 32 :
										16;
	return width == 64 ? ~0ULL : width == 32 ? UINT32_MAX : UINT16_MAX;
}

static bool find_place(const struct hv_last_insn *insn, const ZydisDecodedOperand *op,
		       struct place *place)
{
	uint64_t base, index;

	*place = (struct place){ .segment = segment_of(op), .bytes = op->size / 8 };
	if (!hv_last_insn_register(insn, op->mem.base, &base) ||
	    !hv_last_insn_register(insn, op->mem.index, &index))
		return false;
	place->offset = base + index * op->mem.scale;
	if (op->mem.disp.has_displacement)
		place->offset += op->mem.disp.value;
	if (is_push(insn, op))
		place->offset -= place->bytes;
	place->offset &= address_mask(insn, op);
	place->gla = place->offset;
	if (insn->bits != 64)
		place->gla =
			(uint32_t)(insn->view->sregs->seg[place->segment].base + place->offset);
	else if (place->segment == TINYVMX_FS || place->segment == TINYVMX_GS)
		place->gla += insn->view->sregs->seg[place->segment].base;
	place->write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	place->stack = place->segment == TINYVMX_SS;
	return true;
}

bool hv_last_insn_address(const struct hv_last_insn *insn, const ZydisDecodedOperand *op,
			  uint64_t *gla)
{
	struct place place;

	if (!find_place(insn, op, &place))
		return false;
	*gla = place.gla;
	return true;
}

bool hv_last_insn_value(const struct hv_last_insn *insn, const ZydisDecodedOperand *op,
			uint64_t *value)
{
	struct place place;

	*value = 0;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return hv_last_insn_register(insn, op->reg.value, value);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = op->imm.value.u;
		return true;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return find_place(insn, op, &place) && place.bytes && place.bytes <= 8 &&
		       hv_view_peek(insn->view, place.gla, value, place.bytes) == place.bytes;
	default:
		return false;
	}
}

/* ------------------------------------------------------------------- memory */

/* Those whose operand is an address and no more than that, or who never fault on it. */
static bool is_untouched(const struct hv_last_insn *insn)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_INVLPG:
	case ZYDIS_MNEMONIC_PREFETCH:
	case ZYDIS_MNEMONIC_PREFETCHNTA:
	case ZYDIS_MNEMONIC_PREFETCHT0:
	case ZYDIS_MNEMONIC_PREFETCHT1:
	case ZYDIS_MNEMONIC_PREFETCHT2:
	case ZYDIS_MNEMONIC_PREFETCHW:
		return true;
	default:
		return false;
	}
}

/* Strings that have nothing to do any more. */
static bool is_over(const struct hv_last_insn *insn)
{
	const ZydisInstructionAttributes rep = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					       ZYDIS_ATTRIB_HAS_REPNE;
	uint64_t count = insn->view->regs->gpr[TINYVMX_RCX];

	if (!(insn->z.attributes & rep))
		return false;
	if (insn->z.address_width == 64)
		return !count;
	return insn->z.address_width == 32 ? !(uint32_t)count : !(uint16_t)count;
}

static unsigned int alignment(const struct hv_last_insn *insn)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_MOVAPS:
	case ZYDIS_MNEMONIC_MOVAPD:
	case ZYDIS_MNEMONIC_MOVDQA:
	case ZYDIS_MNEMONIC_MOVNTPS:
	case ZYDIS_MNEMONIC_MOVNTPD:
	case ZYDIS_MNEMONIC_MOVNTDQ:
	case ZYDIS_MNEMONIC_MOVNTDQA:
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FXRSTOR64:
	case ZYDIS_MNEMONIC_CMPXCHG16B:
		return 16;
	case ZYDIS_MNEMONIC_XSAVE:
	case ZYDIS_MNEMONIC_XSAVE64:
	case ZYDIS_MNEMONIC_XSAVEOPT:
	case ZYDIS_MNEMONIC_XSAVEC:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
		return 64;
	default:
		return 1;
	}
}

/* What comes before paging. */
static bool check_segment(const struct hv_last_insn *insn, const struct place *place,
			  struct hv_ordeal *event)
{
	const struct tinyvmx_sregs *sregs = insn->view->sregs;
	const struct tinyvmx_segment *segment = &sregs->seg[place->segment];
	const struct hv_paging paging = { .cr4 = sregs->cr4, .efer = sregs->efer };
	static const char *const names[] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	unsigned int vector = place->stack ? X86_VECTOR_SS : X86_VECTOR_GP;
	uint64_t last = place->gla + (place->bytes ? place->bytes - 1 : 0);

	if (insn->bits == 64 && hv_is_canonical(&paging, place->gla) &&
	    hv_is_canonical(&paging, last))
		return true;
	if (insn->bits == 64)
		return hv_ordeal_set(event, vector, 0, "%s at 0x%llx, which is not canonical",
				     insn->name, (unsigned long long)place->gla);
	if (segment->ar & TINYVMX_AR_UNUSABLE)
		return hv_ordeal_set(event, vector, 0, "%s through %s, which is null", insn->name,
				     names[place->segment]);
	if (hv_segment_allows(segment, sregs->cr0, place->offset, place->bytes, place->write))
		return true;
	return hv_ordeal_set(event, vector, 0,
			     "%s at 0x%llx in %s, whose limit, 0x%x, or type forbids it",
			     insn->name, (unsigned long long)place->offset, names[place->segment],
			     segment->limit);
}

static bool check_place(const struct hv_last_insn *insn, const struct place *place,
			struct hv_ordeal *event)
{
	unsigned int access = (place->write ? HV_ACCESS_WRITE : 0) |
			      (insn->cpl == 3 ? HV_ACCESS_USER : 0);

	if (!check_segment(insn, place, event))
		return false;
	if (place->gla & (alignment(insn) - 1))
		return hv_ordeal_set(event, X86_VECTOR_GP, 0,
				     "%s at 0x%llx, which is not a multiple of %u", insn->name,
				     (unsigned long long)place->gla, alignment(insn));
	return hv_autopsy_access(insn->view, place->gla, place->bytes, access,
				 place->stack ? "the stack" : "memory", event);
}

enum hv_first hv_autopsy_operands(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	if (is_untouched(insn) || is_over(insn))
		return HV_FIRST_NOTHING;
	for (unsigned int i = 0; i < insn->z.operand_count; i++) {
		const ZydisDecodedOperand *op = &insn->operand[i];
		struct place place;

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || op->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
		    !find_place(insn, op, &place))
			continue;
		if (place.bytes && !check_place(insn, &place, event))
			return HV_FIRST_CERTAIN;
	}
	return HV_FIRST_NOTHING;
}

/* --------------------------------------------------------------- arithmetic */

/* The dividend is twice as wide as the divisor: AX, or (R|E)DX and (R|E)AX. */
static unsigned __int128 dividend(const struct hv_last_insn *insn, unsigned int bits)
{
	uint64_t low = insn->view->regs->gpr[TINYVMX_RAX],
		 high = insn->view->regs->gpr[TINYVMX_RDX];

	if (bits == 8)
		return low & 0xffff;
	if (bits == 64)
		return (unsigned __int128)high << 64 | low;
	return (high & ((1ULL << bits) - 1)) << bits | (low & ((1ULL << bits) - 1));
}

static __int128 sign_extend(unsigned __int128 value, unsigned int bits)
{
	return (__int128)(value << (128 - bits)) >> (128 - bits);
}

static bool overflows(const struct hv_last_insn *insn, uint64_t divisor, unsigned int bits)
{
	unsigned __int128 from = dividend(insn, bits);
	__int128 by = sign_extend(divisor, bits), value = sign_extend(from, 2 * bits), most;

	if (insn->z.mnemonic == ZYDIS_MNEMONIC_DIV)
		return from / divisor >> bits;
	most = (__int128)1 << (bits - 1);
	/* The one quotient that 128 bits have no room for. */
	if (by == -1)
		return value <= -most || value > most;
	value /= by;
	return value < -most || value >= most;
}

enum hv_first hv_autopsy_arithmetic(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	const ZydisDecodedOperand *op = &insn->operand[0];
	uint64_t divisor;

	if ((insn->z.mnemonic != ZYDIS_MNEMONIC_DIV && insn->z.mnemonic != ZYDIS_MNEMONIC_IDIV) ||
	    !hv_last_insn_value(insn, op, &divisor))
		return HV_FIRST_NOTHING;
	if (divisor && !overflows(insn, divisor, op->size))
		return HV_FIRST_NOTHING;
	hv_ordeal_set(event, X86_VECTOR_DE, 0, "%s by 0x%llx%s", insn->name,
		      (unsigned long long)divisor, divisor ? ": the quotient is too large" : "");
	return HV_FIRST_CERTAIN;
}
