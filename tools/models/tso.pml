/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as x86 has it: what a CPU stores waits in its store buffer, in order, and reaches memory
 * at any later time; the CPU itself sees it at once. smp_mb() and locked instructions wait until
 * the buffer is empty. (SDM, "Memory Ordering in P6 and More Recent Processor Families".)
 *
 * A model says how many CPUS, VARIABLES and which it has, and runs drain() for each CPU. A thread
 * that moves from one CPU to another has passed a barrier on its way: it keeps one buffer.
 */
byte memory[VARIABLES];
chan buffer[CPUS] = [2] of { byte, byte };	/* variable, value */
byte waiting[CPUS * VARIABLES];			/* stores in the buffer */
byte newest[CPUS * VARIABLES];			/* the last of them */

#define AT(cpu, variable)	((cpu) * VARIABLES + (variable))
/* What the CPU reads. */
#define READ(cpu, variable) \
	(waiting[AT(cpu, variable)] -> newest[AT(cpu, variable)] : memory[variable])

inline write(cpu, variable, value)
{
	atomic {
		nfull(buffer[cpu]);
		buffer[cpu]!variable, value;
		waiting[AT(cpu, variable)]++;
		newest[AT(cpu, variable)] = value;
	}
}

/* smp_mb(), and what a locked instruction begins with. */
#define BARRIER(cpu)	empty(buffer[cpu])

proctype drain(byte cpu)
{
	byte variable, value;

end:
	do
	:: atomic {
		buffer[cpu]?variable, value;
		memory[variable] = value;
		waiting[AT(cpu, variable)]--;
		variable = 0;
		value = 0;
	}
	od
}
