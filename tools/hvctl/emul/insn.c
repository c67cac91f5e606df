// SPDX-License-Identifier: GPL-2.0-only
/* The operands of an emulated instruction: registers and memory. */
#include "insn.h"
#include "segment.h"

void hv_insn_write_reg(struct hv_mmio *m, unsigned int reg, unsigned int bits, uint64_t value)
{
	uint64_t keep = bits >= 32 ? 0 : UINT64_MAX << bits;

	m->regs->gpr[reg] = (m->regs->gpr[reg] & keep) | hv_low_bits(value, bits);
}

/* ------------------------------------------------------- the rest of the state */

struct tinyvmx_sregs *hv_insn_sregs(struct hv_mmio *m)
{
	if (!m->sregs_read)
		m->sregs_read =
			!m->get_state(m->ctx, TINYVMX_STATE_SREGS, &m->sregs, sizeof(m->sregs));
	return m->sregs_read ? &m->sregs : NULL;
}

bool hv_insn_set_sregs(struct hv_mmio *m)
{
	return !m->set_state(m->ctx, TINYVMX_STATE_SREGS, &m->sregs, sizeof(m->sregs));
}

const struct tinyvmx_segment *hv_insn_segment(struct hv_mmio *m, unsigned int segment)
{
	static const struct tinyvmx_segment nothing = { .ar = TINYVMX_AR_UNUSABLE };
	const struct tinyvmx_sregs *sregs = hv_insn_sregs(m);

	return sregs ? &sregs->seg[segment] : &nothing;
}

/* -------------------------------------------------------------------- addresses */

static __attribute__((noinline)) bool segment_linear(struct hv_mmio *m, unsigned int n,
						     uint64_t offset, unsigned int width,
						     bool write, uint64_t *gla)
{
	const struct tinyvmx_segment *segment = hv_insn_segment(m, n);

	if (!hv_segment_allows(segment, m->guest.paging.cr0, offset, width, write))
		return hv_guest_fault(&m->guest, n == TINYVMX_SS ? X86_VECTOR_SS : X86_VECTOR_GP,
				      0);
	*gla = (segment->base + offset) & UINT32_MAX;
	return true;
}

/* In 64-bit mode there are bases alone; what is not canonical shows at the access. */
static inline bool linear(struct hv_mmio *m, unsigned int segment, uint64_t offset,
			  unsigned int width, bool write, uint64_t *gla)
{
	if (m->code_bits != 64)
		return segment_linear(m, segment, offset, width, write, gla);
	*gla = offset + (segment == HV_NO_SEGMENT ? 0 : hv_insn_segment(m, segment)->base);
	return true;
}

bool hv_insn_linear(struct hv_mmio *m, unsigned int segment, uint64_t offset, unsigned int width,
		    bool write, uint64_t *gla)
{
	return linear(m, segment, offset, width, write, gla);
}

uint64_t hv_insn_offset(const struct hv_mmio *m, const struct hv_insn *insn,
			const struct hv_operand *op)
{
	const struct tinyvmx_regs *regs = m->regs;
	uint64_t offset = op->displacement;

	if (op->reg != HV_NO_REGISTER)
		offset += regs->gpr[op->reg];
	if (op->index != HV_NO_REGISTER)
		offset += regs->gpr[op->index] * op->scale;
	if (op->rip_relative)
		offset += regs->rip + insn->length;
	return hv_low_bits(offset, insn->address_bits);
}

static inline bool operand_linear(struct hv_mmio *m, const struct hv_insn *insn,
				  const struct hv_operand *op, bool write, uint64_t *gla)
{
	return linear(m, op->segment, hv_insn_offset(m, insn, op), op->bits / 8, write, gla);
}

/* SDM, "Canonical Addressing": through SS, in 64-bit mode, it is #SS. */
enum hv_mmio_result hv_insn_refused(struct hv_mmio *m, const struct hv_operand *op)
{
	if (op->stack && m->guest.fault.vector == X86_VECTOR_GP)
		m->guest.fault.vector = X86_VECTOR_SS;
	return HV_MMIO_FAULT;
}

static bool refused(struct hv_mmio *m, const struct hv_operand *op)
{
	hv_insn_refused(m, op);
	return false;
}

__attribute__((flatten)) bool hv_insn_memory(struct hv_mmio *m, const struct hv_insn *insn,
					     const struct hv_operand *op, bool write,
					     uint64_t *value)
{
	uint64_t gla;

	return (operand_linear(m, insn, op, write, &gla) &&
		hv_guest_access(&m->guest, gla, op->bits / 8, write, value)) ||
	       refused(m, op);
}

bool hv_insn_memory_bytes(struct hv_mmio *m, const struct hv_insn *insn,
			  const struct hv_operand *op, bool write, void *bytes)
{
	uint64_t gla;

	return (operand_linear(m, insn, op, write, &gla) &&
		hv_guest_access_bytes(&m->guest, gla, op->bits / 8, write, bytes)) ||
	       refused(m, op);
}

bool hv_insn_check(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op,
		   bool write)
{
	uint64_t gla;

	return (operand_linear(m, insn, op, write, &gla) &&
		hv_guest_check(&m->guest, gla, op->bits / 8, write)) ||
	       refused(m, op);
}

bool hv_insn_can_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n)
{
	const struct hv_operand *op = &insn->op[n];

	return op->kind != HV_OPERAND_MEMORY || hv_insn_check(m, insn, op, true);
}

/* --------------------------------------------------------------------- branches */

/* SDM, JMP: beyond the limit of CS, or not canonical, is #GP(0) of the branch itself. */
bool hv_insn_branch(struct hv_mmio *m, const struct hv_insn *insn, uint64_t rip)
{
	bool good = m->code_bits == 64 ? hv_is_canonical(&m->guest.paging, rip) :
					 rip <= hv_insn_segment(m, TINYVMX_CS)->limit;

	if (!good)
		return hv_guest_fault(&m->guest, X86_VECTOR_GP, 0);
	/* Our caller moves it behind the instruction. */
	m->regs->rip = rip - insn->length;
	return true;
}
