// SPDX-License-Identifier: GPL-2.0-only
/*
 * Count what is executed between two marks, XCHG BX,BX and XCHG CX,CX, by address and by opcode.
 *
 * Of all rounds with the same first mark the shortest one is kept: no interrupt of the host fell into it. It goes to
 * the file named by $HV_PROFILE whenever it improves:
 *
 *	case MARK ITERATIONS TICKS	MARK is the address of the first mark, ITERATIONS its RDI
 *	at MODE ADDRESS TICKS		MODE: g guest (ADDRESS 0: all of it), k host's kernel, u host's user
 *	op MODE NAME TIMES
 *	exit REASON PORT TIMES TICKS	VM exits, and the host's ticks from them to the next VM entry
 */
#include <map>
#include <unordered_map>

#include "bochs.h"
#include "cpu/cpu.h"
#include "cpu/decoder/ia_opcodes.h"

#define REG_BX 3
#define REG_CX 1

enum { GUEST, KERNEL, USER, NR_MODES };

struct Exits {
	Bit64u times, ticks;
};

struct Region {
	bx_address mark;
	Bit64u iterations;
	Bit64u ticks;
	std::unordered_map<bx_address, Bit64u> at[NR_MODES];
	std::unordered_map<unsigned int, Bit64u> op[NR_MODES];
	std::map<Bit64u, Exits> exits;	/* by port << 32 | reason */
	Exits *exit;			/* the last one */
};

static bool active;
static Region now;
static std::map<bx_address, Region> best;

static unsigned int mode(unsigned int cpu)
{
	if (BX_CPU(cpu)->in_vmx_guest)
		return GUEST;
	return BX_CPU(cpu)->sregs[BX_SEG_REG_CS].selector.rpl ? USER : KERNEL;
}

static void write_file(void)
{
	static const char names[] = "gku";
	const char *path = getenv("HV_PROFILE");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	for (auto &entry : best) {
		const Region &r = entry.second;

		fprintf(file, "case 0x%llx %llu %llu\n", (unsigned long long)r.mark, (unsigned long long)r.iterations,
			(unsigned long long)r.ticks);
		for (auto &e : r.exits)
			fprintf(file, "exit %llu %llu %llu %llu\n", (unsigned long long)e.first & 0xffff,
				(unsigned long long)e.first >> 32, (unsigned long long)e.second.times,
				(unsigned long long)e.second.ticks);
		for (unsigned int m = 0; m < NR_MODES; m++) {
			for (auto &a : r.at[m])
				fprintf(file, "at %c 0x%llx %llu\n", names[m], (unsigned long long)a.first,
					(unsigned long long)a.second);
			for (auto &o : r.op[m])
				fprintf(file, "op %c %s %llu\n", names[m], get_bx_opcode_name(o.first) + 6,
					(unsigned long long)o.second);
		}
	}
	fclose(file);
}

static void begin(unsigned int cpu)
{
	now = Region();
	now.mark = BX_CPU(cpu)->get_instruction_pointer();
	now.iterations = BX_CPU(cpu)->get_reg64(BX_64BIT_REG_RDI);
	active = true;
}

static void end(void)
{
	auto old = best.find(now.mark);

	active = false;
	if (old != best.end() && old->second.ticks <= now.ticks)
		return;
	best[now.mark] = now;
	write_file();
}

static void count(unsigned int cpu)
{
	unsigned int m = mode(cpu);

	now.ticks++;
	/* The guest's own addresses are of no interest, and many. */
	now.at[m][m == GUEST ? 0 : BX_CPU(cpu)->get_instruction_pointer()]++;
	if (m != GUEST && now.exit)
		now.exit->ticks++;
}

void bx_instr_before_execution(unsigned int cpu, bxInstruction_c *i)
{
	if (i->getIaOpcode() == BX_IA_XCHG_EwGw && i->modC0() && i->dst() == i->src()) {
		if (i->dst() == REG_BX)
			begin(cpu);
		else if (i->dst() == REG_CX && active)
			end();
		return;
	}
	if (!active)
		return;
	count(cpu);
	now.op[mode(cpu)][i->getIaOpcode()]++;
}

/* Each iteration of a REP is a tick; the first is counted with the instruction. */
void bx_instr_repeat_iteration(unsigned int cpu, bxInstruction_c *i)
{
	(void)i;
	if (!active || BX_CPU(cpu)->get_reg64(BX_64BIT_REG_RCX) <= 1)
		return;
	count(cpu);
}

#define REASON_IO 30

void bx_instr_vmexit(unsigned int cpu, Bit32u reason, Bit64u qualification)
{
	Bit64u port = (reason & 0xffff) == REASON_IO ? qualification >> 16 & 0xffff : 0;

	(void)cpu;
	if (!active)
		return;
	now.exit = &now.exits[port << 32 | (reason & 0xffff)];
	now.exit->times++;
}
