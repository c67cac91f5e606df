/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel has decided about mitigations, as bits of boot_cpu_data: for C and
 * assembler, by one name on all kernels. What a kernel lacks is not defined.
 */
#ifndef TVX_HOST_FEATURES_H
#define TVX_HOST_FEATURES_H

#include <linux/version.h>
#include <asm/cpufeatures.h>

/*
 * VERW before a VM entry. Newer kernels decide that apart from the return to userspace.
 * X86_FEATURE_CLEAR_CPU_BUF_VM_MMIO asks for nothing here: no guest has host MMIO.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define TVX_FEATURE_VERW	X86_FEATURE_CLEAR_CPU_BUF_VM
#else
#define TVX_FEATURE_VERW	X86_FEATURE_CLEAR_CPU_BUF
#endif

/* A loop that clears the branch history after a VM exit. */
#if defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
#define TVX_FEATURE_CLEAR_BHB	X86_FEATURE_CLEAR_BHB_VMEXIT
#elif defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT)
#define TVX_FEATURE_CLEAR_BHB	X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT
#endif

#endif
