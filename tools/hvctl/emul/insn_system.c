// SPDX-License-Identifier: GPL-2.0-only
/* Instructions about caches, tables and the CPU's own words, with a device as their operand. */
#include <string.h>

#include "insn.h"

/* CLFLUSH, PREFETCH and the like: a device is not cached. */
enum hv_mmio_result hv_insn_do_nothing(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	(void)m, (void)insn, (void)arg;
	return HV_MMIO_DONE;
}

/* AL indexes a table at RBX. */
enum hv_mmio_result hv_insn_do_xlat(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	uint64_t offset = m->regs->gpr[TINYVMX_RBX] + (m->regs->gpr[TINYVMX_RAX] & 0xff);
	uint64_t gla, value;

	(void)arg;
	if (!hv_insn_linear(m, insn->source_segment, hv_low_bits(offset, insn->address_bits), 1,
			    false, &gla) ||
	    !hv_guest_access(&m->guest, gla, 1, false, &value))
		return HV_MMIO_FAULT;
	hv_insn_write_reg(m, TINYVMX_RAX, 8, value);
	return HV_MMIO_DONE;
}

/* SDM, "User-Mode Instruction Prevention": before the operand is looked at. */
static bool is_prevented(struct hv_mmio *m)
{
	return m->guest.paging.user && m->guest.paging.cr4 & X86_CR4_UMIP;
}

/* SLDT, STR, SMSW: 16 bits in memory, whatever the operand size. */
enum hv_mmio_result hv_insn_do_store_word(struct hv_mmio *m, const struct hv_insn *insn, int which)
{
	const struct tinyvmx_sregs *sregs = hv_insn_sregs(m);

	if (is_prevented(m))
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!sregs)
		return hv_insn_unsupported(m, "needs state that cannot be had");
	if (!hv_insn_write(m, insn, 0,
			   which == WORD_CR0  ? sregs->cr0 & 0xffff :
			   which == WORD_LDTR ? sregs->seg[TINYVMX_LDTR].selector :
						sregs->seg[TINYVMX_TR].selector))
		return HV_MMIO_FAULT;
	return HV_MMIO_DONE;
}

/* SGDT and SIDT: the limit, then 32 bits of base, 64 in 64-bit mode. */
enum hv_mmio_result hv_insn_do_store_table(struct hv_mmio *m, const struct hv_insn *insn, int table)
{
	const struct tinyvmx_sregs *sregs = hv_insn_sregs(m);
	uint8_t bytes[HV_GUEST_MAX_BYTES];
	uint16_t limit;

	if (is_prevented(m))
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!sregs)
		return hv_insn_unsupported(m, "needs state that cannot be had");
	limit = table == TABLE_GDT ? sregs->gdt_limit : sregs->idt_limit;
	memcpy(bytes, &limit, 2);
	memcpy(bytes + 2, table == TABLE_GDT ? &sregs->gdt_base : &sregs->idt_base, 8);
	return hv_insn_memory_bytes(m, insn, &insn->op[0], true, bytes) ? HV_MMIO_DONE :
									  HV_MMIO_FAULT;
}

/* LGDT and LIDT: with an operand size of 16 the base has 24 bits. The CPU has seen to CPL. */
enum hv_mmio_result hv_insn_do_load_table(struct hv_mmio *m, const struct hv_insn *insn, int table)
{
	struct tinyvmx_sregs *sregs = hv_insn_sregs(m);
	uint8_t bytes[HV_GUEST_MAX_BYTES] = { 0 };
	uint64_t base;
	uint16_t limit;

	if (m->guest.paging.user)
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!hv_insn_memory_bytes(m, insn, &insn->op[0], false, bytes))
		return HV_MMIO_FAULT;
	memcpy(&limit, bytes, 2);
	memcpy(&base, bytes + 2, 8);
	base = hv_low_bits(base, m->code_bits == 64 ? 64 : insn->operand_bits == 16 ? 24 : 32);
	if (!hv_is_canonical(&m->guest.paging, base))
		return hv_insn_fault(m, X86_VECTOR_GP, 0);
	if (!sregs)
		return hv_insn_unsupported(m, "needs state that cannot be had");
	*(table == TABLE_GDT ? &sregs->gdt_base : &sregs->idt_base) = base;
	*(table == TABLE_GDT ? &sregs->gdt_limit : &sregs->idt_limit) = limit;
	if (!hv_insn_set_sregs(m))
		return hv_insn_unsupported(m, "has tables that cannot be set");
	return HV_MMIO_DONE;
}
