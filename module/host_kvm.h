/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM, as far as another hypervisor must know of it.
 */
#ifndef TVX_HOST_KVM_H
#define TVX_HOST_KVM_H

#include <linux/thread_info.h>
#include <linux/types.h>
#include <linux/version.h>

struct file;

/* Whether a VMX root that KVM holds can be shared. */
bool tvx_host_can_share_kvm(void);

/*
 * Whether KVM's barrier between two guests comes with its VMPTRLD. Newer ones, by 6.18 at
 * the latest, do it when a CPU gets another vCPU of KVM's than it had last, and that alone.
 */
static __always_inline bool tvx_host_kvm_barrier_by_vmptrld(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0);
}

/*
 * The VM of KVM's behind @fd: as long as the file is held, KVM stays loaded, and VMX on.
 * fput() releases it. Return: it; ERR_PTR(-EBADF): not open; -EINVAL: not a VM of KVM's.
 */
struct file *tvx_host_get_kvm(int fd);

void __tvx_host_return_msrs(void);

/* Whether KVM has MSRs to restore when this thread returns to userspace. */
static __always_inline bool tvx_host_owes_msrs(void)
{
#ifdef TIF_USER_RETURN_NOTIFY
	return test_thread_flag(TIF_USER_RETURN_NOTIFY);
#else
	return false;
#endif
}

/*
 * tvx_host_return_msrs - have the host's values in the MSRs that KVM restores late
 *
 * KVM leaves its guest's STAR, LSTAR, CSTAR, SYSCALL_MASK, TSC_AUX and EFER in the CPU until
 * a thread returns to userspace here. Whoever saves MSRs to restore them would take a
 * guest's LSTAR for the host's: the next SYSCALL would jump into the kernel where the guest
 * wants. Interrupts disabled.
 */
static __always_inline void tvx_host_return_msrs(void)
{
	if (unlikely(tvx_host_owes_msrs()))
		__tvx_host_return_msrs();
}

#endif
