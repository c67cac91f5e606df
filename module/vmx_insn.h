/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX instructions, for those who know that VMX is on.
 *
 * One that faults, because VMX is off after all, has failed like one that the CPU refuses.
 * Not so VMREAD: it is too frequent, and interrupts are disabled since somebody looked.
 */
#ifndef TVX_VMX_INSN_H
#define TVX_VMX_INSN_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <asm/asm.h>

/* What VMPTRST stores when no VMCS is current. */
#define VMX_NO_VMCS	(~0ULL)

/*
 * A VMX instruction, for asm goto: to the label "failed" where it faults, or ends in VMfailInvalid
 * (CF) or VMfailValid (ZF; SDM, "Conventions" of the VMX instruction reference).
 */
#define VMX_INSN(insn)	"1: " insn "\n\tjbe %l[failed]\n\t" _ASM_EXTABLE(1b, %l[failed])

/* Return: 0, or -EIO when VMXON faults or fails. */
static inline int vmxon(u64 hpa)
{
	asm goto(VMX_INSN("vmxon %0") : : "m" (hpa) : "cc", "memory" : failed);
	return 0;
failed:
	return -EIO;
}

static inline void vmxoff(void)
{
	asm volatile("1: vmxoff\n\t2:\n\t" _ASM_EXTABLE(1b, 2b) : : : "cc", "memory");
}

static inline bool try_vmclear(u64 hpa)
{
	asm goto(VMX_INSN("vmclear %0") : : "m" (hpa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static inline bool try_vmptrld(u64 hpa)
{
	asm goto(VMX_INSN("vmptrld %0") : : "m" (hpa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

/* VMX_NO_VMCS: there is none, or VMX is off. */
static inline u64 vmptrst(void)
{
	u64 hpa = VMX_NO_VMCS;

	asm volatile("1: vmptrst %0\n\t2:\n\t" _ASM_EXTABLE(1b, 2b) : "+m" (hpa) : : "cc", "memory");
	return hpa;
}

#endif
