// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host kernel: what a guest run borrows from it, and how its versions differ.
 */
#include <linux/cpu.h>
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fsgsbase.h>
#include <asm/mce.h>
#include <asm/mmu_context.h>	/* load_gs_index(), in whichever header it is */
#include <asm/msr-index.h>
#include <asm/perf_event.h>
#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/tsc.h>

#include "host.h"

#define TVX_DR7_AFTER_EXIT	0x400

static __always_inline unsigned long read_dr7(void)
{
	unsigned long v;

	asm volatile("mov %%db7, %0" : "=r" (v));
	return v;
}

static __always_inline void write_dr7(unsigned long v)
{
	asm volatile("mov %0, %%db7" : : "r" (v) : "memory");
}

void tvx_host_read_breakpoints(u64 *dr, u64 *dr6)
{
	asm volatile("mov %%db0, %0" : "=r" (dr[0]));
	asm volatile("mov %%db1, %0" : "=r" (dr[1]));
	asm volatile("mov %%db2, %0" : "=r" (dr[2]));
	asm volatile("mov %%db3, %0" : "=r" (dr[3]));
	asm volatile("mov %%db6, %0" : "=r" (*dr6));
}

void tvx_host_write_dr6(u64 dr6)
{
	asm volatile("mov %0, %%db6" : : "r" (dr6));
}

static void write_breakpoints(const u64 *dr)
{
	asm volatile("mov %0, %%db0" : : "r" (dr[0]));
	asm volatile("mov %0, %%db1" : : "r" (dr[1]));
	asm volatile("mov %0, %%db2" : : "r" (dr[2]));
	asm volatile("mov %0, %%db3" : : "r" (dr[3]));
}

/*
 * PEBS needs a while after it has been turned off: VM entry would be too late. Its counters
 * stop, too: without it nobody would reload them when they overflow. The bits are the same.
 */
static noinline void stop_pebs(struct tvx_host_regs *host)
{
	u64 all = tvx_rdmsr(MSR_CORE_PERF_GLOBAL_CTRL);

	tvx_wrmsr(MSR_CORE_PERF_GLOBAL_CTRL, all & ~host->pebs_enable);
	tvx_wrmsr(MSR_IA32_PEBS_ENABLE, 0);
	host->perf_global_ctrl = all;
}

static noinline void start_pebs(const struct tvx_host_regs *host)
{
	tvx_wrmsr(MSR_IA32_PEBS_ENABLE, host->pebs_enable);
	tvx_wrmsr(MSR_CORE_PERF_GLOBAL_CTRL, host->perf_global_ctrl);
}

void tvx_host_save_debug(struct tvx_host_regs *host)
{
	if (cpu_feature_enabled(X86_FEATURE_PEBS) &&
	    cpu_feature_enabled(X86_FEATURE_ARCH_PERFMON)) {
		host->pebs_enable = tvx_rdmsr(MSR_IA32_PEBS_ENABLE);
		if (unlikely(host->pebs_enable))
			stop_pebs(host);
	}
	host->debugctl = tvx_rdmsr(MSR_IA32_DEBUGCTLMSR);
	host->dr7 = read_dr7();
}

void tvx_host_restore_debug(const struct tvx_host_regs *host)
{
	if (unlikely(host->pebs_enable))
		start_pebs(host);
	if (unlikely(host->debugctl))
		tvx_wrmsr(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	if (unlikely(host->dr7 != TVX_DR7_AFTER_EXIT))
		write_dr7(host->dr7);
}

void tvx_host_save(struct tvx_host_regs *host)
{
	native_store_gdt(&host->gdt);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
	savesegment(ds, host->ds);
	savesegment(es, host->es);
	store_ldt(host->ldt);
	host->fs_base = x86_fsbase_read_cpu();
	host->gs_base_user = tvx_rdmsr(MSR_KERNEL_GS_BASE);
	tvx_host_save_debug(host);
}

static noinline void restore_selectors(const struct tvx_host_regs *host)
{
	if (host->ldt)
		asm volatile("lldt %0" : : "r" (host->ldt));
	loadsegment(ds, host->ds);
	loadsegment(es, host->es);
	if (host->fs) {
		loadsegment(fs, host->fs);
		tvx_wrmsr(MSR_FS_BASE, host->fs_base);
	}
	if (host->gs) {
		load_gs_index(host->gs);
		tvx_wrmsr(MSR_KERNEL_GS_BASE, host->gs_base_user);
	}
}

void tvx_host_restore(const struct tvx_host_regs *host)
{
	/*
	 * A GDT limit of FFFFH would let a program load selectors from whatever
	 * is mapped behind the GDT; a TSS limit of 67H must be known to ioperm().
	 */
	native_load_gdt(&host->gdt);
	invalidate_tss_limit();
	/*
	 * VM exits load null selectors into DS, ES, FS, GS and LDTR: Linux has nothing
	 * else there but for 32-bit and LDT programs.
	 */
	if (unlikely(host->fs | host->gs | host->ds | host->es | host->ldt))
		restore_selectors(host);
	tvx_host_restore_debug(host);
}

void tvx_host_load_breakpoints(struct tvx_host_regs *host, const u64 *dr)
{
	/* Disarm the host's first: its addresses and the guest's must not mix. */
	write_dr7(TVX_DR7_AFTER_EXIT);
	tvx_host_read_breakpoints(host->dr, &host->dr6);
	write_breakpoints(dr);
}

void tvx_host_unload_breakpoints(const struct tvx_host_regs *host)
{
	write_breakpoints(host->dr);
	tvx_host_write_dr6(host->dr6);
}

u64 tvx_host_tss_base(void)
{
	const struct ldttss_desc *tss;
	struct desc_ptr gdt;
	u16 tr;

	native_store_gdt(&gdt);
	store_tr(tr);
	tss = (const struct ldttss_desc *)(gdt.address + (tr & ~7));
	return tss->base0 | ((u64)tss->base1 << 16) | ((u64)tss->base2 << 24) |
	       ((u64)tss->base3 << 32);
}

bool tvx_host_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = { .cs = __USER_CS, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
	return true;
#else
	return false;
#endif
}

void tvx_host_split_lock(unsigned long rip)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	/* The policy is for KVM alone to ask: take the strictest. */
	pr_warn_ratelimited("%s/%d: split lock in a guest at RIP 0x%lx; split_lock_detect=off would allow it\n",
			    current->comm, current->pid, rip);
	force_sig(SIGBUS);
#else
	handle_guest_split_lock(rip);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
int tvx_host_set_vmxe(void)
{
	return -EBUSY;
}

void tvx_host_clear_vmxe(void)
{
}

void tvx_host_pause_pt(bool pause)
{
}
#else
int tvx_host_set_vmxe(void)
{
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	return 0;
}

void tvx_host_clear_vmxe(void)
{
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
}

void tvx_host_pause_pt(bool pause)
{
	intel_pt_handle_vmx(pause);
}
#endif

bool tvx_host_has_tdx(void)
{
#ifdef X86_FEATURE_TDX_HOST_PLATFORM
	return boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM);
#else
	return false;
#endif
}

void tvx_host_fpu_begin(void)
{
	kernel_fpu_begin();
}

void tvx_host_fpu_end(void)
{
	kernel_fpu_end();
}

void tvx_host_timer_init(struct hrtimer *timer,
			 enum hrtimer_restart (*fn)(struct hrtimer *timer))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer->function = fn;
#endif
}

bool tvx_host_itlb_multihit(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}

enum tvx_l1tf_policy tvx_host_l1tf_policy(void)
{
	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return TVX_L1TF_NEVER;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES) &&
	    (tvx_rdmsr(MSR_IA32_ARCH_CAPABILITIES) & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH))
		return TVX_L1TF_NEVER;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	/* l1tf= is for KVM alone to know: take the default. */
	return cpu_mitigations_off() ? TVX_L1TF_NEVER : TVX_L1TF_CONDITIONAL;
#else
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return TVX_L1TF_NEVER;
	case L1TF_MITIGATION_FULL:
	case L1TF_MITIGATION_FULL_FORCE:
		return TVX_L1TF_ALWAYS;
	default:
		return TVX_L1TF_CONDITIONAL;
	}
#endif
}

bool tvx_host_wants_ibpb(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	/* spectre_v2_user= is for KVM alone to know: take the default. */
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

bool tvx_host_has_tsc(void)
{
	return tsc_khz && !check_tsc_unstable();
}

void tvx_host_eventfd_signal(struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

void tvx_host_kick_cpu(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	arch_smp_send_reschedule(cpu);	/* the other one's tracepoint is not for modules */
#else
	smp_send_reschedule(cpu);
#endif
}
