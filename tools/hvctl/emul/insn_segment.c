// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that load a segment register from a device: SDM, MOV, LDS, LTR, JMP and CALL;
 * and those that load it from a descriptor in ROM.
 */
#include <string.h>

#include "descriptor.h"
#include "insn.h"

#define PAGE		4096U

static bool has_descriptors(const struct hv_mmio *m)
{
	return m->guest.paging.cr0 & X86_CR0_PE && !(m->regs->rflags & X86_RFLAGS_VM);
}

static unsigned int cpl(struct hv_mmio *m)
{
	return hv_insn_segment(m, TINYVMX_SS)->ar >> TINYVMX_AR_DPL_SHIFT & 3;
}

/* Real and virtual-8086 mode: limit and rights stay what they are. */
static void load_base(struct hv_mmio *m, unsigned int n, uint16_t selector)
{
	m->sregs.seg[n].selector = selector;
	m->sregs.seg[n].base = selector << 4;
}

/* DS, ES, FS, GS. SS has rules of its own, and holds interrupts off. */
static enum hv_mmio_result load(struct hv_mmio *m, unsigned int n, uint16_t selector)
{
	if (n == TINYVMX_SS)
		return hv_insn_unsupported(m, "loads SS");
	if (!hv_insn_sregs(m))
		return hv_insn_unsupported(m, "needs state that cannot be had");
	if (!has_descriptors(m))
		load_base(m, n, selector);
	else if (!hv_descriptor_load_data(&m->guest, &m->sregs, n, selector, cpl(m), X86_VECTOR_GP))
		return HV_MMIO_FAULT;
	return hv_insn_set_sregs(m) ? HV_MMIO_DONE :
				      hv_insn_unsupported(m, "loads a segment that cannot be set");
}

enum hv_mmio_result hv_insn_do_load_segment(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t selector;

	(void)arg;
	if (!hv_insn_read(m, insn, 1, &selector))
		return HV_MMIO_FAULT;
	return load(m, insn->op[0].reg, selector);
}

/* An offset of the operand size, then a selector. */
static bool read_far(struct hv_mmio *m, const struct hv_insn *insn, const struct hv_operand *op,
		     uint64_t *offset, uint16_t *selector)
{
	uint8_t bytes[HV_GUEST_MAX_BYTES];
	unsigned int width = op->bits / 8 - 2;

	if (!hv_insn_memory_bytes(m, insn, op, false, bytes))
		return false;
	*offset = 0;
	memcpy(offset, bytes, width);
	memcpy(selector, bytes + width, 2);
	return true;
}

/* LDS and the like; @n: the segment register. */
enum hv_mmio_result hv_insn_do_load_far(struct hv_mmio *m, const struct hv_insn *insn, int n)
{
	enum hv_mmio_result result;
	uint64_t offset;
	uint16_t selector;

	if (!read_far(m, insn, &insn->op[1], &offset, &selector))
		return HV_MMIO_FAULT;
	result = load(m, n, selector);
	if (result == HV_MMIO_DONE)
		hv_insn_write(m, insn, 0, offset);
	return result;
}

/* ------------------------------------------------------------------ LTR */

static bool read_task(struct hv_mmio *m, uint16_t selector, struct hv_descriptor *d)
{
	uint64_t high = 0;

	if (selector & HV_SELECTOR_TABLE || !(selector & ~HV_SELECTOR_RPL))
		return hv_guest_fault(&m->guest, X86_VECTOR_GP, selector & ~HV_SELECTOR_RPL);
	if (!hv_descriptor_read(&m->guest, &m->sregs, selector, X86_VECTOR_GP, d))
		return false;
	if (!(m->guest.paging.efer & X86_EFER_LMA))
		return true;
	if ((selector & ~7U) + 15 > m->sregs.gdt_limit)
		return hv_guest_fault(&m->guest, X86_VECTOR_GP, selector & ~HV_SELECTOR_RPL);
	if (!hv_table_access(&m->guest, d->gla + 8, 8, false, &high))
		return false;
	d->segment.base |= high << 32;
	return true;
}

/*
 * The CPU marks the task's descriptor as busy. Firmware has its first ones in ROM, where that
 * is lost.
 */
enum hv_mmio_result hv_insn_do_load_task(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	struct hv_descriptor d;
	uint64_t selector, byte;

	(void)arg;
	if (!hv_insn_sregs(m))
		return hv_insn_unsupported(m, "needs state that cannot be had");
	if (!has_descriptors(m))
		return hv_insn_fault(m, X86_VECTOR_UD, 0);
	if (m->guest.paging.user)
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!hv_insn_read(m, insn, 0, &selector) || !read_task(m, selector, &d))
		return HV_MMIO_FAULT;
	if ((d.segment.ar & (TINYVMX_AR_S | (0xf & ~HV_TYPE_TSS_32))) != HV_TYPE_TSS)
		return hv_insn_fault(m, X86_VECTOR_GP, selector & ~HV_SELECTOR_RPL);
	if (!(d.segment.ar & TINYVMX_AR_P))
		return hv_insn_fault(m, X86_VECTOR_NP, selector & ~HV_SELECTOR_RPL);
	d.segment.ar |= HV_TYPE_TSS_BUSY;
	byte = d.segment.ar & 0xff;
	if (!hv_table_access(&m->guest, d.gla + HV_TYPE_OFFSET, 1, true, &byte))
		return HV_MMIO_FAULT;
	m->sregs.seg[TINYVMX_TR] = d.segment;
	return hv_insn_set_sregs(m) ? HV_MMIO_DONE :
				      hv_insn_unsupported(m, "loads a task that cannot be set");
}

/* ------------------------------------------------------------------ far branches */

static bool may_enter(struct hv_mmio *m, const struct hv_descriptor *d, unsigned int rpl)
{
	if (d->segment.ar & HV_TYPE_CONFORMING)
		return hv_descriptor_dpl(d) <= cpl(m);
	return rpl <= cpl(m) && hv_descriptor_dpl(d) == cpl(m);
}

static bool is_wide(struct hv_mmio *m, const struct tinyvmx_segment *cs)
{
	return m->guest.paging.efer & X86_EFER_LMA && cs->ar & TINYVMX_AR_L;
}

/* The code segment that @selector stands for, at this privilege level. */
static enum hv_mmio_result find_code(struct hv_mmio *m, uint16_t selector,
				     struct tinyvmx_segment *cs)
{
	uint16_t code = selector & ~HV_SELECTOR_RPL;
	struct hv_descriptor d;

	if (!has_descriptors(m)) {
		*cs = m->sregs.seg[TINYVMX_CS];
		cs->selector = selector;
		cs->base = selector << 4;
		return HV_MMIO_DONE;
	}
	if (!code)
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!hv_descriptor_read(&m->guest, &m->sregs, selector, X86_VECTOR_GP, &d))
		return HV_MMIO_FAULT;
	if (!(d.segment.ar & TINYVMX_AR_S))
		return hv_insn_unsupported(m, "goes through a gate");
	if (!(d.segment.ar & HV_TYPE_CODE) || !may_enter(m, &d, selector & HV_SELECTOR_RPL) ||
	    (is_wide(m, &d.segment) && d.segment.ar & TINYVMX_AR_DB))
		return hv_insn_fault(m, X86_VECTOR_GP, code);
	if (!(d.segment.ar & TINYVMX_AR_P))
		return hv_insn_fault(m, X86_VECTOR_NP, code);
	if (!hv_descriptor_mark_accessed(&m->guest, &d))
		return HV_MMIO_FAULT;
	*cs = d.segment;
	cs->selector = code | cpl(m);
	return HV_MMIO_DONE;
}

static bool is_target(struct hv_mmio *m, const struct tinyvmx_segment *cs, uint64_t rip)
{
	bool good = is_wide(m, cs) ? hv_is_canonical(&m->guest.paging, rip) : rip <= cs->limit;

	return good || hv_guest_fault(&m->guest, X86_VECTOR_GP, 0);
}

static bool push_both(struct hv_mmio *m, const struct hv_insn *insn)
{
	unsigned int width = insn->operand_bits / 8;
	uint64_t rsp = m->regs->gpr[TINYVMX_RSP];

	if (hv_insn_push(m, width, m->sregs.seg[TINYVMX_CS].selector) &&
	    hv_insn_push(m, width, m->regs->rip + insn->length))
		return true;
	m->regs->gpr[TINYVMX_RSP] = rsp;
	return false;
}

static enum hv_mmio_result branch(struct hv_mmio *m, const struct hv_insn *insn, bool call)
{
	struct tinyvmx_segment cs;
	enum hv_mmio_result result;
	uint64_t rip;
	uint16_t selector;

	if (!hv_insn_sregs(m))
		return hv_insn_unsupported(m, "needs state that cannot be had");
	if (!hv_insn_check(m, insn, &insn->op[0], false) ||
	    (call && !hv_insn_can_push(m, insn->operand_bits / 4)) ||
	    !read_far(m, insn, &insn->op[0], &rip, &selector))
		return HV_MMIO_FAULT;
	result = find_code(m, selector, &cs);
	if (result != HV_MMIO_DONE)
		return result;
	if (!is_target(m, &cs, rip) || (call && !push_both(m, insn)))
		return HV_MMIO_FAULT;
	m->sregs.seg[TINYVMX_CS] = cs;
	if (!hv_insn_set_sregs(m))
		return hv_insn_unsupported(m, "goes to code that cannot be set");
	m->code_bits = hv_code_bits(m->guest.paging.efer, cs.ar);
	m->regs->rip = rip - insn->length;
	return HV_MMIO_DONE;
}

enum hv_mmio_result hv_insn_do_jmp_far(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	(void)arg;
	return branch(m, insn, false);
}

enum hv_mmio_result hv_insn_do_call_far(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	(void)arg;
	return branch(m, insn, true);
}

/* ------------------------------------------------------------------ descriptors in ROM */

/* Is @gla in one of the GDT, or of the LDT; @offset: how far behind the table's beginning. */
static bool is_in_table(const struct tinyvmx_sregs *sregs, uint64_t gla, uint64_t *offset)
{
	const struct tinyvmx_segment *ldt = &sregs->seg[TINYVMX_LDTR];

	*offset = gla - sregs->gdt_base;
	if (*offset <= sregs->gdt_limit)
		return true;
	*offset = gla - ldt->base;
	return !(ldt->ar & TINYVMX_AR_UNUSABLE) && *offset <= ldt->limit;
}

/* It was that access, and not one to page tables on the way to it. */
static bool goes_to(struct hv_mmio *m, uint64_t gla, uint64_t gpa)
{
	struct hv_fault fault;
	uint64_t found;

	return hv_walk(m->guest.memory, &m->guest.paging, gla, HV_WALK_PEEK, &found, &fault,
		       NULL) &&
	       found == gpa;
}

bool hv_mmio_mark_descriptor(struct hv_mmio *m, const struct tinyvmx_run *run)
{
	const struct tinyvmx_exit_mmio *exit = &run->mmio;
	const uint32_t wanted = TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID;
	const struct tinyvmx_sregs *sregs;
	uint64_t offset, gpa;
	uint8_t *type;
	bool is_store;

	if ((exit->flags & wanted) != wanted || !hv_memory_is_rom(m->guest.memory, exit->gpa))
		return false;
	hv_guest_set_paging(&m->guest, &exit->paging, &run->regs);
	m->sregs_read = false;
	sregs = hv_insn_sregs(m);
	if (!sregs || !is_in_table(sregs, exit->gla, &offset) || !goes_to(m, exit->gla, exit->gpa))
		return false;
	gpa = exit->gpa - offset % 8 + HV_TYPE_OFFSET;
	type = (gpa ^ exit->gpa) / PAGE ? NULL : hv_memory_at(m->guest.memory, gpa, 1);
	if (!type || !(*type & TINYVMX_AR_S))
		return false;
	/* It may have been marked for another vCPU since: then, too, once more, but only once. */
	is_store = __atomic_fetch_or(type, HV_TYPE_ACCESSED, __ATOMIC_RELAXED) & HV_TYPE_ACCESSED &&
		   m->again == exit->gpa;
	m->again = is_store ? 0 : exit->gpa;
	return !is_store;
}
