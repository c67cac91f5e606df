/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the emulation: an instruction and its operands. */
#ifndef HV_EMUL_INSN_H
#define HV_EMUL_INSN_H

#include "alu.h"
#include "decode.h"
#include "lib/x86.h"
#include "mmio.h"

/*
 * The low @bits of a general register, as an operand of that size is written; @reg is
 * TINYVMX_RAX ...
 */
void hv_insn_write_reg(struct hv_mmio *m, unsigned int reg, unsigned int bits, uint64_t value);

/* The rest of the vCPU's state; NULL: it cannot be had, and get_state() has told of it. */
struct tinyvmx_sregs *hv_insn_sregs(struct hv_mmio *m);
bool hv_insn_set_sregs(struct hv_mmio *m);
/* A segment register; one that allows nothing where the state cannot be had. */
const struct tinyvmx_segment *hv_insn_segment(struct hv_mmio *m, unsigned int segment);

/*
 * The linear address of @width bytes at @offset, which has the address size, of a segment
 * (TINYVMX_ES ... or HV_NO_SEGMENT); false: m->guest.fault says what is wrong with it.
 */
bool hv_insn_linear(struct hv_mmio *m, unsigned int segment, uint64_t offset, unsigned int width,
		    bool write, uint64_t *gla);
/* The offset of a memory operand in its segment. */
uint64_t hv_insn_offset(const struct hv_mmio *m, const struct hv_insn *insn,
			const struct hv_operand *op);

/* A memory operand; false as above. */
bool hv_insn_memory(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op,
		    bool write, uint64_t *value);
/* ... of any size, */
bool hv_insn_memory_bytes(struct hv_mmio *m, const struct hv_insn *insn,
			  const struct hv_operand *op, bool write, void *bytes);
/* ... looked at, but not touched. */
bool hv_insn_check(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op,
		   bool write);

/* Operand @n; false as above. */
static inline bool hv_insn_read(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n,
				uint64_t *value)
{
	const struct hv_operand *op = &insn->op[n];

	if (op->kind == HV_OPERAND_MEMORY)
		return hv_insn_memory(m, insn, op, false, value);
	if (op->kind == HV_OPERAND_REGISTER)
		*value = (m->regs->gpr[op->reg] & op->mask) >> op->shift;
	else if (op->kind == HV_OPERAND_IMMEDIATE)
		*value = op->immediate;
	else
		*value = hv_insn_segment(m, op->reg)->selector;
	return true;
}

/* 8 and 16 bits of a register leave the rest alone, 32 bits clear the upper half. */
static inline bool hv_insn_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n,
				 uint64_t value)
{
	const struct hv_operand *op = &insn->op[n];
	__u64 *reg;

	if (op->kind == HV_OPERAND_MEMORY)
		return hv_insn_memory(m, insn, op, true, &value);
	reg = &m->regs->gpr[op->reg];
	*reg = (op->bits >= 32 ? 0 : *reg & ~op->mask) | (value << op->shift & op->mask);
	return true;
}

/*
 * For what writes its register only when its memory operand has been written too:
 * will that write go through? Reading a chip for nothing is not harmless.
 */
bool hv_insn_can_write(struct hv_mmio *m, const struct hv_insn *insn, unsigned int n);

/* An access to @op was refused: make of the fault the one that its segment gives. */
enum hv_mmio_result hv_insn_refused(struct hv_mmio *m, const struct hv_operand *op);

/* It ends elsewhere than behind itself: at @rip, in code of the size it is in. */
bool hv_insn_branch(struct hv_mmio *m, const struct hv_insn *insn, uint64_t rip);

/* The guest takes an exception with error code @code. */
static inline enum hv_mmio_result hv_insn_fault(struct hv_mmio *m, unsigned int vector,
						uint32_t code)
{
	hv_guest_fault(&m->guest, vector, code);
	return HV_MMIO_FAULT;
}

/* It cannot be carried out: @why is what is said behind its name. */
enum hv_mmio_result hv_insn_unsupported(struct hv_mmio *m, const char *why);

/* Will that push go through, and push; @width: of the value, in bytes. */
bool hv_insn_can_push(struct hv_mmio *m, unsigned int width);
bool hv_insn_push(struct hv_mmio *m, unsigned int width, uint64_t value);

/* Rows of the table in mmio.c, by the files they are in. */
typedef enum hv_mmio_result hv_insn_fn(struct hv_mmio *m, const struct hv_insn *insn, int arg);
hv_insn_fn hv_insn_native;
hv_insn_fn hv_insn_do_push, hv_insn_do_pop, hv_insn_do_pushf;
hv_insn_fn hv_insn_do_enter, hv_insn_do_leave;
hv_insn_fn hv_insn_do_jmp, hv_insn_do_call, hv_insn_do_ret;
hv_insn_fn hv_insn_do_nothing, hv_insn_do_xlat;
hv_insn_fn hv_insn_do_load_segment, hv_insn_do_load_far, hv_insn_do_load_task;
hv_insn_fn hv_insn_do_jmp_far, hv_insn_do_call_far;
hv_insn_fn hv_insn_do_store_table, hv_insn_do_load_table, hv_insn_do_store_word;
enum { TABLE_GDT, TABLE_IDT };
enum { WORD_LDTR, WORD_TR, WORD_CR0 };

/* Where the instruction is among those that are remembered. */
static inline unsigned int hv_mmio_place(const struct hv_mmio *m, const struct hv_insn *insn)
{
	return (const struct hv_mmio_insn *)((const char *)insn -
					     offsetof(struct hv_mmio_insn, insn)) -
	       m->insns;
}

/* String instructions; @what is one of these. */
enum { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };
enum hv_mmio_result hv_insn_string(struct hv_mmio *m, const struct hv_insn *insn, int what);

#endif
