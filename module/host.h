/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host kernel as the module sees it: every difference between kernel
 * versions and every register of the host that a guest run borrows.
 */
#ifndef TVX_HOST_H
#define TVX_HOST_H

#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/thread_info.h>
#include <linux/types.h>
#include <linux/version.h>
#include <asm/desc_defs.h>
#include <asm/hardirq.h>
#include <asm/nospec-branch.h>
#include <asm/special_insns.h>

static __always_inline u64 tvx_rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return ((u64)hi << 32) | lo;
}

static __always_inline void tvx_wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)value),
		     "d" ((u32)(value >> 32)) : "memory");
}

static __always_inline void tvx_cpuid(u32 function, u32 index, u32 *eax, u32 *ebx,
				      u32 *ecx, u32 *edx)
{
	asm volatile("cpuid" : "=a" (*eax), "=b" (*ebx), "=c" (*ecx), "=d" (*edx)
		     : "a" (function), "c" (index));
}

static __always_inline u64 tvx_xgetbv(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	return ((u64)hi << 32) | lo;
}

static __always_inline void tvx_xsetbv(u64 value)
{
	asm volatile("xsetbv" : : "c" (0), "a" ((u32)value),
		     "d" ((u32)(value >> 32)) : "memory");
}

/**
 * struct tvx_host_regs - host registers that VM exits lose and put() restores
 * @gdt: GDTR with its true limit (VM exits set the limit to FFFFH)
 * @fs_base: the thread's FS base
 * @gs_base_user: the thread's GS base (IA32_KERNEL_GS_BASE while in the kernel)
 * @debugctl: IA32_DEBUGCTL (VM exits clear it)
 * @dr7: DR7 (VM exits set it to 400H)
 * @pebs_enable: IA32_PEBS_ENABLE, which is 0 during the run
 * @perf_global_ctrl: IA32_PERF_GLOBAL_CTRL, known only if @pebs_enable is not 0
 * @dr: DR0 ... DR3, saved only while a guest's breakpoints are loaded
 * @dr6: likewise
 * @fs: FS selector
 * @gs: GS selector
 * @ds: DS selector
 * @es: ES selector
 * @ldt: LDTR selector
 */
struct tvx_host_regs {
	struct desc_ptr gdt;
	u64 fs_base;
	u64 gs_base_user;
	u64 debugctl;
	unsigned long dr7;
	u64 pebs_enable;
	u64 perf_global_ctrl;
	u64 dr[4];
	u64 dr6;
	u16 fs;
	u16 gs;
	u16 ds;
	u16 es;
	u16 ldt;
};

/* Save and restore @host around guest runs; both with preemption disabled. */
void tvx_host_save(struct tvx_host_regs *host);
void tvx_host_restore(const struct tvx_host_regs *host);

/*
 * The part of both that interrupt handlers look at or change (perf's IPIs). IA32_DEBUGCTL and
 * DR7: VM exits overwrite them. PEBS: a CPU writes its records to linear addresses of the
 * host's, also while a guest's page tables translate them. Save after interrupts have been
 * disabled, restore before they are enabled, or an NMI's handler is called; no breakpoints of
 * a guest are loaded then.
 */
void tvx_host_save_debug(struct tvx_host_regs *host);
void tvx_host_restore_debug(const struct tvx_host_regs *host);

/* Load @dr as DR0 ... DR3 and keep the host's; undo that. Preemption disabled. */
void tvx_host_load_breakpoints(struct tvx_host_regs *host, const u64 *dr);
void tvx_host_unload_breakpoints(const struct tvx_host_regs *host);
/* DR0 ... DR3 and DR6 as they are now, which then are the guest's. */
void tvx_host_read_breakpoints(u64 *dr, u64 *dr6);
void tvx_host_write_dr6(u64 dr6);

/* Linear base of the current CPU's TSS. */
u64 tvx_host_tss_base(void);

/* CR3 and CR4 as VM exits must load them; with interrupts disabled. */
static __always_inline u64 tvx_host_cr3(void)
{
	return __native_read_cr3();
}

static __always_inline u64 tvx_host_cr4(void)
{
	return native_read_cr4();
}

/*
 * Whether this CPU may have handled an interrupt since the last call; with interrupts
 * disabled. The kernel notes that for KVM, and before Linux 6.19 for everyone.
 */
static __always_inline bool tvx_host_interrupted(void)
{
#if IS_ENABLED(CONFIG_KVM_INTEL) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	bool interrupted = kvm_get_cpu_l1tf_flush_l1d();

	kvm_clear_cpu_l1tf_flush_l1d();
	return interrupted;
#else
	return true;
#endif
}

/*
 * A machine check has cut a guest short: let the kernel see to it, as if this thread had been
 * in userspace. So an error in the guest's memory costs the VMM, by SIGBUS on its way there,
 * and not the host. Interrupts disabled. Return: false: this kernel handles none.
 */
bool tvx_host_machine_check(void);

/*
 * Whether the kernel wants to do something that it does on the way to userspace: a task's own
 * work (limits of CPU time, throttled groups, NUMA balancing, a page that a machine check has
 * hit), reclaim for a group above memory.high, a pause for one that swaps too much. That rseq,
 * too, asks for a look on the way, at each switch, is no reason to go: it wants nothing before.
 */
static __always_inline bool tvx_host_has_user_work(void)
{
	if (likely(!test_thread_flag(TIF_NOTIFY_RESUME)))
		return false;
#ifdef CONFIG_MEMCG
	if (current->memcg_nr_pages_over_high)
		return true;
#endif
#if defined(CONFIG_BLK_CGROUP) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	if (current->throttle_disk)
		return true;
#elif defined(CONFIG_BLK_CGROUP)
	if (current->throttle_queue)
		return true;
#endif
	return task_work_pending(current);
}

#ifdef TIF_NEED_RESCHED_LAZY
#define TVX_TIF_NEED_RESCHED	(_TIF_NEED_RESCHED | _TIF_NEED_RESCHED_LAZY)
#else
#define TVX_TIF_NEED_RESCHED	_TIF_NEED_RESCHED
#endif

/*
 * Whether another task wants this CPU: at once or, since Linux 6.13, as soon as this one would
 * return to its program, which one in a guest does not come to. need_resched() sees the former.
 */
static __always_inline bool tvx_host_need_resched(void)
{
	return read_thread_flags() & TVX_TIF_NEED_RESCHED;
}

/* Whether this thread must leave the guest: for another one, a signal, or such work. */
static __always_inline bool tvx_host_wants_thread(void)
{
	if (likely(!(read_thread_flags() & (TVX_TIF_NEED_RESCHED | _TIF_SIGPENDING |
					    _TIF_NOTIFY_SIGNAL | _TIF_NOTIFY_RESUME))))
		return false;
	return tvx_host_need_resched() || signal_pending(current) || tvx_host_has_user_work();
}

/*
 * A guest has done a locked access across two cache lines, at @rip, and the host does not
 * allow that to go unseen: slow this thread down, or send it a SIGBUS, as split_lock_detect=
 * on the kernel's command line says. May sleep.
 */
void tvx_host_split_lock(unsigned long rip);

/*
 * IA32_SPEC_CTRL as the kernel wants it for this task on this CPU; with interrupts disabled.
 * It is what the MSR holds, but cheaper to read.
 */
static __always_inline u64 tvx_host_spec_ctrl(void)
{
	return this_cpu_read(x86_spec_ctrl_current);
}

/*
 * Set or clear CR4.VMXE on this CPU; with interrupts disabled. Return: 0; -EBUSY: since
 * Linux 6.19 nobody but KVM may keep it set.
 */
int tvx_host_set_vmxe(void);
void tvx_host_clear_vmxe(void);

/* Whether it can be set to stay so: from Linux 6.19 on that is for KVM alone. */
static inline bool tvx_host_can_set_vmxe(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0);
}

/* Stop Intel PT on this CPU where it cannot go on in VMX operation; go on. Interrupts disabled. */
void tvx_host_pause_pt(bool pause);

/* Whether the host runs TDX guests, or may. */
bool tvx_host_has_tdx(void);

/* Use the FPU in the kernel. Between them preemption is off. */
void tvx_host_fpu_begin(void);
void tvx_host_fpu_end(void);

/**
 * struct tvx_host_table - the page table of a process that maps an address
 * @entries: of the table
 * @shift: log2 of the bytes that each maps
 */
struct tvx_host_table {
	const u64 *entries;
	unsigned int shift;
};

/**
 * struct tvx_host_page - what a process has at an address
 * @hpa: where it is
 * @writable: the process may write to it, without a page fault
 * @dirty: and the kernel knows that it did
 */
struct tvx_host_page {
	u64 hpa;
	bool writable;
	bool dirty;
};

/*
 * tvx_host_find_table - find the page table that maps @hva in @mm
 *
 * Interrupts are disabled, and stay so as long as @table is used: page tables are
 * freed only after every CPU has had them enabled. Return: whether there is one.
 */
bool tvx_host_find_table(struct mm_struct *mm, unsigned long hva,
			 struct tvx_host_table *table);

/*
 * tvx_host_page - the page at @hva, by the table that maps it
 *
 * No reference is taken. The answer holds only as long as an MMU notifier would tell
 * that it changes: call it under the lock that orders the caller against its notifier.
 *
 * Memory that get_user_pages() refuses because the kernel cannot read it (memfd_secret(2)) is
 * as good as any other: the module does not read it either.
 *
 * Return: 0; -EAGAIN: nothing is there, tvx_host_fault_in() may help; -ENODATA: perhaps no more
 * than zeros, it may help for a write; -EFAULT: what is there is not the kernel's RAM, cached
 * write-back.
 */
int tvx_host_page(const struct tvx_host_table *table, unsigned long hva,
		  struct tvx_host_page *page);

/*
 * Fault @hva in as an access of the current process would. Return: 0, though it may
 * be gone again; -EFAULT, -ENOMEM, -EHWPOISON; -EINTR: a signal, before Linux 6.2 one
 * that kills. May sleep.
 */
int tvx_host_fault_in(unsigned long hva, bool write);

/* What notifiers return of a page's age: int, in newer kernels bool. */
#define tvx_young_t typeof(((struct mmu_notifier_ops *)NULL)->clear_young(NULL, NULL, 0, 0))

struct vm_area_struct;
/*
 * In an mmap handler: mprotect() will not give @vma the access that VM_MAYEXEC and VM_MAYWRITE in
 * @never stand for, nor mremap() grow it.
 */
void tvx_host_vma_restrict(struct vm_area_struct *vma, vm_flags_t never);

/* Set up @timer to call @fn, from interrupt context, at an absolute monotonic time. */
void tvx_host_timer_init(struct hrtimer *timer,
			 enum hrtimer_restart (*fn)(struct hrtimer *timer));

/*
 * Whether a guest that executes from a large page of EPT could raise a machine check (iTLB
 * multihit, CVE-2018-12207), and the administrator has not said that he does not mind.
 */
bool tvx_host_itlb_multihit(void);

/* When the L1 data cache is to be flushed before VM entries; without L1TF: TVX_L1TF_NEVER. */
enum tvx_l1tf_policy { TVX_L1TF_NEVER, TVX_L1TF_CONDITIONAL, TVX_L1TF_ALWAYS };
enum tvx_l1tf_policy tvx_host_l1tf_policy(void);

/* Whether a guest gets an indirect branch predictor barrier between it and the last one. */
bool tvx_host_wants_ibpb(void);

/* Whether the TSC's frequency is known and all CPUs' agree. */
bool tvx_host_has_tsc(void);

struct eventfd_ctx;
/* Add 1 to an eventfd's counter and wake those who wait for it. Any context. */
void tvx_host_eventfd_signal(struct eventfd_ctx *eventfd);

/* Interrupt @cpu so that a guest on it exits. Any context. */
void tvx_host_kick_cpu(int cpu);

#endif
