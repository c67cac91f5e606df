// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCSs: their memory, loading and clearing, and the sections in a shared VMX root.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/io.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "host.h"
#include "host_kvm.h"
#include "mitigations.h"
#include "vmcs.h"
#include "vmx_caps.h"
#include "vmx_insn.h"
#include "vmx_vmcs.h"

void vmx_refresh_ept(u64 eptp)
{
	struct { u64 eptp, zero; } desc = { eptp, 0 };

	vmcs_write64(EPT_POINTER, eptp);
	asm goto(VMX_INSN("invept %0, %1")
		 : : "m" (desc), "r" ((u64)VMX_EPT_EXTENT_CONTEXT) : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("INVEPT failed\n");
}

void vmx_invvpid(u16 vpid)
{
	struct { u64 vpid, gla; } desc = { vpid, 0 };

	if (!vpid)
		return;	/* without a VPID every VM entry flushes */
	asm goto(VMX_INSN("invvpid %0, %1")
		 : : "m" (desc), "r" ((u64)VMX_VPID_EXTENT_SINGLE_CONTEXT)
		 : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("INVVPID failed\n");
}

static void vmptrld(u64 hpa)
{
	if (unlikely(!try_vmptrld(hpa)))
		pr_err_ratelimited("VMPTRLD failed\n");
}

static void vmclear(u64 hpa)
{
	if (unlikely(!try_vmclear(hpa)))
		pr_err_ratelimited("VMCLEAR failed\n");
}

int vmx_vmcs_init(struct vmx_vmcs *vmcs)
{
	vmcs->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->page)
		return -ENOMEM;
	*(u32 *)vmcs->page = vmx_revision();
	vmcs->hpa = __pa(vmcs->page);
	vmcs->cpu = -1;
	vmcs->launched = false;
	return 0;
}

static void vmx_vmcs_clear_ipi(void *arg)
{
	struct vmx_vmcs *vmcs = arg;

	/* The CPU may have gone down and cleared it between the look and the IPI. */
	if (vmcs->cpu == smp_processor_id())
		vmx_vmcs_clear_here(vmcs);
}

/* Make @vmcs inactive wherever it is. Preemption disabled, interrupts enabled. */
static void vmx_vmcs_clear(struct vmx_vmcs *vmcs)
{
	/* Pairs with the release after VMCLEAR: see where it is active, or all of it. */
	int cpu = smp_load_acquire(&vmcs->cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmx_vmcs_clear_ipi, vmcs, 1);
}

void vmx_vmcs_destroy(struct vmx_vmcs *vmcs)
{
	preempt_disable();
	vmx_vmcs_clear(vmcs);
	preempt_enable();
	free_page((unsigned long)vmcs->page);
}

static void activate(struct vmx_cpu *cpu, struct vmx_vmcs *vmcs)
{
	/* Also the first VMCLEAR, which makes the page a VMCS. */
	vmclear(vmcs->hpa);
	/* For a crash, which finds it only when it is whole. */
	list_add_rcu(&vmcs->link, &cpu->active);
	WRITE_ONCE(vmcs->cpu, smp_processor_id());
}

/* ------------------------------------------- sections in a shared VMX root */

/* Return: whether VMX is on here, now. */
static bool enter_root(struct vmx_cpu *cpu)
{
	unsigned long cr4 = tvx_host_cr4();

	if (likely(cr4 & X86_CR4_VMXE))
		return true;
	if (vmx_root != VMX_ROOT_SECTION)
		return false;	/* KVM's is gone without our having been told */
	cpu->inside = true;
	/*
	 * The kernel's shadow of CR4 does not know the bit. Nobody changes CR4 by it before
	 * the section ends: that comes by IPI or with a context switch, and both are off.
	 */
	vmx_write_cr4(cr4 | X86_CR4_VMXE);
	if (likely(!vmxon(__pa(cpu->vmxon_region))))
		return true;
	vmx_write_cr4(cr4);
	cpu->inside = false;
	return false;
}

static void leave_root(struct vmx_cpu *cpu)
{
	vmxoff();
	vmx_write_cr4(tvx_host_cr4() & ~X86_CR4_VMXE);
	cpu->inside = false;
}

/* VMX is on. Return: 1: @vmcs has been current all along; 0: now it is; -EIO: it is not. */
static int take_root(struct vmx_cpu *cpu, struct vmx_vmcs *vmcs)
{
	u64 now = cpu->inside ? VMX_NO_VMCS : vmptrst();

	cpu->other = VMX_NO_VMCS;
	if (now == vmcs->hpa)
		return 1;
	if (unlikely(!try_vmptrld(vmcs->hpa)))
		return -EIO;
	/* Another of ours need not come back: KVM has none current, then. */
	if (!cpu->current_vmcs || now != cpu->current_vmcs->hpa)
		cpu->other = now;
	cpu->current_vmcs = vmcs;
	return 0;
}

void __vmx_section_end(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	if (unlikely(vmcs->cpu < 0))
		return;		/* it has not begun */
	if (vmx_root == VMX_ROOT_SECTION) {
		/* VMX may go off before the next one: leave nothing in the CPU. */
		vmclear(vmcs->hpa);
		vmcs->launched = false;
		cpu->current_vmcs = NULL;
	}
	if (cpu->inside) {
		leave_root(cpu);
	} else if (cpu->other != VMX_NO_VMCS) {
		vmptrld(cpu->other);
		cpu->other = VMX_NO_VMCS;
		cpu->current_vmcs = NULL;
	}
}

/* VMXON is refused, or VMX has gone, or @vmcs is: nothing of it is left in the CPU. */
static noinline void lose(struct vmx_cpu *cpu, struct vmx_vmcs *vmcs)
{
	try_vmclear(vmcs->hpa);
	if (cpu->inside)
		leave_root(cpu);
	list_del(&vmcs->link);
	cpu->current_vmcs = NULL;
	if (cpu->last == vmcs)
		cpu->last = NULL;
	vmcs->launched = false;
	/* Nothing of it is left here before the next CPU looks at ->cpu. */
	smp_store_release(&vmcs->cpu, -1);
	pr_err_ratelimited("VMX cannot be had on CPU %d\n", smp_processor_id());
}

void __vmx_section_begin(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	if (unlikely(vmcs->cpu < 0))
		return;
	if (unlikely(!enter_root(cpu) || take_root(cpu, vmcs) < 0))
		lose(cpu, vmcs);
}

void __vmx_vmcs_unload(struct vmx_vmcs *vmcs)
{
	const struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	/*
	 * KVM goes on with its guest as if nobody had been here, perhaps one whose VMCS is not
	 * even current. Where VMXON was ours, KVM has no guests.
	 */
	if (cpu->other != VMX_NO_VMCS || (!cpu->inside && !tvx_host_kvm_barrier_by_vmptrld()))
		tvx_mitigate_vmcs_switch();
	if (vmx_must_give_back())
		__vmx_section_end(vmcs);
}

/*
 * Whether no other guest can have run here since @vmcs was loaded last: nor another thread
 * has, nor has this one run a guest of KVM's, whose VMCS would have been found here.
 */
static bool was_last(const struct vmx_cpu *cpu, const struct vmx_vmcs *vmcs)
{
	return cpu->last == vmcs && cpu->other == VMX_NO_VMCS && cpu->last_task == current &&
	       cpu->last_switches == current->nvcsw + current->nivcsw;
}

static void set_last(struct vmx_cpu *cpu, struct vmx_vmcs *vmcs)
{
	cpu->last = vmcs;
	cpu->last_task = current;
	cpu->last_switches = current->nvcsw + current->nivcsw;
}

/* vmx_vmcs_load(), interrupts being disabled. */
static noinline int load_shared(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	int moved, taken;

	if (unlikely(READ_ONCE(vmcs->cpu) != smp_processor_id())) {
		local_irq_enable();
		vmx_vmcs_clear(vmcs);
		local_irq_disable();
	}
	if (unlikely(!cpu->on || !enter_root(cpu))) {
		local_irq_enable();
		return -EAGAIN;
	}
	tvx_host_return_msrs();
	moved = vmcs->cpu < 0;
	if (unlikely(moved))
		activate(cpu, vmcs);
	taken = take_root(cpu, vmcs);
	if (unlikely(taken < 0)) {
		lose(cpu, vmcs);
		local_irq_enable();
		return -EAGAIN;
	}
	if (!taken && !was_last(cpu, vmcs))
		tvx_mitigate_vmcs_switch();
	set_last(cpu, vmcs);
	return moved;
}

/* ------------------------------------------------------------------ loading */

/* It is not current yet. */
static noinline int make_current(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	int moved = 0;

	if (READ_ONCE(vmcs->cpu) != smp_processor_id())
		vmx_vmcs_clear(vmcs);

	local_irq_disable();
	if (unlikely(!cpu->on)) {
		local_irq_enable();
		return -EAGAIN;
	}
	if (vmcs->cpu < 0) {
		activate(cpu, vmcs);
		moved = 1;
	}
	vmptrld(vmcs->hpa);
	tvx_mitigate_vmcs_switch();
	cpu->current_vmcs = vmcs;
	return moved;
}

/* Nobody has come in between: so it is as a rule without a guest of KVM's on this CPU. */
static __always_inline bool is_left_current(const struct vmx_vmcs *vmcs)
{
	return vmx_root == VMX_ROOT_KVM && READ_ONCE(vmcs->cpu) == smp_processor_id() &&
	       likely(!tvx_host_owes_msrs()) && vmptrst() == vmcs->hpa;
}

int vmx_vmcs_load(struct vmx_vmcs *vmcs)
{
	local_irq_disable();
	if (vmx_is_shared())
		return is_left_current(vmcs) ? 0 : load_shared(vmcs);
	/* It is not, once VMX has been turned off here. */
	if (likely(this_cpu_read(vmx_cpus.current_vmcs) == vmcs))
		return 0;
	local_irq_enable();
	return make_current(vmcs);
}
