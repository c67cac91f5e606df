// SPDX-License-Identifier: GPL-2.0-only
/* What exceptions leave behind for expect_fault() and its kin, in every mode. */
#include "trap.h"

struct fixup {
	u32 insn, behind;
};

extern const struct fixup fixups_start[], fixups_end[];

volatile struct trap last_trap = { .vector = TRAP_NONE };

void trap_arm(void)
{
	last_trap.vector = TRAP_NONE;
	last_trap.error = 0;
	last_trap.ip = 0;
	last_trap.behind = false;
}

void trap_expect(const char *file, int line, const char *insn, u32 vector,
		 ulong error, bool behind)
{
	check_eq_at(file, line, last_trap.vector, vector, insn);
	check_eq_at(file, line, last_trap.error, error, insn);
	check_eq_at(file, line, last_trap.behind, behind, insn);
}

/* Whether a TRY() was interrupted; if so, go on behind its instruction. */
bool trap_record(u32 vector, ulong *ip)
{
	const struct fixup *f;

	for (f = fixups_start; f < fixups_end; f++) {
		if (*ip != f->insn && *ip != f->behind)
			continue;
		last_trap.vector = vector;
		last_trap.ip = *ip;
		last_trap.behind = *ip == f->behind;
		*ip = f->behind;
		return true;
	}
	return false;
}

u32 try_rdmsr(u32 msr, u64 *value)
{
	u32 low = 0, high = 0;

	trap_arm();
	asm volatile(TRY("rdmsr") : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	*value = (u64)high << 32 | low;
	return last_trap.vector;
}

u32 try_wrmsr(u32 msr, u64 value)
{
	trap_arm();
	asm volatile(TRY("wrmsr") : : "c"(msr), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
	return last_trap.vector;
}

u32 try_xsetbv(u32 index, u64 value)
{
	trap_arm();
	asm volatile(TRY("xsetbv") : : "c"(index), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
	return last_trap.vector;
}

u32 try_write_cr0(ulong value)
{
	trap_arm();
	asm volatile(TRY("mov %0, %%cr0") : : "r"(value) : "memory");
	return last_trap.vector;
}

u32 try_write_cr3(ulong value)
{
	trap_arm();
	asm volatile(TRY("mov %0, %%cr3") : : "r"(value) : "memory");
	return last_trap.vector;
}

u32 try_write_cr4(ulong value)
{
	trap_arm();
	asm volatile(TRY("mov %0, %%cr4") : : "r"(value) : "memory");
	return last_trap.vector;
}
