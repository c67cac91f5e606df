/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits of the architecture that hvctl needs, by the names the SDM gives them. */
#ifndef HV_X86_H
#define HV_X86_H

#define X86_CR0_PE		(1ULL << 0)
#define X86_CR0_MP		(1ULL << 1)
#define X86_CR0_ET		(1ULL << 4)
#define X86_CR0_NE		(1ULL << 5)
#define X86_CR0_WP		(1ULL << 16)
#define X86_CR0_PG		(1ULL << 31)

#define X86_CR4_PSE		(1ULL << 4)
#define X86_CR4_PAE		(1ULL << 5)
#define X86_CR4_OSFXSR		(1ULL << 9)
#define X86_CR4_OSXMMEXCPT	(1ULL << 10)
#define X86_CR4_LA57		(1ULL << 12)
#define X86_CR4_VMXE		(1ULL << 13)
#define X86_CR4_PCIDE		(1ULL << 17)
#define X86_CR4_SMAP		(1ULL << 21)
#define X86_CR4_CET		(1ULL << 23)
#define X86_CR4_LAM_SUP		(1ULL << 28)
#define X86_CR4_FRED		(1ULL << 32)

#define X86_EFER_SCE		(1ULL << 0)
#define X86_EFER_LME		(1ULL << 8)
#define X86_EFER_LMA		(1ULL << 10)
#define X86_EFER_NXE		(1ULL << 11)
#define X86_EFER_DEFINED	(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE)

#define X86_RFLAGS_CF		(1ULL << 0)
#define X86_RFLAGS_FIXED	(1ULL << 1)
#define X86_RFLAGS_PF		(1ULL << 2)
#define X86_RFLAGS_AF		(1ULL << 4)
#define X86_RFLAGS_ZF		(1ULL << 6)
#define X86_RFLAGS_SF		(1ULL << 7)
#define X86_RFLAGS_TF		(1ULL << 8)
#define X86_RFLAGS_IF		(1ULL << 9)
#define X86_RFLAGS_DF		(1ULL << 10)
#define X86_RFLAGS_OF		(1ULL << 11)
#define X86_RFLAGS_IOPL		(3ULL << 12)
#define X86_RFLAGS_RF		(1ULL << 16)
#define X86_RFLAGS_VM		(1ULL << 17)
#define X86_RFLAGS_AC		(1ULL << 18)

#define X86_PTE_P		(1ULL << 0)
#define X86_PTE_W		(1ULL << 1)
#define X86_PTE_U		(1ULL << 2)
#define X86_PTE_A		(1ULL << 5)
#define X86_PTE_D		(1ULL << 6)
#define X86_PTE_PS		(1ULL << 7)
#define X86_PTE_NX		(1ULL << 63)

/* Page-fault error code */
#define X86_PF_P		(1U << 0)
#define X86_PF_W		(1U << 1)
#define X86_PF_U		(1U << 2)
#define X86_PF_RSVD		(1U << 3)
#define X86_PF_I		(1U << 4)

#define X86_VECTOR_GP		13
#define X86_VECTOR_PF		14

#endif
