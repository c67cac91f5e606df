/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits of the architecture that hvctl needs, by the names the SDM gives them. */
#ifndef HV_X86_H
#define HV_X86_H

#define X86_CR0_PE		(1ULL << 0)
#define X86_CR0_MP		(1ULL << 1)
#define X86_CR0_EM		(1ULL << 2)
#define X86_CR0_TS		(1ULL << 3)
#define X86_CR0_ET		(1ULL << 4)
#define X86_CR0_NE		(1ULL << 5)
#define X86_CR0_WP		(1ULL << 16)
#define X86_CR0_AM		(1ULL << 18)
#define X86_CR0_PG		(1ULL << 31)

#define X86_CR4_DE		(1ULL << 3)
#define X86_CR4_PSE		(1ULL << 4)
#define X86_CR4_PAE		(1ULL << 5)
#define X86_CR4_OSFXSR		(1ULL << 9)
#define X86_CR4_OSXMMEXCPT	(1ULL << 10)
#define X86_CR4_UMIP		(1ULL << 11)
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
#define X86_RFLAGS_NT		(1ULL << 14)
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

/* Error codes with a selector: an event from outside of the program */
#define X86_ERROR_EXT		(1U << 0)

/* Page-fault error code */
#define X86_PF_P		(1U << 0)
#define X86_PF_W		(1U << 1)
#define X86_PF_U		(1U << 2)
#define X86_PF_RSVD		(1U << 3)
#define X86_PF_I		(1U << 4)

#define X86_VECTOR_DE		0
#define X86_VECTOR_UD		6
#define X86_VECTOR_NM		7
#define X86_VECTOR_DF		8
#define X86_VECTOR_TS		10
#define X86_VECTOR_NP		11
#define X86_VECTOR_SS		12
#define X86_VECTOR_GP		13
#define X86_VECTOR_PF		14
#define X86_VECTOR_MF		16
#define X86_VECTOR_AC		17
#define X86_VECTOR_XM		19

/* Those that push an error code, outside real mode. */
#define X86_VECTORS_WITH_CODE	(1U << 8 | 0x1fU << 10 | 1U << 17)

/* Debug registers: DR7's enable bits, conditions and lengths. */
#define X86_DR7_ENABLED(dr7, n)	((dr7) >> (2 * (n)) & 3)
#define X86_DR7_RW(dr7, n)	((dr7) >> (16 + 4 * (n)) & 3)
#define X86_DR7_LEN(dr7, n)	((dr7) >> (18 + 4 * (n)) & 3)
#define X86_DR7_RW_WRITE	1
#define X86_DR7_RW_IO		2
#define X86_DR7_RW_ACCESS	3

#endif
