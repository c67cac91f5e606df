// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that push and pop: one of their operands, or the stack itself, is a device. */
#include "insn.h"

/* SDM, "Stack-Size Attribute". */
static unsigned int stack_bits(struct hv_mmio *m)
{
	if (m->code_bits == 64)
		return 64;
	return hv_insn_segment(m, TINYVMX_SS)->ar & TINYVMX_AR_DB ? 32 : 16;
}

/* The linear address of @width bytes @distance from the top of the stack, looked at. */
static bool find(struct hv_mmio *m, int distance, unsigned int width, bool write, uint64_t *gla)
{
	uint64_t offset = hv_low_bits(m->regs->gpr[TINYVMX_RSP] + distance, stack_bits(m));
	unsigned int segment = m->code_bits == 64 ? HV_NO_SEGMENT : TINYVMX_SS;

	if (hv_insn_linear(m, segment, offset, width, write, gla) &&
	    hv_guest_check(&m->guest, *gla, width, write))
		return true;
	if (m->guest.fault.vector == X86_VECTOR_GP)
		m->guest.fault.vector = X86_VECTOR_SS;
	return false;
}

static void move_stack(struct hv_mmio *m, int distance)
{
	unsigned int bits = stack_bits(m);

	hv_insn_write_reg(m, TINYVMX_RSP, bits, m->regs->gpr[TINYVMX_RSP] + distance);
}

bool hv_insn_can_push(struct hv_mmio *m, unsigned int width)
{
	uint64_t gla;

	return find(m, -(int)width, width, true, &gla);
}

bool hv_insn_push(struct hv_mmio *m, unsigned int width, uint64_t value)
{
	uint64_t gla;

	if (!find(m, -(int)width, width, true, &gla) ||
	    !hv_guest_access(&m->guest, gla, width, true, &value))
		return false;
	move_stack(m, -(int)width);
	return true;
}

static bool pop(struct hv_mmio *m, unsigned int width, uint64_t *value)
{
	uint64_t gla;

	return find(m, 0, width, false, &gla) &&
	       hv_guest_access(&m->guest, gla, width, false, value);
}

/* Of a segment register: the selector, with zeroes before it. */
enum hv_mmio_result hv_insn_do_push(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	unsigned int width = insn->operand_bits / 8;
	uint64_t value;

	(void)arg;
	if (insn->op[0].kind == HV_OPERAND_MEMORY && !hv_insn_check(m, insn, &insn->op[0], false))
		return HV_MMIO_FAULT;
	if (!hv_insn_can_push(m, width) || !hv_insn_read(m, insn, 0, &value) ||
	    !hv_insn_push(m, width, value))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* SDM, POP: an address by way of RSP is that of the RSP behind it. */
enum hv_mmio_result hv_insn_do_pop(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	unsigned int width = insn->operand_bits / 8;
	uint64_t rsp = m->regs->gpr[TINYVMX_RSP], value, gla;
	bool done;

	(void)arg;
	if (!find(m, 0, width, false, &gla))
		return HV_MMIO_FAULT;
	move_stack(m, width);
	done = hv_insn_can_write(m, insn, 0) &&
	       hv_guest_access(&m->guest, gla, width, false, &value) &&
	       hv_insn_write(m, insn, 0, value);
	if (!done)
		m->regs->gpr[TINYVMX_RSP] = rsp;
	return done ? HV_MMIO_DONE : HV_MMIO_FAULT;
}

/* RFLAGS without RF and VM (SDM, PUSHF); virtual-8086 mode has its IOPL. */
enum hv_mmio_result hv_insn_do_pushf(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t rflags = m->regs->rflags & ~(X86_RFLAGS_RF | X86_RFLAGS_VM);

	(void)arg;
	if (m->regs->rflags & X86_RFLAGS_VM)
		return hv_insn_unsupported(m, "has rules of its own in virtual-8086 mode");
	return hv_insn_push(m, insn->operand_bits / 8, rflags) ? HV_MMIO_DONE : HV_MMIO_FAULT;
}

enum hv_mmio_result hv_insn_do_leave(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t rsp = m->regs->gpr[TINYVMX_RSP], value;

	(void)arg;
	hv_insn_write_reg(m, TINYVMX_RSP, stack_bits(m), m->regs->gpr[TINYVMX_RBP]);
	if (!pop(m, insn->operand_bits / 8, &value)) {
		m->regs->gpr[TINYVMX_RSP] = rsp;
		return HV_MMIO_FAULT;
	}
	move_stack(m, insn->operand_bits / 8);
	hv_insn_write_reg(m, TINYVMX_RBP, insn->operand_bits, value);
	return HV_MMIO_DONE;
}

/* SDM, ENTER: what the last stack pointer points at must be writable, too. */
enum hv_mmio_result hv_insn_do_enter(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	unsigned int width = insn->operand_bits / 8, bytes = insn->op[0].immediate & 0xffff;
	uint64_t gla;

	(void)arg;
	if (insn->op[1].immediate & 31)
		return hv_insn_unsupported(m, "nests frames");
	if (!find(m, -(int)(width + bytes), width, true, &gla) ||
	    !hv_insn_push(m, width, m->regs->gpr[TINYVMX_RBP]))
		return HV_MMIO_FAULT;
	hv_insn_write_reg(m, TINYVMX_RBP, insn->operand_bits, m->regs->gpr[TINYVMX_RSP]);
	move_stack(m, -(int)bytes);
	return HV_MMIO_DONE;
}

/* ---------------------------------------------------------------- near branches */

/* The target of JMP and CALL: absolute in a register or memory, else relative. */
static bool read_target(struct hv_mmio *m, const struct hv_insn *insn, uint64_t *target)
{
	if (!hv_insn_read(m, insn, 0, target))
		return false;
	if (insn->op[0].kind == HV_OPERAND_IMMEDIATE)
		*target += m->regs->rip + insn->length;
	*target = hv_low_bits(*target, insn->operand_bits);
	return true;
}

enum hv_mmio_result hv_insn_do_jmp(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t target;

	(void)arg;
	return read_target(m, insn, &target) && hv_insn_branch(m, insn, target) ? HV_MMIO_DONE :
										  HV_MMIO_FAULT;
}

enum hv_mmio_result hv_insn_do_call(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	unsigned int width = insn->operand_bits / 8;
	uint64_t rip = m->regs->rip, target;

	(void)arg;
	if (insn->op[0].kind == HV_OPERAND_MEMORY && !hv_insn_check(m, insn, &insn->op[0], false))
		return HV_MMIO_FAULT;
	if (!hv_insn_can_push(m, width) || !read_target(m, insn, &target) ||
	    !hv_insn_branch(m, insn, target))
		return HV_MMIO_FAULT;
	if (hv_insn_push(m, width, rip + insn->length))
		return HV_MMIO_DONE;
	m->regs->rip = rip;
	return HV_MMIO_FAULT;
}

enum hv_mmio_result hv_insn_do_ret(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	unsigned int width = insn->operand_bits / 8;
	uint64_t target;

	(void)arg;
	if (!pop(m, width, &target) || !hv_insn_branch(m, insn, target))
		return HV_MMIO_FAULT;
	move_stack(m, width + (insn->count ? insn->op[0].immediate : 0));
	return HV_MMIO_DONE;
}
