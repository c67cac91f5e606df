/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks of Bochs for "profile": each instruction executed, and nothing else. */

class bxInstruction_c;

#if BX_INSTRUMENTATION
void bx_instr_before_execution(unsigned int cpu, bxInstruction_c *i);
void bx_instr_repeat_iteration(unsigned int cpu, bxInstruction_c *i);
void bx_instr_vmexit(unsigned int cpu, Bit32u reason, Bit64u qualification);
#define BX_INSTR_BEFORE_EXECUTION(cpu, i)	bx_instr_before_execution(cpu, i)
#define BX_INSTR_REPEAT_ITERATION(cpu, i)	bx_instr_repeat_iteration(cpu, i)
#define BX_INSTR_VMEXIT(cpu, reason, qualification)	bx_instr_vmexit(cpu, reason, qualification)
#else
#define BX_INSTR_BEFORE_EXECUTION(cpu, i)
#define BX_INSTR_REPEAT_ITERATION(cpu, i)
#define BX_INSTR_VMEXIT(cpu, reason, qualification)
#endif

#define BX_INSTR_INIT_ENV()
#define BX_INSTR_EXIT_ENV()
#define BX_INSTR_INITIALIZE(cpu)
#define BX_INSTR_EXIT(cpu)
#define BX_INSTR_RESET(cpu, type)
#define BX_INSTR_HLT(cpu)
#define BX_INSTR_MWAIT(cpu, addr, len, flags)
#define BX_INSTR_DEBUG_PROMPT()
#define BX_INSTR_DEBUG_CMD(cmd)
#define BX_INSTR_CNEAR_BRANCH_TAKEN(cpu, branch_eip, new_eip)
#define BX_INSTR_CNEAR_BRANCH_NOT_TAKEN(cpu, branch_eip)
#define BX_INSTR_UCNEAR_BRANCH(cpu, what, branch_eip, new_eip)
#define BX_INSTR_FAR_BRANCH(cpu, what, prev_cs, prev_eip, new_cs, new_eip)
#define BX_INSTR_OPCODE(cpu, i, opcode, len, is32, is64)
#define BX_INSTR_EXCEPTION(cpu, vector, error_code)
#define BX_INSTR_INTERRUPT(cpu, vector)
#define BX_INSTR_HWINTERRUPT(cpu, vector, cs, eip)
#define BX_INSTR_CLFLUSH(cpu, laddr, paddr)
#define BX_INSTR_CACHE_CNTRL(cpu, what)
#define BX_INSTR_TLB_CNTRL(cpu, what, new_cr3)
#define BX_INSTR_PREFETCH_HINT(cpu, what, seg, offset)
#define BX_INSTR_AFTER_EXECUTION(cpu, i)
#define BX_INSTR_LIN_ACCESS(cpu, lin, phy, len, memtype, rw)
#define BX_INSTR_PHY_ACCESS(cpu, phy, len, memtype, rw)
#define BX_INSTR_INP(addr, len)
#define BX_INSTR_INP2(addr, len, val)
#define BX_INSTR_OUTP(addr, len, val)
#define BX_INSTR_WRMSR(cpu, addr, value)
