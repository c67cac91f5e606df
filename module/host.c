// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host kernel: what a guest run borrows from it, and how its versions differ.
 */
#include <linux/cpu.h>
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/panic_notifier.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fsgsbase.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

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

static void read_breakpoints(unsigned long *dr, unsigned long *dr6)
{
	asm volatile("mov %%db0, %0" : "=r" (dr[0]));
	asm volatile("mov %%db1, %0" : "=r" (dr[1]));
	asm volatile("mov %%db2, %0" : "=r" (dr[2]));
	asm volatile("mov %%db3, %0" : "=r" (dr[3]));
	asm volatile("mov %%db6, %0" : "=r" (*dr6));
}

static void write_breakpoints(const unsigned long *dr)
{
	asm volatile("mov %0, %%db0" : : "r" (dr[0]));
	asm volatile("mov %0, %%db1" : : "r" (dr[1]));
	asm volatile("mov %0, %%db2" : : "r" (dr[2]));
	asm volatile("mov %0, %%db3" : : "r" (dr[3]));
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
	host->debugctl = tvx_rdmsr(MSR_IA32_DEBUGCTLMSR);
	host->dr7 = read_dr7();
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
	if (unlikely(host->debugctl))
		tvx_wrmsr(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	if (unlikely(host->dr7 != TVX_DR7_AFTER_EXIT))
		write_dr7(host->dr7);
}

void tvx_host_load_breakpoints(struct tvx_host_regs *host, const u64 *dr)
{
	/* Disarm the host's first: its addresses and the guest's must not mix. */
	write_dr7(TVX_DR7_AFTER_EXIT);
	read_breakpoints(host->dr, &host->dr6);
	write_breakpoints((const unsigned long *)dr);
}

void tvx_host_unload_breakpoints(const struct tvx_host_regs *host)
{
	write_breakpoints(host->dr);
	asm volatile("mov %0, %%db6" : : "r" (host->dr6));
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

void tvx_host_set_vmxe(void)
{
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
}

void tvx_host_clear_vmxe(void)
{
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
}

void tvx_host_fpu_begin(void)
{
	kernel_fpu_begin();
}

void tvx_host_fpu_end(void)
{
	kernel_fpu_end();
}

static u64 host_entry(const struct tvx_host_table *table, unsigned long hva)
{
	return READ_ONCE(table->entries[(hva >> table->shift) % PTRS_PER_PTE]);
}

bool tvx_host_find_table(struct mm_struct *mm, unsigned long hva,
			 struct tvx_host_table *table)
{
	table->entries = (const u64 *)mm->pgd;
	for (table->shift = PGDIR_SHIFT; table->shift > PAGE_SHIFT; table->shift -= 9) {
		u64 entry = host_entry(table, hva);

		if (!(entry & _PAGE_PRESENT))
			return false;
		if (entry & _PAGE_PSE)
			break;
		table->entries = __va(entry & PTE_PFN_MASK);
	}
	return true;
}

/*
 * What entries of a user's pages of RAM have in common. Special pages have no owner;
 * bit 7 is PSE in a large page and otherwise, like PCD and PWT, 0 for write-back.
 */
#define ENTRY_RAM	(_PAGE_PRESENT | _PAGE_USER)
#define ENTRY_MASK	(ENTRY_RAM | _PAGE_SPECIAL | _PAGE_PCD | _PAGE_PWT | _PAGE_PSE)

int tvx_host_page(const struct tvx_host_table *table, unsigned long hva,
		  struct tvx_host_page *page)
{
	u64 entry = host_entry(table, hva), offset = BIT_ULL(table->shift) - 1;
	u64 large = table->shift > PAGE_SHIFT ? _PAGE_PSE : 0;

	page->hpa = (entry & PTE_PFN_MASK & ~offset) | (hva & offset & PAGE_MASK);
	page->writable = entry & _PAGE_RW;
	page->dirty = entry & _PAGE_DIRTY;
	if (likely((entry & ENTRY_MASK) == (ENTRY_RAM | large)))
		return 0;
	if (!(entry & _PAGE_PRESENT))
		return -EAGAIN;
	/* The page of zeros is special, but no danger. */
	if ((entry & ENTRY_MASK) == (ENTRY_RAM | _PAGE_SPECIAL) &&
	    PHYS_PFN(page->hpa) == my_zero_pfn(hva))
		return 0;
	return -EFAULT;
}

int tvx_host_fault_in(unsigned long hva, bool write)
{
	unsigned int flags = write ? FOLL_WRITE : 0;
	struct page *page;
	long n;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	flags |= FOLL_INTERRUPTIBLE;	/* userfaultfd may let it wait for long */
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	flags |= FOLL_HONOR_NUMA_FAULT;	/* the page table must have the page, too */
#endif
	n = get_user_pages_unlocked(hva, 1, &page, flags);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	put_page(page);
	return 0;
}

void tvx_host_vma_restrict(struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, VM_DONTEXPAND, VM_MAYEXEC);
#else
	vma->vm_flags = (vma->vm_flags | VM_DONTEXPAND) & ~VM_MAYEXEC;
#endif
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

/* ------------------------------------------------------------------- power */

static const struct tvx_host_power *power_hooks;

static void power_off_this_cpu(void *unused)
{
	power_hooks->off();
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define SYSCORE_ARG		void *data
#define SYSCORE_REGISTER	register_syscore
#define SYSCORE_UNREGISTER	unregister_syscore
#define SYSCORE			power_syscore
#else
#define SYSCORE_ARG		void
#define SYSCORE_REGISTER	register_syscore_ops
#define SYSCORE_UNREGISTER	unregister_syscore_ops
#define SYSCORE			power_syscore_ops
#endif

static int power_suspend(SYSCORE_ARG)
{
	power_hooks->off();
	return 0;
}

static void power_resume(SYSCORE_ARG)
{
	power_hooks->on();
}

static struct syscore_ops power_syscore_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
static struct syscore power_syscore = { .ops = &power_syscore_ops };
#endif

/* Reboot through the firmware hangs on some machines with VMX on. */
static int power_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	on_each_cpu(power_off_this_cpu, NULL, 1);
	return NOTIFY_DONE;
}

/* A crash kernel cannot clear CR4.VMXE in VMX operation: leave it here. */
static int power_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	unsigned long flags;

	local_irq_save(flags);
	power_hooks->off();
	local_irq_restore(flags);
	return NOTIFY_DONE;
}

static struct notifier_block power_reboot_nb = { .notifier_call = power_reboot };
static struct notifier_block power_panic_nb = { .notifier_call = power_panic };

int tvx_host_register_power(const struct tvx_host_power *power)
{
	power_hooks = power;
	SYSCORE_REGISTER(&SYSCORE);
	atomic_notifier_chain_register(&panic_notifier_list, &power_panic_nb);
	return register_reboot_notifier(&power_reboot_nb);
}

void tvx_host_unregister_power(void)
{
	unregister_reboot_notifier(&power_reboot_nb);
	atomic_notifier_chain_unregister(&panic_notifier_list, &power_panic_nb);
	SYSCORE_UNREGISTER(&SYSCORE);
}
